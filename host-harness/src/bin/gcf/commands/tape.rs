//! `gcf tape`: what is on a tape, without a component, a store or a network.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use gcf_host::tape::{Change, Interaction, RecordedBody, Tape, TapeError};
use serde_json::{Value, json};

use super::{Alone, RunningAlone};
use crate::{
    context::{Component, Global},
    output::{
        exit::Exit,
        failure::Failure,
        format::{self, Format},
        shown::write_result,
        style::{Look, Paint, plain},
    },
};

const WAY: &str = "\
How one is made, played and changed:
  1. gcf list --record list.json               asks Google; what is written holds no secret
  2. gcf tape show list.json                   to read; the file is JSON, and may be edited
  3. gcf list --replay list.json --store DIR   answers from it, without a network;
                                               DIR is the store that it was recorded with
A tape of several commands (--record FILE --append) is played with --tape-mode stub.";

/// Look at tapes, compare them, and change names on them
#[derive(Debug, Args)]
#[command(after_help = WAY)]
pub(crate) struct Tapes {
    #[command(subcommand)]
    action: TapeAction,
}

#[derive(Debug, Subcommand)]
enum TapeAction {
    /// Print what was asked and answered, to read
    Show {
        /// The tape
        file: PathBuf,
    },
    /// Look for secrets, in whatever encoding; exit with 1 if there is one
    Scan {
        /// The tapes
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Compare two tapes, exchange by exchange; exit with 1 if they differ
    Diff {
        /// The one
        old: PathBuf,
        /// The other
        new: PathBuf,
    },
    /// Give a project, an address or another name a new one everywhere on a tape, claims included
    #[command(visible_alias = "rename-project")]
    Rename {
        /// The tape, which is changed
        file: PathBuf,
        /// The name as a whole word
        from: String,
        /// The new name
        to: String,
    },
    /// Put tapes one behind the other, as the tape of one session: a token that was asked for on
    /// several of them is asked for once
    Join {
        /// The tapes, in the order of what was done
        #[arg(required = true, num_args = 2..)]
        files: Vec<PathBuf>,
        /// The tape that is made of them
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Check that a tape can be read, holds no secret, answers each of its own requests, and was recorded with
    /// this component; exit with 1 if not
    Verify {
        /// The tape
        file: PathBuf,
    },
    /// Print the JSON Schema of tapes
    Schema,
}

impl Alone for Tapes {
    fn run(self: Box<Self>, global: &Global, look: Look) -> RunningAlone<'_> {
        Box::pin(async move { tape(self.action, global, look) })
    }
}

fn tape(action: TapeAction, global: &Global, look: Look) -> Result<Exit, Failure> {
    let (exit, text, document) = match action {
        TapeAction::Show { file } => {
            let tape = read(&file)?;
            let document = serde_json::from_str(&tape.to_json()).unwrap_or_default();
            (Exit::Done, show(&tape, look.out), document)
        }
        TapeAction::Scan { files } => scan(&files, look.out)?,
        TapeAction::Diff { old, new } => diff(&read(&old)?, &read(&new)?, look.out),
        TapeAction::Rename { file, from, to } => {
            let refused = |error: TapeError| Failure::tape(&error);
            let tape = read(&file)?;
            let renamed = tape.renamed(&from, &to).map_err(refused)?;
            if renamed == tape {
                return Err(Failure::input(format!("{} does not name {from:?}", file.display())));
            }
            renamed.write(&file).map_err(refused)?;
            let text = format!("{}: {from} is {to} now\n", file.display());
            (Exit::Done, text, json!({ "file": file, "from": from, "to": to }))
        }
        TapeAction::Join { files, to } => {
            let tapes = files.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>()?;
            let joined = tapes.into_iter().reduce(|joined, next| joined.join(&next));
            let joined = joined.ok_or_else(|| Failure::input("there is nothing to join"))?;
            joined.write(&to).map_err(|error| Failure::tape(&error))?;
            let count = joined.interactions().len();
            let text = format!("{}: {count} exchanges\n", to.display());
            (Exit::Done, text, json!({ "file": to, "exchanges": count }))
        }
        TapeAction::Verify { file } => verify(&file, global, look.out)?,
        TapeAction::Schema => {
            let document = serde_json::from_str(Tape::schema()).unwrap_or_default();
            (Exit::Done, Tape::schema().to_owned(), document)
        }
    };
    let text = match global.format() {
        Format::Json => format!("{document:#}\n"),
        Format::Yaml => format::yaml(&document)?,
        Format::Table | Format::Csv | Format::Name => text,
    };
    write_result(text.as_bytes()).map(|()| exit)
}

fn read(path: &Path) -> Result<Tape, Failure> {
    Tape::read(path).map_err(|error| Failure::tape(&error))
}

fn text(path: &Path) -> Result<String, Failure> {
    Tape::text(path).map_err(|error| Failure::tape(&error))
}

/// The failure of a tape that was read from a file.
fn failed(path: &Path, error: TapeError) -> Failure {
    Failure::tape(&TapeError::File { path: path.to_owned(), source: Box::new(error) })
}

fn show(tape: &Tape, paint: Paint) -> String {
    let provenance = tape.provenance();
    let mut text =
        format!("{} {}\n", paint.bold(format!("{:?} from", provenance.kind)), plain(&provenance.from));
    if let Some(tools) = tape.recorded_with() {
        text += &paint.dim(format!("with {}\n", plain(&tools.tool)));
    }
    for (index, interaction) in tape.interactions().iter().enumerate() {
        text.push('\n');
        text += &exchange(index, interaction, paint);
    }
    text
}

fn exchange(index: usize, interaction: &Interaction, paint: Paint) -> String {
    let request = interaction.request();
    let title = format!("{index}. {} {}", request.method(), request.url());
    let mut text = paint.bold(plain(&title)) + "\n";
    let note = interaction.note().into_iter().chain(interaction.provenance().map(|from| from.from.as_str()));
    for note in note {
        text += &paint.dim(format!("   {}\n", plain(note)));
    }
    if interaction.side_by_side() {
        text += &paint.dim("   side by side with the one before\n");
    }
    text += &message(request.headers(), request.body(), ">");
    if let Some(response) = interaction.response() {
        let took = interaction
            .timing()
            .map(|timing| format!(", {:.0} ms", timing.done_ms - timing.sent_ms))
            .unwrap_or_default();
        text += &format!("   {}\n", paint.good(format!("{}{took}", response.status())));
        text += &message(response.headers(), response.body(), "<");
    }
    if let Some(fault) = interaction.fault() {
        let fault = serde_json::to_string(fault).unwrap_or_default();
        text += &format!("   {} {}\n", paint.warning("fault:"), plain(&fault));
    }
    text
}

fn message(headers: &[(String, String)], body: Option<&RecordedBody>, side: &str) -> String {
    let mut text: String = headers
        .iter()
        .map(|(name, value)| format!("   {side} {}: {}\n", plain(name), plain(value)))
        .collect();
    let shown = match body {
        None => return text,
        Some(RecordedBody::Json(value)) => format!("{value:#}"),
        Some(RecordedBody::Text(body)) => body.clone(),
        Some(RecordedBody::Base64(bytes)) => format!("({} bytes)", bytes.len()),
        Some(RecordedBody::Form(pairs)) => {
            pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("\n")
        }
    };
    for line in shown.lines() {
        text += &format!("   {side}   {}\n", plain(line));
    }
    text
}

fn scan(files: &[PathBuf], paint: Paint) -> Result<(Exit, String, Value), Failure> {
    let (mut lines, mut found) = (String::new(), Vec::new());
    for file in files {
        let leaks = Tape::scan(&text(file)?).map_err(|error| failed(file, error))?;
        for leak in leaks {
            lines += &format!(
                "{} {}: {}, should be {}\n",
                paint.error("leak:"),
                plain(&file.display().to_string()),
                plain(&leak.at),
                plain(&leak.shown)
            );
            found.push(json!({ "file": file, "at": leak.at, "shown": leak.shown }));
        }
    }
    let exit = if found.is_empty() { Exit::Done } else { Exit::Failed };
    if found.is_empty() {
        lines = format!(
            "no secret in {}\n",
            files.iter().map(|f| f.display().to_string()).collect::<Vec<_>>().join(", ")
        );
    }
    let looked_for = Tape::looked_for();
    lines += &paint.dim(format!(
        "looked for passwords, tokens and keys by the names of their fields, and by their shape, in whatever encoding, for {}\n",
        looked_for.join(", ")
    ));
    Ok((exit, lines, json!({ "leaks": found, "looked-for": looked_for })))
}

fn diff(old: &Tape, new: &Tape, paint: Paint) -> (Exit, String, Value) {
    let changes = old.diff(new);
    let (mut text, mut document) = (String::new(), Vec::new());
    for change in &changes {
        let (title, fields): (String, &[_]) = match change {
            Change::Tape(fields) => ("~ the tape".to_owned(), fields),
            Change::Removed(index, name) => (paint.error(plain(&format!("- {index}. {name}"))), &[]),
            Change::Added(index, name) => (paint.good(plain(&format!("+ {index}. {name}"))), &[]),
            Change::Changed(old, new, name, fields) => {
                (plain(&format!("~ {old}. {name} (now {new}.)")).into_owned(), fields)
            }
        };
        text += &(title.clone() + "\n");
        for field in fields {
            let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
            text += &format!(
                "    {}: {} is {}\n",
                plain(&field.field),
                paint.error(plain(&side(&field.tape))),
                paint.good(plain(&side(&field.sent)))
            );
        }
        let fields: Vec<Value> = fields
            .iter()
            .map(|field| json!({ "field": field.field, "old": field.tape, "new": field.sent }))
            .collect();
        let (what, old, new, name) = match change {
            Change::Tape(_) => ("tape", None, None, None),
            Change::Removed(index, name) => ("removed", Some(index), None, Some(name)),
            Change::Added(index, name) => ("added", None, Some(index), Some(name)),
            Change::Changed(old, new, name, _) => ("changed", Some(old), Some(new), Some(name)),
        };
        document.push(json!({ "change": what, "old": old, "new": new, "request": name, "fields": fields }));
    }
    if changes.is_empty() {
        return (Exit::Done, "the same\n".to_owned(), json!({ "changes": [] }));
    }
    (Exit::Failed, text, json!({ "changes": document }))
}

fn verify(file: &Path, global: &Global, paint: Paint) -> Result<(Exit, String, Value), Failure> {
    // Once: what comes through a pipe comes no second time.
    let text = text(file)?;
    let tape = Tape::from_json(&text).map_err(|error| failed(file, error))?;
    let leaks = Tape::scan(&text).map_err(|error| failed(file, error))?;
    let mut checks = vec![("format", Ok(format!("{} exchanges", tape.interactions().len())))];
    checks.push(match leaks.first() {
        None => ("secrets", Ok("none".to_owned())),
        Some(leak) => ("secrets", Err(format!("{} of them; the first is at {}", leaks.len(), leak.at))),
    });
    checks.push(match tape.verify() {
        Ok(()) => ("replay", Ok("each request is answered, in order".to_owned())),
        Err(error) => ("replay", Err(error.to_string())),
    });
    let recorded = tape.recorded_with().and_then(|tools| tools.component_sha256.as_deref());
    checks.push(match (recorded, Component::find(global.component.as_deref())) {
        (None, _) => ("component", Ok("the tape does not say".to_owned())),
        // One that was not named need not be there.
        (Some(_), Err(_)) if global.component.is_none() => {
            ("component", Ok("there is none to compare with".to_owned()))
        }
        (Some(_), Err(failure)) => return Err(failure),
        (Some(recorded), Ok(component)) => {
            let found = component.sha256()?;
            if found == recorded {
                ("component", Ok("the one it was recorded with".to_owned()))
            } else {
                ("component", Err(format!("recorded with {}, this is {}", start(recorded), start(&found))))
            }
        }
    });
    let good = checks.iter().all(|(_, check)| check.is_ok());
    let text = checks
        .iter()
        .map(|(name, check)| match check {
            Ok(what) => format!("{} {name}: {}\n", paint.good("ok  "), plain(what)),
            Err(what) => format!("{} {name}: {}\n", paint.error("FAIL"), plain(what)),
        })
        .collect();
    let document: serde_json::Map<String, Value> = checks
        .into_iter()
        .map(|(name, check)| {
            let (Ok(what) | Err(what)) = &check;
            (name.to_owned(), json!({ "ok": check.is_ok(), "what": what }))
        })
        .collect();
    Ok((if good { Exit::Done } else { Exit::Failed }, text, document.into()))
}

fn start(digest: &str) -> &str {
    digest.get(..16).unwrap_or(digest)
}
