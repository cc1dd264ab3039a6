//! The memory of where a function was found: for ten minutes, for one connection, and as long as it is true.

use serde_json::{Value, json};
use test_case::test_case;

use super::{
    everywhere, gen1, gen2,
    identified::page,
    invoke::{GEN1_URL, GEN2_URL, call, request},
    knative, service,
};
use crate::{
    actions::{
        connections,
        functions::{
            Generation,
            get::get,
            invoke::{Auth, InvokeRequest},
        },
        plan::{Action, Plan, plan, rehearsal::Stage},
    },
    base::{error::Kind, http::TokenKind, ports::StoreError},
    google::which::FunctionRef,
    rails::GuardRails,
    testing::{
        APPSPOT, Answer, Op, World, access_token, block_on, canaries, connect, connect_request, id_token,
        json_answer, minted, not_found, nothing, user_grant,
    },
};

fn bare(name: &str) -> FunctionRef {
    FunctionRef::Named { name: name.to_owned(), region: None }
}

fn in_region(name: &str) -> FunctionRef {
    FunctionRef::Named { name: name.to_owned(), region: Some("us-central1".to_owned()) }
}

fn resource() -> FunctionRef {
    FunctionRef::Resource("projects/demo-project/locations/us-central1/functions/hello".to_owned())
}

fn open(function: FunctionRef) -> InvokeRequest {
    InvokeRequest { auth: Auth::None, ..request(function) }
}

/// A Google with this one function, and what it answers.
fn google(function: Value, answer: Answer) -> impl Fn(&crate::base::http::Request) -> Answer + 'static {
    move |request| match request.path_and_query().split('?').next().unwrap() {
        _ if !request.host().ends_with(".googleapis.com") => answer.clone(),
        path if path.ends_with("/-/functions") => json_answer(200, &json!({"functions": [function]})),
        path if path.ends_with("/services") => nothing(),
        path if path.contains("/functions/") => json_answer(200, &function),
        path => panic!("nobody asks for {path}"),
    }
}

/// A world with a function that was called a moment ago.
fn warm(function: &FunctionRef) -> (World, String) {
    let (world, id) = World::connected();
    world.respond(google(gen2("us-central1", "hello"), nothing()));
    assert_eq!(call(&world, &id, open(function.clone())).unwrap().status, 200);
    world.begin_anew();
    (world, id)
}

/// The requests that a call takes.
fn requests(world: &World, id: &str, function: &FunctionRef) -> usize {
    world.begin_anew();
    call(world, id, open(function.clone())).unwrap();
    world.urls().len()
}

#[test_case(&bare("hello"), 3; "a bare name")]
#[test_case(&in_region("hello"), 2; "a name with its region")]
#[test_case(&resource(), 2; "a resource name")]
fn a_call_is_one_request_for_ten_minutes(function: &FunctionRef, cold: usize) {
    let (world, id) = warm(function);
    for (seconds, expected) in [(0, 1), (1, 1), (599, 1), (600, cold), (600, 1), (1199, 1), (1200, cold)] {
        world.at(seconds);
        assert_eq!(requests(&world, &id, function), expected, "after {seconds} s");
    }
    // From before the clock was set back.
    world.at(500);
    assert_eq!(requests(&world, &id, function), cold);
}

#[test]
fn with_an_id_token_it_is_one_request_too() {
    let (world, id) = World::connected();
    world.then(json_answer(200, &gen2("us-central1", "hello")));
    world.then(id_token(GEN2_URL));
    for _ in 0..3 {
        world.then(nothing());
        let invocation = call(&world, &id, request(in_region("hello"))).unwrap();
        assert_eq!((invocation.token, invocation.generation), (TokenKind::IdToken, Generation::Gen2));
        assert_eq!(invocation.audience.as_deref(), Some(GEN2_URL));
    }
    assert_eq!(world.urls().len(), 2 + 3);
}

/// All that the answer, its deadline and its refusals are made of.
#[test]
fn what_is_remembered_is_what_was_found() {
    let mut found = gen1("us-central1", "hello");
    found["serviceConfig"] = json!({"timeoutSeconds": 540, "ingressSettings": "ALLOW_INTERNAL_ONLY"});
    let (world, id) = World::connected();
    world.then(json_answer(200, &found));
    world.then(id_token(GEN1_URL));
    world.then(nothing());
    call(&world, &id, request(in_region("hello"))).unwrap();
    world.begin_anew();
    world.then(page(403, "Forbidden"));
    let error = call(&world, &id, request(in_region("hello"))).unwrap_err();
    assert_eq!(world.times.borrow()[0].as_secs(), 540 + 30);
    assert!(error.fields().fix.as_deref().unwrap().contains("ALLOW_INTERNAL_ONLY"), "{error}");

    // Of Cloud Run, with its service.
    let (world, id) = World::connected();
    world.then(not_found("gone"));
    world.then(json_answer(200, &service("us-central1", "hello")));
    world.then(nothing());
    call(&world, &id, open(in_region("hello"))).unwrap();
    world.then(id_token(GEN2_URL));
    world.then(page(403, "Forbidden"));
    let error = call(&world, &id, request(in_region("hello"))).unwrap_err();
    let resource = "projects/demo-project/locations/us-central1/services/hello";
    assert_eq!(super::detail(&error, "resource"), Some(resource));

    // An event still needs an event.
    let mut event = gen2("us-central1", "hello");
    event["eventTrigger"] = json!({"eventType": "google.cloud.storage.object.v1.finalized"});
    let (world, id) = World::connected();
    world.then(json_answer(200, &event));
    for _ in 0..2 {
        assert_eq!(call(&world, &id, open(in_region("hello"))).unwrap_err().kind(), Kind::NotInvocable);
    }
    assert_eq!(world.urls().len(), 1);
}

#[test]
fn nothing_of_it_is_secret_and_it_is_the_connections_own() {
    let (world, id) = warm(&bare("hello"));
    let keys = world.keys("functions/");
    let [key] = keys.as_slice() else { panic!("{keys:?}") };
    assert!(key.starts_with(&format!("functions/{id}/")), "{key}");
    let entry = world.entry(key);
    let mut names: Vec<_> = entry.as_object().unwrap().keys().cloned().collect();
    names.sort();
    assert_eq!(names, ["generation", "name", "state", "timeout", "until", "url"]);
    assert_eq!(entry["url"], GEN2_URL);

    // Another connection to the same project looks for itself.
    world.then(access_token(canaries::SECOND));
    let (other, _) = connect(&world, connect_request()).unwrap();
    assert_eq!((requests(&world, &other.id, &bare("hello")), requests(&world, &id, &bare("hello"))), (3, 1));
}

fn plain(status: u16) -> Answer {
    json_answer(status, &json!({"own": true}))
}

fn not_found_page() -> Answer {
    let mut answer = page(404, "Page not found").unwrap();
    answer.body =
        b"<h1>Error: Page not found</h1><h2>The requested URL was not found on this server.</h2>".to_vec();
    Ok(answer)
}

#[test_case(not_found_page(), true; "the front end finds nothing")]
#[test_case(plain(404), true; "a 404 that may be the function's own")]
#[test_case(page(401, "Unauthorized"), true; "the front end refuses the audience")]
#[test_case(page(403, "Forbidden"), true; "the front end refuses the caller")]
#[test_case(plain(401), false; "the function's own 401")]
#[test_case(plain(403), false; "the function's own 403")]
#[test_case(plain(500), false; "a function that fails")]
#[test_case(plain(503), false; "a function that is busy")]
#[test_case(plain(301), false; "a redirect")]
fn an_answer_that_doubts_it_is_the_end_of_it(answer: Answer, is_forgotten: bool) {
    let (world, id) = warm(&bare("hello"));
    world.then(answer);
    let _ = call(&world, &id, open(bare("hello")));
    assert_eq!(world.urls().len(), 1);
    assert_eq!(world.keys("functions/").is_empty(), is_forgotten);
}

#[test_case(&bare("hello"), &bare("hello"))]
#[test_case(&bare("hello"), &in_region("hello"); "by its region")]
#[test_case(&in_region("hello"), &bare("hello"); "by its bare name")]
#[test_case(&resource(), &in_region("hello"); "as a resource")]
fn whoever_gets_it_looks_it_up_and_so_does_the_next_call(called: &FunctionRef, asked: &FunctionRef) {
    let (world, id) = warm(called);
    assert!(block_on(get(&world, &id, asked.clone(), None)).is_ok());
    assert!(world.keys("functions/").is_empty());
    assert!(requests(&world, &id, called) > 1);
}

#[test]
fn a_get_that_finds_nothing_ends_it_too() {
    let (world, id) = warm(&in_region("hello"));
    for _ in 0..2 {
        world.then(not_found("gone"));
    }
    assert!(block_on(get(&world, &id, in_region("hello"), None)).is_err());
    assert!(world.keys("functions/").is_empty());
}

#[test]
fn both_names_of_a_detached_function_are_forgotten() {
    let mut detached = knative("us-central1", "ejectrequest");
    detached["metadata"]["annotations"]["cloudfunctions.googleapis.com/function-id"] = json!("ejectRequest");
    let (world, id) = World::connected();
    world.then(nothing());
    world.then(everywhere(&[detached.clone()]));
    world.then(nothing());
    call(&world, &id, open(bare("ejectRequest"))).unwrap();
    assert_eq!(world.keys("functions/").len(), 1);
    world.then(nothing());
    world.then(everywhere(&[detached]));
    block_on(get(&world, &id, bare("ejectrequest"), None)).unwrap();
    assert!(world.keys("functions/").is_empty());
}

/// Guard rails are judged anew, and a bare name means the only function in the regions that are allowed.
#[test]
fn guard_rails_that_came_later_hold() {
    for function in [bare("hello"), in_region("hello"), resource()] {
        let (world, id) = warm(&function);
        let regions = vec!["europe-west1".to_owned()];
        connections::restrict(&world, &id, Some(GuardRails { regions, ..GuardRails::default() })).unwrap();
        world.respond(|request| {
            assert!(request.host().ends_with(".googleapis.com"), "{} was called", request.host());
            nothing()
        });
        assert!(call(&world, &id, open(function)).is_err());
    }
    let (world, id) = warm(&in_region("hello"));
    let functions = vec!["other".to_owned()];
    connections::restrict(&world, &id, Some(GuardRails { functions, ..GuardRails::default() })).unwrap();
    assert_eq!(call(&world, &id, open(in_region("hello"))).unwrap_err().kind(), Kind::Restricted);
    assert!(world.urls().is_empty());
}

#[test_case("not JSON"; "not json")]
#[test_case("{}"; "nothing")]
#[test_case(r#"{"until":1772367000,"name":"projects/demo-project/locations/us-central1/functions/hello","generation":"gen9","state":"ACTIVE","url":"https://hello-abc123-uc.a.run.app"}"#; "of a later version")]
#[test_case(r#"{"until":1772367000,"name":"projects/demo-project/locations/us-central1/functions/hello","generation":"gen2","state":"ACTIVE","url":"https://evil.example"}"#; "somewhere else")]
fn an_entry_that_is_none_is_one_more_to_look_up(entry: &str) {
    let (world, id) = warm(&bare("hello"));
    let key = world.keys("functions/").remove(0);
    world.set(&key, entry);
    assert_eq!((requests(&world, &id, &bare("hello")), requests(&world, &id, &bare("hello"))), (3, 1));
}

#[test]
fn a_store_that_does_not_take_it_or_give_it_costs_a_lookup() {
    for op in [Op::Put, Op::Get, Op::Delete] {
        let (world, id) = warm(&in_region("hello"));
        world.fail(op, "functions/", StoreError::Failed("the disk".to_owned()));
        assert_eq!(requests(&world, &id, &in_region("hello")), if op == Op::Get { 2 } else { 1 });
        assert!(block_on(get(&world, &id, in_region("hello"), None)).is_ok());
    }
}

#[test]
fn what_is_not_decided_is_not_remembered() {
    let (world, id) = World::connected();
    let two = json!({"functions": [gen2("us-central1", "hello"), gen2("europe-west1", "hello")]});
    for (lookup, kind) in [
        (two, Kind::AmbiguousFunction),
        (
            json!({"functions": [gen2("us-central1", "hello")], "unreachable": ["asia-east2"]}),
            Kind::Unavailable,
        ),
        (json!({}), Kind::NotFound),
    ] {
        world.then(json_answer(200, &lookup));
        world.then(nothing());
        assert_eq!(call(&world, &id, open(bare("hello"))).unwrap_err().kind(), kind);
        assert!(world.keys("functions/").is_empty(), "{kind:?}");
    }
}

#[test]
fn the_end_of_a_connection_is_the_end_of_it() {
    let (world, id) = warm(&bare("hello"));
    block_on(connections::disconnect(&world, &id, None)).unwrap();
    assert!(world.secrets.borrow().is_empty(), "{:?}", world.keys(""));

    // The account that signs in now may see other functions.
    let (world, id) = warm(&bare("hello"));
    world.then(access_token(canaries::SECOND));
    let credential = connect_request().credential;
    block_on(connections::reauthorize(&world, &id, credential, None, None)).unwrap();
    assert!(world.keys("functions/").is_empty());
}

fn planned(world: &World, id: &str, request: InvokeRequest) -> Plan {
    let before = world.secrets.borrow().clone();
    let plan = block_on(plan(&Stage::live(world), id, Action::Invoke(request), None)).unwrap();
    assert_eq!(*world.secrets.borrow(), before, "a plan writes nothing");
    plan
}

#[test]
fn a_plan_shows_the_lookup_only_where_there_will_be_one() {
    let (world, id) = warm(&in_region("hello"));
    let urls = |plan: &Plan| plan.requests.iter().map(|request| request.url.clone()).collect::<Vec<_>>();
    let known = planned(&world, &id, open(in_region("hello")));
    assert_eq!(urls(&known), [format!("{GEN2_URL}/")]);
    let other = planned(&world, &id, open(in_region("other")));
    assert!(urls(&other)[0].contains("/functions/other?"), "{:?}", urls(&other));
    assert!(other.notes.iter().any(|note| note.contains("remembered for ten minutes")), "{:?}", other.notes);
    assert!(world.urls().is_empty());
}

/// As an access token is: one new token, and one more attempt.
#[test]
fn an_id_token_that_the_front_end_refuses_is_dropped_and_minted_once_more() {
    let (world, id) = World::connected();
    let function = || request(FunctionRef::Url(GEN2_URL.to_owned()));
    world.then(id_token(GEN2_URL));
    world.then(nothing());
    call(&world, &id, function()).unwrap();
    world.begin_anew();

    let again =
        crate::testing::jwt(&json!({"aud": GEN2_URL, "exp": crate::testing::NOW + 3600, "email": "new@x.y"}));
    world.then(page(401, "Unauthorized"));
    world.then(json_answer(200, &json!({"id_token": again})));
    world.then(nothing());
    let invocation = call(&world, &id, function()).unwrap();
    assert_eq!((invocation.status, invocation.trace.len()), (200, 3));
    assert_eq!(invocation.principal.as_deref(), Some("new@x.y"));
    assert_eq!(world.bearer(2), Some(again));
    assert_ne!(world.bearer(0), world.bearer(2));

    // The new one is the one that is kept; and what is still refused is an error.
    world.begin_anew();
    world.then(page(401, "Unauthorized"));
    world.then(id_token(GEN2_URL));
    world.then(page(401, "Unauthorized"));
    let error = call(&world, &id, function()).unwrap_err();
    assert_eq!((error.kind(), error.fields().trace.len()), (Kind::Unauthenticated, 3));

    // Whoever asked for none gets none, and a function's own 401 is its answer.
    world.begin_anew();
    world.then(page(401, "Unauthorized"));
    assert!(call(&world, &id, open(FunctionRef::Url(GEN2_URL.to_owned()))).is_err());
    world.then(plain(401));
    assert_eq!(call(&world, &id, function()).unwrap().status, 401);
    assert_eq!(world.urls().len(), 2);
}

#[test]
fn of_somebody_else_too() {
    use crate::sign_in::invoker::InvokerRequest;
    // A service account's, through IAM Credentials.
    let (world, id) = World::of_user();
    world.then(minted(GEN2_URL, APPSPOT));
    world.then(page(401, "Unauthorized"));
    world.then(minted(GEN2_URL, "second@demo-project.iam.gserviceaccount.com"));
    world.then(nothing());
    let function = || request(FunctionRef::Url(GEN2_URL.to_owned()));
    let invocation = call(&world, &id, function()).unwrap();
    assert_eq!(invocation.principal.as_deref(), Some("second@demo-project.iam.gserviceaccount.com"));

    // The user's own, which a refresh brings along.
    let (world, id) = World::of_user();
    world.then(json_answer(200, &gen2("us-central1", "hello")));
    world.then(page(401, "Unauthorized"));
    world.then(json_answer(200, &user_grant(canaries::SECOND)));
    world.then(nothing());
    let own = InvokeRequest { invoker: Some(InvokerRequest::User), ..request(in_region("hello")) };
    assert_eq!(call(&world, &id, own).unwrap().trace.len(), 4);
}
