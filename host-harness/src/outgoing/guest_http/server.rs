//! The side of a server, which no guest here is: every function that could begin it traps, and the rest is
//! out of reach.

use wasmtime::component::Resource;
use wasmtime_wasi_http::{
    FieldMap,
    p2::{
        HttpError, HttpResult,
        bindings::http::types::{self, ErrorCode, Method, Scheme},
        body::{HostIncomingBody, HostOutgoingBody},
        types::{HostIncomingRequest, HostOutgoingResponse, HostResponseOutparam},
    },
};

use super::View;

fn unserved<T>() -> wasmtime::Result<T> {
    Err(wasmtime::Error::msg("nothing is served here"))
}

impl types::HostOutgoingResponse for View<'_> {
    fn new(&mut self, _: Resource<FieldMap>) -> wasmtime::Result<Resource<HostOutgoingResponse>> {
        unserved()
    }

    fn body(
        &mut self,
        _: Resource<HostOutgoingResponse>,
    ) -> wasmtime::Result<Result<Resource<HostOutgoingBody>, ()>> {
        unserved()
    }

    fn status_code(&mut self, _: Resource<HostOutgoingResponse>) -> wasmtime::Result<types::StatusCode> {
        unserved()
    }

    fn set_status_code(
        &mut self,
        _: Resource<HostOutgoingResponse>,
        _: types::StatusCode,
    ) -> wasmtime::Result<Result<(), ()>> {
        unserved()
    }

    fn headers(&mut self, _: Resource<HostOutgoingResponse>) -> wasmtime::Result<Resource<FieldMap>> {
        unserved()
    }

    fn drop(&mut self, _: Resource<HostOutgoingResponse>) -> wasmtime::Result<()> {
        unserved()
    }
}

impl types::HostIncomingRequest for View<'_> {
    fn method(&mut self, _: Resource<HostIncomingRequest>) -> wasmtime::Result<Method> {
        unserved()
    }

    fn path_with_query(&mut self, _: Resource<HostIncomingRequest>) -> wasmtime::Result<Option<String>> {
        unserved()
    }

    fn scheme(&mut self, _: Resource<HostIncomingRequest>) -> wasmtime::Result<Option<Scheme>> {
        unserved()
    }

    fn authority(&mut self, _: Resource<HostIncomingRequest>) -> wasmtime::Result<Option<String>> {
        unserved()
    }

    fn headers(&mut self, _: Resource<HostIncomingRequest>) -> wasmtime::Result<Resource<FieldMap>> {
        unserved()
    }

    fn consume(
        &mut self,
        _: Resource<HostIncomingRequest>,
    ) -> wasmtime::Result<Result<Resource<HostIncomingBody>, ()>> {
        unserved()
    }

    fn drop(&mut self, _: Resource<HostIncomingRequest>) -> wasmtime::Result<()> {
        unserved()
    }
}

impl types::HostResponseOutparam for View<'_> {
    fn set(
        &mut self,
        _: Resource<HostResponseOutparam>,
        _: Result<Resource<HostOutgoingResponse>, ErrorCode>,
    ) -> wasmtime::Result<()> {
        unserved()
    }

    fn send_informational(
        &mut self,
        _: Resource<HostResponseOutparam>,
        _: u16,
        _: Resource<FieldMap>,
    ) -> HttpResult<()> {
        unserved().map_err(HttpError::trap)
    }

    fn drop(&mut self, _: Resource<HostResponseOutparam>) -> wasmtime::Result<()> {
        unserved()
    }
}
