//! For whom the ID token is that a function receives: every audience, by every way of naming a function.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use test_case::test_matrix;

use super::invoke::request as request_of;
use super::{detail, gen2};
use crate::{
    actions::{
        connections::{ConnectRequest, restrict},
        functions::invoke::{Auth, InvokeRequest, invoke},
        plan::{Action, plan, rehearsal::Stage},
    },
    base::{
        error::{Error, Kind},
        http::{Request, TokenKind},
    },
    google::which::FunctionRef,
    rails::GuardRails,
    sign_in::invoker::InvokerRequest,
    testing::{
        Answer, CLIENT_ID, NOW, USER, World, access_token, block_on, canaries, connect_request, json_answer,
        jwt, locations, nothing, user_grant,
    },
};

/// Audiences that are good for something else than the function: an OAuth client of Google's own (gcloud), a client of IAP, a
/// custom audience, Google's services, a word.
const OF_OTHERS: [&str; 6] = [
    "32555940559.apps.googleusercontent.com",
    "/projects/123456789012/global/backendServices/42",
    "https://api.example.com",
    "https://sts.googleapis.com",
    "https://oauth2.googleapis.com/token",
    "team",
];

/// Audiences of other functions, in every spelling.
const OF_FUNCTIONS: [&str; 7] = [
    "https://victim-xyz-uc.a.run.app",
    "https://victim-123456789012.us-central1.run.app/path",
    "https://us-central1-victim.cloudfunctions.net/hello",
    "https://us-central1-demo-project.cloudfunctions.net",
    "https://VICTIM-xyz-uc.A.run.app:443",
    "http://victim-xyz-uc.a.run.app",
    "victim-xyz-uc.a.run.app.",
];

const URL: &str = "https://hello-abc123-uc.a.run.app";

const RUN: &str = "https://evil-abcdef-uc.a.run.app";

const NET: &str = "https://us-central1-evil.cloudfunctions.net/hello";

fn resource(project: &str) -> FunctionRef {
    FunctionRef::Resource(format!("projects/{project}/locations/us-central1/functions/hello"))
}

/// Every way to name a function of the connection's own project.
fn by_name() -> [FunctionRef; 3] {
    let named = |region: Option<&str>| FunctionRef::Named {
        name: "hello".to_owned(),
        region: region.map(str::to_owned),
    };
    [named(Some("us-central1")), named(None), resource("demo-project")]
}

/// Every way to name one that may be anybody's, a project's number among them, which may be any project's.
fn by_the_caller() -> [FunctionRef; 5] {
    [
        FunctionRef::Url(RUN.to_owned()),
        FunctionRef::Url(format!("{RUN}/below?a=1")),
        FunctionRef::Url(NET.to_owned()),
        resource("evil-project"),
        resource("123456789012"),
    ]
}

fn request(function: FunctionRef, auth: Auth, audience: Option<&str>) -> InvokeRequest {
    InvokeRequest { auth, audience: audience.map(str::to_owned), ..request_of(function) }
}

pub(super) fn listing(audiences: &[&str]) -> GuardRails {
    let audiences = audiences.iter().map(|&audience| audience.to_owned()).collect();
    GuardRails { audiences, ..GuardRails::default() }
}

/// The audience that an assertion asks for.
pub(super) fn asked_for(request: &Request) -> Option<String> {
    let assertion = form_urlencoded::parse(request.body()).find(|(name, _)| name == "assertion")?.1;
    let claims = URL_SAFE_NO_PAD.decode(assertion.split('.').nth(1)?).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    claims["target_audience"].as_str().map(str::to_owned)
}

/// Google as it is: it grants an ID token for whatever is asked, and each project has the function. The front end asks
/// everybody who calls without a token for one.
fn google(request: &Request) -> Answer {
    let url = request.url();
    if url.starts_with("https://oauth2.googleapis.com/") {
        let Some(audience) = asked_for(request) else { return access_token(canaries::SECOND) };
        return json_answer(
            200,
            &json!({"id_token": jwt(&json!({"aud": audience, "exp": NOW + 3600, "sub": "1"}))}),
        );
    }
    if !url.contains("googleapis.com") {
        return if request.token() == TokenKind::None {
            Ok(crate::base::http::Response {
                status: 403,
                headers: vec![("content-type".to_owned(), b"text/html; charset=UTF-8".to_vec())],
                body: b"<html><h1>Error: Forbidden</h1><h2>Your client does not have permission to get URL <code>/</code></h2></html>".to_vec(),
            })
        } else {
            nothing()
        };
    }
    if url.ends_with("/locations") {
        return locations(&["us-central1"]);
    }
    let functions = url.starts_with("https://cloudfunctions.googleapis.com/");
    if !functions {
        return json_answer(200, &json!({}));
    }
    let mut described = gen2("us-central1", "hello");
    let project = url.split('/').nth(5).unwrap_or_default();
    described["name"] = json!(format!("projects/{project}/locations/us-central1/functions/hello"));
    // What its owner says of it is the owner's word.
    described["labels"] = json!({"audience": OF_OTHERS[0]});
    let list = url.ends_with("/functions");
    json_answer(200, &if list { json!({"functions": [described]}) } else { described })
}

fn world(rails: GuardRails) -> (World, String) {
    let request = ConnectRequest { guard_rails: Some(rails), ..connect_request() };
    let (world, id) = World::connected_with(request, [access_token(canaries::FIRST)]);
    world.respond(google);
    (world, id)
}

/// The outcome of the call, which the plan says before: the audience of the token that the function received.
#[track_caller]
fn sent_for(rails: &GuardRails, request: &InvokeRequest) -> Result<String, Error> {
    let (world, id) = world(rails.clone());
    let planned = block_on(plan(&Stage::live(&world), &id, Action::Invoke(request.clone()), None));
    assert!(world.urls().is_empty(), "a plan sends nothing");
    let outcome = block_on(invoke(&world, &id, request.clone(), None));
    let at_functions = |sent: &&Request| !sent.url().contains("googleapis.com");
    let received: Vec<_> = world
        .sent
        .borrow()
        .iter()
        .filter(at_functions)
        .filter_map(|sent| crate::google::jwt::IdTokenClaims::read(sent.bearer()?).map(|claims| claims.aud))
        .collect();
    match outcome {
        Ok(invocation) => {
            let audience = invocation.audience.unwrap();
            assert_eq!(received, [audience.as_str()]);
            assert!(planned.is_ok(), "{planned:?}");
            Ok(audience)
        }
        Err(error) => {
            assert!(received.is_empty(), "{received:?}");
            assert!(
                !world.urls().iter().any(|url| url.contains("oauth2")),
                "no token was asked for: {error}"
            );
            assert!(
                !world.sent.borrow().iter().any(|sent| at_functions(&sent)),
                "it was not called: {error}"
            );
            Err(error)
        }
    }
}

#[track_caller]
fn assert_refused(outcome: Result<String, Error>, audience: &str) {
    let error = outcome.expect_err(audience);
    assert_eq!((error.kind(), detail(&error, "field")), (Kind::InvalidInput, Some("audience")), "{error}");
    let fix = error.fields().fix.as_deref().unwrap();
    assert!(fix.contains("ask whoever manages this connection to allow"), "{fix}");
}

#[test_matrix([Auth::IdToken, Auth::Auto])]
fn a_function_that_may_be_anybodys_receives_a_token_for_itself_only(auth: Auth) {
    for function in by_the_caller() {
        for audience in OF_OTHERS.iter().chain(&OF_FUNCTIONS) {
            let request = request(function.clone(), auth, Some(audience));
            // Where Google says where it is, only Google knows that it is not at the other function's address.
            if matches!(function, FunctionRef::Url(_)) || OF_OTHERS.contains(audience) {
                let (world, id) = world(GuardRails::default());
                let action = Action::Invoke(request.clone());
                let planned = block_on(plan(&Stage::live(&world), &id, action, None));
                assert_refused(planned.map(|_| String::new()), audience);
            }
            assert_refused(sent_for(&GuardRails::default(), &request), audience);
        }
    }
    for (function, own) in [(by_the_caller()[0].clone(), RUN), (by_the_caller()[2].clone(), NET)] {
        for audience in [own.to_owned(), format!("{own}/")] {
            let request = request(function.clone(), auth, Some(&audience));
            assert_eq!(sent_for(&GuardRails::default(), &request).unwrap(), audience);
        }
        assert_eq!(sent_for(&GuardRails::default(), &request(function, auth, None)).unwrap(), own);
    }
    for function in [resource("evil-project"), resource("123456789012")] {
        let request = request(function, auth, Some(URL));
        assert_eq!(sent_for(&GuardRails::default(), &request).unwrap(), URL);
    }
}

#[test_matrix([Auth::IdToken, Auth::Auto])]
fn a_function_of_the_own_project_receives_any_but_that_of_another_function(auth: Auth) {
    for function in by_name() {
        for audience in OF_OTHERS.iter().chain(&[URL, "https://hello-abc123-uc.a.run.app/below"]) {
            let request = request(function.clone(), auth, Some(audience));
            assert_eq!(sent_for(&GuardRails::default(), &request).unwrap(), *audience);
        }
        for audience in OF_FUNCTIONS {
            let request = request(function.clone(), auth, Some(audience));
            assert_refused(sent_for(&GuardRails::default(), &request), audience);
        }
    }
}

#[test_matrix([Auth::IdToken, Auth::Auto])]
fn whoever_manages_the_connection_allows_audiences_one_by_one(auth: Auth) {
    for function in by_name().into_iter().chain(by_the_caller()) {
        for audience in OF_OTHERS.iter().chain(&OF_FUNCTIONS) {
            let request = request(function.clone(), auth, Some(audience));
            assert_eq!(sent_for(&listing(&["other", audience]), &request).unwrap(), *audience);
        }
        // One that is not on the list is not sent by name either.
        for audience in OF_OTHERS {
            let error = sent_for(
                &listing(&["https://api.example.com/"]),
                &request(function.clone(), auth, Some(audience)),
            )
            .unwrap_err();
            assert_eq!(
                (error.kind(), detail(&error, "rail")),
                (Kind::Restricted, Some("audiences")),
                "{error}"
            );
            assert!(error.fields().trace.is_empty(), "{error}");
        }
        // The function's own needs no word of anybody.
        sent_for(&listing(&["other"]), &request(function, auth, None)).unwrap();
    }
}

/// The token of the user who signed in is good wherever their OAuth client's tokens are.
#[test]
fn a_users_own_token_is_no_functions_own() {
    let world_of = || {
        let (world, id) = World::of_user();
        let mut grant = user_grant(canaries::SECOND);
        grant["id_token"] = json!(jwt(&json!({"aud": CLIENT_ID, "exp": NOW + 3600, "email": USER})));
        world.respond(move |request| {
            if request.url().contains("oauth2") { json_answer(200, &grant) } else { google(request) }
        });
        (world, id)
    };
    for auth in [Auth::IdToken, Auth::Auto] {
        let as_user =
            |function| InvokeRequest { invoker: Some(InvokerRequest::User), ..request(function, auth, None) };
        for function in by_the_caller() {
            let (world, id) = world_of();
            let error = block_on(invoke(&world, &id, as_user(function.clone()), None)).unwrap_err();
            assert_refused(Err(error.clone()), CLIENT_ID);
            assert!(world.urls().is_empty(), "{error}");
            let planned =
                block_on(plan(&Stage::live(&world), &id, Action::Invoke(as_user(function.clone())), None));
            assert_refused(planned.map(|_| String::new()), CLIENT_ID);
            restrict(&world, &id, Some(listing(&[CLIENT_ID]))).unwrap();
            let invocation = block_on(invoke(&world, &id, as_user(function), None)).unwrap();
            assert_eq!(invocation.audience.as_deref(), Some(CLIENT_ID));
        }
        for function in by_name() {
            let (world, id) = world_of();
            let invocation = block_on(invoke(&world, &id, as_user(function), None)).unwrap();
            assert_eq!(invocation.audience.as_deref(), Some(CLIENT_ID));
        }
    }
}

/// An audience that the rails allow says nothing about where the function is.
#[test]
fn a_plan_does_not_take_an_allowed_audience_for_the_functions_address() {
    let (world, id) = world(listing(&["https://hello-123456789012.us-central1.run.app"]));
    let asked =
        request(by_name()[0].clone(), Auth::IdToken, Some("https://hello-123456789012.us-central1.run.app"));
    let plan = block_on(plan(&Stage::live(&world), &id, Action::Invoke(asked), None)).unwrap();
    assert_eq!(plan.requests.last().unwrap().url, "{url of hello}");
}
