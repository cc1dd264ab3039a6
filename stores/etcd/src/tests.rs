//! Requests to etcd, against its documentation, and the store's reading of its answers. That etcd takes it so is tested
//! with etcd itself: `tests/stores/run.sh etcd`.

use std::time::Duration;

use gcf_store::{
    contract::{Entry, Expected, Result, Store, StoreError},
    http::{HttpFailure, Response},
    name::{Key, Prefix, Value},
    settings::Settings,
    testing::{Scripted, nearly_json},
};
use proptest::{prelude::*, sample};

use crate::etcd::Etcd;

mod leases;
mod sign_in;

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
const USER: [(&str, &str); 3] = [CLEAR, ("GCF_ETCD_USER", "gcf"), ("GCF_ETCD_PASSWORD", "hunter2")];

/// 2^63 - 1, the largest `int64`, and the number after it.
const LARGEST: &str = "9223372036854775807";
const BEYOND: &str = "9223372036854775808";

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
    let none = ["0", "", "-1", "+9", "09", "x", "00", BEYOND, "18446744073709551615", "99999999999999999999"];
    for version in none {
        let version = || Expected::Version(version.into());
        assert_eq!(put(version()), Err(StoreError::VersionMismatch), "{:?}", version());
        assert_eq!(store.delete(&key("a"), &version()), Err(StoreError::VersionMismatch), "{:?}", version());
    }
    for token in none {
        assert_eq!(store.release_lease(&key("a"), token), Ok(()), "{token}");
    }
    assert_eq!(world.requests().len(), 2);
}

#[test]
fn revisions_and_leases_are_positive_numbers_of_63_bits() {
    let refused = (200, r#"{"header":{"revision":"12"}}"#);
    let world = Scripted::answers(&[refused, refused]);
    let store = etcd(&world, &[CLEAR]).unwrap();
    let version = Expected::Version(LARGEST.into());
    assert_eq!(store.delete(&key("a"), &version), Err(StoreError::VersionMismatch));
    assert_eq!(store.release_lease(&key("a"), LARGEST), Ok(()));
    let compared = |number: usize, field: &str| -> serde_json::Value {
        let body: serde_json::Value = serde_json::from_str(&world.requests()[number].1).unwrap();
        body["compare"][0][field].clone()
    };
    assert_eq!((compared(0, "modRevision"), compared(1, "lease")), (LARGEST.into(), LARGEST.into()));

    let found = |revision: &str| {
        format!(r#"{{"header":{{"revision":"12"}},"kvs":[{}]}}"#, FOUND.replace(r#""11""#, revision))
    };
    let written = |revision: &str| format!(r#"{{"header":{{"revision":{revision}}},"succeeded":true}}"#);
    let ask = |revision: &str| {
        let world = Scripted::answers(&[(200, &found(revision)), (200, &written(revision))]);
        let store = etcd(&world, &[CLEAR]).unwrap();
        let read = store.get(&key("a")).map(|entry| entry.unwrap().version);
        [read, store.put(&key("a"), &Value::parse("x").unwrap(), &Expected::Anything)]
    };
    for largest in [LARGEST.to_owned(), format!("\"{LARGEST}\"")] {
        assert_eq!(ask(&largest), [(); 2].map(|()| Ok(LARGEST.to_owned())), "{largest}");
    }
    for number in ["0", "-1", BEYOND, "18446744073709551616", "1.5"] {
        for number in [number.to_owned(), format!("\"{number}\"")] {
            let answers = ask(&number);
            assert!(answers.iter().all(|answer| matches!(answer, Err(StoreError::Other(_)))), "{number}");
        }
    }
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
    let values = [
        "null",
        "true",
        "-1",
        "1e400",
        BEYOND,
        "18446744073709551616",
        r#""12""#,
        &name,
        r#""Ang=""#,
        r#""\ud800""#,
    ];
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
