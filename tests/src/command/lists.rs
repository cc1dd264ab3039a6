//! Lists that are partial, pages one after another, and the options of a form.

use serde_json::{Value, json};

use super::{KEY, Person, check_live, google::Google};

fn function(region: &str, name: &str, event: Option<&str>) -> Value {
    let mut function = json!({
        "name": format!("projects/demo-project/locations/{region}/functions/{name}"),
        "environment": "GEN_2",
        "state": "ACTIVE",
        "serviceConfig": { "uri": format!("https://{name}-abcdefghij-uc.a.run.app") },
    });
    if let Some(event) = event {
        function["eventTrigger"] = json!({ "eventType": event });
    }
    function
}

fn service(name: &str) -> Value {
    json!({
        "name": format!("projects/demo-project/locations/us-central1/services/{name}"),
        "uri": format!("https://{name}-abcdefghij-uc.a.run.app"),
        "terminalCondition": { "state": "CONDITION_SUCCEEDED" },
        "buildConfig": { "functionTarget": "handler" },
        "template": { "timeout": "300s", "containers": [{ "resources": { "limits": { "memory": "512Mi" } } }] },
    })
}

/// The same in the list of every region.
fn knative(name: &str) -> Value {
    let target = "run.googleapis.com/build-function-target";
    json!({
        "metadata": {
            "name": name,
            "labels": { "cloud.googleapis.com/location": "us-central1" },
            "annotations": { target: "handler" },
        },
        "spec": { "template": { "spec": {
            "timeoutSeconds": 300,
            "containers": [{ "resources": { "limits": { "memory": "512Mi" } } }],
        } } },
        "status": {
            "url": format!("https://{name}-abcdefghij-uc.a.run.app"),
            "conditions": [{ "type": "Ready", "status": "True" }],
        },
    })
}

fn refused(code: u16, status: &str, message: &str, reason: &str, service: &str) -> Value {
    json!({ "error": { "code": code, "status": status, "message": message, "details": [{
        "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com",
        "metadata": { "service": service },
    }] } })
}

/// Somebody who has connected to a project with two functions, one of them on Cloud Run.
fn person(google: &Google) -> Person {
    let upload = "google.cloud.storage.object.v1.finalized";
    let functions =
        [function("us-central1", "hello", None), function("europe-west1", "on-upload", Some(upload))];
    google.on("/locations/-/services?", 200, json!({ "items": [knative("on-run")] }));
    google.on("/locations/us-central1/services?", 200, json!({ "services": [service("on-run")] }));
    google.on("/locations/-/functions?", 200, json!({ "functions": functions }));
    google.on("/locations/us-central1/functions?", 200, json!({ "functions": [functions[0]] }));
    let person = Person::with(google);
    person.run(&["connect", "--nickname", "demo", "--credentials", KEY]);
    person
}

#[test]
fn a_list_says_what_it_lacks() {
    let google = Google::start();
    let person = person(&google);
    let whole = person.run(&["list"]);
    let region = person.run(&["list", "--region", "us-central1", "--order-by", "name desc"]);
    let cut = person.run(&["list", "--limit", "1"]);
    let rest = person.run(&["list", "--page-token", "services/-/"]);
    let wrong = person.run(&["list", "--page-token", "CAE="]);
    google.on(
        "run.googleapis.com",
        403,
        refused(
            403,
            "PERMISSION_DENIED",
            "Cloud Run Admin API has not been used in project 123456789012 before or it is disabled.",
            "SERVICE_DISABLED",
            "run.googleapis.com",
        ),
    );
    let partial = person.run(&["list"]);
    let json = person.json(&["list"]);
    assert_eq!(json["missing"][0]["kind"], "api-disabled");
    assert_eq!(json["missing"][0]["region"], Value::Null);
    assert_eq!(json["functions"].as_array().unwrap().len(), 2);
    check_live("list", &[whole, region, cut, rest, wrong, partial]);
}

#[test]
fn a_form_can_be_filled_from_the_command_line() {
    let google = Google::start();
    let person = person(&google);
    google.on("/functions/on-run", 404, refused(404, "NOT_FOUND", "Resource was not found", "NOT_FOUND", ""));
    google.on("/services/on-run", 200, service("on-run"));
    let runs = [
        person.run(&["options", "regions"]),
        person.run(&["options", "regions", "europe"]),
        person.run(&["options", "functions"]),
        person.run(&["options", "functions", "--region", "us-central1", "--limit", "1", "H"]),
        person.run(&["options", "functions", "--limit", "1"]),
        person.run(&["options", "regions", "--region", "us-central1"]),
        person.run(&["get", "on-run", "--region", "us-central1"]),
    ];
    let json = person.json(&["options", "functions", "on"]);
    assert_eq!(json["options"][0]["hint"], "cloud-run, ACTIVE");
    check_live("options", &runs);
}
