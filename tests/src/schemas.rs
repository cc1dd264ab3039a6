//! The inputs and outputs of actions, against the schemas of the catalog. A host that knows an action by its
//! name alone validates what a form collected, calls, and validates what it got; each action is tested in
//! that way.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use gcf_host::{Answer, Host, clock::FrozenClock};
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::fixtures::{
    ACCOUNT, DEMO_KEY, builder, person,
    scripted::{Scripted, Sent},
    target,
};

mod forms;

const NOW: u64 = 1_772_366_400;

const FUNCTION: &str = "https://hello-abc123-uc.a.run.app";

struct Catalog(Value);

impl Catalog {
    fn of(host: &Host) -> Self {
        Self(serde_json::from_str(host.describe()).unwrap())
    }

    fn actions(&self) -> Vec<&Value> {
        self.0["actions"].as_array().unwrap().iter().collect()
    }

    fn action(&self, name: &str) -> &Value {
        self.actions().into_iter().find(|action| action["name"] == name).unwrap()
    }

    /// A schema of the document, with the definitions that it refers to.
    fn alone(&self, schema: &Value) -> Value {
        let mut alone = schema.clone();
        alone["$schema"] = self.0["$schema"].clone();
        alone["$defs"] = self.0["$defs"].clone();
        alone
    }

    fn validator(&self, schema: &Value) -> Validator {
        jsonschema::draft202012::new(&self.alone(schema)).unwrap()
    }

    /// The fields that an object of this schema must have.
    fn required(&self, schema: &Value) -> Vec<String> {
        let schema = match schema["$ref"].as_str() {
            Some(reference) => self.0.pointer(&reference[1..]).unwrap(),
            None => schema,
        };
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        required.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    }
}

#[track_caller]
fn assert_valid(validator: &Validator, value: &Value, what: &str) {
    let errors: Vec<_> = validator.iter_errors(value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{what}: {errors:?}\n{value:#}");
}

/// A Google that grants and allows everything.
fn google(nonce: Arc<Mutex<String>>) -> Scripted {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let token = move |audience: &Value| {
        let claims = json!({"aud": audience, "exp": NOW + 3600, "email": ACCOUNT, "sub": "1"});
        format!("{}.{}.c2ln", part(json!({"alg": "RS256"})), part(claims))
    };
    Scripted::new(move |sent: &Sent| {
        let grant = json!({"access_token": "ya29.a", "expires_in": 3599, "token_type": "Bearer"});
        match sent.url.as_str() {
            "https://oauth2.googleapis.com/token" if !sent.field("code").is_empty() => {
                let mut user = grant;
                user["scope"] = json!(person::SCOPES);
                user["refresh_token"] = json!("1//a");
                user["id_token"] = json!(person::id_token(&nonce.lock().unwrap(), NOW, &Value::Null));
                (200, user)
            }
            "https://oauth2.googleapis.com/token" => {
                let claims =
                    URL_SAFE_NO_PAD.decode(sent.field("assertion").split('.').nth(1).unwrap()).unwrap();
                let claims: Value = serde_json::from_slice(&claims).unwrap();
                match claims.get("target_audience") {
                    None => (200, grant),
                    Some(audience) => (200, json!({"id_token": token(audience)})),
                }
            }
            "https://www.googleapis.com/oauth2/v3/certs" => (200, person::keys()),
            url if url.ends_with(":testIamPermissions") => {
                (200, json!({"permissions": ["run.routes.invoke"]}))
            }
            url if url.contains("/functions/hello") => (200, function()),
            url if url.contains("cloudfunctions.googleapis.com") && url.contains("/functions?") => {
                (200, json!({"functions": [function()]}))
            }
            _ => (200, json!({})),
        }
    })
}

fn function() -> Value {
    json!({
        "name": "projects/demo-project/locations/us-central1/functions/hello", "state": "ACTIVE",
        "environment": "GEN_2", "labels": {"team": "a"}, "updateTime": "2026-03-01T12:00:00Z",
        "buildConfig": {"runtime": "nodejs22"},
        "serviceConfig": {"uri": FUNCTION, "timeoutSeconds": 60, "availableMemory": "256M",
            "ingressSettings": "ALLOW_ALL", "serviceAccountEmail": ACCOUNT},
    })
}

struct Stage {
    host: Host,
    google: Scripted,
    nonce: Arc<Mutex<String>>,
    catalog: Catalog,
    /// The actions that were called, and succeeded.
    done: BTreeSet<String>,
    /// Every call with its answer: what the fronts are held against.
    calls: Mutex<Vec<Value>>,
}

impl Stage {
    fn new() -> Self {
        let nonce = Arc::default();
        let google = google(Arc::clone(&nonce));
        let clock = Arc::new(FrozenClock::at(Duration::from_secs(NOW)));
        let host = builder().transport(Arc::new(google.clone())).clock(clock).build().unwrap();
        let catalog = Catalog::of(&host);
        Self { host, google, nonce, catalog, done: BTreeSet::new(), calls: Mutex::default() }
    }

    async fn call(&self, action: &str, id: &str, input: &Value) -> Answer {
        let answer = self.host.call_by_name(action, id, input, None).await.unwrap();
        let told = match &answer {
            Ok(output) => json!({"ok": output}),
            Err(error) => json!({"error": error}),
        };
        self.calls.lock().unwrap().push(json!({"action": action, "input": input, "answer": told}));
        answer
    }

    /// Leaves the calls in the target folder, for `fronts/common/tests/by_name.rs`: a front reads and writes as
    /// `call_by_name` does.
    fn leave(&self, name: &str) {
        let calls = self.calls.lock().unwrap();
        assert!(calls.len() > 10, "{calls:?}");
        let lines: String = calls.iter().map(|call| format!("{call}\n")).collect();
        let folder = target().join("by-name");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.jsonl")), lines).unwrap();
    }

    /// Calls an action with an input that its schema allows, checks that the answer keeps to the schema, and
    /// that neither does when it is damaged.
    async fn play(&mut self, action: &str, id: &str, input: Value) -> Value {
        let described = self.catalog.action(action);
        let takes = self.catalog.validator(&described["input"]);
        assert_valid(&takes, &input, action);
        let required = self.catalog.required(&described["input"]);
        let mut refused = damaged(&input);
        refused.extend(required.iter().map(|field| without(&input, field)));
        self.google.take();
        for wrong in refused {
            assert!(!takes.is_valid(&wrong), "{action} takes {wrong:#}");
            let error = self.call(action, id, &wrong).await.unwrap_err();
            assert_eq!(error["kind"], "invalid-input", "{action}: {wrong:#}");
            assert_valid(&self.catalog.validator(&self.catalog.0["error"]), &error, action);
            assert!(self.google.take().is_empty(), "{action} sends {wrong:#}");
        }
        let output =
            self.call(action, id, &input).await.unwrap_or_else(|error| panic!("{action}: {error:#}"));
        let gives = self.catalog.validator(&described["output"]);
        assert_valid(&gives, &output, action);
        for wrong in damaged(&output) {
            assert!(!gives.is_valid(&wrong), "{action} gives {wrong:#}");
        }
        self.done.insert(action.to_owned());
        output
    }
}

/// A value with one thing wrong in it, in every way: another type, and a field too many.
fn damaged(value: &Value) -> Vec<Value> {
    let mut all = vec![match value {
        Value::Null | Value::Bool(_) | Value::Object(_) | Value::Array(_) => json!("damaged by this test"),
        Value::String(_) => json!(1.5),
        Value::Number(_) => json!("1"),
    }];
    match value {
        Value::Object(fields) => {
            let mut more = value.clone();
            more["damaged by this test"] = json!(true);
            all.push(more);
            for (name, inner) in fields {
                all.extend(damaged(inner).into_iter().map(|inner| {
                    let mut outer = value.clone();
                    outer[name] = inner;
                    outer
                }));
            }
        }
        Value::Array(items) => {
            for (at, inner) in items.iter().enumerate() {
                all.extend(damaged(inner).into_iter().map(|inner| {
                    let mut outer = value.clone();
                    outer[at] = inner;
                    outer
                }));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    all
}

fn without(value: &Value, field: &str) -> Value {
    let mut less = value.clone();
    less.as_object_mut().unwrap().remove(field);
    less
}

#[test]
fn every_schema_is_one_of_draft_2020_12() {
    let host = builder().build().unwrap();
    let catalog = Catalog::of(&host);
    assert_eq!(catalog.0["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let actions = catalog.actions().into_iter().flat_map(|action| [&action["input"], &action["output"]]);
    let defs = catalog.0["$defs"].as_object().unwrap().values();
    let mut count = 0;
    for schema in actions.chain(defs).chain([&catalog.0["connection"], &catalog.0["error"]]) {
        jsonschema::draft202012::meta::validate(schema).unwrap_or_else(|error| panic!("{error}: {schema:#}"));
        catalog.validator(schema);
        count += 1;
    }
    assert!(count > 80, "{count}");
    // The document is one too, and reads as it is.
    jsonschema::draft202012::meta::validate(&catalog.0).unwrap();
}

#[tokio::test]
async fn every_action_takes_and_gives_what_the_catalog_says() {
    let mut stage = Stage::new();
    let rails = json!({"read-only": false, "regions": [], "functions": [], "methods": [], "own-project": false, "audiences": []});
    let connected = stage
        .play(
            "connections.connect",
            "",
            json!({"nickname": "demo", "region": "us-central1", "credential": {"google-json": DEMO_KEY},
                "invoker": "own", "guard-rails": rails}),
        )
        .await;
    let id = connected["connection"]["id"].as_str().unwrap().to_owned();
    stage.play("connections.list", "", json!({})).await;
    stage.play("connections.get", &id, json!({})).await;
    stage.play("connections.rename", &id, json!({"nickname": "other"})).await;
    stage.play("connections.restrict", &id, json!({"guard-rails": rails})).await;
    stage.play("connections.reauthorize", &id, json!({"credential": {"google-json": DEMO_KEY}})).await;
    stage
        .play(
            "functions.list",
            &id,
            json!({"regions": ["us-central1"], "filter": "state=\"ACTIVE\"", "order-by": "name", "page-size": 10, "limit": 5}),
        )
        .await;
    let named = json!({"named": {"name": "hello", "region": "us-central1"}});
    stage.play("functions.get", &id, json!({"function": named})).await;
    stage
        .play(
            "functions.options",
            &id,
            json!({"field": {"functions": "us-central1"}, "prefix": "he", "limit": 5}),
        )
        .await;
    let invoke = json!({
        "function": named, "method": "POST", "path": "/a", "query": {"pairs": [["a", "1"], ["a", "2"]]},
        "headers": [{"name": "x-a", "value": "b"}], "body": {"bytes": {"content-type": "a/b", "data": "aGk="}},
        "auth": "id-token",
        "invoker": {"service-account": {"service-account": ACCOUNT, "delegates": [], "include-email": true}},
        "audience": FUNCTION, "serverless-authorization": false, "idempotent": true, "raise-for-status": false,
    });
    stage.play("planning.plan", &id, json!({"action": {"functions-invoke": invoke}})).await;
    let mut invoke = invoke;
    invoke.as_object_mut().unwrap().remove("invoker");
    stage.play("functions.invoke", &id, invoke).await;
    let api = json!({"api": "run", "method": "GET", "path": "/v2/projects/p/locations", "query": {"raw": "a=1"}, "headers": []});
    stage.play("api.custom-api", &id, api.clone()).await;
    stage.play("api.all-pages", &id, json!({"request": api, "items": "locations", "max-pages": 1})).await;
    stage.play("planning.plan", &id, json!({"action": "connections-disconnect"})).await;
    stage.play("connections.check", &id, json!({"function": named})).await;
    stage.play("connections.disconnect", &id, json!({})).await;

    let request = person::authorize_request("GOCSPX-a");
    let begin = json!({"nickname": "ada", "client": request.client, "redirect-uri": person::REDIRECT});
    let begun = stage.play("connections.authorize", "", begin).await;
    let parameter = |name: &str| {
        let url = url::Url::parse(begun["url"].as_str().unwrap()).unwrap();
        url.query_pairs().find(|(n, _)| n == name).unwrap().1.into_owned()
    };
    *stage.nonce.lock().unwrap() = parameter("nonce");
    let back = person::back("4/a", &parameter("state"));
    stage.play("connections.finish", "", json!({"authorization": begun["id"], "callback-url": back})).await;

    let names: BTreeSet<_> =
        stage.catalog.actions().iter().map(|action| action["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(stage.done, names);
    stage.leave("every-action");
}

#[tokio::test]
async fn an_action_is_called_by_its_parameters() {
    let stage = Stage::new();
    for action in stage.catalog.actions() {
        let name = action["name"].as_str().unwrap();
        // The fields that the form collects, and those that the host adds.
        let fields = stage.catalog.required(&action["input"]);
        let parameters: Vec<_> =
            action["parameters"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
        let own = fields.iter().all(|field| parameters.contains(&field.as_str()));
        assert!(own || parameters.contains(&"request"), "{name}: {fields:?} {parameters:?}");
        assert_eq!(action["deadline-ms"].is_number(), parameters.contains(&"deadline-ms"), "{name}");
    }
    for wrong in
        ["functions", "functions.nothing", "nothing.list", ".", "", "functions.lst", "functions-invok"]
    {
        let error = stage.call(wrong, "", &json!({})).await.unwrap_err();
        assert_eq!(error["details"], json!([["field", "action"]]), "{wrong}");
    }
    // What a form never sends, and somebody who writes JSON does.
    let urls = |input: Value| json!({"function": {"url": FUNCTION}, "body": input});
    for (action, input) in [
        ("functions.list", json!([])),
        ("functions.list", json!({"page-size": 4_294_967_296_u64})),
        ("functions.list", json!({"page-size": 1.0})),
        ("functions.list", json!({"page-sise": 1})),
        ("functions.list", json!({"regions": ["us-central1", 1]})),
        ("functions.list", json!({"regions": {"0": "us-central1"}})),
        ("functions.get", json!({"function": {"named": {"name": "a"}, "url": "b"}})),
        ("functions.get", json!({"function": {"named": {"name": "a", "regoin": "b"}}})),
        ("functions.get", json!({"function": "named"})),
        ("functions.get", json!({"function": {"url": FUNCTION}, "connection": "a"})),
        ("functions.options", json!({"field": {"regions": null}})),
        ("functions.options", json!({"field": "zones"})),
        ("functions.invoke", json!({"function": {"url": FUNCTION}, "auth": "token"})),
        ("functions.invoke", json!({"function": {"url": FUNCTION}, "query": {"pairs": [["a"]]}})),
        ("functions.invoke", urls(json!({"bytes": {"content-type": "a/b", "data": "not base64"}}))),
        ("functions.invoke", urls(json!({"bytes": {"content-type": "a/b", "data": [1, 2]}}))),
        ("planning.plan", json!({"action": {"functions-invoke": urls(json!({"text": 1}))}})),
        ("planning.plan", json!({"action": {"connections-disconnect": {}}})),
        ("connections.rename", json!({"nicknam": "a"})),
        ("connections.rename", json!({"nickname": "a", "id": "b"})),
    ] {
        let error = stage.call(action, "", &input).await.unwrap_err();
        assert_eq!((&error["kind"], &error["trace"]), (&json!("invalid-input"), &json!([])), "{input:#}");
    }
    // A name that somebody has made long is not handed back whole.
    let long = "x".repeat(1 << 20);
    let inside = json!({"function": {"named": {"name": "a", (&long): 1}}});
    for (action, input) in [
        ("functions.list", json!({(&long): 1})),
        ("connections.list", json!({(&long): 1})),
        ("functions.get", inside),
    ] {
        let error = stage.call(action, "", &input).await.unwrap_err();
        assert!(error.to_string().len() < 1024, "{action}: {} bytes", error.to_string().len());
        assert!(
            error["message"].as_str().unwrap().contains("unknown field "),
            "{action}: {}",
            error["message"]
        );
    }
    let error = stage.call(&long, "", &json!({})).await.unwrap_err();
    assert!(error.to_string().len() < 1024, "{} bytes", error.to_string().len());
    stage.leave("mistakes");
}

/// The form of a new connection is that of `connections.connect`, and takes what it takes.
#[test]
fn the_form_is_what_connect_takes() {
    let host = builder().build().unwrap();
    let catalog = Catalog::of(&host);
    let (form, connect) = (
        catalog.validator(&catalog.0["connection"]),
        catalog.validator(&catalog.action("connections.connect")["input"]),
    );
    let with = |credential: Value| json!({"nickname": "n", "credential": credential});
    for credential in [
        json!({"google-json": "{}"}),
        json!({"stored-key": {"client-email": ACCOUNT, "key": "keys/a"}}),
        json!({"supplied-token": {"key": "supplied/a"}}),
        json!({"injected-token": null}),
    ] {
        let filled = with(credential);
        assert_valid(&form, &filled, "the form");
        assert_valid(&connect, &filled, "connections.connect");
    }
    let consent = with(json!({"client": "{}", "login-hint": "ada@example.com"}));
    assert_valid(&form, &consent, "the form");
    assert!(!connect.is_valid(&consent));
    assert!(!form.is_valid(&with(json!({"google-json": "{}", "client": "{}"}))));
}

/// Some hosts allow no dot in the name of a tool: `^[a-zA-Z0-9_-]{1,64}$`.
#[tokio::test]
async fn every_action_has_a_name_without_dots_that_calls_it() {
    let stage = Stage::new();
    let mut seen = BTreeSet::new();
    for action in stage.catalog.actions() {
        let (name, plain) = (action["name"].as_str().unwrap(), action["plain-name"].as_str().unwrap());
        assert!(plain.len() <= 64 && plain.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{plain}");
        assert!(seen.insert(plain), "{plain} stands twice");
        let answers =
            [stage.call(name, "", &json!({"x": 1})).await, stage.call(plain, "", &json!({"x": 1})).await];
        assert_eq!(answers[0], answers[1], "{name}");
        assert!(
            !answers[1].as_ref().unwrap_err()["message"].as_str().unwrap().contains("no action"),
            "{plain}"
        );
    }
    let error = stage.call("functions-nothing", "", &json!({})).await.unwrap_err();
    assert!(error["message"].as_str().unwrap().contains("there is no action"), "{error}");
}
