//! Tapes under review: against the schema, for leaks, for differences.

use serde_json::{Value, json};

use super::{cassettes, document, get, tape};
use crate::tape::{Change, Tape};

fn schema() -> jsonschema::Validator {
    jsonschema::validator_for(&serde_json::from_str(Tape::schema()).unwrap()).unwrap()
}

#[test]
fn every_cassette_is_as_the_schema_says_and_answers_its_own_requests() {
    let schema = schema();
    for (name, path) in cassettes() {
        let text = std::fs::read_to_string(&path).unwrap();
        if let Err(error) = schema.validate(&serde_json::from_str(&text).unwrap()) {
            panic!("{name} at {}: {error}", error.instance_path);
        }
        let tape = Tape::read(&path).unwrap();
        tape.verify().unwrap_or_else(|error| panic!("{name}: {error}"));
        // And as this program writes it.
        assert!(schema.is_valid(&serde_json::from_str(&tape.to_json()).unwrap()), "{name}");
        assert_eq!(Tape::scan(&text).unwrap(), [], "{name}");
    }
}

#[test]
fn schema_and_reader_agree() {
    let schema = schema();
    let response = || json!({"status": 200, "headers": [["x-a", "1"]], "body": {"form": [["a", "b"]]}});
    let request = || json!({"method": "GET", "url": "https://x.test/", "headers": {"a": "b"}});
    let good = |extra: Value| {
        let mut interaction = json!({"request": request(), "response": response()});
        for (name, value) in extra.as_object().unwrap() {
            interaction[name] = value.clone();
        }
        document(json!([interaction]))
    };
    for (extra, valid) in [
        (json!({}), true),
        (
            json!({"match": {"repeat": true, "regex": {"query a": "b"}}, "side_by_side": true, "note": "n"}),
            true,
        ),
        (
            json!({"fault": {"delay_ms": 1, "end": "truncated-body", "body_bytes": 1, "pause_ms": 1, "piece_bytes": 1}}),
            true,
        ),
        (json!({"timing": {"sent_ms": 0, "head_ms": 0.5, "done_ms": 1}}), true),
        (json!({"timing": {"sent_ms": 0}}), false),
        (json!({"fault": {"end": "fire"}}), false),
        (json!({"match": {"ignore": "query a"}}), false),
        (json!({"response": {"status": 99}}), false),
        (json!({"response": {"status": 200, "body": {"xml": ""}}}), false),
        (json!({"request": {"method": "get", "url": "https://x.test/"}}), false),
        (json!({"latency": 1}), false),
    ] {
        let document = good(extra.clone());
        assert_eq!(schema.is_valid(&document), valid, "schema: {extra}");
        assert_eq!(Tape::from_json(&document.to_string()).is_ok(), valid, "reader: {extra}");
    }
    for field in ["format", "version", "provenance", "clock", "seed", "interactions"] {
        let mut document = good(json!({}));
        document.as_object_mut().unwrap().remove(field);
        assert!(!schema.is_valid(&document), "{field}");
        assert!(Tape::from_json(&document.to_string()).is_err(), "{field}");
    }
}

#[test]
fn a_scan_names_the_place_and_not_the_secret() {
    let leaking = document(json!([{
        "note": "ya29.canary-note",
        "request": {"method": "GET", "url": "https://x.test/?key=canary-key"},
        "response": {"status": 200, "body": {"json": {"deep": [{"access_token": "canary-token"}]}}}
    }]));
    let found = Tape::scan(&leaking.to_string()).unwrap();
    let places: Vec<&str> = found.iter().map(|leak| leak.at.as_str()).collect();
    assert_eq!(
        places,
        [
            "interactions[0].note",
            "interactions[0].request.url",
            "interactions[0].response.body.json.deep[0].access_token"
        ]
    );
    assert!(!format!("{found:?}").contains("canary"));
}

#[test]
fn two_tapes_differ_by_interaction_and_field() {
    let left = tape(json!([get("https://x.test/a"), get("https://x.test/b"), get("https://x.test/c")]));
    let mut changed = get("https://x.test/c");
    changed["response"]["status"] = json!(404);
    let right = tape(json!([get("https://x.test/a"), changed, get("https://x.test/d")]));
    let [removed, changed, added] = &left.diff(&right)[..] else { panic!("{:?}", left.diff(&right)) };
    assert_eq!(*removed, Change::Removed(1, "GET https://x.test/b".to_owned()));
    assert_eq!(*added, Change::Added(2, "GET https://x.test/d".to_owned()));
    let Change::Changed(2, 1, name, fields) = changed else { panic!("{changed:?}") };
    assert_eq!(name, "GET https://x.test/c");
    assert_eq!(fields[0].to_string(), "response.status: the tape has 200, the request has 404");
    assert_eq!(left.diff(&left), []);
}

#[test]
fn a_project_is_renamed_everywhere() {
    for (name, path) in cassettes() {
        let tape = Tape::read(&path).unwrap();
        let renamed = tape.renamed("demo-project", "other-1").unwrap();
        assert!(!renamed.to_json().contains("demo-project"), "{name}");
        renamed.verify().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(renamed.renamed("other-1", "demo-project").unwrap(), tape, "{name}");
    }
}
