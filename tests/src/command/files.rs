//! Files that are named, and are not files, or have no end.

use std::{fs::File, path::Path, process::Command};

use super::{KEY, Person, tape, transcript};

/// Each option and argument that names a file to read, with `FILE` in its place.
const NAMING: [&[&str]; 20] = [
    &["tape", "show", "FILE"],
    &["tape", "scan", "FILE"],
    &["tape", "verify", "FILE"],
    &["tape", "diff", "FILE", "FILE"],
    &["tape", "rename", "FILE", "a", "b"],
    &["list", "--replay", "FILE"],
    &["list", "--replay", "FILE", "--tape-mode", "new-episodes"],
    &["describe", "--component", "FILE"],
    &["connections", "--key-file", "FILE"],
    &["connections", "--ca", "FILE"],
    &["connect", "--nickname", "x", "--credentials", "FILE"],
    &["connect", "--nickname", "x", "--oauth", "--client", "FILE"],
    &["reconnect", "demo", "--credentials", "FILE"],
    &["supply", "token", "FILE"],
    &["supply", "keys/x", "FILE"],
    &["invoke", "f", "--data", "@FILE"],
    &["invoke", "f", "--file", "part=@FILE"],
    &["invoke", "f", "--event", "FILE"],
    &["invoke", "f", "--authorization-file", "FILE"],
    &["custom-api", "POST", "/v2/x", "--data", "@FILE"],
];

/// Somebody with a connection, a pipe that nobody writes to, and a file of a tebibyte that takes no room.
fn person() -> Person {
    let person = Person::new();
    person.connect();
    assert!(Command::new("mkfifo").arg(person.path("pipe")).status().unwrap().success());
    File::create(person.path("endless")).unwrap().set_len(1 << 40).unwrap();
    person
}

/// The transcript of a command within twenty seconds, which none takes; 124 if it does.
fn within(person: &Person, arguments: &[&str]) -> String {
    let gcf = person.command(arguments);
    let mut command = Command::new("timeout");
    command.arg("20").arg(gcf.get_program()).args(gcf.get_args());
    person.surround(&mut command);
    transcript(arguments, command.env("PATH", std::env::var_os("PATH").unwrap()).output().unwrap())
}

#[test]
fn what_is_no_file_or_has_no_end_is_refused_wherever_a_file_is_named() {
    let person = person();
    for arguments in NAMING {
        for (name, why) in [
            ("pipe", "no file"),
            ("/dev/zero", "no file"),
            (".", "no"),
            ("endless", "1099511627776 bytes long, and at most"),
        ] {
            let arguments: Vec<String> =
                arguments.iter().map(|argument| argument.replace("FILE", name)).collect();
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let said = within(&person, &arguments);
            let refused = ["exit 1\n", "exit 2\n"].iter().any(|exit| said.contains(exit));
            assert!(refused && said.contains(name) && said.contains("hint: "), "{said}");
            // These have words of their own for it.
            let own = arguments.contains(&"--component") || arguments.contains(&"--key-file");
            assert!(own || said.contains(why), "{said}");
        }
    }
}

/// Windows PowerShell 5.1 writes UTF-16 with a mark for `>`:
/// <https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_character_encoding>
#[test]
fn text_in_utf16_is_named_wherever_text_is_read() {
    let person = person();
    let text: Vec<u8> = "{\"type\": \"x\"}\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(person.path("utf16"), [&[0xff, 0xfe], text.as_slice()].concat()).unwrap();
    // A component and a part of a form are bytes, and the store's key has words of its own.
    let is_text = |arguments: &&[&str]| {
        !["--component", "--key-file", "--file"].iter().any(|option| arguments.contains(option))
    };
    for arguments in NAMING.into_iter().filter(is_text) {
        let arguments: Vec<String> =
            arguments.iter().map(|argument| argument.replace("FILE", "utf16")).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let said = within(&person, &arguments);
        assert!(!said.contains("exit 0\n") && said.contains("UTF-16"), "{said}");
    }
}

/// A token is taken out of JSON that holds exactly one, and what is no token is refused: both say so.
#[test]
fn what_is_supplied_is_a_token_or_is_refused_by_name() {
    let person = Person::new();
    for (text, said) in [
        ("eyJ.eyJ.c2ln\n", "kept as supplied/t"),
        ("Bearer eyJ.eyJ.c2ln", "kept as supplied/t"),
        ("{\"count\":1,\"value\":\"eyJ.eyJ.c2ln\"}", "kept `value` of the JSON as supplied/t"),
        ("null", "the word null"),
        ("<html>sign in</html>", "a web page"),
        ("{\"access_token\":\"a\",\"id_token\":\"b\"}", "2 tokens in it: access_token, id_token"),
    ] {
        let shown = person.feed(text, &["supply", "t"]);
        assert!(shown.contains(said), "{text}: {shown}");
    }
}

/// Files that people take for a credential are named, with the way to the right file.
#[test]
fn a_file_of_another_kind_is_named() {
    let person = Person::new();
    for (text, said) in [
        (r#"{"project_info": {}, "client": [], "configuration_version": "1"}"#, "google-services.json"),
        ("<!DOCTYPE html><html></html>", "a web page"),
        ("apiVersion: v1\nkind: Config\n", "Kubernetes"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n", "a private key alone"),
        ("AIzaSyA", "an API key"),
    ] {
        let shown = person.feed(text, &["connect", "--nickname", "x", "--credentials", "-", "--plan"]);
        assert!(
            shown.contains(said) && shown.contains("hint: ") && !shown.contains("exit 0"),
            "{text}: {shown}"
        );
    }
}

#[test]
fn a_recording_takes_the_place_of_nothing_but_a_file() {
    let person = person();
    for (name, mode) in [("pipe", "record"), ("/dev/null", "record"), (".", "once"), ("pipe", "new-episodes")]
    {
        let said = match mode {
            "record" => within(&person, &["list", "--record", name]),
            mode => within(&person, &["list", "--replay", name, "--tape-mode", mode]),
        };
        assert!(said.contains("exit 2") && said.contains("no file") || said.contains("a folder"), "{said}");
    }
    assert!(Path::new("/dev/null").metadata().is_ok_and(|metadata| !metadata.is_file()));
}

/// The ways of a shell to hand over `<(…)`, `@/dev/stdin` and a pipe.
#[test]
fn what_comes_through_an_open_pipe_is_read_as_a_file_is() {
    let person = Person::new();
    let recorded = std::fs::read_to_string(tape("connect-only.json")).unwrap();
    let key = std::fs::read_to_string(KEY).unwrap();
    for (stdin, arguments) in [
        (&recorded, &["tape", "show", "/dev/stdin"][..]),
        (&recorded, &["tape", "verify", "/dev/fd/0"]),
        (&key, &["connect", "--nickname", "x", "--credentials", "/dev/stdin", "--plan"]),
        (&key, &["connect", "--nickname", "x", "--credentials", "/proc/self/fd/0", "--plan"]),
    ] {
        let said = person.feed(stdin, arguments);
        assert!(said.contains("exit 0"), "{said}");
    }
    let long = " ".repeat(64 * 1024 + 1);
    let said = person.feed(&long, &["connect", "--nickname", "x", "--credentials", "/dev/stdin", "--plan"]);
    assert!(said.contains("/dev/stdin is longer than 64 KiB"), "{said}");
}
