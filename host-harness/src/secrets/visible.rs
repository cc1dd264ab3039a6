//! The part of the store that one call may touch.
//!
//! A component that was tricked, or is malicious, would otherwise use one connection's key in a call for
//! another one. The owner of an entry stands in its key, so a call cannot change the owner ([`entry`]).
//! Nothing here is looked up in the store, except for a sign-in that ends: and that is done before the
//! component runs.

mod entry;

use std::{collections::BTreeSet, time::Duration};

use self::entry::{EntryName, Owner, SignInId, is_id};
use crate::secrets::{Expected, SecretStore, StoreError};

/// The rights of a call, as its task asks for them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    /// The connection that the call names: all of its entries.
    connection: Option<String>,
    /// The one thing that the call may add to the store.
    makes: Makes,
    /// The sign-in that the call ends.
    ends: Option<SignInId>,
    /// Reading the entries of every connection that are not secret.
    lists: bool,
    /// The index of nicknames.
    nicknames: Nicknames,
    /// Using keys and tokens that the host put there for any connection.
    uses_hosts: bool,
    /// Sending requests.
    sends: bool,
}

/// The thing that a call may add to the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Makes {
    #[default]
    Nothing,
    Connection,
    /// A sign-in: for this connection, or for one that is to be made.
    SignIn(Option<String>),
}

/// The rights of a call to the index of nicknames.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Nicknames {
    /// None: its connection keeps the nickname that it has.
    #[default]
    None,
    /// Telling whether one is in use.
    Read,
    /// Taking one for its connection, and giving it back.
    Change,
}

/// An operation on an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Sign,
    Put,
    Delete,
    Lease,
}

/// A right to one operation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Permit {
    /// As it was asked for.
    Granted,
    /// Only if the entry is not there yet.
    IfNew,
    /// Only as the [first](put_first) entry of a connection or sign-in, which the call then makes.
    IfFirst,
}

/// The entries that a call has added so far.
#[derive(Debug, Default)]
pub(crate) struct Made {
    id: Option<String>,
    keys: BTreeSet<String>,
}

impl Scope {
    /// The scope of a call that has no business with the store.
    pub(crate) fn nothing() -> Self {
        Self::default()
    }

    /// The scope of a call that names a connection. A text that is not an id names none.
    pub(crate) fn connection(id: &str) -> Self {
        let connection = is_id(id).then(|| id.to_owned());
        Self { connection, uses_hosts: true, sends: true, ..Self::default() }
    }

    /// The scope of a call that names a connection, and sends nothing.
    pub(crate) fn offline(id: &str) -> Self {
        Self { sends: false, ..Self::connection(id) }
    }

    /// The scope of `connections.rename`, which tells whether the nickname is in use.
    pub(crate) fn rename(id: &str) -> Self {
        Self { lists: true, nicknames: Nicknames::Change, uses_hosts: false, ..Self::offline(id) }
    }

    /// The scope of `connections.disconnect`, which gives the nickname back.
    pub(crate) fn disconnect(id: &str) -> Self {
        Self { nicknames: Nicknames::Change, ..Self::connection(id) }
    }

    /// The scope of `connections.list`.
    pub(crate) fn list() -> Self {
        Self { lists: true, ..Self::default() }
    }

    /// The scope of `connections.connect`.
    pub(crate) fn connect() -> Self {
        Self {
            makes: Makes::Connection,
            lists: true,
            nicknames: Nicknames::Change,
            uses_hosts: true,
            sends: true,
            ..Self::default()
        }
    }

    /// The scope of `connections.authorize`, anew for `connection` or for one to be made.
    pub(crate) fn authorize(connection: Option<&str>) -> Self {
        let connection = connection.map(str::to_owned);
        Self { makes: Makes::SignIn(connection), lists: true, nicknames: Nicknames::Read, ..Self::default() }
    }

    /// The scope of `connections.finish`, which makes a connection, or renews the one that the sign-in was
    /// begun for.
    ///
    /// # Errors
    /// As the store fails.
    pub(crate) fn finish(
        store: &dyn SecretStore,
        authorization: &str,
        now: Duration,
    ) -> Result<Self, StoreError> {
        let Some(ends) = SignInId::parse(authorization) else {
            return Ok(Self::nothing());
        };
        let base = Self { lists: true, sends: true, ..Self::default() };
        let is_alive = |key: &String| EntryName::parse(key).is_alive(now);
        Ok(match ends.connection() {
            None => Self { makes: Makes::Connection, ends: Some(ends), nicknames: Nicknames::Change, ..base },
            // Only a call that named the connection can have begun such a sign-in.
            Some(connection) if store.keys(&ends.prefix())?.iter().any(is_alive) => {
                Self { connection: Some(connection.to_owned()), ends: Some(ends), ..base }
            }
            Some(_) => base,
        })
    }

    /// The scope of a plan for this call: it makes nothing.
    pub(crate) fn planned(self) -> Self {
        let nicknames = match self.nicknames {
            Nicknames::None => Nicknames::None,
            Nicknames::Read | Nicknames::Change => Nicknames::Read,
        };
        Self { sends: false, makes: Makes::Nothing, nicknames, ..self }
    }

    /// Tells whether the call sees the entries of one connection, and what the host keeps, and nothing else.
    pub(crate) fn is_of_a_connection(&self) -> bool {
        self.connection
            .as_deref()
            .is_some_and(|id| *self == Self::connection(id) || *self == Self::offline(id))
    }

    /// Tells whether the call may send requests.
    pub(crate) fn sends(&self) -> bool {
        self.sends
    }

    /// The connection or sign-in that the answer of a call is about: the one that it made, or named.
    pub(crate) fn subject<'a>(&'a self, made: &'a Made) -> Option<&'a str> {
        made.id.as_deref().or(self.connection.as_deref())
    }

    /// The right to do this, at this time since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`StoreError::Other`] if there is none.
    pub(crate) fn permit(
        &self,
        made: &Made,
        key: &str,
        access: Access,
        now: Duration,
    ) -> Result<Permit, StoreError> {
        let entry = EntryName::parse(key);
        let permit = match &entry.owner {
            Owner::Connection(id) => self.of_connection(made, &entry, id, access),
            Owner::SignIn { id, .. } => self.of_sign_in(made, key, id, !entry.is_alive(now), access),
            Owner::Host => {
                let used = access == Access::Read || access == Access::Sign && entry.kind == "keys";
                (self.uses_hosts && used).then_some(Permit::Granted)
            }
            Owner::Nicknames => {
                let right = match access {
                    Access::Read => self.nicknames != Nicknames::None,
                    Access::Put | Access::Delete => self.nicknames == Nicknames::Change,
                    Access::Sign | Access::Lease => false,
                };
                right.then_some(Permit::Granted)
            }
            Owner::Nobody => None,
        };
        // With no word of whether there is such an entry.
        permit.ok_or_else(|| {
            StoreError::other(format!("{key} is not for this call: it belongs to another connection"))
        })
    }

    fn of_connection(&self, made: &Made, entry: &EntryName<'_>, id: &str, access: Access) -> Option<Permit> {
        if self.connection.as_deref() == Some(id) {
            return Some(Permit::Granted);
        }
        if self.lists && access == Access::Read && entry.is_public() {
            return Some(Permit::Granted);
        }
        if self.makes != Makes::Connection {
            return None;
        }
        let permit = made.permit(entry.key, id, access);
        // Of two calls that make the same connection, the one that puts this entry has made it.
        permit.filter(|permit| *permit != Permit::IfFirst || entry.kind == FIRST)
    }

    fn of_sign_in(
        &self,
        made: &Made,
        key: &str,
        id: &SignInId,
        is_over: bool,
        access: Access,
    ) -> Option<Permit> {
        if self.ends.as_ref() == Some(id) {
            return matches!(access, Access::Read | Access::Delete).then_some(Permit::Granted);
        }
        let Makes::SignIn(connection) = &self.makes else { return None };
        // Nobody comes back to it, and it holds a secret: the next call that begins a sign-in clears it away.
        if is_over && access == Access::Delete {
            return Some(Permit::Granted);
        }
        if id.connection() != connection.as_deref() || is_over {
            return None;
        }
        made.permit(key, id.as_str(), access)
    }

    /// The keys that a call may know of, out of `keys`.
    pub(crate) fn visible(&self, made: &Made, mut keys: Vec<String>, now: Duration) -> Vec<String> {
        keys.retain(|key| {
            let may = |access| self.permit(made, key, access, now) == Ok(Permit::Granted);
            // Names under which the host keeps something are the host's to tell.
            EntryName::parse(key).owner != Owner::Host && (may(Access::Read) || may(Access::Delete))
        });
        keys
    }
}

impl Made {
    /// The right of a call to an entry of a new connection or sign-in. It uses only what it has put itself.
    fn permit(&self, key: &str, id: &str, access: Access) -> Option<Permit> {
        if self.id.as_deref().is_some_and(|made| made != id) {
            return None;
        }
        match access {
            Access::Read | Access::Sign | Access::Put | Access::Delete if self.keys.contains(key) => {
                Some(Permit::Granted)
            }
            Access::Put if self.id.is_some() => Some(Permit::IfNew),
            Access::Put => Some(Permit::IfFirst),
            Access::Lease => self.id.is_some().then_some(Permit::Granted),
            Access::Read | Access::Sign | Access::Delete => None,
        }
    }

    /// Notes that the call has put an entry that was not there.
    pub(crate) fn note(&mut self, key: String) {
        self.id = match EntryName::parse(&key).owner {
            Owner::Connection(id) => Some(id),
            Owner::SignIn { id, .. } => Some(id.as_str().to_owned()),
            Owner::Host | Owner::Nicknames | Owner::Nobody => return,
        };
        self.keys.insert(key);
    }
}

/// The kind of entry that comes first in a new connection.
const FIRST: &str = "credentials";

/// Writes the first entry of a connection or a sign-in that has none yet. The caller sees to it that no other
/// call of this host does so at the same time.
///
/// # Errors
/// [`StoreError::VersionMismatch`] if there is something, or as the store fails.
pub(crate) fn put_first(store: &dyn SecretStore, key: &str, value: &str) -> Result<String, StoreError> {
    let is_there = match EntryName::parse(key).owner {
        Owner::Connection(id) => entry::keys_of(&id).try_fold(has_cached(store, &id)?, |found, key| {
            Ok::<_, StoreError>(found || store.get(&key)?.is_some())
        })?,
        Owner::SignIn { id, .. } => !store.keys(&id.prefix())?.is_empty(),
        Owner::Host | Owner::Nicknames | Owner::Nobody => true,
    };
    if is_there { Err(StoreError::VersionMismatch) } else { store.put(key, value, &Expected::Absent) }
}

/// Tells whether there is anything cached of a connection.
fn has_cached(store: &dyn SecretStore, id: &str) -> Result<bool, StoreError> {
    for kind in ["tokens", "functions"] {
        if !store.keys(&format!("{kind}/{id}/"))?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests;
