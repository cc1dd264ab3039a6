//! A store that lives as long as its process.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{
    Entry, Expected, Lease, MAX_LEASE, SecretStore, StoreError, StoreQuota,
    key::{check_key, check_prefix, check_value},
    quota::Usage,
    sign::sign_with_pem,
};
use crate::clock::{Clock, SystemClock};

/// Keeps everything in memory: for tests, for replays, and for hosts that persist elsewhere.
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    quota: StoreQuota,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    entries: BTreeMap<String, Entry>,
    /// The bytes of all keys and values.
    bytes: u64,
    leases: HashMap<String, Held>,
    /// Versions and lease tokens; never reused, so that a deleted and rewritten key has a new version.
    counter: u64,
}

struct Held {
    token: String,
    until: Duration,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock::default()))
    }

    /// An empty store whose leases expire by the elapsed time of `clock`.
    #[must_use]
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self { clock, quota: StoreQuota::DEFAULT, state: Mutex::default() }
    }

    /// Limits the store to this size.
    #[must_use]
    pub fn with_quota(self, quota: StoreQuota) -> Self {
        Self { quota, ..self }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl SecretStore for MemoryStore {
    fn may_block(&self) -> bool {
        false
    }

    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        check_key(key)?;
        Ok(self.state().entries.get(key).cloned())
    }

    fn put(&self, key: &str, value: &str, expected: &Expected) -> Result<String, StoreError> {
        check_key(key)?;
        check_value(value)?;
        let mut state = self.state();
        let old = state.entries.get(key);
        expected.holds_for(old)?;
        let entries = state.entries.len() + usize::from(old.is_none());
        let bytes = state.bytes - old.map_or(0, |old| size(key, old)) + (key.len() + value.len()) as u64;
        self.quota.check(Usage { entries, bytes })?;
        state.bytes = bytes;
        let version = state.next();
        state.entries.insert(key.to_owned(), Entry { value: value.to_owned(), version: version.clone() });
        Ok(version)
    }

    fn delete(&self, key: &str, expected: &Expected) -> Result<(), StoreError> {
        check_key(key)?;
        let mut state = self.state();
        expected.holds_for(state.entries.get(key))?;
        if let Some(old) = state.entries.remove(key) {
            state.bytes -= size(key, &old);
        }
        Ok(())
    }

    fn keys(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        check_prefix(prefix)?;
        let state = self.state();
        let from = state.entries.range(prefix.to_owned()..);
        Ok(from.map(|(key, _)| key.clone()).take_while(|key| key.starts_with(prefix)).collect())
    }

    fn acquire_lease(&self, name: &str, ttl: Duration) -> Result<Lease, StoreError> {
        check_key(name)?;
        let now = self.clock.monotonic();
        let mut state = self.state();
        if let Some(held) = state.leases.get(name).filter(|held| held.until > now) {
            return Ok(Lease::Held(held.until - now));
        }
        if self.quota.check_leases(state.leases.len()).is_err() {
            state.leases.retain(|_, held| held.until > now);
        }
        let held_by_others = state.leases.len() - usize::from(state.leases.contains_key(name));
        self.quota.check_leases(held_by_others)?;
        let token = state.next();
        let held = Held { token: token.clone(), until: now + ttl.min(MAX_LEASE) };
        state.leases.insert(name.to_owned(), held);
        Ok(Lease::Granted(token))
    }

    fn release_lease(&self, name: &str, token: &str) -> Result<(), StoreError> {
        check_key(name)?;
        let mut state = self.state();
        if state.leases.get(name).is_some_and(|held| held.token == token) {
            state.leases.remove(name);
        }
        Ok(())
    }

    fn sign(&self, key: &str, message: &[u8]) -> Result<Vec<u8>, StoreError> {
        let entry = self.get(key)?.ok_or(StoreError::Unsupported)?;
        sign_with_pem(&entry.value, message)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("keys", &self.state().entries.len()).finish_non_exhaustive()
    }
}

fn size(key: &str, entry: &Entry) -> u64 {
    (key.len() + entry.value.len()) as u64
}

impl State {
    fn next(&mut self) -> String {
        self.counter += 1;
        self.counter.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::contract;

    #[test]
    fn keeps_the_contract() {
        let clock = Arc::new(contract::ManualClock::default());
        contract::check(&MemoryStore::with_clock(clock.clone()), &clock);
    }

    #[test]
    fn it_grows_to_its_quota_and_no_further() {
        contract::check_quota(|quota| {
            let clock = Arc::new(contract::ManualClock::default());
            (MemoryStore::with_clock(clock.clone()).with_quota(quota), clock)
        });
    }

    #[test]
    fn racing_writers_lose_no_update() {
        let store = MemoryStore::new();
        contract::check_racing_writers(&[&store, &store, &store, &store]);
    }
}
