//! Every secret that a store gave out, so that a tape can be kept free of it.

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;

use crate::secrets::{Entry, Expected, Lease, SecretStore, StoreError};

/// Secrets by their exact value. Clones share one list; printing it shows how many there are.
///
/// A store that is [watched](Self::watch) adds what a component reads from it and writes into it. Add what
/// else must not be on a tape, and hand it to [`Recorder::knowing`](crate::tape::Recorder::knowing).
///
/// There is room for 2 MiB of them, some hundred times what a store of a dozen connections gives out. Beyond
/// that no tape is written, and nothing on one is shown as searched.
#[derive(Clone, Default)]
pub struct LiveSecrets(Arc<Mutex<List>>);

#[derive(Default)]
struct List {
    /// The secrets in the order in which they came.
    secrets: Vec<Arc<str>>,
    all: HashSet<Arc<str>>,
    bytes: usize,
    /// True if one had no room.
    is_over: bool,
}

impl LiveSecrets {
    /// A store that adds the secrets which pass through it.
    #[must_use]
    pub fn watch(&self, store: Arc<dyn SecretStore>) -> Arc<dyn SecretStore> {
        Arc::new(Watched { store, seen: self.clone() })
    }

    /// Adds a secret. One of fewer than eight bytes is passed over: it would be found in every text.
    pub fn add(&self, secret: &str) {
        if secret.len() >= SHORTEST {
            let mut list = self.list();
            if !list.all.contains(secret) {
                if secret.len() > MOST - list.bytes {
                    list.is_over = true;
                    return;
                }
                list.bytes += secret.len();
                let secret: Arc<str> = secret.into();
                list.secrets.push(Arc::clone(&secret));
                list.all.insert(secret);
            }
        }
    }

    /// Adds the secrets in a value of a store.
    pub fn add_stored(&self, key: &str, value: &str) {
        // Metadata: a nickname, a project, a region, the last fault, where a function was found.
        if ["connections/", "status/", "functions/"].iter().any(|kind| key.starts_with(kind)) {
            return;
        }
        match serde_json::from_str(value) {
            Ok(Value::Object(fields)) => self.add_fields(&fields),
            Ok(_) | Err(_) => self.add_text(value),
        }
    }

    /// The number of secrets.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list().secrets.len()
    }

    /// Tells whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list().secrets.is_empty()
    }

    /// Tells whether there were more secrets than are kept.
    pub(in crate::tape) fn is_over(&self) -> bool {
        self.list().is_over
    }

    /// The secrets that came after the first `known`.
    pub(in crate::tape) fn beyond(&self, known: usize) -> Vec<Arc<str>> {
        self.list().secrets.get(known..).unwrap_or_default().to_vec()
    }

    fn add_fields(&self, fields: &serde_json::Map<String, Value>) {
        for (name, value) in fields {
            match value {
                Value::String(text) if is_secret(name) => self.add_text(text),
                Value::Object(fields) => self.add_fields(fields),
                Value::Array(_) | Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
    }

    fn add_text(&self, text: &str) {
        self.add(text.trim());
        if text.contains("-----BEGIN ") {
            // One line of a key's Base64 gives it away, with or without the others.
            for line in text.lines().filter(|line| line.len() >= 32 && !line.starts_with("-----")) {
                self.add(line);
            }
            let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
            self.add(&body);
        }
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for LiveSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveSecrets").field("secrets", &self.len()).finish()
    }
}

/// Tells whether a field of this name holds a secret, and not its origin, its name or its purpose.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "-");
    let says = |word: &str| name.contains(word);
    let about = ["-id", "-uri", "-url", "-type", "uri", "url", "type", "keyid", "expires", "kind"];
    ["token", "secret", "private-key", "privatekey", "verifier", "password", "assertion"]
        .into_iter()
        .any(says)
        && !about.into_iter().any(|end| name.ends_with(end))
}

/// A store that notes the secrets it gives out.
#[derive(Debug)]
struct Watched {
    store: Arc<dyn SecretStore>,
    seen: LiveSecrets,
}

impl SecretStore for Watched {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        let entry = self.store.get(key)?;
        if let Some(entry) = &entry {
            self.seen.add_stored(key, &entry.value);
        }
        Ok(entry)
    }

    fn put(&self, key: &str, value: &str, expected: &Expected) -> Result<String, StoreError> {
        let version = self.store.put(key, value, expected)?;
        // A value that the store refuses is not one of its secrets.
        self.seen.add_stored(key, value);
        Ok(version)
    }

    fn delete(&self, key: &str, expected: &Expected) -> Result<(), StoreError> {
        self.store.delete(key, expected)
    }

    fn keys(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.store.keys(prefix)
    }

    fn acquire_lease(&self, name: &str, ttl: Duration) -> Result<Lease, StoreError> {
        self.store.acquire_lease(name, ttl)
    }

    fn release_lease(&self, name: &str, token: &str) -> Result<(), StoreError> {
        self.store.release_lease(name, token)
    }

    fn sign(&self, key: &str, message: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.store.sign(key, message)
    }
}

/// The shortest secret: shorter ones are words.
const SHORTEST: usize = 8;

/// The bytes of secrets that are kept. Looking for them takes some 50 times as much memory.
const MOST: usize = 2 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_from_what_is_about_them() {
        let seen = LiveSecrets::default();
        seen.add_stored("connections/a", r#"{"token": "not-a-secret"}"#);
        seen.add_stored(
            "credentials/a",
            r#"{"refresh_token": "canary-refresh", "token_uri": "https://x.test/token", "private_key_id": "0123456789",
                "client": {"client-secret": "canary-client", "client_id": "1234.apps"}, "token": "short"}"#,
        );
        seen.add_stored("supplied/x", "canary-opaque\n");
        let mut all: Vec<String> = seen.beyond(0).iter().map(ToString::to_string).collect();
        all.sort();
        assert_eq!(all, ["canary-client", "canary-opaque", "canary-refresh"]);
        assert!(seen.beyond(3).is_empty());
        assert_eq!(format!("{seen:?}"), "LiveSecrets { secrets: 3 }");
    }

    #[test]
    fn there_is_room_for_so_many() {
        let seen = LiveSecrets::default();
        let secret = |number: usize| format!("{number:0>1024}");
        (0..MOST / 1024).for_each(|number| seen.add(&secret(number)));
        seen.add(&secret(0));
        assert!(!seen.is_over(), "it is known");
        seen.add("one more");
        assert!(seen.is_over());
        assert_eq!(seen.len(), MOST / 1024);
    }

    #[test]
    fn each_line_of_a_key_is_one() {
        let seen = LiveSecrets::default();
        let line = "A".repeat(64);
        seen.add_stored(
            "keys/a",
            &format!("-----BEGIN PRIVATE KEY-----\n{line}\nshort\n-----END PRIVATE KEY-----\n"),
        );
        assert_eq!(seen.len(), 3, "the line, all lines, and the block");
    }

    #[test]
    fn what_the_store_refuses_is_not_kept() {
        let seen = LiveSecrets::default();
        let store = seen.watch(Arc::new(crate::secrets::MemoryStore::new()));
        store.put("tokens/a", "canary-first", &Expected::Absent).unwrap();
        store.put("tokens/a", "canary-second", &Expected::Absent).unwrap_err();
        assert_eq!(seen.beyond(0).iter().map(|secret| &**secret).collect::<Vec<_>>(), ["canary-first"]);
    }
}
