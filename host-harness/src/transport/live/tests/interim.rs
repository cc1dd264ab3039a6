//! Answers before the answer.

use http::Request;
use tokio::{io::AsyncWriteExt, task::JoinHandle};

use super::{fixture::*, *};
use crate::transport::interim::MAX_INTERIM;

const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// Writes `first`, then `rest` until the client hangs up; returns how much was taken.
async fn server(first: String, rest: String) -> (Live, JoinHandle<usize>) {
    let (listener, address) = listen().await;
    let sent = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        let mut sent = 0;
        let mut next = first;
        while let Ok(length) = stream.write(next.as_bytes()).await {
            if length == 0 {
                break;
            }
            sent += length;
            next = [&next[length..], if length == next.len() { &rest } else { "" }].concat();
        }
        sent
    });
    (mapped(address), sent)
}

/// The outcome of `count` interim answers of `bytes` of headers each, and an answer.
async fn after(status: &str, count: usize, bytes: usize) -> Result<Bytes, TransportError> {
    let header = if bytes == 0 { String::new() } else { format!("link: {}\r\n", "l".repeat(bytes - 8)) };
    let interim = format!("HTTP/1.1 {status}\r\n{header}\r\n").repeat(count);
    let (live, _) = server(interim + ANSWER, String::new()).await;
    read(get(&live).await?.into_body()).await
}

#[tokio::test]
async fn a_few_interim_answers_are_passed_over() {
    for status in ["100 Continue", "102 Processing", "103 Early Hints", "199 Whatever"] {
        for count in [0, 1, 2, MAX_INTERIM] {
            assert_eq!(after(status, count, 0).await.unwrap(), "ok", "{count} of {status}");
        }
    }
    assert_eq!(after("103 Early Hints", MAX_INTERIM, MAX_HEAD_BYTES / MAX_INTERIM).await.unwrap(), "ok");
}

#[tokio::test]
async fn more_of_them_are_refused_by_number_and_by_size() {
    for (count, bytes) in [(MAX_INTERIM + 1, 0), (5000, 0), (MAX_INTERIM, MAX_HEAD_BYTES / MAX_INTERIM + 1)] {
        let error = after("103 Early Hints", count, bytes).await.unwrap_err();
        assert!(matches!(error, TransportError::HeadTooLarge(_)), "{count} of {bytes}: {error}");
        assert!(error.to_string().contains("interim"), "{error}");
    }
}

/// On one thread, so that a client that is never done would keep the server, and the clock, from their turn.
#[tokio::test(flavor = "current_thread")]
async fn a_flood_before_the_answer_ends_at_once() {
    for piece in ["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\n\r\n", "\r\n", "x"] {
        let flood = piece.repeat(100_000 / piece.len());
        let (live, sent) = server(flood.clone(), flood).await;
        let request = Request::get(format!("{ORIGIN}/")).body(empty()).unwrap();
        let timeouts = Timeouts { first_byte: Duration::from_secs(2), ..LIMITS };
        let error = live.send(request, timeouts).await.unwrap_err();
        let garbage = piece == "x" && matches!(error, TransportError::Protocol(_));
        assert!(garbage || matches!(error, TransportError::HeadTooLarge(_)), "{piece:?}: {error}");
        let sent = sent.await.unwrap();
        // The bytes that were read, and those that the system had taken from the server besides.
        assert!(sent < 32 << 20, "{sent} bytes went to somebody who had enough after {MAX_INTERIM} answers");
    }
}
