//! `gcf disconnect`: the end of a connection.

use clap::Args;
use gcf_host::{
    Action,
    wit::connections::{self, Connection, CredentialKind},
};
use serde_json::{Value, json};

use super::{Planning, Run, Running};
use crate::{
    context::Context,
    output::{
        connection::named,
        failure::Failure,
        shown::{Leaves, Outcome, Shown, warnings},
        style::Look,
    },
};

/// Remove a connection with its credential, its key and its tokens
#[derive(Debug, Args)]
pub(crate) struct Disconnect {
    /// The connection: its id or its nickname
    #[arg(value_name = "ID")]
    id: String,
}

impl Run for Disconnect {
    fn planning(&self) -> Planning {
        Planning::Possible
    }

    fn names_connection(&self) -> bool {
        true
    }

    fn run(self: Box<Self>, context: &Context) -> Running<'_> {
        Box::pin(async move { disconnect(context, &self.id).await })
    }
}

/// Disconnects the connection of this id or nickname.
pub(super) async fn disconnect(context: &Context, name: &str) -> Result<Box<dyn Outcome>, Failure> {
    let connection = context.named(name).await?;
    let id = connection.id.clone();
    let disconnect = async |()| {
        let mut result = context.host.disconnect(&connection.id, context.timeout).await?;
        // To Google, all sign-ins of one person through one OAuth client are one grant.
        let others = context.host.connections().await?;
        let user = CredentialKind::AuthorizedUser;
        for other in others.iter().filter(|other| connection.kind == user && other.kind == user) {
            if other.account == connection.account {
                result.warnings.push(format!(
                    "{} ({}) is of the same account: if it is of the same OAuth client too, its sign-in has ended \
                     with this one; `gcf doctor --connection {}` tells",
                    other.nickname, other.id, other.id
                ));
            }
        }
        Ok(Disconnected { connection, result })
    };
    context.call(&id, (), |()| Action::Disconnect, disconnect).await
}

/// A connection that there was.
pub(super) struct Disconnected {
    pub(super) connection: Connection,
    pub(super) result: connections::Disconnected,
}

impl Outcome for Disconnected {
    fn show(&self, look: Look) -> Shown {
        Shown {
            after: warnings(&self.result.warnings, look),
            ..Shown::result(format!("disconnected {}\n", named(&self.connection)))
        }
    }

    fn json(&self) -> Value {
        json!({ "disconnected": self.connection.id, "warnings": self.result.warnings })
    }

    fn leaves(&self) -> Option<Leaves<'_>> {
        Some(Leaves::Gone(&self.connection.id))
    }
}
