//! The decisions natively: a connector that is asked is a closure.

use std::cell::RefCell;

use gcf_front::{ACTIONS, Action, Answer, Failure, Given};
use gcf_front_web::{Gate, Head, Reply, Step};
use serde_json::{Value, json};

use crate::routes::{Call, decide};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const LIST: &str = "/gcf:connector/functions/list";

fn with_token() -> Gate {
    Gate::new(&[("GCF_FRONT_TOKEN".to_owned(), TOKEN.to_owned())])
}

/// A request: the headers that it has beside those that are in order, or in their place. One that is empty is left out.
struct Request<'a> {
    method: &'a str,
    target: &'a str,
    headers: &'a [(&'a str, &'a str)],
}

fn request(target: &str) -> Request<'_> {
    Request { method: "POST", target, headers: &[] }
}

impl Request<'_> {
    fn step(&self, gate: &Gate) -> Step<Call> {
        let authorization = format!("Bearer {TOKEN}");
        let usual = [("authorization", authorization.as_str()), ("content-type", "application/json")];
        let is_usual = |name: &str| !self.headers.iter().any(|(other, _)| *other == name);
        let usual = usual.iter().filter(|(name, _)| is_usual(name));
        let headers = usual.chain(self.headers).filter(|(_, value)| !value.is_empty());
        let headers: Vec<_> =
            headers.map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
        let head = Head { method: self.method, target: self.target, headers: &headers };
        decide(gate, &head, gcf_catalog::describe)
    }

    #[track_caller]
    fn done(&self, gate: &Gate) -> Reply {
        match self.step(gate) {
            Step::Done(reply) => reply,
            Step::Body(..) => panic!("{} {} waits for its body", self.method, self.target),
        }
    }
}

fn json_of(reply: &Reply) -> Value {
    serde_json::from_str(&reply.body).unwrap()
}

fn header<'r>(reply: &'r Reply, name: &str) -> Option<&'r str> {
    reply.headers.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
}

/// Answers a request with a body by a connector that is this closure.
#[track_caller]
fn answer(target: &str, body: &str, perform: impl Fn(&Action, Given<'_>) -> Answer) -> Reply {
    match request(target).step(&with_token()) {
        Step::Body(call, _) => call.answer(body.as_bytes(), perform),
        Step::Done(reply) => panic!("{target} is refused: {}", reply.body),
    }
}

#[test]
fn what_is_refused_is_refused_before_the_body_is_read() {
    let invoke = "/gcf:connector/functions/invoke";
    // 1 MiB; and in base64 the 32 MiB that a function takes, with half as much again.
    let length = |bytes: &'static str| [("content-length", bytes)];
    let (more, most) = ([length("1048577"), length("50331649")], [length("1048576"), length("50331648")]);
    let head = |target, headers| Request { method: "POST", target, headers };
    for (status, request) in [
        (401, head(LIST, &[("authorization", "")])),
        (404, request("/")),
        (404, request("/gcf:connector/functions")),
        (404, request("/gcf:connector/functions/lst")),
        (404, request("/gcf:connector/functions.list")),
        (404, request("/gcf:connector/secret-store/get")),
        (405, Request { method: "GET", ..request(LIST) }),
        (405, Request { method: "HEAD", ..request(LIST) }),
        (405, request("/healthz")),
        (405, request("/openapi.json")),
        (415, head(LIST, &[("content-type", "")])),
        (415, head(LIST, &[("content-type", "text/plain")])),
        (400, request("/gcf:connector/functions/list?conection=a")),
        (400, request("/gcf:connector/functions/list?connection=a&connection=b")),
        (400, request("/gcf:connector/functions/list?deadline-ms=soon")),
        (400, request("/gcf:connector/functions/list?deadline-ms=4294967296")),
        (413, head(LIST, &more[0])),
        (413, head(invoke, &more[1])),
    ] {
        let reply = request.done(&with_token());
        assert_eq!(reply.status, status, "{} {}: {}", request.method, request.target, reply.body);
        let error = json_of(&reply);
        assert!(error["kind"].is_string() && error["fix"].is_string(), "{error:#}");
        assert_eq!(header(&reply, "allow").is_some(), status == 405);
        assert_eq!(header(&reply, "www-authenticate").is_some(), status == 401);
    }
    for (limit, request) in [
        (1_048_576, head(LIST, &most[0])),
        (50_331_648, head(invoke, &most[1])),
        (1_048_576, head(LIST, &[("content-type", "Application/JSON; charset=utf-8")])),
    ] {
        assert!(matches!(request.step(&with_token()), Step::Body(_, at_most) if at_most == limit));
    }
}

#[test]
fn a_front_without_a_token_answers_nobody_and_an_open_one_no_page_in_a_browser() {
    let shut = Gate::new(&[]);
    for (method, target) in [("GET", "/healthz"), ("GET", "/openapi.json"), ("POST", LIST)] {
        assert_eq!(Request { method, target, headers: &[] }.done(&shut).status, 503, "{target}");
    }
    let open = || Gate::new(&[("GCF_FRONT_OPEN".to_owned(), "yes".to_owned())]);
    let anybody = [("authorization", "")];
    assert!(matches!(Request { headers: &anybody, ..request(LIST) }.step(&open()), Step::Body(..)));
    let page = [("authorization", ""), ("origin", "http://127.0.0.1:3000")];
    assert_eq!(Request { headers: &page, ..request(LIST) }.done(&open()).status, 403);
}

#[test]
fn every_action_is_routed_and_called_with_what_the_request_says() {
    for action in ACTIONS {
        let called = RefCell::new(Vec::new());
        let target = format!("/gcf:connector/{}?connection=a%2Fb&deadline-ms=1500", action.path);
        let reply = answer(&target, r#"{"a": 1}"#, |action, given| {
            let connection = given.connection.to_owned();
            called.borrow_mut().push((action.name, connection, given.deadline_ms, given.input.clone()));
            Ok(json!({"b": 2}))
        });
        assert_eq!((reply.status, json_of(&reply)), (200, json!({"b": 2})));
        assert_eq!(header(&reply, "content-type"), Some("application/json"));
        assert_eq!(header(&reply, "cache-control"), Some("no-store"));
        let expected = (action.name, "a/b".to_owned(), Some(1500), json!({"a": 1}));
        assert_eq!(called.into_inner(), [expected]);
    }
}

#[test]
fn an_empty_body_is_an_input_without_fields_and_anything_but_json_is_none() {
    let list = "/gcf:connector/connections/list";
    for body in ["", " \n", "{}", "null"] {
        let reply = answer(list, body, |_, given| Ok(given.input.clone()));
        assert_eq!(json_of(&reply), json!({}), "{body:?}");
    }
    for body in ["{", "{} {}", "a=b", r#"{"regions": [], "regions": []}"#] {
        let reply = answer(list, body, |_, _| panic!("{body:?} is called"));
        assert_eq!((reply.status, &json_of(&reply)["kind"]), (400, &json!("invalid-input")), "{body:?}");
    }
    let many = format!("[{}]", vec!["[]"; 100_000].join(","));
    let reply = answer(list, &many, |_, _| panic!("it is called"));
    assert_eq!((reply.status, &json_of(&reply)["kind"]), (413, &json!("too-large")));
}

#[test]
fn an_input_that_does_not_fit_is_refused_without_a_call() {
    // The real conversions: natively there is no connector behind them that could be called.
    let reply = answer("/gcf:connector/functions/list", r#"{"page-sise": 1}"#, gcf_front::perform);
    let expected = json!([["field", "page-sise"]]);
    assert_eq!((reply.status, &json_of(&reply)["details"]), (400, &expected));
}

#[test]
fn an_error_has_the_status_of_its_kind_and_says_when_to_come_back() {
    let failing = |kind: &'static str, origin: &'static str| {
        let error = json!({"kind": kind, "origin": origin, "message": "m", "details": [], "trace": [],
            "retry-after-ms": 1500});
        move |_: &Action, _: Given<'_>| Err(Failure::from_json(&error).unwrap())
    };
    for (kind, origin, status) in [
        ("invalid-input", "input", 400),
        ("connection-not-found", "connection", 404),
        ("missing-role", "iam", 403),
        ("restricted", "input", 403),
        ("reconnect-required", "connection", 409),
        ("unauthenticated", "google-api", 409),
        ("rate-limited", "google-api", 429),
        ("too-large", "input", 413),
        ("too-large", "function", 502),
        ("network", "network", 502),
        ("secret-store", "host", 503),
        ("deadline-exceeded", "network", 504),
        ("internal", "other", 500),
    ] {
        let reply = answer("/gcf:connector/functions/list", "{}", failing(kind, origin));
        assert_eq!(reply.status, status, "{kind}");
        assert_eq!(json_of(&reply)["kind"], kind);
        assert_eq!(header(&reply, "retry-after"), Some("2"), "whole seconds, and never too early");
    }
}

#[test]
fn the_description_has_every_action_and_every_reference_leads_somewhere() {
    let document = json_of(&Request { method: "GET", ..request("/openapi.json") }.done(&with_token()));
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.len(), ACTIONS.len());
    for action in ACTIONS {
        let operation = &paths[&format!("/gcf:connector/{}", action.path)]["post"];
        let asked: Vec<_> = operation["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["name"].as_str().unwrap())
            .collect();
        let takes = |name: &str| action.parameters.contains(&name);
        assert_eq!(asked.contains(&"connection"), takes("connection") || takes("id"), "{}", action.name);
        assert_eq!(asked.contains(&"deadline-ms"), takes("deadline-ms"), "{}", action.name);
        // wit/types.wit has no bounds; the core takes an hour and 30 s, a function's longest timeout and some more.
        for parameter in operation["parameters"].as_array().unwrap() {
            let schema = &parameter["schema"];
            if parameter["name"] == "deadline-ms" {
                assert_eq!((&schema["minimum"], &schema["maximum"]), (&json!(1), &json!(3_630_000)));
            }
        }
    }
    let (mut left, mut references) = (vec![&document], 0);
    while let Some(value) = left.pop() {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
            references += 1;
        }
        left.extend(value.as_object().into_iter().flat_map(|fields| fields.values()));
        left.extend(value.as_array().into_iter().flatten());
    }
    assert!(references > 80, "{references}");
}
