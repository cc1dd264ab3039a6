//! Bodies with every field that their shape has.

use serde_json::{Map, Value, json};

use crate::table::Table;

/// The depth beyond which nothing is filled in: some shapes hold themselves.
const DEEPEST: usize = 8;

impl Table {
    /// A value of a shape with all of its fields. The `n`-th one has the `n`-th value of each enum, so that as
    /// many as the longest enum has show each of its values.
    #[must_use]
    pub fn filled(&self, shape: &Value, n: usize) -> Value {
        self.fill("value", shape, n, 0).unwrap_or(Value::Null)
    }

    /// The number of values that show each value of each enum of a shape.
    #[must_use]
    pub fn variety(&self, shape: &Value) -> usize {
        self.longest_enum(shape, 0)
    }

    fn longest_enum(&self, shape: &Value, depth: usize) -> usize {
        if depth > DEEPEST {
            return 1;
        }
        match self.resolved(shape) {
            Value::Array(items) => self.longest_enum(&items[0], depth + 1),
            Value::Object(fields) => {
                fields.values().map(|field| self.longest_enum(field, depth + 1)).max().unwrap_or(1)
            }
            Value::String(name) => name.strip_prefix("enum ").map_or(1, |names| names.split(' ').count()),
            Value::Null | Value::Bool(_) | Value::Number(_) => 1,
        }
    }

    fn fill(&self, name: &str, shape: &Value, n: usize, depth: usize) -> Option<Value> {
        if depth > DEEPEST {
            return None;
        }
        Some(match self.resolved(shape) {
            Value::Array(items) => self.fill(name, &items[0], n, depth + 1).into_iter().collect(),
            Value::Object(fields) => {
                let each = fields.iter().filter_map(|(name, field)| {
                    let key = if name == "*" { "key" } else { name };
                    Some((key.to_owned(), self.fill(key, field, n, depth + 1)?))
                });
                each.collect::<Map<_, _>>().into()
            }
            Value::String(kind) => Self::scalar_of(name, kind, n),
            Value::Null | Value::Bool(_) | Value::Number(_) => panic!("the shape of {name} is {shape}"),
        })
    }

    fn scalar_of(name: &str, kind: &str, n: usize) -> Value {
        match kind {
            "any" => json!({"any": name}),
            "string" => json!(format!("{name}-{n}")),
            "bytes" => json!("AAEC/w=="),
            "boolean" => json!(n.is_multiple_of(2)),
            "integer" => json!(n + 1),
            "number" => json!(1.5),
            "int64" => json!("9007199254740993"),
            "datetime" => json!("2026-01-02T03:04:05.678901234Z"),
            "duration" => json!("61.5s"),
            "rpc/Detail" => json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "NONE"}),
            _ => {
                let names: Vec<_> =
                    kind.strip_prefix("enum ").expect("a shape or a scalar").split(' ').collect();
                json!(names[n % names.len()])
            }
        }
    }
}

/// Lays a value over another one: objects by field, everything else as a whole; `null` takes a field away.
pub fn lay(over: &Value, under: &mut Value) {
    let (Value::Object(over), Value::Object(under)) = (over, &mut *under) else {
        *under = over.clone();
        return;
    };
    for (name, value) in over {
        if value.is_null() {
            under.remove(name);
        } else {
            lay(value, under.entry(name.clone()).or_insert(Value::Null));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::lay;
    use crate::table::Table;

    #[test]
    fn filled_bodies_are_whole_and_fit_their_shapes() {
        let table = Table::google();
        for (shape, least) in [
            ("cloudfunctions.v2/Function", 16),
            ("run.v2/GoogleCloudRunV2Service", 40),
            ("run.v1/Service", 5),
        ] {
            let shape = json!(shape);
            let variety = table.variety(&shape);
            for n in 0..variety {
                let value = table.filled(&shape, n);
                table.check("x", &value, &shape).unwrap();
                assert!(value.as_object().unwrap().len() >= least, "{value}");
            }
        }
        let states: Vec<Value> =
            (0..8).map(|n| table.filled(&json!("cloudfunctions.v2/Function"), n)["state"].take()).collect();
        assert!(states.contains(&json!("DETACH_FAILED")), "{states:?}");
    }

    #[test]
    fn a_value_is_laid_over_another_one() {
        let mut under = json!({"a": 1, "b": {"c": 2, "d": 3}, "e": [1]});
        lay(&json!({"a": null, "b": {"c": 4}, "e": [2, 3], "f": 5}), &mut under);
        assert_eq!(under, json!({"b": {"c": 4, "d": 3}, "e": [2, 3], "f": 5}));
    }
}
