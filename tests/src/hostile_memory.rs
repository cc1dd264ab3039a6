//! The memory that the host allocates for a component that has it keep and copy all it can: never more than
//! the one limit on memory allows, and nothing once the call is over. The ids are those of
//! `tests/guests/hostile`.
//!
//! The allocations are counted on the one thread that a call runs on here. The guest's own memory is not
//! among them.

use std::{sync::Arc, time::Duration};

use allocation_counter::{AllocationInfo, measure};
use gcf_host::{
    CallError, Host, HostError, Limit, Limits,
    secrets::{Expected, MemoryStore, SecretStore as _},
    transport::{Body, Sending, Timeouts, Transport},
    wit::connections::Finding,
};
use http_body_util::{BodyExt as _, Full};

use crate::fixtures::{DEMO_KEY, builder, hostile};

const MIB: usize = 1 << 20;

/// Room for one call, and more time on the processor than any test has.
const LIMITS: Limits = Limits {
    memory: 16 * MIB,
    cpu: Duration::from_secs(600),
    requests: 256,
    grace: Duration::from_secs(5),
    longest: Duration::from_secs(3_630),
    calls: 1,
    store: gcf_host::StoreLimits::DEFAULT,
};

/// The bytes that a call allocates besides, whatever the guest does: for the sandbox itself, and the runtime
/// of the test.
const BESIDES: u64 = 3 << 20;

/// Never answers, and reads nothing.
#[derive(Debug)]
struct Silent;

impl Transport for Silent {
    fn send(&self, request: http::Request<Body>, _: Timeouts) -> Sending {
        Box::pin(async move {
            let _kept = request;
            std::future::pending().await
        })
    }
}

/// Answers with 50 KiB of headers and a body.
#[derive(Debug)]
struct Wordy;

impl Transport for Wordy {
    fn send(&self, _: http::Request<Body>, _: Timeouts) -> Sending {
        let body = Full::new(vec![b'b'; 32 * 1024].into()).map_err(|never| match never {}).boxed_unsync();
        let answer = http::Response::builder().header("x-large", "v".repeat(50 * 1024)).body(body).unwrap();
        Box::pin(async { Ok(answer) })
    }
}

fn store() -> Arc<MemoryStore> {
    let store = MemoryStore::new();
    let key: serde_json::Value = serde_json::from_str(DEMO_KEY).unwrap();
    store.put("keys/team", key["private_key"].as_str().unwrap(), &Expected::Absent).unwrap();
    Arc::new(store)
}

fn host(transport: Arc<dyn Transport>) -> Host {
    let builder = builder().component_file(hostile()).limits(LIMITS).secrets(store());
    builder.transport(transport).build().unwrap()
}

type Outcome = Result<Vec<Finding>, CallError>;

/// The outcome of a misdeed, and the host's allocations meanwhile. The next call must find all as ever.
fn counted(host: &Host, misdeed: &str) -> (Outcome, AllocationInfo) {
    let mut outcome = None;
    let info = measure(|| {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().start_paused(true).build().unwrap();
        outcome = Some(runtime.block_on(host.check(misdeed, None, None)));
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(host.connections()).unwrap(), [], "after {misdeed}");
    (outcome.unwrap(), info)
}

fn assert_bounded(misdeed: &str, info: &AllocationInfo) {
    let most = LIMITS.memory as u64 + BESIDES;
    assert!(info.bytes_max <= most, "{misdeed}: {} KiB at once", info.bytes_max >> 10);
    // The outcome itself, and what the runtime's first use leaves behind.
    assert!(info.bytes_current < 256 << 10, "{misdeed}: {} KiB are left", info.bytes_current >> 10);
}

fn over_the_limit(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Err(CallError::Host(HostError::LimitExceeded(Limit::Memory(limit)))) if *limit == LIMITS.memory
    )
}

/// Each kind in the number that a well-behaved guest could want, and in one that is too much.
#[test]
fn what_the_host_keeps_counts_with_the_guests_own_memory() {
    let silent: Arc<dyn Transport> = Arc::new(Silent);
    let wordy: Arc<dyn Transport> = Arc::new(Wordy);
    for (kind, few, many, transport) in [
        ("bodies", 16, 1_000, &silent),
        ("sent-bodies", 16, 250, &silent),
        ("fields", 32, 1_000, &silent),
        ("small-fields", 64, 1_000_000, &silent),
        ("listed-fields", 32, 1_000, &silent),
        ("appended-fields", 16, 1_000, &silent),
        ("cloned-fields", 8, 1_000, &silent),
        ("shared-fields", 32, 1_000, &silent),
        ("requests", 32, 1_000, &silent),
        ("methods", 32, 1_000, &silent),
        ("paths", 32, 1_000, &silent),
        ("options", 64, 1_000_000, &silent),
        ("pollables", 32, 1_000_000, &silent),
        ("answers", 16, 250, &wordy),
    ] {
        let host = host(Arc::clone(transport));
        let misdeed = format!("hoard {kind} {few}");
        let (outcome, info) = counted(&host, &misdeed);
        assert_eq!(outcome.unwrap(), [], "{misdeed}");
        assert_bounded(&misdeed, &info);

        let misdeed = format!("hoard {kind} {many}");
        let (outcome, info) = counted(&host, &misdeed);
        assert!(over_the_limit(&outcome), "{misdeed}: {outcome:?}");
        assert_bounded(&misdeed, &info);
    }
}

#[test]
fn what_is_given_back_counts_no_more() {
    let silent: Arc<dyn Transport> = Arc::new(Silent);
    let wordy: Arc<dyn Transport> = Arc::new(Wordy);
    for (kind, count, transport) in [
        ("bodies", 1_000, &silent),
        ("sent-bodies", 250, &silent),
        ("fields", 1_000, &silent),
        ("listed-fields", 1_000, &silent),
        ("appended-fields", 200, &silent),
        ("cloned-fields", 500, &silent),
        ("shared-fields", 1_000, &silent),
        ("requests", 1_000, &silent),
        ("methods", 1_000, &silent),
        ("pollables", 10_000, &silent),
        ("answers", 250, &wordy),
    ] {
        let misdeed = format!("churn {kind} {count}");
        let (outcome, info) = counted(&host(Arc::clone(transport)), &misdeed);
        assert_eq!(outcome.expect(&misdeed), [], "{misdeed}");
        assert_bounded(&misdeed, &info);
    }
}

/// No function of the host takes more than 256 KiB, and the store no more than 64 KiB.
#[test]
fn what_is_passed_to_the_host_is_copied_within_bounds() {
    let host = host(Arc::new(Silent));
    for function in [
        "get",
        "put-key",
        "put-value",
        "put-version",
        "delete",
        "keys",
        "lease",
        "release",
        "sign",
        "field-name",
        "field-value",
        "field-list",
        "method",
        "path",
        "authority",
        "write",
        "zeroes",
        "random",
        "poll",
    ] {
        let misdeed = format!("huge {function}");
        let (outcome, info) = counted(&host, &misdeed);
        assert!(matches!(outcome, Err(CallError::Host(HostError::Trapped(_)))), "{misdeed}: {outcome:?}");
        assert!(info.bytes_max <= BESIDES, "{misdeed}: {} KiB at once", info.bytes_max >> 10);
        assert_bounded(&misdeed, &info);
    }
}

#[test]
fn what_is_no_text_and_no_address_traps() {
    let host = host(Arc::new(Silent));
    for how in ["no-text", "beyond", "nowhere", "unaligned", "answer-nowhere"] {
        let misdeed = format!("lie {how}");
        let (outcome, info) = counted(&host, &misdeed);
        assert!(matches!(outcome, Err(CallError::Host(HostError::Trapped(_)))), "{misdeed}: {outcome:?}");
        assert_bounded(&misdeed, &info);
    }
    let (outcome, _) = counted(&host, "lie overlapping");
    assert_eq!(outcome.unwrap(), [], "an answer over its question harms nobody but the guest");
}

#[test]
fn a_guest_that_breaks_off_or_ends_its_stack_leaves_nothing_behind() {
    let host = host(Arc::new(Silent));
    for misdeed in ["break-off", "recurse"] {
        let (outcome, info) = counted(&host, misdeed);
        assert!(matches!(outcome, Err(CallError::Host(HostError::Trapped(_)))), "{misdeed}: {outcome:?}");
        assert_bounded(misdeed, &info);
    }
    let (outcome, info) = counted(&host, "small-calls 1000000");
    assert_eq!(outcome.unwrap(), []);
    assert_bounded("small-calls", &info);
}
