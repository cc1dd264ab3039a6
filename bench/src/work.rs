//! The work that is measured.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt as _, future::join_all, stream};
use gcf_core::{
    actions::{
        connections::{ConnectRequest as NativeConnect, connect as native_connect},
        functions::{invoke, list},
    },
    base::secret::Secret,
    google::{
        request::{body::Body, grammar::Query},
        which::FunctionRef as Which,
    },
    sign_in::credential::CredentialRequest,
};
use gcf_host::{
    Host, Limits, WarmInstances,
    transport::{Live, OriginMap, OriginRule, Transport},
    wit::{ConnectRequest, FunctionRef, InvokeRequest, ListRequest, PagesRequest},
};
use http_body_util::Full;
use serde::Deserialize;

use crate::{
    google::{FUNCTION, Google, KEY, PROJECT},
    machine::{Memory, Peak},
    measure::Readings,
    peers::{self, Hyper, Native, OnStage},
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
const BODY: usize = 256;
const LARGE: usize = 10 << 20;

/// All rows.
pub(crate) async fn all(options: &Options) -> Vec<Row> {
    let bench = Bench::new(options.component.as_deref()).await;
    let mut rows = Vec::new();
    let wanted = |name: &str| options.only.as_ref().is_none_or(|only| name.contains(only.as_str()));
    let share = |pieces: usize| (pieces / options.share).max(1);
    if wanted("Google itself") {
        rows.extend(bench.google(share(20_000)).await);
    }
    if wanted("invoke, one caller") {
        rows.extend(bench.invoke("invoke, one caller", share(1_000), BODY, "/").await);
    }
    if wanted("read a connection") {
        rows.extend(bench.connection(share(2_000)).await);
    }
    for (name, callers) in [("invoke, 64 at once", 64), ("invoke, 1,000 at once", 1_000)] {
        if wanted(name) {
            rows.extend(bench.at_once(name, callers, share(4_000).max(callers)).await);
        }
    }
    if wanted("10 MiB up and down") {
        rows.extend(bench.invoke("10 MiB up and down", share(10), LARGE, "/large").await);
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
    async fn new(component: Option<&Path>) -> Self {
        let google = Google::start(FUNCTIONS);
        let rules = google.origins().into_iter().map(|rule| OriginRule::parse(&rule).expect("a rule"));
        let live = Live::builder().map(OriginMap::new(rules).expect("rules")).build().expect("a transport");
        let limits = Limits { calls: 1_000, cpu: Duration::from_secs(60), ..Limits::default() };
        let live: Arc<dyn Transport> = Arc::new(live);
        let build = || {
            let host = Host::builder().transport(Arc::clone(&live)).limits(limits);
            match component {
                Some(component) => host.component_file(component),
                None => host,
            }
        };
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
        let native_connection = connect_native(&native).await;
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
        }
    }

    /// The most that the server can do, from four connections at once: it is not what is measured.
    async fn google(&self, pieces: usize) -> Vec<Row> {
        let mut readings = Readings::default();
        let body = Bytes::from(vec![b'x'; BODY]);
        let all = stream::iter(0..pieces).for_each_concurrent(16, |_| async {
            peers::by_hyper(&self.hyper, self.post("/", &body)).await;
        });
        readings.at_once(pieces, all).await;
        vec![row("Google itself, 16 callers", "hyper", &readings)]
    }

    async fn invoke(&self, work: &'static str, pieces: usize, size: usize, path: &str) -> Vec<Row> {
        let bytes = Bytes::from(vec![b'x'; size]);
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        let url = format!("http://{}{path}", self.google.address());
        let [mut connector, mut warm, mut native, mut reqwest, mut hyper] = <[Readings; 5]>::default();
        for _ in 0..=ROUNDS {
            let request = || self.request(path).text(text.as_str());
            connector
                .with(pieces, request, async |request| {
                    let answer = self.host.invoke(&self.connection, request, None).await;
                    assert_eq!(answer.expect("an answer").status, 200);
                })
                .await;
            warm.with(pieces, request, async |request| {
                let answer = self.warm.0.invoke(&self.warm.1, request, None).await;
                assert_eq!(answer.expect("an answer").status, 200);
            })
            .await;
            let request = || native_request(path, text.clone());
            native
                .with(pieces, request, async |request| {
                    let stage = OnStage::live(&self.native);
                    let answer = invoke::invoke(&stage, &self.native_connection, request, None).await;
                    assert_eq!(answer.expect("an answer").status, 200);
                })
                .await;
            reqwest
                .one_by_one(pieces, async || {
                    let request = self.reqwest.post(&url).header("host", FUNCTION);
                    let request = request.header("authorization", &self.token).body(bytes.clone());
                    let answer = request.send().await.expect("an answer");
                    assert_eq!(answer.status(), 200);
                    answer.bytes().await.expect("a body");
                })
                .await;
            hyper
                .one_by_one(pieces, async || {
                    peers::by_hyper(&self.hyper, self.post(path, &bytes)).await;
                })
                .await;
        }
        vec![
            row(work, CONNECTOR, &connector),
            row(work, WARM, &warm),
            row(work, "core, no sandbox", &native),
            row(work, "reqwest", &reqwest),
            row(work, "hyper", &hyper),
        ]
    }

    async fn connection(&self, pieces: usize) -> Vec<Row> {
        let [mut connector, mut warm] = <[Readings; 2]>::default();
        for _ in 0..=ROUNDS {
            connector
                .one_by_one(pieces, async || {
                    self.host.connection(&self.connection).await.expect("a connection");
                })
                .await;
            warm.one_by_one(pieces, async || {
                self.warm.0.connection(&self.warm.1).await.expect("a connection");
            })
            .await;
        }
        vec![row("read a connection", CONNECTOR, &connector), row("read a connection", WARM, &warm)]
    }

    async fn at_once(&self, work: &'static str, callers: usize, pieces: usize) -> Vec<Row> {
        let body = Bytes::from(vec![b'x'; BODY]);
        let url = format!("http://{}/", self.google.address());
        let [mut connector, mut reqwest] = <[Readings; 2]>::default();
        let mut memory = Memory::default();
        for round in 0..3 {
            let peak = (round == 0).then(Peak::watch);
            let all = async {
                for _ in 0..pieces / callers {
                    join_all((0..callers).map(|_| async {
                        let request = self.request("/").text("x".repeat(BODY));
                        let answer = self.host.invoke(&self.connection, request, None).await;
                        assert_eq!(answer.expect("an answer").status, 200);
                    }))
                    .await;
                }
            };
            connector.at_once(pieces / callers * callers, all).await;
            if let Some(peak) = peak {
                let Memory { own, shared } = peak.end();
                memory = Memory { own: own / callers as u64, shared: shared / callers as u64 };
            }
            let all = async {
                for _ in 0..pieces / callers {
                    join_all((0..callers).map(|_| async {
                        let request = self.reqwest.post(&url).header("host", FUNCTION);
                        let request = request.header("authorization", &self.token).body(body.clone());
                        let answer = request.send().await.expect("an answer");
                        answer.bytes().await.expect("a body");
                    }))
                    .await;
                }
            };
            reqwest.at_once(pieces / callers * callers, all).await;
        }
        let mut first = row(work, CONNECTOR, &connector);
        first.memory = Some(memory);
        vec![first, row(work, "reqwest", &reqwest)]
    }

    async fn list(&self, work: &'static str, size: u32, pieces: usize) -> Vec<Row> {
        let [mut connector, mut native, mut serde, mut hyper] = <[Readings; 4]>::default();
        // The first asks for pages that the server has yet to make.
        for round in 0..=ROUNDS {
            if round == 1 {
                (connector, native, serde, hyper) = Default::default();
            }
            connector
                .one_by_one(pieces, async || {
                    let request = ListRequest::default().page_size(size);
                    let list = self.host.list_functions(&self.connection, request, None).await;
                    assert_eq!(list.expect("a list").functions.len(), FUNCTIONS);
                })
                .await;
            native
                .one_by_one(pieces, async || {
                    let request = list::ListRequest { page_size: Some(size), ..list::ListRequest::default() };
                    let stage = OnStage::live(&self.native);
                    let list = list::list(&stage, &self.native_connection, request, None).await;
                    assert_eq!(list.expect("a list").functions.len(), FUNCTIONS);
                })
                .await;
            serde
                .one_by_one(pieces, async || {
                    let mut functions = Vec::new();
                    for body in self.pages(size).await {
                        let page: Page = serde_json::from_slice(&body).expect("a page");
                        functions.extend(page.functions);
                    }
                    assert_eq!(functions.len(), FUNCTIONS);
                })
                .await;
            hyper
                .one_by_one(pieces, async || {
                    self.pages(size).await;
                })
                .await;
        }
        vec![
            row(work, CONNECTOR, &connector),
            row(work, "core, no sandbox", &native),
            row(work, "hyper, whole bodies, serde with types", &serde),
            row(work, "hyper, not parsed", &hyper),
        ]
    }

    /// The pages, without a field mask: as clients that were made from Google's descriptions ask for them.
    async fn pages(&self, size: u32) -> Vec<Bytes> {
        let mut bodies = Vec::new();
        for page in 0..FUNCTIONS.div_ceil(size as usize) {
            let uri = format!(
                "http://{}/v2/projects/{PROJECT}/locations/-/functions?pageSize={size}&pageToken={page}",
                self.google.address()
            );
            let request = http::Request::get(uri)
                .header("host", "cloudfunctions.googleapis.com")
                .header("authorization", &self.token)
                .body(Full::default())
                .expect("a request");
            bodies.push(peers::by_hyper(&self.hyper, request).await);
        }
        bodies
    }

    async fn all_pages(&self, pieces: usize) -> Vec<Row> {
        let mut readings = Readings::default();
        for round in 0..=ROUNDS {
            if round == 1 {
                readings = Readings::default();
            }
            readings
                .one_by_one(pieces, async || {
                    let path = format!("https://cloudfunctions.googleapis.com/v2/projects/{PROJECT}/locations/-/functions?pageSize=1000");
                    let pages = self.host.all_pages(&self.connection, PagesRequest::get(path), None).await;
                    pages.expect("pages");
                })
                .await;
        }
        vec![row("all-pages 10,000 by 1,000", CONNECTOR, &readings)]
    }

    fn request(&self, path: &str) -> InvokeRequest {
        InvokeRequest::post(FunctionRef::Url(format!("https://{FUNCTION}{path}")))
    }

    fn post(&self, path: &str, body: &Bytes) -> http::Request<Full<Bytes>> {
        http::Request::post(format!("http://{}{path}", self.google.address()))
            .header("host", FUNCTION)
            .header("authorization", &self.token)
            .body(Full::new(body.clone()))
            .expect("a request")
    }
}

/// A page as programs with types read it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    functions: Vec<Function>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "what is measured is that it is read")]
struct Function {
    name: String,
    build_config: std::collections::BTreeMap<String, serde_json::Value>,
    service_config: std::collections::BTreeMap<String, serde_json::Value>,
    state: String,
    update_time: String,
    create_time: String,
    labels: std::collections::BTreeMap<String, String>,
    environment: String,
    url: String,
}

/// A connection of the core's own.
pub(crate) async fn connect_native(native: &Native) -> String {
    let request = NativeConnect {
        nickname: "bench".to_owned(),
        project: None,
        quota_project: None,
        region: None,
        credential: CredentialRequest::GoogleJson(Secret::new(KEY.to_owned())),
        subject_token: None,
        invoker: None,
        guard_rails: None,
    };
    native_connect(&OnStage::live(native), request, None).await.expect("a connection").0.id
}

/// Lists with the core alone, and returns how many there are.
pub(crate) async fn list_native(stage: &OnStage<'_>, connection: &str) -> usize {
    let request = list::ListRequest { page_size: Some(1_000), ..list::ListRequest::default() };
    list::list(stage, connection, request, None).await.expect("a list").functions.len()
}

fn native_request(path: &str, text: String) -> invoke::InvokeRequest {
    invoke::InvokeRequest {
        function: Which::Url(format!("https://{FUNCTION}{path}")),
        method: "POST".to_owned(),
        path: String::new(),
        query: Query::None,
        headers: Vec::new(),
        body: Some(Body::Text(text)),
        auth: invoke::Auth::IdToken,
        invoker: None,
        audience: None,
        authorization: None,
        serverless_authorization: false,
        idempotent: false,
        raise_for_status: false,
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
