//! Functions that were made through Cloud Run are invoked like any other: their own timeout, size, role and events.

use serde_json::{Value, json};

use super::{
    detail,
    identified::page,
    invoke::{GEN2_URL, call, in_region, request},
    service,
};
use crate::{
    actions::functions::{
        Generation,
        invoke::{Auth, InvokeRequest},
    },
    base::{
        error::{Kind, Origin},
        http::Response,
        secret::Secret,
    },
    google::request::{self, body::Body},
    testing::{World, id_token, json_answer, not_found},
};

/// A world in which the function is looked up, and found in Cloud Run.
fn world(change: impl FnOnce(&mut Value)) -> (World, String) {
    let (world, id) = World::connected();
    let mut service = service("us-central1", "hello");
    change(&mut service);
    world.then(not_found("Resource 'hello' was not found"));
    world.then(json_answer(200, &service));
    (world, id)
}

#[test]
fn its_own_timeout_and_half_a_minute_are_the_deadline() {
    for (timeout, seconds) in
        [(json!("300s"), 330), (json!("3600s"), 3630), (json!("5s"), 60), (json!(null), 60)]
    {
        let (world, id) = world(|service| service["template"] = json!({"timeout": timeout}));
        world.then(json_answer(200, &json!({})));
        let request = InvokeRequest { auth: Auth::None, ..request(in_region("hello")) };
        assert_eq!(call(&world, &id, request).unwrap().generation, Generation::CloudRun);
        assert_eq!(world.times.borrow()[2].as_secs(), seconds, "{timeout}");
    }
}

#[test]
fn it_takes_32_mib() {
    let of_size = |size| InvokeRequest {
        auth: Auth::None,
        body: Some(Body::Bytes { content_type: "a/b".to_owned(), data: vec![0; size] }),
        ..request(in_region("hello"))
    };
    let (world, id) = world(|_| {});
    world.then(json_answer(200, &json!({})));
    assert_eq!(call(&world, &id, of_size(32 << 20)).unwrap().status, 200);
    world.begin_anew();
    let error = call(&world, &id, of_size((32 << 20) + 1)).unwrap_err();
    assert_eq!((error.kind(), world.urls().len()), (Kind::TooLarge, 0));
}

#[test]
fn it_takes_an_event_and_the_callers_own_authorization() {
    let (world, id) = world(|_| {});
    world.then(id_token(GEN2_URL));
    world.then(json_answer(204, &json!({})));
    let mut request = request(in_region("hello"));
    request.authorization = Some(Secret::new("Basic x".to_owned()));
    let event = r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","data":[1]}"#;
    request.body = Some(Body::CloudEvent(event.to_owned()));
    assert_eq!(call(&world, &id, request).unwrap().status, 204);
    let sent = &world.sent.borrow()[3];
    assert_eq!((sent.body(), request::credentials(sent).len()), (b"[1]".as_slice(), 2));
    assert!(sent.headers().contains(&("ce-type".to_owned(), "t".to_owned())));
}

#[test]
fn its_refusals_name_its_role_and_its_ingress() {
    let (first, id) = world(|_| {});
    first.then(id_token(GEN2_URL));
    first.then(page(403, "Forbidden"));
    let error = call(&first, &id, request(in_region("hello"))).unwrap_err();
    assert_eq!((error.kind(), error.fields().origin), (Kind::MissingRole, Origin::GoogleFrontEnd));
    assert_eq!(detail(&error, "role"), Some("roles/run.invoker"));
    assert_eq!(
        detail(&error, "resource"),
        Some("projects/demo-project/locations/us-central1/services/hello")
    );

    let (second, id) = world(|service| service["ingress"] = json!("INGRESS_TRAFFIC_INTERNAL_ONLY"));
    second.then(id_token(GEN2_URL));
    second.then(Ok(Response {
        status: 404,
        headers: vec![("content-type".to_owned(), b"text/html; charset=UTF-8".to_vec())],
        body: b"<h1>Error: Page not found</h1><h2>The requested URL was not found on this server.</h2>"
            .to_vec(),
    }));
    let error = call(&second, &id, request(in_region("hello"))).unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.fields().fix.as_ref().unwrap().contains("INGRESS_TRAFFIC_INTERNAL_ONLY"), "{error}");
}
