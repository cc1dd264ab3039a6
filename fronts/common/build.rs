//! Makes the conversions between JSON and the types of the contract, and the table of actions, from `wit/` and the
//! catalog. Whatever the contract has is converted and routed; what has no encoding fails the build.

#[path = "build/actions.rs"]
mod actions;
#[path = "build/contract.rs"]
mod contract;
#[path = "build/conversions.rs"]
mod conversions;

use std::{env, fs, path::Path};

use contract::Contract;

/// The contract, which the bindings are generated from too.
const WIT: &str = "../../wit";

fn main() {
    for path in ["build.rs", "build", WIT] {
        println!("cargo::rerun-if-changed={path}");
    }
    let mut resolve = wit_parser::Resolve::default();
    let (package, _) = resolve.push_path(WIT).unwrap_or_else(|error| panic!("{WIT}: {error:?}"));
    let catalog = serde_json::from_str(&gcf_catalog::describe()).expect("the catalog is JSON");
    let contract = Contract::new(&resolve, package, catalog);
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let write = |name: &str, text: String| {
        fs::write(Path::new(&out).join(name), text).expect("OUT_DIR can be written");
    };
    write("conversions.rs", conversions::make(&contract));
    write("actions.rs", actions::make(&contract));
}
