//! Signing in by a person's consent: begun here, finished with the URL that the browser came back with.

use super::{
    Connected,
    connect::{New, draft, project, quota_project},
    in_use, nickname, region, stored, unheard_of,
};
use crate::{
    base::{
        error::{Cause, Error, Kind, Origin, Result},
        json::{Object, Read, Unreadable},
        ports::{Expected, Ports, StoreError},
        retry::Class,
        secret::Secret,
    },
    call::{Call, deadlines},
    google::{names::ProjectId, refusal, request},
    rails::GuardRails,
    sign_in::{
        credential::{Credential, authorized_user::AuthorizedUser},
        grant::{self, Granted},
        identity::Identity,
        invoker::InvokerRequest,
        oauth::{
            HostedDomain, LIFE, LoginHint, Nonce, OAuthClient, Parameters, RedirectUri, SCOPES, State,
            Verifier, authorization_url, missing_scopes,
        },
        oidc::{self, Expected as ExpectedClaims, JwkSet},
    },
    store::{
        self,
        connection::StoredConnection,
        names::{ConnectionId, is_id},
        nicknames,
    },
};

/// The request for a sign-in; see `wit/connections.wit`.
#[derive(Debug)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct AuthorizeRequest {
    pub nickname: String,
    pub project: Option<String>,
    pub quota_project: Option<String>,
    pub region: Option<String>,
    pub client: Secret<String>,
    pub redirect_uri: String,
    pub login_hint: Option<String>,
    pub hosted_domain: Option<String>,
    pub invoker: Option<InvokerRequest>,
    pub guard_rails: Option<GuardRails>,
    pub connection: Option<String>,
}

/// The next step of a sign-in; see `wit/connections.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct Authorization {
    pub id: String,
    pub url: String,
    pub expires: u64,
    pub warnings: Vec<String>,
}

/// The id of a sign-in. It begins with the connection that is to get a new credential, if there is one: whoever ends the
/// sign-in names the connection with it, so that the host can tell which entries are theirs.
struct SignInId {
    text: String,
    connection: Option<ConnectionId>,
}

impl SignInId {
    fn random(bytes: [u8; 8], connection: Option<ConnectionId>) -> Self {
        let id = ConnectionId::random(bytes);
        let text = match &connection {
            Some(connection) => format!("{}.{}", connection.as_str(), id.as_str()),
            None => id.as_str().to_owned(),
        };
        Self { text, connection }
    }

    fn parse(text: &str) -> Option<Self> {
        let (connection, id) = match text.split_once('.') {
            Some((connection, id)) => (Some(ConnectionId::parse(connection).ok()?), id),
            None => (None, text),
        };
        is_id(id).then(|| Self { text: text.to_owned(), connection })
    }

    /// The entry it is kept under. The end stands in the name, so that what is over can be cleared away unread.
    fn key(&self, expires: u64) -> String {
        format!("{}{expires}", self.prefix())
    }

    fn prefix(&self) -> String {
        format!("{PENDING}{}/", self.text)
    }
}

/// The entry under `pending/{id}/{end}` until the browser is back.
struct Pending {
    /// The connection as it will be.
    draft: StoredConnection,
    client: String,
    redirect_uri: String,
    hosted_domain: Option<String>,
    state: String,
    nonce: String,
    verifier: String,
    created: u64,
}

impl store::Kept for Pending {
    fn read(fields: &Object<'_>) -> Read<Self> {
        let draft = fields.object("draft")?.ok_or(Unreadable::Field("draft"))?;
        Ok(Self {
            draft: StoredConnection::read(draft)?,
            client: fields.required("client")?,
            redirect_uri: fields.required("redirect_uri")?,
            hosted_domain: fields.string("hosted_domain")?,
            state: fields.required("state")?,
            nonce: fields.required("nonce")?,
            verifier: fields.required("verifier")?,
            created: fields.number("created")?.ok_or(Unreadable::Field("created"))?,
        })
    }

    fn fields(&self) -> Object<'_> {
        Object::default()
            .with("draft", self.draft.fields())
            .with("client", self.client.as_str())
            .with("redirect_uri", self.redirect_uri.as_str())
            .with_some("hosted_domain", self.hosted_domain.as_deref())
            .with("state", self.state.as_str())
            .with("nonce", self.nonce.as_str())
            .with("verifier", self.verifier.as_str())
            .with("created", self.created)
    }
}

/// Begins: keeps what [`finish`] needs, and says where to send the browser. Sends nothing.
///
/// # Errors
/// As `wit/connections.wit` says.
pub fn authorize(ports: &impl Ports, request: AuthorizeRequest) -> Result<Authorization> {
    let client = OAuthClient::parse(&request.client)?;
    let (redirect, mut warnings) = RedirectUri::parse(&request.redirect_uri, &client)?;
    let login_hint = request.login_hint.as_deref().map(LoginHint::parse).transpose()?;
    let hosted_domain = request.hosted_domain.as_deref().map(HostedDomain::parse).transpose()?;
    let (draft, connection) = match request.connection {
        Some(id) => {
            let id = ConnectionId::parse(&id)?;
            (stored(ports, &id)?, Some(id))
        }
        None => {
            let given = request.project.as_deref().map(ProjectId::parse).transpose()?;
            let project = project(given, client.project.as_ref())?;
            let nickname = nickname(&request.nickname)?;
            warnings.extend(in_use(nicknames::is_taken(ports, &nickname), &nickname));
            let guard_rails = GuardRails::parse(request.guard_rails)?;
            let region = region(request.region.as_deref(), guard_rails.as_ref())?;
            warnings.extend(unheard_of(&region));
            warnings.extend(guard_rails.as_ref().and_then(|rails| rails.warning(region.as_str())));
            let identity = Credential::AuthorizedUser(AuthorizedUser::of_client(&client)).into();
            let draft = draft(ports, nickname, &project, &region, &identity, request.invoker)?;
            let quota_project = quota_project(request.quota_project.as_deref())?.map(|id| id.to_string());
            (StoredConnection { guard_rails, quota_project, ..draft }, None)
        }
    };
    forget_expired(ports);

    let (state, nonce) = (State::from_random(ports.random()), Nonce::from_random(ports.random()));
    let verifier = Verifier::from_random(ports.random());
    let url = authorization_url(
        &client,
        &redirect,
        &state,
        &nonce,
        &verifier.challenge(),
        login_hint.as_ref(),
        hosted_domain.as_ref(),
    );
    let id = SignInId::random(ports.random(), connection);
    let created = ports.now().as_secs();
    let pending = Pending {
        draft,
        client: request.client.reveal().clone(),
        redirect_uri: redirect.as_str().to_owned(),
        hosted_domain: request.hosted_domain,
        state: state.reveal().to_owned(),
        nonce: nonce.reveal().to_owned(),
        verifier: verifier.reveal().to_owned(),
        created,
    };
    let expires = created + LIFE;
    store::write(ports, &id.key(expires), &pending, Expected::Absent)?;
    Ok(Authorization { id: id.text, url, expires, warnings })
}

/// Ends it: the URL becomes a code, the code a grant, the grant a connection.
///
/// # Errors
/// As `wit/connections.wit` says.
pub async fn finish<P: Ports>(
    ports: &P,
    authorization: &str,
    callback_url: &str,
    deadline_ms: Option<u32>,
) -> Result<Connected> {
    let call = Call::begin(ports, deadline_ms, deadlines::API)?;
    let sign_in = SignInId::parse(authorization).ok_or_else(unknown)?;
    let keys = ports
        .secret_keys(&sign_in.prefix())
        .map_err(|error| store::store_error("look for the sign-in", error))?;
    let key = keys.into_iter().next().ok_or_else(unknown)?;
    let (pending, version) = store::read_versioned::<Pending>(ports, &key)?.ok_or_else(unknown)?;
    if ports.now().as_secs() > pending.created + LIFE {
        store::delete(ports, &key)?;
        return Err(failed("expired", "the sign-in was begun more than 10 minutes ago"));
    }
    let client = OAuthClient::parse(&Secret::new(pending.client.clone()))?;
    let (redirect, _) = RedirectUri::parse(&pending.redirect_uri, &client)?;
    let authentic = Parameters::open(callback_url, &redirect)?.authentic(&State::parse(&pending.state)?)?;
    // It is ours: used up from here on, whatever it says. Of two that race, one gets it.
    match ports.secret_delete(&key, Expected::Version(version)) {
        Ok(()) => {}
        Err(StoreError::VersionMismatch) => return Err(unknown()),
        Err(error) => return Err(store::store_error("use up the sign-in", error)),
    }
    let code = authentic.outcome()?;
    let steps = async {
        let verifier = Verifier::parse(&pending.verifier)?;
        let code = Secret::new(code.reveal().to_owned());
        let granted = grant::code(&call, &client, redirect.as_str(), &code, verifier.reveal()).await?;
        let credential = verified(&call, &client, &pending, &granted).await?;
        Ok((granted, credential))
    };
    let (granted, user) = call.traced(steps.await)?;
    keep(&call, pending, sign_in.connection, user, granted)
}

fn keep<P: Ports>(
    call: &Call<'_, P>,
    pending: Pending,
    connection: Option<ConnectionId>,
    user: AuthorizedUser,
    granted: Granted,
) -> Result<Connected> {
    // Google leaves the scopes out where all of them were granted.
    let scopes = granted.scopes().map_or_else(|| SCOPES.join(" "), str::to_owned);
    let missing = missing_scopes(&scopes);
    let mut warnings = if missing.is_empty() {
        Vec::new()
    } else {
        vec![format!("not granted, and not needed to go on: {}", missing.join(" "))]
    };
    if granted.ends().is_some() {
        warnings.push(
            "this sign-in ends by itself, as that of an OAuth client in publishing status Testing does after 7 days: publish the client (Google Auth Platform, Audience), and sign in again"
                .to_owned(),
        );
    }
    let identity = Identity::from(Credential::AuthorizedUser(user));
    let new = New { connection: pending.draft, identity, granted, scopes: Some(scopes) };
    let (connection, others) = match connection {
        // It may have been disconnected meanwhile.
        Some(id) => new.replace(call, &id)?,
        None => new.keep(call)?,
    };
    warnings.extend(others);
    Ok((connection, warnings))
}

/// A credential of the person whom a verified ID token names.
async fn verified<P: Ports>(
    call: &Call<'_, P>,
    client: &OAuthClient,
    pending: &Pending,
    granted: &Granted,
) -> Result<AuthorizedUser> {
    if granted.refresh_token().is_none() {
        return Err(Error::new(
            Kind::ReconnectRequired,
            Origin::TokenEndpoint,
            "Google granted no refresh token, so the connection would end within the hour",
        )
        .cause(Cause::NoRefreshToken)
        .fix("remove the application at https://myaccount.google.com/connections, and sign in again"));
    }
    let (Some(id_token), Some(access_token)) = (granted.id_token(), granted.access_token()) else {
        return Err(failed("id-token", "Google granted no ID token, so it is not known who signed in")
            .fix("sign in again, and leave every box of the consent page ticked"));
    };
    let expected = ExpectedClaims {
        client_id: &client.id,
        nonce: &pending.nonce,
        access_token,
        hosted_domain: pending.hosted_domain.as_deref(),
    };
    let now = call.ports().now().as_secs();
    let keys = keys(call).await?;
    let claims = match oidc::verify(id_token, &keys, &expected, now) {
        // The key may have been published since.
        Err(error) if oidc::is_unknown_key(&error) => {
            oidc::verify(id_token, &self::keys(call).await?, &expected, now)?
        }
        outcome => outcome?,
    };
    Ok(AuthorizedUser {
        account: claims.email.unwrap_or_else(|| claims.sub.clone()),
        is_known: true,
        subject: Some(claims.sub),
        ..AuthorizedUser::of_client(client)
    })
}

/// Google's public keys, as they are now: people sign in too rarely for a cache.
async fn keys<P: Ports>(call: &Call<'_, P>) -> Result<JwkSet> {
    let response = call.exchange(&mut request::to_keys(), Class::Idempotent).await?;
    if response.status != 200 {
        return Err(Error::new(
            Kind::Unavailable,
            Origin::TokenEndpoint,
            format!("Google's public keys cannot be read: status {}", response.status),
        )
        .http_status(response.status)
        .retry_after_ms(refusal::api::floor_ms(&response))
        .fix("sign in again, later if it repeats"));
    }
    JwkSet::parse(&response.body)
}

/// Clears away the sign-ins that nobody came back from, and those of an earlier version, whose names have no end. A store
/// that cannot say or forget keeps them a little longer.
fn forget_expired(ports: &impl Ports) {
    let now = ports.now().as_secs();
    for key in ports.secret_keys(PENDING).unwrap_or_default() {
        let end = key[PENDING.len()..].split_once('/').and_then(|(_, end)| end.parse::<u64>().ok());
        if end.is_none_or(|end| now > end) {
            let _ = store::delete(ports, &key);
        }
    }
}

/// The prefix of the names of sign-ins.
const PENDING: &str = "pending/";

fn unknown() -> Error {
    failed("authorization", "there is no such sign-in: it is finished already, or was never begun here")
}

fn failed(check: &str, why: &str) -> Error {
    Error::new(Kind::AuthorizationFailed, Origin::Connection, why)
        .detail("check", check)
        .fix("begin to sign in again")
}
