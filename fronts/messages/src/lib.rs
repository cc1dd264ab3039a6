//! The connector behind a message broker: a message to `ANYTHING.functions.list` and the like, with JSON in it, is a call,
//! and its answer goes to whoever the message names.
//!
//! | file | what it does |
//! |---|---|
//! | `call.rs` | reads a message, makes the call, and answers |
//! | `limit.rs` | how long an answer may be |
//! | `wasi.rs` | binds wasmcloud:messaging, and decides nothing |
//!
//! On other systems than WASI there is nothing of it, but in its own tests.

#[cfg(any(test, target_os = "wasi"))]
mod call;
#[cfg(any(test, target_os = "wasi"))]
mod limit;
#[cfg(test)]
mod tests;
#[cfg(target_os = "wasi")]
mod wasi;
// What the connector closes is closed here too: a front has no file system and no standard streams.
#[cfg(target_os = "wasi")]
#[path = "../../../component/src/seal.rs"]
mod seal;

#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
