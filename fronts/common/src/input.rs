//! An input as it arrives: bytes that somebody else wrote.

use std::{cell::Cell, fmt};

use serde_core::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::{
    call::{Action, Failure},
    read::At,
    types::{ErrorKind, Origin},
};

/// The longest input of an action that may hold a request's body, in bytes: 32 MiB, the most that a function takes, in
/// base64, and what stands around it.
const MAX_WITH_BODY: u64 = 48 << 20;

/// The longest input of any other action, in bytes.
const MAX: u64 = 1 << 20;

/// The most values of an input, those inside of others included: an object of one field takes some fifty times as much
/// memory as it has bytes, since a node of its map has room for eleven.
const MAX_VALUES: u32 = 100_000;

impl Action {
    /// The longest input, in bytes.
    #[must_use]
    pub fn max_input(&self) -> u64 {
        if self.holds_a_body { MAX_WITH_BODY } else { MAX }
    }
}

/// The JSON of an input. Nothing, or white space, is an input without fields.
///
/// # Errors
/// It is not JSON, it has too many values, or a name stands twice in an object: which of the two is meant, not everybody
/// who reads it agrees on (RFC 8259, section 4).
pub fn input(bytes: &[u8]) -> Result<Value, Failure> {
    if bytes.trim_ascii().is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let reading = Reading { left: Cell::new(MAX_VALUES), refused: Cell::default() };
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let read = Place { reading: &reading, at: &At::TOP }.deserialize(&mut json);
    let read = read.and_then(|value| json.end().map(|()| value));
    read.map_err(|error| {
        reading.refused.take().unwrap_or_else(|| {
            let why = format!("the input is not JSON, from line {} column {}", error.line(), error.column());
            Failure::invalid("", &why, "the action's `input` in the catalog says what it takes")
        })
    })
}

/// The count that all values of one input share.
struct Reading {
    /// The number of values that there may still be.
    left: Cell<u32>,
    /// The reason why it is refused, if it is JSON.
    refused: Cell<Option<Failure>>,
}

impl Reading {
    /// Ends the reading. The error is for the parser, and nobody sees it.
    fn refuse<E: serde_core::de::Error>(&self, failure: Failure) -> E {
        self.refused.set(Some(failure));
        E::custom("")
    }
}

/// The place of a value that is read.
struct Place<'a> {
    reading: &'a Reading,
    at: &'a At<'a>,
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let Some(left) = self.reading.left.get().checked_sub(1) else {
            let why = format!("the input has more than {MAX_VALUES} values");
            let failure = Failure::new(ErrorKind::TooLarge, Origin::Input, &why, "send less");
            return Err(self.reading.refuse(failure));
        };
        self.reading.left.set(left);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde_core::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("no number of JSON"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            let place = Place { reading: self.reading, at: &self.at.item(list.len()) };
            match items.next_element_seed(place)? {
                Some(item) => list.push(item),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            let at = self.at.below(&name);
            if object.contains_key(&name) {
                let field = at.path();
                let failure = Failure::invalid(&field, &format!("{field} stands twice"), "send it once");
                return Err(self.reading.refuse(failure));
            }
            let value = fields.next_value_seed(Place { reading: self.reading, at: &at })?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(text: &str) -> Value {
        input(text.as_bytes()).expect_err(text).into_json()
    }

    #[test]
    fn json_is_read_as_it_is() {
        // RFC 8259, section 13.
        let text = r#"{"Image": {"Width": 800, "Height": 600, "Title": "View from 15th Floor",
            "Thumbnail": {"Url": "http://www.example.com/image/481989943", "Height": 125, "Width": 100},
            "Animated": false, "IDs": [116, 943, 234, 38793]}}"#;
        assert_eq!(input(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(text).unwrap());
        for text in
            ["null", "-1", "18446744073709551615", "1.5e300", r#""\u00e9\n""#, "[]", "[[{}], null, true]"]
        {
            assert_eq!(
                input(text.as_bytes()).unwrap(),
                serde_json::from_str::<Value>(text).unwrap(),
                "{text}"
            );
        }
        for text in ["", " \r\n"] {
            assert_eq!(input(text.as_bytes()).unwrap(), json!({}), "{text:?}");
        }
    }

    #[test]
    fn anything_else_is_refused_where_it_begins() {
        for text in ["{", "{} {}", "\u{feff}{}", "a=b", "{'a': 1}", "[1,]", "1e999", "\u{0}"] {
            let error = refused(text);
            assert_eq!(
                (&error["kind"], &error["details"]),
                (&json!("invalid-input"), &json!([["field", ""]]))
            );
        }
        assert_eq!(refused("{\n \"a\": }")["message"], "the input is not JSON, from line 2 column 7");
        assert!(input(b"\"\xff\"").is_err());
        // Deeper than any input, and than a stack should be trusted with.
        assert_eq!(refused(&"[".repeat(100_000))["kind"], "invalid-input");
    }

    #[test]
    fn a_name_stands_once_in_an_object() {
        for (text, field) in [
            (r#"{"a": 1, "a": 1}"#, "a"),
            (r#"{"a": 1, "\u0061": 2}"#, "a"),
            (r#"{"b": [0, {"c": {"a": {}, "d": 1, "a": {}}}]}"#, "b.1.c.a"),
        ] {
            let error = refused(text);
            assert_eq!(
                (&error["kind"], &error["details"]),
                (&json!("invalid-input"), &json!([["field", field]]))
            );
            assert_eq!(error["message"], format!("{field} stands twice"));
        }
        // However long somebody makes the names on the way.
        let long = "x".repeat(1 << 20);
        let error = refused(&format!(r#"{{"{long}": {{"{long}": 1, "{long}": 1}}}}"#));
        assert!(error.to_string().len() < 1024, "{} bytes", error.to_string().len());
        assert!(input(br#"{"a": {"a": 1}, "A": 1, "b": [{"a": 1}, {"a": 1}]}"#).is_ok());
    }

    #[test]
    fn an_input_has_so_many_values_and_no_more() {
        let list = |values: usize| format!("[{}]", vec!["1"; values - 1].join(","));
        assert!(input(list(100_000).as_bytes()).is_ok());
        let error = refused(&list(100_001));
        assert_eq!((&error["kind"], &error["origin"]), (&json!("too-large"), &json!("input")));
        let object: Vec<_> = (0..100_000).map(|name| format!("\"{name}\": 1")).collect();
        assert_eq!(refused(&format!("{{{}}}", object.join(",")))["kind"], "too-large");
    }
}
