//! Tapes: recorded exchanges that answer in place of the network.
//!
//! A tape (a cassette) is one readable JSON file. It holds the clock, the seed of the randomness, and
//! a list of requests with their responses. [`Replay`] is a [`Transport`](crate::transport::Transport)
//! that answers from a tape, in order, and never asks the network; [`Recorder`] wraps another
//! transport and writes what passed through it.
//!
//! ```json
//! {
//!   "format": "gcf-tape",
//!   "version": "1.0",
//!   "provenance": {"kind": "made", "from": "cloudfunctions v2 discovery document", "note": "two pages"},
//!   "clock": "2026-03-01T12:00:00Z",
//!   "seed": 1,
//!   "interactions": [
//!     {
//!       "note": "optional, for the reader",
//!       "provenance": {"kind": "transcribed", "from": "where this one comes from, if not as above"},
//!       "request": {
//!         "method": "GET",
//!         "url": "https://cloudfunctions.googleapis.com/v2/projects/p/locations",
//!         "headers": {"authorization": "Bearer [redacted:access-token:1]"}
//!       },
//!       "response": {
//!         "status": 200,
//!         "headers": [["content-type", "application/json; charset=UTF-8"]],
//!         "body": {"json": {"locations": []}}
//!       }
//!     }
//!   ]
//! }
//! ```
//!
//! - A body is `{"json": …}`, `{"text": "…"}`, `{"base64": "…"}` or `{"form": [["key", "value"], …]}`;
//!   no body means an empty one.
//! - Of a request's headers, those on the tape are compared, and always those that carry a
//!   credential: they must be on both sides or on neither.
//! - Queries are compared as decoded pairs in order, forms likewise, JSON by value, and JWTs by their
//!   decoded claims.
//! - Both sides are compared in redacted form ([`Redactor`]), and a tape in memory is always redacted.
//! - A tape of another major version is refused. One of a newer minor version is read, without the
//!   fields that this version does not know; otherwise an unknown field is an error.

mod cassette;
mod decode;
mod error;
mod fault;
mod file;
mod format;
mod golden;
mod live_secrets;
mod margin;
mod matching;
mod multipart;
mod recorder;
mod redact;
mod replay;
mod request;
mod rules;
mod scan;
mod wire;

pub use self::{
    cassette::{Cassette, Mode},
    error::TapeError,
    fault::{End, Fault},
    format::{
        Interaction, Provenance, ProvenanceKind, RecordedBody, RecordedRequest, RecordedResponse, Tape,
        Timing, Tools,
    },
    golden::golden,
    live_secrets::LiveSecrets,
    matching::Difference,
    recorder::Recorder,
    redact::Redactor,
    replay::{Miss, Replay},
    rules::Rules,
};

#[cfg(test)]
mod tests;
