//! The contract of every writable store, tested in one place.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use super::{Expected, Lease, MAX_LEASE, SecretStore, StoreError, StoreQuota, sign_with_pem};
use crate::clock::Clock;

/// A value that must not be printed anywhere.
pub(super) const CANARY: &str = "canary-3f9c";

/// A clock that moves when it is told to.
#[derive(Debug, Default)]
pub(super) struct ManualClock(AtomicU64);

impl ManualClock {
    pub(super) fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::SeqCst);
    }

    fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

/// The private key of the demo credential.
pub(super) fn demo_key() -> String {
    let json = include_str!("../../../tests/fixtures/demo-key.json");
    let json: serde_json::Value = serde_json::from_str(json).unwrap();
    json["private_key"].as_str().unwrap().to_owned()
}

/// Checks everything that one caller can see. `store` is empty, and its time is that of `clock`.
pub(super) fn check(store: &dyn SecretStore, clock: &ManualClock) {
    compare_and_set(store);
    keys(store);
    limits(store);
    leases(store, clock);
    signing(store);
    store.put("credentials/canary", CANARY, &Expected::Anything).unwrap();
    assert!(!format!("{store:?} {:#?}", store.get("credentials/canary")).contains(CANARY));
}

/// Checks that a full store says so, and goes on with its entries. `make` makes an empty one.
pub(super) fn check_quota<S: SecretStore>(make: impl Fn(StoreQuota) -> (S, std::sync::Arc<ManualClock>)) {
    let few = StoreQuota { entries: 2, bytes: 1 << 20, leases: 2 };
    let is_full =
        |error: StoreError| matches!(&error, StoreError::Other(why) if why.message.contains("full"));

    let (store, clock) = make(few);
    let put = |key: &str, value: &str| store.put(key, value, &Expected::Anything);
    put("a/1", "x").unwrap();
    put("a/2", "x").unwrap();
    assert!(is_full(put("a/3", "x").unwrap_err()));
    assert!(is_full(store.put("a/3", "x", &Expected::Absent).unwrap_err()));
    put("a/2", "y").unwrap();
    store.delete("a/1", &Expected::Anything).unwrap();
    put("a/3", "x").unwrap();
    assert_eq!(store.keys("").unwrap(), ["a/2", "a/3"]);

    let lease = |name: &str| store.acquire_lease(name, Duration::from_secs(10));
    let Ok(Lease::Granted(token)) = lease("l/1") else { panic!("there is room") };
    assert!(matches!(lease("l/2"), Ok(Lease::Granted(_))));
    assert!(is_full(lease("l/3").unwrap_err()));
    assert!(matches!(lease("l/1"), Ok(Lease::Held(_))));
    store.release_lease("l/1", &token).unwrap();
    assert!(matches!(lease("l/3"), Ok(Lease::Granted(_))));
    // Nobody gave these two back.
    clock.advance(11);
    assert!(matches!(lease("l/4"), Ok(Lease::Granted(_))));

    let (store, _) = make(StoreQuota { entries: 100, ..few });
    let value = "x".repeat(60 << 10);
    let written =
        (0..20).take_while(|n| store.put(&format!("a/{n}"), &value, &Expected::Anything).is_ok()).count();
    assert!((13..=17).contains(&written), "{written} values of 60 KiB in 1 MiB");
    assert!(is_full(store.put("b", &value, &Expected::Anything).unwrap_err()));
    // In the place of another one, and after another one.
    store.put("a/0", &value, &Expected::Anything).unwrap();
    store.delete("a/0", &Expected::Anything).unwrap();
    store.put("b", &value, &Expected::Anything).unwrap();
}

fn compare_and_set(store: &dyn SecretStore) {
    let version = |text: &str| Expected::Version(text.to_owned());
    assert_eq!(store.get("a/1").unwrap(), None);
    assert_eq!(store.put("a/1", "x", &version("1")), Err(StoreError::VersionMismatch));
    let first = store.put("a/1", "one", &Expected::Absent).unwrap();
    assert_eq!(store.put("a/1", "x", &Expected::Absent), Err(StoreError::VersionMismatch));
    let entry = store.get("a/1").unwrap().unwrap();
    assert_eq!((entry.value.as_str(), &entry.version), ("one", &first));

    // The same value again is a new version all the same.
    let second = store.put("a/1", "one", &version(&first)).unwrap();
    assert_ne!(first, second);
    assert_eq!(store.put("a/1", "x", &version(&first)), Err(StoreError::VersionMismatch));
    assert_eq!(store.get("a/1").unwrap().unwrap().value, "one");
    let third = store.put("a/1", "line\n\"ü\"\0", &Expected::Anything).unwrap();
    assert_eq!(store.get("a/1").unwrap().unwrap().value, "line\n\"ü\"\0");

    assert_eq!(store.delete("a/1", &version(&first)), Err(StoreError::VersionMismatch));
    assert_eq!(store.delete("a/1", &Expected::Absent), Err(StoreError::VersionMismatch));
    store.delete("a/1", &version(&third)).unwrap();
    assert_eq!(store.get("a/1").unwrap(), None);
    store.delete("a/1", &Expected::Anything).unwrap();
    store.delete("a/1", &Expected::Absent).unwrap();
    assert_eq!(store.delete("a/1", &version(&third)), Err(StoreError::VersionMismatch));

    let again = store.put("a/1", "one", &Expected::Absent).unwrap();
    assert!(![first, second, third].contains(&again), "a version came back after a delete");
    store.delete("a/1", &Expected::Anything).unwrap();
}

fn keys(store: &dyn SecretStore) {
    let long = format!("tokens/{}", "/".repeat(249));
    let all = [".", "..", "../../x", "a", "a.", "a/b", "ab", "tokens/..", &long];
    for key in all.iter().rev() {
        store.put(key, key, &Expected::Absent).unwrap();
    }
    for key in all {
        assert_eq!(store.get(key).unwrap().unwrap().value, key);
    }
    assert_eq!(store.keys("").unwrap(), all);
    assert_eq!(store.keys("a").unwrap(), ["a", "a.", "a/b", "ab"]);
    assert_eq!(store.keys("a/").unwrap(), ["a/b"]);
    assert_eq!(store.keys("tokens/").unwrap(), ["tokens/..", long.as_str()]);
    assert_eq!(store.keys("z").unwrap(), [""; 0]);
    for key in all {
        store.delete(key, &Expected::Anything).unwrap();
    }
    assert_eq!(store.keys("").unwrap(), [""; 0]);
}

fn limits(store: &dyn SecretStore) {
    for key in ["", "A", "a b", "a\\..\\b", "a%2fb", "a\0", &"a".repeat(257)] {
        assert!(matches!(store.get(key), Err(StoreError::Other(_))), "{key}");
        assert!(matches!(store.put(key, "", &Expected::Anything), Err(StoreError::Other(_))), "{key}");
        assert!(matches!(store.delete(key, &Expected::Anything), Err(StoreError::Other(_))), "{key}");
        assert!(matches!(store.acquire_lease(key, MAX_LEASE), Err(StoreError::Other(_))), "{key}");
    }
    assert!(matches!(store.keys("A"), Err(StoreError::Other(_))));
    let largest = "v".repeat(64 * 1024);
    store.put("large", &largest, &Expected::Anything).unwrap();
    assert_eq!(store.get("large").unwrap().unwrap().value, largest);
    assert!(matches!(store.put("large", &(largest + "v"), &Expected::Anything), Err(StoreError::Other(_))));
    store.delete("large", &Expected::Anything).unwrap();
}

fn leases(store: &dyn SecretStore, clock: &ManualClock) {
    let granted = |ttl| match store.acquire_lease("tokens/a", ttl).unwrap() {
        Lease::Granted(token) => token,
        Lease::Held(rest) => panic!("held for {rest:?}"),
    };
    let seconds = Duration::from_secs;
    let first = granted(seconds(30));
    clock.advance(10);
    assert_eq!(store.acquire_lease("tokens/a", seconds(30)).unwrap(), Lease::Held(seconds(20)));
    assert!(matches!(store.acquire_lease("tokens/b", seconds(30)).unwrap(), Lease::Granted(_)));

    clock.advance(20);
    let second = granted(seconds(30));
    assert_ne!(first, second);
    // The one that came too late takes nothing from its successor.
    store.release_lease("tokens/a", &first).unwrap();
    assert_eq!(store.acquire_lease("tokens/a", seconds(1)).unwrap(), Lease::Held(seconds(30)));
    store.release_lease("tokens/a", &second).unwrap();
    store.release_lease("tokens/a", &second).unwrap();

    granted(Duration::MAX);
    assert_eq!(store.acquire_lease("tokens/a", seconds(1)).unwrap(), Lease::Held(MAX_LEASE));
    assert_eq!(store.keys("").unwrap(), [""; 0], "leases are not keys");
}

fn signing(store: &dyn SecretStore) {
    store.put("keys/k", &demo_key(), &Expected::Absent).unwrap();
    store.put("keys/no", "not a key", &Expected::Absent).unwrap();
    assert_eq!(store.sign("keys/k", b"m").unwrap(), sign_with_pem(&demo_key(), b"m").unwrap());
    assert!(matches!(store.sign("keys/no", b"m"), Err(StoreError::Other(_))));
    assert_eq!(store.sign("keys/missing", b"m"), Err(StoreError::Unsupported));
}

/// Checks that all of `stores`, over the same data, can count up at once.
pub(super) fn check_racing_writers(stores: &[&dyn SecretStore]) {
    thread::scope(|scope| {
        for store in stores {
            scope.spawn(move || count_up(*store));
        }
    });
    let total = stores[0].get("counter").unwrap().unwrap().value;
    assert_eq!(total, (COUNTS as usize * stores.len()).to_string());
}

/// The number of times that one writer counts.
pub(super) const COUNTS: u32 = 50;

/// Counts one number up, [`COUNTS`] times, by compare-and-set.
pub(super) fn count_up(store: &dyn SecretStore) {
    (0..COUNTS).for_each(|_| increment(store));
}

fn increment(store: &dyn SecretStore) {
    loop {
        let (number, expected) = match store.get("counter").unwrap() {
            Some(entry) => (entry.value.parse().unwrap(), Expected::Version(entry.version)),
            None => (0_u32, Expected::Absent),
        };
        match store.put("counter", &(number + 1).to_string(), &expected) {
            Ok(_) => return,
            Err(StoreError::VersionMismatch) => {}
            Err(error) => panic!("{error}"),
        }
    }
}
