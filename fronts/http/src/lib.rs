//! The connector as an HTTP API: `POST /gcf:connector/functions/list` and the like, with the JSON that the catalog's
//! schemas describe.
//!
//! | file | what it does |
//! |---|---|
//! | `routes.rs` | decides on a request: by its head, and then with its body |
//! | `status.rs` | the HTTP status of an error |
//! | `open_api.rs` | the description of the API, from the catalog |
//! | `wasi.rs` | joins these to `fronts/web`, where who may ask is decided |
//!
//! On other systems than WASI there is nothing of it, but in its own tests.

#[cfg(any(test, target_os = "wasi"))]
mod open_api;
#[cfg(any(test, target_os = "wasi"))]
mod routes;
#[cfg(any(test, target_os = "wasi"))]
mod status;
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
