//! The contract's own types, one module for each interface of `wit/`.
//!
//! They are generated from the contract, but for those requests to [`connections`] and [`functions`] that
//! hold secrets, which must not be printable.

pub use self::{
    api::{ApiPages, ApiRequest, ApiResponse, PagesRequest},
    connections::{
        Authorization, AuthorizeRequest, ConnectRequest, Connected, Connection, Credential, CredentialKind,
        Disconnected, Fault, Finding, StoredKey, SuppliedToken, Verdict,
    },
    functions::{
        Auth, Function, FunctionList, Generation, Invocation, InvokeRequest, ListRequest, MissingPart,
        OptionField, OptionItem, OptionList, OptionsRequest, Trigger,
    },
    planning::{Action, CallPlan, PlannedRequest},
    types::{
        Body, Content, Error as ConnectorError, ErrorKind, Exchange, FunctionRef, GuardRails, Header,
        Impersonation, Invoker, NamedFunction, Origin, Part, Query, ResponseHeader, RetryClass, TokenKind,
        TypedBytes,
    },
};

/// The types that all interfaces share: headers, bodies, queries, names of functions, the trace, the one
/// error type.
pub mod types {
    pub use crate::contract::bindings::types::{
        Body, Content, Error, ErrorKind, Exchange, FunctionRef, GuardRails, Header, Impersonation, Invoker,
        NamedFunction, Origin, Part, Query, ResponseHeader, RetryClass, TokenKind, TypedBytes,
    };

    impl Content {
        /// The body byte for byte, as it arrived.
        #[must_use]
        pub fn as_bytes(&self) -> &[u8] {
            match self {
                Self::Empty => &[],
                Self::Json(text) | Self::Text(text) => text.as_bytes(),
                Self::Bytes(bytes) => bytes,
            }
        }
    }
}

/// Functions of both generations: finding and calling them.
pub mod functions {
    use std::fmt;

    use super::types::{Body, Header, Invoker, Query};
    pub use super::types::{FunctionRef, NamedFunction};
    use crate::contract::bindings::exports::functions as generated;
    pub use crate::contract::bindings::exports::functions::{
        Auth, Function, FunctionList, Generation, Invocation, ListRequest, MissingPart, OptionField,
        OptionItem, OptionList, OptionsRequest, Trigger,
    };

    /// The input of [`Host::invoke`](crate::Host::invoke).
    #[derive(Clone, PartialEq)]
    pub struct InvokeRequest {
        /// The function, by its name or its URL.
        pub function: FunctionRef,
        /// `GET`, `POST`, `PUT`, `PATCH`, `DELETE`, `HEAD` or `OPTIONS`.
        pub method: String,
        /// The path below the function's URL; begins with `/` if it is not empty.
        pub path: String,
        /// The query after the path.
        pub query: Option<Query>,
        /// The caller's headers.
        pub headers: Vec<Header>,
        /// The body of the request.
        pub body: Option<Body>,
        /// The ID token: sent, not sent, or sent if the function asks for one.
        pub auth: Auth,
        /// The invoker, in place of the connection's own.
        pub invoker: Option<Invoker>,
        /// The audience, in place of the one that the function's generation asks for.
        pub audience: Option<String>,
        /// The caller's own `Authorization`, for a function that reads it. Printing the request shows its
        /// size only.
        pub authorization: Option<String>,
        /// True if the function may safely be called twice.
        pub idempotent: bool,
        /// Turns a status outside 2xx into an error.
        pub raise_for_status: bool,
    }

    impl fmt::Debug for InvokeRequest {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let authorization =
                self.authorization.as_ref().map(|value| format!("[secret, {} bytes]", value.len()));
            f.debug_struct("InvokeRequest")
                .field("function", &self.function)
                .field("method", &self.method)
                .field("path", &self.path)
                .field("query", &self.query)
                .field("headers", &self.headers)
                .field("body", &self.body)
                .field("auth", &self.auth)
                .field("invoker", &self.invoker)
                .field("audience", &self.audience)
                .field("authorization", &authorization)
                .field("idempotent", &self.idempotent)
                .field("raise_for_status", &self.raise_for_status)
                .finish()
        }
    }

    impl From<InvokeRequest> for generated::InvokeRequest {
        fn from(request: InvokeRequest) -> Self {
            let InvokeRequest { function, method, path, query, headers, body, auth, .. } = request;
            Self {
                function,
                method,
                path,
                query,
                headers,
                body,
                auth,
                invoker: request.invoker,
                audience: request.audience,
                authorization: request.authorization,
                idempotent: request.idempotent,
                raise_for_status: request.raise_for_status,
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_callers_own_authorization_is_not_printed() {
            let request = InvokeRequest {
                function: FunctionRef::Url("https://f-a-uc.a.run.app".to_owned()),
                method: "GET".to_owned(),
                path: String::new(),
                query: None,
                headers: Vec::new(),
                body: None,
                auth: Auth::Auto,
                invoker: None,
                audience: None,
                authorization: Some("Bearer canary".to_owned()),
                idempotent: false,
                raise_for_status: false,
            };
            let shown = format!("{request:?}");
            assert!(!shown.contains("canary") && shown.contains("[secret, 13 bytes]"), "{shown}");
        }
    }
}

/// Any other call to Google's APIs.
pub mod api {
    pub use crate::contract::bindings::exports::api::{ApiPages, ApiRequest, ApiResponse, PagesRequest};
}

/// The plan of a call: its requests, without sending them.
pub mod planning {
    pub use crate::contract::bindings::exports::planning::{CallPlan, PlannedRequest};

    use super::{
        ApiRequest, ConnectRequest, Credential, FunctionRef, InvokeRequest, ListRequest, OptionsRequest,
        PagesRequest,
    };
    use crate::contract::bindings::exports::planning as generated;

    /// A call, with its arguments.
    #[derive(Debug, Clone)]
    pub enum Action {
        /// [`Host::connect`](crate::Host::connect).
        Connect(ConnectRequest),
        /// [`Host::reauthorize`](crate::Host::reauthorize).
        Reauthorize {
            /// The credential in place of the connection's own.
            credential: Credential,
            /// As in [`ConnectRequest`].
            subject_token: Option<String>,
        },
        /// [`Host::check`](crate::Host::check).
        Check(Option<FunctionRef>),
        /// [`Host::disconnect`](crate::Host::disconnect).
        Disconnect,
        /// [`Host::list_functions`](crate::Host::list_functions).
        List(ListRequest),
        /// [`Host::options`](crate::Host::options).
        Options(OptionsRequest),
        /// [`Host::get_function`](crate::Host::get_function).
        Get(FunctionRef),
        /// [`Host::invoke`](crate::Host::invoke).
        Invoke(InvokeRequest),
        /// [`Host::custom_api`](crate::Host::custom_api).
        CustomApi(ApiRequest),
        /// [`Host::all_pages`](crate::Host::all_pages).
        AllPages(PagesRequest),
    }

    impl From<Action> for generated::Action {
        fn from(action: Action) -> Self {
            match action {
                Action::Connect(request) => Self::ConnectionsConnect(request.into()),
                Action::Reauthorize { credential, subject_token } => {
                    Self::ConnectionsReauthorize(generated::NewCredential {
                        credential: credential.into(),
                        subject_token,
                    })
                }
                Action::Check(function) => Self::ConnectionsCheck(function),
                Action::Disconnect => Self::ConnectionsDisconnect,
                Action::List(request) => Self::FunctionsList(request),
                Action::Options(request) => Self::FunctionsOptions(request),
                Action::Get(function) => Self::FunctionsGet(function),
                Action::Invoke(request) => Self::FunctionsInvoke(request.into()),
                Action::CustomApi(request) => Self::ApiCustomApi(request),
                Action::AllPages(request) => Self::ApiAllPages(request),
            }
        }
    }
}

/// Connections: a Google credential, a project and a default region under one id.
pub mod connections {
    use std::fmt;

    use crate::contract::bindings::exports::connections as generated;
    pub use crate::contract::bindings::exports::connections::{
        Authorization, Connected, Connection, CredentialKind, Disconnected, Fault, Finding, StoredKey,
        SuppliedToken, Verdict,
    };
    pub use crate::contract::bindings::types::{GuardRails, Impersonation, Invoker};

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

    /// The input of [`Host::connect`](crate::Host::connect).
    #[derive(Debug, Clone, PartialEq)]
    pub struct ConnectRequest {
        /// A name for people. Best kept unique; a repeated one is a warning, not an error.
        pub nickname: String,
        /// A project id, a project number, or a console URL with `?project=…`. `None` takes the
        /// project that the credential names.
        pub project: Option<String>,
        /// The region of a bare function name. `None` is `us-central1`.
        pub region: Option<String>,
        /// The credential with which the connection signs in.
        pub credential: Credential,
        /// The name under which the store keeps the subject token of an `external_account`, below
        /// `supplied/`.
        pub subject_token: Option<String>,
        /// The identity whose ID token functions receive. `None` is the default of the kind of credential.
        pub invoker: Option<Invoker>,
        /// The guard rails of the connection. `None` leaves everything that Google allows.
        pub guard_rails: Option<GuardRails>,
    }

    /// The input of [`Host::authorize`](crate::Host::authorize).
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
        /// The URL to which Google sends the browser back: https, or http to a loopback address.
        pub redirect_uri: String,
        /// The account to offer first.
        pub login_hint: Option<String>,
        /// The one Google Workspace domain whose accounts are accepted.
        pub hosted_domain: Option<String>,
        /// As in [`ConnectRequest`].
        pub invoker: Option<Invoker>,
        /// As in [`ConnectRequest`].
        pub guard_rails: Option<GuardRails>,
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
                .field("guard_rails", &self.guard_rails)
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
            let ConnectRequest { nickname, project, region, credential, subject_token, invoker, guard_rails } =
                request;
            Self {
                nickname,
                project,
                region,
                credential: credential.into(),
                subject_token,
                invoker,
                guard_rails,
            }
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
                guard_rails,
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
                guard_rails,
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
                guard_rails: None,
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
                guard_rails: None,
                connection: None,
            };
            let printed = format!("{request:?}");
            assert!(printed.contains("[secret, 26 bytes]") && !printed.contains("hidden"), "{printed}");
        }
    }
}
