//! The headers that a caller may set.

use crate::base::{
    error::{Cause, Error, Result},
    secret::Secret,
};

/// The most headers, and the most bytes in all of them together.
const MAX_COUNT: usize = 100;
const MAX_BYTES: usize = 64 * 1024;
/// Proxies on the way take 8 KiB a value, and no more.
const MAX_VALUE: usize = 8 * 1024;

/// Names that carry a credential, frame the message, steer a proxy, or are read by Google's front end.
const RESERVED: [&str; 27] = [
    "authorization",
    "proxy-authorization",
    "proxy-authenticate",
    "proxy-connection",
    "x-serverless-authorization",
    "host",
    "cookie",
    "cookie2",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
    "content-length",
    "content-encoding",
    "expect",
    "range",
    "accept-encoding",
    "forwarded",
    "via",
    "x-real-ip",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "metadata-flavor",
];

const RESERVED_PREFIXES: [&str; 6] =
    ["x-goog-", "x-google-", "x-forwarded-", "proxy-", "x-appengine-", "x-original-"];

/// Headers that have been checked, names in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallerHeaders(Vec<(String, String)>);

impl CallerHeaders {
    /// Checks what a caller gave.
    ///
    /// # Errors
    /// `invalid-input` of field `headers`, which names the header and never repeats its value.
    pub fn parse(headers: Vec<(String, String)>) -> Result<Self> {
        if headers.len() > MAX_COUNT {
            return Err(refused(format!(
                "there are {} headers; at most {MAX_COUNT} are sent",
                headers.len()
            )));
        }
        if headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > MAX_BYTES {
            return Err(refused("the headers are larger than 64 KiB together"));
        }
        headers.into_iter().map(|(name, value)| checked(&name, value)).collect::<Result<_>>().map(Self)
    }

    /// The headers in order.
    pub fn iter(&self) -> impl Iterator<Item = &(String, String)> {
        self.0.iter()
    }

    /// With what an event consists of; it is checked already.
    #[must_use]
    pub fn and(mut self, more: Vec<(String, String)>) -> Self {
        self.0.extend(more);
        self
    }

    /// Tells if a name is there.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|(n, _)| n == name)
    }
}

/// The caller's own `Authorization`, for a function that reads it.
#[derive(Debug, Clone)]
pub struct OwnAuthorization(pub(super) Secret<String>);

impl OwnAuthorization {
    /// Checks what a caller gave. A Google access token is refused: a function is anybody's code.
    ///
    /// # Errors
    /// `invalid-input` of field `authorization`, which never repeats the value.
    pub fn parse(value: Secret<String>) -> Result<Self> {
        let text = value.reveal();
        let bad = |what: &str| Error::input("authorization", what);
        if text.is_empty() || text.len() > MAX_VALUE {
            return Err(bad("the caller's authorization is empty, or longer than 8 KiB"));
        }
        if !text.bytes().all(|b| (0x20..=0x7e).contains(&b)) || text.trim() != text {
            return Err(bad(
                "the caller's authorization holds a control character, white space at an end, or a character outside ASCII",
            ));
        }
        if text.split_once(' ').map_or(text.as_str(), |(_, token)| token.trim_start()).starts_with("ya29.") {
            return Err(bad(
                "the caller's authorization is a Google access token, which no function may receive",
            )
            .fix("leave it out: the function receives an ID token"));
        }
        Ok(Self(value))
    }
}

fn checked(name: &str, value: String) -> Result<(String, String)> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() || name.len() > 256 || !name.bytes().all(token) {
        return Err(refused("a header's name is not a token (RFC 9110, section 5.6.2)"));
    }
    let lower = name.to_ascii_lowercase();
    // Some servers read `_` as `-`, so both spellings of a reserved name are refused.
    let spelled = lower.replace('_', "-");
    if RESERVED.contains(&spelled.as_str()) || RESERVED_PREFIXES.iter().any(|p| spelled.starts_with(p)) {
        return Err(refused(format!("the header `{lower}` is the connector's to set, or nobody's"))
            .detail("header", lower)
            .cause(Cause::OwnAuthorization)
            .fix("leave it out: the connection signs in; an Authorization of your own for a function is `authorization`"));
    }
    if value.len() > MAX_VALUE {
        return Err(refused(format!("the value of the header `{lower}` is longer than 8 KiB")));
    }
    let printable = |b: u8| b == b'\t' || (0x20..=0x7e).contains(&b);
    if !value.bytes().all(printable) || value.starts_with([' ', '\t']) || value.ends_with([' ', '\t']) {
        return Err(refused(format!(
            "the value of the header `{lower}` holds a control character, white space at an end, or a character outside ASCII"
        )));
    }
    if holds_bearer(&value) {
        return Err(refused(format!("the value of the header `{lower}` holds a bearer token"))
            .detail("header", lower)
            .cause(Cause::OwnAuthorization)
            .fix("hand it over as `authorization`, or send a token of your own without the word Bearer"));
    }
    Ok((lower, value))
}

/// Tells if a value has the scheme of RFC 6750 in it, as a word of its own, or one of Google's access tokens. The host
/// refuses the same.
fn holds_bearer(value: &str) -> bool {
    const BEARER: &[u8] = b"bearer";
    let value = value.as_bytes();
    (0..value.len()).any(|at| {
        let begins =
            |word: &[u8]| value.get(at..at + word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word));
        let apart = at.checked_sub(1).is_none_or(|before| !value[before].is_ascii_alphanumeric())
            && value.get(at + BEARER.len()).is_some_and(|after| b" \t+%".contains(after));
        (begins(BEARER) && apart) || begins(b"ya29.")
    })
}

fn refused(message: impl Into<String>) -> Error {
    Error::input("headers", message)
        .fix("send fewer or shorter headers, of printable ASCII (RFC 9110, section 5)")
}

#[cfg(test)]
mod tests {
    use test_case::test_case;

    use super::*;

    #[test_case("Accept-Language", "de", true)]
    #[test_case("X-Trace", "a\r\nAuthorization: Bearer evil", false)]
    #[test_case("X-Trace", "a\0b", false)]
    #[test_case("X-Tr\r\nHost", "x", false)]
    #[test_case("X Trace", "x", false)]
    #[test_case(":authority", "evil.com", false)]
    #[test_case("", "x", false)]
    #[test_case("aUtHoRiZaTiOn", "Bearer attacker", false)]
    #[test_case("X_Serverless_Authorization", "Bearer attacker", false)]
    #[test_case("Proxy-Authorization", "Basic x", false)]
    #[test_case("Host", "evil.com", false)]
    #[test_case("X-Forwarded-Host", "evil.com", false)]
    #[test_case("Forwarded", "for=127.0.0.1", false)]
    #[test_case("Connection", "close, Authorization", false)]
    #[test_case("Content-Length", "5", false)]
    #[test_case("TE", "trailers", false)]
    #[test_case("X-HTTP-Method-Override", "DELETE", false)]
    #[test_case("X-Method-Override", "DELETE", false)]
    #[test_case("X-HTTP-Method", "DELETE", false)]
    #[test_case("x-goog-user-project", "other-project", false)]
    #[test_case("X-Google-Metadata-Request", "True", false)]
    #[test_case("Metadata-Flavor", "Google", false)]
    #[test_case("Cookie", "SID=x", false)]
    #[test_case("Range", "bytes=0-", false)]
    #[test_case("X-Token", "Bearer attacker", false)]
    #[test_case("X-Token", "token=bearer\tattacker", false)]
    #[test_case("X-Token", "ya29.attacker", false; "an access token of Google")]
    #[test_case("X-Token", "attacker", true)]
    #[test_case("X-Note", "the bearers of it", true)]
    #[test_case("X-Note", "bearer", true; "the word alone")]
    fn a_header(name: &str, value: &str, ok: bool) {
        assert_eq!(CallerHeaders::parse(vec![(name.to_owned(), value.to_owned())]).is_ok(), ok);
    }

    #[test]
    fn sizes_are_limited() {
        assert!(CallerHeaders::parse(vec![("x-big".to_owned(), "a".repeat(70_000))]).is_err());
        assert!(CallerHeaders::parse(vec![("x-h".to_owned(), "v".to_owned()); 101]).is_err());
        assert!(CallerHeaders::parse(vec![("x-h".to_owned(), "v".to_owned()); 100]).is_ok());
    }

    #[test_case("Bearer of-the-caller", true)]
    #[test_case("Basic dTpw", true)]
    #[test_case("Digest username=\"u\", realm=\"r\"", true)]
    #[test_case("", false)]
    #[test_case(" Bearer x", false)]
    #[test_case("Bearer canary\r\nx: y", false)]
    #[test_case("Bearer canäry", false)]
    #[test_case("Bearer ya29.canary", false; "an access token of Google")]
    #[test_case("ya29.canary", false; "a naked access token of Google")]
    fn an_authorization_of_the_caller(value: &str, ok: bool) {
        let parsed = OwnAuthorization::parse(Secret::new(value.to_owned()));
        assert_eq!(parsed.is_ok(), ok);
        assert!(
            !format!("{parsed:?}").contains("canary") && !format!("{parsed:?}").contains("of-the-caller")
        );
    }

    #[test]
    fn a_refusal_does_not_repeat_the_value() {
        for name in ["authorization", "x-token"] {
            let error =
                CallerHeaders::parse(vec![(name.to_owned(), "Bearer canary".to_owned())]).unwrap_err();
            assert!(!format!("{error:?}").contains("canary"));
        }
    }
}
