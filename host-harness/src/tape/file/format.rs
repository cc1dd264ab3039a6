//! The fields of a tape, and their meaning.

use std::{io, path::Path, time::Duration};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::tape::{
    bounds::{MAX_FILE, is_lavish_tape},
    error::TapeError,
    file::{
        fault::Fault,
        json,
        rules::Rules,
        store,
        version::{FORMAT, VERSION, Version},
    },
};
use crate::{
    clock::{ReplayClock, SeededRandom},
    reading::{self, Kind, Unfit},
};

/// Recorded exchanges, redacted, with the clock and the seed they belong to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tape {
    format: String,
    pub(in crate::tape) version: Version,
    provenance: Provenance,
    #[serde(with = "json::rfc3339")]
    clock: Duration,
    seed: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recorded_with: Option<Tools>,
    #[serde(default, rename = "match", skip_serializing_if = "Rules::is_empty")]
    pub(in crate::tape) rules: Rules,
    pub(in crate::tape) interactions: Vec<Interaction>,
}

/// The programs that recorded a tape. A digest is SHA-256, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tools {
    /// The program and its version.
    pub tool: String,
    /// The program's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_sha256: Option<String>,
    /// The component's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component_sha256: Option<String>,
}

/// The times of an exchange, in milliseconds since the recording began. A replay does not wait, and
/// its clock shows them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// The moment at which the request was sent.
    pub sent_ms: f64,
    /// The moment at which the head of the response was there.
    pub head_ms: f64,
    /// The moment at which the body of the response had ended.
    pub done_ms: f64,
}

/// The origin of a tape, or of one exchange on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The degree of faithfulness.
    pub kind: ProvenanceKind,
    /// The document or capture, by its public name.
    pub from: String,
    /// The changes and additions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The degrees to which an exchange is faithful to what Google answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProvenanceKind {
    /// Came over the wire, then redacted.
    Recorded,
    /// Copied from somebody's capture or from documentation, with names changed.
    Transcribed,
    /// Put together from such copies: of several answers, or of the same answer of another API.
    Adapted,
    /// Written by hand or by a script, in the documented shape.
    Made,
}

/// One request and its response.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interaction {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::tape) note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::tape) provenance: Option<Provenance>,
    #[serde(default, rename = "match", skip_serializing_if = "Rules::is_empty")]
    pub(in crate::tape) rules: Rules,
    /// True if it was sent while the interaction before it was under way: the two may be asked for in either
    /// order.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::tape) side_by_side: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::tape) timing: Option<Timing>,
    pub(in crate::tape) request: RecordedRequest,
    /// The response; missing if the fault leaves none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::tape) response: Option<RecordedResponse>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::tape) fault: Option<Fault>,
}

/// A request as a tape holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedRequest {
    #[serde(deserialize_with = "json::method")]
    pub(in crate::tape) method: String,
    #[serde(deserialize_with = "json::absolute_url")]
    pub(in crate::tape) url: String,
    #[serde(default, deserialize_with = "json::request_headers", skip_serializing_if = "Vec::is_empty")]
    pub(in crate::tape) headers: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::tape) body: Option<RecordedBody>,
}

/// A response as a tape holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedResponse {
    #[serde(deserialize_with = "json::status")]
    pub(in crate::tape) status: u16,
    #[serde(default, deserialize_with = "json::headers")]
    pub(in crate::tape) headers: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::tape) body: Option<RecordedBody>,
}

/// A body in the form in which it is easiest to read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordedBody {
    /// JSON; sent without white space.
    Json(Value),
    /// UTF-8 text.
    Text(String),
    /// Any bytes.
    #[serde(with = "json::base64_text")]
    Base64(Vec<u8>),
    /// `application/x-www-form-urlencoded`, as decoded pairs.
    Form(Vec<(String, String)>),
}

impl Tape {
    /// An empty tape to record on. `clock` is the time since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn new(provenance: Provenance, clock: Duration, seed: u64) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            provenance,
            // The file's form of time ends with the year 9999.
            clock: clock.min(Duration::from_nanos(u64::MAX)),
            seed,
            recorded_with: None,
            rules: Rules::default(),
            interactions: Vec::new(),
        }
    }

    /// Notes the programs that record the tape.
    #[must_use]
    pub fn with_tools(mut self, tools: Tools) -> Self {
        self.recorded_with = Some(tools);
        self
    }

    /// The same tape without its interactions, for a new recording that is otherwise alike.
    #[must_use]
    pub fn emptied(&self) -> Self {
        Self { interactions: Vec::new(), ..self.clone() }
    }

    /// The text of a file that may be a tape: at most 64 MiB, or the text that comes through an open pipe.
    ///
    /// # Errors
    /// [`TapeError::Read`], or [`TapeError::File`] if it is not UTF-8.
    pub fn text(path: impl AsRef<Path>) -> Result<String, TapeError> {
        let path = path.as_ref();
        let bytes = reading::read(path, Kind::Opened, MAX_FILE)
            .and_then(|bytes| if is_lavish_tape(&bytes) { Err(lavish()) } else { Ok(bytes) })
            .map_err(|source| TapeError::Read { path: path.to_owned(), source })?;
        json::text(bytes)
            .map_err(|source| TapeError::File { path: path.to_owned(), source: Box::new(source) })
    }

    /// The tape as indented JSON text, ending in a newline.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text =
            serde_json::to_string_pretty(self).expect("maps have string keys and nothing else fails");
        text.push('\n');
        text
    }

    /// Writes the tape to a file: whole, or not at all.
    ///
    /// # Errors
    /// [`TapeError::Write`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), TapeError> {
        let path = path.as_ref();
        store::replace(path, &self.to_json())
            .map_err(|source| TapeError::Write { path: path.to_owned(), source })
    }

    /// The tape's origin.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    pub(in crate::tape) fn provenance_mut(&mut self) -> &mut Provenance {
        &mut self.provenance
    }

    /// The programs that recorded the tape, if they are known.
    #[must_use]
    pub fn recorded_with(&self) -> Option<&Tools> {
        self.recorded_with.as_ref()
    }

    /// The interactions on the tape, in order.
    #[must_use]
    pub fn interactions(&self) -> &[Interaction] {
        &self.interactions
    }

    /// A clock that stands at the tape's time. Elapsed time passes as the answers of the tape come.
    #[must_use]
    pub fn clock(&self) -> ReplayClock {
        ReplayClock::at(self.clock)
    }

    /// Randomness that follows from the tape's seed.
    #[must_use]
    pub fn random(&self) -> SeededRandom {
        SeededRandom::new(self.seed)
    }
}

fn lavish() -> io::Error {
    let what = "it has more values than are taken apart".to_owned();
    io::Error::new(io::ErrorKind::FileTooLarge, Unfit { what, fix: "name another file" })
}

impl Interaction {
    /// The request.
    #[must_use]
    pub fn request(&self) -> &RecordedRequest {
        &self.request
    }

    /// The response, if there was one.
    #[must_use]
    pub fn response(&self) -> Option<&RecordedResponse> {
        self.response.as_ref()
    }

    /// A remark for the reader.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// The interaction's own origin, if it is not that of the tape.
    #[must_use]
    pub fn provenance(&self) -> Option<&Provenance> {
        self.provenance.as_ref()
    }

    /// The fault that a replay brings about.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        self.fault.as_ref()
    }

    /// The times of the exchange.
    #[must_use]
    pub fn timing(&self) -> Option<Timing> {
        self.timing
    }

    /// Tells whether the interaction was under way together with the one before it.
    #[must_use]
    pub fn side_by_side(&self) -> bool {
        self.side_by_side
    }

    pub(in crate::tape) fn contradiction(&self) -> Option<&'static str> {
        let unanswered = self.fault.as_ref().is_some_and(Fault::is_before_the_response);
        match &self.response {
            None if !unanswered => Some(
                "there is no `response`; add one, or a `fault` that explains why: \
                 {\"end\": \"refused\"}",
            ),
            Some(_) | None => None,
        }
    }
}

impl Timing {
    /// The time from the request to the end of its answer.
    pub(in crate::tape) fn taken(self) -> Duration {
        Duration::try_from_secs_f64((self.done_ms - self.sent_ms) / 1e3).unwrap_or_default()
    }
}

impl RecordedRequest {
    /// The method, in capitals.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The URL, redacted.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The headers, in order.
    #[must_use]
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The body, unless it is empty.
    #[must_use]
    pub fn body(&self) -> Option<&RecordedBody> {
        self.body.as_ref()
    }
}

impl RecordedResponse {
    /// The status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The headers, in order.
    #[must_use]
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The body, unless it is empty.
    #[must_use]
    pub fn body(&self) -> Option<&RecordedBody> {
        self.body.as_ref()
    }

    /// Corrects a `content-length` to the present length of the body.
    pub(in crate::tape) fn correct_length(&mut self) {
        let length = self.body.as_ref().map(RecordedBody::to_bytes).unwrap_or_default().len();
        for (name, value) in &mut self.headers {
            if name == "content-length" {
                *value = length.to_string();
            }
        }
    }
}

impl RecordedBody {
    /// The bytes on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        match self {
            Self::Json(value) => value.to_string().into(),
            Self::Text(text) => text.clone().into(),
            Self::Base64(bytes) => bytes.clone().into(),
            Self::Form(pairs) => {
                url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into()
            }
        }
    }
}
