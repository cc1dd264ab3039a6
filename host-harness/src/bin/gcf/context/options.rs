//! The options of every command.

use std::{fmt, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use gcf_host::{tape::Mode, transport::OriginRule};

use crate::input::values;

#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// Which connection: its id or its nickname; not needed if there is exactly one
    #[arg(long, global = true, value_name = "ID", env = "GCF_CONNECTION", hide_env_values = true)]
    pub(crate) connection: Option<String>,

    /// Run the component in this file, and not the one inside this program
    #[arg(long, global = true, value_name = "FILE", env = "GCF_COMPONENT", hide_env_values = true)]
    pub(crate) component: Option<PathBuf>,

    /// Where connections and their secrets are kept, encrypted; by default ~/.local/share/gcf. With
    /// GCF_SECRETS set and no --store, a read-only store is taken from there
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
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        requires = "replay",
        env = "GCF_REPLAY_STORE",
        hide_env_values = true
    )]
    pub(crate) replay_store: Option<PathBuf>,

    /// With --replay: replay, and fail where the tape has no answer; stub, which answers in any order and as
    /// often as asked; once, which records a tape that is
    /// not there; new-episodes, which sends what is not on the tape and adds it; record; passthrough
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "MODE",
        hide_possible_values = true,
        requires = "replay",
        env = "GCF_TAPE_MODE",
        hide_env_values = true
    )]
    pub(crate) tape_mode: Option<TapeMode>,

    /// Write what is sent and answered to this tape, without the secrets that their names, shapes or
    /// values tell; an earlier one is kept beside it
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "replay")]
    pub(crate) record: Option<PathBuf>,

    /// With --record: write behind what is on the tape already, so that several commands make the
    /// tape of one session
    #[arg(long, global = true, requires = "record")]
    pub(crate) append: bool,

    /// Give a project, an address or another name a new one on the tape, while it is recorded, and while it
    /// is replayed with the old one (repeatable)
    #[arg(long, global = true, value_name = "OLD=NEW", value_parser = values::pair)]
    pub(crate) rename: Vec<(String, String)>,

    /// Print one JSON document, and errors as JSON on stderr
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Say what would be sent, and send nothing
    #[arg(long, global = true)]
    pub(crate) plan: bool,

    /// Give up after so many seconds; fractions are allowed
    #[arg(long, global = true, value_name = "SECONDS", value_parser = values::seconds)]
    pub(crate) timeout: Option<Duration>,

    /// Send what is meant for exactly this https origin to a loopback server (repeatable), such as
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

    /// Let the component send only what this file lists, in the form of `egress` in `gcf describe --json`;
    /// one that declares more than the connector is not taken without it
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

    /// Tells whether nothing but the tape answers.
    pub(super) fn only_plays(&self) -> bool {
        matches!(self.mode(), Mode::Replay | Mode::Stub)
    }
}
