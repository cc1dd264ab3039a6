//! Secrets that are looked for in every text that leaves a call, against a Google that repeats whatever it
//! is sent.

pub(crate) mod forms;

use std::{
    fmt::Debug,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use gcf_host::{
    AccessToken, AccessTokens, CallError, Host, Supplying,
    clock::SeededRandom,
    secrets::{Expected, MemoryStore, SecretStore},
    tape::{Provenance, ProvenanceKind, Recorder, Tape},
    transport::{Body, Sending, Timeouts, Transport},
    wit::{AuthorizeRequest, ConnectRequest, Credential, FunctionRef, Impersonation, Invoker, SuppliedToken},
};
use http_body_util::{BodyExt as _, Full};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rsa::{RsaPrivateKey, pkcs8::DecodePrivateKey as _, traits::PublicKeyParts as _};
use serde_json::{Value, json};

use self::forms::{Canary, assert_clean, canary, fixed};
use crate::fixtures::{
    DEMO_KEY, api_request, builder, connect_request, google::FUNCTION, invoke_request, list_request, named,
    target,
};

const CLIENT: &str = "123456789012-test.apps.googleusercontent.com";
const REDIRECT: &str = "http://127.0.0.1:49152/callback";
const KID: &str = "google-1";

fn private_key() -> String {
    let key: Value = serde_json::from_str(DEMO_KEY).unwrap();
    key["private_key"].as_str().unwrap().to_owned()
}

/// A Google that grants everything, and otherwise says what it was sent.
#[derive(Default)]
struct Parrot {
    nonce: Mutex<String>,
    /// All that was sent, as text.
    sent: Arc<Mutex<String>>,
}

impl Debug for Parrot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Parrot")
    }
}

impl Transport for Parrot {
    fn send(&self, request: http::Request<Body>, _: Timeouts) -> Sending {
        let (nonce, sent) = (self.nonce.lock().unwrap().clone(), Arc::clone(&self.sent));
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let authorization = head.headers.get("authorization").cloned();
            let authorization = authorization.unwrap_or(http::HeaderValue::from_static(""));
            let body = String::from_utf8(body.collect().await?.to_bytes().to_vec()).unwrap();
            let (url, said) = (head.uri.to_string(), authorization.to_str().unwrap());
            let decoded = url::form_urlencoded::parse(body.as_bytes());
            let decoded = decoded.map(|(name, value)| format!("{name}={value}\n")).collect::<String>();
            sent.lock().unwrap().push_str(&format!("{url} {said}\n{body}\n{decoded}"));
            let (status, answer) = answer(&url, said, &body, &nonce);
            let response = http::Response::builder()
                .status(status)
                .header("content-type", "application/json")
                .header("x-echo", authorization)
                .body(Full::new(Bytes::from(answer)).map_err(|never| match never {}).boxed_unsync());
            Ok(response.unwrap())
        })
    }
}

fn answer(url: &str, authorization: &str, body: &str, nonce: &str) -> (u16, String) {
    let form: std::collections::HashMap<String, String> =
        url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let said = json!({"error": {"message": format!("you sent {authorization} to {url}"), "status": "UNAUTHENTICATED"}});
    let ok = |value: Value| (200, value.to_string());
    if url.ends_with("oauth2.googleapis.com/token") {
        let scope = "openid https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/cloud-platform";
        let grant =
            |access: &str| json!({"access_token": access, "expires_in": 3599, "token_type": "Bearer"});
        let mut user = grant(&canary("access-token"));
        user["scope"] = json!(scope);
        return match form["grant_type"].as_str() {
            "authorization_code" => {
                user["refresh_token"] = json!(canary("refresh-token"));
                user["id_token"] = json!(id_token(nonce));
                ok(user)
            }
            "refresh_token" if form["refresh_token"] == canary("refresh-token") => {
                user["refresh_token"] = json!(canary("rotated-refresh-token"));
                ok(user)
            }
            "refresh_token" => {
                let description = format!("the token {} of {body} is unknown", form["refresh_token"]);
                (400, json!({"error": "invalid_grant", "error_description": description}).to_string())
            }
            _ => ok(grant(&canary("service-access-token"))),
        };
    }
    if url.ends_with("/oauth2/v3/certs") {
        let key = RsaPrivateKey::from_pkcs8_pem(&private_key()).unwrap();
        let number = |bytes: Vec<u8>| URL_SAFE_NO_PAD.encode(bytes);
        return ok(json!({"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KID,
            "n": number(key.n().to_bytes_be()), "e": number(key.e().to_bytes_be())}]}));
    }
    if url.starts_with("https://sts.googleapis.com/") {
        let description = format!("cannot use {}", form["subject_token"]);
        return (400, json!({"error": "invalid_grant", "error_description": description}).to_string());
    }
    if url.contains(":generateIdToken") {
        let asked: Value = serde_json::from_str(body).unwrap();
        let claims = json!({"aud": asked["audience"], "exp": 4_000_000_000_u64, "email": "x@y.iam.gserviceaccount.com"});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let token =
            format!("{}.{}.{}", part(&json!({"alg": "RS256"})), part(&claims), canary("id-token-signature"));
        return ok(json!({"token": token}));
    }
    if url.contains("/functions/hello") {
        return ok(
            json!({"name": "projects/demo-project/locations/us-central1/functions/hello", "state": "ACTIVE",
            "environment": "GEN_2", "serviceConfig": {"uri": format!("https://{FUNCTION}")}}),
        );
    }
    (401, said.to_string())
}

/// As Google signs it for a person.
fn id_token(nonce: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some(KID.to_owned());
    let claims = json!({"iss": "https://accounts.google.com", "aud": CLIENT, "azp": CLIENT, "sub": "1", "iat": now,
        "exp": now + 3600, "nonce": nonce, "email": "ada@example.com", "email_verified": true});
    jsonwebtoken::encode(&header, &claims, &EncodingKey::from_rsa_pem(private_key().as_bytes()).unwrap())
        .unwrap()
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

/// The secrets that come about while signing in: state, nonce, verifier, assertions, the person's ID token.
fn live(store: &MemoryStore) -> Vec<Canary> {
    let mut found = Vec::new();
    for key in store.keys("").unwrap() {
        let entry = store.get(&key).unwrap().unwrap().value;
        let Ok(Value::Object(fields)) = serde_json::from_str(&entry) else { continue };
        for name in ["state", "nonce", "verifier", "token", "refresh_token", "client_secret"] {
            if let Some(secret) = fields.get(name).and_then(Value::as_str) {
                // A JWT is told by its signature.
                let secret = secret.rsplit('.').next().unwrap();
                found.push((format!("{name} of {key}"), secret.to_owned()));
            }
        }
    }
    found
}

fn client() -> String {
    json!({"installed": {"client_id": CLIENT, "client_secret": canary("client-secret"), "project_id": "demo-project",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth", "token_uri": "https://oauth2.googleapis.com/token",
        "redirect_uris": ["http://localhost"]}})
    .to_string()
}

/// A person signs in, calls, is refreshed, and is refused.
async fn person(host: &Host, parrot: &Parrot, store: &MemoryStore, shown: &mut Shown) -> Vec<Canary> {
    let request = AuthorizeRequest {
        nickname: "ada".to_owned(),
        project: None,
        region: None,
        client: client(),
        redirect_uri: REDIRECT.to_owned(),
        login_hint: None,
        hosted_domain: None,
        invoker: Some(Invoker::ServiceAccount(Impersonation {
            service_account: None,
            delegates: Vec::new(),
            include_email: true,
        })),
        connection: None,
    };
    shown.debug(&request);
    // The address is for the person's browser: it holds state and nonce, and nothing else is shown of it.
    let begun = host.authorize(request).await.unwrap();
    let mut secrets = live(store);
    let url = url::Url::parse(&begun.url).unwrap();
    let sent: std::collections::HashMap<String, String> = url.query_pairs().into_owned().collect();
    parrot.nonce.lock().unwrap().clone_from(&sent["nonce"]);
    let back = |state: &str| {
        format!("{REDIRECT}?code={}&state={state}", canary("authorization-code").replace('/', "%2F"))
    };
    shown.outcome(host.finish(&begun.id, &back("another"), None).await);
    let connected = shown.outcome(host.finish(&begun.id, &back(&sent["state"]), None).await).unwrap();
    shown.outcome(host.finish(&begun.id, &back(&sent["state"]), None).await);
    let id = connected.connection.id;
    let hello = || invoke_request(named("hello", Some("us-central1")));
    let answer = host.invoke(&id, hello(), None).await.unwrap();
    assert_eq!(answer.status, 401);
    secrets.extend(live(store));
    // What a function says is the caller's to see; everything around it is not.
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
    ConnectRequest { project: Some("demo-project".to_owned()), credential, ..connect_request() }
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
    let parrot = Arc::new(Parrot::default());
    let store = Arc::new(MemoryStore::new());
    let events = Arc::new(Mutex::new(String::new()));
    let log = Arc::clone(&events);
    let provenance = Provenance { kind: ProvenanceKind::Recorded, from: "a test".to_owned(), note: None };
    let folder = tempfile::tempdir_in(target()).unwrap();
    let path = folder.path().join("tape.json");
    let transport: Arc<dyn Transport> = Arc::<Parrot>::clone(&parrot);
    let recorder = Recorder::new(transport, &path, Tape::new(provenance, Duration::ZERO, 1));
    let secrets: Arc<dyn SecretStore> = Arc::<MemoryStore>::clone(&store);
    let host = builder()
        .transport(Arc::new(recorder.clone()))
        .secrets(secrets)
        .random(Arc::new(SeededRandom::new(7)))
        .access_tokens(Arc::new(Vault))
        .observer(Arc::new(move |event| log.lock().unwrap().push_str(&format!("{event:?}"))))
        .build()
        .unwrap();

    let mut shown = Shown::default();
    let mut canaries = fixed();
    canaries.extend(person(&host, &parrot, &store, &mut shown).await);
    canaries.extend(others(&host, &store, &mut shown).await);
    shown.debug(&(&host, &store, &recorder));
    shown.0.push_str(&events.lock().unwrap());
    // Not one of them was forgotten: each was sent, received or kept. The passphrase is the command's.
    let sent = parrot.sent.lock().unwrap().clone();
    for (name, secret) in
        fixed().iter().filter(|(name, _)| !matches!(name.as_str(), "passphrase" | "private-key"))
    {
        assert!(sent.contains(secret.as_str()), "{name}");
    }
    assert!(shown.0.len() > 10_000 && canaries.len() > 20, "there is something to look for, and at");
    assert_clean(&shown.0, &canaries, "what a call shows");
    recorder.finish().unwrap();
    assert_clean(&std::fs::read_to_string(&path).unwrap(), &canaries, "the tape");
}

#[tokio::test]
async fn a_damaged_key_is_refused_without_a_word_of_it() {
    let parrot = Arc::new(Parrot::default());
    let host = builder().transport(Arc::<Parrot>::clone(&parrot)).build().unwrap();
    for spoil in ["private_key", "private_key_id", "client_email", "token_uri", "type"] {
        let mut key: Value = serde_json::from_str(DEMO_KEY).unwrap();
        key[spoil] = json!("-----BEGIN PRIVATE KEY-----\nCANARYCANARY\n-----END PRIVATE KEY-----");
        let error = host.connect(with(Credential::GoogleJson(key.to_string())), None).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("CANARY"), "{spoil}");
    }
    assert_eq!(*parrot.sent.lock().unwrap(), "");
}

/// What is committed was looked at by nobody but this.
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
