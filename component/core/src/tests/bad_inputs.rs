//! What somebody could try to send with `custom-api`, and what comes of it: a table for each part of a request.
//!
//! Each refusal names the field, says what to do, repeats no value of a header, and sends no byte.

use serde_json::json;

use super::detail;
use crate::{
    api::{ApiRequest, custom_api},
    error::Kind,
    http::{Request, Response},
    target::grammar::Query,
    testing::{World, block_on, json_answer},
};

const LOCATIONS: &str = "/v2/projects/p-123456/locations";

fn get(path: &str) -> ApiRequest {
    ApiRequest {
        api: None,
        method: "GET".to_owned(),
        path: path.to_owned(),
        query: Query::None,
        headers: Vec::new(),
        body: None,
    }
}

/// Sends it, and returns what was sent.
fn accepted(request: ApiRequest) -> Request {
    let (world, id) = World::connected();
    world.then(json_answer(200, &json!({})));
    let shown = format!("{request:?}");
    let response =
        block_on(custom_api(&world, &id, request, None)).unwrap_or_else(|e| panic!("{shown}: {e}"));
    assert_eq!(response.status, 200);
    let sent = world.sent.borrow();
    assert_eq!(sent.len(), 1);
    sent[0].clone()
}

fn refused(field: &str, request: ApiRequest) {
    let (world, id) = World::connected();
    let shown: String = format!("{request:?}").chars().take(300).collect();
    let Err(error) = block_on(custom_api(&world, &id, request, None)) else { panic!("{shown} was sent") };
    assert_eq!(
        (error.kind(), detail(&error, "field")),
        (Kind::InvalidInput, Some(field)),
        "{shown}: {error}"
    );
    assert!(error.fields().fix.is_some(), "{shown}: {error}");
    assert!(world.urls().is_empty() && error.fields().trace.is_empty(), "{shown}");
}

#[test]
fn good_targets_go_where_they_say() {
    for (path, url) in [
        (LOCATIONS, "https://cloudfunctions.googleapis.com/v2/projects/p-123456/locations"),
        (
            "https://cloudfunctions.googleapis.com/v2/projects/p-123456/locations/-/functions",
            "https://cloudfunctions.googleapis.com/v2/projects/p-123456/locations/-/functions",
        ),
        (
            "https://CLOUDFUNCTIONS.GOOGLEAPIS.COM/v2/projects/p-123456/locations",
            "https://cloudfunctions.googleapis.com/v2/projects/p-123456/locations",
        ),
        (
            "https://cloudfunctions.googleapis.com:443/v2/projects/p-123456/locations",
            "https://cloudfunctions.googleapis.com/v2/projects/p-123456/locations",
        ),
        (
            "https://us-central1-p-123456.cloudfunctions.net/fn",
            "https://us-central1-p-123456.cloudfunctions.net/fn",
        ),
        ("https://fn-abcdef-uc.a.run.app/", "https://fn-abcdef-uc.a.run.app/"),
        ("https://FN-abcdef-uc.a.run.app:443", "https://fn-abcdef-uc.a.run.app/"),
    ] {
        let sent = accepted(get(path));
        assert_eq!(sent.url(), url);
        assert_eq!(sent.bearer().is_some(), url.contains("googleapis.com"), "{path}");
    }
}

#[test]
fn a_bad_url_is_refused() {
    let label = format!("https://{}.googleapis.com/v2", "a".repeat(64));
    for url in [
        // Other hosts, and hosts that look like the right one.
        "https://evil.com/v2/projects",
        "https://evilgoogleapis.com/v2/projects",
        "https://cloudfunctions.googleapis.com.evil.com/v2",
        "https://cloudfunctions.googleapis.com./v2",
        "https://googleapis.com/v2",
        "https://.googleapis.com/v2",
        "https://a..googleapis.com/v2",
        "https://evil_x.googleapis.com/v2",
        "https://xn--cloudfunctions-.googleapis.com/v2",
        "https://cloudfunctions.mtls.googleapis.com/v2",
        "https://us-central1-run.googleapis.com/v2",
        "https://cloudfunctions.googleapis.com,evil.com/v2",
        "https://evil.com;.googleapis.com/v2",
        "https://evil.com?.googleapis.com",
        "https://evil.com%2f.googleapis.com/v2",
        "https://evil.com%00.googleapis.com/v2",
        "https://cloudfunctions%2egoogleapis.com/v2",
        "https://cloudfunctions.googleapis.com%2eevil.com/",
        "https://cloudfunctions\u{3002}googleapis\u{3002}com/v2",
        "https://cloudfunctions.\u{24d6}oogleapis.com/v2",
        "https://cloudfunctions.g\u{43e}\u{43e}gleapis.com/v2",
        "https://cloudfunctions.googleapis.com\u{200b}/v2",
        &label,
        // Google's, and not for this.
        "https://sts.googleapis.com/v1/token",
        "https://oauth2.googleapis.com/token",
        "https://www.googleapis.com/oauth2/v3/userinfo",
        "https://storage.googleapis.com/storage/v1/b",
        "https://secretmanager.googleapis.com/v1/projects/p/secrets",
        "https://accounts.google.com/o/oauth2/v2/auth",
        "https://p-123456.appspot.com/",
        // Somebody else's place under the functions' domains.
        "https://a.run.app/",
        "https://run.app/",
        "https://cloudfunctions.net/fn",
        "https://evilrun.app/",
        "https://x.y.z.run.app/",
        // Who signs in is not for the URL to say.
        "https://cloudfunctions.googleapis.com@evil.com/",
        "https://cloudfunctions.googleapis.com:443@evil.com/",
        "https://user:pw@cloudfunctions.googleapis.com/v2",
        "https://@cloudfunctions.googleapis.com/v2",
        "https://user@fn-abcdef-uc.a.run.app/",
        "https://evil.com#@cloudfunctions.googleapis.com/",
        "https://cloudfunctions.googleapis.com/v2/x#fragment",
        "https://evil.com\\@cloudfunctions.googleapis.com/",
        "https://cloudfunctions.googleapis.com\\@evil.com/",
        // What one parser mends, another reads otherwise.
        "https:\\\\cloudfunctions.googleapis.com/v2",
        "https:/cloudfunctions.googleapis.com/v2",
        "https:///cloudfunctions.googleapis.com/v2",
        "https:cloudfunctions.googleapis.com",
        "https://evil.com\t.googleapis.com/v2",
        "https://cloudfunctions.googleapis.com\r\n/v2",
        " https://cloudfunctions.googleapis.com/v2 ",
        "\u{feff}https://cloudfunctions.googleapis.com/v2",
        "HTTPS://cloudfunctions.googleapis.com/v2",
        "https://cloudfunctions.googleapis.com:8443/v2",
        "https://cloudfunctions.googleapis.com:/v2",
        "https://cloudfunctions.googleapis.com:0443/v2",
        "https://cloudfunctions.googleapis.com:65979/v2",
        "https://cloudfunctions.googleapis.com:443:443/v2",
        // Other schemes, and none.
        "http://cloudfunctions.googleapis.com/v2",
        "ftp://cloudfunctions.googleapis.com/v2",
        "file:///etc/passwd",
        "gopher://cloudfunctions.googleapis.com:443/_x",
        "wss://cloudfunctions.googleapis.com/v2",
        "javascript:alert(1)",
        "data:text/plain,x",
        "//evil.com/v2",
        "///evil.com/v2",
        "\\\\evil.com\\v2",
        "https://",
        "https",
        "",
        // Addresses, in every spelling; and names that stand for one.
        "https://169.254.169.254/computeMetadata/v1/",
        "https://2852039166/",
        "https://0xa9fea9fe/",
        "https://0251.0376.0251.0376/",
        "https://169.254.43518/",
        "https://127.1/",
        "https://0/",
        "https://[::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[::ffff:a9fe:a9fe]/",
        "https://[::169.254.169.254]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[fd20:ce::254]/",
        "https://[fe80::1%25eth0]/",
        "https://\u{2460}\u{2465}\u{2468}.254.169.254/",
        "https://metadata.google.internal/",
        "https://metadata/",
        "https://localhost/",
        "https://foo.localhost/",
    ] {
        refused("path", get(url));
    }
    refused("api", get("https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@b.c:signBlob"));
}

#[test]
fn a_bad_path_is_refused() {
    let long = format!("/v2/{}", "a".repeat(16 * 1024));
    for path in [
        "/v2/../../v1/projects/other",
        "/v2/./projects",
        "/v2/..",
        "/v2/..;/v1",
        "/v2/%2e%2e/v1/x",
        "/v2/.%2E/v1/x",
        "/v2/%2E",
        "/v2/..%2f..%2fv1",
        "/v2/projects/a%2Fb",
        "/v2/projects/a=b%2Fc",
        "/v2/projects/a&b%2Fc",
        "/v2/projects/a%5Cb",
        "/v2//projects",
        "/v2/projects//",
        "/v2/projects/p%0d%0aHost:%20evil",
        "/v2/projects/p%09",
        "/v2/projects/p%00",
        "/v2/projects/p%7F",
        "/v2/projects/p%C2%85",
        "/v2/projects/p name",
        "/v2/projects/p\u{a0}name",
        "/v2/projects/p\r\nHost: evil",
        "/v2/projects/p\0",
        "/v2/projects/%zz",
        "/v2/projects/%",
        "/v2/projects/%2",
        "/v2/projects/%+1",
        "/v2/projects/%\u{e9}",
        "/v2/projects/%252e%252e",
        "/v2/projects/%ff%fe",
        "/v2/projects/%c0%ae%c0%ae",
        "/v2/projects/%ed%a0%80",
        "/v2/projects/\u{e9}",
        "/v2/projects/\u{ff0e}\u{ff0e}/x",
        "/v2/projects?x=1",
        "/v2/projects#x",
        "/v2/projects/\\..\\x",
        "/v2/projects/<x>",
        "/v2/projects/{project}",
        "/v2/projects/\"x\"",
        "v2/projects",
        "projects/p",
        "*",
        "@evil.com/",
        ".evil.com/",
        ":443/v2",
        "?x=1",
        "#x",
        "http://evil.com/",
        "/batch",
        "/batch/cloudfunctions/v2",
        "/upload/v2/x",
        "/resumable/upload/v2/x",
        "/download/v2/x",
        "/$discovery/rest",
        "/V2/projects",
        "/v/projects",
        "/version2/projects",
        "/computeMetadata/v1/",
        &long,
    ] {
        refused("path", get(path));
    }
    for path in [
        "/v2/projects/p/locations/-/functions/f:getIamPolicy",
        "/v1/projects/example.com:app",
        "/v1/projects/example.com%3Aapp",
        "/v2beta/projects/p/locations",
        "/v1beta1/projects/p",
        "/v2/projects/p/locations/l/functions/f%C3%BC",
        "/v2/projects/p/",
        "/v2/projects/p/x..y/.z/...",
    ] {
        assert_eq!(accepted(get(path)).path_and_query(), path, "checked bytes are sent bytes");
    }
}

#[test]
fn a_bad_query_is_refused() {
    let raw = |query: &str| ApiRequest { query: Query::Raw(query.to_owned()), ..get(LOCATIONS) };
    for query in [
        // Credentials.
        "access_token=ya29.x",
        "oauth_token=ya29.x",
        "bearer_token=ya29.x",
        "key=AIzaSy",
        "api_key=AIzaSy",
        "ACCESS_TOKEN=ya29.x",
        "k%65y=AIzaSy",
        "%61ccess_token=x",
        "access_token",
        "=1&access_token=x",
        "a=1&a=2&access_token=x",
        "a=1;access_token=x",
        "a=1&&key=x",
        // Another method, another project, another answer, another kind of request.
        "$httpMethod=DELETE",
        "%24httpMethod=DELETE",
        "$httpHeaders=Authorization:Bearer%20x",
        "$userProject=other-project",
        "userProject=other-project",
        "quotaUser=x",
        "$prettyPrint=x",
        "$.xgafv=1",
        "$req=x",
        "callback=alert(1)",
        "CallBack=x",
        "alt=media",
        "alt=json",
        "$alt=media",
        "uploadType=resumable",
        "upload_protocol=resumable",
        "pp=0",
        // What is no query.
        "x=1%0d%0aX: y",
        "x=1%0d%0aX:y",
        "x=%00",
        "x=%C2%80",
        "x=1\r\nHost:evil",
        "x=%zz",
        "x=%",
        "x=%ff",
        "filter=a b",
        "filter=a\tb",
        "x=\u{e9}",
        "x=1#y",
        "x=\\",
        "x=\"y\"",
        "x={y}",
        "x=<y>",
    ] {
        refused("query", raw(query));
        refused("query", get(&format!("https://fn-abcdef-uc.a.run.app/?access_token=x&{}", "a=1")));
    }
    for query in
        ["pageSize=10&pageToken=abc", "filter=state%3D%22ACTIVE%22&a=1&a=2&b", "x=100%25", "fields=a(b)"]
    {
        assert_eq!(accepted(raw(query)).path_and_query(), format!("{LOCATIONS}?{query}"));
    }
    for name in ["access_token", "KEY", "$httpMethod", "alt", "uploadType", "callback"] {
        let pairs = vec![("a".to_owned(), "1".to_owned()), (name.to_owned(), "x".to_owned())];
        refused("query", ApiRequest { query: Query::Pairs(pairs), ..get(LOCATIONS) });
    }
    let pairs = vec![("a&access_token".to_owned(), "x&key=y\r\n#".to_owned())];
    let sent = accepted(ApiRequest { query: Query::Pairs(pairs), ..get(LOCATIONS) });
    assert_eq!(sent.path_and_query(), format!("{LOCATIONS}?a%26access_token=x%26key%3Dy%0D%0A%23"));
}

#[test]
fn a_bad_header_is_refused() {
    let headers = |headers: Vec<(String, String)>, path: &str| ApiRequest { headers, ..get(path) };
    let big = "v".repeat(8 * 1024 + 1);
    for (name, value) in [
        // Another header, or none.
        ("X-Trace", "a\r\nAuthorization: Bearer evil"),
        ("X-Trace", "a\nb"),
        ("X-Trace", "a\rb"),
        ("X-Trace", "a\0b"),
        ("X-Trace", "a\u{7f}b"),
        ("X-Trace", "\u{e9}"),
        ("X-Trace", " a"),
        ("X-Trace", "a\t"),
        ("X-Tr\r\nHost", "x"),
        ("X Trace", "x"),
        ("X-Trace ", "x"),
        ("X-Trace:", "x"),
        (":authority", "evil.com"),
        ("", "x"),
        ("X-Tr\u{e4}ce", "x"),
        ("X-Big", &big),
        // Credentials.
        ("Authorization", "Bearer x"),
        ("aUtHoRiZaTiOn", "Bearer attacker"),
        ("Proxy-Authorization", "Basic x"),
        ("X-Serverless-Authorization", "Bearer x"),
        ("X_Serverless_Authorization", "Bearer x"),
        ("Cookie", "SID=x"),
        ("X-Goog-IAP-JWT-Assertion", "eyJ"),
        ("X-Goog-Api-Key", "AIza"),
        ("X-Goog-User-Project", "other-project"),
        ("X-Goog-Request-Reason", "x"),
        ("X-Goog-Iam-Authority-Selector", "x"),
        ("X-Goog-Iam-Authorization-Token", "x"),
        ("X-Goog-Allowed-Locations", "0x0"),
        ("X-Goog-FieldMask", "name"),
        ("X-Google-Metadata-Request", "True"),
        ("Metadata-Flavor", "Google"),
        ("X-AppEngine-User-Email", "x"),
        // Where it goes, and who it is from.
        ("Host", "evil.com"),
        ("X-Forwarded-Host", "evil.com"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("Forwarded", "for=127.0.0.1;host=evil"),
        ("X-Original-URL", "/admin"),
        ("X-Real-IP", "127.0.0.1"),
        ("Via", "x"),
        // What frames the message, or is for one hop.
        ("Connection", "close, Authorization"),
        ("Keep-Alive", "x"),
        ("Proxy-Connection", "close"),
        ("TE", "trailers"),
        ("Trailer", "x"),
        ("Transfer-Encoding", "chunked"),
        ("Transfer_Encoding", "chunked"),
        ("Content-Length", "5"),
        ("Content-Encoding", "gzip"),
        ("Upgrade", "h2c"),
        ("HTTP2-Settings", "x"),
        ("Expect", "100-continue"),
        ("Range", "bytes=0-"),
        ("Accept-Encoding", "br"),
        // Another method.
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-Method-Override", "DELETE"),
        ("X-HTTP-Method", "DELETE"),
        ("X_HTTP_Method_Override", "DELETE"),
    ] {
        for path in [LOCATIONS, "https://fn-abcdef-uc.a.run.app/"] {
            refused("headers", headers(vec![(name.to_owned(), value.to_owned())], path));
        }
    }
    refused("headers", headers((0..101).map(|n| (format!("X-H{n}"), "v".to_owned())).collect(), LOCATIONS));
    refused("headers", headers(vec![("X-H".to_owned(), "v".repeat(1000)); 70], LOCATIONS));
    let sent = accepted(headers(vec![("Accept-Language".to_owned(), "de".to_owned())], LOCATIONS));
    assert_eq!(sent.headers(), [("accept-language".to_owned(), "de".to_owned())]);
}

#[test]
fn a_bad_method_is_refused() {
    for method in [
        "",
        "get",
        "Get",
        " GET",
        "GET ",
        "G T",
        "HEAD",
        "OPTIONS",
        "CONNECT",
        "TRACE",
        "TRACK",
        "PURGE",
        "PRI",
        "LINK",
        "GET\0",
        "GET / HTTP/1.1\r\nHost: evil",
        "G\u{395}T",
    ] {
        refused("method", ApiRequest { method: method.to_owned(), ..get(LOCATIONS) });
    }
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let sent = accepted(ApiRequest { method: method.to_owned(), ..get(LOCATIONS) });
        assert_eq!(sent.method().as_str(), method);
    }
}

#[test]
fn no_redirect_of_an_api_is_followed() {
    for (status, location) in [
        (302, Some("https://evil.com/?code=canary")),
        (301, Some("http://cloudfunctions.googleapis.com/v2")),
        (303, Some("/v2/other")),
        (307, Some("https://169.254.169.254/")),
        (308, Some("//evil.com/x")),
        (302, Some("https://cloudfunctions.googleapis.com/v2/other")),
        (302, Some("")),
        (300, None),
        (399, Some("https://evil.com/\u{1b}[2J")),
    ] {
        let (world, id) = World::connected();
        let headers = location.map(|location| ("location".to_owned(), location.as_bytes().to_vec()));
        let headers = headers.into_iter().collect();
        world.then(Ok(Response { status, headers, body: b"<html>".to_vec() }));
        let error = block_on(custom_api(&world, &id, get(LOCATIONS), None)).unwrap_err();
        assert_eq!((error.kind(), error.fields().http_status), (Kind::UnexpectedRedirect, Some(status)));
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        assert_eq!(world.urls().len(), 1, "{location:?}");
    }
    let (world, id) = World::connected();
    world.then(Ok(Response { status: 304, headers: Vec::new(), body: Vec::new() }));
    assert_eq!(block_on(custom_api(&world, &id, get(LOCATIONS), None)).unwrap().status, 304);
}
