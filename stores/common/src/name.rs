//! Keys, prefixes and values, by the grammar of `wit/secret-store.wit`.

use crate::contract::{Result, StoreError};

/// A key, which is valid.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(String);

/// The beginning of keys, perhaps of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

/// A value that is not too long. It cannot be printed.
#[derive(Clone, Copy)]
pub struct Value<'a>(&'a str);

impl Key {
    /// Reads a key.
    ///
    /// # Errors
    /// [`StoreError::Other`], without the text: it may be a misplaced secret.
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(StoreError::other("a key must not be empty"));
        }
        Prefix::parse(text).map(|Prefix(text)| Self(text))
    }

    /// The key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key as one segment of a path: of the same length, without a slash, and neither `.` nor `..`.
    ///
    /// Neither file systems nor servers agree on what `a//b`, `a/.` and `../a` mean.
    #[must_use]
    pub fn segment(&self) -> String {
        self.0.replace('/', SLASH).replace('.', DOT)
    }

    /// The key that a segment stands for, if it stands for one.
    #[must_use]
    pub fn of_segment(segment: &str) -> Option<Self> {
        if segment.contains(['/', '.']) {
            return None;
        }
        Self::parse(&segment.replace(SLASH, "/").replace(DOT, ".")).ok()
    }
}

impl Prefix {
    /// Reads a prefix.
    ///
    /// # Errors
    /// [`StoreError::Other`] if no key begins like this.
    pub fn parse(text: &str) -> Result<Self> {
        let allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._/-".contains(&byte);
        if text.len() > MAX_KEY {
            return Err(StoreError::other(format!("key too long: {} bytes, limit {MAX_KEY}", text.len())));
        }
        if !text.bytes().all(allowed) {
            return Err(StoreError::other("key holds something other than `a-z 0-9 . _ / -`"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The prefix.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'a> Value<'a> {
    /// Takes a value.
    ///
    /// # Errors
    /// [`StoreError::Other`] if it is too long.
    pub fn parse(text: &'a str) -> Result<Self> {
        check_length(text.len()).map(|()| Self(text))
    }

    /// The value.
    #[must_use]
    pub fn reveal(self) -> &'a str {
        self.0
    }
}

/// Refuses a length beyond the limit of values.
///
/// # Errors
/// [`StoreError::Other`].
pub fn check_length(bytes: usize) -> Result<()> {
    if bytes > MAX_VALUE {
        return Err(StoreError::other(format!("value too long: {bytes} bytes, limit {MAX_VALUE}")));
    }
    Ok(())
}

/// The number that a text is, as this repository writes the versions of entries: from 1, without a sign, and without zeros
/// before it. A text that only means such a number is not the version that was handed out.
#[must_use]
pub fn number(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    if is_plain { text.parse().ok() } else { None }
}

/// The bytes of the longest value.
pub const MAX_VALUE: usize = 64 * 1024;
const MAX_KEY: usize = 256;
/// Characters that no key has, and that mean themselves in a path of RFC 3986 and in a file's name.
const SLASH: &str = "+";
const DOT: &str = "=";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_is_that_of_the_contract() {
        for text in ["a", ".", "..", "a/../b", "tokens/c1/0f.e-_", "/", &"a".repeat(256)] {
            assert_eq!(Key::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "A", "a b", "a\\b", "a%2fb", "ä", "a\0", "hunter2!", &"a".repeat(257)] {
            let StoreError::Other(why) = Key::parse(text).unwrap_err() else { panic!("{text}") };
            assert!(!why.contains("hunter2"));
        }
        assert!(Prefix::parse("").is_ok());
        assert!(Value::parse(&"v".repeat(65_536)).is_ok());
        assert!(Value::parse(&"v".repeat(65_537)).is_err());
    }

    #[test]
    fn segments_lead_back_to_their_keys_and_to_no_other_folder() {
        for text in [".", "..", "../../x", "a//b", "/", "a/.", "tokens/c1/0f", &"/".repeat(256)] {
            let key = Key::parse(text).unwrap();
            let segment = key.segment();
            assert!(!segment.contains(['/', '.', '%']) && segment.len() == text.len(), "{segment}");
            assert_eq!(Key::of_segment(&segment), Some(key));
        }
        for foreign in ["", "a/b", "a.b", "A", "a b", "%2e", &"a".repeat(257)] {
            assert_eq!(Key::of_segment(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_version_is_a_number_as_it_was_written() {
        for (text, expected) in [("1", 1), ("10", 10), ("18446744073709551615", u64::MAX)] {
            assert_eq!(number(text), Some(expected));
        }
        for text in
            ["", "0", "00", "01", "+1", "-1", " 1", "1 ", "1_0", "x", "\u{661}", "18446744073709551616"]
        {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
