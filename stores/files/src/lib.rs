//! A secret store in a folder, for every host on one machine that mounts it for the store.
//!
//! | variable | meaning |
//! |---|---|
//! | `GCF_FILES_DIR` | the folder, as the store sees it; without it `/store` |
//! | `GCF_STORE_KEY` | what values are sealed with |
//!
//! Under `entries` and `leases`, each key has a folder, and each of its versions a file there, whose name is the version's
//! number. The highest number counts. A file is never changed, and a deletion is a file too.
#![cfg_attr(
    not(any(test, target_family = "wasm")),
    expect(dead_code, reason = "the export is for WebAssembly, and uses all of it")
)]

mod files;
mod versions;

#[cfg(test)]
mod tests;

#[cfg(target_family = "wasm")]
gcf_store::export!(files::Files);
