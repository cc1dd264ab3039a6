//! Composed files, and the parts as they are built: `cargo xtask fronts --test` builds them first.

use std::{collections::BTreeSet, fs, path::PathBuf};

use gcf_compose::{Error, Parts, compose};
use wasmparser::{Parser, Payload, Validator};

/// The largest size of a front.
const MAX_BYTES: usize = 250_000;

fn built(name: &str) -> Vec<u8> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let target = std::env::var_os("GCF_TARGET").map_or_else(|| root.join("target"), PathBuf::from);
    let path = target.join(format!("{name}.wasm"));
    fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask fronts --test`", path.display()))
}

fn parts() -> Parts {
    Parts { connector: built("gcf-connector"), front: Some(built("gcf-front-http")), ..Parts::default() }
}

/// The names at the outside of a component, and the components that stand in it.
struct Read {
    imports: BTreeSet<String>,
    exports: BTreeSet<String>,
    inside: Vec<Vec<u8>>,
}

fn read(bytes: &[u8]) -> Read {
    let mut read = Read { imports: BTreeSet::new(), exports: BTreeSet::new(), inside: Vec::new() };
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        #[expect(clippy::wildcard_enum_match_arm, reason = "the kinds of payloads are wasmparser's own")]
        match payload.expect("the component is well-formed") {
            Payload::ComponentSection { unchecked_range, .. } => {
                if depth == 0 {
                    read.inside.push(bytes[unchecked_range].to_vec());
                }
                depth += 1;
            }
            Payload::ModuleSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                read.imports.extend(
                    section.into_iter().map(|import| import.expect("an import").name.name.to_owned()),
                );
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                read.exports.extend(
                    section.into_iter().map(|export| export.expect("an export").name.name.to_owned()),
                );
            }
            _ => {}
        }
    }
    read
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The imports of a front over HTTP: the environment with its token, and nothing else that the connector does not
/// take too.
const HTTP_FRONT: [&str; 4] = [
    "wasi:cli/environment@0.2.12",
    "wasi:http/types@0.2.12",
    "wasi:io/error@0.2.12",
    "wasi:io/streams@0.2.12",
];

/// A broker in place of HTTP, of which the front takes only what it answers by.
const MESSAGES_FRONT: [&str; 3] =
    ["wasi:cli/environment@0.2.12", "wasmcloud:messaging/consumer@0.2.0", "wasmcloud:messaging/types@0.2.0"];

const CONTRACT: [&str; 5] = ["api", "catalog", "connections", "functions", "planning"];

fn of_contract(interfaces: &[&str]) -> BTreeSet<String> {
    interfaces.iter().map(|name| format!("gcf:connector/{name}@0.1.0")).collect()
}

/// Of a standard library as installed, see docs/decisions/0011.
fn without_panics(imports: BTreeSet<String>) -> BTreeSet<String> {
    imports.into_iter().filter(|name| !name.starts_with("wasi:cli/stderr@0.2.")).collect()
}

#[test]
fn a_front_over_http_takes_what_is_listed_here_and_is_small() {
    for name in ["gcf-front-http", "gcf-front-mcp"] {
        let bytes = built(name);
        Validator::new().validate_all(&bytes).unwrap();
        assert!(bytes.len() <= MAX_BYTES, "{name}: {} bytes", bytes.len());
        let front = read(&bytes);
        let mut expected = names(&HTTP_FRONT);
        expected.extend(of_contract(&CONTRACT));
        expected.extend(of_contract(&["types"]));
        assert_eq!(without_panics(front.imports), expected, "{name}");
        assert_eq!(front.exports, names(&["wasi:http/incoming-handler@0.2.12"]), "{name}");
    }
}

#[test]
fn a_model_cannot_call_what_takes_a_key() {
    let mut imported = BTreeSet::new();
    for payload in Parser::new(0).parse_all(&built("gcf-front-mcp")) {
        if let Payload::ImportSection(section) = payload.expect("the component is well-formed") {
            for import in section.into_imports() {
                let import = import.expect("an import");
                if import.module.starts_with("gcf:connector/connections@") {
                    imported.insert(import.name.to_owned());
                }
            }
        }
    }
    assert_eq!(imported, names(&["check", "list"]));
    let parts = Parts { front: Some(built("gcf-front-mcp")), ..parts() };
    Validator::new().validate_all(&compose(parts).unwrap()).unwrap();
}

#[test]
fn the_front_for_messages_takes_what_is_listed_here_and_is_small() {
    let bytes = built("gcf-front-messages");
    Validator::new().validate_all(&bytes).unwrap();
    assert!(bytes.len() <= MAX_BYTES, "{} bytes", bytes.len());
    let front = read(&bytes);
    let mut expected = names(&MESSAGES_FRONT);
    expected.extend(of_contract(&CONTRACT));
    expected.extend(of_contract(&["types"]));
    assert_eq!(without_panics(front.imports), expected);
    assert_eq!(front.exports, names(&["wasmcloud:messaging/handler@0.2.0"]));
}

#[test]
fn the_front_for_messages_goes_with_the_connector_and_a_store() {
    let parts = Parts {
        connector: built("gcf-connector"),
        store: Some(built("gcf-store-files")),
        front: Some(built("gcf-front-messages")),
        ..Parts::default()
    };
    let composed = compose(parts).unwrap();
    Validator::new().validate_all(&composed).unwrap();
    let composed = read(&composed);
    assert_eq!(composed.exports, names(&["wasmcloud:messaging/handler@0.2.0"]));
    assert!(composed.imports.is_superset(&names(&MESSAGES_FRONT)), "{:?}", composed.imports);
}

#[test]
fn the_command_is_small_and_takes_nothing_of_the_network() {
    let bytes = built("gcf-front-command");
    Validator::new().validate_all(&bytes).unwrap();
    assert!(bytes.len() <= MAX_BYTES, "{} bytes", bytes.len());
    let front = read(&bytes);
    let outside: Vec<_> = front.imports.iter().filter(|name| !name.starts_with("gcf:connector/")).collect();
    // Of the standard library: arguments, streams, and the file system that it begins by looking for.
    let allowed = ["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/"];
    let is_allowed = |name: &&&String| allowed.iter().any(|prefix| name.starts_with(prefix));
    assert_eq!(outside.iter().filter(|name| !is_allowed(name)).count(), 0, "{outside:?}");
    assert!(front.exports.iter().any(|name| name.starts_with("wasi:cli/run@0.2.")), "{:?}", front.exports);
}

#[test]
fn the_connector_inside_is_the_released_one_byte_for_byte() {
    let parts = parts();
    let composed = compose(parts.clone()).unwrap();
    Validator::new().validate_all(&composed).unwrap();
    let inside = read(&composed).inside;
    assert_eq!(inside.iter().filter(|part| **part == parts.connector).count(), 1);
    assert_eq!(inside.iter().filter(|part| Some(*part) == parts.front.as_ref()).count(), 1);
}

#[test]
fn it_takes_what_its_parts_take_and_gives_what_the_front_gives() {
    let composed = read(&compose(parts()).unwrap());
    let connector = read(&built("gcf-connector")).imports;
    let mut expected: BTreeSet<_> = names(&HTTP_FRONT).union(&connector).cloned().collect();
    expected.extend(of_contract(&["types"]));
    assert_eq!(without_panics(composed.imports), without_panics(expected));
    assert_eq!(composed.exports, names(&["wasi:http/incoming-handler@0.2.12"]));
}

#[test]
fn with_a_store_nothing_of_the_contract_is_left_to_the_host() {
    let composed = compose(Parts { store: Some(built("gcf-store-files")), ..parts() }).unwrap();
    let composed = read(&composed).imports;
    let left: Vec<_> = composed.iter().filter(|name| !name.starts_with("wasi:")).collect();
    // It has types and no functions.
    assert_eq!(left, ["gcf:connector/types@0.1.0"]);
    // Only the store reads files, and it is the connector that sends.
    let has = |prefix: &str| composed.iter().any(|name| name.starts_with(prefix));
    assert!(has("wasi:filesystem/types@0.2.") && has("wasi:http/outgoing-handler@"), "{composed:?}");
}

#[test]
fn without_a_front_the_connector_is_seen_from_outside() {
    let parts = Parts { front: None, reroute: Some(built("gcf-reroute")), ..parts() };
    assert_eq!(read(&compose(parts).unwrap()).exports, of_contract(&CONTRACT));
}

#[test]
fn the_same_parts_make_the_same_file() {
    assert_eq!(compose(parts()).unwrap(), compose(parts()).unwrap());
}

#[test]
fn what_is_not_fit_for_its_place_is_refused() {
    let connector = built("gcf-connector");
    let front = built("gcf-front-http");
    let reroute = built("gcf-reroute");
    let unfit = |parts: Parts| match compose(parts).unwrap_err() {
        Error::Unfit { part, .. } => part,
        other @ (Error::Unreadable { .. } | Error::Graph(_)) => panic!("{other}"),
    };
    assert_eq!(unfit(Parts { store: Some(front.clone()), ..parts() }), "store");
    assert_eq!(unfit(Parts { store: Some(reroute.clone()), ..parts() }), "store");
    assert_eq!(unfit(Parts { front: Some(reroute), ..parts() }), "front");
    assert_eq!(unfit(Parts { reroute: Some(front), ..parts() }), "reroute");
    let broken = compose(Parts { store: Some(connector[..100].to_vec()), ..parts() }).unwrap_err();
    assert!(matches!(broken, Error::Unreadable { part: "store", .. }), "{broken}");
}
