//! The connector as a command, for hosts that only run commands: an action's name and JSON in, JSON out.
//!
//!     ACTION [--connection ID] [--deadline-ms N] [JSON | -]
//!
//! The JSON is what the catalog describes as the action's `input`; `-` reads it from the standard input, where a credential
//! belongs, and without any it has no fields. What the action returns is printed, or its error, and then the command fails.
#![expect(clippy::print_stdout, reason = "a command answers on its standard output")]

mod arguments;

use std::{
    io::{self, Read as _},
    process::ExitCode,
};

use gcf_front::{Answer, Failure, Given, action, perform};

use crate::arguments::{Arguments, Input};

/// The longest input: 32 MiB, the most that a function takes, in base64, and what stands around it.
const MAX_INPUT: u64 = 48 << 20;

fn main() -> ExitCode {
    match run() {
        Ok(output) => {
            println!("{output}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("{}", failure.into_json());
            ExitCode::FAILURE
        }
    }
}

fn run() -> Answer {
    let Arguments { name, connection, deadline_ms, input } = Arguments::new(std::env::args().skip(1))?;
    let action = action(&name)?;
    let text = match input {
        Input::Nothing => "{}".to_owned(),
        Input::Text(text) => text,
        Input::Standard => standard_input()?,
    };
    let input = serde_json::from_str(&text).map_err(|error| {
        let why = format!("the input is not JSON, from line {} column {}", error.line(), error.column());
        Failure::invalid("", &why, "the action's `input` in the catalog says what it takes")
    })?;
    perform(action, Given { connection: &connection, input: &input, deadline_ms })
}

fn standard_input() -> Result<String, Failure> {
    let mut text = String::new();
    let read = io::stdin().take(MAX_INPUT + 1).read_to_string(&mut text);
    match read {
        Ok(length) if length as u64 <= MAX_INPUT => Ok(text),
        Ok(_) => Err(Failure::invalid("", "the input is longer than 48 MiB", "send less")),
        Err(_) => Err(Failure::invalid("", "the standard input is not text", "send JSON in UTF-8")),
    }
}
