//! Sharing: the readers of a connection's entries beside the store's own key.
//!
//! The list of a shared connection is a file of its own, encrypted to all who are on it. It holds a key, made
//! anew with each change of the list, that seals the entries of the connection. So the two are tied together:
//! a list that was planted, or an old one put back, does not fit the entries, and is refused. The list's
//! maker has sealed it, too: nobody else can change it for them.

use std::{collections::BTreeSet, fs, path::PathBuf};

use age::x25519::Recipient;

use super::{
    DirectoryStore, SHARING,
    entries::{self, FORMAT, StoredValue, damaged, decode, encode},
    readers::{Readers, Seal, StoredReaders},
};
use crate::secrets::{
    StoreError, envelope,
    files::{self, Durable},
    key::{check_key, connection_of, file_name},
};

impl DirectoryStore {
    /// Lets the owner of `recipient`, an `age1…`, read and write the entries of a connection, present and
    /// future. Sharing twice is not an error.
    ///
    /// Only the key that made a connection can share it.
    ///
    /// # Errors
    /// [`StoreError::Other`] if the recipient is invalid or the store's own, if there is no such connection,
    /// or if somebody else shared it with this key. [`StoreError::Unavailable`] if an entry of it cannot be
    /// read.
    pub fn share(&self, connection: &str, recipient: &str) -> Result<(), StoreError> {
        let recipient = self.other_recipient(recipient)?;
        let (_lock, old) = self.own_readers(connection)?;
        if old.all.contains(&recipient) {
            return Ok(());
        }
        let all = old.all.iter().cloned().chain([recipient]).collect();
        self.share_with(connection, all, old)
    }

    /// Ends what [`share`](Self::share) began, for all writes from now on. The recipient knows what they have
    /// read, and can still read a copy of the folder that they took. Sign in anew to end that.
    ///
    /// # Errors
    /// As [`share`](Self::share), and if the connection was not shared with this recipient.
    pub fn unshare(&self, connection: &str, recipient: &str) -> Result<(), StoreError> {
        let recipient = self.other_recipient(recipient)?;
        let (_lock, old) = self.own_readers(connection)?;
        if !old.all.contains(&recipient) {
            return Err(StoreError::other(format!("the connection is not shared with {recipient}"))
                .with_fix("name one that it is shared with"));
        }
        let all = old.all.iter().filter(|reader| **reader != recipient).cloned().collect();
        self.share_with(connection, all, old)
    }

    /// Lists the readers of a connection beside the key that the store was opened with, sorted.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the list cannot be read.
    pub fn recipients(&self, connection: &str) -> Result<Vec<String>, StoreError> {
        check_connection(connection)?;
        let _lock = self.lock()?;
        let readers = self.readers_of(connection)?;
        let others = readers.all.iter().filter(|reader| *reader != self.key.recipient());
        let others: BTreeSet<String> = others.map(Recipient::to_string).collect();
        Ok(others.into_iter().collect())
    }

    /// The readers of the entry of `key`.
    pub(super) fn readers(&self, key: &str) -> Result<Readers, StoreError> {
        match connection_of(key) {
            Some(connection) => self.readers_of(connection),
            None => Ok(Readers::nobody_else(&self.key)),
        }
    }

    /// As [`readers`](Self::readers), and refuses a list that does not fit the existing entries: it was
    /// planted or is an old one, and the next write would go to those on it.
    pub(super) fn readers_for_writing(&self, key: &str) -> Result<Readers, StoreError> {
        let readers = self.readers(key)?;
        let Some(connection) = connection_of(key).filter(|_| readers.are_listed()) else {
            return Ok(readers);
        };
        let mut fits = readers.is_own;
        for kind in ["connections", "credentials", "keys"] {
            let other = format!("{kind}/{connection}");
            match self.read(&other) {
                Ok(entry) => fits |= entry.is_some(),
                // It is about to be replaced.
                Err(_) if other == key => {}
                Err(error) => return Err(error),
            }
        }
        if fits { Ok(readers) } else { Err(damaged(&self.list(connection), "it fits no connection here")) }
    }

    pub(super) fn is_shared(&self, key: &str) -> bool {
        connection_of(key).is_some_and(|connection| files::exists(&self.list(connection)))
    }

    /// Removes the list of a connection that has no entries left. The caller holds the lock.
    pub(super) fn forget_sharing_of_nothing(&self, connection: &str) -> Result<(), StoreError> {
        let list = self.list(connection);
        if files::exists(&list) && self.entries_of(connection)?.is_empty() {
            files::remove(&self.folder.join(SHARING), &list, Durable::Yes)?;
        }
        Ok(())
    }

    /// Finishes the changes of lists that were killed half-way. The caller holds the lock.
    pub(super) fn finish_sharing(&self) -> Result<(), StoreError> {
        for name in files::names(&self.folder.join(SHARING))? {
            let path = self.folder.join(SHARING).join(&name);
            // A damaged list is reported when its connection is used; it does not keep the others from being
            // finished.
            let opened = files::read(&path)?.and_then(|bytes| self.key.open(&bytes).ok());
            let Some(stored) =
                opened.and_then(|opened| decode::<StoredReaders>(&path, &opened.json, FORMAT).ok())
            else {
                continue;
            };
            if stored.previous.is_some()
                && let Ok(readers) = self.readers_of(&stored.connection)
                && readers.is_own
            {
                // If that fails, everything is as readable as before, and the next change of the list says
                // why.
                let _ = self.finish(&stored.connection, readers);
            }
        }
        Ok(())
    }

    fn other_recipient(&self, text: &str) -> Result<Recipient, StoreError> {
        // The text is not repeated: it may be the other half of the key.
        let recipient: Recipient = text
            .trim()
            .parse()
            .map_err(|_| StoreError::other("a recipient looks like `age1…`").with_fix("ask for theirs"))?;
        if recipient == *self.key.recipient() {
            return Err(StoreError::other("that recipient is this store's own").with_fix("ask for theirs"));
        }
        Ok(recipient)
    }

    /// The list of a connection that this key may change, with nothing left to finish, and the lock.
    fn own_readers(&self, connection: &str) -> Result<(fs::File, Readers), StoreError> {
        check_connection(connection)?;
        let lock = self.lock()?;
        let readers = self.readers_of(connection)?;
        if !readers.is_own {
            return Err(StoreError::other(
                "the connection was shared with this key, and only who made it can share it",
            )
            .with_fix("ask them"));
        }
        if readers.previous.is_none() {
            return Ok((lock, readers));
        }
        self.finish(connection, readers)?;
        let readers = self.readers_of(connection)?;
        Ok((lock, readers))
    }

    fn share_with(&self, connection: &str, all: Vec<Recipient>, old: Readers) -> Result<(), StoreError> {
        // Before the list is written: an entry that cannot be read now could not be read afterwards either.
        if self.values_of(connection, &old)?.is_empty() {
            return Err(StoreError::other("there is no such connection in this store")
                .with_fix("name one that is there"));
        }
        let readers = Readers { all, seal: Seal::new(), previous: Some(old.seal), is_own: true };
        self.write_list(connection, &readers)?;
        self.finish(connection, readers)
    }

    /// Encrypts each entry to the readers of the list, and then forgets the previous seal.
    fn finish(&self, connection: &str, mut readers: Readers) -> Result<(), StoreError> {
        for StoredValue { key, value, version, .. } in self.values_of(connection, &readers)? {
            self.write(&key, &value, &version, &readers, None)?;
        }
        readers.previous = None;
        self.write_list(connection, &readers)
    }

    fn values_of(&self, connection: &str, readers: &Readers) -> Result<Vec<StoredValue>, StoreError> {
        let mut values = Vec::new();
        for (path, key) in self.entries_of(connection)? {
            let Some(bytes) = files::read(&path)? else { continue };
            values.push(self.open_value(&path, &bytes, &key, readers)?);
        }
        Ok(values)
    }

    fn entries_of(&self, connection: &str) -> Result<Vec<(PathBuf, String)>, StoreError> {
        let mut entries = Vec::new();
        for (path, named) in entries::list(&self.folder)? {
            match self.key_in(&path, named)? {
                Some(key) if connection_of(&key) == Some(connection) => entries.push((path, key)),
                Some(_) | None => {}
            }
        }
        Ok(entries)
    }

    fn list(&self, connection: &str) -> PathBuf {
        self.folder.join(SHARING).join(file_name(connection))
    }

    fn readers_of(&self, connection: &str) -> Result<Readers, StoreError> {
        let path = self.list(connection);
        let Some(bytes) = files::read(&path)? else { return Ok(Readers::nobody_else(&self.key)) };
        let opened = self.decrypt(&path, &bytes)?;
        let stored: StoredReaders = decode(&path, &opened.json, FORMAT)?;
        if stored.connection != connection {
            return Err(damaged(&path, "it belongs to another connection"));
        }
        let is_own = opened.is_sealed_by(&self.key.lists);
        Readers::of(&stored, &self.key, is_own).ok_or_else(|| damaged(&path, "it is no list of readers"))
    }

    fn write_list(&self, connection: &str, readers: &Readers) -> Result<(), StoreError> {
        let stored = StoredReaders::new(FORMAT, connection, readers);
        let bytes = envelope::seal(&readers.all, &self.key.lists, &encode(&stored));
        files::replace(&self.folder.join(SHARING), &self.list(connection), &bytes, Durable::Yes)
    }
}

/// Refuses a text that is not a connection: a key names its connection without ambiguity, so that is neither
/// empty, nor with a slash.
fn check_connection(connection: &str) -> Result<(), StoreError> {
    let key = format!("connections/{connection}");
    check_key(&key)?;
    if connection_of(&key) == Some(connection) {
        return Ok(());
    }
    Err(StoreError::other("that is no id of a connection").with_fix("name the id of one"))
}
