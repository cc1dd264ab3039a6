//! What is asked of the core without a sandbox.

use std::collections::BTreeMap;

use gcf_core::{
    actions::{
        connections,
        functions::{Function, Generation, Trigger, invoke, list},
    },
    base::secret::Secret,
    google::{
        request::{body::Body, grammar::Query},
        which::FunctionRef as Which,
    },
    sign_in::credential::CredentialRequest,
};
use serde::Serialize;

use crate::{
    google::{FUNCTION, KEY},
    peers::{Native, OnStage},
};

/// A connection of the core's own.
pub(crate) async fn connect(native: &Native) -> String {
    let request = connections::ConnectRequest {
        nickname: "bench".to_owned(),
        project: None,
        quota_project: None,
        region: None,
        credential: CredentialRequest::GoogleJson(Secret::new(KEY.to_owned())),
        subject_token: None,
        invoker: None,
        guard_rails: None,
    };
    connections::connect(&OnStage::live(native), request, None).await.expect("a connection").0.id
}

/// Lists by pages of this size.
pub(crate) async fn list_all(stage: &OnStage<'_>, connection: &str, size: u32) -> Vec<Function> {
    let request = list::ListRequest { page_size: Some(size), ..list::ListRequest::default() };
    list::list(stage, connection, request, None).await.expect("a list").functions
}

/// A function as `gcf list --json` writes it.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Json<'a> {
    name: String,
    region: String,
    project: String,
    generation: &'static str,
    trigger: &'a str,
    state: &'a str,
    url: Option<&'a str>,
    runtime: Option<&'a str>,
    service_account: Option<&'a str>,
    ingress: Option<&'a str>,
    timeout_seconds: Option<u32>,
    memory: Option<&'a str>,
    labels: BTreeMap<&'a str, &'a str>,
    updated: Option<&'a str>,
}

impl<'a> Json<'a> {
    pub(crate) fn of(function: &'a Function) -> Self {
        Self {
            name: function.id.name.to_string(),
            region: function.id.region.to_string(),
            project: function.id.project.to_string(),
            generation: match function.generation {
                Generation::Gen1 => "gen1",
                Generation::Gen2 => "gen2",
                Generation::CloudRun => "cloud-run",
                Generation::Other => "other",
            },
            trigger: match &function.trigger {
                Trigger::Http => "http",
                Trigger::Event(kind) => kind,
                Trigger::Other => "other",
            },
            state: &function.state,
            url: function.url.as_deref(),
            runtime: function.runtime.as_deref(),
            service_account: function.service_account.as_deref(),
            ingress: function.ingress.as_deref(),
            timeout_seconds: function.timeout_seconds,
            memory: function.memory.as_deref(),
            labels: function.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
            updated: function.updated.as_deref(),
        }
    }
}

/// An invocation by URL.
pub(crate) fn invocation(path: &str, text: String) -> invoke::InvokeRequest {
    invoke::InvokeRequest {
        function: Which::Url(format!("https://{FUNCTION}{path}")),
        method: "POST".to_owned(),
        path: String::new(),
        query: Query::None,
        headers: Vec::new(),
        body: Some(Body::Text(text)),
        auth: invoke::Auth::IdToken,
        invoker: None,
        audience: None,
        authorization: None,
        serverless_authorization: false,
        idempotent: false,
        raise_for_status: false,
    }
}
