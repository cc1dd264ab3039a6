//! The network: pooled HTTP/1.1 over TLS, with no policy of its own beyond the addresses it accepts.

use std::{
    fmt,
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, connect::capture_connection},
    rt::{TokioExecutor, TokioTimer},
};
use rustls_pki_types::CertificateDer;
use tokio::time::{Instant, Sleep, sleep};
use tokio_rustls::TlsConnector;

use super::{
    Body, OriginMap, Proxy, Sending, Timeouts, Transport, TransportError,
    connect::{CONNECT_LIMIT, Connector},
    dns::{Network, System},
    failure::{classify, too_large, too_many_interim},
    interim::Interim,
    kept::{Kept, Place},
};

/// Size of a response's head. Google's own front end sends a few KiB.
pub(super) const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Number of headers of a response.
pub(super) const MAX_HEADERS: usize = 100;
/// The time for which an idle connection is kept: below the limits of Google's front ends, so that we close
/// first and seldom lose a race.
const IDLE: Duration = Duration::from_secs(60);

/// Sends requests over the network.
///
/// https only, HTTP/1.1, Mozilla's roots. No redirects, no cookies, no decompression, and no proxy
/// but the one that [`LiveBuilder::proxy`] is given: nothing is taken from the environment. A name is
/// resolved once per connection, and only its public addresses are used; what the [`OriginMap`] maps
/// goes to loopback instead. Idle connections are kept for 60 seconds: as many as were in use at once, of all origins
/// together 1,024 at most, and half of the files that the process may have open. Clones share them.
///
/// Calls must come from within one tokio runtime, which drives the connections.
#[derive(Clone)]
pub struct Live {
    client: Client<Connector, Body>,
    connector: Connector,
}

/// The reason why a [`Live`] could not be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LiveError {
    /// An extra root is not a certificate that can be trusted.
    #[error("extra root {index}: {reason}")]
    Root {
        /// The place of the root, from 0, among the extra ones.
        index: usize,
        /// The reason.
        reason: String,
    },
    /// TLS could not be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// The builder of a [`Live`].
#[derive(Debug)]
pub struct LiveBuilder {
    map: OriginMap,
    proxy: Option<Proxy>,
    extra_roots: Vec<CertificateDer<'static>>,
    network: Arc<dyn Network>,
    kept: Kept,
}

impl Live {
    /// Begins with an empty map and Mozilla's roots.
    #[must_use]
    pub fn builder() -> LiveBuilder {
        LiveBuilder {
            map: OriginMap::default(),
            proxy: None,
            extra_roots: Vec::new(),
            network: Arc::new(System),
            kept: Kept::of_this_process(),
        }
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (map, proxy) = (self.connector.map(), self.connector.proxy());
        f.debug_struct("Live").field("map", map).field("proxy", &proxy).finish_non_exhaustive()
    }
}

impl LiveBuilder {
    /// Sends the requests for some origins to this machine.
    #[must_use]
    pub fn map(mut self, map: OriginMap) -> Self {
        self.map = map;
        self
    }

    /// Sends every request through this proxy, but those for mapped origins. Without it they go directly.
    ///
    /// The egress policy judges the real target, and TLS ends there. What a name resolves to is then the
    /// proxy's to know: that it is a public address is not checked here.
    #[must_use]
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Trusts these roots too, beside Mozilla's.
    #[must_use]
    pub fn extra_roots(mut self, roots: Vec<CertificateDer<'static>>) -> Self {
        self.extra_roots = roots;
        self
    }

    #[cfg(test)]
    fn network(mut self, network: Arc<dyn Network>) -> Self {
        self.network = network;
        self
    }

    #[cfg(test)]
    fn kept(mut self, kept: Kept) -> Self {
        self.kept = kept;
        self
    }

    /// Builds. Nothing is opened yet.
    ///
    /// # Errors
    /// [`LiveError::Root`], if an extra root is not a certificate.
    pub fn build(self) -> Result<Live, LiveError> {
        let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for (index, root) in self.extra_roots.into_iter().enumerate() {
            roots.add(root).map_err(|error| LiveError::Root { index, reason: error.to_string() })?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| LiveError::Tls(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];

        let tls = TlsConnector::from(Arc::new(tls));
        let connector = Connector::new(self.map, self.proxy, self.network, tls, self.kept);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .http1_max_buf_size(MAX_HEAD_BYTES)
            .http1_max_headers(MAX_HEADERS)
            // This repeats nothing that was sent. hyper hands a request back only if it was still
            // queued when a kept connection turned out to be closed: not a byte of it was written,
            // and its body was never polled. Without this, a server that closes an idle connection
            // would fail an invocation, which has one attempt.
            .retry_canceled_requests(true)
            .build(connector.clone());
        Ok(Live { client, connector })
    }
}

impl Transport for Live {
    fn send(&self, mut request: http::Request<Body>, timeouts: Timeouts) -> Sending {
        let client = self.client.clone();
        Box::pin(async move {
            let host = request.uri().host().unwrap_or_default().to_owned();
            *request.version_mut() = http::Version::HTTP_11;
            let mut connection = capture_connection(&mut request);
            let used = connection.clone();
            let interim = Interim::count(&mut request);

            let response = CONNECT_LIMIT.scope(timeouts.connect, client.request(request));
            let silence = pin!(async {
                // The connector keeps its own limit, so the clock starts once it is done.
                drop(connection.wait_for_connection_metadata().await);
                sleep(timeouts.first_byte).await;
            });
            let response = tokio::select! {
                biased;
                // First: an answer that comes after too many interim ones does not count.
                () = interim.over() => return Err(too_many_interim(&host)),
                response = response => response.map_err(|error| classify(&error, &host))?,
                () = silence => return Err(TransportError::FirstByteTimeout(timeouts.first_byte)),
            };
            if response.extensions().get::<Place>().is_some_and(Place::give_up_if_crowded)
                && let Some(connected) = &*used.connection_metadata()
            {
                connected.poison();
            }
            // hyper bounds the memory that a head takes, but lets one pass that is a little too long.
            if head_bytes(response.headers()) > MAX_HEAD_BYTES {
                return Err(too_large(&host));
            }
            Ok(response.map(|body| Timed::new(body, host, timeouts.between_bytes).boxed_unsync()))
        })
    }
}

/// The bytes of headers as written in HTTP/1.1, `: ` and the end of the line included.
pub(super) fn head_bytes(headers: &http::HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}

/// A response's body that may not stall.
///
/// The clock runs only while somebody waits for the next piece, so a slow reader is not a stall.
struct Timed {
    body: Incoming,
    host: String,
    limit: Duration,
    stall: Pin<Box<Sleep>>,
    waiting: bool,
}

impl Timed {
    fn new(body: Incoming, host: String, limit: Duration) -> Self {
        Self { body, host, limit, stall: Box::pin(sleep(limit)), waiting: false }
    }
}

impl http_body::Body for Timed {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            this.waiting = false;
            return Poll::Ready(frame.map(|frame| frame.map_err(|error| classify(&error, &this.host))));
        }
        if !this.waiting {
            this.waiting = true;
            this.stall.as_mut().reset(Instant::now() + this.limit);
        }
        ready!(this.stall.as_mut().poll(cx));
        Poll::Ready(Some(Err(TransportError::BodyTimeout(this.limit))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests;
