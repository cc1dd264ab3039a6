//! Types of the contract as JSON Schema 2020-12, in one encoding:
//!
//! | WIT | JSON |
//! |---|---|
//! | record | an object with its fields, by their names; no others |
//! | `option` | left out if it is none; `null` where it is no field |
//! | enum | a string |
//! | variant | a case without payload is a string, one with payload is an object with that one field |
//! | `list<u8>` | a string in base64 |
//! | tuple | an array |
//! | integers, bool, string, list | what they are |

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the kinds of types are wit-parser's own; what is not known here panics"
)]

use serde_json::{Map, Value, json};
use wit_parser::{Docs, Resolve, Type, TypeDefKind, TypeId};

use crate::hints::{self, Hints};

/// The named types that have been asked for, and those that they need.
pub(crate) struct Schemas<'a> {
    contract: &'a Resolve,
    /// By type and field; each is taken out when it is used.
    hints: Map<String, Value>,
    defs: Map<String, Value>,
    /// The type that a name belongs to: two types of one name would be mixed up.
    owners: Vec<(String, TypeId)>,
}

impl<'a> Schemas<'a> {
    pub(crate) fn new(contract: &'a Resolve, hints: Map<String, Value>) -> Self {
        Self { contract, hints, defs: Map::new(), owners: Vec::new() }
    }

    pub(crate) fn contract(&self) -> &'a Resolve {
        self.contract
    }

    /// The definitions. A hint that was not used is for something that is not there.
    pub(crate) fn into_defs(self) -> Map<String, Value> {
        let unused: Vec<_> = self.hints.keys().collect();
        assert!(unused.is_empty(), "there are hints for types that no action has: {unused:?}");
        self.defs
    }

    /// The schema of a value of this type.
    pub(crate) fn of(&mut self, ty: Type) -> Value {
        match ty {
            Type::Bool => json!({ "type": "boolean" }),
            Type::String => json!({ "type": "string" }),
            Type::U8 => integer(Some(u64::from(u8::MAX))),
            Type::U16 => integer(Some(u64::from(u16::MAX))),
            Type::U32 => integer(Some(u64::from(u32::MAX))),
            // More than a number of JSON holds everywhere.
            Type::U64 => integer(None),
            Type::Id(id) => self.of_definition(id),
            Type::S8
            | Type::S16
            | Type::S32
            | Type::S64
            | Type::F32
            | Type::F64
            | Type::Char
            | Type::ErrorContext => panic!("{ty:?} has no encoding yet"),
        }
    }

    /// The type inside an `option`; `None` for any other.
    pub(crate) fn optional(&self, ty: Type) -> Option<Type> {
        let Type::Id(id) = ty else { return None };
        match &self.contract.types[id].kind {
            TypeDefKind::Option(inner) => Some(*inner),
            TypeDefKind::Type(inner) => self.optional(*inner),
            _ => None,
        }
    }

    fn of_definition(&mut self, id: TypeId) -> Value {
        let definition = &self.contract.types[id];
        match &definition.kind {
            // `use` of another interface's type.
            TypeDefKind::Type(inner) => self.of(*inner),
            TypeDefKind::List(Type::U8) => json!({ "type": "string", "contentEncoding": "base64" }),
            TypeDefKind::List(inner) => json!({ "type": "array", "items": self.of(*inner) }),
            TypeDefKind::Tuple(tuple) => {
                let items: Vec<_> = tuple.types.iter().map(|ty| self.of(*ty)).collect();
                json!({ "type": "array", "prefixItems": items, "items": false, "minItems": items.len() })
            }
            TypeDefKind::Option(inner) => match self.of(*inner) {
                Value::Object(mut plain) if plain.get("type").is_some_and(Value::is_string) => {
                    let name = plain["type"].clone();
                    plain.insert("type".to_owned(), json!([name, "null"]));
                    plain.into()
                }
                other => json!({ "anyOf": [other, { "type": "null" }] }),
            },
            TypeDefKind::Record(_) | TypeDefKind::Variant(_) | TypeDefKind::Enum(_) => {
                let name = definition.name.as_ref().expect("records, variants and enums have names");
                self.define(name, id);
                json!({ "$ref": format!("#/$defs/{name}") })
            }
            other => panic!("{} has no encoding yet", other.as_str()),
        }
    }

    fn define(&mut self, name: &str, id: TypeId) {
        if let Some((_, owner)) = self.owners.iter().find(|(owned, _)| owned == name) {
            assert_eq!(*owner, id, "two types are named {name}");
            return;
        }
        self.owners.push((name.to_owned(), id));
        // Its place among the others is where it was first met.
        self.defs.insert(name.to_owned(), Value::Null);
        let definition = &self.contract.types[id];
        let mut hints = match self.hints.shift_remove(name) {
            None => Map::new(),
            Some(Value::Object(hints)) => hints,
            Some(other) => panic!("the hints for {name} are no object: {other}"),
        };
        let schema = match &definition.kind {
            TypeDefKind::Record(record) => {
                let fields = record.fields.iter().map(|field| (field.name.as_str(), field.ty, &field.docs));
                self.object(name, fields, &mut hints)
            }
            TypeDefKind::Variant(variant) => {
                let cases = variant.cases.iter().map(|case| {
                    let mut schema = match case.ty {
                        None => json!({ "const": case.name }),
                        Some(ty) => {
                            let mut payload = self.of(ty);
                            hint(&mut payload, name, &format!("{}.", case.name), &mut hints);
                            json!({
                                "type": "object", "additionalProperties": false,
                                "properties": { &case.name: payload }, "required": [&case.name],
                            })
                        }
                    };
                    describe(&mut schema, &case.docs);
                    hint(&mut schema, name, &case.name, &mut hints);
                    schema
                });
                json!({ "oneOf": cases.collect::<Vec<_>>() })
            }
            TypeDefKind::Enum(cases) => {
                let names: Vec<_> = cases.cases.iter().map(|case| &case.name).collect();
                let said =
                    cases.cases.iter().filter_map(|case| Some((case.name.clone(), text(&case.docs)?.into())));
                let said: Map<String, Value> = said.collect();
                let mut schema = json!({ "type": "string", "enum": names });
                if !said.is_empty() {
                    schema["x-enum-descriptions"] = said.into();
                }
                schema
            }
            other => panic!("{} has no definition", other.as_str()),
        };
        let mut schema = schema;
        describe(&mut schema, &definition.docs);
        hint(&mut schema, name, "", &mut hints);
        let unused: Vec<_> = hints.keys().collect();
        assert!(unused.is_empty(), "{name} has hints for what it has not: {unused:?}");
        self.defs.insert(name.to_owned(), schema);
    }

    /// An object with these fields: those of a record, or the parameters of a function.
    pub(crate) fn object<'f>(
        &mut self,
        name: &str,
        fields: impl Iterator<Item = (&'f str, Type, &'f Docs)>,
        hints: &mut Hints,
    ) -> Value {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for (at, (field, ty, docs)) in fields.enumerate() {
            let inner = self.optional(ty);
            // What has a default may be left out: whoever calls fills it in.
            let has_default = hints.get(field).is_some_and(|hints| hints.get("default").is_some());
            if inner.is_none() && !has_default {
                required.push(field);
            }
            let mut schema = self.of(inner.unwrap_or(ty));
            describe(&mut schema, docs);
            schema["x-order"] = (at + 1).into();
            hint(&mut schema, name, field, hints);
            properties.insert(field.to_owned(), schema);
        }
        json!({
            "type": "object", "additionalProperties": false, "properties": properties, "required": required,
        })
    }
}

fn integer(maximum: Option<u64>) -> Value {
    let mut schema = json!({ "type": "integer", "minimum": 0 });
    if let Some(maximum) = maximum {
        schema["maximum"] = maximum.into();
    }
    schema
}

/// Takes the hints for a field out, and writes them into its schema.
fn hint(schema: &mut Value, of: &str, field: &str, hints: &mut Hints) {
    match hints.shift_remove(field) {
        None => {}
        Some(Value::Object(given)) => hints::apply(schema, &given, &format!("{of}.{field}")),
        Some(other) => panic!("the hints for {of}.{field} are no object: {other}"),
    }
}

fn describe(schema: &mut Value, docs: &Docs) {
    if let Some(text) = text(docs) {
        schema["description"] = text.into();
    }
}

/// A doc comment as text: its lines are joined, its paragraphs are not.
pub(crate) fn text(docs: &Docs) -> Option<String> {
    let text = docs.contents.as_deref()?.trim();
    let paragraphs =
        text.split("\n\n").map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "));
    Some(paragraphs.collect::<Vec<_>>().join("\n"))
}
