//! One function, by name: from Cloud Functions, or from Cloud Run.

use serde_json::{Value, json};
use test_case::test_case;

use super::{
    detail, everywhere, gen1, gen2,
    invoke::{call, request},
    knative, service,
};
use crate::{
    actions::functions::{
        Function, Generation, Trigger,
        get::get,
        invoke::{Auth, InvokeRequest},
    },
    base::{
        error::{Error, Kind},
        http::TransportError,
    },
    google::which::FunctionRef,
    testing::{Answer, World, block_on, denied, json_answer, not_found, nothing, switched_off},
};

const RUN: &str = "run.googleapis.com";

fn in_region(name: &str) -> FunctionRef {
    FunctionRef::Named { name: name.to_owned(), region: Some("us-central1".to_owned()) }
}

fn bare(name: &str) -> FunctionRef {
    FunctionRef::Named { name: name.to_owned(), region: None }
}

fn ask(world: &World, id: &str, function: FunctionRef) -> Result<Function, Error> {
    block_on(get(world, id, function, None))
}

#[test]
fn a_function_of_cloud_functions_takes_one_request() {
    let (world, id) = World::connected();
    world.then(json_answer(200, &gen2("us-central1", "hello")));
    assert_eq!(ask(&world, &id, in_region("hello")).unwrap().generation, Generation::Gen2);
}

/// Neither the API nor a role of Cloud Functions is needed for what was made through Cloud Run.
#[test_case(not_found("Resource 'hello' was not found"))]
#[test_case(denied("cloudfunctions.functions.get"))]
#[test_case(switched_off("cloudfunctions.googleapis.com"))]
#[test_case(bare_403("The caller does not have permission"); "a role without a word of which")]
#[test_case(bare_403("Location us-central1 is not found or access is unauthorized."); "a region of cloud run alone")]
fn what_cloud_functions_does_not_have_is_looked_for_in_cloud_run(answer: Answer) {
    let (world, id) = World::connected();
    world.then(answer);
    world.then(json_answer(200, &service("us-central1", "hello")));
    let name = "projects/demo-project/locations/us-central1/functions/hello";
    let function = ask(&world, &id, FunctionRef::Resource(name.to_owned())).unwrap();
    assert_eq!((function.generation, &function.trigger), (Generation::CloudRun, &Trigger::Other));
    assert_eq!((function.state.as_str(), function.id.to_string().as_str()), ("ACTIVE", name));
    let sent = world.sent.borrow();
    assert_eq!(sent[1].host(), RUN);
    let path = sent[1].path_and_query();
    let begins = "/v2/projects/demo-project/locations/us-central1/services/hello?fields=name%2Curi";
    assert!(path.starts_with(begins), "{path}");
    assert!(!path.contains("nvironmentVariables"));
}

/// A 403 of which Google says nothing but this.
fn bare_403(message: &str) -> Answer {
    json_answer(
        403,
        &json!({"error": {"code": 403, "message": message, "status": "PERMISSION_DENIED", "details": []}}),
    )
}

#[test_case(service("us-central1", "hello"), json!({"buildConfig": null}); "a service that is no function")]
#[test_case(service("us-central1", "hello"), json!({"labels": {"goog-managed-by": "cloudfunctions"}}); "a service behind another function")]
fn what_is_no_function_is_not_found(mut service: Value, more: Value) {
    let (world, id) = World::connected();
    for (name, value) in more.as_object().unwrap() {
        service[name] = value.clone();
    }
    world.then(not_found("Resource 'hello' was not found"));
    world.then(json_answer(200, &service));
    let error = ask(&world, &id, in_region("hello")).unwrap_err();
    assert_eq!((error.kind(), error.fields().http_status), (Kind::NotFound, Some(404)));
}

/// A function that was detached: Cloud Functions does not know it any more, and its service says what it was called.
fn detached() -> Value {
    let mut service = service("us-central1", "ejectrequest");
    service["annotations"] = json!({"cloudfunctions.googleapis.com/function-id": "ejectRequest"});
    service["template"] =
        json!({"annotations": {"cloudfunctions.googleapis.com/trigger-type": "HTTP_TRIGGER"}});
    service
}

#[test_case("ejectrequest"; "that of its service")]
#[test_case("ejectRequest"; "the one that it always had")]
fn a_detached_function_is_found_by_both_names(name: &str) {
    let (world, id) = World::connected();
    world.then(not_found("Resource was not found"));
    world.then(json_answer(200, &detached()));
    let function = ask(&world, &id, in_region(name)).unwrap();
    assert_eq!((function.generation, &function.trigger), (Generation::CloudRun, &Trigger::Http));
    assert!(world.urls()[1].starts_with(&format!(
        "https://{RUN}/v2/projects/demo-project/locations/us-central1/services/ejectrequest"
    )));

    let mut knative = knative("us-central1", "ejectrequest");
    knative["metadata"]["annotations"]["cloudfunctions.googleapis.com/function-id"] = json!("ejectRequest");
    world.then(nothing());
    world.then(everywhere(&[knative]));
    assert_eq!(ask(&world, &id, bare(name)).unwrap().id.name.as_str(), "ejectrequest");
}

#[test]
fn a_service_that_never_had_the_name_is_not_it() {
    let (world, id) = World::connected();
    for name in ["EjectRequest", "loginWithPin", "my_fn"] {
        world.then(not_found("gone"));
        world.then(json_answer(200, &detached()));
        assert_eq!(ask(&world, &id, in_region(name)).unwrap_err().kind(), Kind::NotFound, "{name}");
    }
}

/// The error is that of Cloud Functions, and says if Cloud Run could not be asked.
#[test_case(
    not_found("gone"),
    not_found("gone"),
    Kind::NotFound,
    "check project, region and name; Google says the same"
)]
#[test_case(
    not_found("gone"),
    switched_off(RUN),
    Kind::NotFound,
    "check project, region and name; Google says the same"
)]
#[test_case(
    not_found("gone"),
    denied("run.services.get"),
    Kind::NotFound,
    "Cloud Run could not be asked for it"
)]
#[test_case(
    not_found("gone"),
    Err(TransportError::Timeout),
    Kind::NotFound,
    "Cloud Run could not be asked for it"
)]
#[test_case(
    denied("cloudfunctions.functions.get"),
    denied("run.services.get"),
    Kind::MissingRole,
    "roles/cloudfunctions.viewer"
)]
#[test_case(
    switched_off("cloudfunctions.googleapis.com"),
    not_found("gone"),
    Kind::ApiDisabled,
    "gcloud services enable"
)]
fn what_neither_has(functions: Answer, run: Answer, kind: Kind, fix: &str) {
    let (world, id) = World::connected();
    world.then(functions);
    world.then(run);
    let error = ask(&world, &id, in_region("hello")).unwrap_err();
    assert_eq!((error.kind(), error.fields().trace.len()), (kind, 2));
    assert!(error.fields().fix.as_deref().unwrap().contains(fix), "{error}");
}

#[test]
fn another_failure_of_cloud_functions_is_not_papered_over() {
    let (world, id) = World::connected();
    world.then(json_answer(500, &json!({"error": {"message": "boom"}})));
    assert_eq!(ask(&world, &id, in_region("hello")).unwrap_err().kind(), Kind::Unavailable);
}

/// A project with these functions, and with these services.
fn listed(world: &World, functions: &[Value], services: Answer) {
    world.then(json_answer(200, &json!({"functions": functions})));
    world.then(services);
}

#[test]
fn a_bare_name_is_looked_up_among_all_of_them() {
    let (world, id) = World::connected();
    let services = everywhere(&[knative("us-central1", "hello")]);
    listed(&world, &[gen2("europe-west1", "other")], services);
    assert_eq!(ask(&world, &id, bare("hello")).unwrap().generation, Generation::CloudRun);
}

#[test]
fn a_bare_name_that_both_have_is_ambiguous() {
    for (region, words) in
        [("europe-west1", "several regions: europe-west1, us-central1"), ("us-central1", "twice")]
    {
        let (world, id) = World::connected();
        let services = everywhere(&[knative("us-central1", "hello")]);
        listed(&world, &[gen1(region, "hello")], services);
        let error = ask(&world, &id, bare("hello")).unwrap_err();
        assert_eq!(error.kind(), Kind::AmbiguousFunction);
        assert!(error.fields().message.contains(words), "{error}");
        assert!(detail(&error, "regions").unwrap().contains("us-central1"));
    }
}

#[test]
fn who_may_list_services_only_still_gets_a_function_of_the_default_region() {
    let (world, id) = World::connected();
    world.then(denied("cloudfunctions.functions.list"));
    world.then(nothing());
    world.then(json_answer(200, &gen2("us-central1", "hello")));
    assert_eq!(ask(&world, &id, bare("hello")).unwrap().generation, Generation::Gen2);
}

/// The one that was found could be the wrong one: whoever reads sees which it is, and who calls cannot undo it.
#[test]
fn a_bare_name_that_may_be_where_nobody_answered_is_read_and_not_called() {
    let found = gen2("us-central1", "hello");
    let (world, id) = World::connected();
    let silent = |world: &World| {
        world.then(json_answer(200, &json!({"functions": [found], "unreachable": ["europe-west1"]})));
        world.then(nothing());
    };
    silent(&world);
    assert_eq!(ask(&world, &id, bare("hello")).unwrap().id.region.as_str(), "us-central1");
    silent(&world);
    let error = call(&world, &id, request(bare("hello"))).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "unreachable")), (Kind::Unavailable, Some("europe-west1")));
    assert_eq!(detail(&error, "regions"), Some("us-central1"));
    assert!(error.fields().fix.as_deref().unwrap().contains("name the region, such as us-central1"));

    let (world, id) = World::connected();
    listed(&world, std::slice::from_ref(&found), json_answer(500, &json!({})));
    assert_eq!(call(&world, &id, request(bare("hello"))).unwrap_err().kind(), Kind::Unavailable);

    // What somebody may never list is no reason to refuse what they may.
    let (world, id) = World::connected();
    world.then(json_answer(200, &json!({"functions": [found]})));
    world.then(switched_off(RUN));
    world.then(json_answer(200, &json!({})));
    let open = InvokeRequest { auth: Auth::None, ..request(bare("hello")) };
    assert_eq!(call(&world, &id, open).unwrap().status, 200);
}

#[test]
fn a_bare_name_among_more_than_one_call_reads_is_not_decided() {
    let (world, id) = World::connected();
    world.respond(|request| {
        let path = request.path_and_query();
        if !path.contains("/functions?") {
            return nothing();
        }
        let page = path.split("pageToken=").nth(1).map_or(0, |rest| rest.parse().unwrap_or(0));
        let functions = if page == 0 { vec![gen2("us-central1", "hello")] } else { vec![] };
        json_answer(200, &json!({"functions": functions, "nextPageToken": (page + 1).to_string()}))
    });
    let error = ask(&world, &id, bare("hello")).unwrap_err();
    assert_eq!(error.kind(), Kind::AmbiguousFunction);
    assert!(error.fields().fix.as_deref().unwrap().contains("name the region"), "{error}");
}

#[test]
fn a_name_that_may_be_in_a_part_that_failed_is_not_called_missing() {
    let (world, id) = World::connected();
    listed(&world, &[], json_answer(500, &json!({})));
    let error = ask(&world, &id, bare("hello")).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "unreachable")), (Kind::Unavailable, Some(RUN)));

    let (world, id) = World::connected();
    world.then(nothing());
    world.then(switched_off(RUN));
    let error = ask(&world, &id, bare("hello")).unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.fields().fix.as_deref().unwrap().contains("run.googleapis.com could not be asked"));
}
