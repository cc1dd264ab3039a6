//! Reading a tape with errors that name the place, and the forms that single fields have in the file.

use std::{collections::BTreeMap, time::Duration};

use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

use crate::{reading, tape::error::TapeError};

/// Deserializes, and collects the paths of fields that `T` does not have.
pub(in crate::tape) fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Result<(T, Vec<String>), TapeError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let mut track = serde_path_to_error::Track::new();
    let mut unknown = Vec::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    let value = serde_ignored::deserialize(tracked, |path| unknown.push(dotted(&path)))
        .map_err(|error| failed(&error, &track.path().to_string()))?;
    json.end().map_err(|error| failed(&error, ROOT))?;
    Ok((value, unknown))
}

/// The path that serde_path_to_error has for the whole document.
pub(in crate::tape) const ROOT: &str = ".";

/// Tells text that is not JSON from JSON that is not a tape.
fn failed(error: &serde_json::Error, at: &str) -> TapeError {
    let text = error.to_string();
    if error.is_data() {
        return TapeError::Malformed { at: at.to_owned(), problem: text };
    }
    let problem = text.split(" at line ").next().unwrap_or_default();
    // The name that serde_json has for the beginning of `true`, `false` and `null`.
    let problem = if problem == "expected ident" { "expected value" } else { problem };
    TapeError::NotJson {
        line: error.line().max(1),
        column: error.column().max(1),
        problem: problem.to_owned(),
        // `?` is the name of a field that was not read to its end.
        at: if at == ROOT { "" } else { at.trim_end_matches('?').trim_end_matches('.') }.to_owned(),
    }
}

/// The text of a file, which is UTF-8 if it is JSON.
pub(in crate::tape) fn text(bytes: Vec<u8>) -> Result<String, TapeError> {
    let not_json = |line, column, problem: &str| TapeError::NotJson {
        line,
        column,
        problem: problem.to_owned(),
        at: String::new(),
    };
    if reading::is_utf16(&bytes) {
        return Err(not_json(1, 1, "text in UTF-16, which is to be saved as UTF-8"));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        not_json(line, column, "a byte that is not UTF-8")
    })?;
    // A mark of the editor's (RFC 8259, section 8.1).
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
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

pub(in crate::tape) fn method<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_uppercase()) {
        return Ok(text);
    }
    Err(D::Error::custom(format!("{text:?} is not a method; write it in capitals, such as \"GET\"")))
}

pub(in crate::tape) fn absolute_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
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

/// Headers as a list of pairs, or as an object where nothing is repeated: easier to write by hand.
#[derive(Deserialize)]
#[serde(untagged)]
enum Headers {
    List(Vec<(String, String)>),
    Object(BTreeMap<String, String>),
}

/// As [`headers`], or as an object.
pub(in crate::tape) fn request_headers<'de, D: Deserializer<'de>>(
    d: D,
) -> Result<Vec<(String, String)>, D::Error> {
    let pairs = match Headers::deserialize(d)? {
        Headers::List(pairs) => pairs,
        Headers::Object(fields) => fields.into_iter().collect(),
    };
    pairs.into_iter().map(|(name, value)| Ok((header(&name, &value)?, value))).collect()
}

pub(in crate::tape) fn headers<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<(String, String)>, D::Error> {
    Vec::<(String, String)>::deserialize(d)?
        .into_iter()
        .map(|(name, value)| Ok((header(&name, &value)?, value)))
        .collect()
}

pub(in crate::tape) fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let status = u16::deserialize(deserializer)?;
    if (200..=599).contains(&status) {
        return Ok(status);
    }
    Err(D::Error::custom(format!("{status} is not the status of a final response (200 to 599)")))
}

pub(in crate::tape) mod base64_text {
    use super::{Deserialize as _, Deserializer, STANDARD, Serializer};
    use base64::Engine as _;

    pub(in crate::tape) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(in crate::tape) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map_err(|error| serde::de::Error::custom(format!("not base64: {error}")))
    }
}

pub(in crate::tape) mod rfc3339 {
    use super::{Deserialize as _, Deserializer, Duration, Serializer};
    use serde::{de::Error as _, ser::Error as _};
    use time::{OffsetDateTime, format_description::well_known::Rfc3339};

    pub(in crate::tape) fn serialize<S: Serializer>(
        clock: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let text = i128::try_from(clock.as_nanos())
            .ok()
            .and_then(|nanos| OffsetDateTime::from_unix_timestamp_nanos(nanos).ok())
            .and_then(|time| time.format(&Rfc3339).ok())
            .ok_or_else(|| S::Error::custom("the clock is past the year 9999"))?;
        serializer.serialize_str(&text)
    }

    pub(in crate::tape) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
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
