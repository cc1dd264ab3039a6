//! The work that is measured.

mod calls;
mod growth;
mod lists;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use gcf_host::{
    Host, HostBuilder, Limits, WarmInstances,
    transport::{Live, OriginMap, OriginRule, Transport},
    wit::ConnectRequest,
};

use crate::{
    google::{Google, KEY},
    machine::Memory,
    measure::Readings,
    native,
    peers::{self, Hyper, Native},
    program,
};

/// The choice of work.
#[derive(Debug)]
pub(crate) struct Options {
    /// One of so many pieces is done.
    pub(crate) share: usize,
    /// In place of the component inside.
    pub(crate) component: Option<PathBuf>,
    /// Rows whose name contains this.
    pub(crate) only: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { share: 1, component: None, only: None }
    }
}

/// A row of the table: who did some work, and what it cost.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) work: &'static str,
    pub(crate) client: &'static str,
    /// Microseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) cpu: f64,
    /// Pieces in a second.
    pub(crate) rate: f64,
    /// The memory for each call at once.
    pub(crate) memory: Option<Memory>,
}

/// The client that everything is set in relation to.
pub(crate) const CONNECTOR: &str = "connector";

/// The same with instances that serve more than one call.
const WARM: &str = "connector, warm instances";

const FUNCTIONS: usize = 10_000;
const ROUNDS: usize = 5;
const BODY: usize = 1024;

/// All rows.
pub(crate) async fn all(options: &Options) -> Vec<Row> {
    let bench = Bench::new(options.component.clone()).await;
    let mut rows = Vec::new();
    let wanted = |name: &str| options.only.as_ref().is_none_or(|only| name.contains(only.as_str()));
    let share = |pieces: usize| (pieces / options.share).max(1);
    if wanted("Google itself") {
        rows.extend(bench.google(share(20_000)).await);
    }
    // First, for what others leave free would be memory that these need not ask for.
    for (name, callers, measures_memory) in
        [("invoke, 1,000 at once", 1_000, true), ("invoke, 64 at once", 64, false)]
    {
        if wanted(name) {
            rows.extend(bench.at_once(name, callers, share(4_000).max(callers), measures_memory).await);
        }
    }
    for (name, pieces, size) in [
        ("invoke, one caller", 1_000, BODY),
        ("1 MiB up and down", 60, 1 << 20),
        ("10 MiB up and down", 10, 10 << 20),
    ] {
        if wanted(name) {
            rows.extend(bench.invoke(name, share(pieces), size).await);
        }
    }
    if wanted("invoke, from a tape") {
        rows.extend(bench.on_a_tape(share(2_000)).await);
    }
    if wanted("read a connection") {
        rows.extend(bench.connection(share(2_000)).await);
    }
    let of_many = ["read a connection, one of 1,000", "read a connection, all of 1,000"];
    if of_many.into_iter().any(wanted) {
        rows.extend(bench.connections(of_many, 1_000, share(4_000)).await);
    }
    let of_tenants = ["a host for each of 100 tenants", "read a connection, of 100 tenants in turn"];
    if of_tenants.into_iter().any(wanted) {
        rows.extend(bench.tenants(of_tenants, 100, share(10)).await);
    }
    for (name, pages) in [("list 10,000 by 100", 100), ("list 10,000 by 1,000", 1_000)] {
        if wanted(name) {
            rows.extend(bench.list(name, pages, share(2)).await);
        }
    }
    if wanted("all-pages 10,000") {
        rows.extend(bench.all_pages(share(2)).await);
    }
    if wanted("whole command") {
        rows.extend(program::rows(&bench.google, share(10)));
    }
    rows
}

struct Bench {
    google: Google,
    live: Arc<dyn Transport>,
    component: Option<PathBuf>,
    host: Host,
    connection: String,
    /// Another one, which keeps instances for further calls.
    warm: (Host, String),
    native: Native,
    native_connection: String,
    hyper: Hyper,
    reqwest: reqwest::Client,
    /// As long as the ID token that the connector sends.
    token: String,
}

impl Bench {
    async fn new(component: Option<PathBuf>) -> Self {
        let google = Google::start(FUNCTIONS);
        let rules = google.origins().into_iter().map(|rule| OriginRule::parse(&rule).expect("a rule"));
        let live = Live::builder().map(OriginMap::new(rules).expect("rules")).build().expect("a transport");
        let live: Arc<dyn Transport> = Arc::new(live);
        let build = || builder(&live, component.as_deref());
        let host = build().build().expect("a host");
        let warm = build().warm_instances(WarmInstances { calls: 10_000, ..WarmInstances::default() });
        let warm = warm.build().expect("a host");
        let connect = async |host: &Host| {
            let request = ConnectRequest::google_json("bench", KEY);
            host.connect(request, None).await.expect("a connection").connection.id
        };
        let connection = connect(&host).await;
        let warm = (warm.clone(), connect(&warm).await);
        let native = Native::new(google.address());
        let native_connection = native::connect(&native).await;
        Self {
            hyper: peers::hyper(),
            reqwest: reqwest::Client::builder().tcp_nodelay(true).build().expect("a client"),
            token: format!("Bearer {}", "t".repeat(1_000)),
            google,
            host,
            connection,
            warm,
            native,
            native_connection,
            live,
            component,
        }
    }

    fn builder(&self) -> HostBuilder {
        builder(&self.live, self.component.as_deref())
    }
}

fn builder(live: &Arc<dyn Transport>, component: Option<&Path>) -> HostBuilder {
    let limits = Limits { calls: 1_000, cpu: Duration::from_secs(60), ..Limits::default() };
    let host = Host::builder().transport(Arc::clone(live)).limits(limits);
    match component {
        Some(component) => host.component_file(component),
        None => host,
    }
}

fn row(work: &'static str, client: &'static str, readings: &Readings) -> Row {
    Row {
        work,
        client,
        p50: readings.percentile(0.5),
        p99: readings.percentile(0.99),
        cpu: readings.cpu(),
        rate: readings.per_second(),
        memory: None,
    }
}
