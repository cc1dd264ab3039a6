//! A host of few lines, which knows WASI, and of this project the contract.
//!
//! `guest` has it run the conformance component; `direct` makes a store's component a store of this machine.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use gcf_host::secrets::SecretStore;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use wasmtime::{
    Engine, Store,
    component::{Component, InstancePre, Linker, ResourceTable},
};
use wasmtime_wasi::{FsPerms, HostWallClock, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

use crate::{component, guest, tls::Trusting};

/// A host, for a component of its own.
pub(crate) struct Embedder {
    compiled: Compiled,
    environment: Vec<(String, String)>,
    folder: Option<PathBuf>,
    clock: Clock,
    network: Option<Trusting>,
    store: Option<Arc<dyn SecretStore>>,
}

/// An engine, and a component in it.
#[derive(Clone)]
struct Compiled {
    engine: Engine,
    component: InstancePre<State>,
}

impl Compiled {
    fn new(component: &Path, change: impl FnOnce(&mut Linker<State>)) -> Self {
        let engine = Engine::default();
        let component = Component::from_file(&engine, component).unwrap();
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker).unwrap();
        wasmtime_wasi_http::p2::add_only_http_to_linker_sync(&mut linker).unwrap();
        guest::link(&mut linker);
        change(&mut linker);
        let component = linker.instantiate_pre(&component).unwrap();
        Self { engine, component }
    }
}

/// The hosts: each has an engine of its own, which compiles a component once.
static HOSTS: [Mutex<BTreeMap<&str, Compiled>>; 2] = [const { Mutex::new(BTreeMap::new()) }; 2];

impl Embedder {
    /// A component on the first host.
    pub(crate) fn new(name: &'static str, environment: &[(&str, &str)]) -> Self {
        Self::on(0, name, environment)
    }

    /// The same on the second host.
    pub(crate) fn elsewhere(name: &'static str, environment: &[(&str, &str)]) -> Self {
        Self::on(1, name, environment)
    }

    /// A component on a host of its own, which links something else than others do.
    pub(crate) fn changed(
        name: &'static str,
        environment: &[(&str, &str)],
        change: impl FnOnce(&mut Linker<State>),
    ) -> Self {
        Self::of(Compiled::new(&component(name), change), environment)
    }

    fn on(host: usize, name: &'static str, environment: &[(&str, &str)]) -> Self {
        let mut compiled = HOSTS[host].lock().unwrap();
        let compiled = compiled.entry(name).or_insert_with(|| Compiled::new(&component(name), |_| ()));
        Self::of(compiled.clone(), environment)
    }

    fn of(compiled: Compiled, environment: &[(&str, &str)]) -> Self {
        let environment =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { compiled, environment, folder: None, clock: Clock::default(), network: None, store: None }
    }

    /// Mounts a folder at `/store`.
    pub(crate) fn with_folder(self, folder: &Path) -> Self {
        Self { folder: Some(folder.to_owned()), ..self }
    }

    /// Tells the time by a clock that can be moved on.
    pub(crate) fn with_clock(self, clock: &Clock) -> Self {
        Self { clock: clock.clone(), ..self }
    }

    /// Answers the component's questions by a store of this process.
    pub(crate) fn with_store(self, store: Arc<dyn SecretStore>) -> Self {
        Self { store: Some(store), ..self }
    }

    /// Sends over TLS, to a server that stands in for all.
    pub(crate) fn with_network(self, network: Trusting) -> Self {
        Self { network: Some(network), ..self }
    }

    /// The surroundings of an instance, and the component to make it of.
    pub(crate) fn ready(&self) -> (Store<State>, &InstancePre<State>) {
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
            network: Network(self.network.clone()),
            table: ResourceTable::new(),
            store: self.store.clone(),
        };
        (Store::new(&self.compiled.engine, state), &self.compiled.component)
    }
}

/// The host's side of one instance.
pub(crate) struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    network: Network,
    table: ResourceTable,
    /// The store of this process that the component imports, if it does.
    pub(crate) store: Option<Arc<dyn SecretStore>>,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.network, table: &mut self.table, ctx: &mut self.http }
    }
}

/// Sends to servers on loopback, without TLS if nothing else is said, and leaves every timeout to the guest.
struct Network(Option<Trusting>);

pub(crate) type Ending = Box<dyn Future<Output = Result<(), Error>> + Send>;
pub(crate) type Exchange = Box<dyn Future<Output = Result<(http::Response<WasiBody>, Ending), Error>> + Send>;

impl WasiHttpHooks for Network {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Ending,
    ) -> Exchange {
        if let Some(trusting) = &self.0 {
            return trusting.send(request);
        }
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
