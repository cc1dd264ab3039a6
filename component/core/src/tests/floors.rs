//! The floors of the crate, in the order of `lib.rs`: each may name those below it, and none above.

#[path = "../../../../tests/imports.rs"]
pub(super) mod imports;

use std::path::Path;

use self::imports::Floors;

/// The floors, the lowest first.
fn floors() -> Vec<&'static str> {
    imports::floors(include_str!("../lib.rs"), &["testing", "tests"])
}

#[test]
fn no_floor_imports_one_above_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let floors = floors();
    let (found, files) = Floors { within: &[], floors: &floors }.upward_in(&root, &["testing", "tests"]);
    assert!(floors.len() == 8 && files > 60, "{floors:?}, {files} files");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// A request is written out in one file; the functions there bind each kind of token to its hosts.
#[test]
fn a_request_is_made_in_one_place() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let literal = regex::Regex::new(r"(?m)^(?:.*[^A-Za-z:>])?(?:http::)?Request \{").unwrap();
    let declares = regex::Regex::new(r"\b(struct|for|impl|->) (http::)?Request \{").unwrap();
    let mut makers = Vec::new();
    for file in imports::sources(&root, &["testing", "tests"]) {
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        if literal.find_iter(text).any(|found| !declares.is_match(found.as_str())) {
            makers.push(file.strip_prefix(&root).unwrap().to_owned());
        }
    }
    assert_eq!(makers, [Path::new("google/request.rs")]);
    let request = include_str!("../google/request.rs");
    let public = regex::Regex::new(r"(?m)^pub fn (to_\w+)").unwrap();
    let names: Vec<_> = public.captures_iter(request).map(|found| found[1].to_owned()).collect();
    assert_eq!(
        names,
        [
            "to_token_endpoint",
            "to_revocation_endpoint",
            "to_token_service",
            "to_keys",
            "to_api",
            "to_function",
            "to_api_with_json"
        ]
    );
}

#[test]
fn an_import_is_found_however_it_is_written() {
    let source = "//! [`crate::session`]\nuse crate::{\n    base::{error, http::Method},\n    session,\n};\n\nfn call() {\n    \
        super::super::actions::plan();\n    crate::store::load();\n}\n\n#[cfg(test)]\nmod tests {\n    use crate::api;\n}\n";
    let found = Floors { within: &[], floors: &floors() }.upward(Path::new("google/names.rs"), source);
    let imports = |line: u8, name: &str| format!("google/names.rs:{line}: google imports {name}");
    assert_eq!(found, [imports(4, "session"), imports(8, "actions"), imports(9, "store")]);
}
