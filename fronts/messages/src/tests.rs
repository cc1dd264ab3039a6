//! The decisions natively: a connector that is asked is a closure, and so is the broker.

use std::cell::RefCell;

use gcf_front::{ACTIONS, Action, Answer, Failure, Given};
use serde_json::{Value, json};

use crate::call::{Message, handle};

fn message(subject: &str, body: &Value) -> Message {
    let (body, reply_to) = (body.to_string().into_bytes(), Some("_INBOX.1".to_owned()));
    Message { subject: subject.to_owned(), body, reply_to }
}

/// The message that was published, as subject and JSON, and the answer to the host.
struct Handled {
    published: Vec<(String, Value)>,
    result: Result<(), String>,
}

fn handled(
    message: Message,
    variables: &[(&str, &str)],
    perform: impl Fn(&Action, Given<'_>) -> Answer,
) -> Handled {
    let variables: Vec<_> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let published = RefCell::new(Vec::new());
    let result = handle(message, &variables, perform, |reply| {
        published.borrow_mut().push((reply.subject, serde_json::from_slice(&reply.body).unwrap()));
        Ok(())
    });
    Handled { published: published.into_inner(), result }
}

/// The answer of a message that is answered.
#[track_caller]
fn answer(message: Message, perform: impl Fn(&Action, Given<'_>) -> Answer) -> Value {
    let Handled { published, result } = handled(message, &[], perform);
    assert_eq!(result, Ok(()));
    let [(subject, answer)] = <[_; 1]>::try_from(published).expect("one answer");
    assert_eq!(subject, "_INBOX.1");
    answer
}

fn not_called(action: &Action, _: Given<'_>) -> Answer {
    panic!("{} is called", action.name)
}

fn failing(_: &Action, _: Given<'_>) -> Answer {
    let error = json!({"kind": "missing-role", "origin": "iam", "message": "a role is missing", "details": [],
        "trace": []});
    Err(Failure::from_json(&error).unwrap())
}

#[test]
fn the_last_two_tokens_of_the_subject_name_the_action() {
    for action in ACTIONS {
        for before in ["", "gcf.", "any.number.of.tokens."] {
            let called = RefCell::new(Vec::new());
            let body = json!({"connection": "a/b", "deadline-ms": 1500, "input": {"a": 1}});
            let answer = answer(message(&format!("{before}{}", action.name), &body), |action, given| {
                let connection = given.connection.to_owned();
                called.borrow_mut().push((action.name, connection, given.deadline_ms, given.input.clone()));
                Ok(json!({"b": 2}))
            });
            assert_eq!(answer, json!({"ok": {"b": 2}}));
            assert_eq!(called.into_inner(), [(action.name, "a/b".to_owned(), Some(1500), json!({"a": 1}))]);
        }
    }
}

#[test]
fn a_subject_without_an_action_is_answered_and_nothing_is_called() {
    for subject in [
        "",
        "gcf",
        "list",
        "gcf.functions",
        "gcf.functions.lst",
        "gcf.functions.list.",
        "functions-list",
        "*.>",
    ] {
        let error = &answer(message(subject, &json!({})), not_called)["error"];
        let expected = (&json!("invalid-input"), &json!([["field", "action"]]));
        assert_eq!((&error["kind"], &error["details"]), expected, "{subject}");
    }
}

/// A NATS permission for `gcf.functions.>` matches each subject that begins so, however many tokens follow.
#[test]
fn a_subject_with_another_interface_before_its_action_is_refused() {
    for action in ACTIONS {
        for before in [
            "functions",
            "gcf.functions",
            "gcf.functions.list",
            "catalog.gcf",
            "gcf.api.any",
            "planning",
            "connections",
        ] {
            let error =
                &answer(message(&format!("{before}.{}", action.name), &json!({})), not_called)["error"];
            let expected = (&json!("invalid-input"), &json!([["field", "action"]]));
            assert_eq!((&error["kind"], &error["details"]), expected, "{before}.{}", action.name);
        }
    }
}

#[test]
fn what_is_left_out_is_nothing() {
    let null = r#"{"connection": null, "deadline-ms": null, "input": null}"#;
    for body in ["", " \n", "{}", "null", null] {
        let message = Message { body: body.into(), ..message("gcf.connections.list", &json!({})) };
        let answer = answer(message, |_, given| {
            assert_eq!((given.connection, given.deadline_ms), ("", None));
            Ok(given.input.clone())
        });
        assert_eq!(answer, json!({"ok": {}}), "{body:?}");
    }
}

#[test]
fn a_body_that_cannot_be_used_is_answered_and_nothing_is_called() {
    for (body, field) in [
        ("[]", ""),
        ("a=b", ""),
        (r#"{"action": "functions.list"}"#, "action"),
        (r#"{"connection": 1}"#, "connection"),
        (r#"{"connection": "a", "connection": "b"}"#, "connection"),
        (r#"{"deadline-ms": "soon"}"#, "deadline-ms"),
        (r#"{"deadline-ms": 4294967296}"#, "deadline-ms"),
        (r#"{"input": {"regions": [], "regions": []}}"#, "input.regions"),
    ] {
        let message = Message { body: body.into(), ..message("gcf.functions.list", &json!({})) };
        let error = &answer(message, not_called)["error"];
        let expected = (&json!("invalid-input"), &json!([["field", field]]));
        assert_eq!((&error["kind"], &error["details"]), expected, "{body}");
    }
    for (action, limit) in [("functions.list", 1 << 20), ("functions.invoke", 48 << 20)] {
        let message = Message { body: vec![b' '; limit + 1], ..message(action, &json!({})) };
        assert_eq!(answer(message, not_called)["error"]["kind"], "too-large");
        let message = Message { body: vec![b' '; limit], ..self::message(action, &json!({})) };
        assert_eq!(answer(message, |_, _| Ok(json!(1))), json!({"ok": 1}));
    }
}

#[test]
fn an_input_that_does_not_fit_is_refused_without_a_call() {
    // The real conversions: natively there is no connector behind them that could be called.
    let body = json!({"connection": "a", "input": {"page-sise": 1}});
    let answer = answer(message("gcf.functions.list", &body), gcf_front::perform);
    assert_eq!(answer["error"]["details"], json!([["field", "page-sise"]]));
}

#[test]
fn an_error_is_the_connectors_own() {
    let answer = answer(message("gcf.functions.list", &json!({})), failing);
    let expected = json!({"kind": "missing-role", "origin": "iam", "message": "a role is missing", "details": [],
        "trace": []});
    assert_eq!(answer, json!({"error": expected}));
}

#[test]
fn who_wants_no_answer_gets_none_and_the_call_is_made() {
    for reply_to in [None, Some(String::new())] {
        let calls = RefCell::new(0);
        let silent = Message { reply_to: reply_to.clone(), ..message("gcf.functions.invoke", &json!({})) };
        let done = handled(silent, &[], |_, _| {
            *calls.borrow_mut() += 1;
            Ok(json!({}))
        });
        assert_eq!((done.published.len(), done.result, calls.into_inner()), (0, Ok(()), 1));
        // Only the host is left to hear of it.
        let silent = Message { reply_to, ..message("gcf.functions.invoke", &json!({})) };
        let done = handled(silent, &[], failing);
        assert_eq!((done.published.len(), done.result), (0, Err("a role is missing".to_owned())));
    }
}

#[test]
fn a_broker_that_takes_no_answer_is_an_error_of_the_handler() {
    let taken = handle(
        message("gcf.functions.list", &json!({})),
        &[],
        |_, _| Ok(json!(1)),
        |_| Err("gone".to_owned()),
    );
    assert_eq!(taken, Err("gone".to_owned()));
}

#[test]
fn an_answer_is_no_longer_than_a_message_may_be() {
    let text = |length: usize| move |_: &Action, _: Given<'_>| Ok(json!("x".repeat(length)));
    let around = r#"{"ok":""}"#.len();
    // The `max_payload` of a NATS server that nobody has configured.
    for (variables, limit) in [(&[][..], 1_048_576), (&[("GCF_FRONT_MAX_REPLY", "4096")], 4096)] {
        let fits = handled(message("a.functions.invoke", &json!({})), variables, text(limit - around));
        assert!(fits.published[0].1["ok"].is_string());
        let long = handled(message("a.functions.invoke", &json!({})), variables, text(limit - around + 1));
        let error = &long.published[0].1["error"];
        assert_eq!((&error["kind"], &error["origin"]), (&json!("too-large"), &json!("host")));
        let expected = json!([["limit", limit.to_string()], ["size", (limit + 1).to_string()]]);
        assert_eq!(error["details"], expected);
    }
}

#[test]
fn an_error_is_no_longer_than_a_message_may_be_and_says_what_counts_to_the_last() {
    let limit = 4096;
    let exchange = json!({"method": "GET", "url": "https://run.googleapis.com/v2", "token": "none", "attempt": 1, "duration-ms": 1});
    let (trace, details) = (json!(vec![exchange; 100]), json!(vec![["region", "us-central1"]; 300]));
    let (none, short, long) = (json!([]), "a role is missing".to_owned(), "\n\u{0}é\"".repeat(2000));
    for (trace, details, message, fix, expected) in [
        (&none, &none, &short, "grant it", (&none, &none, false)),
        (&trace, &none, &short, "grant it", (&none, &none, false)),
        (&trace, &json!([["role", "a"]]), &short, "grant it", (&none, &json!([["role", "a"]]), false)),
        (&trace, &details, &short, "grant it", (&none, &none, false)),
        (&trace, &details, &long, "grant it", (&none, &none, true)),
        (&none, &none, &long, "grant it", (&none, &none, true)),
    ] {
        let error = json!({"kind": "missing-role", "origin": "iam", "message": message, "fix": fix, "details": details,
            "trace": trace});
        let failing = |_: &Action, _: Given<'_>| Err(Failure::from_json(&error).unwrap());
        let answered = handled(message_to_list(), &[("GCF_FRONT_MAX_REPLY", "4096")], failing);
        let told = &answered.published[0].1["error"];
        let length = answered.published[0].1.to_string().len();
        assert!(length <= limit, "{length} bytes");
        assert_eq!(
            (&told["kind"], &told["origin"], &told["fix"]),
            (&json!("missing-role"), &json!("iam"), &json!(fix))
        );
        let (trace, details, is_cut) = expected;
        assert_eq!((&told["trace"], &told["details"]), (trace, details));
        let told = told["message"].as_str().unwrap();
        match told.strip_suffix('…') {
            // As much of it as there is room for.
            Some(begins) if is_cut => {
                assert!(message.starts_with(begins) && length > limit - 6, "{length}: {told}")
            }
            _ => assert!(!is_cut && told == message, "{told}"),
        }
    }
    // Whatever is long, somebody hears of it.
    let all = json!({"kind": "missing-role", "origin": "iam", "message": long, "fix": long, "reason": long, "link": long,
        "details": details, "trace": trace});
    let failing = |_: &Action, _: Given<'_>| Err(Failure::from_json(&all).unwrap());
    let answered = handled(message_to_list(), &[("GCF_FRONT_MAX_REPLY", "4096")], failing);
    let answer = &answered.published[0].1;
    assert!(answer.to_string().len() <= limit && answer["error"]["kind"] == "missing-role", "{answer}");
}

#[test]
fn a_short_text_stays_whole_however_long_another_one_is() {
    let limit = 4096;
    let texts = ["message", "fix", "reason", "link"];
    let told = |error: &Value| {
        let failing = |_: &Action, _: Given<'_>| Err(Failure::from_json(error).unwrap());
        let answered = handled(message_to_list(), &[("GCF_FRONT_MAX_REPLY", "4096")], failing);
        let answer = answered.published[0].1.clone();
        // As much as there is room for, up to a character of six bytes for each text that is cut.
        let length = answer.to_string().len();
        assert!((limit - 24..=limit).contains(&length), "{length}: {answer}");
        answer["error"].clone()
    };
    let short = json!({"kind": "missing-role", "origin": "iam", "message": "a role is missing", "fix": "grant it",
        "reason": "roles/run.invoker", "link": "https://console.cloud.google.com/iam-admin", "details": [], "trace": []});
    let long = "\n\u{0}é\"".repeat(2000);
    for name in texts {
        let mut error = short.clone();
        error[name] = json!(long);
        let mut told = told(&error);
        let begins = told[name].as_str().unwrap().strip_suffix('…').expect("it is cut");
        assert!(!begins.is_empty() && long.starts_with(begins), "{name}");
        told[name] = short[name].clone();
        assert_eq!(told, short, "{name}");
    }
    // Where two are long, something of each is heard: about half of what there is.
    for pair in [["message", "fix"], ["fix", "reason"], ["message", "link"]] {
        let mut error = short.clone();
        pair.iter().for_each(|name| error[*name] = json!(long));
        let told = told(&error);
        for name in texts {
            let whole = error[name].as_str().unwrap();
            let bytes = told[name].to_string().len();
            let is_cut = pair.contains(&name);
            assert_eq!(told[name] != whole, is_cut, "{name} beside {pair:?}");
            assert!(!is_cut || bytes > limit / 3, "{name} beside {pair:?}: {bytes}");
        }
    }
}

fn message_to_list() -> Message {
    message("gcf.functions.list", &json!({}))
}

#[test]
fn with_a_limit_that_is_none_nothing_is_called() {
    for value in ["", "much", "-1", "4095"] {
        let done =
            handled(message("a.functions.invoke", &json!({})), &[("GCF_FRONT_MAX_REPLY", value)], not_called);
        let error = &done.published[0].1["error"];
        assert_eq!((&error["kind"], &error["origin"]), (&json!("other"), &json!("host")), "{value:?}");
    }
}
