//! The lines of a check about one function.

use super::{Doctor, Finding, OF_FUNCTION, Verdict, fail, pass, unknown};
use crate::{
    actions::functions::{Generation, Trigger, find, invoke::default_url_on, is_open_to_all},
    base::{
        error::{Error, Kind, Origin, Result},
        json::{self, Object, Value},
        ports::Ports,
        purpose::Purpose,
        retry::Class,
    },
    google::{
        bearer::AccessToken,
        hosts::Api,
        names::FunctionId,
        refusal::{
            self,
            api::{Attempted, Resource},
        },
        request::{self, grammar::PathAndQuery},
        which::Lookup,
    },
    sign_in::invoker::Invoker,
};

impl<P: Ports> Doctor<'_, P> {
    pub(super) async fn function(&mut self, lookup: &Lookup) {
        let function = match find(self.call, self.session, lookup).await {
            Ok(function) => function,
            Err(error) if error.kind() == Kind::MissingRole => return self.unseen(lookup, &error).await,
            Err(error) => {
                self.fail(OF_FUNCTION[0], &error);
                self.not_tried(&OF_FUNCTION[1..], "without the function");
                return;
            }
        };
        self.pass("exists", format!("{} is there", function.resource_name()));
        match (&function.trigger, function.callable_url()) {
            (Trigger::Http | Trigger::Other, Some(url)) => {
                self.pass("http", format!("it is called at https://{}{}", url.host(), url.base()))
            }
            (Trigger::Http | Trigger::Other, None) if function.without_default_url => {
                self.findings.push(Finding {
                    name: "http",
                    verdict: Verdict::Fail,
                    message: "it has no URL to call: its default URL is switched off".to_owned(),
                    fix: Some(default_url_on(&function)),
                    link: None,
                });
            }
            (Trigger::Http | Trigger::Other, None) => {
                self.add("http", Verdict::Fail, "it has no URL to call")
            }
            (Trigger::Event(event), _) => {
                self.add(
                    "http",
                    Verdict::Fail,
                    &format!("it is started by events ({event}), not by requests"),
                );
            }
        }
        if function.state == "ACTIVE" {
            self.pass("active", "it is ACTIVE".to_owned());
        } else {
            self.findings.push(Finding {
                name: "active",
                verdict: Verdict::Fail,
                message: format!("it is {}", function.state),
                fix: Some(
                    "wait if it is being deployed; otherwise its build and its logs say why".to_owned(),
                ),
                link: None,
            });
        }
        let service = function.service_name();
        let finding = if function.open_to_all {
            // Google answers that nobody has the permission then, and lets everybody in.
            self.forbidden_here(&function.id).unwrap_or_else(open_to_all)
        } else {
            let finding = self.may_invoke(&function.id, function.generation, &service).await;
            // Cloud Functions does not say so of a function, but Cloud Run says it of the service behind it.
            let may_be_open = finding.verdict == Verdict::Fail
                && function.generation == Generation::Gen2
                && self.forbidden_here(&function.id).is_none();
            if may_be_open && self.is_open_to_all(&function.id, &service).await {
                open_to_all()
            } else {
                finding
            }
        };
        self.findings.push(finding);
    }

    /// The guard rail that forbids to invoke it, whatever Google says.
    fn forbidden_here(&self, id: &FunctionId) -> Option<Finding> {
        let forbidden = self.session.guard_rails.allows_name(Some(id.name.as_str())).err();
        forbidden.map(|error| fail(OF_FUNCTION[3], &error))
    }

    /// Whoever may invoke and nothing else cannot see the function, and can ask whether they may.
    async fn unseen(&mut self, lookup: &Lookup, error: &Error) {
        self.findings.push(Finding { verdict: Verdict::Unknown, ..fail(OF_FUNCTION[0], error) });
        self.not_tried(&OF_FUNCTION[1..3], "without the function");
        let id = match lookup {
            Lookup::Exact(id) => id.clone(),
            Lookup::Bare(name) => FunctionId {
                project: self.session.project.clone(),
                region: self.session.region.clone(),
                name: name.clone(),
            },
        };
        let service = id.service_name();
        let mut finding = self.may_invoke(&id, Generation::Gen2, &service).await;
        if finding.verdict != Verdict::Pass {
            let other = self.may_invoke(&id, Generation::Gen1, &service).await;
            if other.verdict == Verdict::Pass || finding.verdict == Verdict::Unknown {
                finding = other;
            }
        }
        self.findings.push(finding);
    }

    async fn may_invoke(&self, id: &FunctionId, generation: Generation, service: &str) -> Finding {
        let name = OF_FUNCTION[3];
        if let Some(forbidden) = self.forbidden_here(id) {
            return forbidden;
        }
        let identity = &self.session.identity;
        let account = match self.session.invoker(None) {
            Ok(Invoker::ServiceAccount { chain, .. }) => chain.account.as_str().to_owned(),
            Ok(Invoker::Own | Invoker::User) => identity.principal().to_owned(),
            Err(error) => return fail(name, &error),
        };
        let (permission, api, path, resource) = match generation {
            Generation::Gen1 => (
                "cloudfunctions.functions.invoke",
                Api::Functions,
                format!("/v1/{}", id.path()),
                Resource::Function(id),
            ),
            // What is called is the Cloud Run service behind it.
            Generation::Gen2 | Generation::CloudRun | Generation::Other => (
                "run.routes.invoke",
                Api::Run,
                format!("/v2/projects/{}/locations/{}/services/{service}", id.project.segment(), id.region),
                Resource::Service(id, service),
            ),
        };
        let action = format!("ask whether {account} may invoke {}", id.name);
        let attempted = Attempted {
            action: &action,
            project: self.session.project.as_str(),
            account: &account,
            permission,
            resource,
        };
        // The question is answered about who asks.
        let token = match self.session.token_of(self.call, &account).await {
            Ok(token) => token,
            Err(error) => {
                return Finding {
                    name,
                    verdict: Verdict::Unknown,
                    message: format!(
                        "only {account} can be told whether it may, and this connection cannot act as it: {}",
                        error.fields().message
                    ),
                    fix: refusal::api::smallest_role(permission)
                        .map(|role| format!("to be sure, {}", refusal::api::grant(&attempted, role))),
                    link: None,
                };
            }
        };
        let target = PathAndQuery::ours(&format!("{path}:testIamPermissions"), &[]);
        match self.ask(api, &target, &token, permission, &action).await {
            Ok(true) => pass(name, format!("{account} may invoke it ({permission})")),
            Ok(false) => {
                let error = Error::new(
                    Kind::MissingRole,
                    Origin::Iam,
                    format!("{account} may not invoke it: {permission} is missing"),
                );
                fail(name, &refusal::api::missing_role(error, &attempted, permission))
            }
            Err(error) => unknown(name, &error.fields().message),
        }
    }

    /// Tells whether a service is known to ask nobody. Where that cannot be seen, the answer about the role stands.
    async fn is_open_to_all(&self, id: &FunctionId, service: &str) -> bool {
        is_open_to_all(self.call, self.session, (id, service)).await.unwrap_or(false)
    }

    async fn ask(
        &self,
        api: Api,
        target: &PathAndQuery,
        token: &AccessToken,
        permission: &str,
        action: &str,
    ) -> Result<bool> {
        let question = Object::default().with("permissions", Value::List(vec![permission.into()]));
        let question = question.to_json().into_bytes();
        let mut request = request::to_api_with_json(Purpose::Permissions, api, target, token, question);
        let response = self.call.exchange(&mut request, Class::Idempotent).await?;
        if response.status != 200 {
            return Err(refusal::api::error(&response, &self.session.attempted(action, "")));
        }
        let granted = json::read(&response.body)
            .and_then(|answer| answer.texts("permissions"))
            .map_err(|why| refusal::api::unreadable(&response, action, &why))?;
        Ok(granted.iter().any(|granted| granted == permission))
    }
}

fn open_to_all() -> Finding {
    pass(OF_FUNCTION[3], "everybody may invoke it: Cloud Run asks nobody for a role".to_owned())
}
