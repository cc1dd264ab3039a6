//! The project that requests count against: sent to the APIs that read it, and to nobody else.

use serde_json::{Value, json};
use test_case::test_case;

use super::{api_request, detail};
use crate::{
    actions::{
        api::custom_api,
        connections::{self, ConnectRequest},
        functions::list::list,
    },
    base::{
        error::{Error, Kind},
        http::Request,
    },
    google::{hosts::Api, which::FunctionRef},
    rails::GuardRails,
    testing::{
        DEMO_KEY, World, access_token, block_on, canaries, connect, connect_request, google_json,
        impersonated, json_answer, json_request, nothing, user_grant, user_json,
    },
};

const HEADER: &str = "x-goog-user-project";

fn quota_project(request: &Request) -> Option<&str> {
    request.headers().iter().find(|(name, _)| name == HEADER).map(|(_, value)| value.as_str())
}

fn user(quota: Option<&str>) -> Value {
    let mut json = user_json();
    json["quota_project_id"] = json!(quota);
    json
}

fn request(file: &Value, option: Option<&str>) -> ConnectRequest {
    ConnectRequest {
        project: Some("demo-project".to_owned()),
        quota_project: option.map(str::to_owned),
        ..json_request(file)
    }
}

/// <https://cloud.google.com/docs/quotas/quota-project>: client-based APIs read it, and resource-based ones do not.
#[test_case(Api::Functions, None)]
#[test_case(Api::Run, None)]
#[test_case(Api::Eventarc, None)]
#[test_case(Api::Logging, Some("payer"))]
#[test_case(Api::ServiceUsage, Some("payer"))]
#[test_case(Api::ResourceManager, Some("payer"))]
fn it_goes_to_the_apis_that_count_for_the_caller(api: Api, expected: Option<&str>) {
    let (world, id) = World::connected_with(
        request(&user(None), Some("payer")),
        [json_answer(200, &user_grant(canaries::FIRST))],
    );
    let mut call = api_request("GET", "/v2/projects/demo-project/x");
    call.api = Some(api.name().to_owned());
    world.then(nothing());
    block_on(custom_api(&world, &id, call, None)).unwrap();
    let sent = world.sent.borrow();
    assert_eq!(quota_project(&sent[0]), expected);
    assert_eq!(sent[0].host(), api.host());
}

#[test]
fn iam_credentials_counts_for_the_caller_too_and_token_endpoints_and_functions_learn_nothing() {
    let target = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/deployer@target-project.iam.gserviceaccount.com:generateAccessToken";
    let file = json!({"type": "impersonated_service_account", "service_account_impersonation_url": target,
        "source_credentials": user(None), "quota_project_id": "payer"});
    let world = World::new();
    world.then(json_answer(200, &user_grant(canaries::FIRST)));
    world.then(impersonated(canaries::PROOF));
    let (connection, _) = connect(&world, request(&file, None)).unwrap();
    assert_eq!(connection.quota_project.as_deref(), Some("payer"));
    world.then(impersonated(canaries::SECOND));
    world.then(nothing());
    block_on(list(&world, &connection.id, super::one_request(), None)).unwrap();
    for request in world.sent.borrow().iter() {
        let expected = (request.host() == Api::IamCredentials.host()).then_some("payer");
        assert_eq!(quota_project(request), expected, "{}", request.url());
    }
    assert_eq!(world.sent.borrow().len(), 4);
}

#[test_case(user(Some("named")), None, Some("named"); "that of the file")]
#[test_case(user(Some("named")), Some("said"), Some("said"); "that of the option")]
#[test_case(user(Some("123456")), None, Some("123456"); "a number")]
#[test_case(user(None), Some("said"), Some("said"); "of the option alone")]
#[test_case(user(None), None, None; "none")]
#[test_case(user(Some("not a project!")), None, None; "one that is none")]
fn it_is_what_was_said_or_what_the_file_names(file: Value, option: Option<&str>, expected: Option<&str>) {
    let (world, id) =
        World::connected_with(request(&file, option), [json_answer(200, &user_grant(canaries::FIRST))]);
    assert_eq!(connections::get(&world, &id).unwrap().quota_project.as_deref(), expected);
}

#[test]
fn a_new_credential_brings_its_own_or_leaves_the_old() {
    let (world, id) = World::connected_with(
        request(&user(Some("old")), None),
        [json_answer(200, &user_grant(canaries::FIRST))],
    );
    let anew = |file: &Value, answer| {
        world.then(answer);
        let anew = connections::reauthorize(&world, &id, google_json(file), None, None);
        block_on(anew).unwrap().0.quota_project
    };
    let key: Value = serde_json::from_str(DEMO_KEY).unwrap();
    assert_eq!(anew(&key, access_token(canaries::SECOND)).as_deref(), Some("old"));
    assert_eq!(
        anew(&user(Some("new")), json_answer(200, &user_grant(canaries::THIRD))).as_deref(),
        Some("new")
    );
}

#[test]
fn one_that_is_none_is_refused_by_field() {
    let world = World::new();
    let error = connect(&world, request(&user(None), Some("not a project!"))).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "field")), (Kind::InvalidInput, Some("quota-project")));
    assert!(world.urls().is_empty());
}

/// The lines of a request of the caller's own with this header, on a connection with these rails and the quota project `payer`.
fn asking(rails: GuardRails, api: Api, header: &str) -> Result<Vec<String>, Error> {
    let connection = ConnectRequest {
        guard_rails: Some(rails),
        quota_project: Some("payer".to_owned()),
        ..connect_request()
    };
    let (world, id) = World::connected_with(connection, [access_token(canaries::FIRST)]);
    world.respond(|_| nothing());
    let mut call = api_request("GET", "/v2/projects/demo-project/locations/us-central1/x");
    call.api = Some(api.name().to_owned());
    call.headers = vec![("X-Goog-User-Project".to_owned(), header.to_owned())];
    let outcome = block_on(custom_api(&world, &id, call, None));
    let sent = world.sent.borrow();
    let named = sent.iter().flat_map(Request::headers).filter(|(name, _)| name == HEADER);
    let named: Vec<_> = named.map(|(_, value)| value.clone()).collect();
    outcome.map(|_| named).inspect_err(|_| assert!(sent.is_empty(), "nothing is sent"))
}

/// Google takes the header of whoever may use that project (<https://cloud.google.com/docs/quotas/set-quota-project>), and so
/// does a connection that is not held to its own.
#[test_case(Api::Logging; "an API that reads it")]
#[test_case(Api::Functions; "an API that does not")]
fn a_caller_says_who_pays_where_no_rail_holds_the_connection_to_its_project(api: Api) {
    for project in ["other-project", "demo-project", "payer", "123456789012"] {
        assert_eq!(
            asking(GuardRails::default(), api, project).unwrap(),
            [project],
            "instead of the other one"
        );
    }
    let own = || GuardRails { own_project: true, ..GuardRails::default() };
    for project in ["demo-project", "payer"] {
        assert_eq!(asking(own(), api, project).unwrap(), [project]);
    }
    for project in ["other-project", "123456789012", "demo-project-2", "example.com:demo-project"] {
        let error = asking(own(), api, project).unwrap_err();
        assert_eq!((error.kind(), detail(&error, "rail")), (Kind::Restricted, Some("own-project")));
        assert_eq!(detail(&error, "header"), Some(HEADER));
    }
}

/// Of several, each counts.
#[test]
fn a_second_project_does_not_get_past_the_rail() {
    let own = GuardRails { own_project: true, ..GuardRails::default() };
    let (world, id) = World::connected_with(
        ConnectRequest { guard_rails: Some(own), ..connect_request() },
        [access_token(canaries::FIRST)],
    );
    let mut call = api_request("GET", "/v2/projects/demo-project/locations");
    let header = |project: &str| (HEADER.to_owned(), project.to_owned());
    call.headers = vec![header("demo-project"), header("other-project")];
    let error = block_on(custom_api(&world, &id, call, None)).unwrap_err();
    assert_eq!(error.kind(), Kind::Restricted);
    assert!(world.urls().is_empty());
}

/// <https://cloud.google.com/docs/quotas/set-quota-project>: whoever names a project needs `serviceusage.services.use` there.
/// The answer is that of lbjlaq/Antigravity-Manager#3050, with other names and for this API.
#[test]
fn who_may_not_use_the_quota_project_is_told_the_role_on_it() {
    let url = "https://console.developers.google.com/iam-admin/iam?project=payer";
    let denied = json_answer(
        403,
        &json!({"error": {"code": 403, "status": "PERMISSION_DENIED",
            "message": "Caller does not have required permission to use project payer.",
            "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "USER_PROJECT_DENIED",
                "domain": "googleapis.com", "metadata": {"consumer": "projects/payer", "consoleUrl": url,
                    "service": "iamcredentials.googleapis.com"}}]}}),
    );
    let (world, id) = World::connected_with(
        request(&user(Some("payer")), None),
        [json_answer(200, &user_grant(canaries::FIRST))],
    );
    world.then(denied);
    let function = FunctionRef::Url("https://hello-abc123-uc.a.run.app".to_owned());
    let error = super::invoke::call(&world, &id, super::invoke::request(function)).unwrap_err();
    assert_eq!(quota_project(&world.sent.borrow()[0]), Some("payer"), "it was sent");
    assert_eq!((error.kind(), detail(&error, "resource")), (Kind::MissingRole, Some("projects/payer")));
    assert_eq!(detail(&error, "permission"), Some("serviceusage.services.use"));
    assert_eq!(detail(&error, "role"), Some("roles/serviceusage.serviceUsageConsumer"));
    let fix = error.fields().fix.as_deref().unwrap();
    assert!(fix.contains("gcloud projects add-iam-policy-binding payer --member=user:"), "{fix}");
}
