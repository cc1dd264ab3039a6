//! The address that the browser is sent to.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use test_case::test_case;

use super::*;

/// The vector of RFC 7636, appendix B.
#[test]
fn the_challenge_is_the_hash_of_the_verifier() {
    let verifier = Verifier::parse("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").unwrap();
    let url = url_of(&verifier, None, None);
    assert!(url.contains("code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&"), "{url}");
}

fn url_of(verifier: &Verifier, hint: Option<&LoginHint>, domain: Option<&HostedDomain>) -> String {
    let nonce = Nonce::from_random([9; 16]);
    authorization_url(
        &client("installed"),
        &loopback(),
        &state(),
        &nonce,
        &verifier.challenge(),
        hint,
        domain,
    )
}

#[test]
fn the_url_asks_for_a_code_and_nothing_else() {
    let verifier = Verifier::from_random([1; 32]);
    let hint = LoginHint::parse("ada+test@example.com").unwrap();
    let domain = HostedDomain::parse("example.com").unwrap();
    let url = url_of(&verifier, Some(&hint), Some(&domain));
    let challenge = verifier.challenge();
    assert_eq!(
        url,
        format!(
            "https://accounts.google.com/o/oauth2/v2/auth?response_type=code\
             &client_id=1234567890-abc.apps.googleusercontent.com\
             &redirect_uri=http%3A%2F%2F127.0.0.1%3A4711%2Fcallback\
             &scope=openid+email+https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform\
             &state={GOOD}&nonce=CQkJCQkJCQkJCQkJCQkJCQ\
             &code_challenge={}&code_challenge_method=S256\
             &access_type=offline&prompt=consent+select_account\
             &login_hint=ada%2Btest%40example.com&hd=example.com",
            challenge.0
        )
    );
    assert!(!url.contains(verifier.reveal()) && !url.contains("GOCSPX"), "{url}");
    assert!(url_of(&verifier, None, None).ends_with("&prompt=consent+select_account"));
}

#[test]
fn random_bytes_become_text_that_is_read_back() {
    let verifier = Verifier::from_random([255; 32]);
    assert_eq!(verifier.reveal(), URL_SAFE_NO_PAD.encode([255; 32]));
    assert_eq!(Verifier::parse(verifier.reveal()).unwrap().reveal().len(), 43);
    assert_eq!(state().reveal(), GOOD);
    assert_eq!(State::parse(GOOD).unwrap().reveal(), GOOD);
    assert_eq!(Nonce::parse(GOOD).unwrap().reveal(), GOOD);
    let shown = format!("{verifier:?} {:?} {:?}", state(), Nonce::from_random([7; 16]));
    assert!(!shown.contains(verifier.reveal()) && !shown.contains(GOOD), "{shown}");
}

#[test_case(20, false)]
#[test_case(42, false)]
#[test_case(43, true)]
#[test_case(128, true)]
#[test_case(129, false)]
fn a_verifier_has_43_to_128_characters(length: usize, ok: bool) {
    let parsed = Verifier::parse(&"~".repeat(length));
    assert_eq!(parsed.is_ok(), ok);
    if let Err(error) = parsed {
        assert_eq!((error.kind(), detail(&error, "check")), (Kind::AuthorizationFailed, Some("pkce")));
    }
}

#[test_case('+'; "of base64")]
#[test_case('='; "padding")]
#[test_case(' '; "a space")]
#[test_case('\u{e9}'; "no ASCII")]
fn a_verifier_is_unreserved_characters(character: char) {
    assert!(Verifier::parse(&format!("{}{character}", "x".repeat(50))).is_err());
}

#[test_case(""; "nothing")]
#[test_case("BwcHBwcHBwcHBwcHBwcHB"; "too short")]
#[test_case("BwcHBwcHBwcHBwcHBwcHBwx"; "too long")]
#[test_case("BwcHBwcHBwcHBwcHBwcHB+"; "another alphabet")]
fn a_damaged_state_or_nonce_is_refused(text: &str) {
    let error = State::parse(text).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "check")), (Kind::AuthorizationFailed, Some("state")));
    let error = Nonce::parse(text).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "check")), (Kind::AuthorizationFailed, Some("nonce")));
}

#[test_case("ada@example.com", true)]
#[test_case("107517467455664443765", true; "an account id")]
#[test_case("", false; "nothing")]
#[test_case("ada@example.com\n", false; "a line break")]
#[test_case("ada lovelace", false; "a space")]
#[test_case("\u{e9}@example.com", false; "no ASCII")]
#[test_case(&"x".repeat(255), false; "too long")]
fn a_login_hint(text: &str, ok: bool) {
    let hint = LoginHint::parse(text);
    assert_eq!(hint.is_ok(), ok);
    assert!(hint.err().is_none_or(|error| detail(&error, "field") == Some("login_hint")));
}

#[test_case("example.com", true)]
#[test_case("a.b-c.example.co.uk", true)]
#[test_case("*", false; "any domain")]
#[test_case("example", false; "one label")]
#[test_case("Example.com", false; "upper case")]
#[test_case("@example.com", false; "an at")]
#[test_case("example.com/", false; "a path")]
#[test_case("example.com.", false; "a final dot")]
#[test_case("example.com&prompt=none", false; "another parameter")]
#[test_case(&"a.".repeat(150), false; "too long")]
fn a_hosted_domain(text: &str, ok: bool) {
    let domain = HostedDomain::parse(text);
    assert_eq!(domain.is_ok(), ok);
    assert!(domain.err().is_none_or(|error| detail(&error, "field") == Some("hosted_domain")));
}

#[test_case("openid email https://www.googleapis.com/auth/cloud-platform", &[]; "as asked")]
#[test_case("https://www.googleapis.com/auth/cloud-platform openid https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/userinfo.profile", &[]; "as Google writes it")]
#[test_case("openid", &["email", "https://www.googleapis.com/auth/cloud-platform"]; "unticked")]
#[test_case("openid email https://www.googleapis.com/auth/cloud-platform.read-only", &["https://www.googleapis.com/auth/cloud-platform"]; "a narrower one")]
#[test_case("", &SCOPES; "nothing")]
fn scopes_that_are_missing(granted: &str, missing: &[&str]) {
    assert_eq!(missing_scopes(granted), missing);
}
