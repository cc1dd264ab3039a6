//! Requests, until they are sent, and their options.

use wasmtime::component::Resource;
use wasmtime_wasi_http::{
    FieldMap, RequestOptions,
    p2::{
        HttpError, HttpResult,
        bindings::http::{
            outgoing_handler,
            types::{self, Method, Scheme},
        },
        body::HostOutgoingBody,
        types::{HostFutureIncomingResponse, HostOutgoingRequest},
    },
};

use super::{View, size, unchanged};

/// Bytes that an exchange takes of the transport, whatever is sent: the head of its response, and what is
/// read ahead of the body.
const EXCHANGE: usize = 128 * 1024;

impl View<'_> {
    /// Counts a request as it is now.
    fn count_request(&mut self, request: &Resource<HostOutgoingRequest>) -> wasmtime::Result<()> {
        let HostOutgoingRequest { method, scheme, authority, path_with_query, headers, .. } =
            self.table.get(request)?;
        let method = match method {
            Method::Other(name) => name.len(),
            Method::Get
            | Method::Head
            | Method::Post
            | Method::Put
            | Method::Delete
            | Method::Connect
            | Method::Options
            | Method::Trace
            | Method::Patch => 0,
        };
        let scheme = match scheme {
            Some(Scheme::Other(name)) => name.len(),
            Some(Scheme::Http | Scheme::Https) | None => 0,
        };
        let rest = [authority, path_with_query].into_iter().flatten().map(String::len).sum::<usize>();
        let bytes = method + scheme + rest + size(headers);
        self.count(request, bytes)
    }
}

impl types::HostOutgoingRequest for View<'_> {
    unchanged! { HostOutgoingRequest:
        fn body(
            request: Resource<HostOutgoingRequest>
        ) -> wasmtime::Result<Result<Resource<HostOutgoingBody>, ()>>;
        fn method(request: Resource<HostOutgoingRequest>) -> wasmtime::Result<Method>;
        fn path_with_query(request: Resource<HostOutgoingRequest>) -> wasmtime::Result<Option<String>>;
        fn scheme(request: Resource<HostOutgoingRequest>) -> wasmtime::Result<Option<Scheme>>;
        fn authority(request: Resource<HostOutgoingRequest>) -> wasmtime::Result<Option<String>>;
    }

    fn new(&mut self, headers: Resource<FieldMap>) -> wasmtime::Result<Resource<HostOutgoingRequest>> {
        self.uncount(&headers);
        let request = types::HostOutgoingRequest::new(&mut self.plain(), headers)?;
        self.count_request(&request)?;
        Ok(request)
    }

    fn set_method(
        &mut self,
        request: Resource<HostOutgoingRequest>,
        method: Method,
    ) -> wasmtime::Result<Result<(), ()>> {
        let again = Resource::new_borrow(request.rep());
        let set = types::HostOutgoingRequest::set_method(&mut self.plain(), request, method)?;
        self.count_request(&again)?;
        Ok(set)
    }

    fn set_path_with_query(
        &mut self,
        request: Resource<HostOutgoingRequest>,
        path: Option<String>,
    ) -> wasmtime::Result<Result<(), ()>> {
        let again = Resource::new_borrow(request.rep());
        let set = types::HostOutgoingRequest::set_path_with_query(&mut self.plain(), request, path)?;
        self.count_request(&again)?;
        Ok(set)
    }

    fn set_scheme(
        &mut self,
        request: Resource<HostOutgoingRequest>,
        scheme: Option<Scheme>,
    ) -> wasmtime::Result<Result<(), ()>> {
        let again = Resource::new_borrow(request.rep());
        let set = types::HostOutgoingRequest::set_scheme(&mut self.plain(), request, scheme)?;
        self.count_request(&again)?;
        Ok(set)
    }

    fn set_authority(
        &mut self,
        request: Resource<HostOutgoingRequest>,
        authority: Option<String>,
    ) -> wasmtime::Result<Result<(), ()>> {
        let again = Resource::new_borrow(request.rep());
        let set = types::HostOutgoingRequest::set_authority(&mut self.plain(), request, authority)?;
        self.count_request(&again)?;
        Ok(set)
    }

    fn headers(&mut self, request: Resource<HostOutgoingRequest>) -> wasmtime::Result<Resource<FieldMap>> {
        let fields = types::HostOutgoingRequest::headers(&mut self.plain(), request)?;
        // They are shared, but may outlive the request.
        self.count_fields(&fields)?;
        Ok(fields)
    }

    fn drop(&mut self, request: Resource<HostOutgoingRequest>) -> wasmtime::Result<()> {
        self.uncount(&request);
        types::HostOutgoingRequest::drop(&mut self.plain(), request)
    }
}

impl outgoing_handler::Host for View<'_> {
    fn handle(
        &mut self,
        request: Resource<HostOutgoingRequest>,
        options: Option<Resource<RequestOptions>>,
    ) -> HttpResult<Resource<HostFutureIncomingResponse>> {
        let request_bytes = self.uncount(&request);
        let held = self.http.account.hold(request_bytes + EXCHANGE);
        self.hooks.held = Some(held.map_err(HttpError::trap)?);
        // They are given away with the request, and wasmtime leaves them where they are.
        let given = options.as_ref().map(|options| Resource::<RequestOptions>::new_own(options.rep()));
        let response = outgoing_handler::Host::handle(&mut self.plain(), request, options);
        if let Some(given) = given {
            self.table.delete(given).map_err(HttpError::trap)?;
        }
        // One that was refused before it came to the hooks.
        self.hooks.held = None;
        response
    }
}

impl types::HostRequestOptions for View<'_> {
    unchanged! { HostRequestOptions:
        fn new() -> wasmtime::Result<Resource<RequestOptions>>;
        fn connect_timeout(options: Resource<RequestOptions>) -> wasmtime::Result<Option<types::Duration>>;
        fn set_connect_timeout(
            options: Resource<RequestOptions>,
            duration: Option<types::Duration>
        ) -> wasmtime::Result<Result<(), ()>>;
        fn first_byte_timeout(
            options: Resource<RequestOptions>
        ) -> wasmtime::Result<Option<types::Duration>>;
        fn set_first_byte_timeout(
            options: Resource<RequestOptions>,
            duration: Option<types::Duration>
        ) -> wasmtime::Result<Result<(), ()>>;
        fn between_bytes_timeout(
            options: Resource<RequestOptions>
        ) -> wasmtime::Result<Option<types::Duration>>;
        fn set_between_bytes_timeout(
            options: Resource<RequestOptions>,
            duration: Option<types::Duration>
        ) -> wasmtime::Result<Result<(), ()>>;
        fn drop(options: Resource<RequestOptions>) -> wasmtime::Result<()>;
    }
}
