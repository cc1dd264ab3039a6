use serde_json::{Value, json};
use test_case::test_case;

use super::{detail, everywhere, gen1, gen2, knative, service};
use crate::{
    actions::functions::{
        Generation,
        list::{FunctionList, ListRequest, list},
    },
    base::{
        error::{Kind, Result},
        http::{Request, TransportError},
    },
    testing::{
        Answer, World, access_token, block_on, canaries, denied, json_answer, locations, nothing,
        switched_off,
    },
};

mod each_region;
mod paging;

fn page(functions: &[Value], next: Option<&str>, unreachable: &[&str]) -> Value {
    let mut page = json!({"functions": functions, "unreachable": unreachable});
    if let Some(next) = next {
        page["nextPageToken"] = json!(next);
    }
    page
}

fn services(services: &[Value]) -> Answer {
    json_answer(200, &json!({"services": services}))
}

fn everything(world: &World, id: &str) -> Result<FunctionList> {
    block_on(list(world, id, ListRequest::default(), None))
}

fn names(list: &FunctionList) -> Vec<&str> {
    list.functions.iter().map(|function| function.id.name.as_str()).collect()
}

/// Source, region and kind of what is missing.
fn missing(list: &FunctionList) -> Vec<(&str, Option<&str>, Kind)> {
    list.missing.iter().map(|part| (part.source, part.region.as_deref(), part.kind)).collect()
}

const FUNCTIONS: &str = "cloudfunctions.googleapis.com";
const RUN: &str = "run.googleapis.com";

/// The location of a request to Cloud Run for a list, `-` or a region; `None` if it is another one.
fn region_of(request: &Request) -> Option<String> {
    let path = request.path_and_query().split('?').next()?;
    let [version, location] = [1, 5].map(|at| path.split('/').nth(at).unwrap_or_default().to_owned());
    if request.host() != RUN || !path.ends_with("/services") {
        return None;
    }
    assert_eq!(version, if location == "-" { "v1" } else { "v2" }, "v2 has no list of every region");
    Some(location)
}

/// A refusal of everywhere, for somebody who may ask about some regions only.
fn only_in_regions() -> Answer {
    denied("run.services.list")
}

/// A 403 with this reason of `google.api.ErrorReason`.
fn forbidden(reason: Option<&str>) -> Answer {
    let info = |reason| json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"});
    let details: Vec<Value> = reason.map(info).into_iter().collect();
    let message = "Permission denied on 'locations/me-central2' (or it may not exist).";
    json_answer(
        403,
        &json!({"error": {"code": 403, "status": "PERMISSION_DENIED", "message": message, "details": details}}),
    )
}

#[test]
fn every_page_of_every_source_is_read_in_order_and_none_stands_twice() {
    let (world, id) = World::connected();
    world.then(json_answer(200, &page(&[gen2("us-central1", "z")], Some("p2"), &["asia-east2"])));
    world.then(json_answer(200, &page(&[gen1("europe-west1", "b")], None, &["asia-east2"])));
    let mut managed = knative("europe-west1", "inventory-sync");
    managed["metadata"]["labels"]["goog-managed-by"] = json!("cloudfunctions");
    let mut image = knative("europe-west1", "no-function");
    image["metadata"]["annotations"] = json!({});
    // What is behind a function of Cloud Functions may lack the label that says so.
    let z = knative("us-central1", "z");
    let first = [knative("us-central1", "y"), z, managed, knative("us-central1", "a")];
    world.then(json_answer(
        200,
        &json!({
            "items": first, "metadata": {"continue": "c2"}, "unreachable": ["europe-west9"],
        }),
    ));
    world.then(everywhere(&[image, knative("europe-west1", "z")]));
    world.then(json_answer(503, &json!({})));
    let list = everything(&world, &id).unwrap();
    let found: Vec<_> =
        list.functions.iter().map(|f| (f.id.region.as_str(), f.id.name.as_str(), f.generation)).collect();
    assert_eq!(
        found,
        [
            ("us-central1", "z", Generation::Gen2),
            ("europe-west1", "b", Generation::Gen1),
            ("europe-west1", "z", Generation::CloudRun),
            ("us-central1", "a", Generation::CloudRun),
            ("us-central1", "y", Generation::CloudRun),
        ]
    );
    assert_eq!(
        (list.pages, list.unreachable.clone()),
        (4, ["asia-east2", "europe-west9"].map(str::to_owned).to_vec())
    );
    assert_eq!(list.trace.len(), 4 + 1, "one request for each page, and one for a silent region");
    assert!(list.missing.is_empty() && list.notes.is_empty() && list.next_page_token.is_none());
    let sent = world.sent.borrow();
    let paths: Vec<_> = sent.iter().map(Request::path_and_query).collect();
    assert!(
        paths[0].starts_with("/v2/projects/demo-project/locations/-/functions?pageSize=1000&fields="),
        "{paths:?}"
    );
    assert!(paths[1].ends_with("&pageToken=p2"));
    assert!(
        paths[2].starts_with("/v1/projects/demo-project/locations/-/services?limit=1000&fields=items%28")
    );
    assert!(paths[2].ends_with("%2Cmetadata%2Fcontinue%2Cunreachable"));
    assert!(paths[3].ends_with("&continue=c2"));
    assert!(paths[4].starts_with("/v2/projects/demo-project/locations/europe-west9/services?pageSize=1000&"));
    assert!(paths.iter().all(|path| !path.contains("nvironmentVariables")));
}

#[test]
fn an_empty_project_is_an_empty_list() {
    let (world, id) = World::connected();
    world.then(nothing());
    world.then(nothing());
    let list = everything(&world, &id).unwrap();
    assert_eq!(list.trace.len(), 2);
    assert!(list.functions.is_empty() && list.unreachable.is_empty() && list.next_page_token.is_none());
    assert!(list.missing.is_empty() && list.notes.is_empty());
}

#[test]
fn with_a_filter_cloud_run_is_left_out_and_the_list_says_so() {
    let (world, id) = World::connected();
    world.then(json_answer(200, &page(&[gen2("us-central1", "a")], None, &[])));
    let request = ListRequest {
        filter: Some("state=\"ACTIVE\"".to_owned()),
        order_by: Some("name desc".to_owned()),
        ..ListRequest::default()
    };
    let list = block_on(list(&world, &id, request, None)).unwrap();
    assert_eq!((list.functions.len(), list.notes.len(), list.trace.len()), (1, 1, 1));
    assert!(list.notes[0].contains("Cloud Run"));
    let sent = world.sent.borrow();
    assert!(sent[0].path_and_query().ends_with("&filter=state%3D%22ACTIVE%22&orderBy=name+desc"));
}

#[test]
fn an_order_is_for_cloud_functions_and_cloud_run_comes_after_it() {
    let (world, id) = World::connected();
    world.respond(|request| match region_of(request) {
        Some(_) => {
            assert!(!request.path_and_query().contains("orderBy"));
            everywhere(&[knative("us-central1", "c")])
        }
        None => {
            assert!(request.path_and_query().contains("orderBy=name"));
            json_answer(200, &page(&[gen2("us-central1", "b"), gen2("us-central1", "a")], None, &[]))
        }
    });
    let request = ListRequest { order_by: Some("name desc".to_owned()), ..ListRequest::default() };
    let list = block_on(list(&world, &id, request, None)).unwrap();
    assert_eq!(names(&list), ["b", "a", "c"]);
}

#[test]
fn only_the_regions_that_are_asked_for_are_asked() {
    let (world, id) = World::connected();
    world.then(json_answer(200, &page(&[gen2("europe-west1", "a")], None, &[])));
    world.then(json_answer(200, &page(&[gen2("us-central1", "b")], None, &[])));
    world.then(services(&[service("europe-west1", "c")]));
    world.then(services(&[service("us-central1", "d")]));
    let regions = vec!["us-central1".to_owned(), "europe-west1".to_owned(), "us-central1".to_owned()];
    let list = block_on(list(&world, &id, ListRequest { regions, ..ListRequest::default() }, None)).unwrap();
    assert_eq!(names(&list), ["a", "b", "c", "d"]);
    let locations: Vec<_> =
        world.urls().iter().map(|url| url.split('/').skip(7).collect::<Vec<_>>().join("/")).collect();
    assert_eq!(
        locations,
        ["europe-west1/functions", "us-central1/functions", "europe-west1/services", "us-central1/services"]
    );
}

#[test]
fn a_region_that_fails_is_missing_and_the_others_are_there() {
    let (world, id) = World::connected();
    world.respond(|request| match region_of(request).as_deref() {
        Some("-") => only_in_regions(),
        Some("us-central1") => nothing(),
        Some("europe-west1") => Err(TransportError::Timeout),
        Some("us-east1") => json_answer(500, &json!({"error": {"code": 500, "message": "boom"}})),
        Some(region) => services(&[service(region, "a")]),
        None if request.path_and_query().contains("/functions?") => nothing(),
        None => locations(&["us-central1", "europe-west1", "us-east1", "us-east4"]),
    });
    let list = everything(&world, &id).unwrap();
    assert_eq!(names(&list), ["a"]);
    assert_eq!(
        missing(&list),
        [(RUN, Some("europe-west1"), Kind::DeadlineExceeded), (RUN, Some("us-east1"), Kind::Unavailable)]
    );
}

/// Google's answers, as several people captured them; the first is what most projects get about me-central2.
#[test_case(forbidden(Some("LOCATION_POLICY_VIOLATED")), true; "a region that the project may not use")]
#[test_case(sentence("Location me-central2 is not found or access is unauthorized."), true; "a region that an api is not in")]
#[test_case(sentence("Location us-east1 is not found or access is unauthorized."), false; "about another region")]
#[test_case(sentence("The caller does not have permission"), false; "a role")]
fn a_closed_region_holds_nothing_and_a_list_without_it_is_whole(answer: Answer, is_whole: bool) {
    let (world, id) = World::connected();
    let closed = answer.clone();
    world.respond(move |request| match region_of(request).as_deref() {
        Some("-") => only_in_regions(),
        Some("me-central2") => closed.clone(),
        Some(region) => services(&[service(region, "a")]),
        None if request.path_and_query().contains("/functions?") => nothing(),
        None => locations(&["us-central1", "me-central2"]),
    });
    let list = everything(&world, &id).unwrap();
    assert_eq!((names(&list), list.missing.is_empty()), (vec!["a"], is_whole));
    assert!(list.notes.is_empty());

    // Whoever names it may have misspelt it, and is told.
    let (world, id) = World::connected();
    world.respond(move |request| match (region_of(request).as_deref(), request.path_and_query()) {
        (Some("us-central1"), _) => services(&[service("us-central1", "a")]),
        (None, path) if path.contains("/us-central1/") => nothing(),
        (Some(_) | None, _) => answer.clone(),
    });
    let regions = ["us-central1", "me-central2"].map(str::to_owned).to_vec();
    let named = |regions| block_on(list_of(&world, &id, regions));
    let list = named(regions).unwrap();
    assert_eq!((list.missing.is_empty(), list.notes.len()), (is_whole, if is_whole { 2 } else { 0 }));
    assert!(list.notes.iter().all(|note| note.contains("has nothing in me-central2")), "{:?}", list.notes);
    let error = named(vec!["me-central2".to_owned()]).unwrap_err();
    assert_eq!(error.fields().http_status, Some(403));
}

/// A 403 of which Google says nothing but this.
fn sentence(message: &str) -> Answer {
    json_answer(
        403,
        &json!({"error": {"code": 403, "status": "PERMISSION_DENIED", "message": message, "details": []}}),
    )
}

async fn list_of(world: &World, id: &str, regions: Vec<String>) -> Result<FunctionList> {
    list(world, id, ListRequest { regions, ..ListRequest::default() }, None).await
}

/// asia-southeast3 was Cloud Run's alone in June 2026.
#[test]
fn a_region_without_cloud_functions_has_functions_of_cloud_run() {
    let (world, id) = World::connected();
    world.then(sentence("Location asia-southeast3 is not found or access is unauthorized."));
    world.then(services(&[service("asia-southeast3", "a")]));
    let list = block_on(list_of(&world, &id, vec!["asia-southeast3".to_owned()])).unwrap();
    assert_eq!((names(&list), list.missing.len()), (vec!["a"], 0));
    assert!(list.notes[0].starts_with(FUNCTIONS), "{:?}", list.notes);
}

#[test]
fn what_was_read_before_a_list_failed_is_kept_and_the_list_says_so() {
    let (world, id) = World::connected();
    world.then(json_answer(200, &page(&[gen2("us-central1", "a")], Some("p2"), &[])));
    world.then(json_answer(500, &json!({"error": {"code": 500, "message": "boom"}})));
    world.then(everywhere(&[knative("us-central1", "b")]));
    let list = everything(&world, &id).unwrap();
    assert_eq!(names(&list), ["a", "b"]);
    assert_eq!(missing(&list), [(FUNCTIONS, None, Kind::Unavailable)]);
}

/// Google counts as silent what the project may not use, as others found who verify their deployments (public
/// repositories, tests `rechecks every unreachable Run region` and `accepts an unreachable Run region only with a
/// location-policy proof`, 2026): each is asked by itself, and once.
#[test]
fn a_region_that_is_silent_among_all_of_them_is_asked_by_itself() {
    let silent =
        ["me-central2", "projects/demo-project/locations/europe-west9", "us-east1", "us-west1", "a/b?c"];
    let google = move |request: &Request| match region_of(request).as_deref() {
        Some("-") => {
            json_answer(200, &json!({"items": [knative("us-central1", "a")], "unreachable": silent}))
        }
        Some("me-central2") => forbidden(Some("LOCATION_POLICY_VIOLATED")),
        Some("europe-west9") => services(&[service("europe-west9", "hidden")]),
        Some("us-east1") => json_answer(503, &json!({})),
        Some(region) => {
            assert_eq!(region, "us-west1");
            denied("run.services.list")
        }
        None => nothing(),
    };
    let (world, id) = World::connected();
    world.respond(google);
    let list = everything(&world, &id).unwrap();
    assert_eq!(names(&list), ["hidden", "a"]);
    assert_eq!(list.unreachable, ["b?c", "us-east1", "us-west1"]);
    assert!(list.missing.is_empty() && list.notes.is_empty(), "{list:?}");
    assert_eq!(list.trace.len(), 2 + 4);

    // A page has no more room than it has.
    let page = ListRequest {
        page_token: Some("services/-/".to_owned()),
        page_size: Some(1),
        ..ListRequest::default()
    };
    let page = block_on(super::list::list(&world, &id, page, None)).unwrap();
    assert_eq!((names(&page), page.next_page_token.as_deref()), (vec!["a"], None));
    assert_eq!(page.unreachable, ["b?c", "europe-west9", "us-east1", "us-west1"]);
}

#[test]
fn many_silent_regions_are_an_outage() {
    let silent: Vec<String> = (1..=40).map(|n| format!("moon-west{n}")).collect();
    let (world, id) = World::connected();
    let unreachable = silent.clone();
    world.respond(move |request| match region_of(request).as_deref() {
        Some("-") => json_answer(200, &json!({"unreachable": unreachable})),
        Some(_) => json_answer(503, &json!({})),
        None => nothing(),
    });
    let list = everything(&world, &id).unwrap();
    assert_eq!((list.unreachable.len(), list.trace.len()), (40, 2 + 16));
}

/// Cloud Functions' own error, unless it says only that it did not work this time.
#[test_case(
    denied("cloudfunctions.functions.list"),
    denied("run.services.list"),
    Kind::MissingRole,
    "cloudfunctions.functions.list"
)]
#[test_case(switched_off(FUNCTIONS), switched_off(RUN), Kind::ApiDisabled, FUNCTIONS)]
#[test_case(switched_off(FUNCTIONS), denied("run.services.list"), Kind::ApiDisabled, FUNCTIONS)]
#[test_case(
    Err(TransportError::Timeout),
    denied("run.services.list"),
    Kind::MissingRole,
    "run.services.list"
)]
fn nothing_at_all_is_an_error(functions: Answer, run: Answer, kind: Kind, says: &str) {
    let (world, id) = World::connected();
    world.respond(move |request| if request.host() == RUN { run.clone() } else { functions.clone() });
    let error = everything(&world, &id).unwrap_err();
    assert_eq!(error.kind(), kind);
    let fields = error.fields();
    assert!(fields.details.iter().any(|(_, value)| value.contains(says)), "{error:?}");
    assert!(fields.fix.is_some() && fields.trace.len() <= 3, "{error:?}");
}

#[test_case(ListRequest { regions: vec!["-".to_owned()], ..ListRequest::default() }, "region"; "a wildcard")]
#[test_case(ListRequest { page_size: Some(0), ..ListRequest::default() }, "page-size"; "no page")]
#[test_case(ListRequest { page_size: Some(1001), ..ListRequest::default() }, "page-size"; "too large a page")]
#[test_case(ListRequest { limit: Some(0), ..ListRequest::default() }, "limit"; "nothing")]
#[test_case(ListRequest { filter: Some("a\nb".to_owned()), ..ListRequest::default() }, "filter"; "two lines")]
#[test_case(ListRequest { order_by: Some(String::new()), ..ListRequest::default() }, "order-by"; "no order")]
#[test_case(ListRequest { page_token: Some("CAE=".to_owned()), ..ListRequest::default() }, "page-token"; "a token of another maker")]
fn bad_input_sends_nothing(request: ListRequest, field: &str) {
    let (world, id) = World::connected();
    let error = block_on(list(&world, &id, request, None)).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "field")), (Kind::InvalidInput, Some(field)));
    assert!(world.urls().is_empty());
}

#[test]
fn passing_faults_are_repeated() {
    let (world, id) = World::connected();
    world.then(json_answer(503, &json!({})));
    world.then(Err(TransportError::Broken("reset".to_owned())));
    world.then(json_answer(200, &json!({})));
    let list = block_on(list(&world, &id, super::one_request(), None)).unwrap();
    let attempts: Vec<_> = list.trace.iter().map(|exchange| (exchange.attempt, exchange.status)).collect();
    assert_eq!(attempts, [(1, Some(503)), (2, None), (3, Some(200))]);
    assert!(!world.elapsed.get().is_zero());
}

#[test]
fn a_retry_after_beyond_the_deadline_fails_now() {
    let (world, id) = World::connected();
    let mut answer = json_answer(429, &json!({"error": {"message": "slow down"}})).unwrap();
    answer.headers.push(("retry-after".to_owned(), b"60".to_vec()));
    world.then(Ok(answer));
    let error = block_on(list(&world, &id, super::one_request(), Some(5000))).unwrap_err();
    assert_eq!((error.kind(), error.fields().retry_after_ms), (Kind::RateLimited, Some(60_000)));
    assert_eq!(world.elapsed.get().as_millis(), 0);
}

#[test]
fn a_401_takes_one_new_token_and_one_more_attempt() {
    let (world, id) = World::connected();
    world.then(json_answer(401, &json!({})));
    world.then(access_token(canaries::SECOND));
    world.then(json_answer(401, &json!({"error": {"message": "still not"}})));
    let error = block_on(list(&world, &id, super::one_request(), None)).unwrap_err();
    assert_eq!((error.kind(), error.fields().trace.len()), (Kind::Unauthenticated, 3));
    let bearer = world.sent.borrow()[2].bearer().unwrap().reveal().clone();
    assert_eq!(bearer, canaries::SECOND);
}

#[test]
fn a_hundred_requests_take_one_token_even_if_the_store_keeps_none() {
    let (world, id) = World::connected();
    world.at(4000);
    world.read_only.set(true);
    world.respond(|request| match region_of(request).as_deref() {
        Some("-") => only_in_regions(),
        Some(_) => nothing(),
        None if request.host() == "oauth2.googleapis.com" => access_token(canaries::SECOND),
        None if request.path_and_query().contains("/functions?") => nothing(),
        None => denied("cloudfunctions.locations.list"),
    });
    assert_eq!(everything(&world, &id).unwrap().trace.len(), 1 + 2 + 2 + 43);
    assert_eq!(world.urls().iter().filter(|url| url.contains("oauth2")).count(), 1);
}

#[test]
fn an_answer_that_is_not_json_names_what_was_tried() {
    let (world, id) = World::connected();
    let mut answer = json_answer(200, &json!({})).unwrap();
    answer.body = b"<html>".to_vec();
    world.then(Ok(answer));
    let error = block_on(list(&world, &id, super::one_request(), None)).unwrap_err();
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

#[test]
fn without_a_network_forty_regions_are_not_tried() {
    let (world, id) = World::connected();
    world.respond(|_| Err(TransportError::NotSent("no route".to_owned())));
    assert_eq!(everything(&world, &id).unwrap_err().kind(), Kind::Network);
    assert_eq!(world.urls().len(), 2 * 4, "functions, services; each as often as any request");
}
