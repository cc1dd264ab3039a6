//! Secrets that are looked for in every text that leaves a call, against a Google that repeats whatever it
//! is sent.

pub(crate) mod forms;

use std::{
    fmt::Debug,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use gcf_host::{
    AccessToken, AccessTokens, CallError, Host, RequestEvent, Supplying,
    clock::{FrozenClock, SeededRandom},
    secrets::{Expected, MemoryStore, SecretStore},
    tape::{Cassette, LiveSecrets, Provenance, ProvenanceKind, Recorder, Tape},
    transport::Transport,
    wit::{Auth, ConnectRequest, Credential, FunctionRef, Impersonation, Invoker, Query, SuppliedToken},
};
use serde_json::{Value, json};

use self::forms::{Canary, assert_clean, canary, fixed};
use crate::fixtures::{
    DEMO_KEY, api_request, builder, connect_request,
    google::FUNCTION,
    invoke_request, list_request, named, person,
    scripted::{Scripted, Sent},
    target,
};

const NOW: u64 = 1_772_366_400;

/// A Google that grants everything, and otherwise repeats the request.
fn parrot(nonce: Arc<Mutex<String>>) -> Scripted {
    Scripted::new(move |sent| {
        let said = json!({"error": {"message": format!("you sent {} to {}", sent.authorization, sent.url),
            "status": "UNAUTHENTICATED"}});
        let refused =
            |description: String| (400, json!({"error": "invalid_grant", "error_description": description}));
        match sent.url.as_str() {
            "https://oauth2.googleapis.com/token" => {
                let grant = |access: &str| json!({"access_token": access, "expires_in": 3599, "token_type": "Bearer"});
                let mut user = grant(&canary("access-token"));
                user["scope"] = json!(person::SCOPES);
                match (sent.field("grant_type").as_str(), sent.field("refresh_token")) {
                    ("authorization_code", _) => {
                        user["refresh_token"] = json!(canary("refresh-token"));
                        user["id_token"] = json!(person::id_token(&nonce.lock().unwrap(), NOW, &Value::Null));
                        (200, user)
                    }
                    ("refresh_token", old) if old == canary("refresh-token") => {
                        user["refresh_token"] = json!(canary("rotated-refresh-token"));
                        (200, user)
                    }
                    ("refresh_token", other) => {
                        refused(format!("the token {other} of {} is unknown", sent.body))
                    }
                    _ => (200, grant(&canary("service-access-token"))),
                }
            }
            "https://www.googleapis.com/oauth2/v3/certs" => (200, person::keys()),
            "https://sts.googleapis.com/v1/token" => {
                refused(format!("cannot use {}", sent.field("subject_token")))
            }
            url if url.contains(":generateIdToken") => {
                let asked: Value = serde_json::from_str(&sent.body).unwrap();
                let claims = json!({"aud": asked["audience"], "exp": NOW + 3600, "email": "x@y.iam.gserviceaccount.com"});
                let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
                let (header, signature) = (part(&json!({"alg": "RS256"})), canary("id-token-signature"));
                (200, json!({"token": format!("{header}.{}.{signature}", part(&claims))}))
            }
            url if url.contains("/functions/hello") => (
                200,
                json!({"name": "projects/demo-project/locations/us-central1/functions/hello", "state": "ACTIVE",
                    "environment": "GEN_2", "serviceConfig": {"uri": format!("https://{FUNCTION}")}}),
            ),
            _ => (401, said),
        }
    })
}

/// Everything that a caller, an operator or a log could see.
#[derive(Default)]
struct Shown(String);

impl Shown {
    fn debug(&mut self, what: &impl Debug) {
        self.0.push_str(&format!("{what:?}\n{what:#?}\n"));
    }

    fn outcome<T: Debug>(&mut self, outcome: Result<T, CallError>) -> Option<T> {
        match outcome {
            Ok(value) => {
                self.debug(&value);
                Some(value)
            }
            Err(error) => {
                self.debug(&error);
                self.0.push_str(&format!("{error}\n"));
                None
            }
        }
    }
}

struct Vault;

impl AccessTokens for Vault {
    fn token(&self, _: &str) -> Supplying {
        Box::pin(std::future::ready(AccessToken::parse(&canary("injected-token"))))
    }
}

/// The secrets that come about while signing in: state, verifier, the tokens. Not the nonce, which is a claim
/// of the ID token, good once: a tape keeps claims.
fn live(store: &MemoryStore) -> Vec<Canary> {
    let mut found = Vec::new();
    // The state of a function is no secret.
    for key in store.keys("").unwrap().into_iter().filter(|key| !key.starts_with("functions/")) {
        let entry = store.get(&key).unwrap().unwrap().value;
        let Ok(Value::Object(fields)) = serde_json::from_str(&entry) else { continue };
        for name in ["state", "verifier", "token", "refresh_token", "client_secret"] {
            if let Some(secret) = fields.get(name).and_then(Value::as_str) {
                // A JWT is told by its signature.
                let secret = secret.rsplit('.').next().unwrap();
                found.push((format!("{name} of {key}"), secret.to_owned()));
            }
        }
    }
    found
}

/// A person signs in, calls, is refreshed, and is refused.
async fn signs_in(host: &Host, nonce: &Mutex<String>, store: &MemoryStore, shown: &mut Shown) -> Vec<Canary> {
    let mut request = person::authorize_request(&canary("client-secret"));
    request.invoker = Some(Invoker::ServiceAccount(Impersonation {
        service_account: None,
        delegates: Vec::new(),
        include_email: true,
    }));
    shown.debug(&request);
    // The address is for the person's browser: it holds state and nonce, and nothing else is shown of it.
    let begun = host.authorize(request).await.unwrap();
    let mut secrets = live(store);
    *nonce.lock().unwrap() = person::parameter(&begun, "nonce");
    let state = person::parameter(&begun, "state");
    let back = |state: &str| person::back(&canary("authorization-code"), state);
    shown.outcome(host.finish(&begun.id, &back("another"), None).await);
    let connected = shown.outcome(host.finish(&begun.id, &back(&state), None).await).unwrap();
    shown.outcome(host.finish(&begun.id, &back(&state), None).await);
    let id = connected.connection.id;
    let hello = || invoke_request(named("hello", Some("us-central1")));
    let answer = host.invoke(&id, hello(), None).await.unwrap();
    assert_eq!(answer.status, 401);
    secrets.extend(live(store));
    // The function's answer is the caller's to see; everything around it is not.
    shown.debug(&(answer.trace, answer.principal, answer.audience, answer.diagnosis));
    let mut raised = hello();
    raised.raise_for_status = true;
    shown.outcome(host.invoke(&id, raised, None).await);
    shown.outcome(host.list_functions(&id, list_request(), None).await);
    shown.outcome(host.check(&id, Some(named("hello", None)), None).await);
    secrets.extend(live(store));
    // The token that has come in place of the first one is refused, in so many words.
    for key in store.keys("tokens/").unwrap() {
        store.delete(&key, &Expected::Anything).unwrap();
    }
    shown.outcome(host.list_functions(&id, list_request(), None).await);
    shown.outcome(host.connection(&id).await);
    shown.outcome(host.connections().await);
    shown.outcome(host.check(&id, None, None).await);
    shown.outcome(host.disconnect(&id, None).await);
    secrets
}

fn federated() -> ConnectRequest {
    let credential = json!({
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/p/providers/q",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.googleapis.com/v1/token",
    });
    with(Credential::GoogleJson(credential.to_string()))
}

fn with(credential: Credential) -> ConnectRequest {
    connect_request().project("demo-project").credential(credential)
}

/// Every other kind of credential, each refused by an API that repeats it.
async fn others(host: &Host, store: &MemoryStore, shown: &mut Shown) -> Vec<Canary> {
    store.put("supplied/subject-token", &canary("subject-token"), &Expected::Absent).unwrap();
    store.put("supplied/api", &canary("supplied-token"), &Expected::Absent).unwrap();
    shown.debug(&federated());
    shown.outcome(host.connect(federated(), None).await);
    let supplied = SuppliedToken { key: "supplied/api".to_owned(), account: None };
    for request in
        [with(Credential::SuppliedToken(supplied)), with(Credential::InjectedToken(None)), connect_request()]
    {
        shown.debug(&request);
        let Some(connected) = shown.outcome(host.connect(request, None).await) else { continue };
        let id = connected.connection.id;
        shown.outcome(host.list_functions(&id, list_request(), None).await);
        shown.outcome(host.custom_api(&id, api_request("GET", "/v2/%zz"), None).await);
        shown.outcome(host.invoke(&id, invoke_request(FunctionRef::Url("https://x".to_owned())), None).await);
        shown.outcome(host.check(&id, None, None).await);
    }
    live(store)
}

#[tokio::test]
async fn no_secret_is_in_any_debug_error_event_or_tape() {
    let nonce = Arc::<Mutex<String>>::default();
    let parrot = parrot(Arc::clone(&nonce));
    let store = Arc::new(MemoryStore::new());
    let events = Arc::new(Mutex::new(String::new()));
    let log = Arc::clone(&events);
    let provenance = Provenance { kind: ProvenanceKind::Recorded, from: "a test".to_owned(), note: None };
    let folder = tempfile::tempdir_in(target()).unwrap();
    let path = folder.path().join("tape.json");
    let tape = Tape::new(provenance, Duration::from_secs(NOW), 1);
    let seen = LiveSecrets::default();
    let recorder = Recorder::new(Arc::new(parrot.clone()), &path, tape).knowing(seen.clone());
    let secrets = seen.watch(Arc::<MemoryStore>::clone(&store));
    let host = builder()
        .transport(Arc::new(recorder.clone()))
        .secrets(secrets)
        .clock(Arc::new(FrozenClock::at(Duration::from_secs(NOW))))
        .random(Arc::new(SeededRandom::new(7)))
        .access_tokens(Arc::new(Vault))
        .observer(Arc::new(move |event| log.lock().unwrap().push_str(&format!("{event:?}"))))
        .build()
        .unwrap();

    let mut shown = Shown::default();
    let mut canaries = fixed();
    canaries.extend(signs_in(&host, &nonce, &store, &mut shown).await);
    canaries.extend(others(&host, &store, &mut shown).await);
    shown.debug(&(&host, &store, &recorder, &seen));
    shown.0.push_str(&events.lock().unwrap());
    // Not one of them was forgotten: each was sent. The passphrase is the command's, and the key is never
    // sent.
    let sent = parrot.take();
    for (name, secret) in fixed() {
        let seen = |sent: &Sent| {
            let form = url::form_urlencoded::parse(sent.body.as_bytes());
            form.into_iter().any(|(_, value)| value == secret) || sent.authorization.contains(&secret)
        };
        assert!(name == "passphrase" || name == "private-key" || sent.iter().any(seen), "{name}");
    }
    assert!(shown.0.len() > 10_000 && canaries.len() > 20, "there is something to look for, and at");
    assert_clean(&shown.0, &canaries, "what a call shows");
    recorder.finish().unwrap();
    assert_clean(&std::fs::read_to_string(&path).unwrap(), &canaries, "the tape");
}

#[tokio::test]
async fn a_damaged_key_is_refused_without_a_word_of_it() {
    let parrot = parrot(Arc::default());
    let host = builder().transport(Arc::new(parrot.clone())).build().unwrap();
    for spoil in ["private_key", "private_key_id", "client_email", "token_uri", "type"] {
        let mut key: Value = serde_json::from_str(DEMO_KEY).unwrap();
        key[spoil] = json!("-----BEGIN PRIVATE KEY-----\nCANARYCANARY\n-----END PRIVATE KEY-----");
        let error = host.connect(with(Credential::GoogleJson(key.to_string())), None).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("CANARY"), "{spoil}");
    }
    assert!(parrot.take().is_empty());
}

/// Texts of errors name URLs: without a query, for a token can stand in one.
#[tokio::test]
async fn the_query_of_a_url_is_in_no_error_and_in_no_event() {
    const QUERY: &str = "access_token=canary-in-query";
    let parrot = parrot(Arc::default());
    let events = Arc::new(Mutex::new(String::new()));
    let log = Arc::clone(&events);
    let observed = |transport: Arc<dyn Transport>| {
        let log = Arc::clone(&log);
        let observer =
            Arc::new(move |event: &RequestEvent| log.lock().unwrap().push_str(&format!("{event:?}")));
        builder().transport(transport).observer(observer)
    };
    let store = Arc::new(MemoryStore::new());
    let host = observed(Arc::new(parrot)).secrets(Arc::<MemoryStore>::clone(&store)).build().unwrap();
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    let mut shown = Shown::default();
    let nobody = Cassette::replay(Tape::new(
        Provenance { kind: ProvenanceKind::Made, from: "a test".to_owned(), note: None },
        Duration::from_secs(NOW),
        1,
    ));
    let down = observed(Arc::new(nobody.clone())).secrets(store).build().unwrap();
    // First the one that is not there: after a refusal nothing would be sent to it.
    for host in [down, host] {
        let query = || Some(Query::Raw(QUERY.to_owned()));
        for (path, query) in [
            ("/v2/projects/p/locations".to_owned(), Some(Query::Raw("sig=canary-in-query".to_owned()))),
            ("/v2/projects/p/locations".to_owned(), query()),
            ("/v2/%zz".to_owned(), query()),
            (format!("/v2/projects/p/locations?{QUERY}"), None),
            (format!("https://evil.example/?{QUERY}"), None),
        ] {
            let request = {
                let mut request = api_request("GET", &path);
                request.query = query;
                request
            };
            let outcome = host.custom_api(&id, request, None).await;
            shown.outcome(outcome.map(|answer| (answer.url, answer.trace)));
        }
        let mut request = invoke_request(FunctionRef::Url(format!("https://{FUNCTION}")));
        (request.query, request.auth, request.raise_for_status) = (query(), Auth::None, true);
        shown.outcome(host.invoke(&id, request, None).await.map(|answer| answer.trace));
    }
    let missed = nobody.finish().unwrap_err();
    shown.0.push_str(&format!("{missed} {missed:?} {}", missed.coloured()));
    shown.0.push_str(&events.lock().unwrap());
    assert!(shown.0.contains("/v2/projects/p/locations") && shown.0.contains(FUNCTION), "{}", shown.0);
    assert!(!shown.0.contains("canary"), "{}", shown.0);
}

/// The committed files, which nothing else looks at.
#[test]
fn no_secret_is_in_a_snapshot_or_a_cassette() {
    for folder in ["snapshots", "cassettes"] {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut files = 0;
        for file in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if let Ok(text) = std::fs::read_to_string(&file) {
                assert_clean(&text, &fixed(), &file.display().to_string());
                files += 1;
            }
        }
        assert!(files > 20, "{}", folder.display());
    }
}
