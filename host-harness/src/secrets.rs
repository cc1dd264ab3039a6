//! Stores for connections, credentials and tokens, as `gcf:connector/secret-store` promises them.

use std::{fmt, time::Duration};

pub use self::{
    directory::DirectoryStore,
    environment::{ReadOnlyStore, SECRETS_VARIABLE},
    identity::{KEY_FILE_VARIABLE, KEYRING_VARIABLE, KeySource, PASSPHRASE_VARIABLE, Passphrase},
    memory::MemoryStore,
    quota::StoreQuota,
    sign::sign_with_pem,
};

pub(crate) use self::{
    fresh::{Fresh, Written},
    overlay::{Layer, Overlay, Passes},
};

mod directory;
mod envelope;
mod environment;
mod files;
mod fresh;
mod identity;
pub(crate) mod key;
mod memory;
mod overlay;
mod quota;
mod sign;
pub(crate) mod visible;

#[cfg(test)]
mod contract;

/// A key-value store with compare-and-set, leases, and keys that sign without being shown.
///
/// Keys and semantics are those of `wit/secret-store.wit`. Calls may block: the host makes them on threads
/// that nothing else waits for.
pub trait SecretStore: fmt::Debug + Send + Sync + 'static {
    /// Tells whether a call may wait, for a disk, a lock or a network, or compute for longer than a few
    /// microseconds; signing aside. A store that says no is called on the threads of the runtime.
    fn may_block(&self) -> bool {
        true
    }

    /// The value under `key`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the store cannot answer.
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError>;

    /// Writes durably, and returns the new version.
    ///
    /// # Errors
    /// [`StoreError::VersionMismatch`] if `expected` does not hold; then nothing was written.
    fn put(&self, key: &str, value: &str, expected: &Expected) -> Result<String, StoreError>;

    /// Removes a key, if it is there.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    fn delete(&self, key: &str, expected: &Expected) -> Result<(), StoreError>;

    /// The keys that begin with `prefix`, sorted.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn keys(&self, prefix: &str) -> Result<Vec<String>, StoreError>;

    /// Asks for the exclusive right to do `name` for at most `ttl`.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] where there are no leases.
    fn acquire_lease(&self, name: &str, ttl: Duration) -> Result<Lease, StoreError>;

    /// Gives a lease back. A stale token is not an error.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn release_lease(&self, name: &str, token: &str) -> Result<(), StoreError>;

    /// RS256 over `message` with the private key under `key`.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] if this store does not sign, or not with this key.
    fn sign(&self, key: &str, message: &[u8]) -> Result<Vec<u8>, StoreError>;
}

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
        f.debug_struct("Entry").field("value", &"[secret]").field("version", &self.version).finish()
    }
}

/// The condition for a write to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Write whatever is there.
    Anything,
    /// Only if the key does not exist.
    Absent,
    /// Only if the key has exactly this version.
    Version(String),
}

impl Expected {
    /// Checks that a write may replace `current`.
    fn holds_for(&self, current: Option<&Entry>) -> Result<(), StoreError> {
        let holds = match self {
            Self::Anything => true,
            Self::Absent => current.is_none(),
            Self::Version(version) => current.is_some_and(|entry| entry.version == *version),
        };
        if holds { Ok(()) } else { Err(StoreError::VersionMismatch) }
    }
}

/// The answer to asking for a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lease {
    /// Granted, under this token.
    Granted(String),
    /// Somebody else's, for about this long.
    Held(Duration),
}

/// The reason why the store failed or refused. The texts never hold a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The key has another version than expected.
    #[error("version mismatch")]
    VersionMismatch,
    /// This store cannot be written.
    #[error("the store is read-only")]
    ReadOnly,
    /// This store does not do this.
    #[error("not supported by this store")]
    Unsupported,
    /// The store cannot answer now.
    #[error("store unavailable: {0}")]
    Unavailable(Reason),
    /// Anything else.
    #[error("store: {0}")]
    Other(Reason),
}

impl StoreError {
    /// [`StoreError::Unavailable`], from what failed and where.
    #[must_use]
    pub fn unavailable(message: impl Into<Reason>) -> Self {
        Self::Unavailable(message.into())
    }

    /// [`StoreError::Other`], from what is wrong with what was asked for.
    #[must_use]
    pub fn other(message: impl Into<Reason>) -> Self {
        Self::Other(message.into())
    }

    /// Adds what to do next, if the reason is one of words.
    #[must_use]
    pub fn with_fix(self, fix: impl Into<String>) -> Self {
        match self {
            Self::Unavailable(reason) => Self::Unavailable(reason.with_fix(fix)),
            Self::Other(reason) => Self::Other(reason.with_fix(fix)),
            Self::VersionMismatch | Self::ReadOnly | Self::Unsupported => self,
        }
    }

    /// The failure, without the next step.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::Unavailable(reason) | Self::Other(reason) => reason.message.clone(),
            Self::VersionMismatch | Self::ReadOnly | Self::Unsupported => self.to_string(),
        }
    }

    /// The next step, where the store knows.
    #[must_use]
    pub fn fix(&self) -> Option<&str> {
        match self {
            Self::Unavailable(reason) | Self::Other(reason) => reason.fix.as_deref(),
            Self::VersionMismatch | Self::ReadOnly | Self::Unsupported => None,
        }
    }
}

/// A failure in words: what failed, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reason {
    /// The failure and its place.
    pub message: String,
    /// The next step, and whose move it is.
    pub fix: Option<String>,
}

impl Reason {
    /// Adds what to do next.
    #[must_use]
    pub fn with_fix(self, fix: impl Into<String>) -> Self {
        Self { fix: Some(fix.into()), ..self }
    }
}

impl From<String> for Reason {
    fn from(message: String) -> Self {
        Self { message, fix: None }
    }
}

impl From<&str> for Reason {
    fn from(message: &str) -> Self {
        message.to_owned().into()
    }
}

/// In one breath: what failed; what to do.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.fix.as_ref().map_or(Ok(()), |fix| write!(f, "; {fix}"))
    }
}

/// The longest lease that is granted, whatever is asked for: a guest that asked for a year would
/// keep every other one out for a year.
const MAX_LEASE: Duration = Duration::from_secs(10 * 60);
