//! The longest answer. A broker drops a longer message, and whoever waits for it would learn nothing.

use gcf_front::{
    Failure,
    types::{ErrorKind, Origin},
};

/// The variable with the most bytes of an answer.
pub(crate) const MAX_REPLY: &str = "GCF_FRONT_MAX_REPLY";

/// The most bytes of an answer where nothing else is said: what a NATS server takes (`max_payload`), unless it is told
/// otherwise.
const DEFAULT: usize = 1 << 20;

/// The fewest, which every error of ours fits into.
const LEAST: usize = 4096;

/// Reads the environment of the component.
pub(crate) fn max_reply(environment: &[(String, String)]) -> Result<usize, Failure> {
    let Some((_, text)) = environment.iter().find(|(name, _)| name == MAX_REPLY) else { return Ok(DEFAULT) };
    text.parse().ok().filter(|bytes| *bytes >= LEAST).ok_or_else(|| {
        let why = format!("{MAX_REPLY} is not a number of bytes, {LEAST} or more");
        let fix = format!(
            "set {MAX_REPLY} in the environment of the front to what the broker takes, or leave it out"
        );
        Failure::new(ErrorKind::Other, Origin::Host, &why, &fix)
    })
}

/// The answer in place of one that is too long.
pub(crate) fn too_long(length: usize, limit: usize) -> Failure {
    let fix = format!(
        "ask for less; or let the broker take more, and set {MAX_REPLY} in the environment of the front to that"
    );
    let why = "the call has been made, and its answer is longer than a message may be";
    let failure = Failure::new(ErrorKind::TooLarge, Origin::Host, why, &fix);
    failure.with("limit", &limit.to_string()).with("size", &length.to_string())
}
