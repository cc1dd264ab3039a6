//! `gcf completions`: scripts for shells.

use clap::{Args, CommandFactory as _};

use super::{Alone, Cli, RunningAlone};
use crate::{
    context::Global,
    output::{exit::Exit, shown::write_result, style::Look},
};

/// Print what a shell needs to complete this command, such as `source <(gcf completions bash)`
#[derive(Debug, Args)]
pub(crate) struct Completions {
    #[arg(value_name = "SHELL")]
    shell: clap_complete::Shell,
}

impl Alone for Completions {
    fn run<'g>(self: Box<Self>, _global: &'g Global, _look: Look) -> RunningAlone<'g> {
        Box::pin(async move {
            let mut script = Vec::new();
            clap_complete::generate(self.shell, &mut Cli::command(), "gcf", &mut script);
            write_result(&script).map(|()| Exit::Done)
        })
    }
}
