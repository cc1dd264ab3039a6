//! The decisions natively: a connector that is asked is a closure.

use std::cell::RefCell;

use gcf_front::{ACTIONS, Action, Answer, Failure, Given};
use serde_json::{Value, json};

use crate::{
    gate::Gate,
    routes::{Head, MAX_BODY, MAX_WITH_BODY, Reply, Step, decide},
};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn gate(variables: &[(&str, &str)]) -> Gate {
    let variables: Vec<_> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Gate::new(&variables)
}

fn with_token() -> Gate {
    gate(&[("GCF_FRONT_TOKEN", TOKEN)])
}

/// A request that is in order.
fn head(target: &str) -> Head<'_> {
    Head {
        method: "POST",
        target,
        authorization: Some(b"Bearer 0123456789abcdef0123456789abcdef"),
        content_type: Some(b"application/json"),
        content_length: None,
    }
}

fn step(gate: &Gate, head: &Head<'_>) -> Step {
    decide(gate, head, gcf_catalog::describe)
}

#[track_caller]
fn done(gate: &Gate, head: &Head<'_>) -> Reply {
    match step(gate, head) {
        Step::Done(reply) => reply,
        Step::Body(..) => panic!("{} {} waits for its body", head.method, head.target),
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
    match step(&with_token(), &head(target)) {
        Step::Body(call, _) => call.answer(body.as_bytes(), perform),
        Step::Done(reply) => panic!("{target} is refused: {}", reply.body),
    }
}

#[test]
fn whoever_has_the_token_is_let_in_and_nobody_else() {
    let gate = with_token();
    for good in [format!("Bearer {TOKEN}"), format!("bearer {TOKEN}"), format!("BEARER  {TOKEN} ")] {
        assert!(gate.lets_in(Some(good.as_bytes())), "{good}");
    }
    let shorter = &TOKEN[..31];
    let other = TOKEN.replace('f', "e");
    for bad in [
        String::new(),
        TOKEN.to_owned(),
        "Bearer ".to_owned(),
        "Bearer".to_owned(),
        format!("Basic {TOKEN}"),
        format!("Bearer {shorter}"),
        format!("Bearer {TOKEN}0"),
        format!("Bearer {other}"),
        format!("Bearer {}", TOKEN.to_uppercase()),
    ] {
        assert!(!gate.lets_in(Some(bad.as_bytes())), "{bad}");
    }
    assert!(!gate.lets_in(None));
}

#[test]
fn without_a_token_of_its_own_it_answers_nobody() {
    let short = &TOKEN[..31];
    for variables in [
        &[][..],
        &[("GCF_FRONT_TOKEN", "")],
        &[("GCF_FRONT_TOKEN", short)],
        &[("GCF_FRONT_OPEN", "")],
        &[("GCF_FRONT_OPEN", "no")],
        &[("GCF_FRONT_OPEN", "yes"), ("GCF_FRONT_TOKEN", short)],
    ] {
        let gate = gate(variables);
        for target in ["/healthz", "/openapi.json", "/gcf:connector/functions/list"] {
            let mut head = head(target);
            if target != "/gcf:connector/functions/list" {
                head.method = "GET";
            }
            assert_eq!(done(&gate, &head).status, 503, "{variables:?} {target}");
        }
    }
    let open = gate(&[("GCF_FRONT_OPEN", "yes")]);
    let head = Head { authorization: None, ..head("/gcf:connector/functions/list") };
    assert!(matches!(step(&open, &head), Step::Body(..)));
    // Who sets both means the token.
    let both = gate(&[("GCF_FRONT_OPEN", "yes"), ("GCF_FRONT_TOKEN", TOKEN)]);
    assert_eq!(done(&both, &head).status, 401);
}

#[test]
fn what_is_refused_is_refused_before_the_body_is_read() {
    let list = "/gcf:connector/functions/list";
    for (status, head) in [
        (401, Head { authorization: None, ..head(list) }),
        (404, head("/")),
        (404, head("/gcf:connector/functions")),
        (404, head("/gcf:connector/functions/lst")),
        (404, head("/gcf:connector/functions.list")),
        (404, head("/gcf:connector/secret-store/get")),
        (405, Head { method: "GET", ..head(list) }),
        (405, head("/healthz")),
        (405, head("/openapi.json")),
        (415, Head { content_type: None, ..head(list) }),
        (415, Head { content_type: Some(b"text/plain"), ..head(list) }),
        (400, head("/gcf:connector/functions/list?conection=a")),
        (400, head("/gcf:connector/functions/list?connection=a&connection=b")),
        (400, head("/gcf:connector/functions/list?deadline-ms=soon")),
        (400, head("/gcf:connector/functions/list?deadline-ms=4294967296")),
        (413, Head { content_length: Some(MAX_BODY + 1), ..head(list) }),
        (413, Head { content_length: Some(MAX_WITH_BODY + 1), ..head("/gcf:connector/functions/invoke") }),
    ] {
        let reply = done(&with_token(), &head);
        assert_eq!(reply.status, status, "{} {}: {}", head.method, head.target, reply.body);
        let error = json_of(&reply);
        assert!(error["kind"].is_string() && error["fix"].is_string(), "{error:#}");
        assert_eq!(header(&reply, "allow").is_some(), status == 405);
        assert_eq!(header(&reply, "www-authenticate").is_some(), status == 401);
    }
    for (limit, head) in [
        (MAX_BODY, Head { content_length: Some(MAX_BODY), ..head(list) }),
        (
            MAX_WITH_BODY,
            Head { content_length: Some(MAX_WITH_BODY), ..head("/gcf:connector/functions/invoke") },
        ),
        (MAX_BODY, Head { content_type: Some(b"Application/JSON; charset=utf-8"), ..head(list) }),
    ] {
        assert!(matches!(step(&with_token(), &head), Step::Body(_, at_most) if at_most == limit));
    }
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
    for body in ["", " \n", "{}"] {
        let reply = answer(list, body, |_, given| Ok(given.input.clone()));
        assert_eq!(json_of(&reply), json!({}), "{body:?}");
    }
    for body in ["{", "{} {}", "\u{feff}{}", "a=b"] {
        let reply = answer(list, body, |_, _| panic!("{body:?} is called"));
        assert_eq!((reply.status, &json_of(&reply)["kind"]), (400, &json!("invalid-input")), "{body:?}");
    }
    // Deeper than any input, and than a stack should be trusted with.
    let deep = "[".repeat(100_000);
    assert_eq!(answer(list, &deep, |_, _| panic!("it is called")).status, 400);
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
    let head = Head { method: "GET", ..head("/openapi.json") };
    let document = json_of(&done(&with_token(), &head));
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
