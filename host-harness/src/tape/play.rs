//! Answers from a tape, with the faults that it asks for.

pub(super) mod fault;
pub(super) mod given;
pub(super) mod replay;
