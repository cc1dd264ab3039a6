//! Connections: made, shown, checked, ended.

use crate::{
    call::{Call, deadlines},
    credential::{self, KeyId},
    error::{Error, Kind, Origin, Result},
    google,
    http::{Method, Response},
    names::{AccountEmail, ProjectId, Region},
    ports::{Expected, Ports},
    retry::Class,
    secret::Secret,
    session::Session,
    store::{self, ConnectionId, StoredConnection, StoredCredential},
    target::{self, Api, grammar::PathAndQuery},
    token::{self, SCOPES, Signer},
};

/// The version of what is kept.
const FORMAT: u32 = 1;

/// The longest nickname, in characters.
const MAX_NICKNAME: usize = 100;

/// What a caller asks for; see `wit/connections.wit`.
#[derive(Debug)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct ConnectRequest {
    pub nickname: String,
    pub project: Option<String>,
    pub region: Option<String>,
    pub credential: Credential,
}

/// The credential of a new connection; see `wit/connections.wit`.
#[derive(Debug)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub enum Credential {
    GoogleJson(Secret<String>),
    StoredKey { client_email: String, private_key_id: Option<String>, key: String },
}

/// How a connection signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub enum CredentialKind {
    ServiceAccount,
    StoredKey,
}

/// A connection as it may be shown; see `wit/connections.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct Connection {
    pub id: String,
    pub nickname: String,
    pub project: String,
    pub region: String,
    pub kind: CredentialKind,
    pub account: String,
    pub scopes: Vec<String>,
    pub created: u64,
}

/// What a check found out about one prerequisite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub enum Verdict {
    Pass,
    Fail,
    Unknown,
    NotNeeded,
}

/// One line of a check; see `wit/connections.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct Finding {
    pub name: &'static str,
    pub verdict: Verdict,
    pub message: String,
    pub fix: Option<String>,
    pub link: Option<String>,
}

/// Makes a connection. It is kept only after Google has accepted the credential.
///
/// # Errors
/// As `wit/connections.wit` says.
pub async fn connect<P: Ports>(
    ports: &P,
    request: ConnectRequest,
    deadline_ms: Option<u32>,
) -> Result<(Connection, Vec<String>)> {
    let call = Call::begin(ports, deadline_ms, deadlines::API)?;
    let nickname = nickname(&request.nickname)?;
    let region = request.region.as_deref().map_or_else(|| Ok(Region::default_region()), Region::parse)?;
    let given = request.project.as_deref().map(ProjectId::parse).transpose()?;
    let (signer, named, stored_key) = signer(request.credential)?;
    let project = given.or(named).ok_or_else(|| {
        Error::input("project", "neither the request nor the credential names a project")
            .fix("name the project")
    })?;
    let warnings = duplicate(ports, &nickname)?;

    let proof = call.run(token::prove(&call, &signer)).await?;

    let id = ConnectionId::random(ports.random());
    let connection = StoredConnection {
        format: FORMAT,
        nickname,
        project: project.to_string(),
        region: region.to_string(),
        created: ports.now().as_secs(),
    };
    let credential = StoredCredential {
        kind: store::SERVICE_ACCOUNT.to_owned(),
        client_email: signer.email().as_str().to_owned(),
        private_key_id: signer.key_id().map(|id| id.as_str().to_owned()),
        host_only: stored_key.is_some(),
        key: stored_key.unwrap_or_else(|| id.private_key_key()),
    };
    if let Err(error) = keep(ports, &id, &connection, &credential, &signer) {
        remove(ports, &id, &credential);
        return Err(error.with_trace(call.take_trace()));
    }
    let shown = shown(&id, &connection, &credential);
    // Cached under the connection's own signer, which reads the key from the store.
    proof.cache(&call, &id, &signer);
    Ok((shown, warnings))
}

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
        match store::load(ports, &id) {
            Ok((connection, credential)) => {
                let shown = shown(&id, &connection, &credential);
                let at = connections.partition_point(|c| (&c.nickname, &c.id) < (&shown.nickname, &shown.id));
                connections.insert(at, shown);
            }
            // Somebody disconnected it between the two reads.
            Err(error) if error.kind() == Kind::ConnectionNotFound => {}
            Err(error) => return Err(error),
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
    let (connection, credential) = store::load(ports, &id)?;
    Ok(shown(&id, &connection, &credential))
}

/// Tries each prerequisite on its own.
///
/// # Errors
/// `connection-required`, `connection-not-found` or `secret-store`; what is not met is a finding.
pub async fn check<P: Ports>(ports: &P, id: &str, deadline_ms: Option<u32>) -> Result<Vec<Finding>> {
    let call = Call::begin(ports, deadline_ms, deadlines::API)?;
    let session = Session::open(ports, id)?;
    let token = token::access_token(&call, &session.id, &session.signer).await;
    let account = session.signer.email().as_str();
    let mut findings = vec![match &token {
        Ok(_) => pass("token", format!("{account} gets an access token")),
        Err(error) => fail("token", error),
    }];
    if token.is_err() {
        findings.push(unknown("functions-api", "not tried without a token"));
        findings.push(unknown("list-functions", "not tried without a token"));
        return Ok(findings);
    }
    let path = format!("/v2/projects/{}/locations/-/functions", session.project.segment());
    let target = PathAndQuery::ours(&path, &[("pageSize", "1"), ("fields", "functions(name)")]);
    let listed = session
        .send(&call, Class::Idempotent, &|token| target::to_api(Api::Functions, Method::Get, &target, token))
        .await;
    findings.extend(functions_api(&session, listed));
    Ok(findings)
}

fn functions_api(session: &Session, listed: Result<Response>) -> [Finding; 2] {
    let action = format!("list functions in {}", session.project);
    let attempted = session.attempted(&action, "cloudfunctions.functions.list");
    let refusal = match listed {
        Ok(response) if response.status == 200 => {
            return [
                pass("functions-api", format!("the Cloud Functions API is on in {}", session.project)),
                pass("list-functions", format!("{} may list functions", attempted.account)),
            ];
        }
        Ok(response) => google::api_error(&response, &attempted),
        Err(error) => error,
    };
    if refusal.kind() == Kind::ApiDisabled {
        return [
            fail("functions-api", &refusal),
            unknown("list-functions", "not tried while the API is off"),
        ];
    }
    let api = if refusal.kind() == Kind::MissingRole {
        pass("functions-api", format!("the Cloud Functions API answers for {}", session.project))
    } else {
        unknown("functions-api", &refusal.fields().message)
    };
    [api, fail("list-functions", &refusal)]
}

/// Removes a connection with all that belongs to it.
///
/// # Errors
/// `connection-required`, `connection-not-found` or `secret-store`.
pub fn disconnect(ports: &impl Ports, id: &str) -> Result<Vec<String>> {
    let id = ConnectionId::parse(id)?;
    let (_, credential) = store::load(ports, &id)?;
    let StoredCredential { client_email, key, host_only, .. } = &credential;
    let delete =
        |key: &str| ports.secret_delete(key).map_err(|error| store::store_error("delete an entry", error));
    let tokens = ports
        .secret_keys(&id.token_prefix())
        .map_err(|error| store::store_error("list the cached tokens", error))?;
    // Secrets first: should one stay, the connection is still there to try again.
    for token in &tokens {
        delete(token)?;
    }
    if !host_only {
        delete(key)?;
    }
    delete(&id.connection_key())?;
    delete(&id.credential_key())?;
    Ok(vec![if *host_only {
        format!("the key {key} stays in the host, and still signs in as {client_email}")
    } else {
        format!(
            "the key of {client_email} is gone from here, but valid until it is deleted in IAM & Admin, Service Accounts"
        )
    }])
}

fn signer(credential: Credential) -> Result<(Signer, Option<ProjectId>, Option<String>)> {
    match credential {
        Credential::GoogleJson(json) => {
            let key = credential::parse(&json)?;
            Ok((Signer::with_key(key.email, key.key_id, key.key), key.project, None))
        }
        Credential::StoredKey { client_email, private_key_id, key } => {
            let plain = |b: u8| {
                b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'/' | b'-')
            };
            if !key.starts_with("keys/") || key.len() > 256 || !key.bytes().all(plain) {
                return Err(credential::invalid("key", "is not a name under keys/"));
            }
            let stored = StoredCredential {
                kind: store::SERVICE_ACCOUNT.to_owned(),
                client_email: AccountEmail::parse(&client_email)?.as_str().to_owned(),
                private_key_id: private_key_id
                    .as_deref()
                    .map(KeyId::parse)
                    .transpose()?
                    .map(|id| id.as_str().to_owned()),
                key: key.clone(),
                host_only: true,
            };
            Ok((Signer::stored(&stored)?, None, Some(key)))
        }
    }
}

fn nickname(text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > MAX_NICKNAME || text.contains(char::is_control) {
        return Err(Error::input(
            "nickname",
            "the nickname is empty, longer than 100 characters, or not one line",
        ));
    }
    Ok(text.to_owned())
}

fn duplicate(ports: &impl Ports, nickname: &str) -> Result<Vec<String>> {
    let same = list(ports)?.into_iter().filter(|connection| connection.nickname == nickname).count();
    Ok(if same == 0 {
        Vec::new()
    } else {
        vec![format!(
            "there is another connection with the nickname {nickname}: tell them apart by their ids"
        )]
    })
}

/// The connection is written last: until then nothing is there to be found.
fn keep(
    ports: &impl Ports,
    id: &ConnectionId,
    connection: &StoredConnection,
    credential: &StoredCredential,
    signer: &Signer,
) -> Result<()> {
    if let Some(key) = signer.key_in_hand() {
        ports
            .secret_put(&id.private_key_key(), key.pem().reveal(), Expected::Absent)
            .map_err(|error| store::store_error("write the key", error))?;
    }
    store::write(ports, &id.credential_key(), credential, Expected::Absent)?;
    store::write(ports, &id.connection_key(), connection, Expected::Absent)
}

/// Takes back what [`keep`] may have written. The error that led here is the one to report.
fn remove(ports: &impl Ports, id: &ConnectionId, credential: &StoredCredential) {
    if !credential.host_only {
        let _ = ports.secret_delete(&id.private_key_key());
    }
    let _ = ports.secret_delete(&id.credential_key());
    let _ = ports.secret_delete(&id.connection_key());
}

fn shown(id: &ConnectionId, connection: &StoredConnection, credential: &StoredCredential) -> Connection {
    let StoredCredential { client_email, host_only, .. } = credential;
    Connection {
        id: id.as_str().to_owned(),
        nickname: connection.nickname.clone(),
        project: connection.project.clone(),
        region: connection.region.clone(),
        kind: if *host_only { CredentialKind::StoredKey } else { CredentialKind::ServiceAccount },
        account: client_email.clone(),
        scopes: SCOPES.map(str::to_owned).to_vec(),
        created: connection.created,
    }
}

fn pass(name: &'static str, message: String) -> Finding {
    Finding { name, verdict: Verdict::Pass, message, fix: None, link: None }
}

fn fail(name: &'static str, error: &Error) -> Finding {
    let fields = error.fields();
    // What could not be asked is not known to be wrong.
    let verdict = match fields.origin {
        Origin::Network | Origin::Host => Verdict::Unknown,
        Origin::Input
        | Origin::Connection
        | Origin::TokenEndpoint
        | Origin::Iam
        | Origin::GoogleApi
        | Origin::Function
        | Origin::GoogleFrontEnd => Verdict::Fail,
    };
    Finding {
        name,
        verdict,
        message: fields.message.clone(),
        fix: fields.fix.clone(),
        link: fields.link.clone(),
    }
}

fn unknown(name: &'static str, message: &str) -> Finding {
    Finding { name, verdict: Verdict::Unknown, message: message.to_owned(), fix: None, link: None }
}
