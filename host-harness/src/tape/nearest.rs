//! What differs between two requests, field by field, and which request of a tape is nearest.

use std::fmt;

use serde_json::Value;

use super::{
    format::RecordedBody,
    request::{CREDENTIALS, Comparable},
    scan,
};

/// One field that is not as on the tape. The values are redacted, and shortened when long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// `method`, `url.path`, `query pageToken`, `header authorization.claims.aud`,
    /// `body.form assertion.claims.scope`, `body.json a.b[0]`, …
    pub field: String,
    /// The value on the tape, if the field is there.
    pub tape: Option<String>,
    /// The value that was sent, if the field was there.
    pub sent: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |value: &Option<String>| match value {
            Some(value) => format!("has {value}"),
            None => "has none".to_owned(),
        };
        write!(f, "{}: the tape {}, the request {}", self.field, side(&self.tape), side(&self.sent))
    }
}

/// The differences of `sent` from `tape`; none if the tape's response answers it.
pub(super) fn differences(tape: &Comparable, sent: &Comparable) -> Vec<Difference> {
    let mut found = Findings::default();
    found.text("method", Some(&tape.method), Some(&sent.method));
    found.text("url.origin", Some(&tape.origin), Some(&sent.origin));
    found.text("url.path", Some(&tape.path), Some(&sent.path));
    found.pairs("query", &tape.query, &sent.query);
    let unlisted = CREDENTIALS.into_iter().filter(|name| !tape.headers.contains_key(*name));
    for name in tape.headers.keys().map(String::as_str).chain(unlisted) {
        let (tape, sent) = (tape.headers.get(name), sent.headers.get(name));
        found.text(&format!("header {name}"), tape.map(String::as_str), sent.map(String::as_str));
    }
    found.body(tape.body.as_ref(), sent.body.as_ref());
    found.0
}

/// The most similar request of the tape and its differences; of equals, `next` and what follows it first.
pub(super) fn nearest(
    tape: &[Comparable],
    next: usize,
    sent: &Comparable,
) -> Option<(usize, Vec<Difference>)> {
    (next..tape.len())
        .chain((0..next.min(tape.len())).rev())
        .map(|index| (index, differences(&tape[index], sent)))
        .min_by_key(|(_, differences)| differences.iter().map(weight).sum::<usize>())
}

/// Another server or resource makes it another request; another page or claim does not.
fn weight(difference: &Difference) -> usize {
    match difference.field.as_str() {
        "url.origin" => 16,
        "url.path" => 8,
        "method" | "body" => 4,
        _ => 1,
    }
}

#[derive(Default)]
struct Findings(Vec<Difference>);

impl Findings {
    fn add(&mut self, field: &str, tape: Option<String>, sent: Option<String>) {
        let short = |value: Option<String>| value.map(shorten);
        self.0.push(Difference { field: field.to_owned(), tape: short(tape), sent: short(sent) });
    }

    /// Compares text, and what is inside if both are a JWT (with the same scheme before it).
    fn text(&mut self, field: &str, tape: Option<&str>, sent: Option<&str>) {
        if tape == sent {
            return;
        }
        if let (Some(tape), Some(sent)) = (tape.and_then(token), sent.and_then(token))
            && tape.scheme == sent.scheme
        {
            self.json(&format!("{field}.header"), Some(&tape.header), Some(&sent.header));
            self.json(&format!("{field}.claims"), Some(&tape.claims), Some(&sent.claims));
            self.text(&format!("{field}.signature"), Some(tape.signature), Some(sent.signature));
            return;
        }
        let quote = |text: &str| format!("{text:?}");
        self.add(field, tape.map(quote), sent.map(quote));
    }

    /// Compares by value; the order of an object's fields does not matter.
    fn json(&mut self, field: &str, tape: Option<&Value>, sent: Option<&Value>) {
        match (tape, sent) {
            (Some(Value::Object(tape)), Some(Value::Object(sent))) => {
                let only_sent = sent.keys().filter(|name| !tape.contains_key(*name));
                for name in tape.keys().chain(only_sent) {
                    let inner = if field.ends_with(' ') {
                        format!("{field}{name}")
                    } else {
                        format!("{field}.{name}")
                    };
                    self.json(&inner, tape.get(name), sent.get(name));
                }
            }
            (Some(Value::Array(tape)), Some(Value::Array(sent))) => {
                for index in 0..tape.len().max(sent.len()) {
                    self.json(&format!("{field}[{index}]"), tape.get(index), sent.get(index));
                }
            }
            (Some(Value::String(tape)), Some(Value::String(sent))) => {
                self.text(field, Some(tape), Some(sent))
            }
            (tape, sent) if tape == sent => {}
            (tape, sent) => {
                self.add(field.trim_end(), tape.map(Value::to_string), sent.map(Value::to_string));
            }
        }
    }

    /// Compares decoded pairs name by name, then their order.
    fn pairs(&mut self, field: &str, tape: &[(String, String)], sent: &[(String, String)]) {
        let before = self.0.len();
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in tape.iter().chain(sent) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        for name in names {
            let (tape, sent) = (values(tape, name), values(sent, name));
            for index in 0..tape.len().max(sent.len()) {
                let label = if tape.len().max(sent.len()) == 1 {
                    format!("{field} {name}")
                } else {
                    format!("{field} {name}[{index}]")
                };
                self.text(&label, tape.get(index).copied(), sent.get(index).copied());
            }
        }
        let order = |pairs: &[(String, String)]| {
            pairs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
        };
        if self.0.len() == before && order(tape) != order(sent) {
            self.add(&format!("{field} (order)"), Some(order(tape)), Some(order(sent)));
        }
    }

    fn body(&mut self, tape: Option<&RecordedBody>, sent: Option<&RecordedBody>) {
        let converted = tape.zip(sent).map(|(tape, sent)| sent.in_form_of(tape));
        match (tape, converted) {
            (Some(RecordedBody::Json(tape)), Some(Some(RecordedBody::Json(sent)))) => {
                self.json("body.json ", Some(tape), Some(&sent));
            }
            (Some(RecordedBody::Form(tape)), Some(Some(RecordedBody::Form(sent)))) => {
                self.pairs("body.form", tape, &sent);
            }
            (Some(RecordedBody::Text(tape)), Some(Some(RecordedBody::Text(sent)))) => {
                self.text("body.text", Some(tape), Some(&sent));
            }
            (Some(tape), Some(Some(sent))) if *tape == sent => {}
            (None, _) if sent.is_none() => {}
            _ => self.add("body", tape.map(describe), sent.map(describe)),
        }
    }
}

struct Token<'a> {
    scheme: &'a str,
    header: Value,
    claims: Value,
    signature: &'a str,
}

fn token(text: &str) -> Option<Token<'_>> {
    let (scheme, token) = text.rsplit_once(' ').unwrap_or(("", text));
    let (header, claims, signature) = scan::decode_jwt(token)?;
    Some(Token { scheme, header, claims, signature })
}

fn values<'a>(pairs: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    pairs.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
}

fn describe(body: &RecordedBody) -> String {
    let kind = match body {
        RecordedBody::Json(_) => "json",
        RecordedBody::Text(_) => "text",
        RecordedBody::Base64(_) => "base64",
        RecordedBody::Form(_) => "form",
    };
    format!("{kind} of {} bytes", body.to_bytes().len())
}

fn shorten(text: String) -> String {
    const LONGEST: usize = 160;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}… ({} characters)", &text[..end], text.chars().count()),
        None => text,
    }
}
