//! The parts that the stores for other hosts share.
//!
//! A store is a component that exports `gcf:connector/secret-store`, to be composed with the connector in a host that
//! has no store of its own. Everything here but `guest` and `wasi` is tested natively.
//!
//! | module | holds |
//! |---|---|
//! | `contract` | the contract as a trait, and its words |
//! | `name` | keys, prefixes and values by the contract's grammar |
//! | `seal` | values as they lie in a place that others can read |
//! | `lease` | leases that end by the clock, for places that have none |
//! | `http` | requests and responses as values, and where they go |
//! | `settings` | what the environment of a store says |
//! | `world` | clocks, randomness and HTTP, as a trait |
//! | `testing` | a world for tests |
//! | `guest` | the export of a store |
//! | `wasi` | the world of a component |

pub mod contract;
pub mod http;
pub mod lease;
pub mod name;
pub mod seal;
pub mod settings;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
pub mod world;

#[cfg(target_family = "wasm")]
pub mod guest;
#[cfg(all(target_os = "wasi", not(test)))]
mod unused;
#[cfg(target_family = "wasm")]
pub mod wasi;

#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// The Rust that wit-bindgen makes of the world of a store.
#[cfg(target_family = "wasm")]
#[expect(missing_docs, reason = "generated")]
pub mod bindings {
    wit_bindgen::generate!({
        path: ["../../wit", "wit"],
        world: "gcf:stores/store",
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_store",
        default_bindings_module: "gcf_store::bindings",
    });
}
