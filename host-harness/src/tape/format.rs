//! What each field of a tape means, and reading a tape with errors that name the place.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;

use super::{TapeError, redact::Redactor};
use crate::clock::{FrozenClock, SeededRandom};

const FORMAT: &str = "gcf-tape";
const VERSION: Version = Version { major: 1, minor: 0 };
const SUPPORTED: &str = "1.x";

/// Recorded exchanges, redacted, with the clock and the seed they belong to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tape {
    format: String,
    version: Version,
    provenance: Provenance,
    #[serde(with = "rfc3339")]
    clock: Duration,
    seed: u64,
    pub(super) interactions: Vec<Interaction>,
}

/// Where a tape, or one exchange of it, comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// How faithful it is.
    pub kind: ProvenanceKind,
    /// The document or capture, by its public name.
    pub from: String,
    /// What was changed or added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How faithful an exchange is to what Google answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProvenanceKind {
    /// Came over the wire, then redacted.
    Recorded,
    /// Copied from somebody's capture or from documentation, with names changed.
    Transcribed,
    /// Written by hand or by a script, in the documented shape.
    Made,
}

/// One request and its response.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interaction {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) provenance: Option<Provenance>,
    pub(super) request: RecordedRequest,
    pub(super) response: RecordedResponse,
}

/// A request as a tape holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedRequest {
    #[serde(deserialize_with = "method")]
    pub(super) method: String,
    #[serde(deserialize_with = "absolute_url")]
    pub(super) url: String,
    #[serde(default, deserialize_with = "request_headers", skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<RecordedBody>,
}

/// A response as a tape holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedResponse {
    #[serde(deserialize_with = "status")]
    pub(super) status: u16,
    #[serde(default, deserialize_with = "response_headers")]
    pub(super) headers: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<RecordedBody>,
}

/// A body in the form in which it is easiest to read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordedBody {
    /// JSON; sent without white space.
    Json(Value),
    /// UTF-8 text.
    Text(String),
    /// Anything.
    #[serde(with = "base64_text")]
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
            interactions: Vec::new(),
        }
    }

    /// Reads a tape from its JSON text. What is still secret on it is redacted.
    ///
    /// # Errors
    /// [`TapeError::NotATape`], [`TapeError::Version`], [`TapeError::Malformed`] or
    /// [`TapeError::UnknownFields`].
    pub fn from_json(text: &str) -> Result<Self, TapeError> {
        let mut tape = Self::parse(text)?;
        let mut redactor = Redactor::default();
        redactor.reserve(text);
        for interaction in &mut tape.interactions {
            interaction.reserve_query(&mut redactor);
        }
        for interaction in &mut tape.interactions {
            interaction.redact(&mut redactor);
        }
        Ok(tape)
    }

    /// Reads a tape from a file.
    ///
    /// # Errors
    /// [`TapeError::Read`], or [`TapeError::File`] around what [`from_json`](Self::from_json) says.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, TapeError> {
        let path = path.as_ref();
        let text =
            fs::read_to_string(path).map_err(|source| TapeError::Read { path: path.to_owned(), source })?;
        Self::from_json(&text)
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

    /// Where the tape comes from.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// What is on the tape, in order.
    #[must_use]
    pub fn interactions(&self) -> &[Interaction] {
        &self.interactions
    }

    /// A clock that stands at the tape's time.
    #[must_use]
    pub fn clock(&self) -> FrozenClock {
        FrozenClock::at(self.clock)
    }

    /// Randomness that follows from the tape's seed.
    #[must_use]
    pub fn random(&self) -> SeededRandom {
        SeededRandom::new(self.seed)
    }

    /// Reads without redacting.
    pub(super) fn parse(text: &str) -> Result<Self, TapeError> {
        let (head, _) = read::<Head>(text)?;
        if head.format.as_str() != Some(FORMAT) {
            let found = if head.format.is_null() { "missing".to_owned() } else { head.format.to_string() };
            return Err(TapeError::NotATape { found });
        }
        if let Some(version) = head.version.filter(|version| version.major != VERSION.major) {
            return Err(TapeError::Version { found: version.into(), supported: SUPPORTED });
        }
        let (tape, unknown) = read::<Self>(text)?;
        if unknown.is_empty() || tape.version.minor > VERSION.minor {
            Ok(tape)
        } else {
            Err(TapeError::UnknownFields { fields: unknown })
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

/// Read before everything else, so that another format or version is named as such.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    format: Value,
    version: Option<Version>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Version {
    major: u32,
    minor: u32,
}

impl TryFrom<String> for Version {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.split_once('.')
            .and_then(|(major, minor)| Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? }))
            .ok_or("a version is MAJOR.MINOR, such as \"1.0\"")
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        format!("{}.{}", version.major, version.minor)
    }
}

/// Deserializes, and collects the paths of fields that `T` does not have.
fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Result<(T, Vec<String>), TapeError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let mut track = serde_path_to_error::Track::new();
    let mut unknown = Vec::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    let value = serde_ignored::deserialize(tracked, |path| unknown.push(dotted(&path)))
        .map_err(|error| TapeError::Malformed { at: track.path().to_string(), problem: error.to_string() })?;
    json.end().map_err(|error| TapeError::Malformed { at: ".".to_owned(), problem: error.to_string() })?;
    Ok((value, unknown))
}

/// The path in the form that serde_path_to_error has: `interactions[3].request`.
fn dotted(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path;
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}[{index}]", dotted(parent)),
        Path::Map { parent, key } => {
            let parent = dotted(parent);
            if parent.is_empty() { key.clone() } else { format!("{parent}.{key}") }
        }
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
            dotted(parent)
        }
    }
}

fn method<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_uppercase()) {
        return Ok(text);
    }
    Err(D::Error::custom(format!("{text:?} is not a method; write it in capitals, such as \"GET\"")))
}

fn absolute_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.parse::<http::Uri>() {
        Ok(uri) if uri.scheme().is_some() && uri.authority().is_some() => Ok(text),
        Ok(_) => Err(D::Error::custom("the URL is not absolute; write https://HOST/PATH")),
        Err(error) => Err(D::Error::custom(format!("not a URL: {error}"))),
    }
}

fn header<E: serde::de::Error>(name: &str, value: &str) -> Result<String, E> {
    http::HeaderValue::from_bytes(value.as_bytes()).map_err(|_| {
        E::custom(format!("the value of header {name:?} has a character that no header can have"))
    })?;
    http::HeaderName::from_bytes(name.as_bytes())
        .map(|name| name.as_str().to_owned())
        .map_err(|_| E::custom(format!("{name:?} is not the name of a header")))
}

fn request_headers<'de, D: Deserializer<'de>>(d: D) -> Result<BTreeMap<String, String>, D::Error> {
    BTreeMap::<String, String>::deserialize(d)?
        .into_iter()
        .map(|(name, value)| Ok((header(&name, &value)?, value)))
        .collect()
}

fn response_headers<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<(String, String)>, D::Error> {
    Vec::<(String, String)>::deserialize(d)?
        .into_iter()
        .map(|(name, value)| Ok((header(&name, &value)?, value)))
        .collect()
}

fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let status = u16::deserialize(deserializer)?;
    if (200..=599).contains(&status) {
        return Ok(status);
    }
    Err(D::Error::custom(format!("{status} is not the status of a final response (200 to 599)")))
}

mod base64_text {
    use super::{Deserialize as _, Deserializer, STANDARD, Serializer};
    use base64::Engine as _;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map_err(|error| serde::de::Error::custom(format!("not base64: {error}")))
    }
}

mod rfc3339 {
    use super::{Deserialize as _, Deserializer, Duration, Serializer};
    use serde::{de::Error as _, ser::Error as _};
    use time::{OffsetDateTime, format_description::well_known::Rfc3339};

    pub(super) fn serialize<S: Serializer>(clock: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        let text = i128::try_from(clock.as_nanos())
            .ok()
            .and_then(|nanos| OffsetDateTime::from_unix_timestamp_nanos(nanos).ok())
            .and_then(|time| time.format(&Rfc3339).ok())
            .ok_or_else(|| S::Error::custom("the clock is past the year 9999"))?;
        serializer.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        OffsetDateTime::parse(&text, &Rfc3339)
            .ok()
            .and_then(|time| u64::try_from(time.unix_timestamp_nanos()).ok())
            .map(Duration::from_nanos)
            .ok_or_else(|| {
                D::Error::custom(format!("{text:?} is not a time such as \"2026-03-01T12:00:00Z\""))
            })
    }
}
