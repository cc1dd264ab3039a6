//! The part of a message that stands beside an input, or in its place. `null` is the same as nothing: programs write it of
//! what they do not have.

use serde_json::{Map, Value};

use crate::call::Failure;

/// The id of a connection; empty if there is none.
///
/// # Errors
/// It is not text.
pub fn connection(given: Value) -> Result<String, Failure> {
    match given {
        Value::Null => Ok(String::new()),
        Value::String(id) => Ok(id),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            let fix = "give the id of a connection as text; connections.list has them";
            Err(Failure::invalid("connection", "connection is not text", fix))
        }
    }
}

/// The time for a call, if one is given.
///
/// # Errors
/// It is not a number of milliseconds.
pub fn deadline_ms(given: &Value) -> Result<Option<u32>, Failure> {
    if given.is_null() {
        return Ok(None);
    }
    let millis = given.as_u64().and_then(|millis| millis.try_into().ok());
    let why = "deadline-ms is not a number of milliseconds";
    let fix = "give a whole number of milliseconds, or leave it out";
    millis.map(Some).ok_or_else(|| Failure::invalid("deadline-ms", why, fix))
}

/// An input; one without fields if there is none.
#[must_use]
pub fn fields(given: Value) -> Value {
    if given.is_null() { Value::Object(Map::new()) } else { given }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn null_is_the_same_as_nothing() {
        assert_eq!(connection(Value::Null).unwrap(), "");
        assert_eq!(deadline_ms(&Value::Null).unwrap(), None);
        assert_eq!(fields(Value::Null), json!({}));
    }

    #[test]
    fn what_is_given_is_read_and_nothing_else() {
        assert_eq!(connection(json!("a")).unwrap(), "a");
        assert_eq!(deadline_ms(&json!(1500)).unwrap(), Some(1500));
        for given in [json!({"a": 1}), json!([]), json!(1), json!("")] {
            assert_eq!(fields(given.clone()), given);
        }
        for given in [json!(1), json!(false), json!(["a"]), json!({})] {
            let error = connection(given).unwrap_err().into_json();
            assert_eq!(error["details"], json!([["field", "connection"]]));
        }
        for given in [json!("1500"), json!(-1), json!(1.5), json!(4_294_967_296_u64), json!([])] {
            let error = deadline_ms(&given).unwrap_err().into_json();
            assert_eq!(error["details"], json!([["field", "deadline-ms"]]), "{given}");
        }
    }
}
