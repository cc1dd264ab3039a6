//! `fixtures/bad-inputs.json` on the shipping component: bad inputs, on a host that must not send anything;
//! good ones, and those that are bad only once they come from Google, on a host that notes what was sent.

mod functions;
mod redirects;
mod repeats;
#[path = "../fixtures/bad_inputs.rs"]
pub(crate) mod rows;

use std::sync::Arc;

use gcf_host::{
    Host,
    wit::{ApiRequest, ConnectorError, FunctionRef, Header, ListRequest, Query},
};
use serde_json::json;

pub(super) use self::rows::kebab;
use self::rows::{Api, Area, Named, Row, Verdict, assert_none, rows};
use crate::fixtures::{
    builder, connect_request,
    google::access_token,
    list_request, named, pages_request, refused,
    scripted::{Answer, Scripted, Sent as Asked, grant},
    silent::silent,
    watched::{Noting, Sent},
};

/// A host, the requests that it was seen to send, and a connection.
#[derive(Clone)]
struct Stage {
    host: Host,
    network: Noting,
    id: String,
}

impl Stage {
    /// A stage with a Google that grants tokens, and answers everything else as it is told.
    async fn new<A: Into<Answer>>(answer: impl Fn(&Asked) -> A + Send + Sync + 'static) -> Self {
        let network = Noting::before(Arc::new(Scripted::new(move |asked| {
            if asked.url == "https://oauth2.googleapis.com/token" {
                return (200, grant(asked)).into();
            }
            answer(asked).into()
        })));
        let host = builder().transport(Arc::new(network.clone())).build().unwrap();
        let id = host.connect(connect_request(), None).await.unwrap().connection.id;
        network.take();
        Self { host, network, id }
    }
}

/// The hosts on which a row of `custom-api` or `resource-name` is tried.
#[derive(Clone)]
struct Stages {
    /// A host that panics if anything is sent, and its connection.
    silent: (Host, String),
    open: Stage,
}

/// Runs each row in a task of its own, so that a row that fails, or makes the transport panic, does not hide
/// another.
async fn each<F: Future<Output = ()> + Send + 'static>(rows: Vec<Row>, run: impl Fn(Row) -> F) {
    let mut failed = Vec::new();
    for row in rows {
        let id = row.id.clone();
        if let Err(error) = tokio::spawn(run(row)).await {
            failed.push((id, error.into_panic()));
        }
    }
    assert_none(&failed);
}

fn repeats(row: &Row) -> bool {
    row.area == Area::Retry
}

#[tokio::test]
async fn every_row_gets_its_verdict() {
    let function =
        json!({"name": "projects/demo-project/locations/us-central1/functions/f", "state": "ACTIVE"});
    let stages = Stages {
        silent: silent(connect_request()).await,
        open: Stage::new(move |_| (200, function.clone())).await,
    };
    let rows = rows().into_iter().filter(|row| !repeats(row)).collect();
    each(rows, |row| run(row, stages.clone())).await;
}

/// The runtime's clock is paused, so that waiting takes no time.
#[tokio::test(start_paused = true)]
async fn every_row_about_repeats_gets_its_verdict() {
    each(rows().into_iter().filter(repeats).collect(), repeats::run).await;
}

async fn run(row: Row, stages: Stages) {
    match row.area {
        Area::Url | Area::Path | Area::Query | Area::Header | Area::ApiHeader | Area::Method => {
            for request in row.requests() {
                api(request, row.expected(), &stages).await;
            }
        }
        Area::ResourceName => name(row.input(), row.expected(), &stages).await,
        Area::UrlAudience => functions::run(row, &stages.silent).await,
        Area::Redirect => redirects::run(row).await,
        Area::Retry => repeats::run(row).await,
    }
}

fn detail<'a>(error: &'a ConnectorError, name: &str) -> Option<&'a str> {
    error.details.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}

/// Asserts that an input was refused before a byte was sent, which the transport would not have survived.
fn assert_refused(error: &ConnectorError, kind: &str, field: &str) {
    let found = (kebab(error.kind), detail(error, "field"));
    assert_eq!(found, (kind.to_owned(), Some(field)), "{}", error.message);
    assert!(error.fix.is_some() && error.trace.is_empty(), "{error:?}");
}

/// The credential that a request carries, in whichever header.
fn credential(sent: &Sent) -> Option<&str> {
    let header = |(name, _): &&(String, String)| name.contains("authorization");
    sent.headers.iter().find(header).map(|(_, value)| value.strip_prefix("Bearer ").unwrap())
}

/// A list that takes one request: Cloud Run knows no filter.
fn one_request() -> ListRequest {
    list_request().filter("environment=\"GEN_2\"")
}

async fn api(request: Api, expected: Verdict, stages: &Stages) {
    let (method, headers) = (request.method.clone(), request.headers());
    let each = |(name, value): &(String, String)| Header { name: name.clone(), value: value.clone() };
    let query = |query| match query {
        rows::Query::Raw(text) => Query::Raw(text),
        rows::Query::Pairs(pairs) => Query::Pairs(pairs),
    };
    let mut made = ApiRequest::new(request.method, request.path.0);
    made.api = request.api;
    made.query = request.query.map(query);
    made.headers = headers.iter().map(each).collect();
    let request = made;
    let (url, token) = match expected {
        Verdict::Refused { error, field } => {
            let (host, id) = &stages.silent;
            assert_refused(&refused(host.custom_api(id, request.clone(), None).await), &error, &field);
            let pages = pages_request("").request(request);
            return assert_refused(&refused(host.all_pages(id, pages, None).await), &error, &field);
        }
        Verdict::Sent { url, token } => (url, token),
    };
    let Stage { host, network, id } = &stages.open;
    let outcome = host.custom_api(id, request, None).await;
    let sent = network.take();
    let answer = outcome.unwrap();
    assert_eq!((answer.status, kebab(answer.token)), (200, token.clone()));
    let [sent] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!((&sent.method, &sent.url), (&method, &url));
    assert_eq!(credential(sent), (token == "access-token").then_some(access_token().as_str()));
    for (name, value) in headers {
        assert!(sent.headers.contains(&(name.to_lowercase(), value)), "{:?}", sent.headers);
    }
}

async fn name(name: Named, expected: Verdict, stages: &Stages) {
    let Stage { host, network, id } = &stages.open;
    match expected {
        Verdict::Refused { error, field } => {
            let (host, id) = &stages.silent;
            assert_refused(&refused(first_use(host, id, name, || ()).await), &error, &field);
        }
        Verdict::Sent { url, token } => {
            let forget = || drop(network.take());
            let outcome = first_use(host, id, name, forget).await;
            let sent = network.take();
            outcome.unwrap();
            assert_eq!(sent[0].url.split('?').next(), Some(url.as_str()));
            assert_eq!(
                (token.as_str(), credential(&sent[0])),
                ("access-token", Some(access_token().as_str()))
            );
        }
    }
}

/// Uses a name where it gets into a path; `forget` is called after the requests before that.
async fn first_use(
    host: &Host,
    id: &str,
    name: Named,
    forget: impl FnOnce(),
) -> Result<(), gcf_host::CallError> {
    match name {
        Named::Project(project) => {
            let request = connect_request().project(project.0);
            let made = host.connect(request, None).await?;
            forget();
            host.list_functions(&made.connection.id, one_request(), None).await.map(drop)
        }
        Named::Location(region) => {
            let request = one_request().regions([region.0]);
            host.list_functions(id, request, None).await.map(drop)
        }
        Named::Function(name) => {
            host.get_function(id, named(&name.0, Some("us-central1")), None).await.map(drop)
        }
        Named::FullName(name) => host.get_function(id, FunctionRef::Resource(name.0), None).await.map(drop),
    }
}
