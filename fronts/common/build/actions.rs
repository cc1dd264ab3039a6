//! The table of actions: how each is called, and how its input and output read and write.

use wit_parser::{Function, Type, TypeDefKind};

use crate::{
    contract::{Contract, Export, snake},
    conversions::{reads, reads_field, writes, writes_field},
};

/// The source of the table.
pub(crate) fn make(contract: &Contract<'_>) -> String {
    let exports = contract.exports();
    let rows: String = exports.iter().map(|export| row(contract, export)).collect();
    let names: String = exports.iter().map(|export| format!("&each::{},\n", constant(export))).collect();
    let functions: String = exports.iter().map(|export| functions(contract, export)).collect();
    let checks = exports.iter().map(|export| {
        let ident = ident(export);
        format!("({:?}, input_{ident} as Check, output_{ident} as Check),\n", export.name)
    });
    let checks: String = checks.collect();
    format!(
        "/// Each action by itself: a front that names some has nothing in it of the others.\n\
         pub mod each {{\nuse super::*;\n{rows}}}\n\
         /// The actions of the contract.\npub const ACTIONS: &[&Action] = &[\n{names}];\n\
         pub(crate) const CHECKS: &[(&str, Check, Check)] = &[\n{checks}];\n{functions}"
    )
}

/// A row of the table.
fn row(contract: &Contract<'_>, export: &Export<'_>) -> String {
    let Export { name, interface, function } = export;
    let ident = ident(export);
    let parameters: Vec<_> = function.params.iter().map(|param| param.name.as_str()).collect();
    let holds_a_body = function.params.iter().any(|param| contract.holds_a_body(param.ty));
    let path = format!("{interface}/{}", function.name);
    let constant = constant(export);
    format!(
        "/// `{name}`.\npub static {constant}: Action = Action {{ name: {name:?}, path: {path:?}, \
         parameters: &{parameters:?}, holds_a_body: {holds_a_body}, call: call_{ident} }};\n"
    )
}

/// Its name as that of a constant, such as `FUNCTIONS_LIST`.
fn constant(export: &Export<'_>) -> String {
    ident(export).to_uppercase()
}

fn ident(export: &Export<'_>) -> String {
    format!("{}_{}", snake(export.interface), snake(&export.function.name))
}

/// The part of the input that a parameter is.
enum Part {
    /// Given beside the input.
    Connection,
    /// Given beside the input.
    Deadline,
    /// All of it.
    Whole,
    /// A field.
    Field,
}

fn part(name: &str, ty: Type) -> Part {
    match (name, ty) {
        ("connection" | "id", Type::String) => Part::Connection,
        ("deadline-ms", _) => Part::Deadline,
        ("request", _) => Part::Whole,
        (_, _) => Part::Field,
    }
}

fn functions(contract: &Contract<'_>, export: &Export<'_>) -> String {
    let ident = ident(export);
    let Export { name, interface, function } = export;
    let (mut lets, mut back, mut passed) = (String::new(), String::new(), Vec::new());
    for param in &function.params {
        let variable = snake(&format!("given-{}", param.name));
        match part(&param.name, param.ty) {
            Part::Connection => passed.push("given.connection".to_owned()),
            Part::Deadline => passed.push("given.deadline_ms".to_owned()),
            Part::Whole => {
                lets += &format!("let {variable} = read::by(json, at, {})?;\n", reads(contract, param.ty));
                back += &format!("let whole = write::by({variable}, {});\n", writes(contract, param.ty));
                passed.push(borrowed(contract, param.ty, &variable));
            }
            Part::Field => {
                let default = contract.default_of_parameter(name, &param.name);
                let read = reads_field(contract, &param.name, param.ty, default);
                lets += &format!("let {variable} = {read};\n");
                back += &writes_field(contract, &param.name, param.ty, &variable);
                passed.push(borrowed(contract, param.ty, &variable));
            }
        }
    }
    let whole = function.params.iter().any(|param| param.name == "request");
    let known: Vec<_> = function.params.iter().map(|param| param.name.as_str()).collect();
    let taken: Vec<_> = function
        .params
        .iter()
        .filter(|param| matches!(part(&param.name, param.ty), Part::Field))
        .map(|param| param.name.as_str())
        .collect();
    let rest =
        if whole { String::new() } else { format!("read::nothing_else(json, &{taken:?}, &{known:?})?;\n") };
    let passed = passed.join(", ");
    let back = match (whole, back.as_str()) {
        (true, _) => format!("{back}Ok(whole)\n"),
        (false, "") => "Ok(Value::Object(Map::new()))\n".to_owned(),
        (false, _) => format!("let mut object = Map::new();\n{back}Ok(Value::Object(object))\n"),
    };
    let at = if lets.is_empty() { "" } else { "let at = &At::TOP;\n" };
    let module = snake(interface);
    let rust = snake(&function.name);
    let (answer, read_output) = output(contract, function);
    format!(
        "fn call_{ident}(given: Given<'_>) -> Answer {{\n\
         let json = given.input;\n{at}read::object(json)?;\n{lets}{rest}\
         let answer = connector::{module}::{rust}({passed});\n{answer}}}\n\
         fn input_{ident}(json: &Value) -> Result<Value, Wrong> {{\n\
         {at}read::object(json)?;\n{lets}{rest}{back}}}\n\
         fn output_{ident}(json: &Value) -> Result<Value, Wrong> {{\nlet at = &At::TOP;\n{read_output}}}\n"
    )
}

/// The code that makes JSON of an answer; and the code that reads such JSON, and writes it again.
fn output(contract: &Contract<'_>, function: &Function) -> (String, String) {
    let result = function.result.expect("every function returns something");
    let ok = if let Type::Id(id) = result
        && let (_, TypeDefKind::Result(result)) = contract.kind(id)
    {
        Some(result.ok.expect("something comes of it"))
    } else {
        // The catalog alone is plain text.
        None
    };
    let again = |ty| {
        format!("Ok(write::by(read::by(json, at, {})?, {}))\n", reads(contract, ty), writes(contract, ty))
    };
    match ok {
        Some(ty) => (format!("answer.map({}).map_err(Failure::from)\n", writes(contract, ty)), again(ty)),
        None => (format!("Ok(write::by(answer, {}))\n", writes(contract, result)), again(result)),
    }
}

/// A value as the bindings take it: what is not copied is borrowed.
fn borrowed(contract: &Contract<'_>, ty: Type, variable: &str) -> String {
    match contract.optional(ty) {
        Some(Type::String) => format!("{variable}.as_deref()"),
        Some(_) => format!("{variable}.as_ref()"),
        None => format!("&{variable}"),
    }
}
