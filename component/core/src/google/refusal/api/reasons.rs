//! The table of Google's reasons: what each comes to, whose move it is, and where.
//!
//! The reasons are those of `google/api/error_reason.proto`, in the domain `googleapis.com`, and the types of violations
//! of `google/rpc/error_details.proto`.

#[cfg(test)]
mod tests;

use super::{Attempted, Denial, Resource, Status};
use crate::{
    base::error::{Cause, Error, Kind, foreign},
    google::names::ProjectId,
};

/// The meaning of some reasons.
pub(super) struct Row {
    reasons: &'static [&'static str],
    pub(super) kind: Kind,
    /// The cause, where programs do something about it.
    cause: Option<Cause>,
    /// The fix: whose move it is. `{project}`, `{service}`, `{location}`, `{quota}` and `{account}` stand for what Google names,
    /// or for what was asked for.
    fix: &'static str,
    /// The page to mend it on, or to read about it, if Google links to none; with the same names, or empty.
    link: &'static str,
}

/// The row of an error, if its reason is known. Older services name no reason: they link to the page that mends it, or
/// say it in words alone.
pub(super) fn of(said: &Status) -> Option<&'static Row> {
    let known = |reason: &str| ROWS.iter().find(|row| row.reasons.contains(&reason));
    if let Some(row) = said.reasons().find_map(known) {
        // The quota project may be missing, or its use denied: the page to go to tells which.
        let denied = said.links().any(|link| link.is_below("iam-admin/iam"));
        return if row.reasons == USER_PROJECT && denied { known(USE_DENIED) } else { Some(row) };
    }
    if said.reasons().next().is_some() {
        return None;
    }
    if said.links().any(|link| link.activates().is_some()) {
        return known("SERVICE_DISABLED");
    }
    if said.links().any(|link| link.is_below("billing/enable")) {
        return known("BILLING_DISABLED");
    }
    let message = said.message.trim_end_matches('.');
    let words = WORDS.iter().find(|(begins, ends, _)| message.starts_with(begins) && message.ends_with(ends));
    words.and_then(|(.., reason)| known(reason))
}

/// The sentences of services that name no reason: how they begin, how they end, and the reason of those that do.
const WORDS: [(&str, &str, &str); 4] = [
    // hashicorp/terraform-provider-google#17037, a capture of Cloud Functions.
    ("Permission denied on 'locations/", "", "LOCATION_POLICY_VIOLATED"),
    ("Location ", " is not found or access is unauthorized", "LOCATION_POLICY_VIOLATED"),
    ("Permission denied on resource project ", "", "CONSUMER_INVALID"),
    ("Project ", " has been deleted", "CONSUMER_INVALID"),
];

impl Row {
    /// Tells if the region does not exist, has no such service, or is closed to the project.
    pub(super) fn closes_region(&self) -> bool {
        self.cause == Some(Cause::Region)
    }

    /// Fills in the facts that Google names, the fix and the link.
    pub(super) fn explain(&self, error: Error, said: &Status, attempted: &Attempted<'_>) -> Error {
        let names = Names::of(said, attempted);
        if self.reasons == [USE_DENIED] {
            // Whatever was asked for: the role is missing on the project that pays.
            let there =
                Attempted { project: &names.project, resource: Resource::Project, ..attempted.clone() };
            let denial = Denial { permission: "serviceusage.services.use", resource: None, likely: false };
            return link(denial.explain(error, &there), said, "");
        }
        let mut error = error;
        if self.kind == Kind::InsufficientScope {
            error = error.detail("scope", SCOPE);
        }
        for (name, value) in [
            ("service", said.metadata("service")),
            ("project", names.consumer.as_deref()),
            ("location", said.metadata("location")),
            ("quota", said.metadata("quota_limit")),
            ("uid", said.metadata("uid")),
        ] {
            if let Some(value) = value {
                error = error.detail(name, foreign(value));
            }
        }
        if let Some(cause) = self.cause {
            error = error.cause(cause);
        }
        link(error.fix(names.fill(self.fix)), said, &names.fill(self.link))
    }
}

/// Adds Google's own link, or in its absence ours.
fn link(error: Error, said: &Status, ours: &str) -> Error {
    match said.links().next() {
        Some(link) => error.link(foreign(link.url)),
        None if ours.is_empty() => error,
        None => error.link(ours),
    }
}

/// The values of the names in a fix.
struct Names<'a> {
    /// The project that Google names as the consumer: it may be another one than was asked for.
    consumer: Option<String>,
    project: String,
    service: &'a str,
    location: String,
    quota: String,
    account: &'a str,
}

impl<'a> Names<'a> {
    fn of(said: &'a Status, attempted: &Attempted<'a>) -> Self {
        let consumer = said.metadata("consumer").and_then(project_of_consumer);
        let plain = |text: &&str| {
            !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b))
        };
        let service = said.metadata("service").filter(plain);
        let activated = || said.links().find_map(|link| link.activates()).filter(plain);
        let named =
            |name: &str, otherwise: &str| said.metadata(name).map_or_else(|| otherwise.to_owned(), foreign);
        Self {
            project: consumer.clone().unwrap_or_else(|| attempted.project.to_owned()),
            consumer,
            service: service.or_else(activated).unwrap_or("SERVICE"),
            location: named("location", "the region"),
            quota: named("quota_limit", "the limit that Google names"),
            account: if attempted.account.is_empty() { "the account" } else { attempted.account },
        }
    }

    fn fill(&self, template: &str) -> String {
        template
            .replace("{project}", &self.project)
            .replace("{service}", self.service)
            .replace("{location}", &self.location)
            .replace("{quota}", &self.quota)
            .replace("{account}", self.account)
    }
}

/// The project of a consumer: `projects/123`, in older answers `project_number:123`. It ends up in a command, so nothing
/// else passes.
fn project_of_consumer(consumer: &str) -> Option<String> {
    let named =
        ["projects/", "project_number:", "project:"].iter().find_map(|kind| consumer.strip_prefix(kind))?;
    ProjectId::parse(named).ok().map(|project| project.as_str().to_owned())
}

/// The scope that the connector asks for, and that every API which it calls takes.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// A quota project that is not there.
const USER_PROJECT: &[&str] = &["USER_PROJECT_DENIED"];

/// A name of ours for a quota project that the caller may not use.
const USE_DENIED: &str = "USER_PROJECT_DENIED of use";

/// The end of what only a proxy or a host can have caused.
const ON_THE_WAY: &str =
    "the connector sends none: look for what the host, or a proxy on the way to Google, adds or changes";

const fn policy(reasons: &'static [&'static str], fix: &'static str, link: &'static str) -> Row {
    Row { reasons, kind: Kind::Forbidden, cause: Some(Cause::Policy), fix, link }
}

const fn row(kind: Kind, reasons: &'static [&'static str], fix: &'static str, link: &'static str) -> Row {
    Row { reasons, kind, cause: None, fix, link }
}

const ROWS: [Row; 24] = [
    row(
        Kind::ApiDisabled,
        &["SERVICE_DISABLED"],
        "whoever administers the project {project} enables it: gcloud services enable {service} --project={project}; then wait a few minutes",
        "https://console.cloud.google.com/apis/library/{service}?project={project}",
    ),
    row(
        Kind::Forbidden,
        &["BILLING_DISABLED"],
        "whoever administers the billing of the project {project} enables it; then wait a few minutes",
        "https://console.cloud.google.com/billing/enable?project={project}",
    ),
    Row {
        cause: Some(Cause::Project),
        ..row(
            Kind::NotFound,
            &["CONSUMER_INVALID", "RESOURCE_PROJECT_INVALID"],
            "there is no project {project}, or it was deleted: check its id, and connect with the right one",
            "https://console.cloud.google.com/cloud-resource-manager",
        )
    },
    Row {
        cause: Some(Cause::Project),
        ..row(
            Kind::NotFound,
            USER_PROJECT,
            "the project {project}, which the request counts for, does not exist, was deleted, or {account} may not use it: check its id",
            "https://console.cloud.google.com/cloud-resource-manager",
        )
    },
    row(Kind::MissingRole, &[USE_DENIED], "", ""),
    Row {
        cause: Some(Cause::Region),
        ..row(
            Kind::NotFound,
            &["LOCATION_POLICY_VIOLATED", "LOCATION_ACCESS_DENIED"],
            "the region does not exist, has no such service, or is closed to the project: check its name, and use one that is open",
            "",
        )
    },
    policy(
        &["LOCATION_ORG_POLICY_VIOLATED", "LOCATION_TAX_POLICY_VIOLATED"],
        "a policy closes {location} to the project {project}: use another region, or ask whoever administers the organisation",
        "https://cloud.google.com/resource-manager/docs/organization-policy/defining-locations",
    ),
    policy(
        &["SECURITY_POLICY_VIOLATED", "VPC_SERVICE_CONTROLS"],
        "VPC Service Controls keep the request out: whoever administers the service perimeter finds the reason by its unique id, and lets {account} or the network in",
        "https://cloud.google.com/vpc-service-controls/docs/troubleshooting#unique-id",
    ),
    policy(
        &["ENDPOINT_USAGE_RESTRICTION_VIOLATED"],
        "the organisation closes the global endpoint of {service}, and the connector knows no other: whoever administers its policy allows it",
        "https://cloud.google.com/assured-workloads/docs/restrict-endpoint-usage",
    ),
    policy(
        &["RESOURCE_USAGE_RESTRICTION_VIOLATED", "SERVICE_NOT_VISIBLE", "MCP_SERVER_DISABLED"],
        "the organisation does not let the project {project} use {service}: whoever administers its policy allows it",
        "https://cloud.google.com/resource-manager/docs/organization-policy/restricting-services",
    ),
    policy(
        &["ORG_RESTRICTION_VIOLATION", "ORG_RESTRICTION_HEADER_INVALID"],
        "the network of the host may reach certain organisations alone (X-Goog-Allowed-Resources), and that of the project {project} is not among them: whoever administers its proxy allows it",
        "https://cloud.google.com/resource-manager/docs/organization-restrictions/overview",
    ),
    policy(
        &["USER_BLOCKED_BY_ADMIN"],
        "an administrator of {account} switches Google Cloud on for it (Google Workspace: Admin console, Apps)",
        "https://support.google.com/a/answer/9197205",
    ),
    policy(
        &["TLS_ORG_POLICY_VIOLATED", "TLS_CIPHER_RESTRICTION_VIOLATED"],
        "the organisation forbids the version or the cipher of TLS that the host speaks: whoever runs the host, or the proxy on the way, uses one that is allowed",
        "https://cloud.google.com/assured-workloads/docs/restrict-tls-cipher-suites",
    ),
    row(
        Kind::Forbidden,
        &["CONSUMER_SUSPENDED", "GCP_SUSPENDED"],
        "Google has suspended the project {project}: its owner finds the reason in the console, and appeals there",
        "https://cloud.google.com/resource-manager/docs/project-suspension-guidelines",
    ),
    row(
        Kind::Forbidden,
        &["TOS"],
        "whoever owns the project {project} accepts the terms of service that Google names, in the console",
        "",
    ),
    row(
        Kind::InsufficientScope,
        &["ACCESS_TOKEN_SCOPE_INSUFFICIENT"],
        "{account} signs in again, and leaves every box of the consent page ticked; or whoever supplies the access token asks for the scope https://www.googleapis.com/auth/cloud-platform",
        "https://developers.google.com/identity/protocols/oauth2/scopes",
    ),
    row(
        Kind::Unauthenticated,
        &["ACCESS_TOKEN_EXPIRED"],
        "the access token has expired: sign in again, or whoever supplies it puts a fresh one there; if it is fresh, the host's clock is wrong",
        "",
    ),
    row(
        Kind::Unauthenticated,
        &["ACCOUNT_STATE_INVALID", "ACCOUNT_TYPE_UNSUPPORTED"],
        "{account} is disabled, deleted, or of a kind that Google Cloud does not take: whoever administers it enables it, or connect with another account",
        "https://cloud.google.com/docs/authentication",
    ),
    row(
        Kind::Unauthenticated,
        &["ACCESS_TOKEN_TYPE_UNSUPPORTED", "CREDENTIAL_TYPE_UNSUPPORTED", "JWT_TOKEN_INVALID"],
        "what was sent is not an access token: whoever supplies it puts an access token there, not an ID token or a key",
        "https://cloud.google.com/docs/authentication/token-types",
    ),
    row(
        Kind::Unauthenticated,
        &["CREDENTIALS_MISSING"],
        "no access token arrived: whoever runs the host, which adds it, or the proxy on the way, sees to it",
        "https://cloud.google.com/docs/authentication",
    ),
    row(
        Kind::Unauthenticated,
        &[
            "API_KEY_INVALID",
            "API_KEY_SERVICE_BLOCKED",
            "API_KEY_HTTP_REFERRER_BLOCKED",
            "API_KEY_IP_ADDRESS_BLOCKED",
            "API_KEY_ANDROID_APP_BLOCKED",
            "API_KEY_IOS_APP_BLOCKED",
            "CREDENTIAL_ANDROID_APP_INVALID",
            "SESSION_COOKIE_INVALID",
            "OVERLOADED_CREDENTIALS",
        ],
        ON_THE_WAY,
        "",
    ),
    row(Kind::Forbidden, &["MISSING_ORIGIN", "SYSTEM_PARAMETER_UNSUPPORTED"], ON_THE_WAY, ""),
    row(
        Kind::RateLimited,
        &["RATE_LIMIT_EXCEEDED"],
        "wait and ask less often, or ask for a higher quota ({quota} of {service} in the project {project})",
        "https://console.cloud.google.com/iam-admin/quotas?project={project}",
    ),
    row(
        Kind::RateLimited,
        &["RESOURCE_QUOTA_EXCEEDED", "EMULATOR_QUOTA_EXCEEDED"],
        "waiting does not help: use less, or ask for a higher quota ({quota} of {service} in the project {project})",
        "https://console.cloud.google.com/iam-admin/quotas?project={project}",
    ),
];
