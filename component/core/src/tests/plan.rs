//! Plans of calls: the same steps, on stand-ins.

use serde_json::json;
use test_case::test_case;

use super::invoke::request as request_of;
use super::{api_request, gen2};
use crate::{
    actions::{
        api::PagesRequest,
        connections::CredentialRequest,
        functions::{
            invoke::{Auth, InvokeRequest, invoke},
            list::{ListRequest, list},
            options::{OptionField, OptionsRequest},
        },
        plan::{Action, Plan, plan, rehearsal::Stage},
    },
    base::{
        error::{Kind, Result},
        http::TokenKind,
        retry::Class,
    },
    google::{
        request::{body::Body, grammar::Query},
        which::FunctionRef,
    },
    sign_in::invoker::InvokerRequest,
    testing::{
        NOW, ROBOT, World, access_token, block_on, canaries, connect_request, id_token, json_answer,
        json_request, request_for, user_json,
    },
};

const FUNCTIONS: &str = "https://cloudfunctions.googleapis.com/v2/projects/demo-project/locations";

fn planned(world: &World, id: &str, action: Action) -> Result<Plan> {
    let before = world.secrets.borrow().clone();
    let plan = block_on(plan(&Stage::live(world), id, action, None));
    assert!(world.log.borrow().is_empty(), "{:?}", world.log.borrow());
    assert!(world.leases.borrow().is_empty());
    assert_eq!(*world.secrets.borrow(), before);
    plan
}

/// Purpose, method, URL without its query, and token of each request.
fn steps(plan: &Plan) -> Vec<String> {
    let requests = plan.requests.iter();
    requests
        .map(|request| {
            let url = request.url.split('?').next().unwrap();
            format!("{}: {} {url} {:?}", request.purpose, request.method.as_str(), request.token)
        })
        .collect()
}

fn request(function: FunctionRef) -> InvokeRequest {
    InvokeRequest {
        path: "/sub".to_owned(),
        query: Query::Raw("a=1".to_owned()),
        headers: vec![("x-a".to_owned(), "b".to_owned())],
        body: Some(Body::Json("{\"n\": 1}".to_owned())),
        ..request_of(function)
    }
}

fn in_region(name: &str) -> FunctionRef {
    FunctionRef::Named { name: name.to_owned(), region: Some("us-central1".to_owned()) }
}

fn bare(name: &str) -> FunctionRef {
    FunctionRef::Named { name: name.to_owned(), region: None }
}

const TOKEN: &str = "get an access token: POST https://oauth2.googleapis.com/token Assertion";

#[test]
fn an_invocation_by_name_goes_by_what_the_name_will_turn_out_to_be() {
    let (world, id) = World::connected();
    world.at(7200);
    let plan = planned(&world, &id, Action::Invoke(request(in_region("hello")))).unwrap();
    assert_eq!(
        steps(&plan),
        [
            TOKEN.to_owned(),
            format!("look up hello: GET {FUNCTIONS}/us-central1/functions/hello AccessToken"),
            "get an ID token: POST https://oauth2.googleapis.com/token Assertion".to_owned(),
            "invoke hello: POST {url of hello}/sub IdToken".to_owned(),
        ]
    );
    let [.., minted, called] = &plan.requests[..] else { panic!() };
    assert_eq!(minted.audience.as_deref(), Some("{url of hello}"));
    assert_eq!((minted.retry, minted.attempts), (Class::TokenEndpoint, 3));
    assert_eq!(called.audience.as_deref(), Some("{url of hello}"));
    assert_eq!(called.url, "{url of hello}/sub?a=1");
    assert_eq!((called.retry, called.timeout_ms), (Class::Unsent, 60_000));
    assert_eq!((called.body.as_deref(), called.body_bytes), (Some("{\"n\": 1}"), 8));
    assert!(called.headers.contains(&("x-a".to_owned(), "b".to_owned())));
    assert_eq!((plan.account.as_str(), plan.principal.as_deref()), (ROBOT, Some(ROBOT)));
}

#[test]
fn a_bare_name_is_found_where_only_google_knows() {
    let (world, id) = World::connected();
    let plan = planned(&world, &id, Action::Check(Some(bare("hello")))).unwrap();
    let steps = steps(&plan);
    let asked = steps.last().unwrap();
    assert_eq!(
        asked,
        "ask what is allowed: POST https://run.googleapis.com/v2/projects/demo-project/locations/{region of hello}/services/{service of hello}:testIamPermissions AccessToken"
    );
    assert!(steps.iter().any(|step| step.ends_with("/locations/-/functions AccessToken")), "{steps:?}");
    assert!(!format!("{plan:?}").contains("rehears"), "{plan:?}");
}

#[test]
fn a_token_in_the_store_is_used() {
    let (world, id) = World::connected();
    let plan = planned(&world, &id, Action::List(ListRequest::default())).unwrap();
    assert!(plan.requests.iter().all(|request| request.token == TokenKind::AccessToken), "{plan:?}");
    assert_eq!(plan.requests[0].purpose, "list functions");
    assert_eq!((plan.requests[0].retry, plan.requests[0].attempts), (Class::Idempotent, 4));
    assert!(plan.notes.iter().any(|note| note.contains("comes from the store")), "{:?}", plan.notes);
    assert_eq!(plan.principal, None);
}

/// A plan is sent byte for byte, once what stands in braces is known.
#[test]
fn a_plan_and_its_call_are_the_same() {
    let (world, id) = World::connected();
    world.at(7200);
    let plan = planned(&world, &id, Action::Invoke(request(in_region("hello")))).unwrap();
    let url = "https://hello-abc123-uc.a.run.app";
    world.then(access_token(canaries::SECOND));
    world.then(json_answer(200, &gen2("us-central1", "hello")));
    world.then(id_token_at(url, 7200));
    world.then(json_answer(200, &json!({})));
    block_on(invoke(&world, &id, request(in_region("hello")), None)).unwrap();
    let sent = world.sent.borrow();
    assert_eq!(sent.len(), plan.requests.len());
    for (sent, planned) in sent.iter().zip(&plan.requests) {
        assert_eq!(
            format!("https://{}{}", sent.host(), sent.path_and_query()),
            planned.url.replace("{url of hello}", url)
        );
        assert_eq!((sent.method(), sent.token()), (planned.method, planned.token));
        assert_eq!(sent.headers(), planned.headers);
        if let Some(body) = &planned.body {
            assert_eq!(sent.body(), body.as_bytes());
        }
    }
}

fn id_token_at(audience: &str, seconds: u64) -> crate::testing::Answer {
    let claims = json!({"aud": audience, "exp": NOW + seconds + 3600, "email": ROBOT, "sub": "1"});
    json_answer(200, &json!({"id_token": crate::testing::jwt(&claims)}))
}

/// An audience that is a function's URL is one of those that this function has, and only Google knows whether it has
/// others.
#[test]
fn an_audience_is_planned_for_a_function_of_the_own_project() {
    let (world, id) = World::connected();
    let with =
        |audience: &str| InvokeRequest { audience: Some(audience.to_owned()), ..request(in_region("hello")) };
    for (audience, is_a_functions) in [
        ("https://hello-abc123-uc.a.run.app", true),
        ("https://us-central1-p.cloudfunctions.net/hello", true),
        ("https://api.example.com", false),
    ] {
        let plan = planned(&world, &id, Action::Invoke(with(audience))).unwrap();
        assert_eq!(plan.requests[1].audience.as_deref(), Some(audience));
        assert_eq!(plan.requests[2].url, "{url of hello}/sub?a=1");
        let says = plan.notes.iter().any(|note| note.contains("Cloud Run is asked whether"));
        assert_eq!(says, is_a_functions, "{:?}", plan.notes);
    }
}

#[test]
fn a_user_s_functions_receive_a_token_that_iam_mints() {
    let (world, id) = World::of_user();
    let plan = planned(
        &world,
        &id,
        Action::Invoke(InvokeRequest {
            invoker: Some(InvokerRequest::ServiceAccount {
                service_account: Some(ROBOT.to_owned()),
                delegates: Vec::new(),
                include_email: true,
            }),
            path: String::new(),
            query: Query::None,
            ..request(in_region("hello"))
        }),
    )
    .unwrap();
    let minted = &plan.requests[1];
    assert_eq!(minted.purpose, format!("mint an ID token of {ROBOT}"));
    assert_eq!(minted.audience.as_deref(), Some("{url of hello}"));
    assert_eq!(minted.body.as_deref(), Some(r#"{"audience":"{url of hello}","includeEmail":true}"#));
    assert_eq!(plan.requests[2].url, "{url of hello}");
    assert_eq!(plan.principal.as_deref(), Some(ROBOT));
}

#[test]
fn nothing_secret_is_in_a_plan() {
    let (world, id) = World::of_user();
    world.at(7200);
    let plan = planned(&world, &id, Action::List(ListRequest::default())).unwrap();
    let refresh = &plan.requests[0];
    assert_eq!((refresh.token, refresh.body.as_deref()), (TokenKind::Grant, None));
    assert!(refresh.body_bytes > 0);
    let printed = format!("{plan:?}");
    for secret in [canaries::REFRESH_FIRST, "GOCSPX", "ya29", "stand-in", "e30."] {
        assert!(!printed.contains(secret), "{secret}: {printed}");
    }
}

#[test]
fn a_connection_is_planned_without_keeping_it() {
    let world = World::new();
    let plan = planned(&world, "", Action::Connect(connect_request())).unwrap();
    assert_eq!(steps(&plan), [TOKEN]);
    assert_eq!(plan.account, ROBOT);
    let plan = planned(&world, "", Action::Connect(json_request(&user_json()))).unwrap();
    assert_eq!(steps(&plan), ["get an access token: POST https://oauth2.googleapis.com/token Grant"]);
    assert!(plan.account.starts_with("a user of the client "), "{}", plan.account);
    let injected = request_for(CredentialRequest::InjectedToken(None));
    let injected = Action::Connect(crate::actions::connections::ConnectRequest {
        project: Some("demo-project".to_owned()),
        ..injected
    });
    assert_eq!(planned(&world, "", injected).unwrap().requests, []);
}

#[test]
fn a_new_credential_is_planned_and_the_old_one_stays() {
    let (world, id) = World::of_user();
    let new = |credential| Action::Reauthorize { credential, subject_token: None };
    let plan = planned(&world, &id, new(connect_request().credential)).unwrap();
    assert_eq!((steps(&plan), plan.account.as_str()), (vec![TOKEN.to_owned()], ROBOT));
    assert!(
        plan.notes.iter().any(|note| note.contains("only after Google has accepted it")),
        "{:?}",
        plan.notes
    );
    let error = planned(&world, &id, new(crate::testing::google_json(&json!({})))).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidCredential);
    let gone = planned(&world, "0123456789abcdef", new(connect_request().credential)).unwrap_err();
    assert_eq!(gone.kind(), Kind::ConnectionNotFound);
}

#[test]
fn the_end_of_a_connection_is_planned_without_ending_it() {
    let (world, id) = World::of_user();
    let plan = planned(&world, &id, Action::Disconnect).unwrap();
    assert_eq!(steps(&plan), ["end the grant at Google: POST https://oauth2.googleapis.com/revoke Grant"]);
    assert_eq!(plan.requests[0].body, None);
    let (world, id) = World::connected();
    assert_eq!(planned(&world, &id, Action::Disconnect).unwrap().requests, []);
}

#[test]
fn a_custom_request_stands_as_it_is() {
    let (world, id) = World::connected();
    let mut request = api_request("POST", "/v2/projects/p/locations/us-central1/functions");
    request.query = Query::Raw("functionId=rehearsed".to_owned());
    request.body = Some(Body::Json(format!("\"{}é\"", "a".repeat(4094))));
    let plan = planned(&world, &id, Action::CustomApi(request)).unwrap();
    let [planned] = &plan.requests[..] else { panic!("{plan:?}") };
    assert_eq!(planned.purpose, "call cloudfunctions.googleapis.com");
    assert!(planned.url.ends_with("/locations/us-central1/functions?functionId=rehearsed"));
    // Cut where a character ends.
    assert_eq!(planned.body.as_ref().map(String::len), Some(4095));
    assert_eq!((planned.body_bytes, planned.retry, planned.attempts), (4098, Class::Unsent, 3));
    let open = api_request("GET", "https://hello-abc-uc.a.run.app/x");
    let plan = self::planned(&world, &id, Action::CustomApi(open)).unwrap();
    assert_eq!(steps(&plan), ["invoke hello-abc-uc.a.run.app: GET https://hello-abc-uc.a.run.app/x None"]);
}

#[test_case("functions", "GET", "", "list regions")]
#[test_case("functions", "GET", "/-/functions", "list functions")]
#[test_case("run", "GET", "/r/services", "list services of Cloud Run")]
#[test_case("functions", "GET", "/r/functions/f", "look up f")]
#[test_case("run", "GET", "/r/services/f", "look up f of Cloud Run")]
#[test_case("run", "POST", "/r/services/f:testIamPermissions", "ask what is allowed")]
#[test_case("functions", "POST", "/r/functions/f:call", "call f through the API")]
#[test_case("functions", "POST", "/r/functions/f:setIamPolicy", "call cloudfunctions.googleapis.com")]
#[test_case("logging", "GET", "/r/functions/f", "call logging.googleapis.com"; "another API")]
fn a_custom_request_has_the_purpose_of_ours_where_it_is_the_same(
    api: &str,
    method: &str,
    path: &str,
    purpose: &str,
) {
    let (world, id) = World::connected();
    let mut request = api_request(method, &format!("/v1/projects/demo-project/locations{path}"));
    request.api = Some(api.to_owned());
    let plan = planned(&world, &id, Action::CustomApi(request)).unwrap();
    let purposes: Vec<_> = plan.requests.iter().map(|request| request.purpose.as_str()).collect();
    assert_eq!(purposes, [purpose]);
}

#[test]
fn a_lookup_is_planned_by_either_name() {
    let (world, id) = World::connected();
    let resource = "projects/other-project/locations/europe-west1/functions/hello";
    for (function, path) in [
        (in_region("hello"), "demo-project/locations/us-central1"),
        (FunctionRef::Resource(resource.to_owned()), "other-project/locations/europe-west1"),
    ] {
        let plan = planned(&world, &id, Action::Get(function)).unwrap();
        let url = format!("https://cloudfunctions.googleapis.com/v2/projects/{path}/functions/hello");
        assert_eq!(steps(&plan), [format!("look up hello: GET {url} AccessToken")]);
        assert!(plan.notes.iter().any(|note| note.contains("looked up in Cloud Run")), "{:?}", plan.notes);
    }
}

#[test]
fn options_and_pages_are_planned_too() {
    let (world, id) = World::connected();
    let hosts_and_paths = |action| {
        let plan = planned(&world, &id, action).unwrap();
        let urls = plan.requests.into_iter().map(|request| {
            assert_eq!(request.method, crate::base::http::Method::Get);
            request.url.split('?').next().unwrap().to_owned()
        });
        urls.collect::<Vec<_>>()
    };
    let options = |field| Action::Options(OptionsRequest { field, prefix: None, limit: None });
    let functions = "https://cloudfunctions.googleapis.com/v2/projects/demo-project/locations";
    let run = "https://run.googleapis.com/v2/projects/demo-project/locations";
    let regions = "https://run.googleapis.com/v1/projects/demo-project/locations";
    assert_eq!(hosts_and_paths(options(OptionField::Regions)), [regions]);
    assert_eq!(
        hosts_and_paths(options(OptionField::Functions(Some("us-east1".to_owned())))),
        [format!("{functions}/us-east1/functions"), format!("{run}/us-east1/services")]
    );
    let request = api_request("GET", "/v2/projects/demo-project/locations/-/functions");
    let pages = PagesRequest { request, items: None, page_token: None, max_pages: None };
    assert_eq!(hosts_and_paths(Action::AllPages(pages)), [format!("{functions}/-/functions")]);
}

#[test_case("", Kind::ConnectionRequired)]
#[test_case("0123456789abcdef", Kind::ConnectionNotFound)]
fn a_plan_fails_as_the_call_does(id: &str, kind: Kind) {
    let world = World::new();
    let error = planned(&world, id, Action::List(ListRequest::default())).unwrap_err();
    let same = block_on(list(&world, id, ListRequest::default(), None)).unwrap_err();
    assert_eq!((error.kind(), error.fields()), (kind, same.fields()));
}

#[test]
fn a_bad_input_is_named_and_a_known_fault_is_no_plan() {
    let (world, id) = World::of_user();
    let wrong = InvokeRequest { method: "get".to_owned(), ..request(in_region("hello")) };
    let error = planned(&world, &id, Action::Invoke(wrong)).unwrap_err();
    assert_eq!(super::detail(&error, "field"), Some("method"));
    world.at(7200);
    world.then(crate::testing::revoked());
    block_on(list(&world, &id, ListRequest::default(), None)).unwrap_err();
    world.begin_anew();
    let error = planned(&world, &id, Action::List(ListRequest::default())).unwrap_err();
    assert_eq!(error.kind(), Kind::ReconnectRequired);
}

#[test]
fn a_deadline_is_shown_whole_and_time_stands_still() {
    let (world, id) = World::connected();
    let action = Action::List(ListRequest { regions: vec!["us-east1".to_owned()], ..ListRequest::default() });
    let plan = block_on(plan(&Stage::live(&world), &id, action, Some(1234))).unwrap();
    assert!(plan.requests.iter().all(|request| request.timeout_ms == 1234), "{plan:?}");
}

#[test]
fn a_call_by_url_is_known_in_full() {
    let (world, id) = World::connected();
    let url = "https://hello-abc123-uc.a.run.app";
    let plan = planned(&world, &id, Action::Invoke(request(FunctionRef::Url(url.to_owned())))).unwrap();
    assert_eq!(
        steps(&plan),
        [
            "get an ID token: POST https://oauth2.googleapis.com/token Assertion".to_owned(),
            format!("invoke hello-abc123-uc.a.run.app: POST {url}/sub IdToken"),
        ]
    );
    // With a token in the store, the audience is read off it.
    world.then(id_token(url));
    world.then(json_answer(200, &json!({})));
    block_on(invoke(&world, &id, request(FunctionRef::Url(url.to_owned())), None)).unwrap();
    world.begin_anew();
    let plan = planned(&world, &id, Action::Invoke(request(FunctionRef::Url(url.to_owned())))).unwrap();
    let [called] = &plan.requests[..] else { panic!("{plan:?}") };
    assert_eq!(called.audience.as_deref(), Some(url));
    let open = InvokeRequest { auth: Auth::None, ..request(FunctionRef::Url(url.to_owned())) };
    let plan = planned(&world, &id, Action::Invoke(open)).unwrap();
    assert_eq!((plan.requests[0].token, plan.principal), (TokenKind::None, None));
}
