//! The refusals of the component, and of the host on its own; no byte is sent then.

use std::{sync::Arc, time::Duration};

use gcf_host::{
    CallError, HostError, Limits,
    egress::EgressPolicy,
    secrets::MemoryStore,
    transport::{Body, Sending, Timeouts, Transport, TransportError},
    wit::{ErrorKind, FunctionRef, Header},
};
use serde_json::{Value, json};

use crate::fixtures::{
    api_request, builder, connect_request,
    google::{FUNCTION, Google, json_response},
    invoke_request, list_request, named, refused,
    silent::{Nobody, silent},
    world::{described, on_script},
};

#[tokio::test]
async fn an_access_token_goes_to_no_other_host() {
    let (host, id) = silent(connect_request()).await;
    for path in [
        "https://evil.example/",
        "https://evilgoogleapis.com/v2/projects",
        "https://cloudfunctions.googleapis.com@evil.example/",
        "https://169.254.169.254/computeMetadata/v1/",
        "https://2852039166/",
        "https://[::ffff:169.254.169.254]/",
        "https://metadata.google.internal/",
        "http://hello-abc123-uc.a.run.app/",
        "https://hello-abc123-uc.a.run.app:8443/",
        "//evil.example/v2",
        "/v2/../../v1/projects",
        "/v2/%2e%2e/x",
    ] {
        let error = refused(host.custom_api(&id, api_request("GET", path), None).await);
        assert_eq!(error.kind, ErrorKind::InvalidInput, "{path}");
        assert!(error.trace.is_empty(), "{path}");
    }
}

#[tokio::test]
async fn an_id_token_goes_to_no_other_host() {
    let (host, id) = silent(connect_request()).await;
    for url in [
        "https://evil.example/",
        "https://fn.run.app.evil.example/",
        "https://1.2.3.4/",
        "http://f-a.a.run.app/",
    ] {
        let request = invoke_request(FunctionRef::Url(url.to_owned()));
        assert_eq!(refused(host.invoke(&id, request, None).await).kind, ErrorKind::InvalidInput, "{url}");
    }
}

#[tokio::test]
async fn a_callers_credential_header_is_refused() {
    let (host, id) = silent(connect_request()).await;
    for name in ["Authorization", "X-Serverless-Authorization", "Cookie", "Host"] {
        let mut request = api_request("GET", "/v2/projects/p/locations");
        request.headers = vec![Header { name: name.to_owned(), value: "x".to_owned() }];
        let error = refused(host.custom_api(&id, request, None).await);
        assert_eq!(error.kind, ErrorKind::InvalidInput, "{name}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let (host, id) = silent(connect_request()).await;
    let mut request = invoke_request(FunctionRef::Url(format!("https://{FUNCTION}")));
    request.body = Some(gcf_host::wit::Body::Text("x".repeat((32 << 20) + 1)));
    assert_eq!(refused(host.invoke(&id, request, None).await).kind, ErrorKind::TooLarge);
}

#[tokio::test]
async fn what_google_names_as_a_functions_url_is_not_trusted() {
    let mut descriptions = vec![json!({"environment": "GEN_2"})];
    for url in [
        json!("https://evil.example"),
        json!("https://a.run.app/"),
        json!("https://fn.run.app.evil.com/"),
        json!("https://evilrun.app/"),
        json!("https://fn-abc-uc.a.run.app:8443/"),
        json!("https://u:p@fn-abc-uc.a.run.app/"),
        json!("http://fn-abc-uc.a.run.app/"),
        json!("https://fn-abc-uc.a.run.app/path?and=query"),
        json!("https://us-central1-demo-project.cloudfunctions.net/"),
        json!(""),
        json!(null),
    ] {
        descriptions.push(json!({"environment": "GEN_2", "serviceConfig": {"uri": url}}));
        descriptions.push(json!({"environment": "GEN_1", "url": url}));
    }
    let of_google = descriptions.clone();
    let (host, google, id) = on_script(move |sent| {
        // One function after the other, by its number.
        let (_, number) = sent.url.split_once("/functions/f").expect("no function is called");
        let number: usize = number.split('?').next().unwrap().parse().unwrap();
        Some(json_response(200, &described(of_google[number].clone())))
    })
    .await;
    for (number, description) in descriptions.iter().enumerate() {
        let request = invoke_request(named(&format!("f{number}"), Some("us-central1")));
        let error = refused(host.invoke(&id, request, None).await);
        let sent = google.take();
        assert_eq!((error.kind, sent.len()), (ErrorKind::NotInvocable, 1), "{description}");
        let url = description["url"].as_str().or_else(|| description["serviceConfig"]["uri"].as_str());
        let why =
            if url.is_none_or(str::is_empty) { "has no URL to call" } else { "where no function can be" };
        assert!(error.message.contains(why), "{}", error.message);
    }
}

/// The rule that a list needs, without the one for the place where tokens come from.
pub(crate) fn without_the_token_endpoint() -> EgressPolicy {
    let rules = json!([{"host": "cloudfunctions.googleapis.com", "carries": ["access-token"]}]);
    EgressPolicy::from_manifest(&rules).unwrap()
}

/// The host does not take the component's word: where the host allows less, what the component finds right is stopped.
#[tokio::test]
async fn the_hosts_policy_is_its_own() {
    let host =
        builder().egress_allow(without_the_token_endpoint()).transport(Arc::new(Nobody)).build().unwrap();
    let error = refused(host.connect(connect_request(), None).await);
    assert_eq!(error.kind, ErrorKind::EgressDenied);
}

#[tokio::test]
async fn requests_are_counted() {
    let google = Google::start(|_| json_response(200, &json!({}))).await;
    let limits = Limits { requests: 1, ..Limits::default() };
    let host = builder().transport(crate::fixtures::live(&google)).limits(limits).build().unwrap();
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    let request = invoke_request(FunctionRef::Url(format!("https://{FUNCTION}")));
    let stopped = host.invoke(&id, request, None).await;
    assert!(matches!(stopped, Err(CallError::Host(HostError::LimitExceeded(_)))), "{stopped:?}");
    assert!(google.seen_at(FUNCTION).is_empty());
}

/// A network that never answers.
#[derive(Debug)]
struct Silence;

impl Transport for Silence {
    fn send(&self, _: http::Request<Body>, _: Timeouts) -> Sending {
        Box::pin(std::future::pending::<Result<http::Response<Body>, TransportError>>())
    }
}

/// The clock of the runtime is paused: the deadline comes at once.
#[tokio::test(start_paused = true)]
async fn a_deadline_is_kept_by_the_component_itself() {
    let host = builder().transport(Arc::new(Silence)).build().unwrap();
    let error = refused(host.connect(connect_request(), Some(Duration::from_secs(5))).await);
    assert_eq!(error.kind, ErrorKind::DeadlineExceeded);
    assert_eq!(error.trace.len(), 1);
}

#[tokio::test]
async fn a_connection_of_another_store_does_not_exist() {
    let (_, id) = silent(connect_request()).await;
    let host = builder().transport(Arc::new(Nobody)).secrets(Arc::new(MemoryStore::new())).build().unwrap();
    assert_eq!(refused(host.connection(&id).await).kind, ErrorKind::ConnectionNotFound);
    let error = refused(host.list_functions("", list_request(), None).await);
    assert_eq!(error.kind, ErrorKind::ConnectionRequired);
}

#[tokio::test]
async fn the_catalog_needs_nothing() {
    let host = builder().transport(Arc::new(Nobody)).build().unwrap();
    let catalog: Value = serde_json::from_str(host.describe()).unwrap();
    assert_eq!(catalog["contract"], "gcf:connector@0.1.0");
    assert_eq!(catalog["actions"].as_array().unwrap().len(), 17);
}
