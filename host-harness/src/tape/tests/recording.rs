//! Recordings: redacted, written whole, and fit for replay.

use std::{sync::Arc, time::Duration};

use http_body_util::BodyExt as _;
use serde_json::json;

use super::{as_recorded, body, cassettes, request, send, tape};
use crate::{
    tape::{Provenance, ProvenanceKind, Recorder, Replay, Tape},
    transport::{Body, Sending, Timeouts, Transport},
};

/// Answers every request with a token, and with what it was sent.
#[derive(Debug)]
struct Live;

impl Transport for Live {
    fn send(&self, request: http::Request<Body>, _: Timeouts) -> Sending {
        Box::pin(async move {
            let (parts, sent) = request.into_parts();
            let sent = sent.collect().await?.to_bytes();
            let answer = if parts.uri.path() == "/token" {
                r#"{ "access_token": "canary-token", "expires_in": 3599 }"#.to_owned()
            } else {
                format!("{{ \"length\":  {} }}", sent.len())
            };
            Ok(http::Response::builder()
                .header("content-type", "application/json")
                .header("content-length", answer.len())
                .header("set-cookie", "a=canary-a; Path=/")
                .header("set-cookie", "b=canary-b")
                .body(body(answer))
                .unwrap())
        })
    }
}

fn live_requests(token: &str) -> [http::Request<Body>; 3] {
    let bearer = format!("Bearer {token}");
    let form = "client_secret=canary-client&refresh_token=canary-refresh";
    [
        request(
            "POST",
            "https://x.test/token",
            &[("content-type", "application/x-www-form-urlencoded")],
            form,
        ),
        request(
            "GET",
            "https://x.test/a?key=canary-key&b=%41",
            &[("authorization", &bearer), ("host", "x.test")],
            "",
        ),
        request(
            "PUT",
            "https://x.test/b",
            &[("authorization", &bearer), ("content-type", "application/json")],
            "{}",
        ),
    ]
}

#[tokio::test]
async fn a_recording_holds_no_secret_and_replays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deeper/tape.json");
    let provenance = Provenance { kind: ProvenanceKind::Recorded, from: "a test".to_owned(), note: None };
    let empty = Tape::new(provenance, Duration::from_secs(1_772_366_400), 7);
    let recorder = Recorder::new(Arc::new(Live), &path, empty);
    let mut answers = Vec::new();
    for request in live_requests("canary-token") {
        answers.push(send(&recorder, request).await.unwrap());
    }
    assert!(!path.exists(), "nothing is written before the end");
    recorder.finish().unwrap();

    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("canary"), "{text}");
    assert!(!text.contains("\"host\""), "{text}");
    assert!(!format!("{recorder:?}").contains("canary"));
    let tape = Tape::read(&path).unwrap();
    assert_eq!(tape, Tape::parse(&text).unwrap(), "the recording is redacted already");

    let replay = Replay::new(tape);
    for (index, request) in live_requests("[redacted:access-token:1]").into_iter().enumerate() {
        let response = send(&replay, request).await.unwrap();
        if index > 0 {
            assert_eq!(response.body(), answers[index].body(), "the layout of a function's JSON is kept");
        }
    }
    replay.finish().unwrap();
}

/// Records a replay of all that is on a tape.
async fn again(original: &Tape) -> Tape {
    let replay = Arc::new(Replay::new(original.clone()));
    let recorder = Recorder::new(replay.clone(), "", original.emptied());
    for interaction in original.interactions() {
        // A failure on the tape is one here.
        drop(send(&recorder, as_recorded(&interaction.request)).await);
    }
    replay.finish().unwrap();
    recorder.tape()
}

#[tokio::test]
async fn a_recording_of_a_replay_is_the_same_tape_byte_for_byte() {
    for (name, path) in cassettes() {
        let original = Tape::read(&path).unwrap();
        assert_eq!(again(&original).await.to_json(), original.to_json(), "{name}");
    }
    let everything = tape(json!([
        {
            "note": "n", "provenance": {"kind": "made", "from": "x"}, "match": {"ignore": ["query b"], "repeat": true},
            "timing": {"sent_ms": 0.0, "head_ms": 1.5, "done_ms": 2.25},
            "request": {"method": "GET", "url": "https://x.test/?a=1&b=2", "headers": [["x-a", "1"], ["x-a", "2"]]},
            "response": {"status": 200, "headers": [["content-length", "1"]], "body": {"text": "x"}}
        },
        {
            "side_by_side": true,
            "request": {"method": "POST", "url": "https://x.test/", "headers": [["content-type", "text/plain"]], "body": {"text": "x"}},
            "fault": {"end": "refused"}
        },
        {
            "request": {"method": "GET", "url": "https://x.test/long"},
            "response": {"status": 200, "headers": [["content-length", "6"]], "body": {"text": "abcdef"}},
            "fault": {"end": "truncated-body", "body_bytes": 2}
        },
        {
            "request": {"method": "HEAD", "url": "https://x.test/long"},
            "response": {"status": 200, "headers": [["content-length", "6"]]}
        }
    ]));
    assert_eq!(again(&everything).await.to_json(), everything.to_json());
}

#[test]
fn a_tape_that_cannot_be_written_leaves_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let provenance = Provenance { kind: ProvenanceKind::Recorded, from: "a test".to_owned(), note: None };
    // A folder stands where the file should go.
    let path = folder.path().join("taken");
    std::fs::create_dir_all(path.join("inside")).unwrap();
    let recorder = Recorder::new(Arc::new(Live), &path, Tape::new(provenance, Duration::ZERO, 1));
    let error = recorder.finish().unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot write tape {}: ", path.display())), "{error}");
    assert!(path.join("inside").is_dir());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays behind");
}
