use std::{sync::Mutex, time::Duration};

use http::{HeaderMap, Method};
use http_body_util::{BodyExt as _, Empty};
use serde_json::json;
use wasmtime_wasi_http::{Error as WasiError, WasiHttpHooks as _};

use super::*;
use crate::{
    clock::SystemClock,
    error::Limit,
    outgoing::{
        budget::RequestBudget,
        gate::Hooks,
        observer::{RequestEvent, Stage},
        turns::Turns,
    },
    tape::{Provenance, ProvenanceKind, Recorder, Tape},
    transport::{Body, Sending, Timeouts, Transport},
};

const API: &str = "https://run.googleapis.com/v2/x?key=a";
const FUNCTION: &str = "https://fn-abcdef-uc.a.run.app/";

/// Answers with nothing, and keeps the headers that it was sent.
#[derive(Debug, Default)]
struct Network(Mutex<Vec<HeaderMap>>);

impl Transport for Network {
    fn send(&self, request: http::Request<Body>, _: Timeouts) -> Sending {
        self.0.lock().unwrap().push(request.headers().clone());
        let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
        Box::pin(std::future::ready(Ok(http::Response::new(body))))
    }
}

/// Always answers the same, and keeps what it was asked for.
struct Source {
    answer: Result<AccessToken, String>,
    asked: Mutex<Vec<String>>,
}

impl Source {
    fn of(token: &str) -> Arc<Self> {
        Arc::new(Self { answer: AccessToken::parse(token), asked: Mutex::default() })
    }

    fn failing(why: &str) -> Arc<Self> {
        Arc::new(Self { answer: Err(why.to_owned()), asked: Mutex::default() })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl AccessTokens for Source {
    fn token(&self, origin: &str) -> Supplying {
        self.asked.lock().unwrap().push(origin.to_owned());
        let answer = self.answer.clone();
        Box::pin(async move {
            tokio::task::yield_now().await;
            answer
        })
    }
}

/// One sandbox's way out, and all that can be seen of it from outside.
struct Exit {
    hooks: Hooks,
    network: Arc<Network>,
    seen: Arc<Mutex<Vec<RequestEvent>>>,
}

impl Exit {
    fn new(source: Option<&Arc<Source>>, limit: u32) -> Self {
        let manifest = json!([
            {"host": "run.googleapis.com", "carries": ["access-token"]},
            {"host": "either.googleapis.com", "carries": ["access-token", "none"]},
            {"host": "oauth2.googleapis.com", "carries": ["assertion"]},
            {"host-suffix": ".run.app", "labels": [1, 2], "carries": ["id-token", "none"]},
            {"host-suffix": ".cloudfunctions.net", "labels": [1, 1], "carries": ["id-token"]},
        ]);
        let network = Arc::new(Network::default());
        let seen = Arc::<Mutex<Vec<RequestEvent>>>::default();
        let log = Arc::clone(&seen);
        let hooks = Hooks {
            policy: Arc::new(EgressPolicy::from_manifest(&manifest).unwrap()),
            tokens: source.map(|source| Arc::clone(source) as Arc<dyn AccessTokens>),
            transport: Arc::clone(&network) as Arc<dyn Transport>,
            observer: Some(Arc::new(move |event: &RequestEvent| log.lock().unwrap().push(event.clone()))),
            budget: Arc::new(RequestBudget::new(limit)),
            turns: Turns::new(Arc::new(SystemClock::default())),
            patience: Duration::from_secs(35),
            held: None,
        };
        Self { hooks, network, seen }
    }

    async fn send(&mut self, method: Method, url: &str, headers: &[(&str, &str)]) -> Result<(), WasiError> {
        let mut request = http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Empty::new().map_err(|never| match never {}).boxed_unsync()).unwrap();
        let exchange = self.hooks.send_request(request, None, Box::new(std::future::ready(Ok(()))));
        Box::into_pin(exchange).await.map(|_| ())
    }

    async fn get(&mut self, url: &str) -> Result<(), WasiError> {
        self.send(Method::GET, url, &[]).await
    }

    /// The Authorization headers of each request that was sent.
    fn sent(&self) -> Vec<Vec<String>> {
        let shown = |headers: &HeaderMap| {
            let values = headers.get_all("authorization").iter();
            values.map(|value| value.to_str().unwrap().to_owned()).collect()
        };
        self.network.0.lock().unwrap().iter().map(shown).collect()
    }

    fn failures(&self) -> Vec<(u32, String)> {
        let seen = self.seen.lock().unwrap();
        let failure = |event: &RequestEvent| match &event.stage {
            Stage::Failed { error, .. } => Some((event.number, error.to_string())),
            Stage::Sent | Stage::Answered { .. } => None,
        };
        seen.iter().filter_map(failure).collect()
    }
}

fn is_denied(answer: &Result<(), WasiError>) -> bool {
    matches!(answer, Err(WasiError::HttpRequestDenied))
}

#[tokio::test]
async fn a_token_is_added_where_the_manifest_wants_one_and_the_component_has_none() {
    for url in [API, "https://run.googleapis.com:443/v2/x"] {
        let source = Source::of("ya29.canary");
        let mut exit = Exit::new(Some(&source), 1);
        exit.get(url).await.unwrap();
        assert_eq!(exit.sent(), [["Bearer ya29.canary"]], "{url}");
        assert_eq!(source.asked(), ["https://run.googleapis.com"], "{url}");
    }
}

#[tokio::test]
async fn no_token_is_added_anywhere_else() {
    for url in [FUNCTION, "https://oauth2.googleapis.com/token", "https://either.googleapis.com/"] {
        let source = Source::of("ya29.canary");
        let mut exit = Exit::new(Some(&source), 1);
        exit.get(url).await.unwrap();
        assert_eq!((exit.sent(), source.asked()), (vec![vec![]], vec![]), "{url}");
    }
}

#[tokio::test]
async fn the_components_own_header_is_left_alone() {
    for own in ["Bearer ya29.own", "Basic b3du", ""] {
        let source = Source::of("ya29.canary");
        let mut exit = Exit::new(Some(&source), 1);
        exit.send(Method::GET, API, &[("authorization", own)]).await.unwrap();
        assert_eq!((exit.sent(), source.asked()), (vec![vec![own.to_owned()]], vec![]), "{own}");
    }
}

#[tokio::test]
async fn the_source_is_not_asked_for_a_request_that_would_be_denied_with_a_token_too() {
    for (method, url, header) in [
        (Method::GET, "https://evilrun.googleapis.com/", ("accept", "*/*")),
        (Method::GET, "https://us-central1-p.cloudfunctions.net/fn", ("accept", "*/*")),
        (Method::GET, "http://run.googleapis.com/", ("accept", "*/*")),
        (Method::GET, "https://run.googleapis.com:8443/", ("accept", "*/*")),
        (Method::CONNECT, API, ("accept", "*/*")),
        (Method::GET, API, ("host", "fn-abcdef-uc.a.run.app")),
        (Method::GET, API, ("proxy-authorization", "Basic b3du")),
        (Method::GET, API, ("x-serverless-authorization", "Bearer own")),
    ] {
        let source = Source::of("ya29.canary");
        let mut exit = Exit::new(Some(&source), 1);
        let answer = exit.send(method, url, &[header]).await;
        assert!(is_denied(&answer), "{url} {header:?}");
        assert_eq!(exit.sent(), Vec::<Vec<String>>::new(), "{url} {header:?}");
        assert_eq!(source.asked(), Vec::<String>::new(), "{url} {header:?}");
    }
}

#[tokio::test]
async fn without_a_source_the_request_is_refused() {
    let mut exit = Exit::new(None, 1);
    assert!(is_denied(&exit.get(API).await));
    assert_eq!(exit.sent(), Vec::<Vec<String>>::new());
    let [(0, text)] = &exit.failures()[..] else { panic!("{:?}", exit.failures()) };
    assert!(text.contains("without an authorization header"), "{text}");
}

#[tokio::test]
async fn a_source_that_fails_refuses_the_request_and_says_so() {
    let source = Source::failing("the vault is sealed");
    let mut exit = Exit::new(Some(&source), 1);
    assert!(is_denied(&exit.get(API).await));
    assert_eq!(exit.sent(), Vec::<Vec<String>>::new());
    let text = "egress denied: the host could not supply an access token for https://run.googleapis.com: \
                the vault is sealed";
    assert_eq!(exit.failures(), [(0, text.to_owned())]);
}

#[tokio::test]
async fn a_source_is_asked_no_more_often_than_the_call_may_send() {
    let source = Source::failing("the vault is sealed");
    let mut exit = Exit::new(Some(&source), 2);
    for _ in 0..3 {
        exit.get(API).await.unwrap_err();
    }
    assert_eq!(source.asked().len(), 2);
    assert_eq!(exit.hooks.budget.exceeded(), Some(Limit::Requests(2)));
}

#[tokio::test]
async fn what_the_source_supplies_is_judged_like_the_components_own() {
    let source = Source::of("eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJjYW5hcnkifQ.Y2FuYXJ5");
    let mut exit = Exit::new(Some(&source), 1);
    assert!(is_denied(&exit.get(API).await));
    assert_eq!(exit.sent(), Vec::<Vec<String>>::new());
    let [(0, text)] = &exit.failures()[..] else { panic!("{:?}", exit.failures()) };
    assert!(text.contains("an ID token may not be sent to run.googleapis.com"), "{text}");
    assert!(!text.contains("eyJ"), "{text}");
}

#[tokio::test]
async fn neither_observer_nor_tape_nor_a_print_shows_the_token() {
    // No shape that a redactor could know it by.
    let source = Source::of("canary-token");
    let mut exit = Exit::new(Some(&source), 1);
    let provenance = Provenance { kind: ProvenanceKind::Made, from: "a test".to_owned(), note: None };
    let tape = Tape::new(provenance, Duration::ZERO, 0);
    let recorder = Recorder::new(Arc::clone(&exit.network) as Arc<dyn Transport>, "", tape);
    exit.hooks.transport = Arc::new(recorder.clone());
    exit.get(API).await.unwrap();

    assert_eq!(exit.sent(), [["Bearer canary-token"]]);
    let tape = recorder.tape().to_json();
    assert!(tape.contains("Bearer [redacted:access-token:1]"), "{tape}");
    let seen = exit.seen.lock().unwrap();
    assert_eq!(seen.iter().map(|event| event.number).collect::<Vec<_>>(), [1, 1]);
    let printed = format!("{tape} {seen:?} {:?} {:?}", source.answer, exit.network);
    assert!(!printed.contains("canary"), "{printed}");
}

#[test]
fn a_token_is_taken_whole_or_not_at_all() {
    for token in ["ya29.a0Af_B-c/d~e+f", "b3BhcXVl=="] {
        assert_eq!(AccessToken::parse(token).unwrap().0, format!("Bearer {token}"));
    }
    for text in ["", "=", "canary\n", " canary", "Bearer canary", "canary\r\nx: y", "ca=nary", "canär"] {
        let error = AccessToken::parse(text).unwrap_err();
        assert!(!error.contains("canar") && !error.contains("nary"), "{text:?}: {error}");
    }
}
