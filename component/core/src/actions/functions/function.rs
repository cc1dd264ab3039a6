//! Functions as Cloud Functions v2 describes them, and as the connector does.
//!
//! <https://cloud.google.com/functions/docs/reference/rest/v2/projects.locations.functions>

use crate::{
    base::json::{Object, Read},
    google::{
        names::{FunctionId, FunctionName},
        request::function_url::FunctionUrl,
    },
};

/// The fields that are asked for. Environment values may be secrets, so they are not.
pub(super) const FIELDS: &str = "name,state,environment,url,labels,updateTime,buildConfig/runtime,\
    serviceConfig(uri,service,timeoutSeconds,availableMemory,ingressSettings,serviceAccountEmail),eventTrigger/eventType";

/// The product that runs a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// Cloud Run functions (1st gen).
    Gen1,
    /// Cloud Run functions, made through the Cloud Functions API (2nd gen).
    Gen2,
    /// Cloud Run functions, made through the Cloud Run Admin API.
    CloudRun,
    /// Not known.
    Other,
}

impl Generation {
    /// As the contract writes it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Gen1 => "gen1",
            Self::Gen2 => "gen2",
            Self::CloudRun => "cloud-run",
            Self::Other => "other",
        }
    }

    /// The one that the contract writes like this.
    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Gen1, Self::Gen2, Self::CloudRun, Self::Other].into_iter().find(|one| one.as_str() == name)
    }
}

/// The trigger of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// A request.
    Http,
    /// An event of this type.
    Event(String),
    /// Not known.
    Other,
}

/// A function.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct Function {
    pub id: FunctionId,
    /// The name that Cloud Functions or firebase-tools know a function of Cloud Run by, if it is not that of its service.
    pub other_name: Option<FunctionName>,
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
    /// True if Cloud Run gives the service no URL of its own.
    pub without_default_url: bool,
    /// True if Cloud Run asks nobody for the invoker's role.
    pub open_to_all: bool,
}

impl Function {
    /// Reads one, or `None` if its name is not that of a function: then nothing could be done with it.
    pub(super) fn read(fields: &Object<'_>) -> Read<Option<Self>> {
        let Ok(id) = FunctionId::parse(&fields.required("name")?) else { return Ok(None) };
        let none = Object::default();
        let service = fields.object("serviceConfig")?.unwrap_or(&none);
        let build = fields.object("buildConfig")?.unwrap_or(&none);
        // A URL does not make it an HTTP function: event functions of 2nd gen have one too.
        let trigger = match fields.object("eventTrigger")? {
            Some(trigger) => Trigger::Event(trigger.string("eventType")?.unwrap_or_default()),
            None => Trigger::Http,
        };
        let timeout = service.number("timeoutSeconds")?.and_then(|seconds| u32::try_from(seconds).ok());
        Ok(Some(Self {
            id,
            other_name: None,
            generation: match fields.text("environment")? {
                Some("GEN_1") => Generation::Gen1,
                Some("GEN_2") => Generation::Gen2,
                Some(_) | None => Generation::Other,
            },
            trigger,
            state: fields.text("state")?.unwrap_or("UNKNOWN").to_owned(),
            url: service.string("uri")?.or(fields.string("url")?),
            service: service.text("service")?.and_then(service_name),
            runtime: build.string("runtime")?,
            service_account: service.string("serviceAccountEmail")?,
            ingress: service.string("ingressSettings")?,
            timeout_seconds: timeout,
            memory: service.string("availableMemory")?,
            labels: fields.pairs("labels")?,
            updated: fields.string("updateTime")?,
            without_default_url: false,
            open_to_all: false,
        }))
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
        self.service.clone().unwrap_or_else(|| self.id.service_name())
    }

    /// Tells if this is one of its names.
    pub(super) fn is_called(&self, name: &FunctionName) -> bool {
        self.id.name == *name || self.other_name.as_ref() == Some(name)
    }

    /// Its resource name at Google: a function of Cloud Run is a service there, and nothing else.
    #[must_use]
    pub fn resource_name(&self) -> String {
        match self.generation {
            Generation::Gen1 | Generation::Gen2 | Generation::Other => self.id.to_string(),
            Generation::CloudRun => format!(
                "projects/{}/locations/{}/services/{}",
                self.id.project,
                self.id.region,
                self.service_name()
            ),
        }
    }

    /// The URL at which it is called, if the API said something that is a function's URL.
    #[must_use]
    pub fn callable_url(&self) -> Option<FunctionUrl> {
        self.url.as_deref().and_then(|url| FunctionUrl::parse(url).ok()).map(FunctionUrl::of_service)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base::json;

    fn function(body: serde_json::Value) -> Option<Function> {
        Function::read(&json::read(body.to_string().as_bytes()).unwrap()).unwrap()
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
