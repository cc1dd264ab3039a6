//! The command line: what can be said, and what the help says about it.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use gcf_host::transport::OriginRule;

use crate::{
    bodies::{self, FilePart},
    inputs,
    tape::TapeAction,
};

const EXIT_CODES: &str = "\
Exit codes:
   0  done
   1  the call failed, or a check found something missing
   2  wrong usage, or an argument that cannot be used; nothing was sent
   3  not signed in: no such connection, or its credential is not accepted
   4  not allowed: a role is missing, an API is off, or the policy refused the target
   5  not found, or found more than once
   6  temporary: rate limit, outage, network or deadline; try again
   7  the replay did not match its tape
  22  invoke --fail, and the function's status is not 2xx
  70  a fault of the host or of the component; please report it

Results go to stdout, everything else to stderr.";

const CONNECT_USAGE: &str = "\
gcf connect --nickname NAME --oauth --client CLIENT.json [OPTIONS]
       gcf connect --nickname NAME --credentials FILE [OPTIONS]
       gcf connect --nickname NAME --stored-key KEY --account EMAIL [OPTIONS]
       gcf connect --nickname NAME --supplied-token TOKEN [OPTIONS]";

const RECONNECT_USAGE: &str = "\
gcf reconnect ID --oauth --client CLIENT.json [OPTIONS]
       gcf reconnect ID --credentials FILE [OPTIONS]
       gcf reconnect ID --stored-key KEY --account EMAIL [OPTIONS]
       gcf reconnect ID --supplied-token TOKEN [OPTIONS]";

const SHARING: &str = "\
How it goes:
  1. they run `gcf store`, and send you the recipient that it prints
  2. you run `gcf connections share ID --to RECIPIENT`
  3. you give them a copy of this store's folder; of the rest in it, they can read nothing
  4. they run `gcf --store FOLDER connections`, with their own key

A copy does not follow what happens here: after a reconnect, give them another one.";

/// Google Cloud Functions from a sandboxed WebAssembly component
#[derive(Debug, Parser)]
#[command(name = "gcf", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// Which connection: its id or its nickname; not needed if there is exactly one
    #[arg(long, global = true, value_name = "ID", env = "GCF_CONNECTION", hide_env_values = true)]
    pub(crate) connection: Option<String>,

    /// The component; by default gcf-connector.wasm beside this program or up to two folders above
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

    /// Answer every request from this tape and never from the network; the store is in memory
    /// unless --store is given
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) replay: Option<PathBuf>,

    /// With --replay: replay, and fail where the tape has no answer; once, which records a tape that is
    /// not there; new-episodes, which sends what is not on the tape and adds it; record; passthrough
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "MODE",
        hide_possible_values = true,
        requires = "replay"
    )]
    pub(crate) tape_mode: Option<TapeMode>,

    /// Write what is sent and answered to this tape, secrets redacted; an earlier one is kept beside it
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "replay")]
    pub(crate) record: Option<PathBuf>,

    /// Give a project, an address or another name a new one on the tape, while it is recorded, and while it
    /// is replayed with the old one (repeatable)
    #[arg(long, global = true, value_name = "OLD=NEW", value_parser = inputs::pair)]
    pub(crate) rename: Vec<(String, String)>,

    /// Print one JSON document, and errors as JSON on stderr
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Say what would be sent, and send nothing
    #[arg(long, global = true)]
    pub(crate) plan: bool,

    /// Give up after so many seconds; fractions are allowed
    #[arg(long, global = true, value_name = "SECONDS", value_parser = inputs::seconds)]
    pub(crate) timeout: Option<Duration>,

    /// Send what is meant for exactly this https origin to a loopback server (repeatable), such as
    /// `https://cloudfunctions.googleapis.com=http://127.0.0.1:8080`
    #[arg(long, global = true, value_name = "ORIGIN=URL")]
    pub(crate) map: Vec<OriginRule>,

    /// Trust the certificates in this PEM file too
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,

    /// Let the component sign with the key itself, inside the sandbox
    #[arg(long, global = true)]
    pub(crate) no_host_signing: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what it does, on recorded responses: no account and no network needed
    Demo,
    /// List the actions, or show what one takes and gives; --json prints schemas, egress, scopes and limits
    Describe {
        /// An action, such as functions.list
        action: Option<String>,
    },
    /// Make a connection: sign in with Google, or use a credential
    #[command(override_usage = CONNECT_USAGE)]
    Connect(Box<Connect>),
    /// Sign in anew for a connection, or give it another credential; its id stays
    #[command(override_usage = RECONNECT_USAGE)]
    Reconnect(Box<Reconnect>),
    /// Say what a connection may do from now on
    Restrict(Restrict),
    /// List the connections, or do something to one
    Connections {
        #[command(subcommand)]
        action: Option<ConnectionsAction>,
    },
    /// Check what a connection needs, and say what to do about what is missing
    #[command(alias = "check")]
    Doctor {
        /// A function to look at too: a name, or projects/P/locations/R/functions/F
        function: Option<String>,
        /// Where the function is
        #[arg(long, requires = "function")]
        region: Option<String>,
    },
    /// Put a token, or a private key, into the store for connections that look for it there
    Supply {
        /// Its name, as --supplied-token and --subject-token take it; keys/NAME is a private key, as
        /// --stored-key takes it
        name: String,
        /// Where it is read from; by default, or for -, stdin. A key is PEM, or the JSON that Google
        /// hands out
        #[arg(default_value = "-", hide_default_value = true)]
        file: PathBuf,
    },
    /// Say where connections are kept and what key encrypts them, and print its public half
    Store,
    /// List functions of both generations and of Cloud Run, in every region
    List(List),
    /// Show what a form would offer: the regions, or the functions of one
    Options(Options),
    /// Show one function
    Get(Get),
    /// Call a function, and print what it answers
    Invoke(Box<Invoke>),
    /// Send any other request to a Google API, with the connection's access token
    CustomApi(CustomApi),
    /// Look at tapes, compare them, and change names on them
    Tape {
        #[command(subcommand)]
        action: TapeAction,
    },
    /// Remove a connection with its credential, its key and its tokens
    Disconnect {
        /// The connection: its id or its nickname
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Print what a shell needs to complete this command, such as `source <(gcf completions bash)`
    Completions {
        #[arg(value_name = "SHELL")]
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Connect {
    /// A name for people
    #[arg(long, value_name = "NAME")]
    pub(crate) nickname: String,
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
    #[arg(long = "allow-method", value_name = "METHOD", value_parser = inputs::method)]
    pub(crate) methods: Vec<String>,
    /// Send no larger body
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_body: Option<u64>,
    /// With custom-api, name no other project
    #[arg(long)]
    pub(crate) own_project: bool,
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
    /// Say what one connection may do from now on
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

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only this region (repeatable)
    #[arg(long = "region", value_name = "REGION")]
    pub(crate) regions: Vec<String>,
    /// Functions a page, 1 to 1000
    #[arg(long, value_name = "N")]
    pub(crate) page_size: Option<u32>,
    /// Stop after the page on which so many functions are reached
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u32>,
    /// Go on where a list with the same options was cut, and read one page
    #[arg(long, value_name = "TOKEN")]
    pub(crate) page_token: Option<String>,
    /// A filter in Google's language (AIP-160), such as 'state="ACTIVE"'; leaves Cloud Run out
    #[arg(long)]
    pub(crate) filter: Option<String>,
    /// An order in Google's language (AIP-132), such as 'name desc'; Cloud Run comes last
    #[arg(long, value_name = "ORDER")]
    pub(crate) order_by: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// What is offered: `regions` or `functions`
    #[arg(value_enum, value_name = "FIELD", hide_possible_values = true)]
    pub(crate) field: OptionField,
    /// Only what begins with it
    pub(crate) prefix: Option<String>,
    /// The functions of this region; by default of the connection's own
    #[arg(long)]
    pub(crate) region: Option<String>,
    /// At most so many, 100 if left out
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OptionField {
    Regions,
    Functions,
}

#[derive(Debug, Args)]
pub(crate) struct Get {
    /// A name, or projects/P/locations/R/functions/F
    #[arg(value_name = "NAME")]
    pub(crate) function: String,
    /// Where it is; by default all regions are searched, and two of the name are an error
    #[arg(long)]
    pub(crate) region: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Invoke {
    /// A name, projects/P/locations/R/functions/F, or the function's own https URL
    #[arg(value_name = "FUNCTION")]
    pub(crate) function: String,
    /// Where it is; by default all regions are searched, and two of the name are an error
    #[arg(long)]
    pub(crate) region: Option<String>,
    /// By default GET, or POST if there is a body
    #[arg(long, value_parser = inputs::method)]
    pub(crate) method: Option<String>,
    /// A path below the function's URL
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) path: String,
    #[command(flatten)]
    pub(crate) request: Request,
    #[command(flatten)]
    pub(crate) more: MoreBodies,
    /// What tells the function who calls: `auto` (nothing, and an ID token only if Google asks for one),
    /// `id-token`, or `none` (no credential of any kind)
    // A list of values would make the whole page a long one.
    #[arg(long, value_enum, default_value_t = Auth::IdToken, hide_possible_values = true)]
    pub(crate) auth: Auth,
    /// In place of the audience that the function's generation asks for
    #[arg(long)]
    pub(crate) audience: Option<String>,
    /// An Authorization of your own for the function, beside the ID token: the file holds the whole value
    #[arg(long, value_name = "FILE")]
    pub(crate) authorization_file: Option<PathBuf>,
    /// The function may be called twice: repeat after a temporary failure
    #[arg(long)]
    pub(crate) idempotent: bool,
    /// Exit with 22, and print no body, if the status is not 2xx
    #[arg(long)]
    pub(crate) fail: bool,
    // Last, for its heading is that of all that follows.
    #[command(flatten)]
    pub(crate) invoker: Invoker,
}

/// What `invoke` can send beside `--data`.
#[derive(Debug, Args)]
pub(crate) struct MoreBodies {
    /// A field of a form (repeatable)
    #[arg(long, value_name = "K=V", value_parser = inputs::pair, conflicts_with = "data")]
    pub(crate) form: Vec<(String, String)>,
    /// A file as a part of a multipart body (repeatable), with the fields of --form beside it
    #[arg(
        long = "file",
        value_name = "NAME=@PATH[;type=TYPE]",
        value_parser = bodies::file_part,
        conflicts_with = "data"
    )]
    pub(crate) files: Vec<FilePart>,
    /// A CloudEvent in JSON, from a file or stdin: functions that events start take it
    #[arg(long, value_name = "FILE|-", conflicts_with_all = ["data", "form", "files"])]
    pub(crate) event: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct CustomApi {
    /// GET, POST, PUT, PATCH or DELETE
    #[arg(value_parser = inputs::method)]
    pub(crate) method: String,
    /// A path on the API such as /v2/projects/p/locations; or a function's own https URL, which gets
    /// no credential
    pub(crate) path: String,
    /// Which API, of those that `gcf describe` lists; by default functions
    #[arg(long, value_name = "NAME")]
    pub(crate) api: Option<String>,
    /// Read a list page after page, and print all items as one JSON array
    #[arg(long, conflicts_with_all = ["data", "content_type", "include"])]
    pub(crate) all_pages: bool,
    /// The field that holds the items; by default the only list there is
    #[arg(long, value_name = "FIELD", requires = "all_pages")]
    pub(crate) items: Option<String>,
    /// Read so many pages at most, by default 150
    #[arg(long, value_name = "N", requires = "all_pages")]
    pub(crate) max_pages: Option<u32>,
    /// Go on where an earlier list was cut
    #[arg(long, value_name = "TOKEN", requires = "all_pages")]
    pub(crate) page_token: Option<String>,
    #[command(flatten)]
    pub(crate) request: Request,
}

/// What `invoke` and `custom-api` have in common.
#[derive(Debug, Args)]
pub(crate) struct Request {
    /// A query parameter (repeatable); it is percent-encoded for you
    #[arg(long, value_name = "K=V", value_parser = inputs::pair)]
    pub(crate) query: Vec<(String, String)>,
    /// A header (repeatable)
    #[arg(long, value_name = "'K: V'", value_parser = inputs::header)]
    pub(crate) header: Vec<(String, String)>,
    /// The body: the text itself, @FILE, or - for stdin. JSON is sent as JSON, other text as text
    #[arg(long, value_name = "S|@FILE|-", allow_hyphen_values = true)]
    pub(crate) data: Option<String>,
    /// Send the body's bytes as they are, under this media type
    #[arg(long, value_name = "TYPE", requires = "data")]
    pub(crate) content_type: Option<String>,
    /// Print the response's headers before its body
    #[arg(short, long)]
    pub(crate) include: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
// The help of the option says what each does, in one breath: a list would double the help of every command.
pub(crate) enum TapeMode {
    Replay,
    Once,
    NewEpisodes,
    Record,
    Passthrough,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Auth {
    /// Nothing, and an ID token only if Google's front end asks for one.
    Auto,
    /// An ID token.
    IdToken,
    /// No credential of any kind.
    None,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn globals_are_taken_after_the_command() {
        let cli =
            Cli::try_parse_from(["gcf", "list", "--json", "--timeout", "1.5", "--connection", "a"]).unwrap();
        assert!(cli.global.json);
        assert_eq!(cli.global.timeout, Some(Duration::from_millis(1500)));
        assert_eq!(cli.global.connection.as_deref(), Some("a"));
    }

    #[test]
    fn a_connection_has_one_credential() {
        let parse = |arguments: &[&str]| {
            let start = ["gcf", "connect", "--nickname", "n"];
            Cli::try_parse_from(start.iter().chain(arguments)).map(drop).map_err(|error| error.kind())
        };
        use clap::error::ErrorKind::{ArgumentConflict, MissingRequiredArgument};
        assert_eq!(parse(&["--credentials", "f"]), Ok(()));
        assert_eq!(parse(&["--oauth", "--client", "f"]), Ok(()));
        assert_eq!(parse(&[]), Err(MissingRequiredArgument));
        assert_eq!(parse(&["--oauth"]), Err(MissingRequiredArgument));
        assert_eq!(parse(&["--stored-key", "k"]), Err(MissingRequiredArgument));
        assert_eq!(parse(&["--oauth", "--client", "f", "--credentials", "f"]), Err(ArgumentConflict));
    }

    #[test]
    fn recording_a_replay_is_refused() {
        let error = Cli::try_parse_from(["gcf", "list", "--replay", "a", "--record", "b"]).unwrap_err();
        assert_eq!(error.kind(), clap::error::ErrorKind::ArgumentConflict);
    }

    #[test]
    fn stdin_is_a_value_of_data() {
        let cli = Cli::try_parse_from(["gcf", "invoke", "f", "--data", "-", "-i"]).unwrap();
        let Command::Invoke(invoke) = cli.command else { panic!("{:?}", cli.command) };
        assert_eq!(invoke.request.data.as_deref(), Some("-"));
        assert!(invoke.request.include);
        assert_eq!(invoke.auth, Auth::IdToken);
    }

    #[test]
    fn a_request_has_one_body() {
        let parse = |arguments: &[&str]| {
            Cli::try_parse_from(["gcf", "invoke", "f"].iter().chain(arguments))
                .map(drop)
                .map_err(|error| error.kind())
        };
        use clap::error::ErrorKind::{ArgumentConflict, ValueValidation};
        assert_eq!(parse(&["--form", "a=b", "--file", "c=@d", "--form", "a=c"]), Ok(()));
        assert_eq!(parse(&["--event", "-"]), Ok(()));
        assert_eq!(parse(&["--data", "x", "--form", "a=b"]), Err(ArgumentConflict));
        assert_eq!(parse(&["--data", "x", "--file", "a=@b"]), Err(ArgumentConflict));
        for other in [["--data", "x"], ["--form", "a=b"], ["--file", "a=@b"]] {
            assert_eq!(parse(&["--event", "e", other[0], other[1]]), Err(ArgumentConflict));
        }
        assert_eq!(parse(&["--file", "a=b"]), Err(ValueValidation));
    }

    #[test]
    fn a_content_type_needs_data() {
        let error = Cli::try_parse_from(["gcf", "invoke", "f", "--content-type", "a/b"]).unwrap_err();
        assert_eq!(error.kind(), clap::error::ErrorKind::MissingRequiredArgument);
    }

    #[test]
    fn the_exit_codes_are_in_the_help() {
        let help = Cli::command().render_long_help().to_string();
        for code in crate::errors::Exit::ALL {
            assert!(help.contains(&format!("\n  {:>2}  ", code as u8)), "{code:?} is not documented");
        }
    }

    /// What stands in the arguments of a process, every user of the machine can read.
    #[test]
    fn no_option_takes_a_secret() {
        fn check(command: &clap::Command) {
            for argument in command.get_arguments() {
                let name = argument.get_id().as_str();
                let secret = ["token", "secret", "key", "pass", "credential"]
                    .into_iter()
                    .any(|word| name.contains(word));
                // Where a list goes on opens nothing.
                let secret = secret && name != "page_token";
                let Some(value) = argument.get_value_names().filter(|_| secret) else { continue };
                assert!(["FILE", "NAME", "ID"].contains(&value[0].as_str()), "{name} takes {value:?}");
            }
            command.get_subcommands().for_each(check);
        }
        let mut command = Cli::command();
        command.build();
        check(&command);
    }
}
