//! Tapes read and replayed: the project's cassettes, and small tapes of these tests.

mod compressed;
mod episodes;
mod faults;
mod hiding;
mod join;
mod matching;
mod modes;
mod oracle;
mod properties;
mod recording;
mod renaming;
mod review;
mod room;
mod streaming;
mod unwieldy;
mod written_out;

use std::{path::PathBuf, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};

use super::*;
use crate::{
    clock::{Clock as _, Random as _},
    transport::{Body, Timeouts, Transport, TransportError},
};

const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(1),
    first_byte: Duration::from_secs(1),
    between_bytes: Duration::from_secs(1),
};

fn tape(interactions: Value) -> Tape {
    Tape::from_json(&document(interactions).to_string()).unwrap()
}

fn document(interactions: Value) -> Value {
    json!({
        "format": "gcf-tape",
        "version": "1.0",
        "provenance": {"kind": "made", "from": "a test"},
        "clock": "2026-03-01T12:00:00Z",
        "seed": 1,
        "interactions": interactions
    })
}

fn problem(document: &Value) -> String {
    Tape::from_json(&document.to_string()).unwrap_err().to_string()
}

fn body(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

fn request(method: &str, url: &str, headers: &[(&str, &str)], bytes: &str) -> http::Request<Body> {
    let mut request = http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body(bytes.to_owned())).unwrap()
}

async fn send(
    to: &dyn Transport,
    request: http::Request<Body>,
) -> Result<http::Response<Bytes>, TransportError> {
    let (parts, body) = to.send(request, TIMEOUTS).await?.into_parts();
    Ok(http::Response::from_parts(parts, body.collect().await?.to_bytes()))
}

/// The request that a tape's interaction records.
fn as_recorded(request: &RecordedRequest) -> http::Request<Body> {
    let headers: Vec<(&str, &str)> =
        request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let bytes = request.body.as_ref().map(RecordedBody::to_bytes).unwrap_or_default();
    self::request(&request.method, &request.url, &headers, std::str::from_utf8(&bytes).unwrap())
}

fn get(url: &str) -> Value {
    json!({"request": {"method": "GET", "url": url}, "response": {"status": 200}})
}

fn jwt(claims: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.c2lnbmF0dXJl", part(r#"{"typ":"JWT","alg":"RS256"}"#), part(claims))
}

fn token_request(claims: &str) -> http::Request<Body> {
    let form = format!("grant_type=jwt-bearer&assertion={}", jwt(claims));
    request(
        "POST",
        "https://oauth2.test/token",
        &[("content-type", "application/x-www-form-urlencoded")],
        &form,
    )
}

fn sign_in() -> Tape {
    let assertion = jwt(r#"{"iss":"me","scope":"a","iat":1}"#);
    tape(json!([
        {
            "request": {
                "method": "POST",
                "url": "https://oauth2.test/token",
                "headers": {"content-type": "application/x-www-form-urlencoded"},
                "body": {"form": [["grant_type", "jwt-bearer"], ["assertion", assertion]]}
            },
            "response": {"status": 200, "body": {"json": {"access_token": "[redacted:access-token:1]"}}}
        },
        {
            "request": {
                "method": "GET",
                "url": "https://api.test/v2/things?pageSize=10&fields=a(b%2Cc)",
                "headers": {"authorization": "Bearer [redacted:access-token:1]"}
            },
            "response": {"status": 200, "headers": [["x-a", "1"], ["x-a", "2"]], "body": {"json": {"things": []}}}
        }
    ]))
}

fn cassettes() -> Vec<(String, PathBuf)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/cassettes");
    let mut found: Vec<(String, PathBuf)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), path))
        .collect();
    found.sort();
    assert!(found.len() >= 50, "the cassettes are in {folder}");
    found
}

#[tokio::test]
async fn every_cassette_is_redacted_and_answers_its_own_requests() {
    for (name, path) in cassettes() {
        let text = std::fs::read_to_string(&path).unwrap();
        let tape = Tape::read(&path).unwrap();
        assert_eq!(tape, Tape::parse(&text).unwrap(), "{name} holds a secret");
        assert_eq!(tape, Tape::from_json(&tape.to_json()).unwrap(), "{name} changes when written again");
        let replay = Replay::new(tape.clone());
        for (index, interaction) in tape.interactions().iter().enumerate() {
            let response = send(&replay, as_recorded(&interaction.request)).await;
            let response = response.unwrap_or_else(|error| panic!("{name}, interactions[{index}]: {error}"));
            let recorded = interaction.response().unwrap();
            assert_eq!(response.status().as_u16(), recorded.status, "{name}[{index}]");
            let expected = recorded.body.as_ref().map(RecordedBody::to_bytes).unwrap_or_default();
            assert_eq!(*response.body(), expected, "{name}[{index}]");
        }
        replay.finish().unwrap();
    }
}

#[test]
fn the_clock_and_the_randomness_are_the_tapes() {
    let tape = tape(json!([]));
    assert_eq!(tape.clock().now(), Duration::from_secs(1_772_366_400));
    let (mut first, mut second) = ([0; 16], [0; 16]);
    tape.random().fill(&mut first);
    tape.random().fill(&mut second);
    assert_eq!(first, second);
}

#[test]
fn what_is_wrong_with_a_tape_is_named_with_its_place() {
    let url = "https://x.test/";
    let with = |path: &str, value: Value| {
        let mut document = document(json!([get(url), get(url)]));
        *document.pointer_mut(path).unwrap() = value;
        problem(&document)
    };
    for (path, value, expected) in [
        ("/format", json!("vcr"), "not a tape: `format` is \"vcr\", expected \"gcf-tape\""),
        (
            "/version",
            json!("2.0"),
            "tape version 2.0 is not supported: this program reads 1.x; record the tape again",
        ),
        ("/version", json!("one"), "at `version`: a version is MAJOR.MINOR, such as \"1.0\""),
        ("/clock", json!("noon"), "at `clock`: \"noon\" is not a time such as \"2026-03-01T12:00:00Z\""),
        ("/clock", json!("1969-12-31T23:59:59Z"), "at `clock`: \"1969-12-31T23:59:59Z\" is not a time"),
        (
            "/provenance/kind",
            json!("found"),
            "at `provenance.kind`: unknown variant `found`, expected one of `recorded`",
        ),
        (
            "/interactions/1/request/url",
            json!("/v2"),
            "at `interactions[1].request.url`: the URL is not absolute",
        ),
        (
            "/interactions/1/request/method",
            json!("get"),
            "at `interactions[1].request.method`: \"get\" is not a method",
        ),
        (
            "/interactions/1/response/status",
            json!(99),
            "at `interactions[1].response.status`: 99 is not the status",
        ),
        (
            "/interactions/1/response",
            json!({"status": 200, "headers": [["a b", ""]]}),
            "at `interactions[1].response.headers`: \"a b\" is not the name of a header",
        ),
        (
            "/interactions/1/response",
            json!({"status": 200, "body": {"base64": "?"}}),
            "at `interactions[1].response.body.base64`: not base64",
        ),
        (
            "/interactions/1/response",
            json!({"status": 200, "body": {"xml": ""}}),
            "at `interactions[1].response.body`: unknown variant `xml`, expected one of `json`, `text`",
        ),
        (
            "/interactions/1",
            json!({"request": {"method": "GET", "url": url}}),
            "at `interactions[1]`: there is no `response`; add one, or a `fault` that explains why",
        ),
        (
            "/interactions/1",
            json!({"request": {"method": "GET", "url": url}, "response": {"status": 200}, "match": {"regex": {"query a": "("}}}),
            "at `interactions[1].match.regex`: the expression for \"query a\": regex parse error",
        ),
        (
            "/interactions/1",
            json!({"request": {"method": "GET", "url": url}, "response": {"status": 200}, "fault": {"end": "fire"}}),
            "at `interactions[1].fault.end`: unknown variant `fire`, expected one of `unresolved`, `refused`",
        ),
        (
            "/interactions/1/response",
            json!({"status": 200, "staus": 1}),
            "unknown field: `interactions[1].response.staus`; remove it, or correct its name",
        ),
    ] {
        let found = with(path, value);
        assert!(found.starts_with(expected), "{path}\n  expected {expected}\n  found    {found}");
    }
    assert_eq!(problem(&json!({})), "not a tape: `format` is missing, expected \"gcf-tape\"");
    assert!(problem(&json!({"format": "gcf-tape"})).contains("missing field `version`"));
    let missing = Tape::read("no/such/tape.json").unwrap_err().to_string();
    assert!(missing.starts_with("cannot read tape no/such/tape.json: "), "{missing}");
}

#[test]
fn what_is_no_json_says_so_and_where() {
    let found = |text: &str| Tape::from_json(text).unwrap_err().to_string();
    assert_eq!(found("none of it"), "not JSON from line 1, column 2 on: expected value");
    assert_eq!(found("[1]"), "not a tape: `format` is missing, expected \"gcf-tape\"");
    assert_eq!(found(""), "not JSON from line 1, column 1 on: EOF while parsing a value");
    assert_eq!(found("{"), "not JSON from line 1, column 1 on: EOF while parsing an object");
    // A comma too few, far down.
    let text = format!("{:#}", document(json!([get("https://x.test/a"), get("https://x.test/b")])));
    let cut = text.replacen("\"GET\",", "\"GET\"", 2).replacen("\"GET\"", "\"GET\",", 1);
    let place = "not JSON from line 23, column 9 on: expected `,` or `}`, in `interactions[1].request`";
    assert_eq!(found(&cut), place);
    assert_eq!(found(&format!("{text}\n}}")), "not JSON from line 31, column 1 on: trailing characters");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("binary");
    std::fs::write(&path, b"{\n  \"a\xff").unwrap();
    let found = Tape::read(&path).unwrap_err().to_string();
    assert!(
        found.ends_with("binary: not JSON from line 2, column 5 on: a byte that is not UTF-8"),
        "{found}"
    );
}

#[test]
fn a_newer_minor_version_is_read_without_what_is_new() {
    let mut document = document(json!([get("https://x.test/")]));
    document["version"] = json!("1.7");
    document["interactions"][0]["latency"] = json!("3ms");
    assert_eq!(Tape::from_json(&document.to_string()).unwrap().interactions().len(), 1);
}

#[test]
fn a_tape_in_memory_holds_no_secret() {
    let tape = tape(json!([{
        "request": {"method": "GET", "url": "https://x.test/?key=canary-1", "headers": {"authorization": "Bearer canary-2"}},
        "response": {"status": 200, "body": {"json": {"access_token": "canary-2", "refresh_token": "canary-3"}}}
    }]));
    assert!(!format!("{tape:?}{}", tape.to_json()).contains("canary"));
    assert!(tape.to_json().contains("\"access_token\": \"[redacted:access-token:1]\""));
}

#[tokio::test]
async fn encoding_and_order_of_claims_do_not_matter() {
    let replay = Replay::new(sign_in());
    assert_eq!(replay.remaining(), 2);
    send(&replay, token_request(r#"{ "iat": 1, "scope": "a", "iss": "me" }"#)).await.unwrap();
    let headers = [("authorization", "Bearer [redacted:access-token:1]"), ("user-agent", "any")];
    let url = "https://API.test:443/v2/things?pageSize=%31%30&fields=a%28b,c%29";
    let response = send(&replay, request("GET", url, &headers, "")).await.unwrap();
    let repeated: Vec<_> = response.headers().get_all("x-a").iter().collect();
    assert_eq!(repeated, ["1", "2"]);
    assert_eq!(response.body(), r#"{"things":[]}"#);
    assert_eq!(replay.remaining(), 0);
    replay.finish().unwrap();
}

#[tokio::test]
async fn a_miss_names_each_field_that_differs() {
    let replay = Replay::new(sign_in());
    let error =
        send(&replay, token_request(r#"{"iss":"me","scope":"b","exp":2,"iat":1}"#)).await.unwrap_err();
    assert_eq!(error, TransportError::TapeMiss(replay.misses()[0].missed()));
    assert_eq!(
        replay.misses()[0].to_string(),
        "not on the tape: POST https://oauth2.test/token
  next:    interactions[0] POST https://oauth2.test/token
  nearest: interactions[0] POST https://oauth2.test/token
    body.form assertion.claims.scope: the tape has \"a\", the request has \"b\"
    body.form assertion.claims.life: the tape has none, the request has \"1 s\"
hint: if the request is right, correct interactions[0].request or record the tape again; \
         if the tape is right, the program has changed; a field that may differ belongs in `match.ignore`"
    );
}

/// Sends the tape's first request, then `request`, and returns the fields that differ.
async fn second(request: http::Request<Body>) -> (Vec<String>, Miss) {
    let replay = Replay::new(sign_in());
    send(&replay, token_request(r#"{"iss":"me","scope":"a","iat":1}"#)).await.unwrap();
    send(&replay, request).await.unwrap_err();
    let miss = replay.misses().remove(0);
    (miss.differences.iter().map(ToString::to_string).collect(), miss)
}

#[tokio::test]
async fn a_wrong_credential_is_a_miss() {
    let url = "https://api.test/v2/things?pageSize=10&fields=a(b,c)";
    let on_tape = "the tape has \"Bearer [redacted:access-token:1]\"";
    let (fields, _) = second(request("GET", url, &[], "")).await;
    assert_eq!(fields, [format!("header authorization: {on_tape}, the request has none")]);

    let headers = [("authorization", "Bearer canary"), ("x-goog-api-key", "canary-2")];
    let (fields, miss) = second(request("GET", url, &headers, "")).await;
    assert_eq!(
        fields,
        [
            format!("header authorization: {on_tape}, the request has \"Bearer [redacted:access-token:2]\""),
            "header x-goog-api-key: the tape has none, the request has \"[redacted:api-key:1]\"".to_owned()
        ]
    );
    assert!(!format!("{miss:?}{miss}").contains("canary"));
}

#[tokio::test]
async fn a_query_differs_by_name_and_value() {
    let headers = [("authorization", "Bearer [redacted:access-token:1]")];
    let url = "https://api.test/v2/things?pageSize=10&fields=a&pageToken=x";
    let (fields, _) = second(request("GET", url, &headers, "")).await;
    assert_eq!(
        fields,
        [
            "query fields: the tape has \"a(b,c)\", the request has \"a\"",
            "query pageToken: the tape has none, the request has \"x\""
        ]
    );
    let url = "https://api.test/v2/things?fields=a(b,c)&pageSize=10";
    let (fields, _) = second(request("DELETE", url, &headers, "x")).await;
    assert_eq!(
        fields,
        [
            "method: the tape has \"GET\", the request has \"DELETE\"",
            "body: the tape has none, the request has text of 1 bytes"
        ]
    );
}

#[tokio::test]
async fn the_hint_tells_a_repeated_request_from_a_changed_order() {
    let (fields, miss) = second(token_request(r#"{"iss":"me","scope":"a","iat":1}"#)).await;
    assert!(fields.is_empty());
    assert!(
        miss.hint.starts_with("interactions[0] answered this already: the request was sent twice"),
        "{miss}"
    );
    assert!(
        miss.to_string()
            .contains("nearest: interactions[0] POST https://oauth2.test/token (the same request)")
    );

    let replay = Replay::new(tape(json!([get("https://x.test/a"), get("https://x.test/b")])));
    send(&replay, request("GET", "https://x.test/b", &[], "")).await.unwrap_err();
    assert!(
        replay.misses()[0].hint.starts_with("interactions[1] answers this, but interactions[0] comes first")
    );

    let replay = Replay::new(tape(json!([])));
    let error = send(&replay, request("GET", "https://x.test/b", &[], "")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "not on the tape: GET https://x.test/b\n  next:    none, the tape has ended\nhint: the tape is empty; record one"
    );
    assert_eq!(replay.misses()[0].hint, "the tape is empty; record one");
}

#[tokio::test]
async fn finish_names_misses_and_what_was_not_used() {
    let replay =
        Replay::new(tape(json!([get("https://x.test/a"), get("https://x.test/b"), get("https://x.test/c")])));
    send(&replay, request("GET", "https://x.test/a", &[], "")).await.unwrap();
    let unused = "2 interactions were not used:\n  interactions[1] GET https://x.test/b\n  interactions[2] GET https://x.test/c\nhint: ";
    let found = replay.finish().unwrap_err().to_string();
    assert!(found.starts_with(unused), "{found}");
    send(&replay, request("GET", "https://x.test/d", &[], "")).await.unwrap_err();
    let found = replay.finish().unwrap_err().to_string();
    assert!(found.starts_with("not on the tape: GET https://x.test/d\n"), "{found}");
    assert!(found.contains(unused), "{found}");
}

#[tokio::test]
async fn json_bodies_differ_by_path() {
    let recorded = json!([{
        "request": {"method": "POST", "url": "https://x.test/", "body": {"json": {"a": {"b": [1, 2]}, "c": 1}}},
        "response": {"status": 204}
    }]);
    let sent = r#"{"c": 1, "a": {"b": [1, 3]}, "d": null}"#;
    let replay = Replay::new(tape(recorded));
    send(&replay, request("POST", "https://x.test/", &[("content-type", "text/plain")], sent))
        .await
        .unwrap_err();
    let fields: Vec<String> = replay.misses()[0].differences.iter().map(ToString::to_string).collect();
    assert_eq!(
        fields,
        [
            "body.json a.b[1]: the tape has 2, the request has 3",
            "body.json d: the tape has none, the request has null"
        ]
    );
    send(&replay, request("POST", "https://x.test/", &[], r#"{"c":1,"a":{"b":[1,2]}}"#)).await.unwrap();
}

#[tokio::test]
async fn a_secret_of_the_caller_matches_its_placeholder() {
    let recorded = json!([{
        "request": {
            "method": "POST",
            "url": "https://x.test/token",
            "body": {"form": [["client_secret", "[redacted:client-secret:1]"], ["refresh_token", "[redacted:refresh-token:1]"]]}
        },
        "response": {"status": 200}
    }]);
    let replay = Replay::new(tape(recorded));
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    send(
        &replay,
        request("POST", "https://x.test/token", &headers, "client_secret=mine&refresh_token=1%2F%2Fmine"),
    )
    .await
    .unwrap();
    replay.finish().unwrap();
}
