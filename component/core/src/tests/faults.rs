//! A fault that is known is not asked for again by everybody.

use serde_json::json;
use test_case::test_case;

use super::detail;
use crate::{
    actions::{connections, functions::list::list},
    base::error::{Error, Kind},
    testing::{
        Answer, NOW, World, access_token, block_on, canaries, denied, impersonated, invalid_grant,
        json_answer, json_request, nothing, revoked, user_grant, user_json, with_header,
    },
};

fn list_functions(world: &World, id: &str) -> Result<(), Error> {
    block_on(list(world, id, super::one_request(), None)).map(drop)
}

/// Three times a fault: as often as the token endpoint is asked.
fn out_of_order(world: &World) {
    for _ in 0..3 {
        world.then(json_answer(503, &json!({"error": "temporarily_unavailable"})));
    }
}

/// The seconds since [`NOW`], of which sleeping has made some.
fn elapsed(world: &World) -> u64 {
    world.wall.get().as_secs() - NOW
}

#[test]
fn a_dead_grant_is_asked_about_once_and_everybody_hears_the_same() {
    let (world, id) = World::of_user();
    world.at(4000);
    world.then(revoked());
    let first = list_functions(&world, &id).unwrap_err();
    world.at(400_000);
    let later = list_functions(&world, &id).unwrap_err();
    assert_eq!(world.urls().len(), 1);
    let (first, later) = (first.fields(), later.fields());
    assert_eq!((later.kind, later.origin), (Kind::ReconnectRequired, first.origin));
    assert_eq!((&later.message, &later.fix, &later.reason), (&first.message, &first.fix, &first.reason));
    assert!(later.trace.is_empty());
    let later = list_functions(&world, &id).unwrap_err();
    assert_eq!(detail(&later, "cause"), Some("revoked"));
    assert_eq!(detail(&later, "known-since"), Some((NOW + 4000).to_string().as_str()));

    let fault = connections::get(&world, &id).unwrap().fault.unwrap();
    assert_eq!((fault.since, fault.reason.as_deref()), (NOW + 4000, Some("invalid_grant")));
    assert!(fault.fix.unwrap().contains("signs in again"));
}

/// No new credential mends what passes by itself.
#[test]
fn a_fault_that_passes_is_told_no_longer_than_it_is_believed() {
    let (world, id) = World::connected();
    world.at(4000);
    out_of_order(&world);
    assert_eq!(list_functions(&world, &id).unwrap_err().kind(), Kind::Unavailable);
    let told = || connections::get(&world, &id).unwrap().fault.is_some();
    assert!(told());
    world.at(elapsed(&world) + 5);
    assert!(!told());
}

#[test]
fn the_doctor_asks_again() {
    let (world, id) = World::of_user();
    world.at(4000);
    world.then(revoked());
    list_functions(&world, &id).unwrap_err();
    world.then(revoked());
    let findings = block_on(connections::check(&world, &id, None, None)).unwrap();
    assert_eq!((findings[0].name, findings[0].verdict), ("token", connections::Verdict::Fail));
    assert_eq!(world.urls().len(), 2);
    assert!(connections::get(&world, &id).unwrap().fault.is_some(), "and finds it as it was");

    world.then(json_answer(200, &user_grant(canaries::SECOND)));
    for _ in 0..2 {
        world.then(nothing());
    }
    world.then(denied("iam.serviceAccounts.getOpenIdToken"));
    block_on(connections::check(&world, &id, None, None)).unwrap();
    assert_eq!(connections::get(&world, &id).unwrap().fault, None);
    assert_eq!(connections::get(&world, &id).unwrap().last_used, Some(NOW + 4000));
}

#[test]
fn a_passing_fault_is_believed_for_five_seconds() {
    let (world, id) = World::connected();
    world.at(4000);
    out_of_order(&world);
    assert_eq!(list_functions(&world, &id).unwrap_err().kind(), Kind::Unavailable);
    let failed = elapsed(&world);
    world.at(failed + 4);
    let error = list_functions(&world, &id).unwrap_err();
    assert_eq!((error.kind(), error.fields().retry_after_ms), (Kind::Unavailable, Some(1000)));
    assert_eq!(world.urls().len(), 3);
    world.at(failed + 5);
    world.then(access_token(canaries::SECOND));
    world.then(nothing());
    list_functions(&world, &id).unwrap();
    assert_eq!(connections::get(&world, &id).unwrap().fault, None, "what works is no fault any more");
}

#[test]
fn what_google_asks_for_counts_for_everybody() {
    let (world, id) = World::connected();
    world.at(4000);
    world.then(with_header(json_answer(429, &json!({})), "retry-after", "60"));
    let error = list_functions(&world, &id).unwrap_err();
    assert_eq!((error.kind(), error.fields().retry_after_ms), (Kind::RateLimited, Some(60_000)));
    world.at(4059);
    assert_eq!(list_functions(&world, &id).unwrap_err().fields().retry_after_ms, Some(1000));
    assert_eq!(world.urls().len(), 1);
}

#[test]
fn a_clock_that_was_set_back_ends_what_was_believed() {
    let (world, id) = World::connected();
    world.at(400_000);
    out_of_order(&world);
    list_functions(&world, &id).unwrap_err();
    world.at(4000);
    world.then(access_token(canaries::SECOND));
    world.then(nothing());
    list_functions(&world, &id).unwrap();
}

#[test]
fn a_refused_key_is_believed_for_five_seconds() {
    let (world, id) = World::connected();
    world.at(4000);
    world.then(invalid_grant("Invalid JWT Signature."));
    assert_eq!(list_functions(&world, &id).unwrap_err().kind(), Kind::CredentialRejected);
    world.at(4004);
    let error = list_functions(&world, &id).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "cause")), (Kind::CredentialRejected, Some("key-unknown")));
    assert_eq!(world.urls().len(), 1);
    world.at(4005);
    world.then(access_token(canaries::SECOND));
    world.then(nothing());
    list_functions(&world, &id).unwrap();
}

#[test]
fn a_missing_role_is_never_believed() {
    let json = json!({
        "type": "impersonated_service_account", "source_credentials": user_json(),
        "service_account_impersonation_url": "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@target-project.iam.gserviceaccount.com:generateAccessToken",
    });
    let answers = [json_answer(200, &user_grant(canaries::FIRST)), impersonated(canaries::PROOF)];
    let (world, id) = World::connected_with(json_request(&json), answers);
    for _ in 0..2 {
        world.then(denied("iam.serviceAccounts.getAccessToken"));
        assert_eq!(list_functions(&world, &id).unwrap_err().kind(), Kind::MissingRole);
    }
    assert_eq!(world.urls().len(), 2);
    assert_eq!(connections::get(&world, &id).unwrap().fault, None);
}

#[test_case(3588, None; "eleven seconds before its end")]
#[test_case(3589, Some(Kind::Unavailable); "ten seconds before its end")]
fn the_old_token_outlives_a_passing_fault(seconds: u64, kind: Option<Kind>) {
    let (world, id) = World::connected();
    world.at(3500);
    out_of_order(&world);
    world.then(nothing());
    list_functions(&world, &id).unwrap();
    // The fault is known, so the token endpoint is left alone.
    world.at(3504);
    world.then(nothing());
    list_functions(&world, &id).unwrap();
    assert_eq!(world.urls().len(), 5);

    world.at(seconds - 3);
    world.set(
        &format!("status/{id}"),
        json!({"fault": {
            "kind": "unavailable", "message": "a fault", "since": NOW + 3500, "until": NOW + 3600,
            "about": world.keys("tokens/")[0],
        }})
        .to_string(),
    );
    world.at(seconds);
    if kind.is_none() {
        world.then(nothing());
    }
    assert_eq!(list_functions(&world, &id).map_err(|error| error.kind()).err(), kind);
}

#[test]
fn a_dead_grant_is_not_outlived_by_its_token() {
    let (world, id) = World::of_user();
    world.at(3500);
    world.then(revoked());
    assert_eq!(list_functions(&world, &id).unwrap_err().kind(), Kind::ReconnectRequired);
    assert_eq!(world.urls().len(), 1);
}

#[test_case(json_answer(401, &json!({"error": "invalid_client"})), Kind::ClientConfig, 5; "a client that is gone")]
#[test_case(invalid_grant("Invalid JWT: iat and exp are wrong"), Kind::ReconnectRequired, u64::MAX; "words that are a key's")]
fn every_kind_has_its_time(answer: Answer, kind: Kind, believed: u64) {
    let (world, id) = World::of_user();
    world.at(4000);
    world.then(answer);
    assert_eq!(list_functions(&world, &id).unwrap_err().kind(), kind);
    world.at(4000 + believed.min(100_000) - 1);
    assert_eq!(list_functions(&world, &id).unwrap_err().kind(), kind);
    assert_eq!(world.urls().len(), 1);
}

/// "Robot is disabled.": googleapis/google-api-ruby-client#720. The others are in the table of refusals, and each can be
/// undone at Google: an account, a key or a client is enabled, or restored.
#[test_case(400, "invalid_grant", "Robot is disabled."; "an account that is disabled")]
#[test_case(400, "invalid_grant", "Invalid JWT Signature."; "a key that is disabled")]
#[test_case(400, "invalid_grant", "Invalid grant: account not found"; "an account that was deleted")]
#[test_case(401, "unauthorized_client", "Client is unauthorized to retrieve access tokens"; "a policy")]
#[test_case(403, "disabled_client", "The OAuth client was disabled."; "a client that is disabled")]
fn what_is_undone_at_google_works_within_seconds(status: u16, code: &str, words: &str) {
    let (world, id) = World::connected();
    world.at(4000);
    world.then(json_answer(status, &json!({"error": code, "error_description": words})));
    let error = list_functions(&world, &id).unwrap_err();
    let fix = error.fields().fix.clone().unwrap();
    assert!(!fix.starts_with("connect again"), "{fix}");
    assert!(list_functions(&world, &id).is_err());
    assert_eq!(world.urls().len(), 1, "those who come at the same time do not all ask");
    world.at(4006);
    world.then(access_token(canaries::SECOND));
    world.then(nothing());
    list_functions(&world, &id).unwrap();
}

#[test]
fn a_disabled_service_account_is_no_dead_key() {
    let (world, id) = World::connected();
    world.at(4000);
    world.then(invalid_grant("Robot is disabled."));
    let error = list_functions(&world, &id).unwrap_err();
    assert_eq!(
        (error.kind(), super::detail(&error, "cause")),
        (Kind::CredentialRejected, Some("account-disabled"))
    );
    let fix = error.fields().fix.clone().unwrap();
    assert!(
        fix.contains("enables it") && fix.contains("key stays good") && !fix.contains("new key"),
        "{fix}"
    );
}

/// <https://support.google.com/a/answer/1397578>
#[test]
fn a_person_who_was_restored_works_within_seconds() {
    let (world, id) = World::of_user();
    world.at(4000);
    world.then(invalid_grant("Account has been deleted"));
    assert!(list_functions(&world, &id).is_err());
    world.at(4006);
    world.then(json_answer(200, &crate::testing::user_grant(canaries::SECOND)));
    world.then(nothing());
    list_functions(&world, &id).unwrap();
}

#[test]
fn a_status_that_cannot_be_read_or_written_stops_nobody() {
    let (world, id) = World::connected();
    world.set(&format!("status/{id}"), "not JSON");
    world.then(nothing());
    list_functions(&world, &id).unwrap();
    world.fail(crate::testing::Op::Put, "status/", crate::base::ports::StoreError::ReadOnly);
    world.fail(crate::testing::Op::Get, "status/", crate::base::ports::StoreError::Failed("gone".to_owned()));
    world.at(4000);
    world.then(access_token(canaries::SECOND));
    world.then(nothing());
    list_functions(&world, &id).unwrap();
    assert_eq!(connections::get(&world, &id).unwrap().last_used, None);
}
