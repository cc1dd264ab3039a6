//! The review of tapes: their leaks, their differences, and whether one answers its own requests.

use serde_json::Value;

use crate::tape::{
    error::{Leak, TapeError},
    file::format::{Interaction, RecordedBody, RecordedRequest, Tape},
    hide::{redact::Redactor, scan},
    miss::Difference,
    play::replay::Replay,
    same::{matching::Findings, request::Comparable, tolerance::Tolerance},
    shared::label,
};

/// A difference between two tapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Fields of the tape itself.
    Tape(Vec<Difference>),
    /// An interaction that only the first tape has: its place and its request.
    Removed(usize, String),
    /// An interaction that only the second tape has.
    Added(usize, String),
    /// An interaction that both tapes have, with other fields: its places, its request, the fields.
    Changed(usize, usize, String, Vec<Difference>),
}

impl Tape {
    /// The JSON Schema of the format, for editors and for programs that are not this one.
    #[must_use]
    pub fn schema() -> &'static str {
        include_str!("../../tape.schema.json")
    }

    /// The names of what a [`scan`](Self::scan) looks for, and a recording keeps off a tape,
    /// wherever it stands. Beside it are values by the names of their fields and headers.
    #[must_use]
    pub fn looked_for() -> Vec<&'static str> {
        scan::names()
    }

    /// The secrets in the text of a tape, by shape and by field, in whatever encoding.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json).
    pub fn scan(text: &str) -> Result<Vec<Leak>, TapeError> {
        let tape = Self::parse(text)?;
        let mut clean = tape.clone();
        clean.redact(&mut Redactor::thorough());
        let (mut found, before, after) = (Vec::new(), value(&tape), value(&clean));
        leaks("", &before, &after, &mut found);
        Ok(found)
    }

    /// Checks that the tape answers each request on it, in order, with nothing left over.
    ///
    /// # Errors
    /// [`TapeError::NotReplayed`], or [`TapeError::Malformed`] where a request could not be sent.
    pub fn verify(&self) -> Result<(), TapeError> {
        let replay = Replay::new(self.clone());
        for (index, interaction) in self.interactions.iter().enumerate() {
            let request = sendable(&interaction.request).map_err(|problem| TapeError::Malformed {
                at: format!("interactions[{index}].request"),
                problem: problem.to_string(),
            })?;
            let (parts, body) = request.into_parts();
            // The replay notes a request without an answer.
            let _ = replay.answer(&parts, &body);
        }
        replay.finish()
    }

    /// The differences of `other`.
    #[must_use]
    pub fn diff(&self, other: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        let head = differences(&value(&self.emptied()), &value(&other.emptied()));
        if !head.is_empty() {
            changes.push(Change::Tape(head));
        }
        let (mut left, mut right) = (0, 0);
        for (i, j) in common(&names(self), &names(other)) {
            changes.extend((left..i).map(|i| Change::Removed(i, name(&self.interactions[i]))));
            changes.extend((right..j).map(|j| Change::Added(j, name(&other.interactions[j]))));
            let fields = differences(&value(&self.interactions[i]), &value(&other.interactions[j]));
            if !fields.is_empty() {
                changes.push(Change::Changed(i, j, name(&self.interactions[i]), fields));
            }
            (left, right) = (i + 1, j + 1);
        }
        changes
            .extend((left..self.interactions.len()).map(|i| Change::Removed(i, name(&self.interactions[i]))));
        changes.extend(
            (right..other.interactions.len()).map(|j| Change::Added(j, name(&other.interactions[j]))),
        );
        changes
    }
}

fn value(of: &impl serde::Serialize) -> Value {
    serde_json::to_value(of).expect("maps have string keys and nothing else fails")
}

fn differences(left: &Value, right: &Value) -> Vec<Difference> {
    let tolerance = Tolerance::default();
    let mut found = Findings::new(&tolerance);
    found.json(" ", Some(left), Some(right));
    found.into_differences()
}

fn name(interaction: &Interaction) -> String {
    Comparable::new(&interaction.request, Tolerance::default()).summary()
}

fn names(tape: &Tape) -> Vec<String> {
    tape.interactions.iter().map(name).collect()
}

/// A common subsequence, as pairs of places: the longest, unless the tapes are so long and so different that
/// the part between their equal ends would take too long to compare each with each.
fn common(left: &[String], right: &[String]) -> Vec<(usize, usize)> {
    let start = left.iter().zip(right).take_while(|(left, right)| left == right).count();
    let (inner_left, inner_right) = (&left[start..], &right[start..]);
    let end = inner_left
        .iter()
        .rev()
        .zip(inner_right.iter().rev())
        .take_while(|(left, right)| left == right)
        .count();
    let inner_left = &inner_left[..inner_left.len() - end];
    let inner_right = &inner_right[..inner_right.len() - end];
    let mut pairs: Vec<_> = (0..start).map(|at| (at, at)).collect();
    if inner_left.len().saturating_mul(inner_right.len()) <= MOST_COMPARED {
        pairs.extend(longest(inner_left, inner_right).into_iter().map(|(i, j)| (start + i, start + j)));
    }
    pairs.extend((0..end).rev().map(|at| (left.len() - 1 - at, right.len() - 1 - at)));
    pairs
}

/// The most pairs of interactions that are compared: a table of 32 MiB.
const MOST_COMPARED: usize = 4 << 20;

/// The longest common subsequence, as pairs of places.
fn longest(left: &[String], right: &[String]) -> Vec<(usize, usize)> {
    let mut longest = vec![vec![0_usize; right.len() + 1]; left.len() + 1];
    for i in (0..left.len()).rev() {
        for j in (0..right.len()).rev() {
            longest[i][j] = if left[i] == right[j] {
                longest[i + 1][j + 1] + 1
            } else {
                longest[i + 1][j].max(longest[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while i < left.len() && j < right.len() {
        if left[i] == right[j] {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if longest[i + 1][j] >= longest[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

fn sendable(request: &RecordedRequest) -> http::Result<http::Request<bytes::Bytes>> {
    let mut builder = http::Request::builder().method(request.method.as_str()).uri(&request.url);
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    builder.body(request.body.as_ref().map(RecordedBody::to_bytes).unwrap_or_default())
}

/// Collects the places that redaction would change.
fn leaks(at: &str, before: &Value, after: &Value, found: &mut Vec<Leak>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) if before.keys().eq(after.keys()) => {
            for ((name, before), after) in before.iter().zip(after.values()) {
                let dot = if at.is_empty() { "" } else { "." };
                leaks(&format!("{at}{dot}{}", label(name)), before, after, found);
            }
        }
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
            for (index, (before, after)) in before.iter().zip(after).enumerate() {
                leaks(&format!("{at}[{index}]"), before, after, found);
            }
        }
        (before, after) if before == after => {}
        (_, Value::String(shown)) => found.push(Leak { at: at.to_owned(), shown: shown.clone() }),
        (_, _) => found.push(Leak { at: at.to_owned(), shown: "[redacted]".to_owned() }),
    }
}
