use serde_json::{Value, json};
use test_case::test_case;

use super::*;
use crate::testing::{DEMO_KEY, canaries, signed};

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

#[test_case("[".repeat(60_000), "json", "is nested deeper than the 127 levels"; "deep")]
#[test_case(format!("{{\"type\":{}", "[".repeat(60_000)), "json", "is nested deeper than the 127 levels"; "deep in a field")]
#[test_case("[".repeat(100_000), "json", "is larger than 64 KiB"; "deep and large")]
#[test_case(with("extra", json!("x".repeat(2_000_000))).reveal().clone(), "json", "is larger than 64 KiB"; "large")]
#[test_case("[]".to_owned(), "json", "is not an object"; "a list")]
fn bombs_are_refused_by_name(text: String, field: &str, words: &str) {
    let error = parse(&Secret::new(text), None).unwrap_err();
    assert_eq!((error.kind(), error.fields().details[0].1.as_str()), (Kind::InvalidCredential, field));
    assert!(error.fields().message.contains(words), "{error}");
}

/// Each address that Google has written into a file is accepted, and none is followed.
#[test]
fn every_token_endpoint_of_googles_is_accepted_and_none_is_followed() {
    use crate::google::hosts::TOKEN_URLS;
    // Keys of 2013 to 2018 have the second and the third one; see `TOKEN_URLS`.
    let urls = [
        "https://oauth2.googleapis.com/token",
        "https://accounts.google.com/o/oauth2/token",
        "https://www.googleapis.com/oauth2/v4/token",
        "https://www.googleapis.com/oauth2/v3/token",
    ];
    assert!(urls.iter().all(|url| TOKEN_URLS.contains(url)) && urls.len() == TOKEN_URLS.len());
    for url in urls {
        assert!(parse(&with("token_uri", json!(url)), None).is_ok(), "{url}");
        for wrong in [format!("{url}/"), format!("{url}?x"), url.replace("https", "http"), url.to_uppercase()]
        {
            assert!(parse(&with("token_uri", json!(wrong)), None).is_err(), "{wrong}");
        }
    }
}

/// `universe_domain` as google-auth's `to_json` writes it for a user: empty.
#[test_case(json!("googleapis.com"), None; "Google Cloud")]
#[test_case(json!(""), None; "empty")]
#[test_case(Value::Null, None; "null")]
#[test_case(json!("s3nsapis.fr"), Some(Kind::UnsupportedCredential); "a sovereign cloud")]
#[test_case(json!("apis-tpczero.goog"), Some(Kind::UnsupportedCredential); "another universe")]
#[test_case(json!("googleapis.com.evil.com"), Some(Kind::UnsupportedCredential); "one that looks alike")]
fn a_key_of_another_universe_is_unsupported(universe: Value, refused: Option<Kind>) {
    let error = parse(&with("universe_domain", universe), None).err();
    assert_eq!(error.as_ref().map(Error::kind), refused);
    if let Some(error) = error {
        assert_eq!(error.fields().details[0].1, "universe_domain");
        assert!(error.to_string().contains("universe") && !error.to_string().contains("evil"), "{error}");
    }
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// Environment variables, secret stores and shells: GoogleCloudPlatform/functions-framework-nodejs and
/// google-github-actions/auth (docs/TROUBLESHOOTING.md) name most of them.
#[test_case(|file| file; "as it is")]
#[test_case(|file| format!("\u{feff}{file}"); "a byte order mark")]
#[test_case(|file| file.replace('\n', "\r\n"); "line breaks of Windows")]
#[test_case(|file| format!(" \n{file}\n\n"); "white space around it")]
#[test_case(|file| format!("'{file}'"); "in quotes")]
#[test_case(|file| Value::from(file).to_string(); "as a text of JSON")]
#[test_case(|file| base64(&file); "in Base64")]
#[test_case(|file| Value::from(base64(&file)).to_string(); "in Base64, as a text of JSON")]
#[test_case(|file| base64(&file).as_bytes().chunks(76).map(|l| String::from_utf8_lossy(l) + "\n").collect(); "in Base64 of lines")]
#[test_case(|file| json!({"name": "projects/p/serviceAccounts/a/keys/k", "privateKeyType": "TYPE_GOOGLE_CREDENTIALS_FILE", "privateKeyData": base64(&file)}).to_string(); "as the API answers that made it")]
#[test_case(|file| file.replace("\\n", "\n"); "line breaks in the key that a shell has made real")]
#[test_case(|file| file.replace("\\n", "\r\n"); "those of Windows")]
#[test_case(|file| file.replace("\\n", "\\\\n"); "line breaks in the key as two characters")]
#[test_case(|file| { let mut key: Value = serde_json::from_str(&file).unwrap(); key.as_object_mut().unwrap().remove("type"); key.to_string() }; "without its type")]
fn a_key_is_taken_out_of_what_it_is_wrapped_in(wrap: fn(String) -> String) {
    let given = parse(&Secret::new(wrap(DEMO_KEY.to_owned())), None).unwrap();
    assert_eq!(given.identity.account(), "gcf-demo@demo-project.iam.gserviceaccount.com");
    assert_eq!(given.project.unwrap().as_str(), "demo-project");
}

/// google-auth 2 (`google.oauth2.credentials.Credentials.to_json`) and oauth2client 4 (`Storage`).
#[test_case(json!({"token": canaries::FIRST, "refresh_token": canaries::REFRESH_FIRST, "token_uri": "https://oauth2.googleapis.com/token", "client_id": "1.apps.googleusercontent.com", "client_secret": canaries::CLIENT_SECRET, "scopes": ["https://www.googleapis.com/auth/cloud-platform"], "universe_domain": "googleapis.com", "account": "", "expiry": "2026-03-01T12:00:00Z"}); "google auth")]
#[test_case(json!({"_module": "oauth2client.client", "_class": "OAuth2Credentials", "access_token": canaries::FIRST, "refresh_token": canaries::REFRESH_FIRST, "token_uri": "https://accounts.google.com/o/oauth2/token", "client_id": "1.apps.googleusercontent.com", "client_secret": "a", "invalid": false, "token_response": {"access_token": canaries::FIRST}}); "oauth2client")]
#[test_case(json!({"account": "ada@example.com", "client_id": "1.apps.googleusercontent.com", "client_secret": "d-FL95Q19q7MQmFpd7hHD0Ty", "quota_project_id": "demo-project", "refresh_token": canaries::REFRESH_FIRST, "type": "authorized_user", "universe_domain": "googleapis.com"}); "gcloud")]
fn a_users_credential_in_other_clothes_is_taken(file: Value) {
    let given = parse(&Secret::new(file.to_string()), None).unwrap();
    assert!(matches!(given.identity.credential, Credential::AuthorizedUser(_)));
}

#[test_case(r#"{"project_info": {"project_id": "x"}, "client": [], "configuration_version": "1"}"#, "google-services"; "google services json")]
#[test_case(r#"{"apiKey": "AIzaX", "authDomain": "x.firebaseapp.com", "projectId": "x", "appId": "1"}"#, "firebase-config"; "firebase web")]
#[test_case("const firebaseConfig = {\n  apiKey: \"AIzaX\",\n};", "script"; "firebase script")]
#[test_case(r#"{"functions": {"source": "functions"}, "hosting": {"public": "public"}}"#, "firebase-project"; "firebase json")]
#[test_case(r#"{"installed": {"client_id": "1.apps.googleusercontent.com"}}"#, "oauth-client"; "a client of a desktop app")]
#[test_case(r#"{"web": {"client_id": "1.apps.googleusercontent.com"}}"#, "oauth-client"; "a client of a web application")]
#[test_case(r#"{"projectId": "x", "clientEmail": "a@b.iam.gserviceaccount.com", "privateKey": "-----BEGIN"}"#, "renamed-key"; "firebase admin")]
#[test_case(r#"{"name": "projects/p/serviceAccounts/a/keys/k", "validAfterTime": "2026", "keyAlgorithm": "KEY_ALG_RSA_2048"}"#, "key-metadata"; "keys list")]
#[test_case(r#"{"name": "projects/p/serviceAccounts/a", "uniqueId": "1", "email": "a@b.iam.gserviceaccount.com"}"#, "account"; "service accounts describe")]
#[test_case(&json!({"access_token": canaries::FIRST, "expires_in": 3599, "token_type": "Bearer"}).to_string(), "token"; "an answer of the token endpoint")]
#[test_case(canaries::FIRST, "token"; "an access token")]
#[test_case(&signed(&json!({"iss": "canary"})), "token"; "an ID token")]
#[test_case(canaries::REFRESH_FIRST, "refresh-token"; "a refresh token")]
#[test_case("AIzaSycanary", "api-key"; "an API key")]
#[test_case("apiVersion: v1\nkind: Config\nclusters: []\n", "kubernetes"; "kubeconfig")]
#[test_case(r#"{"kind": "Config", "apiVersion": "v1", "clusters": []}"#, "kubernetes"; "kubeconfig as JSON")]
#[test_case("<!DOCTYPE html><html>canary</html>", "html"; "a web page")]
#[test_case("\n<html>\n", "html"; "a web page after a line break")]
#[test_case("<?xml version=\"1.0\"?><plist/>", "xml"; "Apple")]
#[test_case("-----BEGIN PRIVATE KEY-----\ncanary", "private-key"; "a key alone")]
#[test_case("-----BEGIN CERTIFICATE-----\ncanary", "certificate"; "a certificate")]
#[test_case("MIIKPAIBAzCCCfYGCSqGSIb3DQEHAaCCCecEggnj", "p12"; "PKCS 12 in Base64")]
#[test_case("[core]\naccount = ada@example.com\n", "gcloud"; "a configuration of gcloud")]
#[test_case("[default]\naws_access_key_id = canary\n", "aws"; "AWS")]
#[test_case("/home/ada/key.json", "path"; "the name of a file")]
#[test_case("C:\\Users\\ada\\key.json", "path"; "the name of a file on Windows")]
fn a_file_of_another_kind_is_named(file: &str, name: &str) {
    let error = parse(&Secret::new(file.to_owned()), None).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidCredential);
    let fields = error.fields();
    assert_eq!(fields.details.last().unwrap(), &("file".to_owned(), name.to_owned()), "{error}");
    assert!(fields.fix.is_some() && !error.to_string().contains("canary"), "{error}");
}
