//! The description of a diagram, in the format that docs/pictures/sandbox.txt explains at its top.

use std::{fmt, str::FromStr};

/// The height of a line of text.
pub(super) const LINE: u32 = 16;

/// The largest number: larger than any picture, and small enough for sums.
const LARGEST: u32 = 10_000;

/// Boxes, and arrows between them.
#[derive(Debug)]
pub(super) struct Drawing {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) boxes: Vec<Panel>,
    pub(super) arrows: Vec<Arrow>,
}

/// A box. The first line of its text is its name for the reader.
#[derive(Debug)]
pub(super) struct Panel {
    name: String,
    pub(super) kind: Kind,
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) text: Vec<String>,
}

/// The look of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A box around others: its name is at the top, and the rest of its text at the bottom.
    Group,
    /// A group in which code runs that the host does not trust.
    Sandbox,
    Plain,
    /// A box that lets some things pass.
    Guard,
    Hostile,
}

/// An arrow from the edge of one box straight to the edge of another.
#[derive(Debug)]
pub(super) struct Arrow {
    pub(super) allowed: bool,
    pub(super) from: (u32, u32),
    pub(super) to: (u32, u32),
    pub(super) text: Vec<String>,
}

/// A mistake in a description, and the number of its line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    line: usize,
    message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// The last item of the description, to which lines of text belong.
enum Open {
    Nothing,
    Box,
    Arrow,
}

impl Drawing {
    /// Reads a description.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let mut drawing = Self {
            width: 0,
            height: 0,
            title: String::new(),
            description: String::new(),
            boxes: Vec::new(),
            arrows: Vec::new(),
        };
        let mut open = Open::Nothing;
        for (number, line) in (1..).zip(text.lines()) {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let done = if line.starts_with("  ") {
                drawing.text(&open, line.trim())
            } else {
                drawing.begin(line, &mut open)
            };
            done.map_err(|message| Fault { line: number, message })?;
        }
        let missing =
            |what: &str| Fault { line: text.lines().count(), message: format!("there is no `{what}`") };
        match &drawing {
            Self { width: 0, .. } => Err(missing("size")),
            Self { title, .. } if title.is_empty() => Err(missing("title")),
            Self { description, .. } if description.is_empty() => Err(missing("desc")),
            Self { .. } => Ok(drawing),
        }
    }

    fn begin(&mut self, line: &str, open: &mut Open) -> Result<(), String> {
        let (word, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        *open = Open::Nothing;
        match word {
            "size" => [self.width, self.height] = numbers(&words(rest, "size WIDTH HEIGHT")?)?,
            "title" => rest.clone_into(&mut self.title),
            "desc" => rest.clone_into(&mut self.description),
            "box" => {
                self.boxes.push(self.panel(rest)?);
                *open = Open::Box;
            }
            "arrow" => {
                self.arrows.push(self.arrow(rest)?);
                *open = Open::Arrow;
            }
            _ => return Err(format!("`{word}` is not one of size, title, desc, box, arrow")),
        }
        Ok(())
    }

    fn text(&mut self, open: &Open, line: &str) -> Result<(), String> {
        match open {
            Open::Nothing => Err("this text belongs to no box and no arrow".to_owned()),
            Open::Box => self.boxes.last_mut().map_or(Ok(()), |last| last.write(line)),
            Open::Arrow => self.arrows.last_mut().map_or(Ok(()), |last| last.write(line)),
        }
    }

    fn panel(&self, rest: &str) -> Result<Panel, String> {
        let [name, kind, place @ ..] = words::<6>(rest, "box NAME KIND LEFT TOP WIDTH HEIGHT")?;
        if self.boxes.iter().any(|other| other.name == name) {
            return Err(format!("there is a box `{name}` already"));
        }
        let [left, top, width, height] = numbers(&place)?;
        if left + width > self.width || top + height > self.height {
            return Err(format!(
                "the box `{name}` does not fit into the size {} {}",
                self.width, self.height
            ));
        }
        Ok(Panel { name: name.to_owned(), kind: kind.parse()?, left, top, width, height, text: Vec::new() })
    }

    fn arrow(&self, rest: &str) -> Result<Arrow, String> {
        let [permission, from, to, at] = words(rest, "arrow allowed|refused FROM TO AT")?;
        let allowed = match permission {
            "allowed" => true,
            "refused" => false,
            _ => return Err(format!("`{permission}` is neither `allowed` nor `refused`")),
        };
        let (start, end, [at]) = (self.named(from)?, self.named(to)?, numbers(&[at])?);
        let beside = |range: (u32, u32)| range.0 <= at && at <= range.1;
        let across = facing(start.columns(), end.columns());
        let down = facing(start.rows(), end.rows());
        let (from, to) = match (across, down) {
            (Some((a, b)), None) if beside(start.rows()) && beside(end.rows()) => ((a, at), (b, at)),
            (None, Some((a, b))) if beside(start.columns()) && beside(end.columns()) => ((at, a), (at, b)),
            _ => return Err(format!("at {at} no straight arrow leads from `{from}` to `{to}`")),
        };
        Ok(Arrow { allowed, from, to, text: Vec::new() })
    }

    fn named(&self, name: &str) -> Result<&Panel, String> {
        let found = self.boxes.iter().find(|panel| panel.name == name);
        found.ok_or_else(|| format!("there is no box `{name}` above"))
    }
}

impl Panel {
    fn write(&mut self, line: &str) -> Result<(), String> {
        let tenths = if self.text.is_empty() { 83 } else { 67 };
        // The reader's font is unknown: this is how wide DejaVu Sans may get, the widest of the usual ones.
        let wide = count(line.chars()) * tenths / 10;
        if wide > self.width {
            return Err(format!("this text may be {wide} pixels wide, and its box has {}", self.width));
        }
        self.text.push(line.to_owned());
        let high = count(self.text.iter()) * LINE;
        if high > self.height {
            return Err(format!(
                "with this line the text is {high} pixels high, and its box has {}",
                self.height
            ));
        }
        Ok(())
    }

    fn columns(&self) -> (u32, u32) {
        (self.left, self.left + self.width)
    }

    fn rows(&self) -> (u32, u32) {
        (self.top, self.top + self.height)
    }
}

impl Arrow {
    fn write(&mut self, line: &str) -> Result<(), String> {
        if self.text.len() == 2 {
            return Err("an arrow has two lines of text at most".to_owned());
        }
        self.text.push(line.to_owned());
        Ok(())
    }
}

/// The ends of an arrow between two ranges that lie apart.
fn facing(from: (u32, u32), to: (u32, u32)) -> Option<(u32, u32)> {
    if from.1 < to.0 {
        Some((from.1, to.0))
    } else if to.1 < from.0 {
        Some((from.0, to.1))
    } else {
        None
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "group" => Ok(Self::Group),
            "sandbox" => Ok(Self::Sandbox),
            "plain" => Ok(Self::Plain),
            "guard" => Ok(Self::Guard),
            "hostile" => Ok(Self::Hostile),
            _ => Err(format!("`{word}` is not one of group, sandbox, plain, guard, hostile")),
        }
    }
}

/// The number of items, up to a number that is small enough for sums.
pub(super) fn count(of: impl Iterator) -> u32 {
    u32::try_from(of.count()).unwrap_or(LARGEST).min(LARGEST)
}

fn words<'a, const N: usize>(rest: &'a str, form: &str) -> Result<[&'a str; N], String> {
    let words: Vec<&str> = rest.split_whitespace().collect();
    words.try_into().map_err(|_| format!("this should be `{form}`"))
}

fn numbers<const N: usize>(words: &[&str; N]) -> Result<[u32; N], String> {
    let mut numbers = [0; N];
    for (number, word) in numbers.iter_mut().zip(words) {
        let parsed = word.parse().ok().filter(|&parsed| parsed <= LARGEST);
        *number = parsed.ok_or_else(|| format!("`{word}` is not a number up to {LARGEST}"))?;
    }
    Ok(numbers)
}

#[cfg(test)]
#[path = "drawing_tests.rs"]
mod tests;
