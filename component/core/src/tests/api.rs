use serde_json::json;
use test_case::test_case;

use super::{api_request, detail};
use crate::{
    actions::api::{ApiRequest, ApiResponse, custom_api},
    base::{
        error::Kind,
        http::{Response, TokenKind},
    },
    google::{
        hosts::Api,
        request::{body::Body, grammar::Query},
    },
    testing::{World, access_token, block_on, canaries, json_answer},
};

fn call(world: &World, id: &str, request: ApiRequest) -> crate::base::error::Result<ApiResponse> {
    block_on(custom_api(world, id, request, None))
}

#[test]
fn an_access_token_goes_to_the_named_api() {
    let (world, id) = World::connected();
    world.then(json_answer(200, &json!({"services": []})));
    let mut list = api_request("GET", "/v2/projects/p/locations/us-central1/services");
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
    let mut create = api_request("POST", "/v2/projects/p/locations/us-central1/functions");
    create.body = Some(Body::Json("{}".to_owned()));
    assert_eq!(call(&world, &id, create).unwrap().status, 409);
}

#[test]
fn a_body_is_sent_whole_again_with_a_new_token() {
    let (world, id) = World::connected();
    world.then(json_answer(401, &json!({})));
    world.then(access_token(canaries::SECOND));
    world.then(json_answer(200, &json!({})));
    let mut create = api_request("POST", "/v2/projects/p/locations/us-central1/functions");
    create.body = Some(Body::Json(r#"{"labels":{"team":"a"}}"#.to_owned()));
    assert_eq!(call(&world, &id, create).unwrap().status, 200);
    let sent = world.sent.borrow();
    let [first, _, second] = &sent[..] else { panic!("{} requests", sent.len()) };
    assert_eq!(first.body(), br#"{"labels":{"team":"a"}}"#);
    assert_eq!((second.body(), second.headers()), (first.body(), first.headers()));
    assert_eq!(second.bearer().unwrap().reveal(), canaries::SECOND);
}

#[test]
fn a_functions_url_is_called_without_any_credential() {
    let (world, id) = World::connected();
    world.then(json_answer(200, &json!({})));
    let response = call(&world, &id, api_request("GET", "https://hello-abc123-uc.a.run.app/x?y=1")).unwrap();
    assert_eq!(response.token, TokenKind::None);
    let sent = world.sent.borrow();
    assert_eq!(sent.len(), 1, "no token was asked for");
    assert!(sent[0].bearer().is_none());
}

/// As `invoke` does: an API's GET reads, and a function does what it likes.
#[test]
fn a_function_is_called_once_where_an_api_is_asked_again() {
    for (path, sent) in [("https://hello-abc123-uc.a.run.app/", 1), ("/v2/projects/p/locations", 2)] {
        let (world, id) = World::connected();
        world.then(json_answer(503, &json!({})));
        if sent == 2 {
            world.then(json_answer(200, &json!({})));
        }
        let response = call(&world, &id, api_request("GET", path)).unwrap();
        assert_eq!((response.trace.len(), world.urls().len()), (sent, sent), "{path}");
    }
}

#[test]
fn a_redirect_is_an_error_and_its_query_is_not_repeated() {
    let (world, id) = World::connected();
    world.then(Ok(Response {
        status: 302,
        headers: vec![("location".to_owned(), b"https://evil.example/?token=canary".to_vec())],
        body: vec![],
    }));
    let error = call(&world, &id, api_request("GET", "/v2/projects/p/locations")).unwrap_err();
    assert_eq!(error.kind(), Kind::UnexpectedRedirect);
    assert_eq!(detail(&error, "location"), Some("https://evil.example/"));
    assert_eq!(world.urls().len(), 1);
}

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
    let error = call(&world, &id, api_request(method, path)).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert!(error.fields().fix.is_some() || error.fields().message.len() > 10);
    assert!(world.urls().is_empty());
}

#[test]
fn an_unknown_api_lists_the_known_ones() {
    let (world, id) = World::connected();
    let mut unknown = api_request("GET", "/v1/x");
    unknown.api = Some("storage".to_owned());
    let error = call(&world, &id, unknown).unwrap_err();
    assert_eq!(
        error.fields().fix.as_deref(),
        Some("use one of: functions, run, serviceusage, resourcemanager, logging, eventarc")
    );
}

#[test]
fn a_callers_apis_are_all_but_the_one_that_hands_out_tokens() {
    let but_one: Vec<_> = Api::ALL.into_iter().filter(|api| *api != Api::IamCredentials).collect();
    assert_eq!(Api::CUSTOM.as_slice(), but_one);
}

/// As Google's documentation shows it, and people paste it.
#[test_case("https://cloudfunctions.googleapis.com/v2/projects/p/locations", "cloudfunctions.googleapis.com"; "as it is")]
#[test_case("https://RUN.googleapis.COM:443/v2/projects/p/locations?pageSize=1", "run.googleapis.com"; "another case and the port")]
fn the_url_of_an_api_is_its_name_and_the_path(url: &str, host: &str) {
    let (world, id) = World::connected();
    world.then(json_answer(200, &json!({})));
    let response = call(&world, &id, api_request("GET", url)).unwrap();
    assert_eq!(response.token, TokenKind::AccessToken);
    let sent = world.sent.borrow();
    assert_eq!(sent[0].host(), host);
    assert!(sent[0].path_and_query().starts_with("/v2/projects/p/locations"));
    drop(sent);
    let mut twice = api_request("GET", url);
    twice.api = Some("run".to_owned());
    assert_eq!(detail(&call(&world, &id, twice).unwrap_err(), "field"), Some("api"));
}

/// Paths whose answer would hold a token.
#[test_case(Some("iamcredentials"), "/v1/projects/-/serviceAccounts/a@b.c:generateAccessToken", "api")]
#[test_case(Some("iamcredentials"), "/v1/projects/-/serviceAccounts/a@b.c:getAllowedLocations", "api"; "whatever it is")]
#[test_case(
    None,
    "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@b.c:generateIdToken",
    "api"
)]
#[test_case(None, "/v1/projects/-/serviceAccounts/a@b.c:generateAccessToken", "path")]
#[test_case(None, "/v1/projects/-/serviceAccounts/a@b.c:generateIdToken", "path"; "id token")]
#[test_case(None, "/v1/projects/-/serviceAccounts/a@b.c:signJwt", "path"; "sign jwt")]
#[test_case(None, "/v1/projects/-/serviceAccounts/a@b.c:signBlob", "path"; "sign blob")]
#[test_case(Some("run"), "/v1/x/y%3Asign%4Awt", "path"; "escaped")]
#[test_case(Some("run"), "/v1/x/y:SIGNJWT", "path"; "another case")]
#[test_case(None, "/batch", "path"; "a batch holds requests of its own")]
#[test_case(None, "/batch/functions/v1", "path"; "a batch of one API")]
#[test_case(None, "/upload/v1/x", "path"; "an upload")]
#[test_case(None, "/$discovery/rest", "path"; "discovery")]
#[test_case(None, "/v2", "path"; "nothing but a version")]
#[test_case(None, "/", "path"; "the root")]
#[test_case(None, "/vX/projects", "path"; "no version")]
#[test_case(None, "/%62atch", "path"; "an escaped batch")]
fn no_credential_is_handed_out(api: Option<&str>, path: &str, field: &str) {
    let (world, id) = World::connected();
    let mut minting = api_request("POST", path);
    minting.api = api.map(str::to_owned);
    minting.body = Some(Body::Json("{}".to_owned()));
    let error = call(&world, &id, minting).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "field")), (Kind::InvalidInput, Some(field)));
    assert!(error.fields().fix.is_some() && world.urls().is_empty());
}

#[test_case(&format!("https://hello-abc123-uc.a.run.app/?access_token={}", canaries::FIRST); "in the URL")]
#[test_case(&format!("https://hello-abc123-uc.a.run.app/?a=1&Access%5FToken={}", canaries::FIRST); "escaped")]
#[test_case("https://hello-abc123-uc.a.run.app/?a=1;id_token=eyJcanary"; "behind a semicolon")]
fn no_credential_travels_to_a_function(url: &str) {
    let (world, id) = World::connected();
    let error = call(&world, &id, api_request("GET", url)).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "field")), (Kind::InvalidInput, Some("query")));
    assert!(!format!("{error:?}").contains("canary") && world.urls().is_empty());

    let mut beside = api_request("GET", "https://hello-abc123-uc.a.run.app/");
    beside.query = Query::Pairs(vec![("oauth_token".to_owned(), canaries::FIRST.to_owned())]);
    assert_eq!(call(&world, &id, beside).unwrap_err().kind(), Kind::InvalidInput);
    for name in ["Authorization", "x-serverless-authorization", "Cookie", "X-Goog-IAP-JWT-Assertion"] {
        let mut header = api_request("GET", "https://hello-abc123-uc.a.run.app/");
        header.headers = vec![(name.to_owned(), "Bearer canary".to_owned())];
        assert_eq!(detail(&call(&world, &id, header).unwrap_err(), "field"), Some("headers"));
    }
    assert!(world.urls().is_empty());
}

/// Its own words pass: what an API takes for a key of Google's is the function's to name.
#[test]
fn a_function_has_parameters_of_its_own() {
    let (world, id) = World::connected();
    world.then(json_answer(200, &json!({})));
    call(&world, &id, api_request("GET", "https://hello-abc123-uc.a.run.app/?key=1&alt=x&$x=1")).unwrap();
    let sent = world.sent.borrow();
    assert_eq!(sent[0].path_and_query(), "/?key=1&alt=x&$x=1");
    assert!(sent[0].bearer().is_none() && sent[0].headers().is_empty());
}

#[test]
fn an_event_is_not_for_an_api() {
    let (world, id) = World::connected();
    let mut event = api_request("POST", "/v2/projects/p/locations");
    event.body = Some(Body::CloudEvent("{}".to_owned()));
    assert_eq!(detail(&call(&world, &id, event).unwrap_err(), "field"), Some("body"));
}

#[test]
fn a_redirect_of_a_function_is_its_own_answer_and_not_followed() {
    let (world, id) = World::connected();
    for location in ["https://accounts.google.com/ServiceLogin?continue=x", "https://evil.example/"] {
        world.then(Ok(Response {
            status: 302,
            headers: vec![("location".to_owned(), location.as_bytes().to_vec())],
            body: b"<html>".to_vec(),
        }));
        let response = call(&world, &id, api_request("POST", "https://hello-abc123-uc.a.run.app/")).unwrap();
        assert_eq!((response.status, response.token), (302, TokenKind::None));
    }
    assert_eq!(world.urls().len(), 2);
}
