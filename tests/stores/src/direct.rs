//! A store's component as a store of this machine, for what only one store is asked. Each call has an instance of its own.

use std::{fmt, time::Duration};

use gcf_host::secrets::{Entry, Expected, Lease, SecretStore, StoreError};
use wasmtime::Store;

use crate::embedder::{Embedder, State};

mod bindings {
    wasmtime::component::bindgen!({
        inline: "
            package gcf:store-tests;
            world embedder { export gcf:connector/secret-store@0.1.0; }
        ",
        path: "../../wit",
        world: "gcf:store-tests/embedder",
    });
}

use self::bindings::{
    EmbedderPre,
    exports::gcf::connector::secret_store::{self as wit, SignatureAlgorithm},
};

impl Embedder {
    fn call<T>(
        &self,
        ask: impl FnOnce(&wit::Guest, &mut Store<State>) -> wasmtime::Result<Result<T, wit::StoreError>>,
    ) -> Result<T, StoreError> {
        let (mut store, component) = self.ready();
        let host = EmbedderPre::new(component.clone()).unwrap().instantiate(&mut store).unwrap();
        let answer = ask(host.gcf_connector_secret_store(), &mut store).expect("no call ends in a trap");
        answer.map_err(Into::into)
    }
}

impl fmt::Debug for Embedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedder").finish_non_exhaustive()
    }
}

impl SecretStore for Embedder {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        let entry = self.call(|guest, store| guest.call_get(store, key))?;
        Ok(entry.map(|wit::Entry { value, version }| Entry { value, version }))
    }

    fn put(&self, key: &str, value: &str, expected: &Expected) -> Result<String, StoreError> {
        self.call(|guest, store| guest.call_put(store, key, value, &expected.into()))
    }

    fn delete(&self, key: &str, expected: &Expected) -> Result<(), StoreError> {
        self.call(|guest, store| guest.call_delete(store, key, &expected.into()))
    }

    fn keys(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.call(|guest, store| guest.call_keys(store, prefix))
    }

    fn acquire_lease(&self, name: &str, ttl: Duration) -> Result<Lease, StoreError> {
        let ttl = ttl.as_millis().try_into().unwrap();
        Ok(match self.call(|guest, store| guest.call_acquire_lease(store, name, ttl))? {
            wit::Lease::Granted(token) => Lease::Granted(token),
            wit::Lease::Held(rest) => Lease::Held(Duration::from_millis(rest)),
        })
    }

    fn release_lease(&self, name: &str, token: &str) -> Result<(), StoreError> {
        self.call(|guest, store| guest.call_release_lease(store, name, token))
    }

    fn sign(&self, key: &str, message: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.call(|guest, store| guest.call_sign(store, key, SignatureAlgorithm::Rs256, message))
    }
}

impl From<&Expected> for wit::Expected {
    fn from(expected: &Expected) -> Self {
        match expected {
            Expected::Anything => Self::Anything,
            Expected::Absent => Self::Absent,
            Expected::Version(version) => Self::Version(version.clone()),
        }
    }
}

impl From<wit::StoreError> for StoreError {
    fn from(error: wit::StoreError) -> Self {
        match error {
            wit::StoreError::VersionMismatch => Self::VersionMismatch,
            wit::StoreError::ReadOnly => Self::ReadOnly,
            wit::StoreError::Unsupported => Self::Unsupported,
            wit::StoreError::Unavailable(why) => Self::unavailable(why),
            wit::StoreError::Other(why) => Self::other(why),
        }
    }
}
