//! Changes of several entries that are made together, or taken back.

use crate::{
    base::{
        error::Result,
        ports::{Expected, Ports},
        secret::Secret,
    },
    store::{self, Kept},
};

/// Entries that were written, with what stood there before.
pub(crate) struct Changes<'a, P> {
    pub(crate) ports: &'a P,
    written: Vec<Change>,
}

struct Change {
    key: String,
    new: Secret<String>,
    old: Option<Secret<String>>,
}

impl<'a, P: Ports> Changes<'a, P> {
    pub(crate) fn new(ports: &'a P) -> Self {
        Self { ports, written: Vec::new() }
    }

    /// Writes what is kept under a key.
    ///
    /// # Errors
    /// `secret-store`.
    pub(crate) fn write(&mut self, key: String, value: &impl Kept, expected: Expected) -> Result<()> {
        self.put(key, Secret::new(value.fields().to_json()), expected)
    }

    /// Writes text under a key.
    ///
    /// # Errors
    /// `secret-store`.
    pub(crate) fn put(&mut self, key: String, new: Secret<String>, expected: Expected) -> Result<()> {
        let old = match expected {
            Expected::Absent => None,
            Expected::Anything | Expected::Version(_) => self
                .ports
                .secret_get(&key)
                .map_err(|error| store::store_error("read an entry", error))?
                .map(|entry| entry.value),
        };
        // Before it is written: a store that reports a failure may have written it all the same.
        self.written.push(Change { key: key.clone(), new: new.clone(), old });
        store::put(self.ports, &key, new.reveal(), expected).map(drop)
    }

    /// Takes all of it back, the last first. The error that led here is the one to report.
    pub(crate) fn undo(self) {
        for Change { key, new, old } in self.written.into_iter().rev() {
            // Only what was written here: whoever was quicker keeps what is theirs.
            let Ok(Some(entry)) = self.ports.secret_get(&key) else { continue };
            if entry.value != new {
                continue;
            }
            let expected = Expected::Version(entry.version);
            let _ = match old {
                Some(old) => self.ports.secret_put(&key, old.reveal(), expected).map(drop),
                None => self.ports.secret_delete(&key, expected),
            };
        }
    }
}
