//! New tokens: who gets them, in which order they are kept, and who else uses them.

use std::time::Duration;

use serde_json::json;
use test_case::test_case;

use super::gen2;
use crate::{
    actions::functions::{
        invoke::{Auth, InvokeRequest, invoke},
        list::list,
    },
    base::{
        error::{Kind, Result},
        ports::StoreError,
    },
    google::{request::grammar::Query, which::FunctionRef},
    sign_in::invoker::InvokerRequest,
    testing::{
        CLIENT_ID, NOW, Op, USER, World, access_token, block_on, canaries, invalid_grant, json_answer, jwt,
        nothing, revoked, rotated, unauthenticated, user_grant,
    },
};

fn list_functions(world: &World, id: &str) -> Result<()> {
    block_on(list(world, id, super::one_request(), None)).map(drop)
}

/// A user's connection whose token has ended.
fn ended() -> (World, String) {
    let (world, id) = World::of_user();
    world.at(4000);
    (world, id)
}

fn refresh_token(world: &World, id: &str) -> String {
    world.entry(&format!("credentials/{id}"))["refresh_token"].as_str().unwrap().to_owned()
}

/// The refresh token that a request to the token endpoint held.
fn sent_token(world: &World, request: usize) -> String {
    world.form(request)[1].1.clone()
}

#[test]
fn a_new_refresh_token_is_kept_before_anything_else_happens() {
    let (world, id) = ended();
    world.then(rotated(canaries::SECOND, canaries::REFRESH_SECOND));
    world.then(nothing());
    list_functions(&world, &id).unwrap();
    let log = world.log.borrow();
    assert_eq!(log[..3], ["send oauth2.googleapis.com/token", "put credentials", "put tokens"]);
    assert!(log.last().unwrap().starts_with("send cloudfunctions.googleapis.com/"));
    assert_eq!(refresh_token(&world, &id), canaries::REFRESH_SECOND);
    assert_eq!(world.bearer(1).as_deref(), Some(canaries::SECOND));
}

#[test]
fn a_refresh_token_that_cannot_be_kept_ends_the_call_and_nothing_of_the_grant_is_used() {
    let (world, id) = ended();
    let before = world.secrets.borrow().clone();
    world.fail(Op::Put, "credentials/", StoreError::Failed("disk full".to_owned()));
    world.then(rotated(canaries::SECOND, canaries::REFRESH_SECOND));
    let error = list_functions(&world, &id).unwrap_err();
    assert_eq!(error.kind(), Kind::SecretStore);
    assert!(error.to_string().contains("disk full"));
    assert_eq!(world.urls(), ["https://oauth2.googleapis.com/token"]);
    assert_eq!(*world.secrets.borrow(), before);
    assert!(world.leases.borrow().is_empty(), "the lease was given back");
}

#[test]
fn whoever_signs_in_anew_meanwhile_keeps_their_refresh_token() {
    let (world, id) = ended();
    let key = format!("credentials/{id}");
    world.after(
        move |world| world.edit(&key, &json!({"refresh_token": canaries::REFRESH_THEIRS})),
        rotated(canaries::SECOND, canaries::REFRESH_SECOND),
    );
    world.then(nothing());
    list_functions(&world, &id).unwrap();
    assert_eq!(refresh_token(&world, &id), canaries::REFRESH_THEIRS);
}

#[test]
fn before_a_grant_is_called_dead_the_store_is_read_again() {
    let (world, id) = ended();
    let key = format!("credentials/{id}");
    world.after(move |world| world.edit(&key, &json!({"refresh_token": canaries::REFRESH_NEWER})), revoked());
    world.then(rotated(canaries::SECOND, canaries::REFRESH_NEWEST));
    world.then(nothing());
    list_functions(&world, &id).unwrap();
    assert_eq!(
        (sent_token(&world, 0), sent_token(&world, 1)),
        (canaries::REFRESH_FIRST.to_owned(), canaries::REFRESH_NEWER.to_owned())
    );
    assert_eq!(refresh_token(&world, &id), canaries::REFRESH_NEWEST, "the second grant's own");
}

#[test]
fn a_newer_refresh_token_is_tried_once() {
    let (world, id) = ended();
    let key = format!("credentials/{id}");
    world.after(move |world| world.edit(&key, &json!({"refresh_token": canaries::REFRESH_NEWER})), revoked());
    let key = format!("credentials/{id}");
    world
        .after(move |world| world.edit(&key, &json!({"refresh_token": canaries::REFRESH_NEWEST})), revoked());
    assert_eq!(list_functions(&world, &id).unwrap_err().kind(), Kind::ReconnectRequired);
    assert_eq!(world.urls().len(), 2);
}

#[test_case("Token has been expired or revoked.", "revoked")]
#[test_case("reauth related error (invalid_rapt)", "reauthentication")]
#[test_case("Bad Request", "unknown")]
fn the_same_refresh_token_is_never_sent_twice(description: &str, cause: &str) {
    let (world, id) = ended();
    world.then(invalid_grant(description));
    let error = list_functions(&world, &id).unwrap_err();
    assert_eq!((error.kind(), super::detail(&error, "cause")), (Kind::ReconnectRequired, Some(cause)));
    assert_eq!(world.urls().len(), 1);
    assert_eq!(refresh_token(&world, &id), canaries::REFRESH_FIRST, "kept until it is replaced");
}

#[test]
fn the_old_token_is_used_while_somebody_else_gets_a_new_one() {
    let (world, id) = World::of_user();
    world.at(3500);
    world.held_while(|_| {});
    world.then(nothing());
    list_functions(&world, &id).unwrap();
    assert_eq!(world.bearer(0).as_deref(), Some(canaries::FIRST));
    assert_eq!(world.elapsed.get(), Duration::ZERO);
}

#[test]
fn what_somebody_else_got_meanwhile_is_used() {
    let (world, id) = ended();
    let other = id.clone();
    world.held_while(move |world| list_functions(world, &other).unwrap());
    world.then(json_answer(200, &user_grant(canaries::THEIRS)));
    world.then(nothing());
    world.then(nothing());
    list_functions(&world, &id).unwrap();
    assert_eq!(
        (world.bearer(1), world.bearer(2)),
        (Some(canaries::THEIRS.to_owned()), Some(canaries::THEIRS.to_owned()))
    );
    assert_eq!(world.urls().len(), 3, "Google was asked once");
}

#[test]
fn somebody_elses_failure_is_everybodys() {
    let (world, id) = ended();
    let other = id.clone();
    world.held_while(move |world| {
        list_functions(world, &other).unwrap_err();
    });
    world.then(revoked());
    let error = list_functions(&world, &id).unwrap_err();
    assert_eq!((error.kind(), error.fields().trace.len()), (Kind::ReconnectRequired, 0));
    assert_eq!(world.urls().len(), 1, "Google was asked once");
}

#[test]
fn who_waits_for_one_that_was_killed_still_gets_a_token_in_time() {
    let (world, id) = World::connected();
    world.at(4000);
    let lease = world.keys("tokens/").remove(0);
    // As long as one asks for.
    world.leases.borrow_mut().insert(lease, ("killed".to_owned(), Duration::from_secs(20)));
    world.then(access_token(canaries::SECOND));
    world.then(nothing());
    list_functions(&world, &id).unwrap();
    assert_eq!(world.bearer(1).as_deref(), Some(canaries::SECOND));
}

#[test]
fn who_has_less_time_than_a_lease_gives_up_without_a_request() {
    let (world, id) = World::connected();
    world.at(4000);
    let lease = world.keys("tokens/").remove(0);
    world.leases.borrow_mut().insert(lease, ("killed".to_owned(), Duration::from_secs(20)));
    let error = block_on(list(&world, &id, super::one_request(), Some(15_000))).unwrap_err();
    assert_eq!(error.kind(), Kind::DeadlineExceeded);
    assert!(world.urls().is_empty());
}

#[test]
fn without_leases_google_is_only_asked_more_often() {
    let (world, id) = ended();
    world.fail(Op::Lease, "", StoreError::Unsupported);
    world.then(json_answer(200, &user_grant(canaries::SECOND)));
    world.then(nothing());
    list_functions(&world, &id).unwrap();
    assert_eq!(world.bearer(1).as_deref(), Some(canaries::SECOND));
}

#[test]
fn a_401_takes_one_new_token_and_one_more_attempt() {
    let (world, id) = World::of_user();
    world.then(unauthenticated());
    world.then(json_answer(200, &user_grant(canaries::SECOND)));
    world.then(unauthenticated());
    assert_eq!(list_functions(&world, &id).unwrap_err().kind(), Kind::Unauthenticated);
    assert_eq!(
        (world.bearer(0).as_deref(), world.bearer(2).as_deref()),
        (Some(canaries::FIRST), Some(canaries::SECOND))
    );
    assert_eq!(world.urls().len(), 3);
}

#[test]
fn after_a_401_a_newer_token_of_somebody_else_is_used_and_stays() {
    let (world, id) = World::connected();
    let key = world.keys("tokens/").remove(0);
    world.after(move |world| world.edit(&key, &json!({"token": canaries::THEIRS})), unauthenticated());
    world.then(nothing());
    list_functions(&world, &id).unwrap();
    assert_eq!(world.bearer(1).as_deref(), Some(canaries::THEIRS));
    assert!(!world.log.borrow().iter().any(|line| line.starts_with("delete")), "{:?}", world.log.borrow());
}

#[test]
fn a_cached_token_that_cannot_be_read_is_one_more_to_get() {
    let (world, id) = World::connected();
    let key = world.keys("tokens/").remove(0);
    world.set(&key, "not JSON");
    world.then(access_token(canaries::SECOND));
    world.then(nothing());
    list_functions(&world, &id).unwrap();
    assert_eq!(world.entry(&key)["token"], canaries::SECOND);
}

#[test]
fn tokens_of_two_connections_are_kept_apart() {
    let (world, first) = World::connected();
    world.then(access_token(canaries::SECOND));
    let (second, _) = crate::testing::connect(&world, crate::testing::connect_request()).unwrap();
    world.begin_anew();
    for id in [&first, &second.id] {
        world.then(nothing());
        list_functions(&world, id).unwrap();
    }
    assert_eq!(
        (world.bearer(0).as_deref(), world.bearer(1).as_deref()),
        (Some(canaries::FIRST), Some(canaries::SECOND))
    );
}

/// A store that takes no lease back: each call has the one that it got until its time is over.
fn without_release(world: &World) {
    world.fail(Op::Release, "tokens/", StoreError::Failed("gone".to_owned()));
}

#[test]
fn a_call_does_not_wait_for_a_lease_of_its_own() {
    let (world, id) = ended();
    without_release(&world);
    // The first token is not accepted, so the call wants a second one of the same kind.
    world.then(json_answer(200, &user_grant(canaries::SECOND)));
    world.then(unauthenticated());
    world.then(json_answer(200, &user_grant(canaries::THIRD)));
    world.then(nothing());
    list_functions(&world, &id).unwrap();
    assert_eq!(world.bearer(3).as_deref(), Some(canaries::THIRD));
    assert_eq!(world.elapsed.get(), Duration::ZERO, "nothing was waited for");
    assert_eq!(world.leases.borrow().len(), 1, "it could not be given back");
}

/// The ID token of a user waits for the lease of their access token.
#[test]
fn a_call_with_two_tokens_of_one_refresh_does_not_wait_for_itself() {
    let (world, id) = ended();
    without_release(&world);
    let claims = json!({"aud": CLIENT_ID, "exp": NOW + 7600, "email": USER});
    // The first refresh brings no ID token, so a second one is asked for.
    let mut without = user_grant(canaries::SECOND);
    without["id_token"] = json!(null);
    world.then(json_answer(200, &without));
    world.then(json_answer(200, &gen2("us-central1", "hello")));
    let mut with = user_grant(canaries::THIRD);
    with["id_token"] = json!(jwt(&claims));
    world.then(json_answer(200, &with));
    world.then(nothing());
    let request = InvokeRequest {
        function: FunctionRef::Named { name: "hello".to_owned(), region: Some("us-central1".to_owned()) },
        method: "POST".to_owned(),
        path: String::new(),
        query: Query::None,
        headers: Vec::new(),
        body: None,
        auth: Auth::IdToken,
        invoker: Some(InvokerRequest::User),
        audience: None,
        authorization: None,
        serverless_authorization: false,
        idempotent: false,
        raise_for_status: false,
    };
    let invocation = block_on(invoke(&world, &id, request, None)).unwrap();
    assert_eq!(invocation.audience.as_deref(), Some(CLIENT_ID));
    assert_eq!(world.elapsed.get(), Duration::ZERO, "nothing was waited for");
}

/// A lease that a call could not give back ends by itself, and is somebody else's then.
#[test]
fn a_lease_that_has_ended_is_no_longer_a_calls_own() {
    let (world, id) = ended();
    without_release(&world);
    world.then(json_answer(200, &user_grant(canaries::SECOND)));
    let key = world.keys(&format!("tokens/{id}/")).remove(0);
    world.after(
        move |world| {
            // A slow API: meanwhile the lease is over, and somebody else has it and uses it.
            world.elapsed.set(world.elapsed.get() + Duration::from_secs(21));
            world.leases.borrow_mut().clear();
            let theirs = key.clone();
            world.held_while(move |world| {
                world.set(&theirs, json!({"token": canaries::THEIRS, "expires": NOW + 9000}).to_string());
            });
        },
        unauthenticated(),
    );
    world.then(nothing());
    list_functions(&world, &id).unwrap();
    assert_eq!(world.bearer(2).as_deref(), Some(canaries::THEIRS), "it waited for them");
    assert!(world.elapsed.get() > Duration::from_secs(21));
}

/// In another call it is somebody else's: only whoever holds it knows.
#[test]
fn another_call_waits_for_a_lease_that_was_not_given_back() {
    let (world, id) = ended();
    without_release(&world);
    world.then(json_answer(200, &user_grant(canaries::SECOND)));
    world.then(nothing());
    list_functions(&world, &id).unwrap();
    world.at(8000);
    world.then(json_answer(200, &user_grant(canaries::THIRD)));
    world.then(nothing());
    list_functions(&world, &id).unwrap();
    assert!(world.elapsed.get() >= Duration::from_secs(20), "{:?}", world.elapsed.get());
}
