//! Every kind of credential, from its JSON to a request with its token.

use serde_json::{Value, json};
use test_case::test_case;

use super::detail;
use crate::{
    actions::{
        connections::{self, ConnectRequest, CredentialKind, CredentialRequest},
        functions::list::list,
    },
    base::{
        error::{Error, Kind},
        http::TokenKind,
    },
    sign_in::{identity::Given, invoker::InvokerRequest},
    testing::{
        ALL_SCOPES, Answer, CLIENT_ID, DEMO_KEY, ROBOT, USER, World, access_token, block_on, canaries,
        connect, denied, google_json, impersonated, json_answer, json_request, nothing, request_for,
        unauthenticated, user_grant, user_json,
    },
};

const TARGET: &str = "deployer@target-project.iam.gserviceaccount.com";

const TARGET_URL: &str = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/deployer@target-project.iam.gserviceaccount.com:generateAccessToken";

const POOL: &str =
    "//iam.googleapis.com/projects/1234/locations/global/workloadIdentityPools/ci/providers/github";

const SUBJECT: &str = "supplied/subject-token";

fn key_json() -> Value {
    serde_json::from_str(DEMO_KEY).unwrap()
}

fn impersonated_json(source: Value) -> Value {
    json!({
        "type": "impersonated_service_account",
        "service_account_impersonation_url": TARGET_URL,
        "delegates": ["projects/-/serviceAccounts/hop@target-project.iam.gserviceaccount.com"],
        "source_credentials": source,
    })
}

fn external_json() -> Value {
    json!({
        "type": "external_account",
        "audience": POOL,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.googleapis.com/v1/token",
        "service_account_impersonation_url": TARGET_URL,
    })
}

fn sts(token: &str) -> Answer {
    json_answer(
        200,
        &json!({"access_token": token, "expires_in": 3599, "token_type": "Bearer",
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token"}),
    )
}

fn list_functions(world: &World, id: &str) -> Result<(), Error> {
    block_on(list(world, id, super::one_request(), None)).map(drop)
}

#[test]
fn a_users_json_says_who_it_is_once_google_has_answered() {
    let (world, id) = World::of_user();
    let connection = connections::get(&world, &id).unwrap();
    assert_eq!((connection.kind, connection.account.as_str()), (CredentialKind::AuthorizedUser, USER));
    assert_eq!(connection.project, "demo-project", "the quota project");
    assert_eq!(connection.scopes.join(" "), ALL_SCOPES);
    assert_eq!(
        connection.invoker,
        InvokerRequest::ServiceAccount { service_account: None, delegates: vec![], include_email: true }
    );
    world.at(4000);
    world.then(json_answer(200, &user_grant(canaries::SECOND)));
    world.then(nothing());
    list_functions(&world, &id).unwrap();
    let form = world.form(0);
    let form: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        form,
        [
            ("grant_type", "refresh_token"),
            ("refresh_token", canaries::REFRESH_FIRST),
            ("client_id", CLIENT_ID),
            ("client_secret", canaries::CLIENT_SECRET)
        ]
    );
    assert_eq!(world.bearer(1).as_deref(), Some(canaries::SECOND));
}

#[test]
fn a_user_without_an_address_is_named_after_the_client() {
    let world = World::new().answer(access_token(canaries::FIRST));
    let (connection, _) = connect(&world, json_request(&user_json())).unwrap();
    assert_eq!(connection.account, format!("a user of the client {CLIENT_ID}"));
}

#[test_case(key_json(), access_token(canaries::SOURCE), ROBOT; "from a key")]
#[test_case(user_json(), json_answer(200, &user_grant(canaries::SOURCE)), USER; "from a user")]
fn a_service_account_is_impersonated(source: Value, first: Answer, account: &str) {
    let request = json_request(&impersonated_json(source));
    let (world, id) = World::connected_with(request, [first, impersonated(canaries::PROOF)]);
    let connection = connections::get(&world, &id).unwrap();
    assert_eq!(connection.kind, CredentialKind::ImpersonatedServiceAccount);
    assert_eq!((connection.account.as_str(), connection.through.as_deref()), (TARGET, Some(account)));
    assert_eq!(connection.invoker, InvokerRequest::Own);
    world.then(impersonated(canaries::TARGET));
    for _ in 0..2 {
        world.then(nothing());
        list_functions(&world, &id).unwrap();
    }
    assert_eq!(world.urls()[0], TARGET_URL);
    assert_eq!(world.bearer(0).as_deref(), Some(canaries::SOURCE), "cached when the connection was made");
    assert_eq!(
        world.json(0),
        json!({"scope": ["https://www.googleapis.com/auth/cloud-platform"],
            "delegates": ["projects/-/serviceAccounts/hop@target-project.iam.gserviceaccount.com"]})
    );
    let bearers: Vec<_> = (1..3).map(|request| world.bearer(request).unwrap()).collect();
    assert_eq!(bearers, [canaries::TARGET, canaries::TARGET], "minted once");
}

#[test]
fn an_impersonation_that_is_not_allowed_keeps_nothing_and_names_the_role() {
    let world = World::new().answer(access_token(canaries::FIRST));
    world.then(denied("iam.serviceAccounts.getAccessToken"));
    let error = connect(&world, json_request(&impersonated_json(key_json()))).unwrap_err();
    assert_eq!(error.kind(), Kind::MissingRole);
    assert_eq!(detail(&error, "role"), Some("roles/iam.serviceAccountTokenCreator"));
    assert_eq!(detail(&error, "member"), Some(format!("serviceAccount:{ROBOT}").as_str()));
    assert!(
        error.to_string().contains(&format!("gcloud iam service-accounts add-iam-policy-binding {TARGET}"))
    );
    assert!(world.secrets.borrow().is_empty());
}

#[test]
fn a_source_token_that_iam_does_not_accept_is_renewed_once() {
    let request = json_request(&impersonated_json(user_json()));
    let (world, id) = World::connected_with(
        request,
        [json_answer(200, &user_grant(canaries::FIRST)), impersonated(canaries::PROOF)],
    );
    world.then(unauthenticated());
    world.then(json_answer(200, &user_grant(canaries::SECOND)));
    world.then(impersonated(canaries::TARGET));
    world.then(nothing());
    list_functions(&world, &id).unwrap();
    assert_eq!(
        (world.bearer(0).as_deref(), world.bearer(2).as_deref()),
        (Some(canaries::FIRST), Some(canaries::SECOND))
    );
}

#[test]
fn another_providers_token_is_exchanged_and_leads_to_a_service_account() {
    let world = World::new();
    world.set(SUBJECT, format!("{}\n", canaries::SUBJECT));
    world.then(sts(canaries::FEDERATED));
    world.then(impersonated(canaries::PROOF));
    let (connection, _) = connect(&world, json_request(&external_json())).unwrap();
    assert_eq!(connection.kind, CredentialKind::ExternalAccount);
    assert_eq!(connection.account, TARGET);
    assert_eq!(connection.through.as_deref(), Some("ci/providers/github"));
    assert_eq!(connection.project, "target-project", "the service account's own");
    let form = world.form(0);
    let form: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        form,
        [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("audience", POOL),
            ("scope", "https://www.googleapis.com/auth/cloud-platform"),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("subject_token", canaries::SUBJECT),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        ]
    );
    let sent = world.sent.borrow();
    assert_eq!(
        (sent[0].url().as_str(), sent[0].token()),
        ("https://sts.googleapis.com/v1/token", TokenKind::Grant)
    );
    assert!(sent[0].bearer().is_none(), "the service refuses an Authorization");
    assert_eq!(sent[1].url(), TARGET_URL);
    assert_eq!(sent[1].bearer().unwrap().reveal(), canaries::FEDERATED);
    drop(sent);
    assert!(!world.entry(&format!("credentials/{}", connection.id)).to_string().contains(canaries::SUBJECT));
}

#[test]
fn another_providers_token_can_be_enough_by_itself() {
    let mut json = external_json();
    json["service_account_impersonation_url"] = Value::Null;
    let mut request = json_request(&json);
    request.project = Some("demo-project".to_owned());
    request.subject_token = Some("supplied/github".to_owned());
    let world = World::new();
    world.set("supplied/github", canaries::SUBJECT);
    // Without a life, the token is used once.
    world.then(json_answer(200, &json!({"access_token": canaries::FIRST, "token_type": "Bearer"})));
    let (connection, _) = connect(&world, request).unwrap();
    assert_eq!(connection.account, "ci/providers/github");
    world.begin_anew();
    world.set("supplied/github", canaries::SUBJECT_ANEW);
    for token in [canaries::SECOND, canaries::THIRD] {
        world.then(json_answer(200, &json!({"access_token": token, "token_type": "Bearer"})));
        world.then(nothing());
        list_functions(&world, &connection.id).unwrap();
    }
    assert_eq!(world.bearer(1).as_deref(), Some(canaries::SECOND));
    assert_eq!(world.bearer(3).as_deref(), Some(canaries::THIRD));
    assert_eq!(world.form(0)[4].1, canaries::SUBJECT_ANEW, "the host has renewed it");
}

#[test_case(None; "which is not there")]
#[test_case(Some(""); "which is empty")]
#[test_case(Some("a b"); "which is no token")]
fn a_subject_token_that_cannot_be_used_is_the_hosts_to_mend(value: Option<&str>) {
    let world = World::new();
    if let Some(value) = value {
        world.set(SUBJECT, value);
    }
    let error = connect(&world, json_request(&external_json())).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidCredential);
    assert!(error.to_string().contains(SUBJECT) && error.to_string().contains("whoever runs the host"));
    assert!(world.urls().is_empty());
}

fn supplied() -> ConnectRequest {
    let mut request = request_for(CredentialRequest::SuppliedToken {
        key: "supplied/access".to_owned(),
        account: Some(USER.to_owned()),
    });
    request.project = Some("demo-project".to_owned());
    request
}

#[test]
fn a_token_that_the_host_supplies_is_used_as_it_stands_and_never_copied() {
    let world = World::new();
    world.set("supplied/access", format!("{}\n", canaries::SUPPLIED));
    let (connection, _) = connect(&world, supplied()).unwrap();
    assert_eq!((connection.kind, connection.last_used), (CredentialKind::SuppliedToken, None));
    assert!(world.urls().is_empty());
    world.then(nothing());
    list_functions(&world, &connection.id).unwrap();
    world.set("supplied/access", canaries::SUPPLIED_ANEW);
    world.then(nothing());
    list_functions(&world, &connection.id).unwrap();
    assert_eq!(
        (world.bearer(0).as_deref(), world.bearer(1).as_deref()),
        (Some(canaries::SUPPLIED), Some(canaries::SUPPLIED_ANEW))
    );
    let copies = world
        .secrets
        .borrow()
        .iter()
        .filter(|(key, value)| !key.starts_with("supplied/") && value.contains("canary"))
        .count();
    assert_eq!(copies, 0);
}

#[test]
fn a_401_is_tried_again_only_if_the_host_has_renewed_the_token() {
    let world = World::new();
    world.set("supplied/access", canaries::SUPPLIED);
    let (connection, _) = connect(&world, supplied()).unwrap();
    world.after(|world| world.set("supplied/access", canaries::SUPPLIED_ANEW), unauthenticated());
    world.then(nothing());
    list_functions(&world, &connection.id).unwrap();
    assert_eq!(world.bearer(1).as_deref(), Some(canaries::SUPPLIED_ANEW));
    world.begin_anew();
    world.then(unauthenticated());
    assert_eq!(list_functions(&world, &connection.id).unwrap_err().kind(), Kind::Unauthenticated);
    assert_eq!(world.urls().len(), 1);
}

#[test]
fn a_supplied_token_that_is_not_there_keeps_nothing() {
    let world = World::new();
    let error = connect(&world, supplied()).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidCredential);
    assert!(error.to_string().contains("supplied/access"));
    assert!(world.secrets.borrow().is_empty() && world.urls().is_empty());
}

/// Texts that `jq`, `echo`, a vault or a sign-in page leave in place of a token.
#[test_case("null", "a word"; "nothing in jq")]
#[test_case("undefined\n", "a word"; "nothing in JavaScript")]
#[test_case("None", "a word"; "nothing in Python")]
#[test_case(&json!({"count": 1, "value": canaries::SUBJECT}).to_string(), "JSON"; "an answer of GitHub")]
#[test_case(&format!("\u{feff}{}", json!({"access_token": canaries::FIRST})), "JSON"; "an answer with a mark")]
#[test_case("[\"canary\"]", "JSON"; "a list")]
#[test_case("<!DOCTYPE html><p>canary", "a web page"; "a web page")]
#[test_case(&format!("\"{}\"", canaries::FIRST), "in quotes"; "in quotes")]
#[test_case(&format!("'{}'", canaries::FIRST), "in quotes"; "in quotes of a shell")]
#[test_case(&format!("Bearer {}", canaries::FIRST), "Bearer"; "with its scheme")]
#[test_case(&format!("Authorization: Bearer {}", canaries::FIRST), "Bearer"; "a header")]
#[test_case("-----BEGIN PRIVATE KEY-----\ncanary", "a key"; "a key")]
#[test_case("https://canary.example/token", "an address"; "an address")]
#[test_case("canary canary", "several words"; "words")]
fn what_is_no_token_is_refused_for_what_it_is(value: &str, words: &str) {
    let world = World::new();
    for (key, request) in [("supplied/access", supplied()), (SUBJECT, json_request(&external_json()))] {
        world.set(key, value);
        let error = connect(&world, request).unwrap_err();
        assert_eq!((error.kind(), detail(&error, "field")), (Kind::InvalidCredential, Some("supplied")));
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(words) && shown.contains(key) && !shown.contains("canary"), "{shown}");
    }
    assert!(world.urls().is_empty());
}

#[test_case("ya29.a0Af_B-y~x/+="; "of Google")]
#[test_case(&format!("\u{feff}\r\n{}\r\n", canaries::SUPPLIED); "with a mark and line breaks")]
#[test_case("[redacted:access-token:1]"; "the place of one on a tape")]
fn what_is_a_token_is_taken(value: &str) {
    let world = World::new();
    world.set("supplied/access", value);
    connect(&world, supplied()).unwrap();
}

#[test]
fn a_token_that_the_host_injects_is_not_known_here() {
    let mut request = request_for(CredentialRequest::InjectedToken(None));
    request.project = Some("demo-project".to_owned());
    let (world, id) = World::connected_with(request, []);
    let connection = connections::get(&world, &id).unwrap();
    assert_eq!(
        (connection.kind, connection.account.as_str()),
        (CredentialKind::InjectedToken, "the host's own")
    );
    assert_eq!(connection.last_used, None);
    world.then(nothing());
    list_functions(&world, &id).unwrap();
    world.then(unauthenticated());
    assert_eq!(list_functions(&world, &id).unwrap_err().kind(), Kind::Unauthenticated);
    let sent: Vec<_> = world.sent.borrow().iter().map(|r| (r.token(), r.bearer().is_some())).collect();
    assert_eq!(
        sent,
        [(TokenKind::Injected, false), (TokenKind::Injected, false)],
        "a 401 is not tried again"
    );
}

#[test_case(key_json(), Some("demo-project"); "the key's own")]
#[test_case(impersonated_json(user_json()), Some("demo-project"); "the source's")]
#[test_case(external_json(), Some("target-project"); "that of the service account's address")]
fn the_project_is_where_the_credential_names_it(json: Value, project: Option<&str>) {
    let given = Given::parse(google_json(&json), None).unwrap();
    assert_eq!(given.project.as_ref().map(crate::google::names::ProjectId::as_str), project);
}

#[test]
fn without_a_project_anywhere_it_is_asked_for() {
    let mut json = user_json();
    json["quota_project_id"] = Value::Null;
    let world = World::new();
    let error = connect(&world, json_request(&json)).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "field")), (Kind::InvalidInput, Some("project")));
    assert!(world.urls().is_empty());
}

fn with(mut json: Value, field: &str, value: Value) -> Value {
    json[field] = value;
    json
}

#[test_case(with(user_json(), "token_uri", json!("https://evil.com/token")), "token_uri"; "a token endpoint")]
#[test_case(with(user_json(), "universe_domain", json!("evil.com")), "universe_domain"; "another universe")]
#[test_case(with(user_json(), "client_secret", Value::Null), "client_secret"; "no client secret")]
#[test_case(with(user_json(), "refresh_token", json!(format!("{}\r\nb", canaries::REFRESH_FIRST))), "refresh_token"; "a header in the refresh token")]
#[test_case(with(impersonated_json(user_json()), "service_account_impersonation_url", json!("https://evil.com/x:generateAccessToken")), "service_account_impersonation_url"; "an impersonation elsewhere")]
#[test_case(with(impersonated_json(user_json()), "service_account_impersonation_url", json!("https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@b.iam.gserviceaccount.com/../x:generateAccessToken")), "service_account_impersonation_url"; "a path in an address")]
#[test_case(with(impersonated_json(user_json()), "service_account_impersonation_url", json!("https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@b.iam.gserviceaccount.com:generateIdToken")), "service_account_impersonation_url"; "another method")]
#[test_case(with(impersonated_json(user_json()), "delegates", json!(["https://evil.com/"])), "delegates"; "a URL as a delegate")]
#[test_case(impersonated_json(external_json()), "external_account"; "a kind that cannot be behind another")]
#[test_case(impersonated_json(with(key_json(), "token_uri", json!("https://evil.com/token"))), "token_uri"; "a token endpoint one level down")]
#[test_case(with(external_json(), "token_url", json!("https://evil.com")), "token_url"; "a security token service")]
#[test_case(with(external_json(), "token_url", json!("https://sts.googleapis.com/v1/token?x=1")), "token_url"; "a query on it")]
#[test_case(with(external_json(), "credential_source", json!({"executable": {"command": "/bin/sh -c id"}})), "credential_source"; "a program to run")]
#[test_case(with(external_json(), "credential_source", json!({"url": "http://169.254.169.254/"})), "credential_source"; "a URL to fetch")]
#[test_case(with(external_json(), "credential_source", json!({"file": "/etc/passwd"})), "credential_source"; "a file to read")]
#[test_case(with(external_json(), "credential_source", json!({"environment_id": "aws1"})), "credential_source"; "another cloud's metadata")]
#[test_case(with(external_json(), "audience", json!("//evil.com/projects/1/locations/global/workloadIdentityPools/a/providers/b")), "audience"; "an audience of somebody else")]
#[test_case(with(external_json(), "subject_token_type", json!("urn:ietf:params:aws:token-type:aws4_request")), "subject_token_type"; "a token that would have to be signed")]
#[test_case(with(external_json(), "service_account_impersonation_url", json!("https://evil.com/")), "service_account_impersonation_url"; "an impersonation elsewhere after an exchange")]
fn hostile_json_is_refused_by_field_and_sends_nothing(json: Value, field: &str) {
    let world = World::new();
    world.set(SUBJECT, canaries::SUBJECT);
    let error = connect(&world, json_request(&json)).unwrap_err();
    assert_eq!(detail(&error, "field").or(detail(&error, "type")), Some(field));
    assert!(matches!(error.kind(), Kind::InvalidCredential | Kind::UnsupportedCredential), "{error}");
    let shown = format!("{error:?} {error}");
    for part in ["evil", "169.254", "passwd", "/bin/sh", "canary", "1//"] {
        assert!(!shown.contains(part), "{shown}");
    }
    assert_eq!(world.log.borrow().len() + world.urls().len(), 0);
}

#[test_case("../keys/x"; "dots")]
#[test_case("tokens/0/0"; "a cached token")]
#[test_case("credentials/0123456789abcdef"; "a credential")]
#[test_case("supplied/"; "no name")]
#[test_case("supplied/A"; "upper case")]
fn a_name_outside_the_hosts_own_is_refused(key: &str) {
    let world = World::new();
    let mut token = supplied();
    token.credential = CredentialRequest::SuppliedToken { key: key.to_owned(), account: None };
    let mut exchange = json_request(&external_json());
    exchange.subject_token = Some(key.to_owned());
    for request in [token, exchange] {
        assert_eq!(connect(&world, request).unwrap_err().kind(), Kind::InvalidCredential);
    }
    assert!(world.log.borrow().is_empty());
}

#[test]
fn a_subject_token_for_another_kind_is_refused() {
    let mut request = json_request(&user_json());
    request.subject_token = Some(SUBJECT.to_owned());
    assert_eq!(connect(&World::new(), request).unwrap_err().kind(), Kind::InvalidCredential);
    let mut request = supplied();
    request.subject_token = Some(SUBJECT.to_owned());
    assert_eq!(connect(&World::new(), request).unwrap_err().kind(), Kind::InvalidInput);
}
