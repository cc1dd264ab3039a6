//! Functions as Cloud Functions v2 describes them, and as the connector does.
//!
//! <https://cloud.google.com/functions/docs/reference/rest/v2/projects.locations.functions>

use serde::Deserialize;

use crate::{json::Pairs, names::FunctionId, target::function_url::FunctionUrl};

/// The fields that are asked for. Environment values may be secrets, so they are not.
pub(super) const FIELDS: &str = "name,state,environment,url,labels,updateTime,buildConfig/runtime,\
    serviceConfig(uri,service,timeoutSeconds,availableMemory,ingressSettings,serviceAccountEmail),eventTrigger/eventType";

/// Which product runs a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// Cloud Run functions (1st gen).
    Gen1,
    /// Cloud Run functions, made through the Cloud Functions API (2nd gen).
    Gen2,
    /// Not known.
    Other,
}

/// What starts a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// A request.
    Http,
    /// An event of this type.
    Event(String),
}

/// A function.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct Function {
    pub id: FunctionId,
    pub generation: Generation,
    pub trigger: Trigger,
    pub state: String,
    pub url: Option<String>,
    /// The Cloud Run service behind it, by its last name; roles to call it are granted there.
    pub service: Option<String>,
    pub runtime: Option<String>,
    pub service_account: Option<String>,
    pub ingress: Option<String>,
    pub timeout_seconds: Option<u32>,
    pub memory: Option<String>,
    pub labels: Vec<(String, String)>,
    pub updated: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireFunction {
    name: String,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    environment: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    labels: Pairs,
    #[serde(default)]
    update_time: Option<String>,
    #[serde(default)]
    build_config: BuildConfig,
    #[serde(default)]
    service_config: ServiceConfig,
    #[serde(default)]
    event_trigger: Option<EventTrigger>,
}

#[derive(Deserialize, Default)]
struct BuildConfig {
    #[serde(default)]
    runtime: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ServiceConfig {
    uri: Option<String>,
    service: Option<String>,
    timeout_seconds: Option<u32>,
    available_memory: Option<String>,
    ingress_settings: Option<String>,
    service_account_email: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventTrigger {
    #[serde(default)]
    event_type: String,
}

impl WireFunction {
    /// The function, or `None` if its name is not one: then nothing could be done with it.
    pub(super) fn into_function(self) -> Option<Function> {
        Some(Function {
            id: FunctionId::parse(&self.name).ok()?,
            generation: match self.environment.as_deref() {
                Some("GEN_1") => Generation::Gen1,
                Some("GEN_2") => Generation::Gen2,
                Some(_) | None => Generation::Other,
            },
            // A URL does not make it an HTTP function: event functions of 2nd gen have one too.
            trigger: self.event_trigger.map_or(Trigger::Http, |trigger| Trigger::Event(trigger.event_type)),
            state: self.state.unwrap_or_else(|| "UNKNOWN".to_owned()),
            url: self.service_config.uri.or(self.url),
            service: self.service_config.service.as_deref().and_then(service_name),
            runtime: self.build_config.runtime,
            service_account: self.service_config.service_account_email,
            ingress: self.service_config.ingress_settings,
            timeout_seconds: self.service_config.timeout_seconds,
            memory: self.service_config.available_memory,
            labels: self.labels.0,
            updated: self.update_time,
        })
    }
}

/// The last part of `projects/P/locations/R/services/S`, if it is as plain as a service's name.
fn service_name(resource: &str) -> Option<String> {
    let name = resource.rsplit('/').next()?;
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (!name.is_empty() && name.len() <= 63 && name.bytes().all(plain)).then(|| name.to_owned())
}

impl Function {
    /// The name of the Cloud Run service behind it: what the API said, or what it makes of the function's
    /// name.
    #[must_use]
    pub fn service_name(&self) -> String {
        let derived = || self.id.name.as_str().to_ascii_lowercase().replace('_', "-");
        self.service.clone().unwrap_or_else(derived)
    }

    /// Where it is called, if the API said something that is a function's URL.
    #[must_use]
    pub fn callable_url(&self) -> Option<FunctionUrl> {
        self.url.as_deref().and_then(|url| FunctionUrl::parse(url).ok())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn function(body: serde_json::Value) -> Option<Function> {
        serde_json::from_value::<WireFunction>(body).unwrap().into_function()
    }

    #[test]
    fn an_old_answer_without_url_or_state_is_read() {
        let function =
            function(json!({"name": "projects/p/locations/us-central1/functions/f", "environment": "GEN_2"}))
                .unwrap();
        assert_eq!((function.state.as_str(), function.url), ("UNKNOWN", None));
        assert_eq!(function.trigger, Trigger::Http);
    }

    #[test]
    fn the_run_address_is_preferred_and_a_url_makes_no_http_function() {
        let function = function(json!({
            "name": "projects/p/locations/us-central1/functions/f", "environment": "GEN_2",
            "url": "https://us-central1-p.cloudfunctions.net/f",
            "serviceConfig": {"uri": "https://f-abc-uc.a.run.app", "timeoutSeconds": 60},
            "eventTrigger": {"eventType": "google.cloud.storage.object.v1.finalized"}
        }))
        .unwrap();
        assert_eq!(function.url.as_deref(), Some("https://f-abc-uc.a.run.app"));
        assert_eq!(function.trigger, Trigger::Event("google.cloud.storage.object.v1.finalized".to_owned()));
    }

    #[test]
    fn a_url_of_somebody_else_is_not_called() {
        let function = function(json!({
            "name": "projects/p/locations/us-central1/functions/f", "serviceConfig": {"uri": "https://evil.example"}
        }))
        .unwrap();
        assert_eq!(function.callable_url(), None);
    }

    #[test]
    fn roles_are_granted_on_the_service_that_the_api_names() {
        let named = |service: &str| {
            function(json!({
                "name": "projects/p/locations/us-central1/functions/login_withPin",
                "serviceConfig": {"service": service}
            }))
            .unwrap()
            .service_name()
        };
        assert_eq!(named("projects/p/locations/us-central1/services/loginwithpin"), "loginwithpin");
        for odd in ["", "projects/p/locations/l/services/", "services/a:setIamPolicy", "services/A b"] {
            assert_eq!(named(odd), "login-withpin", "{odd}");
        }
    }
}
