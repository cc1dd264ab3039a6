//! Facts for people beyond the contract, for one field: labels, order, the source of a drop-down.
//!
//! A name that is not here fails the build, and so does a hint for a field that the contract has not.

use serde_json::{Map, Value, json};

/// Hints of a field, by their names.
pub(crate) type Hints = Map<String, Value>;

/// Writes hints into a field's schema.
pub(crate) fn apply(schema: &mut Value, hints: &Hints, of: &str) {
    let schema = schema.as_object_mut().expect("a schema is an object");
    for (name, value) in hints {
        let (key, value) = match name.as_str() {
            "label" => ("title", value.clone()),
            // In place of what the contract says to programmers.
            "help" => ("description", value.clone()),
            "default" | "pattern" | "format" | "minimum" | "maximum" | "maxLength" | "maxItems" | "enum"
            | "examples" => (name.as_str(), value.clone()),
            "media-type" => ("contentMediaType", value.clone()),
            "order" => ("x-order", value.clone()),
            "secret" => ("x-secret", value.clone()),
            // Larger than one line, or rarely needed: how a form shows it.
            "multiline" => ("x-multiline", value.clone()),
            "advanced" => ("x-advanced", value.clone()),
            "options" => ("x-options", options(value, of)),
            _ => panic!("{of}: there is no hint named {name}"),
        };
        schema.insert(key.to_owned(), value);
    }
}

/// `regions`, or `functions of region`: the field of `functions.options`, and the field beside this one whose value it
/// takes.
fn options(value: &Value, of: &str) -> Value {
    match value.as_str().map(|text| text.split(' ').collect::<Vec<_>>()).as_deref() {
        Some(["regions"]) => json!({ "field": "regions" }),
        Some(["functions", "of", beside]) => json!({ "field": "functions", "depends-on": beside }),
        _ => panic!("{of}: {value} is no source of options"),
    }
}
