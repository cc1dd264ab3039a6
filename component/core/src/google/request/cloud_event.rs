//! CloudEvents 1.0: structured JSON in, the binary mode of HTTP out.
//!
//! <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md> and
//! <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md>

use std::{borrow::Cow, fmt::Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::base::{
    dates::rfc_3339,
    error::{Error, Result, foreign},
    json::{self, Unreadable, Value, split},
};

/// The most attributes, and the most bytes in all of their headers together: half of what a request may have.
const MAX_ATTRIBUTES: usize = 50;
/// The media type of data for which an event names none (JSON format, section 3.1).
const JSON: &str = "application/json";
const MAX_BYTES: usize = 32 * 1024;

/// The parts of an event, ready for the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudEvent {
    /// The attributes as `ce-` headers, but for `datacontenttype`.
    pub headers: Vec<(String, String)>,
    /// The media type of the data: `datacontenttype`, or that of JSON, and none of no data if the event names none.
    pub content_type: Option<String>,
    /// The data.
    pub data: Data,
}

/// The data of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// Nothing.
    None,
    /// JSON, byte for byte as it stands in the event.
    Json(String),
    /// Text of another media type.
    Text(String),
    /// Bytes, which stood in the event in Base64.
    Bytes(Vec<u8>),
}

impl Data {
    /// The body of a request.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::None => Vec::new(),
            Self::Json(text) | Self::Text(text) => text.into_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl CloudEvent {
    /// Parses an event in its structured form.
    ///
    /// # Errors
    /// `invalid-input` of field `body`, which names the attribute and never repeats its value.
    pub fn parse(text: &str) -> Result<Self> {
        let unreadable = |error: Unreadable| {
            let what = match &error {
                // The names of an event are no secret, and an event may have many.
                Unreadable::Twice(name) => {
                    format!("the event has the name `{}` twice in an object", foreign(name))
                }
                Unreadable::Json(_)
                | Unreadable::NotUtf8 { .. }
                | Unreadable::TooDeep
                | Unreadable::NoObject
                | Unreadable::Field(_) => {
                    format!("the event {error}")
                }
            };
            bad(what).fix("hand over one CloudEvent in JSON (CloudEvents 1.0, JSON format)")
        };
        let text = json::without_mark(text);
        let fields = json::read(text.as_bytes()).map_err(unreadable)?;
        let written = split::fields(text).map_err(unreadable)?;
        let mut event = Self { headers: Vec::new(), content_type: None, data: Data::None };
        for name in ["id", "source", "specversion", "type"] {
            if fields.get(name).and_then(Value::text).is_none_or(str::is_empty) {
                return Err(bad(format!("the event has no `{name}`, or it is not text")).fix(
                    "a CloudEvent has id, source, specversion and type (CloudEvents 1.0, section 3.1)",
                ));
            }
        }
        // Both in the order of the text.
        for ((name, value), (_, raw)) in fields.fields().zip(&written) {
            match name {
                "data" | "data_base64" => {}
                "datacontenttype" => {
                    if let Some(content_type) = attribute(name, value, raw)? {
                        super::body::media_type(&content_type)?;
                        event.content_type = Some(content_type);
                    }
                }
                name => {
                    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
                    {
                        return Err(bad("the event has an attribute whose name is not of a to z and 0 to 9")
                            .fix("rename it (CloudEvents 1.0, section 3.1); data belongs into `data`"));
                    }
                    if let Some(value) = attribute(name, value, raw)? {
                        event.headers.push((format!("ce-{name}"), encoded(&value)));
                    }
                }
            }
        }
        event.check_size()?;
        let content_type = event.content_type.as_deref().unwrap_or(JSON);
        event.data = data(&fields, &written, content_type)?;
        if event.content_type.is_none() && event.data != Data::None {
            event.content_type = Some(JSON.to_owned());
        }
        Ok(event)
    }

    fn check_size(&self) -> Result<()> {
        let bytes: usize = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        let (what, limit) = if self.headers.len() > MAX_ATTRIBUTES {
            (format!("{} attributes", self.headers.len()), format!("{MAX_ATTRIBUTES}"))
        } else if bytes > MAX_BYTES {
            (format!("{bytes} bytes of attributes"), format!("{MAX_BYTES}"))
        } else {
            return Ok(());
        };
        Err(bad(format!(
            "the event has {what}, which become headers, and this connector sends at most {limit} of them"
        ))
        .fix("move what is large into `data`"))
    }
}

/// The text of an attribute, or nothing if it is `null`.
fn attribute(name: &str, value: &Value<'_>, raw: &str) -> Result<Option<String>> {
    let wrong = |what: &str| Err(bad(format!("the event's `{name}` is not {what}")));
    let text = match value {
        Value::Null => return Ok(None),
        Value::Flag(flag) => flag.to_string(),
        Value::Number(_) | Value::OtherNumber(_) if raw.parse::<i32>().is_ok() => raw.to_owned(),
        Value::Text(text) => text.clone().into_owned(),
        Value::Number(_) | Value::OtherNumber(_) | Value::List(_) | Value::Object(_) => {
            return wrong("text, a boolean or an integer of 32 bits");
        }
    };
    // CloudEvents 1.0, section 3.1.1: neither is a part of a String.
    let is_noncharacter = |c: char| matches!(c, '\u{fdd0}'..='\u{fdef}') || u32::from(c) & 0xfffe == 0xfffe;
    if text.contains(|c: char| c.is_control() || is_noncharacter(c)) {
        return wrong("free of control characters and noncharacters");
    }
    // RFC 3986, section 2; whether the rest of the grammar holds is for those who resolve it.
    let uri = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&b))
    };
    match name {
        "specversion" if text != "1.0" => wrong("1.0"),
        "time" if !rfc_3339(&text) => wrong("a time of RFC 3339, such as 2026-03-01T12:00:00Z"),
        "source" if !uri(&text) => wrong("a URI reference (RFC 3986)"),
        "dataschema" if !uri(&text) || !text.contains(':') => wrong("a URI (RFC 3986)"),
        "subject" if text.is_empty() => wrong("there, or has to hold something"),
        _ => Ok(Some(text)),
    }
}

fn data(fields: &json::Object<'_>, written: &[(Cow<'_, str>, &str)], content_type: &str) -> Result<Data> {
    match (fields.get("data"), fields.get("data_base64")) {
        (None, None) => Ok(Data::None),
        (Some(_), Some(_)) => {
            Err(bad("the event has both `data` and `data_base64`").fix("leave one of them out"))
        }
        (None, Some(base64)) => match base64.text().map(|text| STANDARD.decode(text)) {
            Some(Ok(bytes)) => Ok(Data::Bytes(bytes)),
            Some(Err(_)) | None => Err(bad("the event's `data_base64` is not Base64 (RFC 4648, section 4)")),
        },
        (Some(value), None) => {
            let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            if essence.ends_with("/json") || essence.ends_with("+json") {
                let raw = written.iter().find(|(name, _)| name == "data");
                return Ok(Data::Json(raw.map_or_else(String::new, |(_, raw)| (*raw).to_owned())));
            }
            match value.text() {
                Some(text) => Ok(Data::Text(text.to_owned())),
                None => Err(bad("the event's `data` is not text, and its `datacontenttype` is not JSON")
                    .fix("set datacontenttype to application/json, or hand the data over as text or data_base64")),
            }
        }
    }
}

/// Section 3.1.3.2 of the HTTP binding: space, quote, percent, and what is outside printable ASCII.
fn encoded(value: &str) -> String {
    let mut out = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_graphic() && !matches!(byte, b'"' | b'%') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn bad(message: impl Into<String>) -> Error {
    Error::input("body", message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use test_case::test_case;

    use super::*;

    /// A whole event, with one field more or another one.
    fn with(name: &str, value: serde_json::Value) -> Result<CloudEvent> {
        let mut event = json!({"specversion": "1.0", "id": "1", "source": "/s", "type": "t"});
        event[name] = value;
        CloudEvent::parse(&event.to_string())
    }

    fn header(event: &CloudEvent, name: &str) -> Option<String> {
        event.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone())
    }

    #[test]
    fn attributes_become_headers_and_data_stays_byte_for_byte() {
        let text = r#"{ "specversion":"1.0", "id" : "a\"b,c}", "source":"//storage.googleapis.com/b",
            "type":"google.cloud.storage.object.v1.finalized", "time":"2026-03-01T12:00:00.5+01:00", "subject":null,
            "retries": -3, "last": true, "d\u0061ta" : { "n": 1.0e2, "t":"{\"]},", "l":[ 1,2 ] } , "dataschema":"urn:x"}"#;
        let event = CloudEvent::parse(text).unwrap();
        let pairs: Vec<_> = event.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(
            pairs,
            [
                ("ce-specversion", "1.0"),
                ("ce-id", "a%22b,c}"),
                ("ce-source", "//storage.googleapis.com/b"),
                ("ce-type", "google.cloud.storage.object.v1.finalized"),
                ("ce-time", "2026-03-01T12:00:00.5+01:00"),
                ("ce-retries", "-3"),
                ("ce-last", "true"),
                ("ce-dataschema", "urn:x"),
            ]
        );
        assert_eq!(event.content_type.as_deref(), Some("application/json"));
        assert_eq!(event.data, Data::Json(r#"{ "n": 1.0e2, "t":"{\"]},", "l":[ 1,2 ] }"#.to_owned()));
    }

    #[test_case("Euro € 😀", "Euro%20%E2%82%AC%20%F0%9F%98%80"; "the example of the specification")]
    #[test_case("100% \"x\"", "100%25%20%22x%22")]
    #[test_case("a\\b~!", "a\\b~!")]
    fn values_are_percent_encoded(value: &str, on_the_wire: &str) {
        assert_eq!(header(&with("note", json!(value)).unwrap(), "ce-note").unwrap(), on_the_wire);
    }

    #[test_case("data", &json!("x"), Some("application/json"), b"\"x\""; "JSON that is text keeps its quotes")]
    #[test_case("data_base64", &json!("AP8="), Some("application/json"), b"\0\xff"; "bytes")]
    #[test_case("data", &json!(null), Some("application/json"), b"null")]
    #[test_case("subject", &json!("s"), None, b""; "no data")]
    // The attribute is the header, whatever there is of data (HTTP binding, section 3.1.1).
    #[test_case("datacontenttype", &json!("text/csv"), Some("text/csv"), b""; "a type of no data")]
    fn the_data_of(name: &str, value: &serde_json::Value, content_type: Option<&str>, body: &[u8]) {
        let event = with(name, value.clone()).unwrap();
        assert_eq!((event.content_type.as_deref(), event.data.into_bytes().as_slice()), (content_type, body));
    }

    /// An export of a table, an audit log: any size but that of the request is the event's own.
    #[test]
    fn data_has_as_many_names_as_it_has() {
        for names in [1_024, 1_025, 20_000] {
            let data: serde_json::Map<_, _> = (0..names).map(|n| (format!("n{n}"), json!(n))).collect();
            let event = with("data", data.clone().into()).unwrap();
            assert_eq!(event.data, Data::Json(serde_json::Value::from(data).to_string()));
        }
        let many = |name: &str| {
            let fields: Vec<_> = (0..2_000).map(|n| format!("\"n{n}\":0")).collect();
            CloudEvent::parse(&format!(
                r#"{{"specversion":"1.0","id":"1","source":"/","type":"t","data":[{{{},"{name}":1}}]}}"#,
                fields.join(",")
            ))
        };
        assert!(many("n2000").is_ok());
        for (name, shown) in [("n1999", "`n1999`"), ("n7", "`n7`"), ("\\u006e7", "`n7`")] {
            let error = many(name).unwrap_err();
            assert!(error.fields().message.contains(shown), "{error}");
        }
    }

    #[test]
    fn a_limit_is_called_one_with_its_number() {
        let mut event = json!({"specversion": "1.0", "id": "1", "source": "/s", "type": "t"});
        for n in 0..46 {
            event[format!("a{n}")] = json!("x");
        }
        assert!(CloudEvent::parse(&event.to_string()).is_ok());
        event["b"] = json!("x");
        let error = CloudEvent::parse(&event.to_string()).unwrap_err();
        assert!(
            error.fields().message.contains("51 attributes") && error.fields().message.contains("at most 50")
        );
        let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        let of = |levels| {
            CloudEvent::parse(&format!(
                r#"{{"specversion":"1.0","id":"1","source":"/","type":"t","data":{}}}"#,
                deep(levels)
            ))
        };
        assert!(of(126).is_ok());
        let error = of(127).unwrap_err();
        assert!(error.fields().message.contains("deeper than the 127 levels"), "{error}");
    }

    #[test]
    fn data_of_another_media_type_is_its_text() {
        let event = |data: serde_json::Value| {
            let event = json!({"specversion": "1.0", "id": "1", "source": "/s", "type": "t",
                "datacontenttype": "text/xml; charset=utf-8", "data": data});
            CloudEvent::parse(&event.to_string())
        };
        let xml = event(json!("<a b=\"c\"/>")).unwrap();
        assert_eq!(
            (xml.content_type.as_deref(), header(&xml, "ce-datacontenttype")),
            (Some("text/xml; charset=utf-8"), None)
        );
        assert_eq!(xml.data.into_bytes(), b"<a b=\"c\"/>");
        assert!(event(json!({"a": 1})).is_err());
    }

    #[test_case("specversion", &json!("0.3"), "1.0")]
    #[test_case("specversion", &json!(1.0), "specversion")]
    #[test_case("id", &json!(""), "id")]
    #[test_case("id", &json!(null), "id"; "no id")]
    #[test_case("type", &json!(7), "type")]
    #[test_case("source", &json!("a b"), "source")]
    #[test_case("time", &json!("yesterday"), "time")]
    #[test_case("time", &json!("2026-02-30T00:00:00Z"), "time"; "a day that is not there")]
    #[test_case("time", &json!(5), "time"; "a number as time")]
    #[test_case("dataschema", &json!("x"), "dataschema")]
    #[test_case("subject", &json!(""), "subject")]
    #[test_case("datacontenttype", &json!("x\r\ny: z"), "datacontenttype"; "a header in the media type")]
    #[test_case("datacontenttype", &json!("json"), "content type"; "no media type")]
    #[test_case("Upper", &json!("x"), "a to z")]
    #[test_case("with-dash", &json!("x"), "a to z")]
    #[test_case("", &json!("x"), "a to z"; "no name")]
    #[test_case("nested", &json!({"a": 1}), "nested")]
    #[test_case("list", &json!([1]), "list")]
    #[test_case("float", &json!(1.5), "float")]
    #[test_case("large", &json!(4_294_967_296_u64), "large")]
    #[test_case("note", &json!("a\nb"), "note")]
    #[test_case("data_base64", &json!("AP8"), "Base64"; "without padding")]
    #[test_case("data_base64", &json!(1), "Base64"; "a number as Base64")]
    #[test_case("note", &json!("x".repeat(40_000)), "at most 32768")]
    fn an_event_is_refused(name: &str, value: &serde_json::Value, what: &str) {
        let error = with(name, value.clone()).unwrap_err();
        assert_eq!(error.fields().details[0], ("field".to_owned(), "body".to_owned()));
        assert!(error.fields().message.contains(what), "{error}");
    }

    #[test_case("[]"; "a list")]
    #[test_case("{"; "half of one")]
    #[test_case(r#"{"specversion":"1.0","id":"1","id":"2","source":"/","type":"t"}"#; "an id twice")]
    #[test_case(r#"{"specversion":"1.0","id":"1","source":"/","type":"t","data":1,"data_base64":"AA=="}"#; "data twice")]
    #[test_case(r#"{"id":"1","source":"/","type":"t"}"#; "no version")]
    fn what_is_no_event_is_refused(text: &str) {
        assert!(CloudEvent::parse(text).is_err());
    }
}
