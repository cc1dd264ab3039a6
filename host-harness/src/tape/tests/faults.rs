//! The faults that a tape brings about. The clock of the runtime is paused: waiting takes no time.

use std::time::Duration;

use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::{TIMEOUTS, request, send, tape};
use crate::{
    tape::Replay,
    transport::{Transport as _, TransportError},
};

fn with(fault: Value) -> Replay {
    Replay::new(tape(json!([{
        "request": {"method": "GET", "url": "https://x.test/"},
        "response": {"status": 200, "headers": [["content-length", "10"]], "body": {"text": "0123456789"}},
        "fault": fault
    }])))
}

fn get() -> http::Request<crate::transport::Body> {
    request("GET", "https://x.test/", &[], "")
}

#[tokio::test(start_paused = true)]
async fn what_fails_before_the_response() {
    for (end, name) in [
        ("unresolved", "cannot resolve host"),
        ("refused", "connection refused"),
        ("connect-timeout", "connect timeout"),
        ("tls", "TLS"),
        ("reset-before-headers", "connection closed"),
        ("no-response", "no response within 1s"),
        ("not-http", "not HTTP"),
    ] {
        let replay = with(json!({"end": end}));
        let error = send(&replay, get()).await.unwrap_err();
        assert!(error.to_string().starts_with(name), "{end}: {error}");
        replay.finish().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn what_breaks_off() {
    for (fault, arrives) in [
        (json!({"end": "reset-after-headers"}), ""),
        (json!({"end": "truncated-body"}), "01234"),
        (json!({"end": "truncated-body", "body_bytes": 7, "piece_bytes": 3}), "0123456"),
    ] {
        let response = with(fault).send(get(), TIMEOUTS).await.unwrap();
        assert_eq!(response.headers()["content-length"], "10");
        let mut body = response.into_body();
        let mut found = Vec::new();
        let error = loop {
            match body.frame().await.unwrap() {
                Ok(frame) => found.extend_from_slice(frame.data_ref().unwrap()),
                Err(error) => break error,
            }
        };
        assert_eq!(String::from_utf8(found).unwrap(), arrives);
        assert!(matches!(error, TransportError::Closed(_)), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_slow() {
    let started = tokio::time::Instant::now();
    let answer =
        send(&with(json!({"delay_ms": 500, "pause_ms": 900, "piece_bytes": 4})), get()).await.unwrap();
    assert_eq!(answer.body(), "0123456789");
    assert_eq!(started.elapsed(), Duration::from_millis(500 + 3 * 900));

    let error = send(&with(json!({"delay_ms": 1001})), get()).await.unwrap_err();
    assert_eq!(error, TransportError::FirstByteTimeout(Duration::from_secs(1)));
    let error = send(&with(json!({"pause_ms": 1001})), get()).await.unwrap_err();
    assert_eq!(error, TransportError::BodyTimeout(Duration::from_secs(1)));
}
