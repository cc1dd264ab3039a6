//! Whole commands: a process that is started, does one thing, and ends.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::Instant,
};

use crate::{
    google::{FUNCTION, Google, KEY},
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
    vec![
        program.measure("whole command: --version", times, &["--version"]),
        program.measure("whole command: connections", times, &["connections", "--json"]),
        program.measure("whole command: invoke", times, &["invoke", &url]),
        with_smaller.measure(list_smaller, times, &["list", "--json", "--page-size", "1000"]),
        native(list_smaller, &own, &smaller, times),
        program.measure(list, times, &["list", "--json", "--page-size", "1000"]),
        native(list, &own, google, times),
    ]
}

struct Program<'a> {
    gcf: &'a Path,
    folder: &'a Path,
    origins: Vec<String>,
}

impl Program<'_> {
    fn run(&self, arguments: &[&str]) {
        let mut command = Command::new(self.gcf);
        command.env_clear().env("HOME", self.folder).env("GCF_STORE", self.folder.join("store"));
        command.env("GCF_KEY", "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX");
        command.args(arguments);
        if arguments.first() != Some(&"--version") {
            command.args(self.origins.iter().flat_map(|origin| ["--map", origin.as_str()]));
        }
        let output = command.stdin(Stdio::null()).output().expect("gcf runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn measure(&self, work: &'static str, times: usize, arguments: &[&str]) -> Row {
        timed(work, CONNECTOR, times, || self.run(arguments))
    }
}

fn native(work: &'static str, own: &Path, google: &Google, times: usize) -> Row {
    timed(work, "core, no sandbox", times, || {
        let output = Command::new(own).args(["native-list", &google.address().to_string()]).output();
        assert!(output.expect("this program runs").status.success());
    })
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

/// A native program that signs in, lists, and prints how many there are.
pub(crate) fn native_list(mut arguments: impl Iterator<Item = String>) -> ExitCode {
    let address = arguments.next().and_then(|address| address.parse().ok()).expect("an address");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let native = Native::new(address);
        let connection = crate::work::connect_native(&native).await;
        let list = crate::work::list_native(&OnStage::live(&native), &connection).await;
        println!("{list}");
    });
    ExitCode::SUCCESS
}
