use std::time::Duration;

use clap::CommandFactory as _;

use super::*;

#[test]
fn the_definition_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn globals_are_taken_after_the_command() {
    let cli =
        Cli::try_parse_from(["gcf", "list", "--json", "--timeout", "1.5", "--connection", "a"]).unwrap();
    assert!(cli.global.json);
    assert_eq!(cli.global.timeout, Some(Duration::from_millis(1500)));
    assert_eq!(cli.global.connection.as_deref(), Some("a"));
}

/// An option of the tape without its other half: which one is missing, and who has set the first.
#[test]
fn half_a_tape_is_refused() {
    let refused = |line: &str, heeds_variables| {
        let words = ["gcf", "list"].into_iter().chain(line.split_whitespace());
        let matches = Cli::command().try_get_matches_from(words).unwrap();
        let global = <Cli as clap::FromArgMatches>::from_arg_matches(&matches).unwrap().global;
        global.refuse_half_a_tape(crate::context::Given::of(&matches), heeds_variables)
    };
    for line in [
        "--replay a --record b",
        "--tape-mode stub",
        "--replay-store d",
        "--record a --tape-mode once",
        "--replay a --replay-store d --store e",
    ] {
        for heeds_variables in [true, false] {
            assert_eq!(refused(line, heeds_variables).unwrap_err().exit, Exit::Usage, "{line}");
        }
    }
    for line in ["", "--record a", "--replay a --tape-mode stub --replay-store d"] {
        assert!(refused(line, true).is_ok(), "{line}");
    }
}

#[test]
fn the_exit_codes_are_in_the_help() {
    let help = Cli::command().render_long_help().to_string();
    for code in Exit::ALL {
        assert!(help.contains(&format!("\n {:>3}  ", code as u8)), "{code:?} is not documented");
    }
}

/// Every user of a machine can read the arguments of a process.
#[test]
fn no_option_takes_a_secret() {
    /// Words for what opens something.
    const SECRET: [&str; 12] = [
        "token",
        "secret",
        "key",
        "pass",
        "credential",
        "code",
        "assertion",
        "bearer",
        "auth",
        "cookie",
        "verifier",
        "pin",
    ];
    /// Options with such a word that take nothing secret: where a list goes on, and which way to sign in.
    const OPEN: [&str; 3] = ["page_token", "auth", "raw_key"];

    fn check(command: &clap::Command, seen: &mut usize) {
        for argument in command.get_arguments().filter(|argument| argument.get_action().takes_values()) {
            let name = argument.get_id().as_str();
            let words: Vec<_> = name.split(['_', '-']).collect();
            if OPEN.contains(&name)
                || !SECRET.iter().any(|word| words.iter().any(|part| part.starts_with(word)))
            {
                continue;
            }
            let value = argument.get_value_names().and_then(<[_]>::first).map_or("", |value| value.as_str());
            assert!(["FILE", "NAME", "ID"].contains(&value), "{name} takes {value:?}");
            *seen += 1;
        }
        command.get_subcommands().for_each(|command| check(command, seen));
    }
    let mut command = Cli::command();
    command.build();
    let mut seen = 0;
    check(&command, &mut seen);
    assert!(seen >= 5, "{seen} options that could take a secret were looked at");
}

/// A command line for each command, and for each of its kinds that `--plan` or `--connection` tells apart.
const LINES: [(&str, Planning, bool); 28] = [
    ("demo", Planning::Impossible, false),
    ("describe", Planning::Impossible, false),
    ("connect --nickname n --credentials f", Planning::Possible, false),
    ("connect --nickname n --oauth --client f", Planning::AfterBrowser, false),
    ("reconnect c --credentials f", Planning::Possible, true),
    ("reconnect c --oauth --client f", Planning::AfterBrowser, true),
    ("restrict c", Planning::Impossible, true),
    ("connections", Planning::Impossible, false),
    ("connections show c", Planning::Impossible, true),
    ("connections check c", Planning::Possible, true),
    ("connections use c", Planning::Impossible, true),
    ("connections use --none", Planning::Impossible, true),
    ("connections rename c n", Planning::Impossible, true),
    ("connections restrict c", Planning::Impossible, true),
    ("connections share c --to r", Planning::Impossible, true),
    ("connections unshare c --from r", Planning::Impossible, true),
    ("connections disconnect c", Planning::Possible, true),
    ("doctor", Planning::Possible, false),
    ("supply n", Planning::Impossible, false),
    ("store", Planning::Impossible, false),
    ("list", Planning::Possible, false),
    ("options regions", Planning::Possible, false),
    ("get f", Planning::Possible, false),
    ("invoke f", Planning::Possible, false),
    ("custom-api GET /", Planning::Possible, false),
    ("tape schema", Planning::Impossible, false),
    ("disconnect c", Planning::Possible, true),
    ("completions bash", Planning::Impossible, false),
];

#[test]
fn a_command_says_of_itself_what_goes_with_it() {
    let definition = Cli::command();
    let mut unsaid: Vec<&str> = definition.get_subcommands().map(clap::Command::get_name).collect();
    let hint = Planning::Impossible.refuse().unwrap_err().fix().unwrap().to_owned();
    for (line, planning, names_connection) in LINES {
        let cli = Cli::try_parse_from(["gcf"].into_iter().chain(line.split(' '))).unwrap();
        let said = match cli.command.kind() {
            Kind::Alone(_) => (Planning::Impossible, false),
            Kind::InContext(command) => (command.planning(), command.names_connection()),
        };
        assert_eq!(said, (planning, names_connection), "{line}");
        let name = line.split(' ').next().unwrap();
        unsaid.retain(|unsaid| *unsaid != name);
        // What is done to a connection is a command of its own, too, which the hint has.
        if planning == Planning::Possible && name != "connections" {
            let words: Vec<&str> = hint.split([' ', ',']).collect();
            assert!(words.contains(&name), "{hint} leaves out {name}");
        }
    }
    assert!(unsaid.is_empty(), "{unsaid:?}");
}
