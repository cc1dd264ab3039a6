//! `gcf connections`: the list of them, and what is done to one.

mod share;

use std::borrow::Cow;

use clap::{Args, Subcommand};
use gcf_host::wit::{Case as _, connections::Connection};
use serde_json::Value;

#[cfg(test)]
pub(super) use self::share::{Shared, Unshared};
use super::{Planning, Restrict, Run, Running, disconnect::disconnect, doctor::check};
use crate::{
    context::Context,
    input::choice::FIRST,
    output::{
        connection::{self, Changed, repair},
        failure::Failure,
        shown::{Outcome, Shown},
        style::{Look, Paint, plain},
        table::table,
    },
};

const SHARING: &str = "\
How it goes:
  1. they run `gcf store`, and send you the recipient that it prints
  2. you run `gcf connections share ID --to RECIPIENT`
  3. you give them a copy of this store's folder; of the rest in it, they can read nothing
  4. they run `gcf --store FOLDER connections`, with their own key

A copy does not follow what happens here: after a reconnect, give them another one.";

/// List the connections, or do something to one
#[derive(Debug, Args)]
pub(crate) struct Connections {
    #[command(subcommand)]
    action: Option<ConnectionsAction>,
}

#[derive(Debug, Subcommand)]
enum ConnectionsAction {
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

impl Run for Connections {
    fn planning(&self) -> Planning {
        let sends = |action: &ConnectionsAction| {
            matches!(action, ConnectionsAction::Check { .. } | ConnectionsAction::Disconnect { .. })
        };
        if self.action.as_ref().is_some_and(sends) { Planning::Possible } else { Planning::Impossible }
    }

    /// Each action begins with the connection.
    fn names_connection(&self) -> bool {
        self.action.is_some()
    }

    fn run(self: Box<Self>, context: &Context) -> Running<'_> {
        let Some(action) = self.action else { return Box::pin(all(context)) };
        match action {
            ConnectionsAction::Show { id } => Box::pin(show(context, id)),
            ConnectionsAction::Check { id } => {
                Box::pin(async move { check(context, context.named(&id).await?, None).await })
            }
            ConnectionsAction::Rename { id, nickname } => Box::pin(rename(context, id, nickname)),
            ConnectionsAction::Restrict(restrict) => Box::new(restrict).run(context),
            ConnectionsAction::Share { id, to } => Box::pin(share::share(context, id, to)),
            ConnectionsAction::Unshare { id, from } => Box::pin(share::unshare(context, id, from)),
            ConnectionsAction::Disconnect { id } => Box::pin(async move { disconnect(context, &id).await }),
        }
    }
}

async fn all(context: &Context) -> Result<Box<dyn Outcome>, Failure> {
    Ok(Box::new(All(context.host.connections().await?)))
}

async fn show(context: &Context, id: String) -> Result<Box<dyn Outcome>, Failure> {
    Ok(Box::new(One::of(context, context.named(&id).await?)?))
}

async fn rename(context: &Context, id: String, nickname: String) -> Result<Box<dyn Outcome>, Failure> {
    let id = context.named(&id).await?.id;
    let connected = context.host.rename(&id, &nickname).await?;
    Ok(Box::new(Changed { done: "renamed", connected }))
}

/// All connections.
pub(super) struct All(pub(super) Vec<Connection>);

impl Outcome for All {
    fn show(&self, look: Look) -> Shown {
        if self.0.is_empty() {
            return Shown { after: format!("no connections yet; {FIRST}\n"), ..Shown::default() };
        }
        Shown { after: faults(&self.0, look.err), ..Shown::result(connections(&self.0, look)) }
    }

    fn json(&self) -> Value {
        self.0.iter().map(connection::json).collect()
    }
}

/// One connection.
pub(super) struct One {
    pub(super) connection: Connection,
    /// The others who can read it.
    pub(super) shared: Vec<String>,
}

impl One {
    pub(super) fn of(context: &Context, connection: Connection) -> Result<Self, Failure> {
        let shared = context.shared_with(&connection.id)?;
        Ok(Self { connection, shared })
    }
}

impl Outcome for One {
    fn show(&self, look: Look) -> Shown {
        Shown::result(connection::text(&self.connection, &self.shared, look.out))
    }

    fn json(&self) -> Value {
        let mut value = connection::json(&self.connection);
        value["shared-with"] = self.shared.as_slice().into();
        value
    }
}

/// One connection a row.
fn connections(connections: &[Connection], look: Look) -> String {
    let rows = connections.iter().map(|connection| {
        [
            connection.nickname.as_str(),
            &connection.id,
            &connection.project,
            &connection.region,
            match (&connection.fault, &connection.guard_rails) {
                (Some(_), _) => "FAULT",
                (None, Some(_)) => "ok, restricted",
                (None, None) => "ok",
            },
            connection.kind.name(),
            &connection.account,
        ]
        .map(Cow::from)
    });
    // The account, which may be long, comes last, like the URL of a function.
    table(["NICKNAME", "ID", "PROJECT", "REGION", "HEALTH", "CREDENTIAL", "ACCOUNT"], rows, look.out)
}

/// The fault of each connection that cannot sign in, and the command that repairs it.
fn faults(connections: &[Connection], paint: Paint) -> String {
    let faulty = connections.iter().filter_map(|connection| Some((connection, connection.fault.as_ref()?)));
    faulty
        .map(|(connection, fault)| {
            let nickname = plain(&connection.nickname);
            format!("{} {nickname}: {}\n", paint.error("fault:"), plain(&fault.message))
                + &repair(connection, paint)
        })
        .collect()
}
