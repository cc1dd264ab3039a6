//! Tapes one behind the other.

use serde_json::{Value, json};

use crate::tape::Tape;

fn tape(interactions: &Value) -> Tape {
    let document = json!({
        "format": "gcf-tape", "version": "1.0", "provenance": {"kind": "made", "from": "a test"},
        "clock": "2026-03-01T12:00:00Z", "seed": 1, "interactions": interactions,
    });
    Tape::from_json(&document.to_string()).unwrap()
}

/// A token for whoever holds a refresh token, as
/// <https://developers.google.com/identity/protocols/oauth2/web-server#offline> shows it.
fn grant(client: &str, refresh: u32, access: u32, times: [f64; 2]) -> Value {
    json!({
        "timing": {"sent_ms": times[0], "head_ms": times[1], "done_ms": times[1]},
        "request": {
            "method": "POST", "url": "https://oauth2.googleapis.com/token",
            "headers": {"content-type": "application/x-www-form-urlencoded"},
            "body": {"form": [
                ["client_id", client], ["grant_type", "refresh_token"],
                ["refresh_token", format!("[redacted:refresh-token:{refresh}]")],
            ]},
        },
        "response": {"status": 200, "headers": [], "body": {"json": {
            "access_token": format!("[redacted:access-token:{access}]"), "expires_in": 3599, "token_type": "Bearer",
        }}},
    })
}

fn get(path: &str, access: u32, side_by_side: bool) -> Value {
    json!({
        "side_by_side": side_by_side,
        "request": {
            "method": "GET",
            "url": format!("https://cloudfunctions.googleapis.com/v2/{path}?x=%5Bredacted%3Acode%3A{access}%5D"),
            "headers": {"authorization": format!("Bearer [redacted:access-token:{access}]")},
        },
        "response": {"status": 200, "headers": [], "body": {"json": {}}},
    })
}

fn requests(tape: &Tape) -> Vec<String> {
    let token = |headers: &[(String, String)]| {
        headers
            .iter()
            .find(|(name, _)| name == "authorization")
            .map(|(_, value)| value.clone())
            .unwrap_or_default()
    };
    tape.interactions()
        .iter()
        .map(|interaction| {
            format!("{} {}", interaction.request().url(), token(interaction.request().headers()))
        })
        .collect()
}

#[test]
fn a_token_is_asked_for_once_in_a_session_and_other_secrets_keep_apart() {
    let first = tape(&json!([grant("one", 1, 1, [0.0, 5.0]), get("a", 1, false)]));
    let second = tape(&json!([grant("one", 1, 1, [0.0, 9.0]), get("b", 1, true), get("c", 1, true)]));
    let joined = first.join(&second);
    let url = |path: &str, number: u32| {
        format!(
            "https://cloudfunctions.googleapis.com/v2/{path}?x=%5Bredacted%3Acode%3A{number}%5D Bearer [redacted:access-token:1]"
        )
    };
    let token = "https://oauth2.googleapis.com/token ".to_owned();
    // The code in the query is another secret than the first tape's, for all that is known.
    assert_eq!(requests(&joined), [token, url("a", 1), url("b", 2), url("c", 2)]);
    // Nothing is left that `b` ran beside.
    assert_eq!(
        joined.interactions().iter().map(crate::tape::Interaction::side_by_side).collect::<Vec<_>>(),
        [false, false, false, true]
    );
    joined.verify().unwrap();
}

#[test]
fn another_client_and_another_person_get_tokens_of_their_own() {
    let first = tape(&json!([grant("one", 1, 1, [0.0, 5.0]), grant("one", 2, 2, [5.0, 9.0])]));
    let second = tape(&json!([
        grant("other", 1, 1, [1.0, 2.0]),
        grant("one", 2, 2, [2.0, 3.0]),
        grant("one", 3, 3, [3.0, 4.0]),
        grant("one", 4, 4, [4.0, 5.0]),
        get("a", 4, false)
    ]));
    let joined = first.join(&second);
    let tokens: Vec<_> = joined
        .interactions()
        .iter()
        .map(|interaction| {
            serde_json::to_value(interaction).unwrap()["response"]["body"]["json"]["access_token"].to_string()
        })
        .collect();
    let token = |number: u32| format!("\"[redacted:access-token:{number}]\"");
    assert_eq!(tokens, [token(1), token(2), token(3), token(6), "null".to_owned()]);
    let timing = joined.interactions()[2].timing().unwrap();
    assert_eq!([timing.sent_ms, timing.done_ms], [10.0, 11.0], "behind the end of the first");
    joined.verify().unwrap();
}

#[test]
fn rules_and_origin_of_the_next_tape_go_with_its_interactions() {
    let first = tape(&json!([get("a", 1, false)]));
    let mut document: Value = serde_json::from_str(&first.to_json()).unwrap();
    document["match"] = json!({"ignore": ["query y"]});
    document["provenance"]["from"] = "elsewhere".into();
    let joined = first.join(&Tape::from_json(&document.to_string()).unwrap());
    let shown = serde_json::to_value(&joined.interactions()[1]).unwrap();
    assert_eq!(
        (&shown["match"]["ignore"][0], &shown["provenance"]["from"]),
        (&json!("query y"), &json!("elsewhere"))
    );
    assert_eq!(joined.join(&tape(&json!([]))), joined);
}
