//! The content of a response, told by its media type.

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
    /// The body of a response, byte for byte. What is not what its media type says is bytes.
    #[must_use]
    pub fn of(media_type: Option<&str>, body: Vec<u8>) -> Self {
        if body.is_empty() {
            return Self::Empty;
        }
        let kind = Kind::of(media_type.unwrap_or_default());
        match kind {
            Kind::Other => Self::Bytes(body),
            Kind::Json | Kind::Text => match String::from_utf8(body) {
                Ok(text) if kind == Kind::Text => Self::Text(text),
                Ok(text) if json::check(&text).is_ok() => Self::Json(text),
                Ok(text) => Self::Bytes(text.into_bytes()),
                Err(not_text) => Self::Bytes(not_text.into_bytes()),
            },
        }
    }

    /// The body of a response by its own `content-type`. What is in an encoding that is not read here is bytes.
    #[must_use]
    pub fn of_response(response: Response) -> (Vec<(String, Vec<u8>)>, Self) {
        let encoded = response.headers.iter().any(|(name, encoding)| {
            name == "content-encoding"
                && !gzip::is_gzip(encoding)
                && !encoding.trim_ascii().eq_ignore_ascii_case(b"identity")
        });
        if encoded {
            return (response.headers, Self::of(None, response.body));
        }
        // Gzip that is still there is damaged, and no text in UTF-8 begins like it.
        let media_type = response.header("content-type").map(str::to_owned);
        (response.headers, Self::of(media_type.as_deref(), response.body))
    }
}

/// The encoding that a body claims, where it was not unpacked: it is in another one than gzip, or in gzip by name only.
/// [`gzip::decoded`] has been there already.
#[must_use]
pub(crate) fn unread(response: &Response) -> Option<String> {
    let values =
        || response.headers.iter().filter(|(name, _)| name == "content-encoding").map(|(_, value)| value);
    let codings: Vec<_> = values()
        .map(|value| value.trim_ascii())
        .filter(|value| !value.is_empty() && !value.eq_ignore_ascii_case(b"identity"))
        .collect();
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    Text,
    Other,
}

impl Kind {
    /// `application/json`, `text/json` and every `+json` (RFC 6839); `text/*` and the few others that are text by
    /// definition, unless another charset than UTF-8 is named.
    fn of(media_type: &str) -> Self {
        let mut parts = media_type.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
        let foreign = parts.any(|parameter| {
            let parameter = parameter.to_ascii_lowercase();
            parameter
                .strip_prefix("charset=")
                .is_some_and(|charset| !matches!(charset.trim_matches('"'), "utf-8" | "utf8" | "us-ascii"))
        });
        if foreign {
            return Self::Other;
        }
        if essence.ends_with("/json") || essence.ends_with("+json") {
            return Self::Json;
        }
        if essence.starts_with("text/")
            || essence.ends_with("+xml")
            || matches!(
                essence.as_str(),
                "application/xml" | "application/javascript" | "application/x-www-form-urlencoded"
            )
        {
            return Self::Text;
        }
        Self::Other
    }
}

#[cfg(test)]
mod tests {
    use test_case::test_case;

    use super::*;

    #[test_case("br", Content::Bytes(b"{}".to_vec()); "an encoding that is not read")]
    #[test_case("gzip, br", Content::Bytes(b"{}".to_vec()); "two encodings")]
    #[test_case("identity", Content::Json("{}".to_owned()); "none by name")]
    #[test_case("GZIP", Content::Json("{}".to_owned()); "one that was read")]
    fn by_encoding(encoding: &str, content: Content) {
        let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        let headers = vec![header("content-type", "application/json"), header("content-encoding", encoding)];
        let response = Response { status: 200, headers: headers.clone(), body: b"{}".to_vec() };
        assert_eq!(Content::of_response(response), (headers, content));
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
    #[test_case("application/json", b"{", Content::Bytes(b"{".to_vec()); "what is no json")]
    #[test_case("text/html; charset=UTF-8", "é".as_bytes(), Content::Text("é".to_owned()))]
    #[test_case("text/plain; charset=iso-8859-1", b"e", Content::Bytes(b"e".to_vec()); "another charset")]
    #[test_case("text/plain", b"\xff", Content::Bytes(vec![0xff]); "what is no text")]
    #[test_case("image/png", b"x", Content::Bytes(b"x".to_vec()))]
    #[test_case("", b"x", Content::Bytes(b"x".to_vec()); "no media type")]
    #[test_case("application/json", b"", Content::Empty)]
    fn by_media_type(media_type: &str, body: &[u8], content: Content) {
        assert_eq!(Content::of(Some(media_type), body.to_vec()), content);
    }
}
