//! Functions that were made through the Cloud Run Admin API: services that are built from a function.
//!
//! <https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services>

pub(super) mod knative;
mod marks;

use super::function::{Function, Generation};
use crate::{
    base::{
        error::Result,
        http::{Method, Response},
        json::{self, Object, Read},
        ports::Ports,
        purpose::Purpose,
        retry::Class,
    },
    call::Call,
    google::{
        hosts::Api,
        names::{FunctionId, FunctionName, ProjectId, Region},
        refusal,
        request::{self, function_url::FunctionUrl, grammar::PathAndQuery},
    },
    rails::Listed,
    session::Session,
};

/// The fields that are asked for. Environment values may be secrets, so they are not.
pub(super) const FIELDS: &str = "name,uri,labels,annotations,updateTime,deleteTime,ingress,reconciling,\
    terminalCondition/state,defaultUriDisabled,invokerIamDisabled,buildConfig(functionTarget,baseImage),\
    template(annotations,serviceAccount,timeout,containers/resources/limits)";

/// The fields that say whether Cloud Run asks nobody for a role. The name keeps the answer from being empty.
const ACCESS: &str = "name,invokerIamDisabled";

/// The fields that say where a service is, and for whom tokens to it may be.
const AUDIENCES: &str = "urls,customAudiences";

/// The function of this name, if there is one. The name may be the one that it had in Cloud Functions.
///
/// # Errors
/// As signing in fails, and as Google refuses; what is not there is not an error.
pub(super) async fn find<P: Ports>(
    call: &Call<'_, P>,
    session: &Session,
    id: &FunctionId,
) -> Result<Option<Function>> {
    let service = id.service_name();
    let purpose = Purpose::Service { name: service.clone() };
    let (function, _) = ask(call, session, (id, &service), purpose, FIELDS).await?;
    Ok(function.filter(|function| function.is_called(&id.name)))
}

/// The URLs of the service that is called `at` one of them, and the audiences that its owner lists; none of what is not
/// there.
///
/// # Errors
/// As signing in fails, and as Google refuses.
pub(super) async fn audiences<P: Ports>(
    call: &Call<'_, P>,
    session: &Session,
    (id, service): (&FunctionId, &str),
    at: &FunctionUrl,
) -> Result<Listed> {
    let purpose = Purpose::Audiences { name: service.to_owned(), at: at.to_string() };
    ask(call, session, (id, service), purpose, AUDIENCES).await.map(|(_, listed)| listed)
}

/// Tells whether Cloud Run asks nobody for a role to invoke a service, that of a 2nd gen function too.
///
/// # Errors
/// As signing in fails, and as Google refuses.
pub(crate) async fn is_open_to_all<P: Ports>(
    call: &Call<'_, P>,
    session: &Session,
    (id, service): (&FunctionId, &str),
) -> Result<bool> {
    let purpose = Purpose::Service { name: service.to_owned() };
    let (response, action) = fetch(call, session, (id, service), purpose, ACCESS).await?;
    json::read(&response.body)
        .and_then(|fields| fields.flag("invokerIamDisabled"))
        .map_err(|why| refusal::api::unreadable(&response, &action, &why))
}

/// Both readings of a service, as far as the fields go that are asked for.
async fn ask<P: Ports>(
    call: &Call<'_, P>,
    session: &Session,
    (id, service): (&FunctionId, &str),
    purpose: Purpose,
    fields: &str,
) -> Result<(Option<Function>, Listed)> {
    let (response, action) = fetch(call, session, (id, service), purpose, fields).await?;
    if response.status == 404 {
        return Ok((None, Listed::default()));
    }
    json::read(&response.body)
        .and_then(|fields| {
            let custom_audiences = fields.texts("customAudiences")?;
            Ok((read(&fields)?, Listed { urls: fields.texts("urls")?, custom_audiences }))
        })
        .map_err(|why| refusal::api::unreadable(&response, &action, &why))
}

/// The answer about a service, of status 200 or 404, and what was tried.
async fn fetch<P: Ports>(
    call: &Call<'_, P>,
    session: &Session,
    (id, service): (&FunctionId, &str),
    purpose: Purpose,
    fields: &str,
) -> Result<(Response, String)> {
    let path = format!("/v2/projects/{}/locations/{}/services/{service}", id.project.segment(), id.region);
    let target = PathAndQuery::ours(&path, &[("fields", fields)]);
    let response = session
        .send(call, Class::Idempotent, &|token| {
            request::to_api(purpose.clone(), Api::Run, Method::Get, &target, token)
        })
        .await?;
    let action = format!("get the Cloud Run service {service} in {} of {}", id.region, id.project);
    match response.status {
        200 | 404 => Ok((response, action)),
        _ => Err(refusal::api::error(&response, &session.attempted(&action, "run.services.get"))),
    }
}

/// Reads one; `None` if it is no function, or if Cloud Functions made it and lists it itself.
pub(super) fn read(fields: &Object<'_>) -> Read<Option<Function>> {
    let none = Object::default();
    let build = fields.object("buildConfig")?.unwrap_or(&none);
    let labels = fields.pairs("labels")?;
    let is_built = build.text("functionTarget")?.is_some_and(|target| !target.is_empty());
    let (true, Some(id)) = (marks::is_function(&labels, is_built), fields.text("name")?.and_then(id)) else {
        return Ok(None);
    };
    let template = fields.object("template")?.unwrap_or(&none);
    let annotations = (fields.pairs("annotations")?, template.pairs("annotations")?);
    Ok(Some(Function {
        generation: Generation::CloudRun,
        other_name: marks::other_name(&id, &annotations.0, &annotations.1),
        trigger: marks::trigger(&annotations.1, &annotations.0),
        state: state(fields)?.to_owned(),
        url: fields.string("uri")?,
        service: Some(id.name.as_str().to_owned()),
        runtime: build.text("baseImage")?.and_then(marks::runtime_of).or_else(|| marks::runtime(&labels)),
        service_account: template.string("serviceAccount")?,
        ingress: fields.string("ingress")?,
        timeout_seconds: template.text("timeout")?.and_then(seconds),
        memory: marks::memory(template.list("containers")?),
        labels,
        updated: fields.string("updateTime")?,
        without_default_url: fields.flag("defaultUriDisabled")?,
        open_to_all: fields.flag("invokerIamDisabled")?,
        id,
    }))
}

fn id(resource: &str) -> Option<FunctionId> {
    let parts: Vec<&str> = resource.split('/').collect();
    let ["projects", project, "locations", region, "services", name] = parts[..] else { return None };
    Some(FunctionId {
        project: ProjectId::parse(project).ok()?,
        region: Region::of(region)?,
        name: FunctionName::parse(name).ok()?,
    })
}

/// Cloud Functions' word for what a service's condition comes to.
fn state(fields: &Object<'_>) -> Read<&'static str> {
    if fields.text("deleteTime")?.is_some() {
        return Ok("DELETING");
    }
    if fields.flag("reconciling")? {
        return Ok("DEPLOYING");
    }
    let none = Object::default();
    let condition = fields.object("terminalCondition")?.unwrap_or(&none);
    Ok(match condition.text("state")? {
        Some("CONDITION_SUCCEEDED") => "ACTIVE",
        Some("CONDITION_FAILED") => "FAILED",
        Some("CONDITION_PENDING" | "CONDITION_RECONCILING") => "DEPLOYING",
        Some(_) | None => "UNKNOWN",
    })
}

/// `300` of `300s` or `300.500s`.
fn seconds(duration: &str) -> Option<u32> {
    duration.strip_suffix('s')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use test_case::test_case;

    use super::*;
    use crate::actions::functions::Trigger;

    fn service(more: serde_json::Value) -> serde_json::Value {
        let mut service = json!({
            "name": "projects/p-1234/locations/europe-west1/services/hello",
            "uri": "https://hello-abc123-ew.a.run.app",
            "labels": {"team": "payments"},
            "updateTime": "2026-02-01T10:00:00.123456Z",
            "ingress": "INGRESS_TRAFFIC_ALL",
            "terminalCondition": {"state": "CONDITION_SUCCEEDED"},
            "buildConfig": {
                "functionTarget": "helloHttp",
                "baseImage": "europe-west1-docker.pkg.dev/serverless-runtimes/google-22-full/runtimes/nodejs22",
            },
            "template": {
                "serviceAccount": "1-compute@developer.gserviceaccount.com",
                "timeout": "300s",
                "containers": [{}, {"resources": {"limits": {"memory": "512Mi", "cpu": "1"}}}],
            },
        });
        for (name, value) in more.as_object().unwrap() {
            service[name] = value.clone();
        }
        service
    }

    fn read_json(service: &serde_json::Value) -> Option<Function> {
        read(&json::read(service.to_string().as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn a_service_that_is_built_from_a_function_is_one() {
        let function = read_json(&service(json!({}))).unwrap();
        assert_eq!(function.id.to_string(), "projects/p-1234/locations/europe-west1/functions/hello");
        assert_eq!((function.generation, function.trigger.clone()), (Generation::CloudRun, Trigger::Other));
        assert_eq!(function.callable_url().unwrap().host(), "hello-abc123-ew.a.run.app");
        assert_eq!(function.runtime.as_deref(), Some("nodejs22"));
        assert_eq!(function.service_account.as_deref(), Some("1-compute@developer.gserviceaccount.com"));
        assert_eq!(function.ingress.as_deref(), Some("INGRESS_TRAFFIC_ALL"));
        assert_eq!((function.timeout_seconds, function.memory.as_deref()), (Some(300), Some("512Mi")));
        assert_eq!(function.labels, [("team".to_owned(), "payments".to_owned())]);
        assert_eq!(function.updated.as_deref(), Some("2026-02-01T10:00:00.123456Z"));
        assert_eq!(function.service_name(), "hello");
    }

    #[test]
    fn a_service_says_if_it_has_no_url_or_asks_nobody_for_a_role() {
        let with = |more| read_json(&service(more)).map(|f| (f.without_default_url, f.open_to_all)).unwrap();
        assert_eq!(with(json!({})), (false, false));
        assert_eq!(with(json!({"defaultUriDisabled": true})), (true, false));
        assert_eq!(with(json!({"invokerIamDisabled": true})), (false, true));
    }

    #[test]
    fn little_is_enough_to_be_one() {
        let service = json!({
            "name": "projects/p-1234/locations/europe-west1/services/hello", "buildConfig": {"functionTarget": "f"},
        });
        let function = read_json(&service).unwrap();
        assert_eq!((function.state.as_str(), function.url, function.runtime), ("UNKNOWN", None, None));
    }

    /// The answer for a function that was made by Cloud Functions and detached, as the authors of firebase-tools got it in
    /// June 2025 (`src/gcp/runv2.ts` there; names replaced).
    #[test]
    fn a_detached_function_keeps_its_name_and_its_trigger() {
        let detached = |trigger: &str| {
            service(json!({
                "name": "projects/p-1234/locations/us-central1/services/ejectrequest",
                "labels": {
                    "goog-cloudfunctions-runtime": "nodejs22",
                    "goog-drz-cloudfunctions-id": "ejectrequest",
                    "goog-managed-by": "",
                },
                "annotations": {"cloudfunctions.googleapis.com/function-id": "ejectRequest"},
                "template": {"annotations": {"cloudfunctions.googleapis.com/trigger-type": trigger}},
            }))
        };
        let function = read_json(&detached("HTTP_TRIGGER")).unwrap();
        assert_eq!((function.generation, &function.trigger), (Generation::CloudRun, &Trigger::Http));
        assert_eq!(function.id.name.as_str(), "ejectrequest");
        for (name, is) in [("ejectrequest", true), ("ejectRequest", true), ("ejectREQUEST", false)] {
            assert_eq!(function.is_called(&FunctionName::parse(name).unwrap()), is, "{name}");
        }
        let event = "google.cloud.storage.object.v1.finalized";
        assert_eq!(read_json(&detached(event)).unwrap().trigger, Trigger::Event(event.to_owned()));
    }

    /// A service as firebase-tools deploys it to Cloud Run by itself (`serviceFromEndpoint` in `src/gcp/runv2.ts` there).
    #[test]
    fn what_firebase_deployed_is_one_without_a_build() {
        let function = read_json(&service(json!({
            "labels": {"goog-cloudfunctions-runtime": "nodejs22", "goog-managed-by": "firebase-functions"},
            "annotations": {"firebase-functions-metadata": r#"{"functionId":"Hello"}"#},
            "buildConfig": null,
        })))
        .unwrap();
        assert_eq!((function.generation, function.trigger.clone()), (Generation::CloudRun, Trigger::Other));
        assert_eq!(function.runtime.as_deref(), Some("nodejs22"));
        assert!(function.is_called(&FunctionName::parse("Hello").unwrap()));
    }

    #[test_case(json!({"buildConfig": null}); "an image of somebody's own")]
    #[test_case(json!({"buildConfig": {"baseImage": "x/runtimes/go122"}}); "built from source, and no function")]
    #[test_case(json!({"labels": {"goog-managed-by": "cloudfunctions"}}); "made by Cloud Functions")]
    #[test_case(json!({"name": "projects/p-1234/locations/europe-west1/jobs/hello"}); "no service")]
    #[test_case(json!({"name": "projects/p-1234/locations/europe-west1/services/a:b"}); "a name that is none")]
    fn what_is_none(more: serde_json::Value) {
        assert_eq!(read_json(&service(more)), None);
    }

    #[test_case(json!({}), "ACTIVE")]
    #[test_case(json!({"terminalCondition": {"state": "CONDITION_FAILED"}}), "FAILED")]
    #[test_case(json!({"terminalCondition": {"state": "CONDITION_PENDING"}}), "DEPLOYING")]
    #[test_case(json!({"terminalCondition": {"state": "CONDITION_RECONCILING"}}), "DEPLOYING")]
    #[test_case(json!({"terminalCondition": {"state": "STATE_UNSPECIFIED"}}), "UNKNOWN")]
    #[test_case(json!({"reconciling": true}), "DEPLOYING"; "reconciling")]
    #[test_case(json!({"reconciling": true, "deleteTime": "2026-02-01T10:00:00Z"}), "DELETING"; "deleted")]
    fn its_condition_in_cloud_functions_words(more: serde_json::Value, state: &str) {
        assert_eq!(read_json(&service(more)).unwrap().state, state);
    }

    #[test]
    fn a_duration_is_read_in_whole_seconds() {
        let of = |text| seconds(text);
        assert_eq!(
            (of("300s"), of("3.500s"), of("300"), of("s"), of("-1s")),
            (Some(300), Some(3), None, None, None)
        );
    }

    #[test]
    fn nothing_secret_is_asked_for() {
        for fields in [FIELDS, knative::FIELDS] {
            for word in ["env", "nvironmentVariables", "secret"] {
                assert!(!fields.contains(word), "{word} in {fields}");
            }
        }
    }
}
