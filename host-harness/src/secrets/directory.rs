//! A store in a folder: one encrypted file per key, replaced as a whole, shared by processes.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use self::{leases::Leases, usage::Known};
use super::{
    Entry, Expected, Lease, SecretStore, StoreError, StoreQuota,
    envelope::StoreKey,
    files::{self, Durable},
    identity::KeySource,
    key::{Named, check_key, check_prefix, check_value, connection_of, file_name},
    sign::sign_with_pem,
};
use crate::clock::{Clock, Random, SystemClock, SystemRandom};

mod entries;
mod leases;
mod migration;
mod readers;
mod sharing;
mod usage;

/// Keeps every key in a file of its own, encrypted with [age](https://age-encryption.org).
///
/// A write is on the disk when it returns, and a killed process leaves the old value or the new one.
/// Several processes, and several handles in one process, may share a folder: compare-and-set holds
/// among them. The folder must be on a local file system, for advisory locks.
///
/// A file is encrypted to the store's own key, and to the [recipients](Self::share) of the connection that it
/// belongs to. It is sealed inside: somebody who may write in the folder but has no key can neither change a
/// value, nor put one in the place of another, nor become a recipient of what the store's own key writes.
/// They can remove a file, or put an older one of the same key back; and they see the names of keys, sizes
/// and times.
///
/// Somebody who opens the folder, or a copy of it, with a recipient's key sees the connections shared with
/// it, and nothing else; their writes stay readable to all recipients and to the owner.
pub struct DirectoryStore {
    folder: PathBuf,
    key: StoreKey,
    leases: Leases,
    migrated: usize,
    quota: StoreQuota,
    known: Known,
}

impl DirectoryStore {
    /// Opens the store in the folder at `path` with the key that [`KeySource::from_env`] names.
    ///
    /// # Errors
    /// As [`open_with`](Self::open_with).
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::open_with(path, &KeySource::from_env()?)
    }

    /// Opens the store in the folder at `path`. The folder is made if it is not there, and so is the key if
    /// nothing is encrypted yet. Values that an earlier version left in clear text are encrypted.
    ///
    /// # Errors
    /// [`StoreError::Other`] if `path` is not a place for a store: not a folder, a link, or a folder that
    /// others than its owner can enter and that is not a store yet. [`StoreError::Unavailable`] if the folder
    /// cannot be used or others can enter it by now, if the key cannot be read, or if nothing in the folder
    /// is encrypted to it.
    pub fn open_with(path: impl Into<PathBuf>, key: &KeySource) -> Result<Self, StoreError> {
        Self::open_with_clock(path, key, Arc::new(SystemClock::default()))
    }

    /// As [`open_with`](Self::open_with); leases expire by the wall time of `clock`, which all processes that
    /// share the folder should agree on.
    ///
    /// # Errors
    /// As [`open_with`](Self::open_with).
    pub fn open_with_clock(
        path: impl Into<PathBuf>,
        key: &KeySource,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        // Without a slash at the end, which would follow a link.
        let folder: PathBuf = path.into().components().collect();
        let known = files::exists(&folder.join(LOCK)) && files::exists(&folder.join(LEASES));
        for path in [&folder, &folder.join(SHARING), &folder.join(LEASES)] {
            files::private_folder(path, known)?;
        }
        let leases = Leases::open(folder.join(LEASES), clock)?;

        // Before the lock: a passphrase takes its time.
        let found = key.load(&folder)?;
        let _lock = files::lock(&folder.join(LOCK))?;
        files::remove_leftovers(&folder)?;
        files::remove_leftovers(&folder.join(SHARING))?;
        let found = match found {
            Some(identity) => Some(identity),
            None => key.load(&folder)?,
        };
        let identity = match found {
            Some(identity) => identity,
            None if entries::is_empty(&folder)? => key.create(&folder)?,
            None => {
                return Err(key.missing(&folder));
            }
        };
        let (quota, known) = (StoreQuota::DEFAULT, Known::nothing());
        let mut store = Self { folder, key: StoreKey::new(identity), leases, migrated: 0, quota, known };
        store.refuse_wrong_key(key)?;
        store.migrated = store.migrate()?;
        store.finish_sharing()?;
        Ok(store)
    }

    /// Limits the store to this size, counting the entries that other processes write there.
    #[must_use]
    pub fn with_quota(self, quota: StoreQuota) -> Self {
        Self { quota, ..self }
    }

    /// Tells whether the values are encrypted on the disk: always.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        true
    }

    /// The folder that was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// The number of values that were found in clear text when the store was opened, and are encrypted now.
    /// Backups and free blocks of the disk may still hold them.
    #[must_use]
    pub const fn migrated(&self) -> usize {
        self.migrated
    }

    /// The public half of the key that the store was opened with, `age1…`, to which others share.
    #[must_use]
    pub fn recipient(&self) -> String {
        self.key.recipient().to_string()
    }

    /// The number of entries that this key cannot read, because they are encrypted to others only. The index of nicknames
    /// is the owner's, and is not counted: it tells nothing that a reader of its connections misses.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn hidden(&self) -> Result<usize, StoreError> {
        let mut hidden = 0;
        let is_index = |named: &Named| matches!(named, Named::Key(key) if key.starts_with("nicknames/"));
        for (path, _) in entries::list(&self.folder)?.iter().filter(|(_, named)| !is_index(named)) {
            hidden += usize::from(files::read(path)?.is_some_and(|bytes| self.key.is_hidden(&bytes)));
        }
        Ok(hidden)
    }

    fn file(&self, key: &str) -> PathBuf {
        self.folder.join(file_name(key))
    }

    fn lock(&self) -> Result<fs::File, StoreError> {
        files::lock(&self.folder.join(LOCK))
    }

    fn lock_if(&self, key: &str, expected: &Expected) -> Result<fs::File, StoreError> {
        let lock = self.lock()?;
        if *expected != Expected::Anything {
            expected.holds_for(self.read(key)?.as_ref())?;
        } else if files::read(&self.file(key))?.is_some_and(|bytes| self.key.is_hidden(&bytes)) {
            // `Anything` may replace a damaged file, but none that belongs to others.
            return Err(self.hidden_entry(&self.file(key)));
        }
        Ok(lock)
    }

    fn refuse_wrong_key(&self, key: &KeySource) -> Result<(), StoreError> {
        let mut hidden = 0;
        for (path, _) in entries::list(&self.folder)?.iter().filter(|(_, named)| *named != Named::Foreign) {
            match files::read(path)? {
                Some(bytes) if self.key.is_hidden(&bytes) => hidden += 1,
                Some(_) => return Ok(()),
                None => {}
            }
        }
        if hidden == 0 {
            return Ok(());
        }
        if key.overlooks_passphrase(&self.folder) {
            return Err(key.missing(&self.folder));
        }
        let recipient = self.recipient();
        let folder = self.folder.display();
        Err(StoreError::unavailable(format!(
            "none of the {hidden} entries in {folder} is encrypted to this key ({recipient})"
        ))
        .with_fix(
            "open the store with the key it was made with, or ask its owner to share a connection with this \
             recipient",
        ))
    }
}

impl SecretStore for DirectoryStore {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        check_key(key)?;
        match self.read(key) {
            // Being shared at this moment looks like damage. Under the lock nothing moves.
            Err(StoreError::Unavailable(_)) if self.is_shared(key) => {
                let _lock = self.lock()?;
                self.read(key)
            }
            read => read,
        }
    }

    fn put(&self, key: &str, value: &str, expected: &Expected) -> Result<String, StoreError> {
        check_key(key)?;
        check_value(value)?;
        let version = nonce();
        let _lock = self.lock_if(key, expected)?;
        let readers = self.readers_for_writing(key)?;
        self.write(key, value, &version, &readers, Some(self.quota))?;
        Ok(version)
    }

    fn delete(&self, key: &str, expected: &Expected) -> Result<(), StoreError> {
        check_key(key)?;
        let _lock = self.lock_if(key, expected)?;
        files::remove(&self.folder, &self.file(key), Durable::Yes)?;
        match connection_of(key) {
            Some(connection) => self.forget_sharing_of_nothing(connection),
            None => Ok(()),
        }
    }

    fn keys(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        check_prefix(prefix)?;
        let mut keys = Vec::new();
        for (path, named) in entries::list(&self.folder)? {
            let Some(key) = self.key_in(&path, named)? else { continue };
            // A damaged file stays listed: a value that cannot be read is not to look as if it were not
            // there.
            if key.starts_with(prefix) && files::read(&path)?.is_some_and(|bytes| !self.key.is_hidden(&bytes))
            {
                keys.push(key);
            }
        }
        keys.sort_unstable();
        Ok(keys)
    }

    fn acquire_lease(&self, name: &str, ttl: Duration) -> Result<Lease, StoreError> {
        check_key(name)?;
        self.leases.acquire(name, ttl, self.quota)
    }

    fn release_lease(&self, name: &str, token: &str) -> Result<(), StoreError> {
        check_key(name)?;
        self.leases.release(name, token)
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

fn nonce() -> String {
    let mut bytes = [0; 16];
    SystemRandom.fill(&mut bytes);
    format!("{:032x}", u128::from_be_bytes(bytes))
}

const LEASES: &str = "leases";
const SHARING: &str = "sharing";
/// The lock's file, which is never removed: a lock on a removed file would lock out nobody.
const LOCK: &str = ".lock";

#[cfg(test)]
mod tests;
