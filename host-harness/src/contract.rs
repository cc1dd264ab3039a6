//! The contract in `wit/`, as Rust: what is generated from it, and what embedders see of that.

pub(crate) mod bindings;
pub mod wit;
