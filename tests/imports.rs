//! Reads the imports of a crate, and tells those that lead from one floor up to another.
//!
//! `component/core` and `host-harness` each test their own floors with it.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The modules that a `lib.rs` declares without an indent, in its order, but for those of tests.
pub(crate) fn floors(lib: &'static str, tests: &[&str]) -> Vec<&'static str> {
    let modules = lib
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'));
    modules.filter(|name| !tests.contains(name)).collect()
}

/// Every source file below a folder, but for files and folders of these names.
fn sources(folder: &Path, left_out: &[&str]) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let ships = |path: &PathBuf| !left_out.iter().any(|name| path.file_stem().unwrap() == *name);
    let (folders, files): (Vec<_>, Vec<_>) = entries.filter(ships).partition(|path| path.is_dir());
    let files = files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    files.chain(folders.iter().flat_map(|folder| sources(folder, left_out))).collect()
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

/// The imports of a file that lead upward, each with its line and the two floors. A name that the root exports again is on
/// no floor: it counts as above all of them.
pub(crate) fn upward(file: &Path, source: &str, floors: &[&str]) -> Vec<String> {
    let path = file.with_extension("");
    let own = path.iter().next().unwrap().to_str().unwrap();
    let height = |name: &str| floors.iter().position(|floor| *floor == name);
    let may = |name: &str| height(name).is_some_and(|other| Some(other) <= height(own));
    let named = named(source, path.iter().count());
    let upward = named.into_iter().filter(|(_, name)| !may(name));
    upward.map(|(line, name)| format!("{}:{line}: {own} imports {name}", file.display())).collect()
}

/// All imports of a crate that lead upward, and how many files were read.
pub(crate) fn upward_in(root: &Path, left_out: &[&str], floors: &[&str]) -> (Vec<String>, usize) {
    let files = sources(root, left_out);
    let read = |file: &PathBuf| {
        let source = fs::read_to_string(file).unwrap();
        upward(file.strip_prefix(root).unwrap(), &source, floors)
    };
    let library = |file: &&PathBuf| !file.ends_with("src/lib.rs");
    (files.iter().filter(library).flat_map(read).collect(), files.len())
}
