//! The bound that the operator of a host sets to a component.

use super::{
    Carries, EgressPolicy,
    manifest::{self, Rule},
};

/// The manifest of the connector's release, as it is built from this repository. A test of the whole compares
/// it with what the built component declares.
const SHIPPING: &str = include_str!("shipping.json");

impl EgressPolicy {
    /// The manifest of the connector that belongs to this host: the bound of every component where the
    /// operator of the host has not said another one.
    ///
    /// # Panics
    /// Never: it is a constant, and tested.
    #[must_use]
    pub fn shipping() -> Self {
        let manifest = serde_json::from_str(SHIPPING).expect("the manifest of the release is JSON");
        Self::from_manifest(&manifest).expect("the manifest of the release is a manifest")
    }

    /// Narrows this manifest by `allowed`: a request has to keep to both.
    #[must_use]
    pub fn within(self, allowed: Self) -> Self {
        Self { allowed: Some(allowed.rules), ..self }
    }

    /// The parts of this manifest that go beyond another one, in words. To send nothing secret to a known
    /// host never does.
    pub(crate) fn beyond(&self, known: &Self) -> Vec<String> {
        self.rules.iter().filter_map(|rule| beyond(rule, &known.rules)).collect()
    }

    /// The operator's rule for a host, if the operator has set any.
    pub(super) fn bound(&self, host: &str) -> Result<Option<&Rule>, String> {
        let Some(allowed) = &self.allowed else { return Ok(None) };
        let rule = allowed.iter().find(|rule| rule.matches(host));
        rule.map(Some).ok_or_else(|| format!("host {host} is not one that the operator of this host allows"))
    }
}

fn beyond(rule: &Rule, known: &[Rule]) -> Option<String> {
    let Some(known) = known.iter().find(|known| known.covers(rule)) else {
        return Some(rule.to_string());
    };
    let more: Vec<_> = rule
        .kinds()
        .iter()
        .filter(|kind| **kind != Carries::None && !known.carries(**kind))
        .map(|kind| manifest::name(*kind))
        .collect();
    (!more.is_empty()).then(|| format!("{} with {}", rule.target_name(), more.join(", ")))
}

#[cfg(test)]
mod tests {
    use http::Request;
    use serde_json::{Value, json};

    use super::*;

    const ID_TOKEN: &str = "Bearer eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJjYW5hcnkifQ.Y2FuYXJ5";
    const ACCESS_TOKEN: &str = "Bearer ya29.canary";

    fn manifest(rules: &Value) -> EgressPolicy {
        EgressPolicy::from_manifest(rules).unwrap()
    }

    #[test]
    fn what_goes_beyond_the_release_is_named() {
        let table = [
            (json!({"host": "evil.example", "carries": ["access-token"]}), "evil.example with access-token"),
            (json!({"host": "evil.example", "carries": ["none"]}), "evil.example with none"),
            (
                json!({"host": "storage.googleapis.com", "carries": ["access-token"]}),
                "storage.googleapis.com with access-token",
            ),
            (
                json!({"host": "accounts.google.com", "carries": ["assertion"]}),
                "accounts.google.com with assertion",
            ),
            (
                json!({"host": "run.googleapis.com", "carries": ["access-token", "id-token"]}),
                "run.googleapis.com with id-token",
            ),
            (
                json!({"host": "run.googleapis.com", "carries": ["assertion"]}),
                "run.googleapis.com with assertion",
            ),
            (
                json!({"host": "www.googleapis.com", "carries": ["access-token"]}),
                "www.googleapis.com with access-token",
            ),
            (
                json!({"host": "sts.googleapis.com", "carries": ["access-token"]}),
                "sts.googleapis.com with access-token",
            ),
            (
                json!({"host-suffix": ".run.app", "labels": [1, 2], "carries": ["id-token"]}),
                ".run.app with id-token",
            ),
            (
                json!({"host-suffix": ".cloudfunctions.net", "labels": [1, 2], "carries": ["none"]}),
                ".cloudfunctions.net with none",
            ),
            (json!({"host": "short.run.app", "carries": ["id-token"]}), "short.run.app with id-token"),
        ];
        for (rule, expected) in table {
            assert_eq!(manifest(&json!([rule])).beyond(&EgressPolicy::shipping()), [expected]);
        }
    }

    #[test]
    fn what_the_release_declares_and_less_is_not_beyond_it() {
        let shipping = EgressPolicy::shipping();
        assert_eq!(shipping.beyond(&shipping), <[String; 0]>::default());
        for rule in [
            json!({"host": "run.googleapis.com", "carries": ["access-token"]}),
            json!({"host": "run.googleapis.com", "carries": ["none"]}),
            json!({"host": "fn-abcdef-uc.a.run.app", "carries": ["id-token"]}),
            json!({"host-suffix": ".run.app", "labels": [2, 2], "carries": ["none"]}),
        ] {
            assert!(manifest(&json!([rule])).beyond(&shipping).is_empty(), "{rule}");
        }
        assert!(manifest(&json!([])).beyond(&shipping).is_empty());
    }

    /// Hosts and kinds of tokens, each alone.
    #[test]
    fn the_operator_allows_less_than_the_manifest() {
        let policy = EgressPolicy::shipping().within(manifest(&json!([
            {"host": "cloudfunctions.googleapis.com", "carries": ["access-token"]},
            {"host": "oauth2.googleapis.com", "carries": ["assertion"]},
            {"host": "run.googleapis.com", "carries": ["none"]},
            {"host": "hello-abcdef-uc.a.run.app", "carries": ["id-token"]},
            {"host": "evil.example", "carries": ["access-token", "none"]},
        ])));
        let table = [
            ("https://cloudfunctions.googleapis.com/v2", Some(ACCESS_TOKEN), None),
            ("https://oauth2.googleapis.com/token", None, None),
            ("https://hello-abcdef-uc.a.run.app/", Some(ID_TOKEN), None),
            ("https://hello-abcdef-uc.a.run.app/", None, Some("the operator of this host does not allow it")),
            (
                "https://other-abcdef-uc.a.run.app/",
                Some(ID_TOKEN),
                Some("not one that the operator of this host allows"),
            ),
            (
                "https://run.googleapis.com/v2",
                Some(ACCESS_TOKEN),
                Some("the operator of this host does not allow it"),
            ),
            ("https://logging.googleapis.com/v2", Some(ACCESS_TOKEN), Some("not one that the operator")),
            ("https://sts.googleapis.com/v1/token", None, Some("not one that the operator")),
            // A request that the operator allows and the manifest does not is not the component's to send.
            ("https://evil.example/", Some(ACCESS_TOKEN), Some("not in the component's egress manifest")),
            ("https://evil.example/", None, Some("not in the component's egress manifest")),
            ("https://run.googleapis.com/v2", None, Some("by the component's egress manifest")),
        ];
        for (uri, authorization, denied) in table {
            let mut request = Request::builder().uri(uri);
            if let Some(value) = authorization {
                request = request.header("authorization", value);
            }
            let (parts, ()) = request.body(()).unwrap().into_parts();
            match (policy.check(&parts), denied) {
                (Ok(()), None) => {}
                (Err(error), Some(reason)) => assert!(error.contains(reason), "{uri}: {error}"),
                (outcome, _) => panic!("{uri}: {outcome:?}"),
            }
            // No token is added where none may go.
            let lacks = policy.lacks_access_token(&parts).is_some();
            assert!(!lacks || uri.starts_with("https://cloudfunctions."), "{uri}");
        }
    }

    #[test]
    fn a_host_adds_its_token_where_the_operator_allows_it() {
        let asked = |policy: &EgressPolicy| {
            let request = Request::get("https://run.googleapis.com/v2").body(()).unwrap();
            policy.lacks_access_token(&request.into_parts().0).is_some()
        };
        let shipping = EgressPolicy::shipping();
        assert!(asked(&shipping));
        for (rules, added) in [
            (json!([{"host": "run.googleapis.com", "carries": ["access-token"]}]), true),
            (json!([{"host": "run.googleapis.com", "carries": ["id-token"]}]), false),
            (json!([{"host": "logging.googleapis.com", "carries": ["access-token"]}]), false),
            (json!([]), false),
        ] {
            assert_eq!(asked(&shipping.clone().within(manifest(&rules))), added, "{rules}");
        }
    }
}
