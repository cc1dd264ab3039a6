//! The readings of a text by others: by decoders that are not the redactor's own, which cannot find what it cannot read.

use std::io::Read as _;

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
use flate2::read::{MultiGzDecoder, ZlibDecoder};

/// The most that one of them may say.
const LARGEST: u64 = 1 << 20;

/// A text, and all that it says in Base64, hexadecimal, percent escapes, gzip or zlib, one in the other, three deep.
pub(super) fn readings(text: &[u8]) -> Vec<Vec<u8>> {
    let mut all = vec![text.to_vec()];
    let mut last = 0;
    for _ in 0..3 {
        let next: Vec<_> = all[last..].iter().flat_map(|text| once(text)).collect();
        last = all.len();
        all.extend(next);
    }
    all
}

fn once(text: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let letters = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
    for run in text.split(|byte| !letters(byte)).filter(|run| run.len() >= 12) {
        // What stands before it need not be a multiple of four letters.
        for start in 0..4 {
            let run = &run[start..];
            let run = &run[..run.len() - usize::from(run.len() % 4 == 1)];
            let url: Vec<u8> = run
                .iter()
                .map(|b| {
                    if *b == b'+' {
                        b'-'
                    } else if *b == b'/' {
                        b'_'
                    } else {
                        *b
                    }
                })
                .collect();
            found.extend(loosely(&url));
        }
        found.extend(HEXLOWER_PERMISSIVE.decode(&run[..run.len() / 2 * 2]).ok());
    }
    if text.contains(&b'%') {
        let pairs = url::form_urlencoded::parse(text);
        found.extend(pairs.map(|(name, value)| format!("{name}={value}").into_bytes()));
    }
    for at in 0..text.len().saturating_sub(1) {
        let (rest, mut out) = (&text[at..], Vec::new());
        let read = match (rest[0], rest[1]) {
            (0x1f, 0x8b) => MultiGzDecoder::new(rest).take(LARGEST).read_to_end(&mut out),
            (0x78, 0x01 | 0x5e | 0x9c | 0xda) => ZlibDecoder::new(rest).take(LARGEST).read_to_end(&mut out),
            _ => continue,
        };
        // What came before the damage was said all the same.
        if read.is_ok() || !out.is_empty() {
            found.push(out);
        }
    }
    found
}

/// Base64 whose last letter may hold bits that belong to nobody.
fn loosely(run: &[u8]) -> Option<Vec<u8>> {
    let whole = run.len() / 4 * 4;
    let mut bytes = BASE64URL_NOPAD.decode(&run[..whole]).ok()?;
    let tail: Vec<u8> = run[whole..]
        .iter()
        .map(|b| {
            if *b == b'-' {
                b'+'
            } else if *b == b'_' {
                b'/'
            } else {
                *b
            }
        })
        .collect();
    bytes.extend(BASE64_NOPAD.decode(&tail).unwrap_or_default());
    Some(bytes)
}

/// Tells whether a text says a word, in any of its readings.
pub(super) fn says(text: &[u8], word: &str) -> bool {
    readings(text).iter().any(|text| text.windows(word.len()).any(|window| window == word.as_bytes()))
}

/// The search finds what it looks for: each encoding by a writer of somebody else's.
#[test]
fn what_is_hidden_in_any_of_them_is_found() {
    use std::io::Write as _;

    use data_encoding::{BASE64, HEXUPPER};
    let gzip = |bytes: &[u8]| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(bytes).unwrap();
        gzip.finish().unwrap()
    };
    let secret = b"so ya29.canary it is";
    for hidden in [
        secret.to_vec(),
        BASE64.encode(secret).into_bytes(),
        BASE64URL_NOPAD.encode(&secret[1..]).into_bytes(),
        [b"ab", BASE64.encode(secret).as_bytes()].concat(),
        HEXUPPER.encode(secret).into_bytes(),
        secret.iter().flat_map(|byte| format!("%{byte:02X}").into_bytes()).collect(),
        gzip(secret),
        BASE64.encode(&gzip(secret)).into_bytes(),
        gzip(BASE64.encode(secret).as_bytes()),
    ] {
        assert!(says(&hidden, "canary"), "{}", String::from_utf8_lossy(&hidden));
    }
    assert!(!says(b"nothing of the kind is here", "canary"));
}
