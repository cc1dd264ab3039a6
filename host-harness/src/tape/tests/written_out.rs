//! Compressed bytes that are written out as text: zlib's own bytes, in each way in which programs put bytes into a string.

use std::io::Read as _;

use flate2::{Compression, read};
use serde_json::json;

use super::oracle::says;
use crate::tape::{file::format::RecordedBody, hide::redact::Redactor};

/// A token among words that do not compress: the streams have bytes of every kind, blanks, quotes and backslashes too.
fn plain(seed: u32) -> String {
    let mut state = seed;
    let words = (0..60).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        format!("{:x}", state >> 8)
    });
    words.collect::<Vec<_>>().join(" ")
}

fn streams(plain: &str) -> [Vec<u8>; 2] {
    let (mut gzip, mut zlib) = (Vec::new(), Vec::new());
    read::GzEncoder::new(plain.as_bytes(), Compression::best()).read_to_end(&mut gzip).unwrap();
    read::ZlibEncoder::new(plain.as_bytes(), Compression::fast()).read_to_end(&mut zlib).unwrap();
    [gzip, zlib]
}

/// Each byte as the letter of that number: what `latin1` makes of it in Node, Python and Java.
fn letters(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// JSON with every letter outside of ASCII in an escape, as Python's `json.dumps` writes it.
fn ascii_json(value: &serde_json::Value) -> String {
    value
        .to_string()
        .chars()
        .map(
            |c| {
                if c.is_ascii() && c != '\u{7f}' { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) }
            },
        )
        .collect()
}

/// As Python's `repr` of bytes, and a literal of C, Go or Rust, write them.
fn literal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| match byte {
            b'\\' | b'\'' => format!("\\{}", char::from(*byte)),
            0x20..0x7f => char::from(*byte).to_string(),
            byte => format!("\\x{byte:02x}"),
        })
        .collect()
}

/// As `encodeURIComponent` writes them, which leaves `'` and others.
fn percent(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| match byte {
            b'A'..=b'Z'
            | b'a'..=b'z'
            | b'0'..=b'9'
            | b'-'
            | b'_'
            | b'.'
            | b'!'
            | b'~'
            | b'*'
            | b'\''
            | b'('
            | b')' => char::from(*byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

/// A body, a URL or a header, with these bytes in it.
fn places(bytes: &[u8]) -> [(&'static str, String, Place); 9] {
    let text = letters(bytes);
    let string = ascii_json(&json!(text));
    let percent_of_text = percent(text.as_bytes());
    [
        ("JSON", text.clone(), Place::Json),
        ("JSON as text", ascii_json(&json!({"items": [{"data": text}]})), Place::Text),
        ("a script", format!("<p>it's \"{{'\n  var data = {string}; more()"), Place::Text),
        ("a literal", format!("b'{}' and more", literal(bytes)), Place::Text),
        ("the letters themselves", format!("\u{2014} {text} \u{2014}"), Place::Text),
        ("escapes of the bytes", format!("it is {} so", percent(bytes)), Place::Text),
        ("escapes of the letters", format!("it is {percent_of_text} so"), Place::Text),
        ("a query", format!("https://f.run.app/a?b=c&d={}", percent(bytes)), Place::Url),
        ("a header", percent(bytes), Place::Header),
    ]
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Json,
    Text,
    Url,
    Header,
}

fn redacted(place: Place, text: &str) -> String {
    let mut redactor = Redactor::thorough();
    match place {
        Place::Json => {
            let body = redactor.body(&RecordedBody::Json(json!({"data": text})));
            let value: serde_json::Value = serde_json::from_slice(&body.to_bytes()).unwrap();
            value["data"].as_str().unwrap().to_owned()
        }
        Place::Text => {
            let body = redactor.body(&RecordedBody::Text(text.to_owned()));
            String::from_utf8(body.to_bytes().to_vec()).unwrap()
        }
        Place::Url => redactor.url(text),
        Place::Header => redactor.header("x-data", text),
    }
}

#[test]
fn a_secret_in_them_is_found_however_they_are_written() {
    let mut left = Vec::new();
    for seed in 1..=8 {
        for stream in streams(&format!("{} ya29.canary-of-the-streams", plain(seed))) {
            assert!(says(&stream, "canary-of-the-streams"), "the control");
            for (name, text, place) in places(&stream) {
                let shown = redacted(place, &text);
                // Of two thirds, no stream can be made again that says its end.
                let tail = text.chars().skip(text.chars().count() / 3).take(60).collect::<String>();
                if !shown.contains("[redacted:") || shown.contains(&tail) {
                    left.push(name);
                }
            }
        }
    }
    left.sort_unstable();
    left.dedup();
    assert!(left.is_empty(), "a secret stays in {left:?}");
}

#[test]
fn without_a_secret_they_stay() {
    for stream in streams(&plain(1)) {
        for (name, text, place) in places(&stream) {
            assert_eq!(redacted(place, &text), text, "{name}");
        }
    }
}
