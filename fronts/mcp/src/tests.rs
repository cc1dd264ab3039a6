//! The server natively: a connector that is asked is a closure. What is expected stands in the specification
//! (modelcontextprotocol.io/specification), in the version that a test names.

mod calls;
mod list;
mod protocol;
mod secrets;

use gcf_front::{Action, Answer, Given};
use gcf_front_web::{Gate, Head, Reply, Step};
use serde_json::{Value, json};

use crate::{
    endpoint::decide,
    server::{Connector, answer},
    version::Headers,
};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A request by its head, to a front with a token.
fn step(method: &str, target: &str, headers: &[(&str, &str)]) -> Step<Headers> {
    let gate = Gate::new(&[("GCF_FRONT_TOKEN".to_owned(), TOKEN.to_owned())]);
    let authorization = format!("Bearer {TOKEN}");
    let usual = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    let usual = usual.iter().filter(|(name, _)| !headers.iter().any(|(other, _)| other == name));
    let headers: Vec<_> = usual.chain(headers).filter(|(_, value)| !value.is_empty()).collect();
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
    decide(&gate, &Head { method, target, headers: &headers })
}

fn not_called(action: &Action, _: Given<'_>) -> Answer {
    panic!("{} is called", action.name)
}

/// Answers a message that came with these headers, by a connector that is this closure.
#[track_caller]
fn sent(headers: &[(&str, &str)], body: &str, perform: &dyn Fn(&Action, Given<'_>) -> Answer) -> Reply {
    match step("POST", "/mcp", headers) {
        Step::Body(headers, _) => {
            answer(&headers, body.as_bytes(), &Connector { perform, describe: &gcf_catalog::describe })
        }
        Step::Done(reply) => panic!("it is refused: {}", reply.body),
    }
}

fn json_of(reply: &Reply) -> Value {
    serde_json::from_str(&reply.body).unwrap()
}

/// A message after a handshake.
fn legacy(method: &str, params: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).to_string()
}

const LEGACY: [(&str, &str); 1] = [("mcp-protocol-version", "2025-11-25")];

/// A message of 2026-07-28.
fn modern(method: &str, mut params: Value) -> String {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "ExampleClient", "version": "1.0.0"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    json!({"jsonrpc": "2.0", "id": "a-1", "method": method, "params": params}).to_string()
}

/// The result of a request of 2026-07-28 that is in order.
#[track_caller]
fn result(method: &str, params: Value, perform: &dyn Fn(&Action, Given<'_>) -> Answer) -> Value {
    let name = params["name"].as_str().unwrap_or_default().to_owned();
    let headers =
        [("mcp-protocol-version", "2026-07-28"), ("mcp-method", method), ("mcp-name", name.as_str())];
    let reply = sent(&headers, &modern(method, params), perform);
    assert_eq!(reply.status, 200, "{}", reply.body);
    let mut answer = json_of(&reply);
    assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &json!("a-1")));
    answer["result"].take()
}
