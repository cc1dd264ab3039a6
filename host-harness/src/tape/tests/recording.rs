//! Recordings: redacted, written whole, and fit for replay.

use std::{sync::Arc, time::Duration};

use http_body_util::BodyExt as _;

use super::{as_recorded, body, cassettes, request, send};
use crate::{
    clock::Clock as _,
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
    assert!(!text.contains("\"host\"") && !text.contains("content-length"), "{text}");
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

#[tokio::test]
async fn a_recording_of_a_replay_is_the_same_tape() {
    for (name, path) in cassettes() {
        let original = Tape::read(&path).unwrap();
        let replay = Arc::new(Replay::new(original.clone()));
        let empty = Tape::new(original.provenance().clone(), original.clock().now(), 1);
        let recorder = Recorder::new(replay.clone(), "unused.json", empty);
        for interaction in original.interactions() {
            send(&recorder, as_recorded(&interaction.request)).await.unwrap();
        }
        replay.finish().unwrap();
        let copy = recorder.tape();
        assert_eq!(copy.interactions().len(), original.interactions().len(), "{name}");
        for (copied, interaction) in copy.interactions().iter().zip(original.interactions()) {
            assert_eq!(copied.request, interaction.request, "{name}");
            assert_eq!(copied.response.status, interaction.response.status, "{name}");
            assert_eq!(copied.response.body, interaction.response.body, "{name}");
        }
    }
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
