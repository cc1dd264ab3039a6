//! The doctor: each prerequisite on its own line, with what to do about it.

mod function;

use crate::{
    base::{
        error::{Error, Kind, Origin, Result, one_line},
        http::{Method, Response},
        ports::Ports,
        purpose::Purpose,
        retry::Class,
    },
    call::{Call, deadlines},
    google::{
        bearer::AccessToken,
        hosts::Api,
        refusal,
        request::{self, grammar::PathAndQuery},
        which::{FunctionRef, Lookup},
    },
    session::Session,
    sign_in::{
        credential::{Means, Scopes},
        grant::SCOPES,
        invoker::Invoker,
        oauth::missing_scopes,
        token::{self, status},
    },
};

/// The result of a check of one prerequisite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub enum Verdict {
    Pass,
    Fail,
    Unknown,
    NotNeeded,
}

/// One line of a check; see `wit/connections.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct Finding {
    pub name: &'static str,
    pub verdict: Verdict,
    pub message: String,
    pub fix: Option<String>,
    pub link: Option<String>,
}

/// An audience that no service has: what is minted for it opens nothing.
const NOWHERE: &str = "https://gcf-connector.invalid";

/// Tries each prerequisite on its own.
///
/// # Errors
/// `connection-required`, `connection-not-found`, `invalid-input` or `secret-store`; what is not met is a
/// finding.
pub async fn check<P: Ports>(
    ports: &P,
    id: &str,
    function: Option<FunctionRef>,
    deadline_ms: Option<u32>,
) -> Result<Vec<Finding>> {
    let call = Call::begin(ports, deadline_ms, deadlines::API)?;
    let session = Session::open(&call, id)?;
    let lookup = function.map(|function| Lookup::parse(&session.project, function)).transpose()?;
    // Somebody wants to know how things are now, and not how they were.
    status::forget_fault(ports, &session.id);
    let mut doctor = Doctor { call: &call, session: &session, findings: Vec::new() };
    doctor.examine(lookup.as_ref()).await;
    for finding in &mut doctor.findings {
        // What Google and functions say about themselves is cleaned, as in an error.
        finding.message = one_line(&finding.message);
    }
    Ok(doctor.findings)
}

struct Doctor<'a, P> {
    call: &'a Call<'a, P>,
    session: &'a Session,
    findings: Vec<Finding>,
}

impl<P: Ports> Doctor<'_, P> {
    async fn examine(&mut self, lookup: Option<&Lookup>) {
        match token::access_token(self.call, self.session.sign_in()).await {
            Ok(_) if matches!(self.session.identity.credential.means(), Means::Injected) => {
                self.add("token", Verdict::NotNeeded, "the host adds the access token to each request");
            }
            Ok(_) => self.pass("token", format!("{} gets an access token", self.session.identity.account())),
            Err(error) => {
                self.fail("token", &error);
                self.not_tried(&ALL[1..], "without a token");
                if lookup.is_some() {
                    self.not_tried(&OF_FUNCTION, "without a token");
                }
                return;
            }
        }
        self.scopes();
        self.apis().await;
        self.minting().await;
        if let Some(lookup) = lookup {
            self.function(lookup).await;
        }
    }

    fn scopes(&mut self) {
        match (self.session.identity.credential.scopes(), &self.session.scopes) {
            (Scopes::OfHost, _) => {
                self.add("scopes", Verdict::Unknown, "the host knows which scopes its token has");
            }
            (Scopes::AsAsked, _) => {
                self.add(
                    "scopes",
                    Verdict::NotNeeded,
                    "a service's credential gets the scope that it asks for",
                );
            }
            (Scopes::Granted, None) => {
                self.add("scopes", Verdict::Unknown, "Google did not say which scopes it granted");
            }
            (Scopes::Granted, Some(granted)) => {
                match missing_scopes(granted).into_iter().find(|scope| SCOPES.contains(scope)) {
                    None => self.pass("scopes", format!("granted: {granted}")),
                    Some(scope) => self.findings.push(Finding {
                        name: "scopes",
                        verdict: Verdict::Fail,
                        message: format!("the scope {scope} was not granted"),
                        fix: Some("sign in again, and leave every box of the consent page ticked".to_owned()),
                        link: None,
                    }),
                }
            }
        }
    }

    /// Checks that the APIs are on, that the project is there, and that functions may be listed: two lists
    /// tell most of it.
    async fn apis(&mut self) {
        let project = self.session.project.segment();
        let everywhere = format!("projects/{project}/locations/-");
        let functions = PathAndQuery::ours(
            &format!("/v2/{everywhere}/functions"),
            &[("pageSize", "1"), ("fields", "functions(name)")],
        );
        let services = PathAndQuery::ours(
            &format!("/v2/projects/{project}/locations/{}/services", self.session.region),
            &[("pageSize", "1"), ("fields", "services(name)")],
        );
        let action = format!("list functions in {}", self.session.project);
        let purpose = Purpose::Functions { location: everywhere };
        let functions =
            self.get(purpose, Api::Functions, &functions, &action, "cloudfunctions.functions.list").await;
        let action = format!("list Cloud Run services in {}", self.session.project);
        let services = self.get(Purpose::Services, Api::Run, &services, &action, "run.services.list").await;
        self.project(functions.is_ok() || services.is_ok()).await;
        self.api("functions-api", "the Cloud Functions API", &functions);
        match &functions {
            Ok(_) => self
                .pass("list-functions", format!("{} may list functions", self.session.identity.principal())),
            Err(error) if error.kind() == Kind::ApiDisabled => {
                self.add("list-functions", Verdict::Unknown, "not tried while the API is off");
            }
            Err(error) => self.fail("list-functions", error),
        }
        self.api("run-api", "the Cloud Run Admin API", &services);
    }

    async fn project(&mut self, seen: bool) {
        let project = &self.session.project;
        if seen {
            self.pass("project", format!("{project} is there"));
            return;
        }
        let target = PathAndQuery::ours(&format!("/v3/projects/{}", project.segment()), &[]);
        let action = format!("look at the project {project}");
        match self
            .get(Purpose::ApiCall, Api::ResourceManager, &target, &action, "resourcemanager.projects.get")
            .await
        {
            Ok(_) => self.pass("project", format!("{project} is there")),
            Err(error) if matches!(error.kind(), Kind::NotFound | Kind::InvalidInput) => {
                self.fail("project", &error)
            }
            // Google says the same of a project that is not there and of one that is none of your business.
            Err(error) => self.findings.push(Finding {
                name: "project",
                verdict: Verdict::Unknown,
                message: format!(
                    "{project} does not exist, or {} may not see it: {}",
                    self.session.identity.principal(),
                    error.fields().message
                ),
                fix: Some("check the project's id in the console".to_owned()),
                link: None,
            }),
        }
    }

    /// An API that refuses for a reason of IAM's is on.
    fn api(&mut self, name: &'static str, title: &str, outcome: &Result<Response>) {
        match outcome {
            Ok(_) => self.pass(name, format!("{title} is on")),
            Err(error) if error.kind() == Kind::ApiDisabled => self.fail(name, error),
            Err(error) if error.kind() == Kind::MissingRole => self.pass(name, format!("{title} answers")),
            Err(error) => self.add(name, Verdict::Unknown, &error.fields().message),
        }
    }

    async fn minting(&mut self) {
        let names = ["iam-credentials-api", "mint-id-token"];
        let invoker = match self.session.invoker(None) {
            Ok(invoker) => invoker,
            Err(error) => {
                self.add(names[0], Verdict::Unknown, "not tried without a service account to mint for");
                self.fail(names[1], &error);
                return;
            }
        };
        let minted = match &invoker {
            Invoker::Own if self.session.identity.impersonates.is_none() => {
                for name in names {
                    self.add(name, Verdict::NotNeeded, "the service account's key gets ID tokens by itself");
                }
                return;
            }
            Invoker::User => {
                for name in names {
                    self.add(name, Verdict::NotNeeded, "functions receive the user's own ID token");
                }
                return;
            }
            Invoker::Own | Invoker::ServiceAccount { .. } => {
                token::try_minting(self.call, self.session.sign_in(), &invoker, NOWHERE).await
            }
        };
        match minted {
            Ok(account) => {
                self.pass(names[0], "the IAM Credentials API is on".to_owned());
                self.pass(names[1], format!("ID tokens of {account} can be minted"));
            }
            Err(error) if error.kind() == Kind::ApiDisabled => {
                self.fail(names[0], &error);
                self.add(names[1], Verdict::Unknown, "not tried while the API is off");
            }
            Err(error) => {
                let answers = matches!(error.kind(), Kind::MissingRole | Kind::NotFound);
                let verdict = if answers { Verdict::Pass } else { Verdict::Unknown };
                let message =
                    if answers { "the IAM Credentials API answers" } else { "it could not be told" };
                self.add(names[0], verdict, message);
                self.fail(names[1], &error);
            }
        }
    }

    async fn get(
        &self,
        purpose: Purpose,
        api: Api,
        target: &PathAndQuery,
        action: &str,
        permission: &str,
    ) -> Result<Response> {
        let request = |token: &AccessToken| request::to_api(purpose.clone(), api, Method::Get, target, token);
        let response = self.session.send(self.call, Class::Idempotent, &request).await?;
        if response.status == 200 {
            Ok(response)
        } else {
            Err(refusal::api::error(&response, &self.session.attempted(action, permission)))
        }
    }

    fn pass(&mut self, name: &'static str, message: String) {
        self.findings.push(pass(name, message));
    }

    fn fail(&mut self, name: &'static str, error: &Error) {
        self.findings.push(fail(name, error));
    }

    fn add(&mut self, name: &'static str, verdict: Verdict, message: &str) {
        self.findings.push(Finding { name, verdict, message: message.to_owned(), fix: None, link: None });
    }

    fn not_tried(&mut self, names: &[&'static str], why: &str) {
        for name in names {
            self.add(name, Verdict::Unknown, &format!("not tried {why}"));
        }
    }
}

/// The lines of every check, in their order.
const ALL: [&str; 8] = [
    "token",
    "scopes",
    "project",
    "functions-api",
    "list-functions",
    "run-api",
    "iam-credentials-api",
    "mint-id-token",
];

/// The lines about one function.
const OF_FUNCTION: [&str; 4] = ["exists", "http", "active", "may-invoke"];

fn pass(name: &'static str, message: String) -> Finding {
    Finding { name, verdict: Verdict::Pass, message, fix: None, link: None }
}

fn fail(name: &'static str, error: &Error) -> Finding {
    let fields = error.fields();
    // What could not be asked is not known to be wrong.
    let verdict = match fields.origin {
        Origin::Network | Origin::Host => Verdict::Unknown,
        Origin::Input
        | Origin::Connection
        | Origin::TokenEndpoint
        | Origin::Iam
        | Origin::GoogleApi
        | Origin::Function
        | Origin::GoogleFrontEnd => Verdict::Fail,
    };
    Finding {
        name,
        verdict,
        message: fields.message.clone(),
        fix: fields.fix.clone(),
        link: fields.link.clone(),
    }
}

fn unknown(name: &'static str, message: &str) -> Finding {
    Finding { name, verdict: Verdict::Unknown, message: message.to_owned(), fix: None, link: None }
}
