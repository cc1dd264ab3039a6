//! Requests to the server, against its documentation, and the store's reading of its answers. That it takes it so is tested
//! with OpenBao itself: `tests/stores/run.sh vault`.

use std::time::Duration;

use gcf_store::{
    contract::{Entry, Expected, Lease, Result, Store, StoreError},
    http::{HttpFailure, Response},
    name::{Key, Prefix, Value},
    settings::Settings,
    testing::{Scripted, nearly_json},
};
use proptest::{prelude::*, sample};

use crate::vault::Vault;

const URL: (&str, &str) = ("GCF_VAULT_URL", "https://vault.example:8200");
const TOKEN: (&str, &str) = ("GCF_VAULT_TOKEN", "hvs.canary-3f9c");
const TRANSIT: (&str, &str) = ("GCF_VAULT_TRANSIT", "transit");

fn vault<'a>(world: &'a Scripted, more: &[(&str, &str)]) -> Result<Vault<&'a Scripted>> {
    Vault::open(world, &Settings::of(&[&[URL, TOKEN], more].concat()))
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

fn put(store: &Vault<&Scripted>, name: &str, expected: &Expected) -> Result<String> {
    store.put(&key(name), &Value::parse("x").unwrap(), expected)
}

/// As in https://openbao.org/api-docs/secret/kv/kv-v2/, shortened.
const WRITTEN: &str = r#"{"data":{"created_time":"2018-03-22T02:36:43.986212308Z","deletion_time":"","destroyed":false,"version":4}}"#;
const READ: &str = r#"{"data":{"data":{"value":"x"},"metadata":{"created_time":"2018-03-22T02:24:06.945319214Z","deletion_time":"","destroyed":false,"version":3}}}"#;
/// The answer, with status 404, where the newest version is deleted by hand.
const DELETED_BY_HAND: &str = r#"{"data":{"data":null,"metadata":{"created_time":"2018-03-22T02:24:06.945319214Z","deletion_time":"2018-03-22T02:36:43Z","destroyed":false,"version":3}}}"#;
const NOTHING: (u16, &str) = (404, r#"{"errors":[]}"#);
/// The answer of OpenBao 2.7.2 to a `cas` that is not the version.
const OTHER_VERSION: (u16, &str) =
    (400, r#"{"errors":["check-and-set parameter did not match the current version"]}"#);

#[test]
fn a_write_names_the_version_that_was_read() {
    let world = Scripted::answers(&[(200, WRITTEN)]);
    let store = vault(&world, &[("GCF_VAULT_NAMESPACE", "team/"), ("GCF_VAULT_PREFIX", "a/b")]).unwrap();
    assert_eq!(put(&store, "connections/1.2", &Expected::Version("3".into())).unwrap(), "4");
    let (path, body) = &world.requests()[0];
    assert_eq!(path, "/v1/secret/data/a/b/entries/connections+1=2");
    assert_eq!(body, r#"{"options":{"cas":3},"data":{"value":"x"}}"#);
    assert_eq!(world.header("x-vault-token").as_deref(), Some("hvs.canary-3f9c"));
    assert_eq!(world.header("x-vault-namespace").as_deref(), Some("team/"));
}

#[test]
fn a_refused_write_is_a_mismatch_only_if_another_version_is_there() {
    let world = Scripted::answers(&[OTHER_VERSION, (200, READ), (400, "{}"), (200, READ)]);
    let store = vault(&world, &[]).unwrap();
    assert_eq!(put(&store, "a", &Expected::Version("2".into())), Err(StoreError::VersionMismatch));
    // The version is that one, so the server means something else.
    assert!(matches!(put(&store, "a", &Expected::Version("3".into())), Err(StoreError::Other(_))));
    for version in ["0", "", "-1", "+3", "03", "x"] {
        assert_eq!(put(&store, "a", &Expected::Version(version.into())), Err(StoreError::VersionMismatch));
    }
    assert_eq!(world.requests().len(), 4);
}

#[test]
fn a_deleted_entry_is_absent_and_may_be_written_anew() {
    for (status, answer) in [(200, READ.replace(r#"{"value":"x"}"#, "{}")), (404, DELETED_BY_HAND.to_owned())]
    {
        let world = Scripted::answers(&[
            (status, &answer),
            OTHER_VERSION,
            (status, &answer),
            (status, &answer),
            (200, WRITTEN),
        ]);
        let store = vault(&world, &[]).unwrap();
        assert_eq!(store.get(&key("a")), Ok(None));
        assert_eq!(put(&store, "a", &Expected::Absent).unwrap(), "4");
        assert_eq!(world.requests()[1].1, r#"{"options":{"cas":0},"data":{"value":"x"}}"#);
        assert_eq!(world.requests()[4].1, r#"{"options":{"cas":3},"data":{"value":"x"}}"#);
    }
}

#[test]
fn a_deletion_replaces_the_version_that_was_read_and_destroys_those_before() {
    let world = Scripted::answers(&[(200, READ), (200, WRITTEN), (204, "")]);
    let store = vault(&world, &[]).unwrap();
    store.delete(&key("a"), &Expected::Version("3".into())).unwrap();
    let requests = world.requests();
    assert_eq!(requests[1].1, r#"{"options":{"cas":3},"data":{}}"#);
    assert_eq!(requests[2], ("/v1/secret/destroy/gcf/entries/a".into(), r#"{"versions":[1,2,3]}"#.into()));

    let world = Scripted::answers(&[(200, READ), NOTHING, (200, READ), NOTHING]);
    let store = vault(&world, &[]).unwrap();
    assert_eq!(store.delete(&key("a"), &Expected::Version("2".into())), Err(StoreError::VersionMismatch));
    assert_eq!(store.delete(&key("a"), &Expected::Version("3".into())), Err(StoreError::VersionMismatch));
    assert_eq!(store.delete(&key("a"), &Expected::Absent), Err(StoreError::VersionMismatch));
    assert_eq!(store.delete(&key("a"), &Expected::Anything), Ok(()));
    assert_eq!(world.requests().len(), 4, "nothing was ever there");
}

#[test]
fn a_deletion_that_was_stopped_halfway_is_finished_by_the_next() {
    let deleted = READ.replace(r#"{"value":"x"}"#, "{}");
    for (status, answer) in [(200, &*deleted), (404, DELETED_BY_HAND)] {
        let world = Scripted::answers(&[(200, READ), (200, WRITTEN), (503, ""), (status, answer), (204, "")]);
        let store = vault(&world, &[]).unwrap();
        let delete = || store.delete(&key("a"), &Expected::Anything);
        assert!(matches!(delete(), Err(StoreError::Unavailable(_))));
        assert_eq!(delete(), Ok(()));
        let destroyed = ("/v1/secret/destroy/gcf/entries/a".to_owned(), r#"{"versions":[1,2,3]}"#.to_owned());
        assert_eq!(world.requests()[4], destroyed);
    }
}

#[test]
fn who_repeats_a_deletion_of_a_version_finishes_it_and_is_told_that_the_version_is_gone() {
    let deleted = READ.replace(r#"{"value":"x"}"#, "{}");
    let destroyed = ("/v1/secret/destroy/gcf/entries/a".to_owned(), r#"{"versions":[1,2]}"#.to_owned());
    let world = Scripted::answers(&[(200, &deleted), (503, ""), (200, &deleted), (204, "")]);
    let store = vault(&world, &[]).unwrap();
    let delete = || store.delete(&key("a"), &Expected::Version("2".into()));
    assert!(matches!(delete(), Err(StoreError::Unavailable(_))), "the values may still be there");
    assert_eq!(delete(), Err(StoreError::VersionMismatch));
    let requests = world.requests();
    // The deletion itself holds no value, and stays, so that whoever asks once more finds it.
    assert_eq!([&requests[1], &requests[3]], [&destroyed; 2]);
}

#[test]
fn a_deletion_of_a_version_that_is_not_the_one_destroys_nothing() {
    let ours = READ.replace(r#"{"value":"x"}"#, "{}");
    let of_others = READ.replace(r#""value""#, r#""password""#);
    for (status, answer, versions) in [
        // Whatever was deleted by hand can be brought back: https://openbao.org/api-docs/secret/kv/kv-v2/, undelete.
        (404, DELETED_BY_HAND, ["1", "2", "3", "4"]),
        // A deletion of ours, of version 2.
        (200, &*ours, ["1", "3", "4", "18446744073709551615"]),
        // Version 3 was written past us.
        (200, &*of_others, ["1", "2", "3", "4"]),
    ] {
        for version in versions {
            let world = Scripted::answers(&[(status, answer), (204, "")]);
            let deleted =
                vault(&world, &[]).unwrap().delete(&key("a"), &Expected::Version(version.to_owned()));
            assert_eq!(deleted, Err(StoreError::VersionMismatch), "{version} of {answer}");
            assert_eq!(world.requests().len(), 1, "{version} of {answer}");
        }
    }
}

#[test]
fn not_found_is_nothing_only_where_the_server_says_so() {
    let answers = [
        // What OpenBao 2.7.2 answers where nothing is mounted.
        r#"{"errors":["no handler for route \"elsewhere/data/gcf/entries/a\". route entry not found."]}"#,
        r#"{"errors":[],"warnings":["x"]}"#,
        r#"{"errors":null}"#,
        "{}",
        "[]",
        "",
        "<h1>404 Not Found</h1>",
    ];
    for answer in answers {
        let world = Scripted::answers(&[(404, answer); 4]);
        let store = vault(&world, &[]).unwrap();
        assert!(matches!(store.get(&key("a")), Err(StoreError::Other(_))), "{answer}");
        assert!(matches!(store.keys(&Prefix::parse("").unwrap()), Err(StoreError::Other(_))), "{answer}");
        assert!(store.delete(&key("a"), &Expected::Anything).is_err(), "{answer}");
        assert!(store.acquire_lease(&key("a"), Duration::from_secs(1)).is_err(), "{answer}");
    }
    // Nothing that is said with another status.
    let world = Scripted::answers(&[(200, NOTHING.1), NOTHING, NOTHING]);
    let store = vault(&world, &[]).unwrap();
    assert!(store.get(&key("a")).is_err());
    assert_eq!(store.get(&key("a")), Ok(None));
    assert_eq!(store.keys(&Prefix::parse("").unwrap()).unwrap(), [""; 0]);
}

#[test]
fn a_listing_is_no_longer_than_a_mebibyte() {
    let listing = |length: usize| {
        let frame = r#"{"data":{"keys":["B"]}}"#;
        frame.replace('B', &"B".repeat(length - frame.len() + 1))
    };
    let longest = listing(1 << 20);
    let world = Scripted::answers(&[(200, &longest), (200, &listing((1 << 20) + 1))]);
    let store = vault(&world, &[]).unwrap();
    assert_eq!(store.keys(&Prefix::parse("").unwrap()).unwrap(), [""; 0]);
    assert!(matches!(store.keys(&Prefix::parse("").unwrap()), Err(StoreError::Other(_))));
}

#[test]
fn with_transit_private_keys_are_neither_taken_nor_shown_and_sign_where_they_are() {
    // The example of https://openbao.org/api-docs/secret/transit/, with a signature of three bytes.
    let world = Scripted::answers(&[(200, r#"{"data":{"signature":"vault:v1:AQID"}}"#), (400, "{}")]);
    let store = vault(&world, &[TRANSIT]).unwrap();
    assert_eq!(store.sign(&key("keys/robot"), b"hello"), Ok(vec![1, 2, 3]));
    let (path, body) = &world.requests()[0];
    assert_eq!(path, "/v1/transit/sign/robot/sha2-256");
    assert_eq!(body, r#"{"input":"aGVsbG8=","signature_algorithm":"pkcs1v15"}"#);
    assert!(matches!(store.sign(&key("keys/other"), b""), Err(StoreError::Other(_))));
    let sent = world.requests().len();
    assert_eq!(put(&store, "keys/0123456789abcdef", &Expected::Absent), Err(StoreError::ReadOnly));
    assert_eq!(store.get(&key("keys/robot")), Ok(None));
    assert_eq!(store.delete(&key("keys/robot"), &Expected::Anything), Ok(()));
    for name in ["keys/../a", "keys/a/b", "keys/..", "keys/"] {
        assert!(store.sign(&key(name), b"").is_err(), "{name}");
    }
    assert_eq!(store.sign(&key("tokens/robot"), b""), Err(StoreError::Unsupported));
    assert_eq!(world.requests().len(), sent);
}

#[test]
fn without_transit_a_key_is_an_entry_and_the_store_does_not_sign() {
    let world = Scripted::answers(&[(200, READ)]);
    let store = vault(&world, &[]).unwrap();
    assert_eq!(store.get(&key("keys/robot")), Ok(Some(Entry { value: "x".into(), version: "3".into() })));
    assert_eq!(store.sign(&key("keys/robot"), b""), Err(StoreError::Unsupported));
}

#[test]
fn a_listing_leaves_out_what_is_deleted_or_none_of_ours() {
    let names = r#"{"data":{"keys":["tokens+b","folder/","tokens+a","B","status+a","keys+x"]}}"#;
    let gone = READ.replace(r#"{"value":"x"}"#, "{}");
    let world = Scripted::answers(&[
        (200, names),
        (200, READ),
        (200, &gone),
        NOTHING,
        (200, names),
        (200, READ),
        (200, READ),
    ]);
    let store = vault(&world, &[TRANSIT]).unwrap();
    assert_eq!(store.keys(&Prefix::parse("t").unwrap()).unwrap(), ["tokens/a"]);
    assert_eq!(store.keys(&Prefix::parse("").unwrap()).unwrap(), [""; 0]);
    assert_eq!(store.keys(&Prefix::parse("t").unwrap()).unwrap(), ["tokens/a", "tokens/b"]);
}

#[test]
fn a_lease_is_taken_over_when_it_has_ended_and_by_one_only() {
    let lease = |granted: u64, until: u64| {
        let json = format!(r#"{{\"token\":\"t\",\"granted\":{granted},\"until\":{until}}}"#);
        READ.replace(r#""x""#, &format!("\"{json}\""))
    };
    let now = 1_800_000_000_000;
    let (held, ended) = (lease(now - 1, now + 900), lease(now - 9, now));
    let world = Scripted::answers(&[
        (200, &held),
        // Another one was faster.
        (200, &ended),
        OTHER_VERSION,
        NOTHING,
        (200, &held),
        (200, &ended),
        (200, WRITTEN),
    ]);
    let store = vault(&world, &[]).unwrap();
    let acquire = || store.acquire_lease(&key("l"), Duration::from_secs(1)).unwrap();
    assert_eq!(acquire(), Lease::Held(Duration::from_millis(900)));
    assert_eq!(acquire(), Lease::Held(Duration::from_millis(900)));
    assert!(matches!(acquire(), Lease::Granted(_)));
    assert_eq!(world.requests()[5].0, "/v1/secret/data/gcf/leases/l");
}

#[test]
fn settings_are_needed_and_their_secrets_are_not_repeated() {
    let world = Scripted::default();
    assert!(Vault::open(&world, &Settings::of(&[URL])).is_err());
    assert!(Vault::open(&world, &Settings::of(&[TOKEN])).is_err());
    let token = ("GCF_VAULT_TOKEN", "hunter2\r\nx-other: y");
    let Err(StoreError::Other(why)) = Vault::open(&world, &Settings::of(&[URL, token])) else { panic!() };
    assert!(!why.contains("hunter2"));
    assert!(vault(&world, &[("GCF_VAULT_TRANSIT", "../sys")]).is_err());
    assert!(vault(&world, &[("GCF_VAULT_MOUNT", "a?b")]).is_err());
}

#[test]
fn a_server_that_cannot_answer_is_unavailable_and_a_refusal_is_not() {
    let of = |outcome| {
        let world = Scripted::outcomes([outcome].into_iter());
        vault(&world, &[]).unwrap().get(&key("a")).unwrap_err()
    };
    assert!(matches!(of(Err(HttpFailure::Unreachable)), StoreError::Unavailable(_)));
    assert!(matches!(of(Err(HttpFailure::Denied)), StoreError::Other(_)));
    let answer = |status, body: &str| Ok(Response { status, body: body.into() });
    // 503 is a sealed server, 429 and 473 are standbys: https://openbao.org/api-docs/system/health/.
    for status in [429, 472, 473, 500, 503] {
        assert!(matches!(of(answer(status, "")), StoreError::Unavailable(_)), "{status}");
    }
    for status in [200, 301, 400, 403] {
        let StoreError::Other(why) = of(answer(status, r#"{"errors":["hunter2"]}"#)) else {
            panic!("{status}")
        };
        assert!(!why.contains("hunter2"));
    }
    let long = READ.replace(r#""x""#, &format!("\"{}\"", "x".repeat(65_537)));
    assert!(matches!(of(answer(200, &long)), StoreError::Other(_)));
}

/// The words of the server's answers, and values that are nearly theirs.
fn nearly() -> impl Strategy<Value = String> {
    let words = ["data", "metadata", "version", "value", "keys", "signature", "errors"];
    let lease = r#""{\"token\":\"t\",\"granted\":0,\"until\":18446744073709551615}""#;
    let values = [
        "null",
        "-1",
        "1e400",
        "18446744073709551615",
        r#""vault:v1:%""#,
        r#""vault:""#,
        lease,
        r#""\ud800""#,
    ];
    nearly_json(&words, &values)
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic(bodies in prop::collection::vec((sample::select(vec![200, 204, 400, 404, 500]), nearly()), 12)) {
        let answers: Vec<_> = bodies.iter().map(|(status, body)| (*status, body.as_str())).collect();
        let world = Scripted::answers(&answers);
        let store = vault(&world, &[TRANSIT]).unwrap();
        let _ = store.get(&key("a"));
        let _ = put(&store, "a", &Expected::Absent);
        let _ = store.delete(&key("a"), &Expected::Anything);
        let _ = store.keys(&Prefix::parse("").unwrap());
        let _ = store.acquire_lease(&key("a"), Duration::MAX);
        let _ = store.release_lease(&key("a"), "t");
        let _ = store.sign(&key("keys/a"), b"x");
    }
}
