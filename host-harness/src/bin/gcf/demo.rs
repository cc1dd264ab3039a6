//! The tour: real commands, parsed and run as they are printed, on a tape that ships with the source.

use std::{
    io::{self, Write},
    time::{Duration, Instant},
};

use clap::Parser as _;
use gcf_host::{
    tape::Tape,
    wit::{functions::FunctionList, types::ErrorKind},
};
use serde_json::{Value, json};

use crate::{
    cli::{Cli, Global},
    errors::{Exit, Failure},
    outcome::{Outcome, Shown},
    run::run,
    sandbox::Sandbox,
    session::Session,
    style::{Look, Paint},
    table,
};

const TAPE: &str = include_str!("../../../../tests/cassettes/demo.json");

/// A key made for this demo: no account knows it.
const KEY: &str = include_str!("../../../../tests/fixtures/demo-key.json");

/// More lines of a result than this are counted instead of shown.
const LINES: usize = 14;

struct Step {
    title: &'static str,
    /// What a user would type after `gcf`.
    arguments: &'static [&'static str],
    expected: Expected,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Answered,
    /// Refused before anything is sent.
    Refused,
}

const STEPS: [Step; 5] = [
    Step {
        title: "Sign in with a service-account key",
        arguments: &["connect", "--nickname", "demo", "--credentials", "key.json"],
        expected: Expected::Answered,
    },
    Step {
        title: "List functions of both generations, in every region",
        arguments: &["list", "--page-size", "40"],
        expected: Expected::Answered,
    },
    Step {
        title: "Invoke one: it gets an ID token made for it alone",
        arguments: &["invoke", "hello-http", "--region", "us-central1", "--data", r#"{"name":"world"}"#],
        expected: Expected::Answered,
    },
    Step {
        title: "Call any other Google API",
        arguments: &["custom-api", "GET", "/v2/projects/demo-project/locations"],
        expected: Expected::Answered,
    },
    Step {
        title: "Try to send the access token somewhere else",
        arguments: &["custom-api", "GET", "https://evil.example/"],
        expected: Expected::Refused,
    },
];

/// Runs the tour, and prints each step as soon as it is done.
pub(crate) async fn demo(global: &Global, look: Look, out: &mut impl Write) -> Result<(), Failure> {
    let started = Instant::now();
    let tape = Tape::from_json(TAPE).map_err(|error| Failure::fault(format!("the demo's tape: {error}")))?;
    let on_tape = tape.interactions().len();
    let (session, replay) = Session::embedded(global, tape, KEY)?;
    let sandbox = Sandbox::of(&session.component)?;
    let ready = started.elapsed();
    let mut printer = Printer { look: look.for_people(), json: global.json, steps: Vec::new(), out };

    printer.text(&format!(
        "{}\nThe connector's .wasm, in a sandbox, on responses from a tape. No account, no network.\n",
        look.out.bold("Google Cloud Functions connector")
    ))?;
    for (number, step) in STEPS.iter().enumerate() {
        let before = replay.remaining();
        let result = perform(&session, step).await;
        printer.step(number + 1, step, result, before - replay.remaining())?;
    }
    session.finish(Ok(()))?;
    let facts = Facts {
        sandbox,
        on_tape,
        used: on_tape - replay.remaining(),
        cache: session.host.cache_use().to_string(),
        ready,
        total: started.elapsed(),
    };
    printer.end(&facts)
}

async fn perform(session: &Session, step: &Step) -> Result<Outcome, Failure> {
    let cli = Cli::try_parse_from(["gcf"].iter().chain(step.arguments))
        .map_err(|error| Failure::fault(format!("the demo's own command line: {error}")))?;
    run(session, cli.command).await
}

struct Facts {
    sandbox: Sandbox,
    on_tape: usize,
    used: usize,
    cache: String,
    /// Until the first call could be made.
    ready: Duration,
    total: Duration,
}

struct Printer<'a, W> {
    look: Look,
    json: bool,
    /// What `--json` prints at the end.
    steps: Vec<Value>,
    out: &'a mut W,
}

impl<W: Write> Printer<'_, W> {
    fn step(
        &mut self,
        number: usize,
        step: &Step,
        result: Result<Outcome, Failure>,
        requests: usize,
    ) -> Result<(), Failure> {
        let command = command_line(step.arguments);
        let paint = self.look.out;
        let (value, text) = match (result, step.expected) {
            (Ok(outcome), Expected::Answered) => (outcome.json(), summary(&outcome, self.look)),
            (Err(failure), Expected::Refused) if failure.exit == Exit::from(ErrorKind::InvalidInput) => {
                (failure.json(), failure.text(paint))
            }
            (Err(failure), Expected::Answered | Expected::Refused) => return Err(failure),
            (Ok(_), Expected::Refused) => {
                return Err(Failure::fault(format!("`{command}` should have been refused")));
            }
        };
        let sent = match requests {
            0 => "nothing was sent".to_owned(),
            1 => "1 request".to_owned(),
            count => format!("{count} requests"),
        };
        self.steps.push(json!({
            "title": step.title, "command": command, "requests": requests, "result": value,
        }));
        self.text(&format!(
            "\n{} {}\n   {}\n{}   {}\n",
            paint.bold(format!("{number}.")),
            paint.bold(step.title),
            paint.hint(format!("$ {command}")),
            indented(&text),
            paint.dim(sent),
        ))
    }

    fn end(&mut self, facts: &Facts) -> Result<(), Failure> {
        if self.json {
            let steps = std::mem::take(&mut self.steps);
            let document = json!({
                "steps": steps,
                "sandbox": facts.sandbox.json(),
                "tape": { "interactions": facts.on_tape, "used": facts.used },
                "network": false,
            });
            return print(self.out, &format!("{document:#}\n"));
        }
        let paint = self.look.out;
        let tape = format!(
            "{} of {} recorded exchanges used, in order; a request beyond them would have failed",
            facts.used, facts.on_tape
        );
        let time = format!(
            "{:.0} ms to start, {:.0} ms in all; {}",
            facts.ready.as_secs_f64() * 1e3,
            facts.total.as_secs_f64() * 1e3,
            facts.cache
        );
        let mut lines = facts.sandbox.lines();
        lines.extend([("tape", tape), ("time", time)]);
        let lines: String = lines
            .iter()
            .map(|(name, value)| format!("   {} {value}\n", paint.dim(format!("{name:<10}"))))
            .collect();
        self.text(&format!(
            "\n{}\n{lines}\n{}\n",
            paint.bold("What it ran in"),
            paint.good("No network was used.")
        ))
    }

    fn text(&mut self, text: &str) -> Result<(), Failure> {
        if self.json { Ok(()) } else { print(self.out, text) }
    }
}

fn print(out: &mut impl Write, text: &str) -> Result<(), Failure> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever read it has seen enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::machine(format!("cannot write to stdout: {error}")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// As the command itself would print it, shortened where a tour would drag.
fn summary(outcome: &Outcome, look: Look) -> String {
    let Shown { before, result, after } = match outcome {
        Outcome::Listed(list) => Shown {
            before: String::new(),
            result: excerpt(list, look).into_bytes(),
            after: table::list_summary(list, look.err),
        },
        Outcome::Described(_)
        | Outcome::Connected(_)
        | Outcome::Connections(_)
        | Outcome::Connection(_)
        | Outcome::Checked(_)
        | Outcome::Disconnected { .. }
        | Outcome::Function(_)
        | Outcome::Invoked { .. }
        | Outcome::Answered { .. } => outcome.show(look),
    };
    before + &shortened(&String::from_utf8_lossy(&result), look.out) + &after
}

/// Two functions of each region.
fn excerpt(list: &FunctionList, look: Look) -> String {
    let mut sorted: Vec<_> = list.functions.iter().collect();
    sorted.sort_by_key(|function| (&function.region, &function.name));
    let few: Vec<_> = sorted
        .chunk_by(|a, b| a.region == b.region)
        .flat_map(|region| region.iter().take(2))
        .map(|function| (*function).clone())
        .collect();
    let rest = list.functions.len() - few.len();
    let more =
        if rest > 0 { format!("{}\n", look.out.dim(format!("… and {rest} more"))) } else { String::new() };
    table::functions(&few, look) + &more
}

fn shortened(text: &str, paint: Paint) -> String {
    let count = text.lines().count();
    if count <= LINES {
        return text.to_owned();
    }
    let kept: String = text.lines().take(LINES - 1).map(|line| format!("{line}\n")).collect();
    format!("{kept}{}\n", paint.dim(format!("… and {} more lines", count - (LINES - 1))))
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("   {line}\n")).collect()
}

/// As it would be typed into a shell.
fn command_line(arguments: &[&str]) -> String {
    let quoted = arguments.iter().map(|argument| {
        let simple = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
        if argument.chars().all(simple) { (*argument).to_owned() } else { format!("'{argument}'") }
    });
    format!("gcf {}", quoted.collect::<Vec<_>>().join(" "))
}
