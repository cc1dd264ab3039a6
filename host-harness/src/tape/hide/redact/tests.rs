//! Secrets by shape, header, place and field, and their placeholders.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::*;

fn jwt(signature: &str) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", part(json!({"alg": "RS256"})), part(json!({"iss": "me@example.test"})))
}

fn check(redact: impl Fn(&mut Redactor, &str) -> String, given: &str, expected: &str) {
    let mut redactor = Redactor::default();
    let once = redact(&mut redactor, given);
    assert_eq!(once, expected, "redacting {given}");
    assert_eq!(redact(&mut redactor, &once), once, "a second time");
    assert_eq!(redact(&mut Redactor::default(), &once), once, "by another redactor");
}

#[test]
fn secrets_by_shape() {
    let key = format!("AIza{}", "x".repeat(35));
    for (given, expected) in [
        ("", ""),
        ("nothing to hide: 1/2, 4/05, https://x.test//1", "nothing to hide: 1/2, 4/05, https://x.test//1"),
        ("ya29.a0Af_B-c/d", "[redacted:access-token:1]"),
        (
            "a ya29.one b ya29.two c ya29.one",
            "a [redacted:access-token:1] b [redacted:access-token:2] c [redacted:access-token:1]",
        ),
        ("\\nya29.one\\n", "\\n[redacted:access-token:1]\\n"),
        ("1//0gAbCdEfGhIjK", "[redacted:refresh-token:1]"),
        ("code 4/0AVGzR1AbCdEfGh.", "code [redacted:code:1]"),
        ("GOCSPX-0123456789ab", "[redacted:client-secret:1]"),
        (&format!("key={key}&b"), "key=[redacted:api-key:1]&b"),
        ("-----BEGIN PRIVATE KEY-----\nMII=\n-----END PRIVATE KEY-----\nrest", "[redacted:pem:1]\nrest"),
        ("-----BEGIN PRIVATE KEY-----\nMII= cut off", "[redacted:pem:1]"),
        (&format!("<{}>", jwt("c2lnbmF0dXJl")), &format!("<{}>", jwt("redacted"))),
        (&jwt(""), &jwt("")),
        ("eyJhbGciOiJkaXIifQ.a2V5.aXY.dGV4dA.dGFn", "[redacted:jwt:1]"),
        ("eyJ is not a token, nor is eyJ.eyJ.x", "eyJ is not a token, nor is eyJ.eyJ.x"),
        ("é ya29.é", "é ya29.é"),
    ] {
        check(|redactor, text| redactor.text(text), given, expected);
    }
}

#[test]
fn secrets_by_header() {
    let signed = format!("Bearer {}", jwt("c2ln"));
    let unsigned = format!("Bearer {}", jwt("redacted"));
    for (name, given, expected) in [
        ("Authorization", "Bearer anything", "Bearer [redacted:access-token:1]"),
        ("authorization", &signed, &unsigned),
        ("authorization", "Basic dTpw", "Basic [redacted:credentials:1]"),
        ("authorization", "naked", "[redacted:credentials:1]"),
        ("x-serverless-authorization", "bearer anything", "bearer [redacted:access-token:1]"),
        ("x-goog-api-key", "anything", "[redacted:api-key:1]"),
        ("cookie", "a=1; b=2; a=1", "a=[redacted:cookie:1]; b=[redacted:cookie:2]; a=[redacted:cookie:1]"),
        ("set-cookie", "sid=abc; Path=/; HttpOnly", "sid=[redacted:cookie:1]; Path=/; HttpOnly"),
        (
            "location",
            "https://x.test/cb?code=abc&state=s",
            "https://x.test/cb?code=%5Bredacted%3Acode%3A1%5D&state=s",
        ),
        ("X-Api-Key", "anything", "[redacted:credentials:1]"),
        ("x-vault-token", "anything", "[redacted:credentials:1]"),
        ("idempotency-key", "anything", "anything"),
        ("x-other", "anything, ya29.abc", "anything, [redacted:access-token:1]"),
    ] {
        check(|redactor, value| redactor.header(name, value), given, expected);
    }
}

#[test]
fn secrets_by_place_in_a_url() {
    for (given, expected) in [
        ("https://x.test", "https://x.test"),
        ("https://x.test/a?b=%41&c", "https://x.test/a?b=%41&c"),
        ("https://ya29.test/ya29.abc?x=1", "https://ya29.test/[redacted:access-token:1]?x=1"),
        ("https://me:canary@x.test?key=k", "https://redacted@x.test?key=%5Bredacted%3Aapi-key%3A1%5D"),
        ("/cb#access_token=opaque", "/cb#access_token=%5Bredacted%3Aaccess-token%3A1%5D"),
    ] {
        check(|redactor, url| redactor.url(url), given, expected);
    }
}

#[test]
fn secrets_by_field() {
    let mut redactor = Redactor::default();
    let form = [
        ("client_secret", "s"),
        ("refresh_token", "r"),
        ("code", "c"),
        ("code_verifier", "v"),
        ("grant_type", "authorization_code"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let RecordedBody::Form(pairs) = redactor.body(&RecordedBody::Form(form.to_vec())) else {
        panic!("a form stays a form")
    };
    let values: Vec<&str> = pairs.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(
        values,
        [
            "[redacted:client-secret:1]",
            "[redacted:refresh-token:1]",
            "[redacted:code:1]",
            "[redacted:code-verifier:1]",
            "authorization_code"
        ]
    );
    let body = json!({"access_token": "opaque", "error": {"code": 403}, "code": "E7", "deep": [{"refresh_token": "r"}]});
    assert_eq!(
        redactor.body(&RecordedBody::Json(body)),
        RecordedBody::Json(json!({
            "access_token": "[redacted:access-token:1]",
            "error": {"code": 403},
            "code": "E7",
            "deep": [{"refresh_token": "[redacted:refresh-token:1]"}]
        }))
    );
    let body = json!({"password": "pw-1", "apiKey": "ak-1", "db_password": "pw-2", "pageToken": "p",
        "secret": "projects/p/secrets/name", "passwordHint": "the cat"});
    assert_eq!(
        redactor.body(&RecordedBody::Json(body)),
        RecordedBody::Json(
            json!({"password": "[redacted:credentials:1]", "apiKey": "[redacted:credentials:2]",
            "db_password": "[redacted:credentials:3]", "pageToken": "p",
            "secret": "projects/p/secrets/name", "passwordHint": "the cat"})
        )
    );
    assert_eq!(redactor.header("authorization", "Bearer opaque"), "Bearer [redacted:access-token:1]");
    // As any media type.
    let text = |text: &str| RecordedBody::Text(text.to_owned());
    let given = text("{ \"access_token\": \"opaque\", \"refresh_token\":\"another\" }");
    let expected =
        r#"{"access_token":"[redacted:access-token:1]","refresh_token":"[redacted:refresh-token:2]"}"#;
    assert_eq!(redactor.body(&given), text(expected));
    for same in [expected, "{ \"a\": \"1\" }", "\"access_token\"", "access_token"] {
        assert_eq!(redactor.body(&text(same)), text(same));
    }
}

#[test]
fn bytes_that_are_not_text() {
    let mut redactor = Redactor::default();
    let redacted = redactor.bytes(b"\xff\x00ya29.abc\xfe");
    assert_eq!(redacted, b"\xff\x00[redacted:access-token:1]\xfe");
}

#[test]
fn reserved_numbers_are_not_given_again() {
    let mut redactor = Redactor::default();
    redactor.reserve("[redacted:access-token:1] and [redacted:access-token:3]");
    assert_eq!(redactor.text("ya29.a ya29.b"), "[redacted:access-token:2] [redacted:access-token:4]");
}

#[test]
fn debug_shows_no_secret() {
    let mut redactor = Redactor::default();
    assert_eq!(redactor.text("ya29.canary"), "[redacted:access-token:1]");
    assert_eq!(format!("{redactor:?}"), "Redactor { secrets: 1 }");
}

#[test]
fn a_secret_of_the_store_is_found_in_any_form() {
    use std::io::Write as _;

    use base64::engine::general_purpose::STANDARD;

    let live = LiveSecrets::default();
    let mut redactor = Redactor::thorough();
    redactor.know(live.clone());
    let secret = "canary opaque secret";
    assert_eq!(redactor.text(secret), secret, "nobody has said that it is one");
    live.add(secret);
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    for text in [
        format!("it is {secret}."),
        format!("it is {}.", STANDARD.encode(format!("a {secret}"))),
        format!("it is {hex}."),
        format!("it is {}.", hex.to_uppercase()),
        format!("it is {}.", secret.replace(' ', "%20")),
        format!("it is {}.", secret.replace(' ', "\\u0020")),
    ] {
        let shown = redactor.text(&text);
        // A full stop may be a part of what was encoded.
        assert_eq!(shown.trim_end_matches('.').split("[redacted:").count(), 2, "{text}: {shown}");
        assert!(
            shown.starts_with("it is [redacted:") && shown.trim_end_matches('.').ends_with(']'),
            "{shown}"
        );
        assert_eq!(redactor.text(&shown), shown, "a second time");
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(format!("it is {secret}.").as_bytes()).unwrap();
    assert_eq!(redactor.bytes(&gzip.finish().unwrap()), b"[redacted:compressed:1]");
}

/// A secret that was learned from a text counts as a whole; the store's own, in parts.
#[test]
fn a_text_is_searched_again_once_a_secret_counts_in_parts() {
    const SECRET: &str = "k3Vw9QzR7bTn1LxYp5Hd8MfGc2JsA6";
    let live = LiveSecrets::default();
    let mut redactor = Redactor::thorough();
    redactor.know(live.clone());
    assert_eq!(redactor.header("x-api-key", SECRET), "[redacted:credentials:1]");
    let part = format!("it is {}, or so", &SECRET[4..24]);
    assert_eq!(redactor.text(&part), part, "the whole of it is the secret");
    live.add(SECRET);
    assert_eq!(redactor.text(&part), "it is [redacted:secret:1], or so");
}

#[test]
fn there_are_so_many_numbers_and_no_more() {
    let mut redactor = Redactor::default();
    let many: String = (0..MOST_PLACEHOLDERS).map(|n| format!("ya29.{n} ")).collect();
    let shown = redactor.text(&many);
    assert!(shown.ends_with(&format!("[redacted:access-token:{MOST_PLACEHOLDERS}] ")));
    assert_eq!(
        redactor.text("ya29.0 ya29.x ya29.y"),
        "[redacted:access-token:1] [redacted:access-token:0] [redacted:access-token:0]"
    );
    assert_eq!(redactor.placeholders.len(), MOST_PLACEHOLDERS);
}

#[test]
fn what_nobody_waits_for_is_not_looked_into() {
    let long = RecordedBody::Text("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=".to_owned());
    let mut redactor = Redactor::thorough();
    assert_eq!(redactor.body(&long), long);
    let mut redactor = Redactor::thorough();
    redactor.serve(Waiter::gone());
    assert_eq!(redactor.body(&long), RecordedBody::Text("[redacted:unsearched:1]".to_owned()));
    assert_eq!(
        redactor.header("x-a", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="),
        "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
    );
    assert!(redactor.finds_in(b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo"), "it might");
}
