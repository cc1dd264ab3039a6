use serde_json::json;

use super::*;
use crate::contract::bindings::{
    exports::{
        api as of_api,
        functions::{self as of_functions, Auth, OptionField},
    },
    types::{Body, Header, Part, TypedBytes},
};

#[test]
fn no_request_prints_its_secret() {
    let invoke = InvokeRequest::get("https://f-a-uc.a.run.app").authorization("Bearer canary");
    let connect = ConnectRequest::google_json("team", "{\"private_key\":\"canary\"}");
    let again = NewCredential::new(Credential::google_json("{\"private_key\":\"canary\"}"));
    let authorize =
        AuthorizeRequest::new("team", "{\"client_secret\":\"canary\"}", "http://127.0.0.1:1/callback");
    for (shown, size) in [
        (format!("{invoke:?} {invoke:#?}"), 13),
        (format!("{connect:?} {connect:#?}"), 24),
        (format!("{again:?} {again:#?}"), 24),
        (format!("{authorize:?} {authorize:#?}"), 26),
    ] {
        assert!(!shown.contains("canary"), "{shown}");
        assert!(shown.contains(&format!("[secret, {size} bytes]")), "{shown}");
    }
}

#[test]
fn a_request_says_what_it_was_told_and_nothing_else() {
    let request = InvokeRequest::post("hello")
        .path("/a")
        .query([("q", "1"), ("q", "2")])
        .header("x-a", "1")
        .header("x-a", "2")
        .json(&json!({"name": "world"}))
        .unwrap()
        .audience("https://a.example")
        .idempotent(true);
    let record = of_functions::InvokeRequest::from(request);
    let header = |value: &str| Header { name: "x-a".to_owned(), value: value.to_owned() };
    let pair = |value: &str| ("q".to_owned(), value.to_owned());
    let expected = of_functions::InvokeRequest {
        function: FunctionRef::Named(NamedFunction { name: "hello".to_owned(), region: None }),
        method: "POST".to_owned(),
        path: "/a".to_owned(),
        query: Some(Query::Pairs(vec![pair("1"), pair("2")])),
        headers: vec![header("1"), header("2")],
        body: Some(Body::Json("{\"name\":\"world\"}".to_owned())),
        auth: Auth::IdToken,
        invoker: None,
        audience: Some("https://a.example".to_owned()),
        authorization: None,
        serverless_authorization: false,
        idempotent: true,
        raise_for_status: false,
    };
    assert_eq!(record, expected);
}

#[test]
fn each_method_is_called_as_it_is_sent() {
    let invoked = [
        InvokeRequest::get("f"),
        InvokeRequest::post("f"),
        InvokeRequest::put("f"),
        InvokeRequest::patch("f"),
        InvokeRequest::delete("f"),
        InvokeRequest::head("f"),
    ];
    let sent = [
        ApiRequest::get("/"),
        ApiRequest::post("/"),
        ApiRequest::put("/"),
        ApiRequest::patch("/"),
        ApiRequest::delete("/"),
    ];
    assert_eq!(invoked.map(|request| request.method), ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]);
    assert_eq!(sent.map(|request| request.method), ["GET", "POST", "PUT", "PATCH", "DELETE"]);
}

#[test]
fn each_body_is_the_one_that_was_meant() {
    let body = |request: ApiRequest| request.body.unwrap();
    let post = || ApiRequest::post("/");
    assert_eq!(body(post().json("a\"b").unwrap()), Body::Json("\"a\\\"b\"".to_owned()));
    assert_eq!(body(post().text("a")), Body::Text("a".to_owned()));
    let pair = ("a".to_owned(), "b".to_owned());
    assert_eq!(body(post().form([("a", "b")])), Body::Form(vec![pair]));
    let part = Part { name: "a".to_owned(), filename: None, content_type: None, data: vec![0] };
    assert_eq!(body(post().multipart([part.clone()])), Body::Multipart(vec![part]));
    let bytes = TypedBytes { content_type: "image/png".to_owned(), data: vec![0xff] };
    assert_eq!(body(post().bytes("image/png", [0xff])), Body::Bytes(bytes));
    let event = InvokeRequest::event("f", "{}");
    assert_eq!((event.method.as_str(), event.body.unwrap()), ("POST", Body::CloudEvent("{}".to_owned())));
}

#[test]
fn a_function_is_told_by_how_it_begins() {
    for url in ["https://f-a-uc.a.run.app", "http://f"] {
        assert_eq!(FunctionRef::from(url), FunctionRef::Url(url.to_owned()));
    }
    let resource = "projects/p/locations/r/functions/f";
    assert_eq!(FunctionRef::from(resource), FunctionRef::Resource(resource.to_owned()));
    assert_eq!(FunctionRef::from("f"), FunctionRef::named("f"));
    let named = NamedFunction { name: "f".to_owned(), region: Some("us-east1".to_owned()) };
    assert_eq!(FunctionRef::in_region("f", "us-east1"), FunctionRef::Named(named));
}

#[test]
fn what_is_left_out_is_left_out() {
    let list = of_functions::ListRequest::from(ListRequest::default().regions(["us-east1"]).limit(5));
    assert_eq!((list.regions, list.limit), (vec!["us-east1".to_owned()], Some(5)));
    assert_eq!((list.filter, list.order_by, list.page_size, list.page_token), (None, None, None, None));
    let pages = of_api::PagesRequest::from(PagesRequest::get("/v2/projects/p/locations").max_pages(1));
    assert_eq!((pages.request.method.as_str(), pages.max_pages, pages.items), ("GET", Some(1), None));
    let options = of_functions::OptionsRequest::from(OptionsRequest::functions(Some("us-east1")));
    assert_eq!(options.field, OptionField::Functions(Some("us-east1".to_owned())));
    assert_eq!((options.prefix, options.limit), (None, None));
    let authorize = AuthorizeRequest::anew("00000000000000aa", "{}", "http://127.0.0.1:1/");
    assert_eq!(authorize.connection.as_deref(), Some("00000000000000aa"));
}
