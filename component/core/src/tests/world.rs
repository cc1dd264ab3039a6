//! `tests/fixtures/world.json`, without a host. The rows of the command are run by its own tests.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gcf_google::Asked;
use serde_json::{Map, Value, json};

use self::rows::{Call, Facts, Named, Row, add_sent, rows};
use super::{
    api_request,
    bad_inputs::rows::{assert_none, kebab},
    invoke::request as invoke_request,
    oauth,
};
use crate::{
    actions::{
        api::{ApiRequest, custom_api},
        connections::{self, check},
        functions::{
            Function,
            get::get,
            invoke::{Auth, InvokeRequest, invoke},
            list::{ListRequest, list},
        },
    },
    base::{
        error::{Error, Result},
        http::{Request, Response},
        secret::Secret,
    },
    google::{
        request::{body::Body, grammar::Query},
        which::FunctionRef,
    },
    testing::{DEMO_KEY, NOW, World, block_on, connect, request_for},
};

#[path = "../../../../tests/fixtures/world.rs"]
mod rows;

#[test]
fn every_row_comes_out_right() {
    let rows = rows();
    assert!(rows.len() >= 10, "{} rows", rows.len());
    let mut failed = Vec::new();
    for row in rows {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(&row))) {
            failed.push((row.id, panic));
        }
    }
    assert_none(&failed);
}

fn run(row: &Row) {
    let world = World::new();
    let google = row.google(DEMO_KEY);
    world.respond(move |request| {
        let answer = google(&asked(request), NOW);
        let headers = answer.headers.into_iter().map(|(name, value)| (name, value.into_bytes())).collect();
        Ok(Response { status: answer.status, headers, body: answer.body })
    });
    let outcome = call(&world, &row.call);
    let Some(outcome) = outcome else { return };
    let mut facts = outcome.unwrap_or_else(|error| of_error(&error));
    let sent: Vec<Asked> = world.sent.borrow().iter().map(asked).collect();
    add_sent(&mut facts, &sent);
    row.judge(&facts.into());
}

/// A request as the host sends it: the bearer is a header there.
fn asked(request: &Request) -> Asked {
    let mut headers: Vec<(String, String)> = request.headers().to_vec();
    if let Some(bearer) = request.bearer()
        && !headers.iter().any(|(name, _)| name == "authorization")
    {
        headers.push(("authorization".to_owned(), format!("Bearer {}", bearer.reveal())));
    }
    Asked {
        method: request.method().as_str().to_owned(),
        url: format!("https://{}{}", request.host(), request.path_and_query()),
        headers,
        body: request.body().to_vec(),
    }
}

/// The facts of a call, or nothing where the command is called.
fn call(world: &World, call: &Call) -> Option<Result<Facts>> {
    Some(match call {
        Call::Command(_) => return None,
        Call::Connect(credential) => {
            let credential = connections::CredentialRequest::GoogleJson(Secret::new(credential.text()));
            connect(world, request_for(credential)).map(|(connection, _)| {
                facts(json!({"account": connection.account, "kind": kebab(connection.kind), "project": connection.project}))
            })
        }
        Call::Finish(callback) => {
            let begun = oauth::Begun::new(world, oauth::request());
            let state = begun.query.iter().find(|(name, _)| name == "state").unwrap().1.clone();
            let callback = callback.replace("{state}", &state);
            block_on(connections::finish(world, &begun.authorization.id, &callback, None)).map(|_| Map::new())
        }
        Call::List(request) => {
            let request = ListRequest { regions: request.regions.clone(), ..ListRequest::default() };
            block_on(list(world, &id(world), request, None)).map(|list| {
                let names: Vec<_> =
                    list.functions.iter().map(|function| function.id.name.to_string()).collect();
                let missing: Vec<_> = list.missing.iter().map(|part| part.region.clone()).collect();
                facts(json!({"functions": names, "missing": missing, "unreachable": list.unreachable}))
            })
        }
        Call::Get(named) => block_on(get(world, &id(world), reference(named), None)).map(of_function),
        Call::Check(named) => {
            block_on(check(world, &id(world), Some(reference(named)), None)).map(|findings| {
                let each =
                    findings.iter().map(|finding| (finding.name.to_owned(), json!(kebab(finding.verdict))));
                facts(json!({"verdicts": each.collect::<Map<_, _>>()}))
            })
        }
        Call::Invoke(given) => {
            let json = given.json.as_ref().map(|text| Body::Json(text.text()));
            let event = given.event.as_ref().map(|text| Body::CloudEvent(text.text()));
            let request = InvokeRequest {
                method: given.method.clone().unwrap_or_else(|| "POST".to_owned()),
                path: given.path.clone(),
                query: given.query.clone().map_or(Query::None, Query::Raw),
                headers: given.headers.clone(),
                body: json.or(event),
                auth: match given.auth.as_deref() {
                    None | Some("id-token") => Auth::IdToken,
                    Some("auto") => Auth::Auto,
                    Some("none") => Auth::None,
                    Some(other) => panic!("no such auth: {other}"),
                },
                audience: given.audience.clone(),
                ..invoke_request(reference(&given.function))
            };
            block_on(invoke(world, &id(world), request, None)).map(|answer| {
                facts(json!({"status": answer.status, "url": answer.url, "audience": answer.audience,
                    "generation": answer.generation.as_str(), "content": content(&answer.body)}))
            })
        }
        Call::CustomApi(given) => {
            let request = ApiRequest {
                api: given.api.clone(),
                query: given.query.clone().map_or(Query::None, Query::Raw),
                headers: given.headers.clone(),
                body: given.json.as_ref().map(|text| Body::Json(text.text())),
                ..api_request(&given.method, &given.path)
            };
            block_on(custom_api(world, &id(world), request, None))
                .map(|answer| facts(json!({"status": answer.status})))
        }
    })
}

/// The kind of a content alone.
fn content(content: &crate::base::content::Content) -> &'static str {
    use crate::base::content::Content;
    match content {
        Content::Empty => "empty",
        Content::Json(_) => "json",
        Content::Text(_) => "text",
        Content::Bytes(_) => "bytes",
    }
}

/// A connection; what that took is not the row's.
fn id(world: &World) -> String {
    let credential = connections::CredentialRequest::GoogleJson(Secret::new(DEMO_KEY.to_owned()));
    let (connection, _) = connect(world, request_for(credential)).unwrap();
    world.begin_anew();
    connection.id
}

fn reference(named: &Named) -> FunctionRef {
    match (&named.url, &named.name) {
        (Some(url), None) => FunctionRef::Url(url.clone()),
        (None, Some(name)) => FunctionRef::Named { name: name.clone(), region: named.region.clone() },
        (Some(_), Some(_)) | (None, None) => panic!("a function has a name or a URL"),
    }
}

fn of_function(function: Function) -> Facts {
    facts(
        json!({"name": function.id.name.to_string(), "generation": function.generation.as_str(), "state": function.state, "url": function.url,
        "runtime": function.runtime}),
    )
}

fn of_error(error: &Error) -> Facts {
    let fields = error.fields();
    let details: Map<_, _> =
        fields.details.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    facts(
        json!({"error": kebab(fields.kind), "origin": kebab(fields.origin), "reason": fields.reason, "link": fields.link,
        "message": fields.message, "fix": fields.fix, "http-status": fields.http_status, "details": details}),
    )
}

fn facts(value: Value) -> Facts {
    let Value::Object(facts) = value else { panic!("no facts: {value}") };
    facts
}
