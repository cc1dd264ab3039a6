//! Requests to Google's APIs.

use serde::Serialize;

use super::pairs;
use crate::contract::bindings::{
    exports::api as of_api,
    types::{Body, Header, Part, Query, TypedBytes},
};

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
