//! Exchanges that no file could hold as they were: each recording can be read, and none stops a replay.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{as_recorded, body, document, request, send, tape};
use crate::{
    tape::{Aliases, RecordedBody, Recorder, Replay, Tape},
    transport::{Body, Sending, Timeouts, Transport, TransportError},
};

/// Answers with these bytes, as JSON.
#[derive(Debug)]
struct Says(String);

impl Transport for Says {
    fn send(&self, _: http::Request<Body>, _: Timeouts) -> Sending {
        let response = http::Response::builder().header("content-type", "application/json");
        Box::pin(std::future::ready(Ok(response.body(body(self.0.clone())).unwrap())))
    }
}

/// URLs of some 54 KB: http::Uri takes up to 65,534 bytes. Redacted, each is several times as long.
fn long_urls() -> [String; 3] {
    [
        format!("https://x.test/a?{}", "sig=x&".repeat(9000)),
        format!("https://x.test/a{}?b=c", "/ya29.a&".repeat(7700)),
        format!("https://x.test/a?{}", "Signature=abcdefghi&".repeat(2700)),
    ]
}

fn read(recorder: &Recorder) -> Tape {
    Tape::from_json(&recorder.tape().to_json()).unwrap()
}

#[tokio::test]
async fn a_url_that_is_too_long_when_redacted_is_a_miss() {
    for url in long_urls() {
        let replay = Replay::new(tape(json!([super::get("https://x.test/a")])));
        let error = send(&replay, request("GET", &url, &[], "")).await.unwrap_err();
        assert!(matches!(error, TransportError::TapeMiss(_)), "{error}");
        assert_eq!(replay.misses().len(), 1);
    }
}

#[tokio::test]
async fn a_recording_of_a_url_that_is_too_long_can_be_read_and_replayed() {
    for url in long_urls() {
        let recorder = Recorder::new(Arc::new(Says("{}".to_owned())), "", tape(json!([])));
        send(&recorder, request("GET", &url, &[], "")).await.unwrap();
        let recorded = read(&recorder);
        let kept = recorded.interactions()[0].request().url();
        assert!(kept.starts_with("https://x.test/") && kept.contains("overlong"), "{kept}");
        assert!(kept.len() < 200, "{kept}");

        let replay = Replay::new(recorded.clone());
        send(&replay, request("GET", &url, &[], "")).await.unwrap();
        replay.finish().unwrap();
        // A different URL is a miss, and the tape's own URL is answered.
        let replay = Replay::new(recorded.clone());
        send(&replay, request("GET", &format!("{url}&d=e"), &[], "")).await.unwrap_err();
        send(&replay, as_recorded(recorded.interactions()[0].request())).await.unwrap();
        // Redacting twice changes nothing.
        assert_eq!(Tape::from_json(&recorded.to_json()).unwrap(), recorded);
    }
}

#[tokio::test]
async fn a_url_that_grows_as_its_tape_is_read_stops_nothing() {
    for url in long_urls() {
        let text = document(json!([super::get(&url)])).to_string();
        let replay = Replay::new(Tape::from_json(&text).unwrap());
        send(&replay, request("GET", &url, &[], "")).await.unwrap();
        replay.finish().unwrap();
    }
}

#[tokio::test]
async fn a_url_that_is_too_long_when_renamed_can_be_read_and_replayed() {
    let aliases = || Aliases::new([("p".to_owned(), "a-project-with-another-name".to_owned())]).unwrap();
    let url = format!("https://x.test{}?q=p", "/p".repeat(25_000));
    let recorder = Recorder::new(Arc::new(Says("{}".to_owned())), "", tape(json!([]))).renaming(aliases());
    send(&recorder, request("GET", &url, &[], "")).await.unwrap();
    let recorded = read(&recorder);
    for tape in [recorded, tape(json!([super::get(&url)]))] {
        let replay = Replay::new(tape).renaming(aliases());
        send(&replay, request("GET", &url, &[], "")).await.unwrap();
        replay.finish().unwrap();
    }
}

#[tokio::test]
async fn urls_that_fit_are_kept_as_they_are() {
    let url = format!("https://x.test/a?{}", "b=c&".repeat(16_000));
    let recorder = Recorder::new(Arc::new(Says("{}".to_owned())), "", tape(json!([])));
    send(&recorder, request("GET", &url, &[], "")).await.unwrap();
    assert_eq!(read(&recorder).interactions()[0].request().url(), url);
}

#[tokio::test]
async fn a_recording_of_deep_json_can_be_read() {
    for depth in [99, 118, 120, 122, 124, 126, 127, 128, 200] {
        let text = format!("{}{{\"password\":\"correct-horse\"}}{}", "[".repeat(depth), "]".repeat(depth));
        let recorder = Recorder::new(Arc::new(Says(text)), "", tape(json!([])));
        let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let json = [("content-type", "application/json")];
        send(&recorder, request("POST", "https://x.test/a", &json, &text)).await.unwrap();
        let recorded = read(&recorder);
        let interaction = &recorded.interactions()[0];
        if depth == 99 {
            let body = interaction.response().unwrap().body();
            assert!(matches!(body, Some(RecordedBody::Json(Value::Array(_)))), "{body:?}");
        }
        assert!(!recorded.to_json().contains("correct-horse"), "{depth}");
        let replay = Replay::new(recorded.clone());
        let answer = send(&replay, request("POST", "https://x.test/a", &json, &text)).await;
        // A body that cannot be read is kept as its head alone.
        assert_eq!(answer.is_ok(), depth < 127, "{depth}: {:?}", replay.misses());
        replay.finish().unwrap();
    }
}

/// Requests that would take gigabytes when they are taken apart.
#[tokio::test]
async fn a_request_with_more_values_than_are_taken_apart_is_not_taken_apart() {
    let (json, form) = ("application/json", "application/x-www-form-urlencoded");
    for (media, text) in [
        (json, format!("{{\"password\":\"correct-horse\",\"a\":[{}0]}}", "0,".repeat(4 << 20))),
        ("text/plain", format!("[{}{{\"password\":\"correct-horse\"}}]", "0,".repeat(4 << 20))),
        (form, format!("password=correct-horse{}", "&a".repeat(4 << 20))),
    ] {
        let recorder = Recorder::new(Arc::new(Says("{}".to_owned())), "", tape(json!([])));
        let asked = |text: &str| request("POST", "https://x.test/a", &[("content-type", media)], text);
        send(&recorder, asked(&text)).await.unwrap();
        let recorded = read(&recorder);
        let body = recorded.interactions()[0].request().body();
        let unread = RecordedBody::Text("[redacted:unreadable:1]".to_owned());
        assert!(body == Some(&unread), "{media}: {} bytes", body.map_or(0, |body| body.to_bytes().len()));
        let replay = Replay::new(recorded);
        send(&replay, asked(&text)).await.unwrap();
        replay.finish().unwrap();
    }
}
