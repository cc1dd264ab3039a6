//! The pages for people: all Rust on them is compiled.

use std::{fs, path::Path};

/// The pages that the tests of the documentation include.
const COMPILED: [&str; 2] = ["docs/guide/embed.md", "docs/guide/proxy.md"];

#[test]
fn no_page_has_rust_that_is_not_compiled() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut pages = vec!["README.md".to_owned()];
    for entry in fs::read_dir(root.join("docs/guide")).unwrap() {
        pages.push(format!("docs/guide/{}", entry.unwrap().file_name().into_string().unwrap()));
    }
    let mut compiled = 0;
    for page in &pages {
        let text = fs::read_to_string(root.join(page)).unwrap();
        for fence in text.lines().filter(|line| line.trim_start().starts_with("```rust")) {
            assert!(COMPILED.contains(&page.as_str()) && fence == "```rust", "{page}: {fence}");
            compiled += 1;
        }
    }
    assert!(pages.len() > 5 && compiled >= 6, "{compiled} on {pages:?}");
}
