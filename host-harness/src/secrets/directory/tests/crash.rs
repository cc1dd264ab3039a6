//! Writers that are killed at random moments.

use std::{
    env, hint,
    io::{BufRead, BufReader, Write, stdout},
    process::{Command, Stdio},
};

use super::*;
use crate::clock::SeededRandom;

/// For the child: the folder of the store.
const PLACE: &str = "GCF_TEST_KILLED_WRITER";
const KEYS: [&str; 4] = ["connections/a", "credentials/a", "tokens/a/1", "tokens/b/1"];
const ACKNOWLEDGED: u64 = 1_000;
const PER_CHILD: u64 = 50;

/// The key of the write that has this number.
fn key_of(number: u64) -> &'static str {
    KEYS[usize::try_from(number).unwrap() % KEYS.len()]
}

/// Long enough for several writes to the disk, and different at each end.
fn value_of(number: u64) -> String {
    let length = usize::try_from(number * 7_919 % 20_000).unwrap();
    format!("{number} {} {number}", "x".repeat(length))
}

fn number_in(value: &str) -> u64 {
    let number = value.split(' ').next().unwrap().parse().unwrap();
    assert_eq!(value, value_of(number), "torn");
    number
}

#[test]
#[ignore = "runs as the child of `no_acknowledged_write_is_lost_to_kill_9`"]
fn killed_writer() {
    let place = PathBuf::from(env::var_os(PLACE).expect("it is the parent that runs this"));
    let store =
        DirectoryStore::open_with(place.join("store"), &KeySource::File(place.join("key.txt"))).unwrap();
    let next = KEYS.iter().filter_map(|key| value(&store, key)).map(|value| number_in(&value) + 1).max();
    for number in next.unwrap_or(0).. {
        put(&store, key_of(number), &value_of(number));
        writeln!(stdout(), "acknowledged {number}").unwrap();
    }
}

#[test]
fn no_acknowledged_write_is_lost_to_kill_9() {
    let place = TempDir::new().unwrap();
    let random = SeededRandom::new(9);
    let below = |limit: u64| {
        let mut bytes = [0; 8];
        random.fill(&mut bytes);
        u64::from_le_bytes(bytes) % limit
    };
    let (mut acknowledged, mut latest) = (0, None);
    while acknowledged < ACKNOWLEDGED {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "secrets::directory::tests::crash::killed_writer", "--ignored", "--nocapture"])
            .env(PLACE, place.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut wanted = 1 + below(2 * PER_CHILD);
        while wanted > 0 {
            let line = lines.next().expect("the child writes until it is killed");
            wanted -= u64::from(read_acknowledgement(&line, &mut latest, &mut acknowledged));
        }
        // Into whichever part of the next write that is.
        (0..below(300_000)).for_each(|_| hint::spin_loop());
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said before it died counts as well; a line that breaks off was not said.
        lines.for_each(|line| {
            read_acknowledgement(&line, &mut latest, &mut acknowledged);
        });

        let key = KeySource::File(place.path().join("key.txt"));
        let store = DirectoryStore::open_with(place.path().join("store"), &key).unwrap();
        let latest = latest.expect("one at least was read");
        for key in KEYS {
            let expected = (0..=latest).rev().find(|number| key_of(*number) == key);
            let found = value(&store, key).map(|value| number_in(&value));
            let in_flight = (key_of(latest + 1) == key).then_some(latest + 1);
            assert!(found == expected || found.is_some() && found == in_flight, "{key}: {found:?}, {latest}");
        }
        assert_eq!(store.hidden().unwrap(), 0);
    }
}

fn read_acknowledgement(line: &str, latest: &mut Option<u64>, acknowledged: &mut u64) -> bool {
    // Before the first one stands what the test harness says.
    let Some((_, number)) = line.split_once("acknowledged ") else { return false };
    let number = number.parse().unwrap();
    // A write in flight when its child was killed may have been made without a word.
    assert!(latest.is_none_or(|latest| number == latest + 1 || number == latest + 2), "{latest:?}, {number}");
    *latest = Some(number);
    *acknowledged += 1;
    true
}
