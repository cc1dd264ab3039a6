//! Secrets that are looked for in every text that leaves a call.

use std::sync::{Arc, Mutex};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use gcf_host::{
    secrets::{MemoryStore, SecretStore as _},
    tape::{Provenance, ProvenanceKind, Recorder, Tape},
};
use serde_json::{Value, json};

use crate::fixtures::{
    DEMO_KEY, api_request, builder, connect_request,
    google::{FUNCTION, Google, respond},
    invoke_request, list_request, live, named, target,
};

/// What must not be seen, in the forms in which it could be.
fn canaries(store: &MemoryStore) -> Vec<String> {
    let key: Value = serde_json::from_str(DEMO_KEY).unwrap();
    let pem = key["private_key"].as_str().unwrap();
    // One line of the key's own base64 is enough to give it away.
    let mut secrets = vec![pem.lines().nth(7).unwrap().to_owned(), "ya29.loopback".to_owned()];
    for name in store.keys("tokens/").unwrap() {
        let cached: Value = serde_json::from_str(&store.get(&name).unwrap().unwrap().value).unwrap();
        secrets.push(cached["token"].as_str().unwrap().to_owned());
    }
    assert!(secrets.len() >= 4, "the access token and the ID token are cached");
    let encoded: Vec<_> = secrets
        .iter()
        .flat_map(|secret| {
            let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
            [STANDARD.encode(secret), URL_SAFE_NO_PAD.encode(secret), hex]
        })
        .collect();
    secrets.extend(encoded);
    secrets
}

#[track_caller]
fn assert_clean(text: &str, canaries: &[String], where_: &str) {
    for canary in canaries {
        assert!(!text.contains(canary.as_str()), "a secret is in {where_}");
    }
}

#[tokio::test]
async fn no_secret_is_in_any_debug_error_event_or_tape() {
    // The worst function there is: it sends back what it was given.
    let google = Google::start(|seen| {
        let token = seen.headers["authorization"].to_str().unwrap().to_owned();
        respond(401, "text/plain", token)
    })
    .await;
    let store = Arc::new(MemoryStore::new());
    let events = Arc::new(Mutex::new(String::new()));
    let log = Arc::clone(&events);
    let provenance = Provenance { kind: ProvenanceKind::Recorded, from: "a test".to_owned(), note: None };
    let folder = tempfile::tempdir_in(target()).unwrap();
    let path = folder.path().join("tape.json");
    let recorder = Recorder::new(live(&google), &path, Tape::new(provenance, std::time::Duration::ZERO, 1));
    let secrets: Arc<dyn gcf_host::secrets::SecretStore> = Arc::<MemoryStore>::clone(&store);
    let host = builder()
        .transport(Arc::new(recorder.clone()))
        .secrets(secrets)
        .observer(Arc::new(move |event| log.lock().unwrap().push_str(&format!("{event:?}"))))
        .build()
        .unwrap();

    let request = connect_request();
    let mut shown = format!("{request:?}");
    let connected = host.connect(request, None).await.unwrap();
    shown.push_str(&format!("{connected:?}"));
    let id = connected.connection.id;
    shown.push_str(&format!("{:?}", host.list_functions(&id, list_request(), None).await));
    let answer = host.invoke(&id, invoke_request(named("hello", Some("us-central1"))), None).await.unwrap();
    assert_eq!(google.seen_at(FUNCTION).len(), 1);
    // What the function says is the caller's to see; everything around it is not.
    shown.push_str(&format!("{:?} {:?} {:?}", answer.trace, answer.principal, answer.diagnosis));
    let mut raised = invoke_request(named("hello", Some("us-central1")));
    raised.raise_for_status = true;
    let error = host.invoke(&id, raised, None).await.unwrap_err();
    shown.push_str(&format!("{error} {error:?}"));
    shown.push_str(&format!("{:?}", host.custom_api(&id, api_request("GET", "/v2/%zz"), None).await));
    shown.push_str(&format!("{host:?} {store:?} {recorder:?}"));
    shown.push_str(&events.lock().unwrap());

    let canaries = canaries(&store);
    assert_clean(&shown, &canaries, "what a call shows");
    recorder.finish().unwrap();
    assert_clean(&std::fs::read_to_string(&path).unwrap(), &canaries, "the tape");
}

#[tokio::test]
async fn a_damaged_key_is_refused_without_a_word_of_it() {
    let google = Google::start(|_| respond(200, "text/plain", "")).await;
    let host = builder().transport(live(&google)).build().unwrap();
    for spoil in ["private_key", "private_key_id", "client_email", "token_uri", "type"] {
        let mut key: Value = serde_json::from_str(DEMO_KEY).unwrap();
        key[spoil] = json!("-----BEGIN PRIVATE KEY-----\nCANARYCANARY\n-----END PRIVATE KEY-----");
        let mut request = connect_request();
        request.credential = gcf_host::wit::Credential::GoogleJson(key.to_string());
        let error = host.connect(request, None).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("CANARY"), "{spoil}");
    }
    assert!(google.seen().is_empty());
}
