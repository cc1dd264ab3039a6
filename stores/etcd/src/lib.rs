//! A secret store over etcd's JSON gateway (v3), for every host that has `wasi:http`.
//!
//! | variable | meaning |
//! |---|---|
//! | `GCF_ETCD_URL` | where etcd is, such as `https://etcd.example:2379` |
//! | `GCF_ETCD_PREFIX` | the beginning of all its keys, such as `team-1/gcf`; without it `gcf` |
//! | `GCF_ETCD_USER`, `GCF_ETCD_PASSWORD` | who asks, if etcd's authentication is on |
//! | `GCF_ETCD_TOKEN` | the same, as a token that something else renews |
//! | `GCF_STORE_KEY` | what values are sealed with |
//!
//! An entry is the key `PREFIX/entries/KEY`, and its version the revision of etcd that wrote it. A lease is the key
//! `PREFIX/leases/NAME`, bound to a lease of etcd, so it ends by etcd's clock.
#![cfg_attr(
    not(any(test, target_family = "wasm")),
    expect(dead_code, reason = "the export is for WebAssembly, and uses all of it")
)]

mod etcd;
mod gateway;

#[cfg(test)]
mod tests;

#[cfg(target_family = "wasm")]
gcf_store::export!(etcd::Etcd);
