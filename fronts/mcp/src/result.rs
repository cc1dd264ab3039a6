//! The answer to a call: text for the model, and JSON for the program around it.

use gcf_front::Failure;
use serde_json::{Value, json};

use crate::version::Era;

/// The longest text, in bytes. A model reads all of it, and pays for it; the JSON beside it is whole.
const MAX_TEXT: usize = 100_000;

/// Fields of an answer that a program wants and a model does not: headers are bytes in base64, and the trace is for people.
const NOT_TOLD: [&str; 2] = ["headers", "trace"];

/// A call that was made.
pub(crate) fn done(era: Era, output: Value) -> Value {
    let mut told = output.clone();
    if let Value::Object(fields) = &mut told {
        fields.retain(|name, _| !NOT_TOLD.contains(&name.as_str()));
    }
    let mut result = json!({ "content": [text(told.to_string())], "isError": false });
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
    let mut told = format!("{}\nwhat: {}, whose: {}", field("message"), field("kind"), field("origin"));
    for (name, label) in [("fix", "next"), ("retry-after-ms", "not before, in ms"), ("link", "see")] {
        match &json[name] {
            Value::String(text) => told += &format!("\n{label}: {text}"),
            Value::Number(number) => told += &format!("\n{label}: {number}"),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {}
        }
    }
    json!({ "content": [text(told)], "isError": true, "structuredContent": json })
}

fn text(mut text: String) -> Value {
    if text.len() > MAX_TEXT {
        let all = text.len();
        text.truncate(text.floor_char_boundary(MAX_TEXT));
        text += &format!("\n[cut here, of {all} bytes]");
    }
    json!({ "type": "text", "text": text })
}
