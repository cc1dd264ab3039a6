//! Telling Google's front end from the function behind it.

use super::Generation;
use crate::{
    base::{
        error::{Cause, Error, Kind, Origin},
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

/// The pages of the front end that are known by their words. A function can write the same; one that does is taken for
/// Google.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Page {
    Unauthorized,
    Forbidden,
    NotFound,
    /// It took the request, and no instance did.
    ServerError,
    /// The sign-in of people, as Identity-Aware Proxy asks for it.
    Login,
}

impl Page {
    /// A function that ran leaves a `function-execution-id` in 1st gen, and nothing in 2nd gen.
    fn of(response: &Response) -> Option<Self> {
        if response.header("function-execution-id").is_some() {
            return None;
        }
        if (300..400).contains(&response.status) {
            return response.header("location").is_some_and(is_login).then_some(Self::Login);
        }
        if !response.is("text/html") {
            return None;
        }
        let page =
            std::str::from_utf8(response.body.get(..2048).unwrap_or(&response.body)).unwrap_or_default();
        let says = |title: &str, text: &str| page.contains(title) && page.contains(text);
        match response.status {
            401 => says("Error: Unauthorized", "Your client does not have permission")
                .then_some(Self::Unauthorized),
            403 => {
                says("Error: Forbidden", "Your client does not have permission").then_some(Self::Forbidden)
            }
            404 => says("Error: Page not found", "The requested URL was not found on this server")
                .then_some(Self::NotFound),
            500 | 503 => says("Error: Server Error", "The service you requested is not available yet")
                .then_some(Self::ServerError),
            _ => None,
        }
    }
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
        Some(Page::NotFound | Page::ServerError | Page::Login) => false,
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

/// The refusal of Google's front end, if this is one: then the function was never reached.
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
        .fix("likely Identity-Aware Proxy is in front of it: invoke with auth `id-token`, and with the OAuth client id of the proxy as audience"),
        (Page::ServerError, _) => return None,
    })
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
mod tests {
    use super::*;
    use crate::google::refusal::api::Resource;

    fn attempted() -> Attempted<'static> {
        Attempted {
            action: "invoke f",
            project: "p",
            account: "a@p.iam.gserviceaccount.com",
            member: "serviceAccount:a@p.iam.gserviceaccount.com".to_owned(),
            permission: "",
            resource: Resource::Project,
        }
    }

    fn page(status: u16, title: &str) -> Response {
        Response {
            status,
            headers: vec![("content-type".to_owned(), b"text/html; charset=UTF-8".to_vec())],
            body: format!(
                "<html><h1>{title}</h1><h2>Your client does not have permission to get URL <code>/</code></h2></html>"
            )
            .into_bytes(),
        }
    }

    fn asked<'a>(
        attempted: &'a Attempted<'a>,
        generation: Generation,
        ingress: Option<&'a str>,
    ) -> Asked<'a> {
        Asked { attempted, generation, ingress, audience: Some("https://f") }
    }

    fn refused(response: &Response, generation: Generation) -> Option<Error> {
        refusal(response, &asked(&attempted(), generation, None))
    }

    fn not_found() -> Response {
        let mut page = page(404, "Error: Page not found");
        page.body = b"<h1>Error: Page not found</h1><h2>The requested URL was not found on this server.</h2>"
            .to_vec();
        page
    }

    fn redirect(location: &str) -> Response {
        Response {
            status: 302,
            headers: vec![("location".to_owned(), location.as_bytes().to_vec())],
            body: Vec::new(),
        }
    }

    fn detail<'e>(error: &'e Error, name: &str) -> Option<&'e str> {
        error.fields().details.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn a_403_names_the_role_of_the_generation() {
        for (generation, role) in [
            (Generation::Gen1, "roles/cloudfunctions.invoker"),
            (Generation::Gen2, "roles/run.invoker"),
            (Generation::CloudRun, "roles/run.invoker"),
        ] {
            let error = refused(&page(403, "Error: Forbidden"), generation).unwrap();
            assert_eq!((error.kind(), detail(&error, "role")), (Kind::MissingRole, Some(role)));
        }
        let error = refused(&page(403, "Error: Forbidden"), Generation::Other).unwrap();
        let fix = error.fields().fix.clone().unwrap();
        assert!(fix.contains("roles/run.invoker") && fix.contains("roles/cloudfunctions.invoker"), "{fix}");
    }

    #[test]
    fn a_401_speaks_of_the_audience_and_without_a_token_of_auth() {
        let error = refused(&page(401, "Error: Unauthorized"), Generation::Gen2).unwrap();
        assert_eq!((error.kind(), detail(&error, "audience")), (Kind::Unauthenticated, Some("https://f")));
        for page in [page(401, "Error: Unauthorized"), page(403, "Error: Forbidden")] {
            let attempted = attempted();
            let without = Asked { audience: None, ..asked(&attempted, Generation::Gen2, None) };
            let error = refusal(&page, &without).unwrap();
            assert_eq!(error.kind(), Kind::Unauthenticated);
            assert!(error.fields().fix.as_ref().unwrap().contains("auth `auto`"));
        }
    }

    #[test]
    fn a_404_of_the_front_end_speaks_of_the_ingress() {
        let attempted = attempted();
        for (ingress, said) in [
            (Some("ALLOW_INTERNAL_ONLY"), "its ingress is ALLOW_INTERNAL_ONLY"),
            (Some("INGRESS_TRAFFIC_INTERNAL_ONLY"), "its ingress is INGRESS_TRAFFIC_INTERNAL_ONLY"),
            (Some("ALLOW_ALL"), "likely there is no such service"),
            (None, "likely there is no such service"),
        ] {
            let error = refusal(&not_found(), &asked(&attempted, Generation::Gen2, ingress)).unwrap();
            assert_eq!((error.kind(), error.fields().origin), (Kind::NotFound, Origin::GoogleFrontEnd));
            assert!(error.fields().fix.as_ref().unwrap().contains(said), "{error}");
        }
        let internal = asked(&attempted, Generation::Gen1, Some("ALLOW_INTERNAL_AND_GCLB"));
        let error = refusal(&page(403, "Error: Forbidden"), &internal).unwrap();
        assert_eq!(
            (error.kind(), detail(&error, "role")),
            (Kind::Forbidden, Some("roles/cloudfunctions.invoker"))
        );
        let fix = error.fields().fix.as_ref().unwrap();
        assert!(fix.contains("ingress is ALLOW_INTERNAL_AND_GCLB") && fix.contains("gcloud"), "{fix}");
    }

    #[test]
    fn a_functions_own_answer_is_its_own() {
        let mut own = page(403, "Error: Forbidden");
        own.headers.push(("function-execution-id".to_owned(), b"x".to_vec()));
        let mut json = not_found();
        json.headers = vec![("content-type".to_owned(), b"application/json".to_vec())];
        let mut flask = page(404, "Not Found");
        flask.body = b"<h1>Not Found</h1><p>The requested URL was not found on the server.</p>".to_vec();
        for response in
            [own, page(403, "No"), page(404, "Error: Forbidden"), json, flask, page(200, "Error: Forbidden")]
        {
            assert_eq!(refused(&response, Generation::Gen1), None);
            assert!(!asks_who(&response, Method::Post));
            assert_eq!(diagnosis(&response, Method::Post), None);
        }
    }

    #[test]
    fn a_redirect_to_the_sign_in_is_a_refusal_and_any_other_is_an_answer() {
        for location in [
            "https://accounts.google.com/ServiceLogin?continue=x",
            "https://accounts.google.com/o/oauth2/v2/auth?redirect_uri=https%3A%2F%2Fiap.googleapis.com%2Fv1",
        ] {
            let error = refused(&redirect(location), Generation::Other).unwrap();
            assert_eq!((error.kind(), error.fields().http_status), (Kind::Unauthenticated, Some(302)));
            assert!(!format!("{error:?}").contains("continue"));
        }
        for location in [
            "https://evil.com/",
            "https://accounts.google.com.evil.com/ServiceLogin",
            "http://accounts.google.com/ServiceLogin",
            "//accounts.google.com/ServiceLogin",
            "https://accounts.google.com/o/oauth2/v2/auth?redirect_uri=https%3A%2F%2Ff-abc-uc.a.run.app%2Fdone",
            "",
        ] {
            assert_eq!(refused(&redirect(location), Generation::Other), None, "{location}");
        }
        assert!(!asks_who(&redirect("https://accounts.google.com/ServiceLogin"), Method::Get));
    }

    #[test]
    fn only_the_two_pages_ask_who_and_a_head_without_a_page() {
        assert!(asks_who(&page(401, "Error: Unauthorized"), Method::Post));
        assert!(asks_who(&page(403, "Error: Forbidden"), Method::Post));
        assert!(!asks_who(&not_found(), Method::Post));
        let mut head = page(403, "");
        head.body.clear();
        assert!(asks_who(&head, Method::Head) && !asks_who(&head, Method::Get));
        assert!(diagnosis(&head, Method::Head).is_some() && diagnosis(&head, Method::Get).is_none());
    }

    #[test]
    fn an_answer_is_diagnosed_and_only_what_is_known_is_claimed() {
        let text = |status, body: &str| Response {
            status,
            headers: vec![("content-type".to_owned(), b"text/plain".to_vec())],
            body: body.as_bytes().to_vec(),
        };
        let mut server_error = page(500, "");
        server_error.body =
            b"<h1>Error: Server Error</h1><h2>The service you requested is not available yet.".to_vec();
        let mut crash = text(500, "Internal Server Error");
        crash.headers.push(("x-google-status".to_owned(), b"crash".to_vec()));
        for (response, said) in [
            (text(500, "Error: could not handle the request\n"), "the function crashed"),
            (crash, "the function crashed"),
            (text(429, "Rate exceeded."), "likely no instance was available"),
            (server_error, "likely no instance took the request"),
            (page(503, "x"), "likely no instance could start"),
            (text(504, "upstream request timeout"), "likely the function ran longer"),
        ] {
            assert_eq!(refused(&response, Generation::Gen2), None, "{said}");
            assert!(diagnosis(&response, Method::Post).unwrap().starts_with(said), "{said}");
        }
        for own in
            [text(500, "Internal Server Error"), text(429, "slow down"), text(404, "no"), text(504, "x")]
        {
            assert_eq!(diagnosis(&own, Method::Post), None);
        }
    }
}
