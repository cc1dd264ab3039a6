//! JSON, as one type for whatever is read and written.
//!
//! Structs with derived readers are quicker to write, and each brings its own copy of the parser: in wasm
//! they made a third of the component (`docs/decisions/0008`). This value borrows its text from what it was
//! read from, lets no name stand twice, and has no map.

pub(crate) mod split;

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// Any JSON.
#[derive(Debug)]
pub(crate) enum Value<'a> {
    Null,
    Flag(bool),
    Number(u64),
    /// A negative number, a fraction, or more than fits.
    OtherNumber(f64),
    Text(Cow<'a, str>),
    List(Vec<Value<'a>>),
    Object(Object<'a>),
}

/// Fields in the order in which they were written, each name once.
#[derive(Debug, Default)]
pub(crate) struct Object<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

/// The deepest that objects and lists may stand in each other. It is serde_json's limit, by which the parser keeps to the
/// stack it has; where nothing is built ([`check`]), it does not hold.
const MAX_DEPTH: usize = 127;

/// The reason why something cannot be read.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// It is not JSON.
    Json(serde_json::Error),
    /// It is not UTF-8, as JSON has to be (RFC 8259, section 8.1), from this place on.
    NotUtf8 { line: usize, column: usize },
    /// It is nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// It is JSON, and not an object.
    NoObject,
    /// An object in it has this name twice. Which of the two somebody else would read is unknown (RFC 8259, section 4).
    Twice(String),
    /// This field is missing, or of another type than it has to be.
    Field(&'static str),
}

impl Unreadable {
    fn not_utf8(json: &[u8], valid: usize) -> Self {
        let before = &json[..valid];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        Self::NotUtf8 { line, column }
    }
}

/// The outcome of reading.
pub(crate) type Read<T> = Result<T, Unreadable>;

/// Reads an object.
pub(crate) fn read(json: &[u8]) -> Read<Object<'_>> {
    match any(json)? {
        Value::Object(object) => Ok(object),
        Value::Null
        | Value::Flag(_)
        | Value::Number(_)
        | Value::OtherNumber(_)
        | Value::Text(_)
        | Value::List(_) => Err(Unreadable::NoObject),
    }
}

/// Reads JSON of any kind.
pub(crate) fn value(json: &str) -> Read<Value<'_>> {
    any(json.as_bytes())
}

/// Reads JSON of any kind. A byte order mark before it is passed over (RFC 8259, section 8.1).
fn any(json: &[u8]) -> Read<Value<'_>> {
    // Once for the whole: of bytes, the parser checks each string by itself, which takes a fifth of all its time.
    let text = std::str::from_utf8(json).map_err(|error| Unreadable::not_utf8(json, error.valid_up_to()))?;
    let text = without_mark(text);
    let value = serde_json::from_str(text).map_err(|error| {
        if depth(text.as_bytes()) > MAX_DEPTH { Unreadable::TooDeep } else { Unreadable::Json(error) }
    })?;
    match twice(&value) {
        Some(name) => Err(Unreadable::Twice(name.to_owned())),
        None => Ok(value),
    }
}

/// JSON without the byte order mark that it may begin with.
pub(crate) fn without_mark(json: &str) -> &str {
    json.strip_prefix('\u{feff}').unwrap_or(json)
}

/// The depth of brackets, up to where something is no JSON any more.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_text, mut escaped) = (false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// A name that stands twice in an object.
fn twice<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    match value {
        Value::Object(object) => repeated(object.fields().map(|(name, _)| name))
            .or_else(|| object.fields().find_map(|(_, value)| twice(value))),
        Value::List(items) => items.iter().find_map(twice),
        Value::Null | Value::Flag(_) | Value::Number(_) | Value::OtherNumber(_) | Value::Text(_) => None,
    }
}

/// The name among others that comes again first, however many there are.
fn repeated<'n>(names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let names: Vec<_> = names.collect();
    // To sort a few takes longer than to compare them.
    if names.len() <= 16 {
        return (1..names.len()).find(|at| names[..*at].contains(&names[*at])).map(|at| names[at]);
    }
    let mut places: Vec<_> = (0..names.len()).collect();
    places.sort_unstable_by_key(|at| (names[*at], *at));
    let again = places.windows(2).filter(|pair| names[pair[0]] == names[pair[1]]).map(|pair| pair[1]);
    again.min().map(|at| names[at])
}

/// Tells if a text is JSON of any kind.
pub(crate) fn check(json: &str) -> Read<()> {
    serde_json::from_str::<IgnoredAny>(json).map(drop).map_err(Unreadable::Json)
}

impl<'a> Object<'a> {
    /// A field, whatever it holds: one that is `null` was written.
    pub(crate) fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    /// All fields.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// A field that may be left out, or `null`, and is nothing else than what `read` takes.
    fn optional<'v, T>(
        &'v self,
        name: &'static str,
        read: impl FnOnce(&'v Value<'a>) -> Option<T>,
    ) -> Read<Option<T>> {
        match self.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read(value).map(Some).ok_or(Unreadable::Field(name)),
        }
    }

    /// Text that may be left out.
    pub(crate) fn text(&self, name: &'static str) -> Read<Option<&str>> {
        self.optional(name, Value::text)
    }

    /// Text that may be left out, of its own.
    pub(crate) fn string(&self, name: &'static str) -> Read<Option<String>> {
        Ok(self.text(name)?.map(str::to_owned))
    }

    /// Text that may not be left out.
    pub(crate) fn required(&self, name: &'static str) -> Read<String> {
        self.string(name)?.ok_or(Unreadable::Field(name))
    }

    /// A number that may be left out.
    pub(crate) fn number(&self, name: &'static str) -> Read<Option<u64>> {
        self.optional(name, Value::number)
    }

    /// A flag; `false` if it is left out.
    pub(crate) fn flag(&self, name: &'static str) -> Read<bool> {
        let flag =
            self.optional(name, |value| if let Value::Flag(flag) = value { Some(*flag) } else { None });
        Ok(flag?.unwrap_or_default())
    }

    /// An object that may be left out.
    pub(crate) fn object(&self, name: &'static str) -> Read<Option<&Object<'a>>> {
        self.optional(name, Value::object)
    }

    /// A list; empty if it is left out.
    pub(crate) fn list(&self, name: &'static str) -> Read<&[Value<'a>]> {
        Ok(self.optional(name, Value::list)?.unwrap_or_default())
    }

    /// A list of text; empty if it is left out.
    pub(crate) fn texts(&self, name: &'static str) -> Read<Vec<String>> {
        let texts = self.list(name)?.iter().map(|value| value.text().map(str::to_owned)).collect();
        Option::ok_or(texts, Unreadable::Field(name))
    }

    /// An object of text, in the order of its names; empty if it is left out.
    pub(crate) fn pairs(&self, name: &'static str) -> Read<Vec<(String, String)>> {
        let mut pairs = Vec::new();
        for (key, value) in self.object(name)?.into_iter().flat_map(Object::fields) {
            let value = value.text().ok_or(Unreadable::Field(name))?;
            let at = pairs.partition_point(|(there, _): &(String, String)| there.as_str() < key);
            pairs.insert(at, (key.to_owned(), value.to_owned()));
        }
        Ok(pairs)
    }

    /// One more field.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value<'a>>) -> Self {
        self.0.push((Cow::Borrowed(name), value.into()));
        self
    }

    /// One more field, if there is something to write.
    pub(crate) fn with_some(self, name: &'static str, value: Option<impl Into<Value<'a>>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// One more field, unless it is empty.
    pub(crate) fn with_text(self, name: &'static str, text: &'a str) -> Self {
        self.with_some(name, (!text.is_empty()).then_some(text))
    }

    /// One more field, unless it is empty.
    pub(crate) fn with_texts(self, name: &'static str, texts: &'a [String]) -> Self {
        let list = texts.iter().map(|text| text.as_str().into()).collect();
        self.with_some(name, (!texts.is_empty()).then_some(Value::List(list)))
    }

    /// As JSON text.
    pub(crate) fn to_json(&self) -> String {
        // It fails for keys that are not text, and for writers that fail; here is neither.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl<'a> Value<'a> {
    /// Tells if this is exactly that text.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.text() == Some(text)
    }

    /// The text that this is.
    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The number that this is.
    pub(crate) fn number(&self) -> Option<u64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// The list that this is.
    pub(crate) fn list(&self) -> Option<&[Value<'a>]> {
        if let Self::List(list) = self { Some(list) } else { None }
    }

    /// The object that this is.
    pub(crate) fn object(&self) -> Option<&Object<'a>> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl<'a> From<Object<'a>> for Value<'a> {
    fn from(object: Object<'a>) -> Self {
        Self::Object(object)
    }
}

/// The fault, as the end of a sentence, without a word of what was read: the parser's own message may
/// repeat a part of it.
impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => {
                let what = if error.is_eof() { "ends too early" } else { "is not JSON" };
                write!(f, "{what} (line {}, column {})", error.line(), error.column())
            }
            Self::NotUtf8 { line, column } => write!(f, "is not UTF-8 (line {line}, column {column})"),
            Self::TooDeep => {
                write!(f, "is nested deeper than the {MAX_DEPTH} levels that this connector reads")
            }
            Self::NoObject => f.write_str("is not an object"),
            Self::Twice(_) => f.write_str("has a name twice in an object"),
            Self::Field(name) => {
                write!(f, "has a field that is missing or of an unexpected type: {name}")
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Value::OtherNumber(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Value::OtherNumber(number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut object = Object::default();
        while let Some(name) = fields.next_key::<Name<'de>>()? {
            object.0.push((name.0, fields.next_value()?));
        }
        Ok(Value::Object(object))
    }
}

/// A name, borrowed where it can be.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_str(Any)? {
            Value::Text(text) => Ok(Self(text)),
            Value::Null
            | Value::Flag(_)
            | Value::Number(_)
            | Value::OtherNumber(_)
            | Value::List(_)
            | Value::Object(_) => Err(D::Error::custom("a name is not text")),
        }
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Number(number) => serializer.serialize_u64(*number),
            // Nothing here writes one, and the code that could is large.
            Self::OtherNumber(_) => serializer.serialize_unit(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(list) => serializer.collect_seq(list),
            Self::Object(object) => object.serialize(serializer),
        }
    }
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.fields())
    }
}

#[cfg(test)]
mod tests;
