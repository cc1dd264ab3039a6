//! The contract's own words for the cases of its enums, as `wit/` spells them; and counts in words.

use gcf_host::wit::{
    connections::{CredentialKind, Verdict},
    functions::{Generation, Trigger},
    types::{ErrorKind, GuardRails, Impersonation, Invoker, Origin, RetryClass, TokenKind},
};

pub(crate) fn kind(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidInput => "invalid-input",
        ErrorKind::ConnectionRequired => "connection-required",
        ErrorKind::ConnectionNotFound => "connection-not-found",
        ErrorKind::InvalidCredential => "invalid-credential",
        ErrorKind::UnsupportedCredential => "unsupported-credential",
        ErrorKind::CredentialRejected => "credential-rejected",
        ErrorKind::ReconnectRequired => "reconnect-required",
        ErrorKind::ClockSkew => "clock-skew",
        ErrorKind::ClientConfig => "client-config",
        ErrorKind::InsufficientScope => "insufficient-scope",
        ErrorKind::AuthorizationFailed => "authorization-failed",
        ErrorKind::AuthorizationDenied => "authorization-denied",
        ErrorKind::Unauthenticated => "unauthenticated",
        ErrorKind::MissingRole => "missing-role",
        ErrorKind::Restricted => "restricted",
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
        TokenKind::Grant => "grant",
        TokenKind::Injected => "injected",
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
        CredentialKind::AuthorizedUser => "authorized-user",
        CredentialKind::ImpersonatedServiceAccount => "impersonated-service-account",
        CredentialKind::ExternalAccount => "external-account",
        CredentialKind::SuppliedToken => "supplied-token",
        CredentialKind::InjectedToken => "injected-token",
        CredentialKind::Other => "other",
    }
}

pub(crate) fn retry(class: RetryClass) -> &'static str {
    match class {
        RetryClass::Never => "never",
        RetryClass::Unsent => "unsent",
        RetryClass::Idempotent => "idempotent",
        RetryClass::TokenEndpoint => "token-endpoint",
        RetryClass::Other => "other",
    }
}

/// The guard rails of a connection, a line each.
pub(crate) fn guard_rails(rails: &GuardRails) -> Vec<String> {
    let list =
        |what: &str, list: &[String]| (!list.is_empty()).then(|| format!("{what} {}", list.join(", ")));
    [
        rails.read_only.then(|| "read only".to_owned()),
        list("regions", &rails.regions),
        list("functions", &rails.functions),
        list("methods", &rails.methods),
        rails.max_body.map(|bytes| format!("bodies of {bytes} bytes at most")),
        rails.own_project.then(|| "own project only".to_owned()),
        list("audiences", &rails.audiences),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The identity that functions see, in the words of `--invoke-as`.
pub(crate) fn invoker(invoker: &Invoker) -> String {
    match invoker {
        Invoker::Own => "own".to_owned(),
        Invoker::User => "user".to_owned(),
        Invoker::ServiceAccount(Impersonation { service_account, delegates, include_email: _ }) => {
            let account = service_account.as_deref().unwrap_or("default");
            if delegates.is_empty() {
                account.to_owned()
            } else {
                format!("{account} (by way of {})", delegates.join(", "))
            }
        }
    }
}

/// `1 page`, `2 pages`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
