//! A forward proxy on the way out: HTTP CONNECT (RFC 9110, section 9.3.6), and TLS to the real target inside it.

use std::{fmt, net::IpAddr, str::FromStr, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{StatusCode, Uri};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, timeout_at},
};

use super::{TransportError, connect::ByteStream};
use crate::egress::address::is_public;

/// Size of all that a proxy may say before the tunnel is open. One that refuses answers with a page, of which the head
/// alone is read.
const MAX_HEAD: usize = 16 * 1024;

/// Headers of a proxy's answer.
const MAX_HEADERS: usize = 64;

/// A forward proxy, such as a company's: every connection that is not mapped goes through it, by HTTP CONNECT.
///
/// The proxy learns the target's name and port, and sees nothing else: TLS ends at the target, whose certificate is
/// checked as without a proxy. The proxy is what resolves the name. Its user name and password are secrets: printing a
/// proxy does not show them.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    host: String,
    port: u16,
    /// `Basic …` (RFC 7617).
    authorization: Option<String>,
}

/// The reason why a text does not name a proxy. It does not repeat the text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProxyUrlError {
    /// Not a URL, or one without a host.
    #[error("it is not the URL of a proxy")]
    Format,
    /// Another scheme than `http`.
    #[error("only a proxy that is spoken to by http is supported")]
    Scheme,
    /// A path, a query or a fragment.
    #[error("a proxy has no path, query or fragment")]
    Path,
    /// The port is not a number from 1 to 65535.
    #[error("the port is not within 1 to 65535")]
    Port,
    /// The user name or the password cannot be sent.
    #[error("the user name or the password cannot be sent to a proxy")]
    User,
}

impl ProxyUrlError {
    /// The next step.
    #[must_use]
    pub fn fix(self) -> &'static str {
        match self {
            Self::Format | Self::Path | Self::Port => "write http://HOST:PORT",
            Self::Scheme => {
                "name its http port, as http://HOST:PORT: TLS to the target runs inside all the same"
            }
            Self::User => {
                "write `@`, `:`, `/` and `%` in them as %40, %3A, %2F and %25; a user name has no colon, and neither \
                 has control characters (RFC 7617, section 2)"
            }
        }
    }
}

/// The refusal or the failure of a proxy. Nothing was sent to the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyError {
    /// Host and port of the proxy.
    pub proxy: String,
    /// Host and port of the target.
    pub target: String,
    /// The fault.
    pub fault: ProxyFault,
}

/// The ways in which a proxy can fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProxyFault {
    /// The name of the proxy has no address.
    Dns(String),
    /// Nobody listens where the proxy should be.
    Unreachable(String),
    /// It did not answer in time.
    Timeout(Duration),
    /// It closed the connection without an answer.
    Closed,
    /// Its answer is not HTTP, or more than the head of an answer.
    NotHttp,
    /// It wants a user name and a password (407, and 401 of some): none were given, or others.
    Authentication {
        /// True if some were given.
        given: bool,
    },
    /// It does not let this target through.
    Refused(StatusCode),
    /// It could not reach the target itself: 5xx.
    Target(StatusCode),
    /// Another status.
    Status(StatusCode),
}

impl ProxyError {
    /// The failure and its place.
    #[must_use]
    pub fn message(&self) -> String {
        let Self { proxy, target, fault } = self;
        match fault {
            ProxyFault::Dns(why) => format!("the name of the proxy {proxy} has no address: {why}"),
            ProxyFault::Unreachable(why) => format!("no connection to the proxy {proxy}: {why}"),
            ProxyFault::Timeout(limit) => {
                format!("the proxy {proxy} did not open a way to {target} within {limit:?}")
            }
            ProxyFault::Closed => format!("the proxy {proxy} closed the connection when asked for {target}"),
            ProxyFault::NotHttp => {
                format!("the proxy {proxy} did not answer as an HTTP proxy does when asked for {target}")
            }
            ProxyFault::Authentication { given: false } => {
                format!("the proxy {proxy} wants a user name and a password")
            }
            ProxyFault::Authentication { given: true } => {
                format!("the proxy {proxy} does not accept the user name and the password")
            }
            ProxyFault::Refused(status) => {
                format!("the proxy {proxy} refused a connection to {target} ({})", status.as_u16())
            }
            ProxyFault::Target(status) => {
                format!("the proxy {proxy} could not reach {target} ({})", status.as_u16())
            }
            ProxyFault::Status(status) => {
                format!("the proxy {proxy} answered {} when asked for {target}", status.as_u16())
            }
        }
    }

    /// The next step, and whose move it is. Nothing was sent to the target in any case.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match &self.fault {
            ProxyFault::Dns(_) | ProxyFault::Unreachable(_) => {
                "check the proxy's name and port, and whether this machine is in the network that it serves"
            }
            ProxyFault::Timeout(_) | ProxyFault::Closed => {
                "try again; if it stays so, ask whoever runs the proxy whether it lets CONNECT to port 443 through"
            }
            ProxyFault::NotHttp => {
                "check the port: something else listens there, or the proxy expects TLS or SOCKS"
            }
            ProxyFault::Authentication { given: false } => {
                "put them into the proxy's URL, as http://USER:PASSWORD@HOST:PORT; only Basic is supported"
            }
            ProxyFault::Authentication { given: true } => {
                "correct them; whoever runs the proxy knows which are good, and whether it accepts Basic"
            }
            ProxyFault::Refused(_) => {
                "ask whoever runs the proxy to allow CONNECT to port 443 of this host, and of the others in the catalog's `egress`"
            }
            ProxyFault::Target(_) => {
                "try again; if it stays so, ask whoever runs the proxy why it does not reach the host"
            }
            ProxyFault::Status(_) => "ask whoever runs the proxy what it means",
        }
    }
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message(), self.fix())
    }
}

impl std::error::Error for ProxyError {}

impl Proxy {
    /// Reads `http://HOST:PORT`, with `USER:PASSWORD@` before the host if the proxy wants them, percent-encoded. The
    /// scheme may be left out, as it often is in environments. Without a port it is http's own, 80.
    ///
    /// # Errors
    /// [`ProxyUrlError`], which does not repeat the text.
    pub fn parse(text: &str) -> Result<Self, ProxyUrlError> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        if !scheme.eq_ignore_ascii_case("http") {
            return Err(ProxyUrlError::Scheme);
        }
        let (authority, after) = match rest.find(['/', '?', '#']) {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        if !matches!(after, "" | "/") {
            return Err(ProxyUrlError::Path);
        }
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        let uri: Uri = format!("http://{place}/").parse().map_err(|_| ProxyUrlError::Format)?;
        let parsed = uri.authority().ok_or(ProxyUrlError::Format)?;
        let host = parsed.host();
        if host.is_empty() {
            return Err(ProxyUrlError::Format);
        }
        let port = if place.len() == host.len() {
            80
        } else {
            parsed.port_u16().filter(|port| *port != 0).ok_or(ProxyUrlError::Port)?
        };
        let authorization = user.map(basic).transpose()?;
        Ok(Self { host: host.to_owned(), port, authorization })
    }

    /// Host and port, without brackets round an address: what is looked up.
    pub(super) fn place(&self) -> (&str, u16) {
        let bare = self.host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        (bare.unwrap_or(&self.host), self.port)
    }

    pub(super) fn error(&self, target: &str, fault: ProxyFault) -> TransportError {
        let error = ProxyError { proxy: self.to_string(), target: target.to_owned(), fault };
        TransportError::Proxy(Box::new(error))
    }

    /// Asks for a tunnel to `host`, and returns once it is open. TLS is up to the caller.
    pub(super) async fn tunnel(
        &self,
        stream: &mut impl ByteStream,
        host: &str,
        port: u16,
        deadline: Instant,
        limit: Duration,
    ) -> Result<(), TransportError> {
        let target = format!("{host}:{port}");
        let opened = timeout_at(deadline, self.ask(stream, &target)).await;
        opened.unwrap_or(Err(ProxyFault::Timeout(limit))).map_err(|fault| self.error(&target, fault))
    }

    async fn ask(&self, stream: &mut impl ByteStream, target: &str) -> Result<(), ProxyFault> {
        let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
        if let Some(authorization) = &self.authorization {
            request += &format!("Proxy-Authorization: {authorization}\r\n");
        }
        request += "\r\n";
        // One that refuses before it has read all may have answered.
        let _ = stream.write_all(request.as_bytes()).await;
        let status = answer(stream).await?;
        match status.as_u16() {
            200..=299 => Ok(()),
            // tinyproxy 1.11 answers 401 to a wrong password, and 407 to none.
            401 | 407 => Err(ProxyFault::Authentication { given: self.authorization.is_some() }),
            // Squid answers 500 where it has no way on, and others 502 to 504.
            500..=599 => Err(ProxyFault::Target(status)),
            400..=499 => Err(ProxyFault::Refused(status)),
            _ => Err(ProxyFault::Status(status)),
        }
    }
}

/// Reads the head of the answer. Every byte is looked at once, however few come at a time.
async fn answer(stream: &mut impl ByteStream) -> Result<StatusCode, ProxyFault> {
    let mut head = Vec::new();
    let mut searched = 0;
    let mut read_in_all = 0;
    loop {
        while let Some(length) = end_of_head(&head, searched) {
            let status = status(&head[..length])?;
            head.drain(..length);
            searched = 0;
            // An answer before the answer says nothing about the tunnel.
            if status.is_informational() {
                continue;
            }
            // In TLS the client speaks first: what comes before that is not the target's.
            let early = status.is_success() && !head.is_empty();
            return if early { Err(ProxyFault::NotHttp) } else { Ok(status) };
        }
        searched = head.len();
        let begins = &BEGIN[..head.len().min(BEGIN.len())];
        if !head.starts_with(begins) || read_in_all >= MAX_HEAD {
            return Err(ProxyFault::NotHttp);
        }
        let mut piece = [0; 1024];
        let read = stream.read(&mut piece).await.map_err(|_| ProxyFault::Closed)?;
        if read == 0 {
            return Err(if read_in_all == 0 { ProxyFault::Closed } else { ProxyFault::NotHttp });
        }
        read_in_all += read;
        head.extend_from_slice(&piece[..read]);
    }
}

/// The beginning of every answer in HTTP/1.
const BEGIN: &[u8] = b"HTTP/1.";

/// The length of a head that is there as a whole: up to an empty line, whose end may be a bare line feed (RFC 9112,
/// section 2.2). All before `searched` was looked at, but for the line ends there.
fn end_of_head(head: &[u8], searched: usize) -> Option<usize> {
    let from = searched.saturating_sub(2);
    memchr::memchr_iter(b'\n', &head[from..]).map(|at| from + at + 1).find_map(|next| match &head[next..] {
        [b'\n', ..] => Some(next + 1),
        [b'\r', b'\n', ..] => Some(next + 2),
        _ => None,
    })
}

/// The status of an answer, from its head.
fn status(head: &[u8]) -> Result<StatusCode, ProxyFault> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(head) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {
            response.code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or(ProxyFault::NotHttp)
        }
        Ok(_) | Err(_) => Err(ProxyFault::NotHttp),
    }
}

/// Refuses a target that is an address, if it is not on the public internet. A name is the proxy's to resolve.
pub(super) fn check_literal(host: &str) -> Result<(), TransportError> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match bare.parse::<IpAddr>() {
        Ok(address) if !is_public(address) => {
            Err(TransportError::ProhibitedAddress(format!("{host} is {address}")))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The header of a user name and a password, which stand percent-encoded in a URL (RFC 3986, section 3.2.1).
fn basic(user: &str) -> Result<String, ProxyUrlError> {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let (name, password) = (decoded(name)?, decoded(password)?);
    if name.contains(&b':') {
        return Err(ProxyUrlError::User);
    }
    let pair = [name.as_slice(), b":", password.as_slice()].concat();
    Ok(format!("Basic {}", STANDARD.encode(pair)))
}

fn decoded(text: &str) -> Result<Vec<u8>, ProxyUrlError> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let byte = if byte == b'%' {
            let mut digit = || bytes.next().and_then(|digit| char::from(digit).to_digit(16));
            let (Some(high), Some(low)) = (digit(), digit()) else { return Err(ProxyUrlError::User) };
            u8::try_from(high << 4 | low).map_err(|_| ProxyUrlError::User)?
        } else {
            byte
        };
        if byte.is_ascii_control() {
            return Err(ProxyUrlError::User);
        }
        decoded.push(byte);
    }
    Ok(decoded)
}

impl FromStr for Proxy {
    type Err = ProxyUrlError;

    fn from_str(text: &str) -> Result<Self, ProxyUrlError> {
        Self::parse(text)
    }
}

/// Host and port, without the user.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authorization = self.authorization.as_ref().map(|_| "[secret]");
        f.debug_struct("Proxy")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("authorization", &authorization)
            .finish()
    }
}

#[cfg(test)]
mod tests;
