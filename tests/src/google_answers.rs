//! `fixtures/google-answers.json` on the shipping component: answers that people met, and what comes of each. The core has
//! the same rows in its own tests.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use gcf_host::{
    CallError,
    wit::{Auth, ConnectorError, FunctionRef, Impersonation, Invoker},
};
use http::Response;
use http_body_util::Full;
use serde_json::Value;

use crate::{
    bad_inputs::kebab,
    fixtures::{google::respond, invoke_request, list_request, named, world::on_script},
};

const URL: &str = "https://f-abcdefghij-uc.a.run.app";

fn response(answer: &Value) -> Response<Full<Bytes>> {
    let status = u16::try_from(answer["status"].as_u64().unwrap()).unwrap();
    let (content_type, body) = answer["body"].as_str().map_or_else(
        || ("application/json; charset=UTF-8", answer["body"].to_string()),
        |text| ("text/html", text.to_owned()),
    );
    let mut response = respond(status, content_type, body);
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
        response.headers_mut().insert(name, value.as_str().unwrap().parse().unwrap());
    }
    response
}

/// The end of the call: an error, or the generation and the URL of a function that was got.
async fn outcome(row: &Value) -> Result<Option<(String, String)>, CallError> {
    let answers = row["answers"].as_array().unwrap().clone();
    let next = AtomicUsize::new(0);
    let (host, _, id) = on_script(move |sent| {
        // A token that is refused is minted once more, and refused again.
        let answer = answers.get(next.fetch_add(1, Ordering::SeqCst)).or(answers.last());
        Some(response(answer.unwrap_or_else(|| panic!("nothing is there for {}", sent.url))))
    })
    .await;
    let by_url = || invoke_request(FunctionRef::Url(URL.to_owned()));
    let hello = || named("hello", Some("us-central1"));
    let mut invoke = match row["call"].as_str().unwrap() {
        "list" => {
            // Cloud Run knows no filter, so this is one request.
            let mut request = list_request();
            request.filter = Some("environment=\"GEN_2\"".to_owned());
            return host.list_functions(&id, request, None).await.map(|_| None);
        }
        "get" => {
            let got = host.get_function(&id, hello(), None).await;
            return got.map(|function| Some((kebab(function.generation), function.url.unwrap_or_default())));
        }
        "invoke" => invoke_request(hello()),
        "call" | "anonymous" | "mint" => by_url(),
        other => panic!("{other}"),
    };
    if row["call"] == "anonymous" {
        invoke.auth = Auth::None;
    }
    if row["call"] == "mint" {
        invoke.invoker = Some(Invoker::ServiceAccount(Impersonation {
            service_account: Some("other@demo-project.iam.gserviceaccount.com".to_owned()),
            delegates: Vec::new(),
            include_email: true,
        }));
    }
    host.invoke(&id, invoke, None).await.map(|_| None)
}

fn assert_error(name: &str, error: &ConnectorError, right: &Value) {
    let text = |field: &str| right[field].as_str();
    assert_eq!(Some(kebab(error.kind).as_str()), text("kind"), "{name}: {}", error.message);
    for (what, found) in [
        ("origin", Some(kebab(error.origin))),
        ("reason", error.reason.clone()),
        ("link", error.link.clone()),
    ] {
        assert!(text(what).is_none() || text(what) == found.as_deref(), "{name}: {what} is {found:?}");
    }
    assert!(
        error.fix.as_deref().unwrap().contains(text("fix").unwrap_or_default()),
        "{name}: {:?}",
        error.fix
    );
    assert!(error.message.contains(text("message").unwrap_or_default()), "{name}: {}", error.message);
    for (fact, value) in right["details"].as_object().into_iter().flatten() {
        let found = error.details.iter().find(|(known, _)| known == fact).map(|(_, value)| value.as_str());
        assert_eq!(found, value.as_str(), "{name}: {fact}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_people_met_comes_out_right() {
    let rows: Vec<Value> = serde_json::from_str(include_str!("../fixtures/google-answers.json")).unwrap();
    assert!(rows.len() >= 21);
    for row in &rows {
        let (name, right) = (row["name"].as_str().unwrap(), &row["right"]);
        match (outcome(row).await, right["generation"].as_str()) {
            (Ok(Some((generation, url))), Some(right_generation)) => {
                assert_eq!(
                    (generation.as_str(), url.as_str()),
                    (right_generation, right["url"].as_str().unwrap()),
                    "{name}"
                );
            }
            (Err(CallError::Connector(error)), None) => assert_error(name, &error, right),
            (other, _) => panic!("{name}: {other:?}"),
        }
    }
}
