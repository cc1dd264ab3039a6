//! Secrets of other services than Google's, told by their shape.
//!
//! The shapes are data, `services.json`: those that secretlint keeps, and some of their givers' own
//! pages.

use std::sync::{LazyLock, OnceLock};

use regex::bytes::Regex;
use serde::Deserialize;

/// The shape of one kind of secret.
struct Service {
    kind: &'static str,
    name: &'static str,
    begins: Vec<&'static str>,
    /// True if the shape may begin within a word.
    within: bool,
    pattern: String,
    /// Made when something begins as this does: all of them for each tape took half of a command's time in a
    /// development build.
    regex: OnceLock<Regex>,
}

impl Service {
    fn regex(&self) -> &Regex {
        self.regex.get_or_init(|| Regex::new(&self.pattern).expect("a test makes all of them"))
    }
}

/// A shape as it stands in the file.
#[derive(Deserialize)]
struct Rule<'a> {
    kind: &'a str,
    name: &'a str,
    #[serde(borrow)]
    begins: Vec<&'a str>,
    pattern: String,
    /// The letters that would make it a part of something else if they came next.
    ends: String,
    #[serde(default)]
    within: bool,
}

static SERVICES: LazyLock<Vec<Service>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    struct File<'a> {
        #[serde(borrow)]
        rules: Vec<Rule<'a>>,
    }
    let file: File<'static> =
        serde_json::from_str(include_str!("services.json")).expect("a test reads this file");
    file.rules.into_iter().map(Rule::ready).collect()
});

impl Rule<'static> {
    fn ready(self) -> Service {
        let Self { kind, name, begins, pattern, ends, within } = self;
        let secret = if pattern.contains("(?<secret>") { "(?:" } else { "(?<secret>" };
        let end = if ends.is_empty() { String::new() } else { format!("(?:[^{ends}]|\\z)") };
        let pattern = format!("(?-u)\\A{secret}{pattern}){end}");
        Service { kind, name, begins, within, pattern, regex: OnceLock::new() }
    }
}

/// The beginnings of all shapes.
pub(super) fn beginnings() -> impl Iterator<Item = &'static str> {
    SERVICES.iter().flat_map(|service| service.begins.iter().copied())
}

/// The names of what is looked for, each once.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let mut last = "";
    SERVICES
        .iter()
        .map(|service| service.name)
        .filter(move |name| std::mem::replace(&mut last, name) != *name)
}

/// The secret whose shape begins at a place of a text: its own place, its length, and its kind.
pub(super) fn at(text: &[u8], at: usize) -> Option<(usize, usize, &'static str)> {
    let rest = &text[at..text.len().min(at + LONGEST)];
    let in_word = at > 0 && text[at - 1].is_ascii_alphanumeric();
    SERVICES
        .iter()
        .filter(|service| service.within || !in_word)
        .filter(|service| service.begins.iter().any(|begin| rest.starts_with(begin.as_bytes())))
        .find_map(|service| {
            let secret = service.regex().captures(rest)?.name("secret")?;
            (!is_stand_in(secret.as_bytes())).then(|| (at + secret.start(), secret.len(), service.kind))
        })
}

/// Tells whether something stands in the place of a secret: a variable, or stars.
fn is_stand_in(secret: &[u8]) -> bool {
    ["${", "{{", "%24%7B"].iter().any(|variable| secret.starts_with(variable.as_bytes()))
        || secret.iter().all(|byte| *byte == b'*')
        || secret.iter().all(|byte| matches!(byte, b'x' | b'X'))
}

/// The part of a text that is looked at from one place on: more than any of these secrets takes.
const LONGEST: usize = 4 << 10;

#[cfg(test)]
mod tests;
