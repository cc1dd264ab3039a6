//! The output for a person on a terminal, and for a program in a pipe.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    process::Stdio,
};

use serde_json::{Value, json};

use super::{KEY, Person, google::Google, left_out, replays::files, tape};

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

/// The terminal shows `^C` behind the line that counts, and then a prompt: neither is left beside anything else, and
/// the store is as it was.
#[test]
fn ctrl_c_leaves_nothing_on_the_screen() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let google = Google::start();
    let mut person = Person::with(&google);
    let place = person.maps.iter().position(|rule| rule.starts_with("https://cloudfunctions.")).unwrap();
    person.maps[place] =
        format!("https://cloudfunctions.googleapis.com=http://{}", silent.local_addr().unwrap());
    person.run(&["connect", "--nickname", "demo", "--credentials", KEY]);
    for more in [&[][..], &["--record", "list.json"]] {
        let before = files(&person, "store");
        let mut terminal = person.terminal(&[&["list", "--filter", "x"], more].concat(), "1");
        let mut child = match terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn() {
            Ok(child) => child,
            Err(error) => return left_out("terminal", &format!("script: {error}")),
        };
        let (_stream, _) = silent.accept().unwrap();
        let (mut shown, mut screen) = (Vec::new(), child.stdout.take().unwrap());
        let mut piece = [0; 256];
        while !String::from_utf8_lossy(&shown).contains("listing") {
            let length = screen.read(&mut piece).unwrap();
            shown.extend_from_slice(&piece[..length]);
        }
        child.stdin.as_ref().unwrap().write_all(b"\x03").unwrap();
        screen.read_to_end(&mut shown).unwrap();
        let shown = String::from_utf8(shown).unwrap();
        let (_, behind) = shown.rsplit_once("^C").unwrap();
        // One line up, and all from there on is erased: the line that `^C` began, which may have been drawn once more, too.
        let (_, after) = behind.split_once("\u{1b}[A\r\u{1b}[J").unwrap_or_else(|| panic!("{shown:?}"));
        assert!(!after.contains("listing"), "{shown:?}");
        assert_eq!(child.wait().unwrap().code(), Some(130), "{shown:?}");
        if more.is_empty() {
            assert!(files(&person, "store") == before, "the store is another one");
        } else {
            assert!(after.contains("error: interrupted"), "{shown:?}");
        }
    }
}

/// A column is as wide as what stands in it looks, not as many characters as it has.
#[test]
fn wide_characters_stay_in_their_columns() {
    let google = Google::start();
    let person = Person::with(&google);
    // Widths by UAX #11: six wide characters take twelve columns, four narrow ones four.
    for (nickname, columns) in [("日本語の接続", 12), ("żółw", 4), ("plain", 5)] {
        person.run(&["connect", "--nickname", nickname, "--credentials", KEY]);
        let listed = person.run(&["connections"]);
        let header = listed.lines().find(|line| line.starts_with("NICKNAME")).unwrap();
        let row = listed.lines().find(|line| line.starts_with(nickname)).unwrap();
        let gap = row[nickname.len()..].chars().take_while(|character| *character == ' ').count();
        assert_eq!(columns + gap, header.find("ID").unwrap(), "{listed}");
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
