//! The encodings in which a secret could hide, undone.

use std::{io::Read as _, ops::Range};

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use flate2::read::{GzDecoder, ZlibDecoder};

/// With or without padding, and cut off anywhere.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A stretch of a text that may be an encoding of something, and what it would be.
pub(super) struct View {
    pub(super) range: Range<usize>,
    pub(super) decoded: Vec<u8>,
}

/// All that could be Base64, hexadecimal, percent-encoded or escaped as in JSON.
pub(super) fn views(text: &[u8]) -> Vec<View> {
    let mut views = Vec::new();
    for run in runs(text, is_base64, SHORTEST) {
        let padding = text[run.end..].iter().take(2).take_while(|byte| **byte == b'=').count();
        let range = run.start..run.end + padding;
        let run: Vec<u8> = text[run].iter().map(|byte| standard(*byte)).collect();
        // What stands before the encoding may look like a part of it.
        for start in 0..4 {
            let end = run.len() - usize::from((run.len() - start) % 4 == 1);
            if let Ok(decoded) = LENIENT.decode(&run[start..end]) {
                views.push(View { range: range.clone(), decoded });
            }
        }
    }
    for range in runs(text, |byte| byte.is_ascii_hexdigit(), 16) {
        for start in 0..2 {
            let pairs = text[range.clone()][start..].chunks_exact(2);
            let decoded = pairs.filter_map(|pair| hex(pair[0], pair[1])).collect();
            views.push(View { range: range.clone(), decoded });
        }
    }
    for range in runs(text, in_query, SHORTEST).filter(|range| text[range.clone()].contains(&b'%')) {
        views.push(View { decoded: percent(&text[range.clone()]), range });
    }
    for range in runs(text, in_json, SHORTEST).filter(|range| text[range.clone()].contains(&b'\\')) {
        views.push(View { decoded: unescape(&text[range.clone()]), range });
    }
    views
}

/// What is compressed in some bytes, from wherever a stream begins.
pub(super) fn inflated(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for (at, _) in bytes.windows(3).enumerate().filter(|(_, window)| *window == [0x1f, 0x8b, 8]) {
        found.extend(read(GzDecoder::new(&bytes[at..])));
    }
    if bytes.first() == Some(&0x78) {
        found.extend(read(ZlibDecoder::new(bytes)));
    }
    found
}

/// A body without the encoding that its header names; `None` if that cannot be undone here.
pub(super) fn content(encoding: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    match encoding.trim().to_ascii_lowercase().as_str() {
        "" | "identity" => Some(bytes.to_vec()),
        "gzip" | "x-gzip" => read(GzDecoder::new(bytes)),
        "deflate" => read(ZlibDecoder::new(bytes)),
        _ => None,
    }
}

/// As much as there is: what is cut off may hold a secret in its beginning.
fn read(reader: impl std::io::Read) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    // An error leaves what came before it.
    let _ = reader.take(LONGEST).read_to_end(&mut bytes);
    (!bytes.is_empty()).then_some(bytes)
}

fn runs(text: &[u8], belongs: impl Fn(u8) -> bool, least: usize) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < text.len() {
            let length = text[at..].iter().take_while(|byte| belongs(**byte)).count();
            let range = at..at + length;
            at += length.max(1);
            if length >= least {
                return Some(range);
            }
        }
        None
    })
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

fn standard(byte: u8) -> u8 {
    match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    }
}

fn in_query(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"'<>/?&=#,;:\\".contains(&byte)
}

fn in_json(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"'<>".contains(&byte)
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

fn percent(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        match (*first, after) {
            (b'%', [high, low, tail @ ..]) if hex(*high, *low).is_some() => {
                decoded.extend(hex(*high, *low));
                rest = tail;
            }
            (byte, tail) => {
                decoded.push(if byte == b'+' { b' ' } else { byte });
                rest = tail;
            }
        }
    }
    decoded
}

fn unescape(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        match (*first, after) {
            (b'\\', [b'u', b'0', b'0', high, low, tail @ ..]) if hex(*high, *low).is_some() => {
                decoded.extend(hex(*high, *low));
                rest = tail;
            }
            (b'\\', [next, tail @ ..]) => {
                decoded.push(*next);
                rest = tail;
            }
            (byte, tail) => {
                decoded.push(byte);
                rest = tail;
            }
        }
    }
    decoded
}

/// The shortest secret, eight bytes, has eleven characters in Base64, and sixteen in hexadecimal.
const SHORTEST: usize = 11;

/// What a compressed body may grow to; the component takes no more either.
const LONGEST: u64 = 32 << 20;

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn sees(text: &[u8]) -> bool {
        views(text).iter().any(|view| view.decoded.windows(9).any(|window| window == b"canary-42"))
    }

    #[test]
    fn each_encoding_is_undone_wherever_it_stands() {
        for text in [
            "Y2FuYXJ5LTQy",
            "x=Y2FuYXJ5LTQy&",
            "abcY2FuYXJ5LTQyabc",
            "63616e6172792d3432",
            "f63616E6172792D3432",
            "%63anary-42xx",
            r"\u0063anary-42",
            r"can\ary-42xx",
        ] {
            assert!(sees(text.as_bytes()), "{text}");
        }
        assert!(!sees(b"nothing of the kind in here, 1234567890123456"));
    }

    #[test]
    fn compressed_bytes_are_found_behind_others() {
        let mut gzip = flate2::write::GzEncoder::new(b"before".to_vec(), flate2::Compression::default());
        gzip.write_all(b"canary-42").unwrap();
        assert_eq!(inflated(&gzip.finish().unwrap()), [b"canary-42".to_vec()]);
    }
}
