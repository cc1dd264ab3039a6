use serde_json::json;
use test_case::test_case;

use super::detail;
use crate::{
    api::{ApiRequest, ApiResponse, custom_api},
    error::Kind,
    http::{Response, TokenKind},
    target::{body::Body, grammar::Query},
    testing::{World, block_on, json_answer},
};

fn request(method: &str, path: &str) -> ApiRequest {
    ApiRequest {
        api: None,
        method: method.to_owned(),
        path: path.to_owned(),
        query: Query::None,
        headers: Vec::new(),
        body: None,
    }
}

fn call(world: &World, id: &str, request: ApiRequest) -> crate::error::Result<ApiResponse> {
    block_on(custom_api(world, id, request, None))
}

#[test]
fn an_access_token_goes_to_the_named_api() {
    let (world, id) = World::connected();
    world.then(json_answer(200, &json!({"services": []})));
    let mut list = request("GET", "/v2/projects/p/locations/us-central1/services");
    list.api = Some("run".to_owned());
    let response = call(&world, &id, list).unwrap();
    assert_eq!((response.status, response.token), (200, TokenKind::AccessToken));
    let sent = world.sent.borrow();
    assert_eq!(sent[0].host(), "run.googleapis.com");
    assert!(sent[0].headers().is_empty(), "a GET without a body has no content type");
}

#[test]
fn any_status_is_a_response() {
    let (world, id) = World::connected();
    world.then(json_answer(409, &json!({"error": {"message": "exists"}})));
    let mut create = request("POST", "/v2/projects/p/locations/us-central1/functions");
    create.body = Some(Body::Json("{}".to_owned()));
    assert_eq!(call(&world, &id, create).unwrap().status, 409);
}

#[test]
fn a_functions_url_is_called_without_any_credential() {
    let (world, id) = World::connected();
    world.then(json_answer(200, &json!({})));
    let response = call(&world, &id, request("GET", "https://hello-abc123-uc.a.run.app/x?y=1")).unwrap();
    assert_eq!(response.token, TokenKind::None);
    let sent = world.sent.borrow();
    assert_eq!(sent.len(), 1, "no token was asked for");
    assert!(sent[0].bearer().is_none());
}

#[test]
fn a_redirect_is_an_error_and_its_query_is_not_repeated() {
    let (world, id) = World::connected();
    world.then(Ok(Response {
        status: 302,
        headers: vec![("location".to_owned(), b"https://evil.example/?token=canary".to_vec())],
        body: vec![],
    }));
    let error = call(&world, &id, request("GET", "/v2/projects/p/locations")).unwrap_err();
    assert_eq!(error.kind(), Kind::UnexpectedRedirect);
    assert_eq!(detail(&error, "location"), Some("https://evil.example/"));
    assert_eq!(world.urls().len(), 1);
}

#[test_case("GET", "https://cloudfunctions.googleapis.com/v2/projects"; "an absolute URL of an API")]
#[test_case("GET", "https://evilgoogleapis.com/v2/projects"; "a suffix")]
#[test_case("GET", "https://cloudfunctions.googleapis.com@evil.com/"; "userinfo")]
#[test_case("GET", "https://169.254.169.254/"; "metadata")]
#[test_case("GET", "http://hello-abc123-uc.a.run.app/"; "cleartext")]
#[test_case("GET", "//evil.com/v2"; "another authority")]
#[test_case("GET", "file:///etc/passwd"; "a file")]
#[test_case("GET", ""; "nothing")]
#[test_case("get", "/v2/x"; "a method in lower case")]
#[test_case("HEAD", "/v2/x"; "head")]
#[test_case("CONNECT", "/v2/x"; "connect")]
#[test_case("GET / HTTP/1.1\r\nHost: evil", "/v2/x"; "a request line")]
fn bad_input_sends_nothing(method: &str, path: &str) {
    let (world, id) = World::connected();
    let error = call(&world, &id, request(method, path)).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert!(error.fields().fix.is_some() || error.fields().message.len() > 10);
    assert!(world.urls().is_empty());
}

#[test]
fn an_unknown_api_lists_the_known_ones() {
    let (world, id) = World::connected();
    let mut unknown = request("GET", "/v1/x");
    unknown.api = Some("storage".to_owned());
    let error = call(&world, &id, unknown).unwrap_err();
    assert!(error.fields().fix.as_deref().unwrap().contains("functions, run, iamcredentials"));
}
