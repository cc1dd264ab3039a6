//! The audiences that only Cloud Run knows to be a function's: its other URLs, and those that its owner lists.

use serde_json::{Value, json};
use test_case::test_case;

use super::{
    audiences::{asked_for, listing as rail},
    detail, gen1, gen2,
    invoke::{GEN2_URL, call, in_region, request as request_of},
};
use crate::{
    actions::{
        connections::ConnectRequest,
        functions::invoke::{Invocation, InvokeRequest},
        plan::{Action, plan, rehearsal::Stage},
    },
    base::{
        error::{Error, Kind},
        http::{Request, TokenKind},
    },
    google::which::FunctionRef,
    rails::GuardRails,
    testing::{
        Answer, World, access_token, block_on, canaries, connect_request, denied, id_token, json_answer,
        not_found, nothing, switched_off,
    },
};

/// The three kinds of URL that Cloud Run lists for one service, as the authors of firebase-tools got them
/// (`src/gcp/runv2.ts` there); names replaced.
const URLS: [&str; 3] = [
    "https://hello-123456789012.us-central1.run.app",
    "https://us-central1-demo-project.cloudfunctions.net/hello",
    GEN2_URL,
];

/// The URL of another service, for which callers of this one may still hold tokens.
const FORMER: &str = "https://former-abc123-uc.a.run.app";

const SERVICE: &str =
    "https://run.googleapis.com/v2/projects/demo-project/locations/us-central1/services/hello";

fn elsewhere() -> FunctionRef {
    FunctionRef::Resource("projects/other-project/locations/us-central1/functions/hello".to_owned())
}

fn service(urls: &[&str], custom: &[&str]) -> Answer {
    json_answer(200, &json!({"urls": urls, "customAudiences": custom}))
}

/// Google with this function, whose service it describes like this.
fn google(function: Value, service: Answer) -> impl Fn(&Request) -> Answer + 'static {
    move |request| match request.host() {
        "oauth2.googleapis.com" => id_token(&asked_for(request).unwrap()),
        "run.googleapis.com" => service.clone(),
        "cloudfunctions.googleapis.com" => {
            let name =
                request.path_and_query().split(['/', '?']).skip(2).take(6).collect::<Vec<_>>().join("/");
            let mut function = function.clone();
            function["name"] = json!(name);
            json_answer(200, &function)
        }
        _ => nothing(),
    }
}

/// The outcome, and what Cloud Run was asked. Whoever is refused is refused before a token is made.
fn outcome(
    rails: GuardRails,
    google: impl Fn(&Request) -> Answer + 'static,
    function: FunctionRef,
    audience: &str,
) -> (Result<Invocation, Error>, Vec<String>) {
    let connection = ConnectRequest { guard_rails: Some(rails), ..connect_request() };
    let (world, id) = World::connected_with(connection, [access_token(canaries::FIRST)]);
    world.respond(google);
    let request = InvokeRequest { audience: Some(audience.to_owned()), ..request_of(function) };
    let outcome = call(&world, &id, request);
    match &outcome {
        Ok(invocation) => assert_eq!(
            (invocation.token, invocation.audience.as_deref()),
            (TokenKind::IdToken, Some(audience))
        ),
        Err(_) => assert!(!world.urls().iter().any(|url| url.contains("oauth2"))),
    }
    let asked = world.urls().into_iter().filter(|url| url.starts_with("https://run.")).collect();
    (outcome, asked)
}

#[track_caller]
fn assert_refused(outcome: Result<Invocation, Error>) -> String {
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), detail(&error, "cause")), (Kind::InvalidInput, Some("another-function")));
    let fix = error.fields().fix.as_deref().unwrap();
    assert!(fix.contains("leave it out, or ask whoever manages this connection to allow it"), "{fix}");
    error.fields().message.clone()
}

#[test_case(URLS[0]; "the one that can be told before it is deployed")]
#[test_case(URLS[1]; "the one at Cloud Functions")]
#[test_case("https://HELLO-123456789012.us-central1.run.app:443/"; "in another spelling")]
fn each_url_of_the_service_is_the_functions_own(audience: &str) {
    let some = GuardRails { functions: vec!["hello".to_owned()], ..GuardRails::default() };
    for rails in [GuardRails::default(), rail(&["another"]), some] {
        for (function, project) in [(in_region("hello"), "demo-project"), (elsewhere(), "other-project")] {
            let google = google(gen2("us-central1", "hello"), service(&URLS, &[]));
            let (outcome, asked) = outcome(rails.clone(), google, function, audience);
            outcome.unwrap();
            let service = SERVICE.replace("demo-project", project);
            assert_eq!(asked, [service]);
        }
    }
}

#[test]
fn what_the_names_tell_is_not_asked() {
    let google = || google(gen2("us-central1", "hello"), service(&URLS, &[]));
    for audience in [GEN2_URL, "https://api.example.com", "team"] {
        let (outcome, asked) = outcome(GuardRails::default(), google(), in_region("hello"), audience);
        outcome.unwrap();
        assert!(asked.is_empty(), "{asked:?}");
    }
    let (outcome, asked) = outcome(rail(&[FORMER]), google(), in_region("hello"), FORMER);
    outcome.unwrap();
    assert!(asked.is_empty(), "{asked:?}");
}

/// <https://cloud.google.com/run/docs/configuring/custom-audiences>
#[test]
fn another_functions_url_is_one_if_the_owner_lists_it_and_nothing_holds_the_connection() {
    let of = |rails, function, custom: &[&str]| {
        let google = google(gen2("us-central1", "hello"), service(&URLS, custom));
        outcome(rails, google, function, FORMER).0
    };
    of(GuardRails::default(), in_region("hello"), &["team", FORMER]).unwrap();
    assert_refused(of(
        GuardRails::default(),
        in_region("hello"),
        &["team", "https://former-abc123-uc.a.run.app/"],
    ));
    // Whoever owns a project of their own lists what they like.
    assert_refused(of(GuardRails::default(), elsewhere(), &[FORMER]));
    // The connection may call some functions, and whoever deploys one of them may want to call another.
    let posts = GuardRails { methods: vec!["POST".to_owned()], ..GuardRails::default() };
    let some = GuardRails { functions: vec!["hello".to_owned()], ..GuardRails::default() };
    let own = GuardRails { own_project: true, ..GuardRails::default() };
    for rails in [posts, some, own, rail(&["team"])] {
        assert_refused(of(rails, in_region("hello"), &[FORMER]));
    }
}

#[test_case(service(&[URLS[0], FORMER], &[]); "of a service that is somewhere else")]
#[test_case(service(&[], &[FORMER, URLS[0]]); "of one without URLs")]
#[test_case(service(&["https://evil.example", "hello", GEN2_URL], &[]); "of one that has others")]
#[test_case(json_answer(200, &json!({})); "of one that says nothing")]
#[test_case(not_found("Resource 'hello' of kind 'SERVICE' does not exist."); "of one that is not there")]
fn an_audience_is_refused(answer: Answer) {
    for function in [in_region("hello"), elsewhere()] {
        let google = google(gen2("us-central1", "hello"), answer.clone());
        let (outcome, asked) = outcome(GuardRails::default(), google, function, FORMER);
        assert_refused(outcome);
        assert_eq!(asked.len(), 1);
    }
}

#[test]
fn who_may_not_ask_is_told_so() {
    for (answer, says) in [
        (denied("run.services.get"), "run.services.get"),
        (switched_off("run.googleapis.com"), "The API has not been used"),
    ] {
        let google = google(gen2("us-central1", "hello"), answer);
        let (outcome, _) = outcome(GuardRails::default(), google, in_region("hello"), URLS[0]);
        let message = assert_refused(outcome);
        assert!(message.contains("belongs to another function, as far as its name tells"), "{message}");
        assert!(message.contains(says), "{message}");
    }
    let silent =
        json_answer(503, &json!({"error": {"code": 503, "status": "UNAVAILABLE", "message": "later"}}));
    let (outcome, _) = outcome(
        GuardRails::default(),
        google(gen2("us-central1", "hello"), silent),
        in_region("hello"),
        URLS[0],
    );
    assert_eq!(outcome.unwrap_err().kind(), Kind::Unavailable);
}

/// The functions of 1st gen are on no service, whatever is called like them.
#[test]
fn a_function_of_1st_gen_has_one_url() {
    let google = google(gen1("us-central1", "hello"), service(&URLS, &[FORMER]));
    let (outcome, asked) = outcome(GuardRails::default(), google, in_region("hello"), GEN2_URL);
    assert_refused(outcome);
    assert!(asked.is_empty(), "{asked:?}");
}

/// The place of a function may be remembered; its own audiences are asked for each time.
#[test]
fn nothing_of_it_is_remembered() {
    let (world, id) = World::connected();
    world.respond(google(gen2("us-central1", "hello"), service(&URLS, &[FORMER])));
    let with = || InvokeRequest { audience: Some(FORMER.to_owned()), ..request_of(in_region("hello")) };
    call(&world, &id, with()).unwrap();
    world.begin_anew();
    world.respond(google(gen2("us-central1", "hello"), service(&URLS, &[])));
    assert_refused(call(&world, &id, with()));
    let urls = world.urls();
    assert_eq!(urls.len(), 1, "{urls:?}");
    assert!(urls[0].starts_with(SERVICE), "{urls:?}");
}

#[test]
fn a_plan_asks_where_the_call_will() {
    let (world, id) = World::connected();
    world.respond(google(gen2("us-central1", "hello"), service(&URLS, &[])));
    call(&world, &id, request_of(in_region("hello"))).unwrap();
    world.begin_anew();
    let with = |audience: &str| InvokeRequest {
        audience: Some(audience.to_owned()),
        ..request_of(in_region("hello"))
    };
    for audience in [URLS[0], URLS[1], GEN2_URL] {
        let action = Action::Invoke(with(audience));
        let planned = block_on(plan(&Stage::live(&world), &id, action, None)).unwrap();
        assert!(world.urls().is_empty(), "a plan sends nothing");
        call(&world, &id, with(audience)).unwrap();
        let urls: Vec<_> =
            planned.requests.iter().map(|request| request.url.split('?').next().unwrap()).collect();
        assert_eq!(urls.len(), world.urls().len(), "{urls:?}");
        assert_eq!(urls.first() == Some(&SERVICE), audience != GEN2_URL, "{urls:?}");
        world.begin_anew();
    }
}
