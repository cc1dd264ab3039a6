use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use test_case::test_case;

use super::detail;
use crate::{
    actions::{connections, functions::list::list},
    base::error::{Kind, Origin},
    testing::{
        Answer, NOW, World, access_token, block_on, canaries, connect, connect_request, invalid_grant,
        json_answer, with_header,
    },
};

fn connect_with(status: u16, body: &Value) -> Result<(), crate::base::error::Error> {
    let world = World::new().answer(json_answer(status, body));
    world.damaged();
    block_on(connections::connect(&world, connect_request(), None)).map(drop)
}

fn list_at(world: &World, id: &str, seconds: u64) -> Result<(), crate::base::error::Error> {
    world.wall.set(Duration::from_secs(NOW + seconds));
    world.then(json_answer(200, &json!({})));
    block_on(list(world, id, super::one_request(), None)).map(drop)
}

#[test_case(json!({"access_token": canaries::FIRST, "expires_in": 3599, "token_type": "Bearer"}))]
#[test_case(json!({"access_token": canaries::FIRST, "expires_in": "3599", "token_type": "bearer"}); "a number as text")]
#[test_case(json!({"access_token": canaries::FIRST, "token_type": "Bearer"}); "no life")]
#[test_case(json!({"access_token": canaries::FIRST, "expires_in": 99_999_999_999_999_999_999_f64, "token_type": "Bearer"}); "a very long life")]
fn a_grant_is_accepted(body: Value) {
    connect_with(200, &body).unwrap();
}

#[test_case(json!({"access_token": canaries::FIRST, "expires_in": -5, "token_type": "Bearer"}); "a negative life")]
#[test_case(json!({"access_token": canaries::FIRST, "expires_in": [], "token_type": "Bearer"}); "a list as life")]
#[test_case(json!({"access_token": canaries::FIRST, "expires_in": 3599, "token_type": "MAC"}); "another type")]
#[test_case(json!({"access_token": "", "expires_in": 3599, "token_type": "Bearer"}); "an empty token")]
#[test_case(json!({"access_token": "a".repeat(20_000), "expires_in": 3599, "token_type": "Bearer"}); "a huge token")]
#[test_case(json!({"access_token": "a b", "expires_in": 3599, "token_type": "Bearer"}); "a space in the token")]
#[test_case(json!({"id_token": "a.b.c", "token_type": "Bearer"}); "no access token")]
fn a_grant_is_malformed(body: Value) {
    let error = connect_with(200, &body).unwrap_err();
    assert_eq!((error.kind(), error.fields().origin), (Kind::InvalidResponse, Origin::TokenEndpoint));
}

#[test]
fn a_life_of_more_than_twelve_hours_is_not_believed() {
    let mut answer = json_answer(200, &json!({})).unwrap();
    answer.body = format!(
        r#"{{"access_token":"{}","expires_in":99999999999999999999,"token_type":"Bearer"}}"#,
        canaries::FIRST
    )
    .into_bytes();
    let world = World::new().answer(Ok(answer));
    world.damaged();
    let (connection, _) = block_on(connections::connect(&world, connect_request(), None)).unwrap();
    let key = world.keys(&format!("tokens/{}/", connection.id)).remove(0);
    assert_eq!(world.entry(&key)["expires"], NOW + 12 * 3600);
}

#[test]
fn the_token_endpoint_is_left_alone_as_long_as_it_asks() {
    let busy = || with_header(json_answer(429, &json!({"error": "rate_limit_exceeded"})), "retry-after", "7");
    let world = World::new().answer(busy()).answer(busy()).answer(access_token(canaries::FIRST));
    block_on(connections::connect(&world, connect_request(), None)).unwrap();
    assert_eq!(world.urls().len(), 3);
    let waited = world.wall.get().as_secs() - NOW;
    assert!((14..=16).contains(&waited), "{waited}");
}

#[test]
fn a_token_that_stands_twice_is_malformed() {
    let mut answer = json_answer(200, &json!({})).unwrap();
    answer.body =
        br#"{"access_token":"a","access_token":"b","expires_in":3599,"token_type":"Bearer"}"#.to_vec();
    let world = World::new().answer(Ok(answer));
    let error = block_on(connections::connect(&world, connect_request(), None)).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidResponse);
}

#[test]
fn a_scope_that_was_not_granted_is_named() {
    let body = json!({"access_token": "a", "expires_in": 3599, "token_type": "Bearer", "scope": "openid"});
    let error = connect_with(200, &body).unwrap_err();
    assert_eq!(error.kind(), Kind::InsufficientScope);
    assert_eq!(detail(&error, "scope"), Some("https://www.googleapis.com/auth/cloud-platform"));
}

#[test_case("Invalid JWT Signature.", Kind::CredentialRejected, "make a new key")]
#[test_case("Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.", Kind::ClockSkew, "set the clock"; "clock skew without a Date")]
#[test_case("Invalid grant: account not found", Kind::CredentialRejected, "was deleted, or never existed"; "account gone")]
fn what_is_behind_invalid_grant_is_told(description: &str, kind: Kind, fix: &str) {
    let error =
        connect_with(400, &json!({"error": "invalid_grant", "error_description": description})).unwrap_err();
    assert_eq!((error.kind(), error.fields().trace.len()), (kind, 1));
    assert!(error.fields().fix.as_deref().unwrap().contains(fix), "{error}");
}

#[test_case(access_token(canaries::FIRST), None; "which helps")]
#[test_case(clock_skew(), Some(Kind::ClockSkew); "which does not help and is not repeated")]
fn a_wrong_clock_gets_one_more_attempt_with_googles_own_time(second: Answer, kind: Option<Kind>) {
    let world = World::new();
    world.at(7200);
    world.then(with_header(clock_skew(), "date", "Sun, 01 Mar 2026 12:00:00 GMT"));
    world.then(with_header_if(second, kind.is_some()));
    assert_eq!(connect(&world, connect_request()).map(drop).map_err(|error| error.kind()).err(), kind);
    let iat = |request| {
        let form = world.form(request);
        let claims = form[1].1.split('.').nth(1).unwrap().to_owned();
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        claims["iat"].as_u64().unwrap()
    };
    assert_eq!(world.urls().len(), 2);
    assert_eq!((iat(0), iat(1)), (NOW + 7190, NOW - 10));
}

fn clock_skew() -> Answer {
    invalid_grant(
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.",
    )
}

fn with_header_if(answer: Answer, dated: bool) -> Answer {
    if dated { with_header(answer, "date", "Sun, 01 Mar 2026 12:00:01 GMT") } else { answer }
}

#[test]
fn the_token_endpoint_is_asked_three_times_at_most() {
    let world = World::new();
    for _ in 0..3 {
        world.then(json_answer(503, &json!({"error": "temporarily_unavailable"})));
    }
    let error = block_on(connections::connect(&world, connect_request(), None)).unwrap_err();
    assert_eq!((error.kind(), error.fields().trace.len()), (Kind::Unavailable, 3));
}

#[test]
fn a_cached_token_is_used_until_it_is_nearly_over() {
    let (world, id) = World::connected();
    list_at(&world, &id, 3000).unwrap();
    assert_eq!(world.urls().len(), 1, "no token request");
    world.wall.set(Duration::from_secs(NOW + 3500));
    world.then(access_token(canaries::SECOND));
    list_at(&world, &id, 3500).unwrap();
    assert_eq!(world.urls().len(), 3);
    assert_eq!(world.sent.borrow()[2].bearer().unwrap().reveal(), canaries::SECOND);
}

/// google-auth renews 225 s before the end; the 30 s before that are drawn for each call, and for those alone.
#[test]
fn many_callers_renew_a_token_over_half_a_minute() {
    let mut renewing = None;
    for left in 0..=32 {
        for byte in [0, 1, 100, 250] {
            let (world, id) = World::connected();
            // The next random byte is this one.
            world.counter.set(250 + byte);
            let before = world.counter.get();
            world.respond(|request| match request.host() {
                "oauth2.googleapis.com" => access_token(canaries::SECOND),
                _ => json_answer(200, &json!({})),
            });
            world.wall.set(Duration::from_secs(NOW + 3599 - 225 - left));
            block_on(list(&world, &id, super::one_request(), None)).unwrap();
            let renewed = world.bearer(world.urls().len() - 1).as_deref() == Some(canaries::SECOND);
            let drawn = byte * 30 / 255;
            assert_eq!(renewed, left <= drawn, "{left} s before, drawn {drawn}");
            let counted = world.counter.get() - before;
            // To renew counts too: one that is over is renewed without a draw.
            let beside = if renewed { *renewing.get_or_insert(counted) } else { 0 };
            assert_eq!(counted - beside, u64::from((1..=30).contains(&left)), "{left} s before its end");
        }
    }
}

#[test]
fn the_old_token_is_used_on_a_passing_fault_until_ten_seconds_before_its_end() {
    let (world, id) = World::connected();
    for _ in 0..3 {
        world.then(json_answer(503, &json!({})));
    }
    list_at(&world, &id, 3500).unwrap();
    assert_eq!(world.sent.borrow().last().unwrap().bearer().unwrap().reveal(), canaries::FIRST);

    for _ in 0..3 {
        world.then(json_answer(503, &json!({})));
    }
    world.wall.set(Duration::from_secs(NOW + 3595));
    let error = block_on(list(&world, &id, super::one_request(), None));
    assert_eq!(error.unwrap_err().kind(), Kind::Unavailable);
}

#[test]
fn while_somebody_else_refreshes_the_token_is_waited_for() {
    let (world, id) = World::connected();
    for _ in 0..3 {
        world.held_while(|_| {});
    }
    world.then(access_token(canaries::SECOND));
    list_at(&world, &id, 4000).unwrap();
    assert_eq!(world.elapsed.get(), Duration::from_millis(300));
}

#[test]
fn a_store_that_cannot_be_written_costs_an_exchange_and_nothing_else() {
    let (world, id) = World::connected();
    world.read_only.set(true);
    for token in [canaries::SECOND, canaries::THIRD] {
        world.then(access_token(token));
        list_at(&world, &id, 4000).unwrap();
    }
    assert_eq!(world.urls().len(), 4);
}

#[test]
fn an_endpoint_that_repeats_what_it_was_sent_is_not_quoted() {
    let world = World::new().answer(Ok(crate::base::http::Response {
        status: 400,
        headers: Vec::new(),
        // What the assertion begins with is the same for every key of this id.
        body: br#"{"error":"invalid_grant","error_description":"cannot read eyJ0eXAiOiJKV1Qi, sent as Bearer canary"}"#
            .to_vec(),
    }));
    let error = block_on(connections::connect(&world, connect_request(), None)).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("cannot read [secret] sent as Bearer [secret]"), "{shown}");
    assert!(!shown.contains("canary") && !shown.contains("eyJ"), "{shown}");
}
