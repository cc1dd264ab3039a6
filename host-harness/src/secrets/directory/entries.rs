//! Values: the content of a key's file, and the meaning of its name in the folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{DirectoryStore, LEASES, SHARING, readers::Readers};
use crate::secrets::{
    Entry, StoreError, StoreQuota,
    envelope::{self, Opened, Unreadable},
    files::{self, Durable},
    key::{Named, file_name, is_clear, key_of},
};

/// The content of a key's file. No `Debug`: it holds the value.
///
/// The key is in it, so that a file which was copied under another key's name is told apart.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredValue {
    pub(super) format: u32,
    /// Random, so that a version never comes back, not even after a delete.
    pub(super) version: String,
    pub(super) key: String,
    pub(super) value: String,
}

impl DirectoryStore {
    /// The value under a key; the list of readers is read first, as it is written first.
    pub(super) fn read(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        let readers = self.readers(key);
        let path = self.file(key);
        let Some(bytes) = files::read(&path)? else { return Ok(None) };
        let StoredValue { value, version, .. } = self.open_value(&path, &bytes, key, &readers?)?;
        Ok(Some(Entry { value, version }))
    }

    /// Writes a value, within a quota if it may be a new one.
    pub(super) fn write(
        &self,
        key: &str,
        value: &str,
        version: &str,
        readers: &Readers,
        quota: Option<StoreQuota>,
    ) -> Result<(), StoreError> {
        let stored =
            StoredValue { format: FORMAT, version: version.into(), key: key.into(), value: value.into() };
        let bytes = envelope::seal(&readers.all, &readers.seal_key(&self.key), &encode(&stored));
        let file = self.file(key);
        if let Some(quota) = quota {
            let old = fs::symlink_metadata(&file).ok().map(|metadata| metadata.len());
            self.known.add(&self.folder, quota, old, bytes.len() as u64)?;
        }
        files::replace(&self.folder, &file, &bytes, Durable::Yes)
    }

    pub(super) fn open_value(
        &self,
        path: &Path,
        bytes: &[u8],
        key: &str,
        readers: &Readers,
    ) -> Result<StoredValue, StoreError> {
        let opened = self.decrypt(path, bytes)?;
        let stored: StoredValue = decode(path, &opened.json, FORMAT)?;
        if stored.key != key {
            return Err(damaged(path, "it belongs to another key"));
        }
        if !readers.have_sealed(&opened, &self.key) {
            return Err(damaged(path, "it was not written by one of its readers"));
        }
        Ok(stored)
    }

    pub(super) fn decrypt(&self, path: &Path, bytes: &[u8]) -> Result<Opened, StoreError> {
        self.key.open(bytes).map_err(|unreadable| match unreadable {
            Unreadable::Hidden => self.hidden_entry(path),
            Unreadable::Damaged => damaged(path, "it is not as it was written"),
        })
    }

    /// The key of a file, or `None` if this store's key may not know it.
    pub(super) fn key_in(&self, path: &Path, named: Named) -> Result<Option<String>, StoreError> {
        match named {
            Named::Key(key) => Ok(Some(key)),
            Named::Inside => {
                // Gone since it was listed: then it is not a key.
                let Some(bytes) = files::read(path)?.filter(|bytes| !self.key.is_hidden(bytes)) else {
                    return Ok(None);
                };
                let StoredValue { key, .. } = decode(path, &self.decrypt(path, &bytes)?.json, FORMAT)?;
                if path.file_name().is_none_or(|name| *name != *file_name(&key)) {
                    return Err(damaged(path, "it belongs to another key"));
                }
                Ok(Some(key))
            }
            Named::Foreign => Err(damaged(path, "it is not of this store")),
        }
    }

    pub(super) fn hidden_entry(&self, path: &Path) -> StoreError {
        let path = path.display();
        StoreError::unavailable(format!("cannot read {path}: it is not encrypted to this key"))
            .with_fix(format!("ask its owner to share the connection with {}", self.recipient()))
    }
}

/// Tells whether the folder holds no encrypted value.
pub(super) fn is_empty(folder: &Path) -> Result<bool, StoreError> {
    Ok(list(folder)?.iter().all(|(_, named)| *named == Named::Foreign))
}

/// The files of values, and those that do not belong here. Clear text of an earlier version is not among them
/// while it waits to be encrypted.
pub(super) fn list(folder: &Path) -> Result<Vec<(PathBuf, Named)>, StoreError> {
    // Hidden are the lock, files being written, and what file managers leave everywhere.
    let ours =
        |name: &&String| !name.starts_with('.') && *name != LEASES && *name != SHARING && !is_clear(name);
    let names = files::names(folder)?;
    Ok(names.iter().filter(ours).map(|name| (folder.join(name), key_of(name))).collect())
}

pub(super) fn encode(content: &impl Serialize) -> String {
    serde_json::to_string(content).expect("strings and numbers have a JSON form")
}

/// Reads JSON. serde_json's messages quote the text; only the place is passed on.
pub(super) fn decode<T: DeserializeOwned>(path: &Path, json: &[u8], format: u32) -> Result<T, StoreError> {
    #[derive(Deserialize)]
    struct Header {
        format: u32,
    }
    let torn = |error: serde_json::Error| {
        let (line, column) = (error.line(), error.column());
        damaged(path, &format!("it breaks off or is not of this store, at line {line}, column {column}"))
    };
    let header: Header = serde_json::from_slice(json).map_err(torn)?;
    if header.format != format {
        let found = header.format;
        return Err(damaged(path, &format!("its format is {found}, and this version reads {format}")));
    }
    serde_json::from_slice(json).map_err(torn)
}

pub(super) fn damaged(path: &Path, why: &str) -> StoreError {
    let path = path.display();
    StoreError::unavailable(format!("cannot use {path}: {why}"))
        .with_fix("restore it from a backup, or move it out of the folder and connect again")
}

/// The version of the files' format; 1 was clear text.
pub(super) const FORMAT: u32 = 2;
