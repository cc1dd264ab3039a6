//! The connector as a command, for hosts that only run commands: an action's name and JSON in, JSON out.
//!
//!     ACTION [--connection ID] [--deadline-ms N] [JSON | -]
//!
//! The JSON is what the catalog describes as the action's `input`; `-` reads it from the standard input, where a credential
//! belongs, and without any it has no fields. What the action returns is printed, or its error, and then the command fails.

mod arguments;

use std::{
    io::{self, Read as _, Write as _},
    process::ExitCode,
};

use gcf_front::{Action, Answer, Failure, Given, action, beside, input, perform};

use crate::arguments::{Arguments, Input};

fn main() -> ExitCode {
    let (code, output) = match run() {
        Ok(output) => (ExitCode::SUCCESS, output),
        Err(failure) => (ExitCode::FAILURE, failure.into_json()),
    };
    // Whoever asked may be gone. The call has been made all the same; that nobody heard of it is a failure.
    match writeln!(io::stdout(), "{output}") {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}

fn run() -> Answer {
    let Arguments { name, connection, deadline_ms, input: place } = Arguments::new(std::env::args().skip(1))?;
    let action = action(&name)?;
    let text = match place {
        Input::Nothing => Vec::new(),
        Input::Text(text) => text.into_bytes(),
        Input::Standard => read(action, io::stdin())?,
    };
    perform(action, Given { connection: &connection, input: &beside::fields(input(&text)?), deadline_ms })
}

/// Reads what an action takes, and no more.
fn read(action: &Action, source: impl io::Read) -> Result<Vec<u8>, Failure> {
    let (mut bytes, limit) = (Vec::new(), action.max_input());
    match source.take(limit + 1).read_to_end(&mut bytes) {
        Ok(length) if length as u64 <= limit => Ok(bytes),
        Ok(_) => Err(Failure::too_long(limit)),
        Err(_) => Err(Failure::invalid("", "the standard input cannot be read", "send JSON")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_read_than_the_action_takes() {
        for name in ["functions.list", "functions.invoke"] {
            let action = action(name).unwrap();
            let limit = action.max_input();
            assert_eq!(read(action, io::repeat(b' ').take(limit)).unwrap().len() as u64, limit);
            let error = read(action, io::repeat(b' ')).unwrap_err().into_json();
            assert_eq!((&error["kind"], &error["origin"]), (&"too-large".into(), &"input".into()));
        }
    }
}
