//! Servers on loopback, and shorthand.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use http::{Request, Response};
use http_body_util::{Empty, Full};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::transport::dns::Pending;

pub(super) const HOST: &str = "cloudfunctions.googleapis.com";
pub(super) const ORIGIN: &str = "https://cloudfunctions.googleapis.com";

/// Long enough never to pass by accident; the tests of timeouts pass their own or move the clock.
pub(super) const LIMITS: Timeouts = Timeouts {
    connect: Duration::from_secs(60),
    first_byte: Duration::from_secs(60),
    between_bytes: Duration::from_secs(60),
};

pub(super) fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

pub(super) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

pub(super) async fn read(body: Body) -> Result<Bytes, TransportError> {
    Ok(body.collect().await?.to_bytes())
}

pub(super) async fn send(live: &Live, request: Request<Body>) -> Result<Response<Body>, TransportError> {
    live.send(request, LIMITS).await
}

pub(super) async fn get(live: &Live) -> Result<Response<Body>, TransportError> {
    send(live, Request::get(format!("{ORIGIN}/")).body(empty()).unwrap()).await
}

/// A client that maps [`ORIGIN`] to plain HTTP at `address`.
pub(super) fn mapped(address: SocketAddr) -> Live {
    Live::builder().map(map(&format!("http://{address}"))).build().unwrap()
}

pub(super) fn map(url: &str) -> OriginMap {
    OriginMap::new([OriginRule::parse(&format!("{ORIGIN}={url}")).unwrap()]).unwrap()
}

/// Lets every task and the reactor have their turn: the pool takes a connection back in a task of
/// its own.
pub(super) async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

pub(super) async fn echo(request: Request<Incoming>) -> Response<Body> {
    let body = request.into_body();
    Response::new(body.map_err(|error| TransportError::Closed(error.to_string())).boxed_unsync())
}

pub(super) struct Server {
    pub(super) address: SocketAddr,
    counts: Arc<[AtomicUsize; 2]>,
}

impl Server {
    pub(super) fn connections(&self) -> usize {
        self.counts[0].load(Ordering::SeqCst)
    }

    pub(super) fn requests(&self) -> usize {
        self.counts[1].load(Ordering::SeqCst)
    }
}

/// Serves HTTP/1.1 with `answer` until the test ends.
pub(super) async fn serve<F, A>(answer: F) -> Server
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Response<Body>> + Send + 'static,
{
    serve_with(None, answer).await
}

/// The same over TLS.
pub(super) async fn serve_tls<F, A>(identity: &Identity, answer: F) -> Server
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Response<Body>> + Send + 'static,
{
    serve_with(Some(identity.acceptor()), answer).await
}

async fn serve_with<F, A>(tls: Option<TlsAcceptor>, answer: F) -> Server
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Response<Body>> + Send + 'static,
{
    let (listener, address) = listen().await;
    let counts: Arc<[AtomicUsize; 2]> = Arc::default();
    let counted = Arc::clone(&counts);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted[0].fetch_add(1, Ordering::SeqCst);
            let (tls, answer, counted) = (tls.clone(), answer.clone(), Arc::clone(&counted));
            tokio::spawn(async move {
                match tls {
                    None => serve_connection(stream, answer, counted).await,
                    // A client that does not trust us ends the handshake; the client's side asserts.
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            serve_connection(stream, answer, counted).await;
                        }
                    }
                }
            });
        }
    });
    Server { address, counts }
}

async fn serve_connection<S, F, A>(stream: S, answer: F, counts: Arc<[AtomicUsize; 2]>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    F: Fn(Request<Incoming>) -> A,
    A: Future<Output = Response<Body>>,
{
    let service = service_fn(|request| {
        counts[1].fetch_add(1, Ordering::SeqCst);
        let response = answer(request);
        async { Ok::<_, Infallible>(response.await) }
    });
    // Its end is the client's business, and asserted there.
    drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
}

pub(super) async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Reads up to the end of a request's head.
pub(super) async fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
}

/// A certificate that is its own root.
pub(super) struct Identity {
    pub(super) certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Identity {
    pub(super) fn new(host: &str) -> Self {
        let made = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
        Self { certificate: made.cert.der().clone(), key: made.signing_key.serialize_der() }
    }

    fn acceptor(&self) -> TlsAcceptor {
        let key = rustls_pki_types::PrivatePkcs8KeyDer::from(self.key.clone());
        let config =
            rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![self.certificate.clone()], key.into())
                .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// Answers every name with `answer`, and connects every address to `server`.
#[derive(Debug)]
pub(super) struct Fake {
    answer: Vec<SocketAddr>,
    server: SocketAddr,
    unreachable: Vec<SocketAddr>,
    lookups: Mutex<Vec<String>>,
    dialled: Mutex<Vec<SocketAddr>>,
}

impl Fake {
    pub(super) fn new(answer: &[&str], server: SocketAddr) -> Self {
        let answer = answer.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 443)).collect();
        Self { answer, server, unreachable: Vec::new(), lookups: Mutex::default(), dialled: Mutex::default() }
    }

    /// Nobody listens at `ip`.
    pub(super) fn without(mut self, ip: &str) -> Self {
        self.unreachable.push(SocketAddr::new(ip.parse().unwrap(), 443));
        self
    }

    /// Nobody listens at this port of `ip`.
    pub(super) fn without_port(mut self, ip: &str, port: u16) -> Self {
        self.unreachable.push(SocketAddr::new(ip.parse().unwrap(), port));
        self
    }

    pub(super) fn lookups(&self) -> Vec<String> {
        self.lookups.lock().unwrap().clone()
    }

    pub(super) fn dialled(&self) -> Vec<String> {
        self.dialled.lock().unwrap().iter().map(|address| address.ip().to_string()).collect()
    }
}

impl Network for Fake {
    fn resolve(&self, host: &str, port: u16) -> Pending<Vec<SocketAddr>> {
        self.lookups.lock().unwrap().push(format!("{host}:{port}"));
        let answer = self.answer.iter().map(|address| SocketAddr::new(address.ip(), port)).collect();
        Box::pin(async { Ok(answer) })
    }

    fn connect(&self, address: SocketAddr) -> Pending<TcpStream> {
        self.dialled.lock().unwrap().push(address);
        if self.unreachable.contains(&address) {
            return Box::pin(async { Err(std::io::ErrorKind::ConnectionRefused.into()) });
        }
        Box::pin(TcpStream::connect(self.server))
    }
}
