//! Composes files: what `cargo xtask compose` runs.
//!
//!     gcf-compose --connector FILE [--store FILE] [--front FILE] [--reroute FILE] --out FILE
#![expect(clippy::print_stderr, reason = "a command talks to the person who started it")]

use std::{env, ffi::OsString, fs, path::PathBuf, process::ExitCode};

use gcf_compose::{Parts, compose};

fn main() -> ExitCode {
    match run(env::args_os().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("compose: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: impl Iterator<Item = OsString>) -> Result<(), String> {
    let (mut parts, mut connector, mut out) = (Parts::default(), None, None);
    while let Some(option) = arguments.next() {
        let file =
            PathBuf::from(arguments.next().ok_or_else(|| format!("{} needs a file", option.display()))?);
        let read = || fs::read(&file).map_err(|error| format!("{}: {error}", file.display()));
        match option.to_str() {
            Some("--connector") => connector = Some(read()?),
            Some("--store") => parts.store = Some(read()?),
            Some("--front") => parts.front = Some(read()?),
            Some("--reroute") => parts.reroute = Some(read()?),
            Some("--out") => out = Some(file),
            Some(_) | None => return Err(format!("there is no option {}", option.display())),
        }
    }
    parts.connector = connector.ok_or("--connector is missing")?;
    let out = out.ok_or("--out is missing")?;
    let composed = compose(parts).map_err(|error| error.to_string())?;
    let size = composed.len().div_ceil(1000);
    fs::write(&out, composed).map_err(|error| format!("{}: {error}", out.display()))?;
    eprintln!("compose: {} ({size} KB)", out.display());
    Ok(())
}
