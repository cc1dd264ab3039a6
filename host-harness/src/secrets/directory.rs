//! A store in a folder: one file per key, replaced as a whole, shared by processes.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    Entry, Expected, Lease, MAX_LEASE, SecretStore, StoreError,
    files::{self, Durable},
    key::{Named, check_key, check_prefix, check_value, file_name, key_of},
    sign::sign_with_pem,
};
use crate::clock::{Clock, Random, SystemClock, SystemRandom};

/// Keeps every key in a file of its own, readable by its owner only.
///
/// A write is on the disk when it returns, and a killed process leaves the old value or the new one.
/// Several processes, and several handles in one process, may share a folder: compare-and-set holds
/// among them. The folder must be on a local file system, for advisory locks.
///
/// **Values are not encrypted in this version.** Whoever can read the files, from a backup for
/// instance, can read the secrets; [`is_encrypted`](Self::is_encrypted) lets a caller say so.
pub struct DirectoryStore {
    folder: PathBuf,
    leases: PathBuf,
    clock: Arc<dyn Clock>,
}

impl DirectoryStore {
    /// Opens the store in the folder at `path`, which is made if it is not there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the folder cannot be used, or if others than its owner can
    /// enter it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::open_with_clock(path, Arc::new(SystemClock::default()))
    }

    /// As [`open`](Self::open); leases expire by the wall time of `clock`, which all processes that
    /// share the folder should agree on.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with_clock(path: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let folder = path.into();
        let leases = folder.join(LEASES);
        files::private_folder(&folder)?;
        files::private_folder(&leases)?;
        for folder in [&folder, &leases] {
            let _lock = files::lock(&folder.join(LOCK))?;
            files::remove_leftovers(folder)?;
        }
        Ok(Self { folder, leases, clock })
    }

    /// Whether the values are encrypted on the disk: not in this version.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        false
    }

    /// The folder that was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.folder
    }

    fn file(&self, key: &str) -> PathBuf {
        self.folder.join(file_name(key))
    }

    fn lock_if(&self, key: &str, expected: &Expected) -> Result<fs::File, StoreError> {
        let lock = files::lock(&self.folder.join(LOCK))?;
        // `Anything` reads nothing, so that it can also replace a damaged file.
        if *expected != Expected::Anything {
            expected.holds_for(self.get(key)?.as_ref())?;
        }
        Ok(lock)
    }
}

impl SecretStore for DirectoryStore {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        check_key(key)?;
        let path = self.file(key);
        let Some(bytes) = files::read(&path)? else { return Ok(None) };
        let StoredValue { key: found, value, version, .. } = decode(&path, &bytes)?;
        if found != key {
            return Err(damaged(&path, "it belongs to another key"));
        }
        Ok(Some(Entry { value, version }))
    }

    fn put(&self, key: &str, value: &str, expected: &Expected) -> Result<String, StoreError> {
        check_key(key)?;
        check_value(value)?;
        let stored =
            StoredValue { format: FORMAT, version: nonce(), key: key.to_owned(), value: value.to_owned() };
        let _lock = self.lock_if(key, expected)?;
        files::replace(&self.folder, &self.file(key), &encode(&stored), Durable::Yes)?;
        Ok(stored.version)
    }

    fn delete(&self, key: &str, expected: &Expected) -> Result<(), StoreError> {
        check_key(key)?;
        let _lock = self.lock_if(key, expected)?;
        files::remove(&self.folder, &self.file(key), Durable::Yes)
    }

    fn keys(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        check_prefix(prefix)?;
        let failed = |error| files::unavailable("cannot list", &self.folder, &error);
        let mut keys = Vec::new();
        for file in fs::read_dir(&self.folder).map_err(failed)? {
            let file = file.map_err(failed)?;
            let name = file.file_name();
            let name = name.to_string_lossy();
            // The lock, files being written, and what file managers leave everywhere.
            if name.starts_with('.') || name == LEASES {
                continue;
            }
            match key_of(&name) {
                Named::Key(key) => keys.push(key),
                Named::Inside => {
                    // Gone since it was listed: then it is no key.
                    let Some(bytes) = files::read(&file.path())? else { continue };
                    let key = decode::<StoredValue>(&file.path(), &bytes)?.key;
                    if file_name(&key) != name {
                        return Err(damaged(&file.path(), "it belongs to another key"));
                    }
                    keys.push(key);
                }
                Named::Foreign => return Err(damaged(&file.path(), "it is not of this store")),
            }
        }
        keys.retain(|key| key.starts_with(prefix));
        keys.sort_unstable();
        Ok(keys)
    }

    fn acquire_lease(&self, name: &str, ttl: Duration) -> Result<Lease, StoreError> {
        check_key(name)?;
        let path = self.leases.join(file_name(name));
        let _lock = files::lock(&self.leases.join(LOCK))?;
        let now = self.clock.now();
        if let Some(rest) = read_lease(&path)?.and_then(|lease| lease.rest(now)) {
            return Ok(Lease::Held(rest));
        }
        let granted = millis(now);
        let until = granted.saturating_add(millis(ttl.min(MAX_LEASE)));
        let lease = StoredLease { format: FORMAT, name: name.to_owned(), token: nonce(), granted, until };
        // A lease that a power cut takes is no loss: its holder is gone, too.
        files::replace(&self.leases, &path, &encode(&lease), Durable::No)?;
        Ok(Lease::Granted(lease.token))
    }

    fn release_lease(&self, name: &str, token: &str) -> Result<(), StoreError> {
        check_key(name)?;
        let path = self.leases.join(file_name(name));
        let _lock = files::lock(&self.leases.join(LOCK))?;
        if read_lease(&path)?.is_some_and(|lease| lease.token == token) {
            files::remove(&self.leases, &path, Durable::No)?;
        }
        Ok(())
    }

    fn sign(&self, key: &str, message: &[u8]) -> Result<Vec<u8>, StoreError> {
        let entry = self.get(key)?.ok_or(StoreError::Unsupported)?;
        sign_with_pem(&entry.value, message)
    }
}

impl fmt::Debug for DirectoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectoryStore").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// The content of a key's file. No `Debug`: it holds the value.
#[derive(Serialize, Deserialize)]
struct StoredValue {
    format: u32,
    /// Random, so that a version never comes back, not even after a delete.
    version: String,
    key: String,
    value: String,
}

/// The content of a lease's file; the times are milliseconds since 1970-01-01T00:00:00Z.
#[derive(Serialize, Deserialize)]
struct StoredLease {
    format: u32,
    name: String,
    token: String,
    granted: u64,
    until: u64,
}

impl StoredLease {
    /// How long it still holds. A lease from the future dates from before the clock was set back,
    /// and says nothing about how long that is.
    fn rest(&self, now: Duration) -> Option<Duration> {
        let now = millis(now);
        let rest = self.until.checked_sub(now).filter(|rest| *rest > 0 && self.granted <= now)?;
        Some(Duration::from_millis(rest))
    }
}

/// An unreadable lease is none: nothing breaks when one is granted twice.
fn read_lease(path: &Path) -> Result<Option<StoredLease>, StoreError> {
    let bytes = files::read(path)?;
    Ok(bytes.and_then(|bytes| decode(path, &bytes).ok()))
}

fn encode(content: &impl Serialize) -> String {
    serde_json::to_string(content).expect("strings and numbers have a JSON form")
}

/// serde_json's messages quote the text; only the place is passed on.
fn decode<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, StoreError> {
    #[derive(Deserialize)]
    struct Header {
        format: u32,
    }
    let torn = |error: serde_json::Error| {
        damaged(
            path,
            &format!(
                "it breaks off or is not of this store, at line {}, column {}",
                error.line(),
                error.column()
            ),
        )
    };
    let Header { format } = serde_json::from_slice(bytes).map_err(torn)?;
    if format != FORMAT {
        return Err(damaged(path, &format!("its format is {format}, and this version reads {FORMAT}")));
    }
    serde_json::from_slice(bytes).map_err(torn)
}

fn damaged(path: &Path, why: &str) -> StoreError {
    let path = path.display();
    StoreError::Unavailable(format!(
        "cannot use {path}: {why}; restore it from a backup, or move it out of the folder and connect again"
    ))
}

fn nonce() -> String {
    let mut bytes = [0; 16];
    SystemRandom.fill(&mut bytes);
    format!("{:032x}", u128::from_be_bytes(bytes))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

const FORMAT: u32 = 1;
const LEASES: &str = "leases";
/// Never removed: a lock on a removed file would lock out nobody.
const LOCK: &str = ".lock";

#[cfg(test)]
mod tests;
