//! What every store has to pass, seen from two hosts that share nothing but the place of the store.

use std::{
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use gcf_host::secrets::{Entry, Expected, Lease, SecretStore, StoreError};

/// One store, seen from two hosts.
pub(crate) struct Hosts<'a> {
    pub(crate) name: &'a str,
    pub(crate) one: &'a dyn SecretStore,
    pub(crate) two: &'a dyn SecretStore,
    /// Moves the store's clock on; where it is a server's own, which nobody moves, the callee asks until it has.
    pub(crate) pass: &'a dyn Fn(Duration),
}

/// Passes everything, on a store that is empty, and says what it took.
pub(crate) fn pass(hosts: &Hosts<'_>) {
    compare_and_set(hosts);
    names(hosts);
    sizes(hosts);
    leases(hosts);
    one_lease_for_many(hosts);
    no_update_is_lost(hosts);
    assert_eq!(hosts.one.keys("").unwrap(), [""; 0], "something is left");
}

fn compare_and_set(hosts: &Hosts<'_>) {
    let (one, two) = (hosts.one, hosts.two);
    let is = |text: &str| Expected::Version(text.to_owned());
    assert_eq!(one.get("a/1").unwrap(), None);
    assert_eq!(one.put("a/1", "x", &is("1")), Err(StoreError::VersionMismatch));
    let first = one.put("a/1", "one", &Expected::Absent).unwrap();
    assert_eq!(two.put("a/1", "x", &Expected::Absent), Err(StoreError::VersionMismatch));
    assert_eq!(two.get("a/1").unwrap(), Some(Entry { value: "one".into(), version: first.clone() }));

    // The same value again is a new version all the same.
    let second = two.put("a/1", "one", &is(&first)).unwrap();
    assert_ne!(first, second);
    assert_eq!(one.put("a/1", "x", &is(&first)), Err(StoreError::VersionMismatch));
    assert_eq!(one.get("a/1").unwrap().unwrap().value, "one");
    let strange = "line\n\"ü\" \u{1f600}\0";
    let third = one.put("a/1", strange, &Expected::Anything).unwrap();
    assert_eq!(two.get("a/1").unwrap().unwrap().value, strange);

    assert_eq!(two.delete("a/1", &is(&first)), Err(StoreError::VersionMismatch));
    assert_eq!(two.delete("a/1", &Expected::Absent), Err(StoreError::VersionMismatch));
    two.delete("a/1", &is(&third)).unwrap();
    assert_eq!(one.get("a/1").unwrap(), None);
    one.delete("a/1", &Expected::Anything).unwrap();
    one.delete("a/1", &Expected::Absent).unwrap();
    assert_eq!(one.delete("a/1", &is(&third)), Err(StoreError::VersionMismatch));
    assert_eq!(one.put("a/1", "x", &is(&third)), Err(StoreError::VersionMismatch));

    let again = two.put("a/1", "one", &Expected::Absent).unwrap();
    assert!(![first, second, third].contains(&again), "a version came back after a deletion");
    one.delete("a/1", &Expected::Anything).unwrap();
}

fn names(hosts: &Hosts<'_>) {
    let (one, two) = (hosts.one, hosts.two);
    let long = format!("tokens/{}", "/".repeat(249));
    let all = [".", "..", "../../x", "a", "a.", "a/b", "ab", "tokens/..", &long];
    for key in all.iter().rev() {
        one.put(key, key, &Expected::Absent).unwrap();
    }
    for key in all {
        assert_eq!(two.get(key).unwrap().unwrap().value, key);
    }
    assert_eq!(two.keys("").unwrap(), all);
    assert_eq!(two.keys("a").unwrap(), ["a", "a.", "a/b", "ab"]);
    assert_eq!(two.keys("a/").unwrap(), ["a/b"]);
    assert_eq!(two.keys("tokens/").unwrap(), ["tokens/..", long.as_str()]);
    assert_eq!(two.keys("z").unwrap(), [""; 0]);
    for key in all {
        two.delete(key, &Expected::Anything).unwrap();
    }
    assert_eq!(one.keys("").unwrap(), [""; 0]);

    for key in ["", "A", "a b", "a\\..\\b", "a%2fb", "a\0", &"a".repeat(257)] {
        assert!(matches!(one.get(key), Err(StoreError::Other(_))), "{key}");
        assert!(matches!(one.put(key, "", &Expected::Anything), Err(StoreError::Other(_))), "{key}");
        assert!(matches!(one.delete(key, &Expected::Anything), Err(StoreError::Other(_))), "{key}");
        assert!(matches!(one.acquire_lease(key, LONG), Err(StoreError::Other(_))), "{key}");
    }
    assert!(matches!(one.keys("A"), Err(StoreError::Other(_))));
}

fn sizes(hosts: &Hosts<'_>) {
    // The second takes six characters each in JSON.
    for character in ["v", "\u{1}"] {
        let largest = character.repeat(64 * 1024);
        hosts.one.put("large", &largest, &Expected::Anything).unwrap();
        assert_eq!(hosts.two.get("large").unwrap().unwrap().value, largest);
        let larger = largest + "v";
        assert!(matches!(hosts.one.put("large", &larger, &Expected::Anything), Err(StoreError::Other(_))));
    }
    hosts.one.put("large", "", &Expected::Anything).unwrap();
    assert_eq!(hosts.two.get("large").unwrap().unwrap().value, "");
    hosts.one.delete("large", &Expected::Anything).unwrap();
}

fn leases(hosts: &Hosts<'_>) {
    let (one, two) = (hosts.one, hosts.two);
    let Lease::Granted(first) = one.acquire_lease("tokens/a", SHORT).unwrap() else { panic!("it is free") };
    let Lease::Held(rest) = two.acquire_lease("tokens/a", SHORT).unwrap() else { panic!("it is taken") };
    assert!(rest > Duration::ZERO && rest <= SHORT, "{rest:?}");
    let Lease::Granted(other) = two.acquire_lease("tokens/b", LONG).unwrap() else { panic!("it is free") };
    assert!(matches!(one.acquire_lease("tokens/b", LONG), Ok(Lease::Held(_))));
    two.release_lease("tokens/b", &first).unwrap();
    assert!(matches!(one.acquire_lease("tokens/b", LONG), Ok(Lease::Held(_))), "another token ended it");
    one.release_lease("tokens/b", &other).unwrap();
    let Lease::Granted(again) = one.acquire_lease("tokens/b", LONG).unwrap() else {
        panic!("it was given back")
    };
    one.release_lease("tokens/b", &again).unwrap();

    // Nobody gives the first one back.
    (hosts.pass)(SHORT);
    let began = Instant::now();
    let second = loop {
        match two.acquire_lease("tokens/a", LONG).unwrap() {
            Lease::Granted(token) => break token,
            Lease::Held(_) => assert!(began.elapsed() < GRACE, "it does not end"),
        }
    };
    one.release_lease("tokens/a", &first).unwrap();
    assert!(matches!(one.acquire_lease("tokens/a", LONG), Ok(Lease::Held(_))), "an old token ended it");
    two.release_lease("tokens/a", &second).unwrap();
    one.release_lease("tokens/never", "x").unwrap();
}

fn one_lease_for_many(hosts: &Hosts<'_>) {
    let began = Instant::now();
    let (one, two) = (hosts.one, hosts.two);
    let start = &Barrier::new(ASKING);
    let granted: Vec<String> = thread::scope(|scope| {
        let ask = move |host: &'static str, store: &dyn SecretStore| {
            start.wait();
            match store.acquire_lease("tokens/many", LONG) {
                Ok(Lease::Granted(token)) => Some(token),
                Ok(Lease::Held(_)) => None,
                Err(error) => panic!("{host}: {error}"),
            }
        };
        let asking: Vec<_> = (0..ASKING)
            .map(|number| {
                scope.spawn(move || if number % 2 == 0 { ask("one", one) } else { ask("two", two) })
            })
            .collect();
        asking.into_iter().filter_map(|one| one.join().unwrap()).collect()
    });
    println!(
        "{}: {ASKING} asked for one lease, {} have it, {:?}",
        hosts.name,
        granted.len(),
        began.elapsed()
    );
    assert_eq!(granted.len(), 1);
    hosts.one.release_lease("tokens/many", &granted[0]).unwrap();
}

fn no_update_is_lost(hosts: &Hosts<'_>) {
    let began = Instant::now();
    let (one, two) = (hosts.one, hosts.two);
    let lost: u32 = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|number| scope.spawn(move || count_up(if number % 2 == 0 { one } else { two })))
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    let total = one.get("counter").unwrap().unwrap().value;
    println!(
        "{}: {WORKERS} workers on two hosts counted to {total}, {lost} attempts came too late, {:?}",
        hosts.name,
        began.elapsed()
    );
    assert_eq!(total, (WORKERS * COUNTS).to_string());
    two.delete("counter", &Expected::Anything).unwrap();
}

/// Counts one number up, [`COUNTS`] times, and returns how often somebody else was faster.
fn count_up(store: &dyn SecretStore) -> u32 {
    let mut lost = 0;
    for _ in 0..COUNTS {
        loop {
            let (number, expected) = match store.get("counter").unwrap() {
                Some(entry) => (entry.value.parse().unwrap(), Expected::Version(entry.version)),
                None => (0_u32, Expected::Absent),
            };
            match store.put("counter", &(number + 1).to_string(), &expected) {
                Ok(_) => break,
                Err(StoreError::VersionMismatch) => lost += 1,
                Err(error) => panic!("{error}"),
            }
        }
    }
    lost
}

/// Checks a store whose server stops and starts again: it says so, and goes on without a new start of its own.
pub(crate) fn outlives_its_server(store: &dyn SecretStore, stop: impl FnOnce(), start: impl FnOnce()) {
    store.put("a", "before", &Expected::Anything).unwrap();
    stop();
    let began = Instant::now();
    let unavailable = |error: StoreError| matches!(error, StoreError::Unavailable(_));
    assert!(unavailable(store.get("a").unwrap_err()));
    assert!(unavailable(store.put("a", "x", &Expected::Anything).unwrap_err()));
    assert!(unavailable(store.keys("").unwrap_err()));
    assert!(unavailable(store.acquire_lease("a", LONG).unwrap_err()));
    assert!(began.elapsed() < GRACE, "a server that is not there takes {:?}", began.elapsed());
    start();
    assert_eq!(store.get("a").unwrap().unwrap().value, "before");
    store.delete("a", &Expected::Anything).unwrap();
}

/// Checks a store whose server takes a connection and says nothing.
pub(crate) fn keeps_its_time(store: &dyn SecretStore) {
    let began = Instant::now();
    assert!(matches!(store.get("a"), Err(StoreError::Unavailable(_))));
    assert!(began.elapsed() < GRACE, "{:?}", began.elapsed());
}

const WORKERS: u32 = 8;
const COUNTS: u32 = 25;
const ASKING: usize = 16;
const SHORT: Duration = Duration::from_millis(1500);
const LONG: Duration = Duration::from_secs(60);
/// The time after which something that should have ended never does.
const GRACE: Duration = Duration::from_secs(20);
