//! The catalog against the code: every figure, host, role and form that it states.

use gcf_core::{
    base::error::Cause,
    call::{
        MAX_PAGES, MAX_REPEATS, deadlines,
        repeats::{BURST, SECONDS_PER_REPEAT},
    },
    google::{
        hosts::{Api, KEYS_HOST, STS_HOST, TOKEN_HOST},
        names::DEFAULT_REGION,
        request::{MAX_API_RESPONSE, MAX_FUNCTION_RESPONSE},
    },
    sign_in::oauth::SCOPES,
};
use serde_json::{Value, json};

use crate::describe;

fn catalog() -> Value {
    serde_json::from_str(&describe()).unwrap()
}

#[test]
fn exactly_the_hosts_that_a_request_can_go_to_are_in_the_manifest() {
    let catalog = catalog();
    let mut hosts: Vec<_> =
        Api::ALL.map(|api| json!({"host": api.host(), "carries": ["access-token"]})).into();
    for (host, carries) in [(TOKEN_HOST, "assertion"), (STS_HOST, "assertion"), (KEYS_HOST, "none")] {
        hosts.push(json!({"host": host, "carries": [carries]}));
    }
    hosts.push(json!({"host-suffix": ".run.app", "labels": [2, 2], "carries": ["id-token", "none"]}));
    hosts.push(
        json!({"host-suffix": ".cloudfunctions.net", "labels": [1, 1], "carries": ["id-token", "none"]}),
    );
    assert_eq!(catalog["egress"], json!(hosts));
    assert_eq!(
        catalog["apis"],
        json!(Api::CUSTOM.map(|api| json!({"name": api.name(), "host": api.host()})))
    );
}

#[test]
fn the_contract_explains_every_cause_and_no_other() {
    let contract = include_str!("../../../wit/types.wit");
    let rows = contract.lines().filter_map(|line| line.trim().strip_prefix("/// | `"));
    let explained: Vec<_> = rows.map(|row| row.split('`').next().unwrap()).collect();
    assert_eq!(explained, Cause::ALL.map(Cause::as_str));
}

#[test]
fn figures_are_those_of_the_code() {
    let catalog = catalog();
    assert_eq!(catalog["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(catalog["scopes"], json!(SCOPES));
    assert_eq!(catalog["connection"]["properties"]["region"]["default"], DEFAULT_REGION);
    let limits = &catalog["limits"];
    assert_eq!(limits["api-response-bytes"], MAX_API_RESPONSE);
    assert_eq!(limits["function-response-bytes"], MAX_FUNCTION_RESPONSE);
    assert_eq!(
        limits["repeats"],
        json!({"call": MAX_REPEATS, "connection": BURST, "seconds-per-repeat": SECONDS_PER_REPEAT})
    );
    assert_eq!(limits["pages"], MAX_PAGES);
    assert_eq!(limits["deadline-ms"]["default"], json!(u64::try_from(deadlines::API.as_millis()).unwrap()));
    assert_eq!(limits["deadline-ms"]["invoke"], json!(u64::try_from(deadlines::INVOKE.as_millis()).unwrap()));
    assert_eq!(limits["deadline-ms"]["max"], json!(u64::try_from(deadlines::MAX.as_millis()).unwrap()));
}

#[test]
fn actions_say_what_they_do_to_the_world() {
    let catalog = catalog();
    let effects = |name: &str| {
        actions(&catalog).into_iter().find(|action| action["name"] == name).unwrap()["effects"].clone()
    };
    assert_eq!(effects("functions.list")["read-only"], true);
    assert_eq!(effects("functions.invoke")["destructive"], true);
    assert_eq!(effects("api.custom-api")["open-world"], true);
    assert_eq!(effects("connections.check")["read-only"], true);
    assert_eq!(effects("connections.reauthorize")["destructive"], true);
    assert_eq!(effects("connections.rename")["idempotent"], true);
}

#[test]
fn the_form_offers_every_kind_of_credential() {
    let catalog = catalog();
    let form = &catalog["connection"]["properties"];
    let kinds: Vec<_> = form["credential"]["oneOf"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kind| kind["required"][0].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["google-json", "client", "stored-key", "supplied-token", "injected-token"]);
    let sign_in = form["credential"]["oneOf"][1].clone();
    let authorize = actions(&catalog).into_iter().find(|action| action["name"] == sign_in["x-action"]);
    let input = resolved(&catalog, &authorize.unwrap()["input"])["properties"].as_object().unwrap().clone();
    for field in sign_in["properties"].as_object().unwrap().keys().chain([&"invoker".to_owned()]) {
        assert!(input.contains_key(field), "{field}");
    }
    assert_eq!(form["subject-token"]["default"], "supplied/subject-token");
}

fn actions(catalog: &Value) -> Vec<Value> {
    catalog["actions"].as_array().unwrap().clone()
}

/// The schema itself, if this is a reference to one.
fn resolved(catalog: &Value, schema: &Value) -> Value {
    match schema["$ref"].as_str() {
        Some(reference) => catalog.pointer(reference.strip_prefix('#').unwrap()).unwrap().clone(),
        None => schema.clone(),
    }
}

/// Every schema in the document, with where it is.
fn schemas(catalog: &Value) -> Vec<(String, Value)> {
    let defs = catalog["$defs"].as_object().unwrap().iter();
    let mut found: Vec<_> = defs.map(|(name, schema)| (name.clone(), schema.clone())).collect();
    found.push(("connection".to_owned(), catalog["connection"].clone()));
    for action in actions(catalog) {
        let name = action["name"].as_str().unwrap();
        found.push((name.to_owned(), action["input"].clone()));
        found.push((name.to_owned(), action["output"].clone()));
    }
    found
}

#[test]
fn every_action_every_field_and_every_case_has_a_label_or_a_help() {
    let catalog = catalog();
    let says = |schema: &Value| schema["title"].is_string() || schema["description"].is_string();
    for action in actions(&catalog) {
        assert!(action["title"].is_string() && action["description"].is_string(), "{}", action["name"]);
    }
    for (name, schema) in schemas(&catalog) {
        for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
            assert!(says(schema), "{name}.{field}");
        }
        for case in schema["oneOf"].as_array().into_iter().flatten() {
            assert!(says(case), "{name}: {case}");
        }
    }
}

#[test]
fn what_is_asked_for_has_a_label_and_a_place_in_the_form() {
    let catalog = catalog();
    let mut todo: Vec<Value> = actions(&catalog).into_iter().map(|action| action["input"].clone()).collect();
    let mut seen = Vec::new();
    while let Some(schema) = todo.pop() {
        let schema = resolved(&catalog, &schema);
        if seen.contains(&schema) {
            continue;
        }
        let fields = schema["properties"].as_object().cloned().unwrap_or_default();
        let mut orders = Vec::new();
        for (field, schema) in &fields {
            // What is named by a case of a variant is no field of its own.
            if schema["x-order"].is_number() {
                assert!(schema["title"].is_string(), "{field}");
                assert!(!orders.contains(&schema["x-order"]), "{field}");
                orders.push(schema["x-order"].clone());
            }
            if let Some(beside) = schema["x-options"]["depends-on"].as_str() {
                assert!(fields.contains_key(beside), "{field}");
            }
        }
        todo.extend(fields.into_iter().map(|(_, schema)| schema));
        todo.extend(schema["oneOf"].as_array().cloned().unwrap_or_default());
        todo.extend(schema.get("items").cloned());
        seen.push(schema);
    }
    assert!(seen.len() > 20, "{}", seen.len());
}

#[test]
fn an_action_needs_the_smallest_roles_and_goes_to_hosts_of_the_manifest() {
    let catalog = catalog();
    let manifest = catalog["egress"].as_array().unwrap().iter();
    let hosts: Vec<_> = manifest.flat_map(|rule| [&rule["host"], &rule["host-suffix"]]).collect();
    for action in actions(&catalog) {
        let mut roles: Vec<&str> = Vec::new();
        for permission in action["permissions"].as_array().unwrap() {
            let role = gcf_core::google::refusal::api::smallest_role(permission.as_str().unwrap());
            roles.extend(role.filter(|role| !roles.contains(role)));
        }
        assert_eq!(action["roles"], json!(roles), "{}", action["name"]);
        for host in action["egress"].as_array().unwrap() {
            assert!(hosts.contains(&host), "{}: {host}", action["name"]);
        }
        let sends = !action["egress"].as_array().unwrap().is_empty();
        assert!(!sends || action["deadline-ms"].is_number(), "{}", action["name"]);
        for scope in action["scopes"].as_array().unwrap() {
            assert!(SCOPES.iter().any(|known| scope == known), "{}: {scope}", action["name"]);
        }
    }
}

#[test]
fn figures_in_hints_are_those_of_the_code() {
    let catalog = catalog();
    let names = json!(Api::CUSTOM.map(Api::name));
    assert_eq!(catalog["$defs"]["api-request"]["properties"]["api"]["enum"], names);
    for request in ["connect-request", "authorize-request"] {
        assert_eq!(catalog["$defs"][request]["properties"]["region"]["default"], DEFAULT_REGION);
    }
    for method in catalog["$defs"]["invoke-request"]["properties"]["method"]["enum"].as_array().unwrap() {
        assert!(gcf_core::base::http::Method::parse(method.as_str().unwrap()).is_some(), "{method}");
    }
}

#[test]
fn what_is_secret_is_marked_so() {
    fn walk(value: &Value, marked: &mut Vec<String>, plain: &mut Vec<String>) {
        for (name, value) in value.as_object().into_iter().flatten() {
            if value["x-secret"] == true {
                marked.push(name.clone());
            } else if value["contentMediaType"].is_string() {
                plain.push(name.clone());
            }
            walk(value, marked, plain);
        }
        value.as_array().into_iter().flatten().for_each(|value| walk(value, marked, plain));
    }
    let (mut marked, mut plain) = (Vec::new(), Vec::new());
    walk(&catalog(), &mut marked, &mut plain);
    assert!(plain.is_empty(), "{plain:?}");
    for name in ["credential", "google-json", "client", "authorization", "callback-url"] {
        assert!(marked.iter().any(|marked| marked == name), "{name}");
    }
}
