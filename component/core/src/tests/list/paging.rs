//! Lists of many pages: all of them, a few, one after another, and without end.

use serde_json::{Value, json};
use test_case::test_case;

use super::{
    super::{detail, gen2, knative, service},
    FUNCTIONS, RUN, everything, missing, names, page, region_of, services,
};
use crate::{
    actions::functions::{
        Generation,
        list::{FunctionList, ListRequest, list},
    },
    base::{
        error::{Error, Kind},
        http::Request,
    },
    testing::{Answer, World, block_on, denied, json_answer, locations, nothing, switched_off},
};

fn parameter(request: &Request, name: &str) -> Option<String> {
    let query = request.path_and_query().split_once('?')?.1;
    form_urlencoded::parse(query.as_bytes()).find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
}

/// The parameters and fields of a list.
struct Shape {
    size: &'static str,
    token: &'static str,
    items: &'static str,
    page: fn(Value, Option<String>) -> Value,
}

const FUNCTIONS_V2: Shape = Shape {
    size: "pageSize",
    token: "pageToken",
    items: "functions",
    page: |mut page, next| {
        page["nextPageToken"] = json!(next);
        page
    },
};

const SERVICES_V2: Shape = Shape { items: "services", ..FUNCTIONS_V2 };

/// <https://cloud.google.com/run/docs/reference/rest/v1/ListMeta>: the token is empty on the last page.
const SERVICES_V1: Shape = Shape {
    size: "limit",
    token: "continue",
    items: "items",
    page: |mut page, next| {
        page["metadata"] = json!({"continue": next.unwrap_or_default()});
        page
    },
};

/// A page of a list of this many items, whose tokens are the number of their first item.
fn slice(request: &Request, shape: &Shape, count: usize, item: impl Fn(usize) -> Value) -> Answer {
    let size: usize = parameter(request, shape.size).unwrap().parse().unwrap();
    let first: usize = parameter(request, shape.token).map_or(0, |token| token.parse().unwrap());
    let end = count.min(first + size);
    let page = json!({shape.items: (first..end).map(item).collect::<Vec<_>>()});
    json_answer(200, &(shape.page)(page, (end < count).then(|| end.to_string())))
}

const REGIONS: [&str; 3] = ["europe-west1", "us-central1", "us-east1"];

/// A project with so many functions of Cloud Functions, and so many of Cloud Run in each of three regions. Cloud
/// Run lists the newest first, which here is the last of its name; it may refuse the list of every region.
fn project_of(world: &World, functions: usize, in_each: usize, everywhere: bool) {
    let name = move |n: usize| format!("s{:05}", in_each - 1 - n);
    world.respond(move |request| match region_of(request).as_deref() {
        Some("-") if everywhere => slice(request, &SERVICES_V1, REGIONS.len() * in_each, |n| {
            knative(REGIONS[n % REGIONS.len()], &name(n / REGIONS.len()))
        }),
        Some("-") => denied("run.services.list"),
        Some(region) => slice(request, &SERVICES_V2, in_each, |n| service(region, &name(n))),
        None if request.path_and_query().contains("/functions?") => {
            slice(request, &FUNCTIONS_V2, functions, |n| gen2("us-central1", &format!("f{n:05}")))
        }
        None => locations(&REGIONS),
    });
}

fn project(world: &World, functions: usize, in_each: usize) {
    project_of(world, functions, in_each, true);
}

#[test_case(1_000, 100)]
#[test_case(1_000, 1_000)]
#[test_case(10_000, 100)]
#[test_case(10_000, 1_000)]
fn many_functions_over_pages_of_any_size_are_complete_and_in_order(functions: usize, page_size: u32) {
    let (world, id) = World::connected();
    project(&world, functions, 150);
    let request = ListRequest { page_size: Some(page_size), ..ListRequest::default() };
    let list = block_on(list(&world, &id, request, None)).unwrap();
    assert_eq!((list.functions.len(), list.next_page_token.as_deref()), (functions + 450, None));
    let pages = functions.div_ceil(page_size as usize) + 450_usize.div_ceil(page_size as usize);
    assert_eq!(list.pages as usize, pages);
    for (number, function) in list.functions[..functions].iter().enumerate() {
        assert_eq!(function.id.name.as_str(), format!("f{number:05}"));
    }
    for (number, function) in list.functions[functions..].iter().enumerate() {
        assert_eq!(function.id.region.as_str(), REGIONS[number / 150]);
        assert_eq!(function.id.name.as_str(), format!("s{:05}", number % 150));
    }
}

#[test]
fn a_call_reads_at_most_150_pages_and_the_next_one_goes_on() {
    let (world, id) = World::connected();
    project(&world, 2_000, 0);
    let request = ListRequest { page_size: Some(10), ..ListRequest::default() };
    let first = block_on(list(&world, &id, request.clone(), None)).unwrap();
    assert_eq!((first.pages, first.functions.len()), (150, 1_500));
    assert_eq!(first.next_page_token.as_deref(), Some("functions/-/1500"));
    let request = ListRequest { page_token: first.next_page_token, ..request };
    let next = block_on(list(&world, &id, request, None)).unwrap();
    assert_eq!((next.pages, next.functions[0].id.name.as_str()), (1, "f01500"));
}

#[test_case(true; "in the list of every region")]
#[test_case(false; "in a region")]
fn when_the_pages_run_out_in_cloud_run_it_goes_on_there(everywhere: bool) {
    let (world, id) = World::connected();
    project_of(&world, 0, 100, everywhere);
    let request = ListRequest { page_size: Some(1), ..ListRequest::default() };
    let first = block_on(list(&world, &id, request, None)).unwrap();
    // One page for Cloud Functions, 100 of the first region that is asked, and what is left for the next ones.
    assert!(first.pages <= 150, "{}", first.pages);
    let token = first.next_page_token.unwrap();
    assert_eq!(token.starts_with("services/-/"), everywhere, "{token}");
    let rest = read_on(&world, &id, &ListRequest { page_size: Some(50), ..ListRequest::default() }, &token);
    let mut all = first.functions;
    all.extend(rest);
    assert_eq!(all.len(), 300);
}

/// All that comes after a token, one page a call.
fn read_on(
    world: &World,
    id: &str,
    request: &ListRequest,
    token: &str,
) -> Vec<crate::actions::functions::Function> {
    let (mut all, mut token) = (Vec::new(), Some(token.to_owned()));
    for _ in 0..100 {
        let Some(page_token) = token else { return all };
        let request = ListRequest { page_token: Some(page_token), ..request.clone() };
        let page = block_on(list(world, id, request.clone(), None)).unwrap();
        assert!(page.functions.len() <= request.page_size.unwrap() as usize);
        assert!(page.missing.is_empty(), "{:?}", page.missing);
        all.extend(page.functions);
        token = page.next_page_token;
    }
    panic!("the pages do not end");
}

#[test_case(&[], 7, 3, 4, true; "every region")]
#[test_case(&[], 7, 3, 4, false; "each region")]
#[test_case(&[], 0, 3, 100, true; "nothing but cloud run")]
#[test_case(&[], 0, 3, 100, false; "nothing but cloud run in each region")]
#[test_case(&[], 8, 0, 4, true; "nothing but cloud functions")]
#[test_case(&["us-central1"], 7, 3, 2, true; "one region")]
#[test_case(&["us-central1", "us-east1"], 5, 5, 3, true; "two regions")]
fn page_by_page_is_the_same_as_all_at_once(
    regions: &[&str],
    functions: usize,
    in_each: usize,
    page_size: u32,
    everywhere: bool,
) {
    let (world, id) = World::connected();
    project_of(&world, functions, in_each, everywhere);
    let regions: Vec<String> = regions.iter().map(|region| (*region).to_owned()).collect();
    let request = ListRequest { regions, page_size: Some(page_size), ..ListRequest::default() };
    let whole = block_on(list(&world, &id, request.clone(), None)).unwrap();
    let first = ListRequest { limit: Some(1), ..request.clone() };
    let first = block_on(list(&world, &id, first, None)).unwrap();
    let mut all = first.functions;
    if let Some(token) = first.next_page_token {
        all.extend(read_on(&world, &id, &request, &token));
    }
    // Cloud Run gives the newest first; pages are in the order of regions and names, each by itself.
    let key = |f: &crate::actions::functions::Function| {
        (f.generation == Generation::CloudRun, f.id.region.clone(), f.id.name.clone())
    };
    let sorted = |functions: &[crate::actions::functions::Function]| {
        let mut keys: Vec<_> = functions.iter().map(key).collect();
        keys.sort();
        keys
    };
    assert_eq!(sorted(&all), sorted(&whole.functions));
}

/// Functions that were asked for, page size; functions that came, and where the list goes on.
type Limited = (u32, u32, usize, Option<&'static str>);

#[test_case(true, &[
    (5, 4, 8, Some("functions/-/8")),
    (10, 4, 10, Some("services/-/")),
    (11, 4, 14, Some("services/-/4")),
    (12, 2, 12, Some("services/-/2")),
    (16, 4, 18, Some("services/-/8")),
    (19, 4, 19, None),
    (100, 4, 19, None),
]; "in the list of every region")]
#[test_case(false, &[
    (5, 4, 8, Some("functions/-/8")),
    (10, 4, 10, Some("services/-/")),
    (11, 4, 13, Some("services/us-central1/")),
    (12, 2, 12, Some("services/europe-west1/2")),
    (16, 4, 16, Some("services/us-east1/")),
    (17, 4, 19, None),
    (100, 4, 19, None),
]; "in each region")]
fn a_limit_stops_after_the_page_that_reaches_it_and_says_where_to_go_on(everywhere: bool, cases: &[Limited]) {
    let (world, id) = World::connected();
    project_of(&world, 10, 3, everywhere);
    for (limit, page_size, found, next) in cases {
        let request =
            ListRequest { limit: Some(*limit), page_size: Some(*page_size), ..ListRequest::default() };
        let list = block_on(list(&world, &id, request, None)).unwrap();
        assert_eq!((list.functions.len(), list.next_page_token.as_deref()), (*found, *next), "{limit}");
    }
}

#[test]
fn a_limit_asks_for_no_more_than_it_needs() {
    let (world, id) = World::connected();
    world.then(json_answer(200, &page(&[gen2("us-central1", "a")], Some("p2"), &[])));
    let request = ListRequest { limit: Some(1), ..ListRequest::default() };
    let list = block_on(list(&world, &id, request, None)).unwrap();
    assert_eq!(list.next_page_token.as_deref(), Some("functions/-/p2"));
    assert_eq!(world.urls().len(), 1);
}

#[test]
fn a_page_token_is_of_a_list_of_the_same_regions() {
    let (world, id) = World::connected();
    for (regions, token) in [
        (vec!["us-central1".to_owned()], "functions/-/x"),
        (vec!["us-central1".to_owned()], "services/europe-west1/x"),
        (vec![], "functions/us-central1/x"),
    ] {
        let request = ListRequest { regions, page_token: Some(token.to_owned()), ..ListRequest::default() };
        let error = block_on(list(&world, &id, request, None)).unwrap_err();
        assert_eq!((error.kind(), detail(&error, "field")), (Kind::InvalidInput, Some("page-token")));
    }
    assert!(world.urls().is_empty());
}

#[test]
fn a_page_that_fails_is_an_error_and_can_be_asked_for_again() {
    let (world, id) = World::connected();
    world.then(switched_off(FUNCTIONS));
    let request = ListRequest { page_token: Some("functions/-/p2".to_owned()), ..ListRequest::default() };
    assert_eq!(block_on(list(&world, &id, request, None)).unwrap_err().kind(), Kind::ApiDisabled);
}

#[test]
fn a_list_that_goes_on_at_cloud_run_says_so_if_that_is_off() {
    let (world, id) = World::connected();
    world.then(switched_off(RUN));
    let request = ListRequest { page_token: Some("services/-/".to_owned()), ..ListRequest::default() };
    assert_eq!(block_on(list(&world, &id, request, None)).unwrap_err().kind(), Kind::ApiDisabled);
}

fn no_end(outcome: Result<FunctionList, Error>) {
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), Kind::PageLoop);
    assert!(error.fields().fix.is_some());
}

#[test]
fn a_page_token_of_cloud_functions_that_comes_twice_ends_in_an_error() {
    let (world, id) = World::connected();
    world.respond(|request| match region_of(request) {
        Some(_) => nothing(),
        None if request.path_and_query().contains("/functions?") => {
            json_answer(200, &page(&[], Some("same"), &[]))
        }
        None => locations(&REGIONS),
    });
    no_end(everything(&world, &id));
    let request = ListRequest { page_token: Some("functions/-/same".to_owned()), ..ListRequest::default() };
    no_end(block_on(list(&world, &id, request, None)));
    assert!(world.urls().len() <= 6);
}

#[test_case(true; "in the list of every region")]
#[test_case(false; "in a region")]
fn a_page_token_of_cloud_run_that_comes_twice_ends_in_an_error(everywhere: bool) {
    let (world, id) = World::connected();
    world.respond(move |request| match region_of(request).as_deref() {
        Some("-") if !everywhere => denied("run.services.list"),
        Some(_) => {
            let token = parameter(request, if everywhere { "continue" } else { "pageToken" });
            let next = if token.as_deref() == Some("a") { "b" } else { "a" };
            let page = if everywhere {
                json!({"metadata": {"continue": next}})
            } else {
                json!({"nextPageToken": next})
            };
            json_answer(200, &page)
        }
        None if request.path_and_query().contains("/functions?") => nothing(),
        None => locations(&["us-central1"]),
    });
    no_end(everything(&world, &id));
}

#[test]
fn a_server_that_never_ends_with_tokens_that_never_repeat_is_left_after_150_pages() {
    let (world, id) = World::connected();
    world.respond(|request| match region_of(request) {
        Some(_) => nothing(),
        None if request.path_and_query().contains("/functions?") => {
            let next: u32 = parameter(request, "pageToken").map_or(0, |token| token.parse().unwrap()) + 1;
            json_answer(200, &page(&[], Some(&next.to_string()), &[]))
        }
        None => locations(&REGIONS),
    });
    let list = everything(&world, &id).unwrap();
    assert_eq!((list.pages, list.next_page_token.as_deref()), (150, Some("functions/-/150")));
    assert!(names(&list).is_empty() && missing(&list).is_empty());
}

/// A list without the regions that came after would be a partial one that does not say so.
#[test_case(|_| "again".to_owned(), "came twice"; "a token that comes again")]
#[test_case(|before| format!("{before}x"), "more pages than"; "a new token each time")]
fn regions_without_an_end_are_an_error(next: fn(&str) -> String, why: &str) {
    let (world, id) = World::connected();
    world.respond(move |request| match region_of(request).as_deref() {
        Some("-") => denied("run.services.list"),
        Some(_) => nothing(),
        None if request.path_and_query().contains("/functions?") => nothing(),
        None => {
            let mut page: Value = serde_json::from_slice(&locations(&REGIONS).unwrap().body).unwrap();
            page["nextPageToken"] = json!(next(&parameter(request, "pageToken").unwrap_or_default()));
            json_answer(200, &page)
        }
    });
    let error = everything(&world, &id).unwrap_err();
    assert_eq!(error.kind(), Kind::PageLoop);
    assert!(error.to_string().contains(why), "{error}");
    let of_regions = world.urls().iter().filter(|url| url.ends_with("/locations")).count();
    assert!((2..=10).contains(&of_regions), "{of_regions}");
}

#[test]
fn the_pages_of_the_regions_themselves_are_read() {
    let (world, id) = World::connected();
    world.respond(|request| match region_of(request).as_deref() {
        Some("-") => denied("run.services.list"),
        Some(region) => services(&[service(region, "a")]),
        None if request.path_and_query().contains("/functions?") => nothing(),
        None if parameter(request, "pageToken").is_some() => locations(&["us-east4"]),
        None => {
            let mut first: Value = serde_json::from_slice(&locations(&REGIONS).unwrap().body).unwrap();
            first["nextPageToken"] = json!("p2");
            json_answer(200, &first)
        }
    });
    let list = everything(&world, &id).unwrap();
    let regions: Vec<_> = list.functions.iter().map(|function| function.id.region.as_str()).collect();
    assert_eq!(regions, ["europe-west1", "us-central1", "us-east1", "us-east4"]);
}
