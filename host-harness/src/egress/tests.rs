use std::sync::LazyLock;

use http::{Request, Uri};
use serde_json::{Value, json};

use super::*;

const ID_TOKEN: &str = "Bearer eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJjYW5hcnkifQ.Y2FuYXJ5";
const ACCESS_TOKEN: &str = "Bearer ya29.canary";
const API: &str = "https://cloudfunctions.googleapis.com/v2/projects/p/locations";

/// Requests that every host which enforces the manifest lets through: the examples in Python and in JavaScript, too.
static TABLE: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../tests/fixtures/egress.json")).expect("the table is JSON")
});

fn policy() -> EgressPolicy {
    EgressPolicy::from_manifest(&TABLE["manifest"]).unwrap()
}

fn judge(uri: &str, headers: &[(&str, &str)]) -> Result<(), String> {
    let mut request = Request::builder().uri(uri);
    for (name, value) in headers {
        request = request.header(*name, latin_1(value));
    }
    // What is no request at all is not sent either.
    let (parts, ()) = request.body(()).map_err(|error| error.to_string())?.into_parts();
    policy().check(&parts)
}

/// The bytes of a value: in the table, each character stands for one.
fn latin_1(value: &str) -> Vec<u8> {
    value.chars().map(|letter| u8::try_from(letter).expect("the table is Latin-1")).collect()
}

fn denied(uri: &str, headers: &[(&str, &str)], reason: &str) {
    let error = judge(uri, headers).expect_err(uri);
    assert!(error.contains(reason), "{uri}: {error}");
    assert!(!error.contains("canary") && !error.contains("eyJ"), "{uri}: {error}");
}

#[test]
fn what_every_host_lets_through_passes_and_nothing_else() {
    let items = |value: &'static Value| value.as_array().unwrap().iter();
    let text = |value: &'static Value| value.as_str().unwrap();
    let mut judged = 0;
    for row in items(&TABLE["requests"]) {
        for url in items(&row["urls"]).map(text) {
            for headers in items(&row["headers"]) {
                let headers: Vec<_> =
                    items(headers).map(|header| (text(&header[0]), text(&header[1]))).collect();
                let verdict = judge(url, &headers);
                assert_eq!(verdict.is_ok(), row["allowed"] == true, "{}: {url}: {headers:?}", row["what"]);
                judged += 1;
            }
        }
    }
    assert!(judged > 300, "only {judged} requests are judged");
    for manifest in items(&TABLE["refused-manifests"]) {
        assert!(EgressPolicy::from_manifest(manifest).is_err(), "{manifest}");
    }
}

#[test]
fn no_method_and_no_path_makes_it_another_request() {
    let items = |name: &str| TABLE[name].as_array().unwrap().iter().map(|item| item.as_str().unwrap());
    let judge = |method: &str, path: &str| {
        let uri =
            Uri::builder().scheme("https").authority("fn-abcdef-uc.a.run.app").path_and_query(path).build();
        let request = Request::builder().method(method).uri(uri.map_err(|error| error.to_string())?).body(());
        policy().check(&request.map_err(|error| error.to_string())?.into_parts().0)
    };
    assert_eq!(judge("PATCH", "/a?b=%20c"), Ok(()));
    for method in items("refused-methods") {
        judge(method, "/").expect_err(method);
    }
    for path in items("refused-paths") {
        judge("GET", path).expect_err(path);
    }
    // Such a path is a URI of its own kind, and only the policy stands against it.
    for path in ["*", "?a=1"] {
        assert_eq!(judge("GET", path), Err("the path does not begin with a slash".to_owned()), "{path}");
    }
}

#[test]
fn each_credential_reaches_the_hosts_that_carry_it() {
    let table = [
        (API, Some(ACCESS_TOKEN)),
        ("https://cloudfunctions.googleapis.com:443/v2", Some(ACCESS_TOKEN)),
        ("https://oauth2.googleapis.com/token", None),
        ("https://fn-abcdef-uc.a.run.app/path?query=1", Some(ID_TOKEN)),
        ("https://fn-123456789012.us-central1.run.app/", Some(ID_TOKEN)),
        ("https://fn-abcdef-uc.a.run.app/", None),
        ("https://v1---fn-abcdef-uc.a.run.app/", None),
        ("https://us-central1-p-123456.cloudfunctions.net/fn", None),
    ];
    for (uri, authorization) in table {
        let headers: Vec<_> = authorization.map(|value| ("authorization", value)).into_iter().collect();
        assert_eq!(judge(uri, &headers), Ok(()), "{uri}");
    }
}

#[test]
fn no_credential_reaches_another_host() {
    denied("https://fn-abcdef-uc.a.run.app/", &[("authorization", ACCESS_TOKEN)], "an access token");
    denied("https://fn-abcdef-uc.a.run.app/", &[("authorization", "Basic canary")], "an access token");
    denied("https://us-central1-p.cloudfunctions.net/fn", &[("authorization", ID_TOKEN)], "an ID token");
    denied(API, &[("authorization", ID_TOKEN)], "an ID token");
    denied(API, &[], "without an authorization header");
    denied("https://oauth2.googleapis.com/token", &[("authorization", ACCESS_TOKEN)], "an access token");
    denied("https://oauth2.googleapis.com/token", &[("authorization", ID_TOKEN)], "an ID token");
}

#[test]
fn headers_cannot_name_another_credential_or_host() {
    let token = ("authorization", ACCESS_TOKEN);
    let host = "cloudfunctions.googleapis.com";
    denied(API, &[token, ("authorization", ACCESS_TOKEN)], "more than one authorization");
    denied(API, &[token, ("proxy-authorization", "Basic canary")], "proxy-authorization");
    denied(API, &[token, ("x-serverless-authorization", ID_TOKEN)], "x-serverless-authorization");
    denied(API, &[token, ("host", "oauth2.googleapis.com")], "host header");
    denied(API, &[token, ("host", "cloudfunctions.googleapis.com:8443")], "host header");
    denied(API, &[token, ("host", "")], "host header");
    denied(API, &[token, ("host", host), ("host", host)], "host header");
    assert_eq!(judge(API, &[token, ("host", host)]), Ok(()));
    assert_eq!(judge(API, &[token, ("host", "cloudfunctions.googleapis.com:443")]), Ok(()));
}

/// A component that means ill, or was tricked, has more headers to choose from than the two that the policy
/// weighs.
#[test]
fn no_other_header_carries_a_credential() {
    const RUN: &str = "https://fn-abcdef-uc.a.run.app/";
    let named = [
        "cookie",
        "cookie2",
        "proxy-authorization",
        "x-goog-api-key",
        "x_goog_api_key",
        "x-goog-iap-jwt-assertion",
        "x-goog-iam-authorization-token",
        "x-goog-authenticated-user-email",
        "x-authorization",
        "x-forwarded-authorization",
        "x-forwarded-access-token",
        "x-original-authorization",
        "x_serverless_authorization",
    ];
    let bearers = [
        ACCESS_TOKEN,
        ID_TOKEN,
        "bearer canary",
        "BEARER\tcanary",
        "token=Bearer canary",
        "Bearer%20canary",
        "ya29.canary",
        "Basic ya29.canary",
        "{\"token\":\"ya29.canary\"}",
    ];
    for (uri, token) in [
        (API, Some(("authorization", ACCESS_TOKEN))),
        ("https://oauth2.googleapis.com/token", None),
        (RUN, Some(("authorization", ID_TOKEN))),
        (RUN, None),
        ("https://us-central1-p.cloudfunctions.net/fn", None),
    ] {
        let beside = |header| token.into_iter().chain([header]).collect::<Vec<_>>();
        for name in named {
            denied(uri, &beside((name, "canary")), &format!("the header {name} is not allowed"));
        }
        for value in bearers {
            for name in ["x-token", "user-agent", "accept", "x-api-key", "content-type"] {
                denied(uri, &beside((name, value)), "holds a bearer token");
            }
        }
        // Headers that people use for things of their own, and values that only resemble a token.
        for header in [
            ("x-api-key", "canary"),
            ("x-goog-user-project", "demo-project"),
            ("x-note", "the bearers of bad news"),
            ("x-note", "bearer"),
            ("x-note", "forbearer of it"),
            ("x-version", "ya29"),
            ("content-type", "application/json"),
        ] {
            assert_eq!(judge(uri, &beside(header)), Ok(()), "{uri}: {header:?}");
        }
    }
}

#[test]
fn no_query_to_google_carries_a_credential() {
    let token = [("authorization", ACCESS_TOKEN)];
    for parameter in ["access_token", "oauth_token", "bearer_token", "id_token", "ID_TOKEN", "access%5Ftoken"]
    {
        denied(&format!("{API}?a=1&{parameter}=canary"), &token, "of the query is not allowed");
        denied(
            &format!("https://oauth2.googleapis.com/token?{parameter}=canary"),
            &[],
            "of the query is not allowed",
        );
        // A function's query is its caller's own.
        assert_eq!(judge(&format!("https://fn-abcdef-uc.a.run.app/?{parameter}=canary"), &[]), Ok(()));
    }
    assert_eq!(
        judge(&format!("{API}?pageToken=x&fields=access_token&filter=access_token%3D1"), &token),
        Ok(())
    );
}

#[test]
fn an_id_token_goes_to_a_function_alone_or_beside_the_callers_own_authorization() {
    const RUN: &str = "https://fn-abcdef-uc.a.run.app/";
    let (own, token) = (("authorization", "Basic canary"), ("x-serverless-authorization", ID_TOKEN));
    for value in ["Basic canary", "Bearer canary", ID_TOKEN, "Digest username=\"canary\", nonce=\"1\""] {
        assert_eq!(judge(RUN, &[("authorization", value), token]), Ok(()), "{value}");
    }
    let serverless = |value| ("x-serverless-authorization", value);
    denied(RUN, &[own, serverless(ACCESS_TOKEN)], "an access token");
    denied(RUN, &[own, serverless("Basic canary")], "an access token");
    denied(RUN, &[("authorization", ACCESS_TOKEN), token], "an access token");
    denied(RUN, &[("authorization", "Basic ya29.canary"), token], "an access token");
    // Cloud Run takes it alone too.
    assert_eq!(judge(RUN, &[token]), Ok(()));
    denied(RUN, &[serverless(ACCESS_TOKEN)], "an access token");
    denied(RUN, &[serverless("Basic canary")], "an access token");
    denied(RUN, &[token, token], "more than one x-serverless-authorization");
    denied(API, &[token], "x-serverless-authorization is not allowed");
    denied("https://us-central1-p.cloudfunctions.net/fn", &[token], "an ID token");
    denied("https://evil.com/", &[token], "not in");
    denied(RUN, &[own, token, token], "more than one x-serverless-authorization");
    denied(RUN, &[own, own, token], "more than one authorization");
    denied(RUN, &[own], "an access token");
    // Where no ID token may go, it goes under no name; and no API ever sees the second header.
    denied("https://us-central1-p.cloudfunctions.net/fn", &[own, token], "an ID token");
    denied(API, &[own, token], "x-serverless-authorization is not allowed");
    denied("https://oauth2.googleapis.com/token", &[own, token], "x-serverless-authorization is not allowed");
    denied("https://evil.com/", &[own, token], "not in");
}

#[test]
fn a_target_that_is_not_on_the_manifest_is_denied() {
    let table = [
        ("https://evilgoogleapis.com/v2", "not in the component's egress manifest"),
        ("https://evilcloudfunctions.googleapis.com/", "not in"),
        ("https://a.cloudfunctions.googleapis.com/", "not in"),
        ("https://cloudfunctions.googleapis.com.evil.com/", "not in"),
        ("https://evil.com/?.googleapis.com", "not in"),
        ("https://evil.com?cloudfunctions.googleapis.com", "not in"),
        ("https://googleapis.com/v2", "not in"),
        ("https://storage.googleapis.com/", "not in"),
        ("https://accounts.google.com/o/oauth2/v2/auth", "not in"),
        ("https://p-123456.appspot.com/", "not in"),
        ("https://metadata.google.internal/", "not in"),
        ("https://foo.localhost/", "not in"),
        ("https://run.app/", "not in"),
        ("https://evilrun.app/", "not in"),
        ("https://fn.run.app.evil.com/", "not in"),
        ("https://a.b.c.run.app/", "not in"),
        ("https://a.b.cloudfunctions.net/", "not in"),
        ("http://cloudfunctions.googleapis.com/v2", "only https"),
        ("ftp://cloudfunctions.googleapis.com/v2", "only https"),
        ("gopher://cloudfunctions.googleapis.com:443/_x", "only https"),
        ("/v2/projects", "only https"),
        ("https://cloudfunctions.googleapis.com@evil.com/", "user name or password"),
        ("https://user:canary@cloudfunctions.googleapis.com/", "user name or password"),
        ("https://@cloudfunctions.googleapis.com/", "user name or password"),
        ("https://cloudfunctions.googleapis.com:8443/", "port 443 only"),
        ("https://cloudfunctions.googleapis.com:80/", "port 443 only"),
        ("https://cloudfunctions.googleapis.com:0443/", "port 443 only"),
        ("https://CloudFunctions.googleapis.com/", "lower case"),
        ("https://cloudfunctions.googleapis.com./v2", "end in a dot"),
        ("https://.run.app/", "malformed label"),
        ("https://a..run.app/", "malformed label"),
        ("https://evil_x.run.app/", "malformed label"),
        ("https://evil.com;.run.app/", "malformed label"),
        ("https://evil.com,.run.app/", "malformed label"),
        ("https://xn--cloudfunctions-.run.app/", "malformed label"),
        ("https://metadata/", "not a full name"),
        ("https://localhost/", "not a full name"),
        ("https://127.0.0.1/", "IP address"),
        ("https://127.1/", "IP address"),
        ("https://0/", "IP address"),
        ("https://2852039166/", "IP address"),
        ("https://0xa9fea9fe/", "IP address"),
        ("https://0251.0376.0251.0376/", "IP address"),
        ("https://169.254.43518/", "IP address"),
        ("https://[::1]/", "IP address"),
        ("https://[::ffff:169.254.169.254]/", "IP address"),
        ("https://[::ffff:a9fe:a9fe]:443/", "IP address"),
        ("https://[64:ff9b::a9fe:a9fe]/", "IP address"),
        ("https://[fd20:ce::254]/", "IP address"),
    ];
    for (uri, reason) in table {
        denied(uri, &[], reason);
        denied(uri, &[("authorization", ID_TOKEN)], reason);
        denied(uri, &[("authorization", ACCESS_TOKEN)], reason);
    }
}

#[test]
fn spellings_that_are_no_uri_never_reach_the_policy() {
    for text in [
        "https://cloudfunctions.googleapis.com\\@evil.com/",
        "https:/cloudfunctions.googleapis.com/v2",
        "https://evil.com\t.googleapis.com/v2",
        " https://cloudfunctions.googleapis.com/v2",
        "https://cloudfunctions\u{3002}googleapis\u{3002}com/v2",
        "https://\u{2460}\u{2465}\u{2468}.254.169.254/",
        "https://cloudfunctions%2egoogleapis.com/v2",
        "https://",
        "",
    ] {
        assert!(text.parse::<http::Uri>().is_err(), "{text}");
    }
}

#[test]
fn a_tunnel_is_denied() {
    let request = Request::connect("https://fn-abcdef-uc.a.run.app/").body(()).unwrap();
    let error = policy().check(&request.into_parts().0).unwrap_err();
    assert!(error.contains("CONNECT"), "{error}");
}

#[test]
fn an_empty_manifest_denies_all() {
    let policy = EgressPolicy::from_manifest(&json!([])).unwrap();
    let request = Request::get("https://fn-abcdef-uc.a.run.app/").body(()).unwrap();
    assert!(policy.check(&request.into_parts().0).is_err());
}
