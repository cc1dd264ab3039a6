//! What a command found out, and how it is shown: for people, for programs.

use gcf_host::wit::{
    api::ApiResponse,
    connections::{Connected, Connection, Disconnected, Finding, Verdict},
    functions::{Function, FunctionList, Invocation},
};
use serde_json::Value;

use crate::{errors::Exit, json, response, style::Look, table};

/// What a command found out.
pub(crate) enum Outcome {
    /// The catalog, as JSON.
    Described(Value),
    Connected(Connected),
    Connections(Vec<Connection>),
    Connection(Connection),
    Checked(Vec<Finding>),
    Disconnected {
        id: String,
        result: Disconnected,
    },
    Listed(FunctionList),
    Function(Function),
    Invoked {
        invocation: Invocation,
        include: bool,
    },
    Answered {
        response: ApiResponse,
        include: bool,
    },
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
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Checked(findings) if findings.iter().any(|finding| finding.verdict == Verdict::Fail) => {
                Exit::Failed
            }
            Self::Described(_)
            | Self::Connected(_)
            | Self::Connections(_)
            | Self::Connection(_)
            | Self::Checked(_)
            | Self::Disconnected { .. }
            | Self::Listed(_)
            | Self::Function(_)
            | Self::Invoked { .. }
            | Self::Answered { .. } => Exit::Done,
        }
    }

    pub(crate) fn json(&self) -> Value {
        match self {
            Self::Described(catalog) => catalog.clone(),
            Self::Connected(connected) => json::connected(connected),
            Self::Connections(connections) => connections.iter().map(json::connection).collect(),
            Self::Connection(connection) => json::connection(connection),
            Self::Checked(findings) => findings.iter().map(json::finding).collect(),
            Self::Disconnected { id, result } => json::disconnected(id, result),
            Self::Listed(list) => json::function_list(list),
            Self::Function(function) => json::function(function),
            Self::Invoked { invocation, .. } => json::invocation(invocation),
            Self::Answered { response, .. } => json::api_response(response),
        }
    }

    pub(crate) fn show(&self, look: Look) -> Shown {
        match self {
            Self::Described(catalog) => Shown::result(format!("{catalog:#}\n")),
            Self::Connected(connected) => Shown {
                after: warnings(&connected.warnings, look),
                ..Shown::result(format!(
                    "{} {}\n{}",
                    look.out.good("connected"),
                    connected.connection.nickname,
                    table::connection(&connected.connection, look.out)
                ))
            },
            Self::Connections(connections) if connections.is_empty() => Shown {
                after: "no connections yet: gcf connect --nickname NAME --credentials KEY.json\n".to_owned(),
                ..Shown::default()
            },
            Self::Connections(connections) => Shown::result(table::connections(connections, look)),
            Self::Connection(connection) => Shown::result(table::connection(connection, look.out)),
            Self::Checked(findings) => Shown::result(table::findings(findings, look.out)),
            Self::Disconnected { id, result } => Shown {
                after: warnings(&result.warnings, look),
                ..Shown::result(format!("disconnected {id}\n"))
            },
            Self::Listed(list) => Shown {
                after: table::list_summary(list, look.err),
                ..Shown::result(table::functions(&list.functions, look))
            },
            Self::Function(function) => Shown::result(table::function(function, look.out)),
            Self::Invoked { invocation, include } => response::invocation(invocation, *include, look),
            Self::Answered { response, include } => response::api(response, *include, look),
        }
    }
}

impl Shown {
    fn result(text: String) -> Self {
        Self { result: text.into_bytes(), ..Self::default() }
    }
}

fn warnings(warnings: &[String], look: Look) -> String {
    warnings
        .iter()
        .map(|warning| format!("{} {}\n", look.err.warning("warning:"), crate::style::plain(warning)))
        .collect()
}
