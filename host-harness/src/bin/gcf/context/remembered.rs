//! The names that have been seen, for a shell that completes a command line: without a call, and without a network.
//!
//! They stand in the store, encrypted like all that is in it, in an entry that no call of the component sees. What
//! cannot be read or written is as good as forgotten.

use std::collections::BTreeMap;

use gcf_host::{
    secrets::{Expected, SecretStore},
    wit::{connections::Connection, functions::Function},
};
use serde::{Deserialize, Serialize};

use crate::output::shown::Leaves;

/// No kind of entry that belongs to a connection.
const KEY: &str = "names/completion";

/// More of a connection's functions than this nobody completes by hand.
const MOST_FUNCTIONS: usize = 400;

/// The longest entry; a store takes 64 KiB.
const LONGEST: usize = 60_000;

/// The names that were seen last. Names in pairs, for the search for secrets passes over lists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Names {
    pub(crate) connections: Vec<NamedConnection>,
    /// The region and the name of each function, by the id of the connection.
    functions: BTreeMap<String, Vec<(String, String)>>,
    /// The regions, and where each is, if Google has said it.
    regions: Vec<(String, String)>,
}

/// As much of a connection as is shown beside its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NamedConnection {
    pub(crate) id: String,
    pub(crate) nickname: String,
    pub(crate) project: String,
    pub(crate) region: String,
}

impl NamedConnection {
    fn of(connection: &Connection) -> Self {
        Self {
            id: connection.id.clone(),
            nickname: connection.nickname.clone(),
            project: connection.project.clone(),
            region: connection.region.clone(),
        }
    }
}

impl Names {
    /// Those that the store has.
    pub(crate) fn of(store: &dyn SecretStore) -> Self {
        let entry = store.get(KEY).ok().flatten();
        entry.and_then(|entry| serde_json::from_str(&entry.value).ok()).unwrap_or_default()
    }

    /// Changes those in the store, if that changes anything.
    pub(super) fn change(store: &dyn SecretStore, change: impl FnOnce(&mut Self)) {
        let before = Self::of(store);
        let mut names = before.clone();
        change(&mut names);
        if names == before {
            return;
        }
        let Ok(text) = serde_json::to_string(&names) else { return };
        // Of many connections with many functions, none is remembered rather than some.
        if text.len() <= LONGEST {
            let _ = store.put(KEY, &text, &Expected::Anything);
        }
    }

    /// Takes note of all connections that there are.
    pub(crate) fn note_connections(&mut self, connections: &[Connection]) {
        self.connections = connections.iter().map(NamedConnection::of).collect();
        self.functions.retain(|id, _| connections.iter().any(|connection| connection.id == *id));
    }

    /// Takes note of the one connection that a command has left.
    pub(crate) fn note(&mut self, leaves: Leaves<'_>) {
        let (id, kept) = match leaves {
            Leaves::Kept(connection) => (connection.id.as_str(), Some(NamedConnection::of(connection))),
            Leaves::Gone(id) => (id, None),
        };
        match (self.connections.iter().position(|known| known.id == id), kept) {
            (Some(place), Some(kept)) => self.connections[place] = kept,
            (None, Some(kept)) => self.connections.push(kept),
            (Some(place), None) => drop(self.connections.remove(place)),
            (None, None) => {}
        }
        // The order in which `connections` lists them.
        self.connections.sort_by(|one, other| one.nickname.cmp(&other.nickname));
        if let Leaves::Gone(id) = leaves {
            self.functions.remove(id);
        }
    }

    /// Takes note of functions of a connection: of all that there are, or of some.
    pub(crate) fn note_functions(&mut self, connection: &str, functions: &[Function], all: bool) {
        let seen = functions.iter().map(|function| (function.region.clone(), function.name.clone()));
        self.note_names(connection, seen, all);
    }

    /// The same by their names alone.
    pub(crate) fn note_names(
        &mut self,
        connection: &str,
        seen: impl IntoIterator<Item = (String, String)>,
        all: bool,
    ) {
        let known = self.functions.entry(connection.to_owned()).or_default();
        if all {
            known.clear();
        }
        known.extend(seen);
        known.sort();
        known.dedup();
        known.truncate(MOST_FUNCTIONS);
    }

    /// Takes note of regions, and where they are.
    pub(crate) fn note_regions(&mut self, regions: impl IntoIterator<Item = (String, String)>) {
        for (region, place) in regions {
            self.regions.retain(|(known, _)| *known != region);
            self.regions.push((region, place));
        }
        self.regions.sort();
    }

    /// The functions of a connection, by region and name.
    pub(crate) fn functions(&self, connection: &str) -> &[(String, String)] {
        self.functions.get(connection).map_or(&[], Vec::as_slice)
    }

    /// The regions that were listed, those of the connections, and those that have functions; with what is known of
    /// where they are.
    pub(crate) fn regions(&self) -> BTreeMap<&str, &str> {
        let of_functions = self.functions.values().flatten().map(|(region, _)| region.as_str());
        let of_connections = self.connections.iter().map(|connection| connection.region.as_str());
        let mut regions: BTreeMap<&str, &str> =
            of_functions.chain(of_connections).map(|region| (region, "")).collect();
        regions.extend(self.regions.iter().map(|(region, place)| (region.as_str(), place.as_str())));
        regions
    }
}

#[cfg(test)]
mod tests {
    use gcf_host::{secrets::MemoryStore, tape::LiveSecrets};

    use super::*;
    use crate::{input::choice::tests::connection, output::function::tests::sample};

    #[test]
    fn what_was_listed_last_is_remembered() {
        let store = MemoryStore::new();
        assert_eq!(Names::of(&store), Names::default());
        Names::change(&store, |names| {
            names.note_functions("c1", &[sample("us-central1", "b"), sample("us-central1", "a")], true);
        });
        Names::change(&store, |names| names.note_functions("c1", &[sample("europe-west1", "c")], false));
        let pair = |region: &str, name: &str| (region.to_owned(), name.to_owned());
        assert_eq!(
            Names::of(&store).functions("c1"),
            [pair("europe-west1", "c"), pair("us-central1", "a"), pair("us-central1", "b")]
        );
        // A whole list forgets what is not on it, and a connection that is gone its functions.
        Names::change(&store, |names| names.note_functions("c1", &[sample("us-central1", "a")], true));
        assert_eq!(Names::of(&store).functions("c1"), [pair("us-central1", "a")]);
        Names::change(&store, |names| names.note_connections(&[]));
        assert!(Names::of(&store).functions("c1").is_empty());
    }

    /// Each command notes its own connection; the others were noted when they were made.
    #[test]
    fn a_command_notes_the_connection_that_it_leaves() {
        let store = MemoryStore::new();
        let known = || -> Vec<String> {
            Names::of(&store).connections.into_iter().map(|known| known.nickname).collect()
        };
        let (one, other) = (connection("c1", "one"), connection("c2", "other"));
        Names::change(&store, |names| names.note(Leaves::Kept(&one)));
        Names::change(&store, |names| names.note(Leaves::Kept(&other)));
        Names::change(&store, |names| names.note_functions("c1", &[sample("us-central1", "a")], true));
        assert_eq!(known(), ["one", "other"]);
        Names::change(&store, |names| names.note(Leaves::Kept(&connection("c1", "first"))));
        assert_eq!(known(), ["first", "other"], "by their nicknames");
        assert_eq!(Names::of(&store).functions("c1").len(), 1);
        Names::change(&store, |names| names.note(Leaves::Gone("c1")));
        assert_eq!(known(), ["other"]);
        assert!(Names::of(&store).functions("c1").is_empty());
        Names::change(&store, |names| names.note(Leaves::Gone("c1")));
        assert_eq!(known(), ["other"]);
    }

    #[test]
    fn an_entry_that_says_nothing_new_or_too_much_is_not_written() {
        let store = MemoryStore::new();
        let note = |many: usize, length: usize| {
            let region = "r".repeat(length);
            let functions: Vec<_> = (0..many).map(|number| sample(&region, &format!("f{number}"))).collect();
            Names::change(&store, |names| names.note_functions("c1", &functions, true));
            store.get(KEY).unwrap().map(|entry| entry.version)
        };
        let first = note(1000, 20);
        assert!(first.is_some());
        assert_eq!(note(1000, 20), first);
        assert_eq!(Names::of(&store).functions("c1").len(), MOST_FUNCTIONS);
        assert_eq!(note(1000, 4000), first);
        store.put(KEY, "[", &Expected::Anything).unwrap();
        assert_eq!(Names::of(&store), Names::default());
    }

    /// They are not kept off a tape as a secret is: a name of a function would be redacted wherever it stands.
    #[test]
    fn names_are_no_secrets() {
        let store = MemoryStore::new();
        Names::change(&store, |names| {
            names.note_functions("c1", &[sample("us-central1", "secret-token-key")], true);
            names.note_regions([("us-central1".to_owned(), "Iowa".to_owned())]);
        });
        let live = LiveSecrets::default();
        live.add_stored(KEY, &store.get(KEY).unwrap().unwrap().value);
        assert!(live.is_empty(), "{live:?}");
    }
}
