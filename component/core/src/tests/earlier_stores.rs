//! Entries that commit 2a165ee wrote, read by this version: every kind of credential, with its cached tokens.

use serde_json::Value;
use test_case::test_case;

use crate::{
    actions::{
        connections::{self, CredentialKind},
        functions::list::list,
    },
    testing::{World, block_on, nothing},
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

const DEPLOYER: &str = "deployer@target-project.iam.gserviceaccount.com";

#[test_case(
    "0404040404040404",
    CredentialKind::ServiceAccount,
    "gcf-demo@demo-project.iam.gserviceaccount.com",
    Some("ya29.robot")
)]
#[test_case("0b0b0b0b0b0b0b0b", CredentialKind::AuthorizedUser, "ada@example.com", Some("ya29.person"))]
#[test_case("1313131313131313", CredentialKind::ImpersonatedServiceAccount, DEPLOYER, None)]
#[test_case(
    "1a1a1a1a1a1a1a1a",
    CredentialKind::ExternalAccount,
    "ci/providers/github",
    Some("ya29.federated")
)]
#[test_case("1f1f1f1f1f1f1f1f", CredentialKind::SuppliedToken, "ada@example.com", Some("ya29.supplied"))]
#[test_case("2222222222222222", CredentialKind::InjectedToken, "the host's own", None)]
fn a_connection_is_shown_and_its_cached_token_is_used(
    id: &str,
    kind: CredentialKind,
    account: &str,
    token: Option<&str>,
) {
    let world = world();
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
        // The source's token was cached, and the service account's was not.
        world.then(crate::testing::impersonated("ya29.target"));
    }
    world.then(nothing());
    block_on(list(&world, id, super::one_request(), None)).unwrap();
    let token = if kind == CredentialKind::ImpersonatedServiceAccount { Some("ya29.source") } else { token };
    assert_eq!(world.bearer(0).as_deref(), token);
}

#[test]
fn what_is_written_anew_is_read_anew() {
    let world = world();
    let id = "0b0b0b0b0b0b0b0b";
    let before = world.entry(&format!("credentials/{id}"));
    world.at(4000);
    world.then(crate::testing::rotated("ya29.second", "1//second"));
    world.then(nothing());
    block_on(list(&world, id, super::one_request(), None)).unwrap();
    let mut after = world.entry(&format!("credentials/{id}"));
    assert_eq!(after["refresh_token"], "1//second");
    after["refresh_token"] = before["refresh_token"].clone();
    assert_eq!(after, before, "and nothing of it is lost");
    assert_eq!(connections::get(&world, id).unwrap().scopes.len(), 3);
}
