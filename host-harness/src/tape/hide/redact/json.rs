//! Redaction of JSON, whose fields have names.

use memchr::memmem;
use serde_json::Value;

use super::{
    Place, Redactor,
    names::{is_authorization, secret_field},
};
use crate::tape::{
    bounds::is_lavish,
    hide::scan::{self, Found},
};

impl Redactor {
    pub(super) fn json(&mut self, name: &str, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.field(Place::Json, name, text)),
            Value::Array(items) => items.iter().map(|item| self.json(name, item)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| (self.text(name), self.json(name, value))).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    /// JSON that came as another media type, without the secrets that only the names of its fields tell;
    /// `None` if it has none of these.
    pub(super) fn named(&mut self, text: &str) -> Option<String> {
        // No array of this length has names: see `has_names_beyond_reach`.
        let text = Some(text).filter(|text| !is_lavish(text.as_bytes()))?;
        let value: Value = serde_json::from_str(text).ok().filter(|value: &Value| !value.is_string())?;
        if !self.hides(text, &value) {
            return None;
        }
        let redacted = self.json("", &value);
        (redacted != value).then(|| redacted.to_string())
    }

    /// Tells whether JSON may stand on a tape as it came: no secret is in its text, and none in its fields.
    pub(in crate::tape) fn is_clean_json(&mut self, text: &str, value: &Value) -> bool {
        self.within_one_budget(text.len(), |this| !this.finds_in(text.as_bytes()) && !this.hides(text, value))
    }

    /// Tells whether there could be a secret in the fields of some JSON that a search through its text does
    /// not find: under a name that says so, or written in escapes. All other fields stand in the text as they
    /// are, so they are not searched again.
    fn hides(&mut self, text: &str, value: &Value) -> bool {
        let text = text.as_bytes();
        let rare = Rare {
            letters: memmem::find(text, b"\\u").is_some(),
            slashes: memmem::find(text, b"\\/").is_some(),
        };
        self.hides_in("", value, rare)
    }

    fn hides_in(&mut self, name: &str, value: &Value, rare: Rare) -> bool {
        match value {
            Value::String(text) => is_named(name, text) || self.hides_behind(text, rare),
            Value::Array(items) => items.iter().any(|item| self.hides_in(name, item, rare)),
            Value::Object(fields) => fields
                .iter()
                .any(|(name, value)| self.hides_behind(name, rare) || self.hides_in(name, value, rare)),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    fn hides_behind(&mut self, text: &str, rare: Rare) -> bool {
        rare.may_be_in(text) && self.finds_in(text.as_bytes())
    }
}

/// Escapes that nothing asks for, somewhere in a text of JSON: any letter, or a slash.
///
/// <https://www.rfc-editor.org/rfc/rfc8259#section-7>
#[derive(Debug, Clone, Copy)]
struct Rare {
    letters: bool,
    slashes: bool,
}

impl Rare {
    /// Tells whether the text of a string can be another one than the string.
    fn may_be_in(self, string: &str) -> bool {
        self.letters
            || string
                .bytes()
                .any(|byte| matches!(byte, b'"' | b'\\' | ..0x20) || self.slashes && byte == b'/')
    }
}

/// Tells whether a value is a secret for the name of its field. A placeholder is not one, and a JWT loses its
/// signature wherever it stands.
fn is_named(name: &str, value: &str) -> bool {
    let told = match scan::first(value.as_bytes()) {
        Some(Found::Placeholder { len, .. } | Found::Jwt { len, .. }) => len == value.len(),
        Some(Found::Secret { .. }) | None => value.is_empty(),
    };
    let token = value.split_once(' ').map_or("", |(_, token)| token);
    !told && secret_field(Place::Json, name).is_some()
        || is_authorization(name, value)
            && !matches!(scan::first(token.as_bytes()), Some(Found::Placeholder { .. }))
}
