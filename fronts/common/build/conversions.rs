//! The two conversions of each named type: `read::types_header(json, at)`, and `write::types_header(value)`.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the kinds of types are wit-parser's own; what is not known here panics"
)]

use std::fmt::Write as _;

use serde_json::Value;
use wit_parser::{Type, TypeDefKind, TypeId};

use crate::contract::{Contract, camel, snake};

/// The source of the two modules.
pub(crate) fn make(contract: &Contract<'_>) -> String {
    let types = contract.named_types();
    let all = |one: fn(&Contract<'_>, TypeId) -> String| -> String {
        types.iter().map(|id| one(contract, *id)).collect()
    };
    format!(
        "pub(super) mod reading {{ use super::read; use super::*;\n{}}}\n\
         pub(super) mod writing {{ use super::write; use super::*;\n{}}}\n",
        all(reader),
        all(writer)
    )
}

/// A function that reads a value of a type, as an expression.
pub(crate) fn reads(contract: &Contract<'_>, ty: Type) -> String {
    match ty {
        Type::Bool => "read::boolean".to_owned(),
        Type::U8 => "read::number::<u8>".to_owned(),
        Type::U16 => "read::number::<u16>".to_owned(),
        Type::U32 => "read::number::<u32>".to_owned(),
        Type::U64 => "read::number::<u64>".to_owned(),
        Type::String => "read::text".to_owned(),
        Type::Id(id) => match contract.kind(id) {
            (_, TypeDefKind::List(Type::U8)) => "read::bytes".to_owned(),
            (_, TypeDefKind::List(of)) => {
                format!("|json: &Value, at: &At<'_>| read::list(json, at, {})", reads(contract, *of))
            }
            (_, TypeDefKind::Option(of)) => {
                format!("|json: &Value, at: &At<'_>| read::option(json, at, {})", reads(contract, *of))
            }
            (_, TypeDefKind::Tuple(tuple)) => {
                let items = tuple.types.iter().enumerate().map(|(index, ty)| {
                    format!("read::by(&items[{index}], &at.below(\"{index}\"), {})?", reads(contract, *ty))
                });
                let items = items.collect::<Vec<_>>().join(", ");
                let count = tuple.types.len();
                format!(
                    "|json: &Value, at: &At<'_>| {{ let items = read::tuple(json, at, {count})?; Ok(({items})) }}"
                )
            }
            (id, TypeDefKind::Record(_) | TypeDefKind::Variant(_) | TypeDefKind::Enum(_)) => {
                format!("reading::{}", contract.conversion(id))
            }
            (_, other) => panic!("{} has no encoding yet", other.as_str()),
        },
        _ => panic!("{ty:?} has no encoding yet"),
    }
}

/// A function that writes a value of a type, as an expression.
pub(crate) fn writes(contract: &Contract<'_>, ty: Type) -> String {
    match ty {
        Type::Bool | Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::String => "Value::from".to_owned(),
        Type::Id(id) => match contract.kind(id) {
            (_, TypeDefKind::List(Type::U8)) => "write::bytes".to_owned(),
            (_, TypeDefKind::List(of)) => format!("|list| write::list(list, {})", writes(contract, *of)),
            (_, TypeDefKind::Option(of)) => {
                format!("|value| write::option(value, {})", writes(contract, *of))
            }
            (_, TypeDefKind::Tuple(tuple)) => {
                let names: Vec<_> = (0..tuple.types.len()).map(|index| format!("item_{index}")).collect();
                let items = tuple.types.iter().zip(&names);
                let items = items.map(|(ty, name)| format!("write::by({name}, {})", writes(contract, *ty)));
                let items = items.collect::<Vec<_>>().join(", ");
                format!("|({})| Value::Array(vec![{items}])", names.join(", "))
            }
            (id, TypeDefKind::Record(_) | TypeDefKind::Variant(_) | TypeDefKind::Enum(_)) => {
                format!("writing::{}", contract.conversion(id))
            }
            (_, other) => panic!("{} has no encoding yet", other.as_str()),
        },
        _ => panic!("{ty:?} has no encoding yet"),
    }
}

/// An expression that reads a field of the object `json`.
pub(crate) fn reads_field(contract: &Contract<'_>, name: &str, ty: Type, default: Option<&Value>) -> String {
    match contract.optional(ty) {
        Some(of) => format!("read::optional_field(json, at, {name:?}, {})?", reads(contract, of)),
        None => {
            let default = match default {
                Some(default) => format!("Some({:?})", default.to_string()),
                None => "None".to_owned(),
            };
            format!("read::field(json, at, {name:?}, {default}, {})?", reads(contract, ty))
        }
    }
}

/// A statement that writes a value into the object `object`, unless it is none.
pub(crate) fn writes_field(contract: &Contract<'_>, name: &str, ty: Type, value: &str) -> String {
    match contract.optional(ty) {
        Some(of) => format!(
            "if let Some(value) = {value} {{ object.insert({name:?}.to_owned(), write::by(value, {})); }}\n",
            writes(contract, of)
        ),
        None => {
            format!("object.insert({name:?}.to_owned(), write::by({value}, {}));\n", writes(contract, ty))
        }
    }
}

fn reader(contract: &Contract<'_>, id: TypeId) -> String {
    let rust = contract.rust_type(id);
    let body = match &contract.resolve.types[id].kind {
        TypeDefKind::Record(record) => {
            let names: Vec<_> = record.fields.iter().map(|field| field.name.as_str()).collect();
            let mut body = format!("read::record(json, at, &{names:?})?;\nOk({rust} {{\n");
            for field in &record.fields {
                let default = contract.default_of_field(contract.type_name(id), &field.name);
                let read = reads_field(contract, &field.name, field.ty, default);
                writeln!(body, "{}: {read},", snake(&field.name)).expect("a text can be written");
            }
            body + "})\n"
        }
        TypeDefKind::Variant(variant) => {
            let names: Vec<_> = variant.cases.iter().map(|case| case.name.as_str()).collect();
            let mut body = format!(
                "let (name, payload) = read::case(json, at, &{names:?})?;\nmatch (name, payload) {{\n"
            );
            for case in &variant.cases {
                let (name, rust_case) = (&case.name, camel(&case.name));
                match case.ty {
                    None => writeln!(body, "({name:?}, None) => Ok({rust}::{rust_case}),"),
                    Some(ty) => writeln!(
                        body,
                        "({name:?}, Some(payload)) => Ok({rust}::{rust_case}(read::by(payload, &at.below({name:?}), {})?)),",
                        reads(contract, ty)
                    ),
                }
                .expect("a text can be written");
            }
            body + "(name, payload) => Err(read::misfit(at, name, payload)),\n}\n"
        }
        TypeDefKind::Enum(cases) => {
            let names: Vec<_> = cases.cases.iter().map(|case| case.name.as_str()).collect();
            let mut body = format!("match read::word(json, at, &{names:?})? {{\n");
            let (last, others) = names.split_last().expect("an enum has cases");
            for name in others {
                writeln!(body, "{name:?} => Ok({rust}::{}),", camel(name)).expect("a text can be written");
            }
            body + &format!("_ => Ok({rust}::{}),\n}}\n", camel(last))
        }
        other => panic!("{} has no encoding yet", other.as_str()),
    };
    let name = contract.conversion(id);
    format!("pub(crate) fn {name}(json: &Value, at: &At<'_>) -> Result<{rust}, Wrong> {{\n{body}}}\n")
}

fn writer(contract: &Contract<'_>, id: TypeId) -> String {
    let rust = contract.rust_type(id);
    let body = match &contract.resolve.types[id].kind {
        TypeDefKind::Record(record) => {
            let fields = record.fields.iter().map(|field| {
                let value = format!("value.{}", snake(&field.name));
                writes_field(contract, &field.name, field.ty, &value)
            });
            let fields: String = fields.collect();
            format!("let mut object = Map::new();\n{fields}Value::Object(object)\n")
        }
        TypeDefKind::Variant(variant) => {
            let cases = variant.cases.iter().map(|case| {
                let (name, rust_case) = (&case.name, camel(&case.name));
                match case.ty {
                    None => format!("{rust}::{rust_case} => Value::from({name:?}),\n"),
                    Some(ty) => format!(
                        "{rust}::{rust_case}(payload) => write::case({name:?}, write::by(payload, {})),\n",
                        writes(contract, ty)
                    ),
                }
            });
            format!("match value {{\n{}}}\n", cases.collect::<String>())
        }
        TypeDefKind::Enum(cases) => {
            let cases = cases.cases.iter().map(|case| {
                let (name, rust_case) = (&case.name, camel(&case.name));
                format!("{rust}::{rust_case} => {name:?},\n")
            });
            format!("Value::from(match value {{\n{}}})\n", cases.collect::<String>())
        }
        other => panic!("{} has no encoding yet", other.as_str()),
    };
    let name = contract.conversion(id);
    format!("pub(crate) fn {name}(value: {rust}) -> Value {{\n{body}}}\n")
}
