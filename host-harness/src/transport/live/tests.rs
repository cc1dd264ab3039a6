//! Against servers on loopback, port 0. Names never reach a real resolver.

mod bodies;
mod connections;
mod faults;
mod fixture;
mod interim;
mod proxy;

use http::{Request, StatusCode, header};

use self::fixture::{ORIGIN, echo, empty, full, mapped, read, send, serve, settle};
use super::*;
use crate::transport::OriginRule;

#[tokio::test]
async fn a_mapped_request_keeps_method_path_query_and_host() {
    let server = serve(|request| async move {
        let host = request.headers()[header::HOST].to_str().unwrap().to_owned();
        http::Response::new(full(format!("{} {} {host}", request.method(), request.uri())))
    })
    .await;
    let live = mapped(server.address);
    let request = Request::delete(format!("{ORIGIN}/v2/a%2Fb/c?x=1&y=%20&x=2")).body(empty()).unwrap();
    let (parts, body) = send(&live, request).await.unwrap().into_parts();
    assert_eq!(parts.status, StatusCode::OK);
    assert_eq!(read(body).await.unwrap(), "DELETE /v2/a%2Fb/c?x=1&y=%20&x=2 cloudfunctions.googleapis.com");
}

#[tokio::test]
async fn repeated_headers_and_bytes_that_are_not_utf8_survive_both_ways() {
    let server = serve(|request| async move {
        let mut response = http::Response::new(empty());
        for (name, value) in request.headers().iter().filter(|(name, _)| name.as_str().starts_with("x-")) {
            response.headers_mut().append(name, value.clone());
        }
        response
    })
    .await;
    let sent = [&b"first"[..], b"second", b"caf\xe9 \xff\x80", b""];
    let mut request = Request::get(format!("{ORIGIN}/")).body(empty()).unwrap();
    for value in sent {
        let value = http::HeaderValue::from_bytes(value).unwrap();
        request.headers_mut().append("x-repeated", value);
    }
    let response = send(&mapped(server.address), request).await.unwrap();
    let got: Vec<_> = response.headers().get_all("x-repeated").iter().map(|v| v.as_bytes()).collect();
    assert_eq!(got, sent);
}

#[tokio::test]
async fn a_redirect_and_an_encoded_body_are_passed_on_as_they_are() {
    let server = serve(|_| async {
        http::Response::builder()
            .status(StatusCode::FOUND)
            .header(header::LOCATION, "https://evil.example/")
            .header(header::CONTENT_ENCODING, "gzip")
            .body(full("not gzip at all"))
            .unwrap()
    })
    .await;
    let request = Request::get(format!("{ORIGIN}/")).body(empty()).unwrap();
    let response = send(&mapped(server.address), request).await.unwrap();
    assert_eq!(response.status(), StatusCode::FOUND);
    assert_eq!(response.headers()[header::LOCATION], "https://evil.example/");
    assert_eq!(read(response.into_body()).await.unwrap(), "not gzip at all");
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn two_requests_use_one_connection() {
    let server = serve(echo).await;
    let live = mapped(server.address);
    for _ in 0..2 {
        let request = Request::post(format!("{ORIGIN}/")).body(full("hello")).unwrap();
        let response = send(&live, request).await.unwrap();
        assert_eq!(read(response.into_body()).await.unwrap(), "hello");
        settle().await;
    }
    assert_eq!((server.connections(), server.requests()), (1, 2));
}

#[tokio::test]
async fn plain_http_is_refused_unless_mapped() {
    let server = serve(echo).await;
    let live = mapped(server.address);
    let request = Request::get("http://cloudfunctions.googleapis.com/").body(empty()).unwrap();
    let error = send(&live, request).await.unwrap_err();
    assert!(matches!(error, TransportError::Denied(_)), "{error}");
    assert_eq!(server.connections(), 0);
}

#[test]
fn an_extra_root_must_be_a_certificate() {
    let error = Live::builder().extra_roots(vec![b"not a certificate".to_vec().into()]).build().unwrap_err();
    assert!(matches!(error, LiveError::Root { index: 0, .. }), "{error}");
}

#[test]
fn debug_shows_the_map() {
    let rule = OriginRule::parse(&format!("{ORIGIN}=http://127.0.0.1:1")).unwrap();
    let live = Live::builder().map(OriginMap::new([rule]).unwrap()).build().unwrap();
    assert!(format!("{live:?}").contains("cloudfunctions.googleapis.com"));
}
