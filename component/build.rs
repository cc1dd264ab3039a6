//! Asks the linker for a small file.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // wasm-ld pads every address in the code to five bytes, so that it can be patched; short ones make
    // the file 8 % smaller. It refuses that beside debug information, which a development build may be asked for.
    if env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo::rustc-link-arg-cdylib=--compress-relocations");
        // The stack comes first in memory, so that overrunning it traps. Behind half a MiB, each address of data is a
        // byte shorter than behind the usual one.
        println!("cargo::rustc-link-arg-cdylib=-zstack-size=524288");
    }
}
