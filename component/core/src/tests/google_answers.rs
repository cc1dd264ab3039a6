//! Answers of Google that people met, from `tests/fixtures/google-answers.json`, and what comes of each. The same rows run on
//! the shipping component.

use serde_json::Value;

use super::{
    bad_inputs::kebab,
    detail,
    invoke::{in_region, request},
    one_request,
};
use crate::{
    actions::functions::{
        get,
        invoke::{Auth, InvokeRequest, invoke},
        list::list,
    },
    base::{
        error::{Error, Result},
        http::Response,
    },
    google::which::FunctionRef,
    sign_in::invoker::InvokerRequest,
    testing::{World, block_on, id_token},
};

const URL: &str = "https://f-abcdefghij-uc.a.run.app";

fn response(answer: &Value) -> Response {
    let headers = answer["headers"].as_object().into_iter().flatten();
    let mut headers: Vec<_> =
        headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().as_bytes().to_vec())).collect();
    let body = if let Some(text) = answer["body"].as_str() {
        text.as_bytes().to_vec()
    } else {
        headers.push(("content-type".to_owned(), b"application/json; charset=UTF-8".to_vec()));
        answer["body"].to_string().into_bytes()
    };
    Response { status: u16::try_from(answer["status"].as_u64().unwrap()).unwrap(), headers, body }
}

fn outcome(row: &Value) -> Result<Option<(String, String)>> {
    let (world, id) = World::connected();
    let by_url = || request(FunctionRef::Url(URL.to_owned()));
    if row["call"] == "call" {
        world.then(id_token(URL));
    }
    for answer in row["answers"].as_array().unwrap() {
        world.then(Ok(response(answer)));
        // A token that is refused is minted once more.
        if row["call"] == "call" && answer["status"] == 401 {
            world.then(id_token(URL));
            world.then(Ok(response(answer)));
        }
    }
    let invoked = |request: InvokeRequest| block_on(invoke(&world, &id, request, None)).map(|_| None);
    match row["call"].as_str().unwrap() {
        "list" => block_on(list(&world, &id, one_request(), None)).map(|_| None),
        "get" => block_on(get::get(&world, &id, in_region("hello"), None)).map(|function| {
            Some((function.generation.as_str().to_owned(), function.url.unwrap_or_default()))
        }),
        "invoke" => invoked(request(in_region("hello"))),
        "call" => invoked(by_url()),
        "anonymous" => invoked(InvokeRequest { auth: Auth::None, ..by_url() }),
        "mint" => invoked(InvokeRequest {
            invoker: Some(InvokerRequest::ServiceAccount {
                service_account: Some("other@demo-project.iam.gserviceaccount.com".to_owned()),
                delegates: Vec::new(),
                include_email: true,
            }),
            ..by_url()
        }),
        other => panic!("{other}"),
    }
}

fn assert_error(name: &str, error: &Error, right: &Value) {
    let fields = error.fields();
    let text = |field: &str| right[field].as_str();
    assert_eq!(Some(kebab(fields.kind).as_str()), text("kind"), "{name}: {error}");
    if let Some(origin) = text("origin") {
        assert_eq!(kebab(fields.origin), origin, "{name}");
    }
    if let Some(reason) = text("reason") {
        assert_eq!(fields.reason.as_deref(), Some(reason), "{name}");
    }
    if let Some(link) = text("link") {
        assert_eq!(fields.link.as_deref(), Some(link), "{name}");
    }
    assert!(fields.fix.as_deref().unwrap().contains(text("fix").unwrap_or_default()), "{name}: {error}");
    assert!(fields.message.contains(text("message").unwrap_or_default()), "{name}: {error}");
    for (fact, value) in right["details"].as_object().into_iter().flatten() {
        assert_eq!(detail(error, fact), value.as_str(), "{name}: {fact}");
    }
}

#[test]
fn what_people_met_comes_out_right() {
    let rows: Vec<Value> =
        serde_json::from_str(include_str!("../../../../tests/fixtures/google-answers.json")).unwrap();
    assert!(rows.len() >= 21);
    for row in &rows {
        let (name, right) = (row["name"].as_str().unwrap(), &row["right"]);
        assert!(
            ["captured", "documented", "inferred", "composite"].contains(&row["known"].as_str().unwrap())
        );
        assert!(!row["from"].as_str().unwrap().is_empty(), "{name}");
        match (outcome(row), right["generation"].as_str()) {
            (Ok(Some((generation, url))), Some(right_generation)) => {
                assert_eq!(
                    (generation.as_str(), url.as_str()),
                    (right_generation, right["url"].as_str().unwrap()),
                    "{name}"
                );
            }
            (Err(error), None) => assert_error(name, &error, right),
            (other, _) => panic!("{name}: {other:?}"),
        }
    }
}
