//! Calls of functions, and the smallest call there is.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, future::join_all, stream};
use gcf_core::actions::functions::invoke;
use gcf_host::{
    secrets::MemoryStore,
    tape::{Cassette, Tape},
    wit::{ConnectRequest, FunctionRef, InvokeRequest},
};
use http_body_util::Full;
use serde_json::json;

use super::{BODY, Bench, CONNECTOR, ROUNDS, Row, WARM, row};
use crate::{
    google::{FUNCTION, KEY},
    machine::{Memory, Peak},
    measure::Readings,
    native,
    peers::{self, OnStage},
};

/// A path of the function that answers with so many bytes.
fn path_of(size: usize) -> String {
    format!("/bytes/{size}")
}

impl Bench {
    /// The most that the server can do for sixteen callers: it is not what is measured.
    pub(super) async fn google(&self, pieces: usize) -> Vec<Row> {
        let mut readings = Readings::default();
        let (path, body) = (path_of(BODY), Bytes::from(vec![b'x'; BODY]));
        let all = stream::iter(0..pieces).for_each_concurrent(16, |_| async {
            peers::by_hyper(&self.hyper, self.post(&path, &body)).await;
        });
        readings.at_once(pieces, all).await;
        vec![row("Google itself, 16 callers", "hyper", &readings)]
    }

    /// So many bytes up, and as many down.
    pub(super) async fn invoke(&self, work: &'static str, pieces: usize, size: usize) -> Vec<Row> {
        let path = &path_of(size);
        let bytes = Bytes::from(vec![b'x'; size]);
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        let url = format!("http://{}{path}", self.google.address());
        let [mut connector, mut warm, mut by_name, mut core, mut reqwest, mut hyper] =
            <[Readings; 6]>::default();
        for _ in 0..=ROUNDS {
            let request = || self.request(path).text(text.as_str());
            connector
                .with(pieces, request, async |request| {
                    let answer = self.host.invoke(&self.connection, request, None).await;
                    assert_eq!(answer.expect("an answer").status, 200);
                })
                .await;
            warm.with(pieces, request, async |request| {
                let answer = self.warm.0.invoke(&self.warm.1, request, None).await;
                assert_eq!(answer.expect("an answer").status, 200);
            })
            .await;
            let input =
                || json!({"function": {"url": format!("https://{FUNCTION}{path}")}, "body": {"text": text}});
            by_name
                .with(pieces, input, async |input| {
                    let answer =
                        self.host.call_by_name("functions.invoke", &self.connection, &input, None).await;
                    assert_eq!(answer.expect("a host").expect("an answer")["status"], 200);
                })
                .await;
            let request = || native::invocation(path, text.clone());
            core.with(pieces, request, async |request| {
                let stage = OnStage::live(&self.native);
                let answer = invoke::invoke(&stage, &self.native_connection, request, None).await;
                assert_eq!(answer.expect("an answer").status, 200);
            })
            .await;
            reqwest
                .one_by_one(pieces, async || {
                    let request = self.reqwest.post(&url).header("host", FUNCTION);
                    let request = request.header("authorization", &self.token).body(bytes.clone());
                    let answer = request.send().await.expect("an answer");
                    assert_eq!(answer.status(), 200);
                    answer.bytes().await.expect("a body");
                })
                .await;
            hyper
                .one_by_one(pieces, async || {
                    peers::by_hyper(&self.hyper, self.post(path, &bytes)).await;
                })
                .await;
        }
        vec![
            row(work, CONNECTOR, &connector),
            row(work, WARM, &warm),
            row(work, "connector, by name and JSON", &by_name),
            row(work, "core, no sandbox", &core),
            row(work, "reqwest", &reqwest),
            row(work, "hyper", &hyper),
        ]
    }

    /// A tape that answers as often as it is asked: no network, and no other client.
    pub(super) async fn on_a_tape(&self, pieces: usize) -> Vec<Row> {
        const TAPE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/cassettes/invoke-gen1-200.json");
        let tape = Cassette::stub(Tape::read(TAPE).expect("a tape"));
        let host = tape.insert(self.builder(), Arc::new(MemoryStore::new())).build().expect("a host");
        let request = ConnectRequest::google_json("bench", KEY);
        let connection = host.connect(request, None).await.expect("a connection").connection.id;
        let mut readings = Readings::default();
        readings
            .one_by_one(pieces, async || {
                let request = InvokeRequest::get(FunctionRef::in_region("helloGET", "europe-west1"));
                let answer = host.invoke(&connection, request, None).await;
                assert_eq!(answer.expect("an answer").status, 200);
            })
            .await;
        vec![row("invoke, from a tape", CONNECTOR, &readings)]
    }

    pub(super) async fn connection(&self, pieces: usize) -> Vec<Row> {
        let [mut connector, mut warm] = <[Readings; 2]>::default();
        for _ in 0..=ROUNDS {
            connector
                .one_by_one(pieces, async || {
                    self.host.connection(&self.connection).await.expect("a connection");
                })
                .await;
            warm.one_by_one(pieces, async || {
                self.warm.0.connection(&self.warm.1).await.expect("a connection");
            })
            .await;
        }
        vec![row("read a connection", CONNECTOR, &connector), row("read a connection", WARM, &warm)]
    }

    /// So many callers, and the memory that they need if `measures_memory`: a second look would find what the first has left.
    pub(super) async fn at_once(
        &self,
        work: &'static str,
        callers: usize,
        pieces: usize,
        measures_memory: bool,
    ) -> Vec<Row> {
        let (path, body) = (&path_of(BODY), Bytes::from(vec![b'x'; BODY]));
        let url = format!("http://{}{path}", self.google.address());
        let [mut connector, mut reqwest] = <[Readings; 2]>::default();
        let mut memory = None;
        for round in 0..3 {
            let peak = (measures_memory && round == 0).then(Peak::watch);
            let all = async {
                for _ in 0..pieces / callers {
                    join_all((0..callers).map(|_| async {
                        let request = self.request(path).text("x".repeat(BODY));
                        let answer = self.host.invoke(&self.connection, request, None).await;
                        assert_eq!(answer.expect("an answer").status, 200);
                    }))
                    .await;
                }
            };
            connector.at_once(pieces / callers * callers, all).await;
            if let Some(peak) = peak {
                let Memory { own, shared } = peak.end();
                memory = Some(Memory { own: own / callers as u64, shared: shared / callers as u64 });
            }
            let all = async {
                for _ in 0..pieces / callers {
                    join_all((0..callers).map(|_| async {
                        let request = self.reqwest.post(&url).header("host", FUNCTION);
                        let request = request.header("authorization", &self.token).body(body.clone());
                        let answer = request.send().await.expect("an answer");
                        assert_eq!(answer.status(), 200);
                        answer.bytes().await.expect("a body");
                    }))
                    .await;
                }
            };
            reqwest.at_once(pieces / callers * callers, all).await;
        }
        let mut first = row(work, CONNECTOR, &connector);
        first.memory = memory;
        vec![first, row(work, "reqwest", &reqwest)]
    }

    fn request(&self, path: &str) -> InvokeRequest {
        InvokeRequest::post(FunctionRef::Url(format!("https://{FUNCTION}{path}")))
    }

    fn post(&self, path: &str, body: &Bytes) -> http::Request<Full<Bytes>> {
        http::Request::post(format!("http://{}{path}", self.google.address()))
            .header("host", FUNCTION)
            .header("authorization", &self.token)
            .body(Full::new(body.clone()))
            .expect("a request")
    }
}
