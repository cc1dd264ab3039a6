//! The shipping component over real sockets.

use std::sync::Arc;

use bytes::Bytes;
use gcf_host::{
    secrets::{MemoryStore, SecretStore as _},
    wit::{Auth, Body, ErrorKind, FunctionRef, Query, StoredKey, TokenKind, TypedBytes},
};
use http::Response;
use http_body_util::Full;
use serde_json::{Value, json};

use crate::fixtures::{
    ACCOUNT, DEMO_KEY, api_request, builder, connect_request,
    google::{FUNCTION, Google, Seen, json_response, respond, verified},
    invoke_request, list_request, live, named, on_loopback, refused,
};

fn ok(_: &Seen) -> Response<Full<Bytes>> {
    json_response(200, &json!({"ok": true}))
}

fn echo(seen: &Seen) -> Response<Full<Bytes>> {
    respond(200, "application/octet-stream", seen.body.clone())
}

fn hello() -> FunctionRef {
    named("hello", Some("us-central1"))
}

#[tokio::test]
async fn sign_in_list_and_invoke_with_signatures_that_verify() {
    let google = Google::start(ok).await;
    let (host, _) = on_loopback(&google);
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    assert_eq!(host.list_functions(&id, list_request(), None).await.unwrap().functions.len(), 1);
    let answer = host.invoke(&id, invoke_request(hello()), None).await.unwrap();
    assert_eq!((answer.status, answer.principal.as_deref()), (200, Some(ACCOUNT)));

    let tokens = google.seen_at("oauth2.googleapis.com");
    assert_eq!(tokens.len(), 2, "one access token, one ID token");
    let assertion =
        std::str::from_utf8(&tokens[1].body).unwrap().split_once("assertion=").unwrap().1.to_owned();
    let claims = verified(&assertion);
    assert_eq!(claims["target_audience"], format!("https://{FUNCTION}"));
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 3600);
}

#[tokio::test]
async fn the_host_signs_or_the_component_does_and_google_cannot_tell() {
    for host_signs in [true, false] {
        let google = Google::start(ok).await;
        let host = builder().transport(live(&google)).host_signing(host_signs).build().unwrap();
        let id = host.connect(connect_request(), None).await.unwrap().connection.id;
        // The proof is signed by the component always; the ID token by whoever may.
        host.invoke(&id, invoke_request(hello()), None).await.unwrap();
        assert_eq!(google.seen_at("oauth2.googleapis.com").len(), 2, "host_signs: {host_signs}");
    }
}

#[tokio::test]
async fn a_key_that_the_host_keeps_is_never_read() {
    let google = Google::start(ok).await;
    let store = Arc::new(MemoryStore::new());
    let key: Value = serde_json::from_str(DEMO_KEY).unwrap();
    let put = |name: &str| {
        store.put(name, key["private_key"].as_str().unwrap(), &gcf_host::secrets::Expected::Absent).unwrap()
    };
    put("keys/hsm");
    let secrets: Arc<dyn gcf_host::secrets::SecretStore> = Arc::<MemoryStore>::clone(&store);
    let host = builder().transport(live(&google)).secrets(secrets).build().unwrap();
    let mut request = connect_request();
    request.project = Some("demo-project".to_owned());
    request.credential = gcf_host::wit::Credential::StoredKey(StoredKey {
        client_email: ACCOUNT.to_owned(),
        private_key_id: key["private_key_id"].as_str().map(str::to_owned),
        key: "keys/hsm".to_owned(),
    });
    let connection = host.connect(request, None).await.unwrap().connection;
    host.invoke(&connection.id, invoke_request(hello()), None).await.unwrap();
    host.disconnect(&connection.id, None).await.unwrap();
    assert_eq!(store.keys("").unwrap(), ["keys/hsm"]);
}

#[tokio::test]
async fn request_bodies_of_every_size_arrive_whole() {
    let google = Google::start(echo).await;
    let (host, _) = on_loopback(&google);
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    for size in [0, 1, 4096, 4097, 1 << 20, 10 << 20] {
        let data: Vec<u8> = (0..size).map(|n: usize| (n % 251) as u8).collect();
        let mut request = invoke_request(hello());
        request.body = Some(Body::Bytes(TypedBytes {
            content_type: "application/x-test".to_owned(),
            data: data.clone(),
        }));
        let answer = host.invoke(&id, request, None).await.unwrap();
        let seen = google.seen_at(FUNCTION).pop().unwrap();
        assert_eq!(seen.headers["content-length"], size.to_string());
        assert_eq!(seen.headers["content-type"], "application/x-test");
        assert!(seen.body == data && answer.body.as_bytes() == data, "{size} bytes");
    }
}

#[tokio::test]
async fn any_status_any_headers_and_any_bytes_arrive_unchanged() {
    let google = Google::start(|_| {
        Response::builder()
            .status(599)
            .header("set-cookie", "a=1")
            .header("set-cookie", "b=2")
            .header("x-bytes", http::HeaderValue::from_bytes(b"caf\xe9").unwrap())
            .body(Full::new(Bytes::from_static(&[0, 159, 146, 150])))
            .unwrap()
    })
    .await;
    let (host, _) = on_loopback(&google);
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    let answer = host.invoke(&id, invoke_request(hello()), None).await.unwrap();
    let values = |name: &str| -> Vec<Vec<u8>> {
        answer.headers.iter().filter(|h| h.name == name).map(|h| h.value.clone()).collect()
    };
    assert_eq!((answer.status, answer.body.as_bytes()), (599, [0_u8, 159, 146, 150].as_slice()));
    assert_eq!(values("set-cookie"), [b"a=1".to_vec(), b"b=2".to_vec()]);
    assert_eq!(values("x-bytes"), [b"caf\xe9".to_vec()]);
}

#[tokio::test]
async fn method_path_query_and_headers_arrive_as_given() {
    let google = Google::start(ok).await;
    let (host, _) = on_loopback(&google);
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    let mut request = invoke_request(hello());
    request.method = "PATCH".to_owned();
    request.path = "/a/b%20c%2Fd".to_owned();
    request.query = Some(Query::Raw("x=1&x=2&y=%C3%BC".to_owned()));
    let header = |name: &str| gcf_host::wit::Header { name: name.to_owned(), value: "t-1".to_owned() };
    request.headers = vec![header("X-Trace"), header("X-Goog-Channel-ID")];
    request.serverless_authorization = true;
    host.invoke(&id, request, None).await.unwrap();
    let seen = google.seen_at(FUNCTION).pop().unwrap();
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("PATCH", "/a/b%20c%2Fd?x=1&x=2&y=%C3%BC"));
    for name in ["x-trace", "x-goog-channel-id"] {
        assert_eq!(seen.headers[name], "t-1");
    }
    // Google's front end takes it alone, and the function receives no other (Cloud Run, service-to-service).
    assert!(seen.headers["x-serverless-authorization"].to_str().unwrap().starts_with("Bearer ey"));
    assert!(!seen.headers.contains_key("authorization"));
}

#[tokio::test]
async fn every_method_arrives_as_what_it_is() {
    let google = Google::start(ok).await;
    let (host, _) = on_loopback(&google);
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] {
        let request = invoke_request(hello()).method(method);
        let answer = host.invoke(&id, request, None).await.unwrap();
        let seen = google.seen_at(FUNCTION).pop().unwrap();
        assert_eq!((seen.method.as_str(), answer.status), (method, 200));
        assert_eq!(answer.trace.last().unwrap().method, method);
        // RFC 9110, sections 8.3 and 8.6.
        let length = seen.headers.get("content-length").map(|length| length.to_str().unwrap());
        assert_eq!(length, (!matches!(method, "GET" | "HEAD")).then_some("0"), "{method}");
        for name in ["content-type", "transfer-encoding"] {
            assert!(!seen.headers.contains_key(name), "{method}: {name}");
        }
    }
    assert_eq!(google.seen_at(FUNCTION).len(), 7);
    let below = format!("https://{FUNCTION}/below");
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        for (host_name, path) in [
            (
                "cloudfunctions.googleapis.com",
                "/v2/projects/demo-project/locations/us-central1/functions/hello",
            ),
            (FUNCTION, below.as_str()),
        ] {
            let before = google.seen_at(host_name).len();
            let answer = host.custom_api(&id, api_request(method, path), None).await.unwrap();
            let seen = google.seen_at(host_name);
            // Google reads functions there, and refuses the rest of this, or its empty bodies.
            let good = host_name == FUNCTION || method == "GET";
            assert_eq!((seen.len(), answer.status == 200), (before + 1, good), "{method} {path}");
            assert_eq!(seen[before].method, method, "{path}");
            assert!(path.ends_with(&seen[before].path), "{}", seen[before].path);
        }
    }
    // POST and PUT, and DELETE if Google gets as far as that.
    assert!(google.forgive() >= 2);
}

#[tokio::test]
async fn a_function_is_got_and_called_by_its_whole_resource_name() {
    let google = Google::start(ok).await;
    let (host, _) = on_loopback(&google);
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    let resource = "projects/demo-project/locations/us-central1/functions/hello";
    let function = host.get_function(&id, FunctionRef::Resource(resource.to_owned()), None).await.unwrap();
    assert_eq!((function.name.as_str(), function.region.as_str()), ("hello", "us-central1"));
    let request = invoke_request(FunctionRef::Resource(resource.to_owned()));
    assert_eq!(host.invoke(&id, request, None).await.unwrap().status, 200);
    let lookups = google.seen_at("cloudfunctions.googleapis.com");
    let paths: Vec<_> = lookups.iter().map(|seen| seen.path.split('?').next().unwrap()).collect();
    assert_eq!(paths, [format!("/v2/{resource}"), format!("/v2/{resource}")]);
    assert_eq!(google.seen_at(FUNCTION).len(), 1);
}

#[tokio::test]
async fn a_call_without_authentication_carries_no_credential() {
    let google = Google::start(ok).await;
    let (host, _) = on_loopback(&google);
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    let mut request = invoke_request(FunctionRef::Url(format!("https://{FUNCTION}")));
    request.auth = Auth::None;
    let answer = host.invoke(&id, request, None).await.unwrap();
    assert_eq!(answer.token, TokenKind::None);
    let seen = google.seen_at(FUNCTION).pop().unwrap();
    assert!(!seen.headers.contains_key("authorization"));
    assert_eq!(google.seen_at("oauth2.googleapis.com").len(), 1, "only the connection's own proof");
}

#[tokio::test]
async fn many_fresh_instances_mint_one_token() {
    let google = Google::start(ok).await;
    let (host, _) = on_loopback(&google);
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let (host, id) = (host.clone(), id.clone());
            tokio::spawn(async move { host.invoke(&id, invoke_request(hello()), None).await.unwrap().status })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), 200);
    }
    assert_eq!(google.seen_at(FUNCTION).len(), 20);
    assert_eq!(google.seen_at("oauth2.googleapis.com").len(), 2, "one access token, one ID token");
}

#[tokio::test]
async fn nobody_listening_is_said_in_one_breath() {
    let google = Google::start(ok).await;
    let (host, store) = on_loopback(&google);
    let id = host.connect(connect_request(), None).await.unwrap().connection.id;
    // A port that was free a moment ago, and is again.
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let rules = ["cloudfunctions", "run"]
        .map(|api| format!("https://{api}.googleapis.com=http://{free}").parse().unwrap());
    let map = gcf_host::transport::OriginMap::new(rules).unwrap();
    let sender = gcf_host::transport::Live::builder().map(map).build().unwrap();
    let host = builder().transport(Arc::new(sender)).secrets(store).build().unwrap();
    let error = refused(host.list_functions(&id, list_request(), None).await);
    assert_eq!(error.kind, ErrorKind::Network);
    assert!(error.message.contains("connection refused"), "{}", error.message);
    assert!(error.fix.unwrap().contains("nothing was sent"));
    // Functions, and services of Cloud Run: four times each.
    assert_eq!(error.trace.len(), 8);

    // A request with a body was not sent either, however much of it the host had taken: so it is repeated,
    // though it may have an effect.
    let mut request = api_request("POST", "/v2/projects/demo-project/locations");
    request.body = Some(Body::Text("x".repeat(1 << 20)));
    let error = refused(host.custom_api(&id, request, None).await);
    assert!(error.message.contains("connection refused"), "{}", error.message);
    assert!(error.fix.unwrap().contains("nothing was sent"));
    assert_eq!(error.trace.len(), 3);
}
