//! The lines of a check about one function.

use super::{Doctor, Finding, OF_FUNCTION, Verdict, fail, pass, unknown};
use crate::{
    error::{Error, Kind, Origin, Result},
    functions::{Function, Generation, Lookup, Trigger, find},
    google::{self, Attempted, Resource},
    identity::{Invoker, member},
    json::{self, Object, Value},
    ports::Ports,
    retry::Class,
    target::{self, Api, grammar::PathAndQuery},
    token::{self, AccessToken},
};

impl<P: Ports> Doctor<'_, P> {
    pub(super) async fn function(&mut self, lookup: &Lookup) {
        let function = match find(self.call, self.session, lookup).await {
            Ok(function) => function,
            Err(error) => {
                self.fail(OF_FUNCTION[0], &error);
                self.not_tried(&OF_FUNCTION[1..], "without the function");
                return;
            }
        };
        self.pass("exists", format!("{} is there", function.id));
        match (&function.trigger, function.callable_url()) {
            (Trigger::Http, Some(url)) => {
                self.pass("http", format!("it is called at https://{}{}", url.host(), url.base()))
            }
            (Trigger::Http, None) => self.add("http", Verdict::Fail, "it has no URL to call"),
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
        let finding = self.may_invoke(&function).await;
        self.findings.push(finding);
    }

    async fn may_invoke(&self, function: &Function) -> Finding {
        let name = OF_FUNCTION[3];
        let identity = &self.session.identity;
        let account = match self.session.invoker(None) {
            Ok(Invoker::ServiceAccount { chain, .. }) => chain.account.as_str().to_owned(),
            Ok(Invoker::Own | Invoker::User) => identity.principal().to_owned(),
            Err(error) => return fail(name, &error),
        };
        let service = function.service_name();
        let (permission, api, path, resource) = match function.generation {
            Generation::Gen1 => (
                "cloudfunctions.functions.invoke",
                Api::Functions,
                format!("/v1/{}", function.id.path()),
                Resource::Function(&function.id),
            ),
            // What is called is the Cloud Run service behind it.
            Generation::Gen2 | Generation::Other => (
                "run.routes.invoke",
                Api::Run,
                format!(
                    "/v2/projects/{}/locations/{}/services/{service}",
                    function.id.project.segment(),
                    function.id.region
                ),
                Resource::Service(&function.id, &service),
            ),
        };
        let action = format!("ask whether {account} may invoke {}", function.id.name);
        let attempted = Attempted {
            action: &action,
            project: self.session.project.as_str(),
            account: &account,
            member: member(&account),
            permission,
            resource,
        };
        // The question is answered about who asks.
        let token = match token::of_account(self.call, self.session, &account).await {
            Ok(token) => token,
            Err(error) => {
                return Finding {
                    name,
                    verdict: Verdict::Unknown,
                    message: format!(
                        "only {account} can be told whether it may, and this connection cannot act as it: {}",
                        error.fields().message
                    ),
                    fix: google::smallest_role(permission)
                        .map(|role| format!("to be sure, {}", google::grant(&attempted, role))),
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
                fail(name, &google::missing_role(error, &attempted, permission))
            }
            Err(error) => unknown(name, &error.fields().message),
        }
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
        let request = target::to_api_with_json(api, target, token, question);
        let response = self.call.exchange(&request, Class::Idempotent).await?;
        if response.status != 200 {
            return Err(google::api_error(&response, &self.session.attempted(action, "")));
        }
        let granted = json::read(&response.body)
            .and_then(|answer| answer.texts("permissions"))
            .map_err(|why| google::unreadable(&response, action, &why))?;
        Ok(granted.iter().any(|granted| granted == permission))
    }
}
