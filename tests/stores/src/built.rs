//! The built files: what they import, and how large they are.

use std::collections::BTreeSet;

use wasmparser::{Parser, Payload};

use crate::component;

/// The imports of every store that asks a server.
const OVER_HTTP: [&str; 9] = [
    "wasi:cli/environment",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/random",
];

/// The names of a component's imports, without their versions.
fn imports(name: &str) -> BTreeSet<String> {
    let bytes = std::fs::read(component(name)).unwrap();
    let (mut names, mut depth) = (BTreeSet::new(), 0);
    for payload in Parser::new(0).parse_all(&bytes) {
        let payload = payload.unwrap();
        if matches!(payload, Payload::ModuleSection { .. } | Payload::ComponentSection { .. }) {
            depth += 1;
        } else if matches!(payload, Payload::End(_)) {
            depth -= 1;
        } else if let Payload::ComponentImportSection(section) = payload
            && depth == 0
        {
            let name = |import: &str| import.split('@').next().unwrap().to_owned();
            names.extend(section.into_iter().map(|import| name(import.unwrap().name.name)));
        }
    }
    names
}

#[test]
fn each_store_imports_what_it_needs_and_nothing_else() {
    let listed =
        |names: &[&str]| -> BTreeSet<String> { names.iter().map(|name| (*name).to_owned()).collect() };
    assert_eq!(imports("gcf-store-etcd"), listed(&OVER_HTTP));
    assert_eq!(imports("gcf-store-vault"), listed(&OVER_HTTP));
    let files = [
        "wasi:cli/environment",
        "wasi:clocks/monotonic-clock",
        "wasi:clocks/wall-clock",
        "wasi:filesystem/preopens",
        "wasi:filesystem/types",
        "wasi:io/error",
        "wasi:io/poll",
        "wasi:io/streams",
        "wasi:random/random",
    ];
    assert_eq!(imports("gcf-store-files"), listed(&files));
}

#[test]
fn each_store_is_small() {
    for name in ["gcf-store-etcd", "gcf-store-files", "gcf-store-vault"] {
        let size = std::fs::metadata(component(name)).unwrap().len();
        println!("{name}: {size} bytes");
        assert!(size < 200_000, "{name} has {size} bytes");
    }
}
