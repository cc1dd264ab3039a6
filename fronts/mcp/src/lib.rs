//! The connector as an MCP server over Streamable HTTP (Model Context Protocol 2026-07-28, and the handshake of 2025-11-25
//! and 2025-06-18): `POST /mcp`, one JSON object in, one out. No sessions, no streams.
//!
//! | file | what it does |
//! |---|---|
//! | `endpoint.rs` | decides by the head |
//! | `message.rs` | JSON-RPC: requests and what is none, results and errors |
//! | `version.rs` | which version of the protocol a request is of, and whether its headers say the same |
//! | `server.rs` | the methods |
//! | `tools.rs` | a call of a tool as a call of the connector |
//! | `result.rs` | what a model and a program are told of it |
//! | `names.rs` | the names of the tools; `build.rs` makes the rest of them from the catalog |
//! | `wasi.rs` | joins these to `fronts/web`, where who may ask is decided |
//!
//! On other systems than WASI there is nothing of it, but in its own tests.

#[cfg(any(test, target_os = "wasi"))]
mod endpoint;
#[cfg(any(test, target_os = "wasi"))]
mod message;
#[cfg(any(test, target_os = "wasi"))]
mod names;
#[cfg(any(test, target_os = "wasi"))]
mod result;
#[cfg(any(test, target_os = "wasi"))]
mod server;
#[cfg(test)]
mod tests;
#[cfg(any(test, target_os = "wasi"))]
mod tools;
#[cfg(any(test, target_os = "wasi"))]
mod version;
#[cfg(target_os = "wasi")]
mod wasi;
// What the connector closes is closed here too: a front has no file system and no standard streams.
#[cfg(target_os = "wasi")]
#[path = "../../../component/src/seal.rs"]
mod seal;

#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
