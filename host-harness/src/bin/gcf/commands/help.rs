//! The help: of each command its own options and an example; of all commands together, their common options once.

use clap::{Args as _, Command, CommandFactory as _};

use super::Cli;
use crate::{context::Global, output::exit::EXIT_CODES};

/// The end of each command's help.
const COMMON: &str = "\
Common options: --connection ID, --json, -o FORMAT, -v, --plan, --timeout SECONDS, --record FILE,
--replay FILE. `gcf help options` explains these and the others that every command has.";

/// Command lines that work, one for each command.
const EXAMPLES: [(&str, &str); 32] = [
    ("demo", "gcf demo --into demo"),
    ("describe", "gcf describe functions.invoke"),
    ("connect", "gcf connect --nickname work --credentials key.json"),
    ("reconnect", "gcf reconnect work --credentials key.json"),
    ("restrict", "gcf restrict work --read-only --allow-region europe-west1"),
    ("connections", "gcf connections --json"),
    ("connections show", "gcf connections show work"),
    ("connections check", "gcf connections check work"),
    ("connections use", "gcf connections use work"),
    ("connections rename", "gcf connections rename work home"),
    ("connections restrict", "gcf connections restrict work --max-body 100000"),
    ("connections share", "gcf connections share work --to age1…"),
    ("connections unshare", "gcf connections unshare work --from age1…"),
    ("connections disconnect", "gcf connections disconnect work"),
    ("doctor", "gcf doctor hello --region us-central1"),
    ("supply", "gcf supply hourly token.txt"),
    ("store", "gcf store"),
    ("list", "gcf list --region europe-west1 --limit 20"),
    ("options", "gcf options functions --region us-central1"),
    ("get", "gcf get hello --region us-central1"),
    ("invoke", "gcf invoke hello --region us-central1 --data '{\"name\":\"world\"}'"),
    ("custom-api", "gcf custom-api GET /v2/projects/my-project/locations --all-pages"),
    ("tape", "gcf tape show list.json"),
    ("tape show", "gcf tape show list.json"),
    ("tape scan", "gcf tape scan list.json"),
    ("tape diff", "gcf tape diff old.json new.json"),
    ("tape rename", "gcf tape rename list.json my-project project-1"),
    ("tape join", "gcf tape join connect.json list.json --to session.json"),
    ("tape verify", "gcf tape verify list.json"),
    ("tape schema", "gcf tape schema"),
    ("disconnect", "gcf disconnect work"),
    ("completions", "gcf completions bash"),
];

/// The command line, with help for people. Completions are made of the plain one, which hides nothing.
pub(crate) fn command() -> Command {
    let hidden = |option: clap::Arg| {
        let global = option.is_global_set();
        option.hide(global)
    };
    let command = Cli::command().mut_args(hidden).after_help(format!("{COMMON}\n\n{EXIT_CODES}"));
    names(&command)
        .iter()
        .fold(command, |command, name| command.mut_subcommand(name, |of| explained(of, name)))
}

fn names(command: &Command) -> Vec<String> {
    command.get_subcommands().map(|command| command.get_name().to_owned()).collect()
}

fn explained(command: Command, path: &str) -> Command {
    let command = names(&command).iter().fold(command, |command, name| {
        command.mut_subcommand(name, |of| explained(of, &format!("{path} {name}")))
    });
    let more = command.get_after_help().map(|text| format!("{text}\n\n")).unwrap_or_default();
    let example = EXAMPLES.iter().find(|(of, _)| *of == path);
    let example = example.map(|(_, line)| format!("Example:\n  {line}\n\n")).unwrap_or_default();
    command.after_help(format!("{more}{example}{COMMON}"))
}

/// The text of `gcf help options`.
pub(crate) fn options() -> String {
    let only = Command::new("gcf").disable_help_flag(true).max_term_width(100).help_template("{all-args}\n");
    let text = Global::augment_args(only).render_long_help().to_string();
    format!("{}\n\nThe command `gcf options` is another thing: see `gcf options --help`.\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    /// The words of a line, as a shell takes them apart.
    fn words(line: &str) -> Vec<String> {
        let parts = line.split('\'').enumerate();
        let parts = parts.flat_map(|(number, part)| match number % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        });
        parts.collect()
    }

    #[test]
    fn each_command_has_an_example_that_can_be_typed() {
        fn check(command: &Command, path: &str) {
            for command in command.get_subcommands() {
                let path = format!("{path} {}", command.get_name()).trim_start().to_owned();
                assert!(EXAMPLES.iter().any(|(of, _)| *of == path), "no example of {path}");
                check(command, &path);
            }
        }
        check(&Cli::command(), "");
        for (of, line) in EXAMPLES {
            assert!(line.starts_with(&format!("gcf {of}")), "{line} is not an example of {of}");
            if let Err(error) = Cli::try_parse_from(words(line)) {
                panic!("{line}: {error}");
            }
        }
    }

    #[test]
    fn the_common_options_are_explained_once() {
        let mut command = command();
        command.build();
        let of_list = command.find_subcommand_mut("list").unwrap().render_long_help().to_string();
        assert!(of_list.contains("--limit") && !of_list.contains("--no-host-signing"), "{of_list}");
        let common = options();
        let plain = Cli::command();
        for option in plain.get_arguments().filter(|option| option.is_global_set()) {
            let name = format!("--{}", option.get_long().unwrap());
            assert!(common.contains(&name) && !of_list.contains(&format!("{name} <")), "{name}");
        }
        // Those that the short line names are there.
        for word in COMMON.split([' ', ',', '\n']).filter(|word| word.starts_with("--")) {
            assert!(common.contains(word), "{word}");
        }
    }
}
