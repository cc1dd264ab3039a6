//! The kind of credential that a request shows, told by its shape alone.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{Carries, Rule, SERVERLESS_AUTHORIZATION};

/// The kind of credential that a request carries, told by its shape and its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    /// None.
    Nothing,
    /// An access token of the component's.
    AccessToken,
    /// An ID token, for a function.
    IdToken,
    /// An access token that the host adds.
    Injected,
    /// An assertion, a code, a refresh token or a subject token, in the body, for a token endpoint.
    Body,
}

/// The content of the Authorization header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presented {
    /// There is no such header.
    Nothing,
    /// A JWT. Google's ID tokens are; its access tokens are opaque.
    IdToken,
    /// Anything else, so that an unknown shape is held to the strictest rule.
    AccessToken,
}

impl Presented {
    /// Reads the Authorization header.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, String> {
        Ok(only(headers, header::AUTHORIZATION)?.map_or(Self::Nothing, Self::of))
    }

    /// Reads the header that is for Google's front end alone. An Authorization header beside it is the caller's
    /// own, and judged by one thing only: that it is not an access token, which could be the connection's.
    pub(super) fn serverless(headers: &HeaderMap) -> Result<Self, String> {
        let token = only(headers, SERVERLESS_AUTHORIZATION)?.map_or(Self::Nothing, Self::of);
        match only(headers, header::AUTHORIZATION)? {
            None => Ok(token),
            Some(own) if is_access_token(own.as_bytes()) => Ok(Self::AccessToken),
            Some(_) => Ok(token),
        }
    }

    /// Tells whether `rule` lets a request through that shows this credential.
    pub(super) fn fits(self, rule: &Rule) -> bool {
        match self {
            Self::Nothing => rule.carries(Carries::None) || rule.carries(Carries::Assertion),
            Self::IdToken => rule.carries(Carries::IdToken),
            Self::AccessToken => rule.carries(Carries::AccessToken),
        }
    }

    fn of(value: &HeaderValue) -> Self {
        match value.as_bytes().strip_prefix(b"Bearer ") {
            Some(token) if is_jwt(token) => Self::IdToken,
            Some(_) | None => Self::AccessToken,
        }
    }
}

impl fmt::Display for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "a request without an authorization header",
            Self::IdToken => "an ID token",
            Self::AccessToken => "an access token",
        })
    }
}

fn only(headers: &HeaderMap, name: HeaderName) -> Result<Option<&HeaderValue>, String> {
    let mut values = headers.get_all(&name).iter();
    let value = values.next();
    // With two, which one counts is up to the receiver.
    if values.next().is_some() { Err(format!("more than one {name} header")) } else { Ok(value) }
}

/// Tells whether a value holds a Google access token, under whatever scheme.
fn is_access_token(value: &[u8]) -> bool {
    value.windows(5).any(|window| window == b"ya29.")
}

/// Tells whether a value is three base64url segments, the first of which begins like a JSON object.
fn is_jwt(token: &[u8]) -> bool {
    let url_safe = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let mut segments = 0;
    token.starts_with(b"ey")
        && token.split(|byte| *byte == b'.').all(|segment| {
            segments += 1;
            !segment.is_empty() && segment.iter().all(url_safe)
        })
        && segments == 3
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (header::AUTHORIZATION, HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn only_a_well_formed_bearer_jwt_is_an_id_token() {
        assert_eq!(Presented::read(&headers(&[])), Ok(Presented::Nothing));
        assert_eq!(Presented::read(&headers(&["Bearer eyJh.eyJp.c2ln_-"])), Ok(Presented::IdToken));
        for value in [
            "Bearer ya29.a0canary",
            "Bearer eyJh.eyJp",
            "Bearer eyJh.eyJp.",
            "Bearer eyJh.eyJp.c2ln.more",
            "Bearer eyJh.ya29 secret.c2ln",
            "Bearer  eyJh.eyJp.c2ln",
            "Basic eyJh.eyJp.c2ln",
            "eyJh.eyJp.c2ln",
            "",
        ] {
            assert_eq!(Presented::read(&headers(&[value])), Ok(Presented::AccessToken), "{value}");
        }
    }

    #[test]
    fn a_second_header_is_refused_without_being_repeated() {
        let error = Presented::read(&headers(&["Bearer canary-1", "Bearer canary-2"])).unwrap_err();
        assert!(!error.contains("canary"), "{error}");
    }
}
