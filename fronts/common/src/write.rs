//! Values of the contract as JSON. A `none` is left out of a record, which the build sees to.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

/// Writes by a writer that the build has written out.
pub(crate) fn by<T>(value: T, writer: impl FnOnce(T) -> Value) -> Value {
    writer(value)
}

pub(crate) fn bytes(value: Vec<u8>) -> Value {
    STANDARD.encode(value).into()
}

pub(crate) fn list<T>(list: Vec<T>, item: impl Fn(T) -> Value) -> Value {
    list.into_iter().map(item).collect()
}

pub(crate) fn option<T>(value: Option<T>, inner: impl Fn(T) -> Value) -> Value {
    value.map_or(Value::Null, inner)
}

pub(crate) fn case(name: &str, payload: Value) -> Value {
    Value::Object(Map::from_iter([(name.to_owned(), payload)]))
}
