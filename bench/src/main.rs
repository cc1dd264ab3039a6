//! The cost of a call, as ratios to other clients in the same run.
//!
//! Each row is work that the connector does in its sandbox and others do beside it, in turns, against a Google on
//! loopback that answers from memory. Ratios are what counts: microseconds are this machine's, and this minute's.

mod google;
mod in_process;
mod machine;
mod measure;
mod native;
mod peers;
mod program;
mod report;
mod work;

use std::{env, process::ExitCode};

const HELP: &str = "\
cargo xtask bench [OPTIONS]

  --quick          a tenth of the work: a look, not a measurement
  --write          writes docs/performance.md and docs/pictures/performance.svg
  --component FILE another component than the one inside, for a lever that changes it
  --only WORD      rows whose name contains WORD

Close other programs first, and look at the first row: what Google itself can do bounds all others.";

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let mut options = work::Options::default();
    let mut write = false;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => options.share = 10,
            "--write" => write = true,
            "--component" => options.component = arguments.next().map(Into::into),
            "--only" => options.only = arguments.next(),
            // The server that stands for Google.
            "google" => return google::run(arguments),
            // The native program of the rows of whole commands.
            "native-list" => return program::native_list(arguments),
            // The half of a measurement that another program makes.
            "in-process" => return in_process::run(arguments),
            _ => {
                println!("{HELP}");
                return if argument == "--help" { ExitCode::SUCCESS } else { ExitCode::from(2) };
            }
        }
    }
    machine::stay_on(0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let rows = runtime.block_on(work::all(&options));
    print!("{}", report::table(&rows));
    if write && let Err(error) = report::write(&rows) {
        eprintln!("error: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
