//! The decision by the head of a request.

use gcf_front::{Failure, shortened};
use gcf_front_web::{Gate, Head, Reply, Step};

use crate::version::Headers;

/// The path that everything goes to.
const PATH: &str = "/mcp";

/// The longest message, in bytes: a model writes no longer ones.
const MAX: u64 = 1 << 20;

/// Decides by the head.
pub(crate) fn decide(gate: &Gate, head: &Head<'_>) -> Step<Headers> {
    step(gate, head).unwrap_or_else(Step::Done)
}

fn step(gate: &Gate, head: &Head<'_>) -> Result<Step<Headers>, Reply> {
    // Whatever the gate says: the protocol asks for it, and no page is meant to ask here.
    if head.has("origin") {
        return Err(Gate::foreign_origin());
    }
    gate.admit(head)?;
    if head.path() != PATH {
        let why = format!("there is nothing at {}", shortened(head.path()));
        return Err(Reply::failure(404, Failure::invalid("path", &why, "POST to /mcp")));
    }
    // `GET` would ask for a stream of the server's own messages, and `DELETE` would end a session. There are none.
    head.allow(&["POST"])?;
    head.is_json()?;
    head.fits(MAX)?;
    Ok(Step::Body(Headers::new(head), MAX))
}
