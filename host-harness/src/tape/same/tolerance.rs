//! The rules of a tape, ready for a comparison.

use regex::Regex;

use crate::tape::file::rules::{Rules, whole};

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
