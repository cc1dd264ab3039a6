//! Tapes that are made of real exchanges.

pub(super) mod recorder;
