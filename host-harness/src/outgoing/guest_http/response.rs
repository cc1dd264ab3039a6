//! Responses. Their bodies are read as they come, so only the head is counted here; bytes on their way count
//! with the exchange.

use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynInputStream, DynPollable};
use wasmtime_wasi_http::{
    FieldMap,
    p2::{
        bindings::http::types::{self, ErrorCode},
        body::{HostFutureTrailers, HostIncomingBody},
        types::{HostFutureIncomingResponse, HostIncomingResponse},
    },
};

use super::{View, size, unchanged};

/// The outcome of a future: not there yet, there for the second time, failed, or there.
type Future<T> = Option<Result<Result<T, ErrorCode>, ()>>;

impl types::HostFutureIncomingResponse for View<'_> {
    unchanged! { HostFutureIncomingResponse:
        fn subscribe(future: Resource<HostFutureIncomingResponse>) -> wasmtime::Result<Resource<DynPollable>>;
        fn drop(future: Resource<HostFutureIncomingResponse>) -> wasmtime::Result<()>;
    }

    fn get(
        &mut self,
        future: Resource<HostFutureIncomingResponse>,
    ) -> wasmtime::Result<Future<Resource<HostIncomingResponse>>> {
        let outcome = types::HostFutureIncomingResponse::get(&mut self.plain(), future)?;
        if let Some(Ok(Ok(response))) = &outcome {
            let bytes = size(&self.table.get(response)?.headers);
            self.count(response, bytes)?;
        }
        Ok(outcome)
    }
}

impl types::HostIncomingResponse for View<'_> {
    unchanged! { HostIncomingResponse:
        fn status(response: Resource<HostIncomingResponse>) -> wasmtime::Result<types::StatusCode>;
        fn consume(
            response: Resource<HostIncomingResponse>
        ) -> wasmtime::Result<Result<Resource<HostIncomingBody>, ()>>;
    }

    fn headers(&mut self, response: Resource<HostIncomingResponse>) -> wasmtime::Result<Resource<FieldMap>> {
        let fields = types::HostIncomingResponse::headers(&mut self.plain(), response)?;
        self.count_fields(&fields)?;
        Ok(fields)
    }

    fn drop(&mut self, response: Resource<HostIncomingResponse>) -> wasmtime::Result<()> {
        self.uncount(&response);
        types::HostIncomingResponse::drop(&mut self.plain(), response)
    }
}

impl types::HostIncomingBody for View<'_> {
    unchanged! { HostIncomingBody:
        fn stream(
            body: Resource<HostIncomingBody>
        ) -> wasmtime::Result<Result<Resource<DynInputStream>, ()>>;
        fn finish(body: Resource<HostIncomingBody>) -> wasmtime::Result<Resource<HostFutureTrailers>>;
        fn drop(body: Resource<HostIncomingBody>) -> wasmtime::Result<()>;
    }
}

impl types::HostFutureTrailers for View<'_> {
    unchanged! { HostFutureTrailers:
        fn subscribe(future: Resource<HostFutureTrailers>) -> wasmtime::Result<Resource<DynPollable>>;
        fn drop(future: Resource<HostFutureTrailers>) -> wasmtime::Result<()>;
    }

    fn get(
        &mut self,
        future: Resource<HostFutureTrailers>,
    ) -> wasmtime::Result<Future<Option<Resource<FieldMap>>>> {
        let outcome = types::HostFutureTrailers::get(&mut self.plain(), future)?;
        if let Some(Ok(Ok(Some(trailers)))) = &outcome {
            self.count_fields(trailers)?;
        }
        Ok(outcome)
    }
}
