//! The contract's own types, one module for each interface of `wit/`.
//!
//! Answers are generated from the contract. Requests are types of their own, made by a constructor and a method for each
//! field that may be left out: the contract gets fields over time, and those that hold secrets must not be printable.
//!
//! ```
//! use gcf_host::wit::{FunctionRef, InvokeRequest, ListRequest};
//!
//! # fn main() -> Result<(), serde_json::Error> {
//! let hello = FunctionRef::in_region("hello", "europe-west1");
//! let request = InvokeRequest::post(hello).json(&serde_json::json!({ "name": "world" }))?;
//! let newest = ListRequest::default().order_by("update_time desc").limit(10);
//! # Ok(()) }
//! ```

pub use self::{
    api::{ApiPages, ApiRequest, ApiResponse, PagesRequest},
    connections::{
        Authorization, AuthorizeRequest, ConnectRequest, Connected, Connection, Credential, CredentialKind,
        Disconnected, Fault, Finding, NewCredential, StoredKey, SuppliedToken, Verdict,
    },
    functions::{
        Auth, Function, FunctionList, Generation, Invocation, InvokeRequest, ListRequest, MissingPart,
        OptionField, OptionItem, OptionList, OptionsRequest, Trigger,
    },
    planning::{CallPlan, PlannedRequest},
    types::{
        Body, Content, Error as ConnectorError, ErrorKind, Exchange, FunctionRef, GuardRails, Header,
        Impersonation, Invoker, NamedFunction, Origin, Part, Query, ResponseHeader, RetryClass, TokenKind,
        TypedBytes,
    },
};
pub use super::words::Case;

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
    pub use super::types::{FunctionRef, NamedFunction};
    pub use crate::contract::{
        bindings::exports::functions::{
            Auth, Function, FunctionList, Generation, Invocation, MissingPart, OptionField, OptionItem,
            OptionList, Trigger,
        },
        request::{InvokeRequest, ListRequest, OptionsRequest},
    };
}

/// Any other call to Google's APIs.
pub mod api {
    pub use crate::contract::{
        bindings::exports::api::{ApiPages, ApiResponse},
        request::{ApiRequest, PagesRequest},
    };
}

/// The plan of a call: its requests, without sending them. The call itself is an [`Action`](crate::Action).
pub mod planning {
    pub use crate::contract::bindings::exports::planning::{CallPlan, PlannedRequest};
}

/// Connections: a Google credential, a project and a default region under one id.
pub mod connections {
    pub use super::types::{GuardRails, Impersonation, Invoker};
    pub use crate::contract::{
        bindings::exports::connections::{
            Authorization, Connected, Connection, CredentialKind, Disconnected, Fault, Finding, StoredKey,
            SuppliedToken, Verdict,
        },
        request::{AuthorizeRequest, ConnectRequest, Credential, NewCredential},
    };
}
