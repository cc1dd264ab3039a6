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
    CallError, Host, HostError, Limit, Limits,
    transport::{Body, Sending, Timeouts, Transport},
};
use http_body_util::{BodyExt as _, Empty};

use crate::fixtures::{builder, hostile};

/// Room for one call, and more time on the processor than any test has.
const ROOMY: Limits = Limits {
    memory: 16 << 20,
    cpu: Duration::from_secs(600),
    requests: 64,
    grace: Duration::from_secs(5),
    longest: Duration::from_secs(3_630),
    calls: 1,
};

fn host(limits: Limits) -> Host {
    builder().component_file(hostile()).limits(limits).build().unwrap()
}

/// Has the guest misbehave, and returns what the host makes of it.
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
struct Counter(AtomicU32);

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
