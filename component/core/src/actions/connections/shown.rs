//! A connection as it may be shown: read from what is no secret.

use crate::{
    base::{error::Result, ports::Ports},
    rails::GuardRails,
    sign_in::{grant::SCOPES, identity, invoker::InvokerRequest, token::status},
    store::{
        self,
        connection::{CredentialKind, SignsIn, StoredConnection},
        names::ConnectionId,
    },
};

/// The reason why a connection cannot sign in; see `wit/connections.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct Fault {
    pub message: String,
    pub fix: Option<String>,
    pub reason: Option<String>,
    pub since: u64,
}

/// A connection as it may be shown; see `wit/connections.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct Connection {
    pub id: String,
    pub nickname: String,
    pub project: String,
    pub quota_project: Option<String>,
    pub region: String,
    pub kind: CredentialKind,
    pub account: String,
    pub through: Option<String>,
    pub scopes: Vec<String>,
    pub invoker: InvokerRequest,
    pub guard_rails: Option<GuardRails>,
    pub created: u64,
    pub last_used: Option<u64>,
    pub ends: Option<u64>,
    pub fault: Option<Fault>,
}

/// A connection that a call names, from what is kept of it.
///
/// # Errors
/// `secret-store`.
pub(super) fn load(ports: &impl Ports, id: &ConnectionId, stored: StoredConnection) -> Result<Connection> {
    let signs_in = signs_in(ports, id, &stored)?;
    if stored.signs_in.is_none() {
        // For lists, which read no credential. A store that cannot be written has it read each time.
        let _ = store::update(ports, &id.connection_key(), &|connection: &mut StoredConnection| {
            connection.signs_in = Some(signs_in.clone());
        });
    }
    Ok(show(ports, id, stored, signs_in))
}

/// The account that signs in with a connection that a call names. One of an earlier version has it in its
/// credential alone.
///
/// # Errors
/// `secret-store`.
pub(super) fn signs_in(ports: &impl Ports, id: &ConnectionId, stored: &StoredConnection) -> Result<SignsIn> {
    match &stored.signs_in {
        Some(signs_in) => Ok(signs_in.clone()),
        None => Ok(identity::load(ports, id)?.1.signs_in_of_earlier()),
    }
}

/// A connection with who signs in. What is known of its last use is a courtesy: without it there is a connection still.
pub(super) fn show(
    ports: &impl Ports,
    id: &ConnectionId,
    connection: StoredConnection,
    signs_in: SignsIn,
) -> Connection {
    let status = status::read(ports, id);
    let scopes = match &signs_in.scopes {
        Some(scopes) => scopes.split(' ').map(str::to_owned).collect(),
        None => SCOPES.map(str::to_owned).to_vec(),
    };
    let (account, through) = match signs_in.impersonates {
        Some(target) => (target, Some(signs_in.account)),
        None => (signs_in.account, None),
    };
    Connection {
        id: id.as_str().to_owned(),
        invoker: InvokerRequest::stored(&connection),
        nickname: connection.nickname,
        project: connection.project,
        quota_project: connection.quota_project,
        region: connection.region,
        guard_rails: connection.guard_rails,
        kind: signs_in.kind,
        account,
        through,
        scopes,
        created: connection.created,
        ends: connection.ends,
        last_used: (status.last_used != 0).then_some(status.last_used),
        fault: status.fault.filter(|fault| fault.stands(ports.now().as_secs())).map(|fault| Fault {
            message: fault.message,
            fix: fault.fix,
            reason: fault.reason,
            since: fault.since,
        }),
    }
}
