//! The secret store: what is kept there, under which keys, in which shape.
//!
//! A credential is kept by [`sign_in::credential`](crate::sign_in::credential), each kind in its own file.
//!
//! | module | what it holds |
//! |---|---|
//! | [`names`] | the names of entries |
//! | [`connection`] | a connection, and who signs in |
//! | `nicknames` | which nicknames are in use |
//! | `changes` | several entries written together, or taken back |

pub(crate) mod changes;
pub mod connection;
pub mod names;
pub(crate) mod nicknames;

use crate::base::{
    error::{Error, Kind, Origin, Result, foreign},
    json::{self, Object, Read},
    ports::{Entry, Expected, Ports, StoreError},
};

/// A value as it is kept under a key, as JSON.
pub(crate) trait Kept: Sized {
    /// From its fields.
    fn read(fields: &Object<'_>) -> Read<Self>;

    /// Its fields; what is empty is left out.
    fn fields(&self) -> Object<'_>;
}

/// Reads what is kept under a key.
///
/// # Errors
/// `secret-store`.
pub(crate) fn read<T: Kept>(ports: &impl Ports, key: &str) -> Result<Option<T>> {
    Ok(read_versioned(ports, key)?.map(|(value, _)| value))
}

/// Reads what is kept under a key, and the version that it has.
///
/// # Errors
/// `secret-store`.
pub(crate) fn read_versioned<T: Kept>(ports: &impl Ports, key: &str) -> Result<Option<(T, String)>> {
    let Some(entry) = get(ports, key)? else { return Ok(None) };
    match parse(&entry) {
        Ok(value) => Ok(Some((value, entry.version))),
        Err(_) => Err(unreadable(key)),
    }
}

fn get(ports: &impl Ports, key: &str) -> Result<Option<Entry>> {
    ports.secret_get(key).map_err(|error| store_error("read an entry", error))
}

/// The value that an entry holds.
pub(crate) fn parse<T: Kept>(entry: &Entry) -> Read<T> {
    json::read(entry.value.reveal().as_bytes()).and_then(|fields| T::read(&fields))
}

fn unreadable(key: &str) -> Error {
    Error::new(Kind::SecretStore, Origin::Host, format!("the entry {} cannot be read", shown(key)))
        .fix("a newer version may have written it, or it is damaged; disconnect, and connect again")
}

/// Writes what is kept under a key, and returns the version that it has from now on.
///
/// # Errors
/// `secret-store`.
pub(crate) fn write(ports: &impl Ports, key: &str, value: &impl Kept, expected: Expected) -> Result<String> {
    put(ports, key, &value.fields().to_json(), expected)
}

/// Writes text under a key, and returns the version that it has from now on.
///
/// # Errors
/// `secret-store`.
pub(crate) fn put(ports: &impl Ports, key: &str, text: &str, expected: Expected) -> Result<String> {
    ports.secret_put(key, text, expected).map_err(|error| store_error("write an entry", error))
}

/// Changes what is kept under a key, and returns it as it is then; `None` if there is nothing.
///
/// # Errors
/// `secret-store`: also if others change it each time.
pub(crate) fn update<T: Kept>(ports: &impl Ports, key: &str, change: &dyn Fn(&mut T)) -> Result<Option<T>> {
    let changed = swap(ports, key, &|kept| {
        Ok(kept?.map(|mut value| {
            change(&mut value);
            value
        }))
    })?;
    match changed {
        Swap::Written(value) => Ok(Some(value)),
        Swap::Left => Ok(None),
        Swap::Outrun => Err(outrun()),
    }
}

/// The end of a [`swap`].
pub(crate) enum Swap<T> {
    /// The value that is kept now.
    Written(T),
    /// The entry as it was: there was nothing to change.
    Left,
    /// The entry as others left it: they were quicker each time.
    Outrun,
}

/// Writes what `change` makes of an entry, unless somebody else changes it in between; then it is read, and changed, once
/// more. `change` is given `None` if there is nothing, and an error if that cannot be read; what it returns is written,
/// and `None` leaves the entry as it is.
///
/// # Errors
/// `secret-store`, and those of `change`.
pub(crate) fn swap<T: Kept>(
    ports: &impl Ports,
    key: &str,
    change: &dyn Fn(Result<Option<T>>) -> Result<Option<T>>,
) -> Result<Swap<T>> {
    for _ in 0..RACES {
        let (kept, expected) = match get(ports, key)? {
            Some(entry) => {
                (parse(&entry).map(Some).map_err(|_| unreadable(key)), Expected::Version(entry.version))
            }
            None => (Ok(None), Expected::Absent),
        };
        let Some(value) = change(kept)? else { return Ok(Swap::Left) };
        match ports.secret_put(key, &value.fields().to_json(), expected) {
            Ok(_) => return Ok(Swap::Written(value)),
            Err(StoreError::VersionMismatch) => {}
            Err(error) => return Err(store_error("write an entry", error)),
        }
    }
    Ok(Swap::Outrun)
}

/// Lost races with others after which a change is given up.
const RACES: usize = 8;

/// The error of whoever has lost that many.
pub(crate) fn outrun() -> Error {
    store_error("write an entry", StoreError::VersionMismatch)
}

/// Removes a key.
///
/// # Errors
/// `secret-store`.
pub fn delete(ports: &impl Ports, key: &str) -> Result<()> {
    ports.secret_delete(key, Expected::Anything).map_err(|error| store_error("delete an entry", error))
}

/// The error for a failure of the store.
#[must_use]
pub fn store_error(what: &str, error: StoreError) -> Error {
    let new = |message: String| Error::new(Kind::SecretStore, Origin::Host, message);
    match error {
        StoreError::VersionMismatch => {
            new(format!("another call changed the entry first, so this one could not {what}"))
                .fix("try again")
        }
        StoreError::ReadOnly => new(format!("the secret store is read-only, so there is no way to {what}"))
            .fix("use a store that can be written for this"),
        StoreError::Unsupported => new(format!("the host does not support what was needed to {what}"))
            .fix("use another host or store"),
        StoreError::Failed(why) => new(format!("the secret store could not {what}: {}", foreign(&why)))
            .fix("whoever runs the host looks after its store"),
    }
}

/// The first segments of a key, without the digest of a token.
fn shown(key: &str) -> String {
    key.splitn(3, '/').take(2).collect::<Vec<_>>().join("/")
}
