//! A call of a tool as a call of the connector.

use gcf_front::{Action, Answer, Failure, Given, beside, each, shortened};
use serde_json::{Map, Value, json};

use crate::{
    message::Fault,
    names::{DESCRIBE, TOOLS},
    result,
    server::Connector,
    version::Era,
};

/// The actions behind the tools, in the order of their names. No other is in this front: what is not imported cannot be
/// called, whatever a model says.
pub(crate) static ACTIONS: [&Action; TOOLS.len()] = [
    &each::CONNECTIONS_LIST,
    &each::CONNECTIONS_CHECK,
    &each::FUNCTIONS_LIST,
    &each::FUNCTIONS_GET,
    &each::FUNCTIONS_INVOKE,
    &each::API_CUSTOM_API,
    &each::PLANNING_PLAN,
];

/// The names of the fields that the catalog marks as secret.
const SECRET: &[&str] = include!(concat!(env!("OUT_DIR"), "/secret.rs"));

/// Calls a tool. The arguments are taken out of the parameters.
pub(crate) fn call(era: Era, params: &mut Value, connector: &Connector<'_>) -> Result<Value, Fault> {
    let Value::Object(arguments) = beside::fields(params["arguments"].take()) else {
        return Err(Fault::params("arguments is not an object".to_owned()));
    };
    let Some(name) = params["name"].as_str() else { return Err(Fault::params("name is missing".to_owned())) };
    let answer = match TOOLS.iter().position(|tool| *tool == name) {
        Some(tool) => perform(ACTIONS[tool], arguments, connector),
        None if name == DESCRIBE => describe(&arguments, connector),
        None => return Err(Fault::params(format!("Unknown tool: {}", shortened(name)))),
    };
    Ok(match answer {
        Ok(output) => result::done(era, output),
        Err(failure) => result::failed(failure),
    })
}

fn perform(action: &Action, mut arguments: Map<String, Value>, connector: &Connector<'_>) -> Answer {
    let mut take = |name: &str, parameters: &[&str]| {
        let given = arguments.remove(name).unwrap_or_default();
        let is_taken = action.parameters.iter().any(|parameter| parameters.contains(parameter));
        if is_taken || given.is_null() { Ok(given) } else { Err(not_taken(name)) }
    };
    let connection = beside::connection(take("connection", &["connection", "id"])?)?;
    let deadline_ms = beside::deadline_ms(&take("deadline-ms", &["deadline-ms"])?)?;
    if action.name == each::PLANNING_PLAN.name {
        is_of_a_tool(arguments.get("action"))?;
    }
    let input = Value::Object(arguments);
    if let Some(field) = secret(&input) {
        let fix = "leave it out: no tool takes a secret, and the connection signs in by itself";
        return Err(Failure::invalid(&field, &format!("{field} is secret"), fix));
    }
    (connector.perform)(action, Given { connection: &connection, input: &input, deadline_ms })
}

fn not_taken(name: &str) -> Failure {
    let name = shortened(name);
    Failure::invalid(name, &format!("the tool takes no {name}"), "leave it out")
}

/// The path of a field with a secret in it: a model would have it in its context, and so would whoever serves the model.
fn secret(value: &Value) -> Option<String> {
    match value {
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            if SECRET.contains(&name.as_str()) {
                return (!value.is_null()).then(|| name.clone());
            }
            secret(value).map(|inside| format!("{}.{inside}", shortened(name)))
        }),
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(index, item)| secret(item).map(|inside| format!("{index}.{inside}")))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// Refuses to plan what is no tool: the plan of a connection takes its key.
fn is_of_a_tool(planned: Option<&Value>) -> Result<(), Failure> {
    let name = match planned {
        Some(Value::String(name)) => Some(name.as_str()),
        Some(Value::Object(fields)) => fields.keys().map(String::as_str).find(|name| !TOOLS.contains(name)),
        // The connector says what it should be.
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_)) | None => None,
    };
    match name.filter(|name| !TOOLS.contains(name)) {
        None => Ok(()),
        Some(name) => {
            let why = format!("{} cannot be planned here", shortened(name));
            Err(Failure::invalid("action", &why, "plan a call of one of the tools"))
        }
    }
}

/// All that the catalog says of an action, with the definitions that it refers to; or what there is.
fn describe(arguments: &Map<String, Value>, connector: &Connector<'_>) -> Answer {
    if let Some(name) = arguments.keys().find(|name| *name != "action") {
        return Err(not_taken(name));
    }
    let catalog: Value = serde_json::from_str(&(connector.describe)()).unwrap_or_default();
    let actions = catalog["actions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let name = match arguments.get("action") {
        None | Some(Value::Null) => {
            let names = actions
                .iter()
                .map(|action| json!({ "name": action["plain-name"], "title": action["title"] }));
            return Ok(json!({ "actions": names.collect::<Vec<_>>() }));
        }
        Some(name) => name,
    };
    let described = actions.iter().find(|action| action["name"] == *name || action["plain-name"] == *name);
    let described = described.ok_or_else(|| {
        let fix = "leave it out: then the answer is what there is";
        Failure::invalid("action", "there is no such action", fix)
    })?;
    let mut definitions = Map::new();
    let mut left = vec![described];
    while let Some(value) = left.pop() {
        if let Some(reference) =
            value.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix("#/$defs/"))
            && !definitions.contains_key(reference)
        {
            let definition = &catalog["$defs"][reference];
            definitions.insert(reference.to_owned(), definition.clone());
            left.push(definition);
        }
        match value {
            Value::Object(fields) => left.extend(fields.values()),
            Value::Array(items) => left.extend(items),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    Ok(json!({ "action": described, "$defs": definitions }))
}
