//! A store that fails once, at each of its calls in turn: what is made of several entries is there as a whole, or not at
//! all, and the answer says which.

use std::collections::BTreeMap;

use test_case::test_case;

use super::oauth::{self, Begun};
use crate::{
    actions::connections::{self, Connected},
    base::error::{Kind, Result},
    store::names::ConnectionId,
    testing::{
        DEMO_KEY, KID, World, access_token, block_on, canaries, connect, connect_request, google_json,
        json_answer, json_request, public_keys, user_grant, user_json,
    },
};

/// More calls of the store than any action makes.
const MANY: u32 = 200;

/// The entries of connections, but for tokens and what is known of their use: those are a courtesy.
fn kept(world: &World) -> BTreeMap<String, String> {
    let mut kept = world.secrets.borrow().clone();
    kept.retain(|key, _| ["connections/", "credentials/", "keys/"].iter().any(|kind| key.starts_with(kind)));
    kept
}

/// Does something in worlds that are alike but for the call of the store that fails, until none does.
fn at_each_call(
    prepare: impl Fn() -> (World, String),
    act: impl Fn(&World, &str) -> Result<Connected>,
) -> Outcomes {
    let mut outcomes = Outcomes::default();
    for call in 0..MANY {
        let (world, id) = prepare();
        let before = kept(&world);
        world.fail_after(call);
        let outcome = act(&world, &id);
        if !world.has_failed() {
            outcome.unwrap();
            assert!(call > 3, "the store was asked {call} times");
            return outcomes;
        }
        match outcome {
            Ok((connection, _)) => {
                outcomes.succeeded += 1;
                let shown = connections::get(&world, &connection.id).unwrap();
                assert_eq!(
                    (&shown.account, shown.kind),
                    (&connection.account, connection.kind),
                    "call {call}"
                );
                // It can be used: nothing of it is missing.
                let id = ConnectionId::parse(&connection.id).unwrap();
                crate::sign_in::identity::load(&world, &id).unwrap();
            }
            Err(error) => {
                outcomes.failed += 1;
                assert_eq!(error.kind(), Kind::SecretStore, "call {call}: {error}");
                assert!(kept(&world) == before, "call {call}: {:?}", world.keys(""));
            }
        }
    }
    panic!("the store was asked {MANY} times");
}

#[derive(Default)]
struct Outcomes {
    failed: u32,
    succeeded: u32,
}

fn empty() -> (World, String) {
    (World::new(), String::new())
}

#[test]
fn a_connection_is_made_or_not() {
    let outcomes = at_each_call(empty, |world, _| {
        world.then(access_token(canaries::FIRST));
        let connected = connect(world, connect_request());
        world.forget_answers();
        connected
    });
    assert!(outcomes.failed >= 4, "an id, a key, a credential and a connection: {}", outcomes.failed);
    // Nicknames, tokens and what is known of its use.
    assert!(outcomes.succeeded >= 1, "{}", outcomes.succeeded);
}

/// The read that follows the writes.
#[test]
fn what_cannot_be_read_again_is_answered_all_the_same() {
    let user = || json_request(&user_json());
    let answered = |world: &World| connect(world, user());
    let outcomes = at_each_call(empty, |world, _| {
        world.then(json_answer(200, &user_grant(canaries::FIRST)));
        let connected = answered(world);
        world.forget_answers();
        connected
    });
    assert!(outcomes.succeeded >= 1 && outcomes.failed >= 3, "{} {}", outcomes.succeeded, outcomes.failed);
}

#[test_case(&World::connected, &user_json().to_string(); "a user for a service account")]
#[test_case(&World::of_user, DEMO_KEY; "a service account for a user")]
#[test_case(&World::connected, DEMO_KEY; "a key for a key")]
#[test_case(&World::of_user, &user_json().to_string(); "a user for a user")]
fn a_credential_is_replaced_or_not(prepare: &dyn Fn() -> (World, String), new: &str) {
    let is_user = new != DEMO_KEY;
    let outcomes = at_each_call(prepare, |world, id| {
        world.then(if is_user {
            json_answer(200, &user_grant(canaries::SECOND))
        } else {
            access_token(canaries::SECOND)
        });
        let credential = google_json(&serde_json::from_str(new).unwrap());
        let done = block_on(connections::reauthorize(world, id, credential, None, None));
        world.forget_answers();
        done
    });
    assert!(outcomes.failed >= 3 && outcomes.succeeded >= 1, "{} {}", outcomes.failed, outcomes.succeeded);
}

#[test]
fn a_sign_in_makes_a_connection_or_not() {
    let prepare = || {
        let world = World::new();
        let begun = Begun::new(&world, oauth::request());
        world.then(json_answer(200, &begun.grant(&serde_json::json!({}))));
        world.then(public_keys(&[KID]));
        (world, serde_json::json!([begun.authorization.id, begun.callback()]).to_string())
    };
    let outcomes = at_each_call(prepare, |world, begun| {
        let [id, callback]: [String; 2] = serde_json::from_str(begun).unwrap();
        let finished = block_on(connections::finish(world, &id, &callback, None));
        world.forget_answers();
        finished
    });
    assert!(outcomes.failed >= 4 && outcomes.succeeded >= 1, "{} {}", outcomes.failed, outcomes.succeeded);
}

#[test]
fn a_connection_is_renamed_or_not() {
    let outcomes = at_each_call(World::connected, |world, id| connections::rename(world, id, "another"));
    assert!(outcomes.failed >= 2 && outcomes.succeeded >= 1, "{} {}", outcomes.failed, outcomes.succeeded);
}
