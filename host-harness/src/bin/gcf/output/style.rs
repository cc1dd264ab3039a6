//! Colour where a person looks on, and nothing that could drive their terminal.

use std::{
    env,
    fmt::Display,
    io::{self, IsTerminal as _},
};

use clap::builder::styling::{AnsiColor, Style};
pub(crate) use gcf_host::text::{block, line as plain};

/// The kind of reader behind stdout and stderr.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// A person reads stdout.
    pub(crate) terminal: bool,
    pub(crate) out: Paint,
    pub(crate) err: Paint,
}

impl Look {
    pub(crate) fn detect() -> Self {
        let terminal = io::stdout().is_terminal();
        Self { terminal, out: Paint::detect(terminal), err: Paint::detect(io::stderr().is_terminal()) }
    }

    /// As a person sees it, with the colours that `self` has: what the demo prints.
    pub(crate) fn for_people(self) -> Self {
        Self { terminal: true, out: self.out, err: self.out }
    }
}

/// Styles text for one stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    colour: bool,
}

impl Paint {
    /// <https://no-color.org>, and terminals that say that they are dumb.
    fn detect(terminal: bool) -> Self {
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { colour: terminal && !refused && !dumb }
    }

    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self { colour: false }
    }

    pub(crate) fn colour(self) -> bool {
        self.colour
    }

    pub(crate) fn bold(self, text: impl Display) -> String {
        self.paint(Style::new().bold(), text)
    }

    pub(crate) fn dim(self, text: impl Display) -> String {
        self.paint(Style::new().dimmed(), text)
    }

    pub(crate) fn error(self, text: impl Display) -> String {
        self.paint(AnsiColor::Red.on_default().bold(), text)
    }

    pub(crate) fn warning(self, text: impl Display) -> String {
        self.paint(AnsiColor::Yellow.on_default().bold(), text)
    }

    pub(crate) fn good(self, text: impl Display) -> String {
        self.paint(AnsiColor::Green.on_default(), text)
    }

    pub(crate) fn hint(self, text: impl Display) -> String {
        self.paint(AnsiColor::Cyan.on_default(), text)
    }

    fn paint(self, style: Style, text: impl Display) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colour_text_stays_as_it_is() {
        assert_eq!(Paint::none().error("x"), "x");
        assert_eq!(Paint { colour: true }.dim("x"), "\u{1b}[2mx\u{1b}[0m");
    }
}
