//! Tapes: recorded exchanges that answer in place of the network.
//!
//! A tape (a cassette) is one readable JSON file. It holds the clock, the seed of the randomness, and
//! a list of requests with their responses. A [`Cassette`] puts one into a host, as its [`Mode`] says:
//! [`Replay`] is a [`Transport`](crate::transport::Transport) that answers from it and never asks the
//! network; [`Recorder`] wraps another transport and writes what passed through it. [`golden()`] is a test in
//! one call.
//!
//! ```json
//! {
//!   "format": "gcf-tape",
//!   "version": "1.0",
//!   "provenance": {"kind": "made", "from": "cloudfunctions v2 discovery document", "note": "two pages"},
//!   "clock": "2026-03-01T12:00:00Z",
//!   "seed": 1,
//!   "match": {"ignore": ["query prettyPrint"]},
//!   "interactions": [
//!     {
//!       "note": "optional, for the reader",
//!       "provenance": {"kind": "transcribed", "from": "where this one comes from, if not as above"},
//!       "match": {"headers": ["x-goog-user-project"], "regex": {"query pageToken": "[a-z]+"}, "repeat": true},
//!       "side_by_side": true,
//!       "timing": {"sent_ms": 0.0, "head_ms": 12.5, "done_ms": 13.125},
//!       "request": {
//!         "method": "GET",
//!         "url": "https://cloudfunctions.googleapis.com/v2/projects/p/locations",
//!         "headers": [["authorization", "Bearer [redacted:access-token:1]"]]
//!       },
//!       "response": {
//!         "status": 200,
//!         "headers": [["content-type", "application/json; charset=UTF-8"]],
//!         "body": {"json": {"locations": []}}
//!       },
//!       "fault": {"delay_ms": 200, "end": "truncated-body"}
//!     }
//!   ]
//! }
//! ```
//!
//! `host-harness/tape.schema.json` is the JSON Schema of it ([`Tape::schema`]).
//!
//! - A body is `{"json": …}`, `{"text": "…"}`, `{"base64": "…"}` or `{"form": [["key", "value"], …]}`;
//!   no body means an empty one. A `content-length` is made true when it is played.
//! - A request's headers may also be an object. Those that carry a credential are compared: both sides have
//!   them or neither; `content-type` if the tape has one; others if `match.headers` names them.
//! - Queries and forms are compared as multisets of decoded pairs, JSON by meaning, multipart bodies by part,
//!   and JWTs by header, claims and how long they hold, whenever they were issued.
//! - [`Rules`] leave fields open, of the tape or of one interaction. A [`Miss`] prints the names to use.
//! - Interactions are played in order. Those `side_by_side` with the one before may come in any order.
//! - A [`Fault`] goes wrong in the response's place, or on its way.
//! - [`Aliases`] keep the names of projects and people off it.
//! - Both sides are compared in redacted form ([`Redactor`]), and a tape in memory is always redacted.
//! - A tape of another major version is refused. One of a newer minor version is read, without the
//!   fields that this version does not know; otherwise an unknown field is an error.

// In the order of their floors: each may import those above it in this list.
mod miss;

mod error;

mod shared;

mod bounds;

mod queue;

mod file;

mod hide;

mod same;

mod play;

mod join;

mod record;

mod cassette;

mod review;

mod golden;

pub use self::{
    cassette::{Cassette, Mode},
    error::{Leak, TapeError},
    file::{
        fault::{End, Fault},
        format::{
            Interaction, Provenance, ProvenanceKind, RecordedBody, RecordedRequest, RecordedResponse, Tape,
            Timing, Tools,
        },
        rules::Rules,
    },
    golden::golden,
    hide::{live_secrets::LiveSecrets, redact::Redactor, rename::Aliases},
    miss::{Difference, Miss},
    play::replay::Replay,
    record::recorder::Recorder,
    review::Change,
};

#[cfg(test)]
mod tests;
