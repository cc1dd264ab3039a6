//! The addresses to which Google may send the browser.

use test_case::test_case;

use super::*;

#[test_case("http://127.0.0.1:4711/callback")]
#[test_case("http://127.0.0.1:4711")]
#[test_case("http://[::1]:4711/")]
#[test_case("http://127.0.0.1/"; "no port")]
fn of_an_installed_client_is_any_loopback_port(uri: &str) {
    let (redirect, warnings) = RedirectUri::parse(uri, &client("installed")).unwrap();
    assert_eq!((redirect.as_str(), warnings.len()), (uri, 0));
}

#[test]
fn on_localhost_warns() {
    let (_, warnings) = RedirectUri::parse("http://localhost:8080/cb", &client("installed")).unwrap();
    assert_eq!(
        warnings,
        [
            "the redirect URI names localhost, which may lead elsewhere: prefer 127.0.0.1 (RFC 8252, section 8.3)"
        ]
    );
}

#[test_case("https://app.example.com/oauth/callback", 0)]
#[test_case("http://localhost:8080/cb", 1)]
fn of_a_web_client_is_one_that_it_lists(uri: &str, warnings: usize) {
    let (redirect, warned) = RedirectUri::parse(uri, &client("web")).unwrap();
    assert_eq!((redirect.as_str(), warned.len()), (uri, warnings));
}

#[test_case("https://app.example.com/oauth/callback/"; "a slash more")]
#[test_case("https://app.example.com/other"; "another path")]
#[test_case("http://127.0.0.1:8080/cb"; "another name of this machine")]
fn that_a_web_client_does_not_list_is_told_before_google_does(uri: &str) {
    let error = RedirectUri::parse(uri, &client("web")).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "field")), (Kind::InvalidInput, Some("redirect_uri")));
    assert!(error.fields().message.contains("redirect_uri_mismatch"), "{error}");
    assert_eq!(
        detail(&error, "listed"),
        Some("https://app.example.com/oauth/callback http://localhost:8080/cb")
    );
    assert!(error.fields().fix.as_deref().unwrap().contains("add it to the client's redirect URIs"));
}

#[test]
fn of_an_installed_client_elsewhere_is_told_before_google_does() {
    let error = RedirectUri::parse("https://app.example.com/cb", &client("installed")).unwrap_err();
    assert!(error.fields().message.contains("the OAuth client is a desktop app"), "{error}");
    assert!(error.fields().fix.as_deref().unwrap().contains("type Web application"));
}

#[test_case("http://app.example.com/cb"; "cleartext")]
#[test_case("http://127.0.0.2:1/cb"; "another address of the loopback network")]
#[test_case("http://127.0.0.1.evil.com:1/cb"; "a suffix")]
#[test_case("http://127.0.0.1@evil.com/cb"; "a user name")]
#[test_case("https://user:pw@app.example.com/cb"; "a password")]
#[test_case("https://app.example.com/cb?x=1"; "a query")]
#[test_case("https://app.example.com?x=1"; "a query without a path")]
#[test_case("https://app.example.com/cb#x"; "a fragment")]
#[test_case("https://app.example.com/cb#"; "an empty fragment")]
#[test_case("https://app.example.com/a/../cb"; "dot segments")]
#[test_case("https://app.example.com/a/%2e%2e/cb"; "escapes")]
#[test_case("https://app.example.com\\@evil.com/"; "a backslash")]
#[test_case("https://app.example.com/c b"; "a space")]
#[test_case("https://app.example.com/cb\r\n"; "a line break")]
#[test_case("https://app.example.com/\u{e9}"; "no ASCII")]
#[test_case("https://App.example.com/cb"; "upper case")]
#[test_case("https:///cb"; "no host")]
#[test_case("https://app..example.com/cb"; "an empty label")]
#[test_case("https://[::2]/cb"; "an IPv6 address that is not loopback")]
#[test_case("http://[::1]evil.com/cb"; "something behind an IPv6 address")]
#[test_case("http://127.0.0.1:/cb"; "an empty port")]
#[test_case("http://127.0.0.1:0/cb"; "port 0")]
#[test_case("http://127.0.0.1:80/cb"; "the default port, which browsers leave out")]
#[test_case("https://app.example.com:443/cb"; "the default port of https")]
#[test_case("http://127.0.0.1:65536/cb"; "no port")]
#[test_case("http://127.0.0.1:+1/cb"; "a sign")]
#[test_case("com.example.app:/cb"; "a scheme of an app")]
#[test_case("urn:ietf:wg:oauth:2.0:oob"; "out of band, which Google has ended")]
#[test_case("HTTPS://app.example.com/cb"; "a scheme in upper case")]
#[test_case("//app.example.com/cb"; "no scheme")]
#[test_case(""; "nothing")]
fn is_refused_even_if_the_client_lists_it(uri: &str) {
    let mut web = client("web");
    web.redirect_uris.push(uri.to_owned());
    let error = RedirectUri::parse(uri, &web).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "field")), (Kind::InvalidInput, Some("redirect_uri")));
    assert!(error.fields().fix.is_some());
}

#[test]
fn is_at_most_512_bytes() {
    let longest = format!("http://127.0.0.1:4711/{}", "x".repeat(490));
    assert_eq!(longest.len(), 512);
    assert!(RedirectUri::parse(&longest, &client("installed")).is_ok());
    assert!(RedirectUri::parse(&format!("{longest}x"), &client("installed")).is_err());
}
