//! A recording of a terminal, as asciinema plays it.
//!
//! <https://docs.asciinema.org/manual/asciicast/v2/>

use std::fmt;

use super::run::COLUMNS;

const PROMPT: &str = "$ ";

/// The least height, that of a terminal as it opens.
const LEAST: usize = 24;

/// Milliseconds before each key, over and over: even intervals do not look like a person.
const KEYS: [u64; 7] = [140, 90, 120, 80, 170, 100, 130];
const BEFORE_TYPING: u64 = 600;
const BEFORE_RETURN: u64 = 400;
const BEFORE_OUTPUT: u64 = 150;
const BETWEEN_LINES: u64 = 80;

/// A command that is typed, and what it prints.
pub(super) struct Cast {
    pub(super) height: usize,
    title: String,
    events: Vec<Event>,
}

/// Text, and the milliseconds from the start until it appears.
struct Event {
    at: u64,
    text: String,
}

impl Cast {
    /// Types the command at a person's pace, and shows its output line by line.
    pub(super) fn of(command: &str, output: &str) -> Self {
        let mut clock = 0;
        let mut event = |after: u64, text: &str| {
            clock += after;
            Event { at: clock, text: text.to_owned() }
        };
        let mut events = vec![event(0, PROMPT)];
        for (index, key) in command.chars().enumerate() {
            let pause = if index == 0 { BEFORE_TYPING } else { KEYS[index % KEYS.len()] };
            events.push(event(pause, key.encode_utf8(&mut [0; 4])));
        }
        events.push(event(BEFORE_RETURN, "\r\n"));
        for (index, line) in output.split_inclusive('\n').enumerate() {
            events.push(event(if index == 0 { BEFORE_OUTPUT } else { BETWEEN_LINES }, line));
        }
        events.push(event(BETWEEN_LINES, PROMPT));
        Self { height: LEAST, title: command.to_owned(), events }
    }

    /// The whole text that the terminal was given.
    pub(super) fn shown(&self) -> String {
        self.events.iter().map(|event| event.text.as_str()).collect()
    }
}

/// The lines of the file.
impl fmt::Display for Cast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (height, title) = (self.height, string(&self.title));
        writeln!(
            f,
            r#"{{"version": 2, "width": {COLUMNS}, "height": {height}, "title": {title}, "env": {{"TERM": "xterm-256color"}}}}"#
        )?;
        for Event { at, text } in &self.events {
            writeln!(f, r#"[{}.{:03}, "o", {}]"#, at / 1000, at % 1000, string(text))?;
        }
        Ok(())
    }
}

/// A string in JSON.
fn string(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' => quoted += r#"\""#,
            '\\' => quoted += r"\\",
            '\n' => quoted += r"\n",
            '\r' => quoted += r"\r",
            '\t' => quoted += r"\t",
            c if c.is_control() => quoted += &format!(r"\u{:04x}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_types_the_command_and_prints_line_by_line() {
        let cast = Cast::of("ls", "a\r\nb");
        assert_eq!(cast.shown(), "$ ls\r\na\r\nb$ ");
        let lines: Vec<String> = cast.to_string().lines().map(str::to_owned).collect();
        assert_eq!(
            lines[0],
            r#"{"version": 2, "width": 115, "height": 24, "title": "ls", "env": {"TERM": "xterm-256color"}}"#
        );
        assert_eq!(
            lines[1..],
            [
                r#"[0.000, "o", "$ "]"#,
                r#"[0.600, "o", "l"]"#,
                r#"[0.690, "o", "s"]"#,
                r#"[1.090, "o", "\r\n"]"#,
                r#"[1.240, "o", "a\r\n"]"#,
                r#"[1.320, "o", "b"]"#,
                r#"[1.400, "o", "$ "]"#,
            ]
        );
    }

    #[test]
    fn strings_are_json() {
        assert_eq!(string("\u{1b}[1m\"\\\u{7f}…\t"), r#""\u001b[1m\"\\\u007f…\t""#);
    }
}
