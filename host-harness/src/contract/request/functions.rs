//! Requests about functions.

use std::fmt;

use serde::Serialize;

use super::{Hidden, pairs};
use crate::contract::bindings::{
    exports::functions::{self as of_functions, Auth, OptionField},
    types::{Body, FunctionRef, Header, Invoker, Part, Query, TypedBytes},
};

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
        /// The choices that the drop-down offers.
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
