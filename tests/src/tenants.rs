//! Hosts for several tenants, made of one.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use gcf_host::{
    AccessToken, AccessTokens, Limits, Supplying, WarmInstances,
    secrets::{MemoryStore, SecretStore},
    tape::{Cassette, Tape},
    transport::{Body, Sending, Timeouts, Transport},
    wit::{Credential, ErrorKind},
};
use http_body_util::{BodyExt as _, Empty};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::fixtures::{
    api_request, builder, cassette, connect_request,
    google::{Google, json_response},
    hostile, live, on_loopback, refused,
};

#[tokio::test]
async fn a_tenant_sees_its_own_connections_alone() {
    let google = Google::start(|_| json_response(200, &json!({}))).await;
    let (host, _) = on_loopback(&google);
    let tenant = host.for_tenant(Arc::new(MemoryStore::new()), None);
    // A nickname is taken in one store only.
    let ours = host.connect(connect_request(), None).await.unwrap().connection.id;
    let theirs = tenant.connect(connect_request(), None).await.unwrap().connection.id;
    for (host, own, other) in [(&host, &ours, &theirs), (&tenant, &theirs, &ours)] {
        let ids: Vec<_> = host.connections().await.unwrap().into_iter().map(|one| one.id).collect();
        assert_eq!(ids, [own.as_str()]);
        assert_eq!(host.connection(own).await.unwrap().id, *own);
        assert_eq!(refused(host.connection(other).await).kind, ErrorKind::ConnectionNotFound);
    }
}

/// A source of the tokens of one tenant.
struct Vault(&'static str);

impl AccessTokens for Vault {
    fn token(&self, _: &str) -> Supplying {
        let token: Pin<Box<_>> = Box::pin(std::future::ready(AccessToken::parse(self.0)));
        token
    }
}

#[tokio::test]
async fn the_tokens_of_a_tenant_are_sent_for_no_other() {
    const API: &str = "cloudfunctions.googleapis.com";
    let google = Google::start(|_| json_response(200, &json!({}))).await;
    let first = builder().transport(live(&google)).warm_instances(WarmInstances::default());
    let first = first.access_tokens(Arc::new(Vault("token-of-the-first"))).build().unwrap();
    let none = first.for_tenant(Arc::new(MemoryStore::new()), None);
    let own = none.for_tenant(Arc::new(MemoryStore::new()), Some(Arc::new(Vault("token-of-another"))));
    let tenants = [(&first, Some("token-of-the-first")), (&none, None), (&own, Some("token-of-another"))];
    // A second round, in which each finds instances of its own that wait.
    for (host, token) in tenants.into_iter().chain(tenants) {
        let known = host.connections().await.unwrap().pop();
        let request = connect_request().project("demo-project").credential(Credential::InjectedToken(None));
        let id = match known {
            Some(connection) => connection.id,
            None => host.connect(request, None).await.unwrap().connection.id,
        };
        let before = google.seen_at(API).len();
        let path = "https://cloudfunctions.googleapis.com/v2/projects/demo-project/locations";
        let answer = host.custom_api(&id, api_request("GET", path), None).await;
        let seen = google.seen_at(API).split_off(before);
        let sent: Vec<_> = seen.iter().map(|seen| seen.headers["authorization"].to_str().unwrap()).collect();
        assert_eq!(sent, token.map(|token| format!("Bearer {token}")).as_slice());
        if token.is_none() {
            assert_eq!(refused(answer).kind, ErrorKind::EgressDenied);
        }
    }
}

#[tokio::test]
async fn what_a_tape_brings_is_not_written_into_a_tenants_store() {
    let tape = Cassette::stub(Tape::read(cassette("invoke-gen1-200.json")).unwrap());
    let host = tape.insert(builder(), Arc::new(MemoryStore::new())).build().unwrap();
    let store = Arc::new(MemoryStore::new());
    let secrets: Arc<dyn SecretStore> = Arc::<MemoryStore>::clone(&store);
    let tenant = host.for_tenant(tape.over(secrets), None);
    let id = tenant.connect(connect_request(), None).await.unwrap().connection.id;
    assert_eq!(tenant.connection(&id).await.unwrap().id, id);
    assert_eq!(store.keys("").unwrap(), [""; 0]);
}

/// A network that answers once it may.
#[derive(Debug)]
struct Held {
    asked: AtomicU32,
    may: Arc<Semaphore>,
}

impl Transport for Held {
    fn send(&self, _: http::Request<Body>, _: Timeouts) -> Sending {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let may = Arc::clone(&self.may);
        Box::pin(async move {
            may.acquire().await.unwrap().forget();
            Ok(http::Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync()))
        })
    }
}

#[tokio::test]
async fn the_places_for_calls_are_those_of_all_tenants_together() {
    let held = Arc::new(Held { asked: AtomicU32::new(0), may: Arc::new(Semaphore::new(0)) });
    let transport: Arc<dyn Transport> = Arc::<Held>::clone(&held);
    let limits = Limits { calls: 1, ..Limits::default() };
    let host = builder().component_file(hostile()).limits(limits).transport(transport).build().unwrap();
    let tenant = host.for_tenant(Arc::new(MemoryStore::new()), None);
    let asked = async || {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        held.asked.load(Ordering::SeqCst)
    };
    let (one, other, ()) =
        tokio::join!(host.check("request 1", None, None), tenant.check("request 1", None, None), async {
            assert_eq!(asked().await, 1, "the other waits for the place");
            held.may.add_permits(1);
            assert_eq!(asked().await, 2);
            held.may.add_permits(1);
        });
    assert_eq!((one.unwrap(), other.unwrap()), (Vec::new(), Vec::new()));
}
