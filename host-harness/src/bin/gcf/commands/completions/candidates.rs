//! Values that can stand for a connection, a function or a region on a command line.

use std::{
    collections::BTreeMap,
    env,
    ffi::{OsStr, OsString},
    path::PathBuf,
    sync::LazyLock,
};

use clap::{Arg, Command, builder::StyledStr};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use gcf_host::text::line;

use crate::context::{names_in_store, remembered::Names};

/// The kind of name that an argument takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    Connection,
    Function,
    Region,
}

/// The kind of name that an argument takes, told by what the help calls it.
pub(super) fn takes(command: &str, argument: &Arg) -> Option<Takes> {
    // What `gcf connections share` is to be told, and the number of a key, are other things.
    match (argument.get_id().as_str(), argument.get_long()) {
        ("connection", Some("connection")) | ("id", None) => Some(Takes::Connection),
        ("function", None) => Some(Takes::Function),
        (_, Some("region" | "allow-region")) => Some(Takes::Region),
        ("functions", Some("allow-function")) if command != "list" => Some(Takes::Function),
        (_, _) => None,
    }
}

/// The command line, with candidates that are looked up when they are asked for.
pub(super) fn with(command: Command, words: &[OsString]) -> Command {
    let line = Line::of(words);
    add(command, &line)
}

fn add(command: Command, line: &Line) -> Command {
    let name = command.get_name().to_owned();
    let one = |argument: Arg| match takes(&name, &argument) {
        Some(takes) => {
            let line = line.clone();
            argument.add(ArgValueCandidates::new(move || candidates(takes, &line, &SEEN)))
        }
        None => argument,
    };
    command.mut_args(one).mut_subcommands(|command| add(command, line))
}

/// The names in the store that the command line means.
static SEEN: LazyLock<Seen> = LazyLock::new(|| {
    let line = Line::of(&super::words());
    names_in_store(line.store.map(PathBuf::from), line.key_file.map(PathBuf::from))
        .map(|(names, default)| Seen { names, default })
        .unwrap_or_default()
});

/// The names, and the id of the default connection.
#[derive(Debug, Default)]
struct Seen {
    names: Names,
    default: Option<String>,
}

/// The options on a command line that is not finished yet which say what the names are of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Line {
    store: Option<String>,
    key_file: Option<String>,
    connection: Option<String>,
    region: Option<String>,
}

impl Line {
    fn of(words: &[OsString]) -> Self {
        let option = |name: &str| {
            let long = format!("--{name}=");
            let mut found = None;
            for (at, word) in words.iter().enumerate() {
                let word = word.to_string_lossy();
                if let Some(value) = word.strip_prefix(&long) {
                    found = Some(value.to_owned());
                } else if word.strip_prefix("--") == Some(name) {
                    found = words.get(at + 1).map(|value| value.to_string_lossy().into_owned());
                }
            }
            found.filter(|value| !value.is_empty())
        };
        let or_variable = |value: Option<String>, name: &str| {
            value.or_else(|| env::var(name).ok().filter(|value| !value.is_empty()))
        };
        Self {
            store: or_variable(option("store"), "GCF_STORE"),
            key_file: option("key-file"),
            connection: or_variable(option("connection"), "GCF_CONNECTION"),
            region: option("region"),
        }
    }
}

fn candidates(takes: Takes, line: &Line, seen: &Seen) -> Vec<CompletionCandidate> {
    match takes {
        Takes::Connection => connections(&seen.names),
        Takes::Function => functions(line, seen),
        Takes::Region => seen.names.regions().into_iter().filter_map(|(id, of)| candidate(id, of)).collect(),
    }
}

/// The nicknames; an id where a nickname stands for several.
fn connections(names: &Names) -> Vec<CompletionCandidate> {
    let each = names.connections.iter();
    each.filter_map(|connection| {
        let namesakes = names.connections.iter().filter(|other| other.nickname == connection.nickname);
        if namesakes.count() == 1 {
            candidate(&connection.nickname, &format!("project {}", connection.project))
        } else {
            candidate(&connection.id, &format!("{}, project {}", connection.nickname, connection.project))
        }
    })
    .collect()
}

/// Bare names, of the region that the line names if it names one.
fn functions(line: &Line, seen: &Seen) -> Vec<CompletionCandidate> {
    let Seen { names, default } = seen;
    let meant = |name: &str| {
        let by_id = names.connections.iter().find(|connection| connection.id == name);
        by_id.or_else(|| names.connections.iter().find(|connection| connection.nickname == name))
    };
    let connection = match (&line.connection, names.connections.as_slice(), default) {
        (Some(name), _, _) => meant(name),
        (None, [only], _) => Some(only),
        (None, _, Some(id)) => meant(id),
        (None, _, None) => None,
    };
    let Some(connection) = connection else { return Vec::new() };
    let mut regions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (region, name) in names.functions(&connection.id) {
        if line.region.as_ref().is_none_or(|only| only == region) {
            regions.entry(name).or_default().push(region);
        }
    }
    regions.into_iter().filter_map(|(name, regions)| candidate(name, &regions.join(", "))).collect()
}

/// A name of somebody else's on the screen, and what is said of it. One that a terminal or a shell would not take as it
/// stands is left out.
fn candidate(name: &str, about: &str) -> Option<CompletionCandidate> {
    let is_plain = !name.is_empty() && !name.starts_with('-') && line(name) == name;
    let about = (!about.is_empty()).then(|| StyledStr::from(line(about).into_owned()));
    is_plain.then(|| CompletionCandidate::new(OsStr::new(name)).help(about))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::{commands::Cli, context::remembered::NamedConnection, output::function::tests::sample};

    fn values(candidates: Vec<CompletionCandidate>) -> Vec<String> {
        let text = |candidate: CompletionCandidate| candidate.get_value().to_string_lossy().into_owned();
        candidates.into_iter().map(text).collect()
    }

    fn seen() -> Seen {
        let mut names = Names::default();
        for (id, nickname) in
            [("c1", "work"), ("c2", "twice"), ("c3", "twice"), ("c4", "a\u{1b}[2J"), ("c5", "-x")]
        {
            names.connections.push(NamedConnection {
                id: id.to_owned(),
                nickname: nickname.to_owned(),
                project: "p".to_owned(),
                region: "us-east1".to_owned(),
            });
        }
        let functions =
            [sample("us-central1", "a"), sample("europe-west1", "a"), sample("europe-west1", "b")];
        names.note_functions("c1", &functions, true);
        names.note_regions([("asia-east1".to_owned(), "Taiwan".to_owned())]);
        Seen { names, default: None }
    }

    fn line(words: &str) -> Line {
        Line::of(&words.split(' ').map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn a_connection_is_offered_by_what_stands_for_it_alone() {
        assert_eq!(values(candidates(Takes::Connection, &line(""), &seen())), ["work", "c2", "c3"]);
    }

    #[test]
    fn functions_are_those_of_the_connection_and_the_region() {
        let offered = |words: &str, default: Option<&str>| {
            let seen = Seen { default: default.map(str::to_owned), ..seen() };
            values(candidates(Takes::Function, &line(words), &seen))
        };
        assert!(offered("gcf get", None).is_empty(), "nobody knows whose");
        assert_eq!(offered("gcf get", Some("c1")), ["a", "b"]);
        assert_eq!(offered("gcf get --connection work", None), ["a", "b"]);
        assert_eq!(offered("gcf get --connection=c1 --region us-central1", Some("c2")), ["a"]);
        assert!(offered("gcf get --connection c2", Some("c1")).is_empty());
    }

    #[test]
    fn regions_are_those_that_were_met() {
        assert_eq!(
            values(candidates(Takes::Region, &line(""), &seen())),
            ["asia-east1", "europe-west1", "us-central1", "us-east1"]
        );
    }

    /// Each argument that is a connection, a function or a region, wherever it stands.
    #[test]
    fn no_argument_is_left_out() {
        fn look(command: &Command, seen: &mut Vec<String>) {
            for argument in command.get_arguments().filter(|argument| !argument.is_global_set()) {
                let path = format!("{} {}", command.get_name(), argument.get_id());
                let found = takes(command.get_name(), argument);
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                let is_one = help.contains("id or its nickname")
                    || argument.get_id() == "function"
                    || argument.get_long().is_some_and(|long| long.ends_with("region"));
                assert_eq!(
                    found.is_some(),
                    is_one || argument.get_long() == Some("allow-function"),
                    "{path}: {help}"
                );
                seen.extend(found.map(|_| path));
            }
            command.get_subcommands().for_each(|command| look(command, seen));
        }
        let (mut seen, mut command) = (Vec::new(), Cli::command());
        command.build();
        look(&command, &mut seen);
        assert!(seen.len() > 15, "{seen:?}");
    }
}
