//! The names of cases, from the contract in `wit/`: what a program prints is what the schemas of the catalog say.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the kinds of types are wit-parser's own; these two have cases"
)]

use std::fmt::Write as _;

use wit_parser::{Interface, PackageId, Resolve, TypeDefKind, WorldItem};

/// Implements the trait `Case` for each enum and variant of the package, in Rust.
pub(crate) fn make(contract: &Resolve, package: PackageId) -> String {
    let mut rust = String::new();
    for (name, id) in &contract.packages[package].interfaces {
        let Some(module) = module(contract, package, name) else { continue };
        cases(contract, &contract.interfaces[*id], &module, &mut rust);
    }
    rust
}

/// The module of the bindings that holds an interface's types. What the host implements has none to print.
fn module(contract: &Resolve, package: PackageId, interface: &str) -> Option<String> {
    let module = interface.replace('-', "_");
    let mut worlds = contract.packages[package].worlds.values();
    let is_exported = worlds.any(|world| {
        contract.worlds[*world].exports.values().any(|item| {
            matches!(item, WorldItem::Interface { id, .. }
                if contract.interfaces[*id].name.as_deref() == Some(interface))
        })
    });
    match interface {
        "types" => Some(module),
        _ if is_exported => Some(format!("exports::{module}")),
        _ => None,
    }
}

fn cases(contract: &Resolve, interface: &Interface, module: &str, rust: &mut String) {
    for (name, id) in &interface.types {
        let cases: Vec<(&str, bool)> = match &contract.types[*id].kind {
            TypeDefKind::Enum(of) => of.cases.iter().map(|case| (case.name.as_str(), false)).collect(),
            TypeDefKind::Variant(of) => {
                of.cases.iter().map(|case| (case.name.as_str(), case.ty.is_some())).collect()
            }
            _ => continue,
        };
        let _ = writeln!(
            rust,
            "impl Case for crate::contract::bindings::{module}::{} {{\n    fn name(&self) -> &'static str {{\n        match self {{",
            camel(name)
        );
        for (case, holds) in cases {
            let payload = if holds { "(_)" } else { "" };
            let _ = writeln!(rust, "            Self::{}{payload} => {case:?},", camel(case));
        }
        rust.push_str("        }\n    }\n}\n");
    }
}

/// As the bindings spell a type or a case.
fn camel(name: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(1);
        first.to_ascii_uppercase() + rest
    };
    name.split('-').map(word).collect()
}
