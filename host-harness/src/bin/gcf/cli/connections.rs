//! What can be said of connections: making them, renewing them, and what each may do.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::input::values;

const SHARING: &str = "\
How it goes:
  1. they run `gcf store`, and send you the recipient that it prints
  2. you run `gcf connections share ID --to RECIPIENT`
  3. you give them a copy of this store's folder; of the rest in it, they can read nothing
  4. they run `gcf --store FOLDER connections`, with their own key

A copy does not follow what happens here: after a reconnect, give them another one.";

/// Google Cloud Functions from a sandboxed WebAssembly component

#[derive(Debug, Args)]
pub(crate) struct Connect {
    /// A name for people
    #[arg(long, value_name = "NAME")]
    pub(crate) nickname: String,
    /// If there is a connection of this nickname, show it and leave everything as it is
    #[arg(long)]
    pub(crate) if_absent: bool,
    /// A project id or number, or a console URL with ?project=…; by default the credential's own
    #[arg(long)]
    pub(crate) project: Option<String>,
    /// The default region, us-central1 if left out: what forms offer first, and where a bare name is
    /// looked for if functions may not be listed
    #[arg(long)]
    pub(crate) region: Option<String>,
    #[command(flatten)]
    pub(crate) credential: Credential,
    #[command(flatten)]
    pub(crate) invoker: Invoker,
    #[command(flatten)]
    pub(crate) guard_rails: GuardRails,
}

/// What a connection may do, beyond what Google allows.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "What it may do, whatever Google allows")]
pub(crate) struct GuardRails {
    /// Only read: GET, HEAD and OPTIONS, and no events
    #[arg(long)]
    pub(crate) read_only: bool,
    /// Only functions of this region (repeatable)
    #[arg(long = "allow-region", value_name = "REGION")]
    pub(crate) regions: Vec<String>,
    /// Only invoke this function, or those that begin so: hello, or 'hello-*' (repeatable)
    #[arg(long = "allow-function", value_name = "NAME")]
    pub(crate) functions: Vec<String>,
    /// Only send this method (repeatable)
    #[arg(long = "allow-method", value_name = "METHOD", value_parser = values::method)]
    pub(crate) methods: Vec<String>,
    /// Send no larger body
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_body: Option<u64>,
    /// With custom-api, name no other project
    #[arg(long)]
    pub(crate) own_project: bool,
    /// Let functions receive ID tokens for this audience, besides their own, wherever they are (repeatable)
    #[arg(long = "allow-audience", value_name = "AUDIENCE")]
    pub(crate) audiences: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Restrict {
    /// The connection: its id or its nickname
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Let it do whatever Google allows
    #[arg(long)]
    pub(crate) none: bool,
    #[command(flatten)]
    pub(crate) guard_rails: GuardRails,
}

#[derive(Debug, Args)]
pub(crate) struct Reconnect {
    /// The connection: its id or its nickname
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) credential: Credential,
}

/// How a connection signs in: one of the first four.
#[derive(Debug, Args)]
#[command(next_help_heading = "How it signs in")]
pub(crate) struct Credential {
    #[command(flatten)]
    pub(crate) kind: CredentialKind,
    /// The OAuth client's JSON file, of a desktop app: Google Auth Platform, Clients
    #[arg(long, value_name = "FILE", requires = "oauth", env = "GCF_CLIENT", hide_env_values = true)]
    pub(crate) client: Option<PathBuf>,
    /// The Google account to offer first
    #[arg(long, value_name = "EMAIL", requires = "oauth")]
    pub(crate) login_hint: Option<String>,
    /// Accept accounts of this Google Workspace domain only
    #[arg(long, value_name = "DOMAIN", requires = "oauth")]
    pub(crate) hosted_domain: Option<String>,
    /// Open no browser, for use over SSH: print the address to open anywhere, and take from stdin the
    /// one that the browser ends at
    #[arg(long, requires = "oauth")]
    pub(crate) no_browser: bool,
    /// With an external_account: the name that `gcf supply NAME` gave its subject token, by default
    /// subject-token
    #[arg(long, value_name = "NAME", requires = "credentials")]
    pub(crate) subject_token: Option<String>,
    /// Whose key or token it is
    #[arg(long, value_name = "EMAIL", conflicts_with_all = ["oauth", "credentials"])]
    pub(crate) account: Option<String>,
    /// Google's id of the stored key
    #[arg(long, value_name = "ID", requires = "stored_key")]
    pub(crate) key_id: Option<String>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct CredentialKind {
    /// Sign in with Google in a browser; needs --client
    #[arg(long, requires = "client")]
    pub(crate) oauth: bool,
    /// A JSON file that Google handed out: a service account's key, an authorized user, an impersonated
    /// service account, or workload identity federation; - is stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) credentials: Option<PathBuf>,
    /// A private key that `gcf supply keys/NAME` put into the store, which signs with it; needs --account
    #[arg(long, value_name = "NAME", requires = "account")]
    pub(crate) stored_key: Option<String>,
    /// An access token that `gcf supply NAME` put into the store; supply the next before it expires
    #[arg(long, value_name = "NAME")]
    pub(crate) supplied_token: Option<String>,
}

/// Whose ID token functions receive.
#[derive(Debug, Args)]
#[command(next_help_heading = "Whose ID token functions receive")]
pub(crate) struct Invoker {
    /// `own` (a service account's key), `user` (yours; the service lists your OAuth client as a custom
    /// audience), `default` (PROJECT@appspot.gserviceaccount.com), or a service account's address
    #[arg(long, value_name = "WHO")]
    pub(crate) invoke_as: Option<String>,
    /// A service account on the way to it (repeatable)
    #[arg(long = "delegate", value_name = "EMAIL", requires = "invoke_as")]
    pub(crate) delegates: Vec<String>,
    /// Leave the service account's address out of its ID token
    #[arg(long, requires = "invoke_as")]
    pub(crate) without_email: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConnectionsAction {
    /// Show one connection
    Show {
        /// Its id or its nickname
        id: String,
    },
    /// Check each prerequisite of one connection
    Check {
        /// Its id or its nickname
        id: String,
    },
    /// Give one connection another nickname
    Rename {
        /// Its id or its nickname
        id: String,
        /// The new one
        nickname: String,
    },
    /// Say all that one connection may do from now on, in place of what was said before
    Restrict(Restrict),
    /// Let somebody else use one connection, from a copy of this store
    #[command(after_help = SHARING)]
    Share {
        /// Its id or its nickname
        id: String,
        /// Their public key, the recipient that `gcf store` prints for them: age1…
        #[arg(long, value_name = "RECIPIENT")]
        to: String,
    },
    /// No longer share one connection. They keep what they have seen: reconnect to shut them out
    Unshare {
        /// Its id or its nickname
        id: String,
        /// Their public key
        #[arg(long, value_name = "RECIPIENT")]
        from: String,
    },
    /// Remove one connection
    Disconnect {
        /// Its id or its nickname
        id: String,
    },
}
