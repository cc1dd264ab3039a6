//! The connector's machine code: for programs that bring it along, so that no start compiles it.
//!
//! A host takes it if its engine is of the same version and has the same settings, and compiles the connector
//! itself if not.

/// The machine code that wasmtime made of the connector; empty where a program is built for another system
/// than the one that builds it.
pub static MACHINE_CODE: &[u8] = include_bytes!(env!("GCF_PRECOMPILED"));

/// The SHA-256 of the component that it was made of, in hexadecimal.
pub const OF: &str = env!("GCF_PRECOMPILED_OF");
