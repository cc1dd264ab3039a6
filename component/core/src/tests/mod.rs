//! Whole calls over a scripted world: what is sent, in which order, and what comes of the answers.

mod api;
mod connect;
mod credentials;
mod disconnect;
mod doctor;
mod events;
mod faults;
mod identified;
mod invoke;
mod invoker;
mod list;
mod oauth;
mod reauthorize;
mod refresh;
mod repeats;
mod tokens;

use serde_json::{Value, json};

use crate::error::Error;

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

fn detail<'a>(error: &'a Error, name: &str) -> Option<&'a str> {
    error.fields().details.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}
