//! The stores of this repository's host.

use std::sync::Arc;

use gcf_host::secrets::{DirectoryStore, KeySource, MemoryStore, SecretStore};

use crate::{
    conformance::{Hosts, pass},
    embedder::{Clock, Embedder},
};

/// The component, with a store of this host behind it.
fn host(store: impl SecretStore + 'static) -> Embedder {
    Embedder::new("gcf-store-conformance", &[]).with_store(Arc::new(store))
}

#[test]
fn the_store_in_memory_passes() {
    let clock = Clock::default();
    let host = host(MemoryStore::with_clock(Arc::new(clock.clone())));
    pass(&Hosts { name: "memory", one: &host, two: &host, pass: &|time| clock.pass(time) });
}

#[test]
fn the_store_of_encrypted_files_passes() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::default();
    let key = KeySource::File(folder.path().join("key.txt"));
    let open = || {
        let folder = folder.path().join("store");
        host(DirectoryStore::open_with_clock(folder, &key, Arc::new(clock.clone())).unwrap())
    };
    pass(&Hosts { name: "directory", one: &open(), two: &open(), pass: &|time| clock.pass(time) });
}
