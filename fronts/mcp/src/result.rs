//! The answer to a call: text for the model, and JSON for the program around it.

use std::fmt::{self, Display, Write as _};

use gcf_front::Failure;
use serde_json::{Value, json};

use crate::version::Era;

/// The longest text, in bytes. A model reads all of it, and pays for it; the JSON beside it is whole.
const MAX_TEXT: usize = 100_000;

/// Fields of an answer that a program wants and a model does not: headers are bytes in base64, and the trace is for people.
const NOT_TOLD: [&str; 2] = ["headers", "trace"];

/// A call that was made.
pub(crate) fn done(era: Era, output: Value) -> Value {
    let mut told = Told::default();
    if let Value::Object(fields) = &output {
        let fields = fields.iter().filter(|(name, _)| !NOT_TOLD.contains(&name.as_str()));
        told.add('{');
        for (index, (name, value)) in fields.enumerate() {
            let comma = if index == 0 { "" } else { "," };
            told.add(format_args!("{comma}{}:{value}", Value::from(name.as_str())));
        }
        told.add('}');
    } else {
        told.add(&output);
    }
    let mut result = told.result(false);
    // Until 2026-07-28 it had to be an object.
    if era == Era::Modern || output.is_object() {
        result["structuredContent"] = output;
    }
    result
}

/// A call that failed: what failed, whose move it is, and what to do. The model may mend it.
pub(crate) fn failed(failure: Failure) -> Value {
    let json = failure.into_json();
    let field = |name: &str| json[name].as_str().unwrap_or_default();
    let mut told = Told::default();
    told.add(format_args!("{}\nwhat: {}, whose: {}", field("message"), field("kind"), field("origin")));
    for (name, label) in [("fix", "next"), ("retry-after-ms", "not before, in ms"), ("link", "see")] {
        match &json[name] {
            Value::String(text) => told.add(format_args!("\n{label}: {text}")),
            Value::Number(number) => told.add(format_args!("\n{label}: {number}")),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {}
        }
    }
    let mut result = told.result(true);
    result["structuredContent"] = json;
    result
}

/// A text for the model: its beginning, and how long it would be.
#[derive(Default)]
struct Told {
    text: String,
    all: usize,
}

impl Told {
    fn add(&mut self, more: impl Display) {
        // Nothing fails here but what is written.
        let _ = write!(self, "{more}");
    }

    fn result(mut self, is_error: bool) -> Value {
        if self.text.len() < self.all {
            self.text += &format!("\n[cut here, of {} bytes]", self.all);
        }
        let mut result = json!({ "content": [{ "type": "text" }], "isError": is_error });
        result["content"][0]["text"] = self.text.into();
        result
    }
}

impl fmt::Write for Told {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        // After a cut, no shorter piece may slip in.
        if self.text.len() == self.all {
            let room = MAX_TEXT - self.text.len();
            self.text.push_str(&piece[..piece.floor_char_boundary(room)]);
        }
        self.all += piece.len();
        Ok(())
    }
}
