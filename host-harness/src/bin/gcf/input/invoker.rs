//! Options that say whose ID token functions receive.

use clap::Args;
use gcf_host::wit::types::{self, Impersonation};

use crate::output::failure::Failure;

/// The identity that functions see.
#[derive(Debug, Args)]
#[command(next_help_heading = "Whose ID token functions receive")]
pub(crate) struct Invoker {
    /// `own` (a service account's key), `user` (yours; the service lists your OAuth client as a custom
    /// audience), `default` (PROJECT@appspot.gserviceaccount.com), or a service account's address
    #[arg(long, value_name = "WHO")]
    invoke_as: Option<String>,
    /// A service account on the way to it (repeatable)
    #[arg(long = "delegate", value_name = "EMAIL", requires = "invoke_as")]
    delegates: Vec<String>,
    /// Leave the service account's address out of its ID token
    #[arg(long, requires = "invoke_as")]
    without_email: bool,
}

impl Invoker {
    /// As the contract has it, if anything is said.
    pub(crate) fn into_contract(self) -> Result<Option<types::Invoker>, Failure> {
        let Self { invoke_as, delegates, without_email } = self;
        let Some(invoke_as) = invoke_as else { return Ok(None) };
        let itself = match invoke_as.as_str() {
            "own" => Some(types::Invoker::Own),
            "user" => Some(types::Invoker::User),
            _ => None,
        };
        if itself.is_some() && (without_email || !delegates.is_empty()) {
            return Err(Failure::input(
                "--delegate and --without-email are for a service account that invokes",
            )
            .with_fix(format!("leave them out with --invoke-as {invoke_as}")));
        }
        Ok(Some(itself.unwrap_or_else(|| {
            types::Invoker::ServiceAccount(Impersonation {
                service_account: (invoke_as != "default").then_some(invoke_as),
                delegates,
                include_email: !without_email,
            })
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(invoke_as: Option<&str>, delegates: &[&str], without_email: bool) -> Result<String, Failure> {
        let delegates = delegates.iter().map(ToString::to_string).collect();
        let said =
            Invoker { invoke_as: invoke_as.map(str::to_owned), delegates, without_email }.into_contract()?;
        Ok(match said {
            None => "nothing".to_owned(),
            Some(types::Invoker::Own) => "own".to_owned(),
            Some(types::Invoker::User) => "user".to_owned(),
            Some(types::Invoker::ServiceAccount(Impersonation {
                service_account,
                delegates,
                include_email,
            })) => {
                format!("{service_account:?} {delegates:?} {include_email}")
            }
        })
    }

    #[test]
    fn who_invokes_is_what_the_options_say() {
        for (invoke_as, delegates, without_email, expected) in [
            (None, &[][..], false, "nothing"),
            (Some("own"), &[], false, "own"),
            (Some("user"), &[], false, "user"),
            (Some("default"), &["a"], false, r#"None ["a"] true"#),
            (Some("b"), &[], true, r#"Some("b") [] false"#),
        ] {
            assert_eq!(says(invoke_as, delegates, without_email).unwrap(), expected);
        }
    }

    #[test]
    fn options_of_a_service_account_are_refused_without_one() {
        for who in ["own", "user"] {
            assert!(says(Some(who), &["a"], false).unwrap_err().message.contains("--delegate"));
            assert!(says(Some(who), &[], true).unwrap_err().message.contains("--without-email"));
        }
    }
}
