//! The identity of a connection: its credential, and the account that it acts as.

use super::credential::{Credential, Means, impersonated::Chain, service_account::ServiceAccount};
use crate::{
    base::{
        error::{Error, Kind, Origin, Result},
        http::TokenKind,
        json::{Object, Read},
        ports::Ports,
    },
    google::names::ProjectId,
    store::{
        self, Kept,
        connection::{CredentialKind, SignsIn, StoredConnection},
        names::ConnectionId,
    },
};

/// The account that signs in, and the one that it acts as. It is kept under `credentials/{id}`; a private key
/// is under its own name, in the store or in the host.
#[derive(Debug)]
pub struct Identity {
    /// The way to an access token.
    pub credential: Credential,
    /// The service account that the credential only leads to.
    pub impersonates: Option<Chain>,
}

/// A credential that a caller gives, checked.
#[derive(Debug)]
pub struct Given {
    /// The identity that it makes.
    pub identity: Identity,
    /// The project that it names.
    pub project: Option<ProjectId>,
    /// The project that it says requests count against.
    pub quota_project: Option<ProjectId>,
}

impl From<Credential> for Identity {
    fn from(credential: Credential) -> Self {
        Self { credential, impersonates: None }
    }
}

impl Kept for Identity {
    fn read(fields: &Object<'_>) -> Read<Self> {
        Ok(Self { credential: Credential::read(fields)?, impersonates: Chain::read(fields)? })
    }

    fn fields(&self) -> Object<'_> {
        let fields = self.credential.fields();
        match &self.impersonates {
            Some(chain) => chain.write(fields),
            None => fields,
        }
    }
}

/// A connection and its identity.
///
/// # Errors
/// `connection-not-found` or `secret-store`.
pub fn load(ports: &impl Ports, id: &ConnectionId) -> Result<(StoredConnection, Identity)> {
    let connection = store::read(ports, &id.connection_key())?.ok_or_else(ConnectionId::not_found)?;
    let identity = store::read(ports, &id.credential_key())?.ok_or_else(|| {
        Error::new(Kind::SecretStore, Origin::Host, "the connection's credential is gone")
            .fix("disconnect, and connect again")
    })?;
    Ok((connection, identity))
}

impl Identity {
    /// The account that signs in, for people.
    #[must_use]
    pub fn account(&self) -> &str {
        self.credential.account()
    }

    /// The account that asks Google's APIs: the address that a role is granted to, if it is known.
    #[must_use]
    pub fn principal(&self) -> &str {
        match &self.impersonates {
            Some(chain) => chain.account.as_str(),
            None => self.account(),
        }
    }

    /// The account that asks for a token of `chain`: the credential's own for the account that it leads to, and that one
    /// for any other.
    #[must_use]
    pub fn asking_for(&self, chain: &Chain) -> &str {
        if self.leads_to(chain) { self.account() } else { self.principal() }
    }

    /// Tells if this is the service account that the credential only leads to.
    #[must_use]
    pub fn leads_to(&self, chain: &Chain) -> bool {
        self.impersonates.as_ref() == Some(chain)
    }

    /// The kind of token that requests to Google's APIs carry.
    #[must_use]
    pub fn token_kind(&self) -> TokenKind {
        match (self.credential.means(), &self.impersonates) {
            (Means::Injected, None) => TokenKind::Injected,
            (Means::Asked | Means::Supplied(_), _) | (_, Some(_)) => TokenKind::AccessToken,
        }
    }

    /// The key that gets ID tokens by itself, if the credential is one and signs in as itself.
    #[must_use]
    pub fn own_key(&self) -> Option<&ServiceAccount> {
        self.credential.key().filter(|_| self.impersonates.is_none())
    }

    /// Tells if it has an ID token of its own to give to functions.
    #[must_use]
    pub fn has_own_id_token(&self) -> bool {
        self.impersonates.is_some() || self.own_key().is_some()
    }

    /// The OAuth client that a user signed in with: the audience of their own ID token.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.credential.client_id()
    }

    /// Tells if there is a user whose ID token can be given to functions.
    #[must_use]
    pub fn has_user_id_token(&self) -> bool {
        self.impersonates.is_none() && self.client_id().is_some()
    }

    /// The part of it that is no secret, with the scopes that were granted, if Google said.
    #[must_use]
    pub fn signs_in(&self, scopes: Option<&str>) -> SignsIn {
        let kind = self.credential.kind();
        SignsIn {
            kind: match (kind, &self.impersonates) {
                (CredentialKind::ExternalAccount, _) | (_, None) => kind,
                (_, Some(_)) => CredentialKind::ImpersonatedServiceAccount,
            },
            account: self.account().to_owned(),
            impersonates: self.impersonates.as_ref().map(|chain| chain.account.as_str().to_owned()),
            scopes: scopes.map(str::to_owned),
        }
    }

    /// The same of a credential that an earlier version kept, with the scopes beside it.
    #[must_use]
    pub fn signs_in_of_earlier(&self) -> SignsIn {
        self.signs_in(self.credential.kept_scopes())
    }
}
