//! The kinds of credential: the command that mends a connection of each, and what sharing one leaves out.

use gcf_host::wit::connections::{Connection, CredentialKind};

/// For a connection whose credential is not accepted; `None` if that is the host's business alone.
pub(crate) fn repair(connection: &Connection) -> Option<String> {
    let Connection { id, account, .. } = connection;
    Some(match connection.kind {
        CredentialKind::AuthorizedUser => format!("gcf reconnect {id} --oauth --client CLIENT.json"),
        CredentialKind::ServiceAccount
        | CredentialKind::ImpersonatedServiceAccount
        | CredentialKind::ExternalAccount => format!("gcf reconnect {id} --credentials FILE"),
        CredentialKind::StoredKey => format!("gcf reconnect {id} --stored-key NAME --account {account}"),
        CredentialKind::SuppliedToken => "gcf supply NAME FILE".to_owned(),
        CredentialKind::InjectedToken | CredentialKind::Other => return None,
    })
}

/// The part that a recipient of a shared connection lacks: sharing is about what is the connection's alone.
pub(crate) fn not_shared(connection: &Connection) -> Option<String> {
    let what = match connection.kind {
        CredentialKind::ExternalAccount | CredentialKind::SuppliedToken => {
            "token that it reads under supplied/"
        }
        CredentialKind::StoredKey => "key that it signs with",
        CredentialKind::ServiceAccount
        | CredentialKind::AuthorizedUser
        | CredentialKind::ImpersonatedServiceAccount
        | CredentialKind::InjectedToken
        | CredentialKind::Other => return None,
    };
    Some(format!("the {what} is not shared: others may use it too"))
}
