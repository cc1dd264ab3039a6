//! The HTTP status of an error. Whose move it is decides: 4xx is for the caller to mend, 5xx is not.

use gcf_front::types::{Error, ErrorKind, Origin};

/// The status that goes with an error of the connector.
pub(crate) fn of(error: &Error) -> u16 {
    match error.kind {
        ErrorKind::TooLarge if error.origin == Origin::Input => 413,
        ErrorKind::InvalidInput
        | ErrorKind::ConnectionRequired
        | ErrorKind::InvalidCredential
        | ErrorKind::UnsupportedCredential
        | ErrorKind::NotInvocable
        | ErrorKind::AuthorizationFailed
        | ErrorKind::AuthorizationDenied => 400,
        // 401 would be about the token of this API. Here the connection cannot sign in as it is.
        ErrorKind::CredentialRejected
        | ErrorKind::ReconnectRequired
        | ErrorKind::ClientConfig
        | ErrorKind::Unauthenticated
        | ErrorKind::AmbiguousFunction => 409,
        ErrorKind::InsufficientScope
        | ErrorKind::MissingRole
        | ErrorKind::Forbidden
        | ErrorKind::ApiDisabled
        | ErrorKind::Restricted => 403,
        ErrorKind::ConnectionNotFound | ErrorKind::NotFound => 404,
        ErrorKind::RateLimited => 429,
        ErrorKind::EgressDenied | ErrorKind::ClockSkew | ErrorKind::Internal | ErrorKind::Other => 500,
        ErrorKind::Network
        | ErrorKind::TooLarge
        | ErrorKind::UnexpectedRedirect
        | ErrorKind::InvalidResponse
        | ErrorKind::PageLoop
        | ErrorKind::Status => 502,
        ErrorKind::Unavailable | ErrorKind::SecretStore => 503,
        ErrorKind::DeadlineExceeded => 504,
    }
}
