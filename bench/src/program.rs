//! Whole commands: a process that is started, does one thing, and ends.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::Instant,
};

use serde_json::Value;

use crate::{
    google::{FUNCTION, Google, KEY},
    native,
    peers::{Native, OnStage},
    work::{CONNECTOR, Row},
};

/// The rows of whole commands, if the `gcf` that is measured is there: `cargo xtask bench` builds it.
pub(crate) fn rows(google: &Google, times: usize) -> Vec<Row> {
    let Some(gcf) = env::var_os("GCF").map(PathBuf::from).filter(|gcf| gcf.is_file()) else {
        eprintln!("left out: whole commands: GCF does not name the command");
        return Vec::new();
    };
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key.json");
    fs::write(&key, KEY).expect("a file");
    let program = Program { gcf: &gcf, folder: folder.path(), origins: google.origins() };
    program.run(&["connect", "--nickname", "bench", "--credentials", &key.to_string_lossy()]);
    let url = format!("https://{FUNCTION}/");
    let own = env::current_exe().expect("this program");
    let smaller = Google::start(1_000);
    let with_smaller = Program { gcf: &gcf, folder: folder.path(), origins: smaller.origins() };
    let (list, list_smaller) = ("whole command: list 10,000", "whole command: list 1,000");
    let tape = folder.path().join("tape.json");
    let tape = tape.to_string_lossy();
    program.run(&["invoke", &url, "--record", &tape]);
    assert_eq!(
        functions(&with_smaller.run(&["list", "--json"])),
        functions(&run_without_sandbox(&own, &smaller)),
        "both print the same"
    );
    vec![
        program.measure("whole command: --version", times, &["--version"]),
        program.measure("whole command: connections", times, &["connections", "--json"]),
        program.measure("whole command: invoke", times, &["invoke", &url]),
        program.measure("whole command: invoke, from a tape", times, &["invoke", &url, "--replay", &tape]),
        program.measure("whole command: demo", times, &["demo"]),
        with_smaller.measure(list_smaller, times, &["list", "--json", "--page-size", "1000"]),
        without_sandbox(list_smaller, &own, &smaller, times),
        program.measure(list, times, &["list", "--json", "--page-size", "1000"]),
        without_sandbox(list, &own, google, times),
    ]
}

struct Program<'a> {
    gcf: &'a Path,
    folder: &'a Path,
    origins: Vec<String>,
}

impl Program<'_> {
    fn run(&self, arguments: &[&str]) -> Vec<u8> {
        let mut command = Command::new(self.gcf);
        command.env_clear().env("HOME", self.folder).env("GCF_STORE", self.folder.join("store"));
        command.env("GCF_KEY", "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX");
        command.args(arguments);
        if arguments.first() != Some(&"--version") {
            command.args(self.origins.iter().flat_map(|origin| ["--map", origin.as_str()]));
        }
        let output = command.stdin(Stdio::null()).output().expect("gcf runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    fn measure(&self, work: &'static str, times: usize, arguments: &[&str]) -> Row {
        timed(work, CONNECTOR, times, || drop(self.run(arguments)))
    }
}

fn without_sandbox(work: &'static str, own: &Path, google: &Google, times: usize) -> Row {
    timed(work, "core, no sandbox", times, || {
        run_without_sandbox(own, google);
    })
}

fn run_without_sandbox(own: &Path, google: &Google) -> Vec<u8> {
    let output = Command::new(own).args(["native-list", &google.address().to_string()]).output();
    let output = output.expect("this program runs");
    assert!(output.status.success());
    output.stdout
}

/// The functions of a list, without what differs from run to run.
fn functions(list: &[u8]) -> Value {
    serde_json::from_slice::<Value>(list).expect("JSON")["functions"].take()
}

fn timed(work: &'static str, client: &'static str, times: usize, mut once: impl FnMut()) -> Row {
    once();
    let mut all: Vec<f64> = (0..times)
        .map(|_| {
            let began = Instant::now();
            once();
            began.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    all.sort_by(f64::total_cmp);
    let p50 = all[all.len() / 2];
    Row { work, client, p50, p99: all[all.len() - 1], cpu: f64::NAN, rate: 1e6 / p50, memory: None }
}

/// A native program that signs in, lists, and prints the functions as `gcf list --json` does.
pub(crate) fn native_list(mut arguments: impl Iterator<Item = String>) -> ExitCode {
    let address = arguments.next().and_then(|address| address.parse().ok()).expect("an address");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let core = Native::new(address);
        let connection = native::connect(&core).await;
        let list = native::list_all(&OnStage::live(&core), &connection, 1_000).await;
        let functions: Vec<_> = list.iter().map(native::Json::of).collect();
        let text = serde_json::to_vec_pretty(&BTreeMap::from([("functions", functions)])).expect("JSON");
        io::stdout().write_all(&text).expect("somebody reads");
    });
    ExitCode::SUCCESS
}
