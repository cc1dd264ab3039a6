//! JSON of any shape. With derived structs for header, claims and keys, each with its own copy of the
//! parser, the component was 12,000 bytes larger. Unlike that of `serde_json`, this value lets no name
//! stand twice, and has no map.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};

use crate::json;

/// Any JSON, as far as tokens and keys need it.
pub(super) enum Value {
    Null,
    Flag(bool),
    Number(u64),
    /// A negative number or a fraction, which no field holds.
    OtherNumber,
    Text(String),
    List(Vec<Value>),
    Object(Object),
}

/// Fields in the order in which they were written, each name once.
pub(super) struct Object(Vec<(String, Value)>);

impl Object {
    /// Reads an object, or nothing if it is none.
    pub(super) fn read(json: &[u8]) -> Option<Self> {
        if let Value::Object(object) = json::read(json).ok()? { Some(object) } else { None }
    }

    /// A field, whatever it holds: one that is `null` was written.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    /// A field that has to be text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::text)
    }

    /// A field that has to be a number.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        if let Value::Number(number) = self.get(name)? { Some(*number) } else { None }
    }

    /// A field that has to be a list.
    pub(super) fn list(&self, name: &str) -> Option<&[Value]> {
        if let Value::List(list) = self.get(name)? { Some(list) } else { None }
    }
}

impl Value {
    /// Whether this is text, and which.
    pub(super) fn is(&self, text: &str) -> bool {
        self.text() == Some(text)
    }

    fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The object that this is.
    pub(super) fn object(&self) -> Option<&Object> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::OtherNumber)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::OtherNumber)
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut object = Object(Vec::new());
        while let Some((name, value)) = fields.next_entry::<String, Value>()? {
            // Which of the two somebody else would read is unknown.
            if object.get(&name).is_some() {
                return Err(A::Error::duplicate_field("of an object"));
            }
            object.0.push((name, value));
        }
        Ok(Value::Object(object))
    }
}
