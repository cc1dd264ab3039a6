use serde_json::{Value, json};
use test_case::test_case;

use super::{gen1, gen2};
use crate::{
    error::Kind,
    functions::{
        Generation,
        list::{ListRequest, list},
    },
    http::TransportError,
    testing::{World, access_token, block_on, json_answer},
};

fn page(functions: &[Value], next: Option<&str>, unreachable: &[&str]) -> Value {
    let mut page = json!({"functions": functions, "unreachable": unreachable});
    if let Some(next) = next {
        page["nextPageToken"] = json!(next);
    }
    page
}

#[test]
fn every_page_of_every_region_is_read_in_order() {
    let (world, id) = World::connected();
    world.then(json_answer(200, &page(&[gen2("us-central1", "a")], Some("p2"), &["asia-east2"])));
    world.then(json_answer(200, &page(&[gen1("europe-west1", "b")], None, &["asia-east2"])));
    let list = block_on(list(&world, &id, ListRequest::default(), None)).unwrap();
    let names: Vec<_> = list.functions.iter().map(|f| (f.id.name.as_str(), f.generation)).collect();
    assert_eq!(names, [("a", Generation::Gen2), ("b", Generation::Gen1)]);
    assert_eq!((list.pages, list.unreachable), (2, vec!["asia-east2".to_owned()]));
    assert_eq!(list.trace.len(), 2);
    let sent = world.sent.borrow();
    assert!(
        sent[0]
            .path_and_query()
            .starts_with("/v2/projects/demo-project/locations/-/functions?pageSize=1000&fields=")
    );
    assert!(sent[1].path_and_query().ends_with("&pageToken=p2"));
    assert!(!sent[0].path_and_query().contains("environmentVariables"));
}

#[test]
fn an_empty_project_is_an_empty_list() {
    let (world, id) = World::connected();
    world.then(json_answer(200, &json!({})));
    let list = block_on(list(&world, &id, ListRequest::default(), None)).unwrap();
    assert!(list.functions.is_empty() && list.unreachable.is_empty() && list.next_page_token.is_none());
}

#[test]
fn ten_thousand_functions_over_ten_pages_are_complete_and_in_order() {
    let (world, id) = World::connected();
    for n in 0..10 {
        let functions: Vec<_> =
            (0..1000).map(|i| gen2("us-central1", &format!("f{:05}", n * 1000 + i))).collect();
        let next = format!("p{}", n + 1);
        world.then(json_answer(200, &page(&functions, (n < 9).then_some(next.as_str()), &[])));
    }
    let list = block_on(list(&world, &id, ListRequest::default(), None)).unwrap();
    assert_eq!((list.functions.len(), list.pages), (10_000, 10));
    assert!(list.functions.windows(2).all(|pair| pair[0].id.name < pair[1].id.name));
}

#[test]
fn a_page_token_that_comes_twice_ends_in_an_error() {
    let (world, id) = World::connected();
    world.then(json_answer(200, &page(&[], Some("same"), &[])));
    world.then(json_answer(200, &page(&[], Some("same"), &[])));
    let error = block_on(list(&world, &id, ListRequest::default(), None)).unwrap_err();
    assert_eq!((error.kind(), error.fields().trace.len()), (Kind::PageLoop, 2));
}

#[test]
fn a_limit_stops_early_and_says_where_to_go_on() {
    let (world, id) = World::connected();
    world.then(json_answer(200, &page(&[gen2("us-central1", "a")], Some("p2"), &[])));
    let request = ListRequest { limit: Some(1), ..ListRequest::default() };
    let list = block_on(list(&world, &id, request, None)).unwrap();
    assert_eq!((list.functions.len(), list.next_page_token.as_deref()), (1, Some("p2")));
}

#[test]
fn regions_are_asked_one_by_one() {
    let (world, id) = World::connected();
    world.then(json_answer(200, &page(&[gen2("europe-west1", "a")], None, &[])));
    world.then(json_answer(200, &page(&[gen2("us-central1", "b")], None, &[])));
    let regions = vec!["us-central1".to_owned(), "europe-west1".to_owned()];
    let list = block_on(list(&world, &id, ListRequest { regions, ..ListRequest::default() }, None)).unwrap();
    assert_eq!(list.functions.len(), 2);
    assert!(world.urls()[0].contains("/locations/europe-west1/"));
}

#[test_case(ListRequest { regions: vec!["-".to_owned()], ..ListRequest::default() }; "a wildcard")]
#[test_case(ListRequest { page_size: Some(0), ..ListRequest::default() }; "no page")]
#[test_case(ListRequest { page_size: Some(1001), ..ListRequest::default() }; "too large a page")]
#[test_case(ListRequest { limit: Some(0), ..ListRequest::default() }; "nothing")]
#[test_case(ListRequest { filter: Some("a\nb".to_owned()), ..ListRequest::default() }; "two lines")]
fn bad_input_sends_nothing(request: ListRequest) {
    let (world, id) = World::connected();
    let error = block_on(list(&world, &id, request, None)).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert!(world.urls().is_empty());
}

#[test]
fn passing_faults_are_repeated() {
    let (world, id) = World::connected();
    world.then(json_answer(503, &json!({})));
    world.then(Err(TransportError::Broken("reset".to_owned())));
    world.then(json_answer(200, &json!({})));
    let list = block_on(list(&world, &id, ListRequest::default(), None)).unwrap();
    let attempts: Vec<_> = list.trace.iter().map(|exchange| (exchange.attempt, exchange.status)).collect();
    assert_eq!(attempts, [(1, Some(503)), (2, None), (3, Some(200))]);
    assert!(world.elapsed.get().as_millis() >= 750);
}

#[test]
fn a_retry_after_beyond_the_deadline_fails_now() {
    let (world, id) = World::connected();
    let mut answer = json_answer(429, &json!({"error": {"message": "slow down"}})).unwrap();
    answer.headers.push(("retry-after".to_owned(), b"60".to_vec()));
    world.then(Ok(answer));
    let error = block_on(list(&world, &id, ListRequest::default(), Some(5000))).unwrap_err();
    assert_eq!((error.kind(), error.fields().retry_after_ms), (Kind::RateLimited, Some(60_000)));
    assert_eq!(world.elapsed.get().as_millis(), 0);
}

#[test]
fn a_401_takes_one_new_token_and_one_more_attempt() {
    let (world, id) = World::connected();
    world.then(json_answer(401, &json!({})));
    world.then(access_token("ya29.second"));
    world.then(json_answer(401, &json!({"error": {"message": "still not"}})));
    let error = block_on(list(&world, &id, ListRequest::default(), None)).unwrap_err();
    assert_eq!((error.kind(), error.fields().trace.len()), (Kind::Unauthenticated, 3));
    let bearer = world.sent.borrow()[2].bearer().unwrap().reveal().clone();
    assert_eq!(bearer, "ya29.second");
}

#[test]
fn an_answer_that_is_not_json_names_what_was_tried() {
    let (world, id) = World::connected();
    let mut answer = json_answer(200, &json!({})).unwrap();
    answer.body = b"<html>".to_vec();
    world.then(Ok(answer));
    let error = block_on(list(&world, &id, ListRequest::default(), None)).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidResponse);
    assert!(error.fields().message.contains("list functions in demo-project"));
}

#[test]
fn an_unknown_connection_sends_nothing() {
    let world = World::new();
    let kind = |id: &str| block_on(list(&world, id, ListRequest::default(), None)).unwrap_err().kind();
    assert_eq!(kind(""), Kind::ConnectionRequired);
    assert_eq!(kind("0123456789abcdef"), Kind::ConnectionNotFound);
    assert_eq!(kind("../keys/x"), Kind::ConnectionNotFound);
}
