//! The fields that the catalog marks as secret. A model must not be asked for them, nor hand them on.

use serde_json::{Value, json};

use super::{not_called, result};
use crate::names::{PLAN, TOOLS};

/// A value that must not come back.
const CANARY: &str = "canary-of-this-test";

/// The catalog as it is written, and not as the build of the server reads it.
fn catalog() -> Value {
    serde_json::from_str(&gcf_catalog::describe()).unwrap()
}

/// Every secret field in what a schema describes: its path, and a value that has it and nothing else.
fn secrets(catalog: &Value, schema: &Value) -> Vec<(String, Value)> {
    if let Some(reference) = schema["$ref"].as_str() {
        return secrets(catalog, catalog.pointer(&reference[1..]).unwrap());
    }
    let mut found = Vec::new();
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        if schema["x-secret"] == true {
            found.push((name.clone(), json!({(name): CANARY})));
        } else {
            let inside = secrets(catalog, schema).into_iter();
            found.extend(inside.map(|(path, value)| (format!("{name}.{path}"), json!({(name): value}))));
        }
    }
    for cases in ["oneOf", "anyOf"] {
        let cases = schema[cases].as_array().into_iter().flatten();
        found.extend(cases.flat_map(|case| secrets(catalog, case)));
    }
    let items = schema.get("items").map(|items| secrets(catalog, items)).into_iter().flatten();
    found.extend(items.map(|(path, value)| (format!("0.{path}"), json!([value]))));
    found
}

#[test]
fn no_secret_is_taken_by_a_tool_nor_in_a_call_that_is_planned() {
    let catalog = catalog();
    let mut refused = Vec::new();
    for name in TOOLS {
        let action =
            catalog["actions"].as_array().unwrap().iter().find(|it| it["plain-name"] == name).unwrap();
        for (path, mut arguments) in secrets(&catalog, &action["input"]) {
            arguments["connection"] = json!("a");
            let result = result("tools/call", json!({"name": name, "arguments": arguments}), &not_called);
            let error = &result["structuredContent"];
            assert_eq!(
                (&result["isError"], &error["kind"]),
                (&json!(true), &json!("invalid-input")),
                "{name}: {path}"
            );
            assert!(!result.to_string().contains(CANARY), "{result:#}");
            // Of a call that cannot be planned here, the call itself is wrong.
            let planned = path.strip_prefix("action.").and_then(|path| path.split('.').next());
            let is_a_tool = planned.is_none_or(|planned| TOOLS.contains(&planned));
            let field = if is_a_tool { path.as_str() } else { "action" };
            assert_eq!(error["details"], json!([["field", field]]), "{name}: {path}");
            refused.push((name, path));
        }
    }
    for (name, path) in [
        ("functions-invoke", "authorization"),
        (PLAN, "action.functions-invoke.authorization"),
        (PLAN, "action.connections-reauthorize.credential"),
    ] {
        assert!(refused.contains(&(name, path.to_owned())), "{name}: {path} is not among {refused:?}");
    }
}

#[test]
fn a_secret_is_found_however_deep_it_stands_and_null_is_none() {
    for (arguments, field) in [
        (json!({"headers": [{}, {"authorization": CANARY}]}), "headers.1.authorization"),
        (json!({"authorization": {"a": CANARY}}), "authorization"),
        (json!({"authorization": ""}), "authorization"),
    ] {
        let result =
            result("tools/call", json!({"name": "functions-invoke", "arguments": arguments}), &not_called);
        assert_eq!(result["structuredContent"]["details"], json!([["field", field]]), "{result:#}");
    }
    let arguments = json!({"function": {"url": "https://a.run.app"}, "authorization": null});
    let result =
        result("tools/call", json!({"name": "functions-invoke", "arguments": arguments}), &|_, _| {
            Ok(json!({}))
        });
    assert_eq!(result["isError"], false);
}
