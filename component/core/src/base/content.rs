//! The content of a response, told by its media type.

use std::fmt;

use crate::base::{error::foreign, gzip, http::Response, json};

/// The content of a response; see `wit/types.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub enum Content {
    Empty,
    Json(String),
    Text(String),
    Bytes(Vec<u8>),
}

impl Content {
    /// The body of a response, byte for byte, and the reason why it is bytes where its media type says something else.
    #[must_use]
    pub fn of(media_type: Option<&str>, body: Vec<u8>) -> (Self, Option<Undecoded>) {
        Self::read(MediaType::parse(media_type.unwrap_or_default()), false, body)
    }

    /// The body of a response by its own `content-type`, with its headers.
    ///
    /// The media type decides, and the body itself: a coding that is none, such as `utf-8` or `aws-chunked`, changes
    /// nothing, and what is in one that is not unpacked here (`br`) is no JSON, and no text without control characters.
    #[must_use]
    pub fn of_response(response: Response) -> (Headers, Self, Option<Undecoded>) {
        let coded = codings(&response).next().is_some();
        let media_type = response.header("content-type").map(str::to_owned).unwrap_or_default();
        let (content, undecoded) = Self::read(MediaType::parse(&media_type), coded, response.body);
        (response.headers, content, undecoded)
    }

    fn read(media_type: MediaType<'_>, coded: bool, body: Vec<u8>) -> (Self, Option<Undecoded>) {
        if body.is_empty() {
            return (Self::Empty, None);
        }
        let text = match media_type.kind {
            Kind::Other => return (Self::Bytes(body), None),
            Kind::Json | Kind::Text => match String::from_utf8(body) {
                Ok(text) => text,
                Err(not_text) => {
                    let why = match media_type.charset {
                        Some(charset) if !is_utf_8(charset) => Undecoded::Charset(foreign(charset)),
                        Some(_) | None => Undecoded::NotUtf8,
                    };
                    return (Self::Bytes(not_text.into_bytes()), Some(why));
                }
            },
        };
        if media_type.kind == Kind::Json {
            // RFC 8259, section 8.1: a mark is passed over; section 11: there is no charset, and naming one has no effect.
            let json = json::without_mark(&text);
            return match json::check(json) {
                Ok(()) if json.len() == text.len() => (Self::Json(text), None),
                Ok(()) => (Self::Json(json.to_owned()), None),
                Err(_) => (Self::Bytes(text.into_bytes()), Some(Undecoded::NotJson)),
            };
        }
        if coded && text.bytes().any(|b| b.is_ascii_control() && !b.is_ascii_whitespace()) {
            return (Self::Bytes(text.into_bytes()), None);
        }
        match media_type.charset {
            Some(charset) if !(is_utf_8(charset) || text.is_ascii() && is_beyond_ascii(charset, &text)) => {
                (Self::Bytes(text.into_bytes()), Some(Undecoded::Charset(foreign(charset))))
            }
            Some(_) | None => (Self::Text(text), None),
        }
    }
}

/// Header lines as they came: names in lower case, and values in bytes.
pub type Headers = Vec<(String, Vec<u8>)>;

/// The reason why a body that its media type calls JSON or text is bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undecoded {
    /// It is called JSON.
    NotJson,
    /// It is called text, and no charset is named.
    NotUtf8,
    /// It is in this one, which is not read here.
    Charset(String),
}

/// The words after `the body is `.
impl fmt::Display for Undecoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson => f.write_str("said to be JSON, and is none"),
            Self::NotUtf8 => f.write_str("said to be text, and is not in UTF-8"),
            Self::Charset(charset) => write!(f, "text in the charset {charset}, which is not decoded here"),
        }
    }
}

/// Headers and body of a response, and a sentence about a body that is bytes although its headers say what is in it.
#[must_use]
pub(crate) fn read(response: Response) -> (Headers, Content, Option<String>) {
    let coding = unread(&response);
    let (headers, content, undecoded) = Content::of_response(response);
    let why = match &content {
        Content::Bytes(_) => coding.or_else(|| undecoded.map(|why| why.to_string())),
        Content::Empty | Content::Json(_) | Content::Text(_) => None,
    };
    (headers, content, why.map(|why| format!("the body is {why}: it is as it came")))
}

/// The encodings that a response claims for its body, but for none by name.
fn codings(response: &Response) -> impl Iterator<Item = &[u8]> {
    response
        .headers
        .iter()
        .filter(|(name, _)| name == "content-encoding")
        .map(|(_, value)| value.trim_ascii())
        .filter(|value| !value.is_empty() && !value.eq_ignore_ascii_case(b"identity"))
}

/// The encoding that a body claims, where it was not unpacked: it is in another one than gzip, or in gzip by name only.
/// [`gzip::decoded`] has been there already.
#[must_use]
pub(crate) fn unread(response: &Response) -> Option<String> {
    let codings: Vec<_> = codings(response).collect();
    let said = |codings: &[&[u8]]| foreign(&String::from_utf8_lossy(&codings.join(&b", "[..])));
    match codings.as_slice() {
        [] => None,
        _ if response.body.is_empty() => None,
        [coding] if gzip::is_gzip(coding) => {
            // Unpacked, a body is of another length than it was on its way, and does not begin like gzip again.
            let length = response.header("content-length").and_then(|length| length.parse().ok());
            let as_it_came = length == Some(response.body.len()) || response.body.starts_with(&[0x1f, 0x8b]);
            as_it_came.then(|| format!("said to be in {}, and not so", said(&codings)))
        }
        codings => Some(format!("said to be in {}, which is not unpacked here", said(codings))),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    Text,
    Other,
}

/// The parts of a `content-type` that are asked for.
struct MediaType<'a> {
    kind: Kind,
    /// The first one that is named (RFC 9110, section 8.3.2), without quotes; none if it is empty.
    charset: Option<&'a str>,
}

impl<'a> MediaType<'a> {
    fn parse(text: &'a str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let kind = Kind::of(&parts.next().unwrap_or_default().to_ascii_lowercase());
        let charset = parts.find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("charset").then_some(value)
        });
        let charset =
            charset.map(|value| value.trim_matches(|c: char| c.is_whitespace() || "\"',".contains(c)));
        Self { kind, charset: charset.filter(|charset| !charset.is_empty()) }
    }
}

impl Kind {
    /// `application/json`, `text/json` and every `+json` (RFC 6839); `text/*` and the few others that are text by
    /// definition.
    fn of(essence: &str) -> Self {
        if essence.ends_with("/json") || essence.ends_with("+json") {
            return Self::Json;
        }
        if essence.starts_with("text/")
            || essence.ends_with("+xml")
            || essence.ends_with("+yaml")
            || matches!(
                essence,
                "application/xml"
                    | "application/javascript"
                    | "application/x-www-form-urlencoded"
                    | "application/x-ndjson"
                    | "application/jsonl"
                    | "application/yaml"
            )
        {
            return Self::Text;
        }
        Self::Other
    }
}

/// UTF-8 in the spellings that are met, and ASCII, which is a part of it.
///
/// <https://encoding.spec.whatwg.org/#names-and-labels>
fn is_utf_8(charset: &str) -> bool {
    ["utf-8", "utf8", "utf_8", "utf8mb4", "unicode-1-1-utf-8", "us-ascii", "ascii"]
        .iter()
        .any(|name| charset.eq_ignore_ascii_case(name))
}

/// Tells if ASCII text reads the same in this charset: in all but those of 16 and 32 bits, the shifting ones (`utf-7`,
/// `iso-2022-…`, `hz`) and EBCDIC.
fn is_beyond_ascii(charset: &str, text: &str) -> bool {
    let charset = charset.to_ascii_lowercase();
    let other = [
        "utf-16",
        "utf16",
        "utf-32",
        "utf32",
        "ucs",
        "iso-10646",
        "utf-7",
        "utf7",
        "hz",
        "ebcdic",
        "ibm0",
        "cp0",
    ];
    !other.iter().any(|name| charset.starts_with(name)) && !text.contains(['\u{1b}', '\u{e}', '\u{f}'])
}

#[cfg(test)]
mod tests {
    use test_case::test_case;

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect()
    }

    fn of_response(media_type: &str, encodings: &[&str], body: &[u8]) -> (Content, Option<Undecoded>) {
        let mut pairs = vec![("content-type", media_type)];
        pairs.extend(encodings.iter().map(|encoding| ("content-encoding", *encoding)));
        let response = Response { status: 200, headers: headers(&pairs), body: body.to_vec() };
        let (kept, content, undecoded) = Content::of_response(response);
        assert_eq!(kept, headers(&pairs));
        (content, undecoded)
    }

    /// `utf-8` as .NET and PHP functions have it by mistake; `aws-chunked` as S3's clients leave it (Amazon S3, Signature
    /// Version 4, chunked upload); none of the others is registered either (IANA, HTTP Content Coding Registry).
    #[test_case(&["utf-8"])]
    #[test_case(&["UTF-8"])]
    #[test_case(&[""]; "nothing")]
    #[test_case(&["identity"])]
    #[test_case(&["aws-chunked"])]
    #[test_case(&["none"])]
    #[test_case(&["binary"])]
    #[test_case(&["8bit"])]
    #[test_case(&["application/json"])]
    #[test_case(&["utf-8", "identity"]; "two")]
    #[test_case(&["GZIP"]; "one that was read")]
    #[test_case(&["br"]; "one that is not so")]
    fn a_coding_that_is_none_changes_nothing(encodings: &[&str]) {
        let json = of_response("application/json", encodings, b"{}");
        assert_eq!(json, (Content::Json("{}".to_owned()), None));
        let text = of_response("text/plain", encodings, "é\r\n\t.".as_bytes());
        assert_eq!(text, (Content::Text("é\r\n\t.".to_owned()), None));
    }

    /// `hi`, `{"a":1}` and `hello hello hello`, compressed by brotli 1.1.0 and zlib 1.3.1 (in Node 20), and zstd.
    #[test_case("zstd", b"\x28\xb5\x2f\xfd\x04\x58\x11\x00\x00hi\xfa\x38\x26\xea"; "zstd")]
    #[test_case("br", b"\x8b\x00\x80hi\x03"; "brotli")]
    #[test_case("br", b"\x0b\x03\x80{\"a\":1}\x03"; "brotli of JSON")]
    #[test_case("br", b"\x8b\x08\x80hello hello hello\n\x03"; "brotli of more")]
    #[test_case("deflate", b"\x78\x9c\xcb\xc8\x04\x00\x01\x3b\x00\xd2"; "zlib")]
    #[test_case("deflate", b"\xcb\xc8\x04\x00"; "deflate without zlib")]
    #[test_case("deflate", b"\x78\x9c\xab\x56\x4a\x54\xb2\x32\xac\x05\x00\x08\x2a\x02\x09"; "zlib of JSON")]
    // What no compressor is known to write, and what could pass for text if it were not for its control characters.
    #[test_case("br", b"\x01hi\x03"; "control characters")]
    fn what_is_compressed_is_bytes(encoding: &str, body: &[u8]) {
        for media_type in ["application/json", "text/plain"] {
            assert_eq!(of_response(media_type, &[encoding], body).0, Content::Bytes(body.to_vec()));
        }
    }

    #[test_case(&["br"], b"plain", None, Some("said to be in br, which is not unpacked here"))]
    #[test_case(&["zstd"], b"plain", Some(5), Some("said to be in zstd, which is not unpacked here"))]
    #[test_case(&["gzip", "br"], b"plain", None, Some("said to be in gzip, br, which is not unpacked here"); "two codings")]
    #[test_case(&["gzip"], b"plain", Some(5), Some("said to be in gzip, and not so"); "plain bytes called gzip")]
    #[test_case(&["x-gzip"], b"\x1f\x8bbroken", None, Some("said to be in x-gzip, and not so"); "gzip that is damaged")]
    #[test_case(&["gzip"], b"unpacked", Some(30), None; "gzip that was unpacked")]
    #[test_case(&["gzip"], b"unpacked", None, None; "gzip that was unpacked, of no length")]
    #[test_case(&["identity"], b"plain", Some(5), None)]
    #[test_case(&[""], b"plain", Some(5), None; "none")]
    #[test_case(&["br"], b"", Some(0), None; "no body")]
    #[test_case(&[], b"plain", Some(5), None; "not a word")]
    fn what_was_not_unpacked_is_said(
        encodings: &[&str],
        body: &[u8],
        length: Option<usize>,
        said: Option<&str>,
    ) {
        let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        let mut headers: Vec<_> = encodings.iter().map(|value| header("content-encoding", value)).collect();
        headers.extend(length.map(|length| header("content-length", &length.to_string())));
        assert_eq!(unread(&Response { status: 200, headers, body: body.to_vec() }).as_deref(), said);
    }

    #[test_case("application/json", b"{}", Content::Json("{}".to_owned()))]
    #[test_case("application/problem+json; charset=utf-8", b"[1]", Content::Json("[1]".to_owned()))]
    // RFC 8259, section 11: no charset is defined for JSON, and naming one has no effect.
    #[test_case("application/json; charset=iso-8859-1", b"{}", Content::Json("{}".to_owned()); "a charset of JSON")]
    #[test_case("application/json; charset=utf-16", "[\"é\"]".as_bytes(), Content::Json("[\"é\"]".to_owned()); "another one")]
    #[test_case("application/json; odata.metadata=minimal; q=\"a", b"1", Content::Json("1".to_owned()); "odd parameters")]
    #[test_case("application/json; charset=utf-8", b"\xef\xbb\xbf{}", Content::Json("{}".to_owned()); "a byte order mark")]
    #[test_case("text/html; charset=UTF-8", "é".as_bytes(), Content::Text("é".to_owned()))]
    #[test_case("text/html; charset=\"utf-8\"", "é".as_bytes(), Content::Text("é".to_owned()); "in quotes")]
    #[test_case("text/html;charset='utf8'", "é".as_bytes(), Content::Text("é".to_owned()); "in other quotes")]
    #[test_case("text/html; Charset = utf-8,", "é".as_bytes(), Content::Text("é".to_owned()); "with white space")]
    #[test_case("text/html; charset=", "é".as_bytes(), Content::Text("é".to_owned()); "no charset")]
    #[test_case("text/html; charset=utf8mb4", "é".as_bytes(), Content::Text("é".to_owned()); "as MySQL says it")]
    #[test_case("text/plain; charset=iso-8859-1", b"e", Content::Text("e".to_owned()); "ASCII in another charset")]
    #[test_case("text/plain; charset=windows-1252", b"a,b\r\n", Content::Text("a,b\r\n".to_owned()); "and another")]
    #[test_case("text/plain; format=flowed; delsp=yes", b"e", Content::Text("e".to_owned()); "other parameters")]
    #[test_case("application/x-ndjson", b"{}\n{}", Content::Text("{}\n{}".to_owned()))]
    #[test_case("image/png", b"x", Content::Bytes(b"x".to_vec()))]
    #[test_case("", b"x", Content::Bytes(b"x".to_vec()); "no media type")]
    #[test_case("application/json", b"", Content::Empty)]
    fn by_media_type(media_type: &str, body: &[u8], content: Content) {
        assert_eq!(Content::of(Some(media_type), body.to_vec()), (content, None));
    }

    #[test_case("application/json", b"{", "said to be JSON, and is none")]
    #[test_case("application/json", b"\xff", "said to be text, and is not in UTF-8"; "what is no text at all")]
    #[test_case("text/plain", b"\xff", "said to be text, and is not in UTF-8")]
    #[test_case(
        "text/plain; charset=iso-8859-1",
        b"\xe9",
        "text in the charset iso-8859-1, which is not decoded here"
    )]
    #[test_case("text/plain; charset=iso-8859-1", "é".as_bytes(), "text in the charset iso-8859-1, which is not decoded here"; "two letters that could be one")]
    #[test_case(
        "text/plain; charset=UTF-16LE",
        b"e\0",
        "text in the charset UTF-16LE, which is not decoded here"
    )]
    #[test_case(
        "text/plain; charset=utf-7",
        b"+AOk-",
        "text in the charset utf-7, which is not decoded here"
    )]
    #[test_case(
        "text/plain; charset=iso-2022-jp",
        b"\x1b$B\x1b(B",
        "text in the charset iso-2022-jp, which is not decoded here"
    )]
    #[test_case(
        "text/plain; charset=IBM037",
        b"\x81",
        "text in the charset IBM037, which is not decoded here"
    )]
    fn what_is_not_decoded_is_said(media_type: &str, body: &[u8], said: &str) {
        let (content, undecoded) = Content::of(Some(media_type), body.to_vec());
        assert_eq!((content, undecoded.unwrap().to_string().as_str()), (Content::Bytes(body.to_vec()), said));
    }
}
