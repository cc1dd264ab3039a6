//! Redaction: every secret becomes a placeholder that is the same wherever the secret appears.

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    format::{Interaction, RecordedBody},
    scan::{self, Found, NO_SIGNATURE},
};

/// Replaces secrets by `[redacted:KIND:N]`, numbered by first appearance within their kind.
///
/// A token in a response is the same placeholder in the next request. A JWT keeps its header and
/// payload, so that claims stay readable and comparable, and loses its signature, without which it is
/// no secret. Redacting twice changes nothing. Secrets themselves are not kept, only their digests.
#[derive(Default)]
pub struct Redactor {
    placeholders: HashMap<[u8; 32], String>,
    taken: HashSet<(String, u32)>,
}

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
    /// Text without the secrets that can be told by their shape.
    #[must_use]
    pub fn text(&mut self, text: &str) -> String {
        String::from_utf8(self.bytes(text.as_bytes())).expect("whole ASCII runs were replaced by ASCII")
    }

    /// As [`text`](Self::text), for bytes that may be anything.
    #[must_use]
    pub fn bytes(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        let mut at = 0;
        while at < bytes.len() {
            match scan::find(bytes, at) {
                None => {
                    out.push(bytes[at]);
                    at += 1;
                }
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
            RecordedBody::Text(text) => RecordedBody::Text(self.text(text)),
            RecordedBody::Base64(bytes) => RecordedBody::Base64(self.bytes(bytes)),
            RecordedBody::Form(pairs) => RecordedBody::Form(self.pairs(Place::Form, pairs)),
        }
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
                fields.iter().map(|(name, value)| (name.clone(), self.json(name, value))).collect()
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
            None => pair.to_owned(),
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
        placeholder
    }
}

impl Interaction {
    pub(super) fn redact(&mut self, redactor: &mut Redactor) {
        let (request, response) = (&mut self.request, &mut self.response);
        request.url = redactor.url(&request.url);
        for (name, value) in &mut request.headers {
            *value = redactor.header(name, value);
        }
        request.body = request.body.as_ref().map(|body| redactor.body(body));
        for (name, value) in &mut response.headers {
            *value = redactor.header(name, value);
        }
        response.body = response.body.as_ref().map(|body| redactor.body(body));
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
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::json;

    use super::*;

    fn jwt(signature: &str) -> String {
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.{signature}", part(json!({"alg": "RS256"})), part(json!({"iss": "me@example.test"})))
    }

    fn check(redact: impl Fn(&mut Redactor, &str) -> String, given: &str, expected: &str) {
        let mut redactor = Redactor::default();
        let once = redact(&mut redactor, given);
        assert_eq!(once, expected, "redacting {given}");
        assert_eq!(redact(&mut redactor, &once), once, "a second time");
        assert_eq!(redact(&mut Redactor::default(), &once), once, "by another redactor");
    }

    #[test]
    fn secrets_by_shape() {
        let key = format!("AIza{}", "x".repeat(35));
        for (given, expected) in [
            ("", ""),
            (
                "nothing to hide: 1/2, 4/05, https://x.test//1",
                "nothing to hide: 1/2, 4/05, https://x.test//1",
            ),
            ("ya29.a0Af_B-c/d", "[redacted:access-token:1]"),
            (
                "a ya29.one b ya29.two c ya29.one",
                "a [redacted:access-token:1] b [redacted:access-token:2] c [redacted:access-token:1]",
            ),
            ("\\nya29.one\\n", "\\n[redacted:access-token:1]\\n"),
            ("1//0gAbCdEfGhIjK", "[redacted:refresh-token:1]"),
            ("code 4/0AVGzR1AbCdEfGh.", "code [redacted:code:1]"),
            ("GOCSPX-0123456789ab", "[redacted:client-secret:1]"),
            (&format!("key={key}&b"), "key=[redacted:api-key:1]&b"),
            ("-----BEGIN PRIVATE KEY-----\nMII=\n-----END PRIVATE KEY-----\nrest", "[redacted:pem:1]\nrest"),
            ("-----BEGIN PRIVATE KEY-----\nMII= cut off", "[redacted:pem:1]"),
            (&format!("<{}>", jwt("c2lnbmF0dXJl")), &format!("<{}>", jwt("redacted"))),
            (&jwt(""), &jwt("")),
            ("eyJhbGciOiJkaXIifQ.a2V5.aXY.dGV4dA.dGFn", "[redacted:jwt:1]"),
            ("eyJ is not a token, nor is eyJ.eyJ.x", "eyJ is not a token, nor is eyJ.eyJ.x"),
            ("é ya29.é", "é ya29.é"),
        ] {
            check(|redactor, text| redactor.text(text), given, expected);
        }
    }

    #[test]
    fn secrets_by_header() {
        let signed = format!("Bearer {}", jwt("c2ln"));
        let unsigned = format!("Bearer {}", jwt("redacted"));
        for (name, given, expected) in [
            ("Authorization", "Bearer anything", "Bearer [redacted:access-token:1]"),
            ("authorization", &signed, &unsigned),
            ("authorization", "Basic dTpw", "Basic [redacted:credentials:1]"),
            ("authorization", "naked", "[redacted:credentials:1]"),
            ("x-serverless-authorization", "bearer anything", "bearer [redacted:access-token:1]"),
            ("x-goog-api-key", "anything", "[redacted:api-key:1]"),
            (
                "cookie",
                "a=1; b=2; a=1",
                "a=[redacted:cookie:1]; b=[redacted:cookie:2]; a=[redacted:cookie:1]",
            ),
            ("set-cookie", "sid=abc; Path=/; HttpOnly", "sid=[redacted:cookie:1]; Path=/; HttpOnly"),
            (
                "location",
                "https://x.test/cb?code=abc&state=s",
                "https://x.test/cb?code=%5Bredacted%3Acode%3A1%5D&state=s",
            ),
            ("x-other", "anything, ya29.abc", "anything, [redacted:access-token:1]"),
        ] {
            check(|redactor, value| redactor.header(name, value), given, expected);
        }
    }

    #[test]
    fn secrets_by_place_in_a_url() {
        for (given, expected) in [
            ("https://x.test", "https://x.test"),
            ("https://x.test/a?b=%41&c", "https://x.test/a?b=%41&c"),
            ("https://ya29.test/ya29.abc?x=1", "https://ya29.test/[redacted:access-token:1]?x=1"),
            ("https://me:canary@x.test?key=k", "https://redacted@x.test?key=%5Bredacted%3Aapi-key%3A1%5D"),
            ("/cb#access_token=opaque", "/cb#access_token=%5Bredacted%3Aaccess-token%3A1%5D"),
        ] {
            check(|redactor, url| redactor.url(url), given, expected);
        }
    }

    #[test]
    fn secrets_by_field() {
        let mut redactor = Redactor::default();
        let form = [
            ("client_secret", "s"),
            ("refresh_token", "r"),
            ("code", "c"),
            ("code_verifier", "v"),
            ("grant_type", "authorization_code"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let RecordedBody::Form(pairs) = redactor.body(&RecordedBody::Form(form.to_vec())) else {
            panic!("a form stays a form")
        };
        let values: Vec<&str> = pairs.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(
            values,
            [
                "[redacted:client-secret:1]",
                "[redacted:refresh-token:1]",
                "[redacted:code:1]",
                "[redacted:code-verifier:1]",
                "authorization_code"
            ]
        );
        let body = json!({"access_token": "opaque", "error": {"code": 403}, "code": "E7", "deep": [{"refresh_token": "r"}]});
        assert_eq!(
            redactor.body(&RecordedBody::Json(body)),
            RecordedBody::Json(json!({
                "access_token": "[redacted:access-token:1]",
                "error": {"code": 403},
                "code": "E7",
                "deep": [{"refresh_token": "[redacted:refresh-token:1]"}]
            }))
        );
        assert_eq!(redactor.header("authorization", "Bearer opaque"), "Bearer [redacted:access-token:1]");
    }

    #[test]
    fn bytes_that_are_not_text() {
        let mut redactor = Redactor::default();
        let redacted = redactor.bytes(b"\xff\x00ya29.abc\xfe");
        assert_eq!(redacted, b"\xff\x00[redacted:access-token:1]\xfe");
    }

    #[test]
    fn reserved_numbers_are_not_given_again() {
        let mut redactor = Redactor::default();
        redactor.reserve("[redacted:access-token:1] and [redacted:access-token:3]");
        assert_eq!(redactor.text("ya29.a ya29.b"), "[redacted:access-token:2] [redacted:access-token:4]");
    }

    #[test]
    fn debug_shows_no_secret() {
        let mut redactor = Redactor::default();
        assert_eq!(redactor.text("ya29.canary"), "[redacted:access-token:1]");
        assert_eq!(format!("{redactor:?}"), "Redactor { secrets: 1 }");
    }
}
