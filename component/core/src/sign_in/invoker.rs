//! The invoker: the account whose ID token functions receive.

use super::{credential::impersonated::Chain, identity::Identity};
use crate::{
    base::error::{Cause, Error, Result},
    google::names::ProjectId,
    store::connection::{StoredConnection, invoker},
};

/// The account whose ID token functions receive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invoker {
    /// The credential's own.
    Own,
    /// A service account's.
    ServiceAccount {
        /// The account, and the way to it.
        chain: Chain,
        /// True if the token is to hold the address.
        include_email: bool,
    },
    /// The user's.
    User,
}

/// The invoker as a caller asks for it; see `wit/types.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub enum InvokerRequest {
    Own,
    ServiceAccount { service_account: Option<String>, delegates: Vec<String>, include_email: bool },
    User,
}

impl InvokerRequest {
    /// The invoker that a connection keeps.
    #[must_use]
    pub fn stored(connection: &StoredConnection) -> Self {
        match connection.invoker.as_str() {
            invoker::SERVICE_ACCOUNT => Self::ServiceAccount {
                service_account: connection.invoker_account.clone(),
                delegates: connection.invoker_delegates.clone(),
                include_email: !connection.without_email,
            },
            invoker::USER => Self::User,
            _ => Self::Own,
        }
    }

    /// The default invoker for an identity.
    #[must_use]
    pub fn default_for(identity: &Identity) -> Self {
        if identity.has_own_id_token() {
            Self::Own
        } else {
            Self::ServiceAccount { service_account: None, delegates: Vec::new(), include_email: true }
        }
    }

    /// Writes it into what a connection keeps.
    pub fn store(self, connection: &mut StoredConnection) {
        let name = match self {
            Self::Own => invoker::OWN,
            Self::User => invoker::USER,
            Self::ServiceAccount { service_account, delegates, include_email } => {
                connection.invoker_account = service_account;
                connection.invoker_delegates = delegates;
                connection.without_email = !include_email;
                invoker::SERVICE_ACCOUNT
            }
        };
        name.clone_into(&mut connection.invoker);
    }

    /// Resolves it for an identity.
    ///
    /// # Errors
    /// `invalid-input` of field `invoker`: an address that is none, or a kind of token that this
    /// credential does not have.
    pub fn resolve(&self, identity: &Identity, project: &ProjectId) -> Result<Invoker> {
        match self {
            Self::Own if identity.has_own_id_token() => Ok(Invoker::Own),
            Self::User if identity.has_user_id_token() => Ok(Invoker::User),
            Self::Own | Self::User => Err(Error::input(
                "invoker",
                "this connection's credential has no ID token of this kind to give to a function",
            )
            .cause(Cause::NoIdToken)
            .fix("leave the invoker out, or let a service account invoke: invoker `service-account`")),
            Self::ServiceAccount { service_account, delegates, include_email } => {
                let account = match service_account {
                    Some(account) => account.clone(),
                    None => project.default_service_account()?,
                };
                Ok(Invoker::ServiceAccount {
                    chain: Chain::parse(&account, delegates)?,
                    include_email: *include_email,
                })
            }
        }
    }
}
