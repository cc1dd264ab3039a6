//! The names of entries: those of a connection, and those that the host fills.

use crate::base::error::{Error, Kind, Origin, Result};

/// An id that the component gives out: 16 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionId(String);

impl ConnectionId {
    /// A new one.
    #[must_use]
    pub fn random(bytes: [u8; 8]) -> Self {
        Self(format!("{:016x}", u64::from_be_bytes(bytes)))
    }

    /// Parses what a caller names.
    ///
    /// # Errors
    /// `connection-required` if it is empty, `connection-not-found` if it cannot be an id.
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::new(Kind::ConnectionRequired, Origin::Input, "no connection was named")
                .fix("make a connection first, and name its id in this call"));
        }
        if is_id(text) { Ok(Self(text.to_owned())) } else { Err(Self::not_found()) }
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key of the connection.
    #[must_use]
    pub fn connection_key(&self) -> String {
        format!("connections/{}", self.0)
    }

    /// The key of the credential.
    #[must_use]
    pub fn credential_key(&self) -> String {
        format!("credentials/{}", self.0)
    }

    /// The key of the private key.
    #[must_use]
    pub fn private_key_key(&self) -> String {
        format!("keys/{}", self.0)
    }

    /// The key of what is known about its last use.
    #[must_use]
    pub fn status_key(&self) -> String {
        format!("status/{}", self.0)
    }

    /// The key of how many repeats it has left.
    #[must_use]
    pub fn repeats_key(&self) -> String {
        format!("repeats/{}", self.0)
    }

    /// The prefix of the cached tokens.
    #[must_use]
    pub fn token_prefix(&self) -> String {
        format!("tokens/{}/", self.0)
    }

    /// The prefix of the functions that were found by their names.
    #[must_use]
    pub fn function_prefix(&self) -> String {
        format!("functions/{}/", self.0)
    }

    pub(crate) fn not_found() -> Error {
        Error::new(Kind::ConnectionNotFound, Origin::Connection, "there is no connection of this id")
            .fix("list the connections, and name the id of one of them")
    }
}

/// Tells if a text can be an id that [`ConnectionId::random`] made.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// A name in the store that the host fills: a key, or a token that it supplies. A key that is called like a connection is
/// that connection's own.
///
/// # Errors
/// `invalid-credential` of field `field`.
pub fn host_key(field: &str, prefix: &str, key: &str) -> Result<String> {
    let plain =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'/' | b'-');
    let name = key.strip_prefix(prefix).filter(|name| !name.is_empty() && key.len() <= 256);
    let name = name.filter(|name| name.bytes().all(plain));
    let Some(name) = name else {
        return Err(Error::credential(field, &format!("is not a name under {prefix}")));
    };
    if prefix == "keys/" && name.split('/').next().is_some_and(is_id) {
        return Err(Error::credential(field, "is the key of a connection, and not one that the host keeps"));
    }
    Ok(key.to_owned())
}
