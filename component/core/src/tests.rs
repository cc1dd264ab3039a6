//! Whole calls over a scripted world: what is sent, in which order, and what comes of the answers.

mod api;
mod audiences;
mod bad_inputs;
mod canaries;
mod connect;
mod credentials;
mod disconnect;
mod doctor;
mod earlier_stores;
mod events;
mod faults;
mod floors;
mod get;
mod google_answers;
mod guard_rails;
mod half_done;
mod identified;
mod invoke;
mod invoker;
mod list;
mod nicknames;
mod no_command;
mod oauth;
mod options;
mod own_audiences;
mod pages;
mod plan;
mod quota_project;
mod races;
mod reauthorize;
mod refresh;
mod refusals;
mod remembered;
mod repeats;
mod resource_names;
mod run_functions;
mod statuses;
mod tokens;
mod unicode;
mod world;

use serde_json::{Value, json};

use crate::{
    actions::{api::ApiRequest, functions::list::ListRequest},
    base::error::Error,
    google::request::grammar::Query,
    testing::{Answer, json_answer},
};

/// A request of `custom_api` that holds nothing but what it must.
fn api_request(method: &str, path: &str) -> ApiRequest {
    ApiRequest {
        api: None,
        method: method.to_owned(),
        path: path.to_owned(),
        query: Query::None,
        headers: Vec::new(),
        body: None,
    }
}

/// A list that takes one request, of all calls the simplest one that needs a token: Cloud Run knows no filter.
fn one_request() -> ListRequest {
    ListRequest { filter: Some("environment=\"GEN_2\"".to_owned()), ..ListRequest::default() }
}

/// A v2 function of 2nd gen, in the documented shape.
fn gen2(region: &str, name: &str) -> Value {
    json!({
        "name": format!("projects/demo-project/locations/{region}/functions/{name}"),
        "state": "ACTIVE",
        "environment": "GEN_2",
        "url": format!("https://{region}-demo-project.cloudfunctions.net/{name}"),
        "serviceConfig": {"uri": format!("https://{name}-abc123-uc.a.run.app"), "timeoutSeconds": 300},
    })
}

/// A v2 function of 1st gen.
fn gen1(region: &str, name: &str) -> Value {
    json!({
        "name": format!("projects/demo-project/locations/{region}/functions/{name}"),
        "state": "ACTIVE",
        "environment": "GEN_1",
        "url": format!("https://{region}-demo-project.cloudfunctions.net/{name}"),
    })
}

/// A Cloud Run service that is built from a function.
fn service(region: &str, name: &str) -> Value {
    json!({
        "name": format!("projects/demo-project/locations/{region}/services/{name}"),
        "uri": format!("https://{name}-abc123-uc.a.run.app"),
        "ingress": "INGRESS_TRAFFIC_ALL",
        "terminalCondition": {"state": "CONDITION_SUCCEEDED"},
        "buildConfig": {"functionTarget": "handler"},
    })
}

/// The same as v1 has it, in the list of every region.
fn knative(region: &str, name: &str) -> Value {
    json!({
        "metadata": {
            "name": name,
            "namespace": "123456789012",
            "labels": {"cloud.googleapis.com/location": region},
            "annotations": {
                "run.googleapis.com/build-function-target": "handler",
                "run.googleapis.com/ingress-status": "all",
            },
        },
        "status": {
            "url": format!("https://{name}-abc123-uc.a.run.app"),
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    })
}

/// That list.
fn everywhere(services: &[Value]) -> Answer {
    json_answer(200, &json!({"items": services}))
}

fn detail<'a>(error: &'a Error, name: &str) -> Option<&'a str> {
    error.fields().details.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}
