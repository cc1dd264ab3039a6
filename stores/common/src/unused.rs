//! Closes the imports that Rust's start-up would add and no store uses, as `component/src/seal.rs` does for the
//! connector. The environment stays open: a store's settings are there.
#![expect(
    unsafe_code,
    reason = "symbols of the linker are unsafe to define: these replace wasi-libc's own imports, with their signatures"
)]

/// `none`, of an option of up to two words.
fn none(out: *mut u8) {
    // SAFETY: the canonical ABI hands over a return area that begins with the discriminant.
    unsafe { out.write(0) }
}

#[unsafe(no_mangle)]
extern "C" fn __wasm_import_environment_get_arguments(out: *mut [u32; 2]) {
    // SAFETY: the canonical ABI hands over a return area of two words.
    unsafe { out.write([4, 0]) }
}

#[unsafe(no_mangle)]
extern "C" fn __wasm_import_environment_initial_cwd(out: *mut u8) {
    none(out);
}

#[unsafe(no_mangle)]
extern "C" fn __wasm_import_exit_exit(_status: u32) {
    core::arch::wasm32::unreachable()
}

#[unsafe(no_mangle)]
extern "C" fn __wasm_import_stdin_get_stdin() -> u32 {
    core::arch::wasm32::unreachable()
}

#[unsafe(no_mangle)]
extern "C" fn __wasm_import_stdout_get_stdout() -> u32 {
    core::arch::wasm32::unreachable()
}

#[unsafe(no_mangle)]
extern "C" fn __wasm_import_stderr_get_stderr() -> u32 {
    core::arch::wasm32::unreachable()
}

#[unsafe(no_mangle)]
extern "C" fn __wasm_import_terminal_stdin_get_terminal_stdin(out: *mut u8) {
    none(out);
}

#[unsafe(no_mangle)]
extern "C" fn __wasm_import_terminal_stdout_get_terminal_stdout(out: *mut u8) {
    none(out);
}

#[unsafe(no_mangle)]
extern "C" fn __wasm_import_terminal_stderr_get_terminal_stderr(out: *mut u8) {
    none(out);
}

#[unsafe(no_mangle)]
extern "C" fn __wasm_import_terminal_input_terminal_input_drop(_handle: u32) {}

#[unsafe(no_mangle)]
extern "C" fn __wasm_import_terminal_output_terminal_output_drop(_handle: u32) {}
