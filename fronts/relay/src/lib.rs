//! For tests: a component that a host starts in the place of other hosts, and that hands every request to one origin on
//! loopback. The first part of the path says where the request was meant to go, as `reroute` has it. Where a host can
//! route names to components, the connector stays as it is.
//!
//! | file | what it does |
//! |---|---|
//! | `body.rs` | hands a body on, to its end or not at all |
//! | `wasi.rs` | everything else, over wasi:http; on WASI only |

#[cfg(any(test, target_os = "wasi"))]
mod body;
#[cfg(target_os = "wasi")]
mod wasi;
