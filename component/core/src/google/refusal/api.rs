//! Refusals of Google's APIs.
//!
//! The envelope is that of <https://google.aip.dev/193>.

mod reasons;
mod status;

pub use self::status::retry_info;
pub(crate) use self::status::with_status_of_body;
use self::status::{Quoted, Status};
use crate::{
    base::{
        content,
        error::{Cause, Error, Kind, Origin, foreign},
        http::Response,
        json::Unreadable,
    },
    google::names::{AccountEmail, FunctionId, ProjectId},
};

/// The action that was attempted, for the words of an error.
#[derive(Debug, Clone)]
pub struct Attempted<'a> {
    /// In the infinitive: `list functions in my-project`.
    pub action: &'a str,
    /// The project, for links and commands.
    pub project: &'a str,
    /// The account that asked.
    pub account: &'a str,
    /// The permission that the action needs, if Google does not name it.
    pub permission: &'a str,
    /// The resource that a role is granted on.
    pub resource: Resource<'a>,
}

impl Attempted<'_> {
    /// The account as a member of an IAM policy; `None` if it is not known well enough.
    ///
    /// <https://cloud.google.com/iam/docs/principal-identifiers>
    #[must_use]
    pub fn member(&self) -> Option<String> {
        let account = AccountEmail::parse(self.account).ok()?;
        let account = account.as_str();
        let kind = if account.ends_with(".gserviceaccount.com") { "serviceAccount" } else { "user" };
        Some(format!("{kind}:{account}"))
    }
}

/// The resource that a role is granted on: the smallest one that is enough.
#[derive(Debug, Clone, Copy)]
pub enum Resource<'a> {
    /// The project.
    Project,
    /// A service account.
    ServiceAccount(&'a str),
    /// A 1st gen function.
    Function(&'a FunctionId),
    /// The Cloud Run service behind a function, by its own name.
    Service(&'a FunctionId, &'a str),
}

impl Resource<'_> {
    fn name(self, project: &str) -> String {
        match self {
            Self::Project => format!("projects/{project}"),
            Self::ServiceAccount(account) => format!("projects/-/serviceAccounts/{account}"),
            Self::Function(id) => id.to_string(),
            Self::Service(id, service) => {
                format!("projects/{}/locations/{}/services/{service}", id.project, id.region)
            }
        }
    }

    /// The command that grants `role` to `member`.
    fn command(self, project: &str, member: &str, role: &str) -> String {
        let (what, place) = match self {
            Self::Project => (format!("projects add-iam-policy-binding {project}"), String::new()),
            Self::ServiceAccount(account) => {
                (format!("iam service-accounts add-iam-policy-binding {account}"), String::new())
            }
            Self::Function(id) => (
                format!("functions add-iam-policy-binding {}", id.name),
                format!(" --region={} --project={}", id.region, id.project),
            ),
            Self::Service(id, service) => (
                format!("run services add-iam-policy-binding {service}"),
                format!(" --region={} --project={}", id.region, id.project),
            ),
        };
        format!("gcloud {what}{place} --member={member} --role={role}")
    }
}

/// The smallest predefined role that holds a permission.
///
/// <https://cloud.google.com/iam/docs/roles-permissions>
#[must_use]
pub fn smallest_role(permission: &str) -> Option<&'static str> {
    Some(match permission {
        "cloudfunctions.functions.list"
        | "cloudfunctions.functions.get"
        | "cloudfunctions.locations.list" => "roles/cloudfunctions.viewer",
        "cloudfunctions.functions.call" => "roles/cloudfunctions.developer",
        "cloudfunctions.functions.invoke" => "roles/cloudfunctions.invoker",
        "run.services.list" | "run.services.get" | "run.locations.list" => "roles/run.viewer",
        "run.routes.invoke" => "roles/run.invoker",
        "iam.serviceAccounts.getOpenIdToken" => "roles/iam.serviceAccountOpenIdTokenCreator",
        "iam.serviceAccounts.getAccessToken" => "roles/iam.serviceAccountTokenCreator",
        "serviceusage.services.use" => "roles/serviceusage.serviceUsageConsumer",
        _ => return None,
    })
}

/// The error that a response of a Google API stands for whose status is not the one that the API promises, which is 200.
///
/// A class of which the number is not known is taken as a whole; what is beyond 599 is the far side's fault (RFC 9110,
/// section 15). Within 400 to 499, Google's reason says more than the status, and `reasons` knows what.
#[must_use]
pub fn error(response: &Response, attempted: &Attempted<'_>) -> Error {
    let status = response.status;
    let said = Status::read(response).unwrap_or_default();
    let error = |kind, origin| {
        let could_not = matches!(kind, Kind::NotFound | Kind::RateLimited | Kind::Unavailable);
        let refusal = if could_not { "could not" } else { "refused to" };
        let message =
            if said.message.is_empty() { format!("status {status}") } else { foreign(&said.message) };
        Error::new(kind, origin, format!("Google {refusal} {}: {message}", attempted.action))
            .http_status(status)
            .reason(said.reason().map(str::to_owned))
    };
    if (400..500).contains(&status) && status != 408 {
        if let Some(row) = reasons::of(&said) {
            let error = error(row.kind, Origin::GoogleApi).retry_after_ms(floor_ms(response));
            return row.explain(error, &said, attempted);
        }
        if let Some(denial) = Denial::of(status, &said, attempted) {
            return denial.explain(error(Kind::MissingRole, Origin::Iam), attempted);
        }
    }
    match status {
        ..300 | 304 => Error::new(
            Kind::InvalidResponse,
            Origin::GoogleApi,
            format!("the attempt to {} was answered with status {status} in place of 200", attempted.action),
        )
        .http_status(status)
        .fix("it may have been done: look before you repeat it; a proxy in between may have answered; if not, please report this"),
        300..=399 => redirect(response, attempted.action),
        401 => error(Kind::Unauthenticated, Origin::GoogleApi)
            .fix("the access token is not accepted: check the connection, and make it again if its key was deleted or disabled"),
        403 => error(Kind::Forbidden, Origin::GoogleApi)
            .fix("read Google's reason; a policy of the organisation or a missing role may be behind it"),
        404 => error(Kind::NotFound, Origin::GoogleApi)
            .fix("check project, region and name; Google says the same to somebody who may not know"),
        429 => error(Kind::RateLimited, Origin::GoogleApi)
            .retry_after_ms(floor_ms(response))
            .fix("wait and ask less often, or ask for a higher quota"),
        408 | 500.. => error(Kind::Unavailable, Origin::GoogleApi)
            .retry_after_ms(floor_ms(response))
            .fix("Google has a fault; try again later"),
        _ => error(Kind::InvalidInput, Origin::GoogleApi).fix("correct what Google names, and try again"),
    }
}

/// Tells if a refusal is about the region as such: the project may not use it, or the API is not there. So it holds
/// nothing of the project's.
pub(crate) fn closes_region(response: &Response, region: &str) -> bool {
    let Some(said) = Status::read(response).filter(|_| response.status == 403) else { return false };
    // Without a reason, the sentence alone says which region it is about.
    let in_words =
        || said.message.split(|c: char| c != '-' && !c.is_ascii_alphanumeric()).any(|word| word == region);
    (said.reasons().next().is_some() || in_words())
        && reasons::of(&said).is_some_and(reasons::Row::closes_region)
}

/// A refusal for want of a permission.
struct Denial<'a> {
    permission: &'a str,
    /// The resource, if Google names it.
    resource: Option<&'a str>,
    /// True if Google gives no reason, so that the permission is only the likely one.
    likely: bool,
}

impl<'a> Denial<'a> {
    fn of(status: u16, said: &'a Status, attempted: &'a Attempted<'_>) -> Option<Self> {
        if status != 403 {
            return None;
        }
        let quoted = Quoted::read(&said.message);
        // The domain of the reason varies with the service, so it is not compared.
        let by_iam = said.reason() == Some("IAM_PERMISSION_DENIED");
        if by_iam || quoted.is_some() {
            let permission =
                said.metadata("permission").or(quoted.as_ref().and_then(|quoted| quoted.permission));
            return Some(Self {
                permission: permission.unwrap_or(attempted.permission),
                resource: said.metadata("resource").or(quoted.and_then(|quoted| quoted.resource)),
                likely: false,
            });
        }
        let likely = said.says_nothing_more() && !attempted.permission.is_empty();
        likely.then_some(Self { permission: attempted.permission, resource: None, likely })
    }

    fn explain(self, error: Error, attempted: &Attempted<'_>) -> Error {
        let error = denied(error, attempted, self.permission, self.resource);
        if !self.likely {
            return error;
        }
        let fix = error.fields().fix.clone().unwrap_or_default();
        error.cause(Cause::Unexplained).fix(format!("likely a role is missing: {fix}"))
    }
}

/// A list of which one page leads to another for ever.
pub(crate) fn no_end(what: &str, why: &str) -> Error {
    Error::new(Kind::PageLoop, Origin::GoogleApi, format!("{what} does not end: {why}"))
}

/// An error for a redirect, which is never followed: the next host was never agreed on.
#[must_use]
pub fn redirect(response: &Response, action: &str) -> Error {
    Error::new(
        Kind::UnexpectedRedirect,
        Origin::GoogleApi,
        format!("the attempt to {action} was answered with a redirect, which is never followed"),
    )
    .http_status(response.status)
    .detail("location", location(response))
    .fix("call the final address itself, if it is one of Google's APIs")
}

/// The target of a redirect, without what may be secret of it.
pub(crate) fn location(response: &Response) -> String {
    let location = response.header("location").unwrap_or_default();
    foreign(location.split(['?', '#']).next().unwrap_or_default())
}

/// An error for an answer of 2xx that is not what the API promises.
#[must_use]
pub(crate) fn unreadable(response: &Response, action: &str, why: &Unreadable) -> Error {
    Error::new(
        Kind::InvalidResponse,
        Origin::GoogleApi,
        format!(
            "the answer to the attempt to {action} {why}; it has {} bytes of {}{}",
            response.body.len(),
            foreign(response.header("content-type").unwrap_or("no content type")),
            content::unread(response).map_or_else(String::new, |coding| format!(", {coding}")),
        ),
    )
    .http_status(response.status)
    .fix("a proxy in between may have answered; if not, please report this")
}

/// Fills in role, member and resource, and the command that mends it.
pub(crate) fn missing_role(error: Error, attempted: &Attempted<'_>, permission: &str) -> Error {
    denied(error, attempted, permission, None)
}

/// The same on the resource that Google names: of another project, the role is granted there.
fn denied(error: Error, attempted: &Attempted<'_>, permission: &str, named: Option<&str>) -> Error {
    let mut error = if permission.is_empty() { error } else { error.detail("permission", permission) };
    if let Some(member) = attempted.member() {
        error = error.detail("member", member);
    }
    let own = || attempted.resource.name(attempted.project);
    error = error.detail("resource", named.map_or_else(own, foreign));
    let Some(role) = smallest_role(permission) else {
        let held = if permission.is_empty() { "the permission that Google names" } else { permission };
        return error.fix(format!(
            "whoever administers the project grants {} a role that holds {held}",
            attempted.account
        ));
    };
    let project = named.and_then(project_of);
    let there = Attempted { project: project.as_deref().unwrap_or(attempted.project), ..attempted.clone() };
    let fix = grant(&there, role);
    error.detail("role", role).fix(fix)
}

/// The project of a resource's name, relative or full (<https://google.aip.dev/122>).
fn project_of(resource: &str) -> Option<String> {
    let relative = match resource.strip_prefix("//") {
        Some(full) => full.split_once('/')?.1,
        None => resource,
    };
    let project = relative.strip_prefix("projects/")?.split('/').next()?;
    ProjectId::parse(project).ok().map(|project| project.as_str().to_owned())
}

/// The fix: whoever can grant the role, and the command that does.
pub(crate) fn grant(attempted: &Attempted<'_>, role: &str) -> String {
    let member = attempted.member();
    format!(
        "whoever administers it grants the role: {}; then wait a few minutes",
        attempted.resource.command(attempted.project, member.as_deref().unwrap_or("MEMBER"), role)
    )
}

pub(crate) fn floor_ms(response: &Response) -> Option<u64> {
    crate::base::retry::retry_after(response)
        .max(retry_info(response))
        .map(|floor| u64::try_from(floor.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn attempted() -> Attempted<'static> {
        Attempted {
            action: "list functions in my-project",
            project: "my-project",
            account: "bot@my-project.iam.gserviceaccount.com",
            permission: "cloudfunctions.functions.list",
            resource: Resource::Project,
        }
    }

    fn answer(status: u16, body: &serde_json::Value) -> Error {
        let response = Response { status, headers: vec![], body: body.to_string().into_bytes() };
        error(&response, &attempted())
    }

    #[test]
    fn a_disabled_api_names_the_service_and_the_link() {
        let error = answer(
            403,
            &json!({"error": {"code": 403, "message": "Cloud Functions API has not been used", "status": "PERMISSION_DENIED",
                "details": [
                    {"@type": "type.googleapis.com/google.rpc.Help", "links": [{"description": "d",
                        "url": "https://console.developers.google.com/apis/api/x/overview?project=1"}]},
                    {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED", "domain": "googleapis.com",
                        "metadata": {"consumer": "projects/1", "service": "cloudfunctions.googleapis.com"}}]}}),
        );
        let fields = error.fields();
        assert_eq!((fields.kind, fields.reason.as_deref()), (Kind::ApiDisabled, Some("SERVICE_DISABLED")));
        assert_eq!(
            fields.link.as_deref(),
            Some("https://console.developers.google.com/apis/api/x/overview?project=1")
        );
        assert_eq!(
            fields.details,
            [
                ("service".to_owned(), "cloudfunctions.googleapis.com".to_owned()),
                ("project".to_owned(), "1".to_owned())
            ]
        );
    }

    #[test]
    fn an_iam_denial_names_the_smallest_role() {
        let error = answer(
            403,
            &json!({"error": {"message": "Permission 'cloudfunctions.functions.list' denied on 'projects/p/locations/-/functions'"}}),
        );
        assert_eq!(error.kind(), Kind::MissingRole);
        assert!(
            error.fields().details.contains(&("role".to_owned(), "roles/cloudfunctions.viewer".to_owned()))
        );
        assert!(error.to_string().contains("gcloud projects add-iam-policy-binding p "));
    }

    #[test]
    fn a_page_that_is_not_json_is_told_by_its_status() {
        let response = Response { status: 502, headers: vec![], body: b"<html>".to_vec() };
        let error = error(&response, &attempted());
        assert_eq!(error.kind(), Kind::Unavailable);
        assert!(error.fields().message.ends_with("status 502"));
    }

    #[test]
    fn retry_info_is_read_with_fractions() {
        use std::time::Duration;

        let body = json!({"error": {"details": [{"retryDelay": "1.5s"}]}}).to_string().into_bytes();
        let response = Response { status: 429, headers: vec![], body };
        assert_eq!(retry_info(&response), Some(Duration::from_secs(2)));
    }

    #[test]
    fn a_foreign_link_is_not_passed_on() {
        let error = answer(
            403,
            &json!({"error": {"details": [{"links": [{"url": "https://evil.example/"}], "reason": "SERVICE_DISABLED",
                "metadata": {"service": "run.googleapis.com"}}]}}),
        );
        assert!(error.fields().link.as_deref().unwrap().starts_with("https://console.cloud.google.com/"));
    }
}
