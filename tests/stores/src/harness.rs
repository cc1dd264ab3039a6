//! The stores of this repository's host.

use std::sync::Arc;

use gcf_host::secrets::{DirectoryStore, KeySource, MemoryStore};

use crate::{
    conformance::{Hosts, pass},
    embedder::Clock,
};

#[test]
fn the_store_in_memory_passes() {
    let clock = Clock::default();
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    pass(&Hosts { name: "memory", one: &store, two: &store, pass: &|time| clock.pass(time) });
}

#[test]
fn the_store_of_encrypted_files_passes() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::default();
    let key = KeySource::File(folder.path().join("key.txt"));
    let open = || {
        DirectoryStore::open_with_clock(folder.path().join("store"), &key, Arc::new(clock.clone())).unwrap()
    };
    pass(&Hosts { name: "directory", one: &open(), two: &open(), pass: &|time| clock.pass(time) });
}
