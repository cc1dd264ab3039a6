//! Every command, recorded and then replayed: in the store that it was recorded with and in a fresh
//! one, twice each.

use std::{env, fs, path::Path};

use serde_json::json;

use super::{KEY, Person, google::Google, replays::files};

const URL: &str = "https://hello-abcdefghij-uc.a.run.app";

/// The commands that send requests. Those in the second half fail, each at another place.
const COMMANDS: [&[&str]; 16] = [
    &["reconnect", "demo", "--credentials", KEY],
    &["doctor"],
    &["list"],
    &["list", "--page-size", "7"],
    &["options", "regions"],
    &["options", "functions", "--region", "us-central1"],
    &["get", "hello", "--region", "us-central1"],
    &["invoke", URL, "--auth", "none", "--data", "x"],
    &["custom-api", "GET", "/v2/projects/demo-project/locations"],
    &["custom-api", "GET", "/v2/projects/demo-project/locations", "--all-pages"],
    &["get", "missing", "--region", "us-central1"],
    // An ID token, and then the function.
    &["invoke", "hello", "--region", "us-central1"],
    &["list", "--region", "europe-west1"],
    &["custom-api", "GET", "/v2/refused"],
    // From here on there are two.
    &["connect", "--nickname", "other", "--credentials", KEY],
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

/// A round for each command: recorded once, replayed four times, and all of it the same but for
/// what a network is.
fn rounds(google: &Google, round: usize) {
    let person = Person::with(google);
    person.run(&["connect", "--nickname", "demo", "--credentials", KEY]);
    // As it was before anything was cached, and as it is when a command is recorded.
    copy(&person.path("store"), &person.path("fresh"));
    super::forget_tokens(&person.path("fresh"));
    for (number, command) in COMMANDS.iter().enumerate() {
        let what = format!("round {round}, {}", command.join(" "));
        let tape = format!("{number}.json");
        copy(&person.path("store"), &person.path("before"));
        let recorded = person.run(&[command, &["--record", &tape, "--json"][..]].concat());
        let exit = |text: &str| text.lines().find(|line| line.starts_with("exit ")).unwrap().to_owned();
        let replay = |store: &str| {
            let before = files(&person, store);
            let said = person.run(&[command, &["--replay", &tape, "--json", "--store", store][..]].concat());
            assert!(files(&person, store) == before, "{what}: the store {store} is another one");
            assert_eq!(exit(&said), exit(&recorded), "{what}, with {store}: {said}");
            // The command itself names the store.
            said.split_once('\n').unwrap().1.to_owned()
        };
        // What has ended a connection has nothing left to end.
        let ended = files(&person, "store").len() < files(&person, "before").len();
        let same = if ended { "before" } else { "store" };
        let twice = [replay(same), replay(same)];
        assert_eq!(twice[0], twice[1], "{what}");
        let fresh = [replay("fresh"), replay("fresh")];
        assert_eq!(fresh[0], fresh[1], "{what}");
        // A new connection is the same one; the warning that there is one of this name is the
        // store's.
        if command[0] != "connect" {
            assert_eq!(twice[0], fresh[0], "{what}");
        }
        fs::remove_dir_all(person.path("before")).unwrap();
    }
}

/// `GCF_ROUNDS=63` makes a thousand of them, for each of the commands once.
#[test]
fn every_command_is_replayed_as_it_was_recorded() {
    let google = google();
    let count = env::var("GCF_ROUNDS").map_or(1, |count| count.parse().unwrap());
    (0..count).for_each(|round| rounds(&google, round));
}

/// Each command on a tape that is not its own: it fails, and the store is as it was.
#[test]
fn a_command_that_fails_on_its_tape_leaves_nothing_behind() {
    let person = Person::new();
    person.connect();
    person.write(
        "empty.json",
        r#"{"format": "gcf-tape", "version": "1.0", "provenance": {"kind": "made", "from": "a test"},
            "clock": "2026-03-01T12:00:00Z", "seed": 1, "interactions": []}"#,
    );
    for command in COMMANDS {
        let before = files(&person, "store");
        let said = person.run(&[command, &["--replay", "empty.json", "--json"][..]].concat());
        assert!(files(&person, "store") == before, "{said}");
        if command[0] == "disconnect" {
            // There is nothing to revoke of a key, so nothing is sent that could miss.
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
