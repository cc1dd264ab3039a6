//! Another credential for a connection that stays the same.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use test_case::test_case;

use super::oauth::{self, Begun};
use crate::{
    actions::{
        connections::{self, Connected, CredentialKind, CredentialRequest},
        functions::list::list,
    },
    base::{
        error::{Kind, Result},
        ports::StoreError,
        secret::Secret,
    },
    sign_in::invoker::InvokerRequest,
    testing::{
        Answer, DEMO_KEY, KID, NOW, Op, ROBOT, USER, World, access_token, block_on, canaries, google_json,
        json_answer, nothing, public_keys, revoked, user_grant, user_json,
    },
};

/// A user's connection that has died.
fn dead() -> (World, String) {
    let (world, id) = World::of_user();
    world.at(4000);
    world.then(revoked());
    let error = block_on(list(&world, &id, super::one_request(), None)).unwrap_err();
    assert_eq!(error.kind(), Kind::ReconnectRequired);
    assert!(connections::get(&world, &id).unwrap().fault.is_some());
    world.begin_anew();
    (world, id)
}

/// All that is kept but for sign-ins that were begun.
pub(super) fn kept(world: &World) -> BTreeMap<String, String> {
    let mut kept = world.secrets.borrow().clone();
    kept.retain(|key, _| !key.starts_with("pending/"));
    kept
}

fn renewal(world: &World, id: &str) -> Begun {
    let mut request = oauth::request();
    request.nickname = "not read".to_owned();
    request.connection = Some(id.to_owned());
    Begun::new(world, request)
}

/// Later than the token's time in these tests, which the verification would not accept.
fn claims(email: &str) -> Value {
    json!({"email": email, "iat": NOW + 4000, "exp": NOW + 7600})
}

fn finish(world: &World, begun: &Begun, email: &str) -> Result<Connected> {
    world.then(json_answer(200, &begun.grant(&claims(email))));
    world.then(public_keys(&[KID]));
    begun.finish(world)
}

pub(super) fn reauthorize(world: &World, id: &str, credential: CredentialRequest) -> Result<Connected> {
    block_on(connections::reauthorize(world, id, credential, None, None))
}

fn list_functions(world: &World, id: &str) -> Result<()> {
    block_on(list(world, id, super::one_request(), None)).map(drop)
}

#[test]
fn signing_in_anew_keeps_the_connection_and_replaces_what_it_signs_in_with() {
    let (world, id) = dead();
    let before = connections::get(&world, &id).unwrap();
    world.set(&format!("tokens/{id}/00"), "stale");
    let begun = renewal(&world, &id);
    let (after, warnings) = finish(&world, &begun, USER).unwrap();
    assert_eq!((&after.id, &after.nickname, after.created), (&id, &before.nickname, before.created));
    assert_eq!((after.fault, after.last_used), (None, Some(NOW + 4000)));
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(world.entry(&format!("credentials/{id}"))["refresh_token"], canaries::REFRESH_SIGNED_IN);
    assert!(!world.secrets.borrow().contains_key(&format!("tokens/{id}/00")));

    world.then(nothing());
    list_functions(&world, &id).unwrap();
    assert_eq!(
        world.bearer(2).as_deref(),
        Some(canaries::SIGNED_IN),
        "the token that came with it is cached"
    );
}

#[test]
fn signing_in_as_somebody_else_is_a_warning() {
    let (world, id) = World::of_user();
    let begun = renewal(&world, &id);
    world.then(json_answer(200, &begun.grant(&json!({"email": "eve@example.com"}))));
    world.then(public_keys(&[KID]));
    let (connection, warnings) = begun.finish(&world).unwrap();
    assert_eq!(connection.account, "eve@example.com");
    assert_eq!(warnings, ["this connection was ada@example.com until now, and is eve@example.com"]);
    world.begin_anew();
    world.then(nothing());
    list_functions(&world, &id).unwrap();
    assert_eq!(world.bearer(0).as_deref(), Some(canaries::SIGNED_IN), "and never that of who it was");
}

#[test_case(|grant| grant["refresh_token"] = Value::Null; "no refresh token")]
#[test_case(|grant| grant["id_token"] = json!("e30.e30.c2ln"); "an ID token that is none")]
#[test_case(|grant| grant["token_type"] = json!("MAC"); "another type")]
fn a_renewal_that_fails_leaves_everything_as_it_was(spoil: fn(&mut Value)) {
    let (world, id) = dead();
    world.damaged();
    let before = kept(&world);
    let begun = renewal(&world, &id);
    let mut grant = begun.grant(&claims(USER));
    spoil(&mut grant);
    world.then(json_answer(200, &grant));
    world.then(public_keys(&[KID]));
    begun.finish(&world).unwrap_err();
    // A grant that is not enough is refused before the keys are asked for.
    world.forget_answers();
    assert_eq!(kept(&world), before);
    assert!(world.keys("pending/").is_empty());
}

#[test]
fn a_store_that_does_not_take_the_renewal_keeps_the_old_credential() {
    let (world, id) = dead();
    let before = kept(&world);
    let begun = renewal(&world, &id);
    world.fail(Op::Put, "credentials/", StoreError::Failed("disk full".to_owned()));
    assert_eq!(finish(&world, &begun, USER).unwrap_err().kind(), Kind::SecretStore);
    assert_eq!(kept(&world), before);
}

#[test]
fn a_connection_that_ended_meanwhile_is_not_brought_back() {
    let (world, id) = World::of_user();
    let begun = renewal(&world, &id);
    let gone = id.clone();
    world.after(
        move |world| {
            world.secrets.borrow_mut().remove(&format!("connections/{gone}"));
        },
        json_answer(200, &begun.grant(&json!({}))),
    );
    world.then(public_keys(&[KID]));
    assert_eq!(begun.finish(&world).unwrap_err().kind(), Kind::ConnectionNotFound);
    assert_eq!(world.entry(&format!("credentials/{id}"))["refresh_token"], canaries::REFRESH_FIRST);
}

#[test]
fn a_credential_in_place_of_a_dead_one_brings_the_connection_back() {
    let (world, id) = dead();
    let mut json = user_json();
    json["refresh_token"] = json!(canaries::REFRESH_SECOND);
    world.then(json_answer(200, &user_grant(canaries::SECOND)));
    let (connection, warnings) = reauthorize(&world, &id, google_json(&json)).unwrap();
    assert_eq!((connection.id, connection.fault), (id.clone(), None));
    assert!(warnings.is_empty(), "{warnings:?}");
    world.then(nothing());
    list_functions(&world, &id).unwrap();
    assert_eq!(world.bearer(1).as_deref(), Some(canaries::SECOND));
}

#[test]
fn a_key_in_place_of_a_user_is_kept_apart_and_goes_with_its_successor() {
    let (world, id) = World::of_user();
    let key = format!("keys/{id}");
    world.then(access_token(canaries::SECOND));
    let (connection, warnings) =
        reauthorize(&world, &id, CredentialRequest::GoogleJson(Secret::new(DEMO_KEY.to_owned()))).unwrap();
    assert_eq!((connection.kind, connection.account.as_str()), (CredentialKind::ServiceAccount, ROBOT));
    assert_eq!(warnings, [format!("this connection was {USER} until now, and is {ROBOT}")]);
    assert!(world.secrets.borrow()[&key].contains("PRIVATE KEY"));

    world.then(json_answer(200, &user_grant(canaries::SECOND)));
    let (connection, _) = reauthorize(&world, &id, google_json(&user_json())).unwrap();
    assert_eq!(connection.kind, CredentialKind::AuthorizedUser);
    assert!(!world.secrets.borrow().contains_key(&key), "the key outlived its use");
}

#[test]
fn what_functions_receive_changes_where_the_new_credential_has_no_such_token() {
    let (world, id) = World::connected();
    assert_eq!(connections::get(&world, &id).unwrap().invoker, InvokerRequest::Own);
    world.then(json_answer(200, &user_grant(canaries::SECOND)));
    let (connection, warnings) = reauthorize(&world, &id, google_json(&user_json())).unwrap();
    assert_eq!(
        connection.invoker,
        InvokerRequest::ServiceAccount { service_account: None, delegates: vec![], include_email: true }
    );
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[1].contains("another ID token"), "{warnings:?}");
}

#[test_case(revoked(), Kind::ReconnectRequired; "which is dead too")]
#[test_case(json_answer(401, &json!({"error": "invalid_client"})), Kind::ClientConfig; "of a client that is gone")]
fn a_credential_that_google_refuses_changes_nothing(answer: Answer, kind: Kind) {
    let (world, id) = dead();
    let before = kept(&world);
    world.then(answer);
    assert_eq!(reauthorize(&world, &id, google_json(&user_json())).unwrap_err().kind(), kind);
    assert_eq!(kept(&world), before);
}

#[test]
fn a_race_for_the_credential_is_lost_without_a_trace() {
    let (world, id) = World::of_user();
    let credential = format!("credentials/{id}");
    let before = kept(&world);
    world.fail(Op::Put, &credential, StoreError::VersionMismatch);
    world.then(access_token(canaries::SECOND));
    let error = reauthorize(&world, &id, CredentialRequest::GoogleJson(Secret::new(DEMO_KEY.to_owned())))
        .unwrap_err();
    assert_eq!(error.kind(), Kind::SecretStore);
    assert_eq!(kept(&world), before, "a key without its credential stayed");
}

#[test]
fn a_connection_that_is_not_there_is_not_reauthorised() {
    let world = World::new();
    for (id, kind) in [("", Kind::ConnectionRequired), ("0123456789abcdef", Kind::ConnectionNotFound)] {
        assert_eq!(reauthorize(&world, id, google_json(&user_json())).unwrap_err().kind(), kind);
    }
    assert!(world.log.borrow().is_empty());
}
