//! Bodies that are shorter or longer than they say, and larger than anybody takes.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use bytes::Bytes;
use gcf_host::{
    CallError, HostError, Limit, Limits,
    wit::{Auth, Body, ConnectorError, ErrorKind, FunctionRef, InvokeRequest, Origin},
};
use http::{
    Response,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING},
};
use http_body_util::Full;
use serde_json::json;

use crate::fixtures::{
    api_request, builder, connect_request,
    google::{FUNCTION, Google, json_response, respond},
    invoke_request, live, named, refused,
    silent::silent,
    world::{GEN1, called, gen1, gen2, on_script, with_function},
};

const LOCATIONS: &str = "/v2/projects/demo-project/locations";
const MIB: usize = 1 << 20;

/// An answer that declares this length, and ends cleanly after its five bytes, as a proxy in between may have
/// it.
fn of_five_bytes(declared: &'static str) -> Response<Full<Bytes>> {
    let mut response = respond(200, "text/plain", "12345");
    response.headers_mut().insert(CONTENT_LENGTH, http::HeaderValue::from_static(declared));
    response
}

fn by_url() -> InvokeRequest {
    invoke_request(FunctionRef::Url(format!("https://{FUNCTION}"))).auth(Auth::None)
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_another_length_than_it_declares_is_none() {
    for (declared, said) in [("9", "5 of 9 bytes"), ("4", "5 of 4 bytes"), ("0", "5 of 0 bytes")] {
        let (host, google, id) = on_script(move |_| Some(of_five_bytes(declared))).await;
        let error = refused(host.invoke(&id, by_url(), None).await);
        assert_eq!((error.kind, error.origin), (ErrorKind::Network, Origin::Network), "{declared}");
        assert!(error.message.contains(said), "{}", error.message);
        assert!(error.fix.unwrap().contains("may have been processed"));
        assert_eq!(google.take().len(), 1, "{declared}: the function may have run");
        let statuses: Vec<_> = error.trace.iter().map(|exchange| exchange.status).collect();
        assert_eq!(statuses, [None]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_idempotent_is_asked_again_for_the_rest_of_an_answer() {
    let asked = Arc::new(AtomicU32::new(0));
    let (host, google, id) = on_script(move |_| {
        let first = asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        Some(of_five_bytes(if first { "9" } else { "5" }))
    })
    .await;
    let request = by_url().idempotent(true);
    let answer = host.invoke(&id, request, None).await.unwrap();
    assert_eq!((answer.status, answer.body.as_bytes()), (200, b"12345".as_slice()));
    let attempts: Vec<_> = answer.trace.iter().map(|exchange| (exchange.attempt, exchange.status)).collect();
    assert_eq!((attempts, google.take().len()), (vec![(1, None), (2, Some(200))], 2));

    let answer = host.custom_api(&id, api_request("GET", LOCATIONS), None).await.unwrap();
    assert_eq!((answer.body.as_bytes(), answer.trace.len()), (b"12345".as_slice(), 2));
    google.take();
    // An API's POST may have had its effect.
    let error = refused(host.custom_api(&id, api_request("POST", LOCATIONS), None).await);
    assert_eq!((error.kind, google.take().len()), (ErrorKind::Network, 1));
}

/// The memory of a body that nothing sends again is the answer's.
#[tokio::test]
async fn an_answer_takes_the_place_of_the_body_that_it_answers() {
    let google = Google::start(|_| respond(200, "text/plain", vec![b'y'; 10 * MIB])).await;
    let memory = 16 * MIB;
    let limits = Limits { memory, ..Limits::default() };
    let host = builder().transport(live(&google)).limits(limits).build().unwrap();
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    let request = by_url().text("x".repeat(10 * MIB));
    let answer = host.invoke(&id, request.clone(), None).await.unwrap();
    assert_eq!(answer.body.as_bytes(), vec![b'y'; 10 * MIB]);
    // The connection may break within the answer, and then it would be sent again.
    let error = host.invoke(&id, request.idempotent(true), None).await.unwrap_err();
    let CallError::Host(error) = error else { panic!("{error}") };
    assert!(matches!(error, HostError::LimitExceeded(Limit::Memory(of)) if of == memory), "{error}");
}

/// The pieces in which an answer comes depend on the network and the host. Each byte is told from its neighbours.
#[tokio::test]
async fn an_answer_of_many_pieces_is_whole_with_a_length_and_without() {
    for size in [1, 64 << 10, (256 << 10) - 1, 256 << 10, (256 << 10) + 1, 1_000_003, 5 * MIB] {
        for chunked in [false, true] {
            let bytes: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
            let body = bytes.clone();
            let google = Google::start(move |_| {
                let mut response = respond(200, "application/octet-stream", body.clone());
                if chunked {
                    response
                        .headers_mut()
                        .insert(TRANSFER_ENCODING, http::HeaderValue::from_static("chunked"));
                }
                response
            })
            .await;
            let host = builder().transport(live(&google)).build().unwrap();
            let id = host.connect(connect_request(), None).await.unwrap().connection.id;
            let answer = host.invoke(&id, by_url(), None).await.unwrap();
            let has_length = answer.headers.iter().any(|header| header.name == "content-length");
            assert_eq!(has_length, !chunked, "{size} bytes");
            assert!(answer.body.as_bytes() == bytes, "{size} bytes, chunked: {chunked}");
        }
    }
}

fn of_size(size: usize) -> Option<Body> {
    Some(Body::Text("x".repeat(size)))
}

#[track_caller]
fn assert_too_large(error: &ConnectorError, limit: usize, size: usize) {
    assert_eq!((error.kind, error.origin), (ErrorKind::TooLarge, Origin::Input), "{}", error.message);
    let figures = [("limit", limit), ("size", size)].map(|(name, n)| (name.to_owned(), n.to_string()));
    assert_eq!(error.details, figures);
}

#[tokio::test]
async fn a_first_gen_function_takes_ten_mib_and_is_not_called_with_more() {
    let (host, google, id) = with_function(gen1(), |_| Some(respond(200, "text/plain", ""))).await;
    let hello = || invoke_request(named("hello", Some("us-central1")));
    let request = {
        let mut request = hello();
        request.body = of_size(10 * MIB + 1);
        request
    };
    let error = refused(host.invoke(&id, request, None).await);
    assert_too_large(&error, 10 * MIB, 10 * MIB + 1);
    assert_eq!(google.take().len(), 1, "the function is looked up, and no token is minted");
    let request = {
        let mut request = hello();
        request.body = of_size(10 * MIB);
        request
    };
    assert_eq!(host.invoke(&id, request, None).await.unwrap().status, 200);
    assert_eq!(called(&google)[0].body.len(), 10 * MIB);

    // Of 2nd gen that is nothing special.
    let (host, google, id) = with_function(gen2(), |_| Some(respond(200, "text/plain", ""))).await;
    let request = {
        let mut request = hello();
        request.body = of_size(10 * MIB + 1);
        request
    };
    assert_eq!(host.invoke(&id, request, None).await.unwrap().status, 200);
    assert_eq!(called(&google)[0].body.len(), 10 * MIB + 1);
}

/// The function may be of 2nd gen, which has that address too.
#[tokio::test]
async fn by_its_url_no_function_is_sent_more_than_32_mib() {
    let (host, id) = silent(connect_request()).await;
    for url in [GEN1.to_owned(), format!("https://{FUNCTION}")] {
        let request = {
            let mut request = invoke_request(FunctionRef::Url(url));
            request.body = of_size(32 * MIB + 1);
            request
        };
        let error = refused(host.invoke(&id, request, None).await);
        assert_too_large(&error, 32 * MIB, 32 * MIB + 1);
        assert!(error.trace.is_empty());
    }
}

#[tokio::test]
async fn an_api_and_a_url_are_sent_ten_mib_at_most() {
    let (host, id) = silent(connect_request()).await;
    let url = format!("https://{FUNCTION}/");
    for path in [LOCATIONS, url.as_str()] {
        let mut request = api_request("POST", path);
        request.body = of_size(10 * MIB + 1);
        let error = refused(host.custom_api(&id, request, None).await);
        assert_too_large(&error, 10 * MIB, 10 * MIB + 1);
        assert!(error.trace.is_empty(), "{path}");
    }
    let (host, google, id) = on_script(|_| Some(json_response(200, &json!({})))).await;
    let mut request = api_request("POST", LOCATIONS);
    request.body = of_size(10 * MIB);
    assert_eq!(host.custom_api(&id, request, None).await.unwrap().status, 200);
    assert_eq!(google.take()[0].body.len(), 10 * MIB);
}

#[tokio::test]
async fn an_event_for_a_test_call_carries_ten_mib_at_most() {
    let mut described = gen1();
    described["eventTrigger"] = json!({"eventType": "google.storage.object.finalize"});
    let answer = json!({"executionId": "1", "result": "done"});
    let (host, google, id) = with_function(described, move |_| Some(json_response(200, &answer))).await;
    let event = |size: usize| {
        let data = "x".repeat(size - 2);
        let event = json!({"specversion": "1.0", "id": "1", "source": "s", "type": "t", "data": data});
        let body = Some(Body::CloudEvent(event.to_string()));
        {
            let mut request = invoke_request(named("hello", Some("us-central1")));
            request.body = body;
            request
        }
    };
    let error = refused(host.invoke(&id, event(10 * MIB + 1), None).await);
    assert_too_large(&error, 10 * MIB, 10 * MIB + 1);
    assert_eq!(google.take().len(), 1, "the function is looked up, and not called");
    assert_eq!(host.invoke(&id, event(10 * MIB), None).await.unwrap().body.as_bytes(), b"done");
    assert!(google.take().pop().unwrap().url.ends_with("/functions/hello:call"));
}
