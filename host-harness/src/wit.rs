//! The contract's own types, one module for each interface of `wit/`.
//!
//! They are generated from the contract, but for [`connections::Credential`] and
//! [`connections::ConnectRequest`]: these hold secrets, and must not be printable.

pub use self::{
    api::{ApiRequest, ApiResponse},
    connections::{
        ConnectRequest, Connected, Connection, Credential, CredentialKind, Disconnected, Finding, StoredKey,
        Verdict,
    },
    functions::{
        Auth, Function, FunctionList, FunctionRef, Generation, Invocation, InvokeRequest, ListRequest,
        NamedFunction, Trigger,
    },
    types::{
        Body, Error as ConnectorError, ErrorKind, Exchange, Header, Origin, Part, Query, ResponseHeader,
        TokenKind, TypedBytes,
    },
};

/// Headers, bodies, queries, the trace, and the one error type: what every interface shares.
pub mod types {
    pub use crate::bindings::types::{
        Body, Error, ErrorKind, Exchange, Header, Origin, Part, Query, ResponseHeader, TokenKind, TypedBytes,
    };
}

/// Functions of both generations: what there is, and calling it.
pub mod functions {
    pub use crate::bindings::exports::functions::{
        Auth, Function, FunctionList, FunctionRef, Generation, Invocation, InvokeRequest, ListRequest,
        NamedFunction, Trigger,
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
        Connected, Connection, CredentialKind, Disconnected, Finding, StoredKey, Verdict,
    };

    /// The credential of a new connection.
    #[derive(Clone, PartialEq)]
    pub enum Credential {
        /// The JSON file that Google hands out. Printing it shows its size only.
        GoogleJson(String),
        /// A key that stays in the host.
        StoredKey(StoredKey),
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
    }

    impl fmt::Debug for Credential {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self {
                Self::GoogleJson(json) => write!(f, "GoogleJson([secret, {} bytes])", json.len()),
                Self::StoredKey(key) => f.debug_tuple("StoredKey").field(key).finish(),
            }
        }
    }

    impl From<ConnectRequest> for generated::ConnectRequest {
        fn from(request: ConnectRequest) -> Self {
            let ConnectRequest { nickname, project, region, credential } = request;
            let credential = match credential {
                Credential::GoogleJson(json) => generated::Credential::GoogleJson(json),
                Credential::StoredKey(key) => generated::Credential::StoredKey(key),
            };
            Self { nickname, project, region, credential }
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
            };
            let printed = format!("{request:?} {request:#?}");
            assert!(printed.contains("[secret, 24 bytes]"), "{printed}");
            assert!(!printed.contains("hidden"), "{printed}");
        }
    }
}
