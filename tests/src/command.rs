//! `gcf` as a person or a script meets it. Each snapshot holds exit code, standard output and
//! standard error.
//!
//! This is a test target of `gcf-host`, so that cargo builds `gcf` for it; it links nothing of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "command/alone.rs"]
mod alone;
#[cfg(unix)]
#[path = "command/completion.rs"]
mod completion;
#[path = "command/connections.rs"]
mod connections;
#[path = "command/conventions.rs"]
mod conventions;
#[cfg(target_os = "linux")]
#[path = "command/files.rs"]
mod files;
#[path = "canaries/forms.rs"]
mod forms;
#[path = "command/golden.rs"]
mod golden;
#[path = "command/google.rs"]
mod google;
#[path = "command/invocations.rs"]
mod invocations;
#[path = "command/lists.rs"]
mod lists;
#[path = "command/mistakes.rs"]
mod mistakes;
#[cfg(unix)]
#[path = "command/pages.rs"]
mod pages;
#[path = "command/plan.rs"]
mod plan;
#[path = "command/proxies.rs"]
mod proxies;
#[path = "command/replays.rs"]
mod replays;
#[path = "command/rounds.rs"]
mod rounds;
#[path = "command/sign_in.rs"]
mod sign_in;
#[path = "command/store.rs"]
mod store;
#[path = "command/tape.rs"]
mod tapes;
#[cfg(target_os = "linux")]
#[path = "command/terminal.rs"]
mod terminal;
#[path = "command/world.rs"]
mod world;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests");
const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/demo-key.json");
const GCF: &str = env!("CARGO_BIN_EXE_gcf");

/// The folder in which cargo builds: `gcf` is in target/PROFILE.
fn target() -> PathBuf {
    Path::new(GCF).ancestors().nth(2).expect("cargo puts binaries into target/PROFILE").to_owned()
}

fn component() -> PathBuf {
    let path =
        std::env::var_os("GCF_COMPONENT").map_or_else(|| target().join("gcf-connector.wasm"), PathBuf::from);
    assert!(
        path.exists(),
        "there is no {}: run the tests by `cargo xtask test`, which builds it",
        path.display()
    );
    path
}

/// A home folder, and the options that lead to Google from there.
struct Person {
    home: TempDir,
    maps: Vec<String>,
}

impl Person {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), maps: Vec::new() }
    }

    /// A person whose Google is on loopback.
    fn with(google: &google::Google) -> Self {
        Self { maps: google.maps(), ..Self::new() }
    }

    /// A path in the home folder.
    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Writes a file in the home folder, by its name: commands run there.
    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(GCF);
        command.args(arguments).args(&self.maps);
        self.surround(&mut command);
        command
    }

    /// Runs a command on a terminal: its screen, both streams in one. `None` where there is no `script` that
    /// makes one, and that is allowed.
    #[cfg(target_os = "linux")]
    fn on_terminal(&self, arguments: &[&str], no_color: &str) -> Option<String> {
        match self.terminal(arguments, no_color).output() {
            Ok(output) => Some(String::from_utf8(output.stdout).unwrap()),
            Err(error) => {
                left_out("terminal", &format!("script: {error}"));
                None
            }
        }
    }

    /// The command that makes a terminal for another one.
    #[cfg(target_os = "linux")]
    fn terminal(&self, arguments: &[&str], no_color: &str) -> Command {
        let quoted = |word: &str| format!("'{word}'");
        let words =
            [GCF].into_iter().chain(arguments.iter().copied()).chain(self.maps.iter().map(String::as_str));
        let line: Vec<String> = words.map(quoted).collect();
        let mut command = Command::new("script");
        command.args(["-qec", &line.join(" "), "/dev/null"]);
        self.surround(&mut command);
        command.env("TERM", "xterm").env("SHELL", "/bin/sh").env("NO_COLOR", no_color);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }

    /// Gives a command a home folder, and nothing else of this machine's.
    fn surround(&self, command: &mut Command) {
        command
            .env_clear()
            .env("GCF_COMPONENT", component())
            .env("GCF_STORE", self.path("store"))
            .env("XDG_CACHE_HOME", target().join("tmp"))
            .env("HOME", self.home.path())
            .current_dir(self.home.path())
            .stdin(Stdio::null());
    }

    fn run(&self, arguments: &[&str]) -> String {
        transcript(arguments, self.command(arguments).output().unwrap())
    }

    /// Runs a command with a variable of the environment.
    fn run_in(&self, variable: (&str, &str), arguments: &[&str]) -> String {
        let output = self.command(arguments).env(variable.0, variable.1).output().unwrap();
        // A passphrase is one that the transcript may not hold.
        let shown = if variable.0 == "GCF_PASSPHRASE" { "…" } else { variable.1 };
        format!("{}={shown} {}", variable.0, transcript(arguments, output))
    }

    /// Runs a command with something on stdin.
    fn feed(&self, stdin: &str, arguments: &[&str]) -> String {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        transcript(arguments, child.wait_with_output().unwrap())
    }

    /// The output of a command with `--json`.
    fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let output = self.command(arguments).arg("--json").output().unwrap();
        serde_json::from_slice(if output.stdout.is_empty() { &output.stderr } else { &output.stdout })
            .unwrap()
    }

    /// Connects to a Google on loopback that nothing else is asked of.
    fn connect(&self) -> String {
        self.connect_in(("", ""))
    }

    /// The same with a variable of the environment, if its name is not empty.
    fn connect_in(&self, variable: (&str, &str)) -> String {
        let connect = ["connect", "--nickname", "demo", "--credentials", KEY];
        let mut command = self.command(&connect);
        if !variable.0.is_empty() {
            command.env(variable.0, variable.1);
        }
        let shown = if variable.0.is_empty() { String::new() } else { format!("{}=… ", variable.0) };
        shown + &transcript(&connect, command.args(google::Google::start().maps()).output().unwrap())
    }
}

/// Says that a test cannot look at what it is for, and fails unless `GCF_ALLOW_SKIPS` names it.
#[cfg(unix)]
#[expect(clippy::print_stdout, reason = "a test that is left out says so")]
fn left_out(name: &str, why: &str) {
    let allowed = std::env::var("GCF_ALLOW_SKIPS").unwrap_or_default();
    assert!(
        allowed.split(',').any(|allowed| allowed == name),
        "{why}: leave it out with GCF_ALLOW_SKIPS={name}"
    );
    println!("left out: {name}: {why}");
}

/// Empties the cache of a store: the next call signs in.
fn forget_tokens(store: &Path) {
    let files = std::fs::read_dir(store).unwrap().map(|entry| entry.unwrap().path());
    let cached: Vec<PathBuf> =
        files.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("tokens")).collect();
    assert!(!cached.is_empty());
    for file in cached {
        std::fs::remove_file(file).unwrap();
    }
}

fn transcript(arguments: &[&str], output: Output) -> String {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    format!(
        "$ gcf {}\nexit {}\n--- stdout\n{}--- stderr\n{}",
        arguments.join(" "),
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr)
    )
}

fn tape(name: &str) -> String {
    format!("{TESTS}/cassettes/{name}")
}

/// Checks several commands, one after the other, in one snapshot: with other ids, times, ports and keys each
/// time.
fn check_live(name: &str, runs: &[String]) {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\b[0-9a-f]{16}\b", "[id]");
    settings.add_filter(r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", "[moment]");
    settings.add_filter(r"\bage1[0-9a-z]{58}\b", "[recipient]");
    settings.add_filter(r#""(created|last-used)": \d{10}\b"#, r#""$1": [moment]"#);
    settings.add_filter(r"\b200, \d+ ms\b", "200, [time]");
    settings.add_filter(r#""duration-ms": \d+"#, r#""duration-ms": [time]"#);
    settings.add_filter(r"assertion=eyJ[\w.-]+", "assertion=[assertion]");
    settings.add_filter(r"127\.0\.0\.1(:|%3A)\d+", "127.0.0.1${1}[port]");
    settings.bind(|| check(name, &runs.join("\n")));
}

/// Checks a snapshot: no secret of the tests is in it, and no more than a filter says differs from run to run
/// or machine to machine.
fn check(name: &str, text: &str) {
    forms::assert_clean(text, &forms::fixed(), name);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("{TESTS}/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.add_filter(&escaped(TESTS), "[tests]");
    settings.add_filter(&escaped(target().to_str().unwrap()), "[target]");
    settings.add_filter(&escaped(std::env::temp_dir().to_str().unwrap()), "[tmp]");
    settings.add_filter(r"\[tmp\]/\.tmp\w+", "[home]");
    settings.add_filter(r"\b\d+(\.\d+)? ?(ms|µs|s) to start.*", "[time]");
    settings.add_filter(r"\d+ KB, sha256 \w+", "[component]");
    settings.add_filter(r"\d+ KB of WebAssembly", "[size] of WebAssembly");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn escaped(path: &str) -> String {
    path.replace('.', r"\.")
}

#[test]
fn the_help_of_every_command() {
    let person = Person::new();
    check("help", &person.run(&["--help"]));
    for command in ["invoke", "connect", "reconnect", "doctor", "supply", "tape"] {
        check(&format!("help-{command}"), &person.run(&[command, "--help"]));
    }
    check("help-connections-share", &person.run(&["connections", "share", "--help"]));
}

#[test]
fn the_demo_runs_without_a_network() {
    let person = Person::new();
    check("demo", &person.run(&["demo"]));
}

#[test]
fn connect_list_and_disconnect() {
    let person = Person::new();
    let replay =
        ["connect", "--nickname", "demo", "--credentials", KEY, "--replay", &tape("connect-only.json")];
    check("connect-replayed", &person.run(&replay));
    check("connections-none", &person.run(&["connections"]));
    check_live("connect", &[person.connect()]);
    check_live("connections", &[person.run(&["connections"])]);
    check_live("connections-json", &[person.run(&["connections", "--json"])]);
    check_live("disconnect", &[person.run(&["disconnect", "demo"])]);
    check("connections-none", &person.run(&["connections"]));
}

#[test]
fn errors_are_one_breath_with_a_hint() {
    let person = Person::new();
    check("error-no-connection", &person.run(&["list"]));
    check("error-no-connection-json", &person.run(&["list", "--json"]));
    check(
        "error-no-credentials",
        &person.run(&["connect", "--nickname", "x", "--credentials", "missing.json"]),
    );
    check(
        "error-refused-grant",
        &person.run(&[
            "connect",
            "--nickname",
            "x",
            "--credentials",
            KEY,
            "--replay",
            &tape("token-invalid-grant.json"),
        ]),
    );
    check(
        "error-map",
        &person.run(&["list", "--map", "https://oauth2.googleapis.com=http://example.com:80"]),
    );
    check("error-usage", &person.run(&["invoke"]));
    check("error-no-component", &person.run(&["describe", "--component", "missing.wasm"]));
}

#[test]
fn a_tape_that_does_not_fit_says_where() {
    let person = Person::new();
    person.connect();
    let list = ["list", "--filter", "x", "--replay", &tape("empty-project.json")];
    check_live("error-replay", &[person.run(&list)]);
}
