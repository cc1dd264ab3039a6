//! What is kept in the secret store, under which keys, in which shape.
//!
//! The shapes are flat, with a plain `type` field: the derived readers of tagged enums are large in wasm.

use crate::{
    base::{
        error::{Error, Kind, Origin, Result},
        json::{self, Object, Read},
        ports::{Entry, Expected, Ports, StoreError},
    },
    rails::GuardRails,
};

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

    pub(crate) fn not_found() -> Error {
        Error::new(Kind::ConnectionNotFound, Origin::Connection, "there is no connection of this id")
            .fix("list the connections, and name the id of one of them")
    }
}

/// Whether a text can be an id that [`ConnectionId::random`] made.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// A connection as it is kept: it holds no secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredConnection {
    /// The version of this shape.
    pub format: u64,
    /// The name for people.
    pub nickname: String,
    /// The project.
    pub project: String,
    /// The default region.
    pub region: String,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub created: u64,
    /// Whose ID token functions receive: [`invoker`]'s names; the credential's own if it is empty.
    pub invoker: String,
    /// Of the invoker, if it is a service account other than the project's own.
    pub invoker_account: Option<String>,
    /// Of the invoker, if it is a service account.
    pub invoker_delegates: Vec<String>,
    /// Of the invoker, if it is a service account: the token does not say its address.
    pub without_email: bool,
    /// What it may do; none is everything.
    pub guard_rails: Option<GuardRails>,
    /// Who signs in; none in a store of an earlier version, which kept it with the credential only.
    pub signs_in: Option<SignsIn>,
}

/// Who signs in, and how: the part of a credential that is no secret, kept apart from it, so that a list of connections
/// reads no credential.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignsIn {
    /// One of the names in [`kind`].
    pub kind: String,
    /// Whether only the host sees the key.
    pub host_only: bool,
    /// Who signs in, for people: an address where there is one.
    pub account: String,
    /// The service account that this only leads to.
    pub impersonates: Option<String>,
    /// The scopes that were granted, separated by spaces.
    pub scopes: String,
}

/// A credential as it is kept: everything but a private key, which is under its own name, in the store
/// or in the host.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct StoredCredential {
    /// One of the names in [`kind`].
    pub kind: String,
    /// Who signs in, for people: an address where there is one.
    pub account: String,
    /// The scopes that were granted, separated by spaces.
    pub scopes: String,
    /// Google's id of the key of a service account.
    pub private_key_id: Option<String>,
    /// Where the private key is, or the token that the host supplies.
    pub key: String,
    /// Whether only the host sees the key.
    pub host_only: bool,
    /// Of the OAuth client of a user's grant.
    pub client_id: String,
    /// Of the OAuth client of a user's grant.
    pub client_secret: String,
    /// A user's grant.
    pub refresh_token: String,
    /// Google's id of the user.
    pub subject: String,
    /// Of a workload identity provider.
    pub audience: String,
    /// Of the token that is exchanged for Google's.
    pub subject_token_type: String,
    /// The service account that all of this only leads to.
    pub impersonates: Option<String>,
    /// On the way there.
    pub delegates: Vec<String>,
}

/// The kinds of credential, as they are kept.
pub mod kind {
    /// A key, in the store or in the host.
    pub const SERVICE_ACCOUNT: &str = "service-account";
    /// A refresh token.
    pub const AUTHORIZED_USER: &str = "authorized-user";
    /// A subject token of somebody else's.
    pub const EXTERNAL_ACCOUNT: &str = "external-account";
    /// An access token in the store.
    pub const SUPPLIED_TOKEN: &str = "supplied-token";
    /// An access token that the host adds.
    pub const INJECTED_TOKEN: &str = "injected-token";
}

/// The kinds of invoker, as they are kept.
pub mod invoker {
    /// The credential's own.
    pub const OWN: &str = "own";
    /// A service account's.
    pub const SERVICE_ACCOUNT: &str = "service-account";
    /// The user's.
    pub const USER: &str = "user";
}

impl std::fmt::Debug for StoredCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredCredential")
            .field("kind", &self.kind)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

/// What is kept under a key, as JSON.
pub(crate) trait Kept: Sized {
    /// From its fields.
    fn read(fields: &Object<'_>) -> Read<Self>;

    /// Its fields; what is empty is left out.
    fn fields(&self) -> Object<'_>;
}

impl Kept for StoredConnection {
    fn read(fields: &Object<'_>) -> Read<Self> {
        Ok(Self {
            format: fields.number("format")?.ok_or(json::Unreadable::Field("format"))?,
            nickname: fields.required("nickname")?,
            project: fields.required("project")?,
            region: fields.required("region")?,
            created: fields.number("created")?.unwrap_or_default(),
            invoker: fields.string("invoker")?.unwrap_or_default(),
            invoker_account: fields.string("invoker_account")?,
            invoker_delegates: fields.texts("invoker_delegates")?,
            without_email: fields.flag("without_email")?,
            guard_rails: fields.object("guard_rails")?.map(GuardRails::read).transpose()?,
            signs_in: fields.object("signs_in")?.map(SignsIn::read).transpose()?,
        })
    }

    fn fields(&self) -> Object<'_> {
        Object::default()
            .with("format", self.format)
            .with("nickname", self.nickname.as_str())
            .with("project", self.project.as_str())
            .with("region", self.region.as_str())
            .with("created", self.created)
            .with_text("invoker", &self.invoker)
            .with_some("invoker_account", self.invoker_account.as_deref())
            .with_texts("invoker_delegates", &self.invoker_delegates)
            .with_some("without_email", self.without_email.then_some(true))
            .with_some("guard_rails", self.guard_rails.as_ref().map(GuardRails::fields))
            .with_some("signs_in", self.signs_in.as_ref().map(SignsIn::fields))
    }
}

impl Kept for SignsIn {
    fn read(fields: &Object<'_>) -> Read<Self> {
        Ok(Self {
            kind: fields.required("type")?,
            host_only: fields.flag("host_only")?,
            account: fields.required("account")?,
            impersonates: fields.string("impersonates")?,
            scopes: fields.string("scopes")?.unwrap_or_default(),
        })
    }

    fn fields(&self) -> Object<'_> {
        Object::default()
            .with("type", self.kind.as_str())
            .with_some("host_only", self.host_only.then_some(true))
            .with("account", self.account.as_str())
            .with_some("impersonates", self.impersonates.as_deref())
            .with_text("scopes", &self.scopes)
    }
}

impl From<&StoredCredential> for SignsIn {
    fn from(credential: &StoredCredential) -> Self {
        Self {
            kind: credential.kind.clone(),
            host_only: credential.host_only,
            account: credential.account.clone(),
            impersonates: credential.impersonates.clone(),
            scopes: credential.scopes.clone(),
        }
    }
}

impl Kept for StoredCredential {
    fn read(fields: &Object<'_>) -> Read<Self> {
        let text = |name| Ok(fields.string(name)?.unwrap_or_default());
        Ok(Self {
            kind: fields.required("type")?,
            account: fields.required("account")?,
            scopes: text("scopes")?,
            private_key_id: fields.string("private_key_id")?,
            key: text("key")?,
            host_only: fields.flag("host_only")?,
            client_id: text("client_id")?,
            client_secret: text("client_secret")?,
            refresh_token: text("refresh_token")?,
            subject: text("subject")?,
            audience: text("audience")?,
            subject_token_type: text("subject_token_type")?,
            impersonates: fields.string("impersonates")?,
            delegates: fields.texts("delegates")?,
        })
    }

    fn fields(&self) -> Object<'_> {
        Object::default()
            .with("type", self.kind.as_str())
            .with("account", self.account.as_str())
            .with_text("scopes", &self.scopes)
            .with_some("private_key_id", self.private_key_id.as_deref())
            .with_text("key", &self.key)
            .with_some("host_only", self.host_only.then_some(true))
            .with_text("client_id", &self.client_id)
            .with_text("client_secret", &self.client_secret)
            .with_text("refresh_token", &self.refresh_token)
            .with_text("subject", &self.subject)
            .with_text("audience", &self.audience)
            .with_text("subject_token_type", &self.subject_token_type)
            .with_some("impersonates", self.impersonates.as_deref())
            .with_texts("delegates", &self.delegates)
    }
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
    let Some(entry) = ports.secret_get(key).map_err(|error| store_error("read an entry", error))? else {
        return Ok(None);
    };
    match parse(&entry) {
        Ok(value) => Ok(Some((value, entry.version))),
        Err(_) => Err(unreadable(key)),
    }
}

/// What an entry holds.
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
    for _ in 0..RACES {
        let Some((mut value, version)) = read_versioned::<T>(ports, key)? else { return Ok(None) };
        change(&mut value);
        match ports.secret_put(key, &value.fields().to_json(), Expected::Version(version)) {
            Ok(_) => return Ok(Some(value)),
            Err(StoreError::VersionMismatch) => {}
            Err(error) => return Err(store_error("write an entry", error)),
        }
    }
    Err(store_error("write an entry", StoreError::VersionMismatch))
}

/// Lost races with others after which a change is given up.
const RACES: usize = 8;

/// Removes a key.
///
/// # Errors
/// `secret-store`.
pub fn delete(ports: &impl Ports, key: &str) -> Result<()> {
    ports.secret_delete(key, Expected::Anything).map_err(|error| store_error("delete an entry", error))
}

/// A connection and its credential.
///
/// # Errors
/// `connection-not-found` or `secret-store`.
pub fn load(ports: &impl Ports, id: &ConnectionId) -> Result<(StoredConnection, StoredCredential)> {
    let connection = read(ports, &id.connection_key())?.ok_or_else(ConnectionId::not_found)?;
    let credential = read(ports, &id.credential_key())?.ok_or_else(|| {
        Error::new(Kind::SecretStore, Origin::Host, "the connection's credential is gone")
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
            new(format!("somebody else was quicker, so there was no way to {what}")).fix("try again")
        }
        StoreError::ReadOnly => new(format!("the secret store is read-only, so there is no way to {what}"))
            .fix("use a store that can be written for this"),
        StoreError::Unsupported => new(format!("the host does not support what was needed to {what}"))
            .fix("use another host or store"),
        StoreError::Failed(why) => {
            new(format!("the secret store could not {what}: {}", crate::base::error::foreign(&why)))
                .fix("whoever runs the host looks after its store")
        }
    }
}

/// The first segments of a key, without the digest of a token.
fn shown(key: &str) -> String {
    key.splitn(3, '/').take(2).collect::<Vec<_>>().join("/")
}
