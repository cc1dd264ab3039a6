//! Calling functions with the shipping component: the identity that a request shows, events, and the answers.

use std::{
    io::Write as _,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use bytes::Bytes;
use gcf_host::{
    Host,
    wit::{Auth, Body, Content, ErrorKind, FunctionRef, Generation, InvokeRequest, Origin, Part, TokenKind},
};
use http::Response;
use http_body_util::Full;
use serde_json::json;

use crate::fixtures::{
    ACCOUNT, builder, connect_request, connected,
    google::{FUNCTION, Google, Seen, json_response, respond},
    invoke_request, live, named, on_loopback, refused,
};

const EVENT: &str = r#"{"specversion":"1.0","id":"7","source":"//storage.googleapis.com/b","type":"google.cloud.storage.object.v1.finalized",
    "subject":"ä b","time":"2026-03-01T12:00:00Z","data": {"n":1.0,  "m":[ ]}}"#;

fn by_url() -> InvokeRequest {
    invoke_request(FunctionRef::Url(format!("https://{FUNCTION}")))
}

fn auto() -> InvokeRequest {
    by_url().auth(Auth::Auto)
}

/// A host with a connection, and the Google that its function answers from.
async fn world(
    function: impl Fn(&Seen) -> Response<Full<Bytes>> + Send + Sync + 'static,
) -> (Google, Host, String) {
    let google = Google::start(function).await;
    let (host, _) = on_loopback(&google);
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    (google, host, id)
}

fn ok(_: &Seen) -> Response<Full<Bytes>> {
    json_response(200, &json!({}))
}

/// Answers as Cloud Run does: no one enters without a token.
fn guarded(seen: &Seen) -> Response<Full<Bytes>> {
    if seen.headers.contains_key("authorization") {
        return ok(seen);
    }
    let page =
        "<h1>Error: Forbidden</h1><h2>Your client does not have permission to get URL <code>/</code></h2>";
    respond(403, "text/html; charset=UTF-8", page)
}

#[tokio::test]
async fn auto_sends_nothing_to_a_function_that_is_open() {
    let (google, host, id) = world(ok).await;
    let answer = host.invoke(&id, auto(), None).await.unwrap();
    assert_eq!((answer.status, answer.token, answer.trace.len()), (200, TokenKind::None, 1));
    assert!(!google.seen_at(FUNCTION)[0].headers.contains_key("authorization"));
    assert_eq!(google.seen_at("oauth2.googleapis.com").len(), 1, "only the connection's own proof");
}

#[tokio::test]
async fn auto_answers_the_front_end_with_an_id_token() {
    let (google, host, id) = world(guarded).await;
    let mut request = auto();
    request.method = "POST".to_owned();
    request.body = Some(Body::Text("once".to_owned()));
    let answer = host.invoke(&id, request, None).await.unwrap();
    let seen: Vec<_> = answer.trace.iter().map(|e| (e.token, e.status)).collect();
    assert_eq!(
        seen,
        [(TokenKind::None, Some(403)), (TokenKind::Assertion, Some(200)), (TokenKind::IdToken, Some(200))]
    );
    assert_eq!((answer.token, answer.principal.as_deref()), (TokenKind::IdToken, Some(ACCOUNT)));
    assert!(google.seen_at(FUNCTION).iter().all(|seen| seen.body == "once"));
}

#[tokio::test]
async fn the_callers_own_authorization_travels_beside_the_id_token() {
    let (google, host, id) = world(ok).await;
    let mut request = by_url();
    request.authorization = Some("Basic of-the-caller".to_owned());
    let answer = host.invoke(&id, request, None).await.unwrap();
    assert_eq!(answer.token, TokenKind::IdToken);
    let seen = google.seen_at(FUNCTION).pop().unwrap();
    assert_eq!(seen.headers["authorization"], "Basic of-the-caller");
    assert!(seen.headers["x-serverless-authorization"].to_str().unwrap().starts_with("Bearer ey"));
    let gen1 = "https://us-central1-demo-project.cloudfunctions.net/hello".to_owned();
    for (function, auth) in [
        (FunctionRef::Url(gen1), Auth::IdToken),
        (FunctionRef::Url(format!("https://{FUNCTION}")), Auth::None),
    ] {
        let mut request = invoke_request(function);
        request.authorization = Some("Basic of-the-caller".to_owned());
        request.auth = auth;
        let error = refused(host.invoke(&id, request, None).await);
        assert_eq!((error.kind, error.trace.len()), (ErrorKind::InvalidInput, 0));
        assert!(!format!("{error:?}").contains("of-the-caller"));
    }
}

#[tokio::test]
async fn an_event_is_sent_in_binary_mode() {
    let (google, host, id) = world(|_| respond(204, "text/plain", "")).await;
    let mut request = invoke_request(named("hello", Some("us-central1")));
    request.method = "POST".to_owned();
    request.body = Some(Body::CloudEvent(EVENT.to_owned()));
    assert_eq!(host.invoke(&id, request.clone(), None).await.unwrap().status, 204);
    let seen = google.seen_at(FUNCTION).pop().unwrap();
    for (name, value) in [
        ("ce-specversion", "1.0"),
        ("ce-id", "7"),
        ("ce-source", "//storage.googleapis.com/b"),
        ("ce-type", "google.cloud.storage.object.v1.finalized"),
        ("ce-subject", "%C3%A4%20b"),
        ("ce-time", "2026-03-01T12:00:00Z"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(seen.headers[name], value, "{name}");
    }
    assert_eq!(seen.body, r#"{"n":1.0,  "m":[ ]}"#);

    request.method = "PUT".to_owned();
    assert_eq!(refused(host.invoke(&id, request.clone(), None).await).kind, ErrorKind::InvalidInput);
    request.method = "POST".to_owned();
    request.body = Some(Body::CloudEvent("{\"specversion\":\"1.0\"}".to_owned()));
    assert_eq!(refused(host.invoke(&id, request, None).await).kind, ErrorKind::InvalidInput);
}

#[tokio::test]
pub(crate) async fn a_first_gen_event_function_is_called_for_a_test() {
    let event =
        Some(Body::CloudEvent(EVENT.replace("{\"n\":1.0,  \"m\":[ ]}", r#"{"message": "hell\"oThere"}"#)));
    for (tape, body, failure) in [
        ("call-result.json", Content::Text("hell\"oThere".to_owned()), None),
        (
            "call-error.json",
            Content::Empty,
            Some("TypeError: Cannot read properties of undefined (reading 'x')"),
        ),
    ] {
        let (host, replay, id) = connected(tape).await;
        let mut request = invoke_request(named("legacy-thumbnails", Some("europe-west1")));
        request.method = "POST".to_owned();
        request.body.clone_from(&event);
        let answer = host.invoke(&id, request, None).await.unwrap();
        assert_eq!((answer.status, answer.generation), (200, Generation::Gen1));
        assert_eq!((answer.token, answer.body), (TokenKind::AccessToken, body));
        assert_eq!(answer.execution_id.as_deref(), Some("xp9hifb4y996"));
        assert_eq!(answer.execution_error.as_deref(), failure);
        assert!(answer.diagnosis.unwrap().contains("testing only"));
        replay.finish().unwrap();
    }
}

#[tokio::test]
pub(crate) async fn a_404_of_the_front_end_is_no_answer_of_the_function() {
    let (host, replay, id) = connected("invoke-404-front-end.json").await;
    let mut request = invoke_request(named("hello-http", Some("us-central1")));
    request.method = "GET".to_owned();
    let error = refused(host.invoke(&id, request, None).await);
    assert_eq!((error.kind, error.origin), (ErrorKind::NotFound, Origin::GoogleFrontEnd));
    assert!(error.fix.unwrap().contains("ingress is ALLOW_INTERNAL_ONLY"));
    replay.finish().unwrap();
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_a_login_is_a_refusal() {
    for (location, kind) in [
        ("https://elsewhere.example/", None),
        ("https://accounts.google.com/ServiceLogin?continue=x", Some(ErrorKind::Unauthenticated)),
    ] {
        let (google, host, id) = world(move |_| {
            Response::builder().status(302).header("location", location).body(Full::default()).unwrap()
        })
        .await;
        match (host.invoke(&id, by_url(), None).await, kind) {
            (Ok(answer), None) => assert_eq!((answer.status, answer.body), (302, Content::Empty)),
            (outcome, Some(kind)) => assert_eq!(refused(outcome).kind, kind),
            (outcome, None) => panic!("{outcome:?}"),
        }
        assert_eq!(google.seen_at(FUNCTION).len(), 1);
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn encoded(encoding: &'static str, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = respond(200, "application/json", body);
    response.headers_mut().insert("content-encoding", http::HeaderValue::from_static(encoding));
    response
}

#[tokio::test]
async fn gzip_is_decompressed_within_the_limit() {
    const MANY: usize = 32 << 20;
    let google = Google::start(|seen| match seen.path.as_str() {
        "/small" => encoded("gzip", gzip(b"{\"a\":1}")),
        // As Node's zlib compresses it.
        "/brotli" => encoded("br", b"\x0b\x03\x80{\"a\":1}\x03".to_vec()),
        "/no-coding" => encoded("utf-8", b"{\"a\":1}".to_vec()),
        "/many" => encoded("gzip", gzip(&vec![b' '; MANY])),
        _ => encoded("gzip", gzip(&vec![b' '; MANY + 1])),
    })
    .await;
    let host = builder().transport(live(&google)).build().unwrap();
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    let at = |path: &str| by_url().path(path).auth(Auth::None);
    let answer = host.invoke(&id, at("/small"), None).await.unwrap();
    assert_eq!(answer.body, Content::Json("{\"a\":1}".to_owned()));
    assert!(answer.headers.iter().any(|header| header.name == "content-encoding"));
    let answer = host.invoke(&id, at("/brotli"), None).await.unwrap();
    assert_eq!(answer.body, Content::Bytes(b"\x0b\x03\x80{\"a\":1}\x03".to_vec()));
    assert!(answer.diagnosis.unwrap().contains("said to be in br, which is not unpacked here"));
    let answer = host.invoke(&id, at("/no-coding"), None).await.unwrap();
    assert_eq!((answer.body, answer.diagnosis), (Content::Json("{\"a\":1}".to_owned()), None));
    let answer = host.invoke(&id, at("/many"), None).await.unwrap();
    assert_eq!(answer.body.as_bytes().len(), MANY);
    let error = refused(host.invoke(&id, at("/bomb"), None).await);
    assert_eq!((error.kind, error.origin), (ErrorKind::TooLarge, Origin::Function));
}

#[tokio::test]
async fn what_has_no_body_has_none() {
    let (_google, host, id) = world(|seen| {
        let status = if seen.method == "HEAD" { 200 } else { 304 };
        Response::builder().status(status).header("content-length", "5").body(Full::default()).unwrap()
    })
    .await;
    for method in ["HEAD", "GET"] {
        let request = by_url().method(method).auth(Auth::None);
        let answer = host.invoke(&id, request, None).await.unwrap();
        assert_eq!(answer.body, Content::Empty, "{method}");
    }
}

#[tokio::test]
async fn forms_and_parts_arrive_as_they_are_framed() {
    let (google, host, id) = world(ok).await;
    let part = |name: &str, filename: Option<&str>, data: &[u8]| Part {
        name: name.to_owned(),
        filename: filename.map(str::to_owned),
        content_type: filename.map(|_| "application/octet-stream".to_owned()),
        data: data.to_vec(),
    };
    let pairs = vec![("a b".to_owned(), "ü".to_owned()), ("a b".to_owned(), "&".to_owned())];
    let parts = || vec![part("field", None, b"v"), part("file", Some("x.bin"), b"\0\xff\r\n")];
    for body in [Body::Form(pairs), Body::Multipart(parts()), Body::Multipart(parts())] {
        let request = by_url().method("POST").body(body).auth(Auth::None);
        assert_eq!(host.invoke(&id, request, None).await.unwrap().status, 200);
    }
    let seen = google.seen_at(FUNCTION);
    assert_eq!(seen[0].headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(seen[0].body, "a+b=%C3%BC&a+b=%26");
    let content_type = seen[1].headers["content-type"].to_str().unwrap();
    let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
    let expected = [
        format!("--{boundary}\r\ncontent-disposition: form-data; name=\"field\"\r\n\r\nv\r\n").as_bytes(),
        format!("--{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"x.bin\"\r\n")
            .as_bytes(),
        b"content-type: application/octet-stream\r\n\r\n\0\xff\r\n\r\n",
        format!("--{boundary}--\r\n").as_bytes(),
    ]
    .concat();
    assert_eq!(seen[1].body, expected);
    // Drawn for each, so that nobody can put one into a part of their own.
    assert_ne!(seen[2].headers["content-type"], seen[1].headers["content-type"]);
}

#[tokio::test]
async fn only_what_is_idempotent_is_repeated_and_every_attempt_is_traced() {
    for (idempotent, status, sent) in [(false, 503, 1), (true, 200, 2)] {
        let count = AtomicU32::new(0);
        let (google, host, id) = world(move |seen| {
            if count.fetch_add(1, Ordering::Relaxed) == 0 {
                respond(503, "text/plain", "x")
            } else {
                ok(seen)
            }
        })
        .await;
        let request = by_url().idempotent(idempotent).auth(Auth::None);
        let answer = host.invoke(&id, request, Some(Duration::from_secs(30))).await.unwrap();
        assert_eq!((answer.status, answer.trace.len()), (status, sent));
        assert_eq!(google.seen_at(FUNCTION).len(), sent);
    }
}
