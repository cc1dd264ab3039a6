//! The URL of a function, as Google or the caller gives it, and the audience of its token.

use gcf_host::{
    CallError, Host,
    wit::{Auth, FunctionRef, Invocation, InvokeRequest},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Row, Stage, assert_refused, credential, kebab};
use crate::fixtures::{
    invoke_request, named, refused,
    scripted::{Sent as Asked, claims},
    watched::Sent,
};

/// The source of the function's URL, Google or the caller, and what else the caller says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    from: Source,
    url: Option<String>,
    audience: Option<String>,
    /// True for a token only if the function's front end asks for one.
    #[serde(default)]
    auto: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Source {
    Api,
    Caller,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Outcome {
    /// Refused before a byte is sent.
    Refused {
        error: String,
        field: String,
    },
    /// Not called once Google has given the function's URL; nothing is sent there, and no token is minted.
    NotCalled {
        error: String,
    },
    Called {
        url: String,
        token: String,
        audience: Option<String>,
    },
}

pub(super) async fn run(row: Row, silent: &(Host, String)) {
    let (place, expected): (Place, Outcome) = (row.input(), row.expected());
    let (function, descriptions) = match (place.from, place.url) {
        (Source::Caller, Some(url)) => (FunctionRef::Url(url), vec![Value::Null]),
        (Source::Caller, None) => panic!("a caller that names no URL"),
        (Source::Api, url) => (named("f", Some("us-central1")), descriptions(url.as_deref()).to_vec()),
    };
    let request = {
        let mut request = invoke_request(function).auth(if place.auto { Auth::Auto } else { Auth::IdToken });
        request.audience = place.audience;
        request
    };
    for description in descriptions {
        judge(request.clone(), description, expected.clone(), silent).await;
    }
}

/// A function as Google describes it: its URL stands elsewhere in each generation.
fn descriptions(url: Option<&str>) -> [Value; 2] {
    let name = "projects/demo-project/locations/us-central1/functions/f";
    [
        json!({"name": name, "state": "ACTIVE", "environment": "GEN_1", "url": url}),
        json!({"name": name, "state": "ACTIVE", "environment": "GEN_2", "serviceConfig": {"uri": url}}),
    ]
}

async fn judge(request: InvokeRequest, description: Value, expected: Outcome, silent: &(Host, String)) {
    match expected {
        Outcome::Refused { error, field } => {
            let (host, id) = silent;
            assert_refused(&refused(host.invoke(id, request, None).await), &error, &field);
        }
        Outcome::NotCalled { error: kind } => {
            let (outcome, sent) = invoke(request, description).await;
            let error = refused(outcome);
            assert_eq!(kebab(error.kind), kind, "{}", error.message);
            assert!(error.fix.is_some(), "{error:?}");
            let [lookup] = sent.as_slice() else { panic!("{sent:?}") };
            assert!(lookup.url.starts_with("https://cloudfunctions.googleapis.com/v2/"), "{}", lookup.url);
        }
        Outcome::Called { url, token, audience } => {
            let (outcome, sent) = invoke(request, description).await;
            let answer = outcome.unwrap();
            assert_eq!((kebab(answer.token), &answer.audience), (token, &audience));
            let (last, before) = sent.split_last().unwrap();
            assert_eq!(last.url, url);
            let minted_for = credential(last).map(|jwt| claims(jwt)["aud"].as_str().unwrap().to_owned());
            assert_eq!(minted_for, audience);
            assert!(before.iter().all(|other| other.url != url), "it is called once");
        }
    }
}

/// The outcome of a call if Google describes the function like this, and the requests that were sent.
async fn invoke(request: InvokeRequest, description: Value) -> (Result<Invocation, CallError>, Vec<Sent>) {
    let is_lookup = |url: &str| url.contains("/functions/f?");
    let answer =
        move |asked: &Asked| (200, if is_lookup(&asked.url) { description.clone() } else { json!({}) });
    let Stage { host, network, id } = Stage::new(answer).await;
    let outcome = host.invoke(&id, request, None).await;
    (outcome, network.take())
}
