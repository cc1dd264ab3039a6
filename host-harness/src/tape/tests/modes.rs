//! The fate of a tape, and of its file, in each mode.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use http_body_util::BodyExt as _;

use super::{body, request, send};
use crate::{
    secrets::{Expected, MemoryStore},
    tape::{Cassette, Mode, Provenance, ProvenanceKind, Recorder, Replay, Tape, TapeError},
    transport::{Body, Sending, Timeouts, Transport, TransportError},
};

/// Answers differently each time, and gives out a new token each time.
#[derive(Debug, Default)]
struct Counter(AtomicU32);

impl Transport for Counter {
    fn send(&self, request: http::Request<Body>, _: Timeouts) -> Sending {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            let (parts, sent) = request.into_parts();
            let sent = sent.collect().await?.to_bytes();
            let text = match parts.uri.path() {
                "/refused" => return Err(TransportError::ConnectionRefused("x.test".to_owned())),
                "/token" => format!("{{\"access_token\":\"opaque-token-{number}\"}}"),
                "/echo" => {
                    format!("{:?} {}", parts.headers.get("authorization"), String::from_utf8_lossy(&sent))
                }
                _ => format!("{{\"number\":{number}}}"),
            };
            let response = http::Response::builder().header("content-type", "application/json");
            Ok(response.header("content-length", text.len()).body(body(text)).unwrap())
        })
    }
}

fn blank() -> Tape {
    let provenance = Provenance { kind: ProvenanceKind::Recorded, from: "a test".to_owned(), note: None };
    Tape::new(provenance, Duration::from_secs(1_772_366_400), 7)
}

fn open(path: &Path, mode: Mode, network: &Arc<Counter>) -> Cassette {
    Cassette::open(path, mode, Arc::<Counter>::clone(network), blank()).unwrap()
}

async fn get(cassette: &Cassette, path: &str) -> String {
    let response = send(cassette, request("GET", &format!("https://x.test{path}"), &[], "")).await.unwrap();
    String::from_utf8(response.into_body().to_vec()).unwrap()
}

fn sent(network: &Counter) -> u32 {
    network.0.load(Ordering::Relaxed)
}

#[tokio::test]
async fn once_records_and_then_replays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tape.json");
    let network = Arc::new(Counter::default());
    let recording = open(&path, Mode::Once, &network);
    assert!(!recording.is_replaying());
    assert_eq!(get(&recording, "/a").await, r#"{"number":0}"#);
    recording.finish().unwrap();
    let replaying = open(&path, Mode::Once, &network);
    assert!(replaying.is_replaying() && replaying.is_untouched());
    assert_eq!(get(&replaying, "/a").await, r#"{"number":0}"#);
    replaying.finish().unwrap();
    assert_eq!(sent(&network), 1);
    let names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["tape.json"], "nothing else stays behind");
}

#[tokio::test]
async fn a_replay_never_asks_the_network() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tape.json");
    let network = Arc::new(Counter::default());
    let missing = Cassette::open(&path, Mode::Replay, Arc::<Counter>::clone(&network), blank());
    assert!(matches!(missing, Err(TapeError::Read { .. })));
    fs::write(&path, blank().to_json()).unwrap();
    let replaying = open(&path, Mode::Replay, &network);
    send(&replaying, request("GET", "https://x.test/a", &[], "")).await.unwrap_err();
    assert_eq!(replaying.misses().len(), 1);
    assert!(replaying.finish().is_err());
    assert_eq!(sent(&network), 0);
}

#[tokio::test]
async fn passthrough_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tape.json");
    let network = Arc::new(Counter::default());
    let passing = open(&path, Mode::Passthrough, &network);
    get(&passing, "/a").await;
    passing.finish().unwrap();
    assert_eq!((sent(&network), fs::read_dir(folder.path()).unwrap().count()), (1, 0));
}

#[tokio::test]
async fn a_recording_keeps_the_earlier_file_and_survives_its_program() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tape.json");
    let network = Arc::new(Counter::default());
    for round in 0..3 {
        let recording = open(&path, Mode::Record, &network);
        get(&recording, "/a").await;
        // As if the program ended here.
        let part = Tape::read(folder.path().join("tape.json.part")).unwrap();
        assert_eq!(part.interactions().len(), 1);
        assert_eq!(path.exists(), round > 0, "the earlier tape is where it was");
        recording.finish().unwrap();
    }
    let number = |name: &str| {
        let text = fs::read_to_string(folder.path().join(name)).unwrap();
        (0..3).find(|n| text.contains(&format!("\"number\": {n}"))).unwrap()
    };
    assert_eq!([number("tape.json.1.bak"), number("tape.json.2.bak"), number("tape.json")], [0, 1, 2]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
}

#[tokio::test]
async fn new_episodes_are_added_where_they_came() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tape.json");
    let network = Arc::new(Counter::default());
    let recording = open(&path, Mode::NewEpisodes, &network);
    for path in ["/token", "/a", "/b"] {
        get(&recording, path).await;
    }
    recording.finish().unwrap();

    let adding = open(&path, Mode::NewEpisodes, &network);
    // The tape has no token that a server would take, so a new one is asked for.
    assert_eq!(get(&adding, "/token").await, r#"{"access_token":"opaque-token-3"}"#);
    assert_eq!(get(&adding, "/a").await, r#"{"number":1}"#);
    let headers = [("authorization", "Bearer opaque-token-3")];
    send(&adding, request("GET", "https://x.test/echo", &headers, "")).await.unwrap();
    assert_eq!(get(&adding, "/b").await, r#"{"number":2}"#);
    adding.finish().unwrap();
    assert_eq!(sent(&network), 5);

    let tape = Tape::read(&path).unwrap();
    let paths: Vec<_> =
        tape.interactions().iter().map(|i| i.request().url().replace("https://x.test", "")).collect();
    assert_eq!(paths, ["/token", "/a", "/echo", "/b"]);
    let echo = tape.interactions()[2].clone();
    assert_eq!(
        echo.request().headers(),
        [("authorization".to_owned(), "Bearer [redacted:access-token:1]".to_owned())]
    );
    assert!(!tape.to_json().contains("opaque-token"));

    let replaying = open(&path, Mode::Replay, &network);
    for path in ["/token", "/a"] {
        get(&replaying, path).await;
    }
    let headers = [("authorization", "Bearer [redacted:access-token:1]")];
    send(&replaying, request("GET", "https://x.test/echo", &headers, "")).await.unwrap();
    get(&replaying, "/b").await;
    replaying.finish().unwrap();
}

#[tokio::test]
async fn a_failure_of_the_network_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tape.json");
    let recording = open(&path, Mode::Record, &Arc::default());
    let failing = || request("GET", "https://x.test/refused", &[], "");
    send(&recording, failing()).await.unwrap_err();
    recording.finish().unwrap();
    let replay = Replay::new(Tape::read(&path).unwrap());
    let error = send(&replay, failing()).await.unwrap_err();
    assert!(matches!(error, TransportError::ConnectionRefused(_)), "{error}");
    replay.finish().unwrap();
}

#[tokio::test]
async fn what_was_sent_while_another_was_under_way_is_marked() {
    let recorder = Recorder::new(Arc::new(Slow), "", blank());
    let both = |a: &'static str, b: &'static str| {
        let get = |path| send(&recorder, request("GET", path, &[], ""));
        futures_join(get(a), get(b))
    };
    both("https://x.test/a", "https://x.test/b").await;
    both("https://x.test/c", "https://x.test/d").await;
    let marks: Vec<bool> = recorder.tape().interactions().iter().map(|i| i.side_by_side()).collect();
    assert_eq!(marks, [false, true, false, true]);
}

async fn futures_join<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) {
    tokio::join!(a, b);
}

/// Lets others run before it answers.
#[derive(Debug)]
struct Slow;

impl Transport for Slow {
    fn send(&self, _: http::Request<Body>, _: Timeouts) -> Sending {
        Box::pin(async move {
            tokio::task::yield_now().await;
            Ok(http::Response::new(body("")))
        })
    }
}

#[tokio::test]
async fn a_recording_with_a_live_canary_in_it_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tape.json");
    fs::write(&path, "earlier").unwrap();
    let live = crate::tape::LiveSecrets::default();
    let recorder = Recorder::new(Arc::new(Canary), &path, blank()).knowing(live.clone());
    let store = live.watch(Arc::new(MemoryStore::new()));
    store.put("supplied/pin", "4711471147114711", &Expected::Anything).unwrap();
    send(&recorder, request("GET", "https://x.test/a", &[], "")).await.unwrap();
    let error = recorder.finish().unwrap_err().to_string();
    let place = "interactions[0].response.body.json.count";
    assert!(error.contains(&format!("was not written: `{place}`")) && !error.contains("4711"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "earlier");
    assert!(!folder.path().join("tape.json.part").exists());
}

/// A number is not taken out of JSON: a placeholder cannot take its place.
#[derive(Debug)]
struct Canary;

impl Transport for Canary {
    fn send(&self, _: http::Request<Body>, _: Timeouts) -> Sending {
        let response = http::Response::builder().header("content-type", "application/json");
        let answer = response.body(body("{\"count\":4711471147114711}")).unwrap();
        Box::pin(std::future::ready(Ok(answer)))
    }
}

/// The tape stands for a server: nothing is sent, and nothing has to be asked for.
#[tokio::test]
async fn a_stub_answers_in_any_order_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let (path, network) = (folder.path().join("tape.json"), Arc::new(Counter::default()));
    let recorded = open(&path, Mode::Record, &network);
    let answers =
        [get(&recorded, "/first").await, get(&recorded, "/second").await, get(&recorded, "/third").await];
    recorded.finish().unwrap();
    let before = (fs::read(&path).unwrap(), sent(&network));

    let stub = open(&path, Mode::Stub, &network);
    for (place, name) in [(1, "/second"), (0, "/first"), (1, "/second"), (0, "/first"), (1, "/second")] {
        assert_eq!(get(&stub, name).await, answers[place], "{name}");
    }
    assert!(stub.finish().is_ok(), "the third was not asked for");
    let missed = send(&stub, request("GET", "https://x.test/fourth", &[], "")).await;
    assert!(matches!(missed, Err(TransportError::TapeMiss(_))));
    assert!(
        matches!(stub.finish(), Err(TapeError::NotReplayed { misses, unused }) if misses.len() == 1 && unused.is_empty())
    );
    assert_eq!((fs::read(&path).unwrap(), sent(&network)), before);
}
