//! The contract's own types, one module for each interface of `wit/`.
//!
//! They are generated from the contract, but for those requests to [`connections`] that hold secrets,
//! which must not be printable.

pub use self::{
    api::{ApiRequest, ApiResponse},
    connections::{
        Authorization, AuthorizeRequest, ConnectRequest, Connected, Connection, Credential, CredentialKind,
        Disconnected, Fault, Finding, StoredKey, SuppliedToken, Verdict,
    },
    functions::{Auth, Function, FunctionList, Generation, Invocation, InvokeRequest, ListRequest, Trigger},
    types::{
        Body, Error as ConnectorError, ErrorKind, Exchange, FunctionRef, Header, Impersonation, Invoker,
        NamedFunction, Origin, Part, Query, ResponseHeader, TokenKind, TypedBytes,
    },
};

/// What every interface shares: headers, bodies, queries, names of functions, the trace, the one error type.
pub mod types {
    pub use crate::bindings::types::{
        Body, Error, ErrorKind, Exchange, FunctionRef, Header, Impersonation, Invoker, NamedFunction, Origin,
        Part, Query, ResponseHeader, TokenKind, TypedBytes,
    };
}

/// Functions of both generations: what there is, and calling it.
pub mod functions {
    pub use super::types::{FunctionRef, NamedFunction};
    pub use crate::bindings::exports::functions::{
        Auth, Function, FunctionList, Generation, Invocation, InvokeRequest, ListRequest, Trigger,
    };
}

/// Any other call to Google's APIs.
pub mod api {
    pub use crate::bindings::exports::api::{ApiRequest, ApiResponse};
}

/// Connections: a Google credential, a project and a default region under one id.
pub mod connections {
    use std::fmt;

    use crate::bindings::exports::connections as generated;
    pub use crate::bindings::exports::connections::{
        Authorization, Connected, Connection, CredentialKind, Disconnected, Fault, Finding, StoredKey,
        SuppliedToken, Verdict,
    };
    pub use crate::bindings::types::{Impersonation, Invoker};

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

    /// What [`Host::connect`](crate::Host::connect) needs.
    #[derive(Debug, Clone, PartialEq)]
    pub struct ConnectRequest {
        /// A name for people. Best kept unique; a repeated one is a warning, not an error.
        pub nickname: String,
        /// A project id, a project number, or a console URL with `?project=…`. `None` takes the
        /// project that the credential names.
        pub project: Option<String>,
        /// The region of a bare function name. `None` is `us-central1`.
        pub region: Option<String>,
        /// How the connection signs in.
        pub credential: Credential,
        /// Where the store keeps the subject token of an `external_account`, under `supplied/`.
        pub subject_token: Option<String>,
        /// Whose ID token functions receive. `None` is what the kind of credential suggests.
        pub invoker: Option<Invoker>,
    }

    /// What [`Host::authorize`](crate::Host::authorize) needs.
    #[derive(Clone, PartialEq)]
    pub struct AuthorizeRequest {
        /// As in [`ConnectRequest`].
        pub nickname: String,
        /// As in [`ConnectRequest`]; `None` is the project of the OAuth client.
        pub project: Option<String>,
        /// As in [`ConnectRequest`].
        pub region: Option<String>,
        /// The JSON file of the OAuth client. Printing the request shows its size only.
        pub client: String,
        /// Where Google sends the browser back: https, or http to a loopback address.
        pub redirect_uri: String,
        /// Which account to offer first.
        pub login_hint: Option<String>,
        /// Accept accounts of this Google Workspace domain only.
        pub hosted_domain: Option<String>,
        /// As in [`ConnectRequest`].
        pub invoker: Option<Invoker>,
        /// The connection to sign in anew for, instead of making one.
        pub connection: Option<String>,
    }

    impl fmt::Debug for Credential {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self {
                Self::GoogleJson(json) => write!(f, "GoogleJson([secret, {} bytes])", json.len()),
                Self::StoredKey(key) => f.debug_tuple("StoredKey").field(key).finish(),
                Self::SuppliedToken(token) => f.debug_tuple("SuppliedToken").field(token).finish(),
                Self::InjectedToken(account) => f.debug_tuple("InjectedToken").field(account).finish(),
            }
        }
    }

    impl fmt::Debug for AuthorizeRequest {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("AuthorizeRequest")
                .field("nickname", &self.nickname)
                .field("project", &self.project)
                .field("region", &self.region)
                .field("client", &format_args!("[secret, {} bytes]", self.client.len()))
                .field("redirect_uri", &self.redirect_uri)
                .field("login_hint", &self.login_hint)
                .field("hosted_domain", &self.hosted_domain)
                .field("invoker", &self.invoker)
                .field("connection", &self.connection)
                .finish()
        }
    }

    impl From<Credential> for generated::Credential {
        fn from(credential: Credential) -> Self {
            match credential {
                Credential::GoogleJson(json) => Self::GoogleJson(json),
                Credential::StoredKey(key) => Self::StoredKey(key),
                Credential::SuppliedToken(token) => Self::SuppliedToken(token),
                Credential::InjectedToken(account) => Self::InjectedToken(account),
            }
        }
    }

    impl From<ConnectRequest> for generated::ConnectRequest {
        fn from(request: ConnectRequest) -> Self {
            let ConnectRequest { nickname, project, region, credential, subject_token, invoker } = request;
            Self { nickname, project, region, credential: credential.into(), subject_token, invoker }
        }
    }

    impl From<AuthorizeRequest> for generated::AuthorizeRequest {
        fn from(request: AuthorizeRequest) -> Self {
            let AuthorizeRequest {
                nickname,
                project,
                region,
                client,
                redirect_uri,
                login_hint,
                hosted_domain,
                invoker,
                connection,
            } = request;
            Self {
                nickname,
                project,
                region,
                client,
                redirect_uri,
                login_hint,
                hosted_domain,
                invoker,
                connection,
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_credential_cannot_be_printed() {
            let request = ConnectRequest {
                nickname: "team".to_owned(),
                project: None,
                region: None,
                credential: Credential::GoogleJson("{\"private_key\":\"hidden\"}".to_owned()),
                subject_token: None,
                invoker: None,
            };
            let printed = format!("{request:?} {request:#?}");
            assert!(printed.contains("[secret, 24 bytes]"), "{printed}");
            assert!(!printed.contains("hidden"), "{printed}");
        }

        #[test]
        fn a_client_cannot_be_printed() {
            let request = AuthorizeRequest {
                nickname: "team".to_owned(),
                project: None,
                region: None,
                client: "{\"client_secret\":\"hidden\"}".to_owned(),
                redirect_uri: "http://127.0.0.1:1/callback".to_owned(),
                login_hint: None,
                hosted_domain: None,
                invoker: None,
                connection: None,
            };
            let printed = format!("{request:?}");
            assert!(printed.contains("[secret, 26 bytes]") && !printed.contains("hidden"), "{printed}");
        }
    }
}
