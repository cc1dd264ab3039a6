//! A host of few lines: a store's component as a store of this machine.
//!
//! It knows WASI and the contract, and nothing else of this project. Each call has an instance of its own.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use gcf_host::secrets::{Entry, Expected, Lease, SecretStore, StoreError};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use wasmtime::{
    Engine, Store,
    component::{Component, Linker, ResourceTable},
};
use wasmtime_wasi::{FsPerms, HostWallClock, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

mod bindings {
    wasmtime::component::bindgen!({
        inline: "
            package gcf:store-tests;
            world embedder { export gcf:connector/secret-store@0.1.0; }
        ",
        path: "../../wit",
        world: "gcf:store-tests/embedder",
    });
}

use crate::component;

use self::bindings::{
    EmbedderPre,
    exports::gcf::connector::secret_store::{self as wit, SignatureAlgorithm},
};

/// A host with a store.
pub(crate) struct Embedder {
    compiled: Compiled,
    environment: Vec<(String, String)>,
    folder: Option<PathBuf>,
    clock: Clock,
}

/// An engine, and a store's component in it.
#[derive(Clone)]
struct Compiled {
    engine: Engine,
    store: EmbedderPre<State>,
}

impl Compiled {
    fn new(component: &Path) -> Self {
        let engine = Engine::default();
        let component = Component::from_file(&engine, component).unwrap();
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker).unwrap();
        wasmtime_wasi_http::p2::add_only_http_to_linker_sync(&mut linker).unwrap();
        let store = EmbedderPre::new(linker.instantiate_pre(&component).unwrap()).unwrap();
        Self { engine, store }
    }
}

/// The hosts: each has an engine of its own, which compiles a component once.
static HOSTS: [Mutex<BTreeMap<&str, Compiled>>; 2] = [const { Mutex::new(BTreeMap::new()) }; 2];

impl Embedder {
    /// A store on the first host.
    pub(crate) fn new(name: &'static str, environment: &[(&str, &str)]) -> Self {
        Self::on(0, name, environment)
    }

    /// The same on the second host.
    pub(crate) fn elsewhere(name: &'static str, environment: &[(&str, &str)]) -> Self {
        Self::on(1, name, environment)
    }

    fn on(host: usize, name: &'static str, environment: &[(&str, &str)]) -> Self {
        let mut compiled = HOSTS[host].lock().unwrap();
        let compiled = compiled.entry(name).or_insert_with(|| Compiled::new(&component(name))).clone();
        let environment =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { compiled, environment, folder: None, clock: Clock::default() }
    }

    /// Mounts a folder at `/store`.
    pub(crate) fn with_folder(self, folder: &Path) -> Self {
        Self { folder: Some(folder.to_owned()), ..self }
    }

    /// Tells the time by a clock that can be moved on.
    pub(crate) fn with_clock(self, clock: &Clock) -> Self {
        Self { clock: clock.clone(), ..self }
    }

    fn call<T>(
        &self,
        ask: impl FnOnce(&wit::Guest, &mut Store<State>) -> wasmtime::Result<Result<T, wit::StoreError>>,
    ) -> Result<T, StoreError> {
        let mut wasi = WasiCtx::builder();
        wasi.wall_clock(self.clock.clone());
        for (name, value) in &self.environment {
            wasi.env(name, value);
        }
        if let Some(folder) = &self.folder {
            wasi.preopened_dir(folder, "/store", FsPerms::ReadWrite).unwrap();
        }
        let state = State {
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            hooks: Loopback,
            table: ResourceTable::new(),
        };
        let mut store = Store::new(&self.compiled.engine, state);
        let host = self.compiled.store.instantiate(&mut store).unwrap();
        let answer = ask(host.gcf_connector_secret_store(), &mut store).expect("no call ends in a trap");
        answer.map_err(Into::into)
    }
}

struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Loopback,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}

/// Sends to servers on loopback, without TLS, and leaves every timeout to the guest.
struct Loopback;

type Ending = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Exchange = Box<dyn Future<Output = Result<(http::Response<WasiBody>, Ending), Error>> + Send>;

impl WasiHttpHooks for Loopback {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Ending,
    ) -> Exchange {
        Box::new(async move {
            let authority = request.uri().authority().ok_or(Error::HttpRequestUriInvalid)?.to_string();
            let socket = TcpStream::connect(&authority).await.map_err(Error::Connect)?;
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(socket)).await?;
            tokio::spawn(connection);
            let (mut parts, body) = request.into_parts();
            parts.uri = parts.uri.path_and_query().map_or("/", |it| it.as_str()).parse().expect("it was one");
            let response = sender.send_request(http::Request::from_parts(parts, body)).await?;
            let ending: Ending = Box::new(std::future::ready(Ok(())));
            Ok((response.map(|body: Incoming| body.map_err(Error::from).boxed_unsync()), ending))
        })
    }
}

/// A clock that goes by itself, and can be moved on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock(Arc<AtomicU64>);

impl Clock {
    /// Moves the clock on.
    pub(crate) fn pass(&self, time: Duration) {
        self.0.fetch_add(time.as_millis().try_into().unwrap(), Ordering::SeqCst);
    }

    fn time(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
            + Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        self.time()
    }
}

impl gcf_host::clock::Clock for Clock {
    fn now(&self) -> Duration {
        self.time()
    }

    fn monotonic(&self) -> Duration {
        self.time()
    }
}

impl fmt::Debug for Embedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedder").finish_non_exhaustive()
    }
}

impl SecretStore for Embedder {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        let entry = self.call(|guest, store| guest.call_get(store, key))?;
        Ok(entry.map(|wit::Entry { value, version }| Entry { value, version }))
    }

    fn put(&self, key: &str, value: &str, expected: &Expected) -> Result<String, StoreError> {
        self.call(|guest, store| guest.call_put(store, key, value, &expected.into()))
    }

    fn delete(&self, key: &str, expected: &Expected) -> Result<(), StoreError> {
        self.call(|guest, store| guest.call_delete(store, key, &expected.into()))
    }

    fn keys(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.call(|guest, store| guest.call_keys(store, prefix))
    }

    fn acquire_lease(&self, name: &str, ttl: Duration) -> Result<Lease, StoreError> {
        let ttl = ttl.as_millis().try_into().unwrap();
        Ok(match self.call(|guest, store| guest.call_acquire_lease(store, name, ttl))? {
            wit::Lease::Granted(token) => Lease::Granted(token),
            wit::Lease::Held(rest) => Lease::Held(Duration::from_millis(rest)),
        })
    }

    fn release_lease(&self, name: &str, token: &str) -> Result<(), StoreError> {
        self.call(|guest, store| guest.call_release_lease(store, name, token))
    }

    fn sign(&self, key: &str, message: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.call(|guest, store| guest.call_sign(store, key, SignatureAlgorithm::Rs256, message))
    }
}

impl From<&Expected> for wit::Expected {
    fn from(expected: &Expected) -> Self {
        match expected {
            Expected::Anything => Self::Anything,
            Expected::Absent => Self::Absent,
            Expected::Version(version) => Self::Version(version.clone()),
        }
    }
}

impl From<wit::StoreError> for StoreError {
    fn from(error: wit::StoreError) -> Self {
        match error {
            wit::StoreError::VersionMismatch => Self::VersionMismatch,
            wit::StoreError::ReadOnly => Self::ReadOnly,
            wit::StoreError::Unsupported => Self::Unsupported,
            wit::StoreError::Unavailable(why) => Self::unavailable(why),
            wit::StoreError::Other(why) => Self::other(why),
        }
    }
}
