//! Counts of what a guest has handed over.

use std::time::Duration;

use serde_json::json;
use types::{HostFields as _, HostOutgoingBody as _};
use wasmtime_wasi_http::p2::body::HostOutgoingBody;

use super::*;
use crate::{
    clock::SystemClock,
    egress::EgressPolicy,
    outgoing::{budget::RequestBudget, turns::Turns},
    transport::{Body, Sending, Timeouts, Transport},
};

/// Nothing is sent.
#[derive(Debug)]
struct Idle;

impl Transport for Idle {
    fn send(&self, _: http::Request<Body>, _: Timeouts) -> Sending {
        Box::pin(std::future::pending())
    }
}

fn hooks() -> Hooks {
    Hooks {
        policy: Arc::new(EgressPolicy::from_manifest(&json!([])).unwrap()),
        tokens: None,
        transport: Arc::new(Idle),
        observer: None,
        budget: Arc::new(RequestBudget::new(1)),
        turns: Turns::new(Arc::new(SystemClock::default())),
        patience: Duration::from_secs(1),
        held: None,
    }
}

/// Finishes the body of a request that is never sent, with trailers of so many bytes.
fn finish(view: &mut View<'_>, bytes: usize) -> Result<(), String> {
    let trapped = |error: &dyn std::fmt::Display| error.to_string();
    let list = vec![("x".to_owned(), vec![b'x'; bytes])];
    let trailers = view.from_list(list).map_err(|error| trapped(&error))?;
    let headers = types::HostFields::new(view).map_err(|error| trapped(&error))?;
    let request = types::HostOutgoingRequest::new(view, headers).map_err(|error| trapped(&error))?;
    let body: Resource<HostOutgoingBody> =
        types::HostOutgoingRequest::body(view, Resource::new_borrow(request.rep())).unwrap().unwrap();
    view.finish(body, Some(trailers)).map_err(|error| trapped(&error))
}

#[test]
fn trailers_count_for_the_rest_of_the_call() {
    let account = Account::new(4 * (60_000 + HEADER + 1) + HEADER);
    let (mut http, mut hooks, mut table) = (GuestHttp::new(&account), hooks(), ResourceTable::new());
    let mut view = http.view(&mut hooks, &mut table);
    for number in 1..=4 {
        assert_eq!(finish(&mut view, 60_000), Ok(()), "{number}");
    }
    assert!(finish(&mut view, 60_000).is_err());
    drop((http, table));
    assert!(account.hold(60_000).is_err(), "the account is the call's");
}
