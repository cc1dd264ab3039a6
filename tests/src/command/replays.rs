//! A store after a replay, and the store in which replays keep things.

use std::{collections::BTreeMap, fs};

use serde_json::Value;

use super::{KEY, Person, check, check_live, forget_tokens, google::Google, tape};

/// The files of a store, and their content.
pub(crate) fn files(person: &Person, store: &str) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(person.path(store))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect()
}

fn nickname(name: &str) -> [&str; 5] {
    ["connect", "--nickname", name, "--credentials", KEY]
}

#[test]
fn a_store_in_use_is_the_same_after_a_replay() {
    let person = Person::new();
    person.connect();
    forget_tokens(&person.path("store"));
    person.write("token", "ya29.x");
    let before = files(&person, "store");
    person.write(
        "nothing.json",
        r#"{"format": "gcf-tape", "version": "1.0", "provenance": {"kind": "made", "from": "a test"},
            "clock": "2026-03-01T12:00:00Z", "seed": 1, "interactions": []}"#,
    );
    let replay = |arguments: &[&str], name: &str| {
        let tape = if name == "nothing.json" { name.to_owned() } else { tape(name) };
        person.run(&[arguments, &["--replay", &tape]].concat())
    };
    let runs = [
        replay(&["list"], "empty-project.json"),
        replay(&nickname("other"), "connect-only.json"),
        // Not played to its end, and refused.
        replay(&nickname("other"), "empty-project.json"),
        replay(&nickname("other"), "token-invalid-grant.json"),
        replay(&["list", "--page-size", "7"], "empty-project.json"),
        replay(&["supply", "token", "token"], "nothing.json"),
        replay(&["connections", "use", "demo"], "nothing.json"),
        replay(&["connections", "rename", "demo", "other"], "nothing.json"),
        replay(&["connections", "share", "demo", "--to", "age1friend"], "nothing.json"),
    ];
    let after = files(&person, "store");
    assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    assert!(after == before, "a file is another one");
    check_live("replay-and-store", &runs);
}

#[test]
fn replays_keep_what_they_need_in_a_store_of_their_own() {
    let google = Google::start();
    let owner = Person::with(&google);
    let list = |more: &[&'static str]| [&["list", "--filter", "x"][..], more].concat();
    let connect = |more: &[&'static str]| [&nickname("ci")[..], more].concat();
    owner.run(&connect(&["--record", "connect.json"]));
    owner.run(&list(&["--record", "list.json"]));

    // Somebody without a network, and with a key that opens nothing.
    let person = Person::new();
    for tape in ["connect.json", "list.json"] {
        fs::copy(owner.path(tape), person.path(tape)).unwrap();
    }
    let in_replays =
        |arguments: &[&'static str]| person.run(&[arguments, &["--replay-store", "replays"]].concat());
    let failed = in_replays(&connect(&["--replay", "list.json"]));
    assert!(!failed.contains("exit 0"), "{failed}");
    let runs = [
        in_replays(&list(&["--replay", "list.json"])),
        in_replays(&connect(&["--replay", "connect.json"])),
        in_replays(&list(&["--replay", "list.json"])),
        in_replays(&list(&["--replay", "list.json"])),
        // Neither is taken for the other.
        person.run(&["connections", "--store", "replays"]),
        person.run(&list(&["--replay", "list.json", "--store", "replays"])),
        in_replays(&["connections"]),
    ];
    person.connect();
    let living = person.run(&list(&["--replay", "list.json", "--replay-store", "store"]));
    check_live("replay-store", &[&runs[..], &[living]].concat());
    let connections: Value = person.json(&["connections"]);
    assert_eq!(connections.as_array().unwrap().len(), 1, "{connections}");
}

/// The tape of several commands, played by one of them: its result is there all the same.
#[test]
fn a_tape_that_has_more_takes_no_result_away() {
    let google = Google::start();
    let person = Person::with(&google);
    person.run(&nickname("demo"));
    let record = |arguments: &[&'static str], more: &[&'static str]| {
        person.run(&[arguments, &["--record", "session.json"], more].concat())
    };
    record(&["list"], &[]);
    record(&["options", "regions"], &["--append"]);
    let replay = ["--replay", "session.json"];
    check_live(
        "replay-left-over",
        &[
            person.run(&[&["list"][..], &replay].concat()),
            person.run(&[&["list", "--json"][..], &replay].concat()),
            // Made, if this were no replay: so it says nothing of it.
            person.run(&[&nickname("other")[..], &replay].concat()),
        ],
    );
}

#[test]
fn a_command_has_one_store() {
    let person = Person::new();
    let replay = ["list", "--replay", "list.json"];
    let both = person.run(&[&replay[..], &["--replay-store", "replays", "--store", "store"]].concat());
    let in_environment = ("GCF_REPLAY_STORE", "replays");
    let line = person.run_in(in_environment, &[&replay[..], &["--store", "store"]].concat());
    check("replay-two-stores", &[both, line].join("\n"));
    assert!(!person.path("replays").exists());
}

#[test]
fn a_store_for_replays_is_not_for_what_sends_requests() {
    let person = Person::new();
    for mode in ["once", "new-episodes", "record", "passthrough"] {
        let said =
            person.run(&["list", "--replay", "list.json", "--tape-mode", mode, "--replay-store", "replays"]);
        assert!(said.contains("exit 2") && said.contains("--replay-store is for replays"), "{mode}: {said}");
    }
    assert!(!person.path("replays").exists());
}

/// The answers of a tape are the same each time, to the last letter, although tokens are asked for anew.
#[test]
fn new_episodes_say_the_same_each_time() {
    let google = Google::start();
    let person = Person::with(&google);
    person.run(&nickname("demo"));
    for (number, command) in [
        &["list", "--json"][..],
        &["options", "regions", "--json"],
        &["custom-api", "GET", "/v2/projects/demo-project/locations", "--json"],
        &["doctor", "--json"],
        &["list", "-v"],
    ]
    .into_iter()
    .enumerate()
    {
        let tape = format!("{number}.json");
        person.run(&[command, &["--record", &tape]].concat());
        let before = fs::read(person.path(&tape)).unwrap();
        let again = || person.run(&[command, &["--replay", &tape, "--tape-mode", "new-episodes"]].concat());
        let first = again();
        assert!(first.contains("exit 0"), "{first}");
        for _ in 0..3 {
            assert_eq!(again(), first);
        }
        assert!(fs::read(person.path(&tape)).unwrap() == before, "nothing was new");
    }
}

/// Somebody who has recorded with a store of their own, and replays without naming it.
#[test]
fn the_store_of_a_recording_is_named() {
    let google = Google::start();
    let person = Person::with(&google);
    let at_home = |arguments: &[&str]| {
        super::transcript(arguments, person.command(arguments).env_remove("GCF_STORE").output().unwrap())
    };
    at_home(&nickname("demo"));
    at_home(&["list", "--filter", "x", "--record", "list.json"]);
    let said = at_home(&["list", "--filter", "x", "--replay", "list.json"]);
    let own = person.path(".local/share/gcf").display().to_string();
    assert!(said.contains(&format!("was recorded with: --store {own}\n")), "{said}");
    let named = at_home(&["list", "--filter", "x", "--replay", "list.json", "--store", &own]);
    assert!(named.contains("\nexit 0\n"), "{named}");
}
