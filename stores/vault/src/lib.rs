//! A secret store over OpenBao or HashiCorp Vault: KV version 2 for entries, transit for signatures.
//!
//! | variable | meaning |
//! |---|---|
//! | `GCF_VAULT_URL` | where the server is, such as `https://vault.example:8200` |
//! | `GCF_VAULT_TOKEN` | the token, which something else renews |
//! | `GCF_VAULT_NAMESPACE` | the namespace, if there are any |
//! | `GCF_VAULT_MOUNT` | where KV version 2 is mounted; without it `secret` |
//! | `GCF_VAULT_PREFIX` | the folder there; without it `gcf` |
//! | `GCF_VAULT_TRANSIT` | where transit is mounted, if keys are there |
//!
//! An entry is the secret `PREFIX/entries/KEY`, where `KEY` is one segment; its version is that of KV. KV deletes
//! without asking for a version, so a deleted entry is one that says so. A lease is the secret `PREFIX/leases/NAME`, and
//! ends by the clocks of the hosts.
//!
//! With transit, no private key ever is in WebAssembly: `sign` of `keys/NAME` is transit's, with its key `NAME`; `keys/…`
//! cannot be written, and nothing is found there. Without it, `keys/…` are entries as all others, and the connector reads
//! the key and signs by itself.
#![cfg_attr(
    not(any(test, target_family = "wasm")),
    expect(dead_code, reason = "the export is for WebAssembly, and uses all of it")
)]

mod api;
mod vault;

#[cfg(test)]
mod tests;

#[cfg(target_family = "wasm")]
gcf_store::export!(vault::Vault);
