//! Closes the imports that Rust's start-up would add.
//!
//! A std build for `wasm32-wasip2` links wasi-libc, whose start-up and panic paths name the
//! environment, `exit`, the standard streams and the terminals of `wasi:cli`. None of them is ever
//! wanted here. wasi-libc refers to each as an undefined symbol that the linker turns into an import;
//! defining the symbol leaves nothing to import. Only `wasi:cli/stderr` is left to std, which writes the
//! message of a panic there unless it is built not to (`docs/decisions/0011`). A test reads the built file
//! and fails on any import that `wit/world.wit` does not list.
#![expect(
    unsafe_code,
    reason = "symbols of the linker are unsafe to define: these replace wasi-libc's own imports, with their signatures"
)]

/// An empty list: `(pointer, length)`.
fn no_list(out: *mut [u32; 2]) {
    // SAFETY: the canonical ABI hands over a return area of two words.
    unsafe { out.write([4, 0]) }
}

/// `none`, of an option of up to two words.
fn none(out: *mut u8) {
    // SAFETY: the canonical ABI hands over a return area that begins with the discriminant.
    unsafe { out.write(0) }
}

#[unsafe(no_mangle)]
extern "C" fn __wasm_import_environment_get_environment(out: *mut [u32; 2]) {
    no_list(out);
}

#[unsafe(no_mangle)]
extern "C" fn __wasm_import_environment_get_arguments(out: *mut [u32; 2]) {
    no_list(out);
}

#[unsafe(no_mangle)]
extern "C" fn __wasm_import_environment_initial_cwd(out: *mut u8) {
    none(out);
}

#[unsafe(no_mangle)]
extern "C" fn __wasm_import_exit_exit(_status: u32) {
    // Leaving is a trap: the host throws the instance away.
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
