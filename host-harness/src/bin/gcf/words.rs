//! The contract's own words for the cases of its enums, as `wit/` spells them.

use gcf_host::wit::{
    connections::{CredentialKind, Verdict},
    functions::{Generation, Trigger},
    types::{ErrorKind, Origin, TokenKind},
};

pub(crate) fn kind(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidInput => "invalid-input",
        ErrorKind::ConnectionRequired => "connection-required",
        ErrorKind::ConnectionNotFound => "connection-not-found",
        ErrorKind::InvalidCredential => "invalid-credential",
        ErrorKind::UnsupportedCredential => "unsupported-credential",
        ErrorKind::CredentialRejected => "credential-rejected",
        ErrorKind::Unauthenticated => "unauthenticated",
        ErrorKind::MissingRole => "missing-role",
        ErrorKind::Forbidden => "forbidden",
        ErrorKind::ApiDisabled => "api-disabled",
        ErrorKind::NotFound => "not-found",
        ErrorKind::AmbiguousFunction => "ambiguous-function",
        ErrorKind::NotInvocable => "not-invocable",
        ErrorKind::RateLimited => "rate-limited",
        ErrorKind::Unavailable => "unavailable",
        ErrorKind::Network => "network",
        ErrorKind::DeadlineExceeded => "deadline-exceeded",
        ErrorKind::EgressDenied => "egress-denied",
        ErrorKind::TooLarge => "too-large",
        ErrorKind::UnexpectedRedirect => "unexpected-redirect",
        ErrorKind::InvalidResponse => "invalid-response",
        ErrorKind::PageLoop => "page-loop",
        ErrorKind::SecretStore => "secret-store",
        ErrorKind::Status => "status",
        ErrorKind::Internal => "internal",
        ErrorKind::Other => "other",
    }
}

pub(crate) fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Input => "input",
        Origin::Connection => "connection",
        Origin::TokenEndpoint => "token-endpoint",
        Origin::Iam => "iam",
        Origin::GoogleApi => "google-api",
        Origin::Function => "function",
        Origin::GoogleFrontEnd => "google-front-end",
        Origin::Network => "network",
        Origin::Host => "host",
        Origin::Other => "other",
    }
}

pub(crate) fn token(token: TokenKind) -> &'static str {
    match token {
        TokenKind::None => "none",
        TokenKind::AccessToken => "access-token",
        TokenKind::IdToken => "id-token",
        TokenKind::Assertion => "assertion",
        TokenKind::Other => "other",
    }
}

pub(crate) fn generation(generation: Generation) -> &'static str {
    match generation {
        Generation::Gen1 => "gen1",
        Generation::Gen2 => "gen2",
        Generation::CloudRun => "cloud-run",
        Generation::Other => "other",
    }
}

pub(crate) fn trigger(trigger: &Trigger) -> &str {
    match trigger {
        Trigger::Http => "http",
        Trigger::Event(kind) => kind,
        Trigger::Other => "other",
    }
}

pub(crate) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Unknown => "unknown",
        Verdict::NotNeeded => "not-needed",
        Verdict::Other => "other",
    }
}

pub(crate) fn credential(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::ServiceAccount => "service-account",
        CredentialKind::StoredKey => "stored-key",
        CredentialKind::Other => "other",
    }
}
