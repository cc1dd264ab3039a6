//! The front as a component.

use gcf_front::{describe, perform};
use gcf_front_web::{Front, Gate, Head, Reply, Step};

use crate::{
    endpoint::decide,
    server::{Connector, answer},
    version::Headers,
};

struct Mcp;

gcf_front_web::wasi::export!(Mcp);

impl Front for Mcp {
    type Call = Headers;

    fn decide(gate: &Gate, head: &Head<'_>) -> Step<Headers> {
        decide(gate, head)
    }

    fn answer(headers: &Headers, body: &[u8]) -> Reply {
        answer(headers, body, &Connector { perform: &perform, describe: &describe })
    }
}
