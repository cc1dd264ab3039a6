//! A list of readers, and the key with which they seal.

use age::x25519::Recipient;
use ring::hmac;
use serde::{Deserialize, Serialize};

use crate::{
    clock::{Random, SystemRandom},
    secrets::envelope::{Opened, StoreKey, bytes_of, hex},
};

/// The readers of a connection's entries, and the seals of these entries. No `Debug`.
pub(super) struct Readers {
    /// All readers; the store's own key is always one of them.
    pub(super) all: Vec<Recipient>,
    pub(super) seal: Seal,
    /// The seal of entries that a change of the list has not reached yet.
    pub(super) previous: Option<Seal>,
    /// True if the store's own key decided on the list.
    pub(super) is_own: bool,
}

impl Readers {
    /// The store's own key alone.
    pub(super) fn nobody_else(key: &StoreKey) -> Self {
        Self { all: vec![key.recipient().clone()], seal: Seal::Own, previous: None, is_own: true }
    }

    /// The readers in a stored list, or `None` if it is not a list for this key.
    pub(super) fn of(stored: &StoredReaders, key: &StoreKey, is_own: bool) -> Option<Self> {
        let all: Vec<Recipient> =
            stored.readers.iter().map(|reader| reader.parse().ok()).collect::<Option<_>>()?;
        let previous = match stored.previous.as_deref() {
            // Nobody can say whose `own` that is in another's list; taken as ours, any list would fit our
            // entries.
            Some(OWN) => is_own.then_some(Seal::Own),
            Some(text) => Some(Seal::parse(text)?),
            None => None,
        };
        all.contains(key.recipient()).then_some(Self {
            seal: Seal::parse(&stored.seal)?,
            all,
            previous,
            is_own,
        })
    }

    /// Tells whether there is a list, rather than the store's own key alone.
    pub(super) fn are_listed(&self) -> bool {
        matches!(self.seal, Seal::Group(_))
    }

    /// The key that seals the next entry.
    pub(super) fn seal_key(&self, key: &StoreKey) -> hmac::Key {
        self.seal.key(key)
    }

    /// Tells whether one of the readers wrote the entry.
    pub(super) fn have_sealed(&self, opened: &Opened, key: &StoreKey) -> bool {
        let mut seals = [Some(&self.seal), self.previous.as_ref()].into_iter().flatten();
        seals.any(|seal| opened.is_sealed_by(&seal.key(key)))
    }
}

/// The key by which an entry is known to be a reader's. No `Debug`.
pub(super) enum Seal {
    /// The store's own key, which nobody shares.
    Own,
    /// A key that all readers of a connection have from its list.
    Group([u8; 32]),
}

impl Seal {
    /// A new key.
    pub(super) fn new() -> Self {
        let mut bytes = [0; 32];
        SystemRandom.fill(&mut bytes);
        Self::Group(bytes)
    }

    fn parse(text: &str) -> Option<Self> {
        Some(Self::Group(bytes_of(text)?.try_into().ok()?))
    }

    fn text(&self) -> String {
        match self {
            Self::Own => OWN.to_owned(),
            Self::Group(bytes) => hex(bytes),
        }
    }

    fn key(&self, key: &StoreKey) -> hmac::Key {
        match self {
            Self::Own => key.own.clone(),
            Self::Group(bytes) => hmac::Key::new(hmac::HMAC_SHA256, bytes),
        }
    }
}

/// The content of a list's file. No `Debug`: it holds a key.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredReaders {
    format: u32,
    pub(super) connection: String,
    readers: Vec<String>,
    seal: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) previous: Option<String>,
}

impl StoredReaders {
    pub(super) fn new(format: u32, connection: &str, readers: &Readers) -> Self {
        Self {
            format,
            connection: connection.to_owned(),
            readers: readers.all.iter().map(Recipient::to_string).collect(),
            seal: readers.seal.text(),
            previous: readers.previous.as_ref().map(Seal::text),
        }
    }
}

const OWN: &str = "own";
