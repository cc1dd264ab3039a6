//! Conventions of command-line tools: help in short, formats, defaults, verbosity, commands that can be run twice,
//! and a word on the name that was meant.

use serde_json::{Value, json};

use super::{KEY, Person, check, check_live, google::Google};

fn function(region: &str, name: &str) -> Value {
    json!({
        "name": format!("projects/demo-project/locations/{region}/functions/{name}"),
        "environment": "GEN_2",
        "state": "ACTIVE",
        "serviceConfig": { "uri": "https://hello-abcdefghij-uc.a.run.app" },
    })
}

fn connect(person: &Person, nickname: &str, more: &[&str]) -> Value {
    let connected = person.json(&[&["connect", "--nickname", nickname, "--credentials", KEY], more].concat());
    connected["connection"].clone()
}

/// Somebody who has connected to a project with three functions.
fn person(google: &Google) -> Person {
    let functions = ["hello", "orders", "import"].map(|name| function("us-central1", name));
    google.on("/functions?", 200, json!({ "functions": functions }));
    let person = Person::with(google);
    connect(&person, "demo", &[]);
    person
}

#[test]
fn help_begins_with_the_options_of_the_command() {
    let person = Person::new();
    check("help-list", &person.run(&["list", "--help"]));
    check("help-options", &person.run(&["help", "options"]));
    let of_the_command = person.run(&["options", "--help"]);
    assert!(of_the_command.contains("$ gcf options --help\nexit 0") && of_the_command.contains("FIELD"));
}

#[test]
fn a_limit_is_the_number_of_functions() {
    let google = Google::start();
    let person = person(&google);
    for (limit, count) in [("1", 1), ("2", 2), ("3", 3), ("5", 3)] {
        let listed = person.json(&["list", "--limit", limit]);
        assert_eq!(listed["functions"].as_array().unwrap().len(), count, "{listed}");
        // This Google does not keep to the size of a page: a token would pass over what was left out.
        let cut = count < 3;
        assert!(!cut || listed["next-page-token"].is_null(), "{listed}");
        assert_eq!(listed["notes"].to_string().contains("--limit"), cut, "{listed}");
    }
    // One that keeps to it says where it goes on.
    google.on("pageSize=2&", 200, json!({ "functions": [function("us-central1", "a"), function("us-central1", "b")], "nextPageToken": "CAE=" }));
    let listed = person.json(&["list", "--limit", "2"]);
    assert_eq!(listed["functions"].as_array().unwrap().len(), 2, "{listed}");
    assert!(listed["next-page-token"].is_string(), "{listed}");
}

#[test]
fn one_connection_is_the_default() {
    let google = Google::start();
    let person = person(&google);
    connect(&person, "other", &[]);
    let mut runs = vec![person.run(&["doctor"]), person.run(&["connections", "use", "other"])];
    runs.push(person.run(&["connections"]));
    let used = |arguments: &[&str], variable: &str| {
        let output = person.command(arguments).env("GCF_CONNECTION", variable).output().unwrap();
        String::from_utf8(output.stderr)
            .unwrap()
            .lines()
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .to_owned()
    };
    // The option is nearer than the variable, and the variable nearer than the store.
    assert_eq!(used(&["doctor"], ""), "other");
    assert_eq!(used(&["doctor"], "demo"), "demo");
    assert_eq!(used(&["doctor", "--connection", "other"], "demo"), "other");
    let defaults = |connections: Value| -> Vec<bool> {
        connections
            .as_array()
            .unwrap()
            .iter()
            .map(|connection| connection["default"].as_bool().unwrap())
            .collect()
    };
    assert_eq!(defaults(person.json(&["connections"])).into_iter().filter(|default| *default).count(), 1);
    runs.push(person.run(&["connections", "use", "--none"]));
    assert_eq!(defaults(person.json(&["connections"])), [false, false]);
    runs.push(person.run(&["connections", "use", "nobody"]));
    // A default that is gone counts for nothing.
    person.run(&["connections", "use", "other"]);
    person.run(&["disconnect", "other"]);
    connect(&person, "third", &[]);
    runs.push(person.run(&["doctor"]));
    check_live("connections-use", &runs);
}

#[test]
fn connecting_twice_replaces() {
    let google = Google::start();
    let person = Person::with(&google);
    let replace = ["--replace", "--read-only", "--allow-region", "us-central1"];
    let first = connect(&person, "flows", &replace);
    let second = connect(&person, "flows", &replace);
    assert_eq!(first["id"], second["id"], "{second}");
    assert_eq!(second["guard-rails"]["read-only"], true, "{second}");
    // Rails that are not named stay; those that are take the place of all.
    let kept = connect(&person, "flows", &["--replace"]);
    assert_eq!(kept["guard-rails"], second["guard-rails"]);
    let others = connect(&person, "flows", &["--replace", "--max-body", "7"]);
    assert_eq!(others["guard-rails"]["max-body"], 7, "{others}");
    assert_ne!(others["guard-rails"]["read-only"], true, "{others}");
    let refused = |more: &[&str]| {
        person.run(&[&["connect", "--nickname", "flows", "--credentials", KEY, "--replace"], more].concat())
    };
    let runs = [
        refused(&["--project", "another-project"]),
        refused(&["--region", "europe-west1"]),
        refused(&["--invoke-as", "default"]),
        refused(&["--if-absent"]),
    ];
    assert!(runs.iter().all(|run| run.contains("\nexit 2\n")), "{runs:?}");
    assert_eq!(person.json(&["connections"]).as_array().unwrap().len(), 1);
    check_live("connect-replace", &runs);
}

#[test]
fn a_rail_that_is_not_named_stays() {
    let google = Google::start();
    let person = Person::with(&google);
    connect(&person, "flows", &["--read-only", "--allow-region", "us-central1"]);
    let restrict = |more: &[&str]| {
        person.json(&[&["restrict", "flows"], more].concat())["connection"]["guard-rails"].clone()
    };
    let rails = restrict(&["--max-body", "100"]);
    assert_eq!((&rails["read-only"], &rails["max-body"]), (&json!(true), &json!(100)), "{rails}");
    assert_eq!(rails["regions"], json!(["us-central1"]));
    let rails = restrict(&["--allow-region", "europe-west1", "--allow-region", "europe-west3"]);
    assert_eq!(
        (&rails["read-only"], &rails["regions"]),
        (&json!(true), &json!(["europe-west1", "europe-west3"]))
    );
    let rails = restrict(&["--reset", "--own-project"]);
    assert_eq!((&rails["own-project"], &rails["read-only"]), (&json!(true), &json!(false)), "{rails}");
    assert_eq!(restrict(&["--reset"]), Value::Null);
    assert!(person.run(&["restrict", "flows"]).contains("\nexit 2\n"));
}

#[test]
fn each_request_is_shown_as_it_happens() {
    let google = Google::start();
    let person = person(&google);
    super::forget_tokens(&person.path("store"));
    let listed = person.run(&["list", "--filter", "secret-filter", "-v"]);
    let (printed, told) = listed.split_once("--- stderr\n").unwrap();
    assert!(!told.contains("secret-filter") && !told.contains("ya29"), "{told}");
    assert!(
        told.contains("> 1 POST oauth2.googleapis.com/token  credential in the body\n< 1 200 after "),
        "{told}"
    );
    assert!(told.contains("> 2 GET cloudfunctions.googleapis.com/v2/projects/demo-project/locations/-/functions  access token\n"), "{told}");
    // The result is the same, and stays alone on stdout.
    let quiet = person.run(&["list", "--filter", "secret-filter"]);
    assert_eq!(
        printed.split_once("--- stdout").unwrap().1,
        quiet.split_once("--- stdout").unwrap().1.split_once("--- stderr\n").unwrap().0
    );
    let failed = person
        .command(&["list", "--filter", "x", "-v"])
        .args(["--map", "https://cloudfunctions.googleapis.com=http://127.0.0.1:9"])
        .output()
        .unwrap();
    assert!(!failed.status.success());
}

#[test]
fn results_have_formats() {
    let google = Google::start();
    let person = person(&google);
    let run = |more: &[&str]| person.run(&[&["list", "--filter", "x"], more].concat());
    let out = |run: &str| {
        run.split_once("--- stdout\n").unwrap().1.split_once("--- stderr\n").unwrap().0.to_owned()
    };
    let names = "projects/demo-project/locations/us-central1/functions/";
    assert_eq!(
        out(&run(&["-o", "name"])),
        ["hello", "orders", "import"].map(|name| format!("{names}{name}\n")).concat()
    );
    let json: Value = serde_json::from_str(&out(&run(&["-o", "json"]))).unwrap();
    assert_eq!(json["functions"], person.json(&["list", "--filter", "x"])["functions"]);
    let csv = out(&run(&["-o", "csv"]));
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines[0].starts_with("name,region,project,generation,trigger,state,url,"), "{csv}");
    assert!(lines.len() == 4 && lines[1].starts_with("hello,us-central1,demo-project,gen2,"), "{csv}");
    let yaml = out(&run(&["-o", "yaml"]));
    let read = yaml_rust2::YamlLoader::load_from_str(&yaml).unwrap();
    assert_eq!(read[0]["functions"][1]["name"].as_str(), Some("orders"), "{yaml}");
    // A name is one that other commands take.
    google.on("/functions/hello?", 200, function("us-central1", "hello"));
    let name = format!("{names}hello");
    assert_eq!(out(&person.run(&["get", &name, "-o", "name"])), format!("{name}\n"));
    assert_eq!(out(&person.run(&["connections", "-o", "name"])), "demo\n");
    assert_eq!(out(&person.run(&["options", "regions", "-o", "name"])), "us-central1\n");
    let runs = [
        person.run(&["invoke", "hello", "-o", "csv"]),
        person.run(&["list", "--plan", "-o", "name"]),
        person.run(&["list", "--json", "-o", "yaml"]),
        person.run(&["list", "-o", "xml"]),
        person.run(&["list", "--no-such", "-o", "json"]),
    ];
    assert!(runs.iter().all(|run| run.contains("\nexit 2\n--- stdout\n--- stderr\n")), "{runs:?}");
    check_live("formats", &runs);
}

#[test]
fn the_name_that_was_meant_is_asked_for() {
    let google = Google::start();
    let person = person(&google);
    let missing =
        json!({ "error": { "code": 404, "status": "NOT_FOUND", "message": "Resource was not found" } });
    google.on("us-centrl1", 404, missing);
    let meant = |arguments: &[&str], name: &str| {
        let run = person.run(arguments);
        assert!(run.contains(&format!("did you mean {name}?")), "{run}");
    };
    meant(&["get", "order"], "orders");
    meant(&["invoke", "helo"], "hello");
    meant(&["get", "hello", "--region", "us-centrl1"], "the region us-central1");
    meant(&["describe", "functions.lst"], "functions.list");
    meant(&["describe", "invok"], "invoke");
    meant(&["doctor", "--connection", "dem"], "demo");
    meant(&["connect", "--nickname", "x", "--credentials", KEY, "--region", "us-centrl1"], "us-central1");
    // Of one that nothing is near, nothing is said.
    assert!(!person.run(&["get", "payments"]).contains("did you mean"));
    // clap says it of commands and options.
    assert!(person.run(&["lst"]).contains("list"));
    assert!(person.run(&["list", "--regin", "x"]).contains("--region"));
}
