//! Makes the catalog that the component carries: schemas from the contract in `wit/`, with what `catalog.json` adds
//! for people (docs/decisions/0014).

#[path = "build/catalog.rs"]
mod catalog;
#[path = "build/hints.rs"]
mod hints;
#[path = "build/schema.rs"]
mod schema;

use std::{env, fs, path::Path};

/// The contract, which the bindings are generated from too.
const WIT: &str = "../../wit";

/// The labels and facts that are added to it.
const HINTS: &str = "catalog.json";

fn main() {
    for path in ["build.rs", "build", HINTS, WIT] {
        println!("cargo::rerun-if-changed={path}");
    }
    let hints = fs::read_to_string(HINTS).expect("the hints are there");
    let mut contract = wit_parser::Resolve::default();
    let (package, _) = contract.push_path(WIT).unwrap_or_else(|error| panic!("{WIT}: {error:?}"));
    let catalog = catalog::make(&contract, package, &hints);
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    // A fifth of its size: every host downloads it, and few ask for it more than once.
    let packed = miniz_oxide::deflate::compress_to_vec(catalog.to_string().as_bytes(), 10);
    fs::write(Path::new(&out).join("catalog.deflate"), packed).expect("OUT_DIR can be written");
}
