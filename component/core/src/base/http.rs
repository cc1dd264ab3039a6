//! Requests and responses as plain values, with the credential kept apart from the headers.

use std::fmt;

use crate::base::{purpose::Purpose, secret::Secret};

/// The methods that are ever sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the methods of RFC 9110 and RFC 5789")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
    Head,
    Options,
}

impl Method {
    /// Parses the exact, upper-case name: methods are case-sensitive (RFC 9110, section 9.1).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete, Self::Head, Self::Options]
            .into_iter()
            .find(|method| method.as_str() == text)
    }

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
        }
    }
}

/// The kind of token that a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// No credential of any kind.
    None,
    /// An OAuth 2.0 access token.
    AccessToken,
    /// An OpenID Connect ID token.
    IdToken,
    /// A signed assertion in the body.
    Assertion,
    /// A refresh token, an authorization code or a subject token in the body.
    Grant,
    /// Nothing: the host adds an access token.
    Injected,
}

/// One request, complete. Made only by [`crate::google::request`], which binds kinds of token to hosts.
#[derive(Clone)]
pub struct Request {
    pub(crate) purpose: Purpose,
    pub(crate) method: Method,
    pub(crate) host: String,
    pub(crate) path_and_query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) bearer: Option<Secret<String>>,
    /// The caller's own `Authorization`: the token is then for Google's front end alone.
    pub(crate) own_authorization: Option<Secret<String>>,
    /// The token is for Google's front end alone, whether there is an `Authorization` or not.
    pub(crate) serverless: bool,
    pub(crate) body: Vec<u8>,
    pub(crate) token: TokenKind,
    pub(crate) max_response: u64,
}

impl Request {
    /// The purpose.
    #[must_use]
    pub fn purpose(&self) -> &Purpose {
        &self.purpose
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// The host; the scheme is always https and the port 443.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The path and the query, as they follow the host on the wire.
    #[must_use]
    pub fn path_and_query(&self) -> &str {
        &self.path_and_query
    }

    /// The headers, without the credential and without content-length.
    #[must_use]
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The token that goes into `Authorization: Bearer …`, or into `X-Serverless-Authorization` beside the
    /// caller's own.
    #[must_use]
    pub fn bearer(&self) -> Option<&Secret<String>> {
        self.bearer.as_ref()
    }

    /// The body; it may hold an assertion, so it is never printed.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The `content-length` to send: none for a GET and a HEAD without a body, 0 for any other method without one.
    ///
    /// RFC 9110, section 8.6: a user agent sends it where the method anticipates content, even if it is 0, for a server may
    /// answer 411 otherwise; and not where it does not. Of DELETE and OPTIONS it is sent all the same: a host that does
    /// not know that the body stays empty would announce one in chunks.
    #[must_use]
    pub fn content_length(&self) -> Option<usize> {
        let bare = self.body.is_empty() && matches!(self.method, Method::Get | Method::Head);
        (!bare).then_some(self.body.len())
    }

    /// The kind of token it carries.
    #[must_use]
    pub fn token(&self) -> TokenKind {
        self.token
    }

    /// The largest response body that is accepted, in bytes.
    #[must_use]
    pub fn max_response(&self) -> u64 {
        self.max_response
    }

    /// The URL without its query, for traces and messages.
    #[must_use]
    pub fn url(&self) -> String {
        let path = self.path_and_query.split('?').next().unwrap_or_default();
        ["https://", &self.host, path].concat()
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &self.url())
            .field("token", &self.token)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish_non_exhaustive()
    }
}

/// One response, complete.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Names in lower case, values as received, repeated ones repeated.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The first value of a header, if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).and_then(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// Tells if the media type of the body is `media_type`.
    #[must_use]
    pub fn is(&self, media_type: &str) -> bool {
        self.header("content-type")
            .and_then(|value| value.split(';').next())
            .is_some_and(|value| value.trim().eq_ignore_ascii_case(media_type))
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish_non_exhaustive()
    }
}

/// The reason why no response arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransportError {
    /// The host's policy refused the target.
    Denied,
    /// No connection was made: nothing of the request was processed. The text names the cause.
    NotSent(String),
    /// The exchange took longer than it may.
    Timeout,
    /// The connection was made and broke; the request may have been processed.
    Broken(String),
    /// The body is larger than [`Request::max_response`].
    TooLarge,
}

/// One line of a call's trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The method.
    pub method: Method,
    /// The URL without its query.
    pub url: String,
    /// The kind of token the request carried.
    pub token: TokenKind,
    /// The status, if a response arrived.
    pub status: Option<u16>,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// Its duration, in milliseconds.
    pub duration_ms: u32,
}
