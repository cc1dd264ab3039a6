//! The store on a folder of this machine: that writers who share it lose nothing and leave nothing behind, whenever they
//! are stopped and however late they are, and that a folder which is missing, or which others write in too, is told as such.
//! That the component passes what every store has to is tested in two hosts: `tests/stores/run.sh files`.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write as _},
    path::Path,
    thread,
    time::{Duration, UNIX_EPOCH},
};

use gcf_store::{
    contract::{Expected, Lease, Store, StoreError},
    http::{HttpFailure, Request, Response},
    name::{Key, Prefix, Value},
    settings::Settings,
    world::World,
};

use crate::{
    files::{Files, unreadable, unwritable},
    versions::{Added, Versions, names, write_new},
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

/// Long past: what a test writes is never old, unless it says so by [`written`].
const NOW: Duration = Duration::from_secs(1_700_000_000);
const KEY: (&str, &str) = ("GCF_STORE_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");

/// Has a file or a folder be as if it had been written then.
fn written(path: &Path, then: Duration) {
    File::open(path).unwrap().set_modified(UNIX_EPOCH + then).unwrap();
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
    fs::create_dir(folder.path().join("store")).unwrap();
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
        let store = store(folder.path(), NOW);
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

/// A writer of one key below a folder, whose versions are all a minute old as soon as they are written.
struct Writer<'a> {
    root: &'a Path,
    versions: Versions,
}

impl<'a> Writer<'a> {
    fn new(root: &'a Path) -> Self {
        Self { root, versions: Versions::of(root, root.join("entries/k/ey")) }
    }

    fn add(&self, after: u64) -> io::Result<Added> {
        self.versions.add(after, b"x", &self.root.join("fresh"), Duration::from_secs(4_000_000_000))
    }

    fn numbers(&self) -> Vec<String> {
        let mut names = names(&self.root.join("entries/k/ey")).unwrap();
        names.sort_unstable();
        names
    }
}

#[test]
fn a_writer_from_the_past_takes_its_number_back_and_leaves_none_to_go_on_from() {
    let folder = tempfile::tempdir().unwrap();
    let writer = Writer::new(folder.path());
    for number in 0..5 {
        assert_eq!(writer.add(number).unwrap(), Added::Done(number + 1));
    }
    // Only the last one is left, so the numbers before are free again.
    assert_eq!(writer.numbers(), ["5"]);
    assert_eq!(writer.add(0).unwrap(), Added::Lost);
    assert_eq!(writer.add(1).unwrap(), Added::Lost);
    assert_eq!(writer.numbers(), ["5"]);
    // Had the second version stayed, this would be the one after it.
    assert_eq!(writer.add(2).unwrap(), Added::Lost);
    // It could have been the fourth, and the fifth have followed.
    assert_eq!(writer.add(3).unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(writer.versions.latest(1).unwrap().unwrap().number, 5);
    assert_eq!(writer.add(4).unwrap(), Added::Lost);
    assert_eq!(writer.add(5).unwrap(), Added::Done(6));
    assert_eq!(writer.numbers(), ["6"]);
}

#[test]
fn a_writer_who_took_the_key_for_new_does_not_begin_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let writer = Writer::new(folder.path());
    writer.add(0).unwrap();
    writer.add(1).unwrap();
    // The second one follows the number that is free again, as if the first had just been written.
    assert_eq!(writer.numbers(), ["2"]);
    assert_eq!(writer.add(0).unwrap(), Added::Lost);
    assert_eq!(writer.numbers(), ["2"]);
    // Nothing of it is left elsewhere either.
    assert_eq!(names(folder.path()).unwrap(), ["entries"]);
}

#[test]
fn a_write_stands_where_tidying_up_fails() {
    let folder = tempfile::tempdir().unwrap();
    let writer = Writer::new(folder.path());
    writer.add(0).unwrap();
    let first = folder.path().join("entries/k/ey/1");
    fs::remove_file(&first).unwrap();
    fs::create_dir_all(first.join("cannot be removed as a file")).unwrap();
    assert_eq!(writer.add(1).unwrap(), Added::Done(2));
    assert_eq!(writer.numbers(), ["1", "2"]);
}

#[test]
fn nobody_can_tell_what_became_of_a_number_that_is_gone_or_cannot_be_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let writer = Writer::new(folder.path());
    writer.add(0).unwrap();
    let settle = |number| writer.versions.settle(number - 1, number, NOW);
    assert_eq!(settle(2).unwrap_err().kind(), ErrorKind::TimedOut);
    fs::remove_dir_all(folder.path().join("entries/k/ey")).unwrap();
    fs::write(folder.path().join("entries/k/ey"), "").unwrap();
    assert_eq!(settle(1).unwrap_err().kind(), ErrorKind::TimedOut);
}

#[test]
fn every_folder_that_came_with_a_key_is_made_durable() {
    let root = Path::new("/a/store");
    let versions = Versions::of(root, root.join("entries/t/okens+a"));
    let above: Vec<_> = versions.above().collect();
    assert_eq!(above, ["/a/store/entries/t", "/a/store/entries", "/a/store"].map(Path::new));
}

#[test]
fn a_folder_that_is_not_there_is_no_empty_store() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let store = store(&missing, NOW);
    let unavailable = |error| matches!(error, StoreError::Unavailable(_));
    let check = || {
        assert!(unavailable(store.get(&key("a")).unwrap_err()));
        assert!(unavailable(store.keys(&Prefix::parse("").unwrap()).unwrap_err()));
        assert!(unavailable(put(&store, "a", "x", &Expected::Anything).unwrap_err()));
        assert!(unavailable(store.delete(&key("a"), &Expected::Anything).unwrap_err()));
        assert!(unavailable(store.acquire_lease(&key("a"), Duration::from_secs(1)).unwrap_err()));
    };
    check();
    assert!(!missing.exists());
    // It works as soon as the folder is there.
    fs::create_dir(&missing).unwrap();
    put(&store, "a", "x", &Expected::Absent).unwrap();
    fs::remove_dir_all(&missing).unwrap();
    fs::write(&missing, "").unwrap();
    assert!(matches!(store.get(&key("a")), Err(StoreError::Other(_))));
}

#[test]
fn only_a_write_is_refused_as_read_only() {
    let refused = || io::Error::from(ErrorKind::PermissionDenied);
    assert_eq!(unwritable(refused()), StoreError::ReadOnly);
    assert_eq!(unwritable(ErrorKind::ReadOnlyFilesystem.into()), StoreError::ReadOnly);
    assert!(matches!(unreadable(refused()), StoreError::Other(_)));
    // Nobody may take it for a write that did not happen.
    assert!(matches!(unwritable(ErrorKind::TimedOut.into()), StoreError::Unavailable(_)));
}

#[test]
fn old_versions_stay_for_a_minute() {
    let folder = tempfile::tempdir().unwrap();
    let writer = Writer::new(folder.path());
    let add = |after, now| {
        let added = writer.versions.add(after, b"x", &folder.path().join("fresh"), now).unwrap();
        assert_eq!(added, Added::Done(after + 1));
    };
    for number in 0..5 {
        add(number, NOW);
        written(&folder.path().join(format!("entries/k/ey/{}", number + 1)), NOW);
    }
    add(5, NOW + MINUTE);
    assert_eq!(writer.numbers(), ["1", "2", "3", "4", "5", "6"]);
    add(6, NOW + MINUTE + MOMENT);
    // The successor of the fifth is as new as this test.
    assert_eq!(writer.numbers(), ["5", "6", "7"]);
}

#[test]
fn what_a_stopped_writer_left_is_removed_after_a_minute() {
    let folder = tempfile::tempdir().unwrap();
    let unfinished = folder.path().join("unfinished");
    fs::create_dir(&unfinished).unwrap();
    fs::write(unfinished.join("half"), "x").unwrap();
    fs::create_dir(unfinished.join("begun")).unwrap();
    fs::write(unfinished.join("begun/1"), "x").unwrap();
    for left in ["half", "begun"] {
        written(&unfinished.join(left), NOW);
    }
    put(&store(folder.path(), NOW + MINUTE), "a", "x", &Expected::Absent).unwrap();
    assert_eq!(fs::read_dir(&unfinished).unwrap().count(), 2);
    put(&store(folder.path(), NOW + MINUTE + MOMENT), "b", "x", &Expected::Absent).unwrap();
    assert_eq!(fs::read_dir(&unfinished).unwrap().count(), 0);
}

#[test]
fn a_write_that_fails_halfway_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fresh");
    let failed = write_new(&path, |file| {
        file.write_all(b"half")?;
        assert!(path.exists());
        Err(ErrorKind::StorageFull.into())
    });
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(names(folder.path()).unwrap(), [""; 0]);
    // One that another writer has is not ours to remove.
    write_new(&path, |file| file.write_all(b"whole")).unwrap();
    assert_eq!(write_new(&path, |_| Ok(())).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&path).unwrap(), b"whole");
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

#[test]
#[cfg(unix)]
fn a_file_that_does_not_end_is_not_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), NOW);
    put(&store, "a", "x", &Expected::Anything).unwrap();
    // Its metadata says that it is empty.
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("entries/a/~/2")).unwrap();
    assert!(matches!(store.get(&key("a")), Err(StoreError::Other(_))));
}

/// The time for which the guide (docs/guide/stores.md) says that versions stay.
const MINUTE: Duration = Duration::from_secs(60);
const MOMENT: Duration = Duration::from_nanos(1);
