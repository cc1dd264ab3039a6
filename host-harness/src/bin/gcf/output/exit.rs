//! The exit codes that scripts rely on.

use std::process::ExitCode;

use gcf_host::wit::types::ErrorKind;

/// The end of the help.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
   0  done
   1  the call failed, or a check found something missing
   2  wrong usage, or an argument that cannot be used; nothing was sent
   3  not signed in: no such connection, or its credential is not accepted
   4  not allowed: a role is missing, an API is off, or the policy refused the target
   5  not found, or found more than once
   6  temporary: rate limit, outage, network or deadline; try again
   7  the replay did not match its tape
  22  --fail, and the status is not 2xx
  70  a fault of the host or of the component; please report it
 130  ctrl-C

Results go to stdout, everything else to stderr.";

/// The exit codes; `gcf help` documents each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Failed = 1,
    Usage = 2,
    Connection = 3,
    Forbidden = 4,
    NotFound = 5,
    Temporary = 6,
    Replay = 7,
    Status = 22,
    Fault = 70,
    Interrupted = 130,
}

impl Exit {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 11] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::Connection,
        Self::Forbidden,
        Self::NotFound,
        Self::Temporary,
        Self::Replay,
        Self::Status,
        Self::Fault,
        Self::Interrupted,
    ];
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::InvalidInput => Self::Usage,
            ErrorKind::ConnectionRequired
            | ErrorKind::ConnectionNotFound
            | ErrorKind::InvalidCredential
            | ErrorKind::UnsupportedCredential
            | ErrorKind::CredentialRejected
            | ErrorKind::ReconnectRequired
            | ErrorKind::ClockSkew
            | ErrorKind::ClientConfig
            | ErrorKind::InsufficientScope
            | ErrorKind::AuthorizationFailed
            | ErrorKind::AuthorizationDenied
            | ErrorKind::Unauthenticated => Self::Connection,
            ErrorKind::MissingRole
            | ErrorKind::Forbidden
            | ErrorKind::ApiDisabled
            | ErrorKind::Restricted
            | ErrorKind::EgressDenied => Self::Forbidden,
            ErrorKind::NotFound | ErrorKind::AmbiguousFunction => Self::NotFound,
            ErrorKind::RateLimited
            | ErrorKind::Unavailable
            | ErrorKind::Network
            | ErrorKind::DeadlineExceeded => Self::Temporary,
            ErrorKind::Status => Self::Status,
            ErrorKind::Internal => Self::Fault,
            ErrorKind::NotInvocable
            | ErrorKind::TooLarge
            | ErrorKind::UnexpectedRedirect
            | ErrorKind::InvalidResponse
            | ErrorKind::PageLoop
            | ErrorKind::SecretStore
            | ErrorKind::Other => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_can_tell_whose_move_it_is() {
        for (kind, code) in [
            (ErrorKind::InvalidInput, 2),
            (ErrorKind::ConnectionRequired, 3),
            (ErrorKind::CredentialRejected, 3),
            (ErrorKind::Unauthenticated, 3),
            (ErrorKind::MissingRole, 4),
            (ErrorKind::ApiDisabled, 4),
            (ErrorKind::EgressDenied, 4),
            (ErrorKind::NotFound, 5),
            (ErrorKind::AmbiguousFunction, 5),
            (ErrorKind::RateLimited, 6),
            (ErrorKind::DeadlineExceeded, 6),
            (ErrorKind::Status, 22),
            (ErrorKind::Internal, 70),
            (ErrorKind::TooLarge, 1),
        ] {
            assert_eq!(Exit::from(kind) as u8, code, "{kind:?}");
        }
    }
}
