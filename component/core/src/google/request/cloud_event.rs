//! CloudEvents 1.0: structured JSON in, the binary mode of HTTP out.
//!
//! <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md> and
//! <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md>

use std::{borrow::Cow, fmt::Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::base::{
    dates::rfc_3339,
    error::{Error, Result},
    json::{self, Value, split},
};

/// The most attributes, and the most bytes in all of their headers together: half of what a request may have.
const MAX_ATTRIBUTES: usize = 50;
const MAX_BYTES: usize = 32 * 1024;

/// The parts of an event, ready for the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudEvent {
    /// The attributes as `ce-` headers, but for `datacontenttype`.
    pub headers: Vec<(String, String)>,
    /// The media type of the data.
    pub content_type: String,
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
        let unreadable = |error| bad(format!("the event {error}")).fix("hand over one CloudEvent in JSON");
        let fields = json::read(text.as_bytes()).map_err(unreadable)?;
        let written = split::fields(text).map_err(unreadable)?;
        let mut event =
            Self { headers: Vec::new(), content_type: "application/json".to_owned(), data: Data::None };
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
                        event.content_type = content_type;
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
        event.data = data(&fields, &written, &event.content_type)?;
        Ok(event)
    }

    fn check_size(&self) -> Result<()> {
        let bytes: usize = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        if self.headers.len() > MAX_ATTRIBUTES || bytes > MAX_BYTES {
            return Err(bad("the event has more than 50 attributes, or 32 KiB in them")
                .fix("move what is large into `data`"));
        }
        Ok(())
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
    if text.chars().any(char::is_control) {
        return wrong("free of control characters");
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
        assert_eq!(event.content_type, "application/json");
        assert_eq!(event.data, Data::Json(r#"{ "n": 1.0e2, "t":"{\"]},", "l":[ 1,2 ] }"#.to_owned()));
    }

    #[test_case("Euro € 😀", "Euro%20%E2%82%AC%20%F0%9F%98%80"; "the example of the specification")]
    #[test_case("100% \"x\"", "100%25%20%22x%22")]
    #[test_case("a\\b~!", "a\\b~!")]
    fn values_are_percent_encoded(value: &str, on_the_wire: &str) {
        assert_eq!(header(&with("note", json!(value)).unwrap(), "ce-note").unwrap(), on_the_wire);
    }

    #[test_case("data", &json!("x"), "application/json", b"\"x\""; "JSON that is text keeps its quotes")]
    #[test_case("data_base64", &json!("AP8="), "application/json", b"\0\xff"; "bytes")]
    #[test_case("data", &json!(null), "application/json", b"null")]
    #[test_case("subject", &json!("s"), "application/json", b""; "no data")]
    fn the_data_of(name: &str, value: &serde_json::Value, content_type: &str, body: &[u8]) {
        let event = with(name, value.clone()).unwrap();
        assert_eq!((event.content_type.as_str(), event.data.into_bytes().as_slice()), (content_type, body));
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
            (xml.content_type.as_str(), header(&xml, "ce-datacontenttype")),
            ("text/xml; charset=utf-8", None)
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
    #[test_case("note", &json!("x".repeat(40_000)), "32 KiB")]
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
