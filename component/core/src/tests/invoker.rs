//! The account whose ID token a function receives.

use serde_json::{Value, json};
use test_case::test_case;

use super::invoke::request as request_of;
use super::{detail, gen2};
use crate::{
    actions::{
        connections,
        functions::invoke::{Auth, Invocation, InvokeRequest, invoke},
    },
    base::{
        error::{Error, Kind, Origin},
        http::TokenKind,
    },
    google::which::FunctionRef,
    rails::GuardRails,
    sign_in::invoker::InvokerRequest,
    testing::{
        APPSPOT, CLIENT_ID, NOW, ROBOT, USER, World, access_token, block_on, canaries, denied, id_token,
        impersonated, json_answer, json_request, jwt, minted, not_found, nothing, revoked, switched_off,
        unauthenticated, user_grant, user_json,
    },
};

const URL: &str = "https://hello-abc123-uc.a.run.app";

const OTHER: &str = "caller@demo-project.iam.gserviceaccount.com";

fn request() -> InvokeRequest {
    request_of(FunctionRef::Url(URL.to_owned()))
}

fn service_account(account: Option<&str>, delegates: &[&str], include_email: bool) -> InvokerRequest {
    InvokerRequest::ServiceAccount {
        service_account: account.map(str::to_owned),
        delegates: delegates.iter().map(|&delegate| delegate.to_owned()).collect(),
        include_email,
    }
}

fn call(world: &World, id: &str, request: InvokeRequest) -> Result<Invocation, Error> {
    block_on(invoke(world, id, request, None))
}

/// With another invoker than the connection's.
fn call_as(world: &World, id: &str, invoker: InvokerRequest) -> Result<Invocation, Error> {
    call(world, id, InvokeRequest { invoker: Some(invoker), ..request() })
}

fn mint_url(account: &str) -> String {
    format!("https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{account}:generateIdToken")
}

#[test]
fn for_a_user_the_projects_own_service_account_calls() {
    let (world, id) = World::of_user();
    world.then(minted(URL, APPSPOT));
    for _ in 0..2 {
        world.then(nothing());
        let invocation = call(&world, &id, request()).unwrap();
        assert_eq!(invocation.principal.as_deref(), Some(APPSPOT));
        assert_eq!(invocation.audience.as_deref(), Some(URL));
        assert_eq!(invocation.token, TokenKind::IdToken);
    }
    let function = format!("{URL}/");
    assert_eq!(world.urls(), [mint_url(APPSPOT).as_str(), &function, &function], "minted once for both");
    assert_eq!(world.bearer(0).as_deref(), Some(canaries::FIRST));
    assert_eq!(world.json(0), json!({"audience": URL, "includeEmail": true}));
    let token = world.bearer(1).unwrap();
    assert_ne!(token, canaries::FIRST, "an access token went to a function");
}

#[test]
fn any_other_account_calls_by_way_of_its_delegates() {
    let mut connect = json_request(&user_json());
    let hops = ["a@p.iam.gserviceaccount.com", "b@p.iam.gserviceaccount.com"];
    connect.invoker = Some(service_account(Some(OTHER), &hops, false));
    let (world, id) = World::connected_with(connect, [json_answer(200, &user_grant(canaries::FIRST))]);
    assert_eq!(connections::get(&world, &id).unwrap().invoker, service_account(Some(OTHER), &hops, false));
    let anonymous = jwt(&json!({"aud": URL, "exp": NOW + 3600, "sub": "4321"}));
    world.then(json_answer(200, &json!({"token": anonymous})));
    world.then(nothing());
    let invocation = call(&world, &id, request()).unwrap();
    assert_eq!(invocation.principal.as_deref(), Some("4321"), "what the function sees");
    assert_eq!(world.urls()[0], mint_url(OTHER));
    assert_eq!(
        world.json(0),
        json!({"audience": URL, "includeEmail": false, "delegates": [
            "projects/-/serviceAccounts/a@p.iam.gserviceaccount.com",
            "projects/-/serviceAccounts/b@p.iam.gserviceaccount.com",
        ]})
    );
}

#[test]
fn one_call_can_name_another_invoker_and_gets_another_token() {
    let (world, id) = World::connected();
    world.then(minted(URL, OTHER));
    world.then(nothing());
    let invocation = call_as(&world, &id, service_account(Some(OTHER), &[], true)).unwrap();
    assert_eq!(invocation.principal.as_deref(), Some(OTHER));
    world.then(minted(URL, OTHER));
    world.then(nothing());
    call_as(&world, &id, service_account(Some(OTHER), &[], false)).unwrap();
    world.then(id_token(URL));
    world.then(nothing());
    assert_eq!(call(&world, &id, request()).unwrap().principal.as_deref(), Some(ROBOT));
    let (mint, function, token) = (mint_url(OTHER), format!("{URL}/"), "https://oauth2.googleapis.com/token");
    assert_eq!(world.urls(), [&mint, &function, &mint, &function, token, &function]);
}

#[test]
fn an_impersonated_account_is_its_own_invoker_and_asked_for_by_the_source() {
    let json = json!({
        "type": "impersonated_service_account", "source_credentials": user_json(),
        "service_account_impersonation_url": format!("https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{OTHER}:generateAccessToken"),
    });
    let answers = [json_answer(200, &user_grant(canaries::SOURCE)), impersonated(canaries::PROOF)];
    let (world, id) = World::connected_with(json_request(&json), answers);
    world.then(minted(URL, OTHER));
    world.then(nothing());
    assert_eq!(call(&world, &id, request()).unwrap().principal.as_deref(), Some(OTHER));
    assert_eq!(
        (world.urls()[0].as_str(), world.bearer(0).as_deref()),
        (mint_url(OTHER).as_str(), Some(canaries::SOURCE))
    );

    world.begin_anew();
    world.then(impersonated(canaries::TARGET));
    world.then(minted(URL, APPSPOT));
    world.then(nothing());
    call_as(&world, &id, service_account(None, &[], true)).unwrap();
    assert_eq!(
        world.bearer(1).as_deref(),
        Some(canaries::TARGET),
        "any other account is asked for by the target"
    );
}

#[test]
fn a_user_who_may_not_mint_is_told_the_role_and_the_function_is_not_called() {
    let (world, id) = World::of_user();
    world.then(denied("iam.serviceAccounts.getOpenIdToken"));
    let error = call(&world, &id, request()).unwrap_err();
    assert_eq!((error.kind(), error.fields().origin), (Kind::MissingRole, Origin::Iam));
    assert_eq!(detail(&error, "role"), Some("roles/iam.serviceAccountOpenIdTokenCreator"));
    assert_eq!(detail(&error, "member"), Some("user:ada@example.com"));
    assert_eq!(detail(&error, "resource"), Some(format!("projects/-/serviceAccounts/{APPSPOT}").as_str()));
    assert!(error.to_string().contains(&format!(
        "gcloud iam service-accounts add-iam-policy-binding {APPSPOT} --member=user:{USER} --role=roles/iam.serviceAccountOpenIdTokenCreator"
    )), "{error}");
    assert_eq!(world.urls(), [mint_url(APPSPOT)]);
}

#[test]
fn a_service_account_that_may_not_mint_is_told_the_role() {
    let (world, id) = World::connected();
    world.then(denied("iam.serviceAccounts.getOpenIdToken"));
    let error = call_as(&world, &id, service_account(Some(OTHER), &[], true)).unwrap_err();
    assert_eq!(detail(&error, "member"), Some(format!("serviceAccount:{ROBOT}").as_str()));
    assert_eq!(detail(&error, "resource"), Some(format!("projects/-/serviceAccounts/{OTHER}").as_str()));
    assert_eq!(world.urls().len(), 1);
}

#[test]
fn a_service_account_that_is_not_there_is_named() {
    let (world, id) = World::of_user();
    world.then(not_found(&format!("Not found; Gaia id not found for email {APPSPOT}")));
    let error = call(&world, &id, request()).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "service-account")), (Kind::NotFound, Some(APPSPOT)));
    assert!(error.to_string().contains("App Engine or 1st gen functions were set up"));
    assert_eq!(world.urls().len(), 1);
}

#[test_case(switched_off("iamcredentials.googleapis.com"), Kind::ApiDisabled; "the API is off")]
#[test_case(minted("https://another.a.run.app", APPSPOT), Kind::InvalidResponse; "a token for another function")]
#[test_case(json_answer(200, &json!({"token": "no token"})), Kind::InvalidResponse; "a token that is none")]
#[test_case(nothing(), Kind::InvalidResponse; "no token")]
#[test_case(json_answer(400, &json!({"error": {"message": "bad"}})), Kind::InvalidInput; "a refusal")]
fn a_token_that_is_not_minted_never_ends_in_a_call(answer: crate::testing::Answer, kind: Kind) {
    let (world, id) = World::of_user();
    world.then(answer);
    assert_eq!(call(&world, &id, request()).unwrap_err().kind(), kind);
    assert_eq!(world.urls(), [mint_url(APPSPOT)]);
}

#[test]
fn a_user_who_cannot_sign_in_never_ends_in_a_call() {
    let (world, id) = World::of_user();
    world.at(4000);
    world.then(revoked());
    assert_eq!(call(&world, &id, request()).unwrap_err().kind(), Kind::ReconnectRequired);
    assert_eq!(world.urls(), ["https://oauth2.googleapis.com/token"]);
}

#[test]
fn a_401_of_iam_credentials_takes_one_new_token_and_one_more_attempt() {
    let (world, id) = World::of_user();
    world.then(unauthenticated());
    world.then(json_answer(200, &user_grant(canaries::SECOND)));
    world.then(minted(URL, APPSPOT));
    world.then(nothing());
    call(&world, &id, request()).unwrap();
    assert_eq!(
        (world.bearer(0).as_deref(), world.bearer(2).as_deref()),
        (Some(canaries::FIRST), Some(canaries::SECOND))
    );
    world.begin_anew();

    let (world, id) = World::connected();
    world.then(unauthenticated());
    world.then(access_token(canaries::SECOND));
    world.then(unauthenticated());
    let error = call_as(&world, &id, service_account(Some(OTHER), &[], true)).unwrap_err();
    assert_eq!((error.kind(), world.urls().len()), (Kind::Unauthenticated, 3));
}

#[test]
fn a_users_own_token_is_for_the_client_and_comes_with_the_access_token() {
    let (world, id) = World::of_user();
    world.at(4000);
    world.then(json_answer(200, &grant_at(4000)));
    world.then(json_answer(200, &json!({"functions": [gen2("us-central1", "hello")]})));
    world.then(nothing());
    world.then(nothing());
    let mut request = request();
    request.function = FunctionRef::Named { name: "hello".to_owned(), region: None };
    request.invoker = Some(InvokerRequest::User);
    let invocation = call(&world, &id, request).unwrap();
    assert_eq!(invocation.audience.as_deref(), Some(CLIENT_ID));
    assert_eq!(invocation.principal.as_deref(), Some(USER));
    assert_eq!(
        world.urls().iter().filter(|url| url.contains("oauth2")).count(),
        1,
        "one refresh brings both"
    );

    world.begin_anew();
    allow_client(&world, &id);
    world.at(8000);
    world.then(json_answer(200, &grant_at(8000)));
    world.then(nothing());
    call_as(&world, &id, InvokerRequest::User).unwrap();
    world.then(nothing());
    block_on(crate::actions::functions::list::list(&world, &id, super::one_request(), None)).unwrap();
    assert_eq!(
        world.urls().iter().filter(|url| url.contains("oauth2")).count(),
        1,
        "whichever is wanted first"
    );
}

/// Lets functions receive the user's own token by whatever name they are called.
fn allow_client(world: &World, id: &str) {
    let rails = GuardRails { audiences: vec![CLIENT_ID.to_owned()], ..GuardRails::default() };
    connections::restrict(world, id, Some(rails)).unwrap();
}

fn grant_at(seconds: u64) -> Value {
    let mut grant = user_grant(canaries::SECOND);
    grant["id_token"] = json!(jwt(&json!({"aud": CLIENT_ID, "exp": NOW + seconds + 3600, "email": USER})));
    grant
}

#[test]
fn a_users_own_token_has_no_other_audience() {
    let (world, id) = World::of_user();
    for audience in [URL, "another.apps.googleusercontent.com"] {
        let request = InvokeRequest {
            invoker: Some(InvokerRequest::User),
            audience: Some(audience.to_owned()),
            ..request()
        };
        let error = call(&world, &id, request).unwrap_err();
        assert_eq!((error.kind(), detail(&error, "field")), (Kind::InvalidInput, Some("audience")));
    }
    assert!(world.urls().is_empty());
    allow_client(&world, &id);
    world.then(nothing());
    let request = InvokeRequest {
        invoker: Some(InvokerRequest::User),
        audience: Some(CLIENT_ID.to_owned()),
        ..request()
    };
    call(&world, &id, request).unwrap();
}

#[test]
fn a_grant_without_openid_has_no_token_for_functions() {
    let (world, id) = World::of_user();
    allow_client(&world, &id);
    world.at(4000);
    let mut grant = user_grant(canaries::SECOND);
    grant["id_token"] = Value::Null;
    world.then(json_answer(200, &grant));
    let error = call_as(&world, &id, InvokerRequest::User).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidResponse);
    assert!(error.to_string().contains("openid"), "{error}");
    assert_eq!(world.urls().len(), 1);
}

#[test]
fn a_project_named_by_its_number_does_not_tell_its_service_account() {
    let mut connect = json_request(&user_json());
    connect.project = Some("123456789012".to_owned());
    let (world, id) = World::connected_with(connect, [json_answer(200, &user_grant(canaries::FIRST))]);
    let error = call(&world, &id, request()).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "field")), (Kind::InvalidInput, Some("invoker")));
    assert!(error.to_string().contains("name the service account"), "{error}");
    assert!(world.urls().is_empty());
    world.then(minted(URL, OTHER));
    world.then(nothing());
    call_as(&world, &id, service_account(Some(OTHER), &[], true)).unwrap();
}

#[test_case(InvokerRequest::Own; "a user has no token of its own kind")]
#[test_case(service_account(Some("nobody"), &[], true); "no address")]
#[test_case(service_account(Some("a@b.com/../x"), &[], true); "a path in an address")]
#[test_case(service_account(None, &["a b@c.com"], true); "a delegate that is none")]
#[test_case(service_account(None, &["a@b.com"; 5], true); "too many delegates")]
fn an_invoker_that_cannot_be_is_refused_before_anything_is_sent(invoker: InvokerRequest) {
    let (world, id) = World::of_user();
    let error = call_as(&world, &id, invoker.clone()).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "field")), (Kind::InvalidInput, Some("invoker")));
    let mut connect = json_request(&user_json());
    connect.invoker = Some(invoker);
    assert_eq!(crate::testing::connect(&world, connect).unwrap_err().kind(), Kind::InvalidInput);
    assert!(world.urls().is_empty());
}

#[test]
fn who_calls_without_a_token_has_no_invoker() {
    let (world, id) = World::of_user();
    let request = InvokeRequest { auth: Auth::None, invoker: Some(InvokerRequest::User), ..request() };
    let error = call(&world, &id, request).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "field")), (Kind::InvalidInput, Some("invoker")));
    assert!(world.urls().is_empty());
}
