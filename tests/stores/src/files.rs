//! The store in a folder.

use std::path::Path;

use gcf_host::secrets::{Expected, SecretStore as _, StoreError};

use crate::{
    CANARY, STORE_KEY,
    conformance::{Host as _, Hosts, pass},
    embedder::{Clock, Embedder},
    servers::{all_bytes, is_in},
};

fn store(folder: &Path, settings: &[(&str, &str)]) -> Embedder {
    Embedder::new("gcf-store-files", settings).with_folder(folder)
}

const SEALED: [(&str, &str); 1] = [("GCF_STORE_KEY", STORE_KEY)];

#[test]
fn passes_on_two_hosts() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::default();
    let one = Embedder::new("gcf-conformance-files", &SEALED).with_folder(folder.path()).with_clock(&clock);
    let two =
        Embedder::elsewhere("gcf-conformance-files", &SEALED).with_folder(folder.path()).with_clock(&clock);
    pass(&Hosts { name: "files", one: &one, two: &two, pass: &|time| clock.pass(time) });
}

#[test]
fn values_are_sealed_unless_the_operator_says_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let sealed = store(folder.path(), &SEALED);
    sealed.put("tokens/a", CANARY, &Expected::Anything).unwrap();
    assert!(!is_in(CANARY, &all_bytes(folder.path())));
    let unset = store(folder.path(), &[]);
    assert!(matches!(unset.put("tokens/a", CANARY, &Expected::Anything), Err(StoreError::Other(_))));
    assert!(matches!(unset.get("tokens/a"), Err(StoreError::Other(_))));
    let clear = store(folder.path(), &[("GCF_STORE_UNSEALED", "yes")]);
    clear.put("tokens/b", CANARY, &Expected::Anything).unwrap();
    assert!(is_in(CANARY, &all_bytes(folder.path())));
}

#[test]
fn a_host_without_the_folder_is_told_so() {
    Embedder::new("gcf-conformance-files", &SEALED).start().unavailable().unwrap();
}
