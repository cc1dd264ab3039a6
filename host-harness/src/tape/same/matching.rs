//! The differences between two requests, field by field, and the request of a tape that is nearest.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::tape::{
    file::format::{Interaction, RecordedBody},
    hide::scan,
    miss::Difference,
    same::{
        multipart,
        request::{CREDENTIALS, Comparable},
        tolerance::{Tolerance, Verdict},
    },
    shared::label,
};

/// The differences of `sent` from `tape`; none if the tape's response answers it.
pub(in crate::tape) fn differences(tape: &Comparable, sent: &Comparable) -> Vec<Difference> {
    let mut found = Findings::new(&tape.tolerance);
    found.text("method", Some(&tape.method), Some(&sent.method));
    found.text("url.origin", Some(&tape.origin), Some(&sent.origin));
    found.text("url.path", Some(&tape.path), Some(&sent.path));
    found.pairs("query", &tape.query, &sent.query);
    let content_type = tape.headers.contains_key("content-type").then_some("content-type");
    let mut names: Vec<&str> = content_type.into_iter().chain(CREDENTIALS).collect();
    for name in &tape.tolerance.headers {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    for name in names {
        let value = |side: &Comparable| side.headers.get(name).map(|value| of_no_moment(name, value));
        found.text(&format!("header {name}"), value(tape).as_deref(), value(sent).as_deref());
    }
    match (multipart::parts(tape), multipart::parts(sent)) {
        (Some(tape), Some(sent)) => found.parts(&tape, &sent),
        (None | Some(_), None | Some(_)) => found.body("body", tape.body.as_ref(), sent.body.as_ref()),
    }
    found.all
}

/// The value of a header without the boundary of a multipart body, which is drawn anew each time, and tells
/// nothing.
fn of_no_moment(name: &str, value: &str) -> String {
    if name == "content-type" && multipart::boundary(value).is_some() {
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    } else {
        value.to_owned()
    }
}

/// The most similar request of the tape and its differences; of equals, `next` and what follows it first.
pub(in crate::tape) fn nearest(
    tape: &[(Comparable, Interaction)],
    next: usize,
    sent: &Comparable,
) -> Option<(usize, Vec<Difference>)> {
    (next..tape.len())
        .chain((0..next.min(tape.len())).rev())
        .map(|index| (index, differences(&tape[index].0, sent)))
        .min_by_key(|(_, differences)| differences.iter().map(weight).sum::<usize>())
}

/// The weight of a difference: another server or resource makes it another request; another page or claim
/// does not.
fn weight(difference: &Difference) -> usize {
    match difference.field.as_str() {
        "url.origin" => 16,
        "url.path" => 8,
        "method" | "body" => 4,
        _ => 1,
    }
}

pub(in crate::tape) struct Findings<'a> {
    tolerance: &'a Tolerance,
    all: Vec<Difference>,
}

impl<'a> Findings<'a> {
    pub(in crate::tape) fn new(tolerance: &'a Tolerance) -> Self {
        Self { tolerance, all: Vec::new() }
    }

    pub(in crate::tape) fn into_differences(self) -> Vec<Difference> {
        self.all
    }

    fn add(&mut self, field: &str, tape: Option<String>, sent: Option<String>) {
        // Names and expressions may come from anywhere, and a terminal shows them.
        let plain = |text: &str| crate::text::line(text).into_owned();
        let short = |value: Option<String>| value.map(|value| shorten(plain(&value)));
        self.all.push(Difference { field: plain(field.trim()), tape: short(tape), sent: short(sent) });
    }

    /// Tells whether a rule of the tape has judged the field already.
    fn ruled(&mut self, field: &str, tape: Option<&str>, sent: Option<&str>) -> bool {
        let quote = |text: Option<&str>| text.map(|text| format!("{text:?}"));
        match self.tolerance.of(field) {
            Verdict::Compare => false,
            Verdict::Ignore => true,
            Verdict::Present => {
                if sent.is_none() {
                    self.add(field, quote(tape).or_else(|| Some("any value".to_owned())), None);
                }
                true
            }
            Verdict::Matches(regex) => {
                if !sent.is_some_and(|sent| regex.is_match(sent)) {
                    self.add(field, Some(format!("the expression {regex}")), quote(sent));
                }
                true
            }
        }
    }

    /// Compares text, and its content if both are a JWT (with the same scheme before it).
    fn text(&mut self, field: &str, tape: Option<&str>, sent: Option<&str>) {
        if self.ruled(field, tape, sent) || tape == sent {
            return;
        }
        if let (Some(tape), Some(sent)) = (tape.and_then(token), sent.and_then(token))
            && tape.scheme == sent.scheme
        {
            self.json(&format!("{field}.header"), Some(&tape.header), Some(&sent.header));
            let (claims, life) = lasting(tape.claims);
            let (sent_claims, sent_life) = lasting(sent.claims);
            self.json(&format!("{field}.claims"), Some(&claims), Some(&sent_claims));
            self.text(&format!("{field}.claims.life"), life.as_deref(), sent_life.as_deref());
            let signed = |signature: &str| if signature.is_empty() { None } else { Some("a signature") };
            self.text(&format!("{field}.signature"), signed(tape.signature), signed(sent.signature));
            return;
        }
        let quote = |text: &str| format!("{text:?}");
        self.add(field, tape.map(quote), sent.map(quote));
    }

    /// Compares by value; the order of an object's fields does not matter.
    pub(in crate::tape) fn json(&mut self, field: &str, tape: Option<&Value>, sent: Option<&Value>) {
        let text = |value: Option<&Value>| {
            value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        };
        if let (Some(Value::String(tape)), Some(Value::String(sent))) = (tape, sent) {
            return self.text(field, Some(tape), Some(sent));
        }
        if !matches!(self.tolerance.of(field), Verdict::Compare)
            && self.ruled(field, text(tape).as_deref(), text(sent).as_deref())
        {
            return;
        }
        match (tape, sent) {
            (Some(Value::Object(tape)), Some(Value::Object(sent))) => {
                let only_sent = sent.keys().filter(|name| !tape.contains_key(*name));
                for name in tape.keys().chain(only_sent) {
                    let dot = if field.ends_with(' ') { "" } else { "." };
                    self.json(&format!("{field}{dot}{}", label(name)), tape.get(name), sent.get(name));
                }
            }
            (Some(Value::Array(tape)), Some(Value::Array(sent))) => {
                for index in 0..tape.len().max(sent.len()) {
                    self.json(&format!("{field}[{index}]"), tape.get(index), sent.get(index));
                }
            }
            (tape, sent) if tape == sent => {}
            (tape, sent) => {
                // 1 and 1.0 mean the same.
                let number = |value: Option<&Value>| value.and_then(Value::as_f64);
                let whole =
                    |value: Option<&Value>| value.is_some_and(|value| value.is_i64() || value.is_u64());
                let same = number(tape).is_some() && number(tape) == number(sent);
                if !same || whole(tape) && whole(sent) {
                    self.add(field, tape.map(Value::to_string), sent.map(Value::to_string));
                }
            }
        }
    }

    /// Compares decoded pairs name by name; neither order matters.
    fn pairs(&mut self, field: &str, tape: &[(String, String)], sent: &[(String, String)]) {
        let ruled = self.tolerance.fields_in(field);
        let mut seen = HashSet::new();
        let names: Vec<&str> = tape
            .iter()
            .chain(sent)
            .map(|(name, _)| name.as_str())
            .chain(ruled)
            .filter(|name| seen.insert(*name))
            .collect();
        let (mut tape, mut sent) = (by_name(tape), by_name(sent));
        for name in names {
            let label = format!("{field} {name}");
            let mut tape = tape.remove(name).unwrap_or_default();
            let mut sent = sent.remove(name).unwrap_or_default();
            let single = tape.len().max(sent.len()) <= 1;
            if !single {
                // An item that has its equal on the other side is of no more interest.
                without_equals(&mut tape, &mut sent);
                if tape.len() <= MOST_COMPARED && sent.len() <= MOST_COMPARED {
                    tape.retain(|value| {
                        let equal = sent.iter().position(|other| {
                            let mut inner = Findings::new(self.tolerance);
                            inner.text(&label, Some(value), Some(other));
                            inner.all.is_empty()
                        });
                        equal.map(|index| sent.remove(index)).is_none()
                    });
                }
            }
            for index in 0..tape.len().max(sent.len()).max(usize::from(single)) {
                let label = if single { label.clone() } else { format!("{label}[{index}]") };
                self.text(&label, tape.get(index).copied(), sent.get(index).copied());
            }
        }
    }

    fn body(&mut self, field: &str, tape: Option<&RecordedBody>, sent: Option<&RecordedBody>) {
        let converted = tape.zip(sent).map(|(tape, sent)| sent.in_form_of(tape));
        match (tape, converted) {
            _ if matches!(self.tolerance.of(field), Verdict::Ignore) => {}
            (Some(RecordedBody::Json(tape)), Some(Some(RecordedBody::Json(sent)))) => {
                self.json(&format!("{field}.json "), Some(tape), Some(&sent));
            }
            (Some(RecordedBody::Form(tape)), Some(Some(RecordedBody::Form(sent)))) => {
                self.pairs(&format!("{field}.form"), tape, &sent);
            }
            (Some(RecordedBody::Text(tape)), Some(Some(RecordedBody::Text(sent)))) => {
                self.text(&format!("{field}.text"), Some(tape), Some(&sent));
            }
            (Some(tape), Some(Some(sent))) if *tape == sent => {}
            (None, _) if sent.is_none() => {}
            (Some(_) | None, Some(_) | None) => self.add(field, tape.map(describe), sent.map(describe)),
        }
    }

    /// Compares the parts of two multipart bodies, one by one: their order can mean something.
    fn parts(&mut self, tape: &[multipart::Part], sent: &[multipart::Part]) {
        for index in 0..tape.len().max(sent.len()) {
            let field = format!("body.part[{index}]");
            let (Some(tape), Some(sent)) = (tape.get(index), sent.get(index)) else {
                let describe = |part: Option<&multipart::Part>| part.map(multipart::Part::describe);
                self.add(&field, describe(tape.get(index)), describe(sent.get(index)));
                continue;
            };
            for name in
                tape.headers.keys().chain(sent.headers.keys().filter(|n| !tape.headers.contains_key(*n)))
            {
                let value = |part: &multipart::Part| part.headers.get(name).cloned();
                self.text(&format!("{field} header {name}"), value(tape).as_deref(), value(sent).as_deref());
            }
            self.body(&field, tape.body.as_ref(), sent.body.as_ref());
        }
    }
}

/// The claims without those that tell one moment or one issue from another, and the time for which they hold.
fn lasting(mut claims: Value) -> (Value, Option<String>) {
    let number = |name: &str| claims.get(name).and_then(Value::as_i64);
    let life =
        number("exp").zip(number("iat")).map(|(end, start)| format!("{} s", end.saturating_sub(start)));
    if let Some(fields) = claims.as_object_mut() {
        for name in ["iat", "exp", "jti"] {
            fields.shift_remove(name);
        }
    }
    (claims, life)
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

fn by_name(pairs: &[(String, String)]) -> HashMap<&str, Vec<&str>> {
    let mut all: HashMap<&str, Vec<&str>> = HashMap::new();
    for (name, value) in pairs {
        all.entry(name).or_default().push(value);
    }
    all
}

/// Takes away what both have, as often as both have it.
fn without_equals<'a>(tape: &mut Vec<&'a str>, sent: &mut Vec<&'a str>) {
    let mut count: HashMap<&str, usize> = HashMap::new();
    for value in &*sent {
        *count.entry(value).or_default() += 1;
    }
    let mut both: HashMap<&str, usize> = HashMap::new();
    tape.retain(|value| match count.get_mut(value) {
        Some(left) if *left > 0 => {
            *left -= 1;
            *both.entry(value).or_default() += 1;
            false
        }
        Some(_) | None => true,
    });
    sent.retain(|value| match both.get_mut(value) {
        Some(left) if *left > 0 => {
            *left -= 1;
            false
        }
        Some(_) | None => true,
    });
}

/// The number of values of one name that are compared each with each; values beyond are compared in order.
const MOST_COMPARED: usize = 64;

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
