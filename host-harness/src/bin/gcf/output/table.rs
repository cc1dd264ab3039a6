//! Tables and summaries for people.

mod functions;

use std::{borrow::Cow, path::Path};

use comfy_table::{Attribute, Cell, ContentArrangement, Table, presets};
use gcf_host::wit::connections::{Connection, Finding, Verdict};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

pub(crate) use self::functions::{
    counted, function, functions, functions_in_short, list_summary, offer_summary, options,
};
use crate::output::{
    repair,
    style::{Look, Paint, plain},
    words,
};

/// All connections.
pub(crate) fn connections(connections: &[Connection], look: Look) -> String {
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
            words::credential(connection.kind),
            short_account(&connection.account),
        ]
        .map(Cow::from)
    });
    // The account, which may be long, comes last, like the URL of a function.
    table(["NICKNAME", "ID", "PROJECT", "REGION", "HEALTH", "CREDENTIAL", "ACCOUNT"], rows, look.out)
}

/// Through what else it signs in, `gcf connections show` tells.
pub(crate) fn short_account(account: &str) -> &str {
    account.split_once(" (through ").map_or(account, |(itself, _)| itself)
}

/// What is wrong with those that cannot sign in, and the command that repairs each.
pub(crate) fn faults(connections: &[Connection], paint: Paint) -> String {
    let faulty = connections.iter().filter_map(|connection| Some((connection, connection.fault.as_ref()?)));
    faulty
        .map(|(connection, fault)| {
            let nickname = plain(&connection.nickname);
            format!("{} {nickname}: {}\n", paint.error("fault:"), plain(&fault.message))
                + &repair(connection, paint)
        })
        .collect()
}

/// The command that repairs a connection, if it needs one.
pub(crate) fn repair(connection: &Connection, paint: Paint) -> String {
    let command = connection.fault.as_ref().and_then(|_| repair::repair(connection));
    command.map(|command| format!("{} {}\n", paint.hint("run:"), plain(&command))).unwrap_or_default()
}

/// One connection, a line per fact.
pub(crate) fn connection(connection: &Connection, shared: &[String], paint: Paint) -> String {
    let created = timestamp(connection.created);
    let last_used = connection.last_used.and_then(timestamp);
    let fault = connection.fault.as_ref();
    let since = fault.and_then(|fault| timestamp(fault.since));
    let run = fault.and_then(|_| repair::repair(connection));
    let mut text = facts(
        &[
            ("id", Some(&connection.id)),
            ("nickname", Some(&connection.nickname)),
            ("project", Some(&connection.project)),
            ("region", Some(&connection.region)),
            ("credential", Some(words::credential(connection.kind))),
            ("account", Some(&connection.account)),
            ("scopes", Some(&connection.scopes.join(" "))),
            ("invokes as", Some(&words::invoker(&connection.invoker))),
            ("created", created.as_deref()),
            ("last used", last_used.as_deref()),
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

/// Where connections are kept, and who can read them.
pub(crate) fn store(folder: &Path, key: &str, recipient: &str, paint: Paint) -> String {
    let folder = folder.display().to_string();
    facts(&[("folder", Some(&folder)), ("key", Some(key)), ("recipient", Some(recipient))], paint)
}

fn timestamp(seconds: u64) -> Option<String> {
    let time = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()?;
    time.format(&Rfc3339).ok()
}

/// A line per prerequisite, and below it what to do.
pub(crate) fn findings(findings: &[Finding], paint: Paint) -> String {
    let width = findings.iter().map(|finding| finding.name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for finding in findings {
        // Padded before it is painted: escape sequences count as characters.
        let verdict = format!("{:<10}", words::verdict(finding.verdict));
        let verdict = match finding.verdict {
            Verdict::Pass => paint.good(verdict),
            Verdict::Fail => paint.error(verdict),
            Verdict::Unknown | Verdict::Other => paint.warning(verdict),
            Verdict::NotNeeded => paint.dim(verdict),
        };
        text += &format!("{verdict}  {:<width$}  {}\n", plain(&finding.name), plain(&finding.message));
        for (label, value) in [("hint:", &finding.fix), ("link:", &finding.link)] {
            if let Some(value) = value {
                text += &format!("{:12}{} {}\n", "", paint.hint(label), plain(value));
            }
        }
    }
    text
}

/// How many of which verdict, in one line.
pub(crate) fn verdicts(findings: &[Finding], paint: Paint) -> String {
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    match (count(Verdict::Fail), count(Verdict::Unknown) + count(Verdict::Other)) {
        (0, 0) => format!("{}\n", paint.good("nothing is missing")),
        (0, unknown) => format!("nothing is known to be missing; {unknown} could not be told\n"),
        (failed, 0) => format!("{failed} failed; mend the first one first\n"),
        (failed, unknown) => {
            format!("{failed} failed, {unknown} could not be told; mend the first one first\n")
        }
    }
}

/// `name  value` lines; what is not known is left out.
fn facts(facts: &[(&str, Option<&str>)], paint: Paint) -> String {
    facts
        .iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)))
        .map(|(name, value)| format!("  {}  {}\n", paint.dim(format!("{name:<10}")), plain(value)))
        .collect()
}

pub(crate) fn table<'a, const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [Cow<'a, str>; N]>,
    paint: Paint,
) -> String {
    let mut table = Table::new();
    // No borders and no wrapping: what a table shows must survive being copied.
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    if paint.colour() {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table.set_header(header.map(|name| Cell::new(name).add_attribute(Attribute::Bold)));
    for row in rows {
        table.add_row(row.map(|cell| plain(&cell).into_owned()));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_ends_with_how_much_is_missing() {
        let finding = |verdict| Finding {
            name: "x".to_owned(),
            verdict,
            message: String::new(),
            fix: None,
            link: None,
        };
        for (verdicts, line) in [
            (vec![Verdict::Pass, Verdict::NotNeeded], "nothing is missing\n"),
            (vec![Verdict::Unknown, Verdict::Pass], "nothing is known to be missing; 1 could not be told\n"),
            (vec![Verdict::Fail], "1 failed; mend the first one first\n"),
            (
                vec![Verdict::Fail, Verdict::Other],
                "1 failed, 1 could not be told; mend the first one first\n",
            ),
        ] {
            let findings: Vec<Finding> = verdicts.into_iter().map(finding).collect();
            assert_eq!(super::verdicts(&findings, Paint::none()), line);
        }
    }

    #[test]
    fn a_missing_prerequisite_comes_with_its_fix() {
        let finding = Finding {
            name: "functions-api".to_owned(),
            verdict: Verdict::Fail,
            message: "the Cloud Functions API is off".to_owned(),
            fix: Some("enable it".to_owned()),
            link: None,
        };
        assert_eq!(
            findings(&[finding], Paint::none()),
            "fail        functions-api  the Cloud Functions API is off\n            hint: enable it\n"
        );
    }
}
