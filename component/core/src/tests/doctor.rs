//! Each prerequisite on its own line, with what to do about it.

use serde_json::{Value, json};
use test_case::test_case;

use super::{gen1, gen2, service};
use crate::{
    actions::connections::{
        self, Finding,
        Verdict::{self, Fail, NotNeeded, Pass, Unknown},
    },
    base::error::Kind,
    google::which::FunctionRef,
    rails::GuardRails,
    sign_in::invoker::InvokerRequest,
    testing::{
        APPSPOT, Answer, ROBOT, USER, World, block_on, canaries, denied, impersonated, json_answer,
        json_request, minted, not_found, nothing, revoked, switched_off, user_grant, user_json,
    },
};

const NOWHERE: &str = "https://gcf-connector.invalid";

fn check(world: &World, id: &str, function: Option<FunctionRef>) -> Vec<Finding> {
    let findings = block_on(connections::check(world, id, function, None)).unwrap();
    world.begin_anew();
    for finding in &findings {
        assert!(!finding.message.is_empty());
        assert!(finding.verdict != Fail || finding.fix.is_some() || finding.name == "http", "{finding:?}");
    }
    findings
}

fn verdicts(findings: &[Finding]) -> Vec<(&str, Verdict)> {
    findings.iter().map(|finding| (finding.name, finding.verdict)).collect()
}

fn find<'a>(findings: &'a [Finding], name: &str) -> &'a Finding {
    findings.iter().find(|finding| finding.name == name).unwrap()
}

fn hello() -> Option<FunctionRef> {
    Some(FunctionRef::Named { name: "hello".to_owned(), region: Some("us-central1".to_owned()) })
}

/// The lines of every check, with these verdicts.
fn lines(verdicts: [Verdict; 8]) -> Vec<(&'static str, Verdict)> {
    let names = [
        "token",
        "scopes",
        "project",
        "functions-api",
        "list-functions",
        "run-api",
        "iam-credentials-api",
        "mint-id-token",
    ];
    names.into_iter().zip(verdicts).collect()
}

/// An account with the invoker role and no other cannot list or see, and need not.
#[test_case(&[json!({"permissions": ["run.routes.invoke"]})], Pass, "may invoke it (run.routes.invoke)"; "as 2nd gen")]
#[test_case(&[json!({}), json!({"permissions": ["cloudfunctions.functions.invoke"]})], Pass, "may invoke it (cloudfunctions.functions.invoke)"; "as 1st gen")]
#[test_case(&[json!({}), json!({})], Fail, "run.routes.invoke is missing"; "as neither")]
fn who_may_only_invoke(answers: &[Value], verdict: Verdict, words: &str) {
    let (world, id) = World::connected();
    world.then(denied("cloudfunctions.functions.list"));
    world.then(nothing());
    world.then(denied("cloudfunctions.functions.get"));
    world.then(denied("run.services.get"));
    for answer in answers {
        world.then(json_answer(200, answer));
    }
    let findings = check(&world, &id, hello());
    let of_function: Vec<_> = findings[8..].iter().map(|finding| finding.verdict).collect();
    assert_eq!(of_function, [Unknown, Unknown, Unknown, verdict]);
    assert!(find(&findings, "exists").message.contains("cloudfunctions.functions.get"));
    let finding = find(&findings, "may-invoke");
    assert!(finding.message.contains(words), "{finding:?}");
}

#[test]
fn a_service_account_that_needs_nothing_more_in_an_empty_project() {
    let (world, id) = World::connected();
    world.then(nothing());
    world.then(nothing());
    let findings = check(&world, &id, None);
    assert_eq!(verdicts(&findings), lines([Pass, NotNeeded, Pass, Pass, Pass, Pass, NotNeeded, NotNeeded]));
    assert!(findings.iter().all(|finding| finding.fix.is_none()));
}

#[test]
fn a_user_who_may_do_all_that_is_needed() {
    let (world, id) = World::of_user();
    world.then(nothing());
    world.then(nothing());
    world.then(minted(NOWHERE, APPSPOT));
    let findings = check(&world, &id, None);
    assert_eq!(verdicts(&findings), lines([Pass; 8]));
    assert_eq!(find(&findings, "mint-id-token").message, format!("ID tokens of {APPSPOT} can be minted"));
    assert!(find(&findings, "scopes").message.contains("auth/cloud-platform"));
}

#[test]
fn a_user_with_nothing_but_the_sign_in() {
    let (world, id) = World::of_user();
    world.then(denied("cloudfunctions.functions.list"));
    world.then(denied("run.services.list"));
    world.then(denied("resourcemanager.projects.get"));
    world.then(denied("iam.serviceAccounts.getOpenIdToken"));
    let findings = check(&world, &id, None);
    assert_eq!(verdicts(&findings), lines([Pass, Pass, Unknown, Pass, Fail, Pass, Pass, Fail]));
    let fix = |name| find(&findings, name).fix.as_deref().unwrap();
    assert!(fix("list-functions").contains(&format!(
        "gcloud projects add-iam-policy-binding demo-project --member=user:{USER} --role=roles/cloudfunctions.viewer"
    )));
    assert!(fix("mint-id-token").contains(&format!(
        "gcloud iam service-accounts add-iam-policy-binding {APPSPOT} --member=user:{USER} --role=roles/iam.serviceAccountOpenIdTokenCreator"
    )));
    assert!(find(&findings, "project").message.contains(&format!("{USER} may not see it")));
}

#[test]
fn the_functions_api_is_off() {
    let (world, id) = World::connected();
    world.then(switched_off("cloudfunctions.googleapis.com"));
    world.then(nothing());
    let findings = check(&world, &id, None);
    assert_eq!(
        verdicts(&findings),
        lines([Pass, NotNeeded, Pass, Fail, Unknown, Pass, NotNeeded, NotNeeded])
    );
    let finding = find(&findings, "functions-api");
    assert!(
        finding
            .fix
            .as_deref()
            .unwrap()
            .contains("gcloud services enable cloudfunctions.googleapis.com --project=1234")
    );
    assert!(finding.link.as_deref().unwrap().starts_with("https://console.cloud.google.com/"));
}

#[test]
fn the_run_api_is_off() {
    let (world, id) = World::connected();
    world.then(nothing());
    world.then(switched_off("run.googleapis.com"));
    let findings = check(&world, &id, None);
    assert_eq!(verdicts(&findings), lines([Pass, NotNeeded, Pass, Pass, Pass, Fail, NotNeeded, NotNeeded]));
    assert!(find(&findings, "run-api").fix.as_deref().unwrap().contains("run.googleapis.com"));
}

#[test]
fn the_iam_credentials_api_is_off_and_listing_works_without_it() {
    let (world, id) = World::of_user();
    world.then(nothing());
    world.then(nothing());
    world.then(switched_off("iamcredentials.googleapis.com"));
    let findings = check(&world, &id, None);
    assert_eq!(verdicts(&findings), lines([Pass, Pass, Pass, Pass, Pass, Pass, Fail, Unknown]));
}

#[test]
fn the_projects_own_service_account_is_not_there() {
    let (world, id) = World::of_user();
    world.then(nothing());
    world.then(nothing());
    world.then(not_found(&format!("Not found; Gaia id not found for email {APPSPOT}")));
    let findings = check(&world, &id, None);
    assert_eq!(verdicts(&findings), lines([Pass, Pass, Pass, Pass, Pass, Pass, Pass, Fail]));
    assert!(
        find(&findings, "mint-id-token").fix.as_deref().unwrap().contains("name another one as the invoker")
    );
}

#[test]
fn a_project_that_is_not_there() {
    let (world, id) = World::connected();
    world.then(not_found("gone"));
    world.then(not_found("gone"));
    world.then(not_found("gone"));
    let findings = check(&world, &id, None);
    assert_eq!(
        verdicts(&findings),
        lines([Pass, NotNeeded, Fail, Unknown, Fail, Unknown, NotNeeded, NotNeeded])
    );
}

#[test]
fn a_dead_grant_is_the_only_thing_that_is_tried() {
    let (world, id) = World::of_user();
    world.at(4000);
    world.then(revoked());
    let findings = check(&world, &id, hello());
    assert_eq!(findings[0].verdict, Fail);
    assert!(findings[0].fix.as_deref().unwrap().contains("signs in again"));
    assert_eq!(findings.len(), 12);
    assert!(findings[1..].iter().all(|finding| finding.verdict == Unknown));
    assert!(findings[1..].iter().all(|finding| finding.message == "not tried without a token"));
}

#[test]
fn without_a_network_nothing_is_known_to_be_wrong() {
    let (world, id) = World::connected();
    world.at(4000);
    for _ in 0..3 {
        world.then(Err(crate::base::http::TransportError::NotSent("no route".to_owned())));
    }
    let findings = check(&world, &id, None);
    assert_eq!(verdicts(&findings), lines([Unknown; 8]));
}

#[test]
fn a_project_named_by_its_number_needs_an_invoker() {
    let mut connect = json_request(&user_json());
    connect.project = Some("123456789012".to_owned());
    let (world, id) = World::connected_with(connect, [json_answer(200, &user_grant(canaries::FIRST))]);
    world.then(nothing());
    world.then(nothing());
    let findings = check(&world, &id, None);
    assert_eq!(verdicts(&findings), lines([Pass, Pass, Pass, Pass, Pass, Pass, Unknown, Fail]));
    assert!(find(&findings, "mint-id-token").fix.as_deref().unwrap().contains("name the service account"));
}

#[test]
fn what_the_host_injects_is_not_looked_for() {
    let mut connect =
        crate::testing::request_for(connections::CredentialRequest::InjectedToken(Some(USER.to_owned())));
    connect.project = Some("demo-project".to_owned());
    let (world, id) = World::connected_with(connect, []);
    world.then(nothing());
    world.then(nothing());
    world.then(minted(NOWHERE, APPSPOT));
    let findings = check(&world, &id, None);
    assert_eq!(verdicts(&findings), lines([NotNeeded, Unknown, Pass, Pass, Pass, Pass, Pass, Pass]));
}

/// The findings about a function, with these answers to the questions about it.
fn of_function(world: &World, id: &str, answers: impl IntoIterator<Item = Answer>) -> Vec<Finding> {
    world.then(nothing());
    world.then(nothing());
    if connections::get(world, id).unwrap().invoker != InvokerRequest::Own {
        world.then(minted(NOWHERE, APPSPOT));
    }
    for answer in answers {
        world.then(answer);
    }
    check(world, id, hello()).split_off(8)
}

fn may(permission: &str) -> Answer {
    json_answer(200, &json!({"permissions": [permission]}))
}

/// <https://cloud.google.com/run/docs/securing/managing-access#invoker_check>: nobody needs a role then, and nobody is
/// asked about one.
#[test]
fn a_service_that_asks_nobody_for_a_role_may_be_invoked() {
    let (world, id) = World::connected();
    let mut open = service("us-central1", "hello");
    open["invokerIamDisabled"] = true.into();
    let findings = of_function(&world, &id, [not_found("hello"), json_answer(200, &open)]);
    assert_eq!(find(&findings, "may-invoke").verdict, Pass);
    assert!(!world.urls().iter().any(|url| url.contains("testIamPermissions")));
    // What the connection may not do, it may not do there either.
    let rails = GuardRails { functions: vec!["other".to_owned()], ..GuardRails::default() };
    connections::restrict(&world, &id, Some(rails)).unwrap();
    let findings = of_function(&world, &id, [not_found("hello"), json_answer(200, &open)]);
    assert_eq!(find(&findings, "may-invoke").verdict, Fail);
}

/// The same of the service behind a 2nd gen function, about which Cloud Functions says nothing. Who may not see the service
/// learns what a role would mend.
#[test_case(json_answer(200, &json!({"invokerIamDisabled": true})), Pass; "open to all")]
#[test_case(nothing(), Fail; "as every service is at first")]
#[test_case(denied("run.services.get"), Fail; "not to be seen")]
#[test_case(not_found("hello"), Fail; "not there")]
fn a_2nd_gen_function_is_as_open_as_its_service(service: Answer, verdict: Verdict) {
    let (world, id) = World::connected();
    let function = json_answer(200, &gen2("us-central1", "hello"));
    for answer in [nothing(), nothing(), function, nothing(), service] {
        world.then(answer);
    }
    let findings = block_on(connections::check(&world, &id, hello(), None)).unwrap();
    assert_eq!(find(&findings, "may-invoke").verdict, verdict);
    assert_eq!(
        world.urls()[4],
        "https://run.googleapis.com/v2/projects/demo-project/locations/us-central1/services/hello"
    );
    assert_eq!(find(&findings, "may-invoke").fix.is_some(), verdict == Fail);
}

/// run v2 discovery document, revision 20261031: `defaultUriDisabled` leaves `uri` out.
#[test]
fn a_service_without_its_default_url_says_how_it_is_switched_on() {
    let (world, id) = World::connected();
    let mut off = service("us-central1", "hello");
    off["defaultUriDisabled"] = true.into();
    off.as_object_mut().unwrap().remove("uri");
    let findings =
        of_function(&world, &id, [not_found("hello"), json_answer(200, &off), may("run.routes.invoke")]);
    let http = find(&findings, "http");
    assert_eq!((http.verdict, find(&findings, "active").verdict), (Fail, Pass));
    let fix = http.fix.as_deref().unwrap();
    assert!(
        fix.contains(
            "gcloud run services update hello --default-url --region=us-central1 --project=demo-project"
        ),
        "{fix}"
    );
}

#[test_case(gen1("us-central1", "hello"), "cloudfunctions.functions.invoke"; "1st gen")]
#[test_case(gen2("us-central1", "hello"), "run.routes.invoke"; "2nd gen")]
fn a_function_that_may_be_invoked(function: Value, permission: &str) {
    let (world, id) = World::connected();
    let findings = of_function(&world, &id, [json_answer(200, &function), may(permission)]);
    assert_eq!(
        verdicts(&findings),
        [("exists", Pass), ("http", Pass), ("active", Pass), ("may-invoke", Pass)]
    );
    assert_eq!(findings[3].message, format!("{ROBOT} may invoke it ({permission})"));
}

#[test_case(gen1("us-central1", "hello"), "roles/cloudfunctions.invoker",
    "gcloud functions add-iam-policy-binding hello --region=us-central1 --project=demo-project"; "1st gen")]
#[test_case(gen2("us-central1", "hello"), "roles/run.invoker",
    "gcloud run services add-iam-policy-binding hello --region=us-central1 --project=demo-project"; "2nd gen")]
fn a_function_that_may_not_be_invoked_says_what_its_generation_needs(
    function: Value,
    role: &str,
    command: &str,
) {
    let (world, id) = World::connected();
    let is_of_run = function["environment"] == "GEN_2";
    let answers = [json_answer(200, &function), nothing()].into_iter().chain(is_of_run.then(nothing));
    let findings = of_function(&world, &id, answers);
    assert_eq!(findings[3].verdict, Fail);
    let fix = findings[3].fix.as_deref().unwrap();
    assert!(fix.contains(&format!("{command} --member=serviceAccount:{ROBOT} --role={role}")), "{fix}");
}

#[test]
fn for_a_user_the_invoker_is_asked_about() {
    let (world, id) = World::of_user();
    let answers = [
        json_answer(200, &gen2("us-central1", "hello")),
        impersonated(canaries::TARGET),
        may("run.routes.invoke"),
    ];
    let findings = of_function(&world, &id, answers);
    assert_eq!(findings[3].message, format!("{APPSPOT} may invoke it (run.routes.invoke)"));
}

#[test]
fn who_may_mint_id_tokens_only_cannot_tell() {
    let (world, id) = World::of_user();
    let answers =
        [json_answer(200, &gen2("us-central1", "hello")), denied("iam.serviceAccounts.getAccessToken")];
    let findings = of_function(&world, &id, answers);
    assert_eq!(findings[3].verdict, Unknown);
    let fix = findings[3].fix.as_deref().unwrap();
    assert!(fix.contains(&format!("--member=serviceAccount:{APPSPOT} --role=roles/run.invoker")), "{fix}");
}

#[test]
fn the_question_goes_to_the_generations_own_api() {
    let asked = |function: Value| {
        let (world, id) = World::connected();
        world.then(nothing());
        world.then(nothing());
        world.then(json_answer(200, &function));
        world.then(may("run.routes.invoke"));
        block_on(connections::check(&world, &id, hello(), None)).unwrap();
        (world.urls()[3].clone(), world.json(3)["permissions"][0].as_str().unwrap().to_owned())
    };
    assert_eq!(
        asked(gen1("us-central1", "hello")),
        ("https://cloudfunctions.googleapis.com/v1/projects/demo-project/locations/us-central1/functions/hello:testIamPermissions".to_owned(),
            "cloudfunctions.functions.invoke".to_owned())
    );
    assert_eq!(
        asked(gen2("us-central1", "hello")),
        ("https://run.googleapis.com/v2/projects/demo-project/locations/us-central1/services/hello:testIamPermissions".to_owned(),
            "run.routes.invoke".to_owned())
    );
}

#[test]
fn a_function_that_is_not_there() {
    let (world, id) = World::connected();
    let gone = || not_found("Resource 'hello' was not found");
    let findings = of_function(&world, &id, [gone(), gone()]);
    assert_eq!(
        verdicts(&findings),
        [("exists", Fail), ("http", Unknown), ("active", Unknown), ("may-invoke", Unknown)]
    );
}

/// Whatever Google says.
#[test]
fn a_function_that_guard_rails_forbid() {
    let (world, id) = World::connected();
    let rails = GuardRails { functions: vec!["other".to_owned()], ..GuardRails::default() };
    connections::restrict(&world, &id, Some(rails)).unwrap();
    world.begin_anew();
    let findings = of_function(&world, &id, [json_answer(200, &gen2("us-central1", "hello"))]);
    assert_eq!(
        verdicts(&findings),
        [("exists", Pass), ("http", Pass), ("active", Pass), ("may-invoke", Fail)]
    );
    assert!(find(&findings, "may-invoke").message.contains("guard rails"), "{findings:?}");
}

#[test]
fn a_function_of_cloud_run() {
    let (world, id) = World::connected();
    let gone = not_found("Resource 'hello' was not found");
    let found = json_answer(200, &service("us-central1", "hello"));
    let findings = of_function(&world, &id, [gone, found, may("run.routes.invoke")]);
    assert_eq!(
        verdicts(&findings),
        [("exists", Pass), ("http", Pass), ("active", Pass), ("may-invoke", Pass)]
    );
    assert!(findings[0].message.contains("/services/hello is there"), "{:?}", findings[0]);
    assert!(findings[3].message.contains("run.routes.invoke"), "{:?}", findings[3]);
}

#[test]
fn a_function_that_is_started_by_events() {
    let (world, id) = World::connected();
    let mut function = gen2("us-central1", "hello");
    function["eventTrigger"] = json!({"eventType": "google.cloud.storage.object.v1.finalized"});
    let findings = of_function(&world, &id, [json_answer(200, &function), may("run.routes.invoke")]);
    assert_eq!((findings[1].name, findings[1].verdict), ("http", Fail));
    assert!(findings[1].message.contains("google.cloud.storage.object.v1.finalized"));
}

#[test]
fn a_function_that_is_not_active_and_has_no_url() {
    let (world, id) = World::connected();
    let mut function = gen1("us-central1", "hello");
    function["state"] = json!("FAILED");
    function["url"] = Value::Null;
    let findings =
        of_function(&world, &id, [json_answer(200, &function), may("cloudfunctions.functions.invoke")]);
    assert_eq!(
        verdicts(&findings),
        [("exists", Pass), ("http", Fail), ("active", Fail), ("may-invoke", Pass)]
    );
    assert!(findings[2].message.contains("FAILED"));
}

/// Google passes on of a function what may be anybody's word.
#[test]
fn a_finding_is_one_line_in_which_everything_is_seen() {
    let (world, id) = World::connected();
    world.damaged();
    let mut function = gen2("us-central1", "hello");
    function["state"] = json!("ACTIVE\u{202e}\npass        forged");
    function["eventTrigger"] = json!({"eventType": "a\u{200b}\u{2028}b"});
    let findings = of_function(&world, &id, [json_answer(200, &function), may("run.routes.invoke")]);
    assert!(findings[1].message.contains("(a b)"), "{:?}", findings[1]);
    assert_eq!(findings[2].message, "it is ACTIVE pass forged");
}

#[test]
fn a_function_by_its_url_cannot_be_looked_up() {
    let (world, id) = World::connected();
    let url = FunctionRef::Url("https://hello-abc123-uc.a.run.app".to_owned());
    let error = block_on(connections::check(&world, &id, Some(url), None)).unwrap_err();
    assert_eq!((error.kind(), world.urls().len()), (Kind::InvalidInput, 0));
}
