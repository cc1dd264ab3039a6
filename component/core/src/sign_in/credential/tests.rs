use serde_json::{Value, json};
use test_case::test_case;

use super::*;
use crate::testing::DEMO_KEY;

fn parse(json: &Secret<String>, subject_token: Option<&str>) -> Result<Given> {
    Given::parse(CredentialRequest::GoogleJson(json.clone()), subject_token)
}

fn with(field: &str, value: Value) -> Secret<String> {
    let mut key: Value = serde_json::from_str(DEMO_KEY).unwrap();
    key[field] = value;
    Secret::new(key.to_string())
}

#[test]
fn a_key_as_google_hands_it_out_is_accepted() {
    let key = parse(&Secret::new(DEMO_KEY.to_owned()), None).unwrap();
    assert_eq!(key.identity.account(), "gcf-demo@demo-project.iam.gserviceaccount.com");
    assert_eq!(key.project.unwrap().as_str(), "demo-project");
    assert!(parse(&with("client_email", json!("x@evil.com")), None).is_ok(), "odd, but of no effect");
}

#[test_case("token_uri", json!("https://evil.com/token"))]
#[test_case("token_uri", json!("http://oauth2.googleapis.com/token"); "cleartext")]
#[test_case("universe_domain", json!("googleapis.com.evil.com"))]
#[test_case("private_key", json!("-----BEGIN PRIVATE KEY-----\\nMIIB"); "broken PEM")]
#[test_case("private_key", json!("canary"); "no PEM")]
#[test_case("private_key_id", json!("a\r\nb"))]
#[test_case("private_key_id", json!("-----BEGIN PRIVATE KEY-----canary"); "a key as its id")]
#[test_case("client_email", json!("x"))]
#[test_case("client_email", Value::Null; "no address")]
#[test_case("type", json!("SERVICE_ACCOUNT"))]
fn a_field_is_refused_by_name_and_not_repeated(field: &str, value: Value) {
    let error = parse(&with(field, value), None).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidCredential);
    assert_eq!(error.fields().details[0].1, field);
    let shown = format!("{error:?} {error}");
    assert!(!shown.contains("canary") && !shown.contains("evil") && !shown.contains("MIIB"), "{shown}");
}

#[test]
fn a_short_key_is_refused() {
    let error = parse(&with("private_key", json!(crate::testing::KEY_512)), None).unwrap_err();
    assert!(error.fields().message.contains("shorter than 2048 bits"), "{error}");
}

#[test_case("external_account_authorized_user")]
#[test_case("gdch_service_account")]
fn other_kinds_are_named(kind: &str) {
    let error = parse(&with("type", json!(kind)), None).unwrap_err();
    assert_eq!(error.kind(), Kind::UnsupportedCredential);
    assert_eq!(error.fields().details[0].1, kind);
}

#[test_case("not json canary"; "no JSON")]
#[test_case(""; "nothing")]
fn what_is_not_json_is_not_repeated(text: &str) {
    let error = parse(&Secret::new(text.to_owned()), None).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidCredential);
    assert!(!format!("{error:?}").contains("canary"));
}

#[test_case("[".repeat(60_000), "json", "is not JSON"; "deep")]
#[test_case(format!("{{\"type\":{}", "[".repeat(60_000)), "json", "is not JSON"; "deep in a field")]
#[test_case("[".repeat(100_000), "json", "is larger than 64 KiB"; "deep and large")]
#[test_case(with("extra", json!("x".repeat(2_000_000))).reveal().clone(), "json", "is larger than 64 KiB"; "large")]
#[test_case("[]".to_owned(), "json", "is not an object"; "a list")]
fn bombs_are_refused_by_name(text: String, field: &str, words: &str) {
    let error = parse(&Secret::new(text), None).unwrap_err();
    assert_eq!((error.kind(), error.fields().details[0].1.as_str()), (Kind::InvalidCredential, field));
    assert!(error.fields().message.contains(words), "{error}");
}
