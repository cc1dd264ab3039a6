//! What is kept in the secret store, under which keys, in which shape.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    error::{Error, Kind, Origin, Result},
    json,
    ports::{Expected, Ports, StoreError},
};

/// The id of a connection: 16 hexadecimal digits.
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
        let ok = text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if ok { Ok(Self(text.to_owned())) } else { Err(Self::not_found()) }
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

    /// The prefix of the cached tokens.
    #[must_use]
    pub fn token_prefix(&self) -> String {
        format!("tokens/{}/", self.0)
    }

    fn not_found() -> Error {
        Error::new(Kind::ConnectionNotFound, Origin::Connection, "there is no connection of this id")
            .fix("list the connections, and name the id of one of them")
    }
}

/// A connection as it is kept: it holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredConnection {
    /// The version of this shape.
    pub format: u32,
    /// The name for people.
    pub nickname: String,
    /// The project.
    pub project: String,
    /// The default region.
    pub region: String,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub created: u64,
}

/// A credential as it is kept: a service account whose private key is under its own name, in the store
/// or in the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredCredential {
    /// [`SERVICE_ACCOUNT`]: a plain field and not a tagged enum, whose derived reader is large in wasm.
    #[serde(rename = "type")]
    pub kind: String,
    /// Who signs in.
    pub client_email: String,
    /// Google's id of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_key_id: Option<String>,
    /// The name to sign with.
    pub key: String,
    /// Whether only the host sees the key.
    #[serde(default)]
    pub host_only: bool,
}

/// The one kind of credential that this version keeps.
pub const SERVICE_ACCOUNT: &str = "service-account";

/// Reads JSON under a key.
///
/// # Errors
/// `secret-store`.
pub fn read<T: DeserializeOwned>(ports: &impl Ports, key: &str) -> Result<Option<T>> {
    let Some(entry) = ports.secret_get(key).map_err(|error| store_error("read", error))? else {
        return Ok(None);
    };
    json::read(entry.value.reveal()).map(Some).map_err(|_| {
        Error::new(Kind::SecretStore, Origin::Host, format!("the entry {} cannot be read", shown(key)))
            .fix("a newer version may have written it, or it is damaged; disconnect, and connect again")
    })
}

/// Writes JSON under a key.
///
/// # Errors
/// `secret-store`.
pub fn write(ports: &impl Ports, key: &str, value: &impl Serialize, expected: Expected) -> Result<()> {
    let json = serde_json::to_string(value)
        .map_err(|_| Error::new(Kind::Internal, Origin::Host, "an entry cannot be serialised"))?;
    ports.secret_put(key, &json, expected).map(drop).map_err(|error| store_error("write", error))
}

/// A connection and its credential.
///
/// # Errors
/// `connection-not-found` or `secret-store`.
pub fn load(ports: &impl Ports, id: &ConnectionId) -> Result<(StoredConnection, StoredCredential)> {
    let connection = read(ports, &id.connection_key())?.ok_or_else(ConnectionId::not_found)?;
    let credential: Option<StoredCredential> = read(ports, &id.credential_key())?;
    let credential = credential.filter(|credential| credential.kind == SERVICE_ACCOUNT).ok_or_else(|| {
        Error::new(
            Kind::SecretStore,
            Origin::Host,
            "the connection's credential is gone, or of a kind that a newer version keeps",
        )
        .fix("disconnect, and connect again")
    })?;
    Ok((connection, credential))
}

/// The error for a failure of the store.
#[must_use]
pub fn store_error(what: &str, error: StoreError) -> Error {
    let new = |message: String| Error::new(Kind::SecretStore, Origin::Host, message);
    match error {
        StoreError::VersionMismatch => {
            new(format!("somebody else changed the entry that was to {what}")).fix("try again")
        }
        StoreError::ReadOnly => new(format!("the secret store is read-only, so there is no way to {what}"))
            .fix("use a store that can be written for this"),
        StoreError::Unsupported => new(format!("the host does not support what was needed to {what}"))
            .fix("use another host or store"),
        StoreError::Failed(why) => {
            new(format!("the secret store could not {what}: {}", crate::error::foreign(&why)))
                .fix("whoever runs the host looks after its store")
        }
    }
}

/// The first segments of a key, without the digest of a token.
fn shown(key: &str) -> String {
    key.splitn(3, '/').take(2).collect::<Vec<_>>().join("/")
}
