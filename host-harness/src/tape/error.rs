//! The errors of a tape that cannot be used, or was not replayed as it stands.

use std::{io, path::PathBuf};

use crate::tape::miss::Miss;

/// A secret on a tape, by its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// The path of the field, such as `interactions[3].response.body.json.token`.
    pub at: String,
    /// The field as it would be without the secret.
    pub shown: String,
}

/// An error of a tape, or of what was sent to it. The texts hold redacted values only.
#[derive(Debug, thiserror::Error)]
pub enum TapeError {
    /// The file cannot be read.
    #[error("cannot read tape {}: {source}", path.display())]
    Read {
        /// The tape's file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file cannot be written. An earlier file in its place still stands.
    #[error("cannot write tape {}: {source}", path.display())]
    Write {
        /// The tape's file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Another error of this file.
    #[error("tape {}: {source}", path.display())]
    File {
        /// The tape's file.
        path: PathBuf,
        /// The error.
        source: Box<TapeError>,
    },
    /// The JSON does not say `"format": "gcf-tape"`.
    #[error("not a tape: `format` is {found}, expected \"gcf-tape\"")]
    NotATape {
        /// The content of the field, or `missing`.
        found: String,
    },
    /// The major version is another one.
    #[error("tape version {found} is not supported: this program reads {supported}; record the tape again")]
    Version {
        /// The tape's version.
        found: String,
        /// The versions that this program reads.
        supported: &'static str,
    },
    /// The text is not JSON, or not from some place on.
    #[error("not JSON from line {line}, column {column} on: {problem}{}", within(at))]
    NotJson {
        /// The line at which it stops being JSON, from 1.
        line: usize,
        /// The column, in bytes of that line, from 1.
        column: usize,
        /// The problem at that place.
        problem: String,
        /// The path of the field that holds the place; empty if nothing of a tape came before it.
        at: String,
    },
    /// A field has the wrong type or value.
    #[error("at `{at}`: {problem}")]
    Malformed {
        /// The path of the field, such as `interactions[3].request.url`.
        at: String,
        /// The problem, with line and column.
        problem: String,
    },
    /// Fields that this version does not know.
    #[error("unknown field: {}; remove it, or correct its name", quoted(fields))]
    UnknownFields {
        /// The paths of the fields.
        fields: Vec<String>,
    },
    /// A name cannot be given another one.
    #[error("{from:?} cannot be {to:?} on the tape: {problem}")]
    Alias {
        /// The name.
        from: String,
        /// The name that was to replace it.
        to: String,
        /// The reason why it cannot.
        problem: &'static str,
    },
    /// A secret is on the tape that cannot be taken out of it. Nothing was written.
    #[error(
        "the recording holds a secret, and was not written: {}; send a request that does not carry it, or have \
         the server leave it out",
        quoted(at)
    )]
    Leak {
        /// The paths of the fields that hold it.
        at: Vec<String>,
    },
    /// The store gave out more secrets than are looked for. Nothing was written.
    #[error(
        "the recording was not written: the store gave out more secrets than can be kept off a tape, 2 MiB; record less \
         on one tape"
    )]
    TooManySecrets,
    /// The tape was written, but there was more than fits onto one.
    #[error(
        "tape {} is full: {left_out} of {of} exchanges are on it without their bodies, or not at all; record less on \
         one tape",
        path.display()
    )]
    Full {
        /// The tape's file.
        path: PathBuf,
        /// The number of exchanges that are not on it as they were.
        left_out: usize,
        /// The number of all exchanges that were recorded.
        of: usize,
    },
    /// The replay did not go as the tape says.
    #[error("{}", unfinished(misses, unused, Miss::to_string))]
    NotReplayed {
        /// Requests that the tape does not answer.
        misses: Vec<Miss>,
        /// Interactions that nobody asked for.
        unused: Vec<String>,
    },
}

impl TapeError {
    /// As [`Display`](std::fmt::Display), with the differences in colours, for a terminal.
    #[must_use]
    pub fn coloured(&self) -> String {
        if let Self::NotReplayed { misses, unused } = self {
            unfinished(misses, unused, Miss::coloured)
        } else {
            self.to_string()
        }
    }
}

fn within(at: &str) -> String {
    if at.is_empty() { String::new() } else { format!(", in `{at}`") }
}

fn quoted(fields: &[String]) -> String {
    fields.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", ")
}

fn unfinished(misses: &[Miss], unused: &[String], shown: fn(&Miss) -> String) -> String {
    let mut lines = Vec::new();
    for miss in misses {
        lines.push(shown(miss));
    }
    if !unused.is_empty() {
        let plural = if unused.len() == 1 { "interaction was" } else { "interactions were" };
        lines.push(format!("{} {plural} not used:", unused.len()));
        lines.extend(unused.iter().map(|name| format!("  {name}")));
        lines.push(
            "hint: the program sent fewer requests than the tape holds; remove these if that is meant"
                .to_owned(),
        );
    }
    lines.join("\n")
}
