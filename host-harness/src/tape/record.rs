//! Tapes that are made of real exchanges.

pub(super) mod handover;
pub(super) mod recorder;
