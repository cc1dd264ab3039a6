//! `gcf doctor`: what a connection needs, and what is missing.

use clap::Args;
use gcf_host::{
    Action,
    wit::{
        Case as _,
        connections::{Connection, Finding, Verdict},
        functions::FunctionRef,
    },
};
use serde_json::{Value, json};

use super::{Planning, Run, Running};
use crate::{
    context::Context,
    input::function::function_ref,
    output::{
        connection::{named, repair},
        exit::Exit,
        failure::Failure,
        format::Rows,
        shown::{Outcome, Shown},
        style::{Look, Paint, plain},
    },
};

/// Check what a connection needs, and say what to do about what is missing
#[derive(Debug, Args)]
#[command(alias = "check")]
pub(crate) struct Doctor {
    /// A function to look at too: a name, or projects/P/locations/R/functions/F
    function: Option<String>,
    /// The function's region
    #[arg(long, requires = "function")]
    region: Option<String>,
}

impl Run for Doctor {
    fn planning(&self) -> Planning {
        Planning::Possible
    }

    fn lists(&self) -> bool {
        true
    }

    fn run(self: Box<Self>, context: &Context) -> Running<'_> {
        Box::pin(async move {
            let Self { function, region } = *self;
            let function = function.map(|name| function_ref(name, region)).transpose()?;
            check(context, context.current().await?, function).await
        })
    }
}

/// Checks each prerequisite of a connection, and of a function if one is named.
pub(super) async fn check(
    context: &Context,
    connection: Connection,
    function: Option<FunctionRef>,
) -> Result<Box<dyn Outcome>, Failure> {
    let id = connection.id;
    let check = async |function| {
        let findings = context.host.check(&id, function, context.timeout).await?;
        // As the check has left it: a token that cannot be had is a fault of the connection.
        let connection = context.host.connection(&id).await?;
        Ok(Checked { connection, findings })
    };
    context.call(&id, function, Action::Check, check).await
}

/// The findings of a check.
pub(super) struct Checked {
    pub(super) connection: Connection,
    pub(super) findings: Vec<Finding>,
}

impl Outcome for Checked {
    fn show(&self, look: Look) -> Shown {
        let Self { connection, findings } = self;
        Shown {
            before: format!("checking {}\n", named(connection)),
            after: repair(connection, look.err) + &verdicts(findings, look.err),
            ..Shown::result(self::findings(findings, look.out))
        }
    }

    fn json(&self) -> Value {
        let finding = |finding: &Finding| {
            json!({
                "name": finding.name,
                "verdict": finding.verdict.name(),
                "message": finding.message,
                "fix": finding.fix,
                "link": finding.link,
            })
        };
        self.findings.iter().map(finding).collect()
    }

    fn rows(&self) -> Option<Rows> {
        let rows = self.json().as_array().cloned().unwrap_or_default();
        Some(Rows { rows, names: self.findings.iter().map(|finding| finding.name.clone()).collect() })
    }

    fn exit(&self) -> Exit {
        let failed = self.findings.iter().any(|finding| finding.verdict == Verdict::Fail);
        if failed { Exit::Failed } else { Exit::Done }
    }
}

/// A line per prerequisite, and below it what to do.
fn findings(findings: &[Finding], paint: Paint) -> String {
    let width = findings.iter().map(|finding| finding.name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for finding in findings {
        // Padded before it is painted: escape sequences count as characters.
        let verdict = format!("{:<10}", finding.verdict.name());
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

/// The number of each verdict, in one line.
fn verdicts(findings: &[Finding], paint: Paint) -> String {
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
