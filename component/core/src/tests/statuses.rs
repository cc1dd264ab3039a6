//! Every status that can come, for every action that reads one.

use std::{cell::Cell, rc::Rc};

use test_case::test_case;

use super::{
    api_request,
    invoke::{call, request},
    one_request,
};
use crate::{
    actions::{
        api::{PagesRequest, all_pages, custom_api},
        connections::{self, Verdict},
        functions::{get::get, list::list},
    },
    base::{
        error::{Error, Kind, Origin},
        http::{Response, TokenKind},
    },
    google::which::FunctionRef,
    testing::{World, access_token, block_on, canaries},
};

/// The body that every API answers with.
const BODY: &str = r#"{"services": [], "functions": []}"#;

/// A world in which all is well with tokens, and each API and each function answers with the status in the cell.
fn world() -> (World, String, Rc<Cell<u16>>) {
    let (world, id) = World::connected();
    let status = Rc::new(Cell::new(200));
    let answer = Rc::clone(&status);
    world.respond(move |request| match request.token() {
        TokenKind::Assertion => access_token(canaries::SECOND),
        TokenKind::None
        | TokenKind::AccessToken
        | TokenKind::IdToken
        | TokenKind::Grant
        | TokenKind::Injected => Ok(Response {
            status: answer.get(),
            headers: vec![
                ("content-type".to_owned(), b"application/json".to_vec()),
                ("location".to_owned(), b"https://elsewhere.example/".to_vec()),
            ],
            body: BODY.into(),
        }),
    });
    (world, id, status)
}

fn by_name() -> FunctionRef {
    FunctionRef::Named { name: "hello".to_owned(), region: Some("us-central1".to_owned()) }
}

fn ask(action: &str, world: &World, id: &str) -> Result<(), Error> {
    let path = "/v2/projects/p/locations/us-central1/functions";
    match action {
        "list" => block_on(list(world, id, one_request(), None)).map(drop),
        "get" => block_on(get(world, id, by_name(), None)).map(drop),
        "all-pages" => {
            let request = PagesRequest {
                request: api_request("GET", path),
                items: Some("functions".to_owned()),
                page_token: None,
                max_pages: None,
            };
            block_on(all_pages(world, id, request, None)).map(drop)
        }
        other => panic!("no such action: {other}"),
    }
}

/// The meaning of an API's status, by RFC 9110 and https://google.aip.dev/193.
fn meaning(status: u16) -> Kind {
    match status {
        300..=303 | 305..=399 => Kind::UnexpectedRedirect,
        401 => Kind::Unauthenticated,
        403 => Kind::Forbidden,
        404 => Kind::NotFound,
        429 => Kind::RateLimited,
        408 | 500..=999 => Kind::Unavailable,
        400..=499 => Kind::InvalidInput,
        _ => Kind::InvalidResponse,
    }
}

#[test_case("list")]
#[test_case("get")]
#[test_case("all-pages")]
fn an_answer_of_an_api_is_never_the_callers_mistake_unless_the_api_says_so(action: &str) {
    let (world, id, answer) = world();
    world.damaged();
    for status in (0..=999).filter(|status| *status != 200) {
        answer.set(status);
        let error = ask(action, &world, &id).unwrap_err();
        let fields = error.fields();
        let is_read_elsewhere = action == "get" && matches!(status, 403 | 404);
        assert!(is_read_elsewhere || fields.kind == meaning(status), "{action} {status}: {error:?}");
        assert_eq!(fields.http_status, Some(status), "{action} {status}: {error:?}");
        assert_eq!(fields.origin, Origin::GoogleApi, "{action} {status}: {error:?}");
        assert!(!format!("{error:?}").contains("nothing was sent"), "{action} {status}: {error:?}");
        assert!(!error.fields().trace.is_empty(), "{action} {status}: what was sent is said");
    }
}

#[test]
fn a_request_of_the_callers_own_gets_any_status_as_it_is() {
    for path in ["/v2/projects/p/locations", "https://hello-abc123-uc.a.run.app/"] {
        let (world, id, answer) = world();
        world.damaged();
        for status in 0..=999 {
            answer.set(status);
            let outcome = block_on(custom_api(&world, &id, api_request("GET", path), None));
            let is_api = path.starts_with('/');
            match status {
                0..200 => assert_no_answer(&outcome.unwrap_err(), status, is_api),
                300..=303 | 305..=399 if is_api => {
                    assert_eq!(outcome.unwrap_err().kind(), Kind::UnexpectedRedirect, "{status}");
                }
                _ => assert_eq!(outcome.unwrap().status, status, "{path}"),
            }
        }
    }
}

#[test]
fn a_function_may_answer_with_any_status() {
    let (world, id, answer) = world();
    for status in 0..=999 {
        answer.set(status);
        let url = FunctionRef::Url("https://hello-abc123-uc.a.run.app".to_owned());
        let mut request = request(url);
        request.auth = crate::actions::functions::invoke::Auth::None;
        let outcome = call(&world, &id, request);
        match status {
            0..200 => assert_no_answer(&outcome.unwrap_err(), status, false),
            _ => assert_eq!(outcome.unwrap().status, status),
        }
    }
}

fn assert_no_answer(error: &Error, status: u16, is_api: bool) {
    let fields = error.fields();
    let origin = if is_api { Origin::GoogleApi } else { Origin::Function };
    assert_eq!((fields.kind, fields.origin), (Kind::InvalidResponse, origin), "{error:?}");
    assert_eq!(fields.http_status, Some(status));
    assert!(
        error.fields().fix.as_ref().is_some_and(|fix| fix.contains("may have been processed")),
        "{error:?}"
    );
}

#[test]
fn the_doctor_passes_what_is_answered_with_200_and_nothing_else() {
    let (world, id, answer) = world();
    world.damaged();
    for status in (100..=999).filter(|status| *status != 200) {
        answer.set(status);
        let findings = block_on(connections::check(&world, &id, None, None)).unwrap();
        let passed: Vec<_> = findings
            .iter()
            .filter(|finding| finding.verdict == Verdict::Pass)
            .map(|finding| finding.name)
            .collect();
        assert_eq!(passed, ["token"], "{status}");
    }
}

#[test]
fn what_is_not_unpacked_is_said() {
    for coding in ["br", "zstd", "gzip"] {
        let (world, id) = World::connected();
        world.respond(move |_| {
            let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
            let headers = vec![
                header("content-type", "application/json"),
                header("content-encoding", coding),
                header("content-length", "9"),
            ];
            Ok(Response { status: 200, headers, body: b"plain {9}".to_vec() })
        });
        let error = ask("list", &world, &id).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidResponse);
        assert!(error.fields().message.contains(&format!("said to be in {coding}, ")), "{error:?}");

        let url = FunctionRef::Url("https://hello-abc123-uc.a.run.app".to_owned());
        let mut request = request(url);
        request.auth = crate::actions::functions::invoke::Auth::None;
        let diagnosis = call(&world, &id, request).unwrap().diagnosis.unwrap();
        assert!(diagnosis.contains(&format!("said to be in {coding}, ")), "{diagnosis}");
    }
}
