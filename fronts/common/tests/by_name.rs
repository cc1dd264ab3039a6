//! The conversions against `gcf_host::Host::call_by_name`: every call that `tests/src/schemas.rs` makes, with the answer
//! that it got from the shipping component in the host. `cargo xtask fronts --test` has it leave them here.

use std::{collections::BTreeMap, fs, path::PathBuf};

use gcf_front::{ACTIONS, Failure, action};
use serde_json::{Value, json};

/// The fix of an input that does not fit; any other error of an input is the connector's own.
const UNFIT: &str = "the action's `input` in the catalog says what it takes";

fn calls() -> Vec<Value> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let target = std::env::var_os("GCF_TARGET").map_or_else(|| root.join("target"), PathBuf::from);
    let read = |name: &str| {
        let path = target.join(format!("by-name/{name}.jsonl"));
        fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask fronts --test`", path.display()))
    };
    let texts = ["every-action", "forms", "mistakes"].map(read);
    texts
        .iter()
        .flat_map(|text| text.lines())
        .map(|line| serde_json::from_str(line).expect("a call is JSON"))
        .collect()
}

#[test]
fn what_the_host_refuses_is_refused_in_the_same_words_and_nothing_else() {
    let mut counts = BTreeMap::new();
    for call in calls() {
        let (name, input, answer) = (call["action"].as_str().unwrap(), &call["input"], &call["answer"]);
        let read = action(name).and_then(|action| action.read_input(input));
        let (case, refused) = match read {
            Err(failure) => ("refused", Some(failure.into_json())),
            Ok(_) if answer["error"]["fix"] == UNFIT => panic!("{name} takes {input:#}"),
            Ok(_) => ("taken", None),
        };
        if let Some(error) = refused {
            assert_eq!(error, answer["error"], "{name}: {input:#}");
        }
        *counts.entry(case).or_insert(0) += 1;
    }
    assert!(counts["refused"] > 150 && counts["taken"] > 20, "{counts:?}");
}

#[test]
fn what_the_connector_answers_is_written_as_the_host_writes_it() {
    let mut outputs = BTreeMap::new();
    for call in calls() {
        let (name, answer) = (call["action"].as_str().unwrap(), &call["answer"]);
        if let Some(output) = answer.get("ok") {
            assert_eq!(&action(name).unwrap().read_output(output).unwrap(), output, "{name}");
            *outputs.entry(name.to_owned()).or_insert(0) += 1;
        } else {
            let failure = Failure::from_json(&answer["error"]).unwrap();
            assert_eq!(failure.into_json(), answer["error"], "{name}");
        }
    }
    let described = ACTIONS.iter().map(|action| action.name).filter(|name| *name != "catalog.describe");
    assert_eq!(outputs.keys().map(String::as_str).collect::<Vec<_>>(), sorted(described));
}

#[test]
fn nothing_of_an_input_is_lost() {
    let mut compared = 0;
    for call in calls().into_iter().filter(|call| call["answer"].get("ok").is_some()) {
        let action = action(call["action"].as_str().unwrap()).unwrap();
        let read = action.read_input(&call["input"]).unwrap();
        assert_eq!(action.read_input(&read).unwrap(), read, "{}", action.name);
        compared += usize::from(holds(&read, &call["input"]));
        assert!(holds(&read, &call["input"]), "{}: {:#} of {:#}", action.name, read, call["input"]);
    }
    assert!(compared > 20, "{compared}");
}

/// Tells whether every field that was given, and not blank, is there with its value.
fn holds(read: &Value, given: &Value) -> bool {
    let blank = |value: &Value| value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
    match given {
        Value::Object(fields) => fields.iter().all(|(name, value)| blank(value) || holds(&read[name], value)),
        Value::Array(items) => {
            let same = read.as_array().is_some_and(|read| read.len() == items.len());
            same && items.iter().enumerate().all(|(at, item)| holds(&read[at], item))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => read == given || blank(given),
    }
}

#[test]
fn every_action_of_the_catalog_is_there() {
    let catalog: Value = serde_json::from_str(&gcf_catalog::describe()).unwrap();
    let described = catalog["actions"].as_array().unwrap().iter();
    let described = described.map(|action| action["name"].as_str().unwrap()).chain(["catalog.describe"]);
    assert_eq!(sorted(ACTIONS.iter().map(|action| action.name)), sorted(described));
    for described in catalog["actions"].as_array().unwrap() {
        let action = action(described["plain-name"].as_str().unwrap()).unwrap();
        assert_eq!(json!(action.parameters), described["parameters"], "{}", action.name);
    }
}

#[test]
fn the_defaults_are_those_of_the_catalog() {
    let catalog: Value = serde_json::from_str(&gcf_catalog::describe()).unwrap();
    let mut found = 0;
    for (name, input) in [
        ("functions.invoke", json!({"function": {"url": "https://a.run.app"}})),
        ("functions.list", json!({})),
        ("api.custom-api", json!({"path": "/v2/x"})),
        ("connections.connect", json!({"nickname": "n", "credential": {"google-json": "{}"}})),
    ] {
        let read = action(name).unwrap().read_input(&input).unwrap();
        let described = catalog["actions"].as_array().unwrap().iter().find(|it| it["name"] == name).unwrap();
        let schema = match described["input"]["$ref"].as_str() {
            Some(reference) => catalog.pointer(&reference[1..]).unwrap(),
            None => &described["input"],
        };
        for (field, schema) in schema["properties"].as_object().unwrap() {
            let is_required = schema.get("default").filter(|_| input.get(field).is_none());
            if let (Some(default), Some(read)) = (is_required, read.get(field)) {
                assert_eq!(read, default, "{name}: {field}");
                found += 1;
            }
        }
    }
    assert!(found >= 8, "{found}");
}

#[test]
fn only_what_may_hold_a_body_says_so() {
    let holding = ACTIONS.iter().filter(|action| action.holds_a_body).map(|action| action.name);
    let expected = ["functions.invoke", "api.custom-api", "api.all-pages", "planning.plan"];
    assert_eq!(sorted(holding), sorted(expected));
}

fn sorted<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names: Vec<_> = names.into_iter().collect();
    names.sort_unstable();
    names
}
