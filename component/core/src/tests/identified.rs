//! The identity of a request: none at first, an ID token, and the caller's own beside it.

use serde_json::json;
use test_case::test_case;

use super::{
    detail, gen1, gen2,
    invoke::{GEN1_URL, GEN2_URL, call, in_region, request},
};
use crate::{
    actions::functions::invoke::{Auth, InvokeRequest},
    base::{
        error::{Kind, Origin},
        http::{Response, TokenKind},
        secret::Secret,
    },
    google::{request, which::FunctionRef},
    testing::{Answer, World, canaries, id_token, json_answer},
};

const TOKEN_ENDPOINT: &str = "https://oauth2.googleapis.com/token";

fn by_url() -> InvokeRequest {
    request(FunctionRef::Url(GEN2_URL.to_owned()))
}

fn auto() -> InvokeRequest {
    InvokeRequest { auth: Auth::Auto, ..by_url() }
}

fn with_own(function: FunctionRef) -> InvokeRequest {
    InvokeRequest {
        authorization: Some(Secret::new(canaries::AUTHORIZATION.to_owned())),
        ..request(function)
    }
}

pub(super) fn page(status: u16, title: &str) -> Answer {
    let text = format!("<h1>Error: {title}</h1><h2>Your client does not have permission to get URL</h2>");
    Ok(Response {
        status,
        headers: vec![("content-type".to_owned(), b"text/html; charset=UTF-8".to_vec())],
        body: text.into_bytes(),
    })
}

#[test]
fn auto_tells_nobody_who_calls_unless_it_is_asked() {
    let (world, id) = World::connected();
    for own in [200, 401, 403, 404, 500] {
        world.then(json_answer(own, &json!({})));
        let invocation = call(&world, &id, auto()).unwrap();
        assert_eq!((invocation.status, invocation.token, invocation.trace.len()), (own, TokenKind::None, 1));
        assert_eq!((invocation.audience, invocation.principal), (None, None));
    }
    assert!(world.sent.borrow().iter().all(|sent| request::credentials(sent).is_empty()));
}

#[test_case(401, "Unauthorized")]
#[test_case(403, "Forbidden")]
fn auto_answers_the_front_end_with_an_id_token_and_sends_the_same_again(status: u16, title: &str) {
    let (world, id) = World::connected();
    world.then(page(status, title));
    world.then(id_token(GEN2_URL));
    world.then(json_answer(200, &json!({})));
    let mut request = auto();
    request.path = "/a".to_owned();
    request.body = Some(crate::google::request::body::Body::Text("x".to_owned()));
    let invocation = call(&world, &id, request).unwrap();
    assert_eq!((invocation.token, invocation.audience.as_deref()), (TokenKind::IdToken, Some(GEN2_URL)));
    let at: Vec<_> = invocation.trace.iter().map(|e| (e.url.as_str(), e.token, e.status)).collect();
    let url = format!("{GEN2_URL}/a");
    assert_eq!(
        at,
        [
            (url.as_str(), TokenKind::None, Some(status)),
            (TOKEN_ENDPOINT, TokenKind::Assertion, Some(200)),
            (url.as_str(), TokenKind::IdToken, Some(200)),
        ]
    );
    let sent = world.sent.borrow();
    assert_eq!((sent[0].body(), sent[2].body()), (b"x".as_slice(), b"x".as_slice()));
    assert_eq!(sent[0].headers(), sent[2].headers());
}

#[test]
fn auto_says_what_is_wrong_if_the_token_cannot_be_had_or_does_not_help() {
    let (world, id) = World::connected();
    world.then(page(403, "Forbidden"));
    world.then(json_answer(400, &json!({"error": "invalid_grant"})));
    let error = call(&world, &id, auto()).unwrap_err();
    assert_eq!((error.kind(), error.fields().trace.len()), (Kind::CredentialRejected, 2));

    let (world, id) = World::connected();
    world.then(page(403, "Forbidden"));
    world.then(id_token(GEN2_URL));
    world.then(page(403, "Forbidden"));
    let error = call(&world, &id, auto()).unwrap_err();
    assert_eq!((error.kind(), error.fields().origin), (Kind::MissingRole, Origin::GoogleFrontEnd));
    assert_eq!(detail(&error, "role"), Some("roles/run.invoker"));
    assert_eq!(error.fields().trace.len(), 3, "and not once more");
}

#[test]
fn a_refusal_without_a_token_speaks_of_auth() {
    let (world, id) = World::connected();
    world.then(page(403, "Forbidden"));
    let error = call(&world, &id, InvokeRequest { auth: Auth::None, ..by_url() }).unwrap_err();
    assert_eq!((error.kind(), world.urls().len()), (Kind::Unauthenticated, 1));
}

#[test_case("https://accounts.google.com/ServiceLogin?continue=x", true; "the sign-in of people")]
#[test_case("https://evil.com/", false; "anywhere")]
#[test_case("https://metadata.google.internal/", false; "the metadata server")]
fn a_redirect_of_a_function_is_never_followed(location: &str, refused: bool) {
    let (world, id) = World::connected();
    world.then(id_token(GEN2_URL));
    world.then(Ok(Response {
        status: 302,
        headers: vec![("location".to_owned(), location.as_bytes().to_vec())],
        body: Vec::new(),
    }));
    let outcome = call(&world, &id, by_url());
    if refused {
        assert_eq!(outcome.unwrap_err().kind(), Kind::Unauthenticated);
    } else {
        let invocation = outcome.unwrap();
        assert_eq!((invocation.status, invocation.headers.len()), (302, 1));
    }
    assert_eq!(world.urls().len(), 2, "the token, and one call");
}

#[test_case(307)]
#[test_case(308)]
fn a_token_endpoint_that_redirects_gets_the_assertion_once_and_nobody_else_does(status: u16) {
    let (world, id) = World::connected();
    let headers = vec![("location".to_owned(), b"https://evil.com/token".to_vec())];
    world.then(Ok(Response { status, headers, body: Vec::new() }));
    call(&world, &id, by_url()).unwrap_err();
    assert_eq!(world.urls(), [TOKEN_ENDPOINT], "and no function is called without a token");
}

#[test]
fn the_callers_own_goes_into_authorization_and_the_id_token_beside_it() {
    for auth in [Auth::IdToken, Auth::Auto] {
        let (world, id) = World::connected();
        world.then(json_answer(200, &gen2("us-central1", "hello")));
        world.then(id_token(GEN2_URL));
        world.then(json_answer(200, &json!({})));
        let invocation = call(&world, &id, InvokeRequest { auth, ..with_own(in_region("hello")) }).unwrap();
        assert_eq!(invocation.token, TokenKind::IdToken);
        let sent = world.sent.borrow();
        let shown: Vec<_> = request::credentials(&sent[2])
            .into_iter()
            .map(|(name, value)| (name, value.reveal().clone()))
            .collect();
        assert_eq!(shown[0], ("authorization", canaries::AUTHORIZATION.to_owned()));
        assert_eq!(shown[1].0, "x-serverless-authorization");
        assert!(shown[1].1.starts_with("Bearer e30."));
        assert!(!format!("{:?} {invocation:?}", sent[2]).contains("canary"));
        assert_eq!(request::credentials(&sent[0]).len(), 1, "an API gets its access token and nothing else");
    }
}

#[test]
fn first_gen_has_no_place_for_a_second_credential() {
    let (world, id) = World::connected();
    let error = call(&world, &id, with_own(FunctionRef::Url(GEN1_URL.to_owned()))).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "field")), (Kind::InvalidInput, Some("authorization")));
    assert!(error.fields().message.contains("may be of 1st gen"), "{error}");
    assert!(world.urls().is_empty());
    world.then(json_answer(200, &gen1("us-central1", "hello")));
    let error = call(&world, &id, with_own(in_region("hello"))).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "field")), (Kind::InvalidInput, Some("authorization")));
    assert_eq!(world.urls().len(), 1, "only the lookup");
    assert!(!format!("{error:?}").contains("canary"));
}

#[test]
fn no_credential_of_any_kind_is_none_of_the_callers_either() {
    let (world, id) = World::connected();
    let none = InvokeRequest { auth: Auth::None, ..with_own(FunctionRef::Url(GEN2_URL.to_owned())) };
    let error = call(&world, &id, none).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "field")), (Kind::InvalidInput, Some("authorization")));
    let mut token = by_url();
    token.authorization = Some(Secret::new(format!("Bearer {}", canaries::FIRST)));
    let error = call(&world, &id, token).unwrap_err();
    assert!(error.fields().message.contains("access token") && !format!("{error:?}").contains("canary"));
    assert!(world.urls().is_empty());
}
