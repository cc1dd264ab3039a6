//! Repeats: of which requests, after which wait, and within which time.

use std::{
    future::Future as _,
    pin::pin,
    task::{Context, Waker},
    time::Duration,
};

use serde_json::json;
use test_case::test_case;

use super::{
    gen1, gen2,
    invoke::{GEN2_URL, call, in_region, request},
    one_request,
};
use crate::{
    actions::{
        connections::disconnect,
        functions::{
            invoke::{Auth, InvokeRequest, invoke},
            list::list,
        },
    },
    base::{
        content::Content,
        error::{Error, Kind, Origin},
        http::{Method, Response, TransportError},
        ports::StoreError,
        retry::{self, Class},
    },
    call::{Call, MAX_REPEATS, repeats::BURST},
    google::{
        request::{
            self,
            body::{Body, Payload},
            function_url::FunctionUrl,
            grammar::{PathAndQuery, Query},
            headers::CallerHeaders,
        },
        which::FunctionRef,
    },
    testing::{
        Answer, Op, World, access_token, block_on, canaries, connect, connect_request, json_answer,
        with_header,
    },
};

fn status(code: u16) -> Answer {
    json_answer(code, &json!({}))
}

fn open() -> InvokeRequest {
    InvokeRequest { auth: Auth::None, ..request(FunctionRef::Url(GEN2_URL.to_owned())) }
}

/// A call of a function that answers like this; its status, or its error, and how often it was sent.
fn invoked(answers: impl IntoIterator<Item = Answer>, idempotent: bool) -> (Result<u16, Error>, usize) {
    let (world, id) = World::connected();
    answers.into_iter().for_each(|answer| world.then(answer));
    let outcome = call(&world, &id, InvokeRequest { idempotent, ..open() });
    (outcome.map(|invocation| invocation.status), world.urls().len())
}

#[test_case(408)]
#[test_case(429)]
#[test_case(502)]
#[test_case(503)]
#[test_case(504)]
fn a_function_that_may_be_called_twice_is_and_no_other(code: u16) {
    assert_eq!(invoked([status(code)], false), (Ok(code), 1), "it may have run");
    assert_eq!(invoked([status(code), status(code), status(200)], true), (Ok(200), 3));
    assert_eq!(invoked((0..4).map(|_| status(code)), true), (Ok(code), 4));
}

#[test_case(500)]
#[test_case(501)]
#[test_case(409)]
#[test_case(401)]
#[test_case(400)]
fn what_would_not_change_is_not_repeated(code: u16) {
    assert_eq!(invoked([status(code)], true), (Ok(code), 1));
}

#[test]
fn what_was_not_sent_is_repeated_and_what_broke_is_not() {
    let not_sent = || Err(TransportError::NotSent("refused".to_owned()));
    let broken = || Err(TransportError::Broken("reset".to_owned()));
    assert_eq!(invoked([not_sent(), not_sent(), status(200)], false), (Ok(200), 3));
    assert_eq!(invoked([broken()], false).1, 1);
    assert_eq!(invoked([broken(), status(200)], true), (Ok(200), 2));
    assert_eq!(invoked([Err(TransportError::Timeout)], true).1, 1);
}

#[test]
fn every_attempt_is_in_the_trace() {
    let (world, id) = World::connected();
    for answer in [status(503), Err(TransportError::Broken("reset".to_owned())), status(200)] {
        world.then(answer);
    }
    let trace = call(&world, &id, InvokeRequest { idempotent: true, ..open() }).unwrap().trace;
    let seen: Vec<_> = trace.iter().map(|exchange| (exchange.attempt, exchange.status)).collect();
    assert_eq!(seen, [(1, Some(503)), (2, None), (3, Some(200))]);
}

#[test]
fn every_attempt_sends_the_whole_body() {
    let (world, id) = World::connected();
    for answer in [Err(TransportError::Broken("reset".to_owned())), status(503), status(200)] {
        world.then(answer);
    }
    let body = Some(Body::Text("all of it".to_owned()));
    call(&world, &id, InvokeRequest { idempotent: true, body, ..open() }).unwrap();
    let sent: Vec<_> = world.sent.borrow().iter().map(|request| request.body().to_vec()).collect();
    assert_eq!(sent, [b"all of it"; 3]);
}

#[test_case(Class::Unsent, 200, true)]
#[test_case(Class::Unsent, 401, false; "a token may have to be added")]
#[test_case(Class::Never, 204, true)]
#[test_case(Class::Idempotent, 200, false; "the connection may break within the answer")]
#[test_case(Class::TokenEndpoint, 200, false)]
fn a_body_is_given_back_once_nothing_sends_it_again(class: Class, status: u16, is: bool) {
    let url = FunctionUrl::parse(GEN2_URL).unwrap();
    let target = PathAndQuery::for_function("", "", &Query::None).unwrap();
    let payload = Payload::encode(Some(Body::Text("all of it".to_owned())), &|| [0; 16]).unwrap();
    let request = request::to_function(&url, Method::Post, &target, None).unwrap();
    let mut request = request.with(&CallerHeaders::default(), payload);
    retry::answered(&mut request, class, status);
    assert_eq!(request.body().is_empty(), is);
    // What a refusal may quote is kept, to be found in it.
    let mut request = request::to_token_service(&[("grant_type", "of_some_kind")]);
    retry::answered(&mut request, class, status);
    assert!(!request.body().is_empty());
}

#[test_case(with_header(status(503), "retry-after", "7"), 7; "Retry-After")]
#[test_case(json_answer(429, &json!({"error": {"details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3.5s"}]}})), 4; "RetryInfo")]
fn the_other_side_says_how_long_to_wait_at_least(answer: Answer, seconds: u64) {
    let (world, id) = World::connected();
    world.then(answer);
    world.then(status(200));
    call(&world, &id, InvokeRequest { idempotent: true, ..open() }).unwrap();
    assert!(world.elapsed.get() >= Duration::from_secs(seconds), "{:?}", world.elapsed.get());
}

#[test]
fn no_wait_goes_past_the_deadline() {
    let (world, id) = World::connected();
    world.then(with_header(status(503), "retry-after", "10"));
    let request = InvokeRequest { idempotent: true, ..open() };
    let invocation = block_on(invoke(&world, &id, request, Some(10_000))).unwrap();
    assert_eq!((invocation.status, world.urls().len(), world.elapsed.get()), (503, 1, Duration::ZERO));
}

#[test_case(&[503, 503, 200], 3, None; "a passing fault")]
#[test_case(&[409], 1, Some(Kind::InvalidInput); "a conflict")]
#[test_case(&[501], 1, Some(Kind::Unavailable); "what is not implemented")]
#[test_case(&[403], 1, Some(Kind::Forbidden); "what is forbidden")]
fn a_list_is_repeated_where_it_helps(codes: &[u16], sent: usize, fails: Option<Kind>) {
    let (world, id) = World::connected();
    codes.iter().for_each(|code| world.then(status(*code)));
    let outcome = block_on(list(&world, &id, one_request(), None));
    assert_eq!((outcome.err().map(|error| error.kind()), world.urls().len()), (fails, sent));
}

#[test]
fn a_401_takes_one_new_token_and_one_more_attempt() {
    let (world, id) = World::connected();
    for answer in [status(401), access_token(canaries::SECOND), status(200)] {
        world.then(answer);
    }
    block_on(list(&world, &id, one_request(), None)).unwrap();
    assert_eq!(world.urls().len(), 3);
    world.begin_anew();
    for answer in [status(401), access_token(canaries::THIRD), status(401)] {
        world.then(answer);
    }
    let error = block_on(list(&world, &id, one_request(), None)).unwrap_err();
    assert_eq!((error.kind(), world.urls().len()), (Kind::Unauthenticated, 3));
}

#[test]
fn all_requests_of_a_call_share_one_budget_of_repeats() {
    let (world, _) = World::connected();
    let call = Call::begin(&world, None, Duration::from_secs(600)).unwrap();
    let url = FunctionUrl::parse(GEN2_URL).unwrap();
    let target = PathAndQuery::for_function("", "", &Query::None).unwrap();
    let mut request = request::to_function(&url, Method::Get, &target, None).unwrap();
    let mut sent = Vec::new();
    for _ in 0..5 {
        for _ in 0..4 {
            world.then(status(503));
        }
        world.sent.borrow_mut().clear();
        assert_eq!(block_on(call.exchange(&mut request, Class::Idempotent)).unwrap().status, 503);
        sent.push(world.urls().len());
        world.forget_answers();
    }
    assert_eq!(sent, [4, 4, 4, 2, 1]);
    assert_eq!(sent.iter().map(|sent| *sent as u32 - 1).sum::<u32>(), MAX_REPEATS);
}

#[test]
fn a_thousand_lists_of_what_is_down_send_hardly_more_than_a_thousand_requests() {
    let (world, id) = World::connected();
    world.respond(|_| status(503));
    for number in 1..=1000 {
        let error = block_on(list(&world, &id, one_request(), None)).unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable);
        if number == 1 {
            assert_eq!(world.urls().len(), 4, "the first one has not lost anything by it");
        }
    }
    let sent = world.urls().len();
    assert!((1000 + BURST as usize..=1100).contains(&sent), "{sent}");

    // Half a minute of peace.
    world.wall.set(world.wall.get() + Duration::from_secs(30));
    world.begin_anew();
    block_on(list(&world, &id, one_request(), None)).unwrap_err();
    assert_eq!(world.urls().len(), 4, "there are some again");
}

#[test]
fn each_connection_has_repeats_of_its_own_and_they_go_with_it() {
    let (world, first) = World::connected();
    world.then(access_token(canaries::SECOND));
    let second = connect(&world, connect_request()).unwrap().0.id;
    world.begin_anew();
    world.respond(|_| status(503));
    for _ in 0..100 {
        block_on(list(&world, &first, one_request(), None)).unwrap_err();
    }
    world.begin_anew();
    block_on(list(&world, &second, one_request(), None)).unwrap_err();
    assert_eq!(world.urls().len(), 4);
    assert_eq!(world.keys("repeats/").len(), 2);
    block_on(disconnect(&world, &first, None)).unwrap();
    assert_eq!(world.keys("repeats/"), [format!("repeats/{second}")]);
}

#[test_case(|world, key| world.set(key, "not JSON"), 4; "what cannot be read is begun anew")]
#[test_case(|world, _| world.read_only.set(true), 4; "a store that is read-only")]
#[test_case(|world, _| world.fail(Op::Get, "repeats/", StoreError::Failed("gone".to_owned())), 4; "a store that does not answer")]
#[test_case(|world, _| world.fail(Op::Put, "repeats/", StoreError::VersionMismatch), 1; "others are always quicker, so enough is repeated")]
fn a_store_that_cannot_count_leaves_each_call_its_own(trouble: fn(&World, &str), sent: usize) {
    let (world, id) = World::connected();
    world.respond(|_| status(503));
    trouble(&world, &format!("repeats/{id}"));
    block_on(list(&world, &id, one_request(), None)).unwrap_err();
    assert_eq!(world.urls().len(), sent);
}

#[test]
fn a_call_that_needs_no_repeat_does_not_ask_the_store_about_any() {
    let (world, id) = World::connected();
    world.fail(Op::Get, "repeats/", StoreError::Failed("asked".to_owned()));
    world.then(status(200));
    block_on(list(&world, &id, one_request(), None)).unwrap();
    assert!(world.keys("repeats/").is_empty());
}

#[test]
fn a_call_that_is_dropped_sends_nothing_more() {
    let (world, id) = World::connected();
    world.then(status(503));
    {
        let mut call = pin!(invoke(&world, &id, InvokeRequest { idempotent: true, ..open() }, None));
        world.hangs.set(true);
        assert!(
            call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending(),
            "it waits for the repeat"
        );
    }
    assert_eq!(world.urls().len(), 1);
}

#[test]
fn the_functions_own_timeout_and_half_a_minute_are_the_deadline_within_that_of_the_caller() {
    let with_timeout = |mut function: serde_json::Value, seconds: Option<u32>| {
        function["serviceConfig"]["timeoutSeconds"] = json!(seconds);
        function
    };
    let seconds = |deadline_ms, function: &serde_json::Value| {
        let (world, id) = World::connected();
        world.then(json_answer(200, function));
        world.then(status(200));
        let request = InvokeRequest { auth: Auth::None, ..request(in_region("hello")) };
        block_on(invoke(&world, &id, request, deadline_ms)).unwrap();
        let total = world.times.borrow()[1];
        total.as_secs()
    };
    let (first, second) = (gen1("us-central1", "hello"), gen2("us-central1", "hello"));
    assert_eq!(seconds(None, &with_timeout(second.clone(), Some(300))), 330);
    assert_eq!(seconds(None, &with_timeout(first.clone(), Some(540))), 570);
    assert_eq!(seconds(None, &with_timeout(second.clone(), Some(3600))), 3630);
    assert_eq!(seconds(None, &with_timeout(second.clone(), Some(5))), 60, "never less than the default");
    assert_eq!(seconds(None, &with_timeout(first, None)), 60, "not known");
    assert_eq!(seconds(Some(7000), &with_timeout(second, Some(300))), 7, "the caller's own");

    let (world, id) = World::connected();
    world.then(status(200));
    call(&world, &id, open()).unwrap();
    assert_eq!(world.times.borrow()[0].as_secs(), 60, "by its URL");
}

fn compressed(length: usize) -> Answer {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&vec![b'1'; length]).unwrap();
    let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
    Ok(Response {
        status: 200,
        headers: headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).into(),
        body: encoder.finish().unwrap(),
    })
}

#[test]
fn what_arrives_in_gzip_is_read_and_a_bomb_is_too_large() {
    let (world, id) = World::connected();
    world.then(compressed(3));
    let invocation = call(&world, &id, open()).unwrap();
    assert_eq!((invocation.body, invocation.headers.len()), (Content::Json("111".to_owned()), 2));
    world.then(compressed(32 * 1024 * 1024 + 1));
    let error = call(&world, &id, open()).unwrap_err();
    assert_eq!((error.kind(), error.fields().origin), (Kind::TooLarge, Origin::Function));
    world.then(compressed(10 * 1024 * 1024 + 1));
    let error = block_on(list(&world, &id, one_request(), None)).unwrap_err();
    assert_eq!((error.kind(), error.fields().origin), (Kind::TooLarge, Origin::GoogleApi));
}
