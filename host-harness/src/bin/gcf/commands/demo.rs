//! `gcf demo`: real commands, parsed and run as they are printed, on a tape that ships with the source.

mod folder;
mod printer;
mod sandbox;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    time::Instant,
};

use clap::{Args, Parser as _};
use gcf_host::tape::Tape;

use self::{
    printer::{Facts, Printer, print},
    sandbox::Sandbox,
};
use super::{Alone, Cli, Command, Kind, Run, RunningAlone};
use crate::{
    context::{Context, Global},
    output::{exit::Exit, failure::Failure, format::Format, shown::Outcome, style::Look},
};

/// Show what it does, on responses from a tape: no account and no network needed
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Show all of each result, and what the component may reach
    #[arg(long)]
    long: bool,
    /// Leave a folder in which the same commands work, and others can be tried
    #[arg(long, value_name = "DIR", conflicts_with = "long")]
    into: Option<PathBuf>,
}

impl Alone for Demo {
    fn run(self: Box<Self>, global: &Global, look: Look) -> RunningAlone<'_> {
        Box::pin(
            async move { demo(global, self.long, self.into.as_deref(), look).await.map(|()| Exit::Done) },
        )
    }
}

const TAPE: &str = include_str!("../../../../../tests/cassettes/demo.json");

/// A key made for this demo: no account knows it.
const KEY: &str = include_str!("../../../../../tests/fixtures/demo-key.json");

struct Step {
    title: &'static str,
    /// In the short tour, too.
    short: bool,
    /// The words that a user would type after `gcf`.
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
async fn demo(global: &Global, long: bool, into: Option<&Path>, look: Look) -> Result<(), Failure> {
    if let Some(folder) = into {
        folder::make(folder)?;
    }
    let mut out = io::stdout();
    tour(global, long, look, into.is_none(), &mut out).await?;
    if let Some(folder) = into {
        let next = folder::leave(global, folder).await?;
        if global.format() != Format::Json {
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
    let mut printer =
        Printer { look: look.for_people(), json: global.format() == Format::Json, long, ends, steps, out };

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

async fn perform(context: &Context, step: &Step) -> Result<Box<dyn Outcome>, Failure> {
    in_context(parse(step)?.command)?.run(context).await
}

/// A command of the tour. The tour itself has no context to run in.
fn in_context(command: Command) -> Result<Box<dyn Run>, Failure> {
    match command.kind() {
        Kind::InContext(command) => Ok(command),
        Kind::Alone(_) => Err(Failure::fault("the demo's own command runs alone")),
    }
}

fn parse(step: &Step) -> Result<Cli, Failure> {
    Cli::try_parse_from(["gcf"].iter().chain(step.arguments))
        .map_err(|error| Failure::fault(format!("the demo's own command line: {error}")))
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
}
