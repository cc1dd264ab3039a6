//! A request in the form in which two are compared, and one that was sent in the form of a tape.

use std::collections::BTreeMap;

use http::{HeaderMap, Uri, header, request::Parts};

use crate::tape::{
    bounds::{is_deep, is_lavish, is_lavish_form, of_pairs, of_values},
    file::{
        format::{RecordedBody, RecordedRequest},
        url::fitting,
    },
    hide::redact::Redactor,
    same::tolerance::Tolerance,
};

/// Headers that carry a credential: on both sides or on neither.
pub(in crate::tape) const CREDENTIALS: [&str; 5] =
    ["authorization", "proxy-authorization", "x-serverless-authorization", "x-goog-api-key", "cookie"];

/// A redacted request, taken apart.
#[derive(Debug, Clone)]
pub(in crate::tape) struct Comparable {
    pub(in crate::tape) method: String,
    pub(in crate::tape) origin: String,
    pub(in crate::tape) path: String,
    pub(in crate::tape) query: Vec<(String, String)>,
    pub(in crate::tape) headers: BTreeMap<String, String>,
    pub(in crate::tape) body: Option<RecordedBody>,
    /// The differences that another request may have.
    pub(in crate::tape) tolerance: Tolerance,
}

impl Comparable {
    /// Takes a request apart. It must be redacted.
    pub(in crate::tape) fn new(request: &RecordedRequest, tolerance: Tolerance) -> Self {
        // A URL that is not a URI is on no tape and in no request: see `fitting`.
        let uri: Uri = request.url.parse().unwrap_or_default();
        let scheme = uri.scheme_str().unwrap_or_default();
        let port = match (scheme, uri.port_u16()) {
            ("https", Some(443)) | ("http", Some(80)) | (_, None) => String::new(),
            (_, Some(port)) => format!(":{port}"),
        };
        let host = uri.host().unwrap_or_default().to_ascii_lowercase();
        let query = uri.query().unwrap_or_default().as_bytes();
        Self {
            method: request.method.clone(),
            origin: format!("{scheme}://{host}{port}"),
            path: uri.path().to_owned(),
            query: url::form_urlencoded::parse(query).into_owned().collect(),
            headers: joined(&request.headers),
            body: request.body.clone().filter(|body| !body.to_bytes().is_empty()),
            tolerance,
        }
    }

    /// `GET https://host/path`, without the query.
    pub(in crate::tape) fn summary(&self) -> String {
        format!("{} {}{}", self.method, self.origin, self.path)
    }
}

impl RecordedRequest {
    /// The request as it was sent, redacted. All headers are kept.
    pub(in crate::tape) fn from_sent(parts: &Parts, body: &[u8], redactor: &mut Redactor) -> Self {
        redactor.sending(true);
        let headers = text_headers(&parts.headers)
            .map(|(name, value)| {
                let value = redactor.header(&name, &value);
                (name, value)
            })
            .collect();
        let media = content_type(&parts.headers);
        let body = if has_names_beyond_reach(media, body) {
            Some(redactor.unreadable(body))
        } else {
            RecordedBody::classify(media, body).map(|body| redactor.body(&body))
        };
        let request = Self {
            method: parts.method.to_string(),
            url: fitting(redactor.url(&parts.uri.to_string())),
            headers,
            body,
        };
        redactor.sending(false);
        request
    }
}

impl RecordedBody {
    /// The body in its most readable form; `None` for no bytes at all.
    pub(in crate::tape) fn classify(content_type: &str, bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return None;
        }
        let Ok(text) = std::str::from_utf8(bytes) else { return Some(Self::Base64(bytes.to_vec())) };
        let media = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if media == FORM && !is_lavish_form(bytes) {
            return Some(Self::form(bytes));
        }
        // A body whose type is not said may be JSON too, and its secrets have names then.
        let json = media == "application/json" || media.ends_with("+json") || media.is_empty();
        let json = json && !is_lavish(bytes) && !is_deep(bytes);
        let value = if json { serde_json::from_str(text).ok() } else { None };
        Some(value.map_or_else(|| Self::Text(text.to_owned()), Self::Json))
    }

    /// This body in the form of `other`, if it can be read so.
    pub(in crate::tape) fn in_form_of(&self, other: &Self) -> Option<Self> {
        if std::mem::discriminant(self) == std::mem::discriminant(other) {
            return Some(self.clone());
        }
        let bytes = self.to_bytes();
        match other {
            Self::Json(_) if is_lavish(&bytes) => None,
            Self::Json(_) => serde_json::from_slice(&bytes).ok().map(Self::Json),
            Self::Text(_) => String::from_utf8(bytes.to_vec()).ok().map(Self::Text),
            Self::Base64(_) => Some(Self::Base64(bytes.to_vec())),
            Self::Form(_) => (!is_lavish_form(&bytes)).then(|| Self::form(&bytes)),
        }
    }

    fn form(bytes: &[u8]) -> Self {
        Self::Form(url::form_urlencoded::parse(bytes).into_owned().collect())
    }
}

/// Tells whether a body has fields whose names could give a secret away, and more of them than are taken
/// apart.
pub(in crate::tape) fn has_names_beyond_reach(media: &str, bytes: &[u8]) -> bool {
    begins_json(bytes) && memchr::memchr(b'{', bytes).is_some() && is_lavish(bytes)
        || is_form(media) && is_lavish_form(bytes)
}

/// The memory that a body of a request takes on a tape.
pub(in crate::tape) fn weight(media: &str, bytes: &[u8]) -> usize {
    let parts = if begins_json(bytes) {
        of_values(bytes)
    } else if is_form(media) {
        of_pairs(bytes)
    } else {
        0
    };
    bytes.len() + parts
}

fn is_form(media: &str) -> bool {
    media.trim_start().to_ascii_lowercase().starts_with(FORM)
}

pub(in crate::tape) fn begins_json(bytes: &[u8]) -> bool {
    matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['))
}

/// The media type of forms.
const FORM: &str = "application/x-www-form-urlencoded";

/// The headers by name. Repeated ones mean the same as one with all their values.
fn joined(headers: &[(String, String)]) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        all.entry(name.clone())
            .and_modify(|all| {
                *all += ", ";
                *all += value;
            })
            .or_insert_with(|| value.clone());
    }
    all
}

/// Names and values as text. A value that is not UTF-8 cannot stand in a tape as it is.
pub(in crate::tape) fn text_headers(headers: &HeaderMap) -> impl Iterator<Item = (String, String)> {
    headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
}

pub(in crate::tape) fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
