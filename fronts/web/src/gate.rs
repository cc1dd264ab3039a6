//! The gate: it lets in whoever has the token, and nobody where there is none.

use gcf_front::{
    Failure,
    types::{ErrorKind, Origin},
};
use serde_json::json;
use subtle::ConstantTimeEq as _;

use crate::{Head, Reply};

/// The variable with the token that callers send as `Authorization: Bearer TOKEN`.
const TOKEN: &str = "GCF_FRONT_TOKEN";

/// The variable that opens the front to everybody who can reach it, if it is `yes`.
const OPEN: &str = "GCF_FRONT_OPEN";

/// The shortest token, in bytes: nothing slows down somebody who guesses.
const SHORTEST: usize = 32;

/// The decision on who may ask.
pub enum Gate {
    /// Whoever sends this token.
    Token(String),
    /// Everybody but pages in browsers, which reach what whoever opens them can reach.
    Open,
    /// Nobody, for this reason.
    Shut(&'static str),
}

impl Gate {
    /// Reads the environment of the component.
    #[must_use]
    pub fn new(environment: &[(String, String)]) -> Self {
        let variable =
            |name: &str| environment.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        match (variable(TOKEN).filter(|token| !token.is_empty()), variable(OPEN)) {
            // No header could carry it (RFC 9110, section 5.5).
            (Some(token), _) if token.trim() != token => {
                Self::Shut("GCF_FRONT_TOKEN has white space around it, such as the end of a line")
            }
            (Some(token), _) if token.len() < SHORTEST => {
                Self::Shut("GCF_FRONT_TOKEN is shorter than 32 bytes")
            }
            (Some(token), _) => Self::Token(token.to_owned()),
            (None, Some("yes")) => Self::Open,
            (None, _) => Self::Shut("GCF_FRONT_TOKEN is not set"),
        }
    }

    /// Answers a request that needs no more than the gate: one that asks whether the front is there, and one that may
    /// not ask.
    ///
    /// # Errors
    /// It is answered, so.
    pub fn admit(&self, head: &Head<'_>) -> Result<(), Reply> {
        if head.path() == "/healthz" {
            head.allow(&["GET", "HEAD"])?;
            return Err(self.health());
        }
        match self {
            Self::Shut(why) => Err(shut(why)),
            Self::Open if head.has("origin") => Err(Self::foreign_origin()),
            Self::Open => Ok(()),
            Self::Token(token) if has(head.header("authorization"), token) => Ok(()),
            Self::Token(_) => Err(unauthenticated()),
        }
    }

    /// The answer to a page in a browser.
    #[must_use]
    pub fn foreign_origin() -> Reply {
        let fix = "ask from a program, or through something that decides who may ask and sends no `origin`";
        let why = "the request is that of a page in a browser";
        Reply::failure(
            403,
            Failure::new(ErrorKind::Forbidden, Origin::Host, why, fix).with("header", "origin"),
        )
    }

    fn health(&self) -> Reply {
        match self {
            Self::Shut(why) => shut(why),
            Self::Token(_) | Self::Open => Reply::json(200, &json!({ "status": "ok" })),
        }
    }
}

/// Tells whether a header has the token (RFC 6750, section 2.1); the scheme is compared without case (RFC 9110, section
/// 11.1).
fn has(authorization: Option<&[u8]>, token: &str) -> bool {
    let given = authorization.and_then(|header| {
        let (scheme, given) = header.split_at_checked("Bearer ".len())?;
        scheme.eq_ignore_ascii_case(b"Bearer ").then(|| given.trim_ascii())
    });
    given.is_some_and(|given| bool::from(given.ct_eq(token.as_bytes())))
}

fn shut(why: &str) -> Reply {
    let fix = format!(
        "set {TOKEN} in the environment of the front to at least 32 random bytes, or {OPEN} to `yes` where \
         something else decides who may call"
    );
    let why = format!("the front answers nobody: {why}");
    Reply::failure(503, Failure::new(ErrorKind::Other, Origin::Host, &why, &fix))
}

fn unauthenticated() -> Reply {
    let fix = format!("send `authorization: Bearer` with the token that {TOKEN} names");
    let why = "the token of this API is missing or wrong";
    let failure = Failure::new(ErrorKind::Unauthenticated, Origin::Host, why, &fix);
    Reply::failure(401, failure).with("www-authenticate", "Bearer")
}
