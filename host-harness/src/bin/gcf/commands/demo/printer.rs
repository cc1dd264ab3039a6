//! The tour on the screen, a step as soon as it is done.

use std::{
    io::{self, Write},
    time::Duration,
};

use gcf_host::wit::types::ErrorKind;
use serde_json::{Value, json};

use super::{Expected, Step, command_line, sandbox::Sandbox};
use crate::output::{
    exit::Exit,
    failure::Failure,
    shown::{Outcome, Shown},
    style::{Look, Paint},
};

/// More lines of a result than this are counted instead of shown.
const LINES: usize = 12;

pub(super) struct Facts {
    pub(super) sandbox: Sandbox,
    pub(super) on_tape: usize,
    pub(super) used: usize,
    pub(super) cache: String,
    /// Until the first call could be made.
    pub(super) ready: Duration,
    pub(super) total: Duration,
}

impl Facts {
    fn time(&self) -> String {
        format!(
            "{:.0} ms to start, {:.0} ms in all",
            self.ready.as_secs_f64() * 1e3,
            self.total.as_secs_f64() * 1e3
        )
    }
}

pub(super) struct Printer<'a, W> {
    pub(super) look: Look,
    pub(super) json: bool,
    pub(super) long: bool,
    /// Nothing comes after the tour.
    pub(super) ends: bool,
    /// The steps that `--json` prints at the end.
    pub(super) steps: Vec<Value>,
    pub(super) out: &'a mut W,
}

impl<W: Write> Printer<'_, W> {
    pub(super) fn step(
        &mut self,
        number: usize,
        step: &Step,
        result: Result<Box<dyn Outcome>, Failure>,
        requests: usize,
    ) -> Result<(), Failure> {
        let command = command_line(step.arguments);
        let paint = self.look.out;
        let (value, text) = match (result, step.expected) {
            (Ok(outcome), Expected::Answered) if self.long => (outcome.json(), summary(&*outcome, self.look)),
            (Ok(outcome), Expected::Answered) => (outcome.json(), gist(&*outcome, self.look)),
            (Err(failure), Expected::Refused) if failure.exit == Exit::from(ErrorKind::InvalidInput) => {
                (failure.json(), failure.text(paint))
            }
            (Err(failure), Expected::Answered | Expected::Refused) => return Err(failure),
            (Ok(_), Expected::Refused) => {
                return Err(Failure::fault(format!("`{command}` should have been refused")));
            }
        };
        let sent = match requests {
            0 => "nothing was sent".to_owned(),
            1 => "1 request".to_owned(),
            count => format!("{count} requests"),
        };
        self.steps.push(json!({
            "title": step.title, "command": command, "requests": requests, "result": value,
        }));
        if !self.long {
            let shown = format!("\n{}\n{text}", paint.hint(format!("$ {command}")));
            return if step.short { self.text(&shown) } else { Ok(()) };
        }
        self.text(&format!(
            "\n{} {}\n   {}\n{}   {}\n",
            paint.bold(format!("{number}.")),
            paint.bold(step.title),
            paint.hint(format!("$ {command}")),
            indented(&text),
            paint.dim(sent),
        ))
    }

    pub(super) fn end(&mut self, facts: &Facts) -> Result<(), Failure> {
        if self.json {
            let steps = std::mem::take(&mut self.steps);
            let document = json!({
                "steps": steps,
                "sandbox": facts.sandbox.json(),
                "tape": { "interactions": facts.on_tape, "used": facts.used },
                "network": false,
            });
            return print(self.out, &format!("{document:#}\n"));
        }
        let text = if self.long { self.all(facts) } else { self.few(facts) };
        self.text(&text)
    }

    fn all(&self, facts: &Facts) -> String {
        let paint = self.look.out;
        let tape = format!(
            "{} of {} exchanges of the tape used, in order; a request beyond them would have failed",
            facts.used, facts.on_tape
        );
        let time = format!("{}; {}", facts.time(), facts.cache);
        let mut lines = facts.sandbox.lines();
        lines.extend([("tape", tape), ("time", time)]);
        let lines: String = lines
            .iter()
            .map(|(name, value)| format!("   {}{}\n", paint.dim(format!("{name:<11}")), wrapped(value)))
            .collect();
        format!("\n{}\n{lines}\n{}\n", paint.bold("What it ran in"), paint.good("No network was used."))
    }

    fn few(&self, facts: &Facts) -> String {
        let paint = self.look.out;
        let next =
            "next: gcf demo --into DIR leaves a folder to try commands in; gcf demo --long says more\n";
        format!(
            "\n{}\n{}\n{}",
            paint.good(facts.sandbox.sentence()),
            paint.dim(format!("{} requests, all answered by the tape; {}", facts.used, facts.time())),
            if self.ends { next } else { "" }
        )
    }

    pub(super) fn text(&mut self, text: &str) -> Result<(), Failure> {
        if self.json { Ok(()) } else { print(self.out, text) }
    }
}

pub(super) fn print(out: &mut impl Write, text: &str) -> Result<(), Failure> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever read it has seen enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::machine(format!("cannot write to stdout: {error}")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The result as the command itself would print it, shortened where a tour would drag.
fn summary(outcome: &dyn Outcome, look: Look) -> String {
    let Shown { before, result, after } = outcome.show(look);
    let shortened = || shortened(&String::from_utf8_lossy(&result), look.out);
    before + &outcome.excerpt(look).unwrap_or_else(shortened) + &after
}

/// The part of a result that matters most, in a few lines.
fn gist(outcome: &dyn Outcome, look: Look) -> String {
    outcome.gist(look).unwrap_or_else(|| {
        let Shown { before, result, after: _ } = outcome.show(look);
        before + &String::from_utf8_lossy(&result)
    })
}

fn shortened(text: &str, paint: Paint) -> String {
    let count = text.lines().count();
    if count <= LINES {
        return text.to_owned();
    }
    let kept: String = text.lines().take(LINES - 1).map(|line| format!("{line}\n")).collect();
    format!("{kept}{}\n", paint.dim(format!("… and {} more lines", count - (LINES - 1))))
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("   {line}\n")).collect()
}

/// In lines of some 85 characters, as far in as the facts stand.
fn wrapped(text: &str) -> String {
    let mut wrapped = String::new();
    let mut width = 0;
    for word in text.split(' ') {
        let longer = width + 1 + word.chars().count();
        if width > 0 && longer > 85 {
            wrapped += &format!("\n{:14}", "");
            width = 0;
        } else if width > 0 {
            wrapped.push(' ');
        }
        wrapped += word;
        width = if width == 0 { word.chars().count() } else { longer };
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_results_are_counted_and_short_ones_kept() {
        assert_eq!(shortened("a\nb\n", Paint::none()), "a\nb\n");
        let long = "x\n".repeat(LINES + 5);
        let short = shortened(&long, Paint::none());
        assert_eq!(short.lines().count(), LINES);
        assert!(short.ends_with("… and 6 more lines\n"), "{short}");
    }

    #[test]
    fn long_facts_are_wrapped() {
        assert_eq!(wrapped("a b"), "a b");
        let text = wrapped(&"word ".repeat(40));
        assert!(text.lines().all(|line| line.chars().count() <= 14 + 85), "{text}");
        assert_eq!(text.split_whitespace().count(), 40);
    }
}
