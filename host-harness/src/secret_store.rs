//! `gcf:connector/secret-store` for the guest, over any [`SecretStore`] of the host.
//!
//! The store is called on the guest's own thread. Most calls are reads that take microseconds, and a
//! durable write takes a few milliseconds and happens once per connection or token; handing each over
//! to a thread for blocking work (`block_in_place`) would cost the many to help the few, and panics
//! on a runtime with one thread.

use std::{sync::Arc, time::Duration};

use crate::{
    bindings::secret_store::{self as wit, Host},
    scope::{Access, Scope},
    secrets::{
        Entry, Expected, Lease, SecretStore, StoreError,
        key::{check_key, check_prefix, check_value},
    },
    state::State,
};

/// The store that a call sees.
#[derive(Debug, Clone)]
pub(crate) struct Secrets {
    pub(crate) store: Arc<dyn SecretStore>,
    /// Whether `sign` is offered. If not, the component reads the key and signs itself.
    pub(crate) signs: bool,
    /// What of it.
    pub(crate) scope: Scope,
}

impl Secrets {
    /// As a call for one connection sees it.
    pub(crate) fn within(&self, scope: Scope) -> Self {
        Self { scope, ..self.clone() }
    }

    fn check(&self, key: &str, access: Access) -> Result<(), StoreError> {
        check_key(key)?;
        self.scope.check(&*self.store, key, access)
    }

    fn get(&self, key: &str) -> Result<Option<wit::Entry>, StoreError> {
        self.check(key, Access::Use)?;
        Ok(self.store.get(key)?.map(Into::into))
    }

    fn put(&self, key: &str, value: &str, expected: wit::Expected) -> Result<String, StoreError> {
        self.check(key, Access::Change)?;
        check_value(value)?;
        self.store.put(key, value, &expected.into())
    }

    fn delete(&self, key: &str, expected: wit::Expected) -> Result<(), StoreError> {
        self.check(key, Access::Change)?;
        self.store.delete(key, &expected.into())
    }

    fn keys(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        check_prefix(prefix)?;
        Ok(self.scope.visible(self.store.keys(prefix)?))
    }

    fn acquire_lease(&self, name: &str, ttl_ms: u64) -> Result<wit::Lease, StoreError> {
        self.check(name, Access::Change)?;
        Ok(self.store.acquire_lease(name, Duration::from_millis(ttl_ms))?.into())
    }

    fn release_lease(&self, name: &str, token: &str) -> Result<(), StoreError> {
        self.check(name, Access::Change)?;
        self.store.release_lease(name, token)
    }

    fn sign(
        &self,
        key: &str,
        algorithm: wit::SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        self.check(key, Access::Use)?;
        match algorithm {
            wit::SignatureAlgorithm::Rs256 if self.signs => self.store.sign(key, message),
            wit::SignatureAlgorithm::Rs256 => Err(StoreError::Unsupported),
        }
    }
}

impl State {
    /// What the store takes is the host's time, not the guest's.
    fn store<T>(&self, ask: impl FnOnce(&Secrets) -> Result<T, StoreError>) -> Result<T, wit::StoreError> {
        self.cpu.spare(|| ask(&self.secrets)).map_err(Into::into)
    }
}

impl Host for State {
    fn get(&mut self, key: String) -> Result<Option<wit::Entry>, wit::StoreError> {
        self.store(|secrets| secrets.get(&key))
    }

    fn put(
        &mut self,
        key: String,
        value: String,
        expected: wit::Expected,
    ) -> Result<String, wit::StoreError> {
        self.store(|secrets| secrets.put(&key, &value, expected))
    }

    fn delete(&mut self, key: String, expected: wit::Expected) -> Result<(), wit::StoreError> {
        self.store(|secrets| secrets.delete(&key, expected))
    }

    fn keys(&mut self, prefix: String) -> Result<Vec<String>, wit::StoreError> {
        self.store(|secrets| secrets.keys(&prefix))
    }

    fn acquire_lease(&mut self, name: String, ttl_ms: u64) -> Result<wit::Lease, wit::StoreError> {
        self.store(|secrets| secrets.acquire_lease(&name, ttl_ms))
    }

    fn release_lease(&mut self, name: String, token: String) -> Result<(), wit::StoreError> {
        self.store(|secrets| secrets.release_lease(&name, &token))
    }

    fn sign(
        &mut self,
        key: String,
        algorithm: wit::SignatureAlgorithm,
        message: Vec<u8>,
    ) -> Result<Vec<u8>, wit::StoreError> {
        self.store(|secrets| secrets.sign(&key, algorithm, &message))
    }
}

impl From<Entry> for wit::Entry {
    fn from(Entry { value, version }: Entry) -> Self {
        Self { value, version }
    }
}

impl From<wit::Expected> for Expected {
    fn from(expected: wit::Expected) -> Self {
        match expected {
            wit::Expected::Anything => Self::Anything,
            wit::Expected::Absent => Self::Absent,
            wit::Expected::Version(version) => Self::Version(version),
        }
    }
}

impl From<Lease> for wit::Lease {
    fn from(lease: Lease) -> Self {
        match lease {
            Lease::Granted(token) => Self::Granted(token),
            Lease::Held(rest) => Self::Held(u64::try_from(rest.as_millis()).unwrap_or(u64::MAX)),
        }
    }
}

impl From<StoreError> for wit::StoreError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::VersionMismatch => Self::VersionMismatch,
            StoreError::ReadOnly => Self::ReadOnly,
            StoreError::Unsupported => Self::Unsupported,
            StoreError::Unavailable(why) => Self::Unavailable(why),
            StoreError::Other(why) => Self::Other(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::MemoryStore;

    fn secrets(signs: bool) -> Secrets {
        Secrets { store: Arc::new(MemoryStore::default()), signs, scope: Scope::AllConnections }
    }

    #[test]
    fn what_is_written_is_read_with_its_version() {
        let secrets = secrets(true);
        let version = secrets.put("tokens/a/b", "value", wit::Expected::Absent).unwrap();
        let entry = secrets.get("tokens/a/b").unwrap().unwrap();
        assert_eq!((entry.value.as_str(), &entry.version), ("value", &version));
        let again = secrets.put("tokens/a/b", "value", wit::Expected::Absent);
        assert_eq!(again, Err(StoreError::VersionMismatch));
        assert_eq!(secrets.keys("tokens/").unwrap(), ["tokens/a/b"]);
        secrets.delete("tokens/a/b", wit::Expected::Version(version)).unwrap();
        assert!(secrets.get("tokens/a/b").unwrap().is_none());
    }

    #[test]
    fn a_malformed_key_never_reaches_the_store() {
        let secrets = secrets(true);
        for key in ["", "Keys/a", "a b", "a\\b", "a\0", "ä", &"a".repeat(257)] {
            assert!(matches!(secrets.get(key), Err(StoreError::Other(_))), "{key}");
            let put = secrets.put(key, "value", wit::Expected::Anything);
            assert!(matches!(put, Err(StoreError::Other(_))), "{key}");
            assert!(matches!(secrets.acquire_lease(key, 1), Err(StoreError::Other(_))), "{key}");
        }
        assert!(secrets.keys("").unwrap().is_empty());
    }

    #[test]
    fn a_value_is_at_most_64_kib() {
        let secrets = secrets(true);
        assert!(secrets.put("keys/a", &"x".repeat(64 * 1024), wit::Expected::Anything).is_ok());
        let put = secrets.put("keys/a", &"x".repeat(64 * 1024 + 1), wit::Expected::Anything);
        assert!(matches!(put, Err(StoreError::Other(_))), "{put:?}");
    }

    #[test]
    fn a_host_that_does_not_sign_says_so() {
        let signature = secrets(false).sign("keys/a", wit::SignatureAlgorithm::Rs256, b"message");
        assert_eq!(signature, Err(StoreError::Unsupported));
    }

    #[test]
    fn a_lease_is_held_until_it_is_given_back() {
        let secrets = secrets(true);
        let wit::Lease::Granted(token) = secrets.acquire_lease("tokens/a", 60_000).unwrap() else {
            panic!("the first one gets it")
        };
        let wit::Lease::Held(rest) = secrets.acquire_lease("tokens/a", 60_000).unwrap() else {
            panic!("the second one does not")
        };
        assert!(rest <= 60_000);
        secrets.release_lease("tokens/a", &token).unwrap();
        assert!(matches!(secrets.acquire_lease("tokens/a", 1), Ok(wit::Lease::Granted(_))));
    }
}
