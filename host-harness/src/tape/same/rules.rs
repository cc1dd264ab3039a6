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
}

/// The rules of a tape and of one interaction together, ready for use.
#[derive(Debug, Clone, Default)]
pub(in crate::tape) struct Tolerance {
    pub(in crate::tape) headers: Vec<String>,
    ignore: Vec<String>,
    present: Vec<String>,
    regex: Vec<(String, Regex)>,
    pub(in crate::tape) repeat: bool,
}

/// The rules' word on a field.
pub(in crate::tape) enum Verdict<'a> {
    Compare,
    Ignore,
    Present,
    Matches(&'a Regex),
}

impl Tolerance {
    pub(in crate::tape) fn new(tape: &Rules, own: &Rules) -> Self {
        let both = |of: fn(&Rules) -> &Vec<String>| of(tape).iter().chain(of(own)).cloned().collect();
        Self {
            headers: tape.headers.iter().chain(&own.headers).map(|name| name.to_ascii_lowercase()).collect(),
            ignore: both(|rules| &rules.ignore),
            present: both(|rules| &rules.present),
            regex: tape
                .regex
                .iter()
                .chain(&own.regex)
                // The reader of a tape has tried them.
                .filter_map(|(field, pattern)| Some((field.clone(), whole(pattern).ok()?)))
                .collect(),
            repeat: own.repeat,
        }
    }

    pub(in crate::tape) fn of(&self, field: &str) -> Verdict<'_> {
        let field = field.trim_end();
        if self.ignore.iter().any(|rule| covers(rule, field)) {
            Verdict::Ignore
        } else if self.present.iter().any(|rule| rule == field) {
            Verdict::Present
        } else if let Some((_, regex)) = self.regex.iter().find(|(rule, _)| rule == field) {
            Verdict::Matches(regex)
        } else {
            Verdict::Compare
        }
    }
}

impl Tolerance {
    /// The names below `field` that must be there by a rule, though neither side may have them.
    pub(in crate::tape) fn fields_in(&self, field: &str) -> impl Iterator<Item = &str> {
        let expressions = self.regex.iter().map(|(rule, _)| rule);
        self.present.iter().chain(expressions).filter_map(move |rule| {
            rule.strip_prefix(field)?.strip_prefix(' ').filter(|name| !name.contains(['.', '[']))
        })
    }
}

/// Tells whether `field` is the one that the rule names, or inside of it.
fn covers(rule: &str, field: &str) -> bool {
    field.strip_prefix(rule).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', ' ']))
}

fn whole(pattern: &str) -> Result<Regex, regex::Error> {
    Regex::new(&format!("^(?:{pattern})$"))
}

fn expressions<'de, D: Deserializer<'de>>(d: D) -> Result<BTreeMap<String, String>, D::Error> {
    let rules = BTreeMap::<String, String>::deserialize(d)?;
    for (field, pattern) in &rules {
        whole(pattern).map_err(|error| D::Error::custom(format!("the expression for {field:?}: {error}")))?;
    }
    Ok(rules)
}
