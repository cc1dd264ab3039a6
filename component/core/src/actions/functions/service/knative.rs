//! Services as version 1 of the API has them, in the shape of Knative: its list is the only one of every region.
//!
//! <https://cloud.google.com/run/docs/reference/rest/v1/projects.locations.services/list>

use super::marks::{self, Pairs};
use crate::{
    actions::functions::{Function, Generation},
    base::json::{Object, Read, Value},
    google::names::{FunctionId, FunctionName, ProjectId, Region},
};

/// The fields of a service that are asked for. Environment values may be secrets, so they are not.
///
/// Annotations stand here for fields of v2; a mask cannot choose among those.
pub(in crate::actions::functions) const FIELDS: &str = "metadata(name,labels,annotations,generation,deletionTimestamp),\
    spec(template(metadata/annotations,spec(serviceAccountName,timeoutSeconds,containers/resources/limits))),\
    status(url,observedGeneration,conditions(type,status,lastTransitionTime))";

/// The label with the region.
const LOCATION: &str = "cloud.googleapis.com/location";

/// The namespaces of labels that v2 has fields for, and leaves out of its own.
const SYSTEM: [&str; 4] =
    ["run.googleapis.com/", "cloud.googleapis.com/", "serving.knative.dev/", "autoscaling.knative.dev/"];

/// The entry point of a function; the second one was written before builds had annotations of their own. It may be a
/// map from containers.
const TARGETS: [&str; 2] = ["run.googleapis.com/build-function-target", "run.googleapis.com/function-target"];

/// The image that the build began with; the second one is a map from containers.
const BASE_IMAGES: [&str; 2] = ["run.googleapis.com/build-base-image", "run.googleapis.com/base-images"];

/// The ingress setting: as it is, and as it is to be.
const INGRESS: [&str; 2] = ["run.googleapis.com/ingress-status", "run.googleapis.com/ingress"];

/// Reads one of a project; `None` if it is no function, or if Cloud Functions made it and lists it itself.
pub(in crate::actions::functions) fn read(
    fields: &Object<'_>,
    project: &ProjectId,
) -> Read<Option<Function>> {
    let none = Object::default();
    let metadata = fields.object("metadata")?.unwrap_or(&none);
    let mut labels = metadata.pairs("labels")?;
    let annotations = metadata.pairs("annotations")?;
    let template = fields.object("spec")?.unwrap_or(&none).object("template")?.unwrap_or(&none);
    let of_template = template.object("metadata")?.unwrap_or(&none).pairs("annotations")?;
    let said = |names: &[&str]| {
        let each = names.iter().flat_map(|name| [&annotations, &of_template].map(|pairs| (pairs, *name)));
        each.filter_map(|(pairs, name)| marks::first(marks::value(pairs, name)?)).next()
    };
    let is_function = marks::is_function(&labels, said(&TARGETS).is_some());
    let (true, Some(id)) = (is_function, id(metadata.text("name")?, &labels, project)) else {
        return Ok(None);
    };
    let spec = template.object("spec")?.unwrap_or(&none);
    let status = fields.object("status")?.unwrap_or(&none);
    let ready = ready(status)?;
    let timeout = spec.number("timeoutSeconds")?.and_then(|seconds| u32::try_from(seconds).ok());
    let runtime = said(&BASE_IMAGES).as_deref().and_then(marks::runtime_of);
    let runtime = runtime.or_else(|| marks::runtime(&labels));
    labels.retain(|(name, _)| !SYSTEM.iter().any(|namespace| name.starts_with(namespace)));
    Ok(Some(Function {
        generation: Generation::CloudRun,
        other_name: marks::other_name(&id, &annotations, &of_template),
        trigger: marks::trigger(&of_template, &annotations),
        state: state(metadata, status, ready)?.to_owned(),
        url: status.string("url")?,
        service: Some(id.name.as_str().to_owned()),
        runtime,
        service_account: spec.string("serviceAccountName")?,
        ingress: INGRESS.iter().find_map(|name| marks::value(&annotations, name)).map(ingress),
        timeout_seconds: timeout,
        memory: marks::memory(spec.list("containers")?),
        labels,
        updated: ready.map_or(Ok(None), |ready| ready.string("lastTransitionTime"))?,
        without_default_url: marks::value(&annotations, DEFAULT_URL_OFF).is_some_and(is_true),
        open_to_all: marks::value(&annotations, INVOKER_CHECK_OFF).is_some_and(is_true),
        id,
    }))
}

/// The annotations of what v2 calls `defaultUriDisabled` and `invokerIamDisabled`.
///
/// <https://cloud.google.com/run/docs/securing/ingress>, <https://cloud.google.com/run/docs/authenticating/public>
const DEFAULT_URL_OFF: &str = "run.googleapis.com/default-url-disabled";
const INVOKER_CHECK_OFF: &str = "run.googleapis.com/invoker-iam-disabled";

fn is_true(value: &str) -> bool {
    value == "true"
}

/// Its namespace is the number of the project, where everybody else says the id.
fn id(name: Option<&str>, labels: &Pairs, project: &ProjectId) -> Option<FunctionId> {
    Some(FunctionId {
        project: project.clone(),
        region: Region::parse(marks::value(labels, LOCATION)?).ok()?,
        name: FunctionName::parse(name?).ok()?,
    })
}

/// The condition that the others come to. When it last changed is when gcloud says that a service was deployed.
fn ready<'v, 'a>(status: &'v Object<'a>) -> Read<Option<&'v Object<'a>>> {
    let mut conditions = status.list("conditions")?.iter().filter_map(Value::object);
    Ok(conditions.find(|condition| condition.get("type").is_some_and(|name| name.is("Ready"))))
}

/// Cloud Functions' word for it.
fn state(metadata: &Object<'_>, status: &Object<'_>, ready: Option<&Object<'_>>) -> Read<&'static str> {
    if metadata.text("deletionTimestamp")?.is_some() {
        return Ok("DELETING");
    }
    // Else the condition is about an earlier change.
    let generation = metadata.number("generation")?;
    if generation.is_some() && status.number("observedGeneration")? < generation {
        return Ok("DEPLOYING");
    }
    Ok(match ready.map_or(Ok(None), |ready| ready.text("status"))? {
        Some("True") => "ACTIVE",
        Some("False") => "FAILED",
        Some("Unknown") => "DEPLOYING",
        Some(_) | None => "UNKNOWN",
    })
}

/// The word of v2; one that is newer than this stands as it is.
fn ingress(word: &str) -> String {
    match word {
        "all" => "INGRESS_TRAFFIC_ALL",
        "internal" => "INGRESS_TRAFFIC_INTERNAL_ONLY",
        "internal-and-cloud-load-balancing" => "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
        "none" => "INGRESS_TRAFFIC_NONE",
        newer => newer,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use test_case::test_case;

    use super::*;
    use crate::{actions::functions::Trigger, base::json};

    /// A service behind a 2nd gen function, as gcloud printed it on 25 September 2026 (public snapshot of a project by
    /// its maintainer, "CLI snapshot", values replaced), with what `changes` says in its place.
    fn service(changes: serde_json::Value) -> serde_json::Value {
        let mut service = json!({
            "metadata": {
                "annotations": {
                    "cloudfunctions.googleapis.com/function-id": "hello",
                    "run.googleapis.com/build-base-image":
                        "us-central1-docker.pkg.dev/serverless-runtimes/google-22-full/runtimes/nodejs22",
                    "run.googleapis.com/build-environment-variables": "{\"GOOGLE_NODE_RUN_SCRIPTS\":\"\"}",
                    "run.googleapis.com/build-function-target": "hello",
                    "run.googleapis.com/ingress": "internal",
                    "run.googleapis.com/ingress-status": "all",
                },
                "generation": 2,
                "labels": {
                    "cloud.googleapis.com/location": "us-central1",
                    "goog-cloudfunctions-runtime": "nodejs22",
                    "goog-managed-by": "cloudfunctions",
                    "run.googleapis.com/satisfiesPzs": "true",
                    "team": "payments",
                },
                "name": "hello",
                "namespace": "123456789012",
            },
            "spec": {"template": {
                "metadata": {"annotations": {
                    "cloudfunctions.googleapis.com/trigger-type": "HTTP_TRIGGER",
                    "run.googleapis.com/base-images": "{\"worker\":\"x/runtimes/nodejs22\"}",
                }},
                "spec": {
                    "containers": [{"resources": {"limits": {"cpu": "1", "memory": "256Mi"}}}],
                    "serviceAccountName": "1-compute@developer.gserviceaccount.com",
                    "timeoutSeconds": 60,
                },
            }},
            "status": {
                "conditions": [
                    {"lastTransitionTime": "2026-09-23T04:47:14.404200Z", "status": "True", "type": "Ready"},
                    {"lastTransitionTime": "2026-09-23T04:47:08.367501Z", "status": "True", "type": "ConfigurationsReady"},
                ],
                "observedGeneration": 2,
                "url": "https://hello-yuquaflafa-uc.a.run.app",
            },
        });
        for (pointer, value) in changes.as_object().unwrap() {
            let (parent, name) = pointer.rsplit_once('|').unwrap();
            let parent = parent.split('|').fold(&mut service, |at, name| &mut at[name]);
            parent[name] = value.clone();
        }
        service
    }

    const MANAGED_BY: &str = "metadata|labels|goog-managed-by";
    const TARGET: &str = "metadata|annotations|run.googleapis.com/build-function-target";

    fn read_json(service: &serde_json::Value) -> Option<Function> {
        let project = ProjectId::parse("p-1234").unwrap();
        read(&json::read(service.to_string().as_bytes()).unwrap(), &project).unwrap()
    }

    /// The same service, detached: Cloud Functions leaves the label empty (firebase-tools, `src/gcp/runv2.ts`).
    fn detached(mut changes: serde_json::Value) -> Option<Function> {
        changes[MANAGED_BY] = json!("");
        read_json(&service(changes))
    }

    #[test]
    fn a_detached_function_is_one_of_cloud_run() {
        let function = detached(json!({})).unwrap();
        assert_eq!(function.id.to_string(), "projects/p-1234/locations/us-central1/functions/hello");
        assert_eq!((function.generation, function.trigger.clone()), (Generation::CloudRun, Trigger::Http));
        assert_eq!(function.state, "ACTIVE");
        assert_eq!(function.callable_url().unwrap().host(), "hello-yuquaflafa-uc.a.run.app");
        assert_eq!(function.runtime.as_deref(), Some("nodejs22"));
        assert_eq!(function.service_account.as_deref(), Some("1-compute@developer.gserviceaccount.com"));
        assert_eq!(function.ingress.as_deref(), Some("INGRESS_TRAFFIC_ALL"));
        assert_eq!((function.timeout_seconds, function.memory.as_deref()), (Some(60), Some("256Mi")));
        assert_eq!(function.updated.as_deref(), Some("2026-09-23T04:47:14.404200Z"));
        assert_eq!((function.service_name().as_str(), function.other_name), ("hello", None));
        let labels: Vec<_> = function.labels.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(labels, ["goog-cloudfunctions-runtime", "goog-managed-by", "team"], "as v2 has them");
    }

    #[test_case(json!({TARGET: "hello"}); "built from a function")]
    #[test_case(json!({TARGET: "{\"worker\":\"hello\"}"}); "built from one, by container")]
    #[test_case(json!({TARGET: "", "metadata|annotations|run.googleapis.com/function-target": "hello"}); "as an earlier gcloud wrote it")]
    #[test_case(json!({TARGET: null, "metadata|annotations": {},
        "spec|template|metadata|annotations|run.googleapis.com/build-function-target": "{\"worker\":\"hello\"}"}); "on the template alone")]
    #[test_case(json!({MANAGED_BY: "firebase-functions", "metadata|annotations": {}}); "deployed by firebase tools")]
    fn what_is_a_function(changes: serde_json::Value) {
        let mut changes = changes;
        if changes.get(MANAGED_BY).is_none() {
            changes[MANAGED_BY] = json!("");
        }
        if changes[TARGET].is_null() {
            changes.as_object_mut().unwrap().remove(TARGET);
        }
        assert!(read_json(&service(changes)).is_some());
    }

    #[test_case(json!({}); "made by cloud functions, which lists it")]
    #[test_case(json!({MANAGED_BY: "", TARGET: ""}); "an image of somebody's own")]
    #[test_case(json!({MANAGED_BY: "", TARGET: "{}"}); "built from nothing")]
    #[test_case(json!({MANAGED_BY: "", "metadata|labels|cloud.googleapis.com/location": "nowhere!"}); "nowhere")]
    #[test_case(json!({MANAGED_BY: "", "metadata|name": "a:b"}); "a name that is none")]
    #[test_case(json!({MANAGED_BY: "", "metadata|name": null}); "no name")]
    fn what_is_none(changes: serde_json::Value) {
        assert_eq!(read_json(&service(changes)), None);
    }

    /// <https://github.com/knative/specs/blob/main/specs/serving/knative-api-specification-1.0.md#error-signalling>
    #[test_case(json!({}), "ACTIVE")]
    #[test_case(json!({"metadata|generation": 3}), "DEPLOYING"; "changed since")]
    #[test_case(json!({"status|observedGeneration": null}), "DEPLOYING"; "not seen yet")]
    #[test_case(json!({"status|conditions": [{"type": "Ready", "status": "Unknown"}]}), "DEPLOYING"; "not known yet")]
    #[test_case(json!({"status|conditions": [{"type": "RoutesReady", "status": "True"}, {"type": "Ready", "status": "False"}]}), "FAILED")]
    #[test_case(json!({"status|conditions": []}), "UNKNOWN"; "no condition")]
    #[test_case(json!({"metadata|deletionTimestamp": "2026-09-23T04:47:14Z"}), "DELETING")]
    fn its_conditions_in_cloud_functions_words(changes: serde_json::Value, state: &str) {
        assert_eq!(detached(changes).unwrap().state, state);
    }

    /// Every word of <https://cloud.google.com/run/docs/securing/ingress>, and the enum of v2.
    #[test_case("all", "INGRESS_TRAFFIC_ALL")]
    #[test_case("internal", "INGRESS_TRAFFIC_INTERNAL_ONLY")]
    #[test_case("internal-and-cloud-load-balancing", "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER")]
    #[test_case("none", "INGRESS_TRAFFIC_NONE")]
    #[test_case("newer", "newer")]
    fn its_ingress_in_the_words_of_v2(word: &str, ingress: &str) {
        let of = |name: &str| {
            let changes = json!({"metadata|annotations": {name: word, TARGETS[0]: "f"}});
            detached(changes).unwrap().ingress
        };
        assert_eq!(of("run.googleapis.com/ingress-status").as_deref(), Some(ingress));
        assert_eq!(of("run.googleapis.com/ingress").as_deref(), Some(ingress));
    }

    /// The run v1 discovery document names the first one among the annotations of services, and `gcloud run services
    /// update --no-invoker-iam-check` writes the second; both are `true` or `false`, as text.
    #[test]
    fn a_service_says_if_it_has_no_url_or_asks_nobody_for_a_role() {
        let of = |name: &str, value: &str| {
            let changes = json!({"metadata|annotations": {name: value, TARGETS[0]: "f"}});
            detached(changes).map(|function| (function.without_default_url, function.open_to_all)).unwrap()
        };
        assert_eq!(of("run.googleapis.com/default-url-disabled", "true"), (true, false));
        assert_eq!(of("run.googleapis.com/invoker-iam-disabled", "true"), (false, true));
        for name in ["run.googleapis.com/default-url-disabled", "run.googleapis.com/invoker-iam-disabled"] {
            assert_eq!(of(name, "false"), (false, false));
            assert_eq!(of(name, ""), (false, false));
        }
    }

    #[test]
    fn little_is_enough_to_be_one() {
        let function = read_json(&json!({"metadata": {
            "name": "hello",
            "labels": {"cloud.googleapis.com/location": "us-central1"},
            "annotations": {"run.googleapis.com/build-function-target": "f"},
        }}))
        .unwrap();
        assert_eq!((function.state.as_str(), function.url, function.runtime), ("UNKNOWN", None, None));
        assert_eq!((function.trigger, function.updated, function.ingress), (Trigger::Other, None, None));
    }
}
