//! A store whose caches seem to be empty.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{Entry, Expected, Lease, SecretStore, StoreError, key::check_key};

/// The keys of entries that were written since. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Written(Arc<Mutex<HashSet<String>>>);

/// A store that hides the entries beneath some prefixes until they are written through it. They can
/// be removed, and are still listed for that: whoever ends a connection must find what is kept of
/// it.
#[derive(Debug)]
pub(crate) struct Fresh {
    store: Arc<dyn SecretStore>,
    hidden: &'static [&'static str],
    written: Written,
}

impl Fresh {
    pub(crate) fn new(
        store: Arc<dyn SecretStore>,
        hidden: &'static [&'static str],
        written: Written,
    ) -> Self {
        Self { store, hidden, written }
    }

    fn hides(&self, key: &str, written: &HashSet<String>) -> bool {
        self.hidden.iter().any(|prefix| key.starts_with(prefix)) && !written.contains(key)
    }

    /// The condition for a write as the store has to be told it.
    fn expected(
        &self,
        key: &str,
        expected: &Expected,
        written: &HashSet<String>,
    ) -> Result<Expected, StoreError> {
        match expected {
            _ if !self.hides(key, written) => Ok(expected.clone()),
            Expected::Anything | Expected::Absent => Ok(Expected::Anything),
            Expected::Version(_) => Err(StoreError::VersionMismatch),
        }
    }

    fn written(&self) -> MutexGuard<'_, HashSet<String>> {
        self.written.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SecretStore for Fresh {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        check_key(key)?;
        if self.hides(key, &self.written()) { Ok(None) } else { self.store.get(key) }
    }

    fn put(&self, key: &str, value: &str, expected: &Expected) -> Result<String, StoreError> {
        let mut written = self.written();
        let version = self.store.put(key, value, &self.expected(key, expected, &written)?)?;
        written.insert(key.to_owned());
        Ok(version)
    }

    fn delete(&self, key: &str, expected: &Expected) -> Result<(), StoreError> {
        let written = self.written();
        self.store.delete(key, &self.expected(key, expected, &written)?)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::{
        MemoryStore,
        contract::{self, ManualClock},
    };

    #[test]
    fn keeps_the_contract() {
        let clock = Arc::new(ManualClock::default());
        let store = Arc::new(MemoryStore::with_clock(clock.clone()));
        contract::check(&Fresh::new(store, &["tokens/", "keys/", "a"], Written::default()), &clock);
    }

    #[test]
    fn what_was_cached_is_not_seen_until_it_is_written_and_can_be_removed() {
        let store = Arc::<MemoryStore>::default();
        for key in ["tokens/a/1", "tokens/a/2", "connections/a"] {
            store.put(key, "old", &Expected::Absent).unwrap();
        }
        let written = Written::default();
        let fresh = Fresh::new(Arc::<MemoryStore>::clone(&store), &["tokens/"], written.clone());
        assert_eq!(fresh.get("tokens/a/1").unwrap(), None);
        assert_eq!(fresh.get("connections/a").unwrap().unwrap().value, "old");
        let version = store.get("tokens/a/1").unwrap().unwrap().version;
        assert_eq!(
            fresh.put("tokens/a/1", "x", &Expected::Version(version)),
            Err(StoreError::VersionMismatch)
        );
        fresh.put("tokens/a/1", "new", &Expected::Absent).unwrap();
        assert_eq!(fresh.put("tokens/a/1", "x", &Expected::Absent), Err(StoreError::VersionMismatch));
        let again = Fresh::new(Arc::<MemoryStore>::clone(&store), &["tokens/"], written);
        assert_eq!(again.get("tokens/a/1").unwrap().unwrap().value, "new");
        for key in fresh.keys("tokens/").unwrap() {
            fresh.delete(&key, &Expected::Anything).unwrap();
        }
        assert_eq!(store.keys("").unwrap(), ["connections/a"]);
    }
}
