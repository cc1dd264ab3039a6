//! Recordings: redacted, written whole, and fit for replay.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_body_util::BodyExt as _;
use serde_json::json;

use super::{as_recorded, body, cassettes, oracle::says, request, send, tape};
use crate::{
    tape::{LiveSecrets, Provenance, ProvenanceKind, RecordedBody, Recorder, Replay, Tape},
    transport::{Body, Sending, Timeouts, Transport, TransportError},
};

/// Answers `/token` with a token, any other path with the length of the request's body, and each with two
/// cookies.
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

/// Records a replay of a whole tape.
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

/// Answers in pieces of a few bytes, compressed if that is asked for.
#[derive(Debug)]
pub(super) struct InPieces(pub(super) Vec<(&'static str, &'static str)>, pub(super) Vec<u8>);

impl Transport for InPieces {
    fn send(&self, _: http::Request<Body>, _: Timeouts) -> Sending {
        let frames: Vec<Result<_, TransportError>> =
            self.1.chunks(5).map(|piece| Ok(http_body::Frame::data(piece.to_vec().into()))).collect();
        let mut response = http::Response::new(Pieces(frames.into()).boxed_unsync());
        for (name, value) in &self.0 {
            response.headers_mut().append(*name, value.parse().unwrap());
        }
        Box::pin(std::future::ready(Ok(response)))
    }
}

pub(super) struct Pieces(
    pub(super) std::collections::VecDeque<Result<http_body::Frame<bytes::Bytes>, TransportError>>,
);

impl http_body::Body for Pieces {
    type Data = bytes::Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, TransportError>>> {
        std::task::Poll::Ready(self.0.pop_front())
    }
}

/// A secret in every place of an exchange where one can be, and the answer once more in every form: in pieces
/// that cut it in two, in Base64, percent-encoded, and compressed.
#[tokio::test]
async fn every_credential_of_an_exchange_stays_off_the_tape() {
    const SIGNED: &str = "https://storage.test/o?X-Goog-Signature=canary00ff&X-Goog-Credential=a";
    let answer = json!({
        "access_token": "canary-access", "refresh_token": "1//0canary-refresh", "id_token": jwt_of("canary-id"),
        "link": SIGNED, "encoded": STANDARD.encode("so ya29.canary-encoded it is"), "quoted": "1%2F%2F0canary-quoted-0",
    })
    .to_string();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut gzip, answer.as_bytes()).unwrap();
    let compressed = gzip.finish().unwrap();
    let media = ("content-type", "application/json");
    for (headers, bytes) in [
        (vec![media, ("content-length", "1")], answer.clone().into_bytes()),
        (vec![media, ("content-encoding", "gzip")], compressed.clone()),
        (vec![("content-type", "application/octet-stream")], compressed),
        (vec![("content-type", "text/plain")], answer.into_bytes()),
    ] {
        let headers =
            [headers, vec![("set-cookie", "sid=canary-set; Path=/"), ("location", SIGNED)]].concat();
        let recorder = Recorder::new(Arc::new(InPieces(headers, bytes)), "", tape(json!([])));
        let form =
            format!("assertion={}&refresh_token=canary-form&code=canary-code", jwt_of("canary-assertion"));
        let request = request(
            "POST",
            "https://x.test/token?access_token=canary-query",
            &[
                ("authorization", "Bearer canary-bearer"),
                ("cookie", "sid=canary-cookie"),
                ("content-type", "application/x-www-form-urlencoded"),
            ],
            &form,
        );
        send(&recorder, request).await.unwrap();
        let tape = recorder.tape();
        let text = tape.to_json();
        assert!(!says(text.as_bytes(), "canary"), "{text}");
        let response = tape.interactions()[0].response().unwrap();
        let length = response.headers().iter().find(|(name, _)| name == "content-length");
        let bytes = response.body().unwrap().to_bytes();
        assert!(length.is_none_or(|(_, length)| *length == bytes.len().to_string()), "{text}");
        assert!(!says(&bytes, "canary"), "{text}");
    }
}

/// A function may say anything: a text that looks like a secret, or one of the store's, whatever it looks
/// like.
#[tokio::test]
async fn a_secret_in_the_answer_of_a_function_is_masked() {
    let live = LiveSecrets::default();
    live.add("canary that looks like text");
    let answer = format!(
        "hello {} and ya29.canary-token and\n-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n\
         and canary that looks like text, too",
        jwt_of("canary-signature")
    );
    let function = InPieces(vec![("content-type", "text/plain")], answer.into());
    let recorder = Recorder::new(Arc::new(function), "", tape(json!([]))).knowing(live);
    send(&recorder, request("GET", "https://f.run.app/", &[], "")).await.unwrap();
    let tape = recorder.tape();
    let RecordedBody::Text(text) = tape.interactions()[0].response().unwrap().body().unwrap() else {
        panic!("text stays text")
    };
    assert!(!text.contains("canary"), "{text}");
    assert!(
        text.starts_with("hello eyJ") && text.contains(".redacted and [redacted:access-token:1] and\n"),
        "{text}"
    );
    assert!(text.ends_with("[redacted:pem:1]\nand [redacted:secret:1], too"), "{text}");
}

/// A token whose signature, in its encoded form, is this text.
fn jwt_of(signature: &str) -> String {
    let token = super::jwt(r#"{"iss":"me"}"#);
    format!("{}.{signature}", token.rsplit_once('.').unwrap().0)
}
