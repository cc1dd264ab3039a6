//! Google credential JSON, read as the hostile input that it is.
//!
//! Every URL in it is compared with the one that Google documents, and none is ever used: Google's own
//! libraries follow `token_uri`, and warn not to load what one has not checked.
//! <https://docs.cloud.google.com/docs/authentication/external/externally-sourced-credentials>

use serde::Deserialize;

use crate::{
    error::{Error, Kind, Origin, Result},
    json,
    jwt::PrivateKey,
    names::{AccountEmail, ProjectId},
    secret::Secret,
    target::TOKEN_URL,
};

/// The largest credential, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// A service account's key, checked.
#[derive(Debug)]
pub struct ServiceAccountKey {
    /// Who signs in.
    pub email: AccountEmail,
    /// Google's id of the key.
    pub key_id: Option<KeyId>,
    /// The key, parsed once to prove that it signs.
    pub key: PrivateKey,
    /// The project that the credential names.
    pub project: Option<ProjectId>,
}

/// The id of a key: it goes into the header of an assertion, so it is plain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyId(String);

impl KeyId {
    /// Parses an id of letters, digits, `-` and `_`.
    ///
    /// # Errors
    /// `invalid-credential` of field `private_key_id`. A private key that stands here by mistake is
    /// refused too, and not repeated.
    pub fn parse(text: &str) -> Result<Self> {
        let ok = (1..=128).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if ok { Ok(Self(text.to_owned())) } else { Err(invalid("private_key_id", "is not the id of a key")) }
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Deserialize)]
struct Kinded {
    #[serde(rename = "type", default)]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Raw {
    client_email: Option<String>,
    private_key: Option<String>,
    private_key_id: Option<String>,
    project_id: Option<String>,
    token_uri: Option<String>,
    universe_domain: Option<String>,
}

/// Parses a credential JSON of any kind, and returns the ones that this version can use.
///
/// # Errors
/// `invalid-credential`, whose `details.field` names what is wrong and whose text never repeats the
/// input; `unsupported-credential` for a kind that Google hands out and this version cannot use.
pub fn parse(json: &Secret<String>) -> Result<ServiceAccountKey> {
    let text = json.reveal();
    if text.len() > MAX_BYTES {
        return Err(invalid("json", "is larger than 64 KiB"));
    }
    // serde_json refuses a depth of more than 128 by itself.
    let kinded: Kinded = json::read(text).map_err(|error| not_json(&error))?;
    match kinded.kind.as_deref() {
        Some("service_account") => service_account(text),
        Some(
            kind @ ("authorized_user"
            | "impersonated_service_account"
            | "external_account"
            | "external_account_authorized_user"
            | "gdch_service_account"),
        ) => Err(Error::new(
            Kind::UnsupportedCredential,
            Origin::Connection,
            format!("credentials of type {kind} cannot be used in this version"),
        )
        .detail("type", kind)
        .fix("use the JSON key of a service account")),
        _ => Err(invalid("type", "is not a kind of credential that Google hands out")),
    }
}

fn service_account(text: &str) -> Result<ServiceAccountKey> {
    let raw: Raw = json::read(text).map_err(|error| not_json(&error))?;
    if raw.token_uri.as_deref().is_some_and(|uri| uri != TOKEN_URL) {
        return Err(invalid("token_uri", "is not Google's token endpoint"));
    }
    if raw.universe_domain.as_deref().is_some_and(|domain| domain != "googleapis.com") {
        return Err(invalid("universe_domain", "is not googleapis.com"));
    }
    let email = raw.client_email.ok_or_else(|| invalid("client_email", "is missing"))?;
    let pem = raw.private_key.map(Secret::new).ok_or_else(|| invalid("private_key", "is missing"))?;
    Ok(ServiceAccountKey {
        email: AccountEmail::parse(&email)?,
        key_id: raw.private_key_id.as_deref().map(KeyId::parse).transpose()?,
        key: PrivateKey::parse(pem)?,
        project: raw.project_id.as_deref().and_then(|id| ProjectId::parse(id).ok()),
    })
}

/// An `invalid-credential` about one field.
pub(crate) fn invalid(field: &str, what: &str) -> Error {
    Error::new(
        Kind::InvalidCredential,
        Origin::Connection,
        format!("the credential cannot be used: its field `{field}` {what}"),
    )
    .detail("field", field)
    .fix("use the JSON key as Google hands it out (IAM & Admin, Service Accounts, Keys), unchanged")
}

fn not_json(error: &serde_json::Error) -> Error {
    // The parser's own message may repeat a part of the input.
    let what = match error.classify() {
        serde_json::error::Category::Data => "has a field of an unexpected type",
        serde_json::error::Category::Eof => "ends too early",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "is not JSON",
    };
    Error::new(
        Kind::InvalidCredential,
        Origin::Connection,
        format!("the credential {what} (line {}, column {})", error.line(), error.column()),
    )
    .detail("field", "json")
    .fix("use the JSON key as Google hands it out (IAM & Admin, Service Accounts, Keys), unchanged")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use test_case::test_case;

    use super::*;
    use crate::testing::DEMO_KEY;

    fn with(field: &str, value: Value) -> Secret<String> {
        let mut key: Value = serde_json::from_str(DEMO_KEY).unwrap();
        key[field] = value;
        Secret::new(key.to_string())
    }

    #[test]
    fn a_key_as_google_hands_it_out_is_accepted() {
        let key = parse(&Secret::new(DEMO_KEY.to_owned())).unwrap();
        assert_eq!(key.email.as_str(), "gcf-demo@demo-project.iam.gserviceaccount.com");
        assert_eq!(key.project.unwrap().as_str(), "demo-project");
        assert!(parse(&with("client_email", json!("x@evil.com"))).is_ok(), "odd, but of no effect");
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
        let error = parse(&with(field, value)).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidCredential);
        assert_eq!(error.fields().details[0].1, field);
        let shown = format!("{error:?} {error}");
        assert!(!shown.contains("canary") && !shown.contains("evil") && !shown.contains("MIIB"), "{shown}");
    }

    #[test]
    fn a_short_key_is_refused() {
        let error = parse(&with("private_key", json!(crate::testing::KEY_512))).unwrap_err();
        assert!(error.fields().message.contains("shorter than 2048 bits"), "{error}");
    }

    #[test_case("authorized_user")]
    #[test_case("impersonated_service_account")]
    #[test_case("external_account")]
    fn other_kinds_are_named(kind: &str) {
        let error = parse(&with("type", json!(kind))).unwrap_err();
        assert_eq!(error.kind(), Kind::UnsupportedCredential);
        assert_eq!(error.fields().details[0].1, kind);
    }

    #[test_case("not json canary"; "no JSON")]
    #[test_case(""; "nothing")]
    fn what_is_not_json_is_not_repeated(text: &str) {
        let error = parse(&Secret::new(text.to_owned())).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidCredential);
        assert!(!format!("{error:?}").contains("canary"));
    }

    #[test]
    fn bombs_are_refused() {
        assert!(parse(&Secret::new("[".repeat(100_000))).is_err());
        assert!(parse(&Secret::new(format!("{{\"a\":{}", "[".repeat(60_000)))).is_err());
        assert!(parse(&with("extra", json!("x".repeat(70_000)))).is_err());
    }
}
