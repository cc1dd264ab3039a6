//! The tour: real commands, parsed and run as they are printed, on a tape that ships with the source.

mod folder;
mod sandbox;

use std::{
    io::{self, Write},
    path::Path,
    time::{Duration, Instant},
};

use clap::Parser as _;
use gcf_host::{
    tape::Tape,
    wit::{
        functions::{Function, FunctionList},
        types::ErrorKind,
    },
};
use serde_json::{Value, json};

use crate::{
    cli::Cli,
    commands::{demo::sandbox::Sandbox, run},
    context::{Context, Global},
    output::{
        failure::{Exit, Failure},
        outcome::{Outcome, Shown},
        style::{Look, Paint, plain},
        table,
    },
};

const TAPE: &str = include_str!("../../../../../tests/cassettes/demo.json");

/// A key made for this demo: no account knows it.
const KEY: &str = include_str!("../../../../../tests/fixtures/demo-key.json");

/// More lines of a result than this are counted instead of shown.
const LINES: usize = 12;

struct Step {
    title: &'static str,
    /// Whether the short tour shows it.
    short: bool,
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
        short: true,
        arguments: &["connect", "--nickname", "demo", "--credentials", "key.json", "--if-absent"],
        expected: Expected::Answered,
    },
    Step {
        title: "List functions of both generations and of Cloud Run, in every region",
        short: true,
        arguments: &["list", "--page-size", "40"],
        expected: Expected::Answered,
    },
    Step {
        title: "Invoke one: it gets an ID token made for it alone",
        short: true,
        arguments: &["invoke", "hello-http", "--region", "us-central1", "--data", r#"{"name":"world"}"#],
        expected: Expected::Answered,
    },
    Step {
        title: "Call any other Google API",
        short: false,
        arguments: &["custom-api", "GET", "/v2/projects/demo-project/locations"],
        expected: Expected::Answered,
    },
    Step {
        title: "Try to send the access token somewhere else",
        short: true,
        arguments: &["custom-api", "GET", "https://evil.example/"],
        expected: Expected::Refused,
    },
];

/// Runs the tour, and prints each step as soon as it is done. Leaves a folder to go on in, if one is named.
pub(crate) async fn demo(
    global: &Global,
    long: bool,
    into: Option<&Path>,
    look: Look,
) -> Result<(), Failure> {
    if let Some(folder) = into {
        folder::refuse_what_is_there(folder)?;
    }
    let mut out = io::stdout();
    tour(global, long, look, into.is_none(), &mut out).await?;
    if let Some(folder) = into {
        let next = folder::leave(global, folder).await?;
        if !global.json {
            print(&mut out, &next.text(look.out))?;
        }
    }
    Ok(())
}

async fn tour(
    global: &Global,
    long: bool,
    look: Look,
    ends: bool,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let started = Instant::now();
    let tape = Tape::from_json(TAPE).map_err(|error| Failure::fault(format!("the demo's tape: {error}")))?;
    let on_tape = tape.interactions().len();
    let (context, replay) = Context::embedded(global, tape, KEY)?;
    let ready = started.elapsed();
    let steps = Vec::new();
    let mut printer = Printer { look: look.for_people(), json: global.json, long, ends, steps, out };

    printer.text(&format!(
        "{}\n{}\n",
        look.out.bold("Google Cloud Functions connector"),
        "The connector's .wasm, in a sandbox, on responses from a tape. No account, no network."
    ))?;
    for (number, step) in STEPS.iter().enumerate() {
        let before = replay.remaining();
        let result = perform(&context, step).await;
        printer.step(number + 1, step, result, before - replay.remaining())?;
    }
    let sandbox = Sandbox::of(&context.component)?;
    context.finish(Ok(())).await?;
    let facts = Facts {
        sandbox,
        on_tape,
        used: on_tape - replay.remaining(),
        cache: context.host.cache_use().to_string(),
        ready,
        total: started.elapsed(),
    };
    printer.end(&facts)
}

async fn perform(context: &Context, step: &Step) -> Result<Outcome, Failure> {
    run(context, parse(step)?.command).await
}

fn parse(step: &Step) -> Result<Cli, Failure> {
    Cli::try_parse_from(["gcf"].iter().chain(step.arguments))
        .map_err(|error| Failure::fault(format!("the demo's own command line: {error}")))
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

impl Facts {
    fn time(&self) -> String {
        format!(
            "{:.0} ms to start, {:.0} ms in all",
            self.ready.as_secs_f64() * 1e3,
            self.total.as_secs_f64() * 1e3
        )
    }
}

struct Printer<'a, W> {
    look: Look,
    json: bool,
    long: bool,
    /// Whether nothing comes after the tour.
    ends: bool,
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
            (Ok(outcome), Expected::Answered) if self.long => (outcome.json(), summary(&outcome, self.look)),
            (Ok(outcome), Expected::Answered) => (outcome.json(), gist(&outcome, self.look)),
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
        if !self.long {
            let shown = format!("\n{}\n{text}", paint.hint(format!("$ {command}")));
            return if step.short { self.text(&shown) } else { Ok(()) };
        }
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
        let text = if self.long { self.all(facts) } else { self.few(facts) };
        self.text(&text)
    }

    fn all(&self, facts: &Facts) -> String {
        let paint = self.look.out;
        let tape = format!(
            "{} of {} recorded exchanges used, in order; a request beyond them would have failed",
            facts.used, facts.on_tape
        );
        let time = format!("{}; {}", facts.time(), facts.cache);
        let mut lines = facts.sandbox.lines();
        lines.extend([("tape", tape), ("time", time)]);
        let lines: String = lines
            .iter()
            .map(|(name, value)| format!("   {}{}\n", paint.dim(format!("{name:<11}")), wrapped(value)))
            .collect();
        format!("\n{}\n{lines}\n{}\n", paint.bold("What it ran in"), paint.good("No network was used."))
    }

    fn few(&self, facts: &Facts) -> String {
        let paint = self.look.out;
        let next =
            "next: gcf demo --into DIR leaves a folder to try commands in; gcf demo --long says more\n";
        format!(
            "\n{}\n{}\n{}",
            paint.good(facts.sandbox.sentence()),
            paint.dim(format!("{} requests, all answered by the tape; {}", facts.used, facts.time())),
            if self.ends { next } else { "" }
        )
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
    let Shown { before, result, after } = outcome.show(look);
    let result = match outcome {
        Outcome::Listed { list, .. } => excerpt(list, look),
        Outcome::Described(_)
        | Outcome::Planned(_)
        | Outcome::Connected(_)
        | Outcome::Reconnected(_)
        | Outcome::Connections(_)
        | Outcome::Connection { .. }
        | Outcome::Checked { .. }
        | Outcome::Renamed(_)
        | Outcome::Restricted(_)
        | Outcome::Shared { .. }
        | Outcome::Unshared { .. }
        | Outcome::Supplied { .. }
        | Outcome::Stored { .. }
        | Outcome::Disconnected { .. }
        | Outcome::Offered { .. }
        | Outcome::Function(_)
        | Outcome::Invoked { .. }
        | Outcome::Answered { .. }
        | Outcome::Paged(_) => shortened(&String::from_utf8_lossy(&result), look.out),
    };
    before + &result + &after
}

/// What matters most of a result, in a few lines.
fn gist(outcome: &Outcome, look: Look) -> String {
    let Shown { before, result, after } = outcome.show(look);
    match outcome {
        Outcome::Connected(connected) => {
            let connection = &connected.connection;
            format!(
                "{} {} to {} as {}\n",
                look.out.good("connected"),
                plain(&connection.nickname),
                plain(&connection.project),
                plain(&connection.account)
            )
        }
        Outcome::Listed { list, .. } => {
            let mut few: Vec<Function> = Vec::new();
            for function in &list.functions {
                if !few.iter().any(|chosen| chosen.generation == function.generation) {
                    few.push(function.clone());
                }
            }
            let shown = table::functions_in_short(&few, look.out);
            let said = after.lines().next().unwrap_or_default();
            format!("{shown}{}\n", look.out.dim(format!("… {said}")))
        }
        Outcome::Described(_)
        | Outcome::Planned(_)
        | Outcome::Reconnected(_)
        | Outcome::Connections(_)
        | Outcome::Connection { .. }
        | Outcome::Checked { .. }
        | Outcome::Renamed(_)
        | Outcome::Restricted(_)
        | Outcome::Shared { .. }
        | Outcome::Unshared { .. }
        | Outcome::Supplied { .. }
        | Outcome::Stored { .. }
        | Outcome::Disconnected { .. }
        | Outcome::Offered { .. }
        | Outcome::Function(_)
        | Outcome::Invoked { .. }
        | Outcome::Answered { .. }
        | Outcome::Paged(_) => before + &String::from_utf8_lossy(&result),
    }
}

/// From each region, the first function of each generation.
fn excerpt(list: &FunctionList, look: Look) -> String {
    let mut few: Vec<Function> = Vec::new();
    for function in &list.functions {
        let alike =
            |chosen: &Function| chosen.region == function.region && chosen.generation == function.generation;
        if !few.iter().any(alike) {
            few.push(function.clone());
        }
    }
    let rest = list.functions.len() - few.len();
    let more =
        if rest > 0 { format!("{}\n", look.out.dim(format!("… and {rest} more"))) } else { String::new() };
    table::functions(&few, false, look) + &more
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

/// In lines of some 85 characters, as far in as the facts stand.
fn wrapped(text: &str) -> String {
    let mut wrapped = String::new();
    let mut width = 0;
    for word in text.split(' ') {
        let longer = width + 1 + word.chars().count();
        if width > 0 && longer > 85 {
            wrapped += &format!("\n{:14}", "");
            width = 0;
        } else if width > 0 {
            wrapped.push(' ');
        }
        wrapped += word;
        width = if width == 0 { word.chars().count() } else { longer };
    }
    wrapped
}

/// As it would be typed into a shell.
fn command_line(arguments: &[&str]) -> String {
    let quoted = arguments.iter().map(|argument| {
        let simple = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
        if argument.chars().all(simple) { (*argument).to_owned() } else { format!("'{argument}'") }
    });
    format!("gcf {}", quoted.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_quoted_for_a_shell() {
        assert_eq!(
            command_line(&["invoke", "f", "--data", r#"{"a":1}"#]),
            r#"gcf invoke f --data '{"a":1}'"#
        );
        assert_eq!(
            command_line(&["custom-api", "GET", "https://a.example/"]),
            "gcf custom-api GET https://a.example/"
        );
    }

    #[test]
    fn every_step_is_a_command_that_can_be_typed() {
        for step in STEPS {
            assert!(parse(&step).is_ok(), "{}", step.title);
        }
    }

    #[test]
    fn long_results_are_counted_and_short_ones_kept() {
        assert_eq!(shortened("a\nb\n", Paint::none()), "a\nb\n");
        let long = "x\n".repeat(LINES + 5);
        let short = shortened(&long, Paint::none());
        assert_eq!(short.lines().count(), LINES);
        assert!(short.ends_with("… and 6 more lines\n"), "{short}");
    }

    #[test]
    fn long_facts_are_wrapped() {
        assert_eq!(wrapped("a b"), "a b");
        let text = wrapped(&"word ".repeat(40));
        assert!(text.lines().all(|line| line.chars().count() <= 14 + 85), "{text}");
        assert_eq!(text.split_whitespace().count(), 40);
    }
}
