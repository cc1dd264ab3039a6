//! A store over another one, which is read and not written.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{
    Entry, Expected, Lease, MemoryStore, SecretStore, StoreError,
    key::{check_key, check_prefix, check_value},
    sign::sign_with_pem,
};

/// A judge of writes.
pub(crate) trait Passes: fmt::Debug + Send + Sync {
    /// Tells whether the store beneath may have `value` under `key`, where it has `beneath` now.
    fn passes(&self, key: &str, value: &str, beneath: Option<&str>) -> bool;
}

/// Writes and removals over a store, in memory. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Layer(Arc<Mutex<Changes>>);

#[derive(Default)]
struct Changes {
    /// The changed entries; `None` is a removed one.
    entries: BTreeMap<String, Option<Entry>>,
    /// The counter of versions, which are never given twice.
    counter: u64,
}

/// A store that shows a [`Layer`] over another store. Writes and removals stay in the layer, and leases in
/// memory.
#[derive(Debug)]
pub(crate) struct Overlay {
    beneath: Arc<dyn SecretStore>,
    layer: Layer,
    leases: Option<MemoryStore>,
    /// The judge of writes; `None` if nothing reaches the store beneath.
    passes: Option<Arc<dyn Passes>>,
}

impl Overlay {
    /// An overlay whose writes never reach the store beneath.
    pub(crate) fn new(beneath: Arc<dyn SecretStore>, layer: Layer) -> Self {
        Self { beneath, layer, leases: Some(MemoryStore::new()), passes: None }
    }

    /// An overlay that passes the writes that `passes` allows to the store beneath, for a connection that
    /// this store has. It asks that store for leases, for others may be at the same connection.
    pub(crate) fn letting_through(
        beneath: Arc<dyn SecretStore>,
        layer: Layer,
        passes: Arc<dyn Passes>,
    ) -> Self {
        Self { beneath, layer, leases: None, passes: Some(passes) }
    }

    fn reaches_beneath(&self, changes: &Changes, key: &str, value: &str) -> Result<bool, StoreError> {
        let connection = key.split('/').nth(1).map(|id| format!("connections/{id}")).unwrap_or_default();
        let shadowed = [key, &connection].iter().any(|key| changes.entries.contains_key(*key));
        let Some(passes) = self.passes.as_ref().filter(|_| !shadowed && check_key(&connection).is_ok())
        else {
            return Ok(false);
        };
        let beneath = self.beneath.get(key)?;
        let may = passes.passes(key, value, beneath.as_ref().map(|entry| entry.value.as_str()));
        Ok(may && self.beneath.get(&connection)?.is_some())
    }
}

impl Layer {
    /// Writes the layer into `store`, and removes there the entries that were removed here.
    ///
    /// # Errors
    /// The error of the store.
    pub(crate) fn keep_in(&self, store: &dyn SecretStore) -> Result<(), StoreError> {
        for (key, entry) in &self.changes().entries {
            match entry {
                Some(entry) => drop(store.put(key, &entry.value, &Expected::Anything)?),
                None => store.delete(key, &Expected::Anything)?,
            }
        }
        Ok(())
    }

    fn changes(&self) -> MutexGuard<'_, Changes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Changes {
    fn get(&self, key: &str, beneath: &dyn SecretStore) -> Result<Option<Entry>, StoreError> {
        match self.entries.get(key) {
            Some(entry) => Ok(entry.clone()),
            None => beneath.get(key),
        }
    }
}

impl SecretStore for Overlay {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        check_key(key)?;
        self.layer.changes().get(key, &*self.beneath)
    }

    fn put(&self, key: &str, value: &str, expected: &Expected) -> Result<String, StoreError> {
        check_key(key)?;
        check_value(value)?;
        let mut changes = self.layer.changes();
        if self.reaches_beneath(&changes, key, value)? {
            return self.beneath.put(key, value, expected);
        }
        expected.holds_for(changes.get(key, &*self.beneath)?.as_ref())?;
        changes.counter += 1;
        // No store beneath has versions of this form.
        let version = format!("over:{}", changes.counter);
        let entry = Entry { value: value.to_owned(), version: version.clone() };
        changes.entries.insert(key.to_owned(), Some(entry));
        Ok(version)
    }

    fn delete(&self, key: &str, expected: &Expected) -> Result<(), StoreError> {
        check_key(key)?;
        let mut changes = self.layer.changes();
        expected.holds_for(changes.get(key, &*self.beneath)?.as_ref())?;
        changes.entries.insert(key.to_owned(), None);
        Ok(())
    }

    fn keys(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        check_prefix(prefix)?;
        let changes = self.layer.changes();
        let mut keys: BTreeSet<String> = self.beneath.keys(prefix)?.into_iter().collect();
        for (key, entry) in &changes.entries {
            if entry.is_none() {
                keys.remove(key);
            } else if key.starts_with(prefix) {
                keys.insert(key.clone());
            }
        }
        Ok(keys.into_iter().collect())
    }

    fn acquire_lease(&self, name: &str, ttl: Duration) -> Result<Lease, StoreError> {
        match &self.leases {
            Some(leases) => leases.acquire_lease(name, ttl),
            None => self.beneath.acquire_lease(name, ttl),
        }
    }

    fn release_lease(&self, name: &str, token: &str) -> Result<(), StoreError> {
        match &self.leases {
            Some(leases) => leases.release_lease(name, token),
            None => self.beneath.release_lease(name, token),
        }
    }

    fn sign(&self, key: &str, message: &[u8]) -> Result<Vec<u8>, StoreError> {
        check_key(key)?;
        match self.layer.changes().entries.get(key) {
            Some(Some(entry)) => sign_with_pem(&entry.value, message),
            Some(None) => Err(StoreError::Unsupported),
            None => self.beneath.sign(key, message),
        }
    }
}

impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layer").field("keys", &self.changes().entries.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::contract::{self, ManualClock};

    fn over(beneath: &Arc<MemoryStore>) -> Overlay {
        Overlay::new(Arc::<MemoryStore>::clone(beneath), Layer::default())
    }

    #[test]
    fn keeps_the_contract() {
        let clock = Arc::new(ManualClock::default());
        let leases = Some(MemoryStore::with_clock(clock.clone()));
        let overlay = Overlay { leases, ..over(&Arc::default()) };
        contract::check(&overlay, &clock);
    }

    #[test]
    fn racing_writers_lose_no_update() {
        let beneath = Arc::<MemoryStore>::default();
        beneath.put("counter", "0", &Expected::Absent).unwrap();
        let overlay = over(&beneath);
        contract::check_racing_writers(&[&overlay, &overlay, &overlay, &overlay]);
        assert_eq!(beneath.get("counter").unwrap().unwrap().value, "0");
    }

    #[test]
    fn what_lies_beneath_is_read_and_stays_as_it_is() {
        let beneath = Arc::<MemoryStore>::default();
        for key in ["keys/a", "keys/b", "tokens/a/1"] {
            beneath.put(key, &contract::demo_key(), &Expected::Absent).unwrap();
        }
        let before: Vec<_> = beneath.keys("").unwrap().iter().map(|key| beneath.get(key).unwrap()).collect();
        let overlay = over(&beneath);
        let version = overlay.get("keys/a").unwrap().unwrap().version;
        assert_eq!(overlay.put("keys/a", "x", &Expected::Absent), Err(StoreError::VersionMismatch));
        assert_eq!(overlay.sign("keys/a", b"m").unwrap(), beneath.sign("keys/a", b"m").unwrap());
        let newer = overlay.put("keys/a", "x", &Expected::Version(version.clone())).unwrap();
        assert_ne!(newer, version);
        assert_eq!(overlay.put("keys/a", "y", &Expected::Version(version)), Err(StoreError::VersionMismatch));
        assert!(overlay.sign("keys/a", b"m").is_err(), "the key is another one now");
        overlay.delete("keys/b", &Expected::Anything).unwrap();
        assert_eq!(overlay.get("keys/b").unwrap(), None);
        assert_eq!(overlay.sign("keys/b", b"m"), Err(StoreError::Unsupported));
        overlay.put("keys/c", "z", &Expected::Absent).unwrap();
        assert_eq!(overlay.keys("keys/").unwrap(), ["keys/a", "keys/c"]);
        assert!(matches!(overlay.acquire_lease("tokens/a", Duration::from_secs(9)), Ok(Lease::Granted(_))));
        let after: Vec<_> = beneath.keys("").unwrap().iter().map(|key| beneath.get(key).unwrap()).collect();
        assert_eq!(before, after);
        assert!(matches!(beneath.acquire_lease("tokens/a", Duration::from_secs(9)), Ok(Lease::Granted(_))));
    }

    #[derive(Debug)]
    struct LiveTokens;

    impl Passes for LiveTokens {
        fn passes(&self, key: &str, value: &str, _: Option<&str>) -> bool {
            key.starts_with("tokens/") && value != "placeholder"
        }
    }

    #[test]
    fn only_what_may_pass_passes_and_only_to_a_connection_beneath() {
        let beneath = Arc::<MemoryStore>::default();
        beneath.put("connections/a", "{}", &Expected::Absent).unwrap();
        let overlay = Overlay::letting_through(
            Arc::<MemoryStore>::clone(&beneath),
            Layer::default(),
            Arc::new(LiveTokens),
        );
        for (key, value) in [
            ("tokens/a/1", "live"),
            ("tokens/a/2", "placeholder"),
            ("status/a", "live"),
            ("connections/b", "{}"),
            ("tokens/b/1", "live"),
            ("tokens", "live"),
        ] {
            overlay.put(key, value, &Expected::Anything).unwrap();
            assert_eq!(overlay.get(key).unwrap().unwrap().value, value);
        }
        assert_eq!(beneath.keys("").unwrap(), ["connections/a", "tokens/a/1"]);
        // An entry that is in memory already stays there: a reader must find the newer one.
        overlay.put("tokens/a/2", "live", &Expected::Anything).unwrap();
        overlay.delete("connections/a", &Expected::Anything).unwrap();
        overlay.put("tokens/a/3", "live", &Expected::Anything).unwrap();
        assert_eq!(beneath.keys("").unwrap(), ["connections/a", "tokens/a/1"]);
        assert_eq!(overlay.get("tokens/a/2").unwrap().unwrap().value, "live");
    }

    #[test]
    fn what_is_in_memory_can_be_kept_in_a_store() {
        let (beneath, kept) = (Arc::<MemoryStore>::default(), MemoryStore::new());
        kept.put("tokens/a/1", "old", &Expected::Absent).unwrap();
        let layer = Layer::default();
        let overlay = Overlay::new(beneath, layer.clone());
        overlay.put("connections/a", "{}", &Expected::Absent).unwrap();
        overlay.delete("tokens/a/1", &Expected::Anything).unwrap();
        layer.keep_in(&kept).unwrap();
        assert_eq!(kept.keys("").unwrap(), ["connections/a"]);
        assert!(!format!("{layer:?}").contains("{}"));
    }
}
