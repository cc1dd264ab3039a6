//! Packs `src/catalog.json`, which is laid out for people, into what the component carries.

use std::{env, fs, path::Path};

#[expect(
    clippy::disallowed_methods,
    reason = "this runs while building: cargo speaks through the environment"
)]
fn main() {
    println!("cargo::rerun-if-changed=src/catalog.json");
    let catalog = fs::read_to_string("src/catalog.json").expect("the catalog is there");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("catalog.json"), packed(&catalog)).expect("OUT_DIR can be written");
}

/// JSON without the white space between its tokens. Order and text stay as they are.
fn packed(json: &str) -> String {
    let (mut in_text, mut escaped) = (false, false);
    json.chars()
        .filter(|&character| {
            if in_text {
                in_text = escaped || character != '"';
                escaped = !escaped && character == '\\';
                return true;
            }
            in_text = character == '"';
            !character.is_ascii_whitespace()
        })
        .collect()
}
