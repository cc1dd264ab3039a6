//! Telling Google's front end from the function behind it.

use super::Generation;
use crate::{
    base::{
        error::{Cause, Error, Kind, Origin, foreign},
        http::{Method, Response},
    },
    google::refusal::api::{Attempted, missing_role},
};

/// The request, as far as it explains a refusal.
pub(super) struct Asked<'a> {
    pub(super) attempted: &'a Attempted<'a>,
    pub(super) generation: Generation,
    /// Google's own word, if the function was looked up.
    pub(super) ingress: Option<&'a str>,
    /// That of the ID token, if there was one.
    pub(super) audience: Option<&'a str>,
}

/// The answers of Google's front end that are known by their marks. A function can write the same; one that does is taken
/// for Google.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Page {
    Unauthorized,
    Forbidden,
    NotFound,
    /// It took the request, and no instance did.
    ServerError,
    /// The sign-in of people, as Identity-Aware Proxy asks for it.
    Login,
    /// A refusal of Identity-Aware Proxy, which says so in a header.
    Proxy,
    /// The page that Google has for any other status.
    Other,
}

impl Page {
    /// A function that ran leaves a `function-execution-id` in 1st gen, and nothing in 2nd gen.
    fn of(response: &Response) -> Option<Self> {
        if response.header("function-execution-id").is_some() {
            return None;
        }
        // <https://cloud.google.com/iap/docs/faq>: the header tells its answers from those of what is behind it.
        if response.status >= 300
            && response.header(IAP).is_some_and(|value| value.eq_ignore_ascii_case("true"))
        {
            return Some(Self::Proxy);
        }
        if (300..400).contains(&response.status) {
            return response.header("location").is_some_and(is_login).then_some(Self::Login);
        }
        if !response.is("text/html") {
            return None;
        }
        let page = beginning(&response.body);
        let says = |title: &str, text: &str| page.contains(title) && page.contains(text);
        let googles = has_google_title(page, response.status);
        match response.status {
            401 if googles || says("Error: Unauthorized", "Your client does not have permission") => {
                Some(Self::Unauthorized)
            }
            403 if googles || says("Error: Forbidden", "Your client does not have permission") => {
                Some(Self::Forbidden)
            }
            404 if googles
                || says("Error: Page not found", "The requested URL was not found on this server") =>
            {
                Some(Self::NotFound)
            }
            500 | 503 if says("Error: Server Error", "The service you requested is not available yet") => {
                Some(Self::ServerError)
            }
            400.. if googles => Some(Self::Other),
            _ => None,
        }
    }
}

/// The header of what Identity-Aware Proxy answers itself.
const IAP: &str = "x-goog-iap-generated-response";

/// As much of a page as is looked at: its head, up to a character that the bound cuts in two.
fn beginning(body: &[u8]) -> &str {
    let head = body.get(..2048).unwrap_or(body);
    match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(broken) => std::str::from_utf8(&head[..broken.valid_up_to()]).unwrap_or_default(),
    }
}

/// Tells if the title is the one of Google's own pages, such as `Error 404 (Not Found)!!1`, and of this status.
fn has_google_title(page: &str, status: u16) -> bool {
    let title = page.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    let phrase = title.and_then(|(title, _)| {
        title.trim().strip_prefix("Error ")?.strip_prefix(&format!("{status} ("))?.strip_suffix(")!!1")
    });
    phrase.is_some_and(|phrase| !phrase.is_empty() && !phrase.contains(['(', ')', '<']))
}

/// Tells if Google has people sign in here, for itself or for Identity-Aware Proxy. A function's own sign-in
/// with Google goes there too, with an address of its own to come back to.
fn is_login(location: &str) -> bool {
    location
        .strip_prefix("https://accounts.google.com/")
        .is_some_and(|path| !path.starts_with("o/oauth2/") || path.contains("iap.googleapis.com"))
}

/// Tells if the front end refused for want of a credential, so that the function was not reached.
pub(super) fn asks_who(response: &Response, method: Method) -> bool {
    match Page::of(response) {
        Some(Page::Unauthorized | Page::Forbidden) => true,
        Some(Page::Proxy) => matches!(response.status, 300..=399 | 401),
        Some(Page::NotFound | Page::ServerError | Page::Login | Page::Other) => false,
        // It has no page; and it may be sent twice.
        None => is_refused_head(response, method),
    }
}

fn is_refused_head(response: &Response, method: Method) -> bool {
    method == Method::Head
        && matches!(response.status, 401 | 403)
        && response.is("text/html")
        && response.header("function-execution-id").is_none()
}

/// The refusal of Google's front end, if this is one. Each says whether the function was called.
pub(super) fn refusal(response: &Response, asked: &Asked<'_>) -> Option<Error> {
    let action = asked.attempted.action;
    let error =
        |kind, what: String| Error::new(kind, Origin::GoogleFrontEnd, what).http_status(response.status);
    Some(match (Page::of(response)?, asked.audience) {
        (Page::Unauthorized, Some(audience)) => error(
            Kind::Unauthenticated,
            format!("Google's front end did not accept the ID token while trying to {action}"),
        )
        .detail("audience", audience)
        .fix("check the audience: the function's own URL, unless the service lists another one as a custom audience; likely else: the token has expired, or the host's clock is wrong"),
        (Page::Unauthorized | Page::Forbidden, None) => error(
            Kind::Unauthenticated,
            format!("Google's front end refused to {action} without a credential"),
        )
        .cause(Cause::NeedsCredential)
        .fix("the function is not open to everyone: invoke it with auth `auto` or `id-token`"),
        (Page::Forbidden, Some(_)) => forbidden(asked, &error),
        (Page::NotFound, _) => error(
            Kind::NotFound,
            format!("Google's front end found nothing to call while trying to {action}"),
        )
        .fix(match asked.ingress.filter(|ingress| is_internal(ingress)) {
            Some(ingress) => format!(
                "its ingress is {ingress}, which likely is the reason: call it from inside its network, or have the ingress changed"
            ),
            None => "check the URL; likely there is no such service any more, or its ingress keeps requests from the internet out"
                .to_owned(),
        }),
        (Page::Login, _) => error(
            Kind::Unauthenticated,
            format!("Google's front end asked for a person's sign-in while trying to {action}"),
        )
        .detail("location", "https://accounts.google.com/")
        .cause(Cause::IdentityAwareProxy)
        .fix(format!("likely Identity-Aware Proxy is in front of it: {TO_THE_PROXY}")),
        (Page::Proxy, audience) => proxy(response, asked, audience, &error),
        (Page::Other, _) => other(response.status, asked, &error),
        (Page::ServerError, _) => return None,
    })
}

/// The way through Identity-Aware Proxy.
///
/// <https://cloud.google.com/iap/docs/authentication-howto>
const TO_THE_PROXY: &str = "invoke with auth `id-token`, with the OAuth client id of the proxy as audience, and with a token that holds the e-mail address";

fn proxy(
    response: &Response,
    asked: &Asked<'_>,
    audience: Option<&str>,
    error: &dyn Fn(Kind, String) -> Error,
) -> Error {
    let Attempted { action, account, .. } = asked.attempted;
    let error = match response.status {
        403 => error(
            Kind::MissingRole,
            format!("Identity-Aware Proxy refused to {action}: {account} may not pass; the function was not called"),
        )
        .detail("permission", "iap.webServiceVersions.accessViaIAP")
        .detail("member", asked.attempted.member().unwrap_or_default())
        .detail("role", "roles/iap.httpsResourceAccessor")
        .fix(format!(
            "whoever administers Identity-Aware Proxy grants {account} the role roles/iap.httpsResourceAccessor; then wait a few minutes"
        )),
        300..=399 | 401 => {
            let said = match audience {
                None => "no ID token was sent".to_owned(),
                // One line, in clear text: what it holds against the token.
                Some(_) => foreign(beginning(&response.body)),
            };
            error(
                Kind::Unauthenticated,
                format!("Identity-Aware Proxy refused to {action}: {said}; the function was not called"),
            )
            .fix(format!("Identity-Aware Proxy is in front of it: {TO_THE_PROXY}"))
        }
        429 => error(Kind::RateLimited, format!("Identity-Aware Proxy refused to {action}: too many requests"))
            .fix("wait and ask less often; the function was not called"),
        500.. => error(Kind::Unavailable, format!("Identity-Aware Proxy could not {action}: it has a fault"))
            .fix("try again later; if it stays so, whoever administers Identity-Aware Proxy looks at its OAuth client"),
        status => error(
            Kind::Forbidden,
            format!("Identity-Aware Proxy refused to {action} with status {status}; the function was not called"),
        )
        .fix("whoever administers Identity-Aware Proxy looks at its settings"),
    };
    let error = match audience {
        Some(audience) if response.status != 403 => error.detail("audience", audience),
        Some(_) | None => error,
    };
    error.cause(Cause::IdentityAwareProxy)
}

/// The front end's refusals of a request as such, and its own faults.
fn other(status: u16, asked: &Asked<'_>, error: &dyn Fn(Kind, String) -> Error) -> Error {
    let action = asked.attempted.action;
    let refused = |kind, why: &str| {
        error(kind, format!("Google's front end refused to {action}: {why}; the function was not called"))
    };
    match status {
        411 => refused(Kind::InvalidInput, "the request does not say how long its body is")
            .fix("this is the connector's or the host's to send: please report it"),
        413 => refused(Kind::TooLarge, "the body is too large")
            .fix("send less, or hand over a link to the data"),
        414 => refused(Kind::InvalidInput, "the URL is too long").fix("send what is long in the body"),
        431 => refused(Kind::InvalidInput, "the headers are too large").fix("send fewer or shorter headers"),
        405 => refused(Kind::InvalidInput, "it does not take this method").fix("use another method"),
        429 => refused(Kind::RateLimited, "there are too many requests").fix("wait and ask less often"),
        400..=499 => refused(Kind::InvalidInput, &format!("it cannot read the request (status {status})"))
            .fix("look at the method, the path, the headers and the body: the front end takes no GET with a body"),
        _ => error(
            Kind::Unavailable,
            format!("Google's front end got no answer while trying to {action} (status {status})"),
        )
        .fix("the function may have run: look before you repeat it, and at its logs"),
    }
}

fn forbidden(asked: &Asked<'_>, error: &dyn Fn(Kind, String) -> Error) -> Error {
    let attempted = asked.attempted;
    let permission = match asked.generation {
        Generation::Gen1 => "cloudfunctions.functions.invoke",
        Generation::Gen2 | Generation::CloudRun | Generation::Other => "run.routes.invoke",
    };
    let refused = format!("Google's front end refused to {}", attempted.action);
    let missing = |kind, what: String| missing_role(error(kind, what), attempted, permission);
    // 1st gen says the same to a caller from outside as to one without the role.
    if asked.generation == Generation::Gen1
        && let Some(ingress) = asked.ingress.filter(|ingress| is_internal(ingress))
    {
        let error = missing(Kind::Forbidden, refused);
        let role = error.fields().fix.clone().unwrap_or_default();
        return error.fix(format!(
            "its ingress is {ingress}, which likely is the reason: call it from inside its network, or have the ingress changed; if it is not, {role}"
        ));
    }
    let error = missing(Kind::MissingRole, format!("{refused}: {} may not invoke it", attempted.account));
    match asked.generation {
        Generation::Other => error.fix(format!(
            "whoever administers it grants {} the role of its generation: roles/run.invoker on its Cloud Run service, or roles/cloudfunctions.invoker on the function if it is of 1st gen; then wait a few minutes",
            attempted.account
        )),
        Generation::Gen1 | Generation::Gen2 | Generation::CloudRun => error,
    }
}

/// In the words of Cloud Functions and of Cloud Run.
fn is_internal(ingress: &str) -> bool {
    ingress.contains("INTERNAL")
}

/// Says what an answer looks like, where its status alone does not say it. It may be the function's own.
pub(super) fn diagnosis(response: &Response, method: Method) -> Option<String> {
    let text = std::str::from_utf8(&response.body).unwrap_or_default().trim_end();
    let crashed = response.header("x-google-status") == Some("crash");
    let what = match (response.status, text) {
        (500, "Error: could not handle the request") => {
            "the function crashed, or ended without an answer; its logs say why"
        }
        (500, _) if crashed => "the function crashed; its logs say why",
        (429, "Rate exceeded.") => {
            "likely no instance was available: the limit of instances is reached, or too many requests came at once"
        }
        (500 | 503, _) if Page::of(response) == Some(Page::ServerError) => {
            "likely no instance took the request: none was available, it failed at its start, or the project has no billing"
        }
        (503, _) if response.is("text/html") => {
            "likely no instance could start: it failed at its start, or ran out of memory"
        }
        (504, "upstream request timeout") => "likely the function ran longer than its own timeout",
        (401 | 403, _) if is_refused_head(response, method) => {
            "likely Google's front end refused: a HEAD has no page that tells; a GET shows the reason"
        }
        _ => return None,
    };
    Some(what.to_owned())
}

#[cfg(test)]
mod tests;
