//! A project, as Google keeps it.

use serde_json::{Value, json};

use crate::{filled::lay, table::Table};

/// A project: what is in it, and who may do what.
#[derive(Debug, Clone)]
pub struct Project {
    /// The id.
    pub id: String,
    /// The number.
    pub number: String,
    /// The regions of Cloud Functions, and their names.
    pub regions: Vec<(String, String)>,
    /// The regions that Cloud Run has and Cloud Functions has not.
    pub regions_of_run: Vec<(String, String)>,
    /// The functions, as Cloud Functions v2 has them, in full.
    pub functions: Vec<Value>,
    /// The services, as Cloud Run v2 has them, in full.
    pub services: Vec<Value>,
    /// Regions that do not answer.
    pub silent: Vec<String>,
    /// Member, permission, and the end of the resource's name; an empty end is that of each.
    pub grants: Vec<(String, String, String)>,
    /// The OAuth client.
    pub client: Option<Client>,
    /// The refresh tokens: the token, the user's address, its scopes.
    pub refresh_tokens: Vec<(String, String, String)>,
    /// The text of every access token. Google's differ from each other; tests look for this one.
    pub access_token: String,
    /// Functions on a page, at most.
    pub page: usize,
}

/// An OAuth client.
#[derive(Debug, Clone)]
pub struct Client {
    /// The client id.
    pub id: String,
    /// The client secret.
    pub secret: String,
}

impl Project {
    /// An empty project, whose access tokens are this text.
    #[must_use]
    pub fn new(id: &str, access_token: &str) -> Self {
        let iowa = [("us-central1".to_owned(), "Iowa".to_owned())];
        Self {
            id: id.to_owned(),
            number: "123456789012".to_owned(),
            regions: iowa.to_vec(),
            regions_of_run: Vec::new(),
            functions: Vec::new(),
            services: Vec::new(),
            silent: Vec::new(),
            grants: Vec::new(),
            client: None,
            refresh_tokens: Vec::new(),
            access_token: access_token.to_owned(),
            page: 1000,
        }
    }

    /// Adds a region.
    #[must_use]
    pub fn region(mut self, id: &str, name: &str) -> Self {
        self.regions.push((id.to_owned(), name.to_owned()));
        self
    }

    /// Adds a function: every field that Cloud Functions v2 has, and what is given over it; `null` takes a
    /// field away.
    #[must_use]
    pub fn with_function(mut self, region: &str, name: &str, given: &Value) -> Self {
        let shape = json!("cloudfunctions.v2/Function");
        let mut function = Table::google().filled(&shape, self.functions.len());
        let resource = format!("projects/{}/locations/{region}/functions/{name}", self.id);
        lay(&json!({"name": resource, "state": "ACTIVE"}), &mut function);
        lay(given, &mut function);
        Table::google()
            .check("the function", &function, &shape)
            .expect("a function of the tests is one of Google's");
        self.functions.push(function);
        self
    }

    /// Adds a service of Cloud Run, as [`with_function`](Self::with_function) does.
    #[must_use]
    pub fn with_service(mut self, region: &str, name: &str, given: &Value) -> Self {
        let shape = json!("run.v2/GoogleCloudRunV2Service");
        let mut service = Table::google().filled(&shape, self.services.len());
        let resource = format!("projects/{}/locations/{region}/services/{name}", self.id);
        lay(&json!({"name": resource, "terminalCondition": {"state": "CONDITION_SUCCEEDED"}}), &mut service);
        lay(given, &mut service);
        Table::google()
            .check("the service", &service, &shape)
            .expect("a service of the tests is one of Google's");
        self.services.push(service);
        self
    }

    /// Grants permissions on the resources whose name ends like this.
    #[must_use]
    pub fn grant(mut self, member: &str, permissions: &[&str], end: &str) -> Self {
        let each = permissions
            .iter()
            .map(|permission| (member.to_owned(), (*permission).to_owned(), end.to_owned()));
        self.grants.extend(each);
        self
    }

    /// Grants what a viewer of functions may do, and an invoker:
    /// `roles/cloudfunctions.viewer`, `roles/run.invoker`, `roles/cloudfunctions.invoker`.
    #[must_use]
    pub fn viewer_and_invoker(self, member: &str) -> Self {
        let viewer = [
            "cloudfunctions.functions.get",
            "cloudfunctions.functions.list",
            "cloudfunctions.locations.list",
            "run.locations.list",
            "run.services.get",
            "run.services.list",
        ];
        self.grant(member, &viewer, "").grant(
            member,
            &["run.routes.invoke", "cloudfunctions.functions.invoke"],
            "",
        )
    }

    pub(crate) fn may(&self, member: &str, permission: &str, resource: &str) -> bool {
        let granted = |(who, what, end): &(String, String, String)| {
            (who == member || who == "allUsers") && what == permission && resource.ends_with(end.as_str())
        };
        self.grants.iter().any(granted)
    }

    /// A service in the shape of Knative, which Cloud Run v1 has: annotations in place of fields, as in
    /// `gcloud run services describe`.
    pub(crate) fn knative(&self, service: &Value) -> Value {
        let shape = json!("run.v1/Service");
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let name = service["name"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        let region = service["name"].as_str().unwrap_or_default().split('/').nth(3).unwrap_or_default();
        let mut labels = service["labels"].clone();
        lay(&json!({"cloud.googleapis.com/location": region}), &mut labels);
        let ingress = match service["ingress"].as_str() {
            Some("INGRESS_TRAFFIC_INTERNAL_ONLY") => "internal",
            Some("INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER") => "internal-and-cloud-load-balancing",
            Some(_) | None => "all",
        };
        let mut annotations = service["annotations"].clone();
        let mut annotate = |name: &str, value: Option<String>| {
            lay(&json!({name: value}), &mut annotations);
        };
        let build = &service["buildConfig"];
        annotate("run.googleapis.com/build-function-target", text(&build["functionTarget"]));
        annotate("run.googleapis.com/build-base-image", text(&build["baseImage"]));
        annotate("run.googleapis.com/build-source-location", text(&build["sourceLocation"]));
        annotate("run.googleapis.com/ingress", Some(ingress.to_owned()));
        annotate("run.googleapis.com/client-name", text(&service["client"]));
        annotate("serving.knative.dev/lastModifier", text(&service["lastModifier"]));
        let off = |name: &str| (service[name] == true).then(|| "true".to_owned());
        annotate("run.googleapis.com/invoker-iam-disabled", off("invokerIamDisabled"));
        annotate("run.googleapis.com/default-url-disabled", off("defaultUriDisabled"));
        for (name, list) in [("urls", &service["urls"]), ("custom-audiences", &service["customAudiences"])] {
            annotate(&format!("run.googleapis.com/{name}"), list.is_array().then(|| list.to_string()));
        }
        let ready =
            if service["terminalCondition"]["state"] == "CONDITION_SUCCEEDED" { "True" } else { "False" };
        let mut knative = Table::google().filled(&shape, 0);
        let template = json!({"metadata": {"annotations": service["template"]["annotations"], "labels": service["template"]["labels"]},
            "spec": {"serviceAccountName": service["template"]["serviceAccount"], "timeoutSeconds": 60}});
        lay(
            &json!({"apiVersion": "serving.knative.dev/v1", "kind": "Service",
                "metadata": {"name": name, "namespace": self.number, "labels": labels, "annotations": annotations,
                    "creationTimestamp": service["createTime"]},
                "spec": {"template": template},
                "status": {"url": service["uri"], "address": {"url": service["uri"]},
                    "conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": service["updateTime"]}]}}),
            &mut knative,
        );
        knative
    }
}
