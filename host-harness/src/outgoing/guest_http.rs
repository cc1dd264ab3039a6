//! `wasi:http/types` and `wasi:http/outgoing-handler` for the guest: those of wasmtime, with a count of what
//! they keep.
//!
//! A guest can fill headers, and write into bodies, that it never sends. Such bytes lie in the host, beside
//! the guest's own memory, so they are counted with it ([`Account`]).
//!
//! The side of a server is not there: nothing is ever asked of the component over HTTP.

mod body;
mod fields;
mod outgoing;
mod response;
mod server;

use std::{collections::HashMap, sync::Arc};

use http::HeaderMap;
use wasmtime::component::{HasData, Resource, ResourceTable};
use wasmtime_wasi_http::{
    WasiHttpCtx, WasiHttpCtxView,
    p2::{
        HeaderError, HttpError,
        bindings::http::types::{self, ErrorCode, IoError},
    },
};

use crate::{
    limits::account::{Account, Held},
    outgoing::gate::Hooks,
};

/// Bytes of a header beside its text: its places in the map.
const HEADER: usize = 128;

/// The largest map of headers that a guest can make, in the measure of wasmtime: its text, and some more for
/// each.
const FIELDS: usize = 128 * 1024;

/// The host's belongings that are the guest's in truth, counted.
pub(crate) struct GuestHttp {
    ctx: WasiHttpCtx,
    account: Arc<Account>,
    /// The bytes of each resource, by its number.
    held: HashMap<u32, Held>,
}

impl GuestHttp {
    pub(crate) fn new(account: &Arc<Account>) -> Self {
        let mut ctx = WasiHttpCtx::new();
        ctx.set_field_size_limit(FIELDS);
        Self { ctx, account: Arc::clone(account), held: HashMap::new() }
    }

    /// Tells whether nothing is counted.
    pub(crate) fn holds_nothing(&self) -> bool {
        self.held.is_empty()
    }

    pub(crate) fn view<'a>(&'a mut self, hooks: &'a mut Hooks, table: &'a mut ResourceTable) -> View<'a> {
        View { http: self, hooks, table }
    }
}

/// The part of the state that the functions of wasi:http see.
pub(crate) struct View<'a> {
    http: &'a mut GuestHttp,
    hooks: &'a mut Hooks,
    table: &'a mut ResourceTable,
}

/// For the linker.
pub(crate) struct Counted;

impl HasData for Counted {
    type Data<'a> = View<'a>;
}

impl View<'_> {
    /// The view that wasmtime wants.
    fn plain(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: self.hooks, table: self.table, ctx: &mut self.http.ctx }
    }

    /// Counts `bytes` for a resource, in place of its earlier count.
    fn count<T: 'static>(&mut self, resource: &Resource<T>, bytes: usize) -> wasmtime::Result<()> {
        if let Some(held) = self.http.held.get_mut(&resource.rep()) {
            held.resize(bytes)?;
        } else {
            self.http.held.insert(resource.rep(), self.http.account.hold(bytes)?);
        }
        Ok(())
    }

    /// Ends the count of a resource, and returns it.
    fn uncount<T: 'static>(&mut self, resource: &Resource<T>) -> usize {
        self.http.held.remove(&resource.rep()).map_or(0, |held| held.bytes())
    }
}

/// The bytes that a map of headers takes.
fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + HEADER).sum()
}

/// Functions that are wasmtime's, unchanged.
macro_rules! unchanged {
    ($interface:ident: $(fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        $(fn $name(&mut self, $($argument: $type),*) -> $result {
            types::$interface::$name(&mut self.plain(), $($argument),*)
        })*
    };
}
use unchanged;

impl types::Host for View<'_> {
    unchanged! { Host:
        fn convert_error_code(error: HttpError) -> wasmtime::Result<ErrorCode>;
        fn convert_header_error(error: HeaderError) -> wasmtime::Result<types::HeaderError>;
        fn http_error_code(error: Resource<IoError>) -> wasmtime::Result<Option<ErrorCode>>;
    }
}

#[cfg(test)]
mod tests;
