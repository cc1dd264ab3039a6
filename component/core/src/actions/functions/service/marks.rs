//! The marks on a service that tell whether it is a function, what starts it, and what else it was called.
//!
//! Labels and annotations are the same in both versions of the API, but for those that v2 has fields for.

use crate::{
    actions::functions::Trigger,
    base::json::{self, Object, Value},
    google::names::{FunctionId, FunctionName},
};

/// Labels or annotations, in the order of their names.
pub(super) type Pairs = [(String, String)];

/// The label with the product that made a service, and keeps it: Cloud Functions for its own, and firebase-tools for
/// what it deploys to Cloud Run without Cloud Functions. Detaching leaves it empty.
///
/// <https://github.com/firebase/firebase-tools/blob/master/src/gcp/runv2.ts>
const MANAGED_BY: &str = "goog-managed-by";

/// The runtime that Cloud Functions and firebase-tools label their services with.
const RUNTIME: &str = "goog-cloudfunctions-runtime";

/// `HTTP_TRIGGER`, or the type of the event, on the template of a service that Cloud Functions made.
const TRIGGER_TYPE: &str = "cloudfunctions.googleapis.com/trigger-type";

/// The name of the function, on a service that Cloud Functions made. It stays after `gcloud functions detach`.
const FUNCTION_ID: &str = "cloudfunctions.googleapis.com/function-id";

/// JSON with the name of the function, on a service that firebase-tools deployed.
const FIREBASE: &str = "firebase-functions-metadata";

/// The value of a label or annotation; an empty one says nothing.
pub(super) fn value<'a>(pairs: &'a Pairs, name: &str) -> Option<&'a str> {
    pairs.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
}

/// Tells if a service is a function that Cloud Functions does not list itself. `is_built` says whether it is built from
/// one.
pub(super) fn is_function(labels: &Pairs, is_built: bool) -> bool {
    match value(labels, MANAGED_BY) {
        Some("cloudfunctions") => false,
        // These bring their image along, so there is no build that could name the function.
        Some("firebase-functions") => true,
        Some(_) | None => is_built,
    }
}

/// The runtime, as a label says it.
pub(super) fn runtime(labels: &Pairs) -> Option<String> {
    value(labels, RUNTIME).map(str::to_owned)
}

/// The trigger, if Cloud Functions once made this service; `template` and `service` are annotations.
pub(super) fn trigger(template: &Pairs, service: &Pairs) -> Trigger {
    match value(template, TRIGGER_TYPE).or_else(|| value(service, TRIGGER_TYPE)) {
        Some("HTTP_TRIGGER") => Trigger::Http,
        Some(event) => Trigger::Event(event.to_owned()),
        None => Trigger::Other,
    }
}

/// The name that a function has besides that of its service: in Cloud Functions, until it was detached, or for
/// firebase-tools.
///
/// Only a name that leads to this service is one. Whoever deploys a service may write anything into an annotation, and
/// guard rails go by names.
pub(super) fn other_name(id: &FunctionId, service: &Pairs, template: &Pairs) -> Option<FunctionName> {
    let of_firebase = || {
        let json = value(service, FIREBASE)?;
        let name = json::read(json.as_bytes()).ok()?.get("functionId")?.text()?.to_owned();
        Some(name)
    };
    let name = value(service, FUNCTION_ID).or_else(|| value(template, FUNCTION_ID)).map(str::to_owned);
    let name = FunctionName::parse(&name.or_else(of_firebase)?).ok()?;
    let other = FunctionId { name, ..id.clone() };
    (other.name != id.name && other.service_name() == id.name.as_str()).then_some(other.name)
}

/// `nodejs22` of `…/serverless-runtimes/google-22-full/runtimes/nodejs22`; any other image says nothing about one.
pub(super) fn runtime_of(image: &str) -> Option<String> {
    let (_, runtime) = image.rsplit_once("/runtimes/")?;
    let runtime = runtime.split([':', '@']).next()?;
    let plain = !runtime.is_empty() && runtime.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    plain.then(|| runtime.to_owned())
}

/// The memory of the first of these containers that has a limit: the others are beside the function.
pub(super) fn memory(containers: &[Value<'_>]) -> Option<String> {
    let limit = |container: &Value<'_>| {
        let limits = container.object()?.object("resources").ok()??.object("limits").ok()??;
        limits.get("memory")?.text().map(str::to_owned)
    };
    containers.iter().find_map(limit)
}

/// The first value of a map in an annotation, such as `{"worker":"hello"}`; what is no map is its own value.
pub(super) fn first(text: &str) -> Option<String> {
    let of_map = |map: &Object<'_>| {
        let first = map.fields().find_map(|(_, value)| value.text().filter(|value| !value.is_empty()));
        first.map(str::to_owned)
    };
    match json::read(text.as_bytes()) {
        Ok(map) => of_map(&map),
        Err(_) => Some(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use test_case::test_case;

    use super::*;
    use crate::google::names::{ProjectId, Region};

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn service(name: &str) -> FunctionId {
        FunctionId {
            project: ProjectId::parse("p-1234").unwrap(),
            region: Region::parse("europe-west1").unwrap(),
            name: FunctionName::parse(name).unwrap(),
        }
    }

    /// The values of firebase-tools (`src/gcp/runv2.ts`): `cloudfunctions` in 2nd gen, empty after detaching, and
    /// `firebase-functions` of its own.
    #[test_case("cloudfunctions", true, false)]
    #[test_case("cloudfunctions", false, false)]
    #[test_case("firebase-functions", false, true)]
    #[test_case("firebase-functions", true, true)]
    #[test_case("", true, true; "detached")]
    #[test_case("", false, false; "an image of somebody's own")]
    #[test_case("my-own-tool", true, true)]
    #[test_case("my-own-tool", false, false)]
    fn who_manages_it_and_what_it_is_built_from_make_it_a_function(by: &str, is_built: bool, is: bool) {
        assert_eq!(is_function(&pairs(&[(MANAGED_BY, by)]), is_built), is);
        assert_eq!(is_function(&[], is_built), is_built);
    }

    #[test]
    fn the_trigger_stands_on_the_template() {
        let of = |text: &str| trigger(&pairs(&[(TRIGGER_TYPE, text)]), &[]);
        assert_eq!(of("HTTP_TRIGGER"), Trigger::Http);
        let event = "google.cloud.pubsub.topic.v1.messagePublished";
        assert_eq!(of(event), Trigger::Event(event.to_owned()));
        assert_eq!((of(""), trigger(&[], &[])), (Trigger::Other, Trigger::Other));
        assert_eq!(trigger(&[], &pairs(&[(TRIGGER_TYPE, "HTTP_TRIGGER")])), Trigger::Http);
    }

    #[test]
    fn the_other_name_leads_to_the_service() {
        let of = |service_name: &str, annotations: &[(&str, &str)]| {
            let annotations = pairs(annotations);
            let name = other_name(&service(service_name), &annotations, &[]);
            assert_eq!(name, other_name(&service(service_name), &[], &annotations).or(name.clone()));
            name.map(|name| name.as_str().to_owned())
        };
        assert_eq!(of("ejectrequest", &[(FUNCTION_ID, "ejectRequest")]).as_deref(), Some("ejectRequest"));
        assert_eq!(of("my-job", &[(FUNCTION_ID, "my_Job")]).as_deref(), Some("my_Job"));
        assert_eq!(
            of("ejectrequest", &[(FIREBASE, r#"{"functionId":"ejectRequest"}"#)]).as_deref(),
            Some("ejectRequest")
        );
        for nothing_else in [
            &[][..],
            &[(FUNCTION_ID, "")],
            &[(FUNCTION_ID, "ejectrequest")],
            &[(FUNCTION_ID, "somebodyElse")],
            &[(FUNCTION_ID, "no name")],
            &[(FIREBASE, "{}")],
            &[(FIREBASE, "not JSON")],
            &[(FIREBASE, r#"{"functionId":1}"#)],
            &[(FIREBASE, r#"{"functionId":"somebodyElse"}"#)],
        ] {
            assert_eq!(of("ejectrequest", nothing_else), None, "{nothing_else:?}");
        }
    }

    #[test]
    fn a_runtime_is_read_from_a_runtimes_image_only() {
        let of = |image: &str| runtime_of(image);
        assert_eq!(of("x/google-22/runtimes/python312:latest").as_deref(), Some("python312"));
        assert_eq!(of("x/google-22/runtimes/go122@sha256:00").as_deref(), Some("go122"));
        for other in ["nodejs22", "docker.io/library/node", "x/runtimes/", "x/runtimes/a/b", ""] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn a_map_of_containers_is_its_first_value() {
        let of = |text: &str| first(text);
        assert_eq!(of("ejectRequest").as_deref(), Some("ejectRequest"));
        assert_eq!(of(r#"{"worker":"ejectRequest"}"#).as_deref(), Some("ejectRequest"));
        assert_eq!(of(r#"{"proxy":"","worker":"f"}"#).as_deref(), Some("f"));
        assert_eq!((of("{}"), of(r#"{"worker":""}"#)), (None, None));
    }
}
