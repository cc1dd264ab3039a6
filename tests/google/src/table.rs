//! The table of methods and shapes, and the question whether a value has a shape.

use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The methods of Google's APIs and the shapes of what they take and give.
///
/// Made from [the discovery documents](https://developers.google.com/discovery/v1/reference/apis), by
/// `discovery.py`. What no such document describes, the token endpoint and `google.rpc`, is in `by-hand.json`,
/// which says where it comes from.
#[derive(Debug)]
pub struct Table {
    /// The calls that no discovery document describes.
    routes: Vec<Route<Regex>>,
    common: Map<String, Value>,
    methods: Vec<Method>,
    required: Map<String, Value>,
    shapes: Map<String, Value>,
}

/// Verb and URL, the shape of a success, and that of a failure.
type Route<Url> = (Url, String, String);

/// A method of an API.
#[derive(Debug)]
pub struct Method {
    /// The API with its version, a space, and the method, such as
    /// `run.v2 run.projects.locations.services.get`.
    pub id: String,
    /// The scopes, any of which is enough.
    pub scopes: Vec<String>,
    /// The shape of the body, if there is to be one.
    pub request: Option<Value>,
    /// The shape of a success.
    pub response: Option<Value>,
    verb: String,
    url: Regex,
    query: Map<String, Value>,
}

#[derive(Deserialize)]
struct Written {
    query: Map<String, Value>,
    methods: Vec<WrittenMethod>,
    required: Map<String, Value>,
    shapes: Map<String, Value>,
}

#[derive(Deserialize)]
struct WrittenMethod {
    id: String,
    verb: String,
    url: String,
    query: Map<String, Value>,
    scopes: Vec<String>,
    request: Option<Value>,
    response: Option<Value>,
}

#[derive(Deserialize)]
struct ByHand {
    routes: Vec<Route<String>>,
    shapes: Map<String, Value>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let table: Written = serde_json::from_str(include_str!("../discovery.json")).expect("the table is JSON");
    let by_hand: ByHand = serde_json::from_str(include_str!("../by-hand.json")).expect("the table is JSON");
    let whole = |pattern: &str| Regex::new(&format!("^{pattern}$")).expect("the table holds patterns");
    let method = |m: WrittenMethod| Method {
        url: whole(&m.url),
        id: m.id,
        verb: m.verb,
        query: m.query,
        scopes: m.scopes,
        request: m.request,
        response: m.response,
    };
    let route = |(url, success, failure): Route<String>| (whole(&url.replace('.', "[.]")), success, failure);
    Table {
        routes: by_hand.routes.into_iter().map(route).collect(),
        common: table.query,
        methods: table.methods.into_iter().map(method).collect(),
        required: table.required,
        shapes: table.shapes.into_iter().chain(by_hand.shapes).collect(),
    }
});

impl Table {
    /// The table.
    pub fn google() -> &'static Self {
        &TABLE
    }

    /// The method that a verb and a URL without its query call. A custom verb, after a colon, goes first: it
    /// would be part of a name otherwise.
    pub fn method(&self, verb: &str, url: &str) -> Option<&Method> {
        let fits = |method: &&Method| method.verb == verb && method.url.is_match(url);
        self.methods.iter().filter(fits).max_by_key(|method| method.url.as_str().contains("+:"))
    }

    /// The shape of an answer to a verb and a URL without its query.
    ///
    /// # Errors
    /// No such call is in the table, or it has no such answer.
    pub fn answer(&self, verb: &str, url: &str, status: u16) -> Result<Value, String> {
        let asked = format!("{verb} {url}");
        if let Some((_, success, failure)) = self.routes.iter().find(|route| route.0.is_match(&asked)) {
            return Ok(if status < 300 { success } else { failure }.as_str().into());
        }
        let method = self.method(verb, url).ok_or_else(|| format!("{asked}: no such call"))?;
        let shape = if status < 300 { method.response.clone() } else { Some("rpc/ErrorResponse".into()) };
        shape.ok_or_else(|| format!("{asked}: no shape for {status}"))
    }

    /// Checks that a value has a shape: no field that is not published, none of another type, and no value
    /// that its enum does not have. A field may be left out, for proto3 leaves out empty ones, and a mask
    /// those that were not asked for.
    ///
    /// # Errors
    /// The place of the difference, which begins with `at`, and what should be there.
    pub fn check(&self, at: &str, value: &Value, shape: &Value) -> Result<(), String> {
        let wrong = |expected: &str| Err(format!("{at} is {value}, and should be {expected}"));
        match shape {
            Value::Array(items) => {
                let Value::Array(values) = value else { return wrong("an array") };
                let each = |(i, v)| self.check(&format!("{at}[{i}]"), v, &items[0]);
                values.iter().enumerate().try_for_each(each)
            }
            Value::Object(fields) => {
                let Value::Object(values) = value else { return wrong("an object") };
                values.iter().try_for_each(|(name, value)| {
                    let field = fields.get(name).or_else(|| fields.get("*"));
                    let field =
                        field.ok_or_else(|| format!("{at} has a field {name}, which is not published"))?;
                    self.check(&format!("{at}.{name}"), value, field)
                })
            }
            Value::String(shape) => self.scalar(at, value, shape),
            Value::Null | Value::Bool(_) | Value::Number(_) => panic!("the shape of {at} is {shape}"),
        }
    }

    /// Checks a body that is sent: its shape, and that what Google requires is there.
    ///
    /// # Errors
    /// As of [`check`](Self::check).
    pub fn check_sent(&self, value: &Value, shape: &Value) -> Result<(), String> {
        self.check("the body", value, shape)?;
        let fields = shape.as_str().and_then(|shape| self.required.get(shape)?.as_array());
        let missing = fields.into_iter().flatten().find(|field| {
            let given = &value[field.as_str().unwrap_or_default()];
            given.is_null() || given == "" || given.as_array().is_some_and(Vec::is_empty)
        });
        missing.map_or(Ok(()), |field| Err(format!("the body has no {field}")))
    }

    /// The shape behind a name, or the shape itself.
    pub(crate) fn resolved<'a>(&'a self, shape: &'a Value) -> &'a Value {
        shape.as_str().and_then(|name| self.shapes.get(name)).unwrap_or(shape)
    }

    fn scalar(&self, at: &str, value: &Value, shape: &str) -> Result<(), String> {
        let good = match shape {
            "any" => true,
            "string" | "bytes" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            // JSON has no integers of 64 bits: they are strings.
            "int64" => value.as_str().is_some_and(|text| text.parse::<i64>().is_ok()),
            "datetime" => value.as_str().is_some_and(|text| DATETIME.is_match(text)),
            "duration" => value.as_str().is_some_and(|text| DURATION.is_match(text)),
            // Says itself what it is.
            "rpc/Detail" => {
                let named = value["@type"].as_str().unwrap_or_default();
                return match self.shapes.get(named) {
                    Some(shape) => self.check(at, value, shape),
                    None => Err(format!("{at} is of type {named:?}, which is not among the shapes")),
                };
            }
            _ => match (shape.strip_prefix("enum "), self.shapes.get(shape)) {
                (Some(names), _) => {
                    value.as_str().is_some_and(|value| names.split(' ').any(|name| name == value))
                }
                (None, Some(shape)) => return self.check(at, value, shape),
                (None, None) => return Err(format!("{shape} is not among the shapes")),
            },
        };
        if good { Ok(()) } else { Err(format!("{at} is {value}, and should be {shape}")) }
    }
}

impl Method {
    /// Checks the names and values of a query.
    ///
    /// # Errors
    /// The parameter that the method does not have, or that has no such value.
    pub fn check_query(&self, table: &Table, pairs: &[(String, String)]) -> Result<(), String> {
        pairs.iter().try_for_each(|(name, text)| {
            let shape = self.query.get(name).or_else(|| table.common.get(name));
            let shape = shape.ok_or_else(|| name.clone())?;
            let one = shape.as_array().map_or(shape, |items| &items[0]);
            let value = match one.as_str() {
                Some("integer") => text.parse::<i64>().map(Value::from).map_err(|_| name.clone())?,
                Some("boolean") => text.parse::<bool>().map(Value::from).map_err(|_| name.clone())?,
                Some(_) | None => Value::from(text.as_str()),
            };
            table.check(name, &value, one).map_err(|_| name.clone())
        })
    }
}

static DURATION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\d+(\.\d{1,9})?s$").expect("a pattern of our own"));

static DATETIME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$").expect("a pattern of our own")
});
