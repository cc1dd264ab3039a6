//! The floors of the crate, in the order of `lib.rs`: each may name those below it, and none above.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The floors, the lowest first.
fn floors() -> Vec<&'static str> {
    let lines = include_str!("../lib.rs").lines();
    let modules =
        lines.filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'));
    modules.filter(|name| *name != "tests").collect()
}

/// Every source file of the library below a folder, but those of tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let ships = |path: &PathBuf| !["tests", "bin"].iter().any(|name| path.file_stem().unwrap() == *name);
    let (folders, files): (Vec<_>, Vec<_>) = entries.filter(ships).partition(|path| path.is_dir());
    let files = files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    files.chain(folders.iter().flat_map(|folder| sources(folder))).collect()
}

/// The names in the crate's root that a source uses, in `use` lines and in paths, each with its line. The source is of
/// a module so many levels down.
fn named(source: &str, level: usize) -> Vec<(usize, String)> {
    let shipped = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let code = |line: &str| if line.trim_start().starts_with("//") { String::new() } else { line.to_owned() };
    let text = shipped.lines().map(code).collect::<Vec<_>>().join("\n");
    // The root has another name where it is reached from below.
    let text = text.replace(&"super::".repeat(level), "crate::");
    let mut named = Vec::new();
    for (at, root) in text.match_indices("crate::") {
        let tree = at + root.len();
        let (mut depth, mut begins) = (0, true);
        for (offset, c) in text[tree..].char_indices() {
            let word = &text[tree + offset..];
            if begins && depth <= 1 && c.is_ascii_alphabetic() {
                let end = word.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap();
                named.push((1 + text[..tree + offset].matches('\n').count(), word[..end].to_owned()));
            }
            depth += i32::from(c == '{') - i32::from(c == '}');
            begins = matches!(c, '{' | ',') || begins && c.is_whitespace();
            if depth == 0 {
                break;
            }
        }
    }
    named
}

/// The imports of a file that lead upward, each with its line and the two floors. What the root exports again, such as
/// `crate::Host`, is on no floor: it counts as above all of them.
fn upward(file: &Path, source: &str, floors: &[&str]) -> Vec<String> {
    let path = file.with_extension("");
    let own = path.iter().next().unwrap().to_str().unwrap();
    let height = |name: &str| floors.iter().position(|floor| *floor == name);
    let may = |name: &str| height(name).is_some_and(|other| Some(other) <= height(own));
    let named = named(source, path.iter().count());
    let upward = named.into_iter().filter(|(_, name)| !may(name));
    upward.map(|(line, name)| format!("{}:{line}: {own} imports {name}", file.display())).collect()
}

// No circle is excepted. The two that are left, `Host` with its builder and with its methods in `host/`, are each a type
// and what belongs to it, on one floor.
#[test]
fn no_floor_imports_one_above_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (floors, files) = (floors(), sources(&root));
    assert!(floors.len() == 14 && files.len() > 90, "{floors:?}, {} files", files.len());
    let read = |file: &PathBuf| {
        let source = fs::read_to_string(file).unwrap();
        upward(file.strip_prefix(&root).unwrap(), &source, &floors)
    };
    let found: Vec<_> = files.iter().filter(|file| !file.ends_with("src/lib.rs")).flat_map(read).collect();
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
