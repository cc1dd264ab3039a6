//! A connection from a credential, and another credential for a connection.

use std::cell::Cell;

use super::{Connected, FORMAT, forget_cached, in_use, nickname, region, shown, stored, unheard_of};
use crate::{
    base::{
        error::{Error, Kind, Origin, Result},
        ports::{Expected, Ports},
        secret::Secret,
    },
    call::{Call, deadlines},
    google::names::{ProjectId, Region},
    rails::GuardRails,
    sign_in::{
        credential::{CredentialRequest, service_account::SigningKey},
        grant::Granted,
        identity::{Given, Identity},
        invoker::InvokerRequest,
        token::{self, status},
    },
    store::{
        self,
        changes::Changes,
        connection::{SignsIn, StoredConnection},
        names::ConnectionId,
        nicknames,
    },
};

/// The request for a new connection; see `wit/connections.wit`.
#[derive(Debug)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct ConnectRequest {
    pub nickname: String,
    pub project: Option<String>,
    pub quota_project: Option<String>,
    pub region: Option<String>,
    pub credential: CredentialRequest,
    pub subject_token: Option<String>,
    pub invoker: Option<InvokerRequest>,
    pub guard_rails: Option<GuardRails>,
}

/// Makes a connection. It is kept only after Google has accepted the credential; a token that the host supplies or
/// injects is not tried.
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
    let asked = request.project.as_deref().map(ProjectId::parse).transpose()?;
    let quota_project = quota_project(request.quota_project.as_deref())?;
    let given = Given::parse(request.credential, request.subject_token.as_deref())?;
    let project = project(asked, given.project.as_ref())?;
    let identity = given.identity;
    let mut connection = draft(ports, nickname, &project, &region, &identity, request.invoker)?;
    let mut warnings: Vec<_> = unheard_of(&region).into_iter().collect();
    warnings.extend(guard_rails.as_ref().and_then(|rails| rails.warning(region.as_str())));
    connection.guard_rails = guard_rails;
    let quota_project = quota_project.or(given.quota_project);
    connection.quota_project = quota_project.as_ref().map(ToString::to_string);
    let proof = token::prove(&call, &identity, project.as_str(), quota_project.as_ref());
    let granted = call.traced(proof.await)?;
    let scopes = granted.scopes().map(str::to_owned);
    let new = New { connection, identity, granted, scopes };
    let (connection, mut odd) = new.keep(&call)?;
    odd.append(&mut warnings);
    Ok((connection, odd))
}

/// Gives a connection another credential.
///
/// # Errors
/// As `wit/connections.wit` says.
pub async fn reauthorize<P: Ports>(
    ports: &P,
    id: &str,
    credential: CredentialRequest,
    subject_token: Option<&str>,
    deadline_ms: Option<u32>,
) -> Result<Connected> {
    let call = Call::begin(ports, deadline_ms, deadlines::API)?;
    let id = ConnectionId::parse(id)?;
    let mut connection = stored(ports, &id)?;
    let Given { identity, quota_project, .. } = Given::parse(credential, subject_token)?;
    if let Some(named) = &quota_project {
        connection.quota_project = Some(named.to_string());
    }
    let counted = connection.quota_project.as_deref().map(ProjectId::parse).transpose()?;
    let granted = call.traced(token::prove(&call, &identity, &connection.project, counted.as_ref()).await)?;
    let scopes = granted.scopes().map(str::to_owned);
    let new = New { connection, identity, granted, scopes };
    new.replace(&call, &id)
}

/// The project of a connection: what was given, or what the credential names.
pub(super) fn project(given: Option<ProjectId>, named: Option<&ProjectId>) -> Result<ProjectId> {
    given.or_else(|| named.cloned()).ok_or_else(|| {
        Error::input("project", "neither the request nor the credential names a project")
            .fix("name the project")
    })
}

/// The project that requests are to count against.
pub(super) fn quota_project(named: Option<&str>) -> Result<Option<ProjectId>> {
    let parse = |text: &str| {
        ProjectId::parse(text).map_err(|_| {
            Error::input("quota-project", "the quota project is not a project id or number")
                .fix("name a project in which you may use services, such as the connection's own")
        })
    };
    named.map(parse).transpose()
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

/// A credential that Google has accepted, to be kept.
pub(super) struct New {
    pub(super) connection: StoredConnection,
    pub(super) identity: Identity,
    pub(super) granted: Granted,
    /// The scopes that were granted, separated by spaces, if that is known.
    pub(super) scopes: Option<String>,
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
    /// Keeps a new connection, all of it or nothing, and says what is odd about that. The answer is made of what was written,
    /// and nothing is read after it.
    pub(super) fn keep<P: Ports>(mut self, call: &Call<'_, P>) -> Result<Connected> {
        let ports = call.ports();
        let id = free_id(ports)?;
        let key = self.identity.credential.complete(&id, &self.granted);
        let signs_in = self.signs_in();
        self.connection.signs_in = Some(signs_in.clone());
        self.connection.ends = self.granted.ends();
        let mut changes = Changes::new(ports);
        if let Err(error) = self.write(&mut changes, &id, key) {
            changes.undo();
            return Err(error.with_trace(call.take_trace()));
        }
        self.granted.cache(call, &id, &self.identity);
        // The connection is there, whatever becomes of its place in the index.
        let warning =
            in_use(nicknames::take(ports, &self.connection.nickname, &id), &self.connection.nickname);
        Ok((shown::show(ports, &id, self.connection, signs_in), warning.into_iter().collect()))
    }

    fn signs_in(&self) -> SignsIn {
        self.identity.signs_in(self.scopes.as_deref())
    }

    /// The credential comes first, so that of two with one id only one is made, and the connection last: until then
    /// nothing is there to be found.
    fn write(
        &self,
        changes: &mut Changes<'_, impl Ports>,
        id: &ConnectionId,
        key: Option<Secret<String>>,
    ) -> Result<()> {
        changes.write(id.credential_key(), &self.identity, Expected::Absent)?;
        if let Some(pem) = key {
            changes.put(id.private_key_key(), pem, Expected::Absent)?;
        }
        changes.write(id.connection_key(), &self.connection, Expected::Absent)
    }

    /// Puts this credential in the place of a connection's own, and says what is odd about that. After a failure the old
    /// one is there as it was.
    pub(super) fn replace<P: Ports>(mut self, call: &Call<'_, P>, id: &ConnectionId) -> Result<Connected> {
        let ports = call.ports();
        let key = self.identity.credential.complete(id, &self.granted);
        let old = store::read_versioned::<Identity>(ports, &id.credential_key())?;
        let mut changes = Changes::new(ports);
        let (connection, fitted) = match self.exchange(&mut changes, id, key, old.as_ref()) {
            Ok(connection) => connection,
            Err(error) => {
                changes.undo();
                return Err(error.with_trace(call.take_trace()));
            }
        };
        // From here on the new credential is the connection's own, whatever the store says to the rest.
        let old = old.map(|(old, _)| old);
        let mut warnings = self.clear_away(ports, id, old.as_ref());
        status::forget_fault(ports, id);
        self.granted.cache(call, id, &self.identity);
        let account = self.identity.account();
        if let Some(old) = old
            && old.account() != account
        {
            warnings.push(format!("this connection was {} until now, and is {account}", old.account()));
        }
        if fitted {
            warnings.push(
                "functions receive another ID token from now on: this credential has none of the kind before"
                    .to_owned(),
            );
        }
        let signs_in = self.signs_in();
        Ok((shown::show(ports, id, connection, signs_in), warnings))
    }

    /// Writes the new credential over the old one. Tells also whether functions receive another ID token than before.
    fn exchange(
        &self,
        changes: &mut Changes<'_, impl Ports>,
        id: &ConnectionId,
        key: Option<Secret<String>>,
        old: Option<&(Identity, String)>,
    ) -> Result<(StoredConnection, bool)> {
        // The key first: its name is the old one's too, and a credential without its key is of no use.
        if let Some(pem) = key {
            changes.put(id.private_key_key(), pem, Expected::Anything)?;
        }
        let expected = old.map_or(Expected::Absent, |(_, version)| Expected::Version(version.clone()));
        changes.write(id.credential_key(), &self.identity, expected)?;
        let fitted = Cell::new(false);
        // The last step, and so it is not among those to be undone.
        let connection =
            store::update(changes.ports, &id.connection_key(), &|connection: &mut StoredConnection| {
                connection.signs_in = Some(self.signs_in());
                connection.ends = self.granted.ends();
                connection.quota_project.clone_from(&self.connection.quota_project);
                fitted.set(!fits(&InvokerRequest::stored(connection), &self.identity));
                if fitted.get() {
                    InvokerRequest::default_for(&self.identity).store(connection);
                }
            })?;
        Ok((connection.ok_or_else(ConnectionId::not_found)?, fitted.get()))
    }

    /// Removes what belonged to the old credential alone. It is of no use to the new one, so that a store which does not let
    /// go of it is no failure.
    fn clear_away(&self, ports: &impl Ports, id: &ConnectionId, old: Option<&Identity>) -> Vec<String> {
        let in_store = |identity: &Identity| {
            let key = identity.credential.key();
            key.is_some_and(|account| matches!(account.key, SigningKey::Stored(_)))
        };
        let key = if old.is_some_and(in_store) && !in_store(&self.identity) {
            store::delete(ports, &id.private_key_key())
        } else {
            Ok(())
        };
        match key.and(forget_cached(ports, id)) {
            Ok(()) => Vec::new(),
            Err(error) => vec![format!(
                "the store still holds what belonged to the old credential, as it could not be removed ({}): disconnect this connection when it is not needed any more",
                error.fields().message
            )],
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
