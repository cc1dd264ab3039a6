//! The grammar of keys, the limit on values, and the file name that belongs to a key.

use sha2::{Digest, Sha256};

use super::StoreError;

/// Refuses a text that is not a key by `wit/secret-store.wit`.
pub(crate) fn check_key(key: &str) -> Result<(), StoreError> {
    if key.is_empty() {
        return Err(StoreError::other("a key must not be empty"));
    }
    check_prefix(key)
}

/// Refuses a prefix that no key can have. The text does not repeat it: it may be anything, a misplaced secret
/// included.
pub(crate) fn check_prefix(prefix: &str) -> Result<(), StoreError> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._/-".contains(&byte);
    if prefix.len() > MAX_KEY {
        return Err(StoreError::other(format!("key too long: {} bytes, limit {MAX_KEY}", prefix.len())));
    }
    if !prefix.bytes().all(allowed) {
        return Err(StoreError::other("key holds something other than `a-z 0-9 . _ / -`"));
    }
    Ok(())
}

/// Refuses a value beyond the limit.
pub(crate) fn check_value(value: &str) -> Result<(), StoreError> {
    check_length(value.len())
}

/// Refuses a length beyond the limit of values.
pub(crate) fn check_length(bytes: usize) -> Result<(), StoreError> {
    if bytes > MAX_VALUE {
        return Err(StoreError::other(format!("value too long: {bytes} bytes, limit {MAX_VALUE}")));
    }
    Ok(())
}

/// The one file name of a key: no folder, not hidden, at most [`MAX_NAME`] bytes, never that of another key.
pub(super) fn file_name(key: &str) -> String {
    named(key, SUFFIX)
}

/// The name that a key's file had when values were kept in clear text.
pub(super) fn clear_file_name(key: &str) -> String {
    named(key, CLEAR_SUFFIX)
}

fn named(key: &str, suffix: &str) -> String {
    let mut name = String::with_capacity(key.len() + suffix.len());
    for (index, character) in key.chars().enumerate() {
        match character {
            '/' => name.push_str("%2f"),
            '.' if index == 0 => name.push_str("%2e"),
            plain => name.push(plain),
        }
    }
    if name.len() + suffix.len() > MAX_NAME {
        name = format!("{HASHED}{:x}", Sha256::digest(key));
    }
    name.push_str(suffix);
    name
}

/// The key that a file name stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// The name of this key.
    Key(String),
    /// The name of a key that was too long for it and stands in the file.
    Inside,
    /// A name that is not ours.
    Foreign,
}

/// Tells whether a file is one that was kept in clear text.
pub(super) fn is_clear(name: &str) -> bool {
    !name.starts_with('.') && name.ends_with(CLEAR_SUFFIX)
}

/// The connection that a key belongs to, if it is of a kind that belongs to one.
pub(super) fn connection_of(key: &str) -> Option<&str> {
    let (kind, rest) = key.split_once('/')?;
    let id = match kind {
        "connections" | "credentials" | "keys" | "status" | "repeats" => rest,
        "tokens" | "functions" => rest.split_once('/')?.0,
        _ => return None,
    };
    (!id.is_empty() && !id.contains('/')).then_some(id)
}

/// The inverse of [`file_name`].
pub(super) fn key_of(name: &str) -> Named {
    let Some(stem) = name.strip_suffix(SUFFIX) else { return Named::Foreign };
    if stem.starts_with(HASHED) {
        return Named::Inside;
    }
    let key = stem.replace("%2f", "/").replace("%2e", ".");
    // Only what encodes back is ours: `a%2eb.age`, `%2F.age` and `A.age` are not.
    if check_key(&key).is_ok() && file_name(&key) == name { Named::Key(key) } else { Named::Foreign }
}

const MAX_KEY: usize = 256;
const MAX_VALUE: usize = 64 * 1024;
/// `NAME_MAX` of every file system in common use.
const MAX_NAME: usize = 255;
const SUFFIX: &str = ".age";
const CLEAR_SUFFIX: &str = ".json";
/// The prefix of a hashed name. `%s` is not an escape, so no key encodes to a name that begins like this.
const HASHED: &str = "%sha256-";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_keys() {
        for key in [
            "a",
            "connections/c1",
            "tokens/c1/0f.e-_",
            "..",
            "../../etc/passwd",
            "/",
            ".hidden",
            "a/..",
            "a//b",
        ] {
            let name = file_name(key);
            assert!(!name.contains('/') && !name.starts_with('.'), "{name}");
            assert_eq!(key_of(&name), Named::Key(key.into()), "{name}");
        }
    }

    #[test]
    fn long_keys_get_distinct_names_within_name_max() {
        let plain = "a".repeat(251);
        assert_eq!(key_of(&file_name(&plain)), Named::Key(plain));
        let (one, two) = ("a".repeat(252), "a".repeat(253));
        for key in [&one, &two, &"/".repeat(256)] {
            assert!(file_name(key).len() <= MAX_NAME);
            assert_eq!(key_of(&file_name(key)), Named::Inside);
        }
        assert_ne!(file_name(&one), file_name(&two));
    }

    #[test]
    fn keys_belong_to_connections_by_their_kind() {
        for (key, connection) in [
            ("connections/c1", Some("c1")),
            ("credentials/c1", Some("c1")),
            ("keys/c1", Some("c1")),
            ("status/c1", Some("c1")),
            ("repeats/c1", Some("c1")),
            ("tokens/c1/ab", Some("c1")),
            ("tokens/c1/a/b", Some("c1")),
            ("functions/c1/ab", Some("c1")),
            ("functions/c1", None),
            ("tokens/c1", None),
            ("tokens//", None),
            ("connections/", None),
            ("connections/a/b", None),
            ("connections", None),
            ("other/c1", None),
        ] {
            assert_eq!(connection_of(key), connection, "{key}");
        }
    }

    #[test]
    fn foreign_names_are_told_apart() {
        for name in ["a", "a.json", "A.age", ".age", "a%2eb.age", "%2Fa.age", "%41.age", "a b.age"] {
            assert_eq!(key_of(name), Named::Foreign, "{name}");
        }
    }

    #[test]
    fn the_grammar_is_refused_otherwise_and_not_repeated() {
        for key in ["", "A", "a b", "a\\b", "a%2fb", "ä", "a\0", "hunter2!", &"a".repeat(257)] {
            let error = check_key(key).unwrap_err();
            assert!(matches!(error, StoreError::Other(_)));
            assert!(!error.to_string().contains("hunter2"));
        }
        assert!(check_prefix("").is_ok());
        assert!(check_value(&"v".repeat(MAX_VALUE)).is_ok());
        assert!(check_value(&"v".repeat(MAX_VALUE + 1)).is_err());
    }
}
