//! Google's answers on the cassettes, against the shapes that Google publishes.
//!
//! `fixtures/google-shapes.json` says where each shape comes from. A field that no shape has, of another
//! type, or with a value that its enum does not have, fails; a field that is left out does not, for proto3
//! leaves out empty ones, and a field mask those that were not asked for.

use gcf_host::tape::{RecordedBody, Tape};
use regex::Regex;
use serde_json::{Value, json};

use crate::fixtures::{cassette, cassettes};

struct Shapes {
    /// Method and URL without query; the shape of a success, if there is one here, and that of a failure.
    routes: Vec<(Regex, Option<String>, String)>,
    shapes: Value,
}

impl Shapes {
    fn read() -> Self {
        let table: Value = serde_json::from_str(include_str!("../fixtures/google-shapes.json")).unwrap();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let route = |route: &Value| {
            let pattern = route[0].as_str().unwrap().replace('.', "\\.");
            (Regex::new(&format!("^{pattern}$")).unwrap(), text(&route[1]), text(&route[2]).unwrap())
        };
        let routes = table["routes"].as_array().unwrap().iter().map(route).collect();
        Self { routes, shapes: table["shapes"].clone() }
    }

    /// The shape of an answer, or the reason why there is none.
    fn of(&self, request: &str, status: u16) -> Result<&str, String> {
        let mut routes = self.routes.iter().filter(|route| route.0.is_match(request));
        let (_, success, failure) =
            routes.next().ok_or_else(|| format!("{request}: not among the routes of google-shapes.json"))?;
        if status >= 300 {
            return Ok(failure);
        }
        success.as_deref().ok_or_else(|| format!("{request}: no shape for {status}"))
    }

    fn check(&self, at: &str, value: &Value, shape: &Value) -> Result<(), String> {
        let wrong = |expected: &str| Err(format!("{at} is {value}, and should be {expected}"));
        match shape {
            Value::Array(items) => {
                let Value::Array(values) = value else { return wrong("an array") };
                values
                    .iter()
                    .enumerate()
                    .try_for_each(|(i, v)| self.check(&format!("{at}[{i}]"), v, &items[0]))
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

    fn scalar(&self, at: &str, value: &Value, shape: &str) -> Result<(), String> {
        let good = match shape {
            "any" => true,
            "string" | "bytes" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            // JSON has no integers of 64 bits: they are strings.
            "int64" => value.as_str().is_some_and(|text| text.parse::<i64>().is_ok()),
            "datetime" => value.as_str().is_some_and(is_datetime),
            "duration" => value.as_str().is_some_and(is_duration),
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

fn is_duration(text: &str) -> bool {
    Regex::new(r"^\d+(\.\d{1,9})?s$").unwrap().is_match(text)
}

fn is_datetime(text: &str) -> bool {
    Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$").unwrap().is_match(text)
}

#[test]
fn every_answer_of_google_has_the_shape_that_google_publishes() {
    let shapes = Shapes::read();
    let mut checked = 0;
    let mut wrong = Vec::new();
    for name in cassettes() {
        let tape = Tape::read(cassette(&name)).unwrap();
        for (index, interaction) in tape.interactions().iter().enumerate() {
            let url = interaction.request().url().split('?').next().unwrap();
            // The answer of a function is its own affair.
            if !url.split('/').nth(2).unwrap().ends_with(".googleapis.com") {
                continue;
            }
            let Some(response) = interaction.response() else { continue };
            // A page of HTML is not Google's API, but something in its place.
            let Some(RecordedBody::Json(body)) = response.body() else { continue };
            let request = format!("{} {url}", interaction.request().method());
            let at = format!("{name}, interactions[{index}]");
            let shape = shapes.of(&request, response.status()).map(|shape| json!(shape));
            match shape.and_then(|shape| shapes.check("the body", body, &shape)) {
                Ok(()) => checked += 1,
                Err(what) => wrong.push(format!("{at}: {what}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked > 90, "only {checked} bodies were checked");
}

#[test]
fn what_google_does_not_publish_is_found() {
    let shapes = Shapes::read();
    let check = |shape: &str, value: Value| shapes.check("x", &value, &json!(shape)).unwrap_err();
    for (shape, value, expected) in [
        ("cloudfunctions.v2/Function", json!({"nam": "f"}), "x has a field nam, which is not published"),
        (
            "cloudfunctions.v2/Function",
            json!({"state": "RUNNING"}),
            "x.state is \"RUNNING\", and should be enum ",
        ),
        ("cloudfunctions.v2/Function", json!({"name": 1}), "x.name is 1, and should be string"),
        ("cloudfunctions.v2/Function", json!({"updateTime": "yesterday"}), "x.updateTime is \"yesterday\""),
        (
            "cloudfunctions.v2/ListFunctionsResponse",
            json!({"functions": {}}),
            "x.functions is {}, and should be an array",
        ),
        (
            "rpc/ErrorResponse",
            json!({"error": {"details": [{"@type": "y"}]}}),
            "x.error.details[0] is of type \"y\"",
        ),
    ] {
        let found = check(shape, value);
        assert!(found.starts_with(expected), "{found}");
    }
    assert!(shapes.of("GET https://run.googleapis.com/v1/x", 200).is_err());
}
