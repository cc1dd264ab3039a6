//! Telling Google's front end from the function behind it.

use super::Generation;
use crate::{
    error::{Error, Kind, Origin},
    google::{Attempted, missing_role},
    http::Response,
};

/// The refusal of Google's front end, if this is one: then the function was never reached.
///
/// Its pages say `Error: Unauthorized` or `Error: Forbidden` and speak of "your client"; a function
/// that ran leaves a `function-execution-id`.
pub(super) fn refusal(
    response: &Response,
    generation: Generation,
    attempted: &Attempted<'_>,
    with_token: bool,
) -> Option<Error> {
    if !response.is("text/html") || response.header("function-execution-id").is_some() {
        return None;
    }
    let page = std::str::from_utf8(response.body.get(..2048).unwrap_or(&response.body)).unwrap_or_default();
    let says = |title: &str| page.contains(title) && page.contains("Your client does not have permission");
    let error =
        |kind, what: String| Error::new(kind, Origin::GoogleFrontEnd, what).http_status(response.status);
    match response.status {
        401 if says("Error: Unauthorized") => Some(
            error(
                Kind::Unauthenticated,
                format!("Google's front end did not accept the ID token while trying to {}", attempted.action),
            )
            .fix("check the audience: the function's own URL, unless the service lists another one as a custom audience"),
        ),
        403 if says("Error: Forbidden") && with_token => {
            let permission = match generation {
                Generation::Gen1 => "cloudfunctions.functions.invoke",
                Generation::Gen2 | Generation::CloudRun | Generation::Other => "run.routes.invoke",
            };
            let error = error(
                Kind::MissingRole,
                format!("Google's front end refused to {}: {} may not invoke it", attempted.action, attempted.account),
            );
            Some(missing_role(error, attempted, permission))
        }
        403 if says("Error: Forbidden") => Some(
            error(
                Kind::Unauthenticated,
                format!("Google's front end refused to {} without a credential", attempted.action),
            )
            .fix("the function is not open to everyone: invoke it with auth `auto`"),
        ),
        _ => None,
    }
}

/// What an answer looks like, where its status alone does not say it.
pub(super) fn diagnosis(response: &Response, generation: Generation) -> Option<String> {
    let text = std::str::from_utf8(&response.body).unwrap_or_default().trim_end();
    let what = match (response.status, text) {
        (500, "Error: could not handle the request") => {
            "the function crashed, or ended without an answer; its logs say why"
        }
        (429, "Rate exceeded.") => {
            "no instance was available: the limit of instances is reached, or too many requests came at once"
        }
        (504, "upstream request timeout") => "the function ran longer than its own timeout",
        (503, _) if generation != Generation::Other && response.is("text/html") => {
            "no instance could start: it failed at its start, or ran out of memory"
        }
        _ => return None,
    };
    Some(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::google::Resource;

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

    #[test]
    fn a_403_names_the_role_of_the_generation() {
        let role = |generation| {
            let error = refusal(&page(403, "Error: Forbidden"), generation, &attempted(), true).unwrap();
            error.fields().details.iter().find(|(name, _)| name == "role").unwrap().1.clone()
        };
        assert_eq!(role(Generation::Gen1), "roles/cloudfunctions.invoker");
        assert_eq!(role(Generation::Gen2), "roles/run.invoker");
    }

    #[test]
    fn a_functions_own_403_is_its_own() {
        let mut own = page(403, "Error: Forbidden");
        own.headers.push(("function-execution-id".to_owned(), b"x".to_vec()));
        assert_eq!(refusal(&own, Generation::Gen1, &attempted(), true), None);
        assert_eq!(refusal(&page(403, "No"), Generation::Gen1, &attempted(), true), None);
        assert_eq!(refusal(&page(404, "Error: Forbidden"), Generation::Gen1, &attempted(), true), None);
    }
}
