//! Google's answers on the cassettes, against the shapes that Google publishes.
//!
//! The table of the strict Google says where each shape comes from (`google/discovery.json`, `google/by-hand.json`). A field that no
//! shape has, of another type, or with a value that its enum does not have, fails; a field that is left out does not, for proto3
//! leaves out empty ones, and a field mask those that were not asked for.

use gcf_google::Table;
use gcf_host::tape::{RecordedBody, Tape};
use serde_json::{Value, json};

use crate::fixtures::{cassette, cassettes};

#[test]
fn every_answer_of_google_has_the_shape_that_google_publishes() {
    let table = Table::google();
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
            let at = format!("{name}, interactions[{index}]");
            let shape = table.answer(interaction.request().method(), url, response.status());
            match shape.and_then(|shape| table.check("the body", body, &shape)) {
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
    let table = Table::google();
    let check = |shape: &str, value: Value| table.check("x", &value, &json!(shape)).unwrap_err();
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
    assert!(table.answer("GET", "https://run.googleapis.com/v1/x", 200).is_err());
}
