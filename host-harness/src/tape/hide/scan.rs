//! Finds secrets by their shape: JWTs, Google's opaque tokens, keys in PEM, what other services
//! give out, and placeholders.

mod services;

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Input, MatchKind};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use memchr::memmem;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

/// The text in the place of a JWT's signature.
pub(in crate::tape) const NO_SIGNATURE: &str = "redacted";

/// A find that begins at some place of a text.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::tape) enum Found<'a> {
    /// `[redacted:KIND:N]`, already a placeholder.
    Placeholder { kind: &'a str, number: u32, len: usize },
    /// A secret that is replaced as a whole.
    Secret { kind: &'static str, len: usize },
    /// A JWT whose header and payload can be read; `signature` begins so far from its start.
    Jwt { signature: usize, len: usize },
}

impl Found<'_> {
    pub(in crate::tape) fn len(&self) -> usize {
        match self {
            Self::Placeholder { len, .. } | Self::Secret { len, .. } | Self::Jwt { len, .. } => *len,
        }
    }
}

/// The opaque tokens that can be told by their beginning, and the number of characters that must follow.
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

/// The beginning and the end of a block of PEM; in a form, a space is a plus.
const PEM: [(&[u8], &[u8]); 2] = [(b"-----BEGIN ", b"-----END "), (b"-----BEGIN+", b"-----END+")];

const PLACEHOLDER: &[u8] = b"[redacted:";

const JWT: &[u8] = b"eyJ";

/// All beginnings at once, so that a text is read once for all of them.
static BEGINNINGS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let prefixes = PREFIXES.iter().map(|(prefix, _, _)| *prefix);
    let patterns = prefixes.chain(PEM.iter().map(|(begin, _)| *begin)).chain([PLACEHOLDER, JWT]);
    let patterns = patterns.chain(services::beginnings().map(str::as_bytes));
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostFirst)
        .build(patterns)
        .expect("a hundred short patterns make an automaton")
});

/// All shapes in a text, in order, with their places. Nothing overlaps, and the time is linear in the text.
pub(in crate::tape) fn shapes(text: &[u8]) -> Shapes<'_> {
    Shapes { text, at: 0, word: Word::default() }
}

/// The secret or placeholder that a text begins with.
pub(in crate::tape) fn first(text: &[u8]) -> Option<Found<'_>> {
    let (at, found) = if text.is_empty() { None } else { shapes(text).begins(0) }?;
    (at == 0).then_some(found)
}

/// The names of all that is found by its shape.
pub(in crate::tape) fn names() -> Vec<&'static str> {
    ["Google's tokens, codes and keys", "JWTs", "PEM", "signatures in URLs"]
        .into_iter()
        .chain(services::names())
        .collect()
}

/// Tells whether a text is a placeholder and nothing else.
pub(in crate::tape) fn is_placeholder(text: &str) -> bool {
    matches!(first(text.as_bytes()), Some(Found::Placeholder { len, .. }) if len == text.len())
}

/// The decoded header and payload of a JWT, and its signature as text.
pub(in crate::tape) fn decode_jwt(token: &str) -> Option<(Value, Value, &str)> {
    let mut parts = token.split('.');
    let (header, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let object = |base64: &str| -> Option<Value> {
        let json = URL_SAFE_NO_PAD.decode(base64).ok()?;
        serde_json::from_slice(&json).ok().filter(Value::is_object)
    };
    let header = object(header).filter(|header| header.get("alg").is_some())?;
    Some((header, object(payload)?, signature))
}

/// The iterator of [`shapes`].
pub(in crate::tape) struct Shapes<'a> {
    text: &'a [u8],
    at: usize,
    word: Word,
}

/// The letters, digits, hyphens and underscores around the last `eyJ`, and the text after them. All
/// beginnings in the same word have the same end, so that is looked for once.
#[derive(Default)]
struct Word {
    end: usize,
    /// The end of the payload and of the signature, if the word is followed by both.
    rest: Option<(usize, usize)>,
    /// The number of times that a header was looked for here.
    tried: u32,
}

impl<'a> Iterator for Shapes<'a> {
    type Item = (usize, Found<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(beginning) = BEGINNINGS.find(Input::new(self.text).range(self.at..)) {
            let at = beginning.start();
            if let Some((at, found)) = self.begins(at) {
                self.at = at + found.len().max(1);
                return Some((at, found));
            }
            self.at = at + 1;
        }
        self.at = self.text.len();
        None
    }
}

impl<'a> Shapes<'a> {
    /// The find whose shape begins here, and where it is itself: before a password there is more of
    /// a URL.
    fn begins(&mut self, at: usize) -> Option<(usize, Found<'a>)> {
        if let Some(found) = self.is_at(at) {
            return Some((at, found));
        }
        let (start, len, kind) = services::at(self.text, at)?;
        // A token is told better by what it is than by what stands before it.
        (start == at || self.is_at(start).is_none()).then_some((start, Found::Secret { kind, len }))
    }

    fn is_at(&mut self, at: usize) -> Option<Found<'a>> {
        let rest = &self.text[at..];
        match rest.first()? {
            b'[' => placeholder(rest),
            b'e' if rest.starts_with(JWT) => self.jwt(at),
            b'-' => pem(rest),
            // Two shapes that common text has too (a fraction, a path), so not in the middle of a word.
            b'1' | b'4' if at > 0 && is_token(self.text[at - 1]) => None,
            _ => opaque(rest),
        }
    }

    fn jwt(&mut self, at: usize) -> Option<Found<'a>> {
        let text = self.text;
        if at >= self.word.end {
            self.word = Word::at(text, at);
        }
        let (payload_end, end) = self.word.rest?;
        let tried = self.word.tried;
        self.word.tried += 1;
        let whole = || Found::Secret { kind: "jwt", len: run(&text[at..], |b| is_token(b) || b == b'.') };
        if tried == TRIES {
            // A word full of beginnings, with two dots behind it: it is not worth telling which one is meant.
            return Some(whole());
        }
        if !is_header(&text[at..self.word.end]) {
            return None;
        }
        if !is_object(&text[self.word.end + 1..payload_end]) {
            // Encrypted, or not claims: nothing in it can be read, so nothing of it is kept.
            return Some(whole());
        }
        Some(Found::Jwt { signature: payload_end + 1 - at, len: end - at })
    }
}

impl Word {
    fn at(text: &[u8], at: usize) -> Self {
        let end = at + run(&text[at..], is_token);
        let next =
            |end: usize| (text.get(end) == Some(&b'.')).then(|| end + 1 + run(&text[end + 1..], is_token));
        Self { end, rest: next(end).and_then(|payload| Some((payload, next(payload)?))), tried: 0 }
    }
}

/// The number of times that one word is read as a header. Each costs its length, so there is a bound.
const TRIES: u32 = 16;

fn placeholder(rest: &[u8]) -> Option<Found<'_>> {
    let inner = rest.strip_prefix(PLACEHOLDER)?;
    let end = inner.iter().take(64).position(|b| *b == b']')?;
    let (kind, number) = std::str::from_utf8(&inner[..end]).ok()?.split_once(':')?;
    let number = number.parse().ok()?;
    Some(Found::Placeholder { kind, number, len: PLACEHOLDER.len() + end + 1 })
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

/// Tells whether this is the header of a JWT: it says how the token is signed.
fn is_header(base64: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Header {
        #[serde(rename = "alg")]
        _alg: IgnoredAny,
    }
    URL_SAFE_NO_PAD.decode(base64).is_ok_and(|json| serde_json::from_slice::<Header>(&json).is_ok())
}

fn is_object(base64: &[u8]) -> bool {
    URL_SAFE_NO_PAD.decode(base64).is_ok_and(|json| {
        json.trim_ascii_start().first() == Some(&b'{') && serde_json::from_slice::<IgnoredAny>(&json).is_ok()
    })
}

fn pem(rest: &[u8]) -> Option<Found<'_>> {
    let (_, end) = PEM.iter().find(|(begin, _)| rest.starts_with(begin))?;
    // A block that does not end is cut off, and no less secret.
    let len = memmem::find(rest, end).map_or(rest.len(), |at| {
        let after = &rest[at + end.len()..];
        memmem::find(after, b"-----")
            .map_or(rest.len(), |close| rest.len() - after.len() + close + b"-----".len())
    });
    Some(Found::Secret { kind: "pem", len })
}

fn run(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|b| !belongs(*b)).unwrap_or(bytes.len())
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}
