//! Results: the part for each stream, and the JSON for programs.

use std::io::{self, Write as _};

use gcf_host::wit::connections::Connection;
use serde_json::Value;

use super::{
    exit::Exit,
    failure::Failure,
    format::{self, Format, Rows},
    style::{Look, Paint, plain},
};

/// The result of a command.
pub(crate) trait Outcome {
    /// For people.
    fn show(&self, look: Look) -> Shown;

    /// For programs.
    fn json(&self) -> Value;

    /// The same as it is printed, where a value of it all would be made for nothing else.
    fn json_text(&self) -> Result<Vec<u8>, Failure> {
        format::json(&self.json())
    }

    /// The rows of a list.
    fn rows(&self) -> Option<Rows> {
        None
    }

    /// The exit code: a result can say that something is missing.
    fn exit(&self) -> Exit {
        Exit::Done
    }

    /// Tells whether something is another in the store now, or gone.
    fn changes_store(&self) -> bool {
        self.leaves().is_some()
    }

    /// The connection that the command has made, changed or removed.
    fn leaves(&self) -> Option<Leaves<'_>> {
        None
    }

    /// The result in the long demo, where its first lines would not do.
    fn excerpt(&self, _look: Look) -> Option<String> {
        None
    }

    /// All that the short demo shows, where the whole result would be too much.
    fn gist(&self, _look: Look) -> Option<String> {
        None
    }
}

/// A connection after the command.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Leaves<'a> {
    /// It is in the store, as this.
    Kept(&'a Connection),
    /// The one with this id is no longer there.
    Gone(&'a str),
}

impl dyn Outcome {
    /// The result to stdout, the rest of what a person wants to know to stderr.
    pub(crate) fn print(&self, format: Format, look: Look) -> Result<(), Failure> {
        let Shown { before, result, after } = match format {
            Format::Table => self.show(look),
            Format::Json => Shown { result: self.json_text()?, ..Shown::default() },
            Format::Yaml => Shown::result(format::yaml(&self.json())?),
            Format::Csv => Shown::result(self.as_rows(format)?.csv(look.terminal)),
            Format::Name => Shown::result(self.as_rows(format)?.names(look.terminal)),
        };
        let mut err = io::stderr().lock();
        err.write_all(before.as_bytes()).map_err(|error| unwritten(&error))?;
        write_result(&result)?;
        err.write_all(after.as_bytes()).map_err(|error| unwritten(&error))
    }

    /// The rows, or the refusal of a plan, which has none.
    fn as_rows(&self, format: Format) -> Result<Rows, Failure> {
        match self.rows() {
            Some(rows) => Ok(rows),
            None => format.refuse_rows().map(|()| Rows { rows: Vec::new(), names: Vec::new() }),
        }
    }
}

/// Text for each stream, in this order.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// To stderr, first.
    pub(crate) before: String,
    /// To stdout: the result, and nothing but the result.
    pub(crate) result: Vec<u8>,
    /// To stderr, last.
    pub(crate) after: String,
}

impl Shown {
    pub(crate) fn result(text: String) -> Self {
        Self { result: text.into_bytes(), ..Self::default() }
    }
}

/// Writes a result to stdout.
pub(crate) fn write_result(result: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(result).and_then(|()| out.flush()) {
        // Whoever read it, such as `head`, has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done.map_err(|error| unwritten(&error)),
    }
}

fn unwritten(error: &io::Error) -> Failure {
    Failure::machine(format!("cannot write the result: {error}"))
}

/// A line for each warning.
pub(crate) fn warnings(warnings: &[String], look: Look) -> String {
    warnings.iter().map(|warning| format!("{} {}\n", look.err.warning("warning:"), plain(warning))).collect()
}

/// A line for each note.
pub(crate) fn notes(notes: &[String], paint: Paint) -> String {
    notes.iter().map(|note| format!("{} {}\n", paint.hint("note:"), plain(note))).collect()
}
