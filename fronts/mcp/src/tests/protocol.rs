//! The protocol around the tools: HTTP, JSON-RPC and versions.

use gcf_front_web::Step;
use serde_json::{Value, json};

use super::{LEGACY, TOKEN, json_of, legacy, modern, not_called, result, sent, step};

#[test]
fn only_a_post_of_json_to_the_endpoint_by_who_has_the_token_is_read() {
    for (status, method, target, headers) in [
        // 2026-07-28, Streamable HTTP: `GET` or `DELETE` to the endpoint is 405.
        (405, "GET", "/mcp", &[][..]),
        (405, "DELETE", "/mcp", &[]),
        (404, "POST", "/", &[]),
        (404, "POST", "/gcf:connector/functions/list", &[]),
        (401, "POST", "/mcp", &[("authorization", "")]),
        (401, "POST", "/mcp", &[("authorization", "Bearer no")]),
        // The same page: an `Origin` that is not valid is 403. None is valid here, whoever asks.
        (403, "POST", "/mcp", &[("origin", "https://evil.example")]),
        (403, "GET", "/healthz", &[("origin", "null")]),
        (415, "POST", "/mcp", &[("content-type", "text/plain")]),
        (413, "POST", "/mcp", &[("content-length", "1048577")]),
        (200, "GET", "/healthz", &[("authorization", "")]),
    ] {
        let Step::Done(reply) = step(method, target, headers) else { panic!("{method} {target} is read") };
        assert_eq!(reply.status, status, "{method} {target} {headers:?}");
        assert!(!reply.body.contains(TOKEN));
    }
    // A session of an older server, and a stream to take up again: both are ignored.
    let old = [("mcp-session-id", "1868a90c"), ("last-event-id", "1"), ("content-length", "1048576")];
    assert!(matches!(step("POST", "/mcp", &old), Step::Body(_, 1_048_576)));
}

#[test]
fn what_is_no_message_is_an_error_with_the_id_if_that_can_be_read() {
    let long = format!("[{}]", vec!["1"; 100_000].join(","));
    // JSON-RPC 2.0, section 5.1: -32700 is no JSON, -32600 no request. Section 5: the id is that of the request, unless it
    // could not be detected. 2026-07-28, base protocol: then it is left out.
    let none = Value::Null;
    for (code, id, body) in [
        (-32700, &none, "{"),
        (-32700, &none, r#"{"jsonrpc": "2.0", "method": "ping", "id": 1, "id": 2}"#),
        (-32700, &none, long.as_str()),
        (-32600, &none, ""),
        (-32600, &none, "1"),
        // 2025-06-18, changelog: batches are taken out.
        (-32600, &none, r#"[{"jsonrpc": "2.0", "id": 1, "method": "ping"}]"#),
        (-32600, &none, "[]"),
        (-32600, &json!(1), r#"{"id": 1, "method": "ping"}"#),
        (-32600, &json!("a"), r#"{"jsonrpc": "1.0", "id": "a", "method": "ping"}"#),
        (-32600, &json!(1), r#"{"jsonrpc": "2.0", "id": 1}"#),
        (-32600, &json!(-1), r#"{"jsonrpc": "2.0", "id": -1, "method": 1}"#),
        (-32600, &json!(1), r#"{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": [1]}"#),
        // 2026-07-28: clients send no responses. The id in one is not that of a request of theirs.
        (-32600, &none, r#"{"jsonrpc": "2.0", "id": 1, "result": {}}"#),
        (-32600, &none, r#"{"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": "a"}}"#),
        (-32600, &none, r#"{"jsonrpc": "1.0", "id": 1, "result": {}}"#),
        (-32600, &none, r#"{"jsonrpc": "2.0", "id": 1, "method": null, "result": {}}"#),
        // JSON-RPC 2.0, sections 4 and 5: a request has a method, and a response result or error; nothing has both.
        (-32600, &json!(1), r#"{"jsonrpc": "2.0", "id": 1, "method": "ping", "result": {}}"#),
        (
            -32600,
            &json!("a"),
            r#"{"jsonrpc": "2.0", "id": "a", "method": "ping", "error": {"code": 1, "message": "a"}}"#,
        ),
        (-32600, &none, r#"{"jsonrpc": "2.0", "id": null, "method": "ping", "result": {}}"#),
        (-32600, &none, r#"{"jsonrpc": "2.0", "method": "ping", "result": {}}"#),
        // The same page: an id is text or a whole number, and not null.
        (-32600, &none, r#"{"jsonrpc": "2.0", "id": null, "method": "ping"}"#),
        (-32600, &none, r#"{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}"#),
    ] {
        let reply = sent(&LEGACY, body, &not_called);
        let answer = json_of(&reply);
        assert_eq!((reply.status, &answer["error"]["code"]), (400, &json!(code)), "{body}");
        assert_eq!((&answer["id"], answer.get("id").is_some()), (id, !id.is_null()), "{body}");
    }
}

#[test]
fn a_result_that_is_null_makes_no_answer_of_a_request() {
    // 2025-11-25: the answer to `ping` is an empty result with the id of the request.
    for beside in [r#""result": null"#, r#""error": null"#, r#""result": null, "error": null"#] {
        let body = format!(r#"{{"jsonrpc": "2.0", "id": 7, "method": "ping", {beside}}}"#);
        let reply = sent(&LEGACY, &body, &not_called);
        let expected = json!({"jsonrpc": "2.0", "id": 7, "result": {}});
        assert_eq!((reply.status, json_of(&reply)), (200, expected), "{beside}");
        let body = format!(r#"{{"jsonrpc": "2.0", "method": "notifications/initialized", {beside}}}"#);
        assert_eq!(sent(&LEGACY, &body, &not_called).status, 202, "{beside}");
    }
}

#[test]
fn a_refusal_is_about_what_is_wrong_with_the_message() {
    for (body, about, not_about) in [
        (r#"{"jsonrpc": "2.0", "id": 1, "method": "ping", "result": {}}"#, "a request has no result", "id"),
        (r#"{"jsonrpc": "2.0", "id": null, "method": "ping", "result": null}"#, "id is neither", "result"),
        (r#"{"jsonrpc": "2.0", "id": 1, "result": {}}"#, "there is no method", "id"),
        (r#"{"jsonrpc": "2.0", "id": 1, "method": null}"#, "there is no method", "id"),
        (r#"{"jsonrpc": "2.0", "id": 1, "method": 1}"#, "method is not text", "no"),
    ] {
        let answer = json_of(&sent(&LEGACY, body, &not_called));
        let why = answer["error"]["message"].as_str().unwrap();
        assert!(why.contains(about) && !why.split(' ').any(|word| word == not_about), "{body}: {why}");
    }
}

#[test]
fn a_notification_is_accepted_and_not_answered() {
    for headers in [&LEGACY[..], &[]] {
        for method in ["notifications/initialized", "notifications/cancelled", "notifications/of-tomorrow"] {
            let reply = sent(headers, &json!({"jsonrpc": "2.0", "method": method}).to_string(), &not_called);
            assert_eq!((reply.status, reply.body.as_str()), (202, ""));
        }
    }
    // 2025-11-25: a version that is not supported is 400, whatever it came with.
    let reply = sent(
        &[("mcp-protocol-version", "1.0")],
        r#"{"jsonrpc": "2.0", "method": "notifications/initialized"}"#,
        &not_called,
    );
    assert_eq!(reply.status, 400);
}

#[test]
fn a_handshake_agrees_on_what_was_asked_for_or_on_the_latest() {
    for (asked, agreed) in [
        ("2025-11-25", "2025-11-25"),
        ("2025-06-18", "2025-06-18"),
        ("2025-03-26", "2025-11-25"),
        ("2024-11-05", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("1.0", "2025-11-25"),
    ] {
        let client = json!({"name": "ExampleClient", "version": "1.0.0"});
        let params = json!({"protocolVersion": asked, "capabilities": {}, "clientInfo": client});
        let reply = sent(&[], &legacy("initialize", &params), &not_called);
        let answer = json_of(&reply);
        assert_eq!((reply.status, &answer["id"]), (200, &json!(7)));
        let result = &answer["result"];
        assert_eq!(result["protocolVersion"], agreed, "{asked}");
        assert_eq!(result["capabilities"], json!({"tools": {}}));
        assert!(result["serverInfo"]["name"].is_string() && result["serverInfo"]["version"].is_string());
        assert!(result["instructions"].is_string());
        assert!(!reply.headers.iter().any(|(name, _)| *name == "mcp-session-id"));
    }
}

#[test]
fn after_a_handshake_a_header_says_what_was_agreed_on() {
    for version in ["2025-11-25", "2025-06-18"] {
        let reply = sent(&[("mcp-protocol-version", version)], &legacy("ping", &json!({})), &not_called);
        assert_eq!(json_of(&reply), json!({"jsonrpc": "2.0", "id": 7, "result": {}}), "{version}");
    }
    // -32020 where it is missing, -32022 where it is not supported; with the id, for the request could be read.
    for (code, headers) in [
        (-32020, &[][..]),
        (-32022, &[("mcp-protocol-version", "2025-03-26")]),
        (-32022, &[("mcp-protocol-version", "1900-01-01")]),
        (-32602, &[("mcp-protocol-version", "2026-07-28")]),
    ] {
        let reply = sent(headers, &legacy("ping", &json!({})), &not_called);
        let answer = json_of(&reply);
        assert_eq!((reply.status, &answer["error"]["code"]), (400, &json!(code)), "{headers:?}");
        assert_eq!(answer["id"], 7);
    }
    let reply = sent(&[("mcp-protocol-version", "1900-01-01")], &legacy("ping", &json!({})), &not_called);
    let expected =
        json!({"supported": ["2026-07-28", "2025-11-25", "2025-06-18"], "requested": "1900-01-01"});
    assert_eq!(json_of(&reply)["error"]["data"], expected);
    for method in ["server/discover", "resources/list", "prompts/list", "logging/setLevel", "tools/lst"] {
        let reply = sent(&LEGACY, &legacy(method, &json!({})), &not_called);
        assert_eq!((reply.status, &json_of(&reply)["error"]["code"]), (200, &json!(-32601)), "{method}");
    }
}

#[test]
fn a_server_is_discovered_without_a_handshake() {
    let result = result("server/discover", json!({}), &not_called);
    assert_eq!(result["supportedVersions"], json!(["2026-07-28"]));
    assert_eq!(result["capabilities"], json!({"tools": {}}));
    assert_eq!((&result["resultType"], &result["cacheScope"]), (&json!("complete"), &json!("public")));
    assert!(result["ttlMs"].as_u64().is_some());
    assert!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"].is_string());
}

/// A `tools/call` of 2026-07-28 with these headers, and `_meta` without this field.
fn code(headers: &[(&str, &str)], method: &str, without: &str) -> (u16, Value) {
    let mut message: Value =
        serde_json::from_str(&modern(method, json!({"name": "functions-list", "arguments": {}}))).unwrap();
    message["params"]["_meta"].as_object_mut().unwrap().remove(without);
    let reply = sent(headers, &message.to_string(), &|_, _| Ok(json!({})));
    let answer = json_of(&reply);
    assert_eq!(answer["id"], "a-1");
    (reply.status, answer["error"]["code"].clone())
}

#[test]
fn what_the_headers_say_is_what_the_message_says() {
    let version = ("mcp-protocol-version", "2026-07-28");
    let (method, name) = (("mcp-method", "tools/call"), ("mcp-name", "functions-list"));
    // 2026-07-28, Streamable HTTP, value encoding: base64 of "functions-list".
    let encoded = ("mcp-name", "=?base64?ZnVuY3Rpb25zLWxpc3Q=?=");
    let capabilities = "io.modelcontextprotocol/clientCapabilities";
    for name in [name, encoded] {
        assert_eq!(code(&[version, method, name], "tools/call", ""), (200, Value::Null));
    }
    for (expected, headers, without) in [
        (-32020, &[method, name][..], ""),
        (-32020, &[("mcp-protocol-version", "2025-11-25"), method, name], ""),
        (-32020, &[version, name], ""),
        (-32020, &[version, ("mcp-method", "tools/list"), name], ""),
        (-32020, &[version, ("mcp-method", "Tools/Call"), name], ""),
        (-32020, &[version, method], ""),
        (-32020, &[version, method, ("mcp-name", "functions-get")], ""),
        (-32020, &[version, method, ("mcp-name", "=?base64?!?=")], ""),
        (-32020, &[version, method, name, name], ""),
        (-32602, &[version, method, name], capabilities),
        (-32602, &[version, method, name], "io.modelcontextprotocol/protocolVersion"),
    ] {
        assert_eq!(code(headers, "tools/call", without), (400, json!(expected)), "{headers:?} {without}");
    }
    // An unknown method is 404; `ping` and the handshake are among them since 2026-07-28.
    for method in ["ping", "initialize", "resources/list", "subscriptions/listen"] {
        assert_eq!(code(&[version, ("mcp-method", method)], method, ""), (404, json!(-32601)), "{method}");
    }
    let mut tomorrow: Value = serde_json::from_str(&modern("tools/list", json!({}))).unwrap();
    tomorrow["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2099-01-01");
    let headers = [("mcp-protocol-version", "2099-01-01"), ("mcp-method", "tools/list")];
    let reply = sent(&headers, &tomorrow.to_string(), &not_called);
    assert_eq!((reply.status, &json_of(&reply)["error"]["code"]), (400, &json!(-32022)));
}
