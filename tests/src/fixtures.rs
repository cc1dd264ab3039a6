//! The fixtures of every test: the built component, hosts over it, and a Google on loopback.

pub(crate) mod google;
pub(crate) mod person;
pub(crate) mod played;
pub(crate) mod scripted;
pub(crate) mod silent;
pub(crate) mod strict;
pub(crate) mod watched;
pub(crate) mod world;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use gcf_host::{
    Host, HostBuilder,
    secrets::{MemoryStore, SecretStore},
    transport::{Live, OriginMap, OriginRule, Transport},
    wit::{ApiRequest, ConnectRequest, FunctionRef, InvokeRequest, ListRequest, NamedFunction, PagesRequest},
};

use self::played::Played;

/// A key made for tests, of an account that does not exist.
pub(crate) const DEMO_KEY: &str = include_str!("../fixtures/demo-key.json");

/// The service account of [`DEMO_KEY`].
pub(crate) const ACCOUNT: &str = "gcf-demo@demo-project.iam.gserviceaccount.com";

/// The folder that cargo builds into: two above this binary.
pub(crate) fn target() -> PathBuf {
    let binary = std::env::current_exe().expect("a test binary knows where it is");
    binary.ancestors().nth(3).expect("test binaries are in target/PROFILE/deps").to_owned()
}

pub(crate) fn component() -> PathBuf {
    let path =
        std::env::var_os("GCF_COMPONENT").map_or_else(|| target().join("gcf-connector.wasm"), PathBuf::from);
    assert!(
        path.exists(),
        "there is no {}: run the tests by `cargo xtask test`, which builds it",
        path.display()
    );
    path
}

/// The component that misbehaves on request.
pub(crate) fn hostile() -> PathBuf {
    let path = target().join("gcf-hostile-guest.wasm");
    assert!(
        path.exists(),
        "there is no {}: run the tests by `cargo xtask test`, which builds it",
        path.display()
    );
    path
}

pub(crate) fn cassette(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cassettes").join(name)
}

/// The names of all cassettes, sorted.
pub(crate) fn cassettes() -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(cassette(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".json"))
        .collect();
    names.sort();
    names
}

/// A host whose component is compiled once for all tests of a run.
pub(crate) fn builder() -> HostBuilder {
    Host::builder().component_file(component()).cache_dir(Some(target().join("tmp").join("cwasm")))
}

/// A host on a tape.
pub(crate) fn on_tape(name: &str) -> (Host, Played) {
    let replay = Played::open(name);
    let (clock, random) = (Arc::new(replay.tape().clock()), Arc::new(replay.tape().random()));
    let host = builder().transport(replay.transport()).clock(clock).random(random).build().unwrap();
    (host, replay)
}

/// A host on a tape, with a connection; the tape begins with its token.
pub(crate) async fn connected(name: &str) -> (Host, Played, String) {
    let (host, replay) = on_tape(name);
    let connection = host.connect(connect_request(), None).await.unwrap().connection;
    (host, replay, connection.id)
}

/// A sender that reaches a loopback Google in place of the real one.
pub(crate) fn live(google: &google::Google) -> Arc<dyn Transport> {
    let rules = google.origins().map(|rule| rule.parse::<OriginRule>().unwrap());
    Arc::new(Live::builder().map(OriginMap::new(rules).unwrap()).build().unwrap())
}

pub(crate) fn on_loopback(google: &google::Google) -> (Host, Arc<MemoryStore>) {
    let store = Arc::new(MemoryStore::new());
    let secrets: Arc<dyn SecretStore> = Arc::<MemoryStore>::clone(&store);
    (builder().transport(live(google)).secrets(secrets).build().unwrap(), store)
}

pub(crate) fn connect_request() -> ConnectRequest {
    ConnectRequest::google_json("demo", DEMO_KEY)
}

pub(crate) fn list_request() -> ListRequest {
    ListRequest::default()
}

pub(crate) fn named(name: &str, region: Option<&str>) -> FunctionRef {
    FunctionRef::Named(NamedFunction { name: name.to_owned(), region: region.map(str::to_owned) })
}

pub(crate) fn invoke_request(function: FunctionRef) -> InvokeRequest {
    InvokeRequest::post(function)
}

pub(crate) fn api_request(method: &str, path: &str) -> ApiRequest {
    ApiRequest::new(method, path)
}

/// Every page of a list.
pub(crate) fn pages_request(path: &str) -> PagesRequest {
    PagesRequest::get(path)
}

/// The connector's own error; anything else is a fault of the host.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(
    result: Result<T, gcf_host::CallError>,
) -> gcf_host::wit::ConnectorError {
    match result {
        Err(gcf_host::CallError::Connector(error)) => *error,
        other => panic!("expected an error of the connector, got {other:?}"),
    }
}

pub(crate) fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
