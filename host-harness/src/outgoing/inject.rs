//! Access tokens that the host adds to requests itself, so that the component holds none.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use http::{HeaderValue, header, request::Parts};

use crate::{egress::EgressPolicy, transport::TransportError};

/// A source of the access tokens that a host adds to requests.
///
/// It is asked for each request that comes without an Authorization header and goes where the component's
/// egress manifest wants an access token, and for no other. Never for a function or a token endpoint. The
/// egress policy judges its token like a header of the component's own.
///
/// One source serves all calls of a [`Host`](crate::Host), whatever their connection. It is asked anew
/// for each request, so it keeps a token for as long as it is valid; waiting for it counts towards the
/// deadline of the call.
pub trait AccessTokens: Send + Sync + 'static {
    /// A token for `origin`, such as `https://run.googleapis.com`.
    ///
    /// # Errors
    /// The reason why there is none, in words that hold no secret: observers see them. The request is then
    /// refused.
    fn token(&self, origin: &str) -> Supplying;
}

/// The future that [`AccessTokens::token`] returns.
pub type Supplying = Pin<Box<dyn Future<Output = Result<AccessToken, String>> + Send + 'static>>;

/// An OAuth access token, which can be sent and not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(HeaderValue);

impl AccessToken {
    /// Reads a token, and cuts nothing off it.
    ///
    /// # Errors
    /// A text without the token, if that is empty or holds a character that no token has (RFC 6750, section
    /// 2.1).
    pub fn parse(token: &str) -> Result<Self, String> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
        let body = token.trim_end_matches('=');
        if body.is_empty() || !body.bytes().all(known) {
            return Err("the text is no access token: it is empty, or holds a space, a line end or another \
                        character that none has"
                .to_owned());
        }
        let mut value = HeaderValue::try_from(format!("Bearer {token}"))
            .expect("letters, digits and -._~+/= may stand in a header");
        value.set_sensitive(true);
        Ok(Self(value))
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken([secret])")
    }
}

/// A request that lacks nothing but an access token, and a host that can supply one.
pub(crate) struct Injection {
    tokens: Arc<dyn AccessTokens>,
    policy: Arc<EgressPolicy>,
    origin: String,
}

impl Injection {
    /// Nothing, if the request needs no token or must not have one; the policy judges it as it is.
    pub(crate) fn wanted(
        tokens: Option<&Arc<dyn AccessTokens>>,
        policy: &Arc<EgressPolicy>,
        request: &Parts,
    ) -> Option<Self> {
        let tokens = Arc::clone(tokens?);
        let origin = format!("https://{}", policy.lacks_access_token(request)?);
        Some(Self { tokens, policy: Arc::clone(policy), origin })
    }

    /// Adds the token, and has the policy judge the result.
    pub(crate) async fn complete(self, request: &mut Parts) -> Result<(), TransportError> {
        let Self { tokens, policy, origin } = self;
        let AccessToken(authorization) = tokens.token(&origin).await.map_err(|why| {
            TransportError::Denied(format!("the host could not supply an access token for {origin}: {why}"))
        })?;
        request.headers.insert(header::AUTHORIZATION, authorization);
        policy.check(request).map_err(TransportError::Denied)
    }
}

#[cfg(test)]
mod tests;
