use serde_json::json;
use test_case::test_case;

use super::{api_request, detail};
use crate::{
    actions::api::{ApiPages, PagesRequest, all_pages},
    base::{
        error::{Kind, Result},
        http::Response,
    },
    google::request::{body::Body, grammar::Query},
    testing::{Answer, World, block_on, json_answer},
};

const PATH: &str = "/v2/projects/demo-project/locations/-/functions";

fn request() -> PagesRequest {
    PagesRequest { request: api_request("GET", PATH), items: None, page_token: None, max_pages: None }
}

fn text(body: &str) -> Answer {
    Ok(Response {
        status: 200,
        headers: vec![("content-type".to_owned(), b"application/json".to_vec())],
        body: body.as_bytes().to_vec(),
    })
}

fn call(world: &World, id: &str, request: PagesRequest) -> Result<ApiPages> {
    block_on(all_pages(world, id, request, None))
}

/// The result of joining these pages.
fn joined(pages: &[&str], request: PagesRequest) -> Result<ApiPages> {
    let (world, id) = World::connected();
    world.damaged();
    for page in pages {
        world.then(text(page));
    }
    let outcome = call(&world, &id, request);
    assert_eq!(world.urls().len(), pages.len(), "each was asked for once");
    outcome
}

#[test]
fn items_are_joined_byte_for_byte() {
    let pages = [
        "{\n \"functions\": [\n  {\"b\": 1.50e+3, \"a\": [1,  2]} ,\n  {\"\\u0061\": \"],[\"}\n ],\n \"nextPageToken\": \"a+b/c=&\"\n}",
        "{\"unreachable\":[\"projects/p/locations/x\"],\"nextPageToken\":\"3\"}",
        "{\"functions\":[],\"unreachable\":[\"y\",\"projects/p/locations/x\"],\"nextPageToken\":\"4\"}",
        "{\"functions\":[null],\"unreachable\":null,\"nextPageToken\":\"\"}",
    ];
    let (world, id) = World::connected();
    world.damaged();
    for page in pages {
        world.then(text(page));
    }
    let pages = call(&world, &id, request()).unwrap();
    assert_eq!(pages.items, "[{\"b\": 1.50e+3, \"a\": [1,  2]},{\"\\u0061\": \"],[\"},null]");
    assert_eq!((pages.count, pages.pages, pages.trace.len(), pages.next_page_token), (3, 4, 4, None));
    assert_eq!(pages.unreachable, ["projects/p/locations/x", "y"]);
    let sent = world.sent.borrow();
    let queries: Vec<_> = sent.iter().map(|r| r.path_and_query().strip_prefix(PATH).unwrap()).collect();
    assert_eq!(queries, ["", "?pageToken=a%2Bb%2Fc%3D%26", "?pageToken=3", "?pageToken=4"]);
    assert!(sent.iter().all(|request| request.headers().is_empty()));
}

#[test_case("{}"; "nothing at all")]
#[test_case("{\"functions\":[]}"; "an empty list")]
#[test_case("{\"nextPageToken\":null,\"kind\":\"x\"}"; "other fields")]
fn an_empty_list_is_a_list(page: &str) {
    let pages = joined(&[page], request()).unwrap();
    assert_eq!((pages.items.as_str(), pages.count, pages.pages), ("[]", 0, 1));
}

#[test]
fn pages_are_handed_out_one_by_one() {
    let (world, id) = World::connected();
    world.damaged();
    world.then(text("{\"functions\":[1],\"nextPageToken\":\"b\"}"));
    let mut one = request();
    one.request.query = Query::Raw("pageSize=1&filter=a%3Db".to_owned());
    one.max_pages = Some(1);
    let first = call(&world, &id, one.clone()).unwrap();
    assert_eq!((first.items.as_str(), first.next_page_token.as_deref()), ("[1]", Some("b")));
    world.then(text("{\"functions\":[2]}"));
    one.page_token = first.next_page_token;
    let second = call(&world, &id, one).unwrap();
    assert_eq!((second.items.as_str(), second.next_page_token), ("[2]", None));
    let sent = world.sent.borrow();
    assert!(sent[0].path_and_query().ends_with("/functions?pageSize=1&filter=a%3Db"));
    assert!(sent[1].path_and_query().ends_with("/functions?pageSize=1&filter=a%3Db&pageToken=b"));
}

#[test]
fn at_most_150_pages_are_read_in_one_call() {
    let (world, id) = World::connected();
    world.damaged();
    for n in 0..150 {
        world.then(json_answer(200, &json!({"functions": [n], "nextPageToken": format!("t{n}")})));
    }
    let pages = call(&world, &id, request()).unwrap();
    assert_eq!((pages.count, pages.pages, pages.next_page_token.as_deref()), (150, 150, Some("t149")));
}

#[test]
fn at_most_32_mib_are_joined_and_the_rest_is_still_to_be_read() {
    let (world, id) = World::connected();
    world.damaged();
    let item = format!("\"{}\"", "x".repeat(9 * 1024 * 1024));
    for n in 0..4 {
        world.then(text(&format!("{{\"functions\":[{item}],\"nextPageToken\":\"t{n}\"}}")));
    }
    let pages = call(&world, &id, request()).unwrap();
    assert_eq!((pages.count, pages.pages, pages.next_page_token.as_deref()), (3, 3, Some("t2")));
    assert!(pages.items.len() <= 32 * 1024 * 1024);
    assert_eq!(pages.trace.len(), 4, "the fourth was read, and is not in it");
}

#[test_case(None, &["a", "b", "a"]; "later")]
#[test_case(None, &["a", "a"]; "at once")]
#[test_case(Some("a"), &["b", "a"]; "the one that it began with")]
fn a_token_that_comes_twice_is_the_end(from: Option<&str>, tokens: &[&str]) {
    let pages: Vec<_> = tokens.iter().map(|token| format!("{{\"nextPageToken\":\"{token}\"}}")).collect();
    let pages: Vec<_> = pages.iter().map(String::as_str).collect();
    let error =
        joined(&pages, PagesRequest { page_token: from.map(str::to_owned), ..request() }).unwrap_err();
    assert_eq!((error.kind(), error.fields().trace.len()), (Kind::PageLoop, tokens.len()));
}

#[test]
fn the_items_are_in_the_field_that_was_named() {
    let page = "{\"a\":[1],\"functions\":[2],\"unreachable\":[\"x\"]}";
    let named = |name: &str| PagesRequest { items: Some(name.to_owned()), ..request() };
    assert_eq!(joined(&[page], named("functions")).unwrap().items, "[2]");
    let error = joined(&[page], request()).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "field")), (Kind::InvalidResponse, Some("items")));
    assert!(error.fields().message.ends_with("has several lists: functions, a"), "{error}");
    let error = joined(&[page], named("function")).unwrap_err();
    assert_eq!(error.fields().fix.as_deref(), Some("name one that it has: a, functions"));
    // A list may be left out where it is empty, and that is no mistake.
    assert_eq!(joined(&["{}"], named("functions")).unwrap().items, "[]");
    let error = joined(&["{\"a\":[1],\"nextPageToken\":\"2\"}", "{\"b\":[1]}"], request()).unwrap_err();
    assert_eq!(detail(&error, "field"), Some("items"), "no page decides for another one");
}

#[test_case(403, Kind::Forbidden)]
#[test_case(404, Kind::NotFound)]
#[test_case(302, Kind::UnexpectedRedirect)]
#[test_case(204, Kind::InvalidResponse; "nothing to join")]
fn a_page_that_is_not_200_is_an_error(status: u16, kind: Kind) {
    let (world, id) = World::connected();
    world.damaged();
    world.then(text("{\"functions\":[1],\"nextPageToken\":\"2\"}"));
    world.then(json_answer(status, &json!({"error": {"message": "no"}})));
    let error = call(&world, &id, request()).unwrap_err();
    assert_eq!((error.kind(), error.fields().http_status), (kind, Some(status)));
    assert_eq!(error.fields().trace.len(), 2);
}

#[test_case("<html>"; "no json")]
#[test_case("[1]"; "no object")]
#[test_case("{\"functions\":[1],\"functions\":[2]}"; "a field twice")]
#[test_case("{\"nextPageToken\":7}"; "a token that is no text")]
#[test_case("{\"unreachable\":[1]}"; "names that are no text")]
#[test_case("{\"items\":[1],\"metadata\":{\"continue\":\"x\"}}"; "pages of another kind")]
fn what_is_no_page_is_an_error(body: &str) {
    assert_eq!(joined(&[body], request()).unwrap_err().kind(), Kind::InvalidResponse);
}

#[test]
fn a_role_that_is_missing_is_told_without_a_permission() {
    let (world, id) = World::connected();
    world.damaged();
    let denied = json!({"error": {"message": "The caller does not have permission", "details": [{"reason": "IAM_PERMISSION_DENIED"}]}});
    world.then(json_answer(403, &denied));
    let error = call(&world, &id, request()).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "permission")), (Kind::MissingRole, None));
    assert!(error.fields().fix.as_deref().unwrap().ends_with("the permission that Google names"));
}

#[test]
fn what_cannot_be_a_list_is_refused_before_anything_is_sent() {
    let (world, id) = World::connected();
    let refused = |field: &str, change: &dyn Fn(&mut PagesRequest)| {
        let mut wrong = request();
        change(&mut wrong);
        let error = call(&world, &id, wrong).unwrap_err();
        assert_eq!((error.kind(), detail(&error, "field")), (Kind::InvalidInput, Some(field)), "{error}");
        assert!(error.fields().fix.is_some(), "{error}");
    };
    let raw =
        |query: &'static str| move |r: &mut PagesRequest| r.request.query = Query::Raw(query.to_owned());
    refused("method", &|r| r.request.method = "POST".to_owned());
    refused("body", &|r| r.request.body = Some(Body::Json("{}".to_owned())));
    refused("path", &|r| r.request.path = "https://hello-abc123-uc.a.run.app/".to_owned());
    refused("path", &|r| r.request.path = "https://evil.example/".to_owned());
    refused("query", &raw("pageToken=x"));
    refused("query", &raw("page%54oken=x"));
    refused("query", &raw("page_token=x"));
    refused("query", &|r| r.request.query = Query::Pairs(vec![("pageToken".to_owned(), "x".to_owned())]));
    refused("query", &|r| {
        r.request.path = format!("https://cloudfunctions.googleapis.com{PATH}?pageToken=x");
    });
    refused("query", &raw("fields=functions(name)"));
    refused("query", &raw("access_token=x"));
    refused("items", &|r| r.items = Some(String::new()));
    refused("page-token", &|r| r.page_token = Some(String::new()));
    refused("page-token", &|r| r.page_token = Some("a\r\nb".to_owned()));
    refused("max-pages", &|r| r.max_pages = Some(0));
    refused("max-pages", &|r| r.max_pages = Some(151));
    assert!(world.urls().is_empty());
}

#[test]
fn a_mask_with_the_page_token_is_fine() {
    for fields in ["functions/name,nextPageToken", "*"] {
        let mut masked = request();
        masked.request.query = Query::Pairs(vec![("fields".to_owned(), fields.to_owned())]);
        assert_eq!(joined(&["{\"functions\":[1]}"], masked).unwrap().count, 1);
    }
    let mut url = request();
    url.request.path = format!("https://cloudfunctions.googleapis.com{PATH}?pageSize=2");
    assert_eq!(joined(&["{\"functions\":[1],\"nextPageToken\":\"a\"}", "{}"], url).unwrap().pages, 2);
}
