//! Bodies of requests. Each piece is counted from the moment that the guest hands it over until the transport
//! has sent it, or nobody will; trailers until the call is over.

use std::{mem, sync::Arc};

use bytes::Bytes;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{
    DynOutputStream, OutputStream, Pollable, StreamError, StreamResult, pipe::ClosedOutputStream,
};
use wasmtime_wasi_http::{
    FieldMap,
    p2::{HttpError, HttpResult, bindings::http::types, body::HostOutgoingBody},
};

use super::{View, unchanged};
use crate::limits::account::{Account, Held};

impl types::HostOutgoingBody for View<'_> {
    unchanged! { HostOutgoingBody:
        fn drop(body: Resource<HostOutgoingBody>) -> wasmtime::Result<()>;
    }

    fn write(
        &mut self,
        body: Resource<HostOutgoingBody>,
    ) -> wasmtime::Result<Result<Resource<DynOutputStream>, ()>> {
        let Ok(stream) = types::HostOutgoingBody::write(&mut self.plain(), body)? else { return Ok(Err(())) };
        let account = Arc::clone(&self.http.account);
        let plain = self.table.get_mut(&stream)?;
        let inner = mem::replace(plain, Box::new(ClosedOutputStream));
        *plain = Box::new(CountedStream { inner, account });
        Ok(Ok(stream))
    }

    fn finish(
        &mut self,
        body: Resource<HostOutgoingBody>,
        trailers: Option<Resource<FieldMap>>,
    ) -> HttpResult<()> {
        if let Some(trailers) = &trailers {
            let bytes = self.uncount(trailers);
            // Nobody tells when the transport is done with them, so they count for the rest of the call.
            self.http.account.take(bytes).map_err(HttpError::trap)?;
        }
        types::HostOutgoingBody::finish(&mut self.plain(), body, trailers)
    }
}

/// A body's stream whose bytes are counted for as long as anybody has them.
struct CountedStream {
    inner: DynOutputStream,
    account: Arc<Account>,
}

/// Bytes, and their place in the account.
struct CountedBytes {
    bytes: Bytes,
    _held: Held,
}

impl AsRef<[u8]> for CountedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[wasmtime_wasi::async_trait]
impl OutputStream for CountedStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let held = self.account.hold(bytes.len()).map_err(|limit| StreamError::Trap(limit.into()))?;
        self.inner.write(Bytes::from_owner(CountedBytes { bytes, _held: held }))
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.inner.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.inner.check_write()
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for CountedStream {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}
