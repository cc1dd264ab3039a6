//! Who may ask: whoever has the token, and nobody where there is none.

use subtle::ConstantTimeEq as _;

/// The variable with the token that callers send as `Authorization: Bearer TOKEN`.
pub(crate) const TOKEN: &str = "GCF_FRONT_TOKEN";

/// The variable that opens the front to everybody who can reach it, if it is `yes`.
pub(crate) const OPEN: &str = "GCF_FRONT_OPEN";

/// The shortest token, in bytes: nothing slows down somebody who guesses.
const SHORTEST: usize = 32;

/// The decision on who may ask.
pub(crate) enum Gate {
    /// Whoever sends this token.
    Token(String),
    /// Everybody.
    Open,
    /// Nobody, for this reason.
    Shut(&'static str),
}

impl Gate {
    /// Reads the environment of the component.
    pub(crate) fn new(environment: &[(String, String)]) -> Self {
        let variable =
            |name: &str| environment.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        match (variable(TOKEN).filter(|token| !token.is_empty()), variable(OPEN)) {
            (Some(token), _) if token.len() < SHORTEST => {
                Self::Shut("GCF_FRONT_TOKEN is shorter than 32 bytes")
            }
            (Some(token), _) => Self::Token(token.to_owned()),
            (None, Some("yes")) => Self::Open,
            (None, _) => Self::Shut("GCF_FRONT_TOKEN is not set"),
        }
    }

    /// Whether somebody with this `Authorization` may ask.
    pub(crate) fn lets_in(&self, authorization: Option<&[u8]>) -> bool {
        match self {
            Self::Open => true,
            Self::Shut(_) => false,
            Self::Token(token) => {
                authorization.and_then(bearer).is_some_and(|given| bool::from(given.ct_eq(token.as_bytes())))
            }
        }
    }
}

/// The token of a header (RFC 6750, section 2.1); the scheme is compared without case (RFC 9110, section 11.1).
fn bearer(authorization: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = authorization.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}
