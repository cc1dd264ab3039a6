//! Leases: the right to do something now, with its holder and its end. They hold no secret, and are not
//! encrypted.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{
    LOCK,
    entries::{decode, encode},
    nonce,
};
use crate::{
    clock::Clock,
    secrets::{
        Lease, MAX_LEASE, StoreError, StoreQuota,
        files::{self, Durable},
        key::clear_file_name,
    },
};

/// The folder of leases.
pub(super) struct Leases {
    folder: PathBuf,
    clock: Arc<dyn Clock>,
}

impl Leases {
    /// Opens the leases in an existing folder.
    pub(super) fn open(folder: PathBuf, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let _lock = files::lock(&folder.join(LOCK))?;
        files::remove_leftovers(&folder)?;
        Ok(Self { folder, clock })
    }

    pub(super) fn acquire(&self, name: &str, ttl: Duration, quota: StoreQuota) -> Result<Lease, StoreError> {
        let path = self.file(name);
        let _lock = files::lock(&self.folder.join(LOCK))?;
        let now = self.clock.now();
        if let Some(rest) = read(&path)?.and_then(|lease| lease.rest(now)) {
            return Ok(Lease::Held(rest));
        }
        self.make_room(&path, now, quota)?;
        let granted = millis(now);
        let until = granted.saturating_add(millis(ttl.min(MAX_LEASE)));
        let lease = StoredLease { format: FORMAT, name: name.to_owned(), token: nonce(), granted, until };
        // A lease that a power cut takes is not a loss: its holder is gone, too.
        files::replace(&self.folder, &path, encode(&lease).as_bytes(), Durable::No)?;
        Ok(Lease::Granted(lease.token))
    }

    /// Removes leases that nobody gave back and nobody holds any more, where the folder is full.
    fn make_room(&self, path: &Path, now: Duration, quota: StoreQuota) -> Result<(), StoreError> {
        if files::exists(path) {
            return Ok(());
        }
        let mut names = files::names(&self.folder)?;
        names.retain(|name| !name.starts_with('.'));
        if quota.check_leases(names.len()).is_ok() {
            return Ok(());
        }
        let mut held = 0;
        for name in names {
            let path = self.folder.join(name);
            if read(&path)?.and_then(|lease| lease.rest(now)).is_some() {
                held += 1;
            } else {
                files::remove(&self.folder, &path, Durable::No)?;
            }
        }
        quota.check_leases(held)
    }

    pub(super) fn release(&self, name: &str, token: &str) -> Result<(), StoreError> {
        let path = self.file(name);
        let _lock = files::lock(&self.folder.join(LOCK))?;
        if read(&path)?.is_some_and(|lease| lease.token == token) {
            files::remove(&self.folder, &path, Durable::No)?;
        }
        Ok(())
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(clear_file_name(name))
    }
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
    /// The time for which the lease still holds. A lease from the future dates from before the clock was set
    /// back, and says nothing about that time.
    fn rest(&self, now: Duration) -> Option<Duration> {
        let now = millis(now);
        let rest = self.until.checked_sub(now).filter(|rest| *rest > 0 && self.granted <= now)?;
        Some(Duration::from_millis(rest))
    }
}

/// Reads a lease. An unreadable one counts as absent: nothing breaks when a lease is granted twice.
fn read(path: &Path) -> Result<Option<StoredLease>, StoreError> {
    let bytes = files::read(path)?;
    Ok(bytes.and_then(|bytes| decode(path, &bytes, FORMAT).ok()))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

const FORMAT: u32 = 1;
