//! The file of an entry: an age file, sealed inside by those who may read it.
//!
//! ```text
//! age-encryption.org/v1
//! -> X25519 …              for each reader, as `age -r` writes it
//! -> gcf-reader HINT       and a digest of the reader's recipient
//! --- MAC
//! payload: SEAL "\n" JSON  HMAC-SHA256 of the JSON, in hexadecimal
//! ```
//!
//! age says that a file is whole, not who wrote it: anybody who knows a recipient can write for it. The seal
//! says who wrote it. Its key is known to the readers only, so that a planted file is told from one of
//! theirs.
//!
//! age also tries each stanza and cannot tell one that is somebody else's from one that is damaged. The hint
//! can, and the MAC of the header covers it: a flipped bit never turns a reader's file into a foreign one.

use std::{
    cell::Cell,
    collections::HashSet,
    io::{Read, Write},
    iter,
};

use age::{
    DecryptError, Decryptor, EncryptError, Encryptor,
    secrecy::ExposeSecret,
    x25519::{Identity, Recipient},
};
use age_core::format::{FileKey, Stanza};
use ring::{digest, hmac};

/// The private half of a store's key, and what follows from it. No `Debug`.
pub(super) struct StoreKey {
    identity: Identity,
    recipient: Recipient,
    hint: String,
    /// Seals the entries that only this key reads.
    pub(super) own: hmac::Key,
    /// Seals the lists of readers that this key decided on.
    pub(super) lists: hmac::Key,
}

impl StoreKey {
    pub(super) fn new(identity: Identity) -> Self {
        let recipient = identity.to_public();
        let secret = identity.to_string();
        let root = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
        let derived =
            |label: &str| hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&root, label.as_bytes()).as_ref());
        let (own, lists) = (derived("gcf store v2: values"), derived("gcf store v2: lists of readers"));
        Self { hint: hint(&recipient), identity, recipient, own, lists }
    }

    pub(super) fn recipient(&self) -> &Recipient {
        &self.recipient
    }

    /// Decrypts a file. Its seal remains to be checked.
    pub(super) fn open(&self, bytes: &[u8]) -> Result<Opened, Unreadable> {
        let reader = Reader { key: self, decrypts: true, addressed: Cell::new(false) };
        let plain = match decrypt(bytes, &reader) {
            Err(DecryptError::NoMatchingKeys) if !reader.addressed.get() => return Err(Unreadable::Hidden),
            opened => opened.map_err(|_| Unreadable::Damaged)?,
        };
        let line = plain.iter().position(|byte| *byte == b'\n').ok_or(Unreadable::Damaged)?;
        let seal = std::str::from_utf8(&plain[..line]).ok().and_then(bytes_of).ok_or(Unreadable::Damaged)?;
        Ok(Opened { json: plain[line + 1..].to_vec(), seal })
    }

    /// Tells whether a file is not for this key. A damaged file might be, and so is not hidden.
    pub(super) fn is_hidden(&self, bytes: &[u8]) -> bool {
        let reader = Reader { key: self, decrypts: false, addressed: Cell::new(false) };
        let hidden = matches!(decrypt(bytes, &reader), Err(DecryptError::NoMatchingKeys));
        // The hint alone answers for most. Without one the file is decrypted, for the hint may be damaged.
        hidden && !reader.addressed.get() && matches!(self.open(bytes), Err(Unreadable::Hidden))
    }
}

/// Encrypts `json` to `readers`, at least one.
pub(super) fn seal(readers: &[Recipient], key: &hmac::Key, json: &str) -> Vec<u8> {
    let readers: Vec<Addressed<'_>> = readers.iter().map(Addressed).collect();
    let readers = readers.iter().map(|reader| reader as &dyn age::Recipient);
    let mut bytes = Vec::new();
    Encryptor::with_recipients(readers)
        .expect("the store's own recipient is one, and all are of one kind")
        .wrap_output(&mut bytes)
        .and_then(|mut writer| {
            writeln!(writer, "{}", hex(hmac::sign(key, json.as_bytes()).as_ref()))?;
            writer.write_all(json.as_bytes())?;
            writer.finish()
        })
        .expect("a vector takes everything");
    bytes
}

/// A text that was decrypted. No `Debug`.
pub(super) struct Opened {
    /// The text, by whatever writer.
    pub(super) json: Vec<u8>,
    seal: Vec<u8>,
}

impl Opened {
    /// Tells whether the writer of the file knew `key`.
    pub(super) fn is_sealed_by(&self, key: &hmac::Key) -> bool {
        hmac::verify(key, &self.json, &self.seal).is_ok()
    }
}

/// The reason why a file cannot be read with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// Whole as far as can be seen, and encrypted to others.
    Hidden,
    /// Not as it was written.
    Damaged,
}

/// The bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The inverse of [`hex`].
pub(super) fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let pair = |at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
    (0..hex.len()).step_by(2).map(pair).collect()
}

/// A reader's own stanza, and the hint after it.
struct Addressed<'a>(&'a Recipient);

impl age::Recipient for Addressed<'_> {
    fn wrap_file_key(&self, key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        let (mut stanzas, labels) = self.0.wrap_file_key(key)?;
        stanzas.push(Stanza { tag: HINT.to_owned(), args: vec![hint(self.0)], body: Vec::new() });
        Ok((stanzas, labels))
    }
}

/// Notes whether a header names this key, and decrypts if it is to.
struct Reader<'a> {
    key: &'a StoreKey,
    decrypts: bool,
    addressed: Cell<bool>,
}

impl age::Identity for Reader<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        if stanza.tag == HINT {
            if stanza.args == [self.key.hint.as_str()] {
                self.addressed.set(true);
            }
            return None;
        }
        if self.decrypts { self.key.identity.unwrap_stanza(stanza) } else { None }
    }
}

fn decrypt(bytes: &[u8], reader: &Reader<'_>) -> Result<Vec<u8>, DecryptError> {
    let mut plain = Vec::new();
    let decryptor = Decryptor::new_buffered(bytes)?;
    decryptor.decrypt(iter::once(reader as &dyn age::Identity))?.read_to_end(&mut plain)?;
    Ok(plain)
}

fn hint(recipient: &Recipient) -> String {
    let digest = digest::digest(&digest::SHA256, format!("gcf reader {recipient}").as_bytes());
    hex(&digest.as_ref()[..8])
}

const HINT: &str = "gcf-reader";

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> StoreKey {
        StoreKey::new(Identity::generate())
    }

    #[test]
    fn each_reader_opens_it_and_nobody_else() {
        let (one, two, three) = (key(), key(), key());
        let readers = [one.recipient().clone(), two.recipient().clone()];
        let bytes = seal(&readers, &one.own, "{}");
        for reader in [&one, &two] {
            let opened = reader.open(&bytes).unwrap_or_else(|error| panic!("{error:?}"));
            assert_eq!(opened.json, b"{}");
            assert!(opened.is_sealed_by(&one.own) && !opened.is_sealed_by(&two.own));
            assert!(!opened.is_sealed_by(&one.lists), "one seal for two purposes");
            assert!(!reader.is_hidden(&bytes));
        }
        assert!(three.is_hidden(&bytes));
        assert_eq!(three.open(&bytes).err(), Some(Unreadable::Hidden));
    }

    #[test]
    fn a_change_anywhere_is_damage_and_hides_nothing() {
        let (one, two) = (key(), key());
        let bytes = seal(&[two.recipient().clone(), one.recipient().clone()], &one.own, "{\"a\":1}");
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(one.open(&flipped).err(), Some(Unreadable::Damaged), "bit {bit}");
            assert!(!one.is_hidden(&flipped), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert_eq!(one.open(&bytes[..length]).err(), Some(Unreadable::Damaged), "length {length}");
            assert!(!one.is_hidden(&bytes[..length]), "length {length}");
        }
    }

    #[test]
    fn age_itself_opens_it() {
        let one = key();
        let bytes = seal(&[one.recipient().clone()], &one.own, "{}");
        let plain = String::from_utf8(age::decrypt(&one.identity, &bytes).unwrap()).unwrap();
        assert_eq!(plain.lines().nth(1), Some("{}"));
    }

    #[test]
    fn hexadecimal_leads_back() {
        assert_eq!(bytes_of(&hex(&[0, 1, 255])), Some(vec![0, 1, 255]));
        for text in ["0", "0g", "é", "+1é"] {
            assert_eq!(bytes_of(text), None, "{text}");
        }
    }
}
