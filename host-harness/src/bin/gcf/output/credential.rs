//! The kinds of credential: the command that mends a connection of each.

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
