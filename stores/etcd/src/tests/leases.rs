//! Leases of etcd: who has one, for how long, and by which name.

use std::time::Duration;

use gcf_store::{
    contract::{Lease, Store as _, StoreError},
    testing::Scripted,
};

use super::{CLEAR, NOTHING, etcd, key};
use crate::{
    etcd::{Etcd, lease_id},
    gateway::encode,
};

/// The name of a lease where the bytes of chance are all 7.
const LEASE: i64 = 0x0707_0707_0707_0707;

#[test]
fn a_lease_that_somebody_has_costs_one_request_and_one_that_is_lost_in_a_race_is_given_back() {
    let taken =
        r#"{"header":{"revision":"3"},"kvs":[{"key":"Z2NmL2xlYXNlcy9h","mod_revision":"3","value":"e30="}]}"#;
    let world = Scripted::answers(&[(200, taken)]);
    let store = etcd(&world, &[CLEAR]).unwrap();
    let acquire = |store: &Etcd<_>| store.acquire_lease(&key("a"), Duration::from_millis(1500));
    assert!(matches!(acquire(&store), Ok(Lease::Held(_))));
    assert_eq!(world.requests().len(), 1);

    let id = format!(r#""ID":"{LEASE}""#);
    let granted = format!(r#"{{{id},"TTL":"2"}}"#);
    let world = Scripted::answers(&[
        (200, r#"{"header":{"revision":"3"}}"#),
        (200, &granted),
        (200, r#"{"header":{"revision":"3"}}"#),
        (200, "{}"),
        (200, taken),
    ]);
    let store = etcd(&world, &[CLEAR]).unwrap();
    assert!(matches!(acquire(&store), Ok(Lease::Held(_))));
    let paths: Vec<_> = world.requests().into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["/v3/kv/range", "/v3/lease/grant", "/v3/kv/txn", "/v3/lease/revoke", "/v3/kv/range"]);
    // Rounded up: etcd knows whole seconds.
    assert!(world.requests()[1].1.contains(r#""TTL":"2""#));
    assert!(world.requests()[3].1.contains(&id));
}

#[test]
fn the_token_of_a_lease_is_random_and_what_etcd_is_told_to_call_it() {
    let written = (200, r#"{"header":{"revision":"4"},"succeeded":true}"#);
    let granted = format!(r#"{{"ID":"{LEASE}","TTL":"2"}}"#);
    let other = r#"{"ID":"77","TTL":"2"}"#;
    let world = Scripted::answers(&[NOTHING, (200, &granted), written, NOTHING, (200, other)]);
    let store = etcd(&world, &[CLEAR]).unwrap();
    let acquire = || store.acquire_lease(&key("a"), Duration::from_millis(1500));
    assert_eq!(acquire(), Ok(Lease::Granted(LEASE.to_string())));
    let bodies: Vec<serde_json::Value> =
        world.requests().iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect();
    assert_eq!(bodies[1]["ID"], LEASE.to_string());
    assert_eq!(bodies[2]["success"][0]["requestPut"]["lease"], LEASE.to_string());
    // A lease of a name that etcd gave could be somebody else's.
    assert!(matches!(acquire(), Err(StoreError::Other(_))));
    // etcd counts in 63 bits, and chooses itself where it is told 0.
    assert_eq!(lease_id([0xff; 8]), i64::MAX);
    assert_eq!(lease_id([0; 8]), 1);
    assert_eq!(lease_id([0x80, 0, 0, 0, 0, 0, 0, 0]), 1);
}

#[test]
fn a_lease_is_held_for_a_time_that_it_can_have_whatever_lies_there() {
    // The time of the tests' world, in milliseconds.
    let now = 1_800_000_000_000_u64;
    let (longest, minute) = (600_000, 60_000);
    let cases = [
        (lease(now, now), 1000),
        (lease(now, now + 30_000), 30_000),
        (lease(now - 29_999, now + 1), 1),
        (lease(now - 30_000, now), 1000),
        (lease(now, now - 1), 1000),
        (lease(now, u64::MAX), longest),
        (lease(now - 590_000, u64::MAX), 10_000),
        (lease(0, u64::MAX), 1000),
        // Of a host whose clock is ahead.
        (lease(now + minute, now + minute + 30_000), 30_000),
        (lease(now + minute + 1, now + minute + 30_001), 1000),
        (lease(u64::MAX, u64::MAX), 1000),
        (String::new(), 1000),
        ("{}".to_owned(), 1000),
        (r#"{"token":"t","granted":-1,"until":1e400}"#.to_owned(), 1000),
    ];
    for (kept, rest) in cases {
        let kept = encode(kept.as_bytes());
        let answer = format!(
            r#"{{"header":{{"revision":"3"}},"kvs":[{{"key":"Z2NmL2xlYXNlcy9h","mod_revision":"3","value":"{kept}"}}]}}"#
        );
        let world = Scripted::answers(&[(200, &answer)]);
        let answer = etcd(&world, &[CLEAR]).unwrap().acquire_lease(&key("a"), Duration::from_secs(30));
        assert_eq!(answer, Ok(Lease::Held(Duration::from_millis(rest))), "{kept}");
    }
}

/// A lease as it lies in etcd.
fn lease(granted: u64, until: u64) -> String {
    format!(r#"{{"token":"t","granted":{granted},"until":{until}}}"#)
}
