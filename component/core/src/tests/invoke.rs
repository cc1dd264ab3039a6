use serde_json::json;
use test_case::test_case;

use super::{detail, gen1, gen2};
use crate::{
    actions::functions::invoke::{Auth, Invocation, InvokeRequest, invoke},
    base::{
        content::Content,
        error::{Kind, Origin},
        http::{Response, TokenKind, TransportError},
    },
    google::{
        request::{body::Body, grammar::Query},
        which::FunctionRef,
    },
    testing::{World, block_on, denied, id_token, json_answer, nothing},
};

pub(super) fn request(function: FunctionRef) -> InvokeRequest {
    InvokeRequest {
        function,
        method: "POST".to_owned(),
        path: String::new(),
        query: Query::None,
        headers: Vec::new(),
        body: None,
        auth: Auth::IdToken,
        invoker: None,
        audience: None,
        authorization: None,
        serverless_authorization: false,
        idempotent: false,
        raise_for_status: false,
    }
}

pub(super) fn in_region(name: &str) -> FunctionRef {
    FunctionRef::Named { name: name.to_owned(), region: Some("us-central1".to_owned()) }
}

fn bare(name: &str) -> FunctionRef {
    FunctionRef::Named { name: name.to_owned(), region: None }
}

pub(super) fn call(
    world: &World,
    id: &str,
    request: InvokeRequest,
) -> crate::base::error::Result<Invocation> {
    block_on(invoke(world, id, request, None))
}

/// The rest of a list over all regions: no function of Cloud Run.
fn nothing_on_cloud_run(world: &World) {
    world.then(nothing());
}

pub(super) const GEN2_URL: &str = "https://hello-abc123-uc.a.run.app";
pub(super) const GEN1_URL: &str = "https://us-central1-demo-project.cloudfunctions.net/hello";

#[test]
fn a_gen2_function_gets_an_id_token_for_its_origin() {
    let (world, id) = World::connected();
    world.then(json_answer(200, &gen2("us-central1", "hello")));
    world.then(id_token(GEN2_URL));
    world.then(json_answer(200, &json!({"ok": true})));
    let mut request = request(in_region("hello"));
    request.path = "/sub".to_owned();
    request.query = Query::Raw("a=1&a=2".to_owned());
    request.body = Some(Body::Json("{\"n\": 1}".to_owned()));
    let invocation = call(&world, &id, request).unwrap();
    assert_eq!(invocation.audience.as_deref(), Some(GEN2_URL));
    assert_eq!(invocation.principal.as_deref(), Some("gcf-demo@demo-project.iam.gserviceaccount.com"));
    let sent = world.sent.borrow();
    let last = sent.last().unwrap();
    assert_eq!((last.host(), last.path_and_query()), ("hello-abc123-uc.a.run.app", "/sub?a=1&a=2"));
    assert_eq!(last.token(), TokenKind::IdToken);
    assert_eq!(last.headers(), [("content-type".to_owned(), "application/json".to_owned())]);
    assert_eq!(last.body(), b"{\"n\": 1}");
}

#[test]
fn a_gen1_function_gets_an_id_token_for_its_whole_url() {
    let (world, id) = World::connected();
    world.then(json_answer(200, &gen1("us-central1", "hello")));
    world.then(id_token(GEN1_URL));
    world.then(json_answer(200, &json!({})));
    let invocation = call(&world, &id, request(in_region("hello"))).unwrap();
    assert_eq!(invocation.audience.as_deref(), Some(GEN1_URL));
    assert_eq!(invocation.url, GEN1_URL);
}

#[test]
fn by_url_nothing_is_looked_up() {
    let (world, id) = World::connected();
    world.then(id_token(GEN2_URL));
    world.then(json_answer(200, &json!({})));
    call(&world, &id, request(FunctionRef::Url(format!("{GEN2_URL}/x?y=1")))).unwrap();
    assert_eq!(world.urls(), ["https://oauth2.googleapis.com/token", &format!("{GEN2_URL}/x")]);
    assert_eq!(world.sent.borrow()[1].path_and_query(), "/x?y=1");
}

#[test]
fn without_authentication_no_credential_travels_and_none_is_minted() {
    let (world, id) = World::connected();
    world.then(json_answer(200, &json!({})));
    let mut request = request(FunctionRef::Url(GEN2_URL.to_owned()));
    request.auth = Auth::None;
    let invocation = call(&world, &id, request).unwrap();
    assert_eq!((invocation.token, invocation.audience, invocation.principal), (TokenKind::None, None, None));
    assert!(world.sent.borrow()[0].bearer().is_none());
}

#[test]
fn a_mint_that_fails_never_ends_in_a_call_without_a_token() {
    let (world, id) = World::connected();
    world.then(json_answer(400, &json!({"error": "invalid_grant"})));
    let error = call(&world, &id, request(FunctionRef::Url(GEN2_URL.to_owned()))).unwrap_err();
    assert_eq!(error.kind(), Kind::CredentialRejected);
    assert_eq!(world.urls(), ["https://oauth2.googleapis.com/token"]);
}

#[test]
fn a_bare_name_is_found_in_whatever_region_has_it() {
    let (world, id) = World::connected();
    world.then(json_answer(
        200,
        &json!({"functions": [gen2("europe-west1", "hello"), gen2("us-east1", "other")]}),
    ));
    nothing_on_cloud_run(&world);
    world.then(id_token(GEN2_URL));
    world.then(json_answer(200, &json!({})));
    assert_eq!(call(&world, &id, request(bare("hello"))).unwrap().status, 200);
}

#[test]
fn a_bare_name_in_two_regions_is_an_error_that_lists_them() {
    let (world, id) = World::connected();
    world.then(json_answer(
        200,
        &json!({"functions": [gen2("us-central1", "hello"), gen2("europe-west1", "hello")]}),
    ));
    nothing_on_cloud_run(&world);
    let error = call(&world, &id, request(bare("hello"))).unwrap_err();
    assert_eq!(error.kind(), Kind::AmbiguousFunction);
    assert_eq!(detail(&error, "regions"), Some("europe-west1,us-central1"));
    assert_eq!(world.urls().len(), 2);
}

#[test]
fn a_bare_name_that_may_not_be_listed_is_looked_for_in_the_default_region() {
    let (world, id) = World::connected();
    world.then(json_answer(
        403,
        &json!({"error": {"message": "Permission 'cloudfunctions.functions.list' denied on 'x'"}}),
    ));
    world.then(denied("run.services.list"));
    world.then(denied("run.services.list"));
    world.then(json_answer(200, &gen2("us-central1", "hello")));
    world.then(id_token(GEN2_URL));
    world.then(json_answer(200, &json!({})));
    call(&world, &id, request(bare("hello"))).unwrap();
    assert!(world.urls()[3].ends_with("/locations/us-central1/functions/hello"));
}

#[test]
fn a_name_that_no_answering_region_has_is_not_called_missing() {
    let (world, id) = World::connected();
    world.then(json_answer(200, &json!({"unreachable": ["asia-east2"]})));
    nothing_on_cloud_run(&world);
    let error = call(&world, &id, request(bare("hello"))).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "unreachable")), (Kind::Unavailable, Some("asia-east2")));
    world.then(nothing());
    nothing_on_cloud_run(&world);
    assert_eq!(call(&world, &id, request(bare("hello"))).unwrap_err().kind(), Kind::NotFound);
}

#[test]
fn an_event_function_is_not_called_though_it_has_a_url() {
    let (world, id) = World::connected();
    let mut function = gen2("us-central1", "hello");
    function["eventTrigger"] = json!({"eventType": "google.cloud.storage.object.v1.finalized"});
    world.then(json_answer(200, &function));
    let error = call(&world, &id, request(in_region("hello"))).unwrap_err();
    assert_eq!(error.kind(), Kind::NotInvocable);
    assert_eq!(world.urls().len(), 1);
}

#[test]
fn a_url_of_somebody_else_in_googles_answer_is_not_called() {
    let (world, id) = World::connected();
    let mut function = gen2("us-central1", "hello");
    function["serviceConfig"]["uri"] = json!("https://evil.example");
    world.then(json_answer(200, &function));
    let error = call(&world, &id, request(in_region("hello"))).unwrap_err();
    assert_eq!(error.kind(), Kind::NotInvocable);
    assert!(error.to_string().contains("said to be at https://evil.example"), "{error}");
}

#[test]
fn a_functions_own_failure_is_data_and_a_crash_is_diagnosed() {
    let (world, id) = World::connected();
    world.then(id_token(GEN1_URL));
    let body = b"Error: could not handle the request\n".to_vec();
    world.then(Ok(Response { status: 500, headers: vec![], body: body.clone() }));
    let invocation = call(&world, &id, request(FunctionRef::Url(GEN1_URL.to_owned()))).unwrap();
    assert_eq!((invocation.status, invocation.body), (500, Content::Bytes(body)));
    assert!(invocation.diagnosis.unwrap().contains("crashed"));
}

#[test]
fn raising_on_a_status_is_opt_in() {
    let (world, id) = World::connected();
    world.then(id_token(GEN2_URL));
    world.then(json_answer(418, &json!({})));
    let mut request = request(FunctionRef::Url(GEN2_URL.to_owned()));
    request.raise_for_status = true;
    let error = call(&world, &id, request).unwrap_err();
    assert_eq!(
        (error.kind(), error.fields().origin, error.fields().http_status),
        (Kind::Status, Origin::Function, Some(418))
    );
}

#[test]
fn a_call_that_may_have_run_is_not_repeated_unless_the_caller_says_so() {
    let (world, id) = World::connected();
    world.then(id_token(GEN2_URL));
    world.then(Err(TransportError::Broken("reset".to_owned())));
    let error = call(&world, &id, request(FunctionRef::Url(GEN2_URL.to_owned()))).unwrap_err();
    assert!(error.to_string().contains("look before you repeat it"));

    world.then(Err(TransportError::Broken("reset".to_owned())));
    world.then(json_answer(200, &json!({})));
    let mut again = request(FunctionRef::Url(GEN2_URL.to_owned()));
    again.idempotent = true;
    assert_eq!(call(&world, &id, again).unwrap().trace.len(), 2, "the cached token is used");
}

fn of_size(function: FunctionRef, size: usize) -> InvokeRequest {
    let mut large = request(function);
    let content_type = "application/octet-stream".to_owned();
    large.body = Some(Body::Bytes { content_type, data: vec![0; size] });
    large.auth = Auth::None;
    large
}

#[test]
fn sizes_are_those_of_the_generation() {
    const GEN1: usize = 10 * 1024 * 1024;
    const GEN2: usize = 32 * 1024 * 1024;
    for (function, limit) in [(gen1("us-central1", "hello"), GEN1), (gen2("us-central1", "hello"), GEN2)] {
        let (world, id) = World::connected();
        world.then(json_answer(200, &function));
        world.then(json_answer(200, &json!({})));
        assert_eq!(call(&world, &id, of_size(in_region("hello"), limit)).unwrap().status, 200);
    }
    let (world, id) = World::connected();
    world.then(json_answer(200, &gen1("us-central1", "hello")));
    let error = call(&world, &id, of_size(in_region("hello"), GEN1 + 1)).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "limit")), (Kind::TooLarge, Some("10485760")));
    assert_eq!(world.urls().len(), 1, "only the lookup");
    world.begin_anew();
    for function in [in_region("hello"), FunctionRef::Url(GEN2_URL.to_owned())] {
        let error = call(&world, &id, of_size(function, GEN2 + 1)).unwrap_err();
        assert_eq!((error.kind(), detail(&error, "limit")), (Kind::TooLarge, Some("33554432")));
    }
    assert!(world.urls().is_empty(), "more than any function takes is not even looked up for");
}

#[test_case(|r| r.method = "get".to_owned(); "a method in lower case")]
#[test_case(|r| r.method = "TRACE".to_owned(); "trace")]
#[test_case(|r| r.path = "x".to_owned(); "a path without slash")]
#[test_case(|r| r.path = "/../x".to_owned(); "dots")]
#[test_case(|r| r.headers = vec![("authorization".to_owned(), "x".to_owned())]; "a credential")]
#[test_case(|r| r.body = Some(Body::Json("{".to_owned())); "broken JSON")]
#[test_case(|r| { r.auth = Auth::None; r.audience = Some("x".to_owned()); }; "an audience for nothing")]
#[test_case(|r| r.function = FunctionRef::Url("https://evil.example".to_owned()); "another host")]
#[test_case(|r| r.function = FunctionRef::Resource("projects/p/locations/us-central1/services/f".to_owned()); "a service")]
#[test_case(|r| r.function = bare("a/b"); "a path as a name")]
fn bad_input_sends_nothing(spoil: fn(&mut InvokeRequest)) {
    let (world, id) = World::connected();
    let mut request = request(in_region("hello"));
    spoil(&mut request);
    assert_eq!(call(&world, &id, request).unwrap_err().kind(), Kind::InvalidInput);
    assert!(world.urls().is_empty());
}

#[test]
fn an_audience_of_another_function_is_refused_before_a_token_is_minted() {
    let (world, id) = World::connected();
    let mut request = request(FunctionRef::Url(GEN2_URL.to_owned()));
    request.audience = Some("https://victim-xyz-uc.a.run.app".to_owned());
    assert_eq!(call(&world, &id, request).unwrap_err().kind(), Kind::InvalidInput);
    assert!(world.urls().is_empty());
}

/// RFC 9110, section 9.3.1, gives such content no meaning, and Google's front end refuses it with 400.
#[test]
fn a_get_or_a_head_with_content_is_refused_before_it_is_sent() {
    for method in ["GET", "HEAD"] {
        for body in [
            Body::Json("{}".to_owned()),
            Body::Text("a".to_owned()),
            Body::Form(vec![("a".to_owned(), "b".to_owned())]),
        ] {
            let (world, id) = World::connected();
            let request = InvokeRequest {
                method: method.to_owned(),
                body: Some(body),
                ..request(FunctionRef::Url("https://f-abcdefghij-uc.a.run.app".to_owned()))
            };
            let error = block_on(invoke(&world, &id, request, None)).unwrap_err();
            assert_eq!((error.kind(), detail(&error, "field")), (Kind::InvalidInput, Some("body")));
            assert!(error.to_string().contains("use POST"), "{error}");
            assert_eq!(world.urls().len(), 0);
        }
    }
}
