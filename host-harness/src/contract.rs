//! The contract in `wit/`, as Rust: what is generated from it, and what embedders see of that.

pub(crate) mod bindings;
mod request;
pub mod wit;
mod words;
