//! The list of tools.

use serde_json::{Value, json};

use super::{LEGACY, json_of, legacy, not_called, result, sent};
use crate::{
    names::{DESCRIBE, TOOLS},
    tools::ACTIONS,
};

/// The most bytes of the list: it is read by a model before anything else, and paid for each time.
const MAX_BYTES: usize = 16_000;

fn tools() -> Vec<Value> {
    result("tools/list", json!({}), &not_called)["tools"].as_array().unwrap().clone()
}

#[test]
fn the_list_is_small_and_always_the_same() {
    let reply = sent(&LEGACY, &legacy("tools/list", &json!({})), &not_called);
    let size = reply.body.len();
    eprintln!("tools/list: {size} bytes; the catalog: {} bytes", gcf_catalog::describe().len());
    assert!(size <= MAX_BYTES, "{size} bytes");
    let legacy = json_of(&reply);
    assert_eq!(legacy["result"]["tools"], json!(tools()));
    assert_eq!(legacy["result"].as_object().unwrap().len(), 1);
    let modern = result("tools/list", json!({}), &not_called);
    assert_eq!((&modern["resultType"], &modern["cacheScope"]), (&json!("complete"), &json!("public")));
    assert!(modern["ttlMs"].as_u64().is_some() && modern.get("nextCursor").is_none());
}

#[test]
fn every_tool_is_an_action_and_its_hints_are_its_effects() {
    let catalog: Value = serde_json::from_str(&gcf_catalog::describe()).unwrap();
    let names: Vec<_> = tools().iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect();
    let expected: Vec<_> = TOOLS.into_iter().chain([DESCRIBE]).collect();
    assert_eq!(names, expected);
    let actions = ACTIONS.iter().map(|action| action.name.replacen('.', "-", 1));
    assert_eq!(actions.collect::<Vec<_>>(), TOOLS);
    for tool in tools().iter().filter(|tool| tool["name"] != DESCRIBE) {
        let actions = catalog["actions"].as_array().unwrap();
        let action = actions.iter().find(|action| action["plain-name"] == tool["name"]).unwrap();
        let hint = |name: &str| &tool["annotations"][name];
        let effects = json!({
            "read-only": hint("readOnlyHint"), "destructive": hint("destructiveHint"),
            "idempotent": hint("idempotentHint"), "open-world": hint("openWorldHint"),
        });
        assert_eq!(effects, action["effects"], "{}", tool["name"]);
        let takes = |name: &str| action["parameters"].as_array().unwrap().contains(&json!(name));
        let required = tool["inputSchema"]["required"].as_array().unwrap();
        assert_eq!(required.contains(&json!("connection")), takes("connection") || takes("id"));
    }
}

#[test]
fn the_instructions_name_the_tools_that_take_no_connection() {
    let discovered = result("server/discover", json!({}), &not_called);
    let instructions = discovered["instructions"].as_str().unwrap();
    let sentence = instructions.split(". ").nth(1).unwrap();
    assert!(sentence.contains("every other tool"), "{sentence}");
    for tool in tools() {
        let name = tool["name"].as_str().unwrap();
        let takes = tool["inputSchema"]["properties"].get("connection").is_some();
        assert_eq!(sentence.contains(name), !takes, "{name}: {sentence}");
    }
}

#[test]
fn a_schema_stands_by_itself_and_says_what_there_is() {
    for tool in tools() {
        let name = tool["name"].as_str().unwrap();
        // 2026-07-28, tools: names.
        assert!(
            name.len() <= 128
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
        );
        assert!(tool["description"].as_str().is_some_and(|text| text.ends_with('.')), "{tool:#}");
        assert_eq!(tool["inputSchema"]["type"], "object", "{name}");
        let mut left = vec![&tool["inputSchema"]];
        while let Some(value) = left.pop() {
            assert!(value.get("$ref").is_none(), "{name}: {value}");
            left.extend(value.as_object().into_iter().flat_map(|fields| fields.values()));
            left.extend(value.as_array().into_iter().flatten());
        }
        for required in tool["inputSchema"]["required"].as_array().into_iter().flatten() {
            let field = &tool["inputSchema"]["properties"][required.as_str().unwrap()];
            assert!(field.is_object(), "{name}: {required}");
        }
    }
}

#[test]
fn no_tool_takes_a_key() {
    let catalog: Value = serde_json::from_str(&gcf_catalog::describe()).unwrap();
    let (mut left, mut secret) = (vec![&catalog], Vec::new());
    while let Some(value) = left.pop() {
        let fields = value["properties"].as_object().into_iter().flatten();
        secret.extend(fields.filter(|(_, schema)| schema["x-secret"] == true).map(|(name, _)| name.as_str()));
        left.extend(value.as_object().into_iter().flat_map(|fields| fields.values()));
        left.extend(value.as_array().into_iter().flatten());
    }
    // By the catalog, and two that must be among them.
    assert!(secret.contains(&"authorization") && secret.contains(&"credential"), "{secret:?}");
    let tools = json!(tools());
    let (mut left, mut fields) = (vec![&tools], Vec::new());
    while let Some(value) = left.pop() {
        fields.extend(value["properties"].as_object().into_iter().flat_map(|fields| fields.keys()));
        left.extend(value.as_object().into_iter().flat_map(|fields| fields.values()));
        left.extend(value.as_array().into_iter().flatten());
    }
    assert!(fields.len() > 30, "{fields:?}");
    assert_eq!(fields.iter().find(|name| secret.contains(&name.as_str())), None);
}
