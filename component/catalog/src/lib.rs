//! The catalog: all that the connector can do, as data; forms, policies and limits are drawn from it.
//!
//! The schemas are made from the contract while building, and `catalog.json` adds what a form needs beyond it
//! (`docs/decisions/0014`); the tests hold it against the core.

#[cfg(test)]
mod tests;

use miniz_oxide::inflate::decompress_to_vec;

/// The catalog, compressed while building (RFC 1951).
const PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/catalog.deflate"));

/// The catalog, as `wit/catalog.wit` describes it. One that cannot be unpacked is empty, which the tests would see.
#[must_use]
pub fn describe() -> String {
    decompress_to_vec(PACKED).ok().and_then(|text| String::from_utf8(text).ok()).unwrap_or_default()
}
