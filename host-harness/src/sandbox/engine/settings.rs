//! The settings that machine code depends on; for the host, and for the build script of
//! `component/precompiled`.

use wasmtime::{Config, WasmBacktraceDetails};

/// The settings of every engine.
pub(crate) fn settings() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .epoch_interruption(true)
        // A trap is reported by its code alone, so nothing that could explain where is kept.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .generate_address_map(false)
        .native_unwind_info(false)
        // The exports are plain functions; what concurrent ones need would be set up for every call.
        .concurrency_support(false);
    config
}
