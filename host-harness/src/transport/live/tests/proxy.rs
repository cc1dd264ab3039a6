//! Through a proxy of our own that is strict: it takes a CONNECT as RFC 9110, section 9.3.6, and RFC 9112, section 3.2.3,
//! have it, and nothing else.

use std::sync::Mutex;

use http::{Request, StatusCode};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::TcpStream,
};

use super::{
    super::*,
    fixture::{
        Fake, HOST, Identity, LIMITS, ORIGIN, Server, echo, empty, full, get, listen, map, read, send, serve,
        serve_tls,
    },
};
use crate::transport::{Proxy, ProxyError, ProxyFault};

/// A proxy that lets everybody to one server, whatever the name.
struct Tunnels {
    address: std::net::SocketAddr,
    /// The heads of the requests.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Tunnels {
    async fn to(server: std::net::SocketAddr, answer: &'static [u8]) -> Self {
        let (listener, address) = listen().await;
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let heads = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let heads = Arc::clone(&heads);
                tokio::spawn(async move {
                    let head = head(&mut client).await;
                    assert_strict(&head);
                    heads.lock().unwrap().push(head);
                    // Its end is the client's business, and asserted there.
                    if client.write_all(answer).await.is_ok() && answer.starts_with(b"HTTP/1.1 200") {
                        let mut target = TcpStream::connect(server).await.unwrap();
                        drop(copy_bidirectional(&mut client, &mut target).await);
                    }
                });
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn head(client: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
        assert!(head.len() < 4096, "{head:?}");
    }
    String::from_utf8(head).unwrap()
}

/// Authority form, the same in Host, no body, and no header besides but that of the proxy.
#[track_caller]
fn assert_strict(head: &str) {
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap();
    let target = line.strip_prefix("CONNECT ").and_then(|line| line.strip_suffix(" HTTP/1.1")).unwrap();
    let (name, port) = target.rsplit_once(':').unwrap();
    assert!(!name.is_empty() && port.parse::<u16>().is_ok(), "{line}");
    for header in lines.filter(|line| !line.is_empty()) {
        let (name, value) = header.split_once(": ").unwrap();
        match name {
            "Host" => assert_eq!(value, target),
            "Proxy-Authorization" => assert!(value.starts_with("Basic "), "{value}"),
            other => panic!("{other}"),
        }
    }
}

const OPEN: &[u8] = b"HTTP/1.1 200 Connection established\r\nVia: 1.1 proxy\r\n\r\n";

/// A client behind the proxy; whatever it resolves is the proxy's own address.
fn behind(url: &str, network: Fake, roots: Vec<CertificateDer<'static>>) -> (Live, Arc<Fake>) {
    let network = Arc::new(network);
    let live = Live::builder()
        .proxy(url.parse().unwrap())
        .extra_roots(roots)
        .network(Arc::<Fake>::clone(&network))
        .build()
        .unwrap();
    (live, network)
}

async fn through(answer: &'static [u8]) -> (Result<http::Response<Body>, TransportError>, Tunnels, Server) {
    let identity = Identity::new(HOST);
    let server = serve_tls(&identity, echo).await;
    let proxy = Tunnels::to(server.address, answer).await;
    let network = Fake::new(&["10.0.0.9"], proxy.address);
    let (live, _) = behind("http://proxy.corp:3128", network, vec![identity.certificate]);
    (get(&live).await, proxy, server)
}

fn fault(error: TransportError) -> ProxyFault {
    let TransportError::Proxy(error) = error else { panic!("{error}") };
    assert_eq!(
        (error.proxy.as_str(), error.target.as_str()),
        ("proxy.corp:3128", "cloudfunctions.googleapis.com:443")
    );
    error.fault
}

#[tokio::test]
async fn tls_ends_at_the_real_target_and_the_proxy_resolves_its_name() {
    let identity = Identity::new(HOST);
    let server = serve_tls(&identity, echo).await;
    let proxy = Tunnels::to(server.address, OPEN).await;
    let network = Fake::new(&["10.0.0.9"], proxy.address);
    let (live, network) = behind("http://proxy.corp:3128", network, vec![identity.certificate]);
    for _ in 0..2 {
        let request = Request::post(format!("{ORIGIN}/v2")).header("authorization", "Bearer canary");
        let response = send(&live, request.body(full("hello")).unwrap()).await.unwrap();
        assert_eq!(read(response.into_body()).await.unwrap(), "hello");
        super::settle().await;
    }
    // One tunnel, kept for both; only the proxy's name was looked up, whose address may be a private one.
    assert_eq!(proxy.asked(), [format!("CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n")]);
    assert_eq!(network.lookups(), ["proxy.corp:3128"]);
    assert_eq!((server.connections(), server.requests()), (1, 2));
}

#[tokio::test]
async fn a_proxy_that_reads_along_is_noticed() {
    let server = serve_tls(&Identity::new(HOST), echo).await;
    let proxy = Tunnels::to(server.address, OPEN).await;
    let network = Fake::new(&["10.0.0.9"], proxy.address);
    let (live, _) = behind("http://proxy.corp:3128", network, Vec::new());
    let error = get(&live).await.unwrap_err();
    assert!(matches!(error, TransportError::Tls(_)), "{error}");
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn a_user_name_and_a_password_reach_the_proxy_and_nobody_else() {
    let identity = Identity::new(HOST);
    let server = serve_tls(&identity, |request: Request<hyper::body::Incoming>| async move {
        let told = request.headers().iter().any(|(name, _)| name.as_str().starts_with("proxy"));
        http::Response::new(full(told.to_string()))
    })
    .await;
    let proxy = Tunnels::to(server.address, OPEN).await;
    let network = Fake::new(&["127.0.0.1"], proxy.address);
    // RFC 7617, section 2: Aladdin, open sesame.
    let url = "http://Aladdin:open%20sesame@proxy.corp:3128";
    let (live, _) = behind(url, network, vec![identity.certificate]);
    let response = get(&live).await.unwrap();
    assert_eq!(read(response.into_body()).await.unwrap(), "false");
    let [asked] = &proxy.asked()[..] else { panic!() };
    assert!(asked.contains("\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"), "{asked}");
    let shown = format!("{live:?} {0:?} {0:#?} {0}", url.parse::<Proxy>().unwrap());
    for secret in ["Aladdin", "sesame", "QWxhZ"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[tokio::test]
async fn each_refusal_says_whose_move_it_is() {
    for (answer, expected) in [
        (
            &b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n"[..],
            ProxyFault::Authentication { given: false },
        ),
        (
            b"HTTP/1.0 403 Filtered\r\nContent-Type: text/html\r\n\r\n<html>",
            ProxyFault::Refused(StatusCode::FORBIDDEN),
        ),
        (b"HTTP/1.1 405 No\r\n\r\n", ProxyFault::Refused(StatusCode::METHOD_NOT_ALLOWED)),
        (b"HTTP/1.1 401 Unauthorized\r\n\r\n", ProxyFault::Authentication { given: false }),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", ProxyFault::Target(StatusCode::BAD_GATEWAY)),
        (b"HTTP/1.1 503 Busy\r\n\r\n", ProxyFault::Target(StatusCode::SERVICE_UNAVAILABLE)),
        (b"HTTP/1.1 504 Late\r\n\r\n", ProxyFault::Target(StatusCode::GATEWAY_TIMEOUT)),
        (
            b"HTTP/1.1 302 Found\r\nLocation: http://login.corp/\r\n\r\n",
            ProxyFault::Status(StatusCode::FOUND),
        ),
        (b"HTTP/1.1 500 Oops\r\n\r\n", ProxyFault::Target(StatusCode::INTERNAL_SERVER_ERROR)),
        (b"SSH-2.0-OpenSSH_9.6\r\n", ProxyFault::NotHttp),
        (b"\x15\x03\x01\x00\x02\x02\x46", ProxyFault::NotHttp),
        (b"HTTP/2 200\r\n\r\n", ProxyFault::NotHttp),
        (b"HTTP/1.1 abc\r\n\r\n", ProxyFault::NotHttp),
        (b"HTTP/1.1 200 OK\r\n\r\nearly", ProxyFault::NotHttp),
    ] {
        let (outcome, _, server) = through(answer).await;
        let fault = fault(outcome.unwrap_err());
        assert_eq!(fault, expected, "{}", String::from_utf8_lossy(answer));
        assert_eq!(server.requests(), 0);
        let error = ProxyError { proxy: "p:1".to_owned(), target: "t:443".to_owned(), fault };
        assert!(error.message().starts_with("the proxy p:1 ") && !error.fix().is_empty(), "{error}");
    }
}

#[tokio::test]
async fn an_answer_before_the_answer_and_one_of_http_1_0_are_taken() {
    let (outcome, ..) = through(b"HTTP/1.1 200 OK\nA: b\n\n").await;
    outcome.unwrap();
    for open in [
        &b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"[..],
        b"HTTP/1.0 200 Connection established\r\n\r\n",
    ] {
        let mut stream = saying(open, 1);
        let proxy: Proxy = "proxy.corp:3128".parse().unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        proxy.tunnel(&mut stream, HOST, 443, deadline, Duration::from_secs(60)).await.unwrap();
    }
}

/// A connection whose other end says this, so many bytes at a time, and then nothing.
fn saying(said: &'static [u8], piece: usize) -> tokio::io::DuplexStream {
    let (ours, mut theirs) = tokio::io::duplex(64);
    tokio::spawn(async move {
        for bytes in said.chunks(piece) {
            // The other end may have heard enough.
            if theirs.write_all(bytes).await.is_err() {
                return;
            }
        }
        let mut rest = Vec::new();
        drop(theirs.read_to_end(&mut rest).await);
    });
    ours
}

#[tokio::test(start_paused = true)]
async fn a_slow_proxy_and_a_silent_one_end_at_the_deadline() {
    for said in [&b""[..], b"HTTP/1.1 200 OK\r\n", b"HTT"] {
        let mut stream = saying(said, 1);
        let proxy: Proxy = "proxy.corp:3128".parse().unwrap();
        let limit = Duration::from_secs(10);
        let outcome = proxy.tunnel(&mut stream, HOST, 443, Instant::now() + limit, limit).await;
        assert_eq!(fault(outcome.unwrap_err()), ProxyFault::Timeout(limit));
    }
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let endless: &'static [u8] =
        Box::leak([&b"HTTP/1.1 200 OK\r\n"[..], &b"A: b\r\n".repeat(200_000)].concat().into());
    let (outcome, ..) = through(endless).await;
    assert_eq!(fault(outcome.unwrap_err()), ProxyFault::NotHttp);
    let interim: &'static [u8] = Box::leak(b"HTTP/1.1 100 Continue\r\n\r\n".repeat(200_000).into());
    let (outcome, ..) = through(interim).await;
    assert_eq!(fault(outcome.unwrap_err()), ProxyFault::NotHttp);
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named_as_such() {
    let server = serve(echo).await;
    let network = Fake::new(&["10.0.0.9"], server.address).without_port("10.0.0.9", 3128);
    let (live, _) = behind("http://proxy.corp:3128", network, Vec::new());
    let unreachable = fault(get(&live).await.unwrap_err());
    assert!(matches!(unreachable, ProxyFault::Unreachable(_)), "{unreachable:?}");
    let (live, _) = behind("http://proxy.corp:3128", Fake::new(&[], server.address), Vec::new());
    let nameless = fault(get(&live).await.unwrap_err());
    assert!(matches!(nameless, ProxyFault::Dns(_)), "{nameless:?}");
    let (outcome, ..) = through(b"").await;
    assert_eq!(fault(outcome.unwrap_err()), ProxyFault::Closed);
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn a_target_that_is_an_address_is_judged_as_without_a_proxy() {
    let proxy = Tunnels::to("127.0.0.1:1".parse().unwrap(), OPEN).await;
    for target in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[fd20:ce::254]"] {
        let (live, _) = behind("proxy.corp:3128", Fake::new(&["10.0.0.9"], proxy.address), Vec::new());
        let request = Request::get(format!("https://{target}/")).body(empty()).unwrap();
        let error = live.send(request, LIMITS).await.unwrap_err();
        assert!(matches!(error, TransportError::ProhibitedAddress(_)), "{target}: {error}");
    }
    assert!(proxy.asked().is_empty());
}

#[tokio::test]
async fn what_is_mapped_passes_no_proxy() {
    let server = serve(echo).await;
    let proxy = Tunnels::to("127.0.0.1:1".parse().unwrap(), OPEN).await;
    let live = Live::builder()
        .map(map(&format!("http://{}", server.address)))
        .proxy(format!("http://{}", proxy.address).parse().unwrap())
        .build()
        .unwrap();
    assert_eq!(get(&live).await.unwrap().status(), StatusCode::OK);
    assert!(proxy.asked().is_empty());
}
