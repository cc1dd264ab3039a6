//! The screen of a terminal, as a program leaves it after printing.

use std::fmt;

/// Rows of text, without the blanks at their ends.
pub(super) struct Screen {
    rows: Vec<Vec<Run>>,
    pub(super) columns: usize,
}

/// Neighbouring characters of one style.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) text: String,
    pub(super) style: Style,
}

/// The look of a character.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) bold: bool,
    pub(super) dim: bool,
    /// One of the sixteen colours, or the terminal's own.
    pub(super) colour: Option<u8>,
}

/// A sequence of the terminal that cannot be shown here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unknown(String);

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "what this picture of a terminal cannot show: {}", self.0.escape_debug())
    }
}

impl Screen {
    /// The last rows, at most as many as the height, of what the text has put on a screen of this width.
    pub(super) fn after(text: &str, columns: usize, height: usize) -> Result<Self, Unknown> {
        let mut pen = Pen { rows: vec![Vec::new()], columns, column: 0, style: Style::default() };
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            match c {
                '\r' => pen.column = 0,
                '\n' => pen.rows.push(Vec::new()),
                '\u{1b}' => rest = pen.escape(rest)?,
                c if c.is_control() => return Err(Unknown(c.to_string())),
                c => pen.put(c),
            }
        }
        let first = pen.rows.len().saturating_sub(height);
        Ok(Self { rows: pen.rows[first..].iter().map(|row| runs(row)).collect(), columns })
    }

    pub(super) fn rows(&self) -> &[Vec<Run>] {
        &self.rows
    }
}

/// The place where the next character goes, and its look.
struct Pen {
    rows: Vec<Vec<(char, Style)>>,
    columns: usize,
    column: usize,
    style: Style,
}

impl Pen {
    fn put(&mut self, c: char) {
        // Not before there is a character for the next row: a full row does not leave an empty one behind.
        if self.column == self.columns {
            self.rows.push(Vec::new());
            self.column = 0;
        }
        let Some(row) = self.rows.last_mut() else { return };
        if row.len() <= self.column {
            row.resize(self.column + 1, (' ', Style::default()));
        }
        row[self.column] = (c, self.style);
        self.column += 1;
    }

    /// Follows what stands after an escape character, and returns what stands after the sequence.
    fn escape<'a>(&mut self, rest: &'a str) -> Result<&'a str, Unknown> {
        let unknown =
            |length: usize| Unknown(format!("\u{1b}{}", rest.chars().take(length).collect::<String>()));
        let parameters = rest.strip_prefix('[').ok_or_else(|| unknown(1))?;
        let length = parameters
            .find(|c: char| !(c.is_ascii_digit() || c == ';'))
            .filter(|&end| parameters[end..].starts_with('m'))
            .ok_or_else(|| unknown(8))?;
        for parameter in parameters[..length].split(';') {
            let number = if parameter.is_empty() { Ok(0) } else { parameter.parse::<u8>() };
            let known = number.ok().and_then(|number| self.style.changed(number));
            self.style = known.ok_or_else(|| unknown(length + 2))?;
        }
        Ok(&parameters[length + 1..])
    }
}

impl Style {
    /// The style after one parameter of "select graphic rendition" (ECMA-48, section 8.3.117). None if it is
    /// not known.
    fn changed(self, parameter: u8) -> Option<Self> {
        Some(match parameter {
            0 => Self::default(),
            1 => Self { bold: true, ..self },
            2 => Self { dim: true, ..self },
            22 => Self { bold: false, dim: false, ..self },
            30..=37 => Self { colour: Some(parameter - 30), ..self },
            39 => Self { colour: None, ..self },
            90..=97 => Self { colour: Some(parameter - 90 + 8), ..self },
            _ => return None,
        })
    }
}

/// The characters of a row, joined by style.
fn runs(row: &[(char, Style)]) -> Vec<Run> {
    let end = row.iter().rposition(|(c, _)| *c != ' ').map_or(0, |last| last + 1);
    let mut runs: Vec<Run> = Vec::new();
    for &(c, style) in &row[..end] {
        match runs.last_mut() {
            // A blank looks the same in every style.
            Some(run) if run.style == style || c == ' ' => run.text.push(c),
            Some(_) | None => runs.push(Run { text: c.to_string(), style }),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, columns: usize, height: usize) -> Vec<String> {
        let screen = Screen::after(text, columns, height).unwrap();
        screen.rows().iter().map(|row| row.iter().map(|run| run.text.as_str()).collect()).collect()
    }

    #[test]
    fn long_lines_wrap_and_old_ones_scroll_away() {
        assert_eq!(rows("one\r\nabcdefg\r\nlast", 5, 9), ["one", "abcde", "fg", "last"]);
        assert_eq!(rows("one\r\nabcdefg\r\nlast", 5, 2), ["fg", "last"]);
        assert_eq!(rows("abcde\r\nx", 5, 9), ["abcde", "x"]);
    }

    #[test]
    fn a_return_alone_writes_over_the_row() {
        assert_eq!(rows("abc\rx", 9, 9), ["xbc"]);
    }

    #[test]
    fn styles_become_runs() {
        let screen = Screen::after("\u{1b}[1m\u{1b}[31merror:\u{1b}[0m \u{1b}[2;96mx\u{1b}[22;39my  ", 80, 9);
        let run =
            |text: &str, bold, dim, colour| Run { text: text.into(), style: Style { bold, dim, colour } };
        assert_eq!(
            screen.unwrap().rows(),
            [[
                run("error: ", true, false, Some(1)),
                run("x", false, true, Some(14)),
                run("y", false, false, None)
            ]]
        );
    }

    #[test]
    fn what_cannot_be_shown_is_an_error() {
        let unknown = |text: &str| Screen::after(text, 80, 9).map(|_| ()).unwrap_err().to_string();
        assert!(unknown("a\u{1b}[2Kb").ends_with(r"\u{1b}[2Kb"), "{}", unknown("a\u{1b}[2Kb"));
        assert!(unknown("\u{1b}[4mb").ends_with(r"\u{1b}[4m"));
        assert!(unknown("\u{1b}[999m").ends_with(r"\u{1b}[999m"));
        assert!(unknown("\u{1b}").ends_with(r"\u{1b}"));
        assert!(unknown("\u{7}").ends_with(r"\u{7}"));
    }
}
