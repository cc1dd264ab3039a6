//! Answers that come compressed: their fields have names as those of any other, and so do those behind the
//! first stream.

use std::{io::Write as _, sync::Arc};

use flate2::{
    Compression,
    write::{GzEncoder, ZlibEncoder},
};
use serde_json::json;

use super::{oracle::says, recording::InPieces, request, send, tape};
use crate::tape::{Recorder, Tape};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(bytes).unwrap();
    zlib.finish().unwrap()
}

async fn recorded(headers: &[(&'static str, &'static str)], answer: Vec<u8>) -> Tape {
    let function = InPieces(headers.to_vec(), answer);
    let recorder = Recorder::new(Arc::new(function), "", tape(json!([])));
    // The secret of the answer is known in the request that follows it.
    for url in ["https://f.run.app/", "https://f.run.app/correct-horse-battery"] {
        send(&recorder, request("GET", url, &[], "")).await.unwrap();
    }
    recorder.tape()
}

/// Tells whether a tape has a secret, also in its compressed parts.
fn has(tape: &Tape, secret: &str) -> bool {
    tape.to_json().contains(secret)
        || tape.interactions().iter().any(|interaction| {
            let body = interaction.response().unwrap().body().unwrap().to_bytes();
            says(&body, secret)
        })
}

#[tokio::test]
async fn a_field_tells_a_secret_in_a_compressed_answer_too() {
    let secret = br#"{"db_password":"correct-horse-battery"}"#;
    let media = ("content-type", "application/json");
    for (encoding, answer) in [
        ("gzip", gzip(secret)),
        ("x-gzip", gzip(secret)),
        ("deflate", zlib(secret)),
        // A body may be several streams (RFC 1952, section 2.2).
        ("gzip", [gzip(br#"{"db_password":"#), gzip(br#""correct-horse-battery"}"#)].concat()),
    ] {
        let tape = recorded(&[media, ("content-encoding", encoding)], answer).await;
        assert!(!has(&tape, "correct-horse-battery"), "{encoding}: {}", tape.to_json());
        let response = tape.interactions()[0].response().unwrap();
        assert_eq!(
            response.body().unwrap().to_bytes(),
            r#"{"db_password":"[redacted:credentials:1]"}"#,
            "{encoding}"
        );
        assert!(response.headers().iter().all(|(name, _)| name != "content-encoding"));
    }
}

#[tokio::test]
async fn what_cannot_be_unpacked_to_its_end_is_replaced_as_a_whole() {
    let secret = br#"{"db_password":"correct-horse-battery"}"#;
    let media = ("content-type", "application/json");
    let gzipped = ("content-encoding", "gzip");
    let whole = gzip(secret);
    for (headers, answer) in [
        (vec![media, gzipped, gzipped], gzip(&gzip(secret))),
        (vec![media, ("content-encoding", "identity"), gzipped], gzip(secret)),
        (vec![media, gzipped], whole[..whole.len() - 6].to_vec()),
        (vec![media, gzipped], [&whole[..], b"and more"].concat()),
        (vec![media, ("content-encoding", "deflate")], [zlib(b"{}"), zlib(secret)].concat()),
    ] {
        let tape = recorded(&headers, answer).await;
        let response = tape.interactions()[0].response().unwrap();
        assert_eq!(response.body().unwrap().to_bytes(), "[redacted:unreadable:1]", "{headers:?}");
    }
}

#[tokio::test]
async fn an_answer_without_a_secret_stays_compressed() {
    let answer = br#"{ "db_password_hint": "the usual one", "items": [1, 2] }"#;
    for (encoding, answer) in
        [("gzip", gzip(answer)), ("deflate", zlib(answer)), ("gzip", [gzip(b"[1,"), gzip(b"2]")].concat())]
    {
        let tape =
            recorded(&[("content-type", "application/json"), ("content-encoding", encoding)], answer.clone())
                .await;
        let response = tape.interactions()[0].response().unwrap();
        assert_eq!(response.body().unwrap().to_bytes(), answer);
        assert!(response.headers().contains(&("content-encoding".to_owned(), encoding.to_owned())));
    }
}
