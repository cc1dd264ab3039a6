//! Answers from a tape, with the faults that it asks for.

mod fault;
pub(super) mod given;
pub(super) mod handover;
pub(super) mod replay;
