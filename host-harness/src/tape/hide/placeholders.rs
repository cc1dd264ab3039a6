//! The placeholders of an interaction, wherever they stand in it.

use std::fmt;

use serde_json::Value;

use crate::tape::{
    file::format::Interaction,
    hide::scan::{self, Found},
};

/// The name of a secret on a tape.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::tape) struct Placeholder {
    pub(in crate::tape) kind: String,
    pub(in crate::tape) number: u32,
}

impl fmt::Display for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[redacted:{}:{}]", self.kind, self.number)
    }
}

/// All placeholders of an interaction, in the order in which they stand in it.
pub(in crate::tape) fn of(interaction: &Interaction) -> Vec<Placeholder> {
    let mut all = Vec::new();
    walk(&mut document(interaction), &mut |placeholder| {
        all.push(placeholder.clone());
        placeholder
    });
    all
}

/// The interaction with other placeholders.
pub(in crate::tape) fn changed(
    interaction: &Interaction,
    change: &impl Fn(Placeholder) -> Placeholder,
) -> Interaction {
    let mut document = document(interaction);
    walk(&mut document, &mut |placeholder| change(placeholder));
    let mut changed: Interaction =
        serde_json::from_value(document).expect("placeholders stand where any text may stand");
    if changed.request.method != "HEAD"
        && let Some(response) = &mut changed.response
    {
        response.correct_length();
    }
    changed
}

fn document(interaction: &Interaction) -> Value {
    serde_json::to_value(interaction).expect("maps have string keys and nothing else fails")
}

fn walk(value: &mut Value, change: &mut impl FnMut(Placeholder) -> Placeholder) {
    match value {
        Value::String(text) => *text = in_text(text, change),
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, change)),
        Value::Object(fields) => fields.values_mut().for_each(|field| walk(field, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A text with other placeholders: as they are, or encoded as in a query.
fn in_text(text: &str, change: &mut impl FnMut(Placeholder) -> Placeholder) -> String {
    let (mut out, mut rest) = (String::new(), 0);
    let plain = scan::shapes(text.as_bytes()).filter_map(|(at, found)| match found {
        Found::Placeholder { kind, number, len } => Some((at, len, kind.to_owned(), number, false)),
        Found::Secret { .. } | Found::Jwt { .. } => None,
    });
    let encoded = text.match_indices(ENCODED).filter_map(|(at, _)| {
        let inner = &text[at + ENCODED.len()..];
        let (inner, _) = inner.split_once("%5D").filter(|(inner, _)| inner.len() <= 64)?;
        let (kind, number) = inner.split_once("%3A")?;
        let len = ENCODED.len() + inner.len() + "%5D".len();
        Some((at, len, kind.to_owned(), number.parse().ok()?, true))
    });
    let mut all: Vec<_> = plain.chain(encoded).collect();
    all.sort_by_key(|(at, ..)| *at);
    for (at, len, kind, number, is_encoded) in all {
        let placeholder = change(Placeholder { kind, number }).to_string();
        out += &text[rest..at];
        if is_encoded {
            out.extend(url::form_urlencoded::byte_serialize(placeholder.as_bytes()));
        } else {
            out += &placeholder;
        }
        rest = at + len;
    }
    out + &text[rest..]
}

/// The beginning of a placeholder in a query.
const ENCODED: &str = "%5Bredacted%3A";
