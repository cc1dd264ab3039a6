//! Processes that share a store: this program again, to run one of its tests.

use std::{
    env,
    io::{BufRead, BufReader, Write, stdin, stdout},
    process::{Child, Command, Stdio},
};

use super::*;

/// For the child: the folder that the store and its key are in.
const PLACE: &str = "GCF_TEST_PLACE";
/// The mark before the child's lines, as the test harness prints lines, too.
const MARK: &str = "child: ";

/// Starts the ignored test with this path below `tests`.
pub(super) fn start(test: &str, place: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", &format!("secrets::directory::tests::{test}"), "--ignored", "--nocapture"])
        .env(PLACE, place)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// In the parent: the lines of the child. A line that breaks off does not count.
pub(super) fn heard(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    std::iter::from_fn(move || {
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let line = line.strip_suffix('\n')?;
            if let Some((_, said)) = line.split_once(MARK) {
                return Some(said.to_owned());
            }
        }
    })
}

/// In the child: says something to the parent.
pub(super) fn say(text: impl std::fmt::Display) {
    writeln!(stdout(), "{MARK}{text}").unwrap();
}

/// In the child: the place of the store.
pub(super) fn place() -> PathBuf {
    env::var_os(PLACE).expect("it is a parent that runs this").into()
}

pub(super) fn open(place: &Path, clock: Arc<dyn Clock>) -> DirectoryStore {
    let key = KeySource::File(place.join("key.txt"));
    DirectoryStore::open_with_clock(place.join("store"), &key, clock).unwrap()
}

#[test]
#[ignore = "runs as a child of `processes_that_race_lose_no_update`"]
fn racing_process() {
    let store = open(&place(), Arc::new(SystemClock::default()));
    say("ready");
    // All begin when the last one is ready.
    stdin().read_line(&mut String::new()).unwrap();
    contract::count_up(&store);
}

#[test]
fn processes_that_race_lose_no_update() {
    const CHILDREN: u32 = 4;
    let folder = TempDir::new().unwrap();
    let mut children: Vec<_> =
        (0..CHILDREN).map(|_| start("processes::racing_process", folder.path())).collect();
    // The harness of a child that cannot write to its stdout any more would fail it.
    let mut heard: Vec<_> = children.iter_mut().map(heard).collect();
    for heard in &mut heard {
        assert_eq!(heard.next().as_deref(), Some("ready"));
    }
    for child in &mut children {
        child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    }
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let store = open(folder.path(), Arc::new(SystemClock::default()));
    assert_eq!(value(&store, "counter"), Some((contract::COUNTS * CHILDREN).to_string()));
}

const GRANTED: u64 = 1_000;
const TTL: Duration = Duration::from_secs(30);

#[test]
#[ignore = "runs as the child of `the_lease_of_a_killed_process_ends_by_its_time_limit`"]
fn lease_holder() {
    let clock = Arc::new(ManualClock::default());
    clock.set(GRANTED);
    let store = open(&place(), clock);
    assert!(matches!(store.acquire_lease("tokens/a", TTL).unwrap(), Lease::Granted(_)));
    say("granted");
    // For ever: the parent keeps the other end until this has been killed.
    stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn the_lease_of_a_killed_process_ends_by_its_time_limit() {
    let folder = TempDir::new().unwrap();
    let mut child = start("processes::lease_holder", folder.path());
    assert_eq!(heard(&mut child).next().as_deref(), Some("granted"));
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());

    let clock = Arc::new(ManualClock::default());
    let store = open(folder.path(), clock.clone());
    clock.set(GRANTED + 29);
    assert_eq!(store.acquire_lease("tokens/a", TTL).unwrap(), Lease::Held(Duration::from_secs(1)));
    clock.set(GRANTED + 30);
    assert!(matches!(store.acquire_lease("tokens/a", TTL).unwrap(), Lease::Granted(_)));
}
