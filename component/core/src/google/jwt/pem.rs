//! PEM (RFC 7468) as people really hand it over: out of a shell, an environment variable, a form or a document.
//!
//! Whatever is no Base64 between the two lines has been put there on the way. It is left out where that can
//! mean one thing only; the key inside, whose lengths are all written in it, tells whether it is whole.

use std::{borrow::Cow, iter::Peekable, str::Chars};

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose},
};

use crate::base::unseen::is_unseen;

/// Base64 with its padding or without: it gets lost on the way too.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The characters of a line, as OpenSSL writes it.
const LINE: usize = 64;

/// The reason why there is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is none in PEM, or not the whole of one.
    Unreadable,
    /// It is something else in PEM.
    Else(&'static str),
}

/// A thing found in PEM in place of a private key of RSA, by its label.
const ELSE: [(&str, &str); 5] = [
    ("ENCRYPTED PRIVATE KEY", "is encrypted with a passphrase"),
    ("OPENSSH PRIVATE KEY", "is a key of OpenSSH"),
    ("EC PRIVATE KEY", "is a key of elliptic curves, and not of RSA"),
    ("CERTIFICATE", "is a certificate, and not a private key"),
    ("PUBLIC KEY", "is a public key, and not a private one"),
];

/// The bytes of a private key, in PKCS #8 or in PKCS #1.
pub(super) fn private_key(text: &str) -> Result<Vec<u8>, Fault> {
    match blocks(&unescaped(text)) {
        Some(found) => found,
        // Nothing around it at all: the whole file in Base64, or what stands between its two lines.
        None => {
            let bytes = body(text.trim_matches(is_quote)).ok_or(Fault::Unreadable)?;
            let inner = std::str::from_utf8(&bytes).ok().and_then(blocks);
            inner.unwrap_or(Ok(bytes))
        }
    }
}

/// The key in the first block that is one; `None` if there is no block of any kind.
fn blocks(text: &str) -> Option<Result<Vec<u8>, Fault>> {
    let mut found = None;
    for part in text.split("BEGIN").skip(1) {
        let end = part.find(is_dash).unwrap_or(part.len());
        // A form writes spaces as `+`.
        let label = part[..end].replace('+', " ");
        let label = label.split_whitespace().collect::<Vec<_>>().join(" ");
        let rest = part[end..].trim_start_matches(is_dash);
        let rest = &rest[..rest.find(is_dash).unwrap_or(rest.len())];
        match label.as_str() {
            // Older tools say in a header that it is encrypted.
            "PRIVATE KEY" | "RSA PRIVATE KEY" if part.contains("ENCRYPTED") => {
                return Some(Err(Fault::Else(ELSE[0].1)));
            }
            "PRIVATE KEY" | "RSA PRIVATE KEY" => return Some(body(rest).ok_or(Fault::Unreadable)),
            label => {
                let known = ELSE.iter().find(|(name, _)| *name == label);
                found.get_or_insert(Err(known.map_or(Fault::Unreadable, |(_, what)| Fault::Else(what))));
            }
        }
    }
    found
}

fn body(text: &str) -> Option<Vec<u8>> {
    let plain: String =
        text.chars().filter(|character| !character.is_whitespace() && !is_unseen(*character)).collect();
    BASE64.decode(plain).ok().filter(|bytes| !bytes.is_empty())
}

/// Hyphens, and what text processors make of them.
fn is_dash(character: char) -> bool {
    matches!(character, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}')
}

fn is_quote(character: char) -> bool {
    character.is_whitespace()
        || is_unseen(character)
        || matches!(character, '"' | '\'' | '`' | '\u{2018}'..='\u{201f}')
}

/// With line breaks in place of `\n`, and each other escape as what it stands for: neither `\` nor `%` is a character of
/// Base64.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['\\', '%']) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        plain.push(match character {
            '\\' => {
                // Once for each shell or file that it went through.
                while rest.next_if_eq(&'\\').is_some() {}
                match rest.next() {
                    Some('n' | 'r' | 't') | None => '\n',
                    Some('u') => number(&mut rest, 4).unwrap_or('\\'),
                    Some(escaped) => escaped,
                }
            }
            '%' => number(&mut rest, 2).unwrap_or('%'),
            character => character,
        });
    }
    Cow::Owned(plain)
}

fn number(rest: &mut Peekable<Chars<'_>>, digits: usize) -> Option<char> {
    let mut number = 0;
    for _ in 0..digits {
        number = number * 16 + rest.next_if(char::is_ascii_hexdigit)?.to_digit(16)?;
    }
    char::from_u32(number)
}

/// PEM as OpenSSL writes it.
pub(super) fn write(label: &str, der: &[u8]) -> String {
    let base64 = general_purpose::STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for line in base64.as_bytes().chunks(LINE) {
        // Base64 is ASCII.
        pem.extend(line.iter().map(|byte| char::from(*byte)));
        pem.push('\n');
    }
    pem + &format!("-----END {label}-----\n")
}

#[cfg(test)]
mod tests {
    use rsa::{
        RsaPrivateKey,
        pkcs1::EncodeRsaPrivateKey as _,
        pkcs8::{DecodePrivateKey as _, LineEnding},
    };
    use test_case::test_case;

    use super::*;
    use crate::{base::secret::Secret, google::jwt::PrivateKey, testing::DEMO_KEY};

    /// As Google hands it out.
    fn google() -> String {
        let file: serde_json::Value = serde_json::from_str(DEMO_KEY).unwrap();
        file["private_key"].as_str().unwrap().to_owned()
    }

    fn base64(text: &str) -> String {
        general_purpose::STANDARD.encode(text)
    }

    fn lines(pem: &str) -> String {
        pem.lines().filter(|line| !line.starts_with('-')).collect::<Vec<_>>().join("\n")
    }

    fn rsa(pem: &str) -> String {
        let key = RsaPrivateKey::from_pkcs8_pem(pem).unwrap();
        key.to_pkcs1_pem(LineEnding::LF).unwrap().to_string()
    }

    /// `private_key` with `\n` of two characters: googleapis/google-auth-library-nodejs#1296, firebase/firebase-admin-node#1060
    /// and many more. The others are what shells, forms, editors and JSON encoders make of it.
    #[test_case(|pem| pem; "as it is")]
    #[test_case(|pem| pem.replace('\n', r"\n"); "line breaks as two characters")]
    #[test_case(|pem| pem.replace('\n', r"\\n"); "escaped twice")]
    #[test_case(|pem| pem.replace('\n', r"\r\n"); "those of Windows as four")]
    #[test_case(|pem| pem.replace('\n', "\\n\n"); "both")]
    #[test_case(|pem| pem.replace('\n', "\r\n"); "those of Windows")]
    #[test_case(|pem| pem.replace('\n', "\r"); "carriage returns")]
    #[test_case(|pem| pem.replace('\n', " "); "spaces")]
    #[test_case(|pem| pem.replace('\n', ""); "one long line")]
    #[test_case(|pem| pem.replace('\n', "\n    "); "indented")]
    #[test_case(|pem| pem.replace('\n', "\u{a0}\u{200b}\n"); "spaces that nobody sees")]
    #[test_case(|pem| pem.replace('\n', "\n\n"); "empty lines")]
    #[test_case(|pem| pem.replace('\n', "\\\n"); "continued lines")]
    #[test_case(|pem| format!("\"{pem}\""); "in quotes")]
    #[test_case(|pem| format!("'{}'", pem.replace('\n', r"\n")); "in quotes of a shell")]
    #[test_case(|pem| format!("\u{201c}{pem}\u{201d}"); "in quotes of a text processor")]
    #[test_case(|pem| format!("\u{feff}\n\n  {pem}  \n"); "white space and a mark around it")]
    #[test_case(|pem| pem.replace("-----", "\u{2014}\u{2013}"); "dashes of a text processor")]
    #[test_case(|pem| pem.replace("-----", "----"); "a dash too few")]
    #[test_case(|pem| pem.replace('=', r"\u003d").replace('+', r"\u002b"); "escapes of a JSON encoder")]
    #[test_case(|pem| pem.replace('/', r"\/"); "escaped slashes")]
    #[test_case(|pem| pem.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D").replace('\n', "%0A").replace(' ', "%20"); "a URL")]
    #[test_case(|pem| pem.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D").replace('\n', "%0A").replace(' ', "+"); "a form")]
    #[test_case(|pem| pem.replace("PRIVATE KEY", "RSA PRIVATE KEY"); "a wrong label")]
    #[test_case(|pem| format!("Bag Attributes\n    friendlyName: privatekey\n{pem}"); "words of openssl")]
    #[test_case(|pem| format!("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n{pem}"); "after a certificate")]
    #[test_case(|pem| pem.replace('=', ""); "no padding")]
    #[test_case(|pem| lines(&pem); "no first and last line")]
    #[test_case(|pem| pem.replace("-----END PRIVATE KEY-----\n", ""); "no last line")]
    #[test_case(|pem| base64(&pem); "in Base64")]
    #[test_case(|pem| base64(&pem).as_bytes().chunks(76).map(|l| String::from_utf8_lossy(l) + "\n").collect(); "in Base64 of lines")]
    #[test_case(|pem| rsa(&pem); "PKCS 1")]
    #[test_case(|pem| rsa(&pem).replace('\n', r"\n"); "PKCS 1 with line breaks as two characters")]
    fn a_key_is_the_same_key(mangle: fn(String) -> String) {
        let mangled = mangle(google());
        let key = PrivateKey::parse(Secret::new(mangled)).unwrap();
        let kept = key.pem().reveal();
        let expected = RsaPrivateKey::from_pkcs8_pem(&google()).unwrap();
        // Read by somebody else's reader of PEM, as the host reads it.
        let again = RsaPrivateKey::from_pkcs8_pem(kept)
            .or_else(|_| <RsaPrivateKey as rsa::pkcs1::DecodeRsaPrivateKey>::from_pkcs1_pem(kept));
        assert_eq!(again.unwrap(), expected);
    }

    #[test]
    fn a_key_as_google_hands_it_out_is_kept_as_it_is() {
        assert_eq!(PrivateKey::parse(Secret::new(google())).unwrap().pem().reveal(), &google());
    }

    /// Texts that could be another key, or are not a whole one.
    #[test_case(|pem| pem.replace('\n', "n"); "line breaks that lost their backslash")]
    #[test_case(|pem| pem.replace('+', " "); "a form that was not undone")]
    #[test_case(|pem| pem[..pem.len() / 2].to_owned(); "half of it")]
    #[test_case(|pem| lines(&pem)[100..].to_owned(); "without its beginning")]
    #[test_case(|pem| pem.replacen("MII", "MIJ", 1); "another length")]
    #[test_case(|pem| pem.replacen("\n", "\n!", 2); "another character")]
    #[test_case(|pem| format!("{}{}", lines(&pem), lines(&pem)); "twice")]
    #[test_case(|_| "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----".to_owned(); "nothing")]
    #[test_case(|_| "\\".repeat(60_000); "backslashes")]
    #[test_case(|_| "BEGIN PRIVATE KEY".repeat(3_000); "beginnings")]
    fn what_is_not_certain_is_refused(mangle: fn(String) -> String) {
        let error = PrivateKey::parse(Secret::new(mangle(google()))).unwrap_err();
        assert_eq!(error.fields().details[0].1, "private_key");
    }

    #[test_case("ENCRYPTED PRIVATE KEY", "encrypted with a passphrase")]
    #[test_case("OPENSSH PRIVATE KEY", "OpenSSH")]
    #[test_case("EC PRIVATE KEY", "elliptic curves")]
    #[test_case("CERTIFICATE", "a certificate")]
    #[test_case("PUBLIC KEY", "a public key")]
    fn what_else_stands_in_pem_is_named(label: &str, words: &str) {
        let pem = format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        let error = PrivateKey::parse(Secret::new(pem)).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }

    /// RFC 1421, section 4.6, as OpenSSL wrote it before PKCS #8.
    #[test]
    fn an_encrypted_key_of_older_tools_is_named() {
        let pem = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
        assert_eq!(private_key(pem), Err(Fault::Else("is encrypted with a passphrase")));
    }
}
