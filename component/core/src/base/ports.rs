//! The ports: all that the core asks of the world around it.

use std::time::Duration;

use crate::base::{
    http::{Request, Response, TransportError},
    retry::Class,
    secret::Secret,
};

/// HTTP, clocks, randomness and the secret store. Nothing else exists.
#[expect(async_fn_in_trait, reason = "the component is single-threaded: no future needs to be Send")]
pub trait Ports {
    /// Sends one request and reads the whole response, all of it within the time given. Never follows a redirect, never
    /// repeats. Tells [`retry::answered`](super::retry::answered) once the status is there.
    async fn send(
        &self,
        request: &mut Request,
        class: Class,
        within: Duration,
    ) -> Result<Response, TransportError>;

    /// The stand-in for the answer if this is only a rehearsal; `None` is the real thing. Asked once for all attempts
    /// at a request, before the first.
    fn rehearse(&self, request: &Request, class: Class, within: Duration) -> Option<Response> {
        let _ = (request, class, within);
        None
    }

    /// Waits.
    async fn sleep(&self, duration: Duration);

    /// Time since 1970-01-01T00:00:00Z.
    fn now(&self) -> Duration;

    /// Time since some fixed point; never goes back.
    fn monotonic(&self) -> Duration;

    /// Unpredictable bytes.
    fn random<const N: usize>(&self) -> [u8; N];

    /// The value under a key of the secret store.
    ///
    /// # Errors
    /// As `wit/secret-store.wit` says, here and below.
    fn secret_get(&self, key: &str) -> Result<Option<Entry>, StoreError>;

    /// Writes durably and returns the new version.
    ///
    /// # Errors
    /// As `wit/secret-store.wit` says.
    fn secret_put(&self, key: &str, value: &str, expected: Expected) -> Result<String, StoreError>;

    /// Removes a key.
    ///
    /// # Errors
    /// As `wit/secret-store.wit` says.
    fn secret_delete(&self, key: &str, expected: Expected) -> Result<(), StoreError>;

    /// The keys with a prefix.
    ///
    /// # Errors
    /// As `wit/secret-store.wit` says.
    fn secret_keys(&self, prefix: &str) -> Result<Vec<String>, StoreError>;

    /// Asks for a lease.
    ///
    /// # Errors
    /// As `wit/secret-store.wit` says.
    fn acquire_lease(&self, name: &str, ttl: Duration) -> Result<Lease, StoreError>;

    /// Gives a lease back, and says whether it is. Whoever cannot give it back still has it, until it ends by itself.
    fn release_lease(&self, name: &str, token: &str) -> bool;

    /// RS256 by the host, with a key that it holds.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] if the host does not sign with this key.
    fn sign(&self, key: &str, message: &[u8]) -> Result<Vec<u8>, StoreError>;
}

/// A value of the secret store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The value.
    pub value: Secret<String>,
    /// Its version.
    pub version: String,
}

/// The condition on which a write happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Write whatever is there.
    Anything,
    /// Only if the key does not exist.
    Absent,
    /// Only if the key has exactly this version.
    Version(String),
}

/// The answer to whoever asks for a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lease {
    /// Granted, under this token.
    Granted(String),
    /// Somebody else's, for about this long.
    Held(Duration),
}

/// The reason why the store did not do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// Another version is there.
    VersionMismatch,
    /// The store cannot be written.
    ReadOnly,
    /// The host does not do this.
    Unsupported,
    /// The store cannot answer, for this reason.
    Failed(String),
}
