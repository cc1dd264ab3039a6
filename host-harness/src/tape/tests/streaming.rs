//! Bodies that are long, slow, or never end: a recording's way to hand them on, keep them, and describe them.

use std::{
    future::Future as _,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body as _, Frame};
use http_body_util::BodyExt as _;
use serde_json::json;

use super::{TIMEOUTS, request, send, tape};
use crate::{
    tape::{End, Recorder, Replay, Tape},
    transport::{Body, Sending, Timeouts, Transport, TransportError},
};

const PIECE: usize = 64 << 10;

/// Answers with pieces of 64 KiB, and counts the pieces that were asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Fountain {
    /// The number of pieces; then nothing comes any more, or the end.
    pieces: usize,
    ends: bool,
    media: &'static str,
    taken: Arc<AtomicUsize>,
}

impl Fountain {
    pub(super) fn of(pieces: usize) -> Self {
        Self { pieces, ends: true, media: "application/octet-stream", ..Self::default() }
    }

    pub(super) fn without_end(self) -> Self {
        Self { ends: false, ..self }
    }

    pub(super) fn rewind(&self) {
        self.taken.store(0, Ordering::Relaxed);
    }

    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}

impl Transport for Fountain {
    fn send(&self, _: http::Request<Body>, _: Timeouts) -> Sending {
        let response = http::Response::builder().header("content-type", self.media);
        let response = response.body(self.clone().boxed_unsync()).unwrap();
        Box::pin(std::future::ready(Ok(response)))
    }
}

impl http_body::Body for Fountain {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        if self.taken() < self.pieces {
            self.taken.fetch_add(1, Ordering::Relaxed);
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![b'x'; PIECE])))));
        }
        if self.ends { Poll::Ready(None) } else { Poll::Pending }
    }
}

fn recorder(network: &Fountain) -> Recorder {
    Recorder::new(Arc::new(network.clone()), "", tape(json!([])))
}

async fn begin(recorder: &Recorder) -> Body {
    let asked = request("GET", "https://f.run.app/", &[], "");
    let answer = recorder.send(asked, TIMEOUTS);
    tokio::time::timeout(Duration::from_secs(5), answer)
        .await
        .expect("the head is handed on before the body has ended")
        .unwrap()
        .into_body()
}

async fn piece(body: &mut Body) -> usize {
    body.frame().await.unwrap().unwrap().data_ref().unwrap().len()
}

/// The tape in the end, after it was written and read.
fn kept(recorder: &Recorder) -> Tape {
    Tape::from_json(&recorder.tape().to_json()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_body_is_handed_on_as_it_arrives() {
    let network = Fountain { ends: false, ..Fountain::of(1) };
    let recorder = recorder(&network);
    let mut body = begin(&recorder).await;
    assert_eq!(piece(&mut body).await, PIECE);
    let next = tokio::time::timeout(Duration::from_secs(60), body.frame()).await;
    assert!(next.is_err(), "the rest is waited for, and not made up");
}

#[tokio::test]
async fn nothing_is_read_beyond_what_the_reader_reads() {
    let network = Fountain::of(4096);
    let recorder = recorder(&network);
    let mut body = begin(&recorder).await;
    for _ in 0..3 {
        piece(&mut body).await;
    }
    drop(body);
    assert_eq!(network.taken(), 3);
}

#[tokio::test]
async fn a_body_that_was_left_is_not_recorded_as_whole() {
    let network = Fountain::of(4096);
    let recorder = recorder(&network);
    let mut body = begin(&recorder).await;
    for _ in 0..3 {
        piece(&mut body).await;
    }
    drop(body);
    let tape = kept(&recorder);
    let [interaction] = tape.interactions() else { panic!("{}", tape.interactions().len()) };
    let fault = interaction.fault().unwrap();
    assert_eq!((fault.end, fault.body_bytes), (Some(End::TruncatedBody), Some(3 * PIECE)));
    assert!(interaction.note().is_some_and(|note| note.contains("196608 bytes")), "{interaction:?}");
    assert!(interaction.response().unwrap().body().is_none());

    // As many bytes come as came then, and no end.
    let replay = Replay::new(tape);
    let mut body =
        replay.send(request("GET", "https://f.run.app/", &[], ""), TIMEOUTS).await.unwrap().into_body();
    let mut came = 0;
    let end = loop {
        match body.frame().await {
            Some(Ok(frame)) => came += frame.data_ref().unwrap().len(),
            end => break end,
        }
    };
    assert_eq!(came, 3 * PIECE);
    assert!(matches!(end, Some(Err(TransportError::Closed(_)))), "{end:?}");
}

#[tokio::test]
async fn a_body_that_is_too_long_to_keep_is_handed_on_and_not_kept() {
    let network = Fountain::of(513);
    let recorder = recorder(&network);
    let answer = send(&recorder, request("GET", "https://f.run.app/", &[], "")).await.unwrap();
    assert_eq!(answer.body().len(), 513 * PIECE);
    let tape = kept(&recorder);
    let interaction = &tape.interactions()[0];
    assert!(interaction.response().unwrap().body().is_none());
    assert_eq!(interaction.fault().unwrap().body_bytes, Some(513 * PIECE));
    assert!(tape.to_json().len() < PIECE);
}

/// A token that a server answers with is not on the tape, though there is no whole JSON to find it in.
#[tokio::test]
async fn a_secret_in_a_body_that_broke_off_stays_off_the_tape() {
    #[derive(Debug)]
    struct Broken;
    impl Transport for Broken {
        fn send(&self, _: http::Request<Body>, _: Timeouts) -> Sending {
            let pieces = [
                Ok(Frame::data(Bytes::from_static(b"{\"access_token\":\"canary-token\",\"expires_in\":"))),
                Err(TransportError::Closed("x".to_owned())),
            ];
            let response = http::Response::builder().header("content-type", "application/json");
            let response = response.body(super::recording::Pieces(pieces.into()).boxed_unsync()).unwrap();
            Box::pin(std::future::ready(Ok(response)))
        }
    }
    let recorder = Recorder::new(Arc::new(Broken), "", tape(json!([])));
    send(&recorder, request("GET", "https://x.test/token", &[], "")).await.unwrap_err();
    let text = recorder.tape().to_json();
    assert!(!text.contains("canary"), "{text}");
    assert_eq!(kept(&recorder).interactions()[0].fault().unwrap().end, Some(End::TruncatedBody));
}

#[tokio::test]
async fn the_body_of_a_request_has_a_limit_too() {
    let (endless, network) = (Fountain::of(4096), Fountain::of(1));
    let request = || http::Request::post("https://f.run.app/").body(endless.clone().boxed_unsync()).unwrap();
    for transport in [&recorder(&network) as &dyn Transport, &Replay::new(tape(json!([])))] {
        endless.taken.store(0, Ordering::Relaxed);
        let error = transport.send(request(), TIMEOUTS).await.map(drop).unwrap_err();
        assert!(error.to_string().contains("longer than 32 MiB"), "{error}");
        assert_eq!(endless.taken(), 513);
    }
    assert_eq!(network.taken(), 0, "nothing was sent");
}

#[tokio::test]
async fn a_tape_that_is_full_says_so_and_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tape.json");
    let network = Fountain::of(2);
    let recorder = Recorder::new(Arc::new(network.clone()), &path, tape(json!([]))).within(5 * PIECE);
    for _ in 0..3 {
        send(&recorder, request("GET", "https://f.run.app/", &[], "")).await.unwrap();
        network.taken.store(0, Ordering::Relaxed);
    }
    let said = recorder.finish().unwrap_err().to_string();
    assert!(said.contains("is full: 1 of 3 exchanges") && said.contains("tape.json"), "{said}");
    let tape = Tape::read(&path).unwrap();
    let whole = |index: usize| tape.interactions()[index].fault().is_none();
    assert!(whole(0) && whole(1) && !whole(2));
    assert_eq!(tape.interactions()[2].fault().unwrap().body_bytes, Some(2 * PIECE));
    assert!(std::fs::metadata(&path).unwrap().len() < 5 * PIECE as u64);
}

#[tokio::test]
async fn the_end_of_a_body_is_seen_when_it_is_recorded() {
    let network = Fountain::of(1);
    let recorder = recorder(&network);
    let mut body = begin(&recorder).await;
    piece(&mut body).await;
    assert!(!body.is_end_stream() && recorder.tape().interactions().is_empty());
    assert!(body.frame().await.is_none());
    assert_eq!(recorder.tape().interactions().len(), 1);
    assert!(recorder.tape().interactions()[0].fault().is_none());
}

/// A call that is over takes its recording along.
#[tokio::test(start_paused = true)]
async fn a_recording_ends_with_the_call() {
    let network = Fountain { ends: false, ..Fountain::of(5) };
    let recorder = recorder(&network);
    let call = async {
        let mut body = begin(&recorder).await;
        loop {
            piece(&mut body).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), call).await.unwrap_err();
    assert_eq!(
        Arc::strong_count(&network.taken),
        2,
        "nobody reads any more: the recorder's transport, and this one"
    );
    let tape = kept(&recorder);
    assert_eq!(tape.interactions()[0].fault().unwrap().body_bytes, Some(5 * PIECE));
}

/// The search has begun, and the tape does not get the text that it had not looked into.
#[tokio::test]
async fn a_search_ends_with_the_call() {
    for gives_up in [true, false] {
        let recorder = recorder(&Fountain::of(2));
        let mut body = begin(&recorder).await;
        assert_eq!((piece(&mut body).await, piece(&mut body).await), (PIECE, PIECE));
        let mut end = Box::pin(body.frame());
        if gives_up {
            assert!(matches!(end.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending));
            drop(end);
            drop(body);
        } else {
            assert!(end.await.is_none());
        }
        let tape = kept(&recorder);
        let cut = tape.interactions()[0].fault().and_then(|fault| fault.body_bytes);
        assert_eq!(cut, gives_up.then_some(2 * PIECE));
    }
}
