//! The longest answer. A broker drops a longer message, and whoever waits for it would learn nothing.

use gcf_front::{
    Failure,
    types::{ErrorKind, Origin},
};
use serde_json::{Value, json};

/// The variable with the most bytes of an answer.
pub(crate) const MAX_REPLY: &str = "GCF_FRONT_MAX_REPLY";

/// The most bytes of an answer where nothing else is said: what a NATS server takes (`max_payload`), unless it is told
/// otherwise.
const DEFAULT: usize = 1 << 20;

/// The fewest, which an error without its lists and with short texts fits into.
const LEAST: usize = 4096;

/// The end of a text that is cut.
const CUT: &str = "…";

/// Reads the environment of the component.
pub(crate) fn max_reply(environment: &[(String, String)]) -> Result<usize, Failure> {
    let Some((_, text)) = environment.iter().find(|(name, _)| name == MAX_REPLY) else { return Ok(DEFAULT) };
    text.parse().ok().filter(|bytes| *bytes >= LEAST).ok_or_else(|| {
        let why = format!("{MAX_REPLY} is not a number of bytes, {LEAST} or more");
        let fix = format!(
            "set {MAX_REPLY} in the environment of the front to what the broker takes, or leave it out"
        );
        Failure::new(ErrorKind::Other, Origin::Host, &why, &fix)
    })
}

/// The answer in place of one that is too long.
pub(crate) fn too_long(length: usize, limit: usize) -> Failure {
    let fix = format!(
        "ask for less; or let the broker take more, and set {MAX_REPLY} in the environment of the front to that"
    );
    let why = "the call has been made, and its answer is longer than a message may be";
    let failure = Failure::new(ErrorKind::TooLarge, Origin::Host, why, &fix);
    failure.with("limit", &limit.to_string()).with("size", &length.to_string())
}

/// An error as the text that `write` makes of it, within a limit: without its trace if that has to be, without its details,
/// and with the beginnings of its longest texts. Kind and origin are what a caller decides by, and stay whole. The texts
/// share what room is left, so none is lost because another is long.
pub(crate) fn fitted(mut error: Value, write: impl Fn(&Value) -> String, limit: usize) -> String {
    let mut text = write(&error);
    for name in ["trace", "details"] {
        if text.len() > limit {
            error[name] = json!([]);
            text = write(&error);
        }
    }
    if text.len() <= limit {
        return text;
    }
    let whole = |name| error[name].as_str().map(|whole| (name, whole.to_owned()));
    let mut texts: Vec<(&str, String)> =
        ["message", "fix", "reason", "link"].into_iter().filter_map(whole).collect();
    // What a short one leaves of its share is there for the longer ones.
    texts.sort_by_key(|(_, whole)| length(whole));
    let of_all: usize = texts.iter().map(|(_, whole)| length(whole)).sum();
    let mut room = limit.saturating_sub(text.len() - of_all);
    let mut left = texts.len();
    for (name, whole) in texts {
        let kept = beginning(whole, room / left);
        room = room.saturating_sub(length(&kept));
        left -= 1;
        error[name] = kept.into();
    }
    write(&error)
}

/// A text, or as much of its beginning as there is room for.
fn beginning(whole: String, room: usize) -> String {
    if length(&whole) <= room {
        return whole;
    }
    let room = room.saturating_sub(CUT.len());
    let kept = whole.chars().scan(0, |length, character| {
        *length += in_json(character);
        (*length <= room).then_some(character)
    });
    kept.chain(CUT.chars()).collect()
}

/// The bytes that a text takes in JSON, without its quotes.
fn length(text: &str) -> usize {
    text.chars().map(in_json).sum()
}

/// The bytes that a character takes in JSON (RFC 8259, section 7), where only what has to be is escaped.
fn in_json(character: char) -> usize {
    match character {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..'\u{20}' => 6,
        other => other.len_utf8(),
    }
}
