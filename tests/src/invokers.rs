//! The owners of tokens: invokers, their delegates, and connections side by side.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use gcf_host::{
    secrets::{MemoryStore, SecretStore},
    wit::{FunctionRef, Impersonation, Invoker, TokenKind},
};
use serde_json::{Value, json};

use crate::fixtures::{
    api_request, builder, connect_request, google::FUNCTION, invoke_request, scripted::Scripted,
};

const ROBOT: &str = "robot@demo-project.iam.gserviceaccount.com";
const GATE: &str = "gate@demo-project.iam.gserviceaccount.com";

/// A Google that grants access tokens by number, and mints the tokens that IAM Credentials is asked for.
fn google() -> Scripted {
    let number = AtomicU64::new(0);
    Scripted::new(move |sent| {
        if sent.url.ends_with("/token") {
            let token = format!("ya29.{}", number.fetch_add(1, Ordering::Relaxed));
            return (200, json!({"access_token": token, "expires_in": 3600, "token_type": "Bearer"}));
        }
        if sent.url.ends_with(":generateIdToken") {
            let asked: Value = serde_json::from_str(&sent.body).unwrap();
            let claims = json!({"aud": asked["audience"], "exp": 4_000_000_000_u64, "sub": "1"});
            let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
            return (
                200,
                json!({"token": format!("{}.{}.c2ln", part(&json!({"alg": "RS256"})), part(&claims))}),
            );
        }
        (200, json!({}))
    })
}

#[tokio::test]
async fn tokens_never_cross_from_one_connection_to_another() {
    let google = google();
    let store = Arc::new(MemoryStore::new());
    let secrets: Arc<dyn SecretStore> = Arc::<MemoryStore>::clone(&store);
    let host = builder().transport(Arc::new(google.clone())).secrets(secrets).build().unwrap();
    // The same key twice: everything about the two is alike but their ids.
    let one = host.connect(connect_request(), None).await.unwrap().connection.id;
    let two = host.connect(connect_request(), None).await.unwrap();
    assert!(two.warnings.iter().any(|warning| warning.contains("demo")), "the nickname is there already");
    let two = two.connection.id;
    google.take();
    let path = "/v2/projects/demo-project/locations";
    for (id, token) in [(&one, "Bearer ya29.0"), (&two, "Bearer ya29.1"), (&one, "Bearer ya29.0")] {
        host.custom_api(id, api_request("GET", path), None).await.unwrap();
        let sent = google.take();
        assert_eq!((sent.len(), sent[0].authorization.as_str()), (1, token));
    }
    host.disconnect(&one, None).await.unwrap();
    for key in store.keys("").unwrap() {
        // The index of nicknames names the second, which has the nickname alone now.
        let is_index = key.starts_with("nicknames/") && store.get(&key).unwrap().unwrap().value != one;
        assert!(key.contains(&two) || is_index && !key.contains(&one), "{key}: nothing of the first is left");
    }
    host.custom_api(&two, api_request("GET", path), None).await.unwrap();
}

#[tokio::test]
async fn an_invoker_is_reached_by_its_delegates_and_may_stay_unnamed() {
    let google = google();
    let host = builder().transport(Arc::new(google.clone())).build().unwrap();
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    google.take();
    let mut request = invoke_request(FunctionRef::Url(format!("https://{FUNCTION}")));
    request.path = "/below".to_owned();
    request.invoker = Some(Invoker::ServiceAccount(Impersonation {
        service_account: Some(ROBOT.to_owned()),
        delegates: vec![GATE.to_owned()],
        include_email: false,
    }));
    let answer = host.invoke(&id, request, None).await.unwrap();
    let sent = google.take();
    assert_eq!(sent.len(), 2);
    assert!(sent[0].url.ends_with(&format!("/v1/projects/-/serviceAccounts/{ROBOT}:generateIdToken")));
    let asked: Value = serde_json::from_str(&sent[0].body).unwrap();
    let audience = format!("https://{FUNCTION}");
    assert_eq!(
        asked,
        json!({"audience": audience, "includeEmail": false, "delegates": [format!("projects/-/serviceAccounts/{GATE}")]})
    );
    assert_eq!(sent[1].url, format!("{audience}/below"));
    assert_eq!((answer.token, answer.audience), (TokenKind::IdToken, Some(audience)));
    // All that the token says of who is calling: Google's id of the account.
    assert_eq!(answer.principal.as_deref(), Some("1"));
}
