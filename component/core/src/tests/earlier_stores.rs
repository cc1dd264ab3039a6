//! Entries that commit 2a165ee wrote, read by this version: every kind of credential, with its cached tokens.

use serde_json::Value;
use test_case::test_case;

use crate::{
    actions::{
        connections::{self, CredentialKind},
        functions::list::list,
    },
    testing::{World, block_on, canaries, impersonated, nothing, rotated},
};

/// As that commit's own `connect` wrote them; see `made` in the file.
const STORE: &str = include_str!("../../../../tests/fixtures/store-of-2a165ee.json");

fn world() -> World {
    let file: Value = serde_json::from_str(STORE).unwrap();
    let world = World::new();
    for (key, value) in file["entries"].as_object().unwrap() {
        world.set(key, value.as_str().unwrap());
    }
    world
}

/// A token that is kept under a key: as it is if the host supplies it, else with its end.
fn kept(world: &World, key: &str) -> String {
    if key.starts_with("supplied/") {
        return world.secrets.borrow()[key].clone();
    }
    world.entry(key)["token"].as_str().unwrap().to_owned()
}

const DEPLOYER: &str = "deployer@target-project.iam.gserviceaccount.com";

#[test_case(
    "0404040404040404",
    CredentialKind::ServiceAccount,
    "gcf-demo@demo-project.iam.gserviceaccount.com",
    Some("tokens/0404040404040404/deef49fd61e649f7baeb5f24f44e2e9c")
)]
#[test_case(
    "0b0b0b0b0b0b0b0b",
    CredentialKind::AuthorizedUser,
    "ada@example.com",
    Some("tokens/0b0b0b0b0b0b0b0b/2713767b137fbaaaa3ae4eab013d99d2")
)]
// The source's; the service account's was not cached.
#[test_case(
    "1313131313131313",
    CredentialKind::ImpersonatedServiceAccount,
    DEPLOYER,
    Some("tokens/1313131313131313/d1ac0a51f491c1bc0f3b05c67265a7f1")
)]
#[test_case(
    "1a1a1a1a1a1a1a1a",
    CredentialKind::ExternalAccount,
    "ci/providers/github",
    Some("tokens/1a1a1a1a1a1a1a1a/a09d7e5d74da9780d13e1c7eeb1682d3")
)]
#[test_case("1f1f1f1f1f1f1f1f", CredentialKind::SuppliedToken, "ada@example.com", Some("supplied/access"))]
#[test_case("2222222222222222", CredentialKind::InjectedToken, "the host's own", None)]
fn a_connection_is_shown_and_its_cached_token_is_used(
    id: &str,
    kind: CredentialKind,
    account: &str,
    token: Option<&str>,
) {
    let world = world();
    let token = token.map(|key| kept(&world, key));
    let connection = connections::get(&world, id).unwrap();
    assert_eq!((connection.kind, connection.account.as_str()), (kind, account));
    let through = (kind == CredentialKind::ImpersonatedServiceAccount).then_some("ada@example.com");
    assert_eq!(connection.through.as_deref(), through);
    let user = matches!(kind, CredentialKind::AuthorizedUser | CredentialKind::ImpersonatedServiceAccount);
    assert_eq!(connection.scopes.len(), if user { 3 } else { 1 }, "{:?}", connection.scopes);
    // From then on a list knows it, too.
    let listed = connections::list(&world).unwrap().into_iter().find(|listed| listed.id == id).unwrap();
    assert_eq!(listed, connection);
    if kind == CredentialKind::ImpersonatedServiceAccount {
        world.then(impersonated(canaries::TARGET));
    }
    world.then(nothing());
    block_on(list(&world, id, super::one_request(), None)).unwrap();
    assert_eq!(world.bearer(0), token);
}

#[test]
fn what_is_written_anew_is_read_anew() {
    let world = world();
    let id = "0b0b0b0b0b0b0b0b";
    let before = world.entry(&format!("credentials/{id}"));
    world.at(4000);
    world.then(rotated(canaries::SECOND, canaries::REFRESH_SECOND));
    world.then(nothing());
    block_on(list(&world, id, super::one_request(), None)).unwrap();
    let mut after = world.entry(&format!("credentials/{id}"));
    assert_eq!(after["refresh_token"], canaries::REFRESH_SECOND);
    after["refresh_token"] = before["refresh_token"].clone();
    assert_eq!(after, before, "and nothing of it is lost");
    assert_eq!(connections::get(&world, id).unwrap().scopes.len(), 3);
}
