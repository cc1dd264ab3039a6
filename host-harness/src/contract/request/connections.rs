//! Requests about connections, and their credentials.

use std::fmt;

use super::Hidden;
use crate::contract::bindings::{
    exports::{
        connections::{self as of_connections, StoredKey, SuppliedToken},
        planning as of_planning,
    },
    types::{GuardRails, Invoker},
};

/// The credential of a connection.
#[derive(Clone, PartialEq)]
pub enum Credential {
    /// The JSON file that Google hands out. Printing it shows its size only.
    GoogleJson(String),
    /// A key that stays in the host.
    StoredKey(StoredKey),
    /// An access token that the host keeps in its store.
    SuppliedToken(SuppliedToken),
    /// Nothing: the host adds an access token to each request, and may say whose.
    InjectedToken(Option<String>),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GoogleJson(json) => f.debug_tuple("GoogleJson").field(&Hidden(json)).finish(),
            Self::StoredKey(key) => f.debug_tuple("StoredKey").field(key).finish(),
            Self::SuppliedToken(token) => f.debug_tuple("SuppliedToken").field(token).finish(),
            Self::InjectedToken(account) => f.debug_tuple("InjectedToken").field(account).finish(),
        }
    }
}

impl From<Credential> for of_connections::Credential {
    fn from(credential: Credential) -> Self {
        match credential {
            Credential::GoogleJson(json) => Self::GoogleJson(json),
            Credential::StoredKey(key) => Self::StoredKey(key),
            Credential::SuppliedToken(token) => Self::SuppliedToken(token),
            Credential::InjectedToken(account) => Self::InjectedToken(account),
        }
    }
}

impl Credential {
    /// The JSON file that Google hands out: its kind is detected.
    #[must_use]
    pub fn google_json(json: impl Into<String>) -> Self {
        Self::GoogleJson(json.into())
    }

    /// A service account's key that the host keeps under `key`, a name that begins with `keys/`.
    #[must_use]
    pub fn stored_key(client_email: impl Into<String>, key: impl Into<String>) -> Self {
        let (client_email, key) = (client_email.into(), key.into());
        Self::StoredKey(StoredKey { client_email, private_key_id: None, key })
    }

    /// An access token that the host keeps, and renews, under `key`, a name that begins with `supplied/`.
    #[must_use]
    pub fn supplied_token(key: impl Into<String>) -> Self {
        Self::SuppliedToken(SuppliedToken { key: key.into(), account: None })
    }

    /// Nothing: the host adds this account's access token to each request itself.
    #[must_use]
    pub fn injected_token(account: impl Into<String>) -> Self {
        Self::InjectedToken(Some(account.into()))
    }
}

request! {
    /// The input of [`Host::connect`](crate::Host::connect), from [`ConnectRequest::new`].
    #[derive(Debug)]
    ConnectRequest for of_connections::ConnectRequest {
        /// A name for people. Best kept unique; a repeated one is a warning, not an error.
        nickname: String,
        /// A project id, a project number, or a console URL with `?project=…`. `None` takes the
        /// project that the credential names.
        project: Option<String>,
        /// The project that requests count against, where Google lets the caller say so. `None` is what the
        /// credential names as `quota_project_id`.
        quota_project: Option<String>,
        /// The region of a bare function name. `None` is `us-central1`.
        region: Option<String>,
        /// The credential with which the connection signs in.
        credential: Credential,
        /// The name under which the store keeps the subject token of an `external_account`, below
        /// `supplied/`.
        subject_token: Option<String>,
        /// The identity whose ID token functions receive. `None` is the default of the kind of credential.
        invoker: Option<Invoker>,
        /// The guard rails of the connection. `None` leaves everything that Google allows.
        guard_rails: Option<GuardRails>,
    }
}

impl ConnectRequest {
    /// A connection with this name for people, and this credential.
    #[must_use]
    pub fn new(nickname: impl Into<String>, credential: Credential) -> Self {
        Self {
            nickname: nickname.into(),
            project: None,
            quota_project: None,
            region: None,
            credential,
            subject_token: None,
            invoker: None,
            guard_rails: None,
        }
    }

    /// A connection with a JSON file that Google hands out, such as a service account's key.
    #[must_use]
    pub fn google_json(nickname: impl Into<String>, json: impl Into<String>) -> Self {
        Self::new(nickname, Credential::google_json(json))
    }
}

request! {
    /// The input of [`Host::authorize`](crate::Host::authorize), from [`AuthorizeRequest::new`].
    AuthorizeRequest for of_connections::AuthorizeRequest {
        /// As in [`ConnectRequest`].
        nickname: String,
        /// As in [`ConnectRequest`]; `None` is the project of the OAuth client.
        project: Option<String>,
        /// As in [`ConnectRequest`]; `None` is the project of the OAuth client.
        quota_project: Option<String>,
        /// As in [`ConnectRequest`].
        region: Option<String>,
        /// The JSON file of the OAuth client. Printing the request shows its size only.
        client: String,
        /// The URL to which Google sends the browser back: https, or http to a loopback address.
        redirect_uri: String,
        /// The account to offer first.
        login_hint: Option<String>,
        /// The one Google Workspace domain whose accounts are accepted.
        hosted_domain: Option<String>,
        /// As in [`ConnectRequest`].
        invoker: Option<Invoker>,
        /// As in [`ConnectRequest`].
        guard_rails: Option<GuardRails>,
        /// The connection to sign in anew for, instead of making one.
        connection: Option<String>,
    }
}

impl AuthorizeRequest {
    /// A sign-in for a new connection of this name, through an OAuth client, that ends at the redirect URI.
    #[must_use]
    pub fn new(
        nickname: impl Into<String>,
        client: impl Into<String>,
        redirect_uri: impl Into<String>,
    ) -> Self {
        Self {
            nickname: nickname.into(),
            project: None,
            quota_project: None,
            region: None,
            client: client.into(),
            redirect_uri: redirect_uri.into(),
            login_hint: None,
            hosted_domain: None,
            invoker: None,
            guard_rails: None,
            connection: None,
        }
    }

    /// A sign-in anew for the connection of this id: all else about it stays as it is.
    #[must_use]
    pub fn anew(
        connection: impl Into<String>,
        client: impl Into<String>,
        redirect_uri: impl Into<String>,
    ) -> Self {
        Self::new("", client, redirect_uri).connection(connection)
    }
}

impl fmt::Debug for AuthorizeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizeRequest")
            .field("nickname", &self.nickname)
            .field("project", &self.project)
            .field("quota_project", &self.quota_project)
            .field("region", &self.region)
            .field("client", &Hidden(&self.client))
            .field("redirect_uri", &self.redirect_uri)
            .field("login_hint", &self.login_hint)
            .field("hosted_domain", &self.hosted_domain)
            .field("invoker", &self.invoker)
            .field("guard_rails", &self.guard_rails)
            .field("connection", &self.connection)
            .finish()
    }
}

request! {
    /// A credential in place of a connection's own, as [`Action::Reauthorize`](crate::Action::Reauthorize) has it.
    #[derive(Debug)]
    NewCredential for of_planning::NewCredential {
        /// The credential.
        credential: Credential,
        /// As in [`ConnectRequest`].
        subject_token: Option<String>,
    }
}

impl NewCredential {
    /// This credential.
    #[must_use]
    pub fn new(credential: Credential) -> Self {
        Self { credential, subject_token: None }
    }
}
