//! The host's limits, against a component that keeps none: `tests/guests/hostile`, whose table says
//! what each id does.
//!
//! Every host here has room for one call, so each next call gets the place, the memory and the stack
//! of the one that was stopped.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use gcf_host::{
    CallError, Host, HostError, Limit, Limits, StoreLimits,
    secrets::{Expected, MemoryStore, SecretStore as _},
    transport::{Body, Sending, Timeouts, Transport},
};
use http_body_util::{BodyExt as _, Empty};

use crate::fixtures::{DEMO_KEY, builder, hostile, refused};

/// Room for one call, and more time on the processor than any test has.
const ROOMY: Limits = Limits {
    memory: 16 << 20,
    cpu: Duration::from_secs(600),
    requests: 64,
    grace: Duration::from_secs(5),
    longest: Duration::from_secs(3_630),
    calls: 1,
    store: StoreLimits::DEFAULT,
};

fn host(limits: Limits) -> Host {
    builder().component_file(hostile()).limits(limits).build().unwrap()
}

/// Has the guest misbehave, and returns the host's error.
async fn fault(host: &Host, misdeed: &str, deadline: Option<Duration>) -> HostError {
    match host.check(misdeed, None, deadline).await {
        Err(CallError::Host(error)) => error,
        other => panic!("{misdeed}: expected the host to stop it, got {other:?}"),
    }
}

async fn assert_still_well(host: &Host) {
    assert_eq!(host.connections().await.unwrap(), []);
}

#[tokio::test]
async fn a_guest_that_computes_for_ever_is_stopped() {
    let cpu = Duration::from_millis(100);
    let host = host(Limits { cpu, ..ROOMY });
    let error = fault(&host, "spin", None).await;
    assert!(matches!(error, HostError::LimitExceeded(Limit::Cpu(limit)) if limit == cpu), "{error}");
    assert_still_well(&host).await;
}

#[tokio::test]
async fn waiting_is_not_charged() {
    let host = host(Limits { cpu: Duration::from_millis(100), ..ROOMY });
    assert_eq!(host.check("nap 15", None, None).await.unwrap(), []);
}

#[tokio::test]
async fn the_text_of_a_panic_stays_inside() {
    let host = host(ROOMY);
    let error = fault(&host, "panic", None).await;
    assert!(matches!(error, HostError::Trapped(_)), "{error}");
    let texts = format!("{error} {error:?}");
    assert!(!texts.contains("secret-in-panic"), "{texts}");
    assert_still_well(&host).await;
}

/// A store with a connection of somebody else's, and a key that the host put there for any.
fn store_of_others() -> Arc<MemoryStore> {
    let store = MemoryStore::new();
    let key: serde_json::Value = serde_json::from_str(DEMO_KEY).unwrap();
    let pem = key["private_key"].as_str().unwrap();
    for (entry, value) in [
        ("connections/00000000000000bb", "canary-connection"),
        ("credentials/00000000000000bb", "canary-credential"),
        ("tokens/00000000000000bb/access", "canary-token"),
        ("pending/00000000000000cc", "canary-verifier"),
        ("keys/00000000000000bb", pem),
        ("keys/team", pem),
        ("supplied/token", "canary-supplied"),
    ] {
        store.put(entry, value, &Expected::Absent).unwrap();
    }
    Arc::new(store)
}

/// A component that was tricked does not use one connection's secrets in a call for another one.
#[tokio::test]
async fn another_connections_secrets_are_denied() {
    let host = builder().component_file(hostile()).limits(ROOMY).secrets(store_of_others()).build().unwrap();
    let said = async |misdeed: &str| refused(host.check(misdeed, None, None).await).message;
    for entry in [
        "connections/00000000000000bb",
        "credentials/00000000000000bb",
        "tokens/00000000000000bb/access",
        "pending/00000000000000cc",
        "keys/00000000000000bb",
    ] {
        let said = said(&format!("read {entry}")).await;
        assert!(said.contains("it belongs to another connection") && !said.contains("canary"), "{said}");
        assert!(!said.contains("PRIVATE KEY"), "{entry}");
    }
    let signed = said("sign keys/00000000000000bb").await;
    assert!(signed.contains("it belongs to another connection"), "{signed}");
    assert_eq!(said("keys tokens/").await, "Ok([])");
    // A key that the host put there for any connection.
    assert!(said("sign keys/team").await.starts_with("Ok(["));
    assert!(said("read supplied/token").await.contains("canary-supplied"));
}

/// Neither the words of a panic, nor a dump of the memory that they came from.
#[tokio::test]
async fn a_trap_shows_nothing_of_what_was_in_memory() {
    let host = builder().component_file(hostile()).limits(ROOMY).secrets(store_of_others()).build().unwrap();
    let error = fault(&host, "break supplied/token", None).await;
    assert!(matches!(error, HostError::Trapped(_)), "{error}");
    assert!(!format!("{error} {error:?} {error:#?}").contains("canary"), "{error}");
    // The engine's error, which could carry a dump or a trace, is not handed on.
    assert!(std::error::Error::source(&error).is_none());
    assert_still_well(&host).await;
}

#[tokio::test]
async fn a_guest_that_takes_memory_for_ever_is_stopped() {
    let host = host(ROOMY);
    let error = fault(&host, "grow", None).await;
    assert!(
        matches!(error, HostError::LimitExceeded(Limit::Memory(limit)) if limit == ROOMY.memory),
        "{error}"
    );
    assert_still_well(&host).await;
}

/// Answers 200 with nothing, and counts.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU32);

impl Transport for Counter {
    fn send(&self, _: http::Request<Body>, _: Timeouts) -> Sending {
        self.0.fetch_add(1, Ordering::Relaxed);
        let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
        Box::pin(async { Ok(http::Response::new(body)) })
    }
}

#[tokio::test]
async fn a_call_sends_so_many_requests_and_no_more() {
    let sent = Arc::new(Counter::default());
    let transport: Arc<dyn Transport> = Arc::<Counter>::clone(&sent);
    let host = builder().component_file(hostile()).limits(ROOMY).transport(transport).build().unwrap();

    let error = fault(&host, "request 65", None).await;
    assert!(matches!(error, HostError::LimitExceeded(Limit::Requests(64))), "{error}");
    assert_eq!(sent.0.swap(0, Ordering::Relaxed), 64);

    // The limit is each call's own.
    assert_eq!(host.check("request 64", None, None).await.unwrap(), []);
    assert_eq!(sent.0.load(Ordering::Relaxed), 64);
}

/// On a clock that jumps: the deadline comes at once, and were it not kept, so would the guest's hour.
#[tokio::test(start_paused = true)]
async fn a_guest_that_sleeps_past_its_deadline_is_stopped() {
    let host = host(ROOMY);
    let error = fault(&host, "sleep", Some(Duration::from_secs(30))).await;
    let patience = Duration::from_secs(30) + ROOMY.grace;
    assert!(matches!(error, HostError::DeadlineExceeded(after) if after == patience), "{error}");
    assert_still_well(&host).await;
}

/// On one thread, which the guest must leave for the deadline to come.
#[tokio::test(flavor = "current_thread")]
async fn a_guest_that_computes_past_its_deadline_is_stopped() {
    let host = host(Limits { grace: Duration::from_millis(15), ..ROOMY });
    let error = fault(&host, "spin", Some(Duration::from_millis(15))).await;
    let patience = Duration::from_millis(30);
    assert!(matches!(error, HostError::DeadlineExceeded(after) if after == patience), "{error}");
    assert_still_well(&host).await;
}
