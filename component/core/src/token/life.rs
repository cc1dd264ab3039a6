//! How long a grant says that its token lives.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
};

/// Longer lives are not believed: an organisation can allow 12 h at most.
pub(super) const MAX_LIFE: u64 = 12 * 3600;

/// Seconds to live, as text or as a number. By hand, for the generic value type of serde_json is large in
/// wasm; and in whole seconds, for nobody grants half of one.
#[derive(Default)]
pub(super) struct Life(Option<u64>);

impl<'de> Deserialize<'de> for Life {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Seconds;

        impl Visitor<'_> for Seconds {
            type Value = Life;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of seconds")
            }

            fn visit_u64<E: de::Error>(self, seconds: u64) -> std::result::Result<Life, E> {
                Ok(Life(Some(seconds)))
            }

            fn visit_f64<E: de::Error>(self, seconds: f64) -> std::result::Result<Life, E> {
                // More seconds than an integer holds; the cast saturates.
                if seconds >= 0.0 { Ok(Life(Some(seconds as u64))) } else { Err(E::custom("negative")) }
            }

            fn visit_str<E: de::Error>(self, text: &str) -> std::result::Result<Life, E> {
                text.parse().map(|seconds| Life(Some(seconds))).map_err(|_| E::custom("not a number"))
            }
        }

        deserializer.deserialize_any(Seconds)
    }
}

impl Life {
    /// Without a life, the token is used once.
    pub(super) fn seconds(&self) -> u64 {
        self.0.unwrap_or(0).min(MAX_LIFE)
    }
}
