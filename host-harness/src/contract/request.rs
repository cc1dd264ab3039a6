//! Requests as embedders make them: from a constructor, with a method for each field that may be left out.
//!
//! They are types of their own beside the generated ones, for two reasons. A record of the contract gets fields over
//! time, and `bindgen!` cannot mark what it makes `#[non_exhaustive]`, so each new field would break every literal. And
//! some of them hold secrets, which the generated `Debug` would print. Each has one total conversion into the record.

use std::fmt;

use serde::Serialize;

use super::bindings::{
    exports::{
        api as of_api,
        connections::{self as of_connections, StoredKey, SuppliedToken},
        functions::{self as of_functions, Auth, OptionField},
        planning as of_planning,
    },
    types::{
        Body, FunctionRef, GuardRails, Header, Impersonation, Invoker, NamedFunction, Part, Query, TypedBytes,
    },
};

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

/// What requests to functions and to APIs have in common: a method, one more header, the kinds of body.
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

request! {
    /// The input of [`Host::invoke`](crate::Host::invoke), from [`InvokeRequest::post`] and its like.
    InvokeRequest for of_functions::InvokeRequest {
        /// The function, by its name or its URL.
        function: FunctionRef,
        /// `GET`, `POST`, `PUT`, `PATCH`, `DELETE`, `HEAD` or `OPTIONS`.
        method: String,
        /// The path below the function's URL; begins with `/` if it is not empty.
        path: String,
        /// The query after the path.
        query: Option<Query>,
        /// The caller's headers.
        headers: Vec<Header>,
        /// The body of the request.
        body: Option<Body>,
        /// The ID token: sent, as it is unless something else is said; not sent; or sent if the function asks for one.
        auth: Auth,
        /// The invoker, in place of the connection's own.
        invoker: Option<Invoker>,
        /// The audience, in place of the one that the function's generation asks for.
        audience: Option<String>,
        /// The caller's own `Authorization`, for a function that reads it. Printing the request shows its
        /// size only.
        authorization: Option<String>,
        /// Sends the ID token as `X-Serverless-Authorization`, so that the function receives no `Authorization` but
        /// the caller's own.
        serverless_authorization: bool,
        /// True if the function may safely be called twice.
        idempotent: bool,
        /// Turns a status outside 2xx into an error.
        raise_for_status: bool,
    }
}

http! { InvokeRequest, function: FunctionRef {
    /// A `GET` of a function.
    get "GET",
    /// A `POST` to a function.
    post "POST",
    /// A `PUT` to a function.
    put "PUT",
    /// A `PATCH` to a function.
    patch "PATCH",
    /// A `DELETE` to a function.
    delete "DELETE",
    /// A `HEAD` of a function.
    head "HEAD",
}}

impl InvokeRequest {
    /// A request with this method to a function, with an ID token and without a body.
    #[must_use]
    pub fn new(method: impl Into<String>, function: impl Into<FunctionRef>) -> Self {
        Self {
            function: function.into(),
            method: method.into(),
            path: String::new(),
            query: None,
            headers: Vec::new(),
            body: None,
            auth: Auth::IdToken,
            invoker: None,
            audience: None,
            authorization: None,
            serverless_authorization: false,
            idempotent: false,
            raise_for_status: false,
        }
    }

    /// A CloudEvent 1.0 in its structured JSON form, for a function that events start.
    #[must_use]
    pub fn event(function: impl Into<FunctionRef>, event: impl Into<String>) -> Self {
        Self::post(function).body(Body::CloudEvent(event.into()))
    }
}

impl fmt::Debug for InvokeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
            .field("authorization", &self.authorization.as_deref().map(Hidden))
            .field("serverless_authorization", &self.serverless_authorization)
            .field("idempotent", &self.idempotent)
            .field("raise_for_status", &self.raise_for_status)
            .finish()
    }
}

request! {
    /// The input of [`Host::list_functions`](crate::Host::list_functions), from [`ListRequest::default`]: every
    /// function of the project.
    #[derive(Debug, Default)]
    ListRequest for of_functions::ListRequest {
        /// The regions; none means every region of the project.
        regions: Vec<String>,
        /// Google's filter language (AIP-160), for Cloud Functions only.
        filter: Option<String>,
        /// Google's order (AIP-132), for Cloud Functions only.
        order_by: Option<String>,
        /// Functions a page, 1 to 1,000; `None` is 1,000.
        page_size: Option<u32>,
        /// The `next_page_token` of an earlier answer to the same request: goes on there, with one page.
        page_token: Option<String>,
        /// Stops after the page on which so many functions are reached; `None` is every page, up to 150.
        limit: Option<u32>,
    }
}

request! {
    /// The input of [`Host::options`](crate::Host::options), from [`OptionsRequest::regions`] or
    /// [`OptionsRequest::functions`].
    #[derive(Debug)]
    OptionsRequest for of_functions::OptionsRequest {
        /// What the drop-down is to offer.
        field: OptionField,
        /// The beginning of what is offered, in value or label, without case.
        prefix: Option<String>,
        /// At most so many; `None` is 100.
        limit: Option<u32>,
    }
}

impl OptionsRequest {
    /// The options of this field.
    #[must_use]
    pub fn new(field: OptionField) -> Self {
        Self { field, prefix: None, limit: None }
    }

    /// The regions.
    #[must_use]
    pub fn regions() -> Self {
        Self::new(OptionField::Regions)
    }

    /// The functions of a region; `None` is the connection's own.
    #[must_use]
    pub fn functions(region: Option<&str>) -> Self {
        Self::new(OptionField::Functions(region.map(str::to_owned)))
    }
}

request! {
    /// The input of [`Host::custom_api`](crate::Host::custom_api), from [`ApiRequest::get`] and its like.
    #[derive(Debug)]
    ApiRequest for of_api::ApiRequest {
        /// The API, by its name in the catalog; `None` is `functions`.
        api: Option<String>,
        /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
        method: String,
        /// Relative to the API's origin, such as `/v2/projects/p/locations`; or a URL of one of these APIs; or a
        /// function's own https URL, with which no credential travels.
        path: String,
        /// The query after the path.
        query: Option<Query>,
        /// The caller's headers.
        headers: Vec<Header>,
        /// The body of the request.
        body: Option<Body>,
    }
}

http! { ApiRequest, path: String {
    /// A `GET` of a path.
    get "GET",
    /// A `POST` to a path.
    post "POST",
    /// A `PUT` to a path.
    put "PUT",
    /// A `PATCH` to a path.
    patch "PATCH",
    /// A `DELETE` of a path.
    delete "DELETE",
}}

impl ApiRequest {
    /// A request with this method to a path of an API, without a body.
    #[must_use]
    pub fn new(method: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            api: None,
            method: method.into(),
            path: path.into(),
            query: None,
            headers: Vec::new(),
            body: None,
        }
    }
}

request! {
    /// The input of [`Host::all_pages`](crate::Host::all_pages), from [`PagesRequest::get`].
    #[derive(Debug)]
    PagesRequest for of_api::PagesRequest {
        /// A `GET` of a list (AIP-158).
        request: ApiRequest,
        /// The field that holds the items; `None` takes the only field that is a list.
        items: Option<String>,
        /// The `next_page_token` of an earlier answer to the same request.
        page_token: Option<String>,
        /// Pages to read at most, 1 to 150; `None` is 150.
        max_pages: Option<u32>,
    }
}

impl PagesRequest {
    /// All pages that answer a request.
    #[must_use]
    pub fn new(request: ApiRequest) -> Self {
        Self { request, items: None, page_token: None, max_pages: None }
    }

    /// All pages of the list at this path of the API `functions`.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(ApiRequest::get(path))
    }
}

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
