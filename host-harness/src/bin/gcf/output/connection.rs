//! One connection, for people and for programs.

use gcf_host::wit::{
    Case as _,
    connections::{Connected, Connection},
    types::{GuardRails, Invoker},
};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    credential,
    shown::{self, Leaves, Outcome, Shown},
    style::{Look, Paint, plain},
    table::facts,
    words,
};

/// A connection that is another one now, in a word: renamed, restricted.
pub(crate) struct Changed {
    pub(crate) done: &'static str,
    pub(crate) connected: Connected,
}

impl Outcome for Changed {
    fn show(&self, look: Look) -> Shown {
        changed(self.done, &self.connected, look)
    }

    fn json(&self) -> Value {
        changed_json(&self.connected)
    }

    fn leaves(&self) -> Option<Leaves<'_>> {
        Some(Leaves::Kept(&self.connected.connection))
    }
}

/// The change of a connection, and how it is now.
pub(crate) fn changed(done: &str, connected: &Connected, look: Look) -> Shown {
    let Connected { connection, warnings } = connected;
    Shown {
        after: shown::warnings(warnings, look),
        ..Shown::result(format!(
            "{} {}\n{}",
            look.out.good(done),
            plain(&connection.nickname),
            text(connection, &[], look.out)
        ))
    }
}

pub(crate) fn changed_json(connected: &Connected) -> Value {
    json!({ "connection": json(&connected.connection), "warnings": connected.warnings })
}

/// The nickname and the id.
pub(crate) fn named(connection: &Connection) -> String {
    format!("{} ({})", plain(&connection.nickname), plain(&connection.id))
}

/// One connection, a line per fact.
pub(crate) fn text(connection: &Connection, shared: &[String], paint: Paint) -> String {
    let created = timestamp(connection.created);
    let last_used = connection.last_used.and_then(timestamp);
    let ends = connection.ends.and_then(timestamp);
    let fault = connection.fault.as_ref();
    let since = fault.and_then(|fault| timestamp(fault.since));
    let run = fault.and_then(|_| credential::repair(connection));
    let mut text = facts(
        &[
            ("id", Some(&connection.id)),
            ("nickname", Some(&connection.nickname)),
            ("project", Some(&connection.project)),
            ("quota project", connection.quota_project.as_deref()),
            ("region", Some(&connection.region)),
            ("credential", Some(connection.kind.name())),
            ("account", Some(&connection.account)),
            ("through", connection.through.as_deref()),
            ("scopes", Some(&connection.scopes.join(" "))),
            ("invokes as", Some(&words::invoker(&connection.invoker))),
            ("created", created.as_deref()),
            ("last used", last_used.as_deref()),
            ("ends", ends.as_deref()),
        ],
        paint,
    );
    for rail in connection.guard_rails.iter().flat_map(words::guard_rails) {
        text += &facts(&[("guard rail", Some(&rail))], paint);
    }
    for recipient in shared {
        text += &facts(&[("shared", Some(&format!("with {recipient}")))], paint);
    }
    text + &facts(
        &[
            ("fault", fault.map(|fault| fault.message.as_str())),
            ("since", since.as_deref()),
            ("hint", fault.and_then(|fault| fault.fix.as_deref())),
            ("run", run.as_deref()),
        ],
        paint,
    )
}

/// For programs.
pub(crate) fn json(connection: &Connection) -> Value {
    json!({
        "id": connection.id,
        "nickname": connection.nickname,
        "project": connection.project,
        "quota-project": connection.quota_project,
        "region": connection.region,
        "kind": connection.kind.name(),
        "account": connection.account,
        "through": connection.through,
        "scopes": connection.scopes,
        "invoker": invoker(&connection.invoker),
        "guard-rails": connection.guard_rails.as_ref().map(guard_rails),
        "created": connection.created,
        "last-used": connection.last_used,
        "ends": connection.ends,
        "fault": connection.fault.as_ref().map(|fault| json!({
            "message": fault.message,
            "fix": fault.fix,
            "reason": fault.reason,
            "since": fault.since,
        })),
    })
}

pub(crate) fn guard_rails(rails: &GuardRails) -> Value {
    json!({
        "read-only": rails.read_only,
        "regions": rails.regions,
        "functions": rails.functions,
        "methods": rails.methods,
        "max-body": rails.max_body,
        "own-project": rails.own_project,
        "audiences": rails.audiences,
    })
}

fn invoker(invoker: &Invoker) -> Value {
    match invoker {
        Invoker::Own | Invoker::User => json!(invoker.name()),
        Invoker::ServiceAccount(impersonation) => json!({ invoker.name(): {
            "service-account": impersonation.service_account,
            "delegates": impersonation.delegates,
            "include-email": impersonation.include_email,
        } }),
    }
}

/// The command that repairs a connection, if it needs one.
pub(crate) fn repair(connection: &Connection, paint: Paint) -> String {
    let command = connection.fault.as_ref().and_then(|_| credential::repair(connection));
    command.map(|command| format!("{} {}\n", paint.hint("run:"), plain(&command))).unwrap_or_default()
}

fn timestamp(seconds: u64) -> Option<String> {
    let time = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()?;
    time.format(&Rfc3339).ok()
}
