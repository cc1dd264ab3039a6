//! Connections: made, shown, renamed, checked, ended.

mod authorize;
mod check;
mod connect;
mod shown;

pub use authorize::{Authorization, AuthorizeRequest, authorize, finish};
pub use check::{Finding, Verdict, check};
pub use connect::{ConnectRequest, connect, reauthorize};
pub use shown::{Connection, Fault};

pub use crate::{sign_in::credential::CredentialRequest, store::connection::CredentialKind};

use crate::{
    actions::functions,
    base::{
        error::{Error, Kind, Result, one_line},
        near::did_you_mean,
        ports::Ports,
        unseen::deceives,
    },
    call::{Call, deadlines},
    google::names::Region,
    rails::GuardRails,
    sign_in::identity,
    store::{self, connection::StoredConnection, names::ConnectionId, nicknames},
};

/// The version of what is kept.
const FORMAT: u64 = 1;

/// The longest nickname, in characters.
const MAX_NICKNAME: usize = 100;

/// A connection, and what is odd about it.
pub type Connected = (Connection, Vec<String>);

/// All connections, in the order of their nicknames.
///
/// # Errors
/// `secret-store`.
pub fn list(ports: &impl Ports) -> Result<Vec<Connection>> {
    let keys = ports
        .secret_keys("connections/")
        .map_err(|error| store::store_error("list the connections", error))?;
    // Each into its place, and no sort: three quicksorts come with one.
    let mut connections: Vec<Connection> = Vec::new();
    for key in keys {
        let Some(id) = key.strip_prefix("connections/").and_then(|id| ConnectionId::parse(id).ok()) else {
            continue;
        };
        // Somebody may have disconnected it between the two reads.
        if let Some(stored) = store::read::<StoredConnection>(ports, &key)? {
            // A list reads no credential: who signs in with one of an earlier version is not known until a call names it.
            let signs_in = stored.signs_in.clone().unwrap_or_default();
            let shown = shown::show(ports, &id, stored, signs_in);
            let at = connections.partition_point(|c| (&c.nickname, &c.id) < (&shown.nickname, &shown.id));
            connections.insert(at, shown);
        }
    }
    Ok(connections)
}

/// One connection.
///
/// # Errors
/// `connection-required`, `connection-not-found` or `secret-store`.
pub fn get(ports: &impl Ports, id: &str) -> Result<Connection> {
    let id = ConnectionId::parse(id)?;
    shown::load(ports, &id, stored(ports, &id)?)
}

/// Gives a connection another nickname.
///
/// # Errors
/// `invalid-input`, `connection-required`, `connection-not-found` or `secret-store`.
pub fn rename(ports: &impl Ports, id: &str, name: &str) -> Result<Connected> {
    let id = ConnectionId::parse(id)?;
    let nickname = nickname(name)?;
    let old = stored(ports, &id)?.nickname;
    let renamed = change(ports, &id, &|connection| nickname.clone_into(&mut connection.nickname))?;
    if old == nickname {
        return Ok((renamed, Vec::new()));
    }
    nicknames::give_back(ports, &old, &id);
    let warnings = in_use(nicknames::take(ports, &nickname, &id), &nickname);
    Ok((renamed, warnings.into_iter().collect()))
}

/// Gives a connection other guard rails.
///
/// # Errors
/// As `wit/connections.wit` says.
pub fn restrict(ports: &impl Ports, id: &str, guard_rails: Option<GuardRails>) -> Result<Connected> {
    let id = ConnectionId::parse(id)?;
    let guard_rails = GuardRails::parse(guard_rails)?;
    let restricted = change(ports, &id, &|connection| connection.guard_rails.clone_from(&guard_rails))?;
    let warning = guard_rails.as_ref().and_then(|rails| rails.warning(&restricted.region));
    Ok((restricted, warning.into_iter().collect()))
}

/// Changes a connection, and shows it as it was written.
fn change(
    ports: &impl Ports,
    id: &ConnectionId,
    change: &dyn Fn(&mut StoredConnection),
) -> Result<Connection> {
    let signs_in = shown::signs_in(ports, id, &stored(ports, id)?)?;
    let changed = store::update(ports, &id.connection_key(), &|connection: &mut StoredConnection| {
        change(connection);
        connection.signs_in.get_or_insert_with(|| signs_in.clone());
    })?;
    Ok(shown::show(ports, id, changed.ok_or_else(ConnectionId::not_found)?, signs_in))
}

/// A connection that a call names.
fn stored(ports: &impl Ports, id: &ConnectionId) -> Result<StoredConnection> {
    store::read(ports, &id.connection_key())?.ok_or_else(ConnectionId::not_found)
}

/// Removes a connection with all that belongs to it, and revokes a user's grant.
///
/// # Errors
/// `connection-required`, `connection-not-found` or `secret-store`.
pub async fn disconnect<P: Ports>(ports: &P, id: &str, deadline_ms: Option<u32>) -> Result<Vec<String>> {
    let call = Call::begin(ports, deadline_ms, deadlines::API)?;
    let id = ConnectionId::parse(id)?;
    let connection = stored(ports, &id);
    let identity = match identity::load(ports, &id) {
        Ok((_, identity)) => Some(identity),
        Err(error) if error.kind() == Kind::ConnectionNotFound => return Err(error),
        // What is damaged can be removed too: that is what its error says to do.
        Err(error) => match ports.secret_get(&id.credential_key()) {
            Ok(_) => None,
            Err(_) => return Err(error),
        },
    };
    forget_cached(ports, &id)?;
    store::delete(ports, &id.private_key_key())?;
    // Before it is forgotten, and whatever comes of it.
    let warning = match identity {
        Some(identity) => identity.credential.farewell(&call).await,
        None => Some(
            "the credential could not be read; it is gone from here, but may still be valid at Google"
                .to_owned(),
        ),
    };
    // The connection last: should a secret stay, it is still there to try again.
    store::delete(ports, &id.credential_key())?;
    store::delete(ports, &id.status_key())?;
    store::delete(ports, &id.repeats_key())?;
    match connection {
        Ok(connection) => nicknames::give_back(ports, &connection.nickname, &id),
        Err(_) => nicknames::forget(ports, &id),
    }
    store::delete(ports, &id.connection_key())?;
    nicknames::tidy(ports);
    Ok(warning.into_iter().collect())
}

/// Removes the tokens of a connection, and what it remembers of functions.
fn forget_cached(ports: &impl Ports, id: &ConnectionId) -> Result<()> {
    for prefix in [id.token_prefix(), id.function_prefix()] {
        let keys =
            ports.secret_keys(&prefix).map_err(|error| store::store_error("list what is cached", error))?;
        keys.iter().try_for_each(|key| store::delete(ports, key))?;
    }
    Ok(())
}

fn nickname(text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > MAX_NICKNAME || text.contains(deceives) {
        return Err(Error::input(
            "nickname",
            "the nickname is empty, longer than 100 characters, or not one line",
        ));
    }
    Ok(text.to_owned())
}

fn region(text: Option<&str>, guard_rails: Option<&GuardRails>) -> Result<Region> {
    match (text, guard_rails) {
        (Some(text), _) => Region::parse(text),
        (None, Some(rails)) => rails.default_region(),
        (None, None) => Ok(Region::default_region()),
    }
}

/// Warns of a region that is none, in all likelihood.
fn unheard_of(region: &Region) -> Option<String> {
    (!functions::is_known(region)).then(|| {
        let near = functions::nearest_known(region);
        let meant = did_you_mean(near.as_ref().map(Region::as_str));
        format!("unknown region {region}: {meant}unless it is new, choose one that `options` lists")
    })
}

/// Warns of a nickname that another connection has.
fn in_use(is_taken: bool, nickname: &str) -> Option<String> {
    is_taken.then(|| {
        format!(
            "there is another connection with the nickname {}: tell them apart by their ids",
            one_line(nickname)
        )
    })
}
