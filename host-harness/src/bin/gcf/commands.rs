//! The command line: each command, and the promises it makes about itself.
//!
//! A command is a file in `commands/`, with its arguments, its run, and the result it shows. Here it has a
//! line in [`Command`] and one in [`Command::kind`].

pub(crate) mod completions;
mod connect;
mod connections;
mod custom_api;
mod demo;
mod describe;
mod disconnect;
mod doctor;
#[cfg(test)]
mod foreign;
mod get;
pub(crate) mod help;
mod invoke;
mod list;
mod options;
mod reconnect;
mod restrict;
mod store;
mod supply;
mod tape;
#[cfg(test)]
mod tests;

use std::{pin::Pin, sync::LazyLock};

use clap::{Parser, Subcommand};

use self::{
    completions::Completions, connect::Connect, connections::Connections, custom_api::CustomApi, demo::Demo,
    describe::Describe, disconnect::Disconnect, doctor::Doctor, get::Get, invoke::Invoke, list::List,
    options::Options, reconnect::Reconnect, restrict::Restrict, store::Store, supply::Supply, tape::Tapes,
};
use crate::{
    context::{Context, Global},
    output::{
        exit::{EXIT_CODES, Exit},
        failure::Failure,
        progress::Progress,
        shown::Outcome,
        style::Look,
    },
};

/// Google Cloud Functions from a sandboxed WebAssembly component
#[derive(Debug, Parser)]
#[command(name = "gcf", version, long_version = VERSION.as_str(), after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Everything that a report of a fault should say.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    #[cfg(feature = "embedded")]
    let component = format!(
        "{} KB, sha256 {}",
        gcf_host::embedded::CONNECTOR.len().div_ceil(1000),
        &gcf_host::embedded::SHA256[..16]
    );
    #[cfg(not(feature = "embedded"))]
    let component = "none inside";
    format!(
        "{}\ncommit     {}\ncomponent  {component}\ncontract   {}\nengine     wasmtime {}",
        env!("CARGO_PKG_VERSION"),
        env!("GCF_COMMIT"),
        gcf_host::CONTRACT,
        env!("GCF_ENGINE"),
    )
});

// In the order of the help.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(Demo),
    Describe(Describe),
    Connect(Box<Connect>),
    Reconnect(Box<Reconnect>),
    Restrict(Restrict),
    Connections(Connections),
    Doctor(Doctor),
    Supply(Supply),
    Store(Store),
    List(List),
    Options(Options),
    Get(Get),
    Invoke(Box<Invoke>),
    CustomApi(CustomApi),
    Tape(Tapes),
    Disconnect(Disconnect),
    Completions(Completions),
}

impl Command {
    /// The way this command runs.
    pub(crate) fn kind(self) -> Kind {
        use Kind::{Alone, InContext};
        match self {
            Self::Demo(command) => Alone(Box::new(command)),
            Self::Describe(command) => InContext(Box::new(command)),
            Self::Connect(command) => InContext(command),
            Self::Reconnect(command) => InContext(command),
            Self::Restrict(command) => InContext(Box::new(command)),
            Self::Connections(command) => InContext(Box::new(command)),
            Self::Doctor(command) => InContext(Box::new(command)),
            Self::Supply(command) => InContext(Box::new(command)),
            Self::Store(command) => InContext(Box::new(command)),
            Self::List(command) => InContext(Box::new(command)),
            Self::Options(command) => InContext(Box::new(command)),
            Self::Get(command) => InContext(Box::new(command)),
            Self::Invoke(command) => InContext(command),
            Self::CustomApi(command) => InContext(Box::new(command)),
            Self::Tape(command) => Alone(Box::new(command)),
            Self::Disconnect(command) => InContext(Box::new(command)),
            Self::Completions(command) => Alone(Box::new(command)),
        }
    }
}

/// The two ways in which commands run.
pub(crate) enum Kind {
    /// Without a host and a store of the user's.
    Alone(Box<dyn Alone>),
    /// In a [`Context`], with one result.
    InContext(Box<dyn Run>),
}

/// A command that runs in a [`Context`]. What it does not say of itself is no.
pub(crate) trait Run {
    /// Tells whether `--plan` goes with it.
    fn planning(&self) -> Planning {
        Planning::Impossible
    }

    /// Tells whether an argument of its own names the connection; `--connection` beside it is refused.
    fn names_connection(&self) -> bool {
        false
    }

    /// Shows how far it is, where that can take a while.
    fn progress(&self) -> Progress {
        Progress::hidden()
    }

    /// Tells whether its result is a list, which has rows ([`Outcome::rows`]).
    fn lists(&self) -> bool {
        false
    }

    /// Tells whether it reads or writes the store.
    fn needs_store(&self) -> bool {
        true
    }

    /// Runs the command. A call that can be planned goes through [`Context::call`].
    fn run(self: Box<Self>, context: &Context) -> Running<'_>;
}

/// A command under way.
pub(crate) type Running<'c> = Pin<Box<dyn Future<Output = Result<Box<dyn Outcome>, Failure>> + 'c>>;

/// A command that needs no [`Context`], and prints its result itself.
pub(crate) trait Alone {
    /// Runs the command.
    fn run(self: Box<Self>, global: &Global, look: Look) -> RunningAlone<'_>;
}

/// A command under way that has no [`Context`].
pub(crate) type RunningAlone<'g> = Pin<Box<dyn Future<Output = Result<Exit, Failure>> + 'g>>;

/// The answer of a command to `--plan`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Planning {
    /// It sends requests, through [`Context::call`].
    Possible,
    /// A person would have to come back from a browser first.
    AfterBrowser,
    /// It sends no request.
    Impossible,
}

impl Planning {
    /// Refuses `--plan` where there is no call to plan: the command would do what it was told not to.
    pub(crate) fn refuse(self) -> Result<(), Failure> {
        match self {
            Self::Possible => Ok(()),
            Self::AfterBrowser => Err(Failure::input("signing in with a browser cannot be planned")
                .with_fix("run it without --plan: nothing is kept before you have come back")),
            Self::Impossible => Err(Failure::input("--plan does not go with this command").with_fix(
                "it goes with what sends requests: connect, reconnect, doctor, list, options, get, invoke, custom-api and disconnect",
            )),
        }
    }
}
