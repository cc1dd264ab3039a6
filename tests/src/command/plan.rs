//! `--plan` and `describe`.

use super::{KEY, Person, check, check_live, forget_tokens, tape};

#[test]
fn a_plan_of_each_command_that_calls() {
    let person = Person::new();
    let url = "https://hello-abc123-uc.a.run.app";
    let connect = ["connect", "--nickname", "x", "--credentials", KEY, "--plan"];
    check("plan-connect", &person.run(&connect));
    check("connections-none", &person.run(&["connections"]));
    person.connect();
    forget_tokens(&person.path("store"));
    let runs: Vec<String> = [
        &["list", "--region", "us-central1", "--plan"][..],
        &["get", "hello", "--region", "us-central1", "--plan"],
        &["invoke", "hello", "--region", "us-central1", "--path", "/a", "--data", "{\"n\": 1}", "--plan"],
        &["invoke", url, "--auth", "none", "--header", "x-a: b", "--plan"],
        &["custom-api", "GET", "/v2/projects/p/locations", "--plan"],
        &["custom-api", "GET", url, "--query-string", "a=1&a=%C3%BC", "--plan"],
        &["custom-api", "GET", "/v2/projects/p/locations", "--all-pages", "--plan"],
        &["options", "regions", "--plan"],
        &["options", "functions", "--region", "us-central1", "--plan"],
        &["doctor", "--plan"],
        &["connections", "check", "demo", "--plan"],
        &["reconnect", "demo", "--credentials", KEY, "--plan"],
        &["disconnect", "demo", "--plan"],
    ]
    .iter()
    .map(|command| person.run(command))
    .collect();
    check_live("plan", &runs);
    check("plan-json", &person.run(&["invoke", url, "--plan", "--json"]));
}

#[test]
fn a_plan_leaves_a_tape_and_a_store_as_they_are() {
    let person = Person::new();
    person.connect();
    let before = person.run(&["connections", "--json"]);
    let planned = person.run(&["disconnect", "demo", "--plan", "--replay", &tape("revoke.json")]);
    assert!(planned.contains("exit 0"), "{planned}");
    assert_eq!(person.run(&["connections", "--json"]), before);
}

#[test]
fn what_cannot_be_planned_is_not_done_either() {
    let person = Person::new();
    person.connect();
    let runs = [
        person.run(&["connections", "rename", "demo", "other", "--plan"]),
        person.run(&["connect", "--nickname", "x", "--oauth", "--client", "c.json", "--plan"]),
        person.run(&["reconnect", "demo", "--oauth", "--client", "c.json", "--plan"]),
        person.run(&["get", "https://hello-abc123-uc.a.run.app", "--plan"]),
    ];
    check("plan-refused", &runs.join("\n"));
}

#[test]
fn the_catalog_for_people() {
    let person = Person::new();
    let runs = [
        person.run(&["describe"]),
        person.run(&["describe", "functions.invoke"]),
        person.run(&["describe", "custom-api"]),
        person.run(&["describe", "functions.nothing"]),
    ];
    check("describe", &runs.join("\n"));
    let json = person.run(&["describe", "--json"]);
    for part in ["\"$defs\"", "\"functions.invoke\"", "\"egress\"", "\"limits\""] {
        assert!(json.contains(part), "{part}");
    }
}
