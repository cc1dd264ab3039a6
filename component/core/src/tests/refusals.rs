//! Refusals that come with a status of success: whoever grants nothing has refused, at every endpoint that tokens are
//! asked of.

use serde_json::json;
use test_case::{test_case, test_matrix};

use super::invoke::request as request_of;
use super::{detail, one_request};
use crate::{
    actions::{
        connections::{self, disconnect},
        functions::{invoke::invoke, list::list},
    },
    base::error::{Error, Kind},
    google::which::FunctionRef,
    testing::{Answer, World, block_on, canaries, connect, connect_request, json_answer, json_request},
};

fn refusal(status: u16, code: &str, description: &str) -> Answer {
    // With what a grant has, besides: it grants nothing all the same.
    json_answer(
        status,
        &json!({"error": code, "error_description": description, "access_token": canaries::FIRST, "token_type": "Bearer", "expires_in": 3599}),
    )
}

fn listed(world: &World, id: &str) -> Error {
    block_on(list(world, id, one_request(), None)).unwrap_err()
}

fn cause(error: &Error) -> (Kind, Option<&str>, Option<&str>) {
    (error.kind(), error.fields().reason.as_deref(), detail(error, "cause"))
}

#[track_caller]
fn assert_clean(error: &Error) {
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
}

/// Google writes 400; a server that says 200 for everything means the same.
#[test_matrix([200, 201, 202, 299, 400])]
fn a_refresh_token_that_is_refused_is_dead_under_any_status(status: u16) {
    let (world, id) = World::of_user();
    world.damaged();
    world.at(4000);
    world.then(refusal(status, "invalid_grant", "Token has been expired or revoked."));
    let error = listed(&world, &id);
    assert_eq!(cause(&error), (Kind::ReconnectRequired, Some("invalid_grant"), Some("revoked")));
    assert_clean(&error);
    assert!(error.to_string().contains("signs in again"), "{error}");
    assert_eq!(world.urls().len(), 1);
    // It is known from then on, and nobody asks again.
    assert_eq!(listed(&world, &id).kind(), Kind::ReconnectRequired);
    assert_eq!(world.urls().len(), 1);
}

#[test_matrix([200, 203, 400])]
fn an_assertion_that_is_refused_is_no_grant_under_any_status(status: u16) {
    let world = World::new();
    world.damaged();
    world.then(refusal(status, "invalid_grant", "Invalid JWT Signature."));
    let error = connect(&world, connect_request()).unwrap_err();
    assert_eq!(cause(&error), (Kind::CredentialRejected, Some("invalid_grant"), Some("key-unknown")));
    assert_clean(&error);
    assert!(world.secrets.borrow().is_empty(), "{:?}", world.keys(""));

    let (world, id) = World::connected();
    world.damaged();
    world.at(7200);
    world.then(refusal(status, "invalid_scope", ""));
    let error = listed(&world, &id);
    assert_eq!(error.fields().reason.as_deref(), Some("invalid_scope"));
    assert_ne!(error.kind(), Kind::InvalidResponse);
}

#[test_matrix([200, 206, 400])]
fn a_subject_token_that_is_refused_is_no_grant_under_any_status(status: u16) {
    let json = json!({
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/pool/providers/ci",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.googleapis.com/v1/token",
    });
    let world = World::new();
    world.damaged();
    world.set("supplied/subject-token", canaries::SUBJECT);
    world.then(refusal(
        status,
        "invalid_grant",
        "The given credential is rejected by the attribute condition.",
    ));
    let mut request = json_request(&json);
    request.project = Some("demo-project".to_owned());
    let error = connect(&world, request).unwrap_err();
    assert_eq!(error.fields().reason.as_deref(), Some("invalid_grant"));
    assert_ne!(error.kind(), Kind::InvalidResponse, "{error}");
    assert!(error.to_string().contains("attribute condition"), "{error}");
    assert_clean(&error);
}

fn invoked(world: &World, id: &str) -> Error {
    let request = request_of(FunctionRef::Url("https://hello-abc123-uc.a.run.app".to_owned()));
    block_on(invoke(world, id, request, None)).unwrap_err()
}

#[test_matrix([200, 201])]
fn a_token_that_is_not_minted_is_no_grant_under_any_status(status: u16) {
    let (world, id) = World::of_user();
    world.damaged();
    world.then(refusal(status, "invalid_grant", "Token has been expired or revoked."));
    let error = invoked(&world, &id);
    assert_eq!(cause(&error), (Kind::ReconnectRequired, Some("invalid_grant"), Some("revoked")));
    assert!(error.to_string().contains("IAM Credentials API"), "{error}");
    assert_eq!(world.urls().len(), 1, "the function is not called");

    // In the words of Google's APIs too.
    let (world, id) = World::of_user();
    world.damaged();
    let denied = json!({"error": {"code": 403, "status": "PERMISSION_DENIED",
        "message": "Permission 'iam.serviceAccounts.getOpenIdToken' denied on resource (or it may not exist)."}});
    world.then(json_answer(status, &denied));
    let error = invoked(&world, &id);
    assert_eq!(
        (error.kind(), detail(&error, "role")),
        (Kind::MissingRole, Some("roles/iam.serviceAccountOpenIdTokenCreator"))
    );
    assert_eq!(world.urls().len(), 1);
}

#[test_case(200, "invalid_token", true; "no token any more")]
#[test_case(200, "invalid_grant", true; "no grant any more")]
#[test_case(400, "invalid_token", true; "as google says it")]
#[test_case(200, "invalid_request", false; "not understood")]
#[test_case(200, "unsupported_token_type", false; "not revoked")]
#[test_case(200, "server_error", false; "a fault")]
#[test_case(400, "unsupported_token_type", false; "not revoked as the standard says it")]
fn a_revocation_that_is_refused_is_told_under_any_status(status: u16, code: &str, gone: bool) {
    let (world, id) = World::of_user();
    world.damaged();
    world.then(json_answer(status, &json!({"error": code})));
    let warnings = block_on(disconnect(&world, &id, None)).unwrap();
    assert_eq!(warnings.is_empty(), gone, "{warnings:?}");
    assert!(gone || warnings[0].contains(code), "{warnings:?}");
    assert_eq!(connections::get(&world, &id).unwrap_err().kind(), Kind::ConnectionNotFound);
}

/// An answer that only looks like it is read as before.
#[test]
fn a_grant_that_says_no_error_is_one() {
    for nothing in [json!(null), json!(""), json!(false)] {
        let (world, id) = World::connected();
        world.damaged();
        world.at(7200);
        world.then(json_answer(
            200,
            &json!({"error": nothing, "access_token": canaries::SECOND, "token_type": "Bearer", "expires_in": 3599}),
        ));
        world.then(json_answer(200, &json!({})));
        block_on(list(&world, &id, one_request(), None)).unwrap();
    }
    let (world, id) = World::connected();
    world.damaged();
    world.at(7200);
    world.then(json_answer(200, &json!({"access_token": 1})));
    assert_eq!(listed(&world, &id).kind(), Kind::InvalidResponse);
}
