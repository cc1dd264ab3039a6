//! The core's ports over WASI and the host's secret store.

use std::time::Duration;

use gcf_core::{
    actions::plan::rehearsal::Stage,
    base::{
        http::{Request, Response, TransportError},
        ports::{Entry, Expected, Lease, Ports, StoreError},
        retry::Class,
        secret::Secret,
    },
};

use crate::{
    bindings::{
        gcf::connector::secret_store as store,
        wasi::{
            clocks::{monotonic_clock, wall_clock},
            random::random,
        },
    },
    http,
    reactor::{self, Event},
};

/// The stage of every call. Only a plan puts a rehearsal in its place, under the same type: each call stands
/// once in the component.
pub(crate) const LIVE: Stage<'static, Wasi> = Stage::live(&Wasi(()));

/// The world outside.
pub(crate) struct Wasi(());

impl Ports for Wasi {
    async fn send(
        &self,
        request: &mut Request,
        class: Class,
        within: Duration,
    ) -> Result<Response, TransportError> {
        http::send(request, class, within).await
    }

    async fn sleep(&self, duration: Duration) {
        let over = Event::new(monotonic_clock::subscribe_duration(http::nanoseconds(duration)));
        reactor::wait(&over).await;
    }

    fn now(&self) -> Duration {
        let now = wall_clock::now();
        Duration::new(now.seconds, now.nanoseconds)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_nanos(monotonic_clock::now())
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        random::get_random_bytes(N as u64)
            .try_into()
            .expect("the host returns as many bytes as were asked for")
    }

    fn secret_get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        let entry = store::get(key).map_err(store_error)?;
        Ok(entry.map(|entry| Entry { value: Secret::new(entry.value), version: entry.version }))
    }

    fn secret_put(&self, key: &str, value: &str, expected: Expected) -> Result<String, StoreError> {
        store::put(key, value, &self::expected(expected)).map_err(store_error)
    }

    fn secret_delete(&self, key: &str, expected: Expected) -> Result<(), StoreError> {
        store::delete(key, &self::expected(expected)).map_err(store_error)
    }

    fn secret_keys(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        store::keys(prefix).map_err(store_error)
    }

    fn acquire_lease(&self, name: &str, ttl: Duration) -> Result<Lease, StoreError> {
        let ttl_ms = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        match store::acquire_lease(name, ttl_ms).map_err(store_error)? {
            store::Lease::Granted(token) => Ok(Lease::Granted(token)),
            store::Lease::Held(left) => Ok(Lease::Held(Duration::from_millis(left))),
        }
    }

    fn release_lease(&self, name: &str, token: &str) -> bool {
        store::release_lease(name, token).is_ok()
    }

    fn sign(&self, key: &str, message: &[u8]) -> Result<Vec<u8>, StoreError> {
        store::sign(key, store::SignatureAlgorithm::Rs256, message).map_err(store_error)
    }
}

fn expected(expected: Expected) -> store::Expected {
    match expected {
        Expected::Anything => store::Expected::Anything,
        Expected::Absent => store::Expected::Absent,
        Expected::Version(version) => store::Expected::Version(version),
    }
}

fn store_error(error: store::StoreError) -> StoreError {
    match error {
        store::StoreError::VersionMismatch => StoreError::VersionMismatch,
        store::StoreError::ReadOnly => StoreError::ReadOnly,
        store::StoreError::Unsupported => StoreError::Unsupported,
        store::StoreError::Unavailable(why) | store::StoreError::Other(why) => StoreError::Failed(why),
    }
}
