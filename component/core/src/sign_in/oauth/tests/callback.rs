//! The address that the browser comes back to.

use test_case::test_case;

use super::*;
use crate::testing::canaries;

/// A state of the right length that is not ours.
const OTHER: &str = "BwcHBwcHBwcHBwcHBwcHBx";

#[test_case("http://127.0.0.1:4711/callback?state={}&iss=https://accounts.google.com&code=CODE&scope=email%20openid%20https://www.googleapis.com/auth/cloud-platform&authuser=0&hd=example.com&prompt=consent"; "as Google sends it")]
#[test_case("  http://127.0.0.1:4711/callback?code=CODE&state={}\r\n"; "pasted with white space")]
#[test_case("?code=CODE&state={}"; "the query")]
#[test_case("code=CODE&state={}"; "the query without its mark")]
#[test_case("state={}&code=ESCAPED"; "escaped")]
#[test_case("error_uri=&state={}&code=CODE"; "an empty parameter that has no meaning")]
// Google's own page ends on it in some flows; an empty fragment names nothing (RFC 3986, section 3.5).
#[test_case("http://127.0.0.1:4711/callback?state={}&code=CODE#"; "an empty fragment")]
#[test_case("?code=CODE&state={}#\r\n"; "an empty fragment behind a query")]
fn gives_its_code(callback: &str) {
    let escaped = canaries::CODE.replace('/', "%2F");
    let callback = callback.replace("{}", GOOD).replace("CODE", canaries::CODE).replace("ESCAPED", &escaped);
    let code = finish(&callback).unwrap();
    assert_eq!(code.reveal(), canaries::CODE);
    assert!(!format!("{code:?}").contains("canary"));
}

#[test]
fn of_a_redirect_uri_without_a_path_has_the_slash_of_browsers() {
    let (redirect, _) = RedirectUri::parse("http://127.0.0.1:4711", &client("installed")).unwrap();
    for separator in ["?", "/?"] {
        let url = format!("http://127.0.0.1:4711{separator}code=4/x&state={GOOD}");
        assert!(Parameters::open(&url, &redirect).unwrap().authentic(&state()).is_ok(), "{url}");
    }
    assert!(Parameters::open("http://127.0.0.1:4711//?code=4/x", &redirect).is_err());
    assert!(Parameters::open("http://127.0.0.1:47110/?code=4/x", &redirect).is_err());
}

#[test_case("http://127.0.0.1:4711/other?code=canary&state={}", "format"; "another path")]
#[test_case("http://127.0.0.1:4711/callback/?code=canary&state={}", "format"; "a slash more")]
#[test_case("http://127.0.0.1:4712/callback?code=canary&state={}", "format"; "another port")]
#[test_case("https://127.0.0.1:4711/callback?code=canary&state={}", "format"; "another scheme")]
#[test_case("http://127.0.0.1:4711/callback@evil.com?code=canary&state={}", "format"; "another host")]
#[test_case("http://127.0.0.1:4711/callback", "format"; "no query")]
#[test_case("http://127.0.0.1:4711/callback#access_token=canary&state={}", "format"; "the implicit flow")]
#[test_case("?code=canary&state={}#x", "format"; "a fragment")]
#[test_case("?code=canary&state={}##", "format"; "a fragment that is a mark")]
#[test_case("?state={}#code=canary", "format"; "a code in a fragment")]
#[test_case("http://127.0.0.1:4711/callback#", "format"; "an empty fragment alone")]
#[test_case(canaries::CODE, "format"; "the code alone")]
#[test_case("", "format"; "nothing")]
#[test_case("?code=canary&code=b&state={}", "duplicate"; "two codes")]
#[test_case("?code=canary&state={}&state={}", "duplicate"; "two states")]
#[test_case("?code=canary&state={}&%73tate=x", "duplicate"; "two states in two spellings")]
#[test_case("?code=canary&state={}&x=1&x=1", "duplicate"; "two of no meaning")]
#[test_case("?code=canary%0d%0a&state={}", "char"; "an escaped line break")]
#[test_case("?code=canary%00&state={}", "char"; "an escaped zero")]
#[test_case("?code=canary%C2%85&state={}", "char"; "an escaped control character of Unicode")]
#[test_case("?code=canary&state={}&x%0a=1", "char"; "a line break in a name")]
#[test_case("?code=canary\r\nx&state={}", "char"; "a line break")]
#[test_case("?code=canary x&state={}", "char"; "a space")]
#[test_case("?code=canary\u{e9}&state={}", "char"; "no ASCII")]
#[test_case("?code=canary%zz&state={}", "char"; "no escape")]
#[test_case("?code=canary%+1&state={}", "char"; "a sign in an escape")]
#[test_case("?code=canary&state={}&x=%4", "char"; "half an escape")]
#[test_case("?code=canary&state={}&x=%", "char"; "an escape of nothing")]
#[test_case("?code=canary%ff&state={}", "char"; "an escape that is no UTF-8")]
fn that_cannot_be_read_leaves_the_sign_in_pending(callback: &str, check: &str) {
    let error = Parameters::open(&callback.replace("{}", GOOD), &loopback()).unwrap_err();
    refused_for(&error, check);
}

#[test]
fn that_is_too_large_is_refused() {
    let padded = |length: usize| {
        let start = format!("?code=4/x&state={GOOD}&x=");
        format!("{start}{}", "x".repeat(length - start.len()))
    };
    assert!(Parameters::open(&padded(8192), &loopback()).is_ok());
    refused_for(&Parameters::open(&padded(8193), &loopback()).unwrap_err(), "format");
    let many: String = (0..33).map(|n| format!("&x{n}=1")).collect();
    refused_for(&Parameters::open(&format!("?{}", &many[1..]), &loopback()).unwrap_err(), "format");
}

#[test_case("?code=canary&state=OTHER"; "another state")]
#[test_case(&format!("?code=canary&state={OTHER}"); "another state of the same length")]
#[test_case(&format!("?code=canary&state={GOOD}x"); "a longer state")]
#[test_case(&format!("?code=canary&state={}", &GOOD[1..]); "a shorter state")]
#[test_case("?code=canary&state="; "an empty state")]
#[test_case("?code=canary"; "no state")]
#[test_case("?error=access_denied"; "an error without a state")]
#[test_case("?error=access_denied&state=OTHER"; "an error of another state")]
#[test_case("?code=canary&state=OTHER&iss=https://evil.com"; "another state and another issuer")]
fn of_another_state_leaves_the_sign_in_pending(callback: &str) {
    let parameters = Parameters::open(callback, &loopback()).unwrap();
    assert!(!format!("{parameters:?}").contains("canary"));
    refused_for(&parameters.authentic(&state()).unwrap_err(), "state");
}

#[test_case("code=canary&iss=https://evil.com", "iss"; "another issuer")]
#[test_case("code=canary&iss=accounts.google.com", "iss"; "the issuer of old ID tokens")]
#[test_case("code=canary&iss=https://accounts.google.com/", "iss"; "a slash more")]
#[test_case("code=canary&iss=", "iss"; "an empty issuer")]
#[test_case("error=access_denied&iss=https://evil.com", "iss"; "an error of another issuer")]
#[test_case("x=1", "code"; "neither code nor error")]
#[test_case("access_token=canary&token_type=Bearer", "code"; "a token")]
#[test_case("code=", "code"; "an empty code")]
#[test_case("code=canary%20x", "code"; "a space in the code")]
#[test_case("code=canary+x", "code"; "a plus in the code, which is a space")]
#[test_case("code=canary%C3%A9", "code"; "no ASCII in the code")]
fn of_this_state_uses_the_sign_in_up(rest: &str, check: &str) {
    let parameters = Parameters::open(&format!("?state={GOOD}&{rest}"), &loopback()).unwrap();
    let authentic = parameters.authentic(&state()).unwrap();
    assert!(!format!("{authentic:?}").contains("canary"));
    refused_for(&authentic.outcome().unwrap_err(), check);
}

#[test]
fn has_a_code_of_at_most_256_bytes() {
    let with = |length| finish(&format!("?state={GOOD}&code={}", "x".repeat(length)));
    assert_eq!(with(256).unwrap().reveal().len(), 256);
    refused_for(&with(257).unwrap_err(), "code");
}

fn refused_for(error: &Error, check: &str) {
    assert_eq!((error.kind(), detail(error, "check")), (Kind::AuthorizationFailed, Some(check)), "{error}");
    let shown = format!("{error:?} {error}");
    for callback_text in ["canary", "evil", GOOD, "OTHER"] {
        assert!(!shown.contains(callback_text), "{shown}");
    }
    assert!(error.fields().fix.is_some());
}

#[test_case("access_denied", Kind::AuthorizationDenied, "was not allowed", "sign in again and choose Allow")]
#[test_case(
    "admin_policy_enforced",
    Kind::AuthorizationDenied,
    "is not allowed by the organisation",
    "an administrator of the Google Workspace trusts the OAuth client"
)]
#[test_case(
    "org_internal",
    Kind::ClientConfig,
    "is not open to this account",
    "sign in with an account of the organisation that owns the OAuth client"
)]
#[test_case(
    "redirect_uri_mismatch",
    Kind::ClientConfig,
    "names a redirect URI that the OAuth client does not list",
    "add it to the client's redirect URIs"
)]
#[test_case(
    "invalid_client",
    Kind::ClientConfig,
    "names an OAuth client that Google does not accept",
    "check that the client exists"
)]
#[test_case(
    "deleted_client",
    Kind::ClientConfig,
    "names an OAuth client that Google does not accept",
    "check that the client exists"
)]
#[test_case(
    "disabled_client",
    Kind::ClientConfig,
    "names an OAuth client that Google does not accept",
    "check that the client exists"
)]
#[test_case(
    "unauthorized_client",
    Kind::ClientConfig,
    "names an OAuth client that Google does not accept",
    "check that the client exists"
)]
#[test_case(
    "unsupported_response_type",
    Kind::ClientConfig,
    "names an OAuth client that Google does not accept",
    "check that the client exists"
)]
#[test_case(
    "invalid_scope",
    Kind::ClientConfig,
    "asks for scopes that the OAuth client may not have",
    "the client's owner adds openid, email and cloud-platform"
)]
#[test_case(
    "restricted_client",
    Kind::ClientConfig,
    "asks for scopes that the OAuth client may not have",
    "the client's owner adds openid, email and cloud-platform"
)]
#[test_case("server_error", Kind::Unavailable, "met a fault of Google's", "start the sign-in again later")]
#[test_case(
    "temporarily_unavailable",
    Kind::Unavailable,
    "met a fault of Google's",
    "start the sign-in again later"
)]
#[test_case(
    "disallowed_useragent",
    Kind::AuthorizationFailed,
    "was tried in a browser that Google does not accept",
    "start the sign-in again, and open its address in an ordinary browser"
)]
#[test_case("something_new", Kind::AuthorizationFailed, "was refused", "read Google's reason")]
fn with_an_error_says_whose_move_it_is(code: &str, kind: Kind, what: &str, fix: &str) {
    let url = format!("{LOOPBACK}?error={code}&error_description=canary&state={GOOD}&code=canary");
    let error = finish(&url).unwrap_err();
    assert_eq!(error.kind(), kind);
    assert_eq!(error.fields().message, format!("the sign-in {what}: {code}"));
    assert!(error.fields().fix.as_deref().unwrap().starts_with(fix), "{error}");
    assert_eq!(error.fields().reason.as_deref(), Some(code));
    assert!(!format!("{error:?}").contains("canary"));
}

#[test]
fn with_an_error_code_of_any_length_does_not_flood_a_log() {
    let error = finish(&format!("?state={GOOD}&error={}", "x".repeat(8000))).unwrap_err();
    assert!(error.fields().message.len() < 500, "{error}");
}
