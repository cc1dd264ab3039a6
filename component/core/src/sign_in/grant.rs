//! Asking Google's token endpoints, and reading what they grant. What is handed over for it, a credential
//! or a code, is the business of whoever asks.

mod minted;

pub use self::minted::Granted;
pub(super) use self::minted::{Minted, usable};
use crate::{
    base::{
        error::{Error, Kind, Origin, Result},
        http::{Request, Response, TokenKind},
        json::{self, Object, Read, Unreadable, Value},
        ports::Ports,
        purpose::Purpose,
        retry::Class,
        secret::Secret,
    },
    call::Call,
    google::{
        jwt::{IdTokenClaims, Wanted},
        refusal::{self, token_endpoint::Grant},
        request,
    },
    sign_in::oauth::{OAuthClient, missing_scopes},
};

/// The scope of every API call of this connector; no narrower one lists functions.
pub const SCOPES: [&str; 1] = ["https://www.googleapis.com/auth/cloud-platform"];

/// Longer lives are not believed, in seconds: an organisation can allow 12 h at most.
const MAX_LIFE: u64 = 12 * 3600;

/// The fields of a form that nobody may see.
const SECRETS: [&str; 6] =
    ["assertion", "refresh_token", "client_secret", "code", "code_verifier", "subject_token"];

/// The form of RFC 6749, section 5.1, and RFC 8693, section 2.2.1.
struct Wire {
    access_token: Option<String>,
    id_token: Option<String>,
    refresh_token: Option<String>,
    token_type: Option<String>,
    /// In seconds.
    life: u64,
    /// In seconds, for the refresh token: Google says it where it is not for good, as of a client in publishing status
    /// Testing.
    refresh_life: Option<u64>,
    scope: Option<String>,
}

impl Wire {
    fn read(fields: &Object<'_>) -> Read<Self> {
        Ok(Self {
            access_token: fields.string("access_token")?,
            id_token: fields.string("id_token")?,
            refresh_token: fields.string("refresh_token")?,
            token_type: fields.string("token_type")?,
            life: life(fields.get("expires_in")).ok_or(Unreadable::Field("expires_in"))?,
            refresh_life: fields.get("refresh_token_expires_in").and_then(seconds).filter(|life| *life > 0),
            scope: fields.string("scope")?,
        })
    }
}

/// Seconds to live of a token. Without any, the token is used once.
fn life(expires_in: Option<&Value<'_>>) -> Option<u64> {
    match expires_in {
        None | Some(Value::Null) => Some(0),
        Some(value) => seconds(value).map(|seconds| seconds.min(MAX_LIFE)),
    }
}

/// Seconds, as a number or, by some servers, as text.
fn seconds(value: &Value<'_>) -> Option<u64> {
    match value {
        Value::Number(seconds) => Some(*seconds),
        // More seconds than an integer holds; the cast saturates.
        Value::OtherNumber(seconds) if *seconds >= 0.0 => Some(*seconds as u64),
        Value::Text(text) => text.parse().ok(),
        Value::Null | Value::OtherNumber(_) | Value::Flag(_) | Value::List(_) | Value::Object(_) => None,
    }
}

/// The token that was asked for with an assertion.
pub(super) fn minted<P: Ports>(
    call: &Call<'_, P>,
    response: &Response,
    wanted: Wanted<'_>,
) -> Result<Minted> {
    let wire = wire(response)?;
    match wanted {
        Wanted::Scope(_) => {
            let granted = granted(call, wire)?;
            granted.access.ok_or_else(|| malformed("it has no usable access token"))
        }
        Wanted::TargetAudience(audience) => id_token(call.ports(), wire.id_token, Some(audience)),
    }
}

/// An ID token, for the audience it was asked for.
pub(super) fn id_token(ports: &impl Ports, token: Option<String>, audience: Option<&str>) -> Result<Minted> {
    let token = token.and_then(usable).ok_or_else(|| malformed("it has no usable ID token"))?;
    let claims = IdTokenClaims::read(&token).ok_or_else(|| malformed("its ID token cannot be read"))?;
    if audience.is_some_and(|audience| claims.aud != audience) {
        return Err(malformed("its ID token is for another audience than was asked for"));
    }
    Ok(Minted { token, expires: claims.exp.min(ports.now().as_secs() + MAX_LIFE) })
}

/// Exchanges an authorization code, once: a code that may have arrived must not be sent again.
///
/// # Errors
/// `reconnect-required`, `client-config`, `insufficient-scope`, `invalid-response`, `network`,
/// `unavailable` or `deadline-exceeded`.
pub async fn code<P: Ports>(
    call: &Call<'_, P>,
    client: &OAuthClient,
    redirect_uri: &str,
    code: &Secret<String>,
    verifier: &str,
) -> Result<Granted> {
    let secret = client.secret.as_ref().map_or("", |secret| secret.reveal().as_str());
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.reveal().as_str()),
        ("client_id", client.id.as_str()),
        ("client_secret", secret),
        ("redirect_uri", redirect_uri),
        ("code_verifier", verifier),
    ];
    let purpose = Purpose::AccessToken { client_id: Some(client.id.clone()) };
    let mut request = request::to_token_endpoint(purpose, TokenKind::Grant, &form);
    ask(call, &mut request, Class::Never, Grant::Code, &client.id).await
}

/// Asks, and reads the tokens that are granted.
pub(super) async fn ask<P: Ports>(
    call: &Call<'_, P>,
    request: &mut Request,
    class: Class,
    grant: Grant,
    account: &str,
) -> Result<Granted> {
    let response = call.exchange(request, class).await?;
    if grants(&response) {
        return granted(call, wire(&response)?);
    }
    let error = refusal::token_endpoint::error(response.status, &response.body, grant, account);
    Err(refused(request, &response, error))
}

/// Tells if an answer is to be read as a grant.
pub(super) fn grants(response: &Response) -> bool {
    response.status == 200 && !refusal::token_endpoint::refuses(&response.body)
}

fn wire(response: &Response) -> Result<Wire> {
    json::read(&response.body)
        .and_then(|fields| Wire::read(&fields))
        .map_err(|_| malformed("it is not the JSON of RFC 6749").http_status(response.status))
}

fn granted<P: Ports>(call: &Call<'_, P>, wire: Wire) -> Result<Granted> {
    if !wire.token_type.is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
        return Err(malformed("its token is not of type Bearer"));
    }
    let token =
        wire.access_token.and_then(usable).ok_or_else(|| malformed("it has no usable access token"))?;
    if let Some(granted) = &wire.scope {
        // Without openid and the address there is less to show; without this one nothing works.
        if let Some(missing) = missing_scopes(granted).into_iter().find(|scope| SCOPES.contains(scope)) {
            return Err(insufficient_scope(missing));
        }
    }
    let now = call.ports().now().as_secs();
    let id_token = match wire.id_token {
        Some(token) => Some(id_token(call.ports(), Some(token), None)?),
        None => None,
    };
    Ok(Granted {
        access: Some(Minted { token, expires: now + wire.life }),
        id_token,
        ends: wire.refresh_life.map(|seconds| now.saturating_add(seconds)),
        refresh_token: wire.refresh_token.and_then(usable),
        scopes: wire.scope,
    })
}

fn insufficient_scope(scope: &str) -> Error {
    Error::new(
        Kind::InsufficientScope,
        Origin::TokenEndpoint,
        format!("Google did not grant the scope {scope}"),
    )
    .detail("scope", scope)
    .fix("sign in again, and leave every box of the consent page ticked")
}

/// Adds what a refusal's response says beyond its body, and takes out what was sent.
pub(super) fn refused(request: &Request, response: &Response, error: Error) -> Error {
    let error = form_urlencoded::parse(request.body())
        .filter(|(name, value)| SECRETS.contains(&name.as_ref()) && !value.is_empty())
        .fold(error, |error, (_, value)| error.without(&value));
    match response.status {
        300..=399 => error.detail("location", crate::google::refusal::api::location(response)),
        408 | 429 | 500..=599 => error.retry_after_ms(crate::google::refusal::api::floor_ms(response)),
        _ => error,
    }
}

/// The error for an answer that cannot be used.
pub(super) fn malformed(why: &str) -> Error {
    Error::new(
        Kind::InvalidResponse,
        Origin::TokenEndpoint,
        format!("the answer of Google's token endpoint cannot be used: {why}"),
    )
    .fix("a proxy in between may have answered; if not, please report this")
}
