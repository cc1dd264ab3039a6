//! The comparison of requests: those that count as the same.

use serde_json::{Value, json};

use super::{get, jwt, request, send, tape};
use crate::tape::Replay;

/// Records one exchange, sends another, and returns the fields that differ.
async fn fields(recorded: Value, rules: Value, sent: http::Request<crate::transport::Body>) -> Vec<String> {
    let interaction = json!({"request": recorded, "response": {"status": 200}, "match": rules});
    let replay = Replay::new(tape(json!([interaction])));
    let answer = send(&replay, sent).await;
    let miss = replay.misses().pop();
    assert_eq!(answer.is_ok(), miss.is_none());
    miss.map(|miss| miss.differences.iter().map(ToString::to_string).collect()).unwrap_or_default()
}

fn url(url: &str) -> Value {
    json!({"method": "GET", "url": url})
}

#[tokio::test]
async fn a_query_is_a_multiset() {
    let recorded = || url("https://x.test/?a=1&a=2&b=3");
    for same in ["?b=3&a=2&a=1", "?a=%31&a=2&b=3"] {
        let sent = request("GET", &format!("https://x.test/{same}"), &[], "");
        assert_eq!(fields(recorded(), json!({}), sent).await, [""; 0]);
    }
    let sent = request("GET", "https://x.test/?a=1&a=1&b=3", &[], "");
    let differs = ["query a[0]: the tape has \"2\", the request has \"1\""];
    assert_eq!(fields(recorded(), json!({}), sent).await, differs);
}

#[tokio::test]
async fn scheme_host_path_and_method_are_compared() {
    for (method, sent, field) in [
        ("GET", "http://x.test/a", "url.origin"),
        ("GET", "https://y.test/a", "url.origin"),
        ("GET", "https://x.test:8443/a", "url.origin"),
        ("GET", "https://x.test/A", "url.path"),
        ("HEAD", "https://x.test/a", "method"),
    ] {
        let found = fields(url("https://x.test/a"), json!({}), request(method, sent, &[], "")).await;
        assert!(found.len() == 1 && found[0].starts_with(field), "{method} {sent}: {found:?}");
    }
}

#[tokio::test]
async fn json_is_compared_by_meaning_and_a_form_as_a_multiset() {
    let json_type = [("content-type", "application/json")];
    let recorded =
        json!({"method": "POST", "url": "https://x.test/", "body": {"json": {"a": 1, "b": [1.5]}}});
    let sent = request("POST", "https://x.test/", &json_type, "{ \"b\": [1.50], \"a\": 1.0 }");
    assert_eq!(fields(recorded, json!({}), sent).await, [""; 0]);

    let form_type = [("content-type", "application/x-www-form-urlencoded")];
    let recorded = json!({"method": "POST", "url": "https://x.test/", "body": {"form": [["a", "1"], ["b", "2"], ["a", "3"]]}});
    let sent = request("POST", "https://x.test/", &form_type, "a=3&a=1&b=2");
    assert_eq!(fields(recorded.clone(), json!({}), sent).await, [""; 0]);
    let sent = request("POST", "https://x.test/", &form_type, "a=3&b=2");
    let differs = ["body.form a[0]: the tape has \"1\", the request has none"];
    assert_eq!(fields(recorded, json!({}), sent).await, differs);
}

#[tokio::test]
async fn multipart_is_compared_by_part_whatever_its_boundary() {
    let body = |boundary: &str, number: u8| {
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json\r\n\r\n\
             {{\"n\": {number}}}\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nbytes\r\n--{boundary}--\r\n"
        )
    };
    let recorded = json!({"method": "POST", "url": "https://x.test/",
        "headers": {"content-type": "multipart/form-data; boundary=one"}, "body": {"text": body("one", 1)}});
    let sent = |number| {
        let headers = [("content-type", "multipart/form-data; boundary=\"two\"")];
        request("POST", "https://x.test/", &headers, &body("two", number))
    };
    assert_eq!(fields(recorded.clone(), json!({}), sent(1)).await, [""; 0]);
    let differs = ["body.part[0].json n: the tape has 1, the request has 2"];
    assert_eq!(fields(recorded.clone(), json!({}), sent(2)).await, differs);
    assert_eq!(fields(recorded, json!({"ignore": ["body.part[0].json n"]}), sent(2)).await, [""; 0]);
}

#[tokio::test]
async fn the_claims_of_a_jwt_count_and_its_moment_does_not() {
    let bearer = |claims: &str| format!("Bearer {}", jwt(claims));
    let on_tape = bearer(r#"{"aud":"a","iat":1000,"exp":4600,"jti":"x"}"#);
    let recorded =
        || json!({"method": "GET", "url": "https://x.test/", "headers": {"authorization": on_tape}});
    let sent = |claims: &str| request("GET", "https://x.test/", &[("authorization", &bearer(claims))], "");
    let later = r#"{"aud":"a","iat":5000,"exp":8600,"jti":"y"}"#;
    assert_eq!(fields(recorded(), json!({}), sent(later)).await, [""; 0]);
    let longer = r#"{"aud":"b","iat":5000,"exp":12200}"#;
    assert_eq!(
        fields(recorded(), json!({}), sent(longer)).await,
        [
            "header authorization.claims.aud: the tape has \"a\", the request has \"b\"",
            "header authorization.claims.life: the tape has \"3600 s\", the request has \"7200 s\""
        ]
    );
    let unsigned = later.to_owned();
    let token = bearer(&unsigned);
    let naked = &token[..=token.rfind('.').unwrap()];
    let sent = request("GET", "https://x.test/", &[("authorization", naked)], "");
    let found = fields(recorded(), json!({}), sent).await;
    assert_eq!(found, ["header authorization.signature: the tape has \"a signature\", the request has none"]);
}

#[tokio::test]
async fn headers_are_compared_if_that_is_asked_for() {
    let recorded =
        || json!({"method": "GET", "url": "https://x.test/", "headers": [["x-a", "1"], ["x-a", "2"]]});
    let sent = |value: &str| request("GET", "https://x.test/", &[("x-a", value)], "");
    assert_eq!(fields(recorded(), json!({}), sent("3")).await, [""; 0]);
    assert_eq!(fields(recorded(), json!({"headers": ["X-A"]}), sent("1, 2")).await, [""; 0]);
    let differs = ["header x-a: the tape has \"1, 2\", the request has \"3\""];
    assert_eq!(fields(recorded(), json!({"headers": ["x-a"]}), sent("3")).await, differs);
}

#[tokio::test]
async fn rules_leave_fields_open() {
    let recorded = || {
        json!({"method": "POST", "url": "https://x.test/?t=1&u=1",
            "body": {"json": {"id": "a-1", "when": {"s": 1}, "n": 1}}})
    };
    let sent = |query: &str, body: &str| {
        request("POST", &format!("https://x.test/?{query}"), &[("content-type", "application/json")], body)
    };
    let rules = || {
        json!({"ignore": ["query t", "body.json when"], "present": ["query u"],
            "regex": {"body.json id": "[a-z]-[0-9]+"}})
    };
    let open = r#"{"id": "b-22", "when": {"s": 9, "ns": 1}, "n": 1}"#;
    assert_eq!(fields(recorded(), rules(), sent("u=7&t=9", open)).await, [""; 0]);
    assert_eq!(fields(recorded(), rules(), sent("u=7", r#"{"id": "b-2", "n": 1}"#)).await, [""; 0]);
    assert_eq!(
        fields(recorded(), rules(), sent("t=1", r#"{"id": "b-2x", "n": 2}"#)).await,
        [
            "query u: the tape has \"1\", the request has none",
            "body.json id: the tape has the expression ^(?:[a-z]-[0-9]+)$, the request has \"b-2x\"",
            "body.json n: the tape has 1, the request has 2"
        ]
    );
}

#[tokio::test]
async fn the_rules_of_the_tape_hold_for_each_interaction() {
    let mut document = super::document(json!([get("https://x.test/?t=1"), get("https://x.test/?t=2")]));
    document["match"] = json!({"ignore": ["query t"]});
    let replay = Replay::new(crate::tape::Tape::from_json(&document.to_string()).unwrap());
    for _ in 0..2 {
        send(&replay, request("GET", "https://x.test/?t=3", &[], "")).await.unwrap();
    }
    replay.finish().unwrap();
}

#[tokio::test]
async fn identical_requests_play_in_sequence_and_repeats_are_asked_for() {
    let answer = |status: u16| json!({"request": url("https://x.test/"), "response": {"status": status}});
    let mut last = answer(202);
    last["match"] = json!({"repeat": true});
    let replay = Replay::new(tape(json!([answer(200), answer(201), last])));
    for expected in [200, 201, 202, 202, 202] {
        let answer = send(&replay, request("GET", "https://x.test/", &[], "")).await.unwrap();
        assert_eq!(answer.status(), expected);
    }
    replay.finish().unwrap();
}

#[tokio::test]
async fn what_ran_side_by_side_may_come_in_either_order() {
    let together = |path: &str| {
        let mut interaction = get(path);
        interaction["side_by_side"] = json!(true);
        interaction
    };
    let recorded = || {
        tape(json!([
            get("https://x.test/a"),
            together("https://x.test/b"),
            together("https://x.test/c"),
            get("https://x.test/d")
        ]))
    };
    for order in ["abcd", "bacd", "cbad", "acbd"] {
        let replay = Replay::new(recorded());
        for name in order.chars() {
            send(&replay, request("GET", &format!("https://x.test/{name}"), &[], "")).await.unwrap();
        }
        replay.finish().unwrap();
    }
    let replay = Replay::new(recorded());
    send(&replay, request("GET", "https://x.test/d", &[], "")).await.unwrap_err();
}

#[tokio::test]
async fn a_miss_is_coloured_on_request() {
    let replay = Replay::new(tape(json!([get("https://x.test/?a=1")])));
    send(&replay, request("GET", "https://x.test/?a=2", &[], "")).await.unwrap_err();
    let miss = replay.misses().remove(0);
    assert!(!miss.to_string().contains('\u{1b}'));
    assert!(
        miss.coloured().contains("has \u{1b}[32m\"1\"\u{1b}[0m, the request has \u{1b}[31m\"2\"\u{1b}[0m")
    );
}

#[tokio::test]
async fn a_miss_drives_no_terminal() {
    let recorded =
        json!({"method": "POST", "url": "https://x.test/", "body": {"json": {"a\u{1b}[2J": 1, "b": 2}}});
    let sent =
        request("POST", "https://x.test/", &[("content-type", "application/json")], r#"{"b": "\u001b[2J"}"#);
    let found = fields(recorded, json!({"regex": {"body.json b": "\u{1b}[2]J"}}), sent).await;
    assert_eq!(
        found,
        [
            "body.json a\u{fffd}[2J: the tape has 1, the request has none",
            "body.json b: the tape has the expression ^(?:\u{fffd}[2]J)$, the request has \"\\u{1b}[2J\""
        ]
    );
}
