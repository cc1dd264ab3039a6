//! The fields that no model may fill in.

use std::collections::BTreeSet;

use serde_json::Value;

/// The names of the fields that the catalog marks as secret, in all that these tools take.
///
/// A name is refused wherever it stands, so it must not be that of another field too.
pub(crate) fn names<'c>(catalog: &'c Value, tools: &[&str]) -> BTreeSet<&'c str> {
    let actions = catalog["actions"].as_array().expect("the catalog has actions").iter();
    let tools = actions.filter(|action| tools.iter().any(|name| action["plain-name"] == *name));
    let mut left: Vec<_> = tools.map(|action| &action["input"]).collect();
    let (mut seen, mut secret, mut plain) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    while let Some(value) = left.pop() {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(reference)) = fields.get("$ref")
                    && seen.insert(reference)
                {
                    left.push(catalog.pointer(&reference[1..]).expect("references lead to definitions"));
                }
                for (name, schema) in
                    fields.get("properties").and_then(Value::as_object).into_iter().flatten()
                {
                    let names = if schema["x-secret"] == true { &mut secret } else { &mut plain };
                    names.insert(name.as_str());
                }
                left.extend(fields.values());
            }
            Value::Array(items) => left.extend(items),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let both: Vec<_> = secret.intersection(&plain).collect();
    assert!(both.is_empty(), "secret in one place, and not in another: {both:?}");
    secret
}
