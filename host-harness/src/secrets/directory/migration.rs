//! Clear text of an earlier version becomes encrypted.

use serde_json::json;

use super::{
    DirectoryStore,
    entries::{self, StoredValue, damaged, decode},
    readers::Readers,
};
use crate::secrets::{
    StoreError, envelope,
    files::{self, Durable},
    key::{check_key, check_value, clear_file_name, is_clear},
};

impl DirectoryStore {
    /// Encrypts the values in clear text, and returns their number. The caller holds the lock.
    ///
    /// Clear text is taken only where nothing is encrypted yet, or where a mark says that a migration was
    /// killed. Anywhere else somebody put it there, for it to be taken as written by the store's own key.
    pub(super) fn migrate(&self) -> Result<usize, StoreError> {
        let mark = self.folder.join(MARK);
        let names = files::names(&self.folder)?;
        let clear: Vec<_> =
            names.iter().filter(|name| is_clear(name)).map(|name| self.folder.join(name)).collect();
        let Some(first) = clear.first() else {
            files::remove(&self.folder, &mark, Durable::No)?;
            return Ok(0);
        };
        if !self.is_marked()? {
            if !entries::is_empty(&self.folder)? {
                return Err(damaged(first, "it is in clear text, and the rest of the store is encrypted"));
            }
            let own = [self.key.recipient().clone()];
            let bytes = envelope::seal(&own, &self.key.lists, &json!({ "migrating": true }).to_string());
            files::replace(&self.folder, &mark, &bytes, Durable::Yes)?;
        }
        for path in &clear {
            // Gone when it is read: then it is not clear text any more.
            let Some(bytes) = files::read(path)? else { continue };
            let StoredValue { version, key, value, .. } = decode(path, &bytes, CLEAR)?;
            if check_key(&key).is_err() || path.file_name().is_none_or(|name| *name != *clear_file_name(&key))
            {
                return Err(damaged(path, "it belongs to another key"));
            }
            check_value(&value)?;
            self.write(&key, &value, &version, &Readers::nobody_else(&self.key), None)?;
        }
        // Not before all of it is encrypted: a migration that fails half-way can be tried again.
        for path in &clear {
            files::remove(&self.folder, path, Durable::Yes)?;
        }
        files::remove(&self.folder, &mark, Durable::Yes)?;
        Ok(clear.len())
    }

    fn is_marked(&self) -> Result<bool, StoreError> {
        let mark = files::read(&self.folder.join(MARK))?;
        Ok(mark
            .and_then(|bytes| self.key.open(&bytes).ok())
            .is_some_and(|mark| mark.is_sealed_by(&self.key.lists)))
    }
}

/// The mark of a migration under way. It is hidden, so that no listing takes it for a key.
const MARK: &str = ".migrating";
const CLEAR: u32 = 1;
