//! The built file against the contract.

use std::{collections::BTreeSet, path::Path};

use wasmparser::{Parser, Payload, Validator};

use crate::fixtures::{component, read, target};

/// The largest size of the component: beyond it hosts notice it at start, and people when they download it;
/// see docs/decisions/0008.
const MAX_BYTES: usize = 910_000;

/// The items that `wit/world.wit` lists, read from the file itself.
fn listed() -> BTreeSet<String> {
    let world = include_str!("../../wit/world.wit");
    let mut listed: BTreeSet<String> = world
        .lines()
        .filter_map(|line| line.trim().strip_prefix("import ")?.strip_suffix(';'))
        .map(|name| if name.contains(':') { name.to_owned() } else { format!("gcf:connector/{name}@0.1.0") })
        .collect();
    // It has types and no functions; whatever uses one of them names it.
    listed.insert("gcf:connector/types@0.1.0".to_owned());
    listed
}

fn imports(bytes: &[u8]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.expect("the component is well-formed");
        if matches!(payload, Payload::ModuleSection { .. } | Payload::ComponentSection { .. }) {
            depth += 1;
        } else if matches!(payload, Payload::End(_)) {
            depth -= 1;
        } else if let Payload::ComponentImportSection(section) = payload
            && depth == 0
        {
            let name = |import: wasmparser::Result<wasmparser::ComponentImport<'_>>| {
                import.expect("an import is well-formed").name.name.to_owned()
            };
            names.extend(section.into_iter().map(name));
        }
    }
    names
}

/// The items of a file of `wit/` without a version of their own, or with a later one than the package.
fn without_since(text: &str) -> Vec<&str> {
    let version =
        |text: &str| -> Option<Vec<u32>> { text.split('.').map(|part| part.parse().ok()).collect() };
    let package = version("0.1.0");
    let item = |line: &str| {
        let types = ["interface ", "world ", "record ", "variant ", "enum ", "flags ", "resource ", "type "];
        types.iter().any(|word| line.starts_with(word))
            || line
                .split_once(": ")
                .is_some_and(|(_, rest)| rest.starts_with("func(") || rest.starts_with("async func("))
    };
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let since = |line: &str| version(line.strip_prefix("@since(version = ")?.strip_suffix(')')?);
    let stated = |at: usize| at.checked_sub(1).and_then(|before| since(lines[before]));
    let faulty = |at: &usize| item(lines[*at]) && stated(*at).is_none_or(|since| Some(since) > package);
    (0..lines.len()).filter(faulty).map(|at| lines[at]).collect()
}

#[test]
fn each_item_of_the_contract_says_since_when_it_is_there() {
    assert_eq!(without_since("@since(version = 0.1.0)\ninterface a {\n  f: func();\n}"), ["f: func();"]);
    assert_eq!(without_since("@since(version = 0.2.0)\ntype a = u8;"), ["type a = u8;"]);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../wit");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = files.filter(|path| path.is_file()).collect();
    assert!(files.len() >= 8, "{files:?}");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(without_since(&text), [""; 0], "{}", file.display());
    }
}

#[test]
fn the_component_imports_what_the_world_lists_and_nothing_else() {
    let imports = imports(&read(&component()));
    // Of a standard library as installed, see docs/decisions/0011.
    let panics = |name: &String| name.starts_with("wasi:cli/stderr@0.2.");
    let imports: BTreeSet<_> = imports.into_iter().filter(|name| !panics(name)).collect();
    assert_eq!(imports, listed());
}

#[test]
fn the_component_is_valid_and_small() {
    let bytes = read(&component());
    Validator::new().validate_all(&bytes).unwrap();
    assert!(bytes.len() <= MAX_BYTES, "{} bytes", bytes.len());
}

#[test]
fn no_path_of_the_machine_that_built_it_is_in_the_component() {
    let bytes = read(&component());
    // Where the checkout, what is built, the compiler's sources and those of the dependencies are.
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let variables = ["CARGO_HOME", "RUSTUP_HOME", "HOME"];
    let homes =
        variables.into_iter().filter_map(|name| std::env::var(name).ok()).filter(|home| home.len() > 1);
    let mut needles: Vec<String> = homes.collect();
    assert!(!needles.is_empty(), "none of {variables:?} is set");
    needles.extend([checkout, &target()].map(|path| path.to_str().unwrap().to_owned()));
    needles.extend(["/.cargo/registry", "/.rustup/"].map(str::to_owned));
    for needle in needles {
        assert!(!contains(&bytes, needle.as_bytes()), "{needle} is in the component");
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
