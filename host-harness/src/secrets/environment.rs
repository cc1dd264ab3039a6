//! Secrets from outside, for continuous integration: read once, never written.

use std::{collections::BTreeMap, env, env::VarError, fmt, path::Path, time::Duration};

use super::{
    Entry, Expected, Lease, SecretStore, StoreError,
    key::{check_key, check_prefix, check_value},
    sign::sign_with_pem,
};
use crate::reading::{self, Kind};

/// The variable that [`ReadOnlyStore::from_env`] reads.
pub const SECRETS_VARIABLE: &str = "GCF_SECRETS";

/// Values from a JSON object of keys and strings. Writes are refused.
///
/// Tokens cannot be cached in it, so every call signs in anew. Leases are always granted: there is
/// no state to share, and nothing breaks.
pub struct ReadOnlyStore {
    values: BTreeMap<String, String>,
}

impl ReadOnlyStore {
    /// Reads the variable `GCF_SECRETS`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it is not set, or is not a JSON object of keys and strings.
    pub fn from_env() -> Result<Self, StoreError> {
        Self::from_variable(env::var(SECRETS_VARIABLE))
    }

    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it cannot be read, or is not a JSON object of keys and strings.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let failed = |what: &dyn fmt::Display| {
            StoreError::unavailable(format!("cannot read {}: {what}", path.display()))
        };
        let bytes = reading::read(path, Kind::Opened, MAX_FILE).map_err(|error| failed(&error))?;
        let text =
            String::from_utf8(bytes).map_err(|_| failed(&"it is not text").with_fix("name a JSON file"))?;
        Self::parse(&text, &path.display().to_string())
    }

    fn from_variable(variable: Result<String, VarError>) -> Result<Self, StoreError> {
        match variable {
            Ok(text) => Self::parse(&text, SECRETS_VARIABLE),
            Err(VarError::NotPresent) => {
                Err(StoreError::unavailable(format!("{SECRETS_VARIABLE} is not set"))
                    .with_fix("put a JSON object there, from keys to strings"))
            }
            // The variable itself is inside the error, and stays out of ours.
            Err(VarError::NotUnicode(_)) => {
                Err(StoreError::unavailable(format!("{SECRETS_VARIABLE} is not UTF-8"))
                    .with_fix("put a JSON object there, from keys to strings"))
            }
        }
    }

    /// Parses the object. serde_json's messages quote the text; only the place is passed on.
    fn parse(text: &str, source: &str) -> Result<Self, StoreError> {
        let values: BTreeMap<String, String> = serde_json::from_str(text).map_err(|error| {
            StoreError::unavailable(format!(
                "{source} is not a JSON object from keys to strings: line {}, column {}",
                error.line(),
                error.column()
            ))
            .with_fix("correct it there")
        })?;
        for (key, value) in &values {
            check_key(key).and_then(|()| check_value(value)).map_err(|error| {
                StoreError::unavailable(format!("{source} cannot be used: {}", error.message()))
            })?;
        }
        Ok(Self { values })
    }
}

impl SecretStore for ReadOnlyStore {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        check_key(key)?;
        let entry = |value: &String| Entry { value: value.clone(), version: VERSION.to_owned() };
        Ok(self.values.get(key).map(entry))
    }

    fn put(&self, _key: &str, _value: &str, _expected: &Expected) -> Result<String, StoreError> {
        Err(StoreError::ReadOnly)
    }

    fn delete(&self, _key: &str, _expected: &Expected) -> Result<(), StoreError> {
        Err(StoreError::ReadOnly)
    }

    fn keys(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        check_prefix(prefix)?;
        Ok(self.values.keys().filter(|key| key.starts_with(prefix)).cloned().collect())
    }

    fn acquire_lease(&self, name: &str, _ttl: Duration) -> Result<Lease, StoreError> {
        check_key(name)?;
        Ok(Lease::Granted(String::new()))
    }

    fn release_lease(&self, name: &str, _token: &str) -> Result<(), StoreError> {
        check_key(name)
    }

    fn sign(&self, key: &str, message: &[u8]) -> Result<Vec<u8>, StoreError> {
        check_key(key)?;
        sign_with_pem(self.values.get(key).ok_or(StoreError::Unsupported)?, message)
    }
}

impl fmt::Debug for ReadOnlyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadOnlyStore").field("keys", &self.values.len()).finish_non_exhaustive()
    }
}

/// The version of every value: nothing changes.
const VERSION: &str = "1";

/// The size of a thousand connections, and some more.
const MAX_FILE: u64 = 64 << 20;

#[cfg(test)]
mod tests {
    use std::{ffi::OsString, io::Write};

    use super::*;
    use crate::secrets::contract::{CANARY, demo_key};

    fn store() -> ReadOnlyStore {
        let json = serde_json::json!({
            "keys/k": demo_key(), "connections/b": "2", "connections/a": CANARY,
        });
        ReadOnlyStore::from_variable(Ok(json.to_string())).unwrap()
    }

    #[test]
    fn answers_what_it_was_given() {
        let store = store();
        assert_eq!(store.get("connections/b").unwrap().unwrap().value, "2");
        assert_eq!(store.get("connections/c").unwrap(), None);
        assert_eq!(store.keys("connections/").unwrap(), ["connections/a", "connections/b"]);
        assert_eq!(store.keys("").unwrap().len(), 3);
        assert!(!format!("{store:?}").contains(CANARY));
    }

    #[test]
    fn refuses_writes() {
        let store = store();
        assert_eq!(store.put("a", "b", &Expected::Anything), Err(StoreError::ReadOnly));
        assert_eq!(store.delete("connections/a", &Expected::Anything), Err(StoreError::ReadOnly));
        assert_eq!(store.get("connections/a").unwrap().unwrap().value, CANARY);
    }

    #[test]
    fn grants_every_lease() {
        for _ in 0..2 {
            let lease = store().acquire_lease("tokens/a", Duration::from_secs(1)).unwrap();
            assert!(matches!(lease, Lease::Granted(_)));
        }
    }

    #[test]
    fn signs_with_the_keys_it_holds() {
        let store = store();
        assert_eq!(store.sign("keys/k", b"m").unwrap(), sign_with_pem(&demo_key(), b"m").unwrap());
        assert_eq!(store.sign("keys/none", b"m"), Err(StoreError::Unsupported));
        assert!(matches!(store.sign("connections/a", b"m"), Err(StoreError::Other(_))));
    }

    #[test]
    fn reads_a_file() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(br#"{"connections/a": "1"}"#).unwrap();
        let store = ReadOnlyStore::from_file(file.path()).unwrap();
        assert_eq!(store.keys("").unwrap(), ["connections/a"]);
        let error = ReadOnlyStore::from_file(file.path().with_extension("missing")).unwrap_err();
        assert!(error.to_string().contains(".missing"), "{error}");
    }

    #[test]
    fn errors_say_where_and_never_what() {
        let not_strings = format!(r#"{{"a": ["{CANARY}"]}}"#);
        let bad_key = format!(r#"{{"{CANARY} A": "b"}}"#);
        let string = format!(r#""{CANARY}""#);
        for text in [CANARY, &not_strings, &bad_key, &string] {
            let error = ReadOnlyStore::from_variable(Ok(text.to_owned())).unwrap_err();
            let error = format!("{error} {error:?}");
            assert!(error.contains(SECRETS_VARIABLE) && !error.contains(CANARY), "{error}");
        }
        for missing in [VarError::NotPresent, VarError::NotUnicode(OsString::from(CANARY))] {
            let error = ReadOnlyStore::from_variable(Err(missing)).unwrap_err().to_string();
            assert!(error.contains(SECRETS_VARIABLE) && !error.contains(CANARY), "{error}");
        }
    }
}
