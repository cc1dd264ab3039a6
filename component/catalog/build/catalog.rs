//! The document: what the hints say, with the schemas of every action.

use serde_json::{Map, Value, json};
use wit_parser::{Docs, Function, PackageId, Resolve, Type, TypeDefKind, WorldItem, WorldKey};

use crate::schema::{self, Schemas};

/// The parameters that a host fills in by itself: the connection, and the time that the call may take.
const BESIDE: [&str; 3] = ["connection", "id", "deadline-ms"];

/// The catalog, with what is generated in its place.
pub(crate) fn make(contract: &Resolve, package: PackageId, hints: &str) -> Value {
    let mut catalog: Map<String, Value> =
        serde_json::from_str(hints).unwrap_or_else(|error| panic!("catalog.json: {error}"));
    let types = object(catalog.shift_remove("types"), "types");
    let mut form = object(catalog.shift_remove("connection"), "connection");
    let mut schemas = Schemas::new(contract, types);

    let deadlines = catalog["limits"]["deadline-ms"].clone();
    let functions = exported(contract, package);
    let Some(Value::Array(actions)) = catalog.get_mut("actions") else { panic!("catalog.json: no actions") };
    let mut named = Vec::new();
    for action in &mut *actions {
        let Value::Object(action) = action else { panic!("catalog.json: an action is no object") };
        let name = action["name"].as_str().expect("an action has a name").to_owned();
        let (_, function) = functions
            .iter()
            .find(|(exported, _)| *exported == name)
            .unwrap_or_else(|| panic!("catalog.json: the contract has no {name}"));
        complete(action, &name, function, &mut schemas);
        if function.params.iter().any(|param| param.name == "deadline-ms") {
            let deadline =
                if name == "functions.invoke" { &deadlines["invoke"] } else { &deadlines["default"] };
            action.insert("deadline-ms".to_owned(), deadline.clone());
        }
        named.push(name);
    }
    let missing: Vec<_> =
        functions.iter().filter(|(name, _)| !named.contains(name)).map(|(name, _)| name).collect();
    assert!(missing.is_empty(), "catalog.json says nothing about {missing:?}");

    let defs = schemas.into_defs();
    catalog.insert("connection".to_owned(), connection(&mut form, &defs));
    catalog.insert("error".to_owned(), json!({ "$ref": "#/$defs/error" }));
    catalog.insert("$defs".to_owned(), defs.into());
    let mut document = Map::new();
    document.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
    document.extend(catalog);
    document.into()
}

/// Every function that the component exports, as `interface.function`; but for the one that answers with this.
fn exported(contract: &Resolve, package: PackageId) -> Vec<(String, &Function)> {
    let world = contract.select_world(&[package], None).unwrap_or_else(|error| panic!("{error:?}"));
    let mut functions = Vec::new();
    for (key, item) in &contract.worlds[world].exports {
        let (WorldKey::Interface(_), WorldItem::Interface { id, .. }) = (key, item) else {
            panic!("the world exports something else than an interface")
        };
        let interface = &contract.interfaces[*id];
        let name = interface.name.as_deref().expect("an exported interface has a name");
        functions.extend(interface.functions.iter().map(|(function, it)| (format!("{name}.{function}"), it)));
    }
    functions.retain(|(name, _)| name != "catalog.describe");
    functions
}

/// Adds what the contract says about an action.
fn complete(action: &mut Map<String, Value>, name: &str, function: &Function, schemas: &mut Schemas<'_>) {
    let mut fields =
        action.shift_remove("fields").map(|fields| object(Some(fields), name)).unwrap_or_default();
    for key in action.keys() {
        let known = ["name", "title", "effects", "permissions", "roles", "scopes", "egress"];
        assert!(known.contains(&key.as_str()), "catalog.json: {name} has an unknown {key}");
    }
    if let Some(text) = schema::text(&function.docs) {
        action.insert("description".to_owned(), text.into());
    }
    // For hosts whose names allow no dot, such as tools of language models.
    action.insert("plain-name".to_owned(), name.replace('.', "-").into());
    let parameters: Vec<_> = function.params.iter().map(|param| param.name.as_str()).collect();
    action.insert("parameters".to_owned(), json!(parameters));
    let given: Vec<_> =
        function.params.iter().filter(|param| !BESIDE.contains(&param.name.as_str())).collect();
    let input = match given[..] {
        [request] if request.name == "request" => schemas.of(request.ty),
        _ => {
            let none = Docs::default();
            let params = given.iter().map(|param| (param.name.as_str(), param.ty, &none));
            schemas.object(name, params, &mut fields)
        }
    };
    assert!(fields.is_empty(), "catalog.json: {name} has hints for what it does not take: {fields:?}");
    action.insert("input".to_owned(), input);
    action.insert("output".to_owned(), schemas.output(function));
}

impl Schemas<'_> {
    /// The schema of its result; its error is the same everywhere.
    fn output(&mut self, function: &Function) -> Value {
        let Some(Type::Id(id)) = function.result else { panic!("{} returns nothing", function.name) };
        let TypeDefKind::Result(result) = &self.contract().types[id].kind else {
            panic!("{} cannot fail", function.name)
        };
        let (ok, error) = (result.ok.expect("something comes of it"), result.err.expect("an error"));
        let output = self.of(ok);
        assert_eq!(self.of(error), json!({ "$ref": "#/$defs/error" }));
        output
    }
}

/// The form of a new connection: `connections.connect`, and among its credentials the sign-in of a person, which is another
/// action.
fn connection(hints: &mut Map<String, Value>, defs: &Map<String, Value>) -> Value {
    let sign_in = object(hints.shift_remove("sign-in"), "connection.sign-in");
    assert!(hints.is_empty(), "catalog.json: connection has unknown {hints:?}");
    let action = &sign_in["action"];
    let from = &defs["authorize-request"]["properties"];
    let fields = sign_in["fields"].as_array().expect("names of fields");
    let properties: Map<String, Value> = fields
        .iter()
        .map(|field| {
            let field = field.as_str().expect("a name");
            assert!(from.get(field).is_some(), "authorize-request has no {field}");
            (field.to_owned(), from[field].clone())
        })
        .collect();
    let required: Vec<_> = defs["authorize-request"]["required"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|field| properties.contains_key(field.as_str().expect("a name")))
        .collect();
    let by_person = json!({
        "title": sign_in["label"], "x-action": action,
        "type": "object", "additionalProperties": false, "properties": properties, "required": required,
    });
    let mut form = defs["connect-request"].clone();
    let credential = &mut form["properties"]["credential"];
    let mut kinds = defs["credential"]["oneOf"].as_array().expect("a variant").clone();
    kinds.insert(1, by_person);
    let shown = credential.as_object_mut().expect("a schema");
    shown.shift_remove("$ref");
    shown.insert("oneOf".to_owned(), kinds.into());
    form
}

fn object(value: Option<Value>, of: &str) -> Map<String, Value> {
    match value {
        Some(Value::Object(object)) => object,
        other => panic!("catalog.json: {of} is no object: {other:?}"),
    }
}
