//! Values of the contract as JSON, in the encoding that the catalog's schemas describe: a record is an
//! object, a `none` is left out, a case without payload is a string, and bytes are base64.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};
use wasmtime::component::{Val, types::Type};

use super::at::{At, Step};
use crate::text::nearest;

/// The path of the field that is wrong, and the mistake. Never the field's value.
pub(super) type Wrong = (String, String);

/// The mistake of a field that there is not, with the one that may have been meant.
pub(super) fn unknown<'a>(name: &str, at: &At<'_>, known: impl Iterator<Item = &'a str>) -> Wrong {
    let path = at.below(name).path();
    let meant = nearest(name, known).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    let why = format!("unknown field {path}{meant}");
    (path, why)
}

/// A reader of an action's input.
pub(super) struct Reader<'a> {
    /// The action's name in the catalog.
    action: &'a str,
    /// The catalog, which has the defaults.
    catalog: &'a Value,
}

impl<'a> Reader<'a> {
    pub(super) fn new(action: &'a str, catalog: &'a Value) -> Self {
        Self { action, catalog }
    }

    /// Reads a value of this type from JSON.
    pub(super) fn value(&self, ty: &Type, json: &Value, at: &At<'_>) -> Result<Val, Wrong> {
        let wrong = |what: &str| {
            let path = at.path();
            let why = format!("{} is not {what}", if path.is_empty() { "the input" } else { &path });
            (path, why)
        };
        let number = |max: u64| {
            json.as_u64().filter(|n| *n <= max).ok_or_else(|| wrong("a whole number in its range"))
        };
        let text = || json.as_str().ok_or_else(|| wrong("text"));
        let list = || json.as_array().ok_or_else(|| wrong("a list"));
        Ok(match ty {
            Type::Bool => Val::Bool(json.as_bool().ok_or_else(|| wrong("true or false"))?),
            Type::U8 => Val::U8(number(u8::MAX.into())? as u8),
            Type::U16 => Val::U16(number(u16::MAX.into())? as u16),
            Type::U32 => Val::U32(number(u32::MAX.into())? as u32),
            Type::U64 => Val::U64(number(u64::MAX)?),
            Type::String => Val::String(text()?.to_owned()),
            Type::List(of) if of.ty() == Type::U8 => {
                let bytes = STANDARD.decode(text()?).map_err(|_| wrong("base64"))?;
                Val::List(bytes.into_iter().map(Val::U8).collect())
            }
            Type::List(of) => {
                let ty = of.ty();
                let items = list()?.iter().enumerate();
                Val::List(
                    items
                        .map(|(index, item)| self.value(&ty, item, &at.item(index)))
                        .collect::<Result<_, _>>()?,
                )
            }
            Type::Tuple(tuple) => {
                let items = list()?;
                if items.len() != tuple.types().len() {
                    return Err(wrong(&format!("a list of {}", tuple.types().len())));
                }
                let items = tuple.types().zip(items).enumerate();
                let items = items.map(|(index, (ty, item))| self.value(&ty, item, &at.item(index)));
                Val::Tuple(items.collect::<Result<_, _>>()?)
            }
            Type::Record(record) => {
                let object = json.as_object().ok_or_else(|| wrong("an object"))?;
                let known = |name: &String| record.fields().any(|field| field.name == name);
                if let Some(unknown) = object.keys().find(|name| !known(name)) {
                    return Err(self::unknown(unknown, at, record.fields().map(|field| field.name)));
                }
                let fields = record
                    .fields()
                    .map(|of| Ok((of.name.to_owned(), self.field(&of.ty, json, of.name, at)?)));
                Val::Record(fields.collect::<Result<_, Wrong>>()?)
            }
            Type::Enum(cases) => {
                let name = text()?;
                if !cases.names().any(|case| case == name) {
                    return Err(wrong(&format!("one of {}", cases.names().collect::<Vec<_>>().join(", "))));
                }
                Val::Enum(name.to_owned())
            }
            Type::Variant(variant) => {
                let (name, payload) = match json {
                    Value::String(name) => (name.as_str(), None),
                    Value::Object(fields) if fields.len() == 1 => {
                        let (name, payload) = fields.iter().next().expect("there is one");
                        (name.as_str(), Some(payload))
                    }
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                        return Err(wrong("a case by its name, or an object with one"));
                    }
                };
                let case = variant.cases().find(|case| case.name == name).ok_or_else(|| {
                    let names: Vec<_> = variant.cases().map(|case| case.name.to_owned()).collect();
                    wrong(&format!("one of {}", names.join(", ")))
                })?;
                let payload = match (case.ty, payload) {
                    (None, None) => None,
                    (Some(ty), Some(payload)) => Some(Box::new(self.value(&ty, payload, &at.below(name))?)),
                    (None, Some(_)) => return Err(wrong(&format!("right: {name} stands alone"))),
                    (Some(_), None) => return Err(wrong(&format!("right: {name} needs a value"))),
                };
                Val::Variant(name.to_owned(), payload)
            }
            // What a form sends of a field that nobody has filled in.
            Type::Option(_) if json.is_null() || is_blank(json) => Val::Option(None),
            Type::Option(of) => Val::Option(Some(Box::new(self.value(&of.ty(), json, at)?))),
            // The contract has none of these; its schemas could not be made if it had.
            Type::S8
            | Type::S16
            | Type::S32
            | Type::S64
            | Type::Float32
            | Type::Float64
            | Type::Char
            | Type::Map(_)
            | Type::Result(_)
            | Type::Flags(_)
            | Type::Own(_)
            | Type::Borrow(_)
            | Type::Future(_)
            | Type::Stream(_)
            | Type::ErrorContext
            | Type::FixedLengthList(_) => return Err(wrong("of a type that is written as JSON")),
        })
    }

    /// Reads a field of an object, which may be left out, or be blank, if it has a default or the type says so.
    pub(super) fn field(&self, ty: &Type, object: &Value, name: &str, at: &At<'_>) -> Result<Val, Wrong> {
        let at = at.below(name);
        let given = object.get(name);
        match (ty, given.filter(|value| !is_blank(value))) {
            (_, Some(value)) => self.value(ty, value, &at),
            (Type::Option(_), None) => Ok(Val::Option(None)),
            (_, None) => match (self.default(&at), given) {
                (Some(default), _) => self.value(ty, default, &at),
                // It has to be there, and may be blank for all that is known here.
                (None, Some(blank)) => self.value(ty, blank, &at),
                (None, None) => {
                    let path = at.path();
                    let why = format!("{path} is missing");
                    Err((path, why))
                }
            },
        }
    }

    /// The default of the field at a place, as the catalog says it.
    fn default(&self, at: &At<'_>) -> Option<&Value> {
        let action =
            self.catalog["actions"].as_array()?.iter().find(|action| action["name"] == self.action)?;
        let mut steps = at.steps().into_iter();
        steps.try_fold(&action["input"], |schema, step| self.below(schema, step))?.get("default")
    }

    /// The schema of a part of what a schema describes.
    fn below<'s>(&'s self, schema: &'s Value, step: Step<'_>) -> Option<&'s Value> {
        let schema = match schema["$ref"].as_str() {
            Some(reference) => self.catalog.pointer(reference.strip_prefix('#')?)?,
            None => schema,
        };
        match step {
            Step::Field(name) => {
                let of_a_case =
                    || schema["oneOf"].as_array()?.iter().find_map(|case| case["properties"].get(name));
                schema["properties"].get(name).or_else(of_a_case)
            }
            Step::Item(index) => schema["prefixItems"].get(index).or_else(|| schema.get("items")),
        }
    }
}

/// Tells if a value is text without a character that is seen.
fn is_blank(json: &Value) -> bool {
    json.as_str().is_some_and(|text| text.trim().is_empty())
}

/// Makes JSON of a value of this type. Its texts are moved: a body may be long.
pub(super) fn to_json(ty: &Type, value: Val) -> Value {
    match (ty, value) {
        (Type::List(of), Val::List(items)) if of.ty() == Type::U8 => {
            let byte = |item: &Val| if let Val::U8(byte) = item { *byte } else { 0 };
            STANDARD.encode(items.iter().map(byte).collect::<Vec<_>>()).into()
        }
        (Type::List(of), Val::List(items)) => {
            let ty = of.ty();
            items.into_iter().map(|item| to_json(&ty, item)).collect()
        }
        (Type::Tuple(tuple), Val::Tuple(items)) => {
            tuple.types().zip(items).map(|(ty, item)| to_json(&ty, item)).collect()
        }
        (Type::Record(record), Val::Record(fields)) => {
            let fields =
                record.fields().zip(fields).filter(|(_, (_, value))| !matches!(value, Val::Option(None)));
            let fields = fields.map(|(field, (name, value))| (name, to_json(&field.ty, value)));
            Value::Object(fields.collect())
        }
        (Type::Variant(variant), Val::Variant(name, payload)) => {
            let ty = variant.cases().find(|case| case.name == name).and_then(|case| case.ty);
            match (ty, payload) {
                (Some(ty), Some(payload)) => Value::Object(Map::from_iter([(name, to_json(&ty, *payload))])),
                (Some(_) | None, Some(_) | None) => name.into(),
            }
        }
        (Type::Option(of), Val::Option(Some(value))) => to_json(&of.ty(), *value),
        (_, Val::Option(None)) => Value::Null,
        (_, Val::Enum(name)) => name.into(),
        (_, Val::Bool(flag)) => flag.into(),
        (_, Val::U8(number)) => number.into(),
        (_, Val::U16(number)) => number.into(),
        (_, Val::U32(number)) => number.into(),
        (_, Val::U64(number)) => number.into(),
        (_, Val::String(text)) => text.into(),
        (ty, _) => unreachable!("the contract has no {ty:?}"),
    }
}
