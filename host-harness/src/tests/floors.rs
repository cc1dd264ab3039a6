//! The floors of the crate, in the order of `lib.rs`: each may name those below it, and none above.

#[path = "../../../tests/imports.rs"]
mod imports;

use std::path::Path;

use self::imports::{upward, upward_in};

/// The floors, the lowest first.
fn floors() -> Vec<&'static str> {
    imports::floors(include_str!("../lib.rs"), &["tests"])
}

// No circle is excepted. The two that are left, `Host` with its builder and with its methods in `host/`, are each a type
// and what belongs to it, on one floor.
#[test]
fn no_floor_imports_one_above_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let floors = floors();
    let (found, files) = upward_in(&root, &["bin", "tests"], &floors);
    assert!(floors.len() == 14 && files > 90, "{floors:?}, {files} files");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn an_import_is_found_however_it_is_written() {
    let source = "//! [`crate::tape`]\nuse crate::{\n    clock::{Clock, Random},\n    host,\n};\n\nfn call() {\n    \
        super::super::tape::golden();\n    crate::sandbox::engine();\n    crate::Host::builder();\n}\n\n#[cfg(test)]\nmod tests {\n    \
        use crate::host;\n}\n";
    let found = upward(Path::new("outgoing/gate.rs"), source, &floors());
    let imports = |line: u8, name: &str| format!("outgoing/gate.rs:{line}: outgoing imports {name}");
    assert_eq!(found, [imports(4, "host"), imports(8, "tape"), imports(9, "sandbox"), imports(10, "Host")]);
}
