//! A connection from a credential, and another credential for a connection.

use std::cell::Cell;

use super::{
    Connected, Connection, FORMAT, duplicate, forget_cached, nickname, region, shown, stored, unheard_of,
};
use crate::{
    base::{
        error::{Error, Kind, Origin, Result},
        ports::{Expected, Ports},
        secret::Secret,
    },
    call::{Call, deadlines},
    google::{
        jwt::{IdTokenClaims, KeyId, PrivateKey},
        names::{AccountEmail, ProjectId, Region},
    },
    rails::GuardRails,
    sign_in::{
        credential,
        identity::Identity,
        invoker::InvokerRequest,
        token::{self, Granted, status},
    },
    store::{
        self,
        changes::Changes,
        connection::{SignsIn, StoredConnection},
        credential::{StoredCredential, kind},
        names::{ConnectionId, host_key},
    },
};

/// The longest text that the host may give for whose token it is.
const MAX_ACCOUNT: usize = 254;

/// The request for a new connection; see `wit/connections.wit`.
#[derive(Debug)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct ConnectRequest {
    pub nickname: String,
    pub project: Option<String>,
    pub region: Option<String>,
    pub credential: Credential,
    pub subject_token: Option<String>,
    pub invoker: Option<InvokerRequest>,
    pub guard_rails: Option<GuardRails>,
}

/// The credential of a connection; see `wit/connections.wit`.
#[derive(Debug)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub enum Credential {
    GoogleJson(Secret<String>),
    StoredKey { client_email: String, private_key_id: Option<String>, key: String },
    SuppliedToken { key: String, account: Option<String> },
    InjectedToken(Option<String>),
}

/// Makes a connection. It is kept only after Google has accepted the credential.
///
/// # Errors
/// As `wit/connections.wit` says.
pub async fn connect<P: Ports>(
    ports: &P,
    request: ConnectRequest,
    deadline_ms: Option<u32>,
) -> Result<Connected> {
    let call = Call::begin(ports, deadline_ms, deadlines::API)?;
    let nickname = nickname(&request.nickname)?;
    let guard_rails = GuardRails::parse(request.guard_rails)?;
    let region = region(request.region.as_deref(), guard_rails.as_ref())?;
    let given = request.project.as_deref().map(ProjectId::parse).transpose()?;
    let given_credential = Given::parse(request.credential, request.subject_token.as_deref())?;
    let project = project(given, given_credential.project.as_ref())?;
    let identity = given_credential.identity(None)?;
    let mut connection = draft(ports, nickname, &project, &region, &identity, request.invoker)?;
    let mut warnings = duplicate(ports, &connection.nickname, None);
    warnings.extend(unheard_of(&region));
    warnings.extend(guard_rails.as_ref().and_then(|rails| rails.warning(region.as_str())));
    connection.guard_rails = guard_rails;
    let granted = call.run(token::prove(&call, &identity, project.as_str())).await?;
    let new = New { connection, credential: given_credential.credential, key: given_credential.key, granted };
    Ok((new.keep(&call)?, warnings))
}

/// Gives a connection another credential.
///
/// # Errors
/// As `wit/connections.wit` says.
pub async fn reauthorize<P: Ports>(
    ports: &P,
    id: &str,
    credential: Credential,
    subject_token: Option<&str>,
    deadline_ms: Option<u32>,
) -> Result<Connected> {
    let call = Call::begin(ports, deadline_ms, deadlines::API)?;
    let id = ConnectionId::parse(id)?;
    let connection = stored(ports, &id)?;
    let given = Given::parse(credential, subject_token)?;
    let identity = given.identity(None)?;
    let granted = call.run(token::prove(&call, &identity, &connection.project)).await?;
    let new = New { connection, credential: given.credential, key: given.key, granted };
    new.replace(&call, &id)
}

/// The project of a connection: what was given, or what the credential names.
pub(super) fn project(given: Option<ProjectId>, named: Option<&ProjectId>) -> Result<ProjectId> {
    given.or_else(|| named.cloned()).ok_or_else(|| {
        Error::input("project", "neither the request nor the credential names a project")
            .fix("name the project")
    })
}

/// A connection that is not kept yet.
pub(super) fn draft(
    ports: &impl Ports,
    nickname: String,
    project: &ProjectId,
    region: &Region,
    identity: &Identity,
    invoker: Option<InvokerRequest>,
) -> Result<StoredConnection> {
    let invoker = invoker.unwrap_or_else(|| InvokerRequest::default_for(identity));
    // The default one cannot always be told; whoever does not invoke need not care.
    let default = InvokerRequest::default_for(identity);
    if invoker != default {
        invoker.resolve(identity, project)?;
    }
    let mut connection = StoredConnection {
        format: FORMAT,
        nickname,
        project: project.to_string(),
        region: region.to_string(),
        created: ports.now().as_secs(),
        ..StoredConnection::default()
    };
    invoker.store(&mut connection);
    Ok(connection)
}

/// A credential that a caller gives, parsed.
struct Given {
    credential: StoredCredential,
    key: Option<Secret<String>>,
    project: Option<ProjectId>,
}

impl Given {
    fn parse(credential: Credential, subject_token: Option<&str>) -> Result<Self> {
        let only = |credential: StoredCredential| Self { credential, key: None, project: None };
        let whose = |account: Option<String>| {
            let account = account.unwrap_or_else(|| "the host's own".to_owned());
            if account.is_empty()
                || account.len() > MAX_ACCOUNT
                || account.contains(crate::base::unseen::deceives)
            {
                return Err(Error::credential("account", "is empty, longer than 254 bytes, or not one line"));
            }
            Ok(account)
        };
        if subject_token.is_some() && !matches!(credential, Credential::GoogleJson(_)) {
            return Err(Error::input("subject-token", "only an external_account has a subject token"));
        }
        Ok(match credential {
            Credential::GoogleJson(json) => {
                let parsed = credential::parse(&json, subject_token)?;
                Self {
                    credential: parsed.stored,
                    key: parsed.key.map(|key| key.pem().clone()),
                    project: parsed.project,
                }
            }
            Credential::StoredKey { client_email, private_key_id, key } => only(StoredCredential {
                kind: kind::SERVICE_ACCOUNT.to_owned(),
                account: AccountEmail::parse(&client_email)?.as_str().to_owned(),
                private_key_id: private_key_id
                    .as_deref()
                    .map(KeyId::parse)
                    .transpose()?
                    .map(|id| id.as_str().to_owned()),
                key: host_key("key", "keys/", &key)?,
                host_only: true,
                ..StoredCredential::default()
            }),
            Credential::SuppliedToken { key, account } => only(StoredCredential {
                kind: kind::SUPPLIED_TOKEN.to_owned(),
                account: whose(account)?,
                key: host_key("key", "supplied/", &key)?,
                ..StoredCredential::default()
            }),
            Credential::InjectedToken(account) => only(StoredCredential {
                kind: kind::INJECTED_TOKEN.to_owned(),
                account: whose(account)?,
                ..StoredCredential::default()
            }),
        })
    }

    fn identity(&self, key: Option<PrivateKey>) -> Result<Identity> {
        let key = match (&self.key, key) {
            (Some(pem), None) => Some(PrivateKey::parse(pem.clone())?),
            (_, key) => key,
        };
        Identity::of(&self.credential, key)
    }
}

/// A credential that Google has accepted, to be kept.
pub(super) struct New {
    pub(super) connection: StoredConnection,
    pub(super) credential: StoredCredential,
    pub(super) key: Option<Secret<String>>,
    pub(super) granted: Granted,
}

/// An id that no connection has. Randomness that repeats itself, as on a tape, is no reason to fail.
fn free_id(ports: &impl Ports) -> Result<ConnectionId> {
    for _ in 0..8 {
        let id = ConnectionId::random(ports.random());
        let taken = ports.secret_get(&id.connection_key());
        if taken.map_err(|error| store::store_error("read an entry", error))?.is_none() {
            return Ok(id);
        }
    }
    Err(Error::new(
        Kind::SecretStore,
        Origin::Host,
        "the host's randomness does not yield an id that is free",
    )
    .fix("whoever runs the host looks after its randomness"))
}

impl New {
    /// Keeps a new connection, all of it or nothing. The answer is made of what was written, and nothing is read after it.
    pub(super) fn keep<P: Ports>(mut self, call: &Call<'_, P>) -> Result<Connection> {
        let ports = call.ports();
        let id = free_id(ports)?;
        self.complete(&id);
        let identity = Identity::of(&self.credential, None)?;
        let signs_in = SignsIn::from(&self.credential);
        self.connection.signs_in = Some(signs_in.clone());
        self.connection.ends = self.granted.ends();
        let mut changes = Changes::new(ports);
        if let Err(error) = self.write(&mut changes, &id) {
            changes.undo();
            return Err(error.with_trace(call.take_trace()));
        }
        self.granted.cache(call, &id, &identity);
        Ok(shown::show(ports, &id, self.connection, signs_in))
    }

    /// The credential comes first, so that of two with one id only one is made, and the connection last: until then
    /// nothing is there to be found.
    fn write(&self, changes: &mut Changes<'_, impl Ports>, id: &ConnectionId) -> Result<()> {
        changes.write(id.credential_key(), &self.credential, Expected::Absent)?;
        if let Some(pem) = &self.key {
            changes.put(id.private_key_key(), pem.clone(), Expected::Absent)?;
        }
        changes.write(id.connection_key(), &self.connection, Expected::Absent)
    }

    /// Puts this credential in the place of a connection's own, and says what is odd about that. After a failure the old
    /// one is there as it was.
    pub(super) fn replace<P: Ports>(mut self, call: &Call<'_, P>, id: &ConnectionId) -> Result<Connected> {
        let ports = call.ports();
        self.complete(id);
        let identity = Identity::of(&self.credential, None)?;
        let old = store::read_versioned::<StoredCredential>(ports, &id.credential_key())?;
        let mut changes = Changes::new(ports);
        let (connection, fitted) = match self.exchange(&mut changes, id, &identity, old.as_ref()) {
            Ok(connection) => connection,
            Err(error) => {
                changes.undo();
                return Err(error.with_trace(call.take_trace()));
            }
        };
        // From here on the new credential is the connection's own, whatever the store says to the rest.
        let old = old.map(|(old, _)| old).unwrap_or_default();
        let mut warnings = self.clear_away(ports, id, &old);
        status::forget_fault(ports, id);
        self.granted.cache(call, id, &identity);
        if !old.account.is_empty() && old.account != self.credential.account {
            warnings.push(format!(
                "this connection was {} until now, and is {}",
                old.account, self.credential.account
            ));
        }
        if fitted {
            warnings.push(
                "functions receive another ID token from now on: this credential has none of the kind before"
                    .to_owned(),
            );
        }
        let signs_in = SignsIn::from(&self.credential);
        Ok((shown::show(ports, id, connection, signs_in), warnings))
    }

    /// Writes the new credential over the old one. Tells also whether functions receive another ID token than before.
    fn exchange(
        &self,
        changes: &mut Changes<'_, impl Ports>,
        id: &ConnectionId,
        identity: &Identity,
        old: Option<&(StoredCredential, String)>,
    ) -> Result<(StoredConnection, bool)> {
        // The key first: its name is the old one's too, and a credential without its key is of no use.
        if let Some(pem) = &self.key {
            changes.put(id.private_key_key(), pem.clone(), Expected::Anything)?;
        }
        let expected = old.map_or(Expected::Absent, |(_, version)| Expected::Version(version.clone()));
        changes.write(id.credential_key(), &self.credential, expected)?;
        let fitted = Cell::new(false);
        // The last step, and so it is not among those to be undone.
        let connection =
            store::update(changes.ports, &id.connection_key(), &|connection: &mut StoredConnection| {
                connection.signs_in = Some(SignsIn::from(&self.credential));
                connection.ends = self.granted.ends();
                fitted.set(!fits(&InvokerRequest::stored(connection), identity));
                if fitted.get() {
                    InvokerRequest::default_for(identity).store(connection);
                }
            })?;
        Ok((connection.ok_or_else(ConnectionId::not_found)?, fitted.get()))
    }

    /// Removes what belonged to the old credential alone. It is of no use to the new one, so that a store which does not let
    /// go of it is no failure.
    fn clear_away(&self, ports: &impl Ports, id: &ConnectionId, old: &StoredCredential) -> Vec<String> {
        let has_old_key = self.key.is_none() && old.kind == kind::SERVICE_ACCOUNT && !old.host_only;
        let key = if has_old_key { store::delete(ports, &id.private_key_key()) } else { Ok(()) };
        match key.and(forget_cached(ports, id)) {
            Ok(()) => Vec::new(),
            Err(error) => vec![format!(
                "the store still holds what belonged to the old credential, as it could not be removed ({}): disconnect this connection when it is not needed any more",
                error.fields().message
            )],
        }
    }

    /// Adds what is known only now that Google has answered.
    fn complete(&mut self, id: &ConnectionId) {
        let credential = &mut self.credential;
        if self.key.is_some() {
            credential.key = id.private_key_key();
        }
        if let Some(refresh_token) = self.granted.refresh_token() {
            credential.refresh_token.clone_from(refresh_token.reveal());
        }
        if let Some(scopes) = self.granted.scopes() {
            scopes.clone_into(&mut credential.scopes);
        }
        if credential.account.is_empty() {
            // It came from the token endpoint itself (OpenID Connect Core, 3.1.3.7, 6), and is shown, not trusted.
            let claims = self.granted.id_token().and_then(IdTokenClaims::read);
            let account = claims.and_then(|claims| claims.email.or(claims.sub));
            credential.account =
                account.unwrap_or_else(|| format!("a user of the client {}", credential.client_id));
        }
    }
}

/// Tells if a credential can get the ID token that functions receive. A service account's key has one of its
/// own, and a user has not.
fn fits(invoker: &InvokerRequest, identity: &Identity) -> bool {
    match invoker {
        InvokerRequest::Own => identity.has_own_id_token(),
        InvokerRequest::User => identity.has_user_id_token(),
        InvokerRequest::ServiceAccount { .. } => true,
    }
}
