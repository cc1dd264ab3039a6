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

#[test]
fn recording_a_replay_is_refused() {
    let error = Cli::try_parse_from(["gcf", "list", "--replay", "a", "--record", "b"]).unwrap_err();
    assert_eq!(error.kind(), clap::error::ErrorKind::ArgumentConflict);
}

#[test]
fn the_exit_codes_are_in_the_help() {
    let help = Cli::command().render_long_help().to_string();
    for code in Exit::ALL {
        assert!(help.contains(&format!("\n  {:>2}  ", code as u8)), "{code:?} is not documented");
    }
}

/// Every user of a machine can read the arguments of a process.
#[test]
fn no_option_takes_a_secret() {
    fn check(command: &clap::Command) {
        for argument in command.get_arguments() {
            let name = argument.get_id().as_str();
            let secret =
                ["token", "secret", "key", "pass", "credential"].into_iter().any(|word| name.contains(word));
            // Where a list goes on opens nothing.
            let secret = secret && name != "page_token";
            let Some(value) = argument.get_value_names().filter(|_| secret) else { continue };
            assert!(["FILE", "NAME", "ID"].contains(&value[0].as_str()), "{name} takes {value:?}");
        }
        command.get_subcommands().for_each(check);
    }
    let mut command = Cli::command();
    command.build();
    check(&command);
}
