//! The shipping component: binds the contract in `wit/` to `gcf-core`, and decides nothing.
//!
//! | file | what it binds |
//! |---|---|
//! | `exports.rs` | the exported functions |
//! | `convert_in.rs`, `convert_out.rs` | one total conversion per type of the contract |
//! | `ports.rs` | clocks, randomness and the secret store |
//! | `http.rs` | wasi:http |
//! | `reactor.rs` | waiting, over wasi:io/poll |
//! | `heap.rs` | memory |
//! | `landing.rs` | places in it for what the host hands over |
//! | `seal.rs` | the imports that Rust's start-up would add, closed at link time |

mod convert_in;
mod convert_out;
mod exports;
#[cfg(target_family = "wasm")]
#[expect(unsafe_code, reason = "an allocator hands out memory")]
mod heap;
mod http;
#[cfg(target_family = "wasm")]
#[expect(unsafe_code, reason = "the host writes into memory that it is given")]
mod landing;
mod ports;
mod reactor;
#[cfg(target_os = "wasi")]
mod seal;

#[cfg(target_family = "wasm")]
#[global_allocator]
static HEAP: heap::Heap = heap::Heap::new();

/// The Rust that wit-bindgen makes of `wit/`.
#[expect(unsafe_code, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "../wit",
        world: "gcf:connector/connector",
        generate_all,
    });

    use super::exports::Connector;
    export!(Connector);
}
