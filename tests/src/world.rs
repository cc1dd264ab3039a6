//! `fixtures/world.json` on the shipping component: what people and Google really send, and what is right then.

#[path = "../fixtures/world.rs"]
mod rows;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use gcf_host::{
    CallError, Host,
    clock::FrozenClock,
    wit::{
        Auth, Body, ConnectorError, Content, Credential, Function, FunctionRef, Header, NamedFunction, Query,
    },
};
use serde_json::{Map, Value, json};

use self::rows::{Call, Facts, Named, Row, add_sent, rows};
use crate::{
    bad_inputs::rows::{assert_none, kebab},
    fixtures::{
        DEMO_KEY, api_request, builder, connect_request, invoke_request, list_request, person, strict::Strict,
    },
};

/// 2026-03-01T12:00:00Z.
const NOW: u64 = 1_772_366_400;

#[tokio::test]
async fn every_row_comes_out_right() {
    let mut failed = Vec::new();
    for row in rows() {
        let id = row.id.clone();
        if let Err(error) = tokio::spawn(run(row)).await {
            failed.push((id, error.into_panic()));
        }
    }
    assert_none(&failed);
}

/// The counts are printed, for CI to show: the tests can be no better than their sources.
#[test]
fn most_rows_have_a_source_outside() {
    let mut kinds = BTreeMap::new();
    let rows = rows();
    for row in &rows {
        *kinds.entry(row.source.kind).or_insert(0) += 1;
    }
    let outside = rows.len() - kinds.get(&rows::Kind::Inferred).copied().unwrap_or_default();
    println!("world.json: {outside} of {} rows have a source outside: {kinds:?}", rows.len());
    assert!(outside * 4 >= rows.len() * 3, "{kinds:?}");
}

async fn run(row: Row) {
    let google = row.google(DEMO_KEY);
    let network = Strict::new(move |asked| google(asked, NOW));
    let clock = FrozenClock::at(Duration::from_secs(NOW));
    let host = builder().transport(Arc::new(network.clone())).clock(Arc::new(clock)).build().unwrap();
    let Some(outcome) = call(&host, &network, &row.call).await else { return };
    let mut facts = outcome.unwrap_or_else(|error| match error {
        CallError::Connector(error) => of_error(&error),
        other => panic!("a fault of the host: {other}"),
    });
    add_sent(&mut facts, &network.take());
    row.judge(&facts.into());
}

/// The facts of a call, or nothing where the command is called.
async fn call(host: &Host, network: &Strict, call: &Call) -> Option<Result<Facts, CallError>> {
    let connected = || async {
        let id = host.connect(connect_request(), None).await.unwrap().connection.id;
        network.take();
        id
    };
    Some(match call {
        Call::Command(_) => return None,
        Call::Connect(credential) => {
            let credential = Credential::GoogleJson(credential.text());
            let mut request = connect_request();
            request.credential = credential;
            let made = host.connect(request, None).await;
            made.map(|made| {
                let connection = made.connection;
                facts(json!({"account": connection.account, "kind": kebab(connection.kind), "project": connection.project}))
            })
        }
        Call::Finish(callback) => {
            let begun = host.authorize(person::authorize_request("GOCSPX-world")).await.unwrap();
            let callback = callback
                .replace("http://127.0.0.1:4711/callback", person::REDIRECT)
                .replace("{state}", &person::parameter(&begun, "state"));
            host.finish(&begun.id, &callback, None).await.map(|_| Map::new())
        }
        Call::List(request) => {
            let mut listed = list_request();
            listed.regions.clone_from(&request.regions);
            let request = listed;
            host.list_functions(&connected().await, request, None).await.map(|list| {
                let names: Vec<_> = list.functions.iter().map(|function| function.name.clone()).collect();
                let missing: Vec<_> = list.missing.iter().map(|part| part.region.clone()).collect();
                facts(json!({"functions": names, "missing": missing, "unreachable": list.unreachable}))
            })
        }
        Call::Get(named) => {
            host.get_function(&connected().await, reference(named), None).await.map(of_function)
        }
        Call::Check(named) => {
            host.check(&connected().await, Some(reference(named)), None).await.map(|findings| {
                let each = findings.iter().map(|f| (f.name.clone(), json!(kebab(f.verdict))));
                facts(json!({"verdicts": each.collect::<Map<_, _>>()}))
            })
        }
        Call::Invoke(given) => {
            let json = given.json.as_ref().map(|text| Body::Json(text.text()));
            let event = given.event.as_ref().map(|text| Body::CloudEvent(text.text()));
            let mut request = invoke_request(reference(&given.function));
            request.method = given.method.clone().unwrap_or_else(|| "POST".to_owned());
            request.path.clone_from(&given.path);
            request.query = given.query.clone().map(Query::Raw);
            request.headers = headers(&given.headers);
            request.body = json.or(event);
            request.auth = match given.auth.as_deref() {
                None | Some("id-token") => Auth::IdToken,
                Some("auto") => Auth::Auto,
                Some("none") => Auth::None,
                Some(other) => panic!("no such auth: {other}"),
            };
            request.audience.clone_from(&given.audience);
            host.invoke(&connected().await, request, None).await.map(|answer| {
                facts(json!({"status": answer.status, "url": answer.url, "audience": answer.audience,
                    "generation": kebab(answer.generation), "content": content(&answer.body)}))
            })
        }
        Call::CustomApi(given) => {
            let mut request = api_request(&given.method, &given.path);
            request.api.clone_from(&given.api);
            request.query = given.query.clone().map(Query::Raw);
            request.headers = headers(&given.headers);
            request.body = given.json.as_ref().map(|text| Body::Json(text.text()));
            let answer = host.custom_api(&connected().await, request, None).await;
            answer.map(|answer| facts(json!({"status": answer.status})))
        }
    })
}

fn headers(pairs: &[(String, String)]) -> Vec<Header> {
    pairs.iter().map(|(name, value)| Header { name: name.clone(), value: value.clone() }).collect()
}

fn reference(named: &Named) -> FunctionRef {
    match (&named.url, &named.name) {
        (Some(url), None) => FunctionRef::Url(url.clone()),
        (None, Some(name)) => {
            FunctionRef::Named(NamedFunction { name: name.clone(), region: named.region.clone() })
        }
        (Some(_), Some(_)) | (None, None) => panic!("a function has a name or a URL"),
    }
}

/// The kind of a content alone.
fn content(content: &Content) -> &'static str {
    match content {
        Content::Empty => "empty",
        Content::Json(_) => "json",
        Content::Text(_) => "text",
        Content::Bytes(_) => "bytes",
    }
}

fn of_function(function: Function) -> Facts {
    facts(json!({"name": function.name, "generation": kebab(function.generation), "state": function.state,
        "url": function.url, "runtime": function.runtime}))
}

fn of_error(error: &ConnectorError) -> Facts {
    let details: Map<_, _> = error.details.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    facts(
        json!({"error": kebab(error.kind), "origin": kebab(error.origin), "reason": error.reason, "link": error.link,
        "message": error.message, "fix": error.fix, "http-status": error.http_status, "details": details}),
    )
}

fn facts(value: Value) -> Facts {
    let Value::Object(facts) = value else { panic!("no facts: {value}") };
    facts
}
