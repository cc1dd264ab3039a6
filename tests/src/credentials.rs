//! Credential files as people have them, and the project that their requests count against: what leaves then.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use gcf_host::wit::{ConnectRequest, ErrorKind, FunctionRef};
use serde_json::{Value, json};

use crate::fixtures::{
    DEMO_KEY, api_request, builder, connect_request,
    google::{FUNCTION, granted},
    invoke_request, list_request, refused,
    scripted::{Scripted, grant},
    world::clock,
};

fn key(change: impl FnOnce(&mut Value)) -> String {
    let mut key: Value = serde_json::from_str(DEMO_KEY).unwrap();
    change(&mut key);
    key.to_string()
}

fn mangled(change: impl FnOnce(String) -> String) -> String {
    key(|key| key["private_key"] = change(key["private_key"].as_str().unwrap().to_owned()).into())
}

/// Each is the same key: what Google verifies, it signs. And whatever the file says, oauth2.googleapis.com is asked.
#[tokio::test]
async fn a_key_that_was_mangled_on_the_way_signs_as_it_did() {
    use base64::Engine as _;
    let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let google = Scripted::new(|sent| match sent.url.as_str() {
        "https://oauth2.googleapis.com/token" => (200, granted(&sent.body)),
        _ => (200, json!({})),
    });
    let host = builder().transport(Arc::new(google.clone())).build().unwrap();
    for (name, file) in [
        ("its lines as two characters", mangled(|pem| pem.replace('\n', "\\n"))),
        ("its lines as spaces", mangled(|pem| pem.replace('\n', " "))),
        ("one line", mangled(|pem| pem.replace('\n', ""))),
        ("in quotes", mangled(|pem| format!("\"{pem}\""))),
        ("lines of Windows", mangled(|pem| pem.replace('\n', "\r\n"))),
        ("an old key", key(|key| key["token_uri"] = "https://accounts.google.com/o/oauth2/token".into())),
        ("a less old key", key(|key| key["token_uri"] = "https://www.googleapis.com/oauth2/v4/token".into())),
        ("in Base64", base64(DEMO_KEY)),
        ("after a mark", format!("\u{feff}{DEMO_KEY}")),
        ("in a text of JSON", Value::from(DEMO_KEY).to_string()),
        ("with lines that a shell has made", DEMO_KEY.replace("\\n", "\n")),
        ("without its type", key(|key| drop(key.as_object_mut().unwrap().remove("type")))),
    ] {
        let request = ConnectRequest::google_json(name, file);
        let connected = host.connect(request, None).await.unwrap();
        assert!(connected.warnings.is_empty(), "{name}: {:?}", connected.warnings);
        let sent = google.take();
        assert_eq!(sent.len(), 1, "{name}");
        assert_eq!(sent[0].url, "https://oauth2.googleapis.com/token", "{name}");
        // The key that is kept, and not the one in hand, signs for the ID token.
        let invoke = invoke_request(FunctionRef::Url(format!("https://{FUNCTION}")));
        assert_eq!(host.invoke(&connected.connection.id, invoke, None).await.unwrap().status, 200, "{name}");
        assert_eq!(google.take().len(), 2, "{name}");
    }
}

#[tokio::test]
async fn a_key_of_another_universe_is_not_sent_anywhere() {
    let google = Scripted::new(|_| (200, json!({})));
    let host = builder().transport(Arc::new(google.clone())).build().unwrap();
    let file = key(|key| key["universe_domain"] = "s3nsapis.fr".into());
    let request = ConnectRequest::google_json("elsewhere", file);
    let error = refused(host.connect(request, None).await);
    assert_eq!(error.kind, ErrorKind::UnsupportedCredential);
    assert!(google.take().is_empty());
}

/// <https://cloud.google.com/docs/quotas/quota-project>
#[tokio::test]
async fn a_quota_project_is_sent_to_the_apis_that_read_it() {
    let google = Scripted::new(|sent| match sent.url.as_str() {
        "https://oauth2.googleapis.com/token" => (200, granted(&sent.body)),
        _ => (200, json!({})),
    });
    let host = builder().transport(Arc::new(google.clone())).build().unwrap();
    let request = connect_request().quota_project("payer");
    let connection = host.connect(request, None).await.unwrap().connection;
    assert_eq!(connection.quota_project.as_deref(), Some("payer"));
    assert_eq!(google.take()[0].quota_project, "");
    for (api, expected) in [
        ("functions", ""),
        ("run", ""),
        ("eventarc", ""),
        ("logging", "payer"),
        ("serviceusage", "payer"),
        ("resourcemanager", "payer"),
    ] {
        let request = api_request("GET", "/v2/x").api(api);
        host.custom_api(&connection.id, request, None).await.unwrap();
        assert_eq!(google.take()[0].quota_project, expected, "{api}");
    }
}

/// "Robot is disabled.": googleapis/google-api-ruby-client#720. Whoever enables the account again need not wait, and those who
/// come at the same time do not all ask.
#[tokio::test(start_paused = true)]
async fn a_disabled_account_works_within_seconds_of_being_enabled() {
    let disabled = Arc::new(AtomicBool::new(false));
    let is_disabled = Arc::clone(&disabled);
    let google = Scripted::new(move |sent| match sent.url.as_str() {
        "https://oauth2.googleapis.com/token" if is_disabled.load(Ordering::Relaxed) => {
            (400, json!({"error": "invalid_grant", "error_description": "Robot is disabled."}))
        }
        "https://oauth2.googleapis.com/token" => (200, grant(sent)),
        _ => (200, json!({})),
    });
    let host = builder().transport(Arc::new(google.clone())).clock(clock()).build().unwrap();
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    tokio::time::advance(Duration::from_secs(4000)).await;
    disabled.store(true, Ordering::Relaxed);
    google.take();
    let error = refused(host.list_functions(&id, list_request(), None).await);
    assert_eq!(error.kind, ErrorKind::CredentialRejected);
    assert!(error.details.contains(&("cause".to_owned(), "account-disabled".to_owned())), "{error:?}");
    let fix = error.fix.unwrap();
    assert!(fix.contains("enables it") && fix.contains("key stays good"), "{fix}");
    assert!(host.list_functions(&id, list_request(), None).await.is_err());
    assert_eq!(google.take().len(), 1);
    disabled.store(false, Ordering::Relaxed);
    tokio::time::advance(Duration::from_secs(6)).await;
    assert!(host.list_functions(&id, list_request(), None).await.is_ok());
}
