//! The errors of a tape that cannot be used, or was not replayed as it stands.

use std::{fmt, io, path::PathBuf};

use crate::{reading, tape::miss::Miss};

/// A secret on a tape, by its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// The path of the field, such as `interactions[3].response.body.json.token`.
    pub at: String,
    /// The field as it would be without the secret.
    pub shown: String,
}

/// An error of a tape, or of what was sent to it. The texts hold redacted values only.
///
/// Printing the error says in one breath what failed and what to do; [`TapeError::message`] and [`TapeError::fix`] are
/// the two by themselves.
#[derive(Debug)]
pub enum TapeError {
    /// The file cannot be read.
    Read {
        /// The tape's file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file cannot be written. An earlier file in its place still stands.
    Write {
        /// The tape's file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Another error of this file.
    File {
        /// The tape's file.
        path: PathBuf,
        /// The error.
        source: Box<TapeError>,
    },
    /// The JSON does not say `"format": "gcf-tape"`.
    NotATape {
        /// The content of the field, or `missing`.
        found: String,
    },
    /// The major version is another one.
    Version {
        /// The tape's version.
        found: String,
        /// The versions that this program reads.
        supported: &'static str,
    },
    /// The text is not JSON, or not from some place on.
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
    Malformed {
        /// The path of the field, such as `interactions[3].request.url`.
        at: String,
        /// The problem, with line and column.
        problem: String,
    },
    /// Fields that this version does not know.
    UnknownFields {
        /// The paths of the fields.
        fields: Vec<String>,
    },
    /// A name cannot be given another one.
    Alias {
        /// The name.
        from: String,
        /// The name that was to replace it.
        to: String,
        /// The reason why it cannot.
        problem: &'static str,
    },
    /// A secret is on the tape that cannot be taken out of it. Nothing was written.
    Leak {
        /// The paths of the fields that hold it.
        at: Vec<String>,
    },
    /// The store gave out more secrets than are looked for. Nothing was written.
    TooManySecrets,
    /// The tape was written, but there was more than fits onto one.
    Full {
        /// The tape's file.
        path: PathBuf,
        /// The number of exchanges that are not on it as they were.
        left_out: usize,
        /// The number of all exchanges that were recorded.
        of: usize,
    },
    /// The replay did not go as the tape says.
    NotReplayed {
        /// Requests that the tape does not answer.
        misses: Vec<Miss>,
        /// Interactions that nobody asked for.
        unused: Vec<String>,
    },
}

impl TapeError {
    /// The failure and its place.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::Read { path, source } => {
                format!("cannot read tape {}: {}", path.display(), reading::what(source))
            }
            Self::Write { path, source } => {
                format!("cannot write tape {}: {}", path.display(), reading::what(source))
            }
            Self::File { path, source } => format!("tape {}: {}", path.display(), source.message()),
            Self::NotATape { found } => {
                format!("not a tape: `format` is {found}, expected \"gcf-tape\"")
            }
            Self::Version { found, supported } => {
                format!("tape version {found} is not supported: this program reads {supported}")
            }
            Self::NotJson { line, column, problem, at } => {
                format!("not JSON from line {line}, column {column} on: {problem}{}", within(at))
            }
            Self::Malformed { at, problem } => format!("at `{at}`: {problem}"),
            Self::UnknownFields { fields } => format!("unknown field: {}", quoted(fields)),
            Self::Alias { from, to, problem } => format!("{from:?} cannot be {to:?} on the tape: {problem}"),
            Self::Leak { at } => format!("the recording holds a secret, and was not written: {}", quoted(at)),
            Self::TooManySecrets => {
                "the recording was not written: the store gave out more secrets than can be kept off a tape, 2 MiB"
                    .to_owned()
            }
            Self::Full { path, left_out, of } => format!(
                "tape {} is full: {left_out} of {of} exchanges are on it without their bodies, or not at all",
                path.display()
            ),
            Self::NotReplayed { misses, unused } => unfinished(misses, unused, Miss::to_string),
        }
    }

    /// The next step, where it is more than to correct what the message names.
    #[must_use]
    pub fn fix(&self) -> Option<&'static str> {
        match self {
            Self::File { source, .. } => source.fix(),
            Self::Version { .. } => Some("record the tape again"),
            Self::UnknownFields { .. } => Some("remove it, or correct its name"),
            Self::Leak { .. } => Some("send a request that does not carry it, or have the server leave it out"),
            Self::TooManySecrets | Self::Full { .. } => Some("record less on one tape"),
            Self::Read { .. }
            | Self::Write { .. }
            | Self::NotATape { .. }
            | Self::NotJson { .. }
            | Self::Malformed { .. }
            | Self::Alias { .. }
            // Each miss has its own.
            | Self::NotReplayed { .. } => None,
        }
    }

    /// True if everything was answered that was asked for, and the tape has more.
    #[must_use]
    pub fn is_of_more_than_asked(&self) -> bool {
        matches!(self, Self::NotReplayed { misses, .. } if misses.is_empty())
    }

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

impl fmt::Display for TapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())?;
        self.fix().map_or(Ok(()), |fix| write!(f, "; {fix}"))
    }
}

impl std::error::Error for TapeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { source, .. } | Self::Write { source, .. } => Some(source),
            Self::File { source, .. } => Some(source),
            Self::NotATape { .. }
            | Self::Version { .. }
            | Self::NotJson { .. }
            | Self::Malformed { .. }
            | Self::UnknownFields { .. }
            | Self::Alias { .. }
            | Self::Leak { .. }
            | Self::TooManySecrets
            | Self::Full { .. }
            | Self::NotReplayed { .. } => None,
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
            "hint: the program sent fewer requests than the tape holds; if they are another program's, such as \
             another command's, play the tape in the mode `stub`; if they are too many, remove them"
                .to_owned(),
        );
    }
    lines.join("\n")
}
