//! Events as the body, and 1st gen functions that only `functions.call` reaches.

use serde_json::{Value, json};
use test_case::test_case;

use super::{
    detail, gen1, gen2,
    invoke::{GEN2_URL, call, in_region, request},
};
use crate::{
    actions::functions::{
        Generation,
        invoke::{Auth, Invocation, InvokeRequest},
    },
    base::{
        content::Content,
        error::{Error, Kind, Origin},
        http::{Method, TokenKind, TransportError},
        secret::Secret,
    },
    google::{
        request::{body::Body, grammar::Query},
        which::FunctionRef,
    },
    sign_in::invoker::InvokerRequest,
    testing::{Answer, World, id_token, json_answer},
};

const EVENT: &str = r#"{"specversion":"1.0","id":"7","source":"//pubsub.googleapis.com/t","type":"google.cloud.pubsub.topic.v1.messagePublished",
    "subject":"a b","data": {"n":1.0,  "m":[ ]}}"#;
const CALL: &str = "https://cloudfunctions.googleapis.com/v1/projects/demo-project/locations/us-central1/functions/hello:call";

fn event(function: FunctionRef) -> InvokeRequest {
    InvokeRequest { body: Some(Body::CloudEvent(EVENT.to_owned())), ..request(function) }
}

fn started_by_events(mut function: Value) -> Answer {
    function["eventTrigger"] = json!({"eventType": "google.cloud.pubsub.topic.v1.messagePublished"});
    json_answer(200, &function)
}

/// A call of a 1st gen function that events start, with this answer.
fn test_call(answer: Answer, change: impl FnOnce(&mut InvokeRequest)) -> (World, Result<Invocation, Error>) {
    let (world, id) = World::connected();
    let mut function = gen1("us-central1", "hello");
    function.as_object_mut().unwrap().remove("url");
    world.then(started_by_events(function));
    world.then(answer);
    let mut request = event(in_region("hello"));
    change(&mut request);
    let outcome = call(&world, &id, request);
    (world, outcome)
}

#[test_case(Some("event"); "that events start")]
#[test_case(None; "that requests start")]
fn a_second_gen_function_gets_an_event_in_binary_mode(trigger: Option<&str>) {
    let (world, id) = World::connected();
    let function = gen2("us-central1", "hello");
    world.then(if trigger.is_some() { started_by_events(function) } else { json_answer(200, &function) });
    world.then(id_token(GEN2_URL));
    world.then(json_answer(204, &json!({})));
    let mut request = event(in_region("hello"));
    request.headers = vec![("x-trace".to_owned(), "1".to_owned())];
    assert_eq!(call(&world, &id, request).unwrap().status, 204);
    let sent = &world.sent.borrow()[2];
    assert_eq!((sent.method(), sent.body()), (Method::Post, br#"{"n":1.0,  "m":[ ]}"#.as_slice()));
    let headers: Vec<_> =
        sent.headers().iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        headers,
        [
            ("x-trace", "1"),
            ("ce-specversion", "1.0"),
            ("ce-id", "7"),
            ("ce-source", "//pubsub.googleapis.com/t"),
            ("ce-type", "google.cloud.pubsub.topic.v1.messagePublished"),
            ("ce-subject", "a%20b"),
            ("content-type", "application/json"),
        ]
    );
}

#[test]
fn a_function_that_events_start_takes_nothing_else() {
    for (function, said) in
        [(gen2("us-central1", "hello"), "CloudEvent"), (gen1("us-central1", "hello"), "for a test")]
    {
        let (world, id) = World::connected();
        world.then(started_by_events(function));
        let error = call(&world, &id, request(in_region("hello"))).unwrap_err();
        assert_eq!((error.kind(), error.fields().origin), (Kind::NotInvocable, Origin::Input));
        assert!(error.fields().fix.as_ref().unwrap().contains(said), "{error}");
        assert_eq!(world.urls().len(), 1, "only the lookup");
    }
}

#[test_case(|r| r.method = "GET".to_owned(), "method"; "another method")]
#[test_case(|r| r.headers = vec![("CE-Id".to_owned(), "8".to_owned())], "headers"; "an attribute as a header")]
#[test_case(|r| r.headers = vec![("content-type".to_owned(), "a/b".to_owned())], "headers"; "a media type as a header")]
#[test_case(|r| r.body = Some(Body::CloudEvent("{}".to_owned())), "body"; "no event")]
fn a_bad_event_sends_nothing(spoil: fn(&mut InvokeRequest), field: &str) {
    let (world, id) = World::connected();
    let mut request = event(in_region("hello"));
    spoil(&mut request);
    let error = call(&world, &id, request).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "field")), (Kind::InvalidInput, Some(field)));
    assert!(world.urls().is_empty());
}

#[test]
fn functions_call_gets_the_data_and_the_access_token() {
    let answer = json_answer(200, &json!({"executionId": "xp9hifb4y996", "result": "hell\"oThere"}));
    let (world, outcome) = test_call(answer, |_| {});
    let invocation = outcome.unwrap();
    assert_eq!((invocation.status, invocation.generation), (200, Generation::Gen1));
    assert_eq!(invocation.body, Content::Text("hell\"oThere".to_owned()));
    assert_eq!(invocation.execution_id.as_deref(), Some("xp9hifb4y996"));
    assert_eq!((invocation.execution_error, invocation.token), (None, TokenKind::AccessToken));
    assert_eq!((invocation.url.as_str(), invocation.headers.len()), (CALL, 0));
    let diagnosis = invocation.diagnosis.unwrap();
    assert!(diagnosis.contains("testing only") && diagnosis.contains("16 calls in 100 s"), "{diagnosis}");
    let sent = &world.sent.borrow()[1];
    assert_eq!(
        (sent.url().as_str(), sent.method(), sent.token()),
        (CALL, Method::Post, TokenKind::AccessToken)
    );
    let body: Value = serde_json::from_slice(sent.body()).unwrap();
    assert_eq!(body, json!({"data": "{\"n\":1.0,  \"m\":[ ]}"}));
}

#[test]
fn a_function_that_failed_is_said_though_google_says_200() {
    let answer = || json_answer(200, &json!({"executionId": "e1", "error": "TypeError: x\nat y"}));
    let invocation = test_call(answer(), |_| {}).1.unwrap();
    assert_eq!((invocation.status, invocation.body), (200, Content::Empty));
    assert_eq!(invocation.execution_error.as_deref(), Some("TypeError: x\nat y"));
    assert!(invocation.diagnosis.unwrap().starts_with("the function failed"));

    let error = test_call(answer(), |request| request.raise_for_status = true).1.unwrap_err();
    assert_eq!((error.kind(), error.fields().origin), (Kind::Status, Origin::Function));
    assert_eq!((error.fields().http_status, detail(&error, "execution-id")), (Some(200), Some("e1")));
    assert!(error.fields().message.ends_with("failed: TypeError: x at y"), "{error}");
}

#[test]
fn functions_call_is_never_repeated_and_its_refusals_are_googles() {
    for answer in [
        json_answer(503, &json!({})),
        Err(TransportError::Broken("reset".to_owned())),
        Err(TransportError::NotSent("refused".to_owned())),
    ] {
        let (world, outcome) = test_call(answer, |request| request.idempotent = true);
        outcome.unwrap_err();
        assert_eq!(world.urls().len(), 2);
    }
    let error = test_call(json_answer(429, &json!({})), |_| {}).1.unwrap_err();
    assert_eq!(error.kind(), Kind::RateLimited);
    assert!(error.fields().fix.as_ref().unwrap().contains("16 times in 100 s"));
    let denied = json!({"error": {"status": "PERMISSION_DENIED", "message": "Permission 'cloudfunctions.functions.call' denied"}});
    let error = test_call(json_answer(403, &denied), |_| {}).1.unwrap_err();
    assert_eq!(
        (error.kind(), detail(&error, "role")),
        (Kind::MissingRole, Some("roles/cloudfunctions.developer"))
    );
    assert_eq!(test_call(json_answer(200, &json!([])), |_| {}).1.unwrap_err().kind(), Kind::InvalidResponse);
}

#[test_case(|r| r.path = "/a".to_owned(), "path")]
#[test_case(|r| r.query = Query::Raw("a=1".to_owned()), "query")]
#[test_case(|r| r.headers = vec![("x-a".to_owned(), "1".to_owned())], "headers")]
#[test_case(|r| r.auth = Auth::None, "auth")]
#[test_case(|r| r.audience = Some("a".to_owned()), "audience")]
#[test_case(|r| r.invoker = Some(InvokerRequest::Own), "invoker")]
#[test_case(|r| r.authorization = Some(Secret::new("Basic x".to_owned())), "authorization")]
#[test_case(|r| r.body = Some(Body::CloudEvent(EVENT.replace("{\"n\":1.0,  \"m\":[ ]}", "1").replace("\"data\"", "\"data_base64\"").replace(": 1", ": \"AA==\""))), "body"; "bytes")]
fn functions_call_has_no_place_for(change: fn(&mut InvokeRequest), field: &str) {
    let (world, id) = World::connected();
    world.then(started_by_events(gen1("us-central1", "hello")));
    let mut request = event(in_region("hello"));
    change(&mut request);
    let error = call(&world, &id, request).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "field")), (Kind::InvalidInput, Some(field)));
    assert_eq!(world.urls().len(), 1, "only the lookup");
}
