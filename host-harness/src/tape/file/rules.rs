//! The rules of a tape: the fields it leaves out of the comparison, and those it asks for beyond it.

use std::collections::BTreeMap;

use regex::Regex;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// The ways in which a request may differ from the recorded one and still be answered by it.
///
/// Fields have the names that a [`Miss`](crate::tape::Miss) prints, such as `query pageToken`,
/// `header x-goog-user-project`, `body.json a.b[0]` or `body.form assertion.claims.scope`. Rules of the
/// whole tape hold for each interaction, beside its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// Headers that are compared: on both sides alike, or on neither. Those that carry a credential
    /// always are, and `content-type` where the tape has one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
    /// Fields that may be there or not, with any value, and whatever is inside them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// Fields that must be there, with any value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub present: Vec<String>,
    /// Fields that must be there, and whose whole text must match. Text of JSON stands without its quotes.
    #[serde(default, deserialize_with = "expressions", skip_serializing_if = "BTreeMap::is_empty")]
    pub regex: BTreeMap<String, String>,
    /// The interaction answers as often as it is asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeat: bool,
}

impl Rules {
    pub(in crate::tape) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds the rules of a whole tape.
    pub(in crate::tape) fn add(&mut self, of_tape: &Self) {
        self.headers.extend_from_slice(&of_tape.headers);
        self.ignore.extend_from_slice(&of_tape.ignore);
        self.present.extend_from_slice(&of_tape.present);
        for (field, pattern) in &of_tape.regex {
            self.regex.entry(field.clone()).or_insert_with(|| pattern.clone());
        }
    }
}

/// The expression that a whole text must match.
pub(in crate::tape) fn whole(pattern: &str) -> Result<Regex, regex::Error> {
    Regex::new(&format!("^(?:{pattern})$"))
}

fn expressions<'de, D: Deserializer<'de>>(d: D) -> Result<BTreeMap<String, String>, D::Error> {
    let rules = BTreeMap::<String, String>::deserialize(d)?;
    for (field, pattern) in &rules {
        whole(pattern).map_err(|error| D::Error::custom(format!("the expression for {field:?}: {error}")))?;
    }
    Ok(rules)
}
