//! The clients beside the connector: bare hyper, reqwest, and the core without a sandbox.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use gcf_core::{
    actions::plan::rehearsal::Stage,
    base::{
        http::{Method, Request, Response, TransportError},
        ports::{Entry, Expected, Lease, Ports, StoreError},
        retry::{self, Class},
        secret::Secret,
    },
    google::request,
};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};

/// hyper with kept connections.
pub(crate) type Hyper = Client<HttpConnector, Full<Bytes>>;

/// A client of hyper's.
pub(crate) fn hyper() -> Hyper {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector)
}

/// Sends with hyper, and reads the whole answer.
pub(crate) async fn by_hyper(client: &Hyper, request: http::Request<Full<Bytes>>) -> Bytes {
    let answer = client.request(request).await.expect("an answer");
    assert_eq!(answer.status(), 200);
    answer.into_body().collect().await.expect("a body").to_bytes()
}

/// The core on this machine itself: no sandbox, no policy, no limits.
pub(crate) struct Native {
    client: Hyper,
    address: SocketAddr,
    store: RefCell<BTreeMap<String, (String, u64)>>,
    began: Instant,
}

/// The argument of the core's functions.
pub(crate) type OnStage<'a> = Stage<'a, Native>;

impl Native {
    /// With a server that stands for Google.
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { client: hyper(), address, store: RefCell::default(), began: Instant::now() }
    }

    fn translate(&self, request: &Request) -> http::Request<Full<Bytes>> {
        let method = match request.method() {
            Method::Get => http::Method::GET,
            Method::Post => http::Method::POST,
            Method::Put => http::Method::PUT,
            Method::Patch => http::Method::PATCH,
            Method::Delete => http::Method::DELETE,
            Method::Head => http::Method::HEAD,
            Method::Options => http::Method::OPTIONS,
        };
        let mut built = http::Request::builder()
            .method(method)
            .uri(format!("http://{}{}", self.address, request.path_and_query()))
            .header("host", request.host());
        for (name, value) in request.headers() {
            built = built.header(name, value);
        }
        for (name, value) in request::credentials(request) {
            built = built.header(name, value.reveal());
        }
        built.body(Full::new(Bytes::copy_from_slice(request.body()))).expect("a request")
    }
}

/// The body in one piece, copied once, as the component does.
async fn whole(mut body: Incoming) -> Result<Vec<u8>, TransportError> {
    let length = body.size_hint().exact().unwrap_or_default();
    let mut bytes = Vec::with_capacity(usize::try_from(length).expect("a length in memory"));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| TransportError::Broken(error.to_string()))?;
        bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
    }
    Ok(bytes)
}

impl Ports for Native {
    async fn send(
        &self,
        request: &mut Request,
        class: Class,
        _: Duration,
    ) -> Result<Response, TransportError> {
        let answer = self.client.request(self.translate(request)).await;
        let answer = answer.map_err(|error| TransportError::Broken(error.to_string()))?;
        let (parts, body) = answer.into_parts();
        retry::answered(request, class, parts.status.as_u16());
        let headers =
            parts.headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
        Ok(Response { status: parts.status.as_u16(), headers, body: whole(body).await? })
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn now(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970")
    }

    fn monotonic(&self) -> Duration {
        self.began.elapsed()
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        getrandom::fill(&mut bytes).expect("the system has randomness");
        bytes
    }

    fn secret_get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        let store = self.store.borrow();
        Ok(store.get(key).map(|(value, version)| Entry {
            value: Secret::new(value.clone()),
            version: version.to_string(),
        }))
    }

    fn secret_put(&self, key: &str, value: &str, _: Expected) -> Result<String, StoreError> {
        let mut store = self.store.borrow_mut();
        let version = store.get(key).map_or(1, |(_, version)| version + 1);
        store.insert(key.to_owned(), (value.to_owned(), version));
        Ok(version.to_string())
    }

    fn secret_delete(&self, key: &str, _: Expected) -> Result<(), StoreError> {
        self.store.borrow_mut().remove(key);
        Ok(())
    }

    fn secret_keys(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        Ok(self.store.borrow().keys().filter(|key| key.starts_with(prefix)).cloned().collect())
    }

    fn acquire_lease(&self, _: &str, _: Duration) -> Result<Lease, StoreError> {
        Ok(Lease::Granted("only one".to_owned()))
    }

    fn release_lease(&self, _: &str, _: &str) -> bool {
        true
    }

    fn sign(&self, _: &str, _: &[u8]) -> Result<Vec<u8>, StoreError> {
        Err(StoreError::Unsupported)
    }
}
