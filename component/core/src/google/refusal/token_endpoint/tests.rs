//! The table: each refusal that is known, its verdict, and the words that a person sees.

use std::fmt::Write as _;

use test_case::test_case;

use super::*;

const SOMEBODY: &str = "ada@example.com";
const SERVICE_ACCOUNT: &str = "demo@p.iam.gserviceaccount.com";

struct Case {
    grant: Grant,
    status: u16,
    body: &'static str,
    kind: Kind,
    cause: &'static str,
}

const fn case(grant: Grant, status: u16, body: &'static str, kind: Kind, cause: &'static str) -> Case {
    Case { grant, status, body, kind, cause }
}

use Grant::{Assertion, Code, Exchange, RefreshToken};

/// In the order of `words.txt`.
#[rustfmt::skip]
const CASES: [Case; 56] = [
    // A user's sign-in.
    case(RefreshToken, 400, r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#, Kind::ReconnectRequired, "revoked"),
    case(RefreshToken, 400, r#"{"error":"invalid_grant","error_description":"Bad Request"}"#, Kind::ReconnectRequired, "unknown"),
    case(RefreshToken, 400, r#"{"error":"invalid_grant"}"#, Kind::ReconnectRequired, "unknown"),
    case(RefreshToken, 400, r#"{"error":"invalid_grant","error_description":"reauth related error (invalid_rapt)","error_subtype":"invalid_rapt"}"#, Kind::ReconnectRequired, "reauthentication"),
    case(RefreshToken, 400, r#"{"error":"invalid_grant","error_description":"reauth related error","error_subtype":"rapt_required"}"#, Kind::ReconnectRequired, "reauthentication"),
    case(RefreshToken, 400, r#"{"error":"invalid_grant","error_subtype":"invalid_rapt"}"#, Kind::ReconnectRequired, "reauthentication"),
    case(RefreshToken, 400, r#"{"error":"invalid_grant","error_description":"reauth related error (rapt_required)"}"#, Kind::ReconnectRequired, "reauthentication"),
    case(RefreshToken, 400, r#"{"error":"invalid_grant","error_description":"reauth related error"}"#, Kind::ReconnectRequired, "reauthentication"),
    case(RefreshToken, 400, r#"{"error":"invalid_grant","error_description":"The account has been deleted"}"#, Kind::ReconnectRequired, "account-gone"),
    case(RefreshToken, 400, r#"{"error":"invalid_grant","error_description":"Invalid grant: account not found"}"#, Kind::ReconnectRequired, "account-gone"),
    case(RefreshToken, 400, r#"{"error":"invalid_scope","error_description":"Some requested scopes were invalid."}"#, Kind::InsufficientScope, "scope"),
    case(Code, 400, r#"{"error":"invalid_grant","error_description":"Bad Request"}"#, Kind::ReconnectRequired, "unknown"),
    case(Code, 400, r#"{"error":"invalid_grant","error_description":"Malformed auth code."}"#, Kind::ReconnectRequired, "unknown"),
    case(Code, 400, r#"{"error":"redirect_uri_mismatch","error_description":"Bad Request"}"#, Kind::ClientConfig, "client"),
    case(Code, 400, r#"{"error":"invalid_request","error_description":"client_secret is missing."}"#, Kind::ClientConfig, "client"),

    // A service account's key.
    case(Assertion, 400, r#"{"error":"invalid_grant","error_description":"Robot is disabled."}"#, Kind::CredentialRejected, "account-disabled"),
    case(Assertion, 400, r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#, Kind::CredentialRejected, "key-unknown"),
    case(Assertion, 400, r#"{"error":"invalid_grant","error_description":"Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."}"#, Kind::ClockSkew, "clock-skew"),
    case(Assertion, 400, r#"{"error":"invalid_grant","error_description":"Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."}"#, Kind::ClockSkew, "clock-skew"),
    case(Assertion, 400, r#"{"error":"invalid_grant","error_description":"Check your iat and exp values and use a clock with skew to account for clock differences between systems."}"#, Kind::ClockSkew, "clock-skew"),
    case(Assertion, 400, r#"{"error":"invalid_grant","error_description":"Invalid JWT: Failed audience check."}"#, Kind::CredentialRejected, "unknown"),
    case(Assertion, 400, r#"{"error":"invalid_grant","error_description":"Invalid grant: account not found"}"#, Kind::CredentialRejected, "account-gone"),
    case(Assertion, 400, r#"{"error":"invalid_grant","error_description":"Invalid email or User ID"}"#, Kind::CredentialRejected, "account-gone"),
    case(Assertion, 400, r#"{"error":"invalid_grant","error_description":"Invalid JWT: No valid verifier found for issuer"}"#, Kind::CredentialRejected, "account-gone"),
    case(Assertion, 400, r#"{"error":"invalid_grant","error_description":"The account has been deleted"}"#, Kind::CredentialRejected, "account-gone"),
    case(Assertion, 400, r#"{"error":"invalid_grant","error_description":"Something new"}"#, Kind::CredentialRejected, "unknown"),
    case(Assertion, 400, r#"{"error":"invalid_scope","error_description":"Invalid OAuth scope or ID token audience provided."}"#, Kind::CredentialRejected, "scope"),
    case(Assertion, 401, r#"{"error":"unauthorized_client","error_description":"Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested."}"#, Kind::ClientConfig, "client"),
    case(Assertion, 401, r#"{"error":"unauthorized_client","error_description":"Unauthorized client or scope in request."}"#, Kind::ClientConfig, "client"),

    case(RefreshToken, 400, r#"{"error":"invalid_grant","error_description":"Account has been deleted"}"#, Kind::ReconnectRequired, "account-gone"),

    // The OAuth client, and policies.
    case(RefreshToken, 400, r#"{"error":"unauthorized_client"}"#, Kind::ClientConfig, "client"),
    case(RefreshToken, 401, r#"{"error":"invalid_client","error_description":"The OAuth client was not found."}"#, Kind::ClientConfig, "client"),
    case(RefreshToken, 401, r#"{"error":"invalid_client","error_description":"Unauthorized"}"#, Kind::ClientConfig, "client"),
    case(RefreshToken, 401, r#"{"error":"invalid_client"}"#, Kind::ClientConfig, "client"),
    case(RefreshToken, 401, r#"{"error":"deleted_client","error_description":"The OAuth client was deleted."}"#, Kind::ClientConfig, "client"),
    case(RefreshToken, 401, r#"{"error":"disabled_client","error_description":"The OAuth client was disabled."}"#, Kind::ClientConfig, "client"),
    case(RefreshToken, 400, r#"{"error":"admin_policy_enforced"}"#, Kind::AuthorizationDenied, "policy"),
    case(RefreshToken, 403, r#"{"error":"org_internal","error_description":"This client is restricted to users within its organization."}"#, Kind::ClientConfig, "policy"),
    case(RefreshToken, 403, r#"{"error":"access_denied","error_description":"Forbidden"}"#, Kind::AuthorizationDenied, "policy"),

    // Workload identity federation.
    case(Exchange, 400, r#"{"error":"invalid_target","error_description":"The target service indicated by the \"audience\" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn't exist."}"#, Kind::CredentialRejected, "client"),
    case(Exchange, 400, r#"{"error":"invalid_request","error_description":"Invalid value for \"subject_token_type\"."}"#, Kind::CredentialRejected, "client"),
    case(Exchange, 400, r#"{"error":"invalid_grant","error_description":"ID Token issued at 1772366400 is stale to sign-in."}"#, Kind::CredentialRejected, "unknown"),
    case(Exchange, 400, r#"{"error":"unauthorized_client","error_description":"The given credential is rejected by the attribute condition."}"#, Kind::CredentialRejected, "policy"),

    // What passes.
    case(RefreshToken, 500, r#"{"error":"internal_failure","error_description":"Backend Error"}"#, Kind::Unavailable, "fault"),
    case(RefreshToken, 400, r#"{"error":"internal_failure","error_description":"Backend Error"}"#, Kind::Unavailable, "fault"),
    case(Assertion, 400, r#"{"error":"invalid_request","error_description":"server_error"}"#, Kind::Unavailable, "fault"),
    case(Exchange, 400, r#"{"error":"temporarily_unavailable"}"#, Kind::Unavailable, "fault"),
    case(RefreshToken, 408, "", Kind::Unavailable, "fault"),
    case(Assertion, 503, "<html>canary</html>", Kind::Unavailable, "fault"),
    case(RefreshToken, 429, r#"{"error":"rate_limit_exceeded"}"#, Kind::RateLimited, "rate"),
    case(RefreshToken, 403, r#"{"error":"slow_down","error_description":"Forbidden"}"#, Kind::RateLimited, "rate"),

    // What nobody expects.
    case(RefreshToken, 400, r#"{"error":"unsupported_grant_type"}"#, Kind::Internal, "unknown"),
    case(RefreshToken, 428, r#"{"error":"authorization_pending","error_description":"Precondition Required"}"#, Kind::CredentialRejected, "unknown"),
    case(RefreshToken, 403, "<html>canary</html>", Kind::InvalidResponse, "unknown"),
    case(RefreshToken, 400, r#"{"error":{"message":"canary"}}"#, Kind::InvalidResponse, "unknown"),
    case(RefreshToken, 302, "", Kind::UnexpectedRedirect, "unknown"),
];

fn account(grant: Grant) -> &'static str {
    match grant {
        RefreshToken | Code => SOMEBODY,
        Assertion | Exchange => SERVICE_ACCOUNT,
    }
}

#[test]
fn each_refusal_has_its_verdict() {
    for Case { grant, status, body, kind, cause } in &CASES {
        let error = error(*status, body.as_bytes(), *grant, account(*grant));
        assert_eq!(error.kind(), *kind, "{grant:?} {status} {body}");
        let fields = error.fields();
        assert_eq!(fields.details, [("cause".to_owned(), (*cause).to_owned())]);
        assert_eq!((fields.http_status, fields.origin), (Some(*status), Origin::TokenEndpoint));
    }
}

#[test]
fn each_refusal_has_its_words() {
    let mut words = String::new();
    for Case { grant, status, body, .. } in &CASES {
        let error = error(*status, body.as_bytes(), *grant, account(*grant));
        let fix = error.fields().fix.as_deref().unwrap();
        writeln!(words, "{}\n    {fix}", error.fields().message).unwrap();
    }
    assert!(words == include_str!("words.txt"), "words.txt should be:\n{words}");
    assert!(!words.contains("canary") && !words.contains('{'));
}

#[test]
fn each_row_of_the_table_is_met_by_a_case() {
    for row in &table::ROWS {
        let met = CASES.iter().any(|case| {
            let verdict = Refusal::read(case.body.as_bytes()).verdict(case.status, case.grant);
            std::ptr::eq(verdict, &raw const row.verdict)
        });
        assert!(met, "{} {}", row.code, row.says);
    }
}

#[test_case(RefreshToken)]
#[test_case(Code)]
#[test_case(Assertion)]
#[test_case(Exchange)]
fn an_invalid_grant_never_passes_by_itself(grant: Grant) {
    for status in [400, 401, 429, 500, 503] {
        for description in ["", "Bad Request", "server_error"] {
            let body = format!(r#"{{"error":"invalid_grant","error_description":"{description}"}}"#);
            let kind = error(status, body.as_bytes(), grant, account(grant)).kind();
            assert!(
                !matches!(kind, Kind::Unavailable | Kind::RateLimited),
                "{status} {description}: {kind:?}"
            );
        }
    }
}

#[test]
fn what_google_says_is_one_short_line() {
    let body = format!(r#"{{"error":"new\r\n\u001b[31m","error_description":"{}"}}"#, "x".repeat(10_000));
    let error = error(400, body.as_bytes(), RefreshToken, SOMEBODY);
    let message = &error.fields().message;
    assert!(message.starts_with("Google's token endpoint refused: new [31m (xxx"), "{message}");
    assert!(message.chars().count() < 500 && !message.contains(char::is_control));
}
