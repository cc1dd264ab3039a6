//! The command that gives a connection a working credential again.

use gcf_host::wit::{
    connections::{Connection, CredentialKind},
    types::ErrorKind,
};

use super::credential::repair;

/// The command to run after a call on `connection` failed with `kind`, if one helps.
pub(crate) fn after(kind: ErrorKind, connection: &Connection) -> Option<String> {
    match kind {
        ErrorKind::ReconnectRequired
        | ErrorKind::CredentialRejected
        | ErrorKind::ClientConfig
        | ErrorKind::InsufficientScope => repair(connection),
        ErrorKind::Unauthenticated if connection.kind == CredentialKind::SuppliedToken => repair(connection),
        // What exactly is missing, and the gcloud line for it, is what the doctor is for.
        ErrorKind::Unauthenticated | ErrorKind::Forbidden => {
            Some(format!("gcf doctor --connection {}", connection.id))
        }
        ErrorKind::InvalidInput
        | ErrorKind::ConnectionRequired
        | ErrorKind::ConnectionNotFound
        // The role or the API is known, and the hint has the gcloud line.
        | ErrorKind::MissingRole
        | ErrorKind::ApiDisabled
        | ErrorKind::InvalidCredential
        | ErrorKind::UnsupportedCredential
        | ErrorKind::ClockSkew
        | ErrorKind::AuthorizationFailed
        | ErrorKind::AuthorizationDenied
        | ErrorKind::NotFound
        | ErrorKind::AmbiguousFunction
        | ErrorKind::NotInvocable
        | ErrorKind::RateLimited
        | ErrorKind::Unavailable
        | ErrorKind::Network
        | ErrorKind::DeadlineExceeded
        | ErrorKind::EgressDenied
        | ErrorKind::TooLarge
        | ErrorKind::UnexpectedRedirect
        | ErrorKind::InvalidResponse
        | ErrorKind::PageLoop
        | ErrorKind::SecretStore
        | ErrorKind::Restricted
        | ErrorKind::Status
        | ErrorKind::Internal
        | ErrorKind::Other => None,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use gcf_host::wit::connections::Invoker;

    use super::*;
    use crate::commands::Cli;

    fn connection(kind: CredentialKind) -> Connection {
        Connection {
            id: "c1".to_owned(),
            nickname: "n".to_owned(),
            project: "p".to_owned(),
            quota_project: None,
            region: "us-central1".to_owned(),
            kind,
            account: "a@p.iam.gserviceaccount.com".to_owned(),
            through: None,
            scopes: Vec::new(),
            invoker: Invoker::Own,
            guard_rails: None,
            created: 0,
            last_used: None,
            ends: None,
            fault: None,
        }
    }

    #[test]
    fn every_repair_is_a_command_that_can_be_typed() {
        for kind in [
            CredentialKind::ServiceAccount,
            CredentialKind::StoredKey,
            CredentialKind::AuthorizedUser,
            CredentialKind::ImpersonatedServiceAccount,
            CredentialKind::ExternalAccount,
            CredentialKind::SuppliedToken,
        ] {
            for error in [ErrorKind::ReconnectRequired, ErrorKind::Unauthenticated] {
                let command = after(error, &connection(kind)).unwrap();
                let parsed = Cli::try_parse_from(command.split(' '));
                assert!(parsed.is_ok(), "{command}: {}", parsed.unwrap_err());
            }
        }
        assert_eq!(repair(&connection(CredentialKind::InjectedToken)), None);
        assert_eq!(after(ErrorKind::Network, &connection(CredentialKind::AuthorizedUser)), None);
    }
}
