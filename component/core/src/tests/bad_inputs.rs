//! `tests/fixtures/bad-inputs.json`, without a host. What it says of redirects of functions and of the token endpoint, of
//! functions' URLs and of repeats is run on the shipping component, and natively in `identified`, `invoke` and `repeats`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::json;

pub(super) use self::rows::kebab;
use self::rows::{Api, Area, Call, Met, Named, Redirect, Row, Verdict, assert_none, rows};
use super::{api_request, detail, gen2, one_request};
use crate::{
    actions::{
        api::{ApiRequest, custom_api},
        connections::ConnectRequest,
        functions::{
            get::get,
            list::{ListRequest, list},
        },
    },
    base::{
        error::{Error, Kind},
        http::{Response, TokenKind},
    },
    google::{request::grammar::Query, which::FunctionRef},
    testing::{World, access_token, block_on, canaries, connect, connect_request, json_answer},
};

#[path = "../../../../tests/fixtures/bad_inputs.rs"]
pub(super) mod rows;

#[test]
fn every_row_gets_its_verdict() {
    let mut failed = Vec::new();
    for row in rows() {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(&row))) {
            failed.push((row.id, panic));
        }
    }
    assert_none(&failed);
}

fn run(row: &Row) {
    match row.area {
        Area::Url | Area::Path | Area::Query | Area::Header | Area::ApiHeader | Area::Method => {
            row.requests().into_iter().for_each(|request| api(request, &row.expected()));
        }
        Area::ResourceName => name(&row.input(), &row.expected()),
        Area::Redirect => match row.input::<Redirect>().call {
            Call::CustomApi => redirect(&row.input(), row.expected()),
            Call::Connect | Call::Invoke => {}
        },
        Area::UrlAudience | Area::Retry => {}
    }
}

fn api(request: Api, expected: &Verdict) {
    let (world, id) = World::connected();
    world.respond(|_| json_answer(200, &json!({})));
    let (method, headers) = (request.method.clone(), request.headers());
    let request = ApiRequest {
        api: request.api,
        method: request.method,
        path: request.path.0,
        query: match request.query {
            None => Query::None,
            Some(rows::Query::Raw(text)) => Query::Raw(text),
            Some(rows::Query::Pairs(pairs)) => Query::Pairs(pairs),
        },
        headers: headers.clone(),
        body: None,
    };
    let outcome = block_on(custom_api(&world, &id, request, None));
    let (url, token) = match expected {
        Verdict::Refused { error, field } => return refused(&world, &outcome.unwrap_err(), error, field),
        Verdict::Sent { url, token } => (url, token),
    };
    assert_eq!((outcome.unwrap().status, world.urls().len()), (200, 1));
    let sent = &world.sent.borrow()[0];
    assert_eq!(&format!("https://{}{}", sent.host(), sent.path_and_query()), url);
    assert_eq!((sent.method().as_str(), &kebab(sent.token())), (method.as_str(), token));
    assert_eq!(sent.bearer().is_some(), sent.token() == TokenKind::AccessToken);
    for (name, value) in headers {
        assert!(sent.headers().contains(&(name.to_lowercase(), value)), "{:?}", sent.headers());
    }
}

fn refused(world: &World, error: &Error, kind: &str, field: &str) {
    assert_eq!((kebab(error.kind()).as_str(), detail(error, "field")), (kind, Some(field)), "{error}");
    assert!(error.fields().fix.is_some(), "{error}");
    assert!(world.urls().is_empty() && error.fields().trace.is_empty(), "{:?}", world.urls());
    world.forget_answers();
}

fn name(name: &Named, expected: &Verdict) {
    let (world, id) = World::connected();
    world.respond(|request| {
        let function = gen2("us-central1", "f");
        let list = request.url().split('?').next().is_some_and(|url| url.ends_with("/functions"));
        json_answer(200, &if list { json!({"functions": [function]}) } else { function })
    });
    let get = |function| block_on(get(&world, &id, function, None)).map(drop);
    let outcome = match name {
        Named::Project(project) => {
            world.then(access_token(canaries::FIRST));
            let request = ConnectRequest { project: Some(project.0.clone()), ..connect_request() };
            connect(&world, request).and_then(|(connection, _)| {
                world.begin_anew();
                block_on(list(&world, &connection.id, one_request(), None)).map(drop)
            })
        }
        Named::Location(region) => {
            let request = ListRequest { regions: vec![region.0.clone()], ..one_request() };
            block_on(list(&world, &id, request, None)).map(drop)
        }
        Named::Function(name) => {
            get(FunctionRef::Named { name: name.0.clone(), region: Some("us-central1".to_owned()) })
        }
        Named::FullName(name) => get(FunctionRef::Resource(name.0.clone())),
    };
    match expected {
        Verdict::Refused { error, field } => refused(&world, &outcome.unwrap_err(), error, field),
        Verdict::Sent { url, token } => {
            outcome.unwrap();
            let urls = world.urls();
            assert_eq!(urls[0].split('?').next(), Some(url.as_str()));
            assert_eq!(&kebab(world.sent.borrow()[0].token()), token);
        }
    }
}

fn redirect(answer: &Redirect, expected: Met) {
    let (world, id) = World::connected();
    let headers = answer.location.iter().map(|to| ("location".to_owned(), to.clone().into_bytes())).collect();
    world.then(Ok(Response { status: answer.status, headers, body: b"<html>".to_vec() }));
    let outcome = block_on(custom_api(&world, &id, api_request("GET", "/v2/projects/p/locations"), None));
    assert_eq!(world.urls().len(), 1);
    match expected {
        Met::Returned { status } => assert_eq!(outcome.unwrap().status, status),
        Met::Error { error: kind, origin, location } => {
            let error = outcome.unwrap_err();
            let fields = error.fields();
            assert_eq!((kebab(fields.kind), kebab(fields.origin)), (kind, origin));
            assert_eq!(fields.http_status, Some(answer.status));
            assert_eq!(detail(&error, "location"), location.as_deref());
            assert!(fields.fix.is_some() && !format!("{error:?}").contains("canary"), "{error:?}");
        }
    }
}

/// No host hands on a header that holds a control character, so this one is not in the table.
#[test]
fn a_location_cannot_write_to_a_terminal() {
    let (world, id) = World::connected();
    let headers = vec![("location".to_owned(), b"https://evil.com/\x1b[2J".to_vec())];
    world.then(Ok(Response { status: 302, headers, body: Vec::new() }));
    let request = api_request("GET", "/v2/projects/p/locations");
    let error = block_on(custom_api(&world, &id, request, None)).unwrap_err();
    assert_eq!(error.kind(), Kind::UnexpectedRedirect);
    assert!(!detail(&error, "location").unwrap().contains(char::is_control), "{error:?}");
}
