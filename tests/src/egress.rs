//! The things that a component declares and sends, against what the host knows: with the connector, and with
//! a guest that means ill.

use std::{sync::Arc, time::Duration};

use gcf_host::{CallError, Host, HostBuilder, HostError, clock::ReplayClock, egress::EgressPolicy};
use serde_json::{Value, json};

use crate::fixtures::{
    builder, connect_request,
    google::{granted, json_response},
    hostile, list_request, refused,
    scripted::Scripted,
};

/// The host in the guest's manifest on the first day of 1970, in the place of Google's.
const EVIL: &str = "cloudfunctions.evil.example";

const GOOGLE: &str = "cloudfunctions.googleapis.com";

const TOKEN: &str = "authorization: Bearer ya29.canary";

fn rules(rules: &Value) -> EgressPolicy {
    EgressPolicy::from_manifest(rules).unwrap()
}

/// The guest, whose manifest names somebody else's host in the place of Google's.
fn evil() -> HostBuilder {
    builder().component_file(hostile()).clock(Arc::new(ReplayClock::at(Duration::ZERO)))
}

fn everywhere() -> Scripted {
    Scripted::saying(|_| Some(json_response(200, &json!({}))))
}

/// The error that the guest gets when it sends a request with a header.
async fn told(host: &Host, misdeed: &str, header: &str) -> Result<(), String> {
    match host.check(&format!("{misdeed} {header}"), None, None).await {
        Ok(_) => Ok(()),
        Err(CallError::Connector(error)) => Err(error.message),
        Err(error @ CallError::Host(_)) => panic!("{error}"),
    }
}

#[test]
fn the_host_knows_what_the_connector_declares() {
    let host = builder().build().unwrap();
    let catalog: Value = serde_json::from_str(host.describe()).unwrap();
    assert_eq!(EgressPolicy::shipping(), rules(&catalog["egress"]));
}

#[test]
fn a_component_that_declares_a_host_of_its_own_is_not_taken() {
    match evil().build() {
        Err(HostError::EgressBeyond(beyond)) => {
            assert_eq!(beyond, [format!("{EVIL} with access-token, none")]);
        }
        other => panic!("{other:?}"),
    }
}

/// The operator's word: the guest may send all that it names, and nothing else.
#[tokio::test]
async fn an_operator_says_what_a_component_of_their_own_may_send() {
    let allowed = rules(&json!([{"host": EVIL, "carries": ["access-token"]}]));
    let network = everywhere();
    let host = evil().egress_allow(allowed).transport(Arc::new(network.clone()));
    let host = host.build().unwrap();
    told(&host, "smuggle", TOKEN).await.unwrap();
    assert_eq!(network.take()[0].url, format!("https://{EVIL}/"));
    // It declares requests without a token, and functions, too.
    for (misdeed, header) in [("smuggle", "x-a: b"), ("header", "x-a: b")] {
        let error = told(&host, misdeed, header).await.unwrap_err();
        assert!(error.contains("Denied"), "{error}");
    }
    let allowed = rules(&json!([{"host": "run.googleapis.com", "carries": ["access-token"]}]));
    let host = evil().egress_allow(allowed).transport(Arc::new(network.clone()));
    told(&host.build().unwrap(), "smuggle", TOKEN).await.unwrap_err();
    assert!(network.take().is_empty());
}

/// A connection that may list functions of Cloud Functions, and go nowhere else.
#[tokio::test]
async fn an_operator_narrows_the_connector() {
    let google = Scripted::saying(|sent| {
        Some(match sent.url.as_str() {
            "https://oauth2.googleapis.com/token" => json_response(200, &granted(&sent.body)),
            _ => json_response(200, &json!({})),
        })
    });
    let allowed = rules(&json!([
        {"host": "oauth2.googleapis.com", "carries": ["assertion"]},
        {"host": GOOGLE, "carries": ["access-token"]},
    ]));
    let host = builder().egress_allow(allowed).transport(Arc::new(google.clone())).build().unwrap();
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    let list = host.list_functions(&id, list_request(), None).await.unwrap();
    assert!(list.missing.iter().all(|part| part.source == "run.googleapis.com"), "{:?}", list.missing);
    assert!(!list.missing.is_empty());
    assert!(google.take().iter().all(|sent| !sent.url.contains("run.googleapis.com")));

    let none = rules(&json!([{"host": "oauth2.googleapis.com", "carries": ["assertion"]}]));
    let host = builder().egress_allow(none).transport(Arc::new(google.clone())).build().unwrap();
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    google.take();
    let error = refused(host.list_functions(&id, list_request(), None).await);
    assert_eq!(error.kind, gcf_host::wit::ErrorKind::EgressDenied);
    assert!(google.take().is_empty());
}

/// The policy weighs two headers, and a component has more.
#[tokio::test]
async fn no_other_header_takes_a_credential_along() {
    let network = everywhere();
    let host = builder().component_file(hostile()).transport(Arc::new(network.clone())).build().unwrap();
    for header in [
        "cookie: SID=canary",
        "proxy-authorization: Basic canary",
        "x-goog-api-key: AIzacanary",
        "x-goog-iap-jwt-assertion: eyJ.canary",
        "x-token: Bearer ya29.canary",
        "x-token: bearer canary",
        "x-token: ya29.canary",
        "user-agent: Bearer canary",
        TOKEN,
    ] {
        let error = told(&host, "header", header).await.unwrap_err();
        // Where WASI itself knows the name, it gets no further than that.
        let refused = error.contains("Denied") || error.contains("Forbidden");
        assert!(refused && !error.contains("canary"), "{header}: {error}");
        // The one header in which Google's own API gets it.
        if header != TOKEN {
            told(&host, "smuggle", header).await.unwrap_err();
        }
    }
    assert!(network.take().is_empty());
    for (misdeed, header) in
        [("header", "x-api-key: of-the-caller"), ("smuggle", TOKEN), ("smuggle", "x-a: b")]
    {
        told(&host, misdeed, header).await.unwrap();
    }
    assert_eq!(network.take().len(), 3);
}
