//! JSON from outside: one instance of the parser, and a small map.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor},
};

/// Reads text or bytes. `serde_json::from_str` beside `from_slice` is a second parser in the component.
pub(crate) fn read<T: DeserializeOwned>(json: impl AsRef<[u8]>) -> serde_json::Result<T> {
    serde_json::from_slice(json.as_ref())
}

/// An object of text: names in order, each once, the last value of a name. By hand, for the code of a
/// B-tree is larger than what these few pairs need.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Pairs(pub(crate) Vec<(String, String)>);

impl Pairs {
    /// The value of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Pairs, A::Error> {
                let mut pairs: Vec<(String, String)> = Vec::new();
                while let Some((name, value)) = object.next_entry::<String, String>()? {
                    match pairs.binary_search_by(|(there, _)| there.cmp(&name)) {
                        Ok(at) => pairs[at].1 = value,
                        Err(at) => pairs.insert(at, (name, value)),
                    }
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_in_order_and_the_last_of_a_name_counts() {
        let pairs: Pairs = read(r#"{"b": "1", "a": "2", "b": "3"}"#).unwrap();
        assert_eq!(pairs.0, [("a".to_owned(), "2".to_owned()), ("b".to_owned(), "3".to_owned())]);
        assert_eq!((pairs.get("b"), pairs.get("c")), (Some("3"), None));
    }

    #[test]
    fn pairs_of_anything_but_text_are_refused() {
        assert!(read::<Pairs>(r#"{"a": 1}"#).is_err());
        assert!(read::<Pairs>("[]").is_err());
    }
}
