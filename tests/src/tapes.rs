//! Recording and replaying the shipping component: its requests, their answers, and the setup that both need.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use gcf_host::{
    Host,
    secrets::MemoryStore,
    tape::{Aliases, Cassette, Mode, Provenance, ProvenanceKind, Replay, Tape, golden},
    transport::{Body, Sending, Timeouts, Transport},
    wit::{Credential, ErrorKind, Origin},
};
use http_body_util::{BodyExt as _, Full};

use crate::fixtures::{
    ACCOUNT, DEMO_KEY, builder, cassette, connect_request,
    google::{Google, respond},
    invoke_request, list_request, live, named, refused, target,
};
use crate::isolation::without_the_token_endpoint;

fn blank() -> Tape {
    let provenance = Provenance { kind: ProvenanceKind::Recorded, from: "a test".to_owned(), note: None };
    // The Google on loopback looks at its own clock.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Tape::new(provenance, now, 7)
}

fn hello() -> gcf_host::wit::InvokeRequest {
    invoke_request(named("hello", Some("us-central1")))
}

/// Connects, and invokes a function three times.
async fn three_calls(host: &Host) -> String {
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    let mut said = format!("{id}\n");
    for _ in 0..3 {
        let answer = host.invoke(&id, hello(), None).await.unwrap();
        said += &format!(
            "{} {:?} {:?}\n",
            answer.status,
            answer.headers,
            String::from_utf8(answer.body.as_bytes().to_vec()).unwrap()
        );
    }
    said
}

async fn replayed(path: &Path) -> String {
    let cassette = Cassette::replay(Tape::read(path).unwrap());
    let host = cassette.insert(builder(), Arc::new(MemoryStore::new())).build().unwrap();
    let said = three_calls(&host).await;
    cassette.finish().unwrap();
    said
}

#[tokio::test]
async fn what_answers_differently_each_time_is_replayed_a_hundred_times_alike() {
    let count = AtomicU32::new(0);
    let google = Google::start(move |_| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        respond(200 + u16::try_from(number).unwrap(), "text/plain", format!("answer {number}"))
    })
    .await;
    let folder = tempfile::tempdir_in(target()).unwrap();
    let path = folder.path().join("tape.json");
    let recording = Cassette::open(&path, Mode::Record, live(&google), blank()).unwrap();
    let host = recording.insert(builder(), Arc::new(MemoryStore::new())).build().unwrap();
    let said = three_calls(&host).await;
    recording.finish().unwrap();
    assert!(said.contains("answer 0") && said.contains("answer 2"), "{said}");
    let arrived = google.seen().len();
    for _ in 0..100 {
        assert_eq!(replayed(&path).await, said);
    }
    assert_eq!(google.seen().len(), arrived, "a replay asks nobody");
}

/// Connects with this key, and lists.
async fn connect_and_list(cassette: &Cassette, key: &str) -> String {
    let host = cassette.insert(builder(), Arc::new(MemoryStore::new())).build().unwrap();
    let credential = Credential::GoogleJson(key.to_owned());
    let connected = host.connect(connect_request().credential(credential), None).await.unwrap().connection;
    let list = host.list_functions(&connected.id, list_request(), None).await.unwrap();
    cassette.finish().unwrap();
    let names = list.functions.iter().map(|function| (&function.name, &function.project)).collect::<Vec<_>>();
    format!("{} {} {names:?}", connected.account, connected.project)
}

#[tokio::test]
async fn a_tape_that_was_renamed_while_it_was_recorded_is_replayed_with_either_name() {
    let google = Google::start(|_| respond(200, "text/plain", "")).await;
    let folder = tempfile::tempdir_in(target()).unwrap();
    let path = folder.path().join("tape.json");
    let aliases = || {
        let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        Aliases::new([pair("demo-project", "project-1"), pair("gcf-demo", "robot")]).unwrap()
    };
    let recording = Cassette::open(&path, Mode::Record, live(&google), blank()).unwrap().renaming(aliases());
    let said = connect_and_list(&recording, DEMO_KEY).await;
    assert!(said.contains(ACCOUNT) && said.ends_with("(\"hello\", \"demo-project\")]"), "{said}");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("demo-project") && !text.contains("gcf-demo"), "{text}");
    // Nor in the assertion.
    assert_eq!(Tape::read(&path).unwrap().renamed("demo-project", "x").unwrap(), Tape::read(&path).unwrap());

    let replay = || Cassette::replay(Tape::read(&path).unwrap());
    assert_eq!(connect_and_list(&replay().renaming(aliases()), DEMO_KEY).await, said);
    let stand_in = DEMO_KEY.replace("demo-project", "project-1").replace("gcf-demo", "robot");
    let renamed = said.replace("demo-project", "project-1").replace("gcf-demo", "robot");
    assert_eq!(connect_and_list(&replay(), &stand_in).await, renamed);
}

/// Keeps the very bytes that are handed on to a tape.
#[derive(Debug, Clone)]
struct Tapped {
    replay: Replay,
    sent: Arc<Mutex<Vec<Bytes>>>,
}

impl Transport for Tapped {
    fn send(&self, request: http::Request<Body>, timeouts: Timeouts) -> Sending {
        let this = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let head = format!("{} {} {:?}", parts.method, parts.uri, parts.headers);
            this.sent.lock().unwrap().extend([head.into(), body.clone()]);
            let body = Full::new(body).map_err(|never| match never {}).boxed_unsync();
            this.replay.send(http::Request::from_parts(parts, body), timeouts).await
        })
    }
}

fn hello_get() -> gcf_host::wit::InvokeRequest {
    let function = named("helloGET", Some("europe-west1"));
    invoke_request(function).method("GET")
}

/// All requests while a tape is played, signatures included.
async fn sent(host_signs: bool) -> Vec<Bytes> {
    // One after another: requests that are sent side by side may come in any order.
    let tape = Tape::read(cassette("invoke-gen1-200.json")).unwrap();
    let (clock, random) = (Arc::new(tape.clock()), Arc::new(tape.random()));
    let tapped = Tapped { replay: Replay::new(tape), sent: Arc::default() };
    let host = builder()
        .transport(Arc::new(tapped.clone()))
        .clock(clock)
        .random(random)
        .host_signing(host_signs)
        .build()
        .unwrap();
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    host.invoke(&id, hello_get(), None).await.unwrap();
    let sent = tapped.sent.lock().unwrap().clone();
    assert_eq!(sent.len(), 8);
    sent
}

#[tokio::test]
async fn the_same_tape_gives_the_same_bytes_sent() {
    let first = sent(true).await;
    assert_eq!(sent(true).await, first);
    // By any signer: RS256 is deterministic.
    assert_eq!(sent(false).await, first);
    let form = std::str::from_utf8(&first[1]).unwrap();
    assert_eq!(form.split_once("assertion=").map(|(_, assertion)| assertion.matches('.').count()), Some(2));
}

#[tokio::test]
async fn a_golden_test_is_one_call() {
    let list = golden(cassette("empty-project.json"), builder(), async |host| {
        let id = host.connect(connect_request(), None).await.unwrap().connection.id;
        host.list_functions(&id, list_request(), None).await.unwrap()
    })
    .await;
    assert!(list.functions.is_empty());
}

#[tokio::test]
#[should_panic(expected = "2 interactions were not used")]
async fn a_golden_test_fails_if_the_tape_is_not_played_whole() {
    golden(cassette("empty-project.json"), builder(), async |host| {
        host.connect(connect_request(), None).await.unwrap();
    })
    .await;
}

/// The host's own policy judges: the component takes this request for a good one, and the tape has an answer
/// to it.
#[tokio::test]
async fn a_replay_is_judged_by_the_policy_like_the_real_thing() {
    let cassette = Cassette::replay(Tape::read(cassette("connect-only.json")).unwrap());
    let stricter = builder().egress_allow(without_the_token_endpoint());
    let host = cassette.insert(stricter, Arc::new(MemoryStore::new())).build().unwrap();
    let error = refused(host.connect(connect_request(), None).await);
    assert_eq!(error.kind, ErrorKind::EgressDenied, "{error:?}");
    assert!(cassette.is_untouched(), "the tape was not asked");
}

/// Five lines make an outage of a cassette.
#[tokio::test(start_paused = true)]
async fn a_fault_on_the_tape_is_what_the_component_sees() {
    for end in [
        "unresolved",
        "refused",
        "connect-timeout",
        "tls",
        "reset-before-headers",
        "no-response",
        "not-http",
        "reset-after-headers",
        "truncated-body",
    ] {
        let fault = serde_json::json!({"end": end});
        let text = std::fs::read_to_string(cassette("invoke-gen1-200.json")).unwrap();
        let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
        document["interactions"][3]["fault"] = fault.clone();
        // A connection that was refused is tried again, for nothing was sent.
        document["interactions"][3]["match"] = serde_json::json!({"repeat": true});
        let cassette = Cassette::replay(Tape::from_json(&document.to_string()).unwrap());
        let host = cassette.insert(builder(), Arc::new(MemoryStore::new())).build().unwrap();
        let id = host.connect(connect_request(), None).await.unwrap().connection.id;
        let error = refused(host.invoke(&id, hello_get(), None).await);
        // Silence lasts as long as the call may.
        let kind = if end == "no-response" { ErrorKind::DeadlineExceeded } else { ErrorKind::Network };
        assert_eq!((error.kind, error.origin), (kind, Origin::Network), "{fault}");
        cassette.finish().unwrap();
    }
}

#[tokio::test]
async fn a_recording_of_a_replay_is_the_same_file() {
    let folder = tempfile::tempdir_in(target()).unwrap();
    // The cassette spells its URLs in another way than the component; what is recorded is what was sent.
    let mut from = cassette("invoke-gen1-200.json");
    let mut texts = Vec::new();
    for name in ["first.json", "second.json"] {
        let original = Tape::read(&from).unwrap();
        let path = folder.path().join(name);
        let replay = Arc::new(Replay::new(original.clone()));
        let again = Cassette::open(&path, Mode::Record, replay, original.emptied()).unwrap();
        let host = again.insert(builder(), Arc::new(MemoryStore::new())).build().unwrap();
        let id = host.connect(connect_request(), None).await.unwrap().connection.id;
        host.invoke(&id, hello_get(), None).await.unwrap();
        again.finish().unwrap();
        texts.push(std::fs::read_to_string(&path).unwrap());
        from = path;
    }
    assert_eq!(Tape::from_json(&texts[0]).unwrap().interactions().len(), 4);
    assert!(texts[0] == texts[1]);
}
