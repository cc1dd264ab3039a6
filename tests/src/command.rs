//! `gcf` as a person or a script meets it. Each snapshot holds exit code, standard output and
//! standard error.
//!
//! This is a test target of `gcf-host`, so that cargo builds `gcf` for it; it links nothing of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests");
const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/demo-key.json");
const GCF: &str = env!("CARGO_BIN_EXE_gcf");

/// The folder that cargo builds into: `gcf` is in target/PROFILE.
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

/// A folder for the store of one test.
struct Person(TempDir);

impl Person {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn run(&self, arguments: &[&str]) -> String {
        let output = Command::new(GCF)
            .args(arguments)
            .env_clear()
            .env("GCF_COMPONENT", component())
            .env("GCF_STORE", self.0.path().join("store"))
            .env("XDG_CACHE_HOME", target().join("tmp"))
            .env("HOME", self.0.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        format!(
            "$ gcf {}\nexit {}\n--- stdout\n{}--- stderr\n{}",
            arguments.join(" "),
            output.status.code().unwrap(),
            text(output.stdout),
            text(output.stderr)
        )
    }

    /// Connects on a tape that has only the token exchange left to play.
    fn connect(&self) -> String {
        self.run(&[
            "connect",
            "--nickname",
            "demo",
            "--credentials",
            KEY,
            "--replay",
            &tape("connect-only.json"),
        ])
    }
}

fn tape(name: &str) -> String {
    format!("{TESTS}/cassettes/{name}")
}

/// What differs from run to run or machine to machine.
fn check(name: &str, text: &str) {
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
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn escaped(path: &str) -> String {
    path.replace('.', r"\.")
}

#[test]
fn the_help_of_every_command() {
    let person = Person::new();
    check("help", &person.run(&["--help"]));
    check("help-invoke", &person.run(&["invoke", "--help"]));
}

#[test]
fn the_demo_runs_without_a_network() {
    let person = Person::new();
    check("demo", &person.run(&["demo"]));
}

#[test]
fn connect_list_and_disconnect() {
    let person = Person::new();
    check("connect", &person.connect());
    check("connections", &person.run(&["connections"]));
    check("connections-json", &person.run(&["connections", "--json"]));
    check("disconnect", &person.run(&["disconnect", "demo"]));
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
    check(
        "error-replay",
        &person.run(&["list", "--page-size", "7", "--replay", &tape("empty-project.json")]),
    );
}
