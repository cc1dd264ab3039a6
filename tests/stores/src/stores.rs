//! One conformance for every secret store.
//!
//! | module | holds |
//! |---|---|
//! | `conformance` | what hosts do with the conformance component, which every store has to pass |
//! | `embedder` | a host of few lines |
//! | `guest` | the conformance component in it, over a store's component or a store of this process |
//! | `direct` | a store's component in it, as a store of this machine |
//! | `command` | the conformance component in the `wasmtime` command, and in jco |
//! | `tls` | its network, where it is over TLS |
//! | `servers` | etcd and OpenBao, started and stopped |
//! | `built` | the files: their imports, their sizes |
//! | `harness`, `files`, `etcd`, `vault` | the stores |
//! | `foreign` | the stores in hosts that others wrote |
//!
//! The tests of `etcd` and `vault` need `GCF_ETCD` and `GCF_BAO`, the programs; all need what
//! `cargo xtask conformance` builds.
#![cfg(test)]

mod built;
mod command;
mod conformance;
mod direct;
mod embedder;
mod etcd;
mod files;
mod foreign;
mod guest;
mod harness;
mod servers;
mod tls;
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
    assert!(path.exists(), "there is no {}: `cargo xtask conformance` builds it", path.display());
    path
}
