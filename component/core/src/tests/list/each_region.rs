//! Lists of those who may not ask about all regions at once: each region is asked by itself.

use test_case::test_case;

use super::*;

/// Roles can be granted for some places only, and an API may lack the list of all of them.
#[test_case(only_in_regions(); "a role is missing")]
#[test_case(forbidden(None); "without a reason")]
#[test_case(forbidden(Some("LOCATION_POLICY_VIOLATED")); "for the sake of a region")]
#[test_case(json_answer(404, &json!({"error": {"code": 404, "status": "NOT_FOUND"}})); "there is no such list")]
#[test_case(json_answer(400, &json!({"error": {"code": 400, "status": "INVALID_ARGUMENT"}})); "there is no such region")]
fn who_may_not_ask_about_everywhere_is_answered_in_each_region(refusal: Answer) {
    let (world, id) = World::connected();
    world.respond(move |request| match region_of(request).as_deref() {
        Some("-") => refusal.clone(),
        Some(region) => services(&[service(region, "a")]),
        None if request.path_and_query().contains("/functions?") => nothing(),
        None => {
            let path = request.path_and_query();
            assert_eq!(
                (request.host(), path.split('?').next()),
                (RUN, Some("/v1/projects/demo-project/locations"))
            );
            locations(&["us-central1", "europe-west1", "asia-southeast3"])
        }
    });
    let list = everything(&world, &id).unwrap();
    let regions: Vec<_> = list.functions.iter().map(|function| function.id.region.as_str()).collect();
    assert_eq!(regions, ["asia-southeast3", "europe-west1", "us-central1"]);
    assert!(list.missing.is_empty() && list.notes.is_empty() && list.unreachable.is_empty());
    assert_eq!(list.trace.len(), 3 + 3);
}

/// A call that is refused because of the project, the caller or the API is refused in each region.
#[test_case(switched_off(RUN), Kind::ApiDisabled; "off")]
#[test_case(forbidden(Some("SECURITY_POLICY_VIOLATED")), Kind::Forbidden; "service perimeter")]
#[test_case(forbidden(Some("BILLING_DISABLED")), Kind::Forbidden; "billing")]
#[test_case(json_answer(500, &json!({})), Kind::Unavailable; "a fault")]
fn what_every_region_would_say_is_asked_once(refusal: Answer, kind: Kind) {
    let (world, id) = World::connected();
    world.respond(move |request| match region_of(request).as_deref() {
        Some("-") => refusal.clone(),
        Some(region) => panic!("{region} would say the same"),
        None => json_answer(200, &page(&[gen2("us-central1", "a")], None, &[])),
    });
    let list = everything(&world, &id).unwrap();
    assert_eq!((names(&list), missing(&list)), (vec!["a"], vec![(RUN, None, kind)]));
}

#[test]
fn who_may_not_list_locations_either_gets_the_known_ones_and_a_note() {
    let (world, id) = World::connected();
    world.respond(|request| match region_of(request).as_deref() {
        Some("-") => only_in_regions(),
        Some("me-new9") => services(&[service("me-new9", "there")]),
        Some(_) => nothing(),
        None if request.path_and_query().contains("/functions?") => {
            json_answer(200, &page(&[gen2("me-new9", "a")], None, &[]))
        }
        None if request.host() == RUN => denied("run.locations.list"),
        None => denied("cloudfunctions.locations.list"),
    });
    let list = everything(&world, &id).unwrap();
    assert_eq!(names(&list), ["a", "there"]);
    assert!(list.notes[0].contains("the 44 that are known"), "{:?}", list.notes);
    assert!(list.missing.is_empty());
    let asked: Vec<_> = world.sent.borrow().iter().filter_map(region_of).collect();
    assert_eq!(asked.len(), 1 + 44);
    assert_eq!(asked[1], "us-central1", "the connection's own, before anything else is known");
}

#[test]
fn an_api_that_is_off_is_asked_once_and_is_one_missing_part() {
    let (world, id) = World::connected();
    world.then(json_answer(200, &page(&[gen2("us-central1", "a")], None, &[])));
    world.then(switched_off(RUN));
    let list = everything(&world, &id).unwrap();
    assert_eq!(names(&list), ["a"]);
    assert_eq!(missing(&list), [(RUN, None, Kind::ApiDisabled)]);
    assert!(list.missing[0].fix.as_deref().unwrap().contains("gcloud services enable run.googleapis.com"));
}

#[test]
fn what_is_denied_everywhere_is_one_missing_part() {
    let (world, id) = World::connected();
    world.respond(|request| match region_of(request) {
        Some(_) => denied("run.services.list"),
        None if request.path_and_query().contains("/functions?") => nothing(),
        None => locations(&["europe-west1", "us-central1", "us-east1"]),
    });
    let list = everything(&world, &id).unwrap();
    assert_eq!(missing(&list), [(RUN, None, Kind::MissingRole)]);
    assert!(list.missing[0].fix.as_deref().unwrap().contains("roles/run.viewer"));
}

#[test]
fn who_may_only_list_services_gets_those() {
    let (world, id) = World::connected();
    world.then(denied("cloudfunctions.functions.list"));
    world.then(everywhere(&[knative("us-central1", "a"), knative("europe-west1", "a")]));
    let list = everything(&world, &id).unwrap();
    assert_eq!(list.functions.len(), 2);
    assert_eq!(missing(&list), [(FUNCTIONS, None, Kind::MissingRole)]);
    assert_eq!((list.notes.len(), list.trace.len()), (0, 2));
}

/// Of somebody whom Cloud Functions told nothing either, the connection's own region is asked before all others.
#[test_case(services(&[service("us-central1", "a")]), 2; "who may look there")]
#[test_case(denied("run.services.list"), 0; "who may look nowhere")]
fn who_may_list_nothing_everywhere_may_do_so_at_home(home: Answer, found: usize) {
    let (world, id) = World::connected();
    world.respond(move |request| match region_of(request).as_deref() {
        Some("-") => only_in_regions(),
        Some("us-central1") => home.clone(),
        Some(region) => services(&[service(region, "b")]),
        None if request.path_and_query().contains("/functions?") => denied("cloudfunctions.functions.list"),
        None => locations(&["us-central1", "us-east1"]),
    });
    let list = everything(&world, &id);
    assert_eq!(list.as_ref().map_or(0, |list| list.functions.len()), found);
    if let Err(error) = list {
        assert_eq!((error.kind(), error.fields().trace.len()), (Kind::MissingRole, 3));
    }
}
