//! What the connector can do, as data: forms, policies and limits are drawn from it.
//!
//! It is a file, `catalog.json`, that people can read too; the tests below hold it against the code.

/// The catalog, as `wit/catalog.wit` describes it.
#[must_use]
pub fn describe() -> &'static str {
    include_str!(concat!(env!("OUT_DIR"), "/catalog.json"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        call::{MAX_REPEATS, deadlines},
        names::DEFAULT_REGION,
        oauth::SCOPES,
        target::{Api, KEYS_HOST, MAX_API_RESPONSE, MAX_FUNCTION_RESPONSE, STS_HOST, TOKEN_HOST},
    };

    fn catalog() -> Value {
        serde_json::from_str(describe()).unwrap()
    }

    #[test]
    fn exactly_the_hosts_that_a_request_can_go_to_are_in_the_manifest() {
        let catalog = catalog();
        let mut hosts: Vec<_> =
            Api::ALL.map(|api| json!({"host": api.host(), "carries": ["access-token"]})).into();
        for (host, carries) in [(TOKEN_HOST, "assertion"), (STS_HOST, "assertion"), (KEYS_HOST, "none")] {
            hosts.push(json!({"host": host, "carries": [carries]}));
        }
        hosts.push(json!({"host-suffix": ".run.app", "labels": [2, 2], "carries": ["id-token", "none"]}));
        hosts.push(
            json!({"host-suffix": ".cloudfunctions.net", "labels": [1, 1], "carries": ["id-token", "none"]}),
        );
        assert_eq!(catalog["egress"], json!(hosts));
        assert_eq!(
            catalog["apis"],
            json!(Api::CUSTOM.map(|api| json!({"name": api.name(), "host": api.host()})))
        );
        let custom = &catalog["actions"].as_array().unwrap();
        let custom = custom.iter().find(|action| action["name"] == "api.custom-api").unwrap();
        assert_eq!(custom["input"]["properties"]["api"]["enum"], json!(Api::CUSTOM.map(Api::name)));
    }

    #[test]
    fn figures_are_those_of_the_code() {
        let catalog = catalog();
        assert_eq!(catalog["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(catalog["scopes"], json!(SCOPES));
        assert_eq!(catalog["connection"]["properties"]["region"]["default"], DEFAULT_REGION);
        let limits = &catalog["limits"];
        assert_eq!(limits["api-response-bytes"], MAX_API_RESPONSE);
        assert_eq!(limits["function-response-bytes"], MAX_FUNCTION_RESPONSE);
        assert_eq!(limits["repeats"], MAX_REPEATS);
        assert_eq!(
            limits["deadline-ms"]["default"],
            json!(u64::try_from(deadlines::API.as_millis()).unwrap())
        );
        assert_eq!(
            limits["deadline-ms"]["invoke"],
            json!(u64::try_from(deadlines::INVOKE.as_millis()).unwrap())
        );
        assert_eq!(limits["deadline-ms"]["max"], json!(u64::try_from(deadlines::MAX.as_millis()).unwrap()));
    }

    #[test]
    fn actions_say_what_they_do_to_the_world() {
        let catalog = catalog();
        let effects = |name: &str| {
            let actions = catalog["actions"].as_array().unwrap();
            actions.iter().find(|action| action["name"] == name).unwrap()["effects"].clone()
        };
        assert_eq!(effects("functions.list")["read-only"], true);
        assert_eq!(effects("functions.invoke")["destructive"], true);
        assert_eq!(effects("api.custom-api")["open-world"], true);
        assert_eq!(effects("connections.check")["read-only"], true);
        assert_eq!(effects("connections.reauthorize")["destructive"], true);
        assert_eq!(effects("connections.rename")["idempotent"], true);
    }

    #[test]
    fn the_form_offers_every_kind_of_credential() {
        let catalog = catalog();
        let form = &catalog["connection"]["properties"];
        let kinds: Vec<_> = form["credential"]["oneOf"]
            .as_array()
            .unwrap()
            .iter()
            .map(|kind| kind["required"][0].as_str().unwrap())
            .collect();
        assert_eq!(kinds, ["google-json", "client", "stored-key", "supplied-token", "injected-token"]);
        let sign_in = form["credential"]["oneOf"][1].clone();
        let authorize = catalog["actions"]
            .as_array()
            .unwrap()
            .iter()
            .find(|action| action["name"] == sign_in["x-action"]);
        let input = authorize.unwrap()["input"]["properties"].as_object().unwrap();
        for field in sign_in["properties"].as_object().unwrap().keys().chain([&"invoker".to_owned()]) {
            assert!(input.contains_key(field), "{field}");
        }
        assert_eq!(form["subject-token"]["default"], "supplied/subject-token");
    }

    #[test]
    fn what_is_secret_is_marked_so() {
        fn walk(value: &Value, marked: &mut Vec<String>, plain: &mut Vec<String>) {
            for (name, value) in value.as_object().into_iter().flatten() {
                if value["x-secret"] == true {
                    marked.push(name.clone());
                } else if value["contentMediaType"].is_string() {
                    plain.push(name.clone());
                }
                walk(value, marked, plain);
            }
            value.as_array().into_iter().flatten().for_each(|value| walk(value, marked, plain));
        }
        let (mut marked, mut plain) = (Vec::new(), Vec::new());
        walk(&catalog(), &mut marked, &mut plain);
        assert!(plain.is_empty(), "{plain:?}");
        for name in ["credential", "google-json", "client", "authorization", "callback-url"] {
            assert!(marked.iter().any(|marked| marked == name), "{name}");
        }
    }
}
