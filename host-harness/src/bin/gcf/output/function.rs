//! One function, for people and for programs.

use std::borrow::Cow;

use gcf_host::wit::{
    Case as _,
    functions::{Function, Trigger},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{style::Paint, table::facts, words};

/// One function, a line per fact that is known.
pub(crate) fn text(function: &Function, paint: Paint) -> String {
    let timeout = function.timeout_seconds.map(|seconds| format!("{seconds} s"));
    let labels: Vec<String> = function.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    facts(
        &[
            ("name", Some(&function.name)),
            ("region", Some(&function.region)),
            ("project", Some(&function.project)),
            ("generation", Some(function.generation.name())),
            ("trigger", known_trigger(&function.trigger)),
            ("state", Some(&function.state)),
            ("url", function.url.as_deref()),
            ("runtime", function.runtime.as_deref()),
            ("runs as", function.service_account.as_deref()),
            ("ingress", function.ingress.as_deref()),
            ("timeout", timeout.as_deref()),
            ("memory", function.memory.as_deref()),
            ("labels", Some(labels.join(", ").as_str()).filter(|labels| !labels.is_empty())),
            ("updated", function.updated.as_deref()),
        ],
        paint,
    )
}

/// One function for programs. Written as it stands: a list may have thousands.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Json<'a> {
    name: &'a str,
    region: &'a str,
    project: &'a str,
    generation: &'a str,
    trigger: &'a str,
    state: &'a str,
    url: Option<&'a str>,
    runtime: Option<&'a str>,
    service_account: Option<&'a str>,
    ingress: Option<&'a str>,
    timeout_seconds: Option<u32>,
    memory: Option<&'a str>,
    labels: Map<String, Value>,
    updated: Option<&'a str>,
}

impl<'a> Json<'a> {
    pub(crate) fn of(function: &'a Function) -> Self {
        let labels = function.labels.iter().map(|(name, value)| (name.clone(), value.clone().into()));
        Self {
            name: &function.name,
            region: &function.region,
            project: &function.project,
            generation: function.generation.name(),
            trigger: words::trigger(&function.trigger),
            state: &function.state,
            url: function.url.as_deref(),
            runtime: function.runtime.as_deref(),
            service_account: function.service_account.as_deref(),
            ingress: function.ingress.as_deref(),
            timeout_seconds: function.timeout_seconds,
            memory: function.memory.as_deref(),
            labels: labels.collect(),
            updated: function.updated.as_deref(),
        }
    }
}

/// The same as a value.
pub(crate) fn json(function: &Function) -> Value {
    json!(Json::of(function))
}

/// The name that tells it from all others, which every command takes.
pub(crate) fn resource_name(function: &Function) -> String {
    let Function { project, region, name, .. } = function;
    format!("projects/{project}/locations/{region}/functions/{name}")
}

/// The trigger of a function, if anybody knows it.
pub(crate) fn known_trigger(trigger: &Trigger) -> Option<&str> {
    match trigger {
        Trigger::Http | Trigger::Event(_) => Some(words::trigger(trigger)),
        Trigger::Other => None,
    }
}

/// `pubsub/messagePublished` for `google.cloud.pubsub.topic.v1.messagePublished`: the whole would be
/// wider than all other columns together. `gcf get` and `--json` show it.
pub(crate) fn short_trigger(trigger: &str) -> Cow<'_, str> {
    let known = trigger.strip_prefix("google.").map(|rest| rest.strip_prefix("cloud.").unwrap_or(rest));
    match known.and_then(|rest| Some((rest.split_once('.')?.0, rest.rsplit_once('.')?.1))) {
        Some((service, event)) => format!("{service}/{event}").into(),
        None => trigger.into(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use gcf_host::wit::functions::Generation;

    use super::*;

    pub(crate) fn sample(region: &str, name: &str) -> Function {
        Function {
            name: name.to_owned(),
            region: region.to_owned(),
            project: "p".to_owned(),
            generation: Generation::Gen2,
            trigger: Trigger::Http,
            state: "ACTIVE".to_owned(),
            url: Some(format!("https://{name}.example")),
            runtime: Some("nodejs22".to_owned()),
            service_account: None,
            ingress: None,
            timeout_seconds: Some(60),
            memory: None,
            labels: Vec::new(),
            updated: None,
        }
    }

    #[test]
    fn the_type_of_an_event_is_shortened_if_it_is_googles() {
        assert_eq!(short_trigger("google.cloud.pubsub.topic.v1.messagePublished"), "pubsub/messagePublished");
        assert_eq!(short_trigger("google.storage.object.finalize"), "storage/finalize");
        for as_it_is in
            ["http", "google.odd", "com.example.order.placed", "providers/cloud.pubsub/eventTypes/x"]
        {
            assert_eq!(short_trigger(as_it_is), as_it_is);
        }
    }

    #[test]
    fn unknown_facts_are_left_out() {
        let text = text(&sample("us-central1", "a"), Paint::none());
        assert!(text.contains("  timeout     60 s\n"), "{text}");
        assert!(!text.contains("memory") && !text.contains("labels"), "{text}");
    }
}
