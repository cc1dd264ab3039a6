//! Many callers, one expired token: on a clock that jumps, so that the waiting takes no time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU16, AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use gcf_host::{
    CallError, Host,
    clock::FrozenClock,
    secrets::{Entry, Expected, Lease, MemoryStore, SecretStore, StoreError},
    transport::{Body, Sending, Timeouts, Transport},
    wit::{ApiResponse, ErrorKind},
};
use http_body_util::{BodyExt as _, Full};
use serde_json::json;
use tokio::sync::watch;

use crate::fixtures::{api_request, builder, connect_request, refused};

const CALLERS: u32 = 200;

const NOW: Duration = Duration::from_secs(1_772_366_400);

/// A store that counts the calls which have begun: each reads its connection once.
#[derive(Debug)]
struct Counting {
    inner: MemoryStore,
    begun: watch::Sender<u32>,
}

impl SecretStore for Counting {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        if key.starts_with("connections/") {
            self.begun.send_modify(|begun| *begun += 1);
        }
        self.inner.get(key)
    }

    fn put(&self, key: &str, value: &str, expected: &Expected) -> Result<String, StoreError> {
        self.inner.put(key, value, expected)
    }

    fn delete(&self, key: &str, expected: &Expected) -> Result<(), StoreError> {
        self.inner.delete(key, expected)
    }

    fn keys(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.inner.keys(prefix)
    }

    fn acquire_lease(&self, name: &str, ttl: Duration) -> Result<Lease, StoreError> {
        self.inner.acquire_lease(name, ttl)
    }

    fn release_lease(&self, name: &str, token: &str) -> Result<(), StoreError> {
        self.inner.release_lease(name, token)
    }

    fn sign(&self, key: &str, message: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.inner.sign(key, message)
    }
}

/// A Google whose token endpoint answers as it is told, and not before everybody is there.
#[derive(Debug)]
struct Google {
    status: AtomicU16,
    asked_for_tokens: AtomicU32,
    called: AtomicU32,
    begun: watch::Receiver<u32>,
    everybody: AtomicU32,
}

impl Transport for Google {
    fn send(&self, request: http::Request<Body>, _: Timeouts) -> Sending {
        let (status, body) = match request.uri().host() {
            Some("oauth2.googleapis.com") => {
                let number = self.asked_for_tokens.fetch_add(1, Ordering::Relaxed);
                let status = self.status.load(Ordering::Relaxed);
                let body = match status {
                    200 => {
                        json!({"access_token": format!("ya29.{number}"), "expires_in": 3599, "token_type": "Bearer"})
                    }
                    400 => json!({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}),
                    _ => json!({"a proxy": "says so"}),
                };
                (status, body)
            }
            _ => {
                self.called.fetch_add(1, Ordering::Relaxed);
                (200, json!({}))
            }
        };
        let (mut begun, everybody) = (self.begun.clone(), self.everybody.load(Ordering::Relaxed));
        Box::pin(async move {
            begun.wait_for(|begun| *begun >= everybody).await.unwrap();
            // The body of a request is read, as a server would.
            request.into_body().collect().await?;
            let body =
                Full::new(Bytes::from(body.to_string())).map_err(|never| match never {}).boxed_unsync();
            let answer = http::Response::builder().status(status).header("content-type", "application/json");
            Ok(answer.body(body).unwrap())
        })
    }
}

/// A connection whose token has expired, and as many calls at once as there are callers.
async fn stampede(status: u16) -> (Arc<Google>, Vec<Result<ApiResponse, CallError>>) {
    let (begun, everybody_sees) = watch::channel(0);
    let store = Arc::new(Counting { inner: MemoryStore::new(), begun });
    let google = Arc::new(Google {
        status: AtomicU16::new(200),
        asked_for_tokens: AtomicU32::new(0),
        called: AtomicU32::new(0),
        begun: everybody_sees,
        everybody: AtomicU32::new(0),
    });
    let (secrets, transport): (Arc<dyn SecretStore>, Arc<dyn Transport>) =
        (Arc::<Counting>::clone(&store), Arc::<Google>::clone(&google));
    let host: Host = builder()
        .secrets(secrets)
        .transport(transport)
        .clock(Arc::new(FrozenClock::at(NOW)))
        .build()
        .unwrap();
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    let tokens = store.keys("tokens/").unwrap();
    assert_eq!(tokens.len(), 1, "the proof is cached");
    let expired = json!({"token": "ya29.expired", "expires": NOW.as_secs() - 1}).to_string();
    store.put(&tokens[0], &expired, &Expected::Anything).unwrap();

    google.asked_for_tokens.store(0, Ordering::Relaxed);
    google.status.store(status, Ordering::Relaxed);
    google.everybody.store(CALLERS, Ordering::Relaxed);
    store.begun.send_replace(0);
    let calls: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (host, id) = (host.clone(), id.clone());
            tokio::spawn(async move {
                host.custom_api(&id, api_request("GET", "/v2/projects/demo-project/locations"), None).await
            })
        })
        .collect();
    let mut outcomes = Vec::new();
    for call in calls {
        outcomes.push(call.await.unwrap());
    }
    (google, outcomes)
}

#[tokio::test(start_paused = true)]
async fn two_hundred_callers_of_an_expired_token_ask_for_one() {
    let (google, outcomes) = stampede(200).await;
    for outcome in outcomes {
        assert_eq!(outcome.unwrap().status, 200);
    }
    assert_eq!(google.asked_for_tokens.load(Ordering::Relaxed), 1);
    assert_eq!(google.called.load(Ordering::Relaxed), CALLERS);
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_fails_costs_three_requests_whoever_waits() {
    let (google, outcomes) = stampede(503).await;
    for outcome in outcomes {
        assert_eq!(refused(outcome).kind, ErrorKind::Unavailable);
    }
    assert_eq!(google.asked_for_tokens.load(Ordering::Relaxed), 3, "the leader's attempts");
    assert_eq!(google.called.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_heard_once_whoever_waits() {
    for (status, kind) in [(400, ErrorKind::CredentialRejected), (401, ErrorKind::InvalidResponse)] {
        let (google, outcomes) = stampede(status).await;
        for outcome in outcomes {
            assert_eq!(refused(outcome).kind, kind);
        }
        assert_eq!(google.asked_for_tokens.load(Ordering::Relaxed), 1, "{status}");
        assert_eq!(google.called.load(Ordering::Relaxed), 0, "{status}");
    }
}
