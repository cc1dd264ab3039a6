//! The floors of the crate, in the order of `lib.rs`, and those of the tape, in the order of `tape.rs`: each may name
//! those below it, and none above.

#[path = "../../../tests/imports.rs"]
mod imports;

use std::path::Path;

use self::imports::Floors;

/// The floors, the lowest first.
fn floors() -> Vec<&'static str> {
    imports::floors(include_str!("../lib.rs"), &["tests"])
}

/// The floors of the tape, the lowest first.
fn floors_of_the_tape() -> Vec<&'static str> {
    imports::floors(include_str!("../tape.rs"), &["tests"])
}

// No circle is excepted. The two that are left, `Host` with its builder and with its methods in `host/`, are each a type
// and what belongs to it, on one floor.
#[test]
fn no_floor_imports_one_above_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let floors = floors();
    let (found, files) = Floors { within: &[], floors: &floors }.upward_in(&root, &["bin", "tests"]);
    assert!(floors.len() == 14 && files > 90, "{floors:?}, {files} files");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn an_import_is_found_however_it_is_written() {
    let source = "//! [`crate::tape`]\nuse crate::{\n    clock::{Clock, Random},\n    host,\n};\n\nfn call() {\n    \
        super::super::tape::golden();\n    crate::sandbox::engine();\n    crate::Host::builder();\n}\n\n#[cfg(test)]\nmod tests {\n    \
        use crate::host;\n}\n";
    let found = Floors { within: &[], floors: &floors() }.upward(Path::new("outgoing/gate.rs"), source);
    let imports = |line: u8, name: &str| format!("outgoing/gate.rs:{line}: outgoing imports {name}");
    assert_eq!(found, [imports(4, "host"), imports(8, "tape"), imports(9, "sandbox"), imports(10, "Host")]);
}

#[test]
fn no_floor_of_the_tape_imports_one_above_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let floors = floors_of_the_tape();
    let (found, files) = Floors { within: &["tape"], floors: &floors }.upward_in(&root, &["tests"]);
    assert!(floors.len() == 14 && files > 40, "{floors:?}, {files} files");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn an_import_within_the_tape_is_found_however_it_is_written() {
    let source = "use crate::{\n    clock::Clock,\n    tape::{\n        bounds::{self, MAX_FILE},\n        play::replay::Replay as Played,\n        \
        file::{json, hide},\n        TapeError,\n    },\n};\nuse super::super::same::matching;\nuse super::store;\n\n\
        pub(in crate::tape) fn call() {\n    crate::tape::record::recorder::Recorder::new();\n}\n";
    let floors = floors_of_the_tape();
    let found =
        Floors { within: &["tape"], floors: &floors }.upward(Path::new("tape/file/format.rs"), source);
    let imports = |line: u8, name: &str| format!("tape/file/format.rs:{line}: file imports {name}");
    assert_eq!(
        found,
        [imports(5, "play"), imports(7, "TapeError"), imports(10, "same"), imports(14, "record")]
    );
}
