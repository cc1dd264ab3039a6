//! The registry of the secrets that are handed out here, and a search for those that are in none.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use regex::Regex;
use serde_json::Value;

use super::floors::imports;
use crate::testing::canaries::ALL;

/// The list that `tests/canaries.py` looks for in all that a test run prints.
const REGISTRY: &str = include_str!("../../../../tests/fixtures/canaries.json");

/// The file of the constants.
const CONSTANTS: &str = "testing/canaries.rs";

/// Tokens that nobody hands out: what a reader of text takes or refuses. Each with the file that has it.
const EXCEPTIONS: [(&str, &str); 3] = [
    // Queries that name a token, however short.
    ("google/request/grammar.rs", "ya29.x"),
    // Every letter that RFC 6750 allows in a bearer.
    ("tests/credentials.rs", "ya29.a0Af_B-y"),
    // Two JWTs, one of which hides in the other one's header.
    ("base/error.rs", "eyJcanary.eyJ"),
];

/// The tokens in a text, by the shapes of Google's: access tokens, refresh tokens, client secrets, codes, and JWTs.
fn tokens(text: &str) -> Vec<String> {
    let shapes = Regex::new(concat!(
        r"(ya29\.[A-Za-z0-9_-]+|GOCSPX-[A-Za-z0-9_-]+|eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+)",
        r"|(?:^|[^A-Za-z0-9_.:/-])(1//[A-Za-z0-9_-]+|4/0[A-Za-z0-9_-]{4,})",
    ))
    .unwrap();
    let found = shapes.captures_iter(text);
    found.map(|found| found.get(1).or(found.get(2)).unwrap().as_str().to_owned()).collect()
}

#[test]
fn each_constant_is_registered_and_no_two_are_alike() {
    let registry: Value = serde_json::from_str(REGISTRY).unwrap();
    let registered: BTreeMap<_, _> = registry["core"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    assert_eq!(registered, ALL.iter().copied().collect());
    let names: BTreeMap<_, _> = ALL.iter().map(|(name, value)| (value, name)).collect();
    assert_eq!((names.len(), registered.len()), (ALL.len(), ALL.len()), "{names:?}");
    // Tests ask for the word where a secret must not be.
    assert!(ALL.iter().all(|(_, value)| value.contains("canary")));
}

#[test]
fn no_source_writes_down_a_token_of_its_own() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = imports::sources(&root, &[]);
    assert!(files.len() > 150, "{} files", files.len());
    let in_file = |file: &PathBuf| {
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        tokens(&fs::read_to_string(file).unwrap()).into_iter().map(move |token| (name.clone(), token))
    };
    let mut found: Vec<_> = files.iter().flat_map(in_file).filter(|(file, _)| file != CONSTANTS).collect();
    found.retain(|(file, _)| file != "tests/canaries.rs");
    found.sort();
    found.dedup();
    let mut exceptions = EXCEPTIONS.map(|(file, token)| (file.to_owned(), token.to_owned()));
    exceptions.sort();
    assert_eq!(found, exceptions, "a token belongs in {CONSTANTS} and in tests/fixtures/canaries.json");
}

#[test]
fn a_token_is_told_by_its_shape_wherever_it_stands() {
    for token in ["ya29.x", "1//x", "GOCSPX-x", "4/0Abcd", "eyJhbGci.x"] {
        for text in [token.to_owned(), format!("\"{token}\""), format!("code={token}&a=b")] {
            assert_eq!(tokens(&text), [token], "{text}");
        }
    }
    for text in ["\"ya29.\"", "https://x.test/v1//f", "2024/05", "14/0Abcd", "4/0Abc", "eyJ of nothing"] {
        assert_eq!(tokens(text), Vec::<String>::new(), "{text}");
    }
}
