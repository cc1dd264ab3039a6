//! Every way to sign in but a service account's own key, on tapes. The browser's part is in `tests/sign-in`.

use std::{pin::Pin, sync::Arc};

use gcf_host::{
    AccessToken, AccessTokens, Host, Supplying,
    secrets::{Expected, MemoryStore, SecretStore},
    tape::{Replay, Tape},
    wit::{
        AuthorizeRequest, Body, Connected, Credential, CredentialKind, ErrorKind, Impersonation,
        InvokeRequest, Invoker, Origin, SuppliedToken, TokenKind,
    },
};
use serde_json::{Value, json};

use crate::fixtures::{
    api_request, builder, cassette, connect_request, invoke_request, named, on_tape,
    person::{CLIENT, user, with},
    played::Played,
    refused,
};

const USER: &str = "ada@example.com";
const APPSPOT: &str = "demo-project@appspot.gserviceaccount.com";
const LOCATIONS: &str = "/v2/projects/demo-project/locations";

/// A host on a tape, and the store in which it keeps its secrets.
fn on(name: &str) -> (Host, Played, Arc<MemoryStore>) {
    let replay = Played::open(name);
    let (clock, random) = (Arc::new(replay.tape().clock()), Arc::new(replay.tape().random()));
    let store = Arc::new(MemoryStore::new());
    let secrets: Arc<dyn SecretStore> = Arc::<MemoryStore>::clone(&store);
    let host = builder().transport(replay.transport()).clock(clock).random(random);
    (host.secrets(secrets).build().unwrap(), replay, store)
}

async fn signed_in(name: &str) -> (Host, Played, Arc<MemoryStore>, String) {
    let (host, replay, store) = on(name);
    let connected = host.connect(with(&user()), None).await.unwrap();
    (host, replay, store, connected.connection.id)
}

fn hello() -> InvokeRequest {
    invoke_request(named("hello-http", Some("us-central1")))
        .body(Body::Json(r#"{"name":"world"}"#.to_owned()))
}

fn kept(store: &MemoryStore, key: &str) -> Value {
    serde_json::from_str(&store.get(key).unwrap().unwrap().value).unwrap()
}

fn fact<'a>(error: &'a gcf_host::wit::ConnectorError, name: &str) -> Option<&'a str> {
    error.details.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}

#[tokio::test]
pub(crate) async fn a_user_lets_the_projects_service_account_invoke() {
    let (host, replay, _, id) = signed_in("user-invoke.json").await;
    let connection = host.connection(&id).await.unwrap();
    assert_eq!((connection.kind, connection.account.as_str()), (CredentialKind::AuthorizedUser, USER));
    assert!(connection.scopes.iter().any(|scope| scope.ends_with("/auth/cloud-platform")));
    assert!(connection.last_used.is_some() && connection.fault.is_none());
    let answer = host.invoke(&id, hello(), None).await.unwrap();
    assert_eq!((answer.status, answer.token), (200, TokenKind::IdToken));
    assert_eq!(answer.principal.as_deref(), Some(APPSPOT));
    assert_eq!(answer.audience.as_deref(), Some(answer.url.trim_end_matches('/')));
    replay.finish().unwrap();
}

#[tokio::test]
pub(crate) async fn a_token_that_cannot_be_minted_is_an_error_and_no_call_is_made_without_it() {
    let (host, replay, _, id) = signed_in("user-mint-denied.json").await;
    let error = refused(host.invoke(&id, hello(), None).await);
    assert_eq!((error.kind, error.origin), (ErrorKind::MissingRole, Origin::Iam));
    assert_eq!(fact(&error, "role"), Some("roles/iam.serviceAccountOpenIdTokenCreator"));
    assert_eq!(fact(&error, "member"), Some("user:ada@example.com"));
    assert_eq!(
        fact(&error, "resource"),
        Some("projects/-/serviceAccounts/demo-project@appspot.gserviceaccount.com")
    );
    let fix = error.fix.unwrap();
    assert!(fix.contains(&format!("gcloud iam service-accounts add-iam-policy-binding {APPSPOT}")), "{fix}");
    replay.finish().unwrap();

    let (host, replay, _, id) = signed_in("user-mint-404.json").await;
    let error = refused(host.invoke(&id, hello(), None).await);
    assert_eq!((error.kind, fact(&error, "service-account")), (ErrorKind::NotFound, Some(APPSPOT)));
    replay.finish().unwrap();
}

#[tokio::test]
pub(crate) async fn the_users_own_id_token_is_for_the_oauth_client() {
    let (host, replay, _, id) = signed_in("user-own-token.json").await;
    let mut request = hello();
    request.invoker = Some(Invoker::User);
    let answer = host.invoke(&id, request.clone(), None).await.unwrap();
    assert_eq!((answer.principal.as_deref(), answer.audience.as_deref()), (Some(USER), Some(CLIENT)));
    replay.finish().unwrap();

    request.invoker = Some(Invoker::Own);
    let error = refused(host.invoke(&id, request, None).await);
    assert_eq!((error.kind, fact(&error, "field")), (ErrorKind::InvalidInput, Some("invoker")));
}

#[tokio::test]
pub(crate) async fn a_new_refresh_token_is_kept() {
    let (host, replay, store, id) = signed_in("refresh-rotated.json").await;
    let credential = format!("credentials/{id}");
    assert_eq!(kept(&store, &credential)["refresh_token"], "[redacted:refresh-token:1]");
    host.custom_api(&id, api_request("GET", LOCATIONS), None).await.unwrap();
    assert_eq!(kept(&store, &credential)["refresh_token"], "[redacted:refresh-token:2]");
    replay.finish().unwrap();
}

#[tokio::test]
pub(crate) async fn a_dead_grant_is_asked_once_and_says_what_to_do() {
    for (name, cause, words) in [
        ("refresh-revoked.json", "revoked", "6 months"),
        ("refresh-rapt.json", "reauthentication", "session"),
    ] {
        let (host, replay, _, id) = signed_in(name).await;
        for _ in 0..3 {
            let error = refused(host.custom_api(&id, api_request("GET", LOCATIONS), None).await);
            assert_eq!((error.kind, fact(&error, "cause")), (ErrorKind::ReconnectRequired, Some(cause)));
            assert!(error.fix.as_deref().unwrap().contains(words), "{:?}", error.fix);
        }
        let fault = host.connection(&id).await.unwrap().fault.unwrap();
        assert_eq!(fault.reason.as_deref(), Some("invalid_grant"));
        replay.finish().unwrap();
    }
}

#[tokio::test]
pub(crate) async fn what_google_does_not_accept_leaves_no_connection() {
    for (name, kind) in [
        ("refresh-deleted-client.json", ErrorKind::ClientConfig),
        ("refresh-scope-missing.json", ErrorKind::InsufficientScope),
    ] {
        let (host, replay, store) = on(name);
        let error = refused(host.connect(with(&user()), None).await);
        assert_eq!(error.kind, kind, "{name}");
        assert_eq!(store.keys("").unwrap(), [""; 0], "{name}");
        replay.finish().unwrap();
    }
    let (host, replay) = on_tape("account-deleted.json");
    let error = refused(host.connect(connect_request(), None).await);
    assert_eq!((error.kind, fact(&error, "cause")), (ErrorKind::CredentialRejected, Some("account-gone")));
    replay.finish().unwrap();
}

#[tokio::test]
pub(crate) async fn a_wrong_clock_is_corrected_once_by_googles() {
    let (host, replay) = on_tape("clock-skew.json");
    host.connect(connect_request(), None).await.unwrap();
    replay.finish().unwrap();
}

#[tokio::test]
pub(crate) async fn disconnecting_revokes_and_forgets_whatever_google_says() {
    let (host, replay, store, id) = signed_in("revoke.json").await;
    assert_eq!(host.disconnect(&id, None).await.unwrap().warnings, [""; 0]);
    assert_eq!(store.keys("").unwrap(), [""; 0]);
    replay.finish().unwrap();

    let (host, replay, store, id) = signed_in("revoke-503.json").await;
    let warnings = host.disconnect(&id, None).await.unwrap().warnings;
    assert!(warnings[0].contains("could not be revoked"), "{warnings:?}");
    assert_eq!(store.keys("").unwrap(), [""; 0]);
    replay.finish().unwrap();
}

#[tokio::test]
pub(crate) async fn a_service_account_is_impersonated_by_way_of_another() {
    let credential = json!({
        "type": "impersonated_service_account",
        "service_account_impersonation_url": "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/deployer@demo-project.iam.gserviceaccount.com:generateAccessToken",
        "delegates": ["projects/-/serviceAccounts/gate@demo-project.iam.gserviceaccount.com"],
        "source_credentials": user(),
    });
    let (host, replay, _) = on("impersonated.json");
    let Connected { connection, .. } = host.connect(with(&credential), None).await.unwrap();
    assert_eq!(connection.kind, CredentialKind::ImpersonatedServiceAccount);
    assert!(connection.account.starts_with("deployer@demo-project.iam.gserviceaccount.com"));
    assert_eq!(connection.invoker, Invoker::Own);
    host.custom_api(&connection.id, api_request("GET", LOCATIONS), None).await.unwrap();
    replay.finish().unwrap();
}

fn federated(impersonates: bool) -> Value {
    let mut credential = json!({
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/github/providers/actions",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.googleapis.com/v1/token",
    });
    if impersonates {
        credential["service_account_impersonation_url"] = json!(
            "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/deployer@demo-project.iam.gserviceaccount.com:generateAccessToken"
        );
    }
    credential
}

#[tokio::test]
pub(crate) async fn another_providers_token_is_exchanged_for_googles() {
    for (name, impersonates) in [("federation.json", false), ("federation-impersonated.json", true)] {
        let (host, replay, store) = on(name);
        let mut request = with(&federated(impersonates));
        request.subject_token = Some("supplied/github".to_owned());
        let error = refused(host.connect(request.clone(), None).await);
        assert!(error.message.contains("no subject token under supplied/github"), "{}", error.message);

        store.put("supplied/github", "the-providers-token", &Expected::Absent).unwrap();
        let Connected { connection, .. } = host.connect(request, None).await.unwrap();
        assert_eq!(connection.kind, CredentialKind::ExternalAccount);
        host.custom_api(&connection.id, api_request("GET", LOCATIONS), None).await.unwrap();
        replay.finish().unwrap();
    }
}

#[tokio::test]
async fn a_credential_that_says_where_to_look_for_a_token_is_refused() {
    for (source, word) in [
        (json!({"executable": {"command": "/bin/sh -c id"}}), "program"),
        (json!({"url": "http://169.254.169.254/"}), "URL"),
        (json!({"environment_id": "aws1"}), "URL"),
        (json!({"file": "/var/run/token"}), "file"),
    ] {
        let (host, replay, _) = on("federation.json");
        let mut credential = federated(false);
        credential["credential_source"] = source;
        let error = refused(host.connect(with(&credential), None).await);
        assert_eq!(
            (error.kind, fact(&error, "field")),
            (ErrorKind::InvalidCredential, Some("credential_source"))
        );
        assert!(error.message.contains(word), "{}", error.message);
        assert!(replay.finish().is_err(), "nothing was sent");
    }
}

#[tokio::test]
pub(crate) async fn the_host_renews_a_token_that_it_supplies() {
    let (host, replay, store) = on("supplied-expired.json");
    store.put("supplied/api", "[redacted:access-token:1]", &Expected::Absent).unwrap();
    let request =
        connect_request().project("demo-project").credential(Credential::SuppliedToken(SuppliedToken {
            key: "supplied/api".to_owned(),
            account: Some(USER.to_owned()),
        }));
    let Connected { connection, .. } = host.connect(request, None).await.unwrap();
    assert_eq!((connection.kind, connection.account.as_str()), (CredentialKind::SuppliedToken, USER));
    // The same token is not tried a second time.
    let answer = host.custom_api(&connection.id, api_request("GET", LOCATIONS), None).await.unwrap();
    assert_eq!(answer.status, 401);
    replay.finish().unwrap();
    assert_eq!(host.disconnect(&connection.id, None).await.unwrap().warnings.len(), 1);
    assert_eq!(store.keys("").unwrap(), ["supplied/api"]);
}

/// A host that keeps the token to itself.
struct Vault;

impl AccessTokens for Vault {
    fn token(&self, origin: &str) -> Supplying {
        assert_eq!(origin, "https://cloudfunctions.googleapis.com");
        let token: Pin<Box<_>> = Box::pin(std::future::ready(AccessToken::parse("token-of-the-host")));
        token
    }
}

#[tokio::test]
async fn a_token_that_the_host_adds_is_never_in_the_sandbox() {
    let mut tape: Value =
        serde_json::from_slice(&crate::fixtures::read(&cassette("supplied-expired.json"))).unwrap();
    // Opaque tokens are told by the header that they stand in.
    tape["interactions"][0]["request"]["headers"]["authorization"] =
        json!("Bearer [redacted:access-token:1]");
    let tape = Tape::from_json(&tape.to_string()).unwrap();
    let replay = Replay::new(tape);
    let store = Arc::new(MemoryStore::new());
    let secrets: Arc<dyn SecretStore> = Arc::<MemoryStore>::clone(&store);
    let host = builder()
        .transport(Arc::new(replay.clone()))
        .secrets(secrets)
        .access_tokens(Arc::new(Vault))
        .build()
        .unwrap();
    let request = connect_request()
        .project("demo-project")
        .credential(Credential::InjectedToken(Some(USER.to_owned())));
    let id = host.connect(request, None).await.unwrap().connection.id;
    let answer = host.custom_api(&id, api_request("GET", LOCATIONS), None).await;
    for key in store.keys("").unwrap() {
        assert!(!store.get(&key).unwrap().unwrap().value.contains("token-of-the-host"), "{key}");
    }
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.token), (401, TokenKind::Injected));
}

#[tokio::test]
async fn a_sign_in_in_the_browser_begins_without_a_request_and_ends_only_with_its_own_state() {
    let (host, _, store) = on("connect-only.json");
    let client = json!({"installed": {
        "client_id": CLIENT, "client_secret": "secret", "project_id": "demo-project",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth", "token_uri": "https://oauth2.googleapis.com/token",
        "redirect_uris": ["http://localhost"]}});
    let request = AuthorizeRequest::new("mine", client.to_string(), "http://127.0.0.1:49152/callback")
        .login_hint(USER)
        .invoker(Invoker::ServiceAccount(Impersonation {
            service_account: None,
            delegates: Vec::new(),
            include_email: true,
        }));
    let begun = host.authorize(request).await.unwrap();
    let url = url::Url::parse(&begun.url).unwrap();
    let sent: std::collections::HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(url.host_str(), Some("accounts.google.com"));
    for (name, value) in [
        ("response_type", "code"),
        ("code_challenge_method", "S256"),
        ("access_type", "offline"),
        ("prompt", "consent select_account"),
        ("login_hint", USER),
        ("redirect_uri", "http://127.0.0.1:49152/callback"),
    ] {
        assert_eq!(sent[name], value);
    }
    assert_eq!(store.keys("pending/").unwrap().len(), 1);

    let back = |query: &str| format!("http://127.0.0.1:49152/callback?{query}");
    for (query, check) in [
        ("code=4/abc&state=OTHER".to_owned(), "state"),
        ("code=4/abc".to_owned(), "state"),
        ("error=access_denied".to_owned(), "state"),
        (format!("code=a&code=b&state={}", sent["state"]), "duplicate"),
        (format!("code=4/abc%0d%0a&state={}", sent["state"]), "char"),
    ] {
        let error = refused(host.finish(&begun.id, &back(&query), None).await);
        assert_eq!(
            (error.kind, fact(&error, "check")),
            (ErrorKind::AuthorizationFailed, Some(check)),
            "{query}"
        );
    }
    assert_eq!(store.keys("pending/").unwrap().len(), 1, "kept: none of these was it");
    let denied = back(&format!("error=access_denied&state={}", sent["state"]));
    assert_eq!(refused(host.finish(&begun.id, &denied, None).await).kind, ErrorKind::AuthorizationDenied);
    let error = refused(host.finish(&begun.id, &denied, None).await);
    assert_eq!(fact(&error, "check"), Some("authorization"), "used up");
    assert_eq!(store.keys("").unwrap(), [""; 0]);
}
