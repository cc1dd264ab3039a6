//! JSON as values of the contract. What is wrong is said as `gcf_host::Host::call_by_name` says it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use crate::call::shortened;

/// The place of a value in the input. It is written out only where something is wrong there.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    above: Option<(&'a At<'a>, Step<'a>)>,
}

/// The way from a value to one inside it.
#[derive(Clone, Copy)]
enum Step<'a> {
    Field(&'a str),
    Item(usize),
}

impl<'a> At<'a> {
    /// The input itself.
    pub(crate) const TOP: At<'static> = At { above: None };

    pub(crate) fn below(&'a self, name: &'a str) -> At<'a> {
        At { above: Some((self, Step::Field(name))) }
    }

    pub(crate) fn item(&'a self, index: usize) -> At<'a> {
        At { above: Some((self, Step::Item(index))) }
    }

    /// The names on the way, with dots between; the beginning of that, if somebody else has made it long.
    pub(crate) fn path(&self) -> String {
        let mut path = String::new();
        self.write(&mut path);
        shortened(&path).to_owned()
    }

    fn write(&self, path: &mut String) {
        let Some((above, step)) = self.above else { return };
        if above.above.is_some() {
            above.write(path);
            path.push('.');
        }
        match step {
            Step::Field(name) => path.push_str(shortened(name)),
            Step::Item(index) => path.push_str(&index.to_string()),
        }
    }
}

/// The path of the field that is wrong, and the mistake. Never the field's value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) field: String,
    pub(crate) why: String,
}

fn wrong(at: &At<'_>, what: &str) -> Wrong {
    let field = at.path();
    let why = format!("{} is not {what}", if field.is_empty() { "the input" } else { &field });
    Wrong { field, why }
}

pub(crate) fn boolean(json: &Value, at: &At<'_>) -> Result<bool, Wrong> {
    json.as_bool().ok_or_else(|| wrong(at, "true or false"))
}

pub(crate) fn number<T: TryFrom<u64>>(json: &Value, at: &At<'_>) -> Result<T, Wrong> {
    let number = json.as_u64().and_then(|number| number.try_into().ok());
    number.ok_or_else(|| wrong(at, "a whole number in its range"))
}

/// Reads by a reader that the build has written out.
pub(crate) fn by<T>(
    json: &Value,
    at: &At<'_>,
    reader: impl FnOnce(&Value, &At<'_>) -> Result<T, Wrong>,
) -> Result<T, Wrong> {
    reader(json, at)
}

fn str<'j>(json: &'j Value, at: &At<'_>) -> Result<&'j str, Wrong> {
    json.as_str().ok_or_else(|| wrong(at, "text"))
}

pub(crate) fn text(json: &Value, at: &At<'_>) -> Result<String, Wrong> {
    str(json, at).map(str::to_owned)
}

pub(crate) fn bytes(json: &Value, at: &At<'_>) -> Result<Vec<u8>, Wrong> {
    STANDARD.decode(str(json, at)?).map_err(|_| wrong(at, "base64"))
}

pub(crate) fn list<T>(
    json: &Value,
    at: &At<'_>,
    item: impl Fn(&Value, &At<'_>) -> Result<T, Wrong>,
) -> Result<Vec<T>, Wrong> {
    let items = json.as_array().ok_or_else(|| wrong(at, "a list"))?.iter().enumerate();
    items.map(|(index, json)| item(json, &at.item(index))).collect()
}

pub(crate) fn tuple<'j>(json: &'j Value, at: &At<'_>, count: usize) -> Result<&'j [Value], Wrong> {
    let items = json.as_array().ok_or_else(|| wrong(at, "a list"))?;
    if items.len() == count { Ok(items) } else { Err(wrong(at, &format!("a list of {count}"))) }
}

/// Text without a character that is seen: what a form sends of a field that nobody has filled in.
fn is_blank(json: &Value) -> bool {
    json.as_str().is_some_and(|text| text.trim().is_empty())
}

pub(crate) fn option<T>(
    json: &Value,
    at: &At<'_>,
    value: impl Fn(&Value, &At<'_>) -> Result<T, Wrong>,
) -> Result<Option<T>, Wrong> {
    if json.is_null() || is_blank(json) { Ok(None) } else { value(json, at).map(Some) }
}

pub(crate) fn optional_field<T>(
    object: &Value,
    at: &At<'_>,
    name: &str,
    value: impl Fn(&Value, &At<'_>) -> Result<T, Wrong>,
) -> Result<Option<T>, Wrong> {
    object.get(name).map_or(Ok(None), |json| option(json, &at.below(name), value))
}

pub(crate) fn field<T>(
    object: &Value,
    at: &At<'_>,
    name: &str,
    default: Option<&str>,
    value: impl Fn(&Value, &At<'_>) -> Result<T, Wrong>,
) -> Result<T, Wrong> {
    let at = at.below(name);
    let given = object.get(name);
    match (given.filter(|json| !is_blank(json)), default) {
        (Some(json), _) => value(json, &at),
        (None, Some(default)) => value(&serde_json::from_str(default).unwrap_or_default(), &at),
        (None, None) => match given {
            // It has to be there, and may be blank for all that is known here.
            Some(blank) => value(blank, &at),
            None => {
                let field = at.path();
                Err(Wrong { why: format!("{field} is missing"), field })
            }
        },
    }
}

/// An input, whatever its fields.
pub(crate) fn object(json: &Value) -> Result<&Map<String, Value>, Wrong> {
    let why = "the input is not an object";
    json.as_object().ok_or_else(|| Wrong { field: String::new(), why: why.to_owned() })
}

/// Refuses what is no field of a record.
pub(crate) fn record(json: &Value, at: &At<'_>, known: &[&str]) -> Result<(), Wrong> {
    let object = json.as_object().ok_or_else(|| wrong(at, "an object"))?;
    match object.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(unknown(name, at, known)),
    }
}

/// Refuses a field of the input that no parameter takes. `known` are all parameters, for the one that was meant.
pub(crate) fn nothing_else(json: &Value, taken: &[&str], known: &[&str]) -> Result<(), Wrong> {
    let mut names = object(json)?.keys();
    match names.find(|name| !taken.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(unknown(name, &At::TOP, known)),
    }
}

fn unknown(name: &str, at: &At<'_>, known: &[&str]) -> Wrong {
    let field = at.below(name).path();
    let meant = nearest(name, known.iter().copied());
    let meant = meant.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    Wrong { why: format!("unknown field {field}{meant}"), field }
}

/// The case of a variant and what goes with it.
pub(crate) fn case<'j>(
    json: &'j Value,
    at: &At<'_>,
    known: &[&str],
) -> Result<(&'j str, Option<&'j Value>), Wrong> {
    let (name, payload) = match json {
        Value::String(name) => (name.as_str(), None),
        Value::Object(fields) if fields.len() == 1 => {
            let (name, payload) = fields.iter().next().expect("there is one");
            (name.as_str(), Some(payload))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            return Err(wrong(at, "a case by its name, or an object with one"));
        }
    };
    if known.contains(&name) {
        Ok((name, payload))
    } else {
        Err(wrong(at, &format!("one of {}", known.join(", "))))
    }
}

/// A case that there is, with a value too many or too few.
pub(crate) fn misfit(at: &At<'_>, name: &str, payload: Option<&Value>) -> Wrong {
    let why = if payload.is_some() { "stands alone" } else { "needs a value" };
    wrong(at, &format!("right: {name} {why}"))
}

/// The case of an enum.
pub(crate) fn word<'j>(json: &'j Value, at: &At<'_>, known: &[&str]) -> Result<&'j str, Wrong> {
    let name = str(json, at)?;
    if known.contains(&name) { Ok(name) } else { Err(wrong(at, &format!("one of {}", known.join(", ")))) }
}

/// The name that is nearest to a text, if it is near: at most a quarter of its letters, and no more than three, are
/// wrong, missing or too many. Two neighbours that have changed places are one.
pub(crate) fn nearest<'n>(text: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let near = (text.len() / 4).clamp(1, 3);
    let distance = |name: &'n str| {
        let far = name.len().abs_diff(text.len()) > near;
        (if far { usize::MAX } else { strsim::osa_distance(text, name) }, name)
    };
    names.into_iter().map(distance).filter(|(distance, _)| *distance <= near).min().map(|(_, name)| name)
}
