//! `wit/secret-store.wit` as a trait.

use std::{fmt, time::Duration};

use crate::name::{Key, Prefix, Value};

/// A store, for one call.
pub trait Store {
    /// The value under a key.
    ///
    /// # Errors
    /// As the contract says, here and below.
    fn get(&self, key: &Key) -> Result<Option<Entry>>;

    /// Writes durably, and returns the new version.
    ///
    /// # Errors
    /// [`StoreError::VersionMismatch`] if `expected` does not hold; then nothing was written.
    fn put(&self, key: &Key, value: &Value, expected: &Expected) -> Result<String>;

    /// Removes a key, if it is there.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    fn delete(&self, key: &Key, expected: &Expected) -> Result<()>;

    /// The keys with a prefix, sorted.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    fn keys(&self, prefix: &Prefix) -> Result<Vec<String>>;

    /// Asks for a lease of at most `ttl`.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    fn acquire_lease(&self, name: &Key, ttl: Duration) -> Result<Lease>;

    /// Gives a lease back. A stale token is not an error.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    fn release_lease(&self, name: &Key, token: &str) -> Result<()>;

    /// RS256 over a message, with a key that stays where it is.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] if the store does not sign.
    fn sign(&self, key: &Key, message: &[u8]) -> Result<Vec<u8>> {
        let _ = (key, message);
        Err(StoreError::Unsupported)
    }
}

/// The outcome of asking a store.
pub type Result<T> = std::result::Result<T, StoreError>;

/// A value and its version. Printing it shows the version only.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The value, which may be a secret.
    pub value: String,
    /// Changes with every write.
    pub version: String,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("version", &self.version).finish_non_exhaustive()
    }
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

/// The reason why a store did not do it. No text holds a value, or a word that a server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// The key has another version than expected.
    VersionMismatch,
    /// This key cannot be written.
    ReadOnly,
    /// The store cannot answer now.
    Unavailable(String),
    /// The store does not do this.
    Unsupported,
    /// Anything else.
    Other(String),
}

impl StoreError {
    /// [`StoreError::Unavailable`].
    pub fn unavailable(why: impl Into<String>) -> Self {
        Self::Unavailable(why.into())
    }

    /// [`StoreError::Other`].
    pub fn other(why: impl Into<String>) -> Self {
        Self::Other(why.into())
    }
}

/// The longest lease that is granted, whatever is asked for: that of the host in this repository.
pub const MAX_LEASE: Duration = Duration::from_secs(10 * 60);
