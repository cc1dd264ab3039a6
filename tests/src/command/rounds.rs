//! Every command, recorded and then replayed: in the store that it was recorded with and in a fresh
//! one, twice each.

use std::{env, fs, path::Path};

use serde_json::json;

use super::{
    KEY, Person,
    google::Google,
    replays::files,
    sign_in::{CONNECT, Waiting, write_client},
};

const URL: &str = "https://hello-abcdefghij-uc.a.run.app";

/// Commands that fail, each at another place.
const FAILING: [&[&str]; 4] = [
    &["get", "missing", "--region", "us-central1"],
    &["list", "--region", "europe-west1"],
    &["custom-api", "GET", "/v2/refused", "--fail"],
    &["connect", "--nickname", "x", "--stored-key", "nobody", "--account", "a@b.test"],
];

/// The commands, each in the store as the ones before it have left it.
const COMMANDS: [&[&str]; 37] = [
    &["describe"],
    &["connections"],
    &["connections", "show", "demo"],
    &["store"],
    &["reconnect", "demo", "--credentials", KEY],
    &["doctor"],
    &["connections", "check", "demo"],
    &["list"],
    &["list", "--page-size", "7"],
    &["list", "--limit", "1", "-v"],
    &["options", "regions"],
    &["options", "regions", "europe"],
    &["options", "functions"],
    &["options", "functions", "he", "--region", "us-central1", "--limit", "1"],
    &["get", "hello", "--region", "us-central1"],
    &["invoke", URL, "--auth", "none", "--data", "x"],
    &["custom-api", "GET", "/v2/projects/demo-project/locations"],
    &["custom-api", "GET", "/v2/projects/demo-project/locations", "--all-pages"],
    // An ID token, and then the function.
    &["invoke", "hello", "--region", "us-central1"],
    FAILING[0],
    FAILING[1],
    FAILING[2],
    FAILING[3],
    // Of the person who came back from a browser.
    &["list", "--connection", "ada", "--filter", "x"],
    &["get", "hello", "--region", "us-central1", "--connection", "ada"],
    // They send nothing.
    &["supply", "token", "token"],
    &["supply", "keys/mine", KEY],
    &["connections", "use", "--none"],
    &["connections", "use", "demo"],
    &["restrict", "demo", "--max-body", "7"],
    &["connections", "restrict", "demo", "--reset"],
    &["connections", "rename", "demo", "other"],
    &["connections", "rename", "other", "demo"],
    // From here on there is more than one.
    &["connect", "--nickname", "supplied", "--supplied-token", "token", "--project", "demo-project"],
    &["connect", "--nickname", "other", "--credentials", KEY],
    &["connections", "disconnect", "other"],
    &["disconnect", "demo"],
];

fn google() -> Google {
    let google = Google::start();
    let function = |name: &str, region: &str| {
        json!({
            "name": format!("projects/demo-project/locations/{region}/functions/{name}"), "environment": "GEN_2",
            "state": "ACTIVE", "serviceConfig": { "uri": URL },
        })
    };
    let refused =
        |code: u16, status: &str| json!({ "error": { "code": code, "status": status, "message": "no" } });
    google.on(
        "/functions?",
        200,
        json!({ "functions": [function("hello", "us-central1"), function("b", "europe-west1")] }),
    );
    // The function itself is not Google's, and answers as it likes.
    google.on("hello-abcdefghij", 200, json!({ "hello": "world" }));
    google.on("/functions/hello", 200, function("hello", "us-central1"));
    google.on("/functions/missing", 404, refused(404, "NOT_FOUND"));
    google.on("/services/missing", 404, refused(404, "NOT_FOUND"));
    google.on("/locations/europe-west1/", 403, refused(403, "PERMISSION_DENIED"));
    google.on("/v2/refused", 403, refused(403, "PERMISSION_DENIED"));
    let locations = ["us-central1", "europe-west1", "asia-east1"];
    let locations = locations.map(|id| json!({ "locationId": id, "displayName": id }));
    google.on("/locations?", 200, json!({ "locations": locations }));
    google
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    // Others may not enter.
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Runs a command: what it prints, without its own words.
fn run(person: &Person, command: &[&str], more: &[&str]) -> String {
    person.run(&[command, more].concat()).split_once('\n').unwrap().1.to_owned()
}

/// A round for each command: recorded once, replayed four times, and all of it the same but for
/// what a network is.
fn rounds(google: &Google, round: usize) {
    let person = Person::with(google);
    person.run(&["connect", "--nickname", "demo", "--credentials", KEY]);
    person.write("token", &google.knows_a_person());
    write_client(&person);
    let signed_in = Waiting::with(&person, &CONNECT).come_back(Some(google));
    assert!(signed_in.starts_with("exit 0\n"), "{signed_in}");
    for prepare in
        [["connections", "use", "demo"], ["supply", "token", "token"], ["supply", "keys/mine", KEY]]
    {
        person.run(&prepare);
    }
    // As it was before anything was cached, and as it is when a command is recorded.
    copy(&person.path("store"), &person.path("fresh"));
    super::forget_tokens(&person.path("fresh"));
    for (number, command) in COMMANDS.into_iter().enumerate() {
        let what = format!("round {round}, {}", command.join(" "));
        let tape = format!("{number}.json");
        copy(&person.path("store"), &person.path("before"));
        let recorded = run(&person, command, &["--record", &tape, "--json"]);
        let exit = |text: &str| text.lines().find(|line| line.starts_with("exit ")).unwrap().to_owned();
        assert_eq!(exit(&recorded) == "exit 0", !FAILING.contains(&command), "{what}: {recorded}");
        let replay = |store: &str| {
            let before = files(&person, store);
            let said = run(&person, command, &["--replay", &tape, "--json", "--store", store]);
            assert!(files(&person, store) == before, "{what}: the store {store} is another one");
            assert_eq!(exit(&said), exit(&recorded), "{what}, with {store}: {said}");
            said
        };
        // What has renamed or ended a connection has nothing left to do there.
        let ended =
            ["rename", "disconnect"].iter().any(|word| command[..command.len().min(2)].contains(word));
        let same = if ended { "before" } else { "store" };
        let twice = [replay(same), replay(same)];
        assert_eq!(twice[0], twice[1], "{what}");
        // A fresh store has only the first connection, under its first name.
        if !command.contains(&"other") || command[0] == "connect" {
            let fresh = [replay("fresh"), replay("fresh")];
            assert_eq!(fresh[0], fresh[1], "{what}");
            // A new connection is the same one; the warning that there is one of this name is the
            // store's. Where a store lies, and when it was used, is its own.
            if !["connect", "store", "connections"].contains(&command[0]) {
                assert_eq!(twice[0], fresh[0], "{what}");
            }
        }
        fs::remove_dir_all(person.path("before")).unwrap();
    }
}

/// `GCF_ROUNDS=28` makes a thousand of them, for each of the commands once.
#[test]
fn every_command_is_replayed_as_it_was_recorded() {
    let google = google();
    let count = env::var("GCF_ROUNDS").map_or(1, |count| count.parse().unwrap());
    (0..count).for_each(|round| rounds(&google, round));
}

/// The commands that are not in the rounds, each with its reason.
const WITHOUT_A_TAPE: [&str; 4] = [
    // They make no call and have no store.
    "tape",
    "completions",
    "help",
    // It is a replay itself.
    "demo",
];

#[test]
fn every_command_has_a_round() {
    let person = Person::new();
    let commands = |arguments: &[&str]| -> Vec<String> {
        let help = person.run(arguments);
        let list = help.split_once("\nCommands:\n").unwrap().1.split_once("\n\n").unwrap().0;
        let names = list.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        names.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
    };
    let all = commands(&["--help"]);
    assert!(all.len() > 15, "{all:?}");
    for name in all.iter().filter(|name| !WITHOUT_A_TAPE.contains(&name.as_str())) {
        assert!(COMMANDS.iter().any(|command| command[0] == name), "gcf {name} has no round");
    }
    // To share is to encrypt a file anew, which a replay refuses.
    let refused = ["share", "unshare", "help"];
    for name in commands(&["connections", "--help"]).iter().filter(|name| !refused.contains(&name.as_str())) {
        let has = |command: &[&str]| command[0] == "connections" && command.get(1) == Some(&name.as_str());
        assert!(COMMANDS.iter().any(|command| has(command)), "gcf connections {name} has no round");
    }
}

/// The beginnings of commands that send nothing that could miss: there is nothing to revoke of a key, and a supplied
/// token is not tried.
const SEND_NOTHING: [&[&str]; 12] = [
    &["describe"],
    &["store"],
    &["supply"],
    &["restrict"],
    &["disconnect"],
    &["connections", "show"],
    &["connections", "use"],
    &["connections", "restrict"],
    &["connections", "rename"],
    &["connections", "disconnect"],
    &["connect", "--nickname", "x"],
    &["connect", "--nickname", "supplied"],
];

/// Each command on a tape that is not its own: it fails, and the store is as it was.
#[test]
fn a_command_that_fails_on_its_tape_leaves_nothing_behind() {
    let google = Google::start();
    let person = Person::with(&google);
    person.run(&["connect", "--nickname", "demo", "--credentials", KEY]);
    write_client(&person);
    Waiting::with(&person, &CONNECT).come_back(Some(&google));
    // Where one is not named, it is the first.
    person.run(&["connections", "use", "demo"]);
    person.write(
        "empty.json",
        r#"{"format": "gcf-tape", "version": "1.0", "provenance": {"kind": "made", "from": "a test"},
            "clock": "2026-03-01T12:00:00Z", "seed": 1, "interactions": []}"#,
    );
    person.write("token", "ya29.x");
    person.run(&["supply", "token", "token"]);
    for command in COMMANDS {
        let before = files(&person, "store");
        let said = run(&person, command, &["--replay", "empty.json", "--json"]);
        assert!(files(&person, "store") == before, "{said}");
        if command == ["connections"] || SEND_NOTHING.iter().any(|silent| command.starts_with(silent)) {
            continue;
        }
        assert!(said.contains("exit 7") && said.contains(r#""kind": "tape-miss""#), "{said}");
        assert!(said.contains("not on the tape: ") && !said.contains("egress-denied"), "{said}");
        // Nor is anything kept where replays keep things.
        let kept =
            person.run(&[command, &["--replay", "empty.json", "--replay-store", "replays"][..]].concat());
        assert!(!kept.contains("exit 0"), "{kept}");
        let connections =
            person.run(&["connections", "--replay", "empty.json", "--replay-store", "replays", "--json"]);
        assert!(connections.contains("[]"), "{connections}");
    }
}
