//! Values as they lie in a place that others can read: sealed with XChaCha20-Poly1305, or in clear text where the
//! operator has said so.
//!
//! | byte | what follows |
//! |---|---|
//! | 1 | a nonce of 24 bytes, the ciphertext, its tag of 16 bytes |
//! | 2 | the value in clear text |
//!
//! The key's name is associated data, so a value cannot be moved to another name. Who writes in the place can still
//! put back an older value of the same name, or remove it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};

use crate::{
    contract::{Result, StoreError},
    name::{Key, MAX_VALUE, Value},
    settings::Settings,
};

/// The protection of values.
pub enum Seal {
    /// Sealed with the first of these; opened with any.
    Keys(Vec<XChaCha20Poly1305>),
    /// In clear text.
    None,
}

impl Seal {
    /// Reads what the environment says.
    ///
    /// # Errors
    /// [`StoreError::Other`] if it says nothing, or both; or holds something that is not a key.
    pub fn from_settings(settings: &Settings) -> Result<Self> {
        let keys = settings.get(KEYS);
        let unsealed = settings.is_set(UNSEALED)?;
        match (keys, unsealed) {
            (Some(_), true) => {
                Err(StoreError::other(format!("{KEYS} and {UNSEALED} are both set; leave one of them out")))
            }
            (None, true) => Ok(Self::None),
            (None, false) => Err(StoreError::other(format!(
                "values would not be sealed: set {KEYS} to 32 random bytes in Base64, or {UNSEALED} to `yes`"
            ))),
            (Some(keys), false) => keys.split(',').map(read_key).collect::<Result<Vec<_>>>().map(Self::Keys),
        }
    }

    /// Seals a value for the place under its key.
    #[must_use]
    pub fn close(&self, key: &Key, value: Value<'_>, nonce: [u8; NONCE]) -> Vec<u8> {
        let value = value.reveal().as_bytes();
        let Self::Keys(keys) = self else { return [&[CLEAR], value].concat() };
        let named = associated(key);
        let payload = Payload { msg: value, aad: &named };
        // One key at least was read, and no value is as long as the cipher's limit.
        let sealed = keys.first().and_then(|cipher| cipher.encrypt(&XNonce::from(nonce), payload).ok());
        [&[SEALED], &nonce[..], &sealed.expect("a short value can be sealed")].concat()
    }

    /// Opens what lies under a key.
    ///
    /// # Errors
    /// [`StoreError::Other`] if it was not sealed for this key and by one of these keys.
    pub fn open(&self, key: &Key, bytes: &[u8]) -> Result<String> {
        let value = match (self, bytes.split_first()) {
            (Self::Keys(keys), Some((&SEALED, sealed))) => unseal(keys, key, sealed)?,
            (Self::None, Some((&CLEAR, value))) => value.to_vec(),
            (Self::Keys(_), Some((&CLEAR, _))) => {
                return Err(StoreError::other(
                    "an entry is in clear text, and this store takes sealed ones only",
                ));
            }
            (Self::None, Some((&SEALED, _))) => {
                return Err(StoreError::other(format!("an entry is sealed: set {KEYS}, and not {UNSEALED}")));
            }
            (Self::Keys(_) | Self::None, Some(_) | None) => {
                return Err(StoreError::other("an entry is none of this store's"));
            }
        };
        if value.len() > MAX_VALUE {
            return Err(StoreError::other("an entry is longer than a value can be"));
        }
        String::from_utf8(value).map_err(|_| StoreError::other("an entry is not text"))
    }
}

fn read_key(text: &str) -> Result<XChaCha20Poly1305> {
    // The text is not repeated: it is nearly a key.
    let bytes = STANDARD.decode(text.trim()).ok();
    bytes.and_then(|bytes| XChaCha20Poly1305::new_from_slice(&bytes).ok()).ok_or_else(|| {
        StoreError::other(format!("{KEYS} is not 32 bytes in Base64, or several with commas between"))
    })
}

fn unseal(keys: &[XChaCha20Poly1305], key: &Key, sealed: &[u8]) -> Result<Vec<u8>> {
    let damaged = || {
        StoreError::other(format!(
            "an entry cannot be opened: it is damaged, or was sealed with another {KEYS}"
        ))
    };
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or_else(damaged)?;
    let named = associated(key);
    keys.iter()
        .find_map(|cipher| cipher.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: &named }).ok())
        .ok_or_else(damaged)
}

/// The format and the name, so that a later format cannot be read as this one.
fn associated(key: &Key) -> Vec<u8> {
    ["gcf-store/1:", key.as_str()].concat().into_bytes()
}

/// The bytes of a nonce: so many that they may be random.
pub const NONCE: usize = 24;
/// The bytes of the longest value as it lies there.
pub const MAX_CLOSED: usize = 1 + NONCE + MAX_VALUE + 16;
const SEALED: u8 = 1;
const CLEAR: u8 = 2;
const KEYS: &str = "GCF_STORE_KEY";
const UNSEALED: &str = "GCF_STORE_UNSEALED";

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const OTHER: &str = "HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHgA=";

    fn seal(settings: &[(&str, &str)]) -> Result<Seal> {
        Seal::from_settings(&Settings::of(settings))
    }

    fn key(text: &str) -> Key {
        Key::parse(text).unwrap()
    }

    fn close(seal: &Seal, name: &str, value: &str) -> Vec<u8> {
        seal.close(&key(name), Value::parse(value).unwrap(), [7; NONCE])
    }

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn it_opens_what_it_closed_and_nothing_shows() {
        let seal = seal(&[(KEYS, ONE)]).unwrap();
        for value in ["", "canary-3f9c", "line\n\"ü\"\0", &"v".repeat(MAX_VALUE)] {
            let closed = close(&seal, "tokens/a", value);
            assert_eq!(seal.open(&key("tokens/a"), &closed).unwrap(), value);
            assert!(closed.len() <= MAX_CLOSED);
            let needle = value.as_bytes();
            assert!(needle.is_empty() || !closed.windows(needle.len()).any(|part| part == needle));
        }
    }

    #[test]
    fn a_value_is_bound_to_its_name_and_to_every_bit() {
        let seal = seal(&[(KEYS, ONE)]).unwrap();
        let closed = close(&seal, "tokens/a", "value");
        assert!(seal.open(&key("tokens/b"), &closed).is_err());
        for index in 0..closed.len() {
            let mut damaged = closed.clone();
            damaged[index] ^= 1;
            assert!(seal.open(&key("tokens/a"), &damaged).is_err(), "byte {index}");
            assert!(seal.open(&key("tokens/a"), &closed[..index]).is_err(), "cut at {index}");
        }
    }

    #[test]
    fn the_first_key_seals_and_every_key_opens() {
        let old = seal(&[(KEYS, ONE)]).unwrap();
        let both = seal(&[(KEYS, &format!("{OTHER},{ONE}"))]).unwrap();
        assert_eq!(both.open(&key("a"), &close(&old, "a", "x")).unwrap(), "x");
        assert!(old.open(&key("a"), &close(&both, "a", "x")).is_err());
    }

    #[test]
    fn clear_text_is_written_only_where_it_was_asked_for_and_never_read_by_a_store_that_seals() {
        assert!(seal(&[]).is_err());
        assert!(seal(&[(UNSEALED, "")]).is_err());
        assert!(seal(&[(UNSEALED, "no")]).is_err());
        assert!(seal(&[(UNSEALED, "yes"), (KEYS, ONE)]).is_err());
        let (clear, sealed) = (seal(&[(UNSEALED, "yes")]).unwrap(), seal(&[(KEYS, ONE)]).unwrap());
        assert_eq!(clear.open(&key("a"), &close(&clear, "a", "x")).unwrap(), "x");
        assert!(sealed.open(&key("a"), &close(&clear, "a", "x")).is_err());
        assert!(clear.open(&key("a"), &close(&sealed, "a", "x")).is_err());
        for foreign in [&b""[..], b"\0", b"\x03x", b"\x02\xff", &[CLEAR; MAX_VALUE + 2]] {
            assert!(clear.open(&key("a"), foreign).is_err());
            assert!(sealed.open(&key("a"), foreign).is_err());
        }
    }

    #[test]
    fn what_is_nearly_a_key_is_refused_and_not_repeated() {
        for text in ["", "hunter2", "AAEC", &ONE[1..], &format!("{ONE},"), &format!("{ONE};{OTHER}")] {
            let Err(StoreError::Other(why)) = seal(&[(KEYS, text)]) else { panic!("{text}") };
            assert!(!why.contains("hunter2"));
        }
    }

    /// Sealed by libsodium: PyNaCl 1.6.2 prints the last line of it for
    ///
    /// ```python
    /// nacl.bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
    ///     b"value", b"gcf-store/1:tokens/a", b"\x07" * 24, bytes(range(32))).hex()
    /// ```
    #[test]
    fn a_sealed_value_is_what_others_make_of_it_too() {
        let seal = seal(&[(KEYS, ONE)]).unwrap();
        let sealed = [
            "01",
            "070707070707070707070707070707070707070707070707",
            "90de37ad3b6819b0bc0e9f3fd1d0ced058acb14584",
        ];
        let sealed = bytes(&sealed.concat());
        assert_eq!(close(&seal, "tokens/a", "value"), sealed);
        assert_eq!(seal.open(&key("tokens/a"), &sealed).unwrap(), "value");
    }

    /// The example of draft-irtf-cfrg-xchacha-03, appendix A.3.1.
    #[test]
    fn the_cipher_is_the_published_one() {
        let cipher = XChaCha20Poly1305::new_from_slice(&bytes(
            "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
        ))
        .unwrap();
        let nonce: [u8; NONCE] =
            bytes("404142434445464748494a4b4c4d4e4f5051525354555657").try_into().unwrap();
        let text = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
        let aad = bytes("50515253c0c1c2c3c4c5c6c7");
        let sealed = cipher.encrypt(&XNonce::from(nonce), Payload { msg: text, aad: &aad }).unwrap();
        assert_eq!(sealed[..16], bytes("bd6d179d3e83d43b9576579493c0e939"));
        assert_eq!(sealed[sealed.len() - 16..], bytes("c0875924c1c7987947deafd8780acf49"));
    }
}
