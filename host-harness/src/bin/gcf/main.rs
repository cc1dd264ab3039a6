//! `gcf`: Google Cloud Functions on the command line, through the sandboxed component.
//!
//! A thin program over the library [`gcf_host`]: it reads arguments, makes one call, and prints what
//! came of it.

mod commands;
mod context;
mod input;
mod output;
mod sign_in;

use std::{
    env,
    ffi::{OsStr, OsString},
    io::{self, Write as _},
    process::ExitCode,
};

use clap::FromArgMatches as _;
use gcf_host::CacheUse;

use crate::{
    commands::{Cli, Command, Kind, Planning, Run, completions, help},
    context::{Context, Given, Global, interrupt},
    output::{
        exit::Exit,
        failure::Failure,
        format::Format,
        progress::{Progress, watching},
        shown::write_result,
        style::{Look, plain},
    },
};

fn main() -> ExitCode {
    #[cfg(unix)]
    forbid_core_dumps();
    if completions::answer() {
        return Exit::Done.into();
    }
    let look = Look::detect();
    if env::args_os().skip(1).eq(["help", "options"]) {
        return match write_result(help::options().as_bytes()) {
            Ok(()) => Exit::Done.into(),
            Err(failure) => fail(&failure, false, look),
        };
    }
    let parsed = heeding_no_empty_variables(help::command())
        .try_get_matches()
        .and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, Given::of(&matches))));
    let (Cli { command, global }, given) = match parsed {
        Ok(parsed) => parsed,
        // Nothing is parsed yet, so whether a program asked is seen from the bare word.
        Err(error) if error.use_stderr() && asks_for_json(env::args_os()) => {
            let text = error.to_string();
            return fail(&Failure::input(text.trim_start_matches("error: ").trim_end()), true, look);
        }
        Err(error) => error.exit(),
    };
    let done = tokio::runtime::Builder::new_multi_thread()
        // One for the call, one for what drives its connections.
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::machine(format!("cannot start: {error}"))
                .with_fix("the system gives no file or thread: `ulimit -a` shows how many it allows")
        })
        .and_then(|runtime| runtime.block_on(execute(command, given, &global, look)));
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => fail(&failure, global.format() == Format::Json, look),
    }
}

/// Tells whether the words of a command line ask for JSON, wherever they stand.
fn asks_for_json(words: impl Iterator<Item = OsString>) -> bool {
    let words: Vec<_> = words.collect();
    let one = |word: &OsString| ["--json", "-ojson", "--output=json"].iter().any(|json| word == json);
    let two = |pair: &[OsString]| (pair[0] == "-o" || pair[0] == "--output") && pair[1] == "json";
    words.iter().any(one) || words.windows(2).any(two)
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
    if failure.exit == Exit::Interrupted {
        interrupt::end();
    }
    failure.exit.into()
}

async fn execute(command: Command, given: Given, global: &Global, look: Look) -> Result<Exit, Failure> {
    match command.kind() {
        Kind::Alone(command) => {
            global.refuse_half_a_tape(given, false)?;
            if global.plan {
                Planning::Impossible.refuse()?;
            }
            global.format().refuse_rows()?;
            command.run(global, look).await
        }
        Kind::InContext(command) => {
            // They may name two, and one of them is about to be disconnected. `GCF_CONNECTION` is for many commands,
            // and no mistake; nor is the option where no connection is used.
            if given.connection && command.names_connection() {
                return Err(Failure::input("this command takes no --connection")
                    .with_fix("leave it out: the connection's id or nickname is an argument of its own"));
            }
            global.refuse_half_a_tape(given, true)?;
            if global.plan {
                command.planning().refuse()?;
            }
            if global.plan || !command.lists() {
                global.format().refuse_rows()?;
            }
            in_context(command, global, look).await
        }
    }
}

async fn in_context(command: Box<dyn Run>, global: &Global, look: Look) -> Result<Exit, Failure> {
    // Two writers of one screen would overwrite each other.
    let progress = if global.verbose { Progress::hidden() } else { command.progress() };
    let observer = if global.verbose { watching() } else { progress.observer() };
    if progress.is_shown() && global.record.is_none() && global.replay.is_none() {
        interrupt::clears(&progress);
    }
    let mut forgotten = false;
    let done = match Context::open(global, command.needs_store(), observer) {
        Ok(context) => {
            forgotten = context.forgets();
            if global.format() == Format::Table
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
                done = command.run(&context) => done,
                () = context.interrupted() => {
                    progress.clear_behind_an_echo();
                    Err(Failure::interrupted())
                }
            };
            let done = context.close(done).await;
            if let Some(leaves) = done.as_ref().ok().and_then(|(outcome, _)| outcome.leaves()) {
                context.remember(|names| names.note(leaves));
            }
            done
        }
        Err(failure) => Err(failure),
    };
    progress.clear();
    let (outcome, left_over) = done?;
    if let Some(failure) = left_over {
        // A change that the store has not taken is no result.
        if !outcome.changes_store() {
            outcome.print(global.format(), look)?;
        }
        return Err(failure);
    }
    outcome.print(global.format(), look)?;
    if forgotten && global.format() == Format::Table && outcome.changes_store() {
        let _ = writeln!(io::stderr(), "note: this was a replay, and the store is as it was before");
    }
    Ok(outcome.exit())
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
