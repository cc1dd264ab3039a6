//! Memory: all that a cassette holds at the same time, beside its tape, comes out of one account.

use std::{sync::Arc, time::Duration};

use http_body_util::BodyExt as _;
use serde_json::json;

use super::{TIMEOUTS, request, send, streaming::Fountain, tape};
use crate::{
    tape::{Recorder, Replay},
    transport::{Body, Sending, Timeouts, Transport, TransportError},
};

const PIECE: usize = 64 << 10;

fn recorder(network: &Fountain, pieces: usize) -> Recorder {
    Recorder::new(Arc::new(network.clone()), "", tape(json!([]))).holding(pieces * PIECE)
}

fn upload(pieces: usize, ends: bool) -> http::Request<Body> {
    let body = if ends { Fountain::of(pieces) } else { Fountain::of(pieces).without_end() };
    http::Request::post("https://f.run.app/").body(body.boxed_unsync()).unwrap()
}

fn is_refused(outcome: Result<http::Response<Body>, TransportError>) -> bool {
    match outcome {
        Err(TransportError::Limit(text)) => text.contains("the exchanges under way hold"),
        Err(_) | Ok(_) => false,
    }
}

#[tokio::test(start_paused = true)]
async fn uploads_share_the_room_and_give_it_back() {
    let network = Fountain::of(1);
    let missed = |error: TransportError| matches!(error, TransportError::TapeMiss(_));
    let replay = Replay::new(tape(json!([]))).holding(12 * PIECE);
    for (transport, missing) in [(&recorder(&network, 20) as &dyn Transport, false), (&replay, true)] {
        let mut first = transport.send(upload(8, false), TIMEOUTS);
        assert!(tokio::time::timeout(Duration::from_secs(1), &mut first).await.is_err(), "it is not over");
        for pieces in [13, 16] {
            assert!(is_refused(transport.send(upload(pieces, true), TIMEOUTS).await), "{pieces}");
        }
        let fits = transport.send(upload(4, true), TIMEOUTS).await.map(drop);
        assert!(if missing { fits.is_err_and(missed) } else { fits.is_ok() });
        drop(first);
        let fits = transport.send(upload(10, true), TIMEOUTS).await.map(drop);
        assert!(if missing { fits.is_err_and(missed) } else { fits.is_ok() });
    }
}

/// A request on the tape counts until its exchange is over, and its values count as what they take.
#[tokio::test]
async fn requests_count_as_what_they_take_apart() {
    let values = format!("[{}0]", "0,".repeat(PIECE / 2));
    for (media, text) in [
        ("application/json", values.as_str()),
        ("application/x-www-form-urlencoded", &"a&".repeat(PIECE / 2)),
    ] {
        let network = Fountain::of(1);
        let asked = || request("POST", "https://f.run.app/", &[("content-type", media)], text);
        assert!(is_refused(recorder(&network, 10).send(asked(), TIMEOUTS).await), "{media}");
        assert_eq!(network.taken(), 0);
        send(&recorder(&network, 60), asked()).await.unwrap();
    }
}

#[tokio::test]
async fn an_answer_without_room_is_handed_on_and_not_kept() {
    let networks = [Fountain::of(8), Fountain::of(8)];
    let both = Arc::new(Each(networks.clone().into()));
    let recorder = Recorder::new(both, "", tape(json!([]))).holding(12 * PIECE);
    let get =
        |path: &str| recorder.send(request("GET", &format!("https://f.run.app/{path}"), &[], ""), TIMEOUTS);
    let mut first = get("0").await.unwrap().into_body();
    for _ in 0..8 {
        first.frame().await.unwrap().unwrap();
    }
    let second = get("1").await.unwrap().into_body().collect().await.unwrap().to_bytes();
    assert_eq!(second.len(), 8 * PIECE);
    assert!(first.frame().await.is_none());
    let tape = recorder.tape();
    let [first, second] = tape.interactions() else { panic!("{tape:?}") };
    assert!(first.fault().is_none() && first.response().unwrap().body().is_some());
    assert!(second.response().unwrap().body().is_none());
    assert!(second.note().is_some_and(|note| note.contains("left no room")), "{second:?}");
    assert_eq!(second.fault().unwrap().body_bytes, Some(8 * PIECE));

    // A recorded exchange is the tape's, and gives its room back.
    networks[0].rewind();
    assert_eq!(get("0").await.unwrap().into_body().collect().await.unwrap().to_bytes().len(), 8 * PIECE);
    assert!(recorder.tape().interactions()[2].fault().is_none());
}

#[tokio::test]
async fn exchanges_whose_readers_left_do_not_pile_up() {
    let network = Fountain::of(usize::MAX);
    let recorder = recorder(&network, 4);
    for _ in 0..20 {
        let asked = request("POST", "https://f.run.app/", &[], &"x".repeat(PIECE));
        let mut body = recorder.send(asked, TIMEOUTS).await.unwrap().into_body();
        body.frame().await.unwrap().unwrap();
        drop(body);
        assert!(recorder.left() <= 1, "{}", recorder.left());
    }
    assert_eq!(recorder.tape().interactions().len(), 20);
}

/// A network for each path: `/0`, `/1` and so on.
#[derive(Debug)]
struct Each(Vec<Fountain>);

impl Transport for Each {
    fn send(&self, request: http::Request<Body>, timeouts: Timeouts) -> Sending {
        let which: usize = request.uri().path().trim_start_matches('/').parse().unwrap();
        self.0[which].send(request, timeouts)
    }
}
