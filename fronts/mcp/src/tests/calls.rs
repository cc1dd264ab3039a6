//! Calls of tools.

use std::cell::RefCell;

use gcf_front::{Action, Answer, Failure, Given};
use serde_json::{Value, json};

use super::{LEGACY, json_of, legacy, modern, not_called, result, sent};
use crate::names::{PLAN, TOOLS};

/// The result of a tool.
#[track_caller]
fn called(name: &str, arguments: &Value, perform: &dyn Fn(&Action, Given<'_>) -> Answer) -> Value {
    result("tools/call", json!({"name": name, "arguments": arguments}), perform)
}

/// The error of a tool, as a program gets it.
#[track_caller]
fn error(name: &str, arguments: &Value) -> Value {
    let result = called(name, arguments, &not_called);
    assert_eq!((&result["isError"], &result["resultType"]), (&json!(true), &json!("complete")), "{result:#}");
    result["structuredContent"].clone()
}

#[test]
fn a_tool_calls_its_action_with_what_is_left_of_its_arguments() {
    for name in TOOLS.into_iter().filter(|name| *name != PLAN) {
        let seen = RefCell::new(Vec::new());
        let mut arguments = json!({"function": {"url": "https://a.run.app"}});
        let (mut connection, mut deadline_ms) = ("", None);
        // wit/connections.wit: `list` has no parameters.
        if name != "connections-list" {
            arguments["connection"] = json!("a");
            arguments["deadline-ms"] = json!(1500);
            (connection, deadline_ms) = ("a", Some(1500));
        }
        let result = called(name, &arguments, &|action, given| {
            let connection = given.connection.to_owned();
            seen.borrow_mut().push((
                action.name.replacen('.', "-", 1),
                connection,
                given.deadline_ms,
                given.input.clone(),
            ));
            Ok(json!({"b": 2}))
        });
        let input = json!({"function": {"url": "https://a.run.app"}});
        assert_eq!(seen.into_inner(), [(name.to_owned(), connection.to_owned(), deadline_ms, input)]);
        assert_eq!((&result["isError"], &result["structuredContent"]), (&json!(false), &json!({"b": 2})));
        assert_eq!(result["content"], json!([{"type": "text", "text": r#"{"b":2}"#}]));
    }
    // 2026-07-28, schema: `arguments` may be left out.
    for params in
        [json!({"name": "connections-list"}), json!({"name": "connections-list", "arguments": null})]
    {
        let result = result("tools/call", params, &|_, given| Ok(given.input.clone()));
        assert_eq!(result["structuredContent"], json!({}));
    }
}

#[test]
fn what_is_null_is_left_out() {
    let arguments = json!({"connection": null, "deadline-ms": null});
    let result = called("functions-list", &arguments, &|_, given| {
        assert_eq!((given.connection, given.deadline_ms), ("", None));
        Ok(given.input.clone())
    });
    assert_eq!(result["structuredContent"], json!({}));
    let all = called("catalog-describe", &json!({"action": null}), &not_called);
    assert!(all["structuredContent"]["actions"].is_array(), "{all:#}");
}

#[test]
fn a_list_is_structured_since_it_may_be() {
    let list = |_: &Action, _: Given<'_>| Ok(json!([{"id": "a"}]));
    assert_eq!(called("connections-list", &json!({}), &list)["structuredContent"], json!([{"id": "a"}]));
    let reply = sent(&LEGACY, &legacy("tools/call", &json!({"name": "connections-list"})), &list);
    let result = json_of(&reply)["result"].take();
    // 2025-11-25, schema: `structuredContent` is an object.
    assert_eq!(result, json!({"content": [{"type": "text", "text": r#"[{"id":"a"}]"#}], "isError": false}));
}

#[test]
fn a_model_is_spared_what_only_programs_read() {
    let output = json!({"status": 200, "body": {"text": "é"}, "headers": [{"name": "a", "value": "YQ=="}], "trace": []});
    let result = called("functions-invoke", &json!({}), &|_, _| Ok(output.clone()));
    assert_eq!(result["structuredContent"], output);
    let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text, json!({"status": 200, "body": {"text": "é"}}));
}

#[test]
fn a_text_is_cut_between_two_characters_and_nothing_follows_the_cut() {
    // 17 bytes stand before the text: the limit of 100,000 is in the middle of a character, or after one.
    for (text, kept) in [("é".repeat(100_000), 99_999), (format!("a{}", "é".repeat(100_000)), 100_000)] {
        let long = json!({"body": {"text": text}, "status": 200});
        let result = called("functions-invoke", &json!({}), &|_, _| Ok(long.clone()));
        let told = result["content"][0]["text"].as_str().unwrap();
        let (begins, ends) = told.split_once('\n').unwrap();
        assert_eq!((begins, begins.len()), (&long.to_string()[..kept], kept));
        assert_eq!(ends, format!("[cut here, of {} bytes]", long.to_string().len()));
        assert_eq!(result["structuredContent"], long);
    }
}

#[test]
fn what_fails_says_what_and_whose_move_it_is_and_what_is_next() {
    let error = json!({"kind": "api-disabled", "origin": "google-api", "message": "the API is off", "fix": "switch it on",
        "retry-after-ms": 1500, "link": "https://console.cloud.google.com/x", "details": [["service", "run"]], "trace": []});
    let failing = |_: &Action, _: Given<'_>| Err(Failure::from_json(&error).unwrap());
    let result = called("functions-list", &json!({"connection": "a"}), &failing);
    assert_eq!(result["isError"], true);
    assert_eq!(result["structuredContent"], error);
    let text = result["content"][0]["text"].as_str().unwrap();
    for part in
        ["the API is off", "api-disabled", "google-api", "switch it on", "1500", "console.cloud.google.com/x"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn an_argument_that_does_not_fit_is_an_error_that_the_model_can_mend() {
    // The real conversions: natively there is no connector behind them that could be called.
    let arguments = json!({"connection": "a", "page-sise": 1});
    let result = called("functions-list", &arguments, &gcf_front::perform);
    assert_eq!(result["structuredContent"]["details"], json!([["field", "page-sise"]]));
    assert!(result["content"][0]["text"].as_str().unwrap().contains("did you mean page-size?"));
    for (arguments, field) in [
        (json!({"connection": 1}), "connection"),
        (json!({"connection": "a", "deadline-ms": "soon"}), "deadline-ms"),
        (json!({"connection": "a", "deadline-ms": -1}), "deadline-ms"),
    ] {
        assert_eq!(error("functions-list", &arguments)["details"], json!([["field", field]]));
    }
}

#[test]
fn an_argument_that_a_tool_does_not_take_is_refused_by_its_name() {
    for (name, arguments, field) in [
        ("connections-list", json!({"connection": "a"}), "connection"),
        ("connections-list", json!({"deadline-ms": 1500}), "deadline-ms"),
        ("catalog-describe", json!({"action": "functions-get", "deadline-ms": 1500}), "deadline-ms"),
        ("catalog-describe", json!({"connection": "a"}), "connection"),
        ("catalog-describe", json!({"actions": []}), "actions"),
    ] {
        let error = error(name, &arguments);
        assert_eq!(
            (&error["kind"], &error["details"]),
            (&json!("invalid-input"), &json!([["field", field]]))
        );
        assert!(error["message"].as_str().unwrap().contains(field), "{error:#}");
    }
    let long = "x".repeat(500_000);
    assert!(error("catalog-describe", &json!({(&long): 1})).to_string().len() < 1024);
}

#[test]
fn what_is_left_out_of_the_list_is_taken_all_the_same() {
    let arguments = json!({"connection": "a", "page-size": 10});
    let read = |action: &Action, given: Given<'_>| action.read_input(given.input);
    assert_eq!(called("functions-list", &arguments, &read)["structuredContent"]["page-size"], 10);
}

#[test]
fn a_call_of_no_tool_is_an_error_of_the_protocol() {
    for params in [
        json!({"name": "functions-lst"}),
        // Actions, and no tools.
        json!({"name": "connections-connect", "arguments": {}}),
        json!({"name": "connections-reauthorize"}),
        json!({"name": "connections-disconnect"}),
        json!({"name": "functions.list"}),
        json!({"name": 1}),
        json!({}),
        json!({"name": "functions-list", "arguments": []}),
    ] {
        let reply = sent(&LEGACY, &legacy("tools/call", &params), &not_called);
        assert_eq!((reply.status, &json_of(&reply)["error"]["code"]), (200, &json!(-32602)), "{params}");
        let name = params["name"].as_str().unwrap_or_default().to_owned();
        let headers = [
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "tools/call"),
            ("mcp-name", name.as_str()),
        ];
        let reply = sent(&headers, &modern("tools/call", params.clone()), &not_called);
        assert_eq!(reply.status, 400, "{params}");
    }
}

#[test]
fn only_a_call_of_a_tool_is_planned() {
    for action in [
        json!({"connections-connect": {"nickname": "n", "credential": {"google-json": "{}"}}}),
        json!({"connections-reauthorize": {}}),
        json!("connections-disconnect"),
        json!({"functions-list": {}, "connections-connect": {}}),
    ] {
        let error = error("planning-plan", &json!({"connection": "a", "action": action}));
        assert_eq!(error["details"], json!([["field", "action"]]), "{action}");
    }
    for action in [json!({"functions-list": {}}), json!({"functions-get": {"url": "https://a.run.app"}})] {
        let arguments = json!({"connection": "a", "action": action});
        let read = |action: &Action, given: Given<'_>| action.read_input(given.input);
        assert_eq!(called("planning-plan", &arguments, &read)["isError"], false, "{action}");
    }
}

#[test]
fn an_action_is_described_with_all_that_it_refers_to() {
    let all = called("catalog-describe", &json!({}), &not_called);
    let names: Vec<_> =
        all["structuredContent"]["actions"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    assert!(TOOLS.iter().all(|name| names.contains(&json!(name))), "{names:?}");
    for name in ["functions-invoke", "functions.invoke"] {
        let result = called("catalog-describe", &json!({"action": name}), &not_called);
        let described = &result["structuredContent"];
        assert_eq!(described["action"]["name"], "functions.invoke");
        let (mut left, mut references) = (vec![described], 0);
        while let Some(value) = left.pop() {
            if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
                assert!(described.pointer(&reference[1..]).is_some_and(Value::is_object), "{reference}");
                references += 1;
            }
            left.extend(value.as_object().into_iter().flat_map(|fields| fields.values()));
            left.extend(value.as_array().into_iter().flatten());
        }
        assert!(references > 10, "{references}");
    }
    for action in [json!("functions-lst"), json!("catalog-describe"), json!(1)] {
        assert_eq!(error("catalog-describe", &json!({"action": action}))["kind"], "invalid-input");
    }
}
