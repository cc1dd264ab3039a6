//! The options of every command.

use std::{fmt, path::PathBuf, time::Duration};

use clap::{ArgMatches, Args, ValueEnum, parser::ValueSource};
use gcf_host::{tape::Mode, transport::OriginRule};

use crate::{
    input::values,
    output::{failure::Failure, format::Format},
};

#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// The connection, by its id or nickname; not needed for the only one, or for the default, which
    /// `gcf connections use` sets
    #[arg(long, global = true, value_name = "ID", env = "GCF_CONNECTION", hide_env_values = true)]
    pub(crate) connection: Option<String>,

    /// Run the component in this file instead of the one inside this program
    #[arg(long, global = true, value_name = "FILE", env = "GCF_COMPONENT", hide_env_values = true)]
    pub(crate) component: Option<PathBuf>,

    /// The folder of connections and their secrets, encrypted; by default ~/.local/share/gcf. With
    /// GCF_SECRETS set and no --store, a read-only store is read from that variable
    #[arg(long, global = true, value_name = "DIR", env = "GCF_STORE", hide_env_values = true)]
    pub(crate) store: Option<PathBuf>,

    /// The file with the key that encrypts the store, made at first use; by default GCF_KEY_FILE, or
    /// ~/.config/gcf/key.txt. With GCF_PASSPHRASE set, the key is in the store, encrypted with that
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,

    /// Answer every request from this tape and never from the network. The store is read and not changed:
    /// what is written stays in memory. Without --store it is empty
    #[arg(long, global = true, value_name = "FILE", env = "GCF_REPLAY", hide_env_values = true)]
    pub(crate) replay: Option<PathBuf>,

    /// With --replay: begin with this store, and keep there what a replay that went well has left. For replays
    /// only: its tokens are placeholders
    #[arg(long, global = true, value_name = "DIR", env = "GCF_REPLAY_STORE", hide_env_values = true)]
    pub(crate) replay_store: Option<PathBuf>,

    /// With --replay, one of: replay (a request that is not on the tape fails), stub (answers come in any
    /// order, as often as asked), once (records the tape if it is not there), new-episodes (sends what is
    /// not on the tape, and adds it), record, passthrough
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "MODE",
        hide_possible_values = true,
        env = "GCF_TAPE_MODE",
        hide_env_values = true
    )]
    pub(crate) tape_mode: Option<TapeMode>,

    /// Write requests and answers to this tape, with secrets replaced; an earlier tape of the name is kept
    /// beside it
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,

    /// With --record: write behind what is on the tape already, so that several commands make the
    /// tape of one session; each of them is replayed with --tape-mode stub
    #[arg(long, global = true, requires = "record")]
    pub(crate) append: bool,

    /// Call a project, an account or anything else NEW on the tape, while recording, and while replaying
    /// under the OLD name (repeatable)
    #[arg(long, global = true, value_name = "OLD=NEW", value_parser = values::pair)]
    pub(crate) rename: Vec<(String, String)>,

    /// Print one JSON document, and errors as JSON on stderr; the same as -o json
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// The format of the result: table, json, yaml; for lists also csv, and name, which prints a line for
    /// each that other commands take
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        value_name = "FORMAT",
        hide_possible_values = true,
        conflicts_with = "json"
    )]
    pub(crate) output: Option<Format>,

    /// Show each request on stderr as it is sent and answered: method, host, path, kind of token, status,
    /// time. No secret, query or body is shown
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,

    /// Print the requests that would be sent, and send nothing
    #[arg(long, global = true)]
    pub(crate) plan: bool,

    /// Give up after this many seconds; fractions are allowed
    #[arg(long, global = true, value_name = "SECONDS", value_parser = values::seconds)]
    pub(crate) timeout: Option<Duration>,

    /// Send requests for this https origin to a loopback server instead (repeatable), such as
    /// `https://cloudfunctions.googleapis.com=http://127.0.0.1:8080`
    #[arg(long, global = true, value_name = "ORIGIN=URL")]
    pub(crate) map: Vec<OriginRule>,

    /// Go through this HTTP proxy, such as `http://proxy.example.com:3128`, or `env` for the one that HTTPS_PROXY
    /// names. Everybody on this machine can read options, so give a user name and a password in GCF_PROXY
    #[arg(long, global = true, value_name = "URL", env = "GCF_PROXY", hide_env_values = true)]
    pub(crate) proxy: Option<ProxyUrl>,

    /// Trust the certificates in this PEM file too
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,

    /// Let the component send only what this file lists, in the form of `egress` in `gcf describe --json`.
    /// A component that declares more than the connector needs it
    #[arg(long, global = true, value_name = "FILE", env = "GCF_EGRESS", hide_env_values = true)]
    pub(crate) egress: Option<PathBuf>,

    /// Let the component sign with the key itself, inside the sandbox
    #[arg(long, global = true)]
    pub(crate) no_host_signing: bool,
}

/// The URL of a proxy as it was given. It may hold a password, so nothing prints it.
#[derive(Clone)]
pub(crate) struct ProxyUrl(pub(super) String);

impl From<String> for ProxyUrl {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProxyUrl([secret])")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
// The help of the option says what each does, in one breath: a list would double the help of every command.
pub(crate) enum TapeMode {
    Replay,
    Stub,
    Once,
    NewEpisodes,
    Record,
    Passthrough,
}

impl Global {
    /// The format of the result.
    pub(crate) fn format(&self) -> Format {
        if self.json { Format::Json } else { self.output.unwrap_or_default() }
    }

    /// The mode of the tape that `--replay` names.
    pub(super) fn mode(&self) -> Mode {
        match self.tape_mode.unwrap_or(TapeMode::Replay) {
            TapeMode::Replay => Mode::Replay,
            TapeMode::Stub => Mode::Stub,
            TapeMode::Once => Mode::Once,
            TapeMode::NewEpisodes => Mode::NewEpisodes,
            TapeMode::Record => Mode::Record,
            TapeMode::Passthrough => Mode::Passthrough,
        }
    }

    /// Refuses an option of the tape that goes without the other options. A variable counts only for a command
    /// that has a tape (`heeds_variables`): it is set for many.
    pub(crate) fn refuse_half_a_tape(&self, given: Given, heeds_variables: bool) -> Result<(), Failure> {
        let counts = |on_the_line: bool| on_the_line || heeds_variables;
        if self.record.is_some() && self.replay.is_some() && counts(given.replay) {
            return Err(if given.replay {
                Failure::input("a command plays a tape or records one: not --replay and --record").with_fix(
                    "leave one out; --replay FILE --tape-mode new-episodes adds to a tape what is not on it",
                )
            } else {
                Failure::input("GCF_REPLAY is set, so this command plays a tape and cannot record one")
                    .with_fix("unset GCF_REPLAY; for one command: GCF_REPLAY= gcf …")
            });
        }
        if self.replay_store.is_some() && given.store && counts(given.replay_store) {
            return Err(if given.replay_store {
                Failure::input("a command has one store: not --store and --replay-store")
                    .with_fix("leave one out")
            } else {
                Failure::input("GCF_REPLAY_STORE is set, and --store names another store")
                    .with_fix("leave --store out, or for one command: GCF_REPLAY_STORE= gcf …")
            });
        }
        let mode = ("--tape-mode", "GCF_TAPE_MODE", self.tape_mode.is_some(), given.tape_mode);
        let store = ("--replay-store", "GCF_REPLAY_STORE", self.replay_store.is_some(), given.replay_store);
        for (option, variable, is_set, on_the_line) in [mode, store] {
            if self.replay.is_some() || !is_set || !counts(on_the_line) {
                continue;
            }
            return Err(if on_the_line {
                Failure::input(format!("{option} is for a tape that is played, and none is named"))
                    .with_fix("name it with --replay FILE, or set GCF_REPLAY")
            } else {
                Failure::input(format!("{variable} is set, but not GCF_REPLAY: there is no tape to play"))
                    .with_fix(format!(
                        "set GCF_REPLAY or name the tape with --replay FILE, or unset {variable}"
                    ))
            });
        }
        Ok(())
    }

    /// Tells whether nothing but the tape answers.
    pub(super) fn only_plays(&self) -> bool {
        matches!(self.mode(), Mode::Replay | Mode::Stub)
    }
}

/// Tells of some options of every command whether they stand on the command line, and not only in the
/// environment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given {
    pub(crate) connection: bool,
    replay: bool,
    replay_store: bool,
    store: bool,
    tape_mode: bool,
}

impl Given {
    /// Of a command line that was parsed.
    pub(crate) fn of(matches: &ArgMatches) -> Self {
        let given = |name| matches.value_source(name) == Some(ValueSource::CommandLine);
        Self {
            connection: given("connection"),
            replay: given("replay"),
            replay_store: given("replay_store"),
            store: given("store"),
            tape_mode: given("tape_mode"),
        }
    }
}
