//! `gcf completions`: scripts for shells, which ask this program for what can follow.

mod candidates;

use std::{env, ffi::OsString};

use clap::{Args, Command, CommandFactory as _};
use clap_complete::{CompleteEnv, env::Shells};

use super::{Alone, Cli, RunningAlone};
use crate::{
    context::Global,
    output::{exit::Exit, failure::Failure, shown::write_result, style::Look},
};

/// Set to the name of a shell by its script. Of its own, for `COMPLETE` may be anybody's.
const VARIABLE: &str = "GCF_COMPLETE";

/// Print what a shell needs to complete this command, with the names of connections, functions and regions that
/// were seen last; such as `source <(gcf completions bash)`
#[derive(Debug, Args)]
pub(crate) struct Completions {
    #[arg(value_name = "SHELL")]
    shell: clap_complete::Shell,
}

impl Alone for Completions {
    fn run<'g>(self: Box<Self>, _global: &'g Global, _look: Look) -> RunningAlone<'g> {
        Box::pin(async move {
            let script = script(&self.shell.to_string(), env::args_os().next());
            let script =
                script.map_err(|error| Failure::machine(format!("cannot make the script: {error}")))?;
            write_result(&script).map(|()| Exit::Done)
        })
    }
}

/// The script, which calls this program as it was called itself: by a name on the path, or in its place.
fn script(shell: &str, called: Option<OsString>) -> std::io::Result<Vec<u8>> {
    let by_name = called.as_ref().is_none_or(|called| !called.to_string_lossy().contains(['/', '\\']));
    let program = if by_name { "gcf".into() } else { env::current_exe()?.into_os_string() };
    let mut script = Vec::new();
    if let Some(completer) = Shells::builtins().completer(shell) {
        completer.write_registration(VARIABLE, "gcf", "gcf", &program.to_string_lossy(), &mut script)?;
    }
    Ok(script)
}

/// Answers a shell that asks what can follow; tells whether one did. What goes wrong then is no word on somebody's
/// command line.
pub(crate) fn answer() -> bool {
    if env::var_os(VARIABLE).is_none_or(|shell| shell.is_empty()) {
        return false;
    }
    let _ = CompleteEnv::with_factory(command).var(VARIABLE).bin("gcf").try_complete(env::args_os(), None);
    true
}

fn command() -> Command {
    let words = words();
    // Whoever has not begun an option looks for a name, or for an option of this very command.
    let begins_option = words.last().is_some_and(|word| word.to_string_lossy().starts_with('-'));
    let shown = |option: clap::Arg| {
        let hidden = option.is_global_set() && !begins_option;
        option.hide(hidden)
    };
    candidates::with(Cli::command().mut_args(shown), &words)
}

/// The words of the command line that is completed.
fn words() -> Vec<OsString> {
    env::args_os().skip_while(|word| word != "--").skip(1).collect()
}
