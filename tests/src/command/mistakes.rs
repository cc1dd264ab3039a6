//! The mistakes of people, and the advice that they get.

use std::{fs, process::Command};

use super::{GCF, KEY, Person, check_live, tape};

#[test]
fn a_connection_that_is_named_in_vain_is_refused() {
    let person = Person::new();
    person.connect();
    let in_vain = ["--connection", "other"];
    let run = |command: &[&str]| person.run(&[command, &in_vain].concat());
    check_live(
        "error-connection-in-vain",
        &[
            run(&["disconnect", "demo"]),
            run(&["connections", "disconnect", "demo"]),
            run(&["reconnect", "demo", "--credentials", KEY]),
            person.run(&["--connection", "other", "disconnect", "demo"]),
            // A command that the option is meant for.
            run(&["list"]),
        ],
    );
    // Where no connection is used, it is an option like --store.
    assert!(run(&["connections"]).contains("exit 0"));
    assert!(run(&["describe"]).contains("exit 0"));
    // The variable is set for all commands of a session.
    assert!(person.run_in(("GCF_CONNECTION", "other"), &["connections"]).contains("exit 0"));
    assert!(person.run_in(("GCF_CONNECTION", "other"), &["disconnect", "demo"]).contains("exit 0"));
}

#[test]
fn what_an_option_names_and_cannot_be_used_comes_with_a_hint() {
    let person = Person::new();
    person.write("text", "none of it");
    let connect = ["connect", "--nickname", "x", "--credentials"];
    check_live(
        "error-unusable",
        &[
            person.run(&[&connect[..], &["."]].concat()),
            person.run(&["list", "--replay", "missing.json"]),
            person.run(&["list", "--replay", "text"]),
            person.run(&["list", "--replay", KEY]),
            person.run(&["describe", "--component", "text"]),
            person.run(&["describe", "--component", "text", "--json"]),
            person.run(&["list", "--store", "text"]),
            person.run(&["list", "--store", "text/store"]),
            person.run(&["invoke", "f", "--invoke-as", "own", "--without-email"]),
        ],
    );
}

#[test]
fn a_command_that_cannot_start_names_the_limits_of_the_system() {
    let person = Person::new();
    let mut command = Command::new("/bin/sh");
    // Beside the three streams, one: a runtime needs more.
    command.args(["-c", "ulimit -n 4; exec \"$0\" connections", GCF]);
    person.surround(&mut command);
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.starts_with("error: cannot start: ") && said.contains("hint: ") && said.contains("ulimit"),
        "{said}"
    );
}

/// The operator's word on what may be sent: a host that it does not name is not reached, and an invalid list
/// is reported.
#[test]
fn an_operator_narrows_what_the_component_may_send() {
    let person = Person::new();
    person.write("nothing.json", "[]");
    person.write("wild.json", r#"[{"host": "*.googleapis.com", "carries": ["access-token"]}]"#);
    person.write("text", "none of it");
    let connect = ["connect", "--nickname", "x", "--credentials", KEY, "--egress"];
    let run = |file: &str| person.run(&[&connect[..], &[file]].concat());
    check_live("egress", &[run("nothing.json"), run("wild.json"), run("text"), run("missing.json")]);
}

#[test]
fn only_a_store_is_to_be_closed_to_others() {
    use std::os::unix::fs::PermissionsExt as _;
    let person = Person::new();
    person.connect();
    fs::create_dir(person.path("folder")).unwrap();
    for folder in ["folder", "store"] {
        fs::set_permissions(person.path(folder), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let list = |folder| person.run(&["list", "--store", folder]);
    check_live("error-open-folder", &[list("folder"), list("store")]);
}

#[test]
fn a_mistake_before_anything_is_sent_is_no_fault_of_the_tape() {
    let person = Person::new();
    let tape = tape("connect-only.json");
    let run = |arguments: &[&str]| person.run(&[arguments, &["--replay", &tape]].concat());
    let connect = ["connect", "--nickname", "x", "--credentials"];
    person.write("user.json", r#"{"type":"authorized_user"}"#);
    check_live(
        "error-before-replay",
        &[
            run(&["list"]),
            run(&[&connect[..], &["user.json"]].concat()),
            run(&[&connect[..], &[KEY, "--invoke-as", "user"]].concat()),
            // It succeeds, so that the tape is the one thing that is wrong.
            run(&["connections"]),
        ],
    );
}

#[test]
fn a_replay_without_a_store_says_which_store_is_empty() {
    let person = Person::new();
    let tape = tape("connect-only.json");
    let mut command = person.command(&["list", "--replay", &tape]);
    let output = command.env_remove("GCF_STORE").output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{error}");
    assert!(error.contains("the empty store that a replay begins with"), "{error}");
    assert!(error.contains("--store DIR"), "{error}");
}

/// `tests/guests/hostile` writes to its standard error. A component's words there may hold a secret, and
/// nobody has asked for them.
#[test]
fn what_a_component_prints_is_seen_nowhere() {
    let person = Person::new();
    let component = super::target().join("gcf-hostile-guest.wasm");
    let output = person.command(&["connections"]).env("GCF_COMPONENT", component).output().unwrap();
    assert!(output.status.success());
    assert!(output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("no connections yet") && said.lines().count() == 1, "{said}");
}

#[test]
fn a_variable_that_is_set_to_nothing_is_not_set() {
    let person = Person::new();
    person.connect();
    // By default the store is in the home folder, where there is none yet.
    let elsewhere = person.run_in(("GCF_STORE", ""), &["connections"]);
    assert!(elsewhere.contains("exit 0") && elsewhere.contains("no connections yet"), "{elsewhere}");
    assert!(person.path(".local/share/gcf").is_dir());
    let component = person.run_in(("GCF_COMPONENT", ""), &["connections"]);
    assert!(!component.contains("a value is required"), "{component}");
    let client = person.run_in(("GCF_CLIENT", ""), &["connect", "--nickname", "x", "--oauth"]);
    assert!(client.contains("--client <FILE>"), "{client}");
    assert!(person.run_in(("GCF_CONNECTION", ""), &["connections", "show", "demo"]).contains("exit 0"));
    // A path without a name on the command line is a mistake.
    assert!(person.run(&["connections", "--store", ""]).contains("a value is required for '--store <DIR>'"));
}
