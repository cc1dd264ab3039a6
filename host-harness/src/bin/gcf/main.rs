//! `gcf`: Google Cloud Functions on the command line, through the sandboxed component.
//!
//! A thin program over the library [`gcf_host`]: it reads arguments, makes one call, and prints what
//! came of it.

mod cli;
mod commands;
mod context;
mod input;
mod output;
mod sign_in;

use std::{
    env,
    ffi::OsStr,
    io::{self, Write as _},
    process::ExitCode,
};

use clap::{CommandFactory as _, FromArgMatches as _, parser::ValueSource};
use gcf_host::CacheUse;

use crate::{
    cli::{Cli, Command, CustomApi},
    context::{Context, Global},
    output::{
        failure::{Exit, Failure},
        outcome::{Outcome, Shown},
        progress::{Listing, Progress},
        style::{Look, plain},
    },
};

fn main() -> ExitCode {
    #[cfg(unix)]
    forbid_core_dumps();
    let look = Look::detect();
    let parsed = heeding_no_empty_variables(Cli::command()).try_get_matches().and_then(|matches| {
        let names = matches.value_source("connection") == Some(ValueSource::CommandLine);
        Ok((Cli::from_arg_matches(&matches)?, names))
    });
    let (Cli { command, global }, names_connection) = match parsed {
        Ok(parsed) => parsed,
        // Nothing is parsed yet, so whether a program asked is seen from the bare word.
        Err(error) if error.use_stderr() && env::args_os().any(|argument| argument == "--json") => {
            let text = error.to_string();
            return fail(&Failure::input(text.trim_start_matches("error: ").trim_end()), true, look);
        }
        Err(error) => error.exit(),
    };
    if names_connection && let Err(failure) = input::choice::refuse_contradiction(&command) {
        return fail(&failure, global.json, look);
    }
    let done = tokio::runtime::Builder::new_multi_thread()
        // One for the call, one for what drives its connections.
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::machine(format!("cannot start: {error}")))
        .and_then(|runtime| runtime.block_on(execute(command, &global, look)));
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => fail(&failure, global.json, look),
    }
}

/// A variable of the environment that is set to nothing counts as not set, as elsewhere: that is how a script
/// takes one back for one command.
fn heeding_no_empty_variables(command: clap::Command) -> clap::Command {
    let empty = |name: &OsStr| env::var_os(name).is_some_and(|value| value.is_empty());
    let heeding = |argument: clap::Arg| {
        if argument.get_env().is_some_and(empty) { argument.env(None::<&'static str>) } else { argument }
    };
    command.mut_args(heeding).mut_subcommands(|command| command.mut_args(heeding))
}

/// A core dump would hold the keys and tokens that are in memory. Lowering a limit is allowed to everybody; where it fails
/// all the same, there is nobody who could do better.
#[cfg(unix)]
fn forbid_core_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};

    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

fn fail(failure: &Failure, json: bool, look: Look) -> ExitCode {
    let text = if json { format!("{:#}\n", failure.json()) } else { failure.text(look.err) };
    // If stderr is closed there is nobody left to tell; the exit code still does.
    let _ = io::stderr().write_all(text.as_bytes());
    failure.exit.into()
}

async fn execute(command: Command, global: &Global, look: Look) -> Result<Exit, Failure> {
    if global.plan {
        output::plan::refuse(&command)?;
    }
    if let Command::Demo { long, into } = command {
        return commands::demo::demo(global, long, into.as_deref(), look).await.map(|()| Exit::Done);
    }
    if let Command::Tape { action } = command {
        return commands::tape::tape(action, global, look);
    }
    if let Command::Completions { shell } = command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "gcf", &mut script);
        return write_result(&script).map(|()| Exit::Done).map_err(|error| unwritten(&error));
    }
    let progress = match command {
        Command::List(_) => Progress::spinner(Listing::Functions),
        Command::CustomApi(CustomApi { all_pages: true, .. }) => Progress::spinner(Listing::Anything),
        Command::Demo { .. }
        | Command::Completions { .. }
        | Command::Describe { .. }
        | Command::Connect(_)
        | Command::Connections { .. }
        | Command::Reconnect(_)
        | Command::Restrict(_)
        | Command::Doctor { .. }
        | Command::Supply { .. }
        | Command::Tape { .. }
        | Command::Store
        | Command::Get(_)
        | Command::Options(_)
        | Command::Invoke(_)
        | Command::CustomApi(_)
        | Command::Disconnect { .. } => Progress::hidden(),
    };
    let mut forgotten = false;
    let done = match Context::open(global, !matches!(command, Command::Describe { .. }), progress.observer())
    {
        Ok(context) => {
            forgotten = context.forgets();
            if !global.json
                && let CacheUse::Unusable(_) = context.host.cache_use()
            {
                let _ = writeln!(
                    io::stderr(),
                    "{} {}",
                    look.err.warning("warning:"),
                    plain(&context.host.cache_use().to_string())
                );
            }
            let done = tokio::select! {
                done = commands::run(&context, command) => done,
                () = context.interrupted() => Err(Failure::machine("interrupted")
                    .with_fix("what was answered before that is on the tape")),
            };
            context.finish(done).await
        }
        Err(failure) => Err(failure),
    };
    progress.clear();
    let outcome = done?;
    print(&outcome, global.json, look).map_err(|error| unwritten(&error))?;
    if forgotten && !global.json && outcome.changes_connections() {
        let _ = writeln!(io::stderr(), "note: this was a replay, and the store is as it was before");
    }
    Ok(outcome.exit())
}

fn unwritten(error: &io::Error) -> Failure {
    Failure::machine(format!("cannot write the result: {error}"))
}

fn write_result(result: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(result).and_then(|()| out.flush()) {
        // Whoever read it, such as `head`, has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// The result to stdout, what a person wants to know about it to stderr.
fn print(outcome: &Outcome, json: bool, look: Look) -> io::Result<()> {
    let Shown { before, result, after } = if json {
        Shown { result: format!("{:#}\n", outcome.json()).into_bytes(), ..Shown::default() }
    } else {
        outcome.show(look)
    };
    let mut err = io::stderr().lock();
    err.write_all(before.as_bytes())?;
    write_result(&result)?;
    err.write_all(after.as_bytes())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn there_are_no_core_dumps() {
        forbid_core_dumps();
        let limit = rustix::process::getrlimit(rustix::process::Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
    }
}
