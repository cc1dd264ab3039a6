//! The connector, as bytes: for programs that bring it along.
//!
//! The build of this package builds the connector, the same file as `cargo xtask build` does. To bring along
//! another one, say a release, name it in the environment variable `GCF_EMBED` of the build.

// Statics here and in gcf-precompiled: a const is written into the metadata of each crate that names it, several times over.

/// The file of the connector: a WebAssembly component of the world `gcf:connector/connector`.
pub static CONNECTOR: &[u8] = include_bytes!(env!("GCF_EMBEDDED"));

/// The SHA-256 of [`CONNECTOR`], in hexadecimal.
pub const SHA256: &str = env!("GCF_EMBEDDED_SHA256");
