//! A request that is not on a tape, and what tells it from the one that is.

use std::fmt;

use crate::transport::Missed;

/// A request that the tape does not answer. All values are redacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    /// `METHOD https://host/path` of the request that was sent.
    pub request: String,
    /// The tape's next interaction, as `interactions[I] METHOD URL`; `None` at the tape's end.
    pub expected: Option<String>,
    /// The most similar interaction of the tape; `None` if the tape is empty.
    pub nearest: Option<String>,
    /// The differences from the most similar one.
    pub differences: Vec<Difference>,
    /// The advice.
    pub hint: String,
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.missed().fmt(f)
    }
}

impl Miss {
    /// As [`Display`](fmt::Display), with the tape's side in green and the request's in red.
    #[must_use]
    pub fn coloured(&self) -> String {
        Missed { what: self.lines(Difference::coloured), hint: self.hint.clone() }.to_string()
    }

    /// The same for those who know of requests, and not of tapes.
    pub(in crate::tape) fn missed(&self) -> Missed {
        Missed { what: self.lines(Difference::to_string), hint: self.hint.clone() }
    }

    fn lines(&self, line: fn(&Difference) -> String) -> String {
        let mut lines = vec![format!("not on the tape: {}", self.request)];
        lines.push(match &self.expected {
            Some(expected) => format!("  next:    {expected}"),
            None => "  next:    none, the tape has ended".to_owned(),
        });
        if let Some(nearest) = &self.nearest {
            let same = if self.differences.is_empty() { " (the same request)" } else { "" };
            lines.push(format!("  nearest: {nearest}{same}"));
        }
        lines.extend(self.differences.iter().map(|difference| format!("    {}", line(difference))));
        lines.join("\n")
    }
}

/// One field that is not as on the tape. The values are redacted, and shortened when long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// `method`, `url.path`, `query pageToken`, `header authorization.claims.aud`,
    /// `body.form assertion.claims.scope`, `body.json a.b[0]`, …
    pub field: String,
    /// The value on the tape, if the field is there.
    pub tape: Option<String>,
    /// The value that was sent, if the field was there.
    pub sent: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |value: &Option<String>| match value {
            Some(value) => format!("has {value}"),
            None => "has none".to_owned(),
        };
        write!(f, "{}: the tape {}, the request {}", self.field, side(&self.tape), side(&self.sent))
    }
}

impl Difference {
    /// As [`Display`](fmt::Display), with the tape's side in green and the request's in red.
    #[must_use]
    pub fn coloured(&self) -> String {
        let side = |value: &Option<String>, colour: u8| match value {
            Some(value) => format!("has \u{1b}[{colour}m{value}\u{1b}[0m"),
            None => format!("has \u{1b}[{colour}mnone\u{1b}[0m"),
        };
        let field = format!("\u{1b}[1m{}\u{1b}[0m", self.field);
        format!("{field}: the tape {}, the request {}", side(&self.tape, 32), side(&self.sent, 31))
    }
}
