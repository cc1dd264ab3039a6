//! The files that are accepted as an OAuth client.

use test_case::test_case;

use super::*;
use crate::testing::canaries;

#[test_case("installed", ClientKind::Installed)]
#[test_case("web", ClientKind::Web)]
fn is_accepted_as_google_hands_it_out(kind: &str, expected: ClientKind) {
    let client = client(kind);
    assert_eq!(client.id, "1234567890-abc.apps.googleusercontent.com");
    assert_eq!(client.secret.as_ref().unwrap().reveal(), canaries::CLIENT_SECRET);
    assert_eq!(client.kind, expected);
    assert_eq!(client.project.as_ref().unwrap().as_str(), "demo-project");
    assert_eq!(client.redirect_uris.len(), 2);
    assert!(!format!("{client:?}").contains("canary"));
}

#[test]
fn may_leave_out_what_is_never_used() {
    let bare = parse(&json!({"installed": {"client_id": "abc"}})).unwrap();
    assert_eq!((bare.secret, bare.project, bare.redirect_uris.len()), (None, None, 0));
}

#[test_case("token_uri", json!("https://accounts.google.com/o/oauth2/token"); "an old token endpoint")]
#[test_case("token_uri", json!("https://www.googleapis.com/oauth2/v4/token"); "a less old one")]
#[test_case("auth_uri", json!("https://accounts.google.com/o/oauth2/v2/auth"); "the newer authorization endpoint")]
#[test_case("auth_uri", Value::Null; "no authorization endpoint")]
fn with_another_url_of_google_is_accepted(field: &str, value: Value) {
    let mut file = file("web");
    file["web"][field] = value;
    assert!(parse(&file).is_ok());
}

#[test_case("auth_uri", json!("https://evil.com/canary"); "a foreign authorization endpoint")]
#[test_case("auth_uri", json!("http://accounts.google.com/o/oauth2/auth"); "authorization in clear text")]
#[test_case("auth_uri", json!("https://accounts.google.com.evil.com/o/oauth2/auth"); "a suffix")]
#[test_case("auth_uri", json!(""); "an empty authorization endpoint")]
#[test_case("token_uri", json!("https://evil.com/canary"); "a foreign token endpoint")]
#[test_case("token_uri", json!("http://oauth2.googleapis.com/token"); "tokens in clear text")]
#[test_case("auth_provider_x509_cert_url", json!("https://evil.com/canary"); "foreign certificates")]
#[test_case("client_id", Value::Null; "no id")]
#[test_case("client_id", json!(""); "an empty id")]
#[test_case("client_id", json!("canary x"); "a space in the id")]
#[test_case("client_id", json!("canary\r\n"); "a line break in the id")]
#[test_case("client_id", json!("canary\u{e9}"); "no ASCII in the id")]
#[test_case("client_id", json!("x".repeat(257)); "an id too long")]
#[test_case("client_secret", Value::Null; "a web client without a secret")]
#[test_case("client_secret", json!("canary x"); "a space in the secret")]
#[test_case("client_secret", json!(""); "an empty secret")]
fn with_a_bad_field_is_refused_by_name_and_not_repeated(field: &str, value: Value) {
    let mut file = file("web");
    file["web"][field] = value;
    let error = parse(&file).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "field")), (Kind::InvalidCredential, Some(field)));
    let shown = format!("{error:?} {error}");
    assert!(!shown.contains("canary") && !shown.contains("evil"), "{shown}");
}

#[test_case("service_account", "the key of a service account")]
#[test_case("authorized_user", "a user's credential, signed in already")]
#[test_case("external_account", "a credential of its own kind")]
fn that_is_another_credential_is_told_where_it_belongs(kind: &str, what: &str) {
    let error =
        parse(&json!({"type": kind, "private_key": "canary", "refresh_token": "canary"})).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "field")), (Kind::InvalidCredential, Some("type")));
    assert_eq!(error.fields().message, format!("this is not an OAuth client but {what}"));
    let fix = error.fields().fix.as_deref().unwrap();
    assert!(fix.starts_with("connect with it as a Google credential"), "{fix}");
    let details = &error.fields().details;
    assert!(details.contains(&("cause".to_owned(), "not-a-client".to_owned())), "{details:?}");
    assert!(!format!("{error:?}").contains("canary"));
}

#[test_case("not json canary"; "no JSON")]
#[test_case(""; "nothing")]
#[test_case("{}"; "empty")]
#[test_case(r#"{"type": "canary"}"#; "an unknown type")]
#[test_case(r#"{"installed": {"client_id": "canary"}, "web": {"client_id": "canary"}}"#; "both kinds")]
#[test_case(r#"{"installed": {"client_id": "a", "client_id": "canary"}}"#; "a field twice")]
#[test_case(r#"{"installed": {"client_id": {"canary": 1}}}"#; "a field of another type")]
fn that_is_none_is_not_repeated(text: &str) {
    let error = OAuthClient::parse(&Secret::new(text.to_owned())).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "field")), (Kind::InvalidCredential, Some("json")));
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
}

#[test]
fn that_is_a_bomb_is_refused() {
    assert!(OAuthClient::parse(&Secret::new("[".repeat(60_000))).is_err());
    assert!(OAuthClient::parse(&Secret::new(format!("{{\"a\":{}", "[".repeat(60_000)))).is_err());
    let mut large = file("web");
    large["web"]["extra"] = json!("x".repeat(70_000));
    assert!(parse(&large).unwrap_err().fields().message.contains("larger than 64 KiB"));
}

/// The file of a client, wrapped as a credential is.
#[test]
fn a_client_is_taken_out_of_what_it_is_wrapped_in() {
    use base64::Engine as _;
    let plain = file("installed").to_string();
    let base64 = base64::engine::general_purpose::STANDARD.encode(&plain);
    for wrapped in [
        format!("\u{feff}{plain}\r\n"),
        format!("'{plain}'"),
        base64,
        Value::from(plain.as_str()).to_string(),
    ] {
        assert!(OAuthClient::parse(&Secret::new(wrapped.clone())).is_ok(), "{wrapped}");
    }
}

#[test]
fn a_file_of_another_kind_is_named() {
    let other = json!({"project_info": {"project_id": "x"}, "client": [], "configuration_version": "1"});
    let error = parse(&other).unwrap_err();
    assert!(error.to_string().contains("google-services.json"), "{error}");
}

/// Clients of 2017 and 2018 have the second one.
#[test]
fn every_token_endpoint_that_google_wrote_is_accepted() {
    for url in crate::google::hosts::TOKEN_URLS {
        let mut client = file("installed");
        client["installed"]["token_uri"] = json!(url);
        assert!(parse(&client).is_ok(), "{url}");
    }
}
