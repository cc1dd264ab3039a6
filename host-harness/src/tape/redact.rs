//! Redaction: every secret becomes a placeholder that is the same wherever the secret appears.

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    decode,
    format::{Interaction, Provenance, RecordedBody},
    live_secrets::LiveSecrets,
    scan::{self, Found, NO_SIGNATURE},
};

/// Replaces secrets by `[redacted:KIND:N]`, numbered by first appearance within their kind.
///
/// A secret is told by its shape, by the name of its field, and by its exact value: each that was found
/// once, and each that the store gave out, is found again anywhere; by a [`thorough`](Self::thorough) one also
/// in Base64, hexadecimal, percent-encoding, JSON's escapes, and compressed.
///
/// A token in a response is the same placeholder in the next request. A JWT keeps its header and
/// payload, so that claims stay readable and comparable, and loses its signature, without which it is
/// no secret. Redacting twice changes nothing.
#[derive(Default)]
pub struct Redactor {
    placeholders: HashMap<[u8; 32], String>,
    taken: HashSet<(String, u32)>,
    exact: Exact,
    /// Whether to look into encodings.
    thorough: bool,
    live: LiveSecrets,
    /// How many of the live ones are among the exact ones.
    known: usize,
}

/// Secrets by their value, under their first byte.
#[derive(Default)]
struct Exact(HashMap<u8, Vec<Vec<u8>>>);

impl Exact {
    fn add(&mut self, secret: &[u8]) {
        let Some(first) = secret.first().filter(|_| secret.len() >= SHORTEST) else { return };
        let alike = self.0.entry(*first).or_default();
        if !alike.iter().any(|other| other == secret) {
            alike.push(secret.to_vec());
            // Of two that begin alike, the longer is meant.
            alike.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        }
    }

    /// The length of the one that begins here.
    fn at(&self, rest: &[u8]) -> Option<usize> {
        let alike = self.0.get(rest.first()?)?;
        alike.iter().find(|secret| rest.starts_with(secret)).map(Vec::len)
    }
}

/// Shorter values are words, and would be found everywhere.
const SHORTEST: usize = 8;

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").field("secrets", &self.placeholders.len()).finish()
    }
}

/// Where a named value stands. `code` is a secret in a form, and the number of an error in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Query,
    Form,
    Json,
}

impl Redactor {
    /// One that looks into encodings, too: for what is written. A tape that is read was searched when it was
    /// written, and what a person adds to it by hand is in the clear.
    #[must_use]
    pub fn thorough() -> Self {
        Self { thorough: true, ..Self::default() }
    }

    /// From now on, the exact values of these secrets are known, and of those that are added to them later.
    pub fn know(&mut self, live: LiveSecrets) {
        self.live = live;
        self.known = 0;
    }

    /// Whether a secret is in `bytes`, in whatever form.
    pub(super) fn finds_in(&mut self, bytes: &[u8]) -> bool {
        self.learn();
        self.is_dirty(bytes, DEPTH)
    }

    /// A body that cannot be read here, and so cannot be searched.
    pub(super) fn unreadable(&mut self, bytes: &[u8]) -> RecordedBody {
        RecordedBody::Text(self.placeholder("unreadable", bytes))
    }

    /// From now on `secret` is `placeholder`: a server gave it out anew in the place of that one.
    pub(super) fn bind(&mut self, secret: &str, placeholder: &str) {
        self.exact.add(secret.as_bytes());
        self.reserve(placeholder);
        self.placeholders.insert(Sha256::digest(secret.as_bytes()).into(), placeholder.to_owned());
    }

    /// Text without secrets.
    #[must_use]
    pub fn text(&mut self, text: &str) -> String {
        String::from_utf8_lossy(&self.bytes(text.as_bytes())).into_owned()
    }

    /// As [`text`](Self::text), for bytes that may be anything. What holds a secret in compressed form is
    /// replaced as a whole.
    #[must_use]
    pub fn bytes(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.learn();
        if !self.thorough {
            return self.plain(bytes);
        }
        if decode::inflated(bytes).iter().any(|inner| self.is_dirty(inner, DEPTH)) {
            return self.placeholder("compressed", bytes).into_bytes();
        }
        let shown = self.plain(bytes);
        self.encoded(shown)
    }

    /// Takes over what the store has given out since.
    fn learn(&mut self) {
        if let Some(all) = self.live.beyond(self.known) {
            self.known = all.len();
            for secret in all {
                self.exact.add(secret.as_bytes());
            }
        }
    }

    fn is_dirty(&self, bytes: &[u8], depth: u8) -> bool {
        let mut at = 0;
        while at < bytes.len() {
            match scan::find(bytes, at) {
                Some(Found::Placeholder { len, .. }) => at += len,
                Some(Found::Secret { .. }) => return true,
                Some(Found::Jwt { signature, len }) => {
                    let signature = &bytes[at + signature..at + len];
                    if !signature.is_empty() && signature != NO_SIGNATURE.as_bytes() {
                        return true;
                    }
                    at += len;
                }
                None if self.exact.at(&bytes[at..]).is_some() => return true,
                None => at += 1,
            }
        }
        let deeper = |inner: &[u8]| self.is_dirty(inner, depth - 1);
        depth > 0
            && (decode::views(bytes).iter().any(|view| deeper(&view.decoded))
                || decode::inflated(bytes).iter().any(|inner| deeper(inner)))
    }

    /// Replaces stretches that are an encoding of something secret.
    fn encoded(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        let mut dirty: Vec<_> = decode::views(&bytes)
            .into_iter()
            .filter(|view| self.is_dirty(&view.decoded, DEPTH - 1))
            .map(|view| view.range)
            .collect();
        if dirty.is_empty() {
            return bytes;
        }
        dirty.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
        let mut out = Vec::with_capacity(bytes.len());
        let mut at = 0;
        for range in dirty.into_iter().filter(|range| !range.is_empty()) {
            if range.start >= at {
                out.extend_from_slice(&bytes[at..range.start]);
                out.extend_from_slice(self.placeholder("encoded", &bytes[range.clone()]).as_bytes());
                at = range.end;
            } else if range.end > at {
                at = range.end;
            }
        }
        out.extend_from_slice(&bytes[at..]);
        out
    }

    /// Replaces what is secret as it stands.
    fn plain(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        let mut at = 0;
        while at < bytes.len() {
            let exact = |at: usize| self.exact.at(&bytes[at..]);
            match scan::find(bytes, at) {
                None => match exact(at) {
                    Some(len) => {
                        out.extend_from_slice(self.placeholder("secret", &bytes[at..at + len]).as_bytes());
                        at += len;
                    }
                    None => {
                        out.push(bytes[at]);
                        at += 1;
                    }
                },
                Some(Found::Placeholder { len, .. }) => {
                    out.extend_from_slice(&bytes[at..at + len]);
                    at += len;
                }
                Some(Found::Secret { kind, len }) => {
                    out.extend_from_slice(self.placeholder(kind, &bytes[at..at + len]).as_bytes());
                    at += len;
                }
                Some(Found::Jwt { signature, len }) => {
                    out.extend_from_slice(&bytes[at..at + signature]);
                    if signature < len {
                        out.extend_from_slice(NO_SIGNATURE.as_bytes());
                    }
                    at += len;
                }
            }
        }
        out
    }

    /// The value of a header, judged by the header's name too.
    #[must_use]
    pub fn header(&mut self, name: &str, value: &str) -> String {
        match name.to_ascii_lowercase().as_str() {
            "authorization" | "proxy-authorization" | "x-serverless-authorization" => {
                match value.split_once(' ') {
                    Some((scheme, token)) => {
                        let bearer = scheme.eq_ignore_ascii_case("bearer");
                        let kind = if bearer { "access-token" } else { "credentials" };
                        format!("{scheme} {}", self.secret(kind, token))
                    }
                    None => self.secret("credentials", value),
                }
            }
            "x-goog-api-key" => self.secret("api-key", value),
            "cookie" => value.split("; ").map(|pair| self.cookie(pair)).collect::<Vec<_>>().join("; "),
            "set-cookie" => match value.split_once(';') {
                Some((pair, attributes)) => format!("{};{attributes}", self.cookie(pair)),
                None => self.cookie(value),
            },
            "location" | "content-location" | "referer" => self.url(value),
            name if is_secret_header(name) => self.secret("credentials", value),
            _ => self.text(value),
        }
    }

    /// A URL: its query by the names of the parameters, its path by shape; the host stays.
    #[must_use]
    pub fn url(&mut self, url: &str) -> String {
        let (origin, rest) = match url.split_once("://") {
            Some((scheme, rest)) => {
                let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
                match authority.rsplit_once('@') {
                    Some((_, host)) => (format!("{scheme}://redacted@{host}"), rest),
                    None => (format!("{scheme}://{authority}"), rest),
                }
            }
            None => (String::new(), url),
        };
        let (rest, fragment) = match rest.split_once('#') {
            Some((rest, fragment)) => (rest, format!("#{}", self.query(fragment))),
            None => (rest, String::new()),
        };
        match rest.split_once('?') {
            Some((path, query)) => format!("{origin}{}?{}{fragment}", self.text(path), self.query(query)),
            None => format!("{origin}{}{fragment}", self.text(rest)),
        }
    }

    /// A body, by the names of its fields where it has any.
    #[must_use]
    pub fn body(&mut self, body: &RecordedBody) -> RecordedBody {
        match body {
            RecordedBody::Json(value) => RecordedBody::Json(self.json("", value)),
            RecordedBody::Text(text) => {
                let named = self.named(text);
                RecordedBody::Text(self.text(named.as_deref().unwrap_or(text)))
            }
            RecordedBody::Base64(bytes) => match String::from_utf8(self.bytes(bytes)) {
                // It was replaced as a whole.
                Ok(text) if text.as_bytes() != bytes => RecordedBody::Text(text),
                Ok(text) => RecordedBody::Base64(text.into_bytes()),
                Err(error) => RecordedBody::Base64(error.into_bytes()),
            },
            RecordedBody::Form(pairs) => RecordedBody::Form(self.pairs(Place::Form, pairs)),
        }
    }

    /// JSON that came as another media type, without the secrets that only the names of its fields tell; none if there
    /// are none.
    fn named(&mut self, text: &str) -> Option<String> {
        let value: Value = serde_json::from_str(text).ok().filter(|value: &Value| !value.is_string())?;
        let redacted = self.json("", &value);
        (redacted != value).then(|| redacted.to_string())
    }

    pub(super) fn pairs(&mut self, place: Place, pairs: &[(String, String)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| (name.clone(), self.field(place, name, value))).collect()
    }

    /// Keeps the numbers of all placeholders in `text` from being given to other secrets.
    pub(super) fn reserve(&mut self, text: &str) {
        let bytes = text.as_bytes();
        for at in (0..bytes.len()).filter(|at| bytes[*at] == b'[') {
            if let Some(Found::Placeholder { kind, number, .. }) = scan::find(bytes, at) {
                self.taken.insert((kind.to_owned(), number));
            }
        }
    }

    fn json(&mut self, name: &str, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.field(Place::Json, name, text)),
            Value::Array(items) => items.iter().map(|item| self.json(name, item)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| (self.text(name), self.json(name, value))).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    fn field(&mut self, place: Place, name: &str, value: &str) -> String {
        match secret_field(place, name) {
            Some(kind) => self.secret(kind, value),
            None => self.text(value),
        }
    }

    fn query(&mut self, query: &str) -> String {
        let pairs: Vec<(String, String)> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let redacted = self.pairs(Place::Query, &pairs);
        if redacted == pairs {
            // Encoded as it came.
            query.to_owned()
        } else {
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&redacted).finish()
        }
    }

    fn cookie(&mut self, pair: &str) -> String {
        match pair.split_once('=') {
            Some((name, value)) => format!("{name}={}", self.secret("cookie", value)),
            None => self.text(pair),
        }
    }

    /// A value that is a secret because of where it stands.
    fn secret(&mut self, kind: &str, value: &str) -> String {
        match scan::find(value.as_bytes(), 0) {
            Some(Found::Placeholder { len, .. } | Found::Jwt { len, .. }) if len == value.len() => {
                self.text(value)
            }
            _ if value.is_empty() => String::new(),
            _ => self.placeholder(kind, value.as_bytes()),
        }
    }

    fn placeholder(&mut self, kind: &str, secret: &[u8]) -> String {
        let digest: [u8; 32] = Sha256::digest(secret).into();
        if let Some(known) = self.placeholders.get(&digest) {
            return known.clone();
        }
        let number = (1..)
            .find(|number| self.taken.insert((kind.to_owned(), *number)))
            .expect("a tape holds fewer than four billion secrets");
        let placeholder = format!("[redacted:{kind}:{number}]");
        self.placeholders.insert(digest, placeholder.clone());
        // What is cut out as a whole, or because of what is inside, is not looked for again.
        if !["encoded", "compressed", "unreadable"].contains(&kind) {
            self.exact.add(secret);
        }
        placeholder
    }
}

impl Provenance {
    pub(super) fn redact(&mut self, redactor: &mut Redactor) {
        self.from = redactor.text(&self.from);
        self.note = self.note.as_ref().map(|note| redactor.text(note));
    }
}

impl Interaction {
    pub(super) fn redact(&mut self, redactor: &mut Redactor) {
        self.note = self.note.as_ref().map(|note| redactor.text(note));
        if let Some(provenance) = &mut self.provenance {
            provenance.redact(redactor);
        }
        let request = &mut self.request;
        request.url = redactor.url(&request.url);
        for (name, value) in &mut request.headers {
            *value = redactor.header(name, value);
        }
        request.body = request.body.as_ref().map(|body| redactor.body(body));
        let Some(response) = &mut self.response else { return };
        for (name, value) in &mut response.headers {
            *value = redactor.header(name, value);
        }
        let body = response.body.as_ref().map(|body| redactor.body(body));
        if body != response.body {
            response.body = body;
            response.correct_length();
        }
    }

    /// Percent-encoding hides the placeholders of a query from a search through the text.
    pub(super) fn reserve_query(&self, redactor: &mut Redactor) {
        if let Some((_, query)) = self.request.url.split_once('?') {
            for (_, value) in url::form_urlencoded::parse(query.as_bytes()) {
                redactor.reserve(&value);
            }
        }
    }
}

/// Encodings within encodings; nobody nests more by accident.
const DEPTH: u8 = 3;

/// The kind of secret that a field of this name holds.
fn secret_field(place: Place, name: &str) -> Option<&'static str> {
    Some(match name {
        "access_token" | "accessToken" => "access-token",
        "refresh_token" | "refreshToken" => "refresh-token",
        "id_token" | "idToken" => "id-token",
        "client_secret" | "clientSecret" => "client-secret",
        "code_verifier" => "code-verifier",
        "assertion" | "client_assertion" => "assertion",
        "subject_token" | "subjectToken" | "actor_token" | "actorToken" => "subject-token",
        "device_code" => "device-code",
        "private_key" | "privateKeyData" => "private-key",
        "code" if place != Place::Json => "code",
        "token" if place != Place::Json => "token",
        "key" if place == Place::Query => "api-key",
        "X-Goog-Signature" | "X-Amz-Signature" | "X-Amz-Security-Token" | "Signature" | "sig"
            if place == Place::Query =>
        {
            "signature"
        }
        "secret" if place != Place::Json => "credentials",
        _ if is_secret_name(name) => "credentials",
        _ => return None,
    })
}

/// Names that functions of all kinds give to what proves who calls. Not `secret` itself: in Google's JSON it is the name
/// of one.
fn is_secret_name(name: &str) -> bool {
    let name: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    ["password", "passwd", "passphrase", "apikey", "secretkey", "accesskey", "authtoken", "sessiontoken"]
        .into_iter()
        .any(|end| name.ends_with(end))
}

/// The same of headers, of which more say so: `x-vault-token`, `x-hub-secret`.
fn is_secret_header(name: &str) -> bool {
    is_secret_name(name) || name.ends_with("-token") || name.ends_with("-secret")
}

#[cfg(test)]
mod tests;
