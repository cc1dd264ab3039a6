//! The output for a person on a terminal, and for a program in a pipe.

use serde_json::{Value, json};

use super::{KEY, Person, google::Google, tape};

const RED: &str = "\u{1b}[31m\"7\"\u{1b}[0m";
const GREEN: &str = "\u{1b}[32m\"1000\"\u{1b}[0m";

#[test]
fn what_differs_from_a_tape_is_coloured_for_a_person_who_wants_it() {
    let person = Person::new();
    person.connect();
    let tape = tape("empty-project.json");
    let arguments = ["list", "--page-size", "7", "--replay", &tape];
    let Some(coloured) = person.on_terminal(&arguments, "") else { return };
    assert!(coloured.contains(RED) && coloured.contains(GREEN), "{coloured}");
    let plain = "query pageSize: the tape has \"1000\", the request has \"7\"";
    let without = person.on_terminal(&arguments, "1").unwrap();
    assert!(without.contains(plain) && !without.contains("\u{1b}[3"), "{without}");
    let piped = person.run(&arguments);
    assert!(piped.contains(plain) && !piped.contains('\u{1b}'), "{piped}");
}

/// The pages as they come in, on a line that is gone in the end; none of it in a pipe.
#[test]
fn a_long_list_shows_how_far_it_is() {
    let google = Google::start();
    let person = Person::with(&google);
    person.run(&["connect", "--nickname", "demo", "--credentials", KEY]);
    for (list, counted) in [
        (&["list"][..], "page of Cloud Functions"),
        (&["custom-api", "GET", "/v2/projects/demo-project/locations", "--all-pages"], "listing: 1 page"),
    ] {
        let Some(shown) = person.on_terminal(list, "1") else { return };
        assert!(shown.contains(counted), "{shown:?}");
        let piped = person.run(list);
        assert!(!piped.contains("listing"), "{piped}");
    }
}

/// The answer of a function is anybody's: it clears no screen and sets no title. A program gets it as it
/// came.
#[test]
fn escape_codes_in_an_answer_reach_a_pipe_and_no_terminal() {
    const HOSTILE: &str = "a\u{1b}[2Jb\u{1b}]0;title\u{7}c\u{9b}31md\re";
    let google = Google::start();
    let person = Person::with(&google);
    person.run(&["connect", "--nickname", "demo", "--credentials", KEY]);
    let call = |tape: [&'static str; 2]| {
        [&["custom-api", "GET", "/v2/projects/demo-project/locations", "--include"][..], &tape].concat()
    };
    person.run(&call(["--record", "tape.json"]));
    let text = std::fs::read_to_string(person.path("tape.json")).unwrap();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    for body in [json!({ "text": HOSTILE }), json!({ "json": { HOSTILE: HOSTILE } })] {
        document["interactions"][1]["response"]["body"] = body;
        // No control character is allowed in a header, but for what begins one in Latin-1.
        document["interactions"][1]["response"]["headers"] =
            json!([["content-type", "text/plain"], ["x-a", "\u{9b}31m"]]);
        person.write("hostile.json", &document.to_string());
        let replay = call(["--replay", "hostile.json"]);
        let Some(shown) = person.on_terminal(&replay, "1") else { return };
        assert!(shown.contains("200 OK"), "{shown}");
        for code in ["\u{1b}[2J", "\u{1b}]", "\u{7}", "\u{9b}", "d\re"] {
            assert!(!shown.contains(code), "{code:?} is in {shown:?}");
        }
        let piped = person.command(&replay).output().unwrap();
        let body = document["interactions"][1]["response"]["body"].clone();
        let raw = body["text"].as_str().map_or_else(|| body["json"].to_string(), str::to_owned);
        assert!(piped.stdout.ends_with(raw.as_bytes()), "{raw}");
    }
}
