//! A script's answers, held against what Google publishes: an answer of another call is no answer to this one.

use gcf_google::{Mask, Table};
use serde_json::Value;

use super::Answer;
use crate::base::http::Request;

/// The answer as Google would give it: of the shape of this call, and without what its field mask leaves out. What is no
/// call of Google's that is published, no JSON, or damaged on purpose is handed on as it is.
///
/// # Panics
/// It is an answer to something else.
pub(super) fn as_published(request: &Request, answer: Answer) -> Answer {
    let mut response = answer?;
    let url = format!("https://{}{}", request.host(), request.path_and_query());
    let (url, query) = url.split_once('?').unwrap_or((&url, ""));
    // Google answers a success with 200, and what is none is told from 400 on.
    if !request.host().ends_with(".googleapis.com") || !matches!(response.status, 200 | 400..) {
        return Ok(response);
    }
    let table = Table::google();
    let Ok(shape) = table.answer(request.method().as_str(), url, response.status) else {
        return Ok(response);
    };
    let Ok(body @ Value::Object(_)) = serde_json::from_slice::<Value>(&response.body) else {
        return Ok(response);
    };
    if let Err(wrong) = table.check("the script's answer", &without_nulls(&body), &shape) {
        panic!("{} {url}: {wrong}", request.method().as_str());
    }
    let fields = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "fields");
    if let Some((_, fields)) = fields.filter(|_| response.status < 300) {
        let mask = Mask::parse(&fields).unwrap_or_else(|rest| panic!("the mask is none from {rest:?} on"));
        mask.check(table, &shape).unwrap_or_else(|field| panic!("Google has no field {field}"));
        let masked = mask.apply(&body);
        // As it was written, where nothing is taken away: spaces and order are somebody's test.
        if masked != body {
            response.body = masked.to_string().into_bytes();
        }
    }
    Ok(response)
}

/// A value without fields that are null: in the JSON of protocol buffers they are as good as left out
/// (<https://protobuf.dev/programming-guides/json/#null-values>).
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let given = fields.iter().filter(|(_, value)| !value.is_null());
            given
                .map(|(name, value)| (name.clone(), without_nulls(value)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
