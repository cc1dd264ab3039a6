//! The part that the fronts over HTTP share.
//!
//! | file | what it does |
//! |---|---|
//! | `body.rs` | the body of a request, up to its limit |
//! | `gate.rs` | who may ask |
//! | `head.rs` | a request before its body |
//! | `reply.rs` | an answer |
//! | `wasi.rs` | binds wasi:http, and decides nothing; on WASI only |

#[cfg(any(test, target_os = "wasi"))]
mod body;
mod gate;
mod head;
mod reply;
#[cfg(test)]
mod tests;
#[cfg(target_os = "wasi")]
pub mod wasi;

pub use gate::Gate;
pub use head::Head;
pub use reply::Reply;

/// The verdict on a request by its head, so that a body that is not wanted is never read.
pub enum Step<Call> {
    /// It is answered.
    Done(Reply),
    /// It may be a call, and the rest of it is in the body: at most so many bytes.
    Body(Call, u64),
}

/// A front over HTTP.
pub trait Front {
    /// Facts of a call that are known before its body.
    type Call;

    /// Decides by the head.
    fn decide(gate: &Gate, head: &Head<'_>) -> Step<Self::Call>;

    /// Makes the call.
    fn answer(call: &Self::Call, body: &[u8]) -> Reply;
}
