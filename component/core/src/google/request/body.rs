//! Bodies of requests, as bytes under a media type.

use crate::base::{
    digest,
    error::{Error, Kind, Origin, Result},
    http::Method,
    json,
};

/// The body that a caller wants to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// JSON text, sent byte for byte.
    Json(String),
    /// Plain text.
    Text(String),
    /// A form.
    Form(Vec<(String, String)>),
    /// Parts (RFC 7578).
    Multipart(Vec<Part>),
    /// Bytes under the caller's media type.
    Bytes {
        /// The media type.
        content_type: String,
        /// The bytes.
        data: Vec<u8>,
    },
    /// A CloudEvent in its structured form, sent in binary mode, by [`super::cloud_event`].
    CloudEvent(String),
}

/// One part of a multipart body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The field's name.
    pub name: String,
    /// The file's name, if it is a file.
    pub filename: Option<String>,
    /// The media type of the part.
    pub content_type: Option<String>,
    /// The bytes.
    pub data: Vec<u8>,
}

/// Bytes, ready to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// The media type. None of no bytes, unless the caller names one: without content there is nothing that it could be
    /// the type of (RFC 9110, section 8.3), and servers that find one look for the content (Flask's `get_json`,
    /// Fastify).
    pub content_type: Option<String>,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Payload {
    /// Nothing, and no word of what it would be.
    #[must_use]
    pub fn none() -> Self {
        Self { content_type: None, bytes: Vec::new() }
    }

    /// Encodes what the caller gave. `random` makes the boundary of a multipart body.
    ///
    /// # Errors
    /// `invalid-input` of field `body`.
    pub fn encode(body: Option<Body>, random: &dyn Fn() -> [u8; 16]) -> Result<Self> {
        let Some(body) = body else { return Ok(Self::none()) };
        let (content_type, bytes) = match body {
            Body::Json(text) => {
                let json = json::without_mark(&text);
                json::check(json).map_err(|error| {
                    bad(format!("the body {error}")).fix("correct it, or send it as text or bytes")
                })?;
                let bytes =
                    if json.len() == text.len() { text.into_bytes() } else { json.as_bytes().to_vec() };
                ("application/json".to_owned(), bytes)
            }
            Body::Text(text) => ("text/plain; charset=utf-8".to_owned(), text.into_bytes()),
            Body::Form(pairs) => (
                "application/x-www-form-urlencoded".to_owned(),
                form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into_bytes(),
            ),
            Body::Multipart(parts) => {
                let boundary = format!("gcf-{}", digest::hexadecimal(&random()));
                (format!("multipart/form-data; boundary={boundary}"), multipart(&parts, &boundary)?)
            }
            // The caller's own word stands even of nothing, as it does with curl.
            Body::Bytes { content_type, data } => {
                media_type(&content_type)?;
                return Ok(Self { content_type: Some(content_type), bytes: data });
            }
            Body::CloudEvent(_) => {
                return Err(bad("an event goes to functions only").fix("invoke the function with it"));
            }
        };
        Ok(Self { content_type: (!bytes.is_empty()).then_some(content_type), bytes })
    }

    /// Refuses content that goes with a `GET` or a `HEAD`, before anything is sent: RFC 9110, section 9.3.1, gives it no
    /// meaning, and Google's front end answers 400 to it, whatever is behind.
    ///
    /// # Errors
    /// `invalid-input` of field `body`.
    pub fn going_with(self, method: Method) -> Result<Self> {
        match method {
            Method::Get | Method::Head if !self.bytes.is_empty() => Err(bad(format!(
                "a {} has a body, which Google's front end answers with 400 each time",
                method.as_str()
            ))
            .fix("use POST, or hand the values over in the query; nothing was sent")),
            Method::Get
            | Method::Head
            | Method::Post
            | Method::Put
            | Method::Patch
            | Method::Delete
            | Method::Options => Ok(self),
        }
    }

    /// Refuses a payload that the receiver would refuse, before anything is sent.
    ///
    /// # Errors
    /// `too-large`.
    pub fn at_most(self, limit: u64, whose: &str) -> Result<Self> {
        let size = self.bytes.len() as u64;
        if size <= limit {
            return Ok(self);
        }
        Err(Error::new(
            Kind::TooLarge,
            Origin::Input,
            format!("the request body of {size} bytes exceeds the {limit} bytes that {whose} accepts"),
        )
        .fix("send less, or hand over a link to the data; none of it was sent")
        .detail("limit", limit.to_string())
        .detail("size", size.to_string()))
    }
}

fn multipart(parts: &[Part], boundary: &str) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    for part in parts {
        let name = quoted(&part.name)?;
        out.extend_from_slice(
            format!("--{boundary}\r\ncontent-disposition: form-data; name={name}").as_bytes(),
        );
        if let Some(filename) = &part.filename {
            out.extend_from_slice(format!("; filename={}", quoted(filename)?).as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        if let Some(content_type) = &part.content_type {
            media_type(content_type)?;
            out.extend_from_slice(format!("content-type: {content_type}\r\n").as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&part.data);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok(out)
}

/// As browsers write it: quotes and line ends escaped (RFC 7578, section 2, and the URL standard).
fn quoted(text: &str) -> Result<String> {
    if text.contains('\0') {
        return Err(bad("a part's name holds a zero byte"));
    }
    Ok(format!("\"{}\"", text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")))
}

/// The longest media type, in bytes.
const MAX_MEDIA_TYPE: usize = 256;

pub(super) fn media_type(text: &str) -> Result<()> {
    if text.len() > MAX_MEDIA_TYPE {
        return Err(bad(format!(
            "the content type has {} bytes, and this connector sends at most {MAX_MEDIA_TYPE}",
            text.len()
        ))
        .fix("leave out parameters of it, or shorten a boundary"));
    }
    let ok = text.contains('/')
        && text.bytes().all(|b| (0x20..=0x7e).contains(&b))
        && !text.starts_with(' ')
        && !text.ends_with(' ');
    if ok { Ok(()) } else { Err(bad("the content type is not a media type").fix("write it as type/subtype")) }
}

fn bad(message: impl Into<String>) -> Error {
    Error::input("body", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(body: Body) -> Result<(String, String)> {
        let payload = Payload::encode(Some(body), &|| [7; 16])?;
        Ok((payload.content_type.unwrap(), String::from_utf8(payload.bytes).unwrap()))
    }

    #[test]
    fn json_is_sent_byte_for_byte() {
        let text = "{ \"b\": 1e400, \"a\": [1, 2] }";
        assert_eq!(
            encode(Body::Json(text.to_owned())).unwrap(),
            ("application/json".to_owned(), text.to_owned())
        );
        assert!(encode(Body::Json("{".to_owned())).is_err());
    }

    /// RFC 8259, section 8.1.
    #[test]
    fn a_byte_order_mark_is_not_sent_before_json() {
        assert_eq!(
            encode(Body::Json("\u{feff}{\"a\":1}".to_owned())).unwrap(),
            ("application/json".to_owned(), "{\"a\":1}".to_owned())
        );
        assert!(encode(Body::Json("\u{feff}\u{feff}{}".to_owned())).is_err());
    }

    /// RFC 9110, section 8.3; `curl -X POST` and `curl -H content-type:…` do the same.
    #[test]
    fn nothing_has_no_media_type_but_the_callers() {
        let of = |body| Payload::encode(body, &|| [0; 16]).unwrap();
        for body in [None, Some(Body::Text(String::new())), Some(Body::Form(Vec::new()))] {
            assert_eq!(of(body), Payload::none());
        }
        let bytes = |content_type: &str| Body::Bytes { content_type: content_type.to_owned(), data: vec![] };
        assert_eq!(of(Some(bytes("text/csv"))).content_type.as_deref(), Some("text/csv"));
        assert!(of(Some(Body::Text("x".to_owned()))).content_type.is_some());
    }

    #[test]
    fn the_length_of_a_media_type_is_a_limit_and_called_one() {
        let named = |length: usize| {
            let content_type = format!("a/{}", "b".repeat(length - 2));
            Payload::encode(Some(Body::Bytes { content_type, data: vec![] }), &|| [0; 16])
        };
        assert!(named(256).is_ok());
        let message = named(257).unwrap_err().fields().message.clone();
        assert_eq!(message, "the content type has 257 bytes, and this connector sends at most 256");
    }

    #[test]
    fn a_form_and_parts_are_framed() {
        let (_, form) = encode(Body::Form(vec![("a b".to_owned(), "ü&".to_owned())])).unwrap();
        assert_eq!(form, "a+b=%C3%BC%26");
        let part = Part {
            name: "f\"".to_owned(),
            filename: Some("a\r\n.txt".to_owned()),
            content_type: Some("text/plain".to_owned()),
            data: b"x".to_vec(),
        };
        let (content_type, parts) = encode(Body::Multipart(vec![part])).unwrap();
        let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
        assert_eq!(
            parts,
            format!(
                "--{boundary}\r\ncontent-disposition: form-data; name=\"f%22\"; filename=\"a%0D%0A.txt\"\r\n\
                 content-type: text/plain\r\n\r\nx\r\n--{boundary}--\r\n"
            )
        );
    }

    #[test]
    fn a_content_type_cannot_smuggle_a_header() {
        let content_type = "a/b\r\nx: y".to_owned();
        assert!(Payload::encode(Some(Body::Bytes { content_type, data: vec![] }), &|| [0; 16]).is_err());
    }

    #[test]
    fn an_oversized_body_is_refused_with_both_figures() {
        let payload = Payload { content_type: None, bytes: vec![0; 11] };
        let error = payload.at_most(10, "a test").unwrap_err();
        assert_eq!(error.kind(), Kind::TooLarge);
        assert!(error.fields().message.contains("11 bytes exceeds the 10 bytes"));
    }
}
