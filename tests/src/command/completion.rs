//! The names that a shell is offered: those that were seen last, at once, and without a word where there are none.

use std::{path::Path, process::Command, process::Stdio};

use serde_json::{Value, json};

use super::{
    GCF, KEY, Person,
    forms::{assert_clean, canary, fixed},
    google::Google,
    replays::files,
};

fn function(region: &str, name: &str) -> Value {
    json!({ "name": format!("projects/demo-project/locations/{region}/functions/{name}"), "environment": "GEN_2",
        "state": "ACTIVE", "serviceConfig": { "uri": "https://hello-abcdefghij-uc.a.run.app" } })
}

/// Somebody who has listed the functions of one of two connections, and the regions.
fn person(google: &Google) -> Person {
    let functions = [("us-central1", "hello"), ("europe-west1", "hello"), ("europe-west1", "orders")];
    let functions = functions.map(|(region, name)| function(region, name));
    google.on("/functions?", 200, json!({ "functions": functions }));
    let person = Person::with(google);
    for nickname in ["work", "flows"] {
        person.run(&["connect", "--nickname", nickname, "--credentials", KEY]);
    }
    person.run(&["connections", "use", "work"]);
    person.run(&["list"]);
    person.run(&["options", "regions"]);
    person
}

/// A shell's question about the last of these words. It has no way to a network.
fn question(person: &Person, shell: &str, words: &[&str]) -> Command {
    let mut command = Command::new(GCF);
    command.arg("--").args(words);
    person.surround(&mut command);
    command.env("GCF_COMPLETE", shell).env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string());
    command.env("_CLAP_IFS", "\n");
    command
}

/// The names that are offered, without options. Nothing else may be said, and nothing fail.
fn offered(command: &mut Command) -> Vec<String> {
    let output = command.output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter(|line| !line.starts_with('-')).map(str::to_owned).collect()
}

#[test]
fn names_that_were_seen_are_offered() {
    let google = Google::start();
    let person = person(&google);
    let before = files(&person, "store");
    let ask = |words: &[&str]| offered(&mut question(&person, "bash", words));
    for words in [
        &["gcf", "disconnect", ""][..],
        &["gcf", "reconnect", ""],
        &["gcf", "restrict", ""],
        &["gcf", "connections", "show", ""],
        &["gcf", "connections", "share", ""],
        &["gcf", "list", "--connection", ""],
    ] {
        assert_eq!(ask(words), ["flows", "work"], "{words:?}");
    }
    assert_eq!(ask(&["gcf", "disconnect", "w"]), ["work"]);
    for command in ["get", "invoke", "doctor"] {
        assert_eq!(ask(&["gcf", command, ""]), ["hello", "orders"], "{command}");
    }
    assert_eq!(ask(&["gcf", "get", "--region", "us-central1", ""]), ["hello"]);
    assert!(ask(&["gcf", "get", "--connection", "flows", ""]).is_empty(), "nobody has listed its functions");
    assert_eq!(ask(&["gcf", "get", "--region", "eu"]), ["europe-west1"]);
    assert_eq!(ask(&["gcf", "connect", "--allow-region", "us"]), ["us-central1"]);
    assert!(ask(&["gcf", "custom"]) == ["custom-api"] && ask(&["gcf", "list", "-o", "y"]) == ["yaml"]);
    assert!(files(&person, "store") == before, "a question changes nothing");
    // What is gone, or called otherwise, is offered no more.
    person.run(&["connections", "rename", "flows", "streams"]);
    assert_eq!(ask(&["gcf", "disconnect", ""]), ["streams", "work"]);
    person.run(&["disconnect", "work"]);
    assert_eq!(ask(&["gcf", "disconnect", ""]), ["streams"]);
    assert!(ask(&["gcf", "get", "--connection", "work", ""]).is_empty());
}

#[test]
fn each_shell_is_answered_without_a_secret() {
    let google = Google::start();
    let person = person(&google);
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = person.command(&["completions", shell]).output().unwrap();
        let script = String::from_utf8(script.stdout).unwrap();
        assert!(script.contains("GCF_COMPLETE") && script.contains(GCF), "{shell}: {script}");
        let output = question(&person, shell, &["gcf", "disconnect", ""]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("flows") && text.contains("work"), "{shell}: {text}");
        assert_clean(&(script + &text), &fixed(), shell);
    }
}

/// As it goes when somebody presses the key.
#[test]
fn bash_completes_what_it_was_told_by_the_script() {
    let google = Google::start();
    let person = person(&google);
    let mut bash = Command::new("bash");
    person.surround(&mut bash);
    let folder = Path::new(GCF).parent().unwrap().display().to_string();
    let script = "set -eu; source <(gcf completions bash); COMP_WORDS=(gcf get or); COMP_CWORD=2; COMP_TYPE=9
        _clap_complete_gcf gcf or get 2>warnings; printf '%s\\n' \"${COMPREPLY[@]}\"; complete -p gcf";
    let output = bash.env("PATH", format!("{folder}:/usr/bin:/bin")).args(["-c", script]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with("orders\ncomplete ") && text.contains("_clap_complete_gcf"),
        "{text}: {output:?}",
        output = String::from_utf8_lossy(&output.stderr)
    );
}

/// Whatever is missing or in the way, there is no error on somebody's command line, and nothing is made or unlocked.
#[test]
fn where_nothing_can_be_known_nothing_is_said() {
    let google = Google::start();
    let person = person(&google);
    let words = ["gcf", "disconnect", ""];
    let with = |name: &str, value: &str| offered(question(&person, "bash", &words).env(name, value));
    assert!(with("GCF_STORE", "nowhere").is_empty() && !person.path("nowhere").exists());
    person.write("file", "x");
    assert!(with("GCF_STORE", "file").is_empty());
    assert!(with("GCF_KEY_FILE", "no-key").is_empty() && !person.path("no-key").exists());
    assert!(with("GCF_PASSPHRASE", &canary("passphrase")).is_empty(), "it takes a second to unlock");
    assert!(with("GCF_COMPLETE", "no-shell").is_empty());
    assert!(
        offered(question(&person, "bash", &["gcf", "no-such", ""]).env("_CLAP_COMPLETE_INDEX", "99"))
            .is_empty()
    );
    // An option on the line is heeded as the command would heed it.
    assert!(
        offered(&mut question(&person, "bash", &["gcf", "--store", "nowhere", "disconnect", ""])).is_empty()
    );
    assert_eq!(offered(question(&person, "bash", &words).stdin(Stdio::null())).len(), 2);
}

/// The names on a tape stay there: the store in use does not learn it.
#[test]
fn a_replay_teaches_the_store_no_names() {
    let google = Google::start();
    let person = person(&google);
    google.on("/functions?", 200, json!({ "functions": [function("us-central1", "of-the-tape")] }));
    person.run(&["list", "--filter", "x", "--record", "list.json"]);
    let before = files(&person, "store");
    assert!(person.run(&["list", "--filter", "x", "--replay", "list.json"]).contains("of-the-tape"));
    assert!(files(&person, "store") == before);
}
