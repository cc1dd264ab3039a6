//! The end of a connection, and its nickname.

use serde_json::json;
use test_case::test_case;

use crate::{
    actions::connections::{self, CredentialRequest},
    base::{
        error::Kind,
        http::{TokenKind, TransportError},
        ports::StoreError,
    },
    testing::{
        Answer, Op, USER, World, access_token, block_on, canaries, connect, connect_request, json_answer,
        json_request, nothing, request_for, user_grant, user_json,
    },
};

fn disconnect(world: &World, id: &str) -> crate::base::error::Result<Vec<String>> {
    block_on(connections::disconnect(world, id, None))
}

#[test]
fn a_users_grant_is_revoked_and_everything_is_gone() {
    let (world, id) = World::of_user();
    world.then(nothing());
    assert_eq!(disconnect(&world, &id).unwrap(), Vec::<String>::new());
    assert_eq!(world.urls(), ["https://oauth2.googleapis.com/revoke"]);
    assert_eq!(world.form(0), [("token".to_owned(), canaries::REFRESH_FIRST.to_owned())]);
    let sent = world.sent.borrow();
    assert_eq!((sent[0].token(), sent[0].bearer().is_none()), (TokenKind::Grant, true));
    assert_eq!(sent[0].path_and_query(), "/revoke", "the token is in the body, and not in the URL");
    assert!(world.secrets.borrow().is_empty(), "{:?}", world.keys(""));
}

#[test_case(json_answer(403, &json!({})), 1; "refused")]
#[test_case(json_answer(503, &json!({})), 3; "out of order")]
#[test_case(Err(TransportError::NotSent("no route".to_owned())), 3; "no network")]
#[test_case(Err(TransportError::Denied), 1; "a policy")]
fn a_revocation_that_fails_is_a_warning_and_everything_is_gone(answer: Answer, attempts: usize) {
    let (world, id) = World::of_user();
    for _ in 0..attempts {
        world.then(answer.clone());
    }
    let warnings = disconnect(&world, &id).unwrap();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("could not be revoked") && warnings[0].contains(USER), "{warnings:?}");
    assert!(warnings[0].contains("https://myaccount.google.com/connections"));
    assert!(!warnings[0].contains(canaries::REFRESH_FIRST));
    assert!(world.secrets.borrow().is_empty());
    assert_eq!(connections::get(&world, &id).unwrap_err().kind(), Kind::ConnectionNotFound);
}

#[test]
fn a_grant_that_is_no_more_needs_no_revoking() {
    let (world, id) = World::of_user();
    world.then(json_answer(400, &json!({"error": "invalid_token"})));
    assert_eq!(disconnect(&world, &id).unwrap(), Vec::<String>::new());
}

#[test]
fn what_is_gclouds_is_not_revoked() {
    let mut json = user_json();
    json["client_id"] = json!("764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com");
    let (world, id) =
        World::connected_with(json_request(&json), [json_answer(200, &user_grant(canaries::FIRST))]);
    let warnings = disconnect(&world, &id).unwrap();
    assert!(warnings[0].contains("gcloud auth application-default revoke"), "{warnings:?}");
    assert!(world.urls().is_empty() && world.secrets.borrow().is_empty());
}

#[test]
fn a_service_account_is_forgotten_and_nothing_is_sent() {
    let (world, id) = World::connected();
    let warnings = disconnect(&world, &id).unwrap();
    assert!(warnings[0].contains("valid until it is deleted"), "{warnings:?}");
    assert!(world.urls().is_empty() && world.secrets.borrow().is_empty());
}

#[test]
fn what_the_host_keeps_stays_with_the_host() {
    let mut request =
        request_for(CredentialRequest::SuppliedToken { key: "supplied/access".to_owned(), account: None });
    request.project = Some("demo-project".to_owned());
    let world = World::new();
    world.set("supplied/access", canaries::SUPPLIED);
    let (connection, _) = connect(&world, request).unwrap();
    assert_eq!(
        disconnect(&world, &connection.id).unwrap(),
        ["what the host keeps under supplied/access stays there"]
    );
    assert_eq!(world.keys(""), ["supplied/access"]);
}

#[test]
fn the_tokens_of_other_connections_stay() {
    let (world, first) = World::connected();
    world.then(access_token(canaries::SECOND));
    let (second, _) = connect(&world, connect_request()).unwrap();
    disconnect(&world, &first).unwrap();
    let (nicknames, its): (Vec<_>, Vec<_>) =
        world.keys("").into_iter().partition(|key| key.starts_with("nicknames/"));
    assert!(its.iter().all(|key| key.contains(&second.id)), "{its:?}");
    assert_eq!((its.len(), nicknames.len()), (5, 2));
}

#[test_case("credentials/", "not JSON"; "its credential")]
#[test_case("connections/", "{}"; "the connection itself")]
fn what_is_damaged_can_be_removed(prefix: &str, text: &str) {
    let (world, id) = World::of_user();
    world.set(&format!("{prefix}{id}"), text);
    let error = block_on(connections::check(&world, &id, None, None)).unwrap_err();
    assert!(error.to_string().contains("disconnect"), "{error}");
    let warnings = disconnect(&world, &id).unwrap();
    assert!(warnings[0].contains("could not be read"), "{warnings:?}");
    assert!(world.secrets.borrow().is_empty());
}

#[test_case(Op::Delete, "credentials/", 1; "to forget the credential")]
#[test_case(Op::Delete, "connections/", 1; "to forget the connection")]
#[test_case(Op::Keys, "tokens/", 0; "to list the tokens")]
#[test_case(Op::Get, "credentials/", 0; "to read the credential")]
fn a_store_that_fails_leaves_a_connection_to_try_again(op: Op, prefix: &str, requests: usize) {
    let (world, id) = World::of_user();
    world.fail(op, prefix, StoreError::Failed("disk".to_owned()));
    if requests > 0 {
        world.then(nothing());
    }
    assert_eq!(disconnect(&world, &id).unwrap_err().kind(), Kind::SecretStore);
    assert_eq!(world.urls().len(), requests);
    world.mend();
    // What is revoked already is no error.
    if world.secrets.borrow().contains_key(&format!("credentials/{id}")) {
        world.then(json_answer(400, &json!({"error": "invalid_token"})));
    }
    disconnect(&world, &id).unwrap();
    assert!(world.secrets.borrow().is_empty(), "{:?}", world.keys(""));
}

#[test]
fn a_connection_has_another_nickname_at_once_and_nothing_is_sent() {
    let (world, id) = World::connected();
    let before = connections::get(&world, &id).unwrap();
    let (after, warnings) = connections::rename(&world, &id, "  build robot ").unwrap();
    assert_eq!((after.nickname.as_str(), warnings.len()), ("build robot", 0));
    assert_eq!(connections::Connection { nickname: before.nickname.clone(), ..after }, before);
    let (_, warnings) = connections::rename(&world, &id, "build robot").unwrap();
    assert!(warnings.is_empty(), "its own name is no duplicate");
    assert!(world.urls().is_empty());
}

#[test]
fn a_nickname_that_is_in_use_is_a_warning() {
    let (world, id) = World::connected();
    let mut request = connect_request();
    request.nickname = "other".to_owned();
    world.then(access_token(canaries::SECOND));
    let (other, _) = connect(&world, request).unwrap();
    let (_, warnings) = connections::rename(&world, &other.id, "demo").unwrap();
    assert!(warnings[0].contains("another connection with the nickname demo"), "{warnings:?}");
    let names: Vec<_> = connections::list(&world).unwrap().into_iter().map(|c| (c.nickname, c.id)).collect();
    assert_eq!(names.len(), 2);
    assert!(names.contains(&("demo".to_owned(), id)));
}

#[test_case(""; "nothing")]
#[test_case("   "; "spaces")]
#[test_case("a\nb"; "two lines")]
#[test_case(&"x".repeat(101); "too long")]
#[test_case("payments\u{202e}"; "turned round")]
#[test_case("pay\u{200b}ments"; "with a space of no width")]
#[test_case("payments\u{e0041}"; "with a tag")]
#[test_case("payments\u{2028}error"; "with a line separator")]
fn a_nickname_is_refused(name: &str) {
    let (world, id) = World::connected();
    assert_eq!(connections::rename(&world, &id, name).unwrap_err().kind(), Kind::InvalidInput);
    assert!(world.log.borrow().is_empty());
}

#[test_case("", Kind::ConnectionRequired)]
#[test_case("0123456789abcdef", Kind::ConnectionNotFound)]
#[test_case("../connections/x", Kind::ConnectionNotFound)]
fn a_connection_that_is_not_there(id: &str, kind: Kind) {
    let (world, _) = World::connected();
    assert_eq!(connections::rename(&world, id, "x").unwrap_err().kind(), kind);
    assert_eq!(disconnect(&world, id).unwrap_err().kind(), kind);
    assert_eq!(block_on(connections::check(&world, id, None, None)).unwrap_err().kind(), kind);
    assert!(world.log.borrow().is_empty());
}

#[test]
fn one_damaged_connection_does_not_keep_others_from_being_made() {
    let (world, id) = World::connected();
    world.set(&format!("connections/{id}"), "not JSON");
    world.then(access_token(canaries::SECOND));
    let (second, _) = connect(&world, connect_request()).unwrap();
    connections::rename(&world, &second.id, "second").unwrap();
    assert!(connections::list(&world).unwrap_err().to_string().contains(&id), "the damaged one is named");
}
