//! The waiting of a call: for a function, for Google's word on when to come back, and no longer than it was
//! given. The runtime's clock is paused, and the component reads that one, so that waiting takes no time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use gcf_host::{
    Host,
    wit::{Auth, ErrorKind, FunctionRef, InvokeRequest},
};
use http::{HeaderValue, Response, header::RETRY_AFTER};
use http_body_util::Full;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use crate::fixtures::{
    api_request,
    google::{FUNCTION, json_response},
    invoke_request, list_request, named, refused,
    scripted::Scripted,
    world::{called, gen2, on_script, with_function},
};

const LOCATIONS: &str = "/v2/projects/demo-project/locations";

/// Asserts the time of a call to the second: the component's own work takes a moment, too.
#[track_caller]
fn assert_took(began: Instant, seconds: u64) {
    let took = began.elapsed();
    assert!((seconds..=seconds + 1).contains(&took.as_secs()), "{took:?} in place of {seconds} s");
}

fn by_name() -> InvokeRequest {
    invoke_request(named("hello", Some("us-central1")))
}

#[tokio::test(start_paused = true)]
async fn a_silent_function_has_its_own_timeout_and_30_seconds() {
    for (own, seconds) in [(Some(300), 330), (Some(3600), 3630), (Some(5), 60), (None, 60)] {
        let mut described = gen2();
        described["serviceConfig"]["timeoutSeconds"] = json!(own);
        let (host, google, id) = with_function(described, |_| None).await;
        let began = Instant::now();
        let error = refused(host.invoke(&id, by_name(), None).await);
        assert_took(began, seconds);
        assert_eq!(error.kind, ErrorKind::DeadlineExceeded, "{own:?}");
        assert!(error.fix.unwrap().contains("may have been processed"));
        assert_eq!(called(&google).len(), 1, "{own:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_callers_deadline_is_kept_whatever_the_functions_timeout_is() {
    let mut described = gen2();
    described["serviceConfig"]["timeoutSeconds"] = json!(300);
    let (host, google, id) = with_function(described, |_| None).await;
    for seconds in [7, 400] {
        let began = Instant::now();
        let deadline = Some(Duration::from_secs(seconds));
        // Idempotent or not: the time is over.
        let request = by_name().idempotent(true);
        let error = refused(host.invoke(&id, request, deadline).await);
        assert_took(began, seconds);
        assert_eq!((error.kind, called(&google).len()), (ErrorKind::DeadlineExceeded, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_of_which_only_the_url_is_known_has_60_seconds() {
    let (host, google, id) = on_script(|_| None).await;
    let began = Instant::now();
    let function = FunctionRef::Url(format!("https://{FUNCTION}"));
    let error = refused(host.invoke(&id, invoke_request(function), None).await);
    assert_took(began, 60);
    assert_eq!((error.kind, called(&google).len()), (ErrorKind::DeadlineExceeded, 1));
}

type Refusal = fn() -> Response<Full<Bytes>>;

/// An API or a function that is there again when it is asked a second time.
async fn back_soon(refusal: Refusal) -> (Host, Scripted, String) {
    let asked = Arc::new(AtomicU32::new(0));
    on_script(move |_| {
        let first = asked.fetch_add(1, Ordering::Relaxed) == 0;
        Some(if first { refusal() } else { json_response(200, &json!({})) })
    })
    .await
}

fn retry_after(status: u16, value: &'static str) -> Response<Full<Bytes>> {
    let mut response = json_response(status, &json!({"error": {"code": status}}));
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(value));
    response
}

fn retry_info(status: u16, delay: &str) -> Response<Full<Bytes>> {
    let info = json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay});
    json_response(status, &json!({"error": {"code": status, "details": [info]}}))
}

#[tokio::test(start_paused = true)]
async fn google_is_not_asked_again_before_it_wants_to_be() {
    let refusals: [(Refusal, f64); 5] = [
        (|| retry_after(429, "7"), 7.0),
        (|| retry_after(503, "7"), 7.0),
        (|| retry_info(429, "3.5s"), 3.5),
        (|| retry_info(503, "4s"), 4.0),
        // Both: the longer one.
        (
            || {
                let mut response = retry_info(429, "9s");
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("2"));
                response
            },
            9.0,
        ),
    ];
    for (refusal, floor) in refusals {
        let (host, google, id) = back_soon(refusal).await;
        let began = Instant::now();
        let answer = host.custom_api(&id, api_request("GET", LOCATIONS), None).await.unwrap();
        let took = began.elapsed().as_secs_f64();
        assert_eq!((answer.status, google.take().len()), (200, 2));
        assert!((floor..floor + 1.0).contains(&took), "{took} s in place of {floor} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_that_may_be_called_twice_is_called_again_when_it_wants_to_be() {
    let (host, google, id) = back_soon(|| retry_after(503, "7")).await;
    let began = Instant::now();
    let function = FunctionRef::Url(format!("https://{FUNCTION}"));
    let request = invoke_request(function).idempotent(true).auth(Auth::None);
    let answer = host.invoke(&id, request, None).await.unwrap();
    assert_took(began, 7);
    assert_eq!((answer.status, google.take().len()), (200, 2));
}

#[tokio::test(start_paused = true)]
async fn who_would_have_to_wait_past_the_deadline_gets_the_answer_at_once() {
    let (host, google, id) = on_script(|_| Some(retry_after(429, "31"))).await;
    let began = Instant::now();
    let answer = host.custom_api(&id, api_request("GET", LOCATIONS), None).await.unwrap();
    assert_eq!((answer.status, google.take().len()), (429, 1));
    let regions = vec!["us-central1".to_owned()];
    let request = list_request().regions(regions);
    let error = refused(host.list_functions(&id, request, None).await);
    assert_eq!((error.kind, error.retry_after_ms), (ErrorKind::RateLimited, Some(31_000)));
    assert!(error.trace.iter().all(|exchange| exchange.attempt == 1), "{:?}", error.trace);
    assert_took(began, 0);
    google.take();

    // With more time it is waited for, as often as it is said.
    let began = Instant::now();
    let deadline = Some(Duration::from_secs(63));
    let answer = host.custom_api(&id, api_request("GET", LOCATIONS), deadline).await.unwrap();
    assert_took(began, 62);
    assert_eq!((answer.status, google.take().len()), (429, 3));
}

#[tokio::test(start_paused = true)]
async fn one_call_repeats_as_often_as_the_catalog_says_whatever_it_sends() {
    let (host, google, id) = on_script(|_| Some(json_response(503, &json!({})))).await;
    let catalog: Value = serde_json::from_str(host.describe()).unwrap();
    let limit = catalog["limits"]["repeats"]["call"].as_u64().unwrap();
    assert_eq!(limit, 10);
    let regions: Vec<_> = (1..=12).map(|n| format!("moon-west{n}")).collect();
    let request = list_request().regions(regions);
    let error = refused(host.list_functions(&id, request, None).await);
    assert_eq!(error.kind, ErrorKind::Unavailable);
    let repeats = error.trace.iter().filter(|exchange| exchange.attempt > 1).count();
    assert_eq!(repeats, 10);
    assert_eq!(google.take().len(), error.trace.len());
    assert!(error.trace.len() >= 22, "every region has its first attempt: {}", error.trace.len());
}

#[tokio::test(start_paused = true)]
async fn what_a_repeat_does_not_mend_is_not_repeated() {
    for status in [400, 404, 409, 412, 500, 501] {
        let (host, google, id) = on_script(move |_| Some(retry_after(status, "1"))).await;
        let answer = host.custom_api(&id, api_request("GET", LOCATIONS), None).await.unwrap();
        assert_eq!((answer.status, google.take().len()), (status, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_while_it_waits_sends_nothing_more() {
    let (host, google, id) = on_script(|_| Some(retry_after(503, "20"))).await;
    let call = host.custom_api(&id, api_request("GET", LOCATIONS), None);
    let dropped = timeout(Duration::from_secs(2), call).await;
    assert!(dropped.is_err(), "it waits for its repeat: {dropped:?}");
    assert_eq!(google.take().len(), 1);
    sleep(Duration::from_secs(600)).await;
    assert_eq!(google.take().len(), 0, "nothing comes after");
}
