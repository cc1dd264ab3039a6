use http::Request;
use tokio::{io::AsyncWriteExt, sync::oneshot};

use super::{fixture::*, *};

/// The response as a client sees it, of a server that writes `answer` and closes.
async fn answered(
    answer: impl Into<Vec<u8>>,
) -> Result<(http::response::Parts, Result<Bytes, TransportError>), TransportError> {
    let answer = answer.into();
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        // The client may hang up in the middle of an answer that is too long for it.
        drop(stream.write_all(&answer).await);
    });
    let (parts, body) = get(&mapped(address)).await?.into_parts();
    Ok((parts, read(body).await))
}

fn with_headers(count: usize, size: usize) -> String {
    let headers: String = (1..count).map(|index| format!("x-{index}: {}\r\n", "v".repeat(size))).collect();
    format!("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n{headers}\r\n")
}

#[tokio::test]
async fn the_head_of_a_response_has_limits() {
    let (parts, body) = answered(with_headers(MAX_HEADERS, 500)).await.unwrap();
    assert_eq!(parts.headers.len(), MAX_HEADERS);
    assert_eq!(body, Ok(Bytes::new()));
    let table = [(MAX_HEADERS + 1, 1), (10, MAX_HEAD_BYTES / 9), (10, MAX_HEAD_BYTES)];
    for (count, size) in table {
        let Err(error) = answered(with_headers(count, size)).await else { panic!("{count} of {size}") };
        assert!(matches!(error, TransportError::HeadTooLarge(_)), "{error}");
    }
}

#[tokio::test]
async fn what_is_not_http_is_a_protocol_failure() {
    for answer in
        ["SSH-2.0-OpenSSH_9.6\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\nbad header\r\n\r\n"]
    {
        let error = answered(answer).await.unwrap_err();
        assert!(matches!(error, TransportError::Protocol(_)), "{answer:?}: {error}");
    }
    let broken = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n";
    let error = answered(broken).await.unwrap().1.unwrap_err();
    assert!(matches!(error, TransportError::Protocol(_)), "{error}");
}

#[tokio::test]
async fn a_connection_that_ends_too_early_is_closed() {
    for answer in ["", "HTTP/1.1 200 OK\r\ncontent-"] {
        let error = answered(answer).await.unwrap_err();
        assert!(matches!(error, TransportError::Closed(_)), "{answer:?}: {error}");
    }
    for framing in ["content-length: 10\r\n\r\nhalf", "transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n"] {
        let error = answered(format!("HTTP/1.1 200 OK\r\n{framing}")).await.unwrap().1.unwrap_err();
        assert!(matches!(error, TransportError::Closed(_)), "{framing:?}: {error}");
    }
}

#[tokio::test]
async fn a_request_on_a_connection_that_was_closed_while_idle_gets_a_new_one() {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            read_head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        }
    });
    let live = mapped(address);
    for _ in 0..5 {
        assert_eq!(get(&live).await.unwrap().status(), 200);
        settle().await;
    }
}

/// Moves the clock only once the server has the request, so that connecting is not part of it.
#[tokio::test]
async fn a_head_that_does_not_come_is_a_first_byte_timeout() {
    let (listener, address) = listen().await;
    let (received, request_received) = oneshot::channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        received.send(stream).unwrap();
    });
    let timeouts = Timeouts { first_byte: Duration::from_secs(30), ..LIMITS };
    let request = Request::get(format!("{ORIGIN}/")).body(empty()).unwrap();
    let sending = tokio::spawn(mapped(address).send(request, timeouts));
    let held_open = request_received.await.unwrap();
    tokio::time::pause();
    assert_eq!(
        sending.await.unwrap().unwrap_err(),
        TransportError::FirstByteTimeout(Duration::from_secs(30))
    );
    drop(held_open);
}

#[tokio::test]
async fn a_body_that_stalls_is_a_body_timeout_and_a_slow_reader_is_not() {
    let (pieces, mut receiver) = tokio::sync::mpsc::channel::<&[u8]>(1);
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        while let Some(piece) = receiver.recv().await {
            stream.write_all(piece).await.unwrap();
        }
    });
    let limit = Duration::from_secs(30);
    pieces.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\none").await.unwrap();
    let request = Request::get(format!("{ORIGIN}/")).body(empty()).unwrap();
    let timeouts = Timeouts { between_bytes: limit, ..LIMITS };
    let mut body = mapped(address).send(request, timeouts).await.unwrap().into_body();
    tokio::time::pause();
    tokio::time::advance(limit * 3).await;
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "one");
    assert_eq!(body.frame().await.unwrap().unwrap_err(), TransportError::BodyTimeout(limit));
    drop(pieces);
}
