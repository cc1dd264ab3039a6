//! Answers of Google's front end, and answers of functions that look like them.

use super::*;
use crate::google::refusal::api::Resource;

fn attempted() -> Attempted<'static> {
    Attempted {
        action: "invoke f",
        project: "p",
        account: "a@p.iam.gserviceaccount.com",
        permission: "",
        resource: Resource::Project,
    }
}

fn page(status: u16, title: &str) -> Response {
    Response {
        status,
        headers: vec![("content-type".to_owned(), b"text/html; charset=UTF-8".to_vec())],
        body: format!(
            "<html><h1>{title}</h1><h2>Your client does not have permission to get URL <code>/</code></h2></html>"
        )
        .into_bytes(),
    }
}

fn asked<'a>(attempted: &'a Attempted<'a>, generation: Generation, ingress: Option<&'a str>) -> Asked<'a> {
    Asked { attempted, generation, ingress, audience: Some("https://f") }
}

fn refused(response: &Response, generation: Generation) -> Option<Error> {
    refusal(response, &asked(&attempted(), generation, None))
}

fn not_found() -> Response {
    let mut page = page(404, "Error: Page not found");
    page.body =
        b"<h1>Error: Page not found</h1><h2>The requested URL was not found on this server.</h2>".to_vec();
    page
}

fn redirect(location: &str) -> Response {
    Response {
        status: 302,
        headers: vec![("location".to_owned(), location.as_bytes().to_vec())],
        body: Vec::new(),
    }
}

fn detail<'e>(error: &'e Error, name: &str) -> Option<&'e str> {
    error.fields().details.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}

#[test]
fn a_403_names_the_role_of_the_generation() {
    for (generation, role) in [
        (Generation::Gen1, "roles/cloudfunctions.invoker"),
        (Generation::Gen2, "roles/run.invoker"),
        (Generation::CloudRun, "roles/run.invoker"),
    ] {
        let error = refused(&page(403, "Error: Forbidden"), generation).unwrap();
        assert_eq!((error.kind(), detail(&error, "role")), (Kind::MissingRole, Some(role)));
    }
    let error = refused(&page(403, "Error: Forbidden"), Generation::Other).unwrap();
    let fix = error.fields().fix.clone().unwrap();
    assert!(fix.contains("roles/run.invoker") && fix.contains("roles/cloudfunctions.invoker"), "{fix}");
}

#[test]
fn a_401_speaks_of_the_audience_and_without_a_token_of_auth() {
    let error = refused(&page(401, "Error: Unauthorized"), Generation::Gen2).unwrap();
    assert_eq!((error.kind(), detail(&error, "audience")), (Kind::Unauthenticated, Some("https://f")));
    for page in [page(401, "Error: Unauthorized"), page(403, "Error: Forbidden")] {
        let attempted = attempted();
        let without = Asked { audience: None, ..asked(&attempted, Generation::Gen2, None) };
        let error = refusal(&page, &without).unwrap();
        assert_eq!(error.kind(), Kind::Unauthenticated);
        assert!(error.fields().fix.as_ref().unwrap().contains("auth `auto`"));
    }
}

#[test]
fn a_404_of_the_front_end_speaks_of_the_ingress() {
    let attempted = attempted();
    for (ingress, said) in [
        (Some("ALLOW_INTERNAL_ONLY"), "its ingress is ALLOW_INTERNAL_ONLY"),
        (Some("INGRESS_TRAFFIC_INTERNAL_ONLY"), "its ingress is INGRESS_TRAFFIC_INTERNAL_ONLY"),
        (Some("ALLOW_ALL"), "likely there is no such service"),
        (None, "likely there is no such service"),
    ] {
        let error = refusal(&not_found(), &asked(&attempted, Generation::Gen2, ingress)).unwrap();
        assert_eq!((error.kind(), error.fields().origin), (Kind::NotFound, Origin::GoogleFrontEnd));
        assert!(error.fields().fix.as_ref().unwrap().contains(said), "{error}");
    }
    let internal = asked(&attempted, Generation::Gen1, Some("ALLOW_INTERNAL_AND_GCLB"));
    let error = refusal(&page(403, "Error: Forbidden"), &internal).unwrap();
    assert_eq!(
        (error.kind(), detail(&error, "role")),
        (Kind::Forbidden, Some("roles/cloudfunctions.invoker"))
    );
    let fix = error.fields().fix.as_ref().unwrap();
    assert!(fix.contains("ingress is ALLOW_INTERNAL_AND_GCLB") && fix.contains("gcloud"), "{fix}");
}

#[test]
fn a_functions_own_answer_is_its_own() {
    let mut own = page(403, "Error: Forbidden");
    own.headers.push(("function-execution-id".to_owned(), b"x".to_vec()));
    let mut json = not_found();
    json.headers = vec![("content-type".to_owned(), b"application/json".to_vec())];
    let mut flask = page(404, "Not Found");
    flask.body = b"<h1>Not Found</h1><p>The requested URL was not found on the server.</p>".to_vec();
    for response in
        [own, page(403, "No"), page(404, "Error: Forbidden"), json, flask, page(200, "Error: Forbidden")]
    {
        assert_eq!(refused(&response, Generation::Gen1), None);
        assert!(!asks_who(&response, Method::Post));
        assert_eq!(diagnosis(&response, Method::Post), None);
    }
}

#[test]
fn a_redirect_to_the_sign_in_is_a_refusal_and_any_other_is_an_answer() {
    for location in [
        "https://accounts.google.com/ServiceLogin?continue=x",
        "https://accounts.google.com/o/oauth2/v2/auth?redirect_uri=https%3A%2F%2Fiap.googleapis.com%2Fv1",
    ] {
        let error = refused(&redirect(location), Generation::Other).unwrap();
        assert_eq!((error.kind(), error.fields().http_status), (Kind::Unauthenticated, Some(302)));
        assert!(!format!("{error:?}").contains("continue"));
    }
    for location in [
        "https://evil.com/",
        "https://accounts.google.com.evil.com/ServiceLogin",
        "http://accounts.google.com/ServiceLogin",
        "//accounts.google.com/ServiceLogin",
        "https://accounts.google.com/o/oauth2/v2/auth?redirect_uri=https%3A%2F%2Ff-abc-uc.a.run.app%2Fdone",
        "",
    ] {
        assert_eq!(refused(&redirect(location), Generation::Other), None, "{location}");
    }
    assert!(!asks_who(&redirect("https://accounts.google.com/ServiceLogin"), Method::Get));
}

#[test]
fn only_the_two_pages_ask_who_and_a_head_without_a_page() {
    assert!(asks_who(&page(401, "Error: Unauthorized"), Method::Post));
    assert!(asks_who(&page(403, "Error: Forbidden"), Method::Post));
    assert!(!asks_who(&not_found(), Method::Post));
    let mut head = page(403, "");
    head.body.clear();
    assert!(asks_who(&head, Method::Head) && !asks_who(&head, Method::Get));
    assert!(diagnosis(&head, Method::Head).is_some() && diagnosis(&head, Method::Get).is_none());
}

#[test]
fn an_answer_is_diagnosed_and_only_what_is_known_is_claimed() {
    let text = |status, body: &str| Response {
        status,
        headers: vec![("content-type".to_owned(), b"text/plain".to_vec())],
        body: body.as_bytes().to_vec(),
    };
    let mut server_error = page(500, "");
    server_error.body =
        b"<h1>Error: Server Error</h1><h2>The service you requested is not available yet.".to_vec();
    let mut crash = text(500, "Internal Server Error");
    crash.headers.push(("x-google-status".to_owned(), b"crash".to_vec()));
    for (response, said) in [
        (text(500, "Error: could not handle the request\n"), "the function crashed"),
        (crash, "the function crashed"),
        (text(429, "Rate exceeded."), "likely no instance was available"),
        (server_error, "likely no instance took the request"),
        (page(503, "x"), "likely no instance could start"),
        (text(504, "upstream request timeout"), "likely the function ran longer"),
    ] {
        assert_eq!(refused(&response, Generation::Gen2), None, "{said}");
        assert!(diagnosis(&response, Method::Post).unwrap().starts_with(said), "{said}");
    }
    for own in [text(500, "Internal Server Error"), text(429, "slow down"), text(404, "no"), text(504, "x")] {
        assert_eq!(diagnosis(&own, Method::Post), None);
    }
}

/// The head and the body of Google's own page, as codecov/codecov-bash#365 captured it for 411; the words differ by
/// status.
fn googles_page(status: u16, phrase: &str) -> Response {
    let body = format!(
        "<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n  <meta name=viewport content=\"initial-scale=1, \
        minimum-scale=1, width=device-width\">\n  <title>Error {status} ({phrase})!!1</title>\n  <style>\n    \
        *{{margin:0;padding:0}}html,code{{font:15px/22px arial,sans-serif}}\n  </style>\n  \
        <a href=//www.google.com/><span id=logo aria-label=Google></span></a>\n  <p><b>{status}.</b> \
        <ins>That\u{2019}s an error.</ins>\n  <p>It is.  <ins>That\u{2019}s all we know.</ins>\n"
    );
    Response {
        status,
        headers: vec![("content-type".to_owned(), b"text/html; charset=UTF-8".to_vec())],
        body: body.into_bytes(),
    }
}

const RAN: &str = "the function may have run";
const NOT_CALLED: &str = "the function was not called";

/// RFC 9110, section 15, names the statuses; Google's page takes its phrases from there, or from RFC 2616.
#[test]
fn google_s_own_page_is_told_under_every_status_of_a_refusal() {
    for status in 400..600 {
        let error = refused(&googles_page(status, "Some Phrase"), Generation::Gen2).unwrap();
        assert_eq!(
            (error.fields().origin, error.fields().http_status),
            (Origin::GoogleFrontEnd, Some(status))
        );
        let kind = match status {
            401 => Kind::Unauthenticated,
            403 => Kind::MissingRole,
            404 => Kind::NotFound,
            413 => Kind::TooLarge,
            429 => Kind::RateLimited,
            400..=499 => Kind::InvalidInput,
            _ => Kind::Unavailable,
        };
        assert_eq!(error.kind(), kind, "{status}");
        let said = error.to_string();
        match status {
            // Each says in its own way that nothing was reached.
            401 | 403 | 404 => {}
            400..=499 => assert!(said.contains(NOT_CALLED) && !said.contains(RAN), "{said}"),
            _ => assert!(said.contains(RAN) && !said.contains(NOT_CALLED), "{said}"),
        }
    }
}

#[test]
fn a_functions_page_about_an_error_is_its_own() {
    let with = |status: u16, title: &str| {
        let mut page = googles_page(status, "x");
        let text = String::from_utf8(page.body).unwrap();
        page.body = text.replace(&format!("<title>Error {status} (x)!!1</title>"), title).into_bytes();
        page
    };
    for title in [
        "<title>Error 404</title>",
        "<title>Error 404 (Not Found)</title>",
        "<title>Error 404 (Not Found)!</title>",
        "<title>Error 404 ()!!1</title>",
        "<title>Error 500 (Server Error)!!1</title>",
        "<title>Our Error 404 (Not Found)!!1</title>",
        "<title>Error 404 (Not Found)!!1 at ours</title>",
        "<h1>Error 404 (Not Found)!!1</h1>",
        "",
    ] {
        assert_eq!(refused(&with(404, title), Generation::Gen2), None, "{title}");
    }
    let googles = googles_page(404, "Not Found");
    let typed = |content_type: &str| Response {
        headers: vec![("content-type".to_owned(), content_type.as_bytes().to_vec())],
        ..googles.clone()
    };
    assert!(refused(&typed("text/html"), Generation::Gen2).is_some());
    for other in ["application/json", "text/plain", "application/xhtml+xml"] {
        assert_eq!(refused(&typed(other), Generation::Gen2), None, "{other}");
    }
    let mut ran = googles.clone();
    ran.headers.push(("function-execution-id".to_owned(), b"x".to_vec()));
    assert_eq!(refused(&ran, Generation::Gen1), None);
    for status in [200, 201, 302] {
        assert_eq!(refused(&Response { status, ..googles_page(status, "OK") }, Generation::Gen2), None);
    }
}

/// Only the head is looked at, whatever comes after it, and whichever character the bound falls into.
#[test]
fn a_page_is_read_up_to_a_bound() {
    for more in 0..8 {
        let mut page = googles_page(404, "Not Found");
        let filler = 2048 - page.body.len() - more;
        page.body.extend(std::iter::repeat_n(b' ', filler));
        page.body.extend("\u{2019}".repeat(400_000).into_bytes());
        assert!(refused(&page, Generation::Gen2).is_some(), "{more}");
    }
    let mut late = googles_page(404, "Not Found");
    late.body.splice(0..0, std::iter::repeat_n(b' ', 2048));
    assert_eq!(refused(&late, Generation::Gen2), None);
    let mut never_closed = googles_page(404, "Not Found");
    never_closed.body = b"<title>".repeat(100_000);
    assert_eq!(refused(&never_closed, Generation::Gen2), None);
}

fn of_iap(status: u16, body: &str) -> Response {
    Response {
        status,
        headers: vec![
            ("x-goog-iap-generated-response".to_owned(), b"true".to_vec()),
            ("content-type".to_owned(), b"text/html".to_vec()),
        ],
        body: body.as_bytes().to_vec(),
    }
}

/// The one line is a capture: the proxy says what it holds against the token.
#[test]
fn identity_aware_proxy_is_named_by_its_header() {
    let said = "Invalid IAP credentials: JWT 'email' claim isn't a string";
    let error = refused(&of_iap(401, said), Generation::Gen2).unwrap();
    assert_eq!((error.kind(), error.fields().origin), (Kind::Unauthenticated, Origin::GoogleFrontEnd));
    assert!(error.fields().message.contains(said) && error.fields().message.contains(NOT_CALLED), "{error}");
    let fix = error.fields().fix.as_deref().unwrap();
    for part in ["Identity-Aware Proxy", "OAuth client id of the proxy as audience", "e-mail"] {
        assert!(fix.contains(part), "{fix}");
    }
    assert_eq!(
        (detail(&error, "cause"), detail(&error, "audience")),
        (Some("identity-aware-proxy"), Some("https://f"))
    );
    // Without a token it sends people to sign in, and tells programs the same in one line.
    let attempted = attempted();
    let without = Asked { audience: None, ..asked(&attempted, Generation::Gen2, None) };
    let mut to_sign_in = of_iap(302, "Invalid IAP credentials: empty token");
    to_sign_in.headers.push(("location".to_owned(), b"https://accounts.google.com/o/oauth2/v2/auth?client_id=1&redirect_uri=https://iap.googleapis.com/v1/oauth/clientIds/1:handleRedirect".to_vec()));
    for answer in [to_sign_in, of_iap(401, "Invalid IAP credentials: empty token")] {
        assert!(asks_who(&answer, Method::Post));
        let error = refusal(&answer, &without).unwrap();
        assert_eq!((error.kind(), error.fields().http_status), (Kind::Unauthenticated, Some(answer.status)));
        assert!(error.fields().fix.as_deref().unwrap().contains("Identity-Aware Proxy"), "{error}");
        assert_eq!(detail(&error, "audience"), None);
    }
}

/// <https://cloud.google.com/iap/docs/managing-access>: IAP-secured Web App User.
#[test]
fn whoever_may_not_pass_identity_aware_proxy_needs_its_role() {
    let error = refused(&of_iap(403, "<html>You don't have access</html>"), Generation::Gen2).unwrap();
    assert_eq!(
        (error.kind(), detail(&error, "role")),
        (Kind::MissingRole, Some("roles/iap.httpsResourceAccessor"))
    );
    assert!(!asks_who(&of_iap(403, ""), Method::Post));
    for (status, kind) in [
        (400, Kind::Forbidden),
        (405, Kind::Forbidden),
        (429, Kind::RateLimited),
        (500, Kind::Unavailable),
        (502, Kind::Unavailable),
    ] {
        let error = refused(&of_iap(status, ""), Generation::Gen2).unwrap();
        assert_eq!((error.kind(), error.fields().origin), (kind, Origin::GoogleFrontEnd));
    }
}

#[test]
fn what_only_speaks_of_identity_aware_proxy_is_the_functions() {
    let said = "Invalid IAP credentials: empty token";
    let mut plain = of_iap(401, said);
    plain.headers.remove(0);
    let mut no = of_iap(401, said);
    no.headers[0].1 = b"false".to_vec();
    for response in [plain, no, of_iap(200, said), of_iap(204, "")] {
        assert_eq!(refused(&response, Generation::Gen2), None, "{response:?}");
        assert!(!asks_who(&response, Method::Post));
    }
}

#[test]
fn without_a_credential_google_s_own_page_asks_for_one() {
    assert!(asks_who(&googles_page(401, "Unauthorized"), Method::Post));
    assert!(asks_who(&googles_page(403, "Forbidden"), Method::Post));
    for status in [400, 404, 411, 413, 500, 502] {
        assert!(!asks_who(&googles_page(status, "x"), Method::Post), "{status}");
    }
}
