//! Requests to etcd, against its documentation, and the store's reading of its answers. That etcd takes it so is tested
//! with etcd itself: `tests/stores/run.sh etcd`.

use std::time::Duration;

use gcf_store::{
    contract::{Entry, Expected, Lease, Result, Store, StoreError},
    http::{HttpFailure, Response},
    name::{Key, Prefix, Value},
    settings::Settings,
    testing::{Scripted, nearly_json},
};
use proptest::{prelude::*, sample};

use crate::etcd::Etcd;

const URL: (&str, &str) = ("GCF_ETCD_URL", "https://etcd.example:2379");
const CLEAR: (&str, &str) = ("GCF_STORE_UNSEALED", "yes");

fn etcd<'a>(world: &'a Scripted, more: &[(&str, &str)]) -> Result<Etcd<&'a Scripted>> {
    Etcd::open(world, &Settings::of(&[&[URL], more].concat()))
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

/// `gcf/entries/a` in Base64.
const NAME: &str = "Z2NmL2VudHJpZXMvYQ==";
const FOUND: &str = r#"{"key":"Z2NmL2VudHJpZXMvYQ==","mod_revision":"11","value":"Ang="}"#;
const NOTHING: (u16, &str) = (200, r#"{"header":{"revision":"3"}}"#);
/// The name of a lease where the bytes of chance are all 7: half of it.
const LEASE: u64 = 0x0707_0707_0707_0707 >> 1;

#[test]
fn a_write_is_a_transaction_on_the_revision_that_was_read() {
    let world =
        Scripted::answers(&[(200, r#"{"header":{"revision":"12"},"succeeded":true,"responses":[{}]}"#)]);
    let store = etcd(&world, &[CLEAR]).unwrap();
    let version = store.put(&key("a"), &Value::parse("x").unwrap(), &Expected::Version("9".into())).unwrap();
    assert_eq!(version, "12");
    let (path, body) = &world.requests()[0];
    assert_eq!(path, "/v3/kv/txn");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    // The fields of https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/; the value is `\x02x`.
    let expected = serde_json::json!({
        "compare": [{"key": NAME, "target": "MOD", "result": "EQUAL", "modRevision": "9"}],
        "success": [{"requestPut": {"key": NAME, "value": "Ang="}}],
    });
    assert_eq!(body, expected);
}

#[test]
fn a_condition_that_does_not_hold_is_a_mismatch_and_some_hold_never() {
    let answer = (200, r#"{"header":{"revision":"12"}}"#);
    let world = Scripted::answers(&[answer, answer]);
    let store = etcd(&world, &[CLEAR]).unwrap();
    let put = |expected| store.put(&key("a"), &Value::parse("x").unwrap(), &expected);
    assert_eq!(put(Expected::Absent), Err(StoreError::VersionMismatch));
    assert_eq!(store.delete(&key("a"), &Expected::Version("3".into())), Err(StoreError::VersionMismatch));
    assert_eq!(world.requests().len(), 2);
    // Revision 0 would be that of a key that does not exist.
    for version in ["0", "", "-1", "+9", "09", "x", "00", "99999999999999999999"] {
        assert_eq!(put(Expected::Version(version.into())), Err(StoreError::VersionMismatch), "{version}");
    }
    assert_eq!(world.requests().len(), 2);
}

#[test]
fn values_leave_sealed_unless_the_operator_says_otherwise() {
    let sealed = ("GCF_STORE_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    let world = Scripted::answers(&[(200, r#"{"header":{"revision":"1"},"succeeded":true}"#)]);
    assert!(etcd(&world, &[]).is_err());
    let store = etcd(&world, &[sealed]).unwrap();
    store.put(&key("a"), &Value::parse("canary-3f9c").unwrap(), &Expected::Anything).unwrap();
    let body: serde_json::Value = serde_json::from_str(&world.requests()[0].1).unwrap();
    let value = body["success"][0]["requestPut"]["value"].as_str().unwrap();
    // One byte of the form, 24 of the nonce, 16 of the tag.
    assert_eq!(value.len(), (1 + 24 + 11 + 16_usize).div_ceil(3) * 4);
    assert!(!value.contains("Y2FuYXJ5"));
}

#[test]
fn an_entry_is_read_with_the_revision_that_wrote_it() {
    let answer = r#"{"header":{"revision":"12"},"kvs":[{"key":"Z2NmL2VudHJpZXMvYQ==","create_revision":"2","mod_revision":"11","version":"3","value":"Ang="}],"count":"1"}"#;
    let elsewhere = answer.replace(NAME, "Z2NmL2VudHJpZXMvYg==");
    let two = format!(r#"{{"header":{{"revision":"12"}},"kvs":[{found},{found}]}}"#, found = FOUND);
    let world = Scripted::answers(&[
        (200, answer),
        (200, r#"{"header":{"revision":"12"}}"#),
        (200, &elsewhere),
        (200, &two),
    ]);
    let store = etcd(&world, &[CLEAR]).unwrap();
    let entry = Entry { value: "x".into(), version: "11".into() };
    assert_eq!(store.get(&key("a")), Ok(Some(entry)));
    assert_eq!(store.get(&key("a")), Ok(None));
    assert!(store.get(&key("a")).is_err(), "an answer about another key");
    assert!(store.get(&key("a")).is_err(), "an answer about two");
}

/// A page of a listing, in JSON.
fn page<K: AsRef<[u8]>>(keys: &[K], more: bool) -> String {
    let encoded = |key: &K| {
        let key = crate::gateway::encode(&[b"gcf/entries/", key.as_ref()].concat());
        format!(r#"{{"key":"{key}","mod_revision":"1"}}"#)
    };
    let kvs: Vec<_> = keys.iter().map(encoded).collect();
    format!(r#"{{"header":{{"revision":"40"}},"kvs":[{}],"more":{more}}}"#, kvs.join(","))
}

#[test]
fn a_listing_goes_on_behind_the_last_key_as_of_the_first_page() {
    // The first is no key of ours.
    let (first, second) = (page(&["t/ B", "t/a", "t/c"], true), page(&["t/d"], false));
    let world = Scripted::answers(&[(200, &first), (200, &second)]);
    let store = etcd(&world, &[CLEAR]).unwrap();
    assert_eq!(store.keys(&Prefix::parse("t/").unwrap()).unwrap(), ["t/a", "t/c", "t/d"]);
    let bodies: Vec<serde_json::Value> =
        world.requests().iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect();
    let encode = |text: &str| crate::gateway::encode(text.as_bytes());
    assert_eq!(bodies[0]["key"], encode("gcf/entries/t/"));
    // `0` comes after `/`.
    assert_eq!(bodies[0]["rangeEnd"], encode("gcf/entries/t0"));
    assert_eq!(bodies[1]["key"], encode("gcf/entries/t/c\0"));
    assert_eq!((&bodies[0]["revision"], &bodies[1]["revision"]), (&"0".into(), &"40".into()));
}

#[test]
fn a_page_that_was_not_asked_for_is_refused() {
    let keys = |page: &str, prefix: &str| {
        let world = Scripted::answers(&[(200, page)]);
        etcd(&world, &[CLEAR]).unwrap().keys(&Prefix::parse(prefix).unwrap())
    };
    let many: Vec<_> = (0..1001).map(|number| format!("t/{number:04}")).collect();
    assert_eq!(keys(&page(&many[..1000], false), "t/").unwrap(), many[..1000]);
    assert!(matches!(keys(&page(&many, false), "t/"), Err(StoreError::Other(_))), "more than the limit");
    // `0` comes after `/`.
    for outside in ["s/z", "t0", "u", "t"] {
        assert!(matches!(keys(&page(&[outside], false), "t/"), Err(StoreError::Other(_))), "{outside}");
    }
    for unsorted in [["t/b", "t/a"], ["t/a", "t/a"]] {
        assert!(matches!(keys(&page(&unsorted, false), "t/"), Err(StoreError::Other(_))), "{unsorted:?}");
    }
    // A page that does not go on would be asked for for ever.
    let same = page(&["t/a"], true);
    let world = Scripted::answers(&[(200, &same), (200, &same)]);
    let listed = etcd(&world, &[CLEAR]).unwrap().keys(&Prefix::parse("t/").unwrap());
    assert!(matches!(listed, Err(StoreError::Other(_))));
    assert_eq!(world.requests().len(), 2);
}

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
    assert_eq!(crate::etcd::lease_id([0xff; 8]), i64::MAX.unsigned_abs());
    assert_eq!(crate::etcd::lease_id([0; 8]), 1);
    assert_eq!(crate::etcd::lease_id([0, 0, 0, 0, 0, 0, 0, 1]), 1);
}

const USER: [(&str, &str); 3] = [CLEAR, ("GCF_ETCD_USER", "gcf"), ("GCF_ETCD_PASSWORD", "hunter2")];

#[test]
fn a_user_signs_in_once_and_once_more_where_the_token_is_no_longer_good() {
    // Expired or unknown; from before the users were changed. By etcd's gateway: the status of the code of gRPC.
    let expired = (
        401,
        r#"{"error":"etcdserver: invalid auth token","message":"etcdserver: invalid auth token","code":16}"#,
    );
    let old = (
        400,
        r#"{"error":"etcdserver: revision of auth store is old","message":"etcdserver: revision of auth store is old","code":3}"#,
    );
    for stale in [expired, old, (401, "")] {
        let world = Scripted::answers(&[
            (200, r#"{"token":"one"}"#),
            NOTHING,
            NOTHING,
            stale,
            (200, r#"{"token":"two"}"#),
            NOTHING,
            // Whatever is wrong, it is not the token: it is new.
            stale,
            (200, r#"{"token":"three"}"#),
            stale,
        ]);
        let store = etcd(&world, &USER).unwrap();
        for _ in 0..3 {
            assert_eq!(store.get(&key("a")), Ok(None));
        }
        assert_eq!(world.requests().len(), 6);
        assert_eq!(world.header("authorization").as_deref(), Some("two"));
        assert!(matches!(store.get(&key("a")), Err(StoreError::Other(_))));
        assert_eq!(world.requests().len(), 9);
    }

    let world = Scripted::answers(&[(400, r#"{"error":"etcdserver: authentication failed","code":3}"#)]);
    let Err(StoreError::Other(why)) = etcd(&world, &USER).unwrap().get(&key("a")) else { panic!() };
    assert!(!why.contains("hunter2"));
    assert_eq!(world.requests().len(), 1);
}

#[test]
fn a_token_is_not_kept_where_the_connection_breaks_and_a_credential_of_others_is_not_renewed() {
    let whole = |body: &str| Ok(Response { status: 200, body: body.into() });
    let outcomes = [
        whole(r#"{"token":"one"}"#),
        Err(HttpFailure::Broken),
        whole(r#"{"token":"two"}"#),
        whole(NOTHING.1),
    ];
    let world = Scripted::outcomes(outcomes.into_iter());
    let store = etcd(&world, &USER).unwrap();
    assert!(matches!(store.get(&key("a")), Err(StoreError::Unavailable(_))));
    assert_eq!(store.get(&key("a")), Ok(None));
    assert_eq!(world.header("authorization").as_deref(), Some("two"));

    let world = Scripted::answers(&[(401, r#"{"code":16}"#)]);
    let store = etcd(&world, &[CLEAR, ("GCF_ETCD_TOKEN", "given")]).unwrap();
    assert!(matches!(store.get(&key("a")), Err(StoreError::Other(_))));
    assert_eq!(world.requests().len(), 1);
}

#[test]
fn a_server_that_cannot_answer_is_unavailable_and_a_refusal_is_not() {
    let of = |outcome| {
        let world = Scripted::outcomes([outcome].into_iter());
        etcd(&world, &[CLEAR]).unwrap().get(&key("a")).unwrap_err()
    };
    for failure in [HttpFailure::Unreachable, HttpFailure::Timeout, HttpFailure::Broken] {
        assert!(matches!(of(Err(failure)), StoreError::Unavailable(_)));
    }
    for failure in [HttpFailure::Denied, HttpFailure::TooLarge] {
        assert!(matches!(of(Err(failure)), StoreError::Other(_)));
    }
    let answer = |status, body: &str| Ok(Response { status, body: body.into() });
    assert!(matches!(of(answer(503, "")), StoreError::Unavailable(_)));
    for status in [200, 301, 400, 401, 403, 404] {
        let StoreError::Other(why) = of(answer(status, "<h1>hunter2</h1>")) else { panic!("{status}") };
        assert!(!why.contains("hunter2"));
    }
    let large = "x".repeat(1 << 20);
    assert!(matches!(of(answer(200, &large)), StoreError::Other(_)));
}

/// The words of etcd's answers, and values that are nearly theirs.
fn nearly() -> impl Strategy<Value = String> {
    let words = [
        "header",
        "revision",
        "kvs",
        "key",
        "value",
        "mod_revision",
        "more",
        "succeeded",
        "ID",
        "TTL",
        "token",
        "data",
        "error",
        "code",
    ];
    let name = format!(r#""{NAME}""#);
    let values =
        ["null", "true", "-1", "1e400", "18446744073709551616", r#""12""#, &name, r#""Ang=""#, r#""\ud800""#];
    nearly_json(&words, &values)
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic(bodies in prop::collection::vec((sample::select(vec![200, 401, 500]), nearly()), 8)) {
        let answers: Vec<_> = bodies.iter().map(|(status, body)| (*status, body.as_str())).collect();
        for settings in [&[CLEAR][..], &USER] {
            let world = Scripted::answers(&answers);
            let store = etcd(&world, settings).unwrap();
            let _ = store.get(&key("a"));
            let _ = store.put(&key("a"), &Value::parse("x").unwrap(), &Expected::Absent);
            let _ = store.delete(&key("a"), &Expected::Anything);
            let _ = store.keys(&Prefix::parse("").unwrap());
            let _ = store.acquire_lease(&key("a"), Duration::MAX);
            let _ = store.release_lease(&key("a"), "7");
        }
    }
}
