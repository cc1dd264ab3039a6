use http::{Request, Response, StatusCode, header};
use tokio::{io::AsyncWriteExt, sync::mpsc};

use super::{fixture::*, *};

const SIZES: [usize; 5] = [0, 4096, 4097, 1 << 20, 10 << 20];

/// A pattern whose period divides no buffer size, so that a lost or doubled piece shows.
fn pattern(size: usize) -> Bytes {
    (0..251).cycle().take(size).collect()
}

/// A body of unknown length, piece by piece as they are sent into the channel.
struct Pieces(mpsc::Receiver<Result<Bytes, TransportError>>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}

fn channel() -> (mpsc::Sender<Result<Bytes, TransportError>>, Body) {
    let (sender, receiver) = mpsc::channel(1);
    (sender, Pieces(receiver).boxed_unsync())
}

fn post(body: Body) -> Request<Body> {
    Request::post(format!("{ORIGIN}/")).body(body).unwrap()
}

#[tokio::test]
async fn bodies_of_known_length_arrive_whole_both_ways() {
    let server = serve(echo).await;
    let live = mapped(server.address);
    for size in SIZES {
        let sent = pattern(size);
        let response = send(&live, post(full(sent.clone()))).await.unwrap();
        assert!(read(response.into_body()).await.unwrap() == sent, "{size} bytes");
    }
}

#[tokio::test]
async fn streamed_bodies_arrive_whole_both_ways() {
    let server = serve(echo).await;
    let live = mapped(server.address);
    for declared in [false, true] {
        for size in SIZES {
            let sent = pattern(size);
            let (pieces, body) = channel();
            let source = sent.clone();
            tokio::spawn(async move {
                for start in (0..source.len()).step_by(4096) {
                    let piece = source.slice(start..source.len().min(start + 4096));
                    pieces.send(Ok(piece)).await.unwrap();
                }
            });
            let mut request = post(body);
            if declared {
                request.headers_mut().insert(header::CONTENT_LENGTH, size.into());
            }
            let response = send(&live, request).await.unwrap();
            assert!(read(response.into_body()).await.unwrap() == sent, "{size} bytes, declared: {declared}");
        }
    }
}

#[tokio::test]
async fn the_answer_may_begin_while_the_request_is_still_being_sent() {
    let server = serve(echo).await;
    let live = mapped(server.address);
    let (pieces, body) = channel();
    pieces.send(Ok("one".into())).await.unwrap();
    let mut answer = send(&live, post(body)).await.unwrap().into_body();
    assert_eq!(answer.frame().await.unwrap().unwrap().into_data().unwrap(), "one");
    pieces.send(Ok("two".into())).await.unwrap();
    assert_eq!(answer.frame().await.unwrap().unwrap().into_data().unwrap(), "two");
    drop(pieces);
    assert!(answer.frame().await.is_none());
}

#[tokio::test]
async fn an_answer_before_the_end_of_the_body_reaches_the_caller() {
    let server = serve(|_| async {
        let mut response = Response::new(full("too large"));
        *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        response
    })
    .await;
    let (pieces, body) = channel();
    pieces.send(Ok("the first of very many".into())).await.unwrap();
    let response = send(&mapped(server.address), post(body)).await.unwrap();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(read(response.into_body()).await.unwrap(), "too large");
    drop(pieces);
}

/// A server that closes at once resets the connection, and then it is the kernel's choice whether the answer
/// survives; what is ours to do about that is tested in `socket.rs`. This one reads on until the client is
/// done.
#[tokio::test]
async fn an_answer_before_the_end_of_the_body_is_the_answer() {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            read_head(&mut stream).await;
            let answer =
                b"HTTP/1.1 413 Payload Too Large\r\ncontent-length: 9\r\nconnection: close\r\n\r\ntoo large";
            stream.write_all(answer).await.unwrap();
            drop(tokio::io::copy(&mut stream, &mut tokio::io::sink()).await);
        }
    });
    let live = mapped(address);
    let response = send(&live, post(full(pattern(10 << 20)))).await.unwrap();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(read(response.into_body()).await.unwrap(), "too large");
}

#[tokio::test]
async fn a_failure_of_the_request_body_is_the_failure_of_the_exchange() {
    let server = serve(|request| async {
        // Waits for the end of the body, which never comes.
        drop(request.into_body().collect().await);
        Response::new(empty())
    })
    .await;
    let (pieces, body) = channel();
    let failure = TransportError::Limit("the body is too large".to_owned());
    pieces.send(Err(failure.clone())).await.unwrap();
    assert_eq!(send(&mapped(server.address), post(body)).await.unwrap_err(), failure);
}
