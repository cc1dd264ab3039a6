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
pub(crate) fn sources(folder: &Path, left_out: &[&str]) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let ships = |path: &PathBuf| !left_out.iter().any(|name| path.file_stem().unwrap() == *name);
    let (folders, files): (Vec<_>, Vec<_>) = entries.filter(ships).partition(|path| path.is_dir());
    let files = files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    files.chain(folders.iter().flat_map(|folder| sources(folder, left_out))).collect()
}

/// The paths from the crate's root that a source names, in `use` lines and elsewhere, each with its line. The source is of
/// this module.
fn named<'a>(source: &'a str, module: &[&'a str]) -> Vec<(usize, Vec<&'a str>)> {
    let shipped = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let roots = [("crate::", &module[..0]), ("super::", &module[..module.len() - 1])];
    let mut named = Vec::new();
    let mut start = 0;
    for (number, line) in shipped.split_inclusive('\n').enumerate() {
        let is_code = !line.trim_start().starts_with("//");
        for (root, path) in roots.iter().filter(|_| is_code) {
            // A `super` behind another one is read with that.
            for (column, _) in line.match_indices(root).filter(|(at, _)| !line[..*at].ends_with("super::")) {
                let mut tree =
                    Tree { text: &shipped[start + column + root.len()..], at: 0, paths: Vec::new() };
                tree.read(path.to_vec());
                let line_of = |at: usize| number + 1 + tree.text[..at].matches('\n').count();
                named.extend(tree.paths.into_iter().map(|(at, path)| (line_of(at), path)));
            }
        }
        start += line.len();
    }
    named
}

/// A tree of imports, such as `a::{b, c::d}`, or a single path.
struct Tree<'a> {
    text: &'a str,
    at: usize,
    /// The paths that were read, each with the place where it ends.
    paths: Vec<(usize, Vec<&'a str>)>,
}

impl<'a> Tree<'a> {
    /// Reads what comes behind a path.
    fn read(&mut self, mut path: Vec<&'a str>) {
        self.pass(|c| !c.is_whitespace());
        if self.text[self.at..].starts_with('{') {
            while !self.text[self.at..].starts_with('}') && self.at < self.text.len() {
                self.at += 1;
                self.read(path.clone());
                self.pass(|c| matches!(c, ',' | '}'));
            }
            self.at = self.text.len().min(self.at + 1);
            return;
        }
        let start = self.at;
        self.pass(|c| c != '_' && !c.is_ascii_alphanumeric());
        match &self.text[start..self.at] {
            "" | "self" => {}
            "super" => drop(path.pop()),
            word => path.push(word),
        }
        if self.at > start && self.text[self.at..].starts_with("::") {
            self.at += 2;
            self.read(path);
        } else {
            self.paths.push((start, path));
        }
    }

    /// Goes on to the next letter of this kind.
    fn pass(&mut self, end: impl Fn(char) -> bool) {
        self.at += self.text[self.at..].find(end).unwrap_or(self.text.len() - self.at);
    }
}

/// The floors of a folder of modules.
pub(crate) struct Floors<'a> {
    /// The path of the folder; empty for the crate itself.
    pub(crate) within: &'a [&'a str],
    /// Its modules, the lowest first.
    pub(crate) floors: &'a [&'a str],
}

impl Floors<'_> {
    /// The imports of a file that lead upward, each with its line and the two floors. A name that the folder's own module
    /// exports again is on no floor: it counts as above all of them.
    pub(crate) fn upward(&self, file: &Path, source: &str) -> Vec<String> {
        let path = file.with_extension("");
        let module: Vec<&str> = path.iter().map(|name| name.to_str().unwrap()).collect();
        let Some([own, ..]) = module.strip_prefix(self.within) else { return Vec::new() };
        let height = |name: &str| self.floors.iter().position(|floor| *floor == name);
        let upward = named(source, &module).into_iter().filter_map(|(line, path)| {
            let name = path.strip_prefix(self.within)?.first()?;
            let may = height(name).is_some_and(|other| Some(other) <= height(own));
            (!may).then(|| format!("{}:{line}: {own} imports {name}", file.display()))
        });
        let mut upward: Vec<String> = upward.collect();
        upward.dedup();
        upward
    }

    /// All imports in the folder that lead upward, and how many files were read. `root` is the folder of the crate.
    pub(crate) fn upward_in(&self, root: &Path, left_out: &[&str]) -> (Vec<String>, usize) {
        let folder = self.within.iter().fold(root.to_owned(), |folder, name| folder.join(name));
        let files = sources(&folder, left_out);
        let read = |file: &PathBuf| {
            let source = fs::read_to_string(file).unwrap();
            self.upward(file.strip_prefix(root).unwrap(), &source)
        };
        let library = |file: &&PathBuf| !file.ends_with("src/lib.rs");
        (files.iter().filter(library).flat_map(read).collect(), files.len())
    }
}
