//! Entries that somebody else changes between our read and our write: both changes are there in the end.

use serde_json::{Value, json};
use test_case::test_case;

use super::{
    one_request,
    reauthorize::{kept, reauthorize},
};
use crate::{
    actions::{connections, functions::list::list},
    base::{
        error::{Error, Kind},
        ports::StoreError,
    },
    rails::GuardRails,
    sign_in::token::status,
    store::names::ConnectionId,
    testing::{
        DEMO_KEY, NOW, Op, World, access_token, block_on, canaries, google_json, json_answer, nothing,
        revoked, rotated,
    },
};

fn listed(world: &World, id: &str) -> Result<(), Error> {
    block_on(list(world, id, one_request(), None)).map(drop)
}

/// Somebody else changes fields of an entry just before it is written.
fn quicker(world: &World, kind: &str, id: &str, changes: Value) -> String {
    let key = format!("{kind}/{id}");
    let entry = key.clone();
    world.quicker(&key, move |world| world.edit(&entry, &changes));
    key
}

/// A change of a connection's entry.
type Change = fn(&World, &str) -> Result<connections::Connection, Error>;

const RENAME: Change = |world, id| Ok(connections::rename(world, id, "another")?.0);
const RESTRICT: Change = |world, id| {
    Ok(connections::restrict(world, id, Some(GuardRails { read_only: true, ..GuardRails::default() }))?.0)
};
const REAUTHORIZE: Change = |world, id| {
    world.then(access_token(canaries::SECOND));
    Ok(reauthorize(world, id, google_json(&serde_json::from_str(DEMO_KEY).unwrap()))?.0)
};

#[test_case(RENAME, "nickname"; "rename")]
#[test_case(RESTRICT, "guard_rails"; "restrict")]
#[test_case(REAUTHORIZE, "signs_in"; "reauthorize")]
fn a_connection_that_somebody_else_changes_meanwhile_has_both_changes(change: Change, field: &str) {
    let (world, id) = World::of_user();
    let key = quicker(&world, "connections", &id, json!({"region": "europe-west1"}));
    let before = world.entry(&key);
    let changed = change(&world, &id).unwrap();
    let after = world.entry(&key);
    assert_eq!((changed.region.as_str(), &after["region"]), ("europe-west1", &json!("europe-west1")));
    assert_ne!(after[field], before[field], "{field}");
    world.begin_anew();
}

#[test_case(RENAME; "rename")]
#[test_case(RESTRICT; "restrict")]
#[test_case(REAUTHORIZE; "reauthorize")]
fn a_connection_that_others_change_each_time_stays_theirs(change: Change) {
    let (world, id) = World::of_user();
    let before = kept(&world);
    world.fail(Op::Put, "connections/", StoreError::VersionMismatch);
    let error = change(&world, &id).unwrap_err();
    assert_eq!(error.kind(), Kind::SecretStore);
    assert!(error.to_string().contains("another call changed the entry first"), "{error}");
    assert_eq!(kept(&world), before);
}

#[test]
fn a_connection_of_an_earlier_version_is_completed_after_a_lost_race() {
    let (world, id) = World::of_user();
    let key = quicker(&world, "connections", &id, json!({"nickname": "theirs"}));
    let mut old = world.entry(&key);
    old.as_object_mut().unwrap().remove("signs_in").unwrap();
    world.set(&key, old.to_string());
    connections::get(&world, &id).unwrap();
    let entry = world.entry(&key);
    assert_eq!((&entry["nickname"], entry["signs_in"].is_object()), (&json!("theirs"), true));
    world.begin_anew();
}

#[test]
fn a_use_is_noted_after_a_lost_race() {
    let (world, id) = World::connected();
    world.at(4000);
    let key = quicker(&world, "status", &id, json!({"last_used": NOW + 1}));
    world.then(access_token(canaries::SECOND));
    world.then(nothing());
    listed(&world, &id).unwrap();
    assert_eq!(world.entry(&key)["last_used"], NOW + 4000);
    world.begin_anew();
}

#[test]
fn a_fault_is_noted_and_forgotten_after_lost_races() {
    let (world, id) = World::of_user();
    world.at(4000);
    let key = quicker(&world, "status", &id, json!({"last_used": NOW + 1}));
    world.then(revoked());
    assert_eq!(listed(&world, &id).unwrap_err().kind(), Kind::ReconnectRequired);
    let noted = world.entry(&key);
    assert_eq!(
        (&noted["last_used"], &noted["fault"]["kind"]),
        (&json!(NOW + 1), &json!("reconnect-required"))
    );

    quicker(&world, "status", &id, json!({"last_used": NOW + 2}));
    status::forget_fault(&world, &ConnectionId::parse(&id).unwrap());
    assert_eq!(world.entry(&key), json!({"last_used": NOW + 2}));
    world.begin_anew();
}

/// The grant that is dead is the one before.
#[test]
fn a_fault_is_not_noted_over_a_newer_sign_in() {
    let (world, id) = World::of_user();
    world.at(4000);
    let key = quicker(&world, "status", &id, json!({"last_used": NOW + 4001}));
    world.then(revoked());
    assert_eq!(listed(&world, &id).unwrap_err().kind(), Kind::ReconnectRequired);
    assert_eq!(world.entry(&key), json!({"last_used": NOW + 4001}));
    world.begin_anew();
}

#[test]
fn a_new_refresh_token_is_kept_after_a_lost_race() {
    let (world, id) = World::of_user();
    world.at(4000);
    let key = quicker(&world, "credentials", &id, json!({"account": "theirs@example.com"}));
    world.then(rotated(canaries::SECOND, canaries::REFRESH_SECOND));
    world.then(nothing());
    listed(&world, &id).unwrap();
    let entry = world.entry(&key);
    assert_eq!(
        (&entry["refresh_token"], &entry["account"]),
        (&json!(canaries::REFRESH_SECOND), &json!("theirs@example.com"))
    );
    world.begin_anew();
}

#[test]
fn a_repeat_is_taken_from_what_others_have_left() {
    let (world, id) = World::connected();
    world.respond(|_| json_answer(503, &json!({})));
    let key = format!("repeats/{id}");
    let theirs = key.clone();
    world.quicker(&key, move |world| world.set(&theirs, json!({"full_at": NOW + 100}).to_string()));
    listed(&world, &id).unwrap_err();
    assert_eq!(world.urls().len(), 4);
    assert_eq!(world.entry(&key)["full_at"], NOW + 100 + 3 * 6, "theirs, and three of our own");
    world.begin_anew();
}
