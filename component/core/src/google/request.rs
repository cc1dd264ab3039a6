//! Requests: the only way to make one, and with it the tokens that may go to each host.
//!
//! A [`Request`] is made here and nowhere else: to Google's token endpoints with an assertion or a grant
//! in the body, for Google's public keys with nothing, to a Google API with an access token, to a function
//! with the ID token that was minted for it. No other combination can be written down. Each says what it is for.

pub mod body;
pub mod cloud_event;
pub mod function_url;
pub mod grammar;
pub mod headers;

use crate::{
    base::{
        error::{Error, Kind, Origin, Result},
        http::{Method, Request, TokenKind},
        purpose::Purpose,
        secret::Secret,
    },
    google::{
        bearer::{AccessToken, IdToken},
        hosts::{Api, KEYS_HOST, STS_HOST, TOKEN_HOST},
        request::{
            body::Payload,
            function_url::FunctionUrl,
            grammar::PathAndQuery,
            headers::{CallerHeaders, OwnAuthorization, QUOTA_PROJECT},
        },
    },
};

/// The largest API response, in bytes.
pub const MAX_API_RESPONSE: u64 = 10 * 1024 * 1024;

/// The largest response of a function, in bytes.
pub const MAX_FUNCTION_RESPONSE: u64 = 32 * 1024 * 1024;

/// The largest response of the token endpoint, in bytes: a token has at most 12 KiB.
const MAX_TOKEN_RESPONSE: u64 = 64 * 1024;

/// To the token endpoint: a form that holds the secret itself, and no `Authorization`.
#[must_use]
pub fn to_token_endpoint(purpose: Purpose, token: TokenKind, form: &[(&str, &str)]) -> Request {
    form_post(purpose, TOKEN_HOST, "/token", token, form)
}

/// To the revocation endpoint (RFC 7009).
#[must_use]
pub fn to_revocation_endpoint(refresh_token: &Secret<String>) -> Request {
    form_post(
        Purpose::Revocation,
        TOKEN_HOST,
        "/revoke",
        TokenKind::Grant,
        &[("token", refresh_token.reveal())],
    )
}

/// To the Security Token Service (RFC 8693), which refuses an `Authorization`.
#[must_use]
pub fn to_token_service(form: &[(&str, &str)]) -> Request {
    form_post(Purpose::TokenExchange, STS_HOST, "/v1/token", TokenKind::Grant, form)
}

fn form_post(purpose: Purpose, host: &str, path: &str, token: TokenKind, form: &[(&str, &str)]) -> Request {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    Request {
        purpose,
        method: Method::Post,
        host: host.to_owned(),
        path_and_query: path.to_owned(),
        headers: vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())],
        bearer: None,
        own_authorization: None,
        serverless: false,
        body: body.into_bytes(),
        token,
        max_response: MAX_TOKEN_RESPONSE,
    }
}

/// To Google's public keys: a JWK set (RFC 7517).
#[must_use]
pub fn to_keys() -> Request {
    Request {
        purpose: Purpose::Keys,
        method: Method::Get,
        host: KEYS_HOST.to_owned(),
        path_and_query: "/oauth2/v3/certs".to_owned(),
        headers: Vec::new(),
        bearer: None,
        own_authorization: None,
        serverless: false,
        body: Vec::new(),
        token: TokenKind::None,
        max_response: MAX_TOKEN_RESPONSE,
    }
}

/// To a Google API, with an access token.
#[must_use]
pub fn to_api(
    purpose: Purpose,
    api: Api,
    method: Method,
    target: &PathAndQuery,
    token: &AccessToken,
) -> Request {
    let quota_project = token.quota_project().filter(|_| api.counts_for_caller());
    Request {
        purpose,
        method,
        host: api.host().to_owned(),
        path_and_query: target.as_str().to_owned(),
        headers: quota_project
            .map(|project| (QUOTA_PROJECT.to_owned(), project.to_string()))
            .into_iter()
            .collect(),
        bearer: token.bearer(),
        own_authorization: None,
        serverless: false,
        body: Vec::new(),
        token: token.kind(),
        max_response: MAX_API_RESPONSE,
    }
}

/// To a function: with the ID token that was minted for exactly this origin, or with nothing.
///
/// # Errors
/// `internal` if the token was minted for another origin; then nothing is sent.
pub fn to_function(
    url: &FunctionUrl,
    method: Method,
    target: &PathAndQuery,
    token: Option<&IdToken>,
) -> Result<Request> {
    let request = Request {
        purpose: Purpose::Invocation { audience: None },
        method,
        host: url.host().to_owned(),
        path_and_query: target.as_str().to_owned(),
        headers: Vec::new(),
        bearer: None,
        own_authorization: None,
        serverless: false,
        body: Vec::new(),
        token: TokenKind::None,
        max_response: MAX_FUNCTION_RESPONSE,
    };
    match token {
        Some(token) => identified(request, url, token),
        None => Ok(request),
    }
}

/// A request to a function that carried nothing, with the ID token that was minted for exactly this origin.
///
/// # Errors
/// `internal` if the token was minted for another origin, or the request goes to another one; then nothing is sent.
pub fn identified(mut request: Request, url: &FunctionUrl, token: &IdToken) -> Result<Request> {
    if token.origin() != url.origin() || request.host != url.host() {
        return Err(Error::new(
            Kind::Internal,
            Origin::Host,
            format!("an ID token for {} was about to go to {}", token.origin(), request.host),
        )
        .fix("please report this; nothing was sent"));
    }
    request.bearer = Some(token.bearer());
    request.token = TokenKind::IdToken;
    request.purpose = Purpose::Invocation { audience: Some(token.audience().to_owned()) };
    Ok(request)
}

/// To a Google API, with an access token and a JSON body of ours.
#[must_use]
pub fn to_api_with_json(
    purpose: Purpose,
    api: Api,
    target: &PathAndQuery,
    token: &AccessToken,
    json: Vec<u8>,
) -> Request {
    let mut request = to_api(purpose, api, Method::Post, target, token);
    request.headers.push(("content-type".to_owned(), "application/json".to_owned()));
    request.body = json;
    request
}

impl Request {
    /// Adds what the caller gave. The payload's media type, and the connection's quota project, stand unless the caller
    /// named another one.
    #[must_use]
    pub fn with(mut self, headers: &CallerHeaders, payload: Payload) -> Self {
        self.headers.retain(|(name, _)| !headers.contains(name));
        self.headers.extend(headers.iter().cloned());
        if let Some(content_type) = payload.content_type
            && !headers.contains("content-type")
        {
            self.headers.push(("content-type".to_owned(), content_type));
        }
        self.body = payload.bytes;
        self
    }

    /// Adds the caller's own `Authorization`, to a request whose ID token then goes beside it; with `serverless`, it goes
    /// there anyway.
    #[must_use]
    pub fn beside(mut self, authorization: Option<&OwnAuthorization>, serverless: bool) -> Self {
        self.own_authorization = authorization.map(|own| own.0.clone());
        self.serverless = serverless || authorization.is_some();
        self
    }
}

/// The headers that a port sends for a request's credentials.
///
/// An ID token may stand in either. If both are there, Cloud Run reads the second one only, and hands the first one on.
/// <https://cloud.google.com/run/docs/authenticating/service-to-service>
#[must_use]
pub fn credentials(request: &Request) -> Vec<(&'static str, Secret<String>)> {
    let mut headers = Vec::new();
    if let Some(own) = &request.own_authorization {
        headers.push(("authorization", own.clone()));
    }
    if let Some(token) = request.bearer() {
        let name = if request.serverless { "x-serverless-authorization" } else { "authorization" };
        headers.push((name, Secret::new(format!("Bearer {}", token.reveal()))));
    }
    headers
}
