//! Google while it is down: nothing is made worse, and nobody waits for longer than they said. The runtime's
//! clock is paused, so that waiting takes no time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use gcf_host::{
    Host,
    clock::FrozenClock,
    secrets::{MemoryStore, SecretStore},
    transport::{Body, Sending, Timeouts, Transport, TransportError},
    wit::{ErrorKind, ListRequest},
};
use serde_json::json;
use tokio::time::Instant;

use crate::fixtures::{builder, connect_request, list_request, refused, scripted::Scripted};

const NOW: Duration = Duration::from_secs(1_772_366_400);

/// A host with this network, and a connection that has its token already.
async fn down(transport: Arc<dyn Transport>) -> (Host, String) {
    let store: Arc<dyn SecretStore> = Arc::new(MemoryStore::new());
    let tokens = Scripted::new(|_| {
        (200, json!({"access_token": "ya29.x", "expires_in": 3599, "token_type": "Bearer"}))
    });
    let host = |transport| {
        let clock = Arc::new(FrozenClock::at(NOW));
        builder().secrets(Arc::clone(&store)).clock(clock).transport(transport).build().unwrap()
    };
    let id = host(Arc::new(tokens)).connect(connect_request(), None).await.unwrap().connection.id;
    (host(transport), id)
}

fn one_region() -> ListRequest {
    list_request().regions(["us-central1"])
}

#[tokio::test(start_paused = true)]
async fn a_thousand_lists_send_hardly_more_than_their_first_attempts() {
    let google = Scripted::new(|_| (503, json!({"error": {"code": 503, "status": "UNAVAILABLE"}})));
    let (host, id) = down(Arc::new(google.clone())).await;
    let mut first_attempts = 0;
    for _ in 0..1000 {
        let error = refused(host.list_functions(&id, one_region(), None).await);
        assert_eq!(error.kind, ErrorKind::Unavailable);
        first_attempts += error.trace.iter().filter(|exchange| exchange.attempt == 1).count();
    }
    let repeats = google.take().len() - first_attempts;
    assert!(first_attempts >= 1000, "{first_attempts}");
    assert!((4..=100).contains(&repeats), "{repeats}");
}

/// Takes requests and never answers.
#[derive(Debug, Default)]
struct Silence {
    asked: AtomicU32,
}

impl Transport for Silence {
    fn send(&self, _: http::Request<Body>, _: Timeouts) -> Sending {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Box::pin(std::future::pending::<Result<http::Response<Body>, TransportError>>())
    }
}

#[tokio::test(start_paused = true)]
async fn what_hangs_ends_with_the_deadline_and_is_not_asked_again() {
    let silence = Arc::new(Silence::default());
    let (host, id) = down(Arc::<Silence>::clone(&silence)).await;
    let began = Instant::now();
    let deadline = Duration::from_millis(500);
    let error = refused(host.list_functions(&id, one_region(), Some(deadline)).await);
    let took = began.elapsed();
    assert_eq!(error.kind, ErrorKind::DeadlineExceeded);
    assert!((400..=600).contains(&took.as_millis()), "{took:?}");
    assert!(error.trace.iter().all(|exchange| exchange.attempt == 1), "{:?}", error.trace);
    let asked = silence.asked.load(Ordering::Relaxed);
    assert_eq!(asked as usize, error.trace.len());
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(silence.asked.load(Ordering::Relaxed), asked, "nothing comes after");
}
