//! From an origin to a byte stream: the map, DNS, TCP and TLS, all within one limit.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{Uri, uri::Scheme};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::TlsConnector;

use super::{
    OriginMap, Proxy, ProxyFault, TransportError,
    dns::{self, Network},
    kept::{Kept, Stream},
    proxy::check_literal,
    socket::Socket,
};

/// The limit where nobody has set [`CONNECT_LIMIT`].
const DEFAULT_CONNECT_LIMIT: Duration = Duration::from_secs(10);

tokio::task_local! {
    /// `timeouts.connect` of the request being sent. The pool asks its connector for a connection
    /// by origin alone, so the limit cannot come as an argument.
    pub(super) static CONNECT_LIMIT: Duration;
}

/// Opens connections for the pool.
#[derive(Clone)]
pub(super) struct Connector(Arc<Inner>);

struct Inner {
    map: OriginMap,
    proxy: Option<Proxy>,
    network: Arc<dyn Network>,
    tls: TlsConnector,
    kept: Kept,
}

/// A plain or an encrypted connection.
pub(super) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

impl Connector {
    pub(super) fn new(
        map: OriginMap,
        proxy: Option<Proxy>,
        network: Arc<dyn Network>,
        tls: TlsConnector,
        kept: Kept,
    ) -> Self {
        Self(Arc::new(Inner { map, proxy, network, tls, kept }))
    }

    pub(super) fn map(&self) -> &OriginMap {
        &self.0.map
    }

    pub(super) fn proxy(&self) -> Option<&Proxy> {
        self.0.proxy.as_ref()
    }
}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = TransportError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, TransportError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, origin: Uri) -> Self::Future {
        // Read here and not in the future: the pool may finish connecting in a task of its own.
        let limit = CONNECT_LIMIT.try_with(|limit| *limit).unwrap_or(DEFAULT_CONNECT_LIMIT);
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let bytes = inner.open(&origin, limit).await?;
            Ok(TokioIo::new(inner.kept.count(bytes)))
        })
    }
}

impl Inner {
    async fn open(&self, origin: &Uri, limit: Duration) -> Result<Box<dyn ByteStream>, TransportError> {
        let deadline = Instant::now() + limit;
        if origin.scheme() != Some(&Scheme::HTTPS) {
            return Err(TransportError::Denied("only https is sent".to_owned()));
        }
        let host = origin.host().unwrap_or_default();
        let port = origin.port_u16().unwrap_or(443);

        let (tls, socket) = match (self.map.target(host, port), &self.proxy) {
            (Some(target), _) => (target.tls, self.dial(host, &target.addresses, deadline, limit).await?),
            (None, Some(proxy)) => (true, self.tunnel(proxy, host, port, deadline, limit).await?),
            (None, None) => {
                let lookup = dns::public_addresses(&*self.network, host, port);
                let addresses =
                    timeout_at(deadline, lookup).await.map_err(|_| late(host, "DNS", limit))??;
                (true, self.dial(host, &addresses, deadline, limit).await?)
            }
        };
        if !tls {
            return Ok(Box::new(socket));
        }
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| TransportError::Tls(format!("{host} cannot be a name in a certificate")))?;
        let handshake = self.tls.connect(name, socket);
        let stream = timeout_at(deadline, handshake)
            .await
            .map_err(|_| late(host, "TLS", limit))?
            .map_err(|error| TransportError::Tls(format!("{host}: {error}")))?;
        Ok(Box::new(stream))
    }

    async fn dial(
        &self,
        host: &str,
        addresses: &[SocketAddr],
        deadline: Instant,
        limit: Duration,
    ) -> Result<Socket<TcpStream>, TransportError> {
        let tcp = self.connect(host, addresses, deadline).await?.ok_or_else(|| late(host, "TCP", limit))?;
        // Requests are written in one piece already; waiting for more only delays them.
        tcp.set_nodelay(true).map_err(|error| refused(host, &error))?;
        Ok(Socket::new(tcp))
    }

    /// A way to the target through a proxy. The proxy's own address may be any: the operator has named it.
    async fn tunnel(
        &self,
        proxy: &Proxy,
        host: &str,
        port: u16,
        deadline: Instant,
        limit: Duration,
    ) -> Result<Socket<TcpStream>, TransportError> {
        check_literal(host)?;
        let target = format!("{host}:{port}");
        let (name, at) = proxy.place();
        let addresses = match timeout_at(deadline, self.network.resolve(name, at)).await {
            Err(_) => return Err(proxy.error(&target, ProxyFault::Timeout(limit))),
            Ok(Err(error)) => return Err(proxy.error(&target, ProxyFault::Dns(error.to_string()))),
            Ok(Ok(none)) if none.is_empty() => {
                return Err(proxy.error(&target, ProxyFault::Dns("the answer is empty".to_owned())));
            }
            Ok(Ok(addresses)) => addresses,
        };
        let mut socket = self.dial(name, &addresses, deadline, limit).await.map_err(|error| {
            let fault = if let TransportError::ConnectTimeout(_) = error {
                ProxyFault::Timeout(limit)
            } else {
                ProxyFault::Unreachable(error.to_string())
            };
            proxy.error(&target, fault)
        })?;
        proxy.tunnel(&mut socket, host, port, deadline, limit).await?;
        Ok(socket)
    }

    /// Tries the addresses in order; `None` if the deadline passed.
    ///
    /// Each gets an equal share of the time that is left, so that one that swallows packets does
    /// not keep the others from their turn.
    async fn connect(
        &self,
        host: &str,
        addresses: &[SocketAddr],
        deadline: Instant,
    ) -> Result<Option<TcpStream>, TransportError> {
        let mut failure = None;
        let mut left = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
        for address in addresses {
            let now = Instant::now();
            let share = deadline.saturating_duration_since(now) / left.max(1);
            left = left.saturating_sub(1);
            match timeout_at(now + share, self.network.connect(*address)).await {
                Ok(Ok(stream)) => return Ok(Some(stream)),
                Ok(Err(error)) => failure = Some(refused(&format!("{host} ({address})"), &error)),
                Err(_) => failure = None,
            }
        }
        failure.map_or(Ok(None), Err)
    }
}

fn late(host: &str, stage: &str, limit: Duration) -> TransportError {
    TransportError::ConnectTimeout(format!("{host}: {stage} not done within {limit:?}"))
}

fn refused(target: &str, error: &io::Error) -> TransportError {
    if error.kind() == io::ErrorKind::TimedOut {
        TransportError::ConnectTimeout(format!("{target}: {error}"))
    } else {
        // Unreachable and forbidden included: for the caller it is the same, nothing was sent.
        TransportError::ConnectionRefused(format!("{target}: {error}"))
    }
}
