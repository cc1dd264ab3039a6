//! The nicknames in use: an index, so that whoever takes one need not read every connection.
//!
//! | key | value |
//! |---|---|
//! | `nicknames/{digest}` | the id of the connection that has the nickname |
//! | `nicknames/{digest}/{id}` | nothing: this connection has it too |
//! | `nicknames/indexed` | `all`, or the last of the connections of an earlier version that are in the index |
//!
//! Nothing here fails a call: a nickname that is in use is worth a warning and no more. Of several that take
//! one at the same time exactly one is told that nobody has it, as the store writes an absent entry once.

use super::{connection::StoredConnection, names::ConnectionId, read};
use crate::base::{
    digest,
    ports::{Expected, Ports, StoreError},
};

/// The entry that says how far connections of an earlier version are in the index.
const INDEXED: &str = "nicknames/indexed";

/// The value of [`INDEXED`] when all of them are.
const ALL: &str = "all";

/// Connections that one call adds to the index: a host limits what a call may write.
const AT_ONCE: usize = 64;

/// Takes a nickname for a connection that has it now, and tells whether another one has it too. Costs two
/// operations, however many connections there are.
pub(crate) fn take(ports: &impl Ports, nickname: &str, id: &ConnectionId) -> bool {
    match ports.secret_put(&first(nickname), id.as_str(), Expected::Absent) {
        Ok(_) => match indexed(ports) {
            Ok(Some(indexed)) if indexed == ALL => false,
            Ok(indexed) => {
                let found = search(ports, nickname, Some(id));
                index(ports, indexed.as_deref());
                found
            }
            Err(_) => search(ports, nickname, Some(id)),
        },
        Err(StoreError::VersionMismatch) => {
            // A store that does not take it costs somebody a warning, once this connection has it alone.
            let _ = ports.secret_put(&further(nickname, id.as_str()), "", Expected::Anything);
            true
        }
        Err(_) => search(ports, nickname, Some(id)),
    }
}

/// Tells whether a connection has this nickname, and writes nothing. Costs two operations at most.
pub(crate) fn is_taken(ports: &impl Ports, nickname: &str) -> bool {
    match ports.secret_get(&first(nickname)) {
        Ok(Some(_)) => true,
        Ok(None) if matches!(indexed(ports), Ok(Some(indexed)) if indexed == ALL) => false,
        Ok(None) | Err(_) => search(ports, nickname, None),
    }
}

/// Gives a nickname back that a connection had, to another one that has it too, if there is any.
pub(crate) fn give_back(ports: &impl Ports, nickname: &str, id: &ConnectionId) {
    let (first, mine) = (first(nickname), further(nickname, id.as_str()));
    let held = ports.secret_get(&first).ok().flatten().filter(|held| held.value.reveal() == id.as_str());
    let Some(held) = held else {
        let _ = ports.secret_delete(&mine, Expected::Anything);
        return;
    };
    let prefix = format!("{first}/");
    let others = ports.secret_keys(&prefix).unwrap_or_default();
    let expected = Expected::Version(held.version);
    match others.first().and_then(|key| key.strip_prefix(&prefix)) {
        Some(other) => {
            if ports.secret_put(&first, other, expected).is_ok() {
                let _ = ports.secret_delete(&further(nickname, other), Expected::Anything);
            }
        }
        None => {
            let _ = ports.secret_delete(&first, expected);
        }
    }
}

/// Gives back whatever nickname a connection had that cannot be read any more.
pub(crate) fn forget(ports: &impl Ports, id: &ConnectionId) {
    for key in ports.secret_keys(NICKNAMES).unwrap_or_default() {
        let is_first =
            |key: &str| matches!(ports.secret_get(key), Ok(Some(held)) if held.value.reveal() == id.as_str());
        if key.ends_with(&format!("/{}", id.as_str())) || is_first(&key) {
            let _ = ports.secret_delete(&key, Expected::Anything);
        }
    }
}

/// Leaves nothing of the index behind once there is no connection left.
pub(crate) fn tidy(ports: &impl Ports) {
    if ports.secret_keys(CONNECTIONS).is_ok_and(|keys| keys.is_empty()) {
        let _ = ports.secret_delete(INDEXED, Expected::Anything);
    }
}

/// The last connection of an earlier version that is in the index, or `all`.
fn indexed(ports: &impl Ports) -> Result<Option<String>, StoreError> {
    Ok(ports.secret_get(INDEXED)?.map(|entry| entry.value.reveal().clone()))
}

/// Reads every connection, for one of this nickname.
fn search(ports: &impl Ports, nickname: &str, but: Option<&ConnectionId>) -> bool {
    let but = but.map(ConnectionId::connection_key);
    ports.secret_keys(CONNECTIONS).unwrap_or_default().into_iter().any(|key| {
        let other = read::<StoredConnection>(ports, &key).ok().flatten();
        other.is_some_and(|other| other.nickname == nickname) && Some(&key) != but.as_ref()
    })
}

/// Adds connections of an earlier version to the index, the next few after `last`. Several that do so at once do the same.
fn index(ports: &impl Ports, last: Option<&str>) {
    let Ok(keys) = ports.secret_keys(CONNECTIONS) else { return };
    let mut ids = keys
        .iter()
        .filter_map(|key| key.strip_prefix(CONNECTIONS))
        .filter(|id| last.is_none_or(|last| *id > last))
        .peekable();
    let mut reached = None;
    for id in ids.by_ref().take(AT_ONCE) {
        let Ok(id) = ConnectionId::parse(id) else { continue };
        // One that cannot be read has no nickname that anybody could see.
        if let Ok(Some(connection)) = read::<StoredConnection>(ports, &id.connection_key())
            && !add(ports, &connection.nickname, &id)
        {
            return;
        }
        reached = Some(id);
    }
    let indexed = if ids.peek().is_none() { Some(ALL) } else { reached.as_ref().map(ConnectionId::as_str) };
    if let Some(indexed) = indexed {
        let _ = ports.secret_put(INDEXED, indexed, Expected::Anything);
    }
}

/// Adds one connection to the index, and tells whether the store has taken it.
fn add(ports: &impl Ports, nickname: &str, id: &ConnectionId) -> bool {
    match ports.secret_put(&first(nickname), id.as_str(), Expected::Absent) {
        Ok(_) => true,
        Err(StoreError::VersionMismatch) => match ports.secret_get(&first(nickname)) {
            Ok(Some(held)) if held.value.reveal() == id.as_str() => true,
            Ok(_) => ports.secret_put(&further(nickname, id.as_str()), "", Expected::Anything).is_ok(),
            Err(_) => false,
        },
        Err(_) => false,
    }
}

const CONNECTIONS: &str = "connections/";

const NICKNAMES: &str = "nicknames/";

fn first(nickname: &str) -> String {
    format!("{NICKNAMES}{}", digest::name_of(nickname))
}

fn further(nickname: &str, id: &str) -> String {
    format!("{}/{id}", first(nickname))
}
