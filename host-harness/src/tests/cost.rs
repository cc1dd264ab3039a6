//! The cost of the calls that are made most, in what no machine and no neighbour changes: the instructions of the guest,
//! and the crossings between guest and host.
//!
//! An engine that counts compiles the component anew, in a minute or so; after that it is in the cache of the tests. So CI
//! asks for it by name:
//!
//! ```text
//! cargo xtask test --package gcf-host --lib -- --ignored cost
//! ```

use std::{collections::BTreeMap, fs, path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use gcf_google::Key;
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use wasmtime::{
    Engine, Store,
    component::{Instance, Linker},
};

use crate::{
    clock::{FrozenClock, SeededRandom},
    contract::{
        bindings::exports::{api, connections, functions},
        wit::{
            ApiPages, ApiRequest, ApiResponse, ConnectRequest, Connected, Connection, ConnectorError,
            FunctionList, FunctionRef, Invocation, InvokeRequest, ListRequest, PagesRequest,
        },
    },
    egress::EgressPolicy,
    embedded::CONNECTOR,
    limits::Limits,
    outgoing::budget::RequestBudget,
    sandbox::{
        Sandbox, compiled, engine::settings::settings, exports::Exports, secret_store::Secrets, state,
    },
    secrets::{MemoryStore, visible::Scope},
    transport::{Body, Sending, Timeouts, Transport},
};

const KEY: &str = include_str!("../../../tests/fixtures/demo-key.json");
const WRITTEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/cost.json");
const NOW: Duration = Duration::from_secs(1_772_366_400);
const FUNCTION: &str = "https://hello-abc123-uc.a.run.app/";

/// The compiler by which the numbers are written down: another one makes other instructions.
const COMPILER: &[u8] = b"1.95.";

type Answer<T> = Result<T, ConnectorError>;

/// Without a deadline.
const NONE: Option<u32> = None;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cost {
    instructions: u64,
    to_host: u64,
    to_guest: u64,
}

#[tokio::test]
#[ignore = "compiles the component anew, a minute of processor time: CI asks for it by name"]
async fn the_hottest_paths_cost_no_more_than_is_written_down() {
    let bench = Bench::new();
    let id = bench.connect().await;
    let mut costs = BTreeMap::new();
    let exports = &bench.sandbox.exports;
    macro_rules! cost {
        ($name:literal, $function:literal($($argument:expr),*) -> $answer:ty) => {
            // The first finds no token and no name: what is counted is the warm call.
            for _ in 0..2 {
                let (answer, cost) = bench
                    .run(&id, async |store, instance| {
                        let arguments = ($($argument,)*);
                        exports.call::<_, Answer<$answer>>(store, instance, $function, arguments).await
                    })
                    .await;
                drop(answer);
                costs.insert($name, cost);
            }
        };
    }
    let by_url = functions::InvokeRequest::from(
        InvokeRequest::post(FunctionRef::Url(FUNCTION.to_owned())).text("x".repeat(256)),
    );
    cost!("invoke by URL", "functions.invoke"(id.as_str(), &by_url, NONE) -> Invocation);
    let by_name = functions::InvokeRequest::from(
        InvokeRequest::post(FunctionRef::in_region("f-0000", "us-central1")).text("x"),
    );
    cost!("invoke by name", "functions.invoke"(id.as_str(), &by_name, NONE) -> Invocation);
    cost!("read a connection", "connections.get"(id.as_str()) -> Connection);
    let list = functions::ListRequest::from(ListRequest::default());
    cost!("list 1,000", "functions.list"(id.as_str(), &list, NONE) -> FunctionList);
    let path = "https://cloudfunctions.googleapis.com/v2/projects/demo-project/locations/-/functions";
    let pages = api::PagesRequest::from(PagesRequest::get(path));
    cost!("all pages of 1,000", "api.all-pages"(id.as_str(), &pages, NONE) -> ApiPages);
    let request = api::ApiRequest::from(ApiRequest::new("GET", path));
    cost!("custom API", "api.custom-api"(id.as_str(), &request, NONE) -> ApiResponse);
    compare(&costs);
}

/// Three in a hundred more instructions, and not one crossing more.
fn compare(costs: &BTreeMap<&str, Cost>) {
    let now = json!(
        costs
            .iter()
            .map(|(name, cost)| {
                let Cost { instructions, to_host, to_guest } = cost;
                let cost = json!({"instructions": instructions, "to-host": to_host, "to-guest": to_guest});
                ((*name).to_owned(), cost)
            })
            .collect::<serde_json::Map<_, _>>()
    );
    if std::env::var_os("GCF_WRITE_COST").is_some() {
        let text = serde_json::to_string_pretty(&now).unwrap();
        fs::write(WRITTEN, text + "\n").unwrap();
        return;
    }
    let written: Value = serde_json::from_slice(&fs::read(WRITTEN).unwrap()).unwrap();
    let same_compiler = CONNECTOR.windows(COMPILER.len()).any(|bytes| bytes == COMPILER);
    let bound = if same_compiler { 1.03 } else { 1.25 };
    for (name, cost) in costs {
        let number = |field: &str| written[name][field].as_u64().unwrap_or_else(|| panic!("{name}: {field}"));
        let instructions = cost.instructions as f64 / number("instructions") as f64;
        assert!(
            instructions <= bound && cost.to_host <= number("to-host") && cost.to_guest <= number("to-guest"),
            "{name} costs more: {cost:?} now, {} before; if it is worth it, GCF_WRITE_COST=1 writes it down",
            written[name],
        );
    }
    assert_eq!(written.as_object().unwrap().len(), costs.len(), "{WRITTEN} has others");
}

struct Bench {
    sandbox: Sandbox,
    policy: Arc<EgressPolicy>,
}

impl Bench {
    fn new() -> Self {
        let mut settings = settings();
        settings.consume_fuel(true);
        let engine = Engine::new(&settings).unwrap();
        let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tmp/cwasm");
        let (component, _) = compiled::component(&engine, CONNECTOR, Some(&cache)).unwrap();
        let mut linker = Linker::new(&engine);
        state::link(&mut linker).unwrap();
        let exports = Exports::find(linker.instantiate_pre(&component).unwrap()).unwrap();
        let limits = Limits { cpu: Duration::from_secs(600), ..Limits::default() };
        let sandbox = Sandbox {
            exports: Arc::new(exports),
            limits,
            secrets: Secrets::new(Arc::new(MemoryStore::default()), true),
            tokens: None,
            transport: Arc::new(Google::new()),
            clock: Arc::new(FrozenClock::at(NOW)),
            random: Arc::new(SeededRandom::new(1)),
            observer: None,
            warm: None,
        };
        Self { sandbox, policy: Arc::new(EgressPolicy::shipping()) }
    }

    async fn connect(&self) -> String {
        let request = connections::ConnectRequest::from(ConnectRequest::google_json("cost", KEY));
        let exports = &self.sandbox.exports;
        let (connected, _) = self
            .call(Scope::connect(), async |store, instance| {
                let arguments = (&request, None::<u32>);
                exports.call::<_, Answer<Connected>>(store, instance, "connections.connect", arguments).await
            })
            .await;
        connected.connection.id
    }

    async fn run<T>(
        &self,
        id: &str,
        call: impl AsyncFnOnce(&mut Store<state::State>, &Instance) -> wasmtime::Result<Answer<T>>,
    ) -> (T, Cost) {
        self.call(Scope::connection(id), call).await
    }

    async fn call<T>(
        &self,
        scope: Scope,
        call: impl AsyncFnOnce(&mut Store<state::State>, &Instance) -> wasmtime::Result<Answer<T>>,
    ) -> (T, Cost) {
        let budget = Arc::new(RequestBudget::new(100));
        let policy = Arc::clone(&self.policy);
        let counted = async |store: &mut Store<state::State>, instance: &Instance| {
            let answer = call(&mut *store, instance).await?;
            let crossings = store.data().crossings;
            let instructions = u64::MAX - store.get_fuel()?;
            let cost = Cost { instructions, to_host: crossings.to_host, to_guest: crossings.to_guest };
            Ok(answer.map(|answer| (answer, cost)))
        };
        self.sandbox.run(scope, policy, budget, Duration::from_secs(600), counted).await.unwrap().unwrap()
    }
}

/// Answers at once, out of memory.
#[derive(Debug)]
struct Google {
    id_token: String,
    page: Bytes,
    function: Bytes,
}

impl Google {
    fn new() -> Self {
        let audience = FUNCTION.trim_end_matches('/');
        let account = "gcf-demo@demo-project.iam.gserviceaccount.com";
        let claims = json!({"aud": audience, "azp": account, "email": account, "sub": "1"});
        let functions: Vec<Value> = (0..1_000).map(function).collect();
        Self {
            id_token: Key::read(KEY).mint(&claims, NOW.as_secs()),
            page: json!({"functions": functions}).to_string().into(),
            function: functions[0].to_string().into(),
        }
    }
}

/// A function of the 2nd gen, with the fields that the connector asks for
/// (<https://cloud.google.com/functions/docs/reference/rest/v2/projects.locations.functions>).
fn function(n: usize) -> Value {
    let name = format!("f-{n:04}");
    json!({
        "name": format!("projects/demo-project/locations/us-central1/functions/{name}"),
        "environment": "GEN_2",
        "state": "ACTIVE",
        "url": format!("https://us-central1-demo-project.cloudfunctions.net/{name}"),
        "updateTime": "2026-02-23T08:01:12.345678901Z",
        "labels": {"deployment-tool": "cli-gcloud"},
        "buildConfig": {"runtime": "nodejs20", "entryPoint": "helloHttp"},
        "serviceConfig": {
            "service": format!("projects/demo-project/locations/us-central1/services/{name}"),
            "uri": FUNCTION.trim_end_matches('/'),
            "timeoutSeconds": 60,
            "ingressSettings": "ALLOW_ALL",
            "serviceAccountEmail": "123456789012-compute@developer.gserviceaccount.com",
        },
    })
}

impl Transport for Google {
    fn send(&self, request: http::Request<Body>, _: Timeouts) -> Sending {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let path = request.uri().path().to_owned();
        let (id_token, page, function) = (self.id_token.clone(), self.page.clone(), self.function.clone());
        Box::pin(async move {
            let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            let answer = match host.as_str() {
                "oauth2.googleapis.com" => {
                    let form = String::from_utf8_lossy(&body);
                    let assertion = form.split_once("assertion=").map_or("", |(_, assertion)| assertion);
                    let claims = Key::read(KEY).claims(assertion).unwrap_or_default();
                    if claims.get("target_audience").is_some() {
                        json!({"id_token": id_token}).to_string().into()
                    } else {
                        json!({"access_token": "ya29.c.cost", "expires_in": 3599, "token_type": "Bearer"})
                            .to_string()
                            .into()
                    }
                }
                "cloudfunctions.googleapis.com" if path.ends_with("/functions") => page,
                "cloudfunctions.googleapis.com" => function,
                "run.googleapis.com" => {
                    json!({"apiVersion": "serving.knative.dev/v1", "kind": "ServiceList", "metadata": {}})
                        .to_string()
                        .into()
                }
                _ => Bytes::from_static(b"{\"ok\":true}"),
            };
            let body = Full::new(answer).map_err(|never| match never {}).boxed_unsync();
            let response = http::Response::builder().header("content-type", "application/json").body(body);
            Ok(response.expect("a response"))
        })
    }
}
