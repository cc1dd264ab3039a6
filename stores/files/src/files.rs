//! The contract over a folder.

use std::{
    fs,
    io::{self, ErrorKind},
    path::PathBuf,
    time::Duration,
};

use gcf_store::{
    contract::{Entry, Expected, Lease, Result, Store, StoreError},
    lease::{self, StoredLease},
    name::{Key, Prefix, Value, number},
    seal::{MAX_CLOSED, Seal},
    settings::Settings,
    world::World,
};

use crate::versions::{self, Added, Latest, Versions};

/// A store in a folder.
pub(crate) struct Files<W> {
    world: W,
    folder: PathBuf,
    seal: Seal,
}

impl<W: World> Files<W> {
    pub(crate) fn open(world: W, settings: &Settings) -> Result<Self> {
        let folder = settings.get("GCF_FILES_DIR").unwrap_or("/store").into();
        Ok(Self { world, folder, seal: Seal::from_settings(settings)? })
    }

    /// The versions of a key: in a folder of its own, beneath one by the key's first character. File systems take names
    /// of 255 bytes, and a key may have 256.
    fn versions(&self, kind: &str, key: &Key) -> Versions {
        let segment = key.segment();
        let (first, rest) = segment.split_at(1);
        let rest = if rest.is_empty() { NOTHING } else { rest };
        Versions::of(&self.folder, self.folder.join(kind).join(first).join(rest))
    }

    fn latest(&self, versions: &Versions) -> Result<Option<Latest>> {
        versions.latest(MAX_CLOSED as u64).map_err(unreadable)
    }

    /// Makes sure that there is a folder: one that is not mounted, or not yet, is no empty store. It is asked for by every
    /// call, for a store that is open may outlast a time without it.
    fn is_there(&self) -> Result<()> {
        match fs::metadata(&self.folder) {
            Ok(found) if found.is_dir() => Ok(()),
            Ok(_) => Err(StoreError::other("the store's folder is not a folder")),
            Err(error) => Err(unreadable(error)),
        }
    }

    fn add(&self, versions: &Versions, after: u64, bytes: &[u8]) -> Result<Added> {
        let now = self.world.now();
        let unfinished = self.folder.join(UNFINISHED);
        let fresh = unfinished.join(lease::token(self.world.random()));
        let add = || {
            versions::create_folder(&unfinished)?;
            if after == 0 {
                versions::tidy_leftovers(&unfinished, now);
            }
            versions.add(after, bytes, &fresh, now)
        };
        add().map_err(unwritable)
    }

    /// Adds a version where a condition holds for the one that counts; looks again as often as somebody is faster.
    fn change(
        &self,
        versions: &Versions,
        mut next: impl FnMut(Option<&Latest>) -> Result<Option<Vec<u8>>>,
    ) -> Result<u64> {
        self.is_there()?;
        for _ in 0..TRIES {
            let latest = self.latest(versions)?;
            let after = latest.as_ref().map_or(0, |latest| latest.number);
            let Some(bytes) = next(latest.as_ref())? else { return Ok(after) };
            if let Added::Done(number) = self.add(versions, after, &bytes)? {
                return Ok(number);
            }
        }
        Err(StoreError::unavailable("others write this entry all the time"))
    }

    /// The names of all keys of a kind, with the folders of their versions.
    fn each(&self, kind: &str) -> io::Result<Vec<Key>> {
        let folder = self.folder.join(kind);
        let mut keys = Vec::new();
        for first in versions::names(&folder)? {
            let inner = folder.join(&first);
            if !inner.is_dir() {
                continue;
            }
            for rest in versions::names(&inner)? {
                let rest = if rest == NOTHING { "" } else { &rest };
                keys.extend(Key::of_segment(&[&first, rest].concat()));
            }
        }
        keys.sort_unstable();
        Ok(keys)
    }
}

impl<W: World> Store for Files<W> {
    fn get(&self, key: &Key) -> Result<Option<Entry>> {
        self.is_there()?;
        self.latest(&self.versions(ENTRIES, key))?
            .filter(Latest::is_there)
            .map(|Latest { number, bytes }| {
                Ok(Entry { value: self.seal.open(key, &bytes)?, version: number.to_string() })
            })
            .transpose()
    }

    fn put(&self, key: &Key, value: &Value, expected: &Expected) -> Result<String> {
        let closed = self.seal.close(key, *value, self.world.random());
        let number = self.change(&self.versions(ENTRIES, key), |latest| {
            holds(expected, latest)?;
            Ok(Some(closed.clone()))
        })?;
        Ok(number.to_string())
    }

    fn delete(&self, key: &Key, expected: &Expected) -> Result<()> {
        let changed = self.change(&self.versions(ENTRIES, key), |latest| {
            holds(expected, latest)?;
            Ok(latest.is_some_and(Latest::is_there).then(|| DELETED.to_vec()))
        });
        changed.map(drop)
    }

    fn keys(&self, prefix: &Prefix) -> Result<Vec<String>> {
        self.is_there()?;
        let mut found = Vec::new();
        for key in self.each(ENTRIES).map_err(unreadable)? {
            if key.as_str().starts_with(prefix.as_str()) {
                let latest = self.latest(&self.versions(ENTRIES, &key))?;
                found.extend(latest.filter(Latest::is_there).map(|_| key.as_str().to_owned()));
            }
        }
        Ok(found)
    }

    fn acquire_lease(&self, name: &Key, ttl: Duration) -> Result<Lease> {
        let now = self.world.now();
        let token = lease::token(self.world.random());
        let mut rest = None;
        self.change(&self.versions(LEASES, name), |latest| {
            let held = latest.and_then(|latest| StoredLease::from_json(&latest.bytes));
            rest = held.and_then(|lease| lease.rest(now));
            Ok(rest.is_none().then(|| StoredLease::new(token.clone(), now, ttl).to_json().into_bytes()))
        })?;
        Ok(rest.map_or(Lease::Granted(token), Lease::Held))
    }

    fn release_lease(&self, name: &Key, token: &str) -> Result<()> {
        let changed = self.change(&self.versions(LEASES, name), |latest| {
            let held = latest.and_then(|latest| StoredLease::from_json(&latest.bytes));
            Ok(held.filter(|lease| lease.token == token).map(|_| DELETED.to_vec()))
        });
        changed.map(drop)
    }
}

impl Latest {
    fn is_there(&self) -> bool {
        self.bytes != DELETED
    }
}

fn holds(expected: &Expected, latest: Option<&Latest>) -> Result<()> {
    let there = latest.filter(|latest| latest.is_there());
    let holds = match expected {
        Expected::Anything => true,
        Expected::Absent => there.is_none(),
        Expected::Version(version) => there.is_some_and(|there| number(version) == Some(there.number)),
    };
    if holds { Ok(()) } else { Err(StoreError::VersionMismatch) }
}

/// The reason why nothing was read, by its kind: a path may name a connection.
pub(crate) fn unreadable(error: io::Error) -> StoreError {
    let kind = error.kind();
    if kind == ErrorKind::PermissionDenied {
        StoreError::other("the store's folder cannot be read: permission denied")
    } else if kind == ErrorKind::FileTooLarge {
        StoreError::other("a file in the store's folder is none of its own")
    } else {
        StoreError::unavailable(format!("the store's folder: {kind}"))
    }
}

/// The reason why nothing was written, or why nobody can tell.
pub(crate) fn unwritable(error: io::Error) -> StoreError {
    let kind = error.kind();
    if matches!(kind, ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) {
        StoreError::ReadOnly
    } else if kind == ErrorKind::TimedOut {
        StoreError::unavailable("the store's folder: whether this was written cannot be told")
    } else if kind == ErrorKind::Unsupported {
        StoreError::other(
            "the store's folder cannot be used: its file system has no hard links, or the host none",
        )
    } else {
        unreadable(error)
    }
}

/// The content of a version that deletes. No sealed value and no lease is empty.
const DELETED: &[u8] = b"";
/// The rest of a segment of one character. No segment has it.
const NOTHING: &str = "~";
const ENTRIES: &str = "entries";
const LEASES: &str = "leases";
const UNFINISHED: &str = "unfinished";
/// The rounds of a race with others that are played before giving up.
const TRIES: usize = 64;
