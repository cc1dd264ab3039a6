//! The way of a request that the policy has passed to its answer: the network, or a tape.
//!
//! A [`Transport`] is the innermost layer. It knows nothing of wasmtime, so that each can be tested
//! in milliseconds.

mod connect;
mod dns;
mod failure;
mod interim;
mod kept;
mod live;
mod map;
mod proxy;
mod socket;

use std::{fmt, future::Future, pin::Pin, time::Duration};

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;

pub use self::{
    live::{Live, LiveBuilder, LiveError},
    map::{MapError, OriginMap, OriginRule},
    proxy::{Proxy, ProxyError, ProxyFault, ProxyUrlError},
};

/// A streamed body, in either direction.
pub type Body = UnsyncBoxBody<Bytes, TransportError>;

/// The future that [`Transport::send`] returns: the head as soon as it is there, the body as it comes.
pub type Sending =
    Pin<Box<dyn Future<Output = Result<http::Response<Body>, TransportError>> + Send + 'static>>;

/// Sends one request. Never follows a redirect, never repeats, never adds a credential.
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Sends `request`, whose URI is absolute.
    fn send(&self, request: http::Request<Body>, timeouts: Timeouts) -> Sending;
}

/// The time that each stage of one exchange may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// The time for DNS, TCP and TLS together.
    pub connect: Duration,
    /// The time from the request's head to the response's head.
    pub first_byte: Duration,
    /// The time between two pieces of the response's body.
    pub between_bytes: Duration,
}

/// The reason why no response arrived, or why its body ended early.
///
/// The text of a variant never holds a secret: it is made from host names, addresses and sizes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The policy refused the target. Nothing was sent.
    #[error("egress denied: {0}")]
    Denied(String),
    /// The name has no address.
    #[error("cannot resolve host: {0}")]
    Dns(String),
    /// The name resolves only to addresses that are not on the public internet.
    #[error("host resolves to a prohibited address: {0}")]
    ProhibitedAddress(String),
    /// The proxy did not open a way to the target. Nothing was sent to the target.
    #[error(transparent)]
    Proxy(Box<ProxyError>),
    /// Nobody listens there.
    #[error("connection refused: {0}")]
    ConnectionRefused(String),
    /// DNS, TCP or TLS took too long.
    #[error("connect timeout: {0}")]
    ConnectTimeout(String),
    /// The certificate or the protocol of TLS was not acceptable.
    #[error("TLS: {0}")]
    Tls(String),
    /// The connection ended before the answer did.
    #[error("connection closed: {0}")]
    Closed(String),
    /// The head of the response did not arrive in time.
    #[error("no response within {0:?}")]
    FirstByteTimeout(Duration),
    /// The body stopped arriving.
    #[error("response body stalled for {0:?}")]
    BodyTimeout(Duration),
    /// The answer is not HTTP.
    #[error("not HTTP: {0}")]
    Protocol(String),
    /// The head of the response, or the answers before it, are larger than anybody's should be.
    #[error("the head of the response is too large: {0}")]
    HeadTooLarge(String),
    /// A limit on the number of requests.
    #[error("limit exceeded: {0}")]
    Limit(String),
    /// The tape has no answer to this request.
    #[error("{0}")]
    TapeMiss(Missed),
}

/// A request that is not on the tape, in words, all of them redacted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}\nhint: {hint}")]
pub struct Missed {
    /// The request, the nearest one on the tape, and what differs, over several lines.
    pub what: String,
    /// The next step.
    pub hint: String,
}
