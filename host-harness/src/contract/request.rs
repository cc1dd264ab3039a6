//! Requests as embedders make them: from a constructor, with a method for each field that may be left out.
//!
//! They are types of their own beside the generated ones, for two reasons. A record of the contract gets fields over
//! time, and `bindgen!` cannot mark what it makes `#[non_exhaustive]`, so each new field would break every literal. And
//! some of them hold secrets, which the generated `Debug` would print. Each has one total conversion into the record.

use std::fmt;

use super::bindings::types::{FunctionRef, GuardRails, Impersonation, Invoker, NamedFunction, Query};

/// A request with its conversion into the contract's record, and a method that sets each field.
macro_rules! request {
    (
        $(#[$about:meta])*
        $name:ident for $record:path {
            $($(#[doc = $doc:literal])+ $field:ident: $kind:tt $(<$ty:tt>)?,)*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[doc = $doc])+ pub $field: $kind $(<$ty>)?,)*
        }

        impl $name {
            $(setter! { [$(#[doc = $doc])+] $field: $kind $(<$ty>)? })*
        }

        impl From<$name> for $record {
            fn from(request: $name) -> Self {
                let $name { $($field,)* } = request;
                Self { $($field: $field.into(),)* }
            }
        }
    };
}

macro_rules! setter {
    ([$($doc:tt)+] $field:ident: Option<u32>) => {
        #[doc = concat!("Sets `", stringify!($field), "`.\n")]
        $($doc)+
        #[must_use]
        pub fn $field(mut self, $field: u32) -> Self {
            self.$field = Some($field);
            self
        }
    };
    ([$($doc:tt)+] $field:ident: Option<$ty:tt>) => {
        #[doc = concat!("Sets `", stringify!($field), "`.\n")]
        $($doc)+
        #[must_use]
        pub fn $field(mut self, $field: impl Into<$ty>) -> Self {
            self.$field = Some($field.into());
            self
        }
    };
    ([$($doc:tt)+] $field:ident: Vec<$ty:tt>) => {
        #[doc = concat!("Sets all of `", stringify!($field), "`.\n")]
        $($doc)+
        #[must_use]
        pub fn $field(mut self, $field: impl IntoIterator<Item = impl Into<$ty>>) -> Self {
            self.$field = $field.into_iter().map(Into::into).collect();
            self
        }
    };
    ([$($doc:tt)+] $field:ident: $ty:tt) => {
        #[doc = concat!("Sets `", stringify!($field), "`.\n")]
        $($doc)+
        #[must_use]
        pub fn $field(mut self, $field: impl Into<$ty>) -> Self {
            self.$field = $field.into();
            self
        }
    };
}

/// The parts that requests to functions and to APIs have in common: a method, one more header, the kinds of body.
macro_rules! http {
    ($name:ident, $target:ident: $Target:ty { $($(#[$doc:meta])* $method:ident $verb:literal,)* }) => {
        impl $name {
            $(
                $(#[$doc])*
                #[must_use]
                pub fn $method($target: impl Into<$Target>) -> Self {
                    Self::new($verb, $target)
                }
            )*

            /// Adds a header.
            #[must_use]
            pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
                self.headers.push(Header { name: name.into(), value: value.into() });
                self
            }

            /// Sets the body: a value as JSON, under `application/json`.
            ///
            /// # Errors
            /// As the value's `Serialize` fails, or if a map's keys are not text.
            pub fn json(self, value: &(impl Serialize + ?Sized)) -> Result<Self, serde_json::Error> {
                Ok(self.body(Body::Json(serde_json::to_string(value)?)))
            }

            /// Sets the body: text, under `text/plain; charset=utf-8`.
            #[must_use]
            pub fn text(self, text: impl Into<String>) -> Self {
                self.body(Body::Text(text.into()))
            }

            /// Sets the body: fields of a form, under `application/x-www-form-urlencoded`. A name may repeat.
            #[must_use]
            pub fn form<K: Into<String>, V: Into<String>>(self, fields: impl IntoIterator<Item = (K, V)>) -> Self {
                self.body(Body::Form(pairs(fields)))
            }

            /// Sets the body: parts, under `multipart/form-data` (RFC 7578).
            #[must_use]
            pub fn multipart(self, parts: impl IntoIterator<Item = Part>) -> Self {
                self.body(Body::Multipart(parts.into_iter().collect()))
            }

            /// Sets the body: bytes as they are, under this media type.
            #[must_use]
            pub fn bytes(self, content_type: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
                let content_type = content_type.into();
                self.body(Body::Bytes(TypedBytes { content_type, data: data.into() }))
            }
        }
    };
}

mod api;
mod connections;
mod functions;

pub use self::{
    api::{ApiRequest, PagesRequest},
    connections::{AuthorizeRequest, ConnectRequest, Credential, NewCredential},
    functions::{InvokeRequest, ListRequest, OptionsRequest},
};

impl FunctionRef {
    /// A function by its bare name, in whichever region it is.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self::Named(NamedFunction { name: name.into(), region: None })
    }

    /// A function by its name, in this region.
    #[must_use]
    pub fn in_region(name: impl Into<String>, region: impl Into<String>) -> Self {
        Self::Named(NamedFunction { name: name.into(), region: Some(region.into()) })
    }
}

/// A URL, a resource name or a bare name, told apart by how it begins.
impl From<String> for FunctionRef {
    fn from(text: String) -> Self {
        if text.contains("://") {
            Self::Url(text)
        } else if text.starts_with("projects/") {
            Self::Resource(text)
        } else {
            Self::named(text)
        }
    }
}

impl From<&str> for FunctionRef {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl<K: Into<String>, V: Into<String>, const N: usize> From<[(K, V); N]> for Query {
    fn from(query: [(K, V); N]) -> Self {
        Self::Pairs(pairs(query))
    }
}

impl Invoker {
    /// A service account, by its address.
    #[must_use]
    pub fn service_account(address: impl Into<String>) -> Self {
        Self::ServiceAccount(Impersonation {
            service_account: Some(address.into()),
            delegates: Vec::new(),
            include_email: true,
        })
    }
}

impl Default for GuardRails {
    /// No guard rail: everything that Google allows.
    fn default() -> Self {
        Self {
            read_only: false,
            regions: Vec::new(),
            functions: Vec::new(),
            methods: Vec::new(),
            max_body: None,
            own_project: false,
            audiences: Vec::new(),
        }
    }
}

fn pairs<K: Into<String>, V: Into<String>>(
    fields: impl IntoIterator<Item = (K, V)>,
) -> Vec<(String, String)> {
    fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
}

/// A secret, of which printing shows the size.
struct Hidden<'a>(&'a str);

impl fmt::Debug for Hidden<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[secret, {} bytes]", self.0.len())
    }
}

#[cfg(test)]
mod tests;
