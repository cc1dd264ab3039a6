//! Schemas of the catalog, made small: a model reads all of them before it calls one.

use serde_json::{Map, Value, json};

/// The first paragraph of a description.
pub(crate) fn paragraph(text: &str) -> &str {
    text.split('\n').next().unwrap_or_default()
}

/// The first sentence of a description.
fn sentence(text: &str) -> &str {
    let text = paragraph(text);
    text.find(". ").map_or(text, |end| &text[..=end])
}

/// A schema without what only a form needs: references are replaced by what they stand for, a description is one
/// sentence, and what is marked as advanced is left out. The connector takes that all the same.
pub(crate) fn schema(schema: &Value, definitions: &Value) -> Value {
    let Value::Object(fields) = schema else { return schema.clone() };
    let mut lean = match fields.get("$ref").and_then(Value::as_str) {
        Some(reference) => {
            let name = reference.strip_prefix("#/$defs/").expect("references lead to definitions");
            let lean = self::schema(&definitions[name], definitions);
            lean.as_object().expect("a definition is an object").clone()
        }
        None => Map::new(),
    };
    for (name, value) in fields {
        let value = match (name.as_str(), value) {
            // The connector refuses what it does not know, and says what may have been meant.
            ("$ref" | "title" | "examples" | "additionalProperties", _) => continue,
            (other, _) if other.starts_with("x-") => continue,
            ("maximum", bound) if *bound == u32::MAX => continue,
            ("required", Value::Array(names)) if names.is_empty() => continue,
            ("default", Value::Array(_) | Value::Object(_)) => continue,
            ("default", Value::String(text)) if text.is_empty() => continue,
            ("description", Value::String(text)) => sentence(text).into(),
            ("properties", Value::Object(properties)) => properties_of(properties, definitions),
            ("oneOf" | "anyOf" | "prefixItems", Value::Array(cases)) => {
                cases.iter().map(|case| self::schema(case, definitions)).collect()
            }
            ("items", items) => self::schema(items, definitions),
            (_, other) => other.clone(),
        };
        lean.insert(name.clone(), value);
    }
    Value::Object(lean)
}

fn properties_of(properties: &Map<String, Value>, definitions: &Value) -> Value {
    let is_shown = |schema: &Value| schema["x-advanced"] != true && schema["x-secret"] != true;
    let shown = properties.iter().filter(|(_, schema)| is_shown(schema));
    Value::Object(shown.map(|(name, schema)| (name.clone(), self::schema(schema, definitions))).collect())
}

/// The calls that can be planned: those of the tools, whose arguments are described there.
pub(crate) fn calls(catalog: &Value, tools: &[&str]) -> Value {
    let definitions = &catalog["$defs"];
    let cases = definitions["action"]["oneOf"].as_array().expect("a call is one of several").iter();
    let cases = cases.filter_map(|case| {
        let (name, given) = case["properties"].as_object()?.iter().next()?;
        if !tools.contains(&name.as_str()) {
            return None;
        }
        let is_whole = given["$ref"].as_str().is_some_and(|reference| reference.ends_with("-request"));
        let given = match is_whole {
            true => json!({ "type": "object", "description": "The arguments of that tool." }),
            false => json!({ "description": "The `function` of that tool." }),
        };
        Some(json!({ "type": "object", "properties": { name: given }, "required": [name] }))
    });
    json!({ "oneOf": cases.collect::<Vec<_>>(), "description": "The call, without its connection." })
}
