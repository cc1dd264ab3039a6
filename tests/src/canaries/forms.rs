//! The secrets of the tests, and the forms in which one could come to light.

use std::fmt::Write as _;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use serde_json::Value;

/// A secret, and its name.
pub(crate) type Canary = (String, String);

/// The secrets that the tests here hand out: those in `fixtures/canaries.json` that are not the core's own, and a line of
/// the private key.
pub(crate) fn fixed() -> Vec<Canary> {
    let file: Value = serde_json::from_str(include_str!("../../fixtures/canaries.json")).unwrap();
    let named = |(name, value): (&String, &Value)| (name.clone(), value.as_str().unwrap().to_owned());
    // One is handed out by nobody: `canaries.py` plants it. Those of the core's tests are handed out there.
    let here = |(name, _): &(&String, &Value)| !["planted", "core"].contains(&name.as_str());
    let mut canaries: Vec<Canary> = file.as_object().unwrap().iter().filter(here).map(named).collect();
    let key: Value = serde_json::from_str(include_str!("../../fixtures/demo-key.json")).unwrap();
    // One line of the key's own base64 is enough to give it away.
    let line = key["private_key"].as_str().unwrap().lines().nth(7).unwrap().to_owned();
    canaries.push(("private-key".to_owned(), line));
    canaries
}

/// One of the fixed ones.
pub(crate) fn canary(name: &str) -> String {
    fixed().into_iter().find(|(n, _)| n == name).unwrap().1
}

/// The secret as it is, in base64 and base64url wherever it stands in the encoded text, in hexadecimal of
/// either case, and percent-encoded, wholly or where it has to be.
pub(crate) fn forms(secret: &str) -> Vec<String> {
    let each = |write: fn(&mut String, u8)| {
        secret.bytes().fold(String::new(), |mut text, byte| {
            write(&mut text, byte);
            text
        })
    };
    let mut forms = vec![
        secret.to_owned(),
        each(|text, byte| write!(text, "{byte:02x}").unwrap()),
        each(|text, byte| write!(text, "{byte:02X}").unwrap()),
        each(|text, byte| write!(text, "%{byte:02X}").unwrap()),
        each(|text, byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => text.push(char::from(byte)),
            _ => write!(text, "%{byte:02X}").unwrap(),
        }),
    ];
    for before in 0..3 {
        let bytes = [&[0; 2][..before], secret.as_bytes()].concat();
        // Six bits a letter: the first and the last one may belong to the neighbours, too.
        let (first, last) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        forms.push(STANDARD_NO_PAD.encode(&bytes)[first..last].to_owned());
        forms.push(URL_SAFE_NO_PAD.encode(&bytes)[first..last].to_owned());
    }
    forms
}

/// The name of a secret that is in a text in any form.
pub(crate) fn leak<'a>(text: &str, canaries: &'a [Canary]) -> Option<&'a str> {
    let leaks = |(_, secret): &&Canary| forms(secret).iter().any(|form| text.contains(form.as_str()));
    canaries.iter().find(leaks).map(|(name, _)| name.as_str())
}

/// Fails if a text holds a secret, without a word of either.
#[track_caller]
pub(crate) fn assert_clean(text: &str, canaries: &[Canary], place: &str) {
    if let Some(name) = leak(text, canaries) {
        panic!("the {name} is in {place}");
    }
}

#[test]
fn a_secret_is_found_in_every_form() {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    let canaries = [("it".to_owned(), "1//0canary?~".to_owned())];
    let secret = canaries[0].1.as_str();
    for text in [
        format!("x{secret}x"),
        STANDARD.encode(format!("a{secret}b")),
        STANDARD.encode(format!("ab{secret}c")),
        URL_SAFE.encode(format!("abc{secret}")),
        "312f2f3063616e6172793f7e".to_owned(),
        "%31%2F%2F%30%63%61%6E%61%72%79%3F%7E".to_owned(),
        "1%2F%2F0canary%3F%7E".to_owned(),
    ] {
        assert_eq!(leak(&text, &canaries), Some("it"), "{text}");
    }
    assert_eq!(leak("1//0Canary", &canaries), None);
}
