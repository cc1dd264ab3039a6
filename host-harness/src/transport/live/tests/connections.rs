use std::future::pending;

use tokio::{net::TcpListener, sync::Barrier, task::JoinSet};

use super::{fixture::*, *};
use crate::transport::dns::Pending;

const PUBLIC: &str = "142.250.74.10";

fn over(fake: &Arc<Fake>, identity: &Identity) -> Live {
    let network: Arc<dyn Network> = Arc::clone(fake) as _;
    Live::builder().extra_roots(vec![identity.certificate.clone()]).network(network).build().unwrap()
}

#[tokio::test]
async fn a_name_without_a_public_address_is_never_connected_to() {
    let identity = Identity::new(HOST);
    let server = serve_tls(&identity, echo).await;
    for answer in [
        &["127.0.0.1"][..],
        &["169.254.169.254"],
        &["10.1.2.3", "::1", "fd20:ce::254"],
        &["::ffff:169.254.169.254"],
        &["64:ff9b::7f00:1"],
    ] {
        let fake = Arc::new(Fake::new(answer, server.address));
        let error = get(&over(&fake, &identity)).await.unwrap_err();
        let expected = format!("{HOST} is {}", answer[0]);
        assert_eq!(error, TransportError::ProhibitedAddress(expected));
        assert_eq!(fake.dialled(), [""; 0]);
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn of_a_mixed_answer_only_the_public_addresses_are_used_after_one_lookup() {
    let identity = Identity::new(HOST);
    let server = serve_tls(&identity, echo).await;
    let answer = ["127.0.0.1", PUBLIC, "169.254.169.254", "2a00:1450:4001:82a::200a"];
    let fake = Arc::new(Fake::new(&answer, server.address).without(PUBLIC));
    let live = over(&fake, &identity);
    for _ in 0..2 {
        assert_eq!(read(get(&live).await.unwrap().into_body()).await.unwrap(), "");
        settle().await;
    }
    assert_eq!(fake.dialled(), [PUBLIC, "2a00:1450:4001:82a::200a"]);
    assert_eq!(fake.lookups(), [format!("{HOST}:443")]);
    assert_eq!((server.connections(), server.requests()), (1, 2));
}

#[tokio::test]
async fn a_name_without_any_address_is_a_dns_failure() {
    let identity = Identity::new(HOST);
    let fake = Arc::new(Fake::new(&[], "127.0.0.1:1".parse().unwrap()));
    let error = get(&over(&fake, &identity)).await.unwrap_err();
    assert!(matches!(error, TransportError::Dns(_)), "{error}");
}

#[tokio::test]
async fn refused_by_every_address_is_refused() {
    let identity = Identity::new(HOST);
    let fake = Fake::new(&[PUBLIC, "142.250.74.11"], "127.0.0.1:1".parse().unwrap());
    let fake = Arc::new(fake.without(PUBLIC).without("142.250.74.11"));
    let error = get(&over(&fake, &identity)).await.unwrap_err();
    assert!(matches!(error, TransportError::ConnectionRefused(_)), "{error}");
    assert_eq!(fake.dialled(), [PUBLIC, "142.250.74.11"]);
}

#[tokio::test]
async fn a_mapped_port_where_nobody_listens_is_refused() {
    let (listener, address) = listen().await;
    drop(listener);
    let error = get(&mapped(address)).await.unwrap_err();
    assert!(matches!(error, TransportError::ConnectionRefused(_)), "{error}");
}

#[tokio::test]
async fn tls_needs_a_known_root_and_the_name_of_the_origin() {
    let identity = Identity::new(HOST);
    let other = Identity::new("evil.example.com");
    let good = serve_tls(&identity, echo).await;
    let evil = serve_tls(&other, echo).await;
    let roots = vec![identity.certificate.clone(), other.certificate.clone()];
    let live = |server: &Server, roots| {
        Live::builder().map(map(&format!("https://{}", server.address))).extra_roots(roots).build().unwrap()
    };

    assert_eq!(get(&live(&good, roots.clone())).await.unwrap().status(), 200);
    for (case, live) in [("no root", live(&good, vec![])), ("another name", live(&evil, roots))] {
        let error = get(&live).await.unwrap_err();
        assert!(matches!(error, TransportError::Tls(_)), "{case}: {error}");
    }
    assert_eq!((good.requests(), evil.requests()), (1, 0));
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_a_tls_failure() {
    let server = serve(echo).await;
    let live = Live::builder().map(map(&format!("https://{}", server.address))).build().unwrap();
    let error = get(&live).await.unwrap_err();
    assert!(matches!(error, TransportError::Tls(_)), "{error}");
}

#[derive(Debug, Clone, Copy)]
enum Silent {
    Dns,
    Tcp,
    Tls,
}

/// Never answers at one stage.
#[derive(Debug)]
struct Mute(Silent, TcpListener);

impl Network for Mute {
    fn resolve(&self, _: &str, port: u16) -> Pending<Vec<std::net::SocketAddr>> {
        let answer = vec![std::net::SocketAddr::new(PUBLIC.parse().unwrap(), port); 3];
        match self.0 {
            Silent::Dns => Box::pin(pending()),
            Silent::Tcp | Silent::Tls => Box::pin(async { Ok(answer) }),
        }
    }

    fn connect(&self, _: std::net::SocketAddr) -> Pending<tokio::net::TcpStream> {
        match self.0 {
            Silent::Dns | Silent::Tcp => Box::pin(pending()),
            // The kernel accepts for the listener, which never does.
            Silent::Tls => Box::pin(tokio::net::TcpStream::connect(self.1.local_addr().unwrap())),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn dns_tcp_and_tls_share_one_limit() {
    for (stage, name) in [(Silent::Dns, "DNS"), (Silent::Tcp, "TCP"), (Silent::Tls, "TLS")] {
        let (listener, _) = listen().await;
        let live = Live::builder().network(Arc::new(Mute(stage, listener))).build().unwrap();
        let begun = Instant::now();
        let timeouts = Timeouts { connect: Duration::from_secs(10), ..LIMITS };
        let request = http::Request::get(format!("{ORIGIN}/")).body(empty()).unwrap();
        let error = live.send(request, timeouts).await.unwrap_err();
        let TransportError::ConnectTimeout(text) = &error else { panic!("{name}: {error}") };
        // The clock jumps as soon as all wait, which may be before the kernel has connected.
        assert!(text.contains(name) || matches!(stage, Silent::Tls), "{text}");
        let took = begun.elapsed();
        assert!(took >= timeouts.connect && took < timeouts.connect * 2, "{name}: {took:?}");
    }
}

#[tokio::test]
async fn as_many_connections_are_kept_as_were_used_at_once_and_no_more_than_may_be() {
    const CALLS: usize = 100;
    let all_are_there = Arc::new(Barrier::new(CALLS));
    let server = serve(move |request| {
        let all_are_there = Arc::clone(&all_are_there);
        async move {
            all_are_there.wait().await;
            echo(request).await
        }
    })
    .await;
    for (most, opened) in [(CALLS, CALLS), (CALLS - 30, CALLS + 30)] {
        let (before, kept) = (server.connections(), Kept::at_most(most));
        let map = map(&format!("http://{}", server.address));
        let live = Live::builder().map(map).kept(kept.clone()).build().unwrap();
        for _ in 0..2 {
            let mut calls = JoinSet::new();
            for _ in 0..CALLS {
                let live = live.clone();
                calls.spawn(async move { read(get(&live).await.unwrap().into_body()).await.unwrap() });
            }
            calls.join_all().await;
            settle().await;
            assert_eq!(kept.open(), most);
        }
        assert_eq!(server.connections() - before, opened);
    }
}
