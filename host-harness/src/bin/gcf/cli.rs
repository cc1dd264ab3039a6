//! The command line: what can be said, and what the help says about it.

mod calls;
mod connections;

use std::{path::PathBuf, sync::LazyLock};

use clap::{Parser, Subcommand};

pub(crate) use self::{
    calls::{Auth, CustomApi, Get, Invoke, List, MoreBodies, OptionField, Options, Request},
    connections::{Connect, ConnectionsAction, Credential, GuardRails, Invoker, Reconnect, Restrict},
};
use crate::{commands::tape::TapeAction, context::Global};

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
  22  --fail, and the status is not 2xx
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

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what it does, on recorded responses: no account and no network needed
    Demo {
        /// Show all of each result, and what the component may reach
        #[arg(long)]
        long: bool,
        /// Leave a folder in which the same commands work, and others can be tried
        #[arg(long, value_name = "DIR", conflicts_with = "long")]
        into: Option<PathBuf>,
    },
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
    /// Say all that a connection may do from now on, in place of what was said before
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
        for code in crate::output::failure::Exit::ALL {
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
