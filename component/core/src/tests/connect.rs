use serde_json::json;
use test_case::test_case;

use crate::{
    actions::connections::{self, ConnectRequest, CredentialKind, CredentialRequest},
    base::{error::Kind, secret::Secret},
    testing::{DEMO_KEY, World, access_token, block_on, canaries, connect_request, json_answer},
};

#[test]
fn a_connection_is_kept_after_google_accepted_the_credential() {
    let world = World::new().answer(access_token(canaries::FIRST));
    let (connection, warnings) = block_on(connections::connect(&world, connect_request(), None)).unwrap();
    assert_eq!(world.urls(), ["https://oauth2.googleapis.com/token"]);
    assert_eq!((connection.project.as_str(), connection.region.as_str()), ("demo-project", "us-central1"));
    assert_eq!(connection.account, "gcf-demo@demo-project.iam.gserviceaccount.com");
    assert!(warnings.is_empty());
    let keys: Vec<_> = world.secrets.borrow().keys().cloned().collect();
    let id = &connection.id;
    assert_eq!(keys[..3], [format!("connections/{id}"), format!("credentials/{id}"), format!("keys/{id}")]);
    assert!(keys[3].starts_with("nicknames/") && keys[4] == "nicknames/indexed");
    assert_eq!(keys[5], format!("status/{id}"));
    assert!(keys[6].starts_with(&format!("tokens/{id}/")), "the token that was the proof is cached");
    assert_eq!(keys.len(), 7);
    for open in [&keys[0], &keys[1]] {
        assert!(!world.secrets.borrow()[open].contains("PRIVATE KEY"), "{open} holds the key");
    }
}

#[test]
fn an_id_that_comes_again_is_nobody_elses() {
    let world = World::new().answer(access_token(canaries::FIRST)).answer(access_token(canaries::SECOND));
    let (first, _) = block_on(connections::connect(&world, connect_request(), None)).unwrap();
    let before = world.secrets.borrow().clone();
    // The same random bytes as the first time.
    world.counter.set(0);
    let (second, _) = block_on(connections::connect(&world, connect_request(), None)).unwrap();
    assert_ne!(first.id, second.id);
    for (key, value) in before {
        assert_eq!(world.secrets.borrow().get(&key), Some(&value), "{key}");
    }
}

#[test]
fn a_connection_that_cannot_be_kept_takes_nothing_of_others_along() {
    let world = World::new().answer(access_token(canaries::FIRST));
    // Somebody else's credential and key, under the id that comes next; the connection itself is not there yet.
    let id = format!("{:016x}", u64::from_be_bytes([1; 8]));
    for kind in ["credentials", "keys"] {
        world.set(&format!("{kind}/{id}"), "theirs");
    }
    world.counter.set(0);
    let error = block_on(connections::connect(&world, connect_request(), None)).unwrap_err();
    assert_eq!(error.kind(), Kind::SecretStore);
    assert_eq!(world.secrets.borrow().len(), 2);
    assert!(world.secrets.borrow().values().all(|value| value == "theirs"));
}

#[test]
fn nothing_is_kept_when_google_refuses() {
    let answer =
        json_answer(400, &json!({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}));
    let world = World::new().answer(answer);
    let error = block_on(connections::connect(&world, connect_request(), None)).unwrap_err();
    assert_eq!(
        (error.kind(), error.fields().reason.as_deref()),
        (Kind::CredentialRejected, Some("invalid_grant"))
    );
    assert_eq!(error.fields().trace.len(), 1, "invalid_grant is never repeated");
    assert!(error.to_string().contains("make a new key"));
    assert!(world.secrets.borrow().is_empty());
}

#[test]
fn nothing_is_kept_when_the_store_cannot_be_written() {
    let world = World::new().answer(access_token(canaries::FIRST));
    world.read_only.set(true);
    let error = block_on(connections::connect(&world, connect_request(), None)).unwrap_err();
    assert_eq!(error.kind(), Kind::SecretStore);
    assert!(error.to_string().contains("read-only"));
}

#[test_case("", None, None; "an empty nickname")]
#[test_case("a\nb", None, None; "a nickname of two lines")]
#[test_case("n", Some("../other"), None; "a bad project")]
#[test_case("n", None, Some("Mars"); "a bad region")]
fn bad_input_sends_nothing(nickname: &str, project: Option<&str>, region: Option<&str>) {
    let world = World::new();
    let mut request = connect_request();
    request.nickname = nickname.to_owned();
    request.project = project.map(str::to_owned);
    request.region = region.map(str::to_owned);
    let error = block_on(connections::connect(&world, request, None)).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert!(world.urls().is_empty());
}

#[test]
fn a_second_connection_of_the_same_name_is_a_warning() {
    let (world, first) = World::connected();
    world.then(access_token(canaries::SECOND));
    let (second, warnings) = block_on(connections::connect(&world, connect_request(), None)).unwrap();
    assert_ne!(first, second.id);
    assert_eq!(warnings.len(), 1);
    assert_eq!(connections::list(&world).unwrap().len(), 2);
}

#[test]
fn a_region_that_nobody_has_heard_of_is_a_warning() {
    for (region, warned) in [("europe-west1", 0), ("europe-wst1", 1)] {
        let world = World::new().answer(access_token(canaries::FIRST));
        let request = ConnectRequest { region: Some(region.to_owned()), ..connect_request() };
        let (connection, warnings) = block_on(connections::connect(&world, request, None)).unwrap();
        assert_eq!((connection.region.as_str(), warnings.len()), (region, warned), "{warnings:?}");
    }
}

#[test]
fn a_key_that_stays_in_the_host_is_signed_with_and_never_read() {
    let world = World::new().answer(access_token(canaries::FIRST));
    world.signs.set(true);
    let mut request = connect_request();
    request.project = Some("demo-project".to_owned());
    request.credential = CredentialRequest::StoredKey {
        client_email: "bot@demo-project.iam.gserviceaccount.com".to_owned(),
        private_key_id: None,
        key: "keys/hsm".to_owned(),
    };
    let (connection, _) = block_on(connections::connect(&world, request, None)).unwrap();
    assert_eq!(connection.kind, CredentialKind::StoredKey);
    assert!(world.secrets.borrow().keys().all(|key| !key.starts_with("keys/")));
    let warnings = block_on(connections::disconnect(&world, &connection.id, None)).unwrap();
    assert!(warnings[0].contains("keys/hsm stays in the host"));
}

#[test]
fn a_stored_key_without_a_project_is_refused() {
    let mut request = connect_request();
    request.credential = CredentialRequest::StoredKey {
        client_email: "bot@demo-project.iam.gserviceaccount.com".to_owned(),
        private_key_id: None,
        key: "keys/hsm".to_owned(),
    };
    let error = block_on(connections::connect(&World::new(), request, None)).unwrap_err();
    assert!(error.to_string().contains("names a project"), "{error}");
}

#[test]
fn disconnecting_leaves_nothing_behind() {
    let (world, id) = World::connected();
    let warnings = block_on(connections::disconnect(&world, &id, None)).unwrap();
    assert!(warnings[0].contains("valid until it is deleted"));
    assert!(world.secrets.borrow().is_empty());
    assert_eq!(connections::get(&world, &id).unwrap_err().kind(), Kind::ConnectionNotFound);
    assert_eq!(connections::get(&world, "").unwrap_err().kind(), Kind::ConnectionRequired);
}

#[test]
fn a_damaged_entry_is_named_and_not_repeated() {
    let (world, id) = World::connected();
    for kind in ["credentials", "connections"] {
        world.set(&format!("{kind}/{id}"), "canary");
        let error = block_on(connections::check(&world, &id, None, None)).unwrap_err();
        assert_eq!(error.kind(), Kind::SecretStore);
        assert!(error.to_string().contains(&format!("{kind}/{id}")), "{error}");
        assert!(!format!("{error:?}").contains("canary"));
    }
}

#[test]
fn no_debug_of_a_request_shows_the_credential() {
    let request = connect_request();
    let shown = format!("{request:?}");
    assert!(!shown.contains("PRIVATE KEY"), "{shown}");
    let key = CredentialRequest::GoogleJson(Secret::new(DEMO_KEY.to_owned()));
    assert_eq!(format!("{key:?}"), "GoogleJson([secret])");
}
