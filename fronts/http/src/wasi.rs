//! The front as a component.

use gcf_front::{describe, perform};
use gcf_front_web::{Front, Gate, Head, Reply, Step};

use crate::routes::{Call, decide};

struct Http;

gcf_front_web::wasi::export!(Http);

impl Front for Http {
    type Call = Call;

    fn decide(gate: &Gate, head: &Head<'_>) -> Step<Call> {
        decide(gate, head, describe)
    }

    fn answer(call: &Call, body: &[u8]) -> Reply {
        call.answer(body, perform)
    }
}
