//! Every status that an answer can have, through the shipping component.

use std::sync::{
    Arc,
    atomic::{AtomicU16, Ordering},
};

use gcf_host::{
    CallError, Host,
    secrets::SecretStore,
    transport::{Live, OriginMap, OriginRule},
    wit::{Auth, ErrorKind, FunctionRef, Origin},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::fixtures::{
    api_request, builder, connect_request,
    google::{FUNCTION, Google, json_response},
    invoke_request, named, on_loopback, pages_request, refused,
    scripted::Scripted,
};

const FUNCTIONS: &str = "/v2/projects/demo-project/locations/us-central1/functions";

/// A Google that grants tokens, and answers everything else with the status that is set.
async fn google() -> (Host, String, Arc<AtomicU16>) {
    let status = Arc::new(AtomicU16::new(200));
    let answer = Arc::clone(&status);
    let google = Scripted::new(move |sent| {
        if sent.url.ends_with("/token") {
            return (200, json!({"access_token": "ya29.a", "expires_in": 3600, "token_type": "Bearer"}));
        }
        (answer.load(Ordering::SeqCst), json!({"functions": []}))
    });
    let host = builder().transport(Arc::new(google)).build().unwrap();
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    (host, id, status)
}

fn assert_no_answer<T: std::fmt::Debug>(outcome: Result<T, CallError>, status: u16, origin: Origin) {
    let error = refused(outcome);
    assert_eq!((error.kind, error.origin), (ErrorKind::InvalidResponse, origin), "{status}: {error:?}");
    assert_eq!(error.http_status, Some(status));
    assert_eq!(error.trace.len(), 1, "{status}: it was sent");
}

#[tokio::test(start_paused = true)]
async fn a_request_of_the_callers_own_gets_every_status_but_those_that_are_no_answer() {
    let (host, id, answer) = google().await;
    let url = format!("https://{FUNCTION}/");
    for status in 100..=999 {
        answer.store(status, Ordering::SeqCst);
        let of_api = host.custom_api(&id, api_request("POST", FUNCTIONS), None).await;
        let of_function = host.custom_api(&id, api_request("POST", &url), None).await;
        match status {
            100..=199 => {
                assert_no_answer(of_api, status, Origin::GoogleApi);
                assert_no_answer(of_function, status, Origin::Function);
                continue;
            }
            304 => assert_eq!(of_api.unwrap().status, status),
            300..=399 => assert_eq!(refused(of_api).kind, ErrorKind::UnexpectedRedirect),
            _ => assert_eq!(of_api.unwrap().status, status),
        }
        assert_eq!(of_function.unwrap().status, status);
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_answers_with_every_status_but_those_that_are_no_answer() {
    let (host, id, answer) = google().await;
    for status in 100..=999 {
        answer.store(status, Ordering::SeqCst);
        let mut request = invoke_request(FunctionRef::Url(format!("https://{FUNCTION}")));
        request.auth = Auth::None;
        let outcome = host.invoke(&id, request, None).await;
        match status {
            100..=199 => assert_no_answer(outcome, status, Origin::Function),
            _ => assert_eq!(outcome.unwrap().status, status),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_api_does_not_promise_is_no_mistake_of_the_callers() {
    let (host, id, answer) = google().await;
    for status in [100, 101, 102, 103, 199, 201, 202, 203, 204, 205, 206, 207, 226, 299, 304, 600, 799, 999] {
        answer.store(status, Ordering::SeqCst);
        let kind = if status > 599 { ErrorKind::Unavailable } else { ErrorKind::InvalidResponse };
        for error in [
            refused(host.all_pages(&id, pages_request(FUNCTIONS), None).await),
            refused(host.get_function(&id, named("hello", Some("us-central1")), None).await),
        ] {
            assert_eq!((error.kind, error.origin), (kind, Origin::GoogleApi), "{status}: {error:?}");
            assert_eq!(error.http_status, Some(status));
            assert!(!error.fix.unwrap().contains("nothing was sent"));
        }
    }
}

/// A server that announces an answer without end: the deadline is an hour away, and nobody waits for it.
#[tokio::test(flavor = "current_thread")]
async fn announcements_without_an_answer_end_the_request() {
    let google = Google::start(|_| json_response(200, &json!({}))).await;
    let (host, store) = on_loopback(&google);
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let rule = format!("https://{FUNCTION}=http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let flood = b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(4096);
            while stream.write_all(&flood).await.is_ok() {}
        }
    });
    let map = OriginMap::new([rule.parse::<OriginRule>().unwrap()]).unwrap();
    let live = Arc::new(Live::builder().map(map).build().unwrap());
    let secrets: Arc<dyn SecretStore> = store;
    let host = builder().transport(live).secrets(secrets).build().unwrap();
    let hour = std::time::Duration::from_secs(3600);
    let outcome =
        host.custom_api(&id, api_request("POST", &format!("https://{FUNCTION}/")), Some(hour)).await;
    let error = refused(outcome);
    assert_eq!((error.kind, error.origin), (ErrorKind::Network, Origin::Network));
    assert!(error.message.contains("the headers of the response are too large"), "{}", error.message);
}
