//! The Rust that `bindgen!` makes of `wit/`: the world's imports as traits, its exports as typed calls.
//!
//! Nothing is written by hand here. [`crate::wit`] is the part that embedders see.

#[expect(missing_docs, reason = "bindgen-generated code; what is documented in wit/ is documented here")]
mod generated {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "gcf:connector/connector",
        // A store may block, and a limit that it passes ends the call.
        imports: { "gcf:connector/secret-store": async | trappable },
        exports: { default: async },
        // The WASI interfaces below need it, although ours are synchronous.
        require_store_data_send: true,
        additional_derives: [Clone, PartialEq],
        with: {
            "wasi:io": wasmtime_wasi::p2::bindings::io,
            "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
            "wasi:random": wasmtime_wasi::p2::bindings::random,
            "wasi:http": wasmtime_wasi_http::p2::bindings::http,
        },
    });
}

pub(crate) use self::generated::{
    ConnectorPre,
    exports::gcf::connector as exports,
    gcf::connector::{secret_store, types},
};
