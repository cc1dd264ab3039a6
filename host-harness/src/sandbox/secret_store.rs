//! `gcf:connector/secret-store` for the guest, over any [`SecretStore`] of the host.
//!
//! A store may block: on a disk, on a network, on an HSM. It is asked on a thread for blocking work, so that
//! no other call waits for it, and its time on the processor is charged to the call that caused it.

mod quota;

use std::{
    any::Any,
    panic,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use self::quota::Quota;
use crate::{
    clock::Clock,
    contract::bindings::secret_store as wit,
    error::Limit,
    limits::{CpuMeter, StoreLimits},
    secrets::{
        Entry, Expected, Lease, SecretStore, StoreError,
        key::{check_key, check_length, check_prefix, check_value},
        visible::{Access, Made, Permit, Scope, put_first},
    },
};

/// The store of a host.
#[derive(Debug, Clone)]
pub(crate) struct Secrets {
    pub(crate) store: Arc<dyn SecretStore>,
    /// True if the host offers `sign`. If not, the component reads the key and signs itself.
    pub(crate) signs: bool,
    /// Held while a connection or a sign-in is begun.
    making: Arc<Mutex<()>>,
}

/// The store as one call sees it.
pub(crate) struct CallSecrets {
    secrets: Secrets,
    scope: Scope,
    made: Made,
    quota: Quota,
    clock: Arc<dyn Clock>,
    cpu: Arc<CpuMeter>,
}

/// The answer to the guest, or the limit that ends its call.
pub(super) type Answered<T> = Result<Result<T, StoreError>, Limit>;

impl Secrets {
    pub(crate) fn new(store: Arc<dyn SecretStore>, signs: bool) -> Self {
        Self { store, signs, making: Arc::default() }
    }

    /// The store as a call within this scope sees it.
    pub(crate) fn within(
        &self,
        scope: Scope,
        limits: StoreLimits,
        clock: &Arc<dyn Clock>,
        cpu: &Arc<CpuMeter>,
    ) -> CallSecrets {
        CallSecrets {
            secrets: self.clone(),
            scope,
            made: Made::default(),
            quota: Quota::new(limits),
            clock: Arc::clone(clock),
            cpu: Arc::clone(cpu),
        }
    }

    /// Asks the store, on a thread of its own where that may take time, and returns that thread's time on the
    /// processor too.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        takes_time: bool,
        work: impl FnOnce(&dyn SecretStore) -> T + Send + 'static,
    ) -> (T, Duration) {
        // A host is built without a runtime; no call that uses the store is.
        let runtime = tokio::runtime::Handle::try_current().ok().filter(|_| takes_time);
        let Some(runtime) = runtime else {
            return (work(&*self.store), Duration::ZERO);
        };
        let store = Arc::clone(&self.store);
        match runtime.spawn_blocking(move || CpuMeter::measure(|| work(&*store))).await {
            Ok(done) => done,
            // The store's own panic goes where it would have gone without the thread.
            Err(error) => panic::resume_unwind(error.try_into_panic().unwrap_or_else(stopped)),
        }
    }
}

fn stopped(error: tokio::task::JoinError) -> Box<dyn Any + Send> {
    Box::new(format!("the runtime is shutting down: {error}"))
}

impl CallSecrets {
    /// Tells whether they are of this host, and of none with another store or for another tenant.
    pub(crate) fn are_of(&self, secrets: &Secrets) -> bool {
        Arc::ptr_eq(&self.secrets.making, &secrets.making)
    }

    /// The connection or sign-in that the answer of the call is about.
    pub(crate) fn subject(&self) -> Option<&str> {
        self.scope.subject(&self.made)
    }

    fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Asks the store, at the cost of the call.
    async fn ask<T: Send + 'static>(
        &self,
        takes_time: bool,
        work: impl FnOnce(&dyn SecretStore) -> Result<T, StoreError> + Send + 'static,
    ) -> Answered<T> {
        let (answer, cpu) = self.secrets.ask(takes_time, work).await;
        self.cpu.add(cpu);
        // On whichever thread it was: a guest that asks in a straight line enters no function or loop, where a tick finds it.
        self.cpu.check()?;
        Ok(answer)
    }

    fn permit(&self, key: &str, access: Access) -> Result<Permit, StoreError> {
        check_key(key)?;
        self.scope.permit(&self.made, key, access, self.now())
    }

    pub(super) async fn get(&mut self, key: String) -> Answered<Option<wit::Entry>> {
        self.quota.call()?;
        if let Err(error) = self.permit(&key, Access::Read) {
            return Ok(Err(error));
        }
        let blocks = self.blocks();
        let get = move |store: &dyn SecretStore| {
            let entry = store.get(&key)?;
            entry.as_ref().map_or(Ok(()), |entry| check_value(&entry.value)).map(|()| entry)
        };
        let entry = self.ask(blocks, get).await?;
        Ok(entry.map(|entry| entry.map(Into::into)))
    }

    pub(super) async fn put(
        &mut self,
        key: String,
        value: String,
        expected: wit::Expected,
    ) -> Answered<String> {
        self.quota.write(value.len())?;
        let permit =
            match self.permit(&key, Access::Put).and_then(|permit| check_value(&value).map(|()| permit)) {
                Ok(permit) => permit,
                Err(error) => return Ok(Err(error)),
            };
        let expected = match bounded(expected) {
            Ok(expected) => expected,
            Err(error) => return Ok(Err(error)),
        };
        let blocks = self.blocks();
        match permit {
            Permit::Granted => self.ask(blocks, move |store| store.put(&key, &value, &expected)).await,
            // A version would be one of an entry that this call has not put.
            Permit::IfNew | Permit::IfFirst if matches!(expected, Expected::Version(_)) => {
                Ok(Err(StoreError::VersionMismatch))
            }
            Permit::IfNew | Permit::IfFirst => {
                let is_first = permit == Permit::IfFirst;
                let name = key.clone();
                let making = Arc::clone(&self.secrets.making);
                let put = move |store: &dyn SecretStore| {
                    if is_first {
                        let _only_one = making.lock().unwrap_or_else(PoisonError::into_inner);
                        put_first(store, &key, &value)
                    } else {
                        store.put(&key, &value, &Expected::Absent)
                    }
                };
                let version = self.ask(blocks, put).await?;
                if version.is_ok() {
                    self.made.note(name);
                }
                Ok(version)
            }
        }
    }

    pub(super) async fn delete(&mut self, key: String, expected: wit::Expected) -> Answered<()> {
        self.quota.call()?;
        if let Err(error) = self.permit(&key, Access::Delete) {
            return Ok(Err(error));
        }
        let expected = match bounded(expected) {
            Ok(expected) => expected,
            Err(error) => return Ok(Err(error)),
        };
        let blocks = self.blocks();
        self.ask(blocks, move |store| store.delete(&key, &expected)).await
    }

    pub(super) async fn keys(&mut self, prefix: String) -> Answered<Vec<String>> {
        self.quota.call()?;
        if let Err(error) = check_prefix(&prefix) {
            return Ok(Err(error));
        }
        let blocks = self.blocks();
        let keys = self.ask(blocks, move |store| store.keys(&prefix)).await?;
        Ok(keys.map(|keys| self.scope.visible(&self.made, keys, self.now())))
    }

    pub(super) async fn acquire_lease(&mut self, name: String, ttl_ms: u64) -> Answered<wit::Lease> {
        self.quota.call()?;
        if let Err(error) = self.permit(&name, Access::Lease) {
            return Ok(Err(error));
        }
        self.quota.lease()?;
        let blocks = self.blocks();
        let ttl = Duration::from_millis(ttl_ms);
        let lease = self.ask(blocks, move |store| store.acquire_lease(&name, ttl)).await?;
        if !matches!(lease, Ok(Lease::Granted(_))) {
            self.quota.no_lease();
        }
        Ok(lease.map(Into::into))
    }

    pub(super) async fn release_lease(&mut self, name: String, token: String) -> Answered<()> {
        self.quota.call()?;
        if let Err(error) = self.permit(&name, Access::Lease).and(check_value(&token)) {
            return Ok(Err(error));
        }
        let blocks = self.blocks();
        self.ask(blocks, move |store| store.release_lease(&name, &token)).await
    }

    pub(super) async fn sign(
        &mut self,
        key: String,
        algorithm: wit::SignatureAlgorithm,
        message: Vec<u8>,
    ) -> Answered<Vec<u8>> {
        self.quota.sign()?;
        if let Err(error) = self.permit(&key, Access::Sign).and(check_length(message.len())) {
            return Ok(Err(error));
        }
        match algorithm {
            wit::SignatureAlgorithm::Rs256 if self.secrets.signs => {
                // A signature takes half a millisecond of any processor, whatever the store is.
                self.ask(true, move |store| store.sign(&key, &message)).await
            }
            wit::SignatureAlgorithm::Rs256 => Ok(Err(StoreError::Unsupported)),
        }
    }

    fn blocks(&self) -> bool {
        self.secrets.store.may_block()
    }
}

/// The expected version for the store. It is as long as a value at most: nothing longer crosses.
fn bounded(expected: wit::Expected) -> Result<Expected, StoreError> {
    if let wit::Expected::Version(version) = &expected {
        check_value(version)?;
    }
    Ok(expected.into())
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
            // Not 0 as long as somebody has it.
            Lease::Held(rest) => {
                Self::Held(u64::try_from(rest.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX))
            }
        }
    }
}

impl From<StoreError> for wit::StoreError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::VersionMismatch => Self::VersionMismatch,
            StoreError::ReadOnly => Self::ReadOnly,
            StoreError::Unsupported => Self::Unsupported,
            StoreError::Unavailable(why) => Self::Unavailable(why.to_string()),
            StoreError::Other(why) => Self::Other(why.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
