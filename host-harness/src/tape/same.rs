//! The comparison of a request with one on the tape.

pub(super) mod matching;
pub(super) mod multipart;
pub(super) mod request;
pub(super) mod tolerance;
