//! The actions of the contract, one function each: parse, sign in, send, read.
//!
//! | module | interface |
//! |---|---|
//! | [`connections`] | `connections`: made, shown, changed, examined, ended |
//! | [`functions`] | `functions`: listed, found, invoked |
//! | [`api`] | `api`: any request to the APIs that a caller may name |
//! | [`plan`] | `planning`: what any of these would send |

pub mod api;
pub mod connections;
pub mod functions;
pub mod plan;
