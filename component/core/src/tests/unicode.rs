//! Every character that is not seen, that turns others round, or that is none (and all of ASCII and Latin), in every place where a caller's text becomes a part of a request: what the grammar of the
//! place allows is sent, and nothing else; and no refusal shows a character that is not seen.
//!
//! The grammars are written out again as regular expressions, by the RFCs that are cited there.

use std::sync::LazyLock;

use regex::Regex;
use test_case::test_case;

use super::{api_request, invoke::request};
use crate::{
    actions::{api::custom_api, functions::invoke::invoke},
    base::error::Error,
    google::{
        names::{FunctionName, ProjectId, Region},
        request::{
            body::{Body, Part, Payload},
            cloud_event::CloudEvent,
            function_url::{Audience, FunctionUrl},
            grammar::{PathAndQuery, Query},
            headers::{CallerHeaders, Reader},
        },
        which::FunctionRef,
    },
    testing::{World, block_on},
};

/// The characters that are tried; found once, for that takes a while.
static ALL: LazyLock<Vec<char>> = LazyLock::new(|| {
    let odd = Regex::new(
        r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{White_Space}\p{Noncharacter_Code_Point}]",
    )
    .unwrap();
    ('\0'..=char::MAX).filter(|c| *c < '\u{300}' || odd.is_match(c.encode_utf8(&mut [0; 4]))).collect()
});

fn all() -> impl Iterator<Item = char> {
    ALL.iter().copied()
}

/// Asserts that a place takes exactly the characters that a class allows.
#[track_caller]
fn assert_takes(class: &str, takes: impl Fn(char) -> bool) {
    let allowed = Regex::new(&format!("^{class}$")).unwrap();
    let wrong: Vec<_> =
        all().filter(|c| takes(*c) != allowed.is_match(c.encode_utf8(&mut [0; 4]))).take(20).collect();
    assert!(wrong.is_empty(), "{class}: {wrong:?}");
}

/// The same for places that take nearly all characters: those are given many at once.
#[track_caller]
fn assert_refuses(class: &str, takes: impl Fn(&str) -> bool) {
    let refused = Regex::new(&format!("^{class}$")).unwrap();
    let (refused, taken): (Vec<char>, Vec<char>) =
        all().partition(|c| refused.is_match(c.encode_utf8(&mut [0; 4])));
    for c in refused {
        assert!(!takes(&c.to_string()), "{c:?}");
    }
    for many in taken.chunks(500) {
        let many: String = many.iter().collect();
        assert!(takes(&many), "{many:?}");
    }
}

fn header(name: String, value: String) -> bool {
    [Reader::Api, Reader::Function]
        .map(|reader| CallerHeaders::parse(vec![(name.clone(), value.clone())], reader).is_ok())
        .into_iter()
        .all(|taken| taken)
}

/// RFC 9110, sections 5.1, 5.5 and 5.6.2, without what is obsolete (`obs-text`).
#[test]
fn in_a_header() {
    assert_takes(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]", |c| header(format!("x{c}a"), "x".to_owned()));
    assert_takes(r"[\t\x20-\x7e]", |c| header("x-a".to_owned(), format!("a{c}b")));
    assert_takes(r"[\x21-\x7e]", |c| header("x-a".to_owned(), format!("a{c}")));
}

/// RFC 3986, sections 3.3 and 3.4: `pchar`, with `/` and `?` in a query; and brackets, which browsers leave as they are.
#[test]
fn in_a_path_and_in_a_query() {
    let sent = |path: String, query: Query| PathAndQuery::for_function("", &path, &query).is_ok();
    const PCHAR: &str = r"A-Za-z0-9\-._~!$&'()*+,;=:@\[\]";
    assert_takes(&format!("[{PCHAR}/]"), |c| sent(format!("/a{c}b"), Query::None));
    assert_takes(&format!("[{PCHAR}/?]"), |c| sent(String::new(), Query::Raw(format!("a=b{c}c"))));
    assert_takes(&format!("[{PCHAR}/?]"), |c| {
        PathAndQuery::for_api("/v2/x", &Query::Raw(format!("a=b{c}c"))).is_ok()
    });
}

/// Escapes hide nothing that would be refused as it is, but for what a path or a query cannot hold otherwise.
#[test]
fn in_an_escape() {
    let escaped = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    assert_refuses(r"[\p{Cc}%\\]", |text| {
        PathAndQuery::for_function("", &format!("/a{}b", escaped(text)), &Query::None).is_ok()
    });
    assert_refuses(r"\p{Cc}", |text| {
        PathAndQuery::for_function("", "", &Query::Raw(format!("a={}", escaped(text)))).is_ok()
    });
}

/// The URL standard, application/x-www-form-urlencoded: every character, as ASCII that reads back.
#[test]
fn in_a_pair_and_in_a_form() {
    let all: Vec<char> = all().collect();
    for many in all.chunks(500) {
        let many: String = many.iter().collect();
        let pair = (format!("n{many}"), format!("{many}v"));
        let target = PathAndQuery::for_function("", "", &Query::Pairs(vec![pair.clone()])).unwrap();
        let form = Payload::encode(Some(Body::Form(vec![pair.clone()])), &|| [0; 16]).unwrap();
        let encoded = target.as_str().strip_prefix("/?").unwrap();
        assert_eq!(encoded.as_bytes(), form.bytes);
        assert!(encoded.bytes().all(|b| b.is_ascii_graphic() && b != b'#'), "{encoded}");
        assert_eq!(target.parameters(), [pair]);
    }
}

/// The names that Google allows for a function, a project and a region; and an audience is printable ASCII.
#[test]
fn in_a_name() {
    assert_takes("[A-Za-z0-9_-]", |c| FunctionName::parse(&format!("a{c}b")).is_ok());
    assert_takes("[a-z0-9-]", |c| ProjectId::parse(&format!("abc{c}def")).is_ok());
    assert_takes("[0-9]", |c| Region::parse(&format!("us-central{c}")).is_ok());
    assert_takes("[\\x21-\\x7e]", |c| Audience::parse(&format!("a{c}b")).is_ok());
    assert_takes("[a-z0-9A-Z-]", |c| FunctionUrl::parse(&format!("https://a{c}b-abc-uc.a.run.app")).is_ok());
}

/// RFC 9110, section 8.3.1, as far as a header can be broken by it; RFC 7578, section 4.2.
#[test]
fn in_a_media_type_and_in_the_head_of_a_part() {
    let bytes = |c: char| Body::Bytes { content_type: format!("a/b{c}c"), data: Vec::new() };
    assert_takes(r"[\x20-\x7e]", |c| Payload::encode(Some(bytes(c)), &|| [0; 16]).is_ok());
    let named: Vec<char> = all().filter(|c| *c != '\0').collect();
    for many in named.chunks(500) {
        let text: String = many.iter().collect();
        let part = Part { name: text.clone(), filename: Some(text), content_type: None, data: Vec::new() };
        let body = Payload::encode(Some(Body::Multipart(vec![part])), &|| [0; 16]).unwrap().bytes;
        let body = String::from_utf8(body).unwrap();
        let breaks = [body.matches('\r').count(), body.matches('\n').count(), body.matches('"').count()];
        assert_eq!(breaks, [5, 5, 4], "{many:?}");
    }
}

/// CloudEvents 1.0, section 3.1.1: no control characters and no noncharacters; HTTP binding, section 3.1.3.2: the rest
/// becomes printable ASCII.
#[test]
fn in_an_attribute_of_an_event() {
    let event = |text: &str| {
        let value = serde_json::Value::from(format!("a{text}b"));
        CloudEvent::parse(&format!(
            r#"{{"specversion":"1.0","id":"1","source":"/","type":"t","note":{value}}}"#
        ))
    };
    assert_refuses(r"[\p{Cc}\p{Noncharacter_Code_Point}]", |text| {
        let Ok(event) = event(text) else { return false };
        let (_, value) = event.headers.iter().find(|(name, _)| name == "ce-note").unwrap();
        value.bytes().all(|b| b.is_ascii_graphic())
    });
}

/// All of a refusal that somebody reads.
fn shown(error: &Error) -> String {
    let fields = error.fields();
    let details: Vec<_> = fields.details.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{} {:?} {}", fields.message, fields.fix, details.join(" "))
}

#[test_case(|r, c| r.method = format!("G{c}T"); "method")]
#[test_case(|r, c| r.path = format!("/a{c}"); "path")]
#[test_case(|r, c| r.query = Query::Raw(format!("a={c}")); "query")]
#[test_case(|r, c| r.headers = vec![(format!("x{c}"), "x".to_owned())]; "name of a header")]
#[test_case(|r, c| r.headers = vec![("x-a".to_owned(), format!("a{c}b"))]; "value of a header")]
#[test_case(|r, c| r.body = Some(Body::Json(format!("{{{c}")));  "JSON")]
#[test_case(|r, c| r.body = Some(Body::CloudEvent(format!(r#"{{"a{c}":1,"a{c}":1}}"#))); "name in an event")]
#[test_case(|r, c| r.audience = Some(format!("a{c}b")); "audience")]
#[test_case(|r, c| r.function = FunctionRef::Resource(format!("projects/p{c}/locations/l/functions/f")); "resource")]
#[test_case(|r, c| r.function = FunctionRef::Url(format!("https://a{c}-b-c.a.run.app")); "URL")]
#[test_case(|r, c| r.function = FunctionRef::Named { name: format!("f{c}"), region: None }; "function")]
#[test_case(|r, c| r.function = FunctionRef::Named { name: "f".to_owned(), region: Some(format!("us{c}")) }; "region")]
fn a_refusal_shows_no_character_that_is_not_seen(
    spoil: fn(&mut crate::actions::functions::invoke::InvokeRequest, char),
) {
    let unseen =
        Regex::new(r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}]").unwrap();
    let (world, id) = World::connected();
    let mut refused = 0;
    // A tab may stand in the value of a header.
    for c in all().filter(|c| *c != '\t' && unseen.is_match(c.encode_utf8(&mut [0; 4]))) {
        let mut request = request(FunctionRef::Url("https://f-abc-uc.a.run.app".to_owned()));
        spoil(&mut request, c);
        let error = block_on(invoke(&world, &id, request, None)).unwrap_err();
        refused += 1;
        assert!(!unseen.is_match(&shown(&error)), "{c:?}: {:?}", shown(&error));
        assert!(world.urls().is_empty(), "{c:?}");
    }
    assert!(refused > 4000, "{refused}");
}

/// The path of an API may be a URL.
#[test]
fn a_refusal_of_custom_api_shows_none_either() {
    let unseen = Regex::new(r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]").unwrap();
    let (world, id) = World::connected();
    for c in all().filter(|c| unseen.is_match(c.encode_utf8(&mut [0; 4]))) {
        for path in [format!("/v2/a{c}"), format!("https://run.googleapis.com/v2/a{c}"), format!("{c}/v2/a")]
        {
            let error = block_on(custom_api(&world, &id, api_request("GET", &path), None)).unwrap_err();
            assert!(!unseen.is_match(&shown(&error)), "{c:?}: {:?}", shown(&error));
        }
    }
    assert!(world.urls().is_empty());
}
