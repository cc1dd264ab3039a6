//! The function that is called, by whichever name; the audience of its token; and its own answers.

use gcf_host::wit::{
    Body, Content, ErrorKind, FunctionRef, Generation, GuardRails, Origin, TokenKind, Trigger,
};
use serde_json::{Value, json};

use crate::fixtures::{
    ACCOUNT, connect_request, connected,
    google::{FUNCTION, json_response, respond, verified},
    invoke_request, named, refused,
    scripted::Sent,
    silent::silent,
    world::{called, gen1, gen2, on_script, with_function},
};

const EVENT: &str = r#"{"specversion": "1.0", "id": "7", "source": "//storage.googleapis.com/b",
    "type": "google.cloud.storage.object.v1.finalized", "data": {"n": 1.0}}"#;

fn hello() -> FunctionRef {
    named("hello", Some("us-central1"))
}

fn by_url() -> FunctionRef {
    FunctionRef::Url(format!("https://{FUNCTION}"))
}

/// The audiences of the ID tokens that were asked for.
fn audiences(sent: &[Sent]) -> Vec<String> {
    let assertions = sent.iter().map(|sent| sent.field("assertion")).filter(|text| !text.is_empty());
    assertions.filter_map(|text| verified(&text)["target_audience"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
pub(crate) async fn a_function_of_cloud_run_is_called_by_its_name() {
    let (host, replay, id) = connected("invoke-cloud-run.json").await;
    let mut request = invoke_request(named("slack-bot", Some("us-central1")));
    request.body = Some(Body::Json(r#"{"name":"world"}"#.to_owned()));
    let answer = host.invoke(&id, request, None).await.unwrap();
    assert_eq!((answer.status, answer.generation), (200, Generation::CloudRun));
    assert_eq!(answer.body, Content::Json(r#"{"message":"Hello, world!"}"#.to_owned()));
    assert_eq!((answer.token, answer.principal.as_deref()), (TokenKind::IdToken, Some(ACCOUNT)));
    let origin = answer.url.strip_suffix('/').unwrap();
    assert!(origin.ends_with("-uc.a.run.app"), "{origin}");
    assert_eq!(answer.audience.as_deref(), Some(origin));
    let statuses: Vec<_> = answer.trace.iter().filter_map(|exchange| exchange.status).collect();
    assert_eq!(statuses, [404, 200, 200, 200], "Cloud Functions, Cloud Run, the token, the function");
    replay.finish().unwrap();
}

#[tokio::test]
async fn a_resource_name_is_of_any_project_and_region() {
    let resource = "projects/other-project/locations/europe-west1/functions/report";
    let described = json!({"name": resource, "environment": "GEN_2", "state": "ACTIVE",
        "serviceConfig": {"uri": format!("https://{FUNCTION}")}});
    let (host, google, id) = with_function(described, |_| Some(json_response(200, &json!({})))).await;
    let by_name = || FunctionRef::Resource(resource.to_owned());
    let function = host.get_function(&id, by_name(), None).await.unwrap();
    assert_eq!(
        (function.project.as_str(), function.region.as_str(), function.name.as_str()),
        ("other-project", "europe-west1", "report")
    );
    let lookup = google.take().pop().unwrap().url;
    assert!(lookup.starts_with(&format!("https://cloudfunctions.googleapis.com/v2/{resource}?")), "{lookup}");
    assert_eq!(host.invoke(&id, invoke_request(by_name()), None).await.unwrap().status, 200);
    let sent = google.take();
    assert_eq!((sent[0].url.as_str(), sent.len()), (lookup.as_str(), 3), "lookup, token, function");
    assert_eq!(sent[2].url, format!("https://{FUNCTION}/"));
}

#[tokio::test]
async fn another_audience_is_minted_for_where_google_says_where_the_function_is() {
    let own = format!("https://{FUNCTION}");
    let with_path = format!("https://{FUNCTION}/path");
    for (audience, by) in [
        (own.as_str(), [hello(), by_url()].as_slice()),
        (&with_path, &[hello(), by_url()]),
        ("123.apps.googleusercontent.com", &[hello(), of_project("demo-project")]),
        ("https://api.example.com", &[hello(), of_project("demo-project")]),
        ("team", &[hello(), of_project("demo-project")]),
    ] {
        for function in by {
            let function = function.clone();
            let (host, google, id) = with_function(gen2(), |_| Some(json_response(200, &json!({})))).await;
            let request = invoke_request(function).audience(audience);
            let answer = host.invoke(&id, request, None).await.unwrap();
            assert_eq!(answer.audience.as_deref(), Some(audience));
            let sent = google.take();
            assert_eq!(audiences(&sent), [audience]);
            let call = sent.last().unwrap();
            assert_eq!(call.url, format!("https://{FUNCTION}/"));
            assert!(call.authorization.starts_with("Bearer ey"), "{audience}");
        }
    }
}

fn of_project(project: &str) -> FunctionRef {
    FunctionRef::Resource(format!("projects/{project}/locations/us-central1/functions/hello"))
}

/// Google's own services, other people's OAuth clients and whatever a service lists open more than the
/// function does, and a URL or another project may be anybody's.
#[tokio::test]
async fn a_function_of_the_callers_choice_receives_no_token_for_something_else() {
    let (host, google, id) = with_function(gen2(), |_| Some(json_response(200, &json!({})))).await;
    let with = |function: &FunctionRef, audience: &str| invoke_request(function.clone()).audience(audience);
    for audience in ["32555940559.apps.googleusercontent.com", "https://sts.googleapis.com", "team"] {
        for function in [by_url(), of_project("other-project"), of_project("123456789012")] {
            let error = refused(host.invoke(&id, with(&function, audience), None).await);
            assert_eq!(error.kind, ErrorKind::InvalidInput);
            assert_eq!(
                error.details,
                [
                    ("field".to_owned(), "audience".to_owned()),
                    ("cause".to_owned(), "unknown-function".to_owned())
                ]
            );
            assert!(error.fix.unwrap().contains("whoever manages this connection to allow the audience"));
            assert!(google.take().is_empty(), "{audience}: nothing is sent");
        }
    }
    let allowed = "32555940559.apps.googleusercontent.com";
    let rails = GuardRails { audiences: vec![allowed.to_owned()], ..crate::guard_rails::none() };
    host.restrict(&id, Some(rails)).await.unwrap();
    for function in [by_url(), of_project("other-project"), hello()] {
        let answer = host.invoke(&id, with(&function, allowed), None).await.unwrap();
        assert_eq!(answer.audience.as_deref(), Some(allowed));
        google.take();
        let error = refused(host.invoke(&id, with(&function, "https://sts.googleapis.com"), None).await);
        assert_eq!(error.kind, ErrorKind::Restricted);
        assert_eq!(error.details, [("rail".to_owned(), "audiences".to_owned())]);
        assert!(google.take().is_empty(), "nothing is sent");
    }
}

#[tokio::test]
async fn an_audience_of_another_function_is_refused_and_no_token_is_minted() {
    let bad = [
        "https://victim-xyz-uc.a.run.app",
        "https://victim-123456789012.us-central1.run.app/path",
        "https://us-central1-victim.cloudfunctions.net/hello",
        "https://VICTIM-xyz-uc.A.run.app:443",
        "",
        "two words",
        "caf\u{e9}",
    ];
    let (host, id) = silent(connect_request()).await;
    let (by_name, google, name_id) = with_function(gen2(), |sent| {
        let service =
            "https://run.googleapis.com/v2/projects/demo-project/locations/us-central1/services/hello?";
        assert!(sent.url.starts_with(service), "{} was called", sent.url);
        Some(json_response(200, &json!({"urls": [format!("https://{FUNCTION}")]})))
    })
    .await;
    for audience in bad {
        let of = |function| invoke_request(function).audience(audience);
        let field = ("field".to_owned(), "audience".to_owned());
        let error = refused(host.invoke(&id, of(by_url()), None).await);
        assert_eq!((error.kind, error.details.first()), (ErrorKind::InvalidInput, Some(&field)));
        assert!(error.trace.is_empty(), "{audience}");
        let error = refused(by_name.invoke(&name_id, of(hello()), None).await);
        assert_eq!((error.kind, error.details.first()), (ErrorKind::InvalidInput, Some(&field)));
        let asked: Vec<_> = google.take().into_iter().map(|sent| sent.url).collect();
        let of = |host: &str| asked.iter().filter(|url| url.starts_with(&format!("https://{host}/"))).count();
        let lookups = usize::from(audience == bad[0]);
        assert_eq!(of("cloudfunctions.googleapis.com"), lookups, "{audience}: it was looked up once");
        let of_functions =
            usize::from(audience.contains(".app") || audience.contains(".A.") || audience.contains(".net"));
        assert_eq!(
            of("run.googleapis.com"),
            of_functions,
            "{audience}: its service was asked about each time"
        );
        assert_eq!(asked.len(), lookups + of_functions, "{audience}: nobody else was asked");
    }
}

#[tokio::test]
async fn a_status_is_data_unless_it_is_to_be_an_error() {
    for status in [404, 418, 500, 302] {
        let (host, _, id) =
            on_script(move |_| Some(respond(status, "text/plain", "the function's own"))).await;
        let request = |raise_for_status| invoke_request(by_url()).raise_for_status(raise_for_status);
        let answer = host.invoke(&id, request(false), None).await.unwrap();
        assert_eq!((answer.status, answer.body.as_bytes()), (status, b"the function's own".as_slice()));
        let error = refused(host.invoke(&id, request(true), None).await);
        assert_eq!(
            (error.kind, error.origin, error.http_status),
            (ErrorKind::Status, Origin::Function, Some(status))
        );
        assert_eq!(error.trace.last().unwrap().status, Some(status));
        assert!(!error.message.contains("the function's own"), "{}", error.message);
    }
    for status in [200, 204, 299] {
        let (host, _, id) = on_script(move |_| Some(respond(status, "text/plain", ""))).await;
        let request = invoke_request(by_url()).raise_for_status(true);
        assert_eq!(host.invoke(&id, request, None).await.unwrap().status, status);
    }
}

/// An answer that somebody else's connector took for an error of Google's API.
#[tokio::test]
async fn what_looks_like_an_error_of_google_is_the_functions_own_answer() {
    for (status, name) in [(403, "PERMISSION_DENIED"), (404, "NOT_FOUND"), (401, "UNAUTHENTICATED")] {
        let message = "Permission 'cloudfunctions.functions.get' denied on 'projects/p'";
        let body = json!({"error": {"code": status, "message": message, "status": name}});
        let answered = body.clone();
        let (host, google, id) = with_function(gen2(), move |_| Some(json_response(status, &answered))).await;
        for function in [hello(), by_url()] {
            let answer = host.invoke(&id, invoke_request(function), None).await.unwrap();
            assert_eq!((answer.status, &answer.diagnosis), (status, &None));
            assert_eq!(answer.body, Content::Json(body.to_string()));
        }
        assert_eq!(called(&google).len(), 2, "{status}: nothing is sent again");
    }
}

fn with_trigger(mut described: Value, event: &str) -> Value {
    described["eventTrigger"] = json!({"eventType": event});
    described
}

#[tokio::test]
async fn an_event_goes_to_a_second_gen_function_at_its_url() {
    let described = with_trigger(gen2(), "google.cloud.storage.object.v1.finalized");
    let (host, google, id) = with_function(described, |_| Some(respond(204, "text/plain", ""))).await;
    let function = host.get_function(&id, hello(), None).await.unwrap();
    assert!(matches!(function.trigger, Trigger::Event(_)), "{:?}", function.trigger);
    let body = Some(Body::CloudEvent(EVENT.to_owned()));
    let answer = host
        .invoke(
            &id,
            {
                let mut request = invoke_request(hello());
                request.body = body;
                request
            },
            None,
        )
        .await
        .unwrap();
    assert_eq!((answer.status, answer.generation), (204, Generation::Gen2));
    let calls = called(&google);
    let [call] = calls.as_slice() else { panic!("{} calls", calls.len()) };
    assert_eq!((call.method.as_str(), call.url.as_str()), ("POST", format!("https://{FUNCTION}/").as_str()));
    assert_eq!(call.body, r#"{"n": 1.0}"#);

    // Without one it is not called at all.
    let error = refused(host.invoke(&id, invoke_request(hello()), None).await);
    assert_eq!(error.kind, ErrorKind::NotInvocable);
    assert!(error.message.contains("started by events"), "{}", error.message);
    assert!(called(&google).is_empty());
}

#[tokio::test]
async fn a_second_credential_for_a_first_gen_function_is_refused_once_that_is_known() {
    let (host, google, id) = with_function(gen1(), |sent| panic!("{} was called", sent.url)).await;
    let mut request = invoke_request(hello());
    request.authorization = Some("Basic of-the-caller".to_owned());
    let error = refused(host.invoke(&id, request, None).await);
    assert_eq!(error.kind, ErrorKind::InvalidInput);
    assert_eq!(error.details, [("field".to_owned(), "authorization".to_owned())]);
    assert!(error.message.contains("hello is of 1st gen"), "{}", error.message);
    assert!(error.message.contains("does not know X-Serverless-Authorization"), "{}", error.message);
    assert!(error.fix.unwrap().contains("the function was not called"));
    assert_eq!(google.take().len(), 1, "the function is looked up, and no token is minted");
}

#[tokio::test]
async fn the_quota_of_test_calls_is_told_when_it_is_spent() {
    let described = with_trigger(gen1(), "google.storage.object.finalize");
    let (host, google, id) = with_function(described, |_| {
        let body =
            json!({"error": {"code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED"}});
        let mut answer = json_response(429, &body);
        answer.headers_mut().insert("retry-after", http::HeaderValue::from_static("90"));
        Some(answer)
    })
    .await;
    let body = Some(Body::CloudEvent(EVENT.to_owned()));
    let error = refused(
        host.invoke(
            &id,
            {
                let mut request = invoke_request(hello());
                request.body = body;
                request
            },
            None,
        )
        .await,
    );
    assert_eq!((error.kind, error.http_status), (ErrorKind::RateLimited, Some(429)));
    assert_eq!(error.retry_after_ms, Some(90_000));
    assert!(error.fix.as_deref().unwrap().contains("16 times in 100 s"), "{:?}", error.fix);
    let calls = google.take().into_iter().filter(|sent| sent.url.ends_with(":call"));
    assert_eq!(calls.count(), 1, "it may have an effect, and is never repeated");
}

/// On `cloudfunctions.net` the functions of a region share their origin: only the path tells them apart.
#[tokio::test]
async fn an_audience_of_a_neighbour_on_the_same_host_is_refused() {
    let neighbour = "https://us-central1-demo-project.cloudfunctions.net/neighbour";
    let by_url = FunctionRef::Url("https://us-central1-demo-project.cloudfunctions.net/hello".to_owned());
    for function in [hello(), by_url] {
        let (host, google, id) = with_function(gen1(), |_| Some(respond(200, "text/plain", ""))).await;
        let request = invoke_request(function).audience(neighbour);
        let error = refused(host.invoke(&id, request, None).await);
        assert_eq!(
            error.details,
            [
                ("field".to_owned(), "audience".to_owned()),
                ("cause".to_owned(), "another-function".to_owned())
            ]
        );
        assert!(called(&google).is_empty());
    }
}

/// The function that was found may not be the one that is meant.
#[tokio::test]
async fn a_bare_name_is_read_and_not_called_while_a_region_is_silent() {
    let (host, google, id) = on_script(|sent| {
        let answer = match sent.url.as_str() {
            url if url.contains("/functions?") => {
                json!({"functions": [gen2()], "unreachable": ["europe-west1"]})
            }
            url if url.contains("/locations?") => json!({"locations": [{"locationId": "us-central1"}]}),
            _ => json!({}),
        };
        Some(json_response(200, &answer))
    })
    .await;
    assert_eq!(host.get_function(&id, named("hello", None), None).await.unwrap().region, "us-central1");
    google.take();
    let error = refused(host.invoke(&id, invoke_request(named("hello", None)), None).await);
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.fix.unwrap().contains("name the region, such as us-central1"));
    assert!(called(&google).is_empty());
}
