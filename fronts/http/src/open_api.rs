//! The API as OpenAPI 3.1, whose schemas are those of the catalog: JSON Schema 2020-12 both.

use gcf_front::ACTIONS;
use serde_json::{Map, Value, json};

use crate::routes::PREFIX;

/// The document.
pub(crate) fn make(catalog: &Value) -> Value {
    let described = |name: &str| catalog["actions"].as_array()?.iter().find(|action| action["name"] == name);
    let longest = &catalog["limits"]["deadline-ms"]["max"];
    let paths = ACTIONS.iter().map(|action| {
        let operation = operation(action, described(action.name).unwrap_or(&Value::Null), longest);
        (format!("{PREFIX}{}", action.path), json!({ "post": operation }))
    });
    let paths: Map<String, Value> = paths.collect();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": catalog["title"], "version": catalog["version"],
            "description": format!("The actions of {} over HTTP.", catalog["contract"].as_str().unwrap_or_default()),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "schemas": catalog["$defs"],
        },
    });
    refer_to_components(&mut document);
    document
}

fn operation(action: &gcf_front::Action, described: &Value, longest: &Value) -> Value {
    let parameter = |name: &str| match name {
        "connection" | "id" => Some(json!({
            "name": "connection", "in": "query", "required": true,
            "description": "The id of the connection.", "schema": { "type": "string" },
        })),
        "deadline-ms" => Some(json!({
            "name": "deadline-ms", "in": "query",
            "description": "The time for the whole call, in milliseconds.",
            "schema": { "type": "integer", "minimum": 1, "maximum": longest, "default": described["deadline-ms"] },
        })),
        _ => None,
    };
    let parameters: Vec<_> = action.parameters.iter().filter_map(|name| parameter(name)).collect();
    let json_of = |schema: &Value| json!({ "application/json": { "schema": schema } });
    let nothing = json!({ "type": "object", "additionalProperties": false });
    let text = json!({ "type": "string", "contentMediaType": "application/json" });
    let or = |schema: &'static str, otherwise| described.get(schema).unwrap_or(otherwise);
    let error = json!({ "$ref": "#/$defs/error" });
    let mut operation = json!({
        "operationId": action.name.replace('.', "-"),
        "tags": [action.name.split('.').next()],
        "parameters": parameters,
        "requestBody": { "required": true, "content": json_of(or("input", &nothing)) },
        "responses": {
            "200": { "description": "What the action returns.", "content": json_of(or("output", &text)) },
            "default": { "description": "Why there is nothing to return.", "content": json_of(&error) },
        },
    });
    for (from, to) in [("title", "summary"), ("description", "description"), ("effects", "x-effects")] {
        if let Some(value) = described.get(from) {
            operation[to] = value.clone();
        }
    }
    operation
}

/// Turns references to the catalog's definitions into references to the document's own.
fn refer_to_components(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if let ("$ref", Value::String(reference)) = (name.as_str(), &mut *value) {
                    *reference = reference.replacen("#/$defs/", "#/components/schemas/", 1);
                } else {
                    refer_to_components(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(refer_to_components),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
