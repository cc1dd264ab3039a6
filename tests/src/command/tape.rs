//! Record, look at the file, break it by hand, read the error: as a new user would.

use std::{io::Read as _, net::TcpListener, os::unix::process::ExitStatusExt as _, process::Stdio};

use serde_json::{Value, json};

use super::{KEY, Person, check, check_live, forms::canary, google::Google, tape};

/// Somebody who has connected to a Google on loopback.
fn person(google: &Google) -> Person {
    let person = Person::with(google);
    person.run(&["connect", "--nickname", "demo", "--credentials", KEY]);
    person
}

/// The arguments of a list with a filter, which Cloud Run has not: one request.
fn list<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["list", "--filter", "x"], more].concat()
}

#[test]
fn a_tape_is_recorded_read_broken_and_mended() {
    let google = Google::start();
    let person = person(&google);
    let recorded = person.run(&list(&["--record", "list.json"]));
    let replayed = person.run(&list(&["--replay", "list.json"]));
    let shown = person.run(&["tape", "show", "list.json"]);
    let text = std::fs::read_to_string(person.path("list.json")).unwrap();
    assert!(
        !text.contains(&canary("access-token")) && text.contains("Bearer [redacted:access-token:"),
        "{text}"
    );
    let mut document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["recorded_with"]["component_sha256"].as_str().unwrap().len(), 64);
    document["interactions"][1]["request"]["url"] = document["interactions"][1]["request"]["url"]
        .as_str()
        .unwrap()
        .replace("pageSize=1000", "pageSize=7")
        .into();
    person.write("broken.json", &document.to_string());
    let broken = person.run(&list(&["--replay", "broken.json"]));
    document["match"] = json!({"ignore": ["query pageSize"]});
    person.write("mended.json", &document.to_string());
    let mended = person.run(&list(&["--replay", "mended.json"]));
    document["interactions"][1]["fault"] = json!({"end": "not-there"});
    // So that the place of the mistake is the same each time.
    for interaction in document["interactions"].as_array_mut().unwrap() {
        interaction.as_object_mut().unwrap().remove("timing");
    }
    person.write("unread.json", &format!("{document:#}"));
    let unread = person.run(&list(&["--replay", "unread.json"]));
    check_live("tape-record-and-replay", &[recorded, replayed, shown, broken, mended, unread]);
}

#[test]
fn a_mode_may_be_chosen() {
    let google = Google::start();
    let person = person(&google);
    let once = list(&["--replay", "once.json", "--tape-mode", "once"]);
    let first = person.run(&once);
    google.on("/functions", 500, json!({}));
    assert_eq!(person.run(&once), first, "the second time, it is replayed");
    google.recovers();
    let added = person.json(&[
        "custom-api",
        "GET",
        "/v2/projects/demo-project/locations",
        "--replay",
        "once.json",
        "--tape-mode",
        "new-episodes",
    ]);
    assert_eq!(added["status"], 200, "{added}");
    let document: Value =
        serde_json::from_str(&std::fs::read_to_string(person.path("once.json")).unwrap()).unwrap();
    // The token, once, and what was asked for with it.
    assert_eq!(document["interactions"].as_array().unwrap().len(), 3);
}

/// An option without its tape, and a variable that somebody has set for many commands and forgotten: the sentence
/// names the one that is there, and what goes with it.
#[test]
fn half_a_tape_is_named_by_the_half_that_is_there() {
    let person = Person::new();
    std::fs::copy(tape("empty-project.json"), person.path("tape.json")).unwrap();
    let runs = [
        person.run(&list(&["--tape-mode", "once"])),
        person.run_in(("GCF_TAPE_MODE", "stub"), &list(&[])),
        person.run_in(("GCF_TAPE_MODE", "stub"), &list(&["--record", "new.json"])),
        person.run_in(("GCF_REPLAY_STORE", "replays"), &["list", "--json"]),
        person.run(&list(&["--replay", "tape.json", "--record", "new.json"])),
        person.run_in(("GCF_REPLAY", "tape.json"), &list(&["--record", "new.json"])),
    ];
    assert!(runs.iter().all(|run| run.contains("\nexit 2\n")), "{runs:?}");
    check("tape-mode-alone", &runs.join("\n"));
    // What has no tape of its own is not held up.
    for variable in ["GCF_TAPE_MODE", "GCF_REPLAY_STORE"] {
        let shown = person.run_in((variable, "stub"), &["tape", "show", "tape.json"]);
        assert!(shown.contains("\nexit 0\n"), "{shown}");
    }
}

#[test]
fn tapes_are_scanned_compared_renamed_and_verified() {
    let person = Person::new();
    std::fs::copy(tape("empty-project.json"), person.path("a.json")).unwrap();
    let mut document: Value =
        serde_json::from_str(&std::fs::read_to_string(person.path("a.json")).unwrap()).unwrap();
    document["interactions"][1]["response"]["body"]["json"] = json!({"note": "ya29.canary"});
    person.write("leaking.json", &document.to_string());
    let runs = [
        person.run(&["tape", "scan", "a.json"]),
        person.run(&["tape", "scan", "a.json", "leaking.json"]),
        person.run(&["tape", "diff", "a.json", "a.json"]),
        person.run(&["tape", "diff", "a.json", "leaking.json"]),
        person.run(&["tape", "verify", "a.json"]),
        person.run(&["tape", "verify", "leaking.json"]),
        person.run(&["tape", "rename-project", "a.json", "demo-project", "other-project"]),
        person.run(&["tape", "rename", "a.json", "demo-project", "other-project"]),
        person.run(&["tape", "verify", "a.json"]),
        person.run(&["tape", "show", "missing.json"]),
    ];
    assert!(!runs.concat().contains("ya29.canary"));
    assert!(!std::fs::read_to_string(person.path("a.json")).unwrap().contains("demo-project"));
    check("tape-commands", &runs.join("\n"));
    let schema = person.json(&["tape", "schema"]);
    assert_eq!(schema["title"], "gcf tape");
}

#[test]
fn a_tape_is_renamed_while_it_is_recorded() {
    let google = Google::start();
    let person = person(&google);
    let rename = ["--rename", "demo-project=project-1", "--rename", "gcf-demo=robot"];
    super::forget_tokens(&person.path("store"));
    let recorded = person.run(&list(&[&["--record", "list.json"], &rename[..]].concat()));
    let text = std::fs::read_to_string(person.path("list.json")).unwrap();
    assert!(text.contains("projects/project-1/") && !text.contains("demo-project"), "{text}");
    super::forget_tokens(&person.path("store"));
    let replayed = person.run(&list(&[&["--replay", "list.json"], &rename[..]].concat()));
    let without = person.run(&["tape", "rename", "list.json", "demo-project", "x"]);
    let runs = [
        recorded,
        replayed,
        without,
        person.run(&list(&["--replay", "list.json"])),
        person.run(&list(&["--rename", "a=b"])),
        person.run(&list(&["--record", "other.json", "--rename", "demo=demo.test"])),
    ];
    check_live("tape-rename", &runs);
}

#[test]
fn a_command_that_sent_nothing_leaves_the_tape_of_another_alone() {
    let google = Google::start();
    let person = Person::with(&google);
    person.run(&["connect", "--nickname", "demo", "--credentials", KEY]);
    person.run(&list(&["--record", "list.json"]));
    let before = std::fs::read(person.path("list.json")).unwrap();
    let refused = person.command(&["invoke", "no name", "--record", "list.json"]).output().unwrap();
    assert!(!refused.status.success());
    assert_eq!(std::fs::read(person.path("list.json")).unwrap(), before);
    assert!(!person.path("list.json.1.bak").exists());
}

#[cfg(unix)]
#[test]
fn a_recording_survives_ctrl_c() {
    // Answers the first request, and leaves the second one waiting.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let map = format!("https://cloudfunctions.googleapis.com=http://{}", silent.local_addr().unwrap());
    let google = Google::start();
    let mut person = Person::with(&google);
    let place = person.maps.iter().position(|rule| rule.starts_with("https://cloudfunctions.")).unwrap();
    person.maps[place] = map;
    person.run(&["connect", "--nickname", "demo", "--credentials", KEY]);
    super::forget_tokens(&person.path("store"));
    let mut child = person
        .command(&list(&["--record", "list.json"]))
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // The request is here, so the token's exchange is over.
    let (mut stream, _) = silent.accept().unwrap();
    stream.read_exact(&mut [0; 16]).unwrap();
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    // As any program ends that does not listen to it, so that a shell's loop ends with it.
    assert_eq!(child.wait().unwrap().signal(), Some(2), "{said}");
    assert!(said.starts_with("error: interrupted\n"), "{said}");
    let text = std::fs::read_to_string(person.path("list.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["interactions"].as_array().unwrap().len(), 1);
    assert!(!person.path("list.json.part").exists());
}
