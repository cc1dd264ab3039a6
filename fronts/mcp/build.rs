//! Makes the list of tools from the catalog: what a model needs to call them, and no more. And the list of what it may not
//! fill in.

#[path = "build/lean.rs"]
mod lean;
#[path = "src/names.rs"]
mod names;
#[path = "build/secrets.rs"]
mod secrets;

use std::{env, fs, path::Path};

use serde_json::{Map, Value, json};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=src/names.rs");
    let catalog: Value = serde_json::from_str(&gcf_catalog::describe()).expect("the catalog is JSON");
    let tools = names::TOOLS.iter().map(|name| tool(&catalog, name)).chain([describe()]);
    let server = json!({
        "serverInfo": { "name": catalog["name"], "title": catalog["title"], "version": catalog["version"] },
        "tools": tools.collect::<Vec<_>>(),
    });
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let write = |name: &str, text: String| {
        fs::write(Path::new(&out).join(name), text).expect("OUT_DIR can be written");
    };
    write("server.json", server.to_string());
    let secret: Vec<_> = secrets::names(&catalog, &names::TOOLS).into_iter().collect();
    write("secret.rs", format!("&{secret:?}"));
}

fn tool(catalog: &Value, name: &str) -> Value {
    let mut actions = catalog["actions"].as_array().expect("the catalog has actions").iter();
    let action = actions.find(|action| action["plain-name"] == name).expect("a tool is an action");
    let effect = |name: &str| action["effects"][name].clone();
    json!({
        "name": name,
        "title": action["title"],
        "description": lean::paragraph(action["description"].as_str().unwrap_or_default()),
        "inputSchema": input(catalog, action),
        "annotations": {
            "readOnlyHint": effect("read-only"),
            "destructiveHint": effect("destructive"),
            "idempotentHint": effect("idempotent"),
            "openWorldHint": effect("open-world"),
        },
    })
}

/// The arguments of a tool: the fields of the action's input, and what goes beside it.
fn input(catalog: &Value, action: &Value) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    let parameters = action["parameters"].as_array().expect("an action has parameters");
    if parameters.iter().any(|name| name == "connection" || name == "id") {
        let description = "An id that connections-list shows.";
        properties.insert("connection".to_owned(), json!({ "type": "string", "description": description }));
        required.push(json!("connection"));
    }
    let fields = lean::schema(&action["input"], &catalog["$defs"]);
    for (name, schema) in fields["properties"].as_object().into_iter().flatten() {
        properties.insert(name.clone(), schema.clone());
    }
    required.extend(fields["required"].as_array().into_iter().flatten().cloned());
    if action["plain-name"] == names::PLAN {
        properties.insert("action".to_owned(), lean::calls(catalog, &names::TOOLS));
    }
    if parameters.iter().any(|name| name == "deadline-ms") {
        let longest = &catalog["limits"]["deadline-ms"]["max"];
        properties
            .insert("deadline-ms".to_owned(), json!({ "type": "integer", "minimum": 1, "maximum": longest }));
    }
    json!({ "type": "object", "properties": properties, "required": required })
}

/// The tool that is no action with an input: it shows what the list leaves out.
fn describe() -> Value {
    json!({
        "name": names::DESCRIBE,
        "title": "Describe an action",
        "description": "All fields that an action takes and gives, those included that are left out here, as JSON Schema; \
            without `action`, what there is. No tool takes a field with `x-secret`.",
        "inputSchema": {
            "type": "object",
            "properties": { "action": { "type": "string", "description": "A name, such as functions-invoke." } },
        },
        "annotations": {
            "readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": false,
        },
    })
}
