//! The store on a folder of this machine. The same tests run against the component: `tests/stores/run.sh files`.

use std::{
    fs,
    io::ErrorKind,
    path::Path,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use gcf_store::{
    contract::{Expected, Lease, Store, StoreError},
    http::{HttpFailure, Request, Response},
    name::{Key, Prefix, Value},
    settings::Settings,
    world::World,
};

use crate::{
    files::Files,
    versions::{Added, Versions},
};

/// A world whose time does not pass, and whose random numbers are those of the machine: writers share a folder.
struct Here(Duration);

impl World for Here {
    fn now(&self) -> Duration {
        self.0
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        use std::hash::{BuildHasher as _, RandomState};
        std::array::from_fn(|_| RandomState::new().hash_one(0).to_le_bytes()[0])
    }

    fn send_all(&self, requests: &[Request]) -> Vec<Result<Response, HttpFailure>> {
        requests.iter().map(|_| Err(HttpFailure::Denied)).collect()
    }
}

const NOW: Duration = Duration::from_secs(1_700_000_000);
const KEY: (&str, &str) = ("GCF_STORE_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");

/// The time of the files that a test writes.
fn today() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

fn store(folder: &Path, now: Duration) -> Files<Here> {
    let folder = ("GCF_FILES_DIR", folder.to_str().unwrap());
    Files::open(Here(now), &Settings::of(&[folder, KEY])).unwrap()
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

fn value(text: &str) -> Value<'_> {
    Value::parse(text).unwrap()
}

fn put(store: &Files<Here>, name: &str, text: &str, expected: &Expected) -> Result<String, StoreError> {
    store.put(&key(name), &value(text), expected)
}

#[test]
fn every_key_has_a_folder_of_its_own_and_none_lies_outside() {
    let folder = tempfile::tempdir().unwrap();
    let outside = folder.path().join("outside");
    fs::write(&outside, "").unwrap();
    let store = store(&folder.path().join("store"), NOW);
    let long = "/".repeat(256);
    let all = [".", "..", "../../outside", "a", "a.", "a/b", "ab", "/", "a~".trim_end_matches('~'), &long];
    for name in all {
        put(&store, name, name, &Expected::Anything).unwrap();
    }
    for name in all {
        assert_eq!(store.get(&key(name)).unwrap().unwrap().value, name);
    }
    let mut sorted = all.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(store.keys(&Prefix::parse("").unwrap()).unwrap(), sorted);
    assert_eq!(store.keys(&Prefix::parse("a/").unwrap()).unwrap(), ["a/b"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn nothing_on_the_disk_shows_a_value() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), NOW);
    put(&store, "tokens/a", "canary-3f9c", &Expected::Anything).unwrap();
    let file = folder.path().join("entries/t/okens+a/1");
    let bytes = fs::read(file).unwrap();
    assert!(!bytes.windows(6).any(|part| part == b"canary"));
}

#[test]
fn racing_writers_lose_no_update() {
    let folder = tempfile::tempdir().unwrap();
    let count_up = || {
        let store = store(folder.path(), today());
        for _ in 0..25 {
            loop {
                let entry = store.get(&key("counter")).unwrap();
                let (number, expected) = entry.map_or((0, Expected::Absent), |entry| {
                    (entry.value.parse::<u32>().unwrap(), Expected::Version(entry.version))
                });
                match put(&store, "counter", &(number + 1).to_string(), &expected) {
                    Ok(_) => break,
                    Err(StoreError::VersionMismatch) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(count_up);
        }
    });
    let store = store(folder.path(), NOW);
    assert_eq!(store.get(&key("counter")).unwrap().unwrap().value, "200");
    assert_eq!(fs::read_dir(folder.path().join("unfinished")).unwrap().count(), 0);
}

#[test]
fn a_writer_from_the_past_does_not_win_where_its_number_was_removed() {
    let folder = tempfile::tempdir().unwrap();
    let versions = Versions::of(folder.path().join("key"));
    let late = Duration::from_secs(4_000_000_000);
    let add = |after| versions.add(after, b"x", &folder.path().join("fresh"), late);
    for number in 0..5 {
        assert_eq!(add(number).unwrap(), Added::Done(number + 1));
    }
    // Only the last one is left, so the second number is free again.
    assert_eq!(fs::read_dir(folder.path().join("key")).unwrap().count(), 1);
    assert_eq!(add(1).unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(versions.latest(1).unwrap().unwrap().number, 5);
    assert_eq!(add(4).unwrap(), Added::Lost);
    assert_eq!(add(5).unwrap(), Added::Done(6));
}

#[test]
fn old_versions_stay_for_a_minute() {
    let folder = tempfile::tempdir().unwrap();
    let versions = Versions::of(folder.path().join("key"));
    let now = today();
    for number in 0..5 {
        versions.add(number, b"x", &folder.path().join("fresh"), now).unwrap();
    }
    assert_eq!(fs::read_dir(folder.path().join("key")).unwrap().count(), 5);
    versions.add(5, b"x", &folder.path().join("fresh"), now + Duration::from_secs(61)).unwrap();
    assert_eq!(fs::read_dir(folder.path().join("key")).unwrap().count(), 1);
}

#[test]
fn what_a_stopped_writer_left_is_removed_after_a_minute() {
    let folder = tempfile::tempdir().unwrap();
    let unfinished = folder.path().join("unfinished");
    fs::create_dir(&unfinished).unwrap();
    fs::write(unfinished.join("half"), "x").unwrap();
    put(&store(folder.path(), today()), "a", "x", &Expected::Absent).unwrap();
    assert!(unfinished.join("half").exists());
    put(&store(folder.path(), today() + Duration::from_secs(61)), "b", "x", &Expected::Absent).unwrap();
    assert!(!unfinished.join("half").exists());
}

#[test]
fn a_deleted_key_is_absent_and_its_versions_do_not_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), NOW);
    let version = |text: &str| Expected::Version(text.to_owned());
    let first = put(&store, "a", "x", &Expected::Absent).unwrap();
    assert_eq!(put(&store, "a", "x", &Expected::Absent), Err(StoreError::VersionMismatch));
    store.delete(&key("a"), &version(&first)).unwrap();
    assert_eq!(store.get(&key("a")), Ok(None));
    assert_eq!(store.keys(&Prefix::parse("").unwrap()).unwrap(), [""; 0]);
    // The number of the deletion is no version of an entry.
    assert_eq!(put(&store, "a", "x", &version("2")), Err(StoreError::VersionMismatch));
    assert_eq!(store.delete(&key("a"), &version(&first)), Err(StoreError::VersionMismatch));
    assert_eq!(store.delete(&key("a"), &Expected::Anything), Ok(()));
    assert_eq!(put(&store, "a", "y", &Expected::Absent).unwrap(), "3");
}

#[test]
fn a_lease_ends_by_the_clock_or_when_it_is_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let at = |seconds| store(folder.path(), NOW + Duration::from_secs(seconds));
    let ttl = Duration::from_secs(30);
    let acquire = |seconds| at(seconds).acquire_lease(&key("l"), ttl).unwrap();
    let Lease::Granted(first) = acquire(0) else { panic!() };
    assert_eq!(acquire(10), Lease::Held(Duration::from_secs(20)));
    let Lease::Granted(second) = acquire(30) else { panic!() };
    assert_ne!(first, second);
    at(31).release_lease(&key("l"), &first).unwrap();
    assert!(matches!(acquire(31), Lease::Held(_)));
    at(31).release_lease(&key("l"), &second).unwrap();
    assert!(matches!(acquire(31), Lease::Granted(_)));
    at(31).release_lease(&key("never"), "x").unwrap();
}

#[test]
fn what_is_none_of_ours_is_told_and_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), NOW);
    put(&store, "a", "x", &Expected::Anything).unwrap();
    let entries = folder.path().join("entries");
    fs::write(entries.join("stray"), "").unwrap();
    fs::create_dir(entries.join("a/B")).unwrap();
    fs::write(entries.join("a/~/01"), "").unwrap();
    fs::write(entries.join("a/~/notes"), "").unwrap();
    assert_eq!(store.keys(&Prefix::parse("").unwrap()).unwrap(), ["a"]);
    assert_eq!(store.get(&key("a")).unwrap().unwrap().value, "x");
    fs::write(entries.join("a/~/2"), "x".repeat(1 << 20)).unwrap();
    assert!(matches!(store.get(&key("a")), Err(StoreError::Other(_))));
    fs::write(entries.join("a/~/2"), b"\x02clear").unwrap();
    assert!(matches!(store.get(&key("a")), Err(StoreError::Other(_))));
}
