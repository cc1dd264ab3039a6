//! `gcf connections`: the list of them, and what is done to one.

mod share;

use std::borrow::Cow;

use clap::{Args, Subcommand};
use gcf_host::wit::{Case as _, connections::Connection};
use serde_json::{Value, json};

#[cfg(test)]
pub(super) use self::share::{Shared, Unshared};
use super::{Planning, Restrict, Run, Running, disconnect::disconnect, doctor::check};
use crate::{
    context::Context,
    input::choice::FIRST,
    output::{
        connection::{self, Changed, named, repair},
        failure::Failure,
        format::Rows,
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
    /// Make one connection the default, for commands that name none with --connection
    Use {
        /// Its id or its nickname
        #[arg(required_unless_present = "none")]
        id: Option<String>,
        /// Have no default any more
        #[arg(long, conflicts_with = "id")]
        none: bool,
    },
    /// Give one connection another nickname
    Rename {
        /// Its id or its nickname
        id: String,
        /// The new one
        nickname: String,
    },
    /// Change what one connection may do; what is not named stays as it is
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
    /// Stop sharing one connection. Readers keep what they have seen; reconnect to shut them out
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

    fn lists(&self) -> bool {
        match &self.action {
            None | Some(ConnectionsAction::Show { .. } | ConnectionsAction::Check { .. }) => true,
            Some(
                ConnectionsAction::Use { .. }
                | ConnectionsAction::Rename { .. }
                | ConnectionsAction::Restrict(_)
                | ConnectionsAction::Share { .. }
                | ConnectionsAction::Unshare { .. }
                | ConnectionsAction::Disconnect { .. },
            ) => false,
        }
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
            ConnectionsAction::Use { id, .. } => Box::pin(make_default(context, id)),
            ConnectionsAction::Rename { id, nickname } => Box::pin(rename(context, id, nickname)),
            ConnectionsAction::Restrict(restrict) => Box::new(restrict).run(context),
            ConnectionsAction::Share { id, to } => Box::pin(share::share(context, id, to)),
            ConnectionsAction::Unshare { id, from } => Box::pin(share::unshare(context, id, from)),
            ConnectionsAction::Disconnect { id } => Box::pin(async move { disconnect(context, &id).await }),
        }
    }
}

async fn all(context: &Context) -> Result<Box<dyn Outcome>, Failure> {
    let connections = context.host.connections().await?;
    context.remember(|names| names.note_connections(&connections));
    let default = context.default_connection()?;
    let default = default.filter(|id| connections.iter().any(|connection| connection.id == *id));
    Ok(Box::new(All { connections, default }))
}

async fn show(context: &Context, id: String) -> Result<Box<dyn Outcome>, Failure> {
    Ok(Box::new(One::of(context, context.named(&id).await?)?))
}

async fn make_default(context: &Context, id: Option<String>) -> Result<Box<dyn Outcome>, Failure> {
    let connection = match id {
        Some(id) => Some(context.named(&id).await?),
        None => None,
    };
    context.make_default(connection.as_ref().map(|connection| connection.id.as_str()))?;
    Ok(Box::new(Chosen(connection)))
}

/// The connection that is the default now.
pub(super) struct Chosen(pub(super) Option<Connection>);

impl Outcome for Chosen {
    fn show(&self, _look: Look) -> Shown {
        Shown::result(match &self.0 {
            Some(connection) => format!("{} is the default\n", named(connection)),
            None => "no connection is the default\n".to_owned(),
        })
    }

    fn changes_store(&self) -> bool {
        true
    }

    fn json(&self) -> Value {
        json!({ "default": self.0.as_ref().map(|connection| &connection.id) })
    }
}

async fn rename(context: &Context, id: String, nickname: String) -> Result<Box<dyn Outcome>, Failure> {
    let id = context.named(&id).await?.id;
    let connected = context.host.rename(&id, &nickname).await?;
    Ok(Box::new(Changed { done: "renamed", connected }))
}

/// All connections.
pub(super) struct All {
    pub(super) connections: Vec<Connection>,
    /// The id of the default one.
    pub(super) default: Option<String>,
}

impl Outcome for All {
    fn show(&self, look: Look) -> Shown {
        let Self { connections, default } = self;
        if connections.is_empty() {
            return Shown { after: format!("no connections yet; {FIRST}\n"), ..Shown::default() };
        }
        let default = connections.iter().find(|connection| Some(&connection.id) == default.as_ref());
        let default = default.map(|connection| format!("default: {}\n", named(connection)));
        Shown {
            after: faults(connections, look.err) + &default.unwrap_or_default(),
            ..Shown::result(self::connections(connections, look))
        }
    }

    fn json(&self) -> Value {
        let each = |connection: &Connection| {
            let mut value = connection::json(connection);
            value["default"] = (Some(&connection.id) == self.default.as_ref()).into();
            value
        };
        self.connections.iter().map(each).collect()
    }

    fn rows(&self) -> Option<Rows> {
        let rows = self.json().as_array().cloned().unwrap_or_default();
        let names = self.connections.iter().map(|connection| connection.nickname.clone()).collect();
        Some(Rows { rows, names })
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

    fn rows(&self) -> Option<Rows> {
        Some(Rows { rows: vec![self.json()], names: vec![self.connection.nickname.clone()] })
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
