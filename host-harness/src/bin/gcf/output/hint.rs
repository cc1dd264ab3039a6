//! Hints in the words of this command line.
//!
//! The component knows no options and no commands: its fixes name fields of the contract. The facts of an error
//! say which option is meant.

use gcf_host::wit::types::{Error, ErrorKind};

/// The fix of an error, if it is about something that has an option or a command here.
pub(super) fn in_options(error: &Error) -> Option<String> {
    let detail = |name: &str| error.details.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
    let region = || detail("regions").and_then(|regions| regions.split(',').next()).unwrap_or("REGION");
    if error.kind == ErrorKind::Restricted {
        return Some(format!("ask whoever manages this connection: {RESTRICT}; nothing was sent"));
    }
    Some(match detail("cause")? {
        "another-function" => format!("leave --audience out, or {ALLOW}"),
        "unknown-function" => format!(
            "leave --audience out, or call a function of the connection's own project by its name; or {ALLOW}"
        ),
        "user-token" => format!("leave --audience out, or {ANOTHER_INVOKER}"),
        "no-id-token" => format!("leave --invoke-as out, which takes what the credential has; or {ANOTHER_INVOKER}"),
        "project-number" => {
            "name the service account with --invoke-as, or connect with the id: --project ID".to_owned()
        }
        "no-credential" => {
            let option = match detail("field") {
                Some("invoker") => "--invoke-as",
                Some("authorization") => "--authorization-file",
                Some("serverless-authorization") => "--serverless-authorization",
                Some(_) | None => "--audience",
            };
            format!("leave {option} out, or use --auth auto")
        }
        "needs-credential" => {
            "the function is not open to everyone: invoke it with --auth auto or --auth id-token".to_owned()
        }
        // Whoever may not pass it needs a role, and no option.
        "identity-aware-proxy" if error.kind != ErrorKind::Unauthenticated => return None,
        "identity-aware-proxy" => {
            let likely = if detail("location").is_some() { "likely " } else { "" };
            format!(
                "{likely}Identity-Aware Proxy is in front of it: --auth id-token, --audience with the proxy's OAuth client id, and a token with the e-mail address (no --without-email)"
            )
        }
        "own-authorization" => {
            "leave it out: the connection signs in; your own Authorization for a function goes into --authorization-file FILE".to_owned()
        }
        "not-successful" => {
            "this is the function's own answer; leave --fail out to read its body".to_owned()
        }
        "execution-failed" => {
            "its logs say why, under its execution id; leave --fail out to read the answer".to_owned()
        }
        "several-regions" => format!("name the region, such as --region {}; nothing was called", region()),
        "too-many-functions" => "name the region with --region; nothing was called".to_owned(),
        "silent-regions" if detail("regions").is_some() => {
            format!("name the region, such as --region {}, or try again; nothing was called", region())
        }
        "silent-regions" => "name the region with --region, or try again".to_owned(),
        "several-lists" => "name the one that is meant with --items".to_owned(),
        "not-a-client" => {
            "connect with it as a credential, without --client: gcf connect --credentials FILE".to_owned()
        }
        _ => return None,
    })
}

/// The command that changes the rails.
const RESTRICT: &str = "`gcf restrict` changes its guard rails";

/// The way to a token with this audience.
const ALLOW: &str = "ask whoever manages this connection: `gcf restrict` allows it with --allow-audience";

/// The identity that every connection can be given.
const ANOTHER_INVOKER: &str = "let a service account invoke: --invoke-as default, or its address";

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use gcf_host::wit::types::Origin;

    use super::*;
    use crate::commands::Cli;

    /// The causes of `error.details` in the contract.
    fn causes() -> Vec<&'static str> {
        let contract = include_str!("../../../../../wit/types.wit");
        let rows = contract.lines().filter_map(|line| line.trim().strip_prefix("/// | `"));
        rows.filter_map(|row| row.split('`').next()).collect()
    }

    fn hints() -> Vec<String> {
        let mut hints = Vec::new();
        for kind in [ErrorKind::Restricted, ErrorKind::InvalidInput, ErrorKind::Unauthenticated] {
            for cause in causes() {
                for (name, value) in [
                    ("field", "invoker"),
                    ("field", "authorization"),
                    ("field", "audience"),
                    ("regions", "a,b"),
                ] {
                    let details =
                        vec![(name.to_owned(), value.to_owned()), ("cause".to_owned(), cause.to_owned())];
                    hints.extend(in_options(&Error {
                        kind,
                        origin: Origin::Input,
                        message: String::new(),
                        fix: None,
                        http_status: None,
                        retry_after_ms: None,
                        reason: None,
                        link: None,
                        details,
                        trace: Vec::new(),
                    }));
                }
            }
        }
        hints
    }

    #[test]
    fn every_option_that_a_hint_names_is_there() {
        let commands: Vec<_> = Cli::command().get_subcommands().cloned().collect();
        let options: Vec<String> = commands
            .iter()
            .flat_map(clap::Command::get_arguments)
            .filter_map(|argument| argument.get_long().map(|long| format!("--{long}")))
            .collect();
        let hints = hints();
        for hint in &hints {
            let words = || hint.split([' ', ',', ';', ':', '`', '.', '(', ')']);
            for option in words().filter(|word| word.starts_with("--")) {
                assert!(options.iter().any(|o| o == option), "{option} of {hint:?}");
            }
            for (gcf, command) in words().zip(words().skip(1)) {
                let known = commands.iter().any(|known| known.get_name() == command);
                assert!(gcf != "gcf" || known, "{command} of {hint:?}");
            }
        }
        assert!(causes().len() > 20 && hints.iter().any(|hint| hint.contains("--fail")), "{hints:?}");
    }

    #[test]
    fn an_error_that_is_about_no_option_keeps_its_fix() {
        for cause in ["account-gone", "both-products", "clock-skew", "unknown", "of a later version"] {
            let details = vec![("cause".to_owned(), cause.to_owned())];
            let error = Error {
                kind: ErrorKind::Unavailable,
                origin: Origin::Input,
                message: String::new(),
                fix: Some("as it is".to_owned()),
                http_status: None,
                retry_after_ms: None,
                reason: None,
                link: None,
                details,
                trace: Vec::new(),
            };
            assert_eq!(in_options(&error), None, "{cause}");
        }
    }
}
