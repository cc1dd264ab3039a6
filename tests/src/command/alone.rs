//! `gcf` as one file: a copy in a folder of its own, with nothing else of this repository in reach.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use tempfile::TempDir;

use super::{GCF, Person, check, component, tape, transcript};

/// A machine on which there is `gcf`, and nothing else.
struct Machine {
    folder: TempDir,
    gcf: PathBuf,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let gcf = folder.path().join("gcf");
        // A link would lead back into the target folder. Copied here, the file would be open for writing in whatever
        // another test starts at this moment, and could not be run.
        assert!(Command::new("cp").arg(GCF).arg(&gcf).status().unwrap().success());
        Self { folder, gcf }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.gcf);
        command.env_clear().env("HOME", self.folder.path()).current_dir(self.folder.path()).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    #[track_caller]
    fn prints(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn a_copy_needs_nothing_beside_it() {
    let machine = Machine::new();
    let demo = machine.prints(&["demo"]);
    assert!(
        demo.contains("Hello, world!") && demo.contains("10 requests, all answered by the tape"),
        "{demo}"
    );
    assert!(machine.run(&["connections"]).status.success());

    fs::copy(super::KEY, machine.folder.path().join("key.json")).unwrap();
    fs::copy(tape("demo.json"), machine.folder.path().join("tape.json")).unwrap();
    let offline = ["--replay", "tape.json", "--tape-mode", "stub", "--replay-store", "replays"];
    let connect = ["connect", "--nickname", "demo", "--credentials", "key.json"];
    let connected = machine.prints(&[&connect[..], &offline].concat());
    assert!(connected.starts_with("connected demo\n"), "{connected}");
    let connections = machine.prints(&[&["connections"][..], &offline].concat());
    assert!(connections.contains("gcf-demo@demo-project.iam.gserviceaccount.com"), "{connections}");
    let listed = machine.prints(&[&["list", "--page-size", "40"][..], &offline].concat());
    assert_eq!(listed.lines().count(), 64, "{listed}");
}

/// Its cache is in the home folder, and stays empty.
#[test]
fn a_copy_compiles_nothing() {
    let machine = Machine::new();
    machine.prints(&["demo"]);
    let left: Vec<_> =
        fs::read_dir(machine.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["gcf"]);
}

#[test]
fn the_component_inside_is_the_one_that_ships() {
    let machine = Machine::new();
    fs::copy(component(), machine.folder.path().join("gcf-connector.wasm")).unwrap();
    let digest = |arguments: &[&str]| {
        let demo: serde_json::Value = serde_json::from_str(&machine.prints(arguments)).unwrap();
        demo["sandbox"]["component-sha256"].as_str().unwrap().to_owned()
    };
    assert_eq!(digest(&["demo", "--json"]), digest(&["demo", "--json", "--component", "gcf-connector.wasm"]));
}

#[test]
fn the_tour_in_full() {
    let person = Person::new();
    check("demo-long", &person.run(&["demo", "--long"]));
}

/// The output of the tour, and the commands that it offers for the shell then.
#[cfg(unix)]
#[test]
fn the_tour_can_be_gone_on_with() {
    let machine = Machine::new();
    let tour = machine.prints(&["demo", "--into", "d"]);
    let (printed, to_try) = tour.split_once("Go on without Google:").unwrap();
    let tour: Vec<&str> = printed.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    let to_try: Vec<&str> = to_try.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    assert_eq!((tour.len(), to_try.len()), (4, 4));
    let enter = to_try[0];
    let said: Vec<String> = tour
        .iter()
        .chain(&to_try[1..])
        .map(|line| {
            let mut shell = Command::new("/bin/sh");
            shell.env_clear().env("HOME", machine.folder.path()).env("PATH", "/usr/bin:/bin");
            let output = shell.args(["-ec", &format!("{enter}\n{line}")]).output().unwrap();
            let shown = transcript(&[], output).replace("$ gcf \n", "");
            // The table of all functions is in other snapshots.
            let rows: Vec<&str> = shown.lines().filter(|line| !line.contains("ACTIVE")).collect();
            format!("$ {line}\n{}\n", rows.join("\n"))
        })
        .collect();
    check("demo-into", &said.join("\n"));
    let again = machine.run(&["demo", "--into", "d"]);
    assert_eq!((again.status.code(), again.stdout.len()), (Some(2), 0));
    assert!(String::from_utf8(again.stderr).unwrap().contains("d is not empty"));
    let nowhere = machine.run(&["demo", "--into", "gcf/d"]);
    assert_eq!((nowhere.status.code(), nowhere.stdout.len()), (Some(1), 0), "gcf is a file");
    assert!(String::from_utf8(nowhere.stderr).unwrap().contains("hint: name a folder that you can write in"));
}

/// The version, as a report of a fault needs it: the program, component, contract and engine.
#[test]
fn the_version_says_of_what_it_is_made() {
    let machine = Machine::new();
    let version = machine.prints(&["--version"]);
    let lines: Vec<&str> = version.lines().collect();
    let lock = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock")).unwrap();
    let engine = lock.split("name = \"wasmtime\"\nversion = \"").nth(1).unwrap().split('"').next().unwrap();
    let world = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit/world.wit")).unwrap();
    let package = world.lines().find_map(|line| line.strip_prefix("package ")).unwrap().trim_end_matches(';');
    let demo: serde_json::Value = serde_json::from_str(&machine.prints(&["demo", "--json"])).unwrap();
    let digest = &demo["sandbox"]["component-sha256"].as_str().unwrap()[..16];
    assert!(lines[0].starts_with("gcf ") && lines[1].starts_with("commit     "), "{version}");
    assert!(lines[2].starts_with("component  ") && lines[2].ends_with(digest), "{version}");
    assert_eq!(lines[3..], [format!("contract   {package}"), format!("engine     wasmtime {engine}")]);
    assert_eq!(machine.prints(&["-V"]), format!("{}\n", lines[0]));
}

/// The README shows the output of the command, but for what depends on the machine.
#[test]
fn the_tour_is_as_in_the_readme() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let shown = readme.split("$ cargo xtask demo\n").nth(1).unwrap().split("\n```").next().unwrap();
    let steady = |text: &str| -> Vec<String> {
        let line = |line: &str| {
            line.split(" ms to start").next().unwrap().trim_end_matches(char::is_numeric).to_owned()
        };
        text.trim_end().lines().map(line).collect()
    };
    let printed = Machine::new().prints(&["demo"]);
    assert_eq!(steady(shown), steady(&printed), "put into README.md what `gcf demo` prints");
}
