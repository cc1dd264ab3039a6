//! A store in use after a replay: it is as it was. And a recording reads no more than the component.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use gcf_host::{
    Host,
    secrets::{Expected, MemoryStore, SecretStore},
    tape::{Cassette, Mode, Provenance, ProvenanceKind, Tape},
    transport::{Body, Sending, Timeouts, Transport, TransportError},
    wit::ErrorKind,
};
use http_body_util::BodyExt as _;
use hyper::body::Frame;

use crate::fixtures::{
    builder, cassette, connect_request,
    google::{Google, access_token, respond},
    invoke_request, list_request, live, named, refused, target,
    watched::Watched,
};

fn tape(name: &str) -> Tape {
    Tape::read(cassette(name)).unwrap()
}

fn blank() -> Tape {
    let provenance = Provenance { kind: ProvenanceKind::Recorded, from: "a test".to_owned(), note: None };
    Tape::new(provenance, SystemTime::now().duration_since(UNIX_EPOCH).unwrap(), 7)
}

/// A store in use: a connection that has signed in, and has its token if `token` says so.
async fn in_use(google: &Google, token: bool) -> (Arc<Watched>, String) {
    let store = Arc::<Watched>::default();
    let host = over(&store, google);
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    if !token {
        for key in store.keys("tokens/").unwrap() {
            store.delete(&key, &Expected::Anything).unwrap();
        }
    }
    store.take();
    (store, id)
}

fn over(store: &Arc<Watched>, google: &Google) -> Host {
    let store: Arc<dyn SecretStore> = Arc::<Watched>::clone(store);
    builder().transport(live(google)).secrets(store).build().unwrap()
}

fn played(cassette: &Cassette, store: &Arc<Watched>) -> Host {
    cassette.insert(builder(), Arc::<Watched>::clone(store)).build().unwrap()
}

async fn google() -> Google {
    Google::start(|_| respond(200, "text/plain", "hello")).await
}

#[tokio::test]
async fn the_tokens_of_a_tape_are_never_sent() {
    let google = google().await;
    let (store, id) = in_use(&google, false).await;
    let before = store.snapshot();
    let cassette = Cassette::replay(tape("empty-project.json"));
    let list = played(&cassette, &store).list_functions(&id, list_request(), None).await.unwrap();
    assert!(list.functions.is_empty());
    cassette.finish().unwrap();
    assert_eq!(store.snapshot(), before);
    assert!(store.take().iter().all(|touched| touched.starts_with("sign ")), "not even a lease was taken");

    let arrived = google.seen().len();
    over(&store, &google).list_functions(&id, list_request(), None).await.unwrap();
    let seen = google.seen().split_off(arrived);
    assert_eq!(seen[0].path, "/token", "a token is asked for");
    assert!(
        seen[1..].iter().all(|seen| seen.headers["authorization"] == format!("Bearer {}", access_token()))
    );
}

#[tokio::test]
async fn a_replay_that_fails_leaves_nothing_either() {
    let google = google().await;
    let (store, id) = in_use(&google, true).await;
    let before = store.snapshot();
    let other = || connect_request().nickname("other");
    // Not played to its end.
    let cassette = Cassette::replay(tape("empty-project.json"));
    let host = played(&cassette, &store);
    let made = host.connect(other(), None).await.unwrap().connection.id;
    assert_eq!(host.connections().await.unwrap().len(), 2, "the replay itself sees it");
    assert!(cassette.finish().is_err());
    // And on the same tape, by another host.
    assert_eq!(played(&cassette, &store).connection(&made).await.unwrap().nickname, "other");
    // Refused by the tape.
    let cassette = Cassette::replay(tape("token-invalid-grant.json"));
    refused(played(&cassette, &store).connect(other(), None).await);
    // And an entry that is not of the tape at all.
    let cassette = Cassette::replay(tape("empty-project.json"));
    let host = played(&cassette, &store);
    host.rename(&id, "renamed").await.unwrap();
    host.disconnect(&id, None).await.unwrap();
    assert_eq!(host.connections().await.unwrap(), []);
    assert_eq!(store.snapshot(), before);
}

#[tokio::test]
async fn new_episodes_give_the_store_live_tokens_and_nothing_of_the_tape() {
    let google = google().await;
    let folder = tempfile::tempdir_in(target()).unwrap();
    let path = folder.path().join("tape.json");
    let (store, id) = in_use(&google, false).await;
    // As it was, before each round.
    let fresh = || {
        let copy = Watched::default();
        for (key, entry) in store.snapshot() {
            copy.put(&key, &entry.value, &Expected::Absent).unwrap();
        }
        copy.take();
        Arc::new(copy)
    };
    let recording = Cassette::open(&path, Mode::Record, live(&google), blank()).unwrap();
    played(&recording, &fresh()).list_functions(&id, list_request(), None).await.unwrap();
    recording.finish().unwrap();

    let (store, adding) =
        (fresh(), Cassette::open(&path, Mode::NewEpisodes, live(&google), blank()).unwrap());
    let before = store.snapshot();
    let host = played(&adding, &store);
    host.list_functions(&id, list_request(), None).await.unwrap();
    host.rename(&id, "renamed").await.unwrap();
    adding.finish().unwrap();
    let after = store.snapshot();
    let new: Vec<_> = after.iter().filter(|entry| !before.contains(entry)).collect();
    let [(key, entry)] = new.as_slice() else { panic!("{new:?}") };
    assert!(key.starts_with(&format!("tokens/{id}/")) && entry.value.contains(&access_token()), "{key}");
    assert_eq!(after.len(), before.len() + 1);

    // A refusal by the tape says nothing about the sign-in.
    std::fs::copy(cassette("token-invalid-grant.json"), &path).unwrap();
    let (store, adding) = (
        fresh(),
        Cassette::open(&path, Mode::NewEpisodes, live(&google), tape("token-invalid-grant.json").emptied())
            .unwrap(),
    );
    let before = store.snapshot();
    let error = refused(played(&adding, &store).list_functions(&id, list_request(), None).await);
    assert_eq!(error.kind, ErrorKind::CredentialRejected, "{error:?}");
    assert_eq!(store.snapshot(), before);
}

/// A function whose answer has 256 MiB, in pieces of 64 KiB; and Google.
#[derive(Debug)]
struct Endless(Arc<dyn Transport>, Taken);

/// The pieces that were asked for.
#[derive(Debug, Clone, Default)]
struct Taken(Arc<AtomicUsize>);

impl Transport for Endless {
    fn send(&self, request: http::Request<Body>, timeouts: Timeouts) -> Sending {
        if !request.uri().host().is_some_and(|host| host.ends_with(".run.app")) {
            return self.0.send(request, timeouts);
        }
        Box::pin(std::future::ready(Ok(http::Response::new(self.1.clone().boxed_unsync()))))
    }
}

impl hyper::body::Body for Taken {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        let more = self.0.fetch_add(1, Ordering::Relaxed) < 4096;
        Poll::Ready(more.then(|| Ok(Frame::data(Bytes::from(vec![b'x'; 64 << 10])))))
    }
}

#[tokio::test]
async fn a_recording_reads_no_more_of_an_answer_than_the_component() {
    let google = google().await;
    let folder = tempfile::tempdir_in(target()).unwrap();
    let path = folder.path().join("tape.json");
    let taken = Taken::default();
    let endless = Arc::new(Endless(live(&google), taken.clone()));
    let recording = Cassette::open(&path, Mode::Record, endless, blank()).unwrap();
    let host = recording.insert(builder(), Arc::new(MemoryStore::new())).build().unwrap();
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    let hello = || invoke_request(named("hello", Some("us-central1")));
    let error = refused(host.invoke(&id, hello(), None).await);
    assert_eq!(error.kind, ErrorKind::TooLarge, "{error:?}");
    recording.finish().unwrap();
    // 32 MiB, and what was on its way.
    let read = taken.0.load(Ordering::Relaxed);
    assert!((512..600).contains(&read), "{read}");
    let catalog: serde_json::Value = serde_json::from_str(host.describe()).unwrap();
    assert_eq!(catalog["limits"]["function-response-bytes"], 32 << 20, "what a recording keeps, too");
    assert_eq!(catalog["limits"]["request-bytes"]["gen2"], 32 << 20);

    // Replayed, it is too large as well; and the file is short.
    assert!(std::fs::metadata(&path).unwrap().len() < 64 << 10);
    let replaying = Cassette::replay(Tape::read(&path).unwrap());
    let host = replaying.insert(builder(), Arc::new(MemoryStore::new())).build().unwrap();
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    assert_eq!(refused(host.invoke(&id, hello(), None).await).kind, ErrorKind::TooLarge);
    replaying.finish().unwrap();
}
