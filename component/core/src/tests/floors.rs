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

#[test]
fn an_import_is_found_however_it_is_written() {
    let source = "//! [`crate::session`]\nuse crate::{\n    base::{error, http::Method},\n    session,\n};\n\nfn call() {\n    \
        super::super::actions::plan();\n    crate::store::load();\n}\n\n#[cfg(test)]\nmod tests {\n    use crate::api;\n}\n";
    let found = Floors { within: &[], floors: &floors() }.upward(Path::new("google/names.rs"), source);
    let imports = |line: u8, name: &str| format!("google/names.rs:{line}: google imports {name}");
    assert_eq!(found, [imports(4, "session"), imports(8, "actions"), imports(9, "store")]);
}
