//! Finds secrets by their shape: JWTs, Google's opaque tokens, keys in PEM, and placeholders.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

/// What stands in the place of a JWT's signature.
pub(super) const NO_SIGNATURE: &str = "redacted";

/// What begins at some place of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// `[redacted:KIND:N]`, already a placeholder.
    Placeholder { kind: &'a str, number: u32, len: usize },
    /// A secret that is replaced as a whole.
    Secret { kind: &'static str, len: usize },
    /// A JWT whose header and payload can be read; `signature` begins so far from its start.
    Jwt { signature: usize, len: usize },
}

/// Opaque tokens that can be told by how they begin, and how many characters must follow.
const PREFIXES: [(&[u8], &str, usize); 9] = [
    (b"ya29.", "access-token", 1),
    (b"1//", "refresh-token", 10),
    (b"4/0", "code", 10),
    (b"AIza", "api-key", 30),
    (b"GOCSPX-", "client-secret", 10),
    (b"X-Goog-Signature=", "signature", 10),
    (b"X-Amz-Signature=", "signature", 10),
    (b"X-Amz-Security-Token=", "signature", 10),
    (b"&Signature=", "signature", 10),
];

/// What begins at `at`, if it is a secret or a placeholder.
pub(super) fn find(text: &[u8], at: usize) -> Option<Found<'_>> {
    let rest = &text[at..];
    match rest.first()? {
        b'[' => placeholder(rest),
        b'e' => jwt(rest),
        b'-' => pem(rest),
        b'y' | b'A' | b'G' | b'X' | b'&' => opaque(rest),
        // Two shapes that common text has too (a fraction, a path), so not in the middle of a word.
        b'1' | b'4' if at == 0 || !is_token(text[at - 1]) => opaque(rest),
        _ => None,
    }
}

/// Whether a text is a placeholder and nothing else.
pub(super) fn is_placeholder(text: &str) -> bool {
    matches!(find(text.as_bytes(), 0), Some(Found::Placeholder { len, .. }) if len == text.len())
}

/// The decoded header and payload of a JWT, and its signature as text.
pub(super) fn decode_jwt(token: &str) -> Option<(Value, Value, &str)> {
    let mut parts = token.split('.');
    let (header, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let header = segment(header.as_bytes()).filter(|header| header.get("alg").is_some())?;
    Some((header, segment(payload.as_bytes())?, signature))
}

fn placeholder(rest: &[u8]) -> Option<Found<'_>> {
    let inner = rest.strip_prefix(b"[redacted:")?;
    let end = inner.iter().take(64).position(|b| *b == b']')?;
    let (kind, number) = std::str::from_utf8(&inner[..end]).ok()?.split_once(':')?;
    let number = number.parse().ok()?;
    Some(Found::Placeholder { kind, number, len: b"[redacted:".len() + end + 1 })
}

fn opaque(rest: &[u8]) -> Option<Found<'_>> {
    PREFIXES.iter().find_map(|(prefix, kind, least)| {
        let encoded = *kind == "signature";
        let run = run(rest.strip_prefix(*prefix)?, |b| {
            is_token(b) || b == b'.' || b == b'/' || encoded && matches!(b, b'%' | b'+' | b'=')
        });
        (run >= *least).then_some(Found::Secret { kind, len: prefix.len() + run })
    })
}

fn jwt(rest: &[u8]) -> Option<Found<'_>> {
    if !rest.starts_with(b"eyJ") {
        return None;
    }
    let mut lengths = [0; 3];
    let mut start = 0;
    for (i, length) in lengths.iter_mut().enumerate() {
        *length = run(&rest[start..], is_token);
        start += *length;
        if i < 2 {
            if rest.get(start) != Some(&b'.') {
                return None;
            }
            start += 1;
        }
    }
    let len = start;
    segment(&rest[..lengths[0]]).filter(|header| header.get("alg").is_some())?;
    let payload = &rest[lengths[0] + 1..][..lengths[1]];
    if segment(payload).is_none() {
        // Encrypted, or not claims: nothing in it can be read, so nothing of it is kept.
        let len = run(rest, |b| is_token(b) || b == b'.');
        return Some(Found::Secret { kind: "jwt", len });
    }
    Some(Found::Jwt { signature: len - lengths[2], len })
}

fn segment(base64: &[u8]) -> Option<Value> {
    let json = URL_SAFE_NO_PAD.decode(base64).ok()?;
    serde_json::from_slice(&json).ok().filter(Value::is_object)
}

fn pem(rest: &[u8]) -> Option<Found<'_>> {
    rest.strip_prefix(b"-----BEGIN ")?;
    // A block that does not end is cut off, and no less secret.
    let len = position(rest, b"-----END ").map_or(rest.len(), |end| {
        let after = &rest[end + b"-----END ".len()..];
        position(after, b"-----")
            .map_or(rest.len(), |close| rest.len() - after.len() + close + b"-----".len())
    });
    Some(Found::Secret { kind: "pem", len })
}

fn position(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

fn run(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|b| !belongs(*b)).unwrap_or(bytes.len())
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}
