//! Google's front end in place of the function: a caller that may not get in learns what is missing, and an
//! answer that nobody in the function wrote is said to be one. The texts are those of `front_end.rs` in the
//! core.

use bytes::Bytes;
use gcf_host::{
    Host,
    wit::{Auth, ConnectorError, ErrorKind, FunctionRef, Generation, Origin, TokenKind},
};
use http::{HeaderValue, Response};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::fixtures::{
    ACCOUNT,
    google::{FUNCTION, json_response, respond},
    invoke_request, named, refused,
    scripted::Scripted,
    world::{GEN1, called, gen1, gen2, on_script, with_function},
};

const HTML: &str = "text/html; charset=UTF-8";
const NO_INSTANCE: &str = "<h1>Error: Server Error</h1><h2>The service you requested is not available yet.";

fn hello() -> FunctionRef {
    named("hello", Some("us-central1"))
}

fn page(status: u16, title: &str) -> Response<Full<Bytes>> {
    let page = format!(
        "<html><h1>{title}</h1><h2>Your client does not have permission to get URL <code>/</code></h2></html>"
    );
    respond(status, HTML, page)
}

fn forbidden() -> Option<Response<Full<Bytes>>> {
    Some(page(403, "Error: Forbidden"))
}

/// Cloud Run's description of a function that was made through its own API.
fn on_cloud_run() -> Value {
    json!({"name": "projects/demo-project/locations/us-central1/services/hello",
        "uri": format!("https://{FUNCTION}"), "buildConfig": {"functionTarget": "hello"},
        "terminalCondition": {"state": "CONDITION_SUCCEEDED"}})
}

/// A project with a function of this generation, whose callers the front end turns away.
async fn closed(generation: Generation) -> (Host, Scripted, String) {
    match generation {
        Generation::Gen1 => with_function(gen1(), |_| forbidden()).await,
        Generation::Gen2 => with_function(gen2(), |_| forbidden()).await,
        Generation::CloudRun | Generation::Other => {
            on_script(|sent| match sent.url.split('/').nth(2) {
                Some("cloudfunctions.googleapis.com") => Some(json_response(404, &json!({}))),
                Some("run.googleapis.com") => Some(json_response(200, &on_cloud_run())),
                _ => forbidden(),
            })
            .await
        }
    }
}

fn detail<'a>(error: &'a ConnectorError, name: &str) -> Option<&'a str> {
    error.details.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}

#[tokio::test]
async fn who_may_not_invoke_learns_role_member_and_resource() {
    let function = "projects/demo-project/locations/us-central1/functions/hello";
    let service = "projects/demo-project/locations/us-central1/services/hello";
    let on_function = "gcloud functions add-iam-policy-binding hello --region=us-central1";
    let on_service = "gcloud run services add-iam-policy-binding hello --region=us-central1";
    for (generation, role, resource, command) in [
        (Generation::Gen1, "roles/cloudfunctions.invoker", function, on_function),
        (Generation::Gen2, "roles/run.invoker", service, on_service),
        (Generation::CloudRun, "roles/run.invoker", service, on_service),
    ] {
        let (host, google, id) = closed(generation).await;
        let error = refused(host.invoke(&id, invoke_request(hello()), None).await);
        assert_eq!(
            (error.kind, error.origin, error.http_status),
            (ErrorKind::MissingRole, Origin::GoogleFrontEnd, Some(403)),
            "{generation:?}"
        );
        let member = format!("serviceAccount:{ACCOUNT}");
        assert_eq!(
            ["role", "member", "resource"].map(|name| detail(&error, name)),
            [Some(role), Some(member.as_str()), Some(resource)]
        );
        let fix = error.fix.as_deref().unwrap();
        assert!(fix.contains(command) && fix.contains(&format!("--member={member} --role={role}")), "{fix}");
        assert_eq!(called(&google).len(), 1, "{generation:?}");
    }
}

#[tokio::test]
async fn of_a_url_the_role_is_told_as_far_as_it_is_known() {
    let (host, _, id) = on_script(|_| forbidden()).await;
    let by = |url: &str| invoke_request(FunctionRef::Url(url.to_owned()));
    let error = refused(host.invoke(&id, by(&format!("https://{FUNCTION}")), None).await);
    assert_eq!((error.kind, detail(&error, "role")), (ErrorKind::MissingRole, Some("roles/run.invoker")));
    let error = refused(host.invoke(&id, by(GEN1), None).await);
    assert_eq!(error.kind, ErrorKind::MissingRole);
    let fix = error.fix.as_deref().unwrap();
    assert!(fix.contains("roles/run.invoker") && fix.contains("roles/cloudfunctions.invoker"), "{fix}");
}

#[tokio::test]
async fn a_token_that_is_not_accepted_names_its_audience() {
    let unauthorized = |_: &_| Some(page(401, "Error: Unauthorized"));
    let (host, _, id) = with_function(gen2(), unauthorized).await;
    for (given, audience) in [
        (None, format!("https://{FUNCTION}")),
        (Some("https://api.example.com"), "https://api.example.com".into()),
    ] {
        let request = {
            let mut request = invoke_request(hello());
            request.audience = given.map(str::to_owned);
            request
        };
        let error = refused(host.invoke(&id, request, None).await);
        assert_eq!(
            (error.kind, error.origin, error.http_status),
            (ErrorKind::Unauthenticated, Origin::GoogleFrontEnd, Some(401))
        );
        assert_eq!(error.details, [("audience".to_owned(), audience)]);
    }
    // Without a token there is none to name, only a way to have one.
    let request = invoke_request(hello()).auth(Auth::None);
    let error = refused(host.invoke(&id, request, None).await);
    assert_eq!(error.kind, ErrorKind::Unauthenticated);
    assert_eq!(error.details, [("cause".to_owned(), "needs-credential".to_owned())]);
    assert!(error.fix.as_deref().unwrap().contains("auth `auto` or `id-token`"), "{:?}", error.fix);
    assert_eq!(error.trace.last().unwrap().token, TokenKind::None);
}

#[tokio::test]
async fn an_answer_that_no_instance_gave_comes_with_a_diagnosis() {
    for (status, content_type, body, said) in [
        (429, "text/plain", "Rate exceeded.", "likely no instance was available"),
        (500, HTML, NO_INSTANCE, "likely no instance took the request"),
        (503, HTML, NO_INSTANCE, "likely no instance took the request"),
        (503, HTML, "<html></html>", "likely no instance could start"),
        (
            504,
            "text/plain",
            "upstream request timeout",
            "likely the function ran longer than its own timeout",
        ),
        (500, "text/plain", "Error: could not handle the request\n", "the function crashed"),
    ] {
        let (host, google, id) =
            with_function(gen2(), move |_| Some(respond(status, content_type, body))).await;
        let answer = host.invoke(&id, invoke_request(hello()), None).await.unwrap();
        assert_eq!((answer.status, answer.body.as_bytes()), (status, body.as_bytes()));
        let diagnosis = answer.diagnosis.unwrap();
        assert!(diagnosis.starts_with(said), "{diagnosis}");
        assert_eq!(called(&google).len(), 1, "{status}: the function may have run");
    }
}

#[tokio::test]
async fn a_page_of_the_functions_own_is_its_answer() {
    for (status, content_type, body) in [
        (403, HTML, "<h1>Error: Forbidden</h1>"),
        (404, HTML, "<h1>Not Found</h1><p>The requested URL was not found on the server.</p>"),
        (500, "text/plain", "Internal Server Error"),
        (429, "text/plain", "slow down"),
        (504, "text/plain", "x"),
    ] {
        let (host, _, id) = with_function(gen2(), move |_| Some(respond(status, content_type, body))).await;
        let answer = host.invoke(&id, invoke_request(hello()), None).await.unwrap();
        assert_eq!((answer.status, answer.diagnosis), (status, None), "{body}");
    }
    // A 1st gen function that ran says so, whatever it writes.
    let (host, _, id) = with_function(gen1(), |_| {
        let mut answer = page(403, "Error: Forbidden");
        answer.headers_mut().insert("function-execution-id", HeaderValue::from_static("f9w1xts7agka"));
        Some(answer)
    })
    .await;
    let answer = host.invoke(&id, invoke_request(hello()), None).await.unwrap();
    assert_eq!((answer.status, answer.execution_id.as_deref()), (403, Some("f9w1xts7agka")));
}
