//! The conformance component in a host of this process: composed with a store, or with one of this process behind it.

use std::time::Duration;

use gcf_host::secrets::{self, SecretStore};
use wasmtime::{
    Store,
    component::{HasSelf, Linker},
};

use crate::{
    conformance::{Guest, Host, Outcome},
    embedder::{Embedder, State},
};

mod bindings {
    wasmtime::component::bindgen!({
        path: ["../../wit", "../guests/conformance/wit"],
        world: "gcf:store-conformance/conformance",
    });
}

use self::bindings::{
    Conformance, ConformancePre,
    gcf::connector::secret_store::{self as wit, Entry, Expected, Lease, SignatureAlgorithm, StoreError},
};

/// Links the import of a component that is not composed with a store.
pub(crate) fn link(linker: &mut Linker<State>) {
    Conformance::add_to_linker::<_, HasSelf<_>>(linker, |state| state).unwrap();
}

struct Instance {
    store: Store<State>,
    steps: Conformance,
}

impl Host for Embedder {
    fn start(&self) -> Box<dyn Guest + '_> {
        let (mut store, component) = self.ready();
        let steps = ConformancePre::new(component.clone()).unwrap().instantiate(&mut store).unwrap();
        Box::new(Instance { store, steps })
    }
}

impl Guest for Instance {
    fn one_caller(&mut self) -> Outcome {
        self.steps.call_one_caller(&mut self.store).expect(NO_TRAP)
    }

    fn leave(&mut self) -> Outcome {
        self.steps.call_leave(&mut self.store).expect(NO_TRAP)
    }

    fn find(&mut self) -> Outcome {
        self.steps.call_find(&mut self.store).expect(NO_TRAP)
    }

    fn clear(&mut self) -> Outcome {
        self.steps.call_clear(&mut self.store).expect(NO_TRAP)
    }

    fn count(&mut self, times: u32) -> Outcome<u32> {
        self.steps.call_count(&mut self.store, times).expect(NO_TRAP)
    }

    fn counted(&mut self) -> Outcome<u32> {
        self.steps.call_counted(&mut self.store).expect(NO_TRAP)
    }

    fn lease(&mut self, name: &str, ttl: Duration) -> Outcome<Option<String>> {
        self.steps.call_lease(&mut self.store, name, millis(ttl)).expect(NO_TRAP)
    }

    fn release(&mut self, name: &str, token: &str) -> Outcome {
        self.steps.call_release(&mut self.store, name, token).expect(NO_TRAP)
    }

    fn unavailable(&mut self) -> Outcome {
        self.steps.call_unavailable(&mut self.store).expect(NO_TRAP)
    }
}

const NO_TRAP: &str = "no step ends in a trap";

fn millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap()
}

impl State {
    fn behind(&self) -> &dyn SecretStore {
        &**self.store.as_ref().expect("a component that imports a store has one")
    }
}

/// A store of this process, as the component sees it.
impl wit::Host for State {
    fn get(&mut self, key: String) -> Result<Option<Entry>, StoreError> {
        let entry = self.behind().get(&key)?;
        Ok(entry.map(|secrets::Entry { value, version }| Entry { value, version }))
    }

    fn put(&mut self, key: String, value: String, expected: Expected) -> Result<String, StoreError> {
        Ok(self.behind().put(&key, &value, &expected.into())?)
    }

    fn delete(&mut self, key: String, expected: Expected) -> Result<(), StoreError> {
        Ok(self.behind().delete(&key, &expected.into())?)
    }

    fn keys(&mut self, prefix: String) -> Result<Vec<String>, StoreError> {
        Ok(self.behind().keys(&prefix)?)
    }

    fn acquire_lease(&mut self, name: String, ttl_ms: u64) -> Result<Lease, StoreError> {
        Ok(match self.behind().acquire_lease(&name, Duration::from_millis(ttl_ms))? {
            secrets::Lease::Granted(token) => Lease::Granted(token),
            // Upwards: for nothing more, it would not be held.
            secrets::Lease::Held(rest) => Lease::Held(millis(rest + Duration::from_nanos(999_999))),
        })
    }

    fn release_lease(&mut self, name: String, token: String) -> Result<(), StoreError> {
        Ok(self.behind().release_lease(&name, &token)?)
    }

    fn sign(&mut self, key: String, _: SignatureAlgorithm, message: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        Ok(self.behind().sign(&key, &message)?)
    }
}

impl From<Expected> for secrets::Expected {
    fn from(expected: Expected) -> Self {
        match expected {
            Expected::Anything => Self::Anything,
            Expected::Absent => Self::Absent,
            Expected::Version(version) => Self::Version(version),
        }
    }
}

impl From<secrets::StoreError> for StoreError {
    fn from(error: secrets::StoreError) -> Self {
        match error {
            secrets::StoreError::VersionMismatch => Self::VersionMismatch,
            secrets::StoreError::ReadOnly => Self::ReadOnly,
            secrets::StoreError::Unsupported => Self::Unsupported,
            secrets::StoreError::Unavailable(why) => Self::Unavailable(why.to_string()),
            secrets::StoreError::Other(why) => Self::Other(why.to_string()),
        }
    }
}
