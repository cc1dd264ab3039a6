//! New episodes and the store: it gets the tokens of a server, and nothing that a tape made up.

use std::{
    io::Write as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{body, document, request, send, tape};
use crate::{
    secrets::{Expected, MemoryStore, SecretStore},
    tape::{Cassette, Mode},
    transport::{Body, Sending, Timeouts, Transport},
};

const TOKEN: &str = "https://oauth2.googleapis.com/token";
const CREDENTIAL: &str =
    r#"{"kind":"authorized_user","client_secret":"the-client","refresh_token":"the-old-one"}"#;

/// Gives out `opaque-live-N`, compressed or not, and counts the requests.
#[derive(Debug, Default)]
struct Issuer {
    asked: AtomicU32,
    gzip: bool,
}

impl Transport for Issuer {
    fn send(&self, _: http::Request<Body>, _: Timeouts) -> Sending {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let grant = json!({
            "access_token": format!("opaque-live-{number}"),
            "refresh_token": format!("refresh-live-{number}"),
            "note": "made-up-by-the-tape",
        });
        let mut bytes = grant.to_string().into_bytes();
        let mut response = http::Response::builder().header("content-type", "application/json");
        if self.gzip {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(&bytes).unwrap();
            bytes = encoder.finish().unwrap();
            response = response.header("content-encoding", "gzip");
        }
        Box::pin(std::future::ready(Ok(response.body(body(bytes)).unwrap())))
    }
}

fn open(path: &Path, interactions: Value, network: &Arc<Issuer>) -> Cassette {
    std::fs::write(path, document(interactions).to_string()).unwrap();
    Cassette::open(path, Mode::NewEpisodes, Arc::<Issuer>::clone(network), tape(json!([]))).unwrap()
}

fn store() -> Arc<MemoryStore> {
    let store = Arc::<MemoryStore>::default();
    for (key, value) in [("connections/a", "{}"), ("credentials/a", CREDENTIAL)] {
        store.put(key, value, &Expected::Absent).unwrap();
    }
    store
}

fn value(store: &MemoryStore, key: &str) -> Option<String> {
    store.get(key).unwrap().map(|entry| entry.value)
}

/// Grants of a hostile tape, without a secret that is told by its shape.
fn grants_of_a_tape() -> [Value; 5] {
    let grant = json!({"access_token": "made-up-by-the-tape", "token_type": "Bearer", "expires_in": 3600});
    let asked = json!({"method": "POST", "url": TOKEN});
    let encoded = json!({"base64": STANDARD.encode(grant.to_string())});
    let elsewhere = json!({"method": "POST", "url": "https://x.test/token"});
    let ignore = json!({"ignore": ["url.origin"]});
    [
        json!([{"request": asked, "response": {"status": 200, "body": encoded}}]),
        json!([{"request": asked, "response": {"status": 200, "body": {"text": grant.to_string()}}}]),
        json!([{"request": asked, "response": {"status": 200, "body": {"json": grant}}}]),
        json!([{"request": elsewhere, "match": ignore, "response": {"status": 200, "body": encoded}}]),
        json!([{"request": asked, "response": {"status": 200, "body": encoded}, "match": {"repeat": true}}]),
    ]
}

#[tokio::test]
async fn a_grant_of_the_tape_is_asked_for_anew() {
    let folder = tempfile::tempdir().unwrap();
    for interactions in grants_of_a_tape() {
        let network = Arc::new(Issuer::default());
        let adding = open(&folder.path().join("tape.json"), interactions.clone(), &network);
        let answer = send(&adding, request("POST", TOKEN, &[], "")).await.unwrap();
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        assert!(text.contains("opaque-live-0"), "{interactions}: {text}");
    }
}

#[tokio::test]
async fn the_store_gets_only_what_a_server_gave_out() {
    let folder = tempfile::tempdir().unwrap();
    for gzip in [false, true] {
        let network = Arc::new(Issuer { gzip, ..Issuer::default() });
        let adding = open(&folder.path().join("tape.json"), json!([]), &network);
        send(&adding, request("POST", TOKEN, &[], "")).await.unwrap();
        let beneath = store();
        let over = adding.over(beneath.clone());
        let put = |key: &str, value: Value| over.put(key, &value.to_string(), &Expected::Anything).unwrap();
        for (name, token) in [
            ("of-the-tape", "made-up-by-the-tape"),
            ("of-none", "opaque-live-1"),
            ("longer", "opaque-live-00"),
            ("empty", ""),
        ] {
            put(&format!("tokens/a/{name}"), json!({"token": token, "expires": 1}));
            assert_eq!(value(&beneath, &format!("tokens/a/{name}")), None, "{name}");
        }
        put("tokens/a/live", json!({"token": "opaque-live-0", "expires": 1}));
        assert!(value(&beneath, "tokens/a/live").is_some_and(|value| value.contains("opaque-live-0")));

        let live = json!({"kind": "authorized_user", "client_secret": "the-client", "refresh_token": "refresh-live-0"});
        put("credentials/a", live.clone());
        assert_eq!(value(&beneath, "credentials/a"), Some(live.to_string()));
    }
}

#[tokio::test]
async fn nothing_else_of_a_tape_comes_along_with_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let network = Arc::new(Issuer::default());
    let adding = open(&folder.path().join("tape.json"), json!([]), &network);
    send(&adding, request("POST", TOKEN, &[], "")).await.unwrap();
    for changed in [
        json!({"client_secret": "another", "refresh_token": "refresh-live-0"}),
        json!({"client_secret": "the-client", "refresh_token": "refresh-live-0", "delegates": ["another"]}),
        json!({"client_secret": "the-client", "refresh_token": "made-up-by-the-tape"}),
        // Nothing new: an entry of the store is not put back to what it was.
        serde_json::from_str(CREDENTIAL).unwrap(),
    ] {
        let beneath = store();
        let over = adding.over(beneath.clone());
        let before = beneath.get("credentials/a").unwrap().unwrap();
        over.put("credentials/a", &changed.to_string(), &Expected::Anything).unwrap();
        assert_eq!(beneath.get("credentials/a").unwrap().unwrap(), before, "{changed}");
        assert_eq!(over.get("credentials/a").unwrap().unwrap().value, changed.to_string());
    }
}

#[tokio::test]
async fn what_another_server_says_is_no_token() {
    let folder = tempfile::tempdir().unwrap();
    let network = Arc::new(Issuer::default());
    let adding = open(&folder.path().join("tape.json"), json!([]), &network);
    send(&adding, request("POST", "https://f-x.a.run.app/token", &[], "")).await.unwrap();
    let beneath = store();
    let kept = json!({"token": "opaque-live-0", "expires": 1}).to_string();
    adding.over(beneath.clone()).put("tokens/a/1", &kept, &Expected::Anything).unwrap();
    assert_eq!(value(&beneath, "tokens/a/1"), None);
}

#[tokio::test]
async fn a_refusal_and_a_revocation_are_the_tapes() {
    let folder = tempfile::tempdir().unwrap();
    let network = Arc::new(Issuer::default());
    let revoke = "https://oauth2.googleapis.com/revoke";
    let interactions = json!([
        {"request": {"method": "POST", "url": TOKEN},
            "response": {"status": 400, "body": {"json": {"error": "invalid_grant"}}}},
        {"request": {"method": "POST", "url": revoke}, "response": {"status": 200, "body": {"json": {}}}},
    ]);
    let adding = open(&folder.path().join("tape.json"), interactions, &network);
    let refusal = send(&adding, request("POST", TOKEN, &[], "")).await.unwrap();
    assert_eq!(refusal.status(), 400);
    assert_eq!(send(&adding, request("POST", revoke, &[], "")).await.unwrap().body(), "{}");
    assert_eq!(network.asked.load(Ordering::Relaxed), 0);
}
