//! Input as forms send it: fields left out, left blank, or misspelt.

use super::*;

/// A form sends what somebody has filled in, and nothing, or blank text, for the rest.
#[tokio::test]
async fn what_has_a_default_may_be_left_out_and_what_is_blank_is_not_given() {
    let stage = Stage::new();
    let connect = json!({"nickname": "demo", "credential": {"google-json": DEMO_KEY}, "guard-rails": {"read-only": false}});
    let mut blank = connect.clone();
    for field in ["project", "region", "subject-token", "invoker"] {
        blank[field] = json!("");
    }
    blank["guard-rails"]["max-body"] = json!(" ");
    assert_valid(
        &stage.catalog.validator(&stage.catalog.action("connections.connect")["input"]),
        &connect,
        "connect",
    );
    let id = stage.call("connections.connect", "", &connect).await.unwrap()["connection"]["id"].clone();
    let id = id.as_str().unwrap();
    let connected = stage.call("connections.connect", "", &blank).await.unwrap();
    assert_eq!(connected["connection"]["region"], "us-central1");

    let function = json!({"url": FUNCTION});
    let blanks = json!({"function": function, "method": "", "path": "", "query": "", "auth": " ", "invoker": "",
        "audience": "", "authorization": "", "idempotent": "", "raise-for-status": "", "body": ""});
    for (action, input, method, url) in [
        ("functions.invoke", json!({"function": function}), "POST", format!("{FUNCTION}/")),
        ("functions.invoke", blanks, "POST", format!("{FUNCTION}/")),
        (
            "api.custom-api",
            json!({"path": "/v2/x"}),
            "GET",
            "https://cloudfunctions.googleapis.com/v2/x".to_owned(),
        ),
        (
            "api.custom-api",
            json!({"path": "/v2/x", "api": "", "method": ""}),
            "GET",
            "https://cloudfunctions.googleapis.com/v2/x".to_owned(),
        ),
        (
            "api.all-pages",
            json!({"request": {"path": "/v2/x"}, "items": "a", "max-pages": ""}),
            "GET",
            "https://cloudfunctions.googleapis.com/v2/x".to_owned(),
        ),
    ] {
        stage.google.take();
        let _ = stage.call(action, id, &input).await;
        let sent = stage.google.take().pop().unwrap_or_else(|| panic!("{input:#}: nothing was sent"));
        assert_eq!((sent.method.as_str(), sent.url.as_str()), (method, url.as_str()), "{input:#}");
    }
    let plan = json!({"action": {"functions-invoke": {"function": function, "body": {"text": "a"}}}});
    let planned = stage.call("planning.plan", id, &plan).await.unwrap();
    assert_eq!(planned["requests"].as_array().unwrap().last().unwrap()["method"], "POST");

    // What has no default is missing, and blank text that has to be there is there.
    for input in
        [json!({}), json!({"function": ""}), json!({"function": {"named": {"region": "us-central1"}}})]
    {
        let error = stage.call("functions.invoke", id, &input).await.unwrap_err();
        assert_eq!(error["kind"], "invalid-input", "{input:#}");
    }
    let text =
        json!({"function": function, "body": {"text": " "}, "headers": [{"name": "x-a", "value": ""}]});
    stage.google.take();
    stage.call("functions.invoke", id, &text).await.unwrap();
    assert_eq!(stage.google.take().pop().unwrap().body, " ");
    stage.leave("forms");
}

/// A slip of the pen, and a name in the style of another language; and what is like nothing that there is.
#[tokio::test]
async fn a_field_that_there_is_not_is_named_with_the_one_that_was_meant() {
    let stage = Stage::new();
    let connect = json!({"nickname": "demo", "credential": {"google-json": DEMO_KEY}});
    let id = stage.call("connections.connect", "", &connect).await.unwrap()["connection"]["id"].clone();
    let id = id.as_str().unwrap();
    stage.google.take();
    let url = json!({"url": FUNCTION});
    for (action, input, said) in [
        ("functions.invoke", json!({"functoin": url}), "unknown field functoin; did you mean function?"),
        (
            "functions.invoke",
            json!({"function": url, "raise_for_status": true}),
            "unknown field raise_for_status; did you mean raise-for-status?",
        ),
        (
            "functions.invoke",
            json!({"function": {"named": {"name": "f", "regionn": "us-central1"}}}),
            "unknown field function.named.regionn; did you mean region?",
        ),
        ("functions.list", json!({"pagesize": 1}), "unknown field pagesize; did you mean page-size?"),
        ("functions.list", json!({"zzzzzzzz": 1}), "unknown field zzzzzzzz"),
    ] {
        let error = stage.call(action, id, &input).await.unwrap_err();
        let message = error["message"].as_str().unwrap();
        assert_eq!(error["kind"], "invalid-input", "{input:#}");
        assert!(message.contains(said), "{message} lacks {said}");
        assert_eq!(message.contains("did you mean"), said.contains("did you mean"), "{message}");
        assert!(stage.google.take().is_empty(), "nothing is sent");
    }
}

#[test]
fn what_has_a_default_is_not_required() {
    let catalog = Catalog::of(&builder().build().unwrap());
    let (mut with_default, mut required) = (0, 0);
    let mut left = vec![&catalog.0];
    while let Some(value) = left.pop() {
        left.extend(value.as_object().into_iter().flat_map(|fields| fields.values()));
        left.extend(value.as_array().into_iter().flatten());
        let Some(properties) = value["properties"].as_object() else { continue };
        let names = value["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let names: BTreeSet<_> = names.collect();
        for (name, schema) in properties {
            let has_default = schema.get("default").is_some();
            with_default += usize::from(has_default);
            required += usize::from(names.contains(name.as_str()));
            assert!(!has_default || !names.contains(name.as_str()), "{name} has a default, and is required");
        }
    }
    assert!(with_default > 20 && required > 50, "{with_default} {required}");
}
