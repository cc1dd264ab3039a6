//! What a command found out, and how it is shown: for people, for programs.

use std::path::PathBuf;

use gcf_host::wit::{
    api::{ApiPages, ApiResponse},
    connections::{Connected, Connection, CredentialKind, Disconnected, Finding, Verdict},
    functions::{Function, FunctionList, Invocation, OptionList},
    planning::CallPlan,
};
use serde_json::{Value, json};

use crate::{
    commands::describe::Described,
    input::choice::FIRST,
    output::{
        failure::Exit,
        json, plan, response,
        style::{Look, plain},
        table,
    },
};

/// What a command found out.
pub(crate) enum Outcome {
    Described(Described),
    Planned(CallPlan),
    Connected(Connected),
    Reconnected(Connected),
    Connections(Vec<Connection>),
    Connection {
        connection: Connection,
        /// Who else can read it.
        shared: Vec<String>,
    },
    Checked {
        connection: Connection,
        findings: Vec<Finding>,
    },
    Renamed(Connected),
    Restricted(Connected),
    Shared {
        connection: Connection,
        with: String,
    },
    Unshared {
        connection: Connection,
        with: String,
    },
    Supplied {
        key: String,
    },
    Stored {
        folder: PathBuf,
        /// Where the key is.
        key: String,
        recipient: String,
        hidden: usize,
    },
    Disconnected {
        connection: Connection,
        result: Disconnected,
    },
    Listed {
        list: FunctionList,
        /// Its order was asked for.
        ordered: bool,
    },
    Offered {
        list: OptionList,
        /// The region, if it is functions that are offered.
        of_functions_in: Option<String>,
    },
    Function(Function),
    Invoked {
        invocation: Invocation,
        include: bool,
    },
    Answered {
        response: ApiResponse,
        include: bool,
        /// A status outside 2xx was to be a failure.
        fail: bool,
    },
    Paged(ApiPages),
}

/// What goes to which stream, in this order.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// To stderr, first.
    pub(crate) before: String,
    /// To stdout: the result, and nothing but the result.
    pub(crate) result: Vec<u8>,
    /// To stderr, last.
    pub(crate) after: String,
}

impl Outcome {
    /// Tells whether a connection is another one now, or gone.
    pub(crate) fn changes_connections(&self) -> bool {
        match self {
            Self::Connected(_)
            | Self::Reconnected(_)
            | Self::Renamed(_)
            | Self::Restricted(_)
            | Self::Disconnected { .. } => true,
            Self::Described(_)
            | Self::Planned(_)
            | Self::Connections(_)
            | Self::Connection { .. }
            | Self::Checked { .. }
            | Self::Shared { .. }
            | Self::Unshared { .. }
            | Self::Supplied { .. }
            | Self::Stored { .. }
            | Self::Offered { .. }
            | Self::Listed { .. }
            | Self::Function(_)
            | Self::Invoked { .. }
            | Self::Answered { .. }
            | Self::Paged(_) => false,
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Checked { findings, .. }
                if findings.iter().any(|finding| finding.verdict == Verdict::Fail) =>
            {
                Exit::Failed
            }
            Self::Answered { response, fail: true, .. } if !(200..300).contains(&response.status) => {
                Exit::Status
            }
            Self::Described(_)
            | Self::Planned(_)
            | Self::Connected(_)
            | Self::Reconnected(_)
            | Self::Connections(_)
            | Self::Connection { .. }
            | Self::Checked { .. }
            | Self::Renamed(_)
            | Self::Restricted(_)
            | Self::Shared { .. }
            | Self::Unshared { .. }
            | Self::Supplied { .. }
            | Self::Stored { .. }
            | Self::Disconnected { .. }
            | Self::Listed { .. }
            | Self::Offered { .. }
            | Self::Function(_)
            | Self::Invoked { .. }
            | Self::Answered { .. }
            | Self::Paged(_) => Exit::Done,
        }
    }

    pub(crate) fn json(&self) -> Value {
        match self {
            Self::Described(described) => described.json(),
            Self::Planned(plan) => plan::json(plan),
            Self::Connected(connected)
            | Self::Reconnected(connected)
            | Self::Renamed(connected)
            | Self::Restricted(connected) => json::connected(connected),
            Self::Connections(connections) => connections.iter().map(json::connection).collect(),
            Self::Connection { connection, shared } => {
                let mut value = json::connection(connection);
                value["shared-with"] = shared.as_slice().into();
                value
            }
            Self::Checked { findings, .. } => findings.iter().map(json::finding).collect(),
            Self::Shared { connection, with } => json!({ "shared": connection.id, "with": with }),
            Self::Unshared { connection, with } => json!({ "unshared": connection.id, "with": with }),
            Self::Supplied { key } => json!({ "supplied": key }),
            Self::Stored { folder, key, recipient, hidden } => {
                json!({ "folder": folder, "key": key, "recipient": recipient, "hidden": hidden })
            }
            Self::Disconnected { connection, result } => json::disconnected(&connection.id, result),
            Self::Listed { list, .. } => json::function_list(list),
            Self::Offered { list, .. } => json::option_list(list),
            Self::Function(function) => json::function(function),
            Self::Invoked { invocation, .. } => json::invocation(invocation),
            Self::Answered { response, .. } => json::api_response(response),
            Self::Paged(pages) => json::api_pages(pages),
        }
    }

    pub(crate) fn show(&self, look: Look) -> Shown {
        match self {
            Self::Described(described) => Shown::result(described.show(look.out)),
            Self::Planned(plan) => plan::show(plan, look),
            Self::Connected(connected) => connection("connected", connected, look),
            Self::Reconnected(connected) => connection("reconnected", connected, look),
            Self::Restricted(connected) => connection("restricted", connected, look),
            Self::Renamed(connected) => connection("renamed", connected, look),
            Self::Connections(connections) if connections.is_empty() => {
                Shown { after: format!("no connections yet; {FIRST}\n"), ..Shown::default() }
            }
            Self::Connections(connections) => Shown {
                after: table::faults(connections, look.err),
                ..Shown::result(table::connections(connections, look))
            },
            Self::Connection { connection, shared } => {
                Shown::result(table::connection(connection, shared, look.out))
            }
            Self::Checked { connection, findings } => Shown {
                before: format!("checking {}\n", named(connection)),
                after: table::repair(connection, look.err) + &table::verdicts(findings, look.err),
                ..Shown::result(table::findings(findings, look.out))
            },
            Self::Shared { connection, with } => Shown {
                after: "they use it from a copy of this store's folder, with their own key\n".to_owned()
                    + &warnings(not_shared(connection).as_slice(), look),
                ..Shown::result(format!("shared {} with {}\n", named(connection), plain(with)))
            },
            Self::Unshared { connection, with } => {
                let warning = "what they could read, they may have kept: give the connection a new credential, \
                               and end the old one at Google";
                Shown {
                    after: warnings(&[warning.to_owned()], look),
                    ..Shown::result(format!(
                        "{} is no longer shared with {}\n",
                        named(connection),
                        plain(with)
                    ))
                }
            }
            Self::Supplied { key } => Shown::result(format!("kept as {}\n", plain(key))),
            Self::Stored { folder, key, recipient, hidden } => {
                let hidden = match hidden {
                    0 => String::new(),
                    1 => "1 entry is encrypted to others only\n".to_owned(),
                    count => format!("{count} entries are encrypted to others only\n"),
                };
                let share = "others share a connection with you by: gcf connections share ID --to";
                Shown {
                    after: format!("{hidden}{share} {}\n", plain(recipient)),
                    ..Shown::result(table::store(folder, key, recipient, look.out))
                }
            }
            Self::Disconnected { connection, result } => Shown {
                after: warnings(&result.warnings, look),
                ..Shown::result(format!("disconnected {}\n", named(connection)))
            },
            Self::Listed { list, ordered } => Shown {
                after: table::list_summary(list, look.err),
                ..Shown::result(table::functions(&list.functions, *ordered, look))
            },
            Self::Offered { list, of_functions_in } => Shown {
                after: table::offer_summary(list, of_functions_in.as_deref(), look.err),
                ..Shown::result(table::options(&list.options, of_functions_in.is_none(), look))
            },
            Self::Function(function) => Shown::result(table::function(function, look.out)),
            Self::Invoked { invocation, include } => response::invocation(invocation, *include, look),
            Self::Answered { response, include, .. } => response::api(response, *include, look),
            Self::Paged(pages) => response::pages(pages, look),
        }
    }
}

impl Shown {
    fn result(text: String) -> Self {
        Self { result: text.into_bytes(), ..Self::default() }
    }
}

/// What was done to a connection, and how it is now.
fn connection(done: &str, connected: &Connected, look: Look) -> Shown {
    let Connected { connection, warnings } = connected;
    Shown {
        after: self::warnings(warnings, look),
        ..Shown::result(format!(
            "{} {}\n{}",
            look.out.good(done),
            plain(&connection.nickname),
            table::connection(connection, &[], look.out)
        ))
    }
}

fn named(connection: &Connection) -> String {
    format!("{} ({})", plain(&connection.nickname), plain(&connection.id))
}

/// What a recipient lacks: sharing is about what is the connection's alone.
fn not_shared(connection: &Connection) -> Option<String> {
    let what = match connection.kind {
        CredentialKind::ExternalAccount | CredentialKind::SuppliedToken => {
            "token that it reads under supplied/"
        }
        CredentialKind::StoredKey => "key that it signs with",
        CredentialKind::ServiceAccount
        | CredentialKind::AuthorizedUser
        | CredentialKind::ImpersonatedServiceAccount
        | CredentialKind::InjectedToken
        | CredentialKind::Other => return None,
    };
    Some(format!("the {what} is not shared: others may use it too"))
}

fn warnings(warnings: &[String], look: Look) -> String {
    warnings.iter().map(|warning| format!("{} {}\n", look.err.warning("warning:"), plain(warning))).collect()
}
