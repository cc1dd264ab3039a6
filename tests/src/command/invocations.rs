//! `gcf invoke`: the answer as a program gets it, and as a person sees it.

use serde_json::json;

use super::{KEY, Person, check, google::Google};

const URL: &str = "https://hello-abcdefghij-uc.a.run.app";

/// Somebody whose function answers with this.
fn person(google: &Google, status: u16) -> Person {
    google.on("hello-abcdefghij", status, json!({ "name": "world", "list": [1, true] }));
    let person = Person::with(google);
    person.run(&["connect", "--nickname", "demo", "--credentials", KEY]);
    person
}

#[test]
fn an_answer_goes_to_a_pipe_as_it_came_and_the_rest_to_stderr() {
    let google = Google::start();
    let person = person(&google, 200);
    let open = ["invoke", URL, "--auth", "none"];
    let output = person.command(&open).output().unwrap();
    assert_eq!(output.stdout, br#"{"name":"world","list":[1,true]}"#, "not a byte more");
    let runs = [
        person.run(&open),
        person.run(&[&open[..], &["-i", "--query-string", "a=1&a=%C3%BC"]].concat()),
        person.run(&[&open[..], &["--method", "PUT", "--data", "x", "--json"]].concat()),
    ];
    let timeless = |run: &String| {
        run.lines().filter(|line| !line.contains("duration-ms")).collect::<Vec<_>>().join("\n")
    };
    check("invoke", &runs.iter().map(timeless).collect::<Vec<_>>().join("\n\n"));
}

#[test]
fn a_status_that_is_no_success_is_an_answer_unless_it_is_to_fail() {
    let google = Google::start();
    let person = person(&google, 418);
    let runs = [
        person.run(&["invoke", URL, "--auth", "none"]),
        person.run(&["invoke", URL, "--auth", "none", "--fail"]),
        person.run(&["custom-api", "GET", URL, "--fail"]),
    ];
    check("invoke-fail", &runs.join("\n\n"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_person_sees_json_indented_and_coloured() {
    let google = Google::start();
    let person = person(&google, 200);
    let Some(shown) = person.on_terminal(&["invoke", URL, "--auth", "none", "-i"], "1") else { return };
    for part in ["200 OK", "content-type: application/json", "  \"name\": \"world\""] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

/// An API's refusal is searched for the connection's secrets, and so long a text of beginnings of tokens
/// takes no longer than any other: a search that grows with the square of the text would take days.
#[test]
fn a_refusal_full_of_beginnings_of_tokens_is_shown() {
    let google = Google::start();
    let person = person(&google, 400);
    let text = json!("eyJ".repeat(1_000_000));
    google.on("hello-abcdefghij", 400, text.clone());
    let output = person.command(&["custom-api", "GET", URL]).output().unwrap();
    assert!(output.stdout == text.to_string().as_bytes(), "{} bytes came", output.stdout.len());
}
