//! One conformance for every secret store.
//!
//! | module | holds |
//! |---|---|
//! | `conformance` | what every store has to pass, on two hosts at once |
//! | `embedder` | a host of few lines: a store's component as a store of this machine |
//! | `servers` | etcd and OpenBao, started and stopped |
//! | `built` | the files: their imports, their sizes |
//! | `harness`, `files`, `etcd`, `vault` | the stores |
//!
//! The tests of `etcd` and `vault` need `GCF_ETCD` and `GCF_BAO`, the programs; all but those of `harness` need what
//! `cargo xtask stores` builds.
#![cfg(test)]

mod built;
mod conformance;
mod embedder;
mod etcd;
mod files;
mod harness;
mod servers;
mod vault;

use std::path::PathBuf;

/// The key that values are sealed with.
const STORE_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A value that must not lie anywhere in clear text.
const CANARY: &str = "canary-3f9c-5d71";

/// The folder that cargo builds into: two above this binary.
fn target() -> PathBuf {
    let binary = std::env::current_exe().unwrap();
    binary.ancestors().nth(3).unwrap().to_owned()
}

/// The built component of a store.
fn component(name: &str) -> PathBuf {
    let path = target().join(format!("{name}.wasm"));
    assert!(path.exists(), "there is no {}: `cargo xtask stores` builds it", path.display());
    path
}
