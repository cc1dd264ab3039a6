//! The command's names for things, beyond the contract's own names for the cases of its enums; and counts in words.

use gcf_host::{
    Carried,
    wit::{
        Case as _,
        functions::Trigger,
        types::{GuardRails, Impersonation, Invoker},
    },
};

pub(crate) fn trigger(trigger: &Trigger) -> &str {
    match trigger {
        Trigger::Event(kind) => kind,
        Trigger::Http | Trigger::Other => trigger.name(),
    }
}

/// The credential that a request carries.
pub(crate) fn carried(token: Carried) -> &'static str {
    match token {
        Carried::Nothing => "no credential",
        Carried::AccessToken => "access token",
        Carried::IdToken => "ID token",
        Carried::Injected => "access token of the host",
        Carried::Body => "credential in the body",
    }
}

/// The guard rails of a connection, a line each.
pub(crate) fn guard_rails(rails: &GuardRails) -> Vec<String> {
    let list =
        |what: &str, list: &[String]| (!list.is_empty()).then(|| format!("{what} {}", list.join(", ")));
    [
        rails.read_only.then(|| "read only".to_owned()),
        list("regions", &rails.regions),
        list("functions", &rails.functions),
        list("methods", &rails.methods),
        rails.max_body.map(|bytes| format!("bodies of {bytes} bytes at most")),
        rails.own_project.then(|| "own project only".to_owned()),
        list("audiences", &rails.audiences),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The identity that functions see, in the words of `--invoke-as`.
pub(crate) fn invoker(invoker: &Invoker) -> String {
    match invoker {
        Invoker::Own | Invoker::User => invoker.name().to_owned(),
        Invoker::ServiceAccount(Impersonation { service_account, delegates, include_email: _ }) => {
            let account = service_account.as_deref().unwrap_or("default");
            if delegates.is_empty() {
                account.to_owned()
            } else {
                format!("{account} (by way of {})", delegates.join(", "))
            }
        }
    }
}

/// `1 page`, `2 pages`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
