//! Over real sockets, as browsers and others use them.

use std::{
    future::Future,
    io::{Read as _, Write as _},
    thread,
};

use super::*;

/// Far beyond what any of these takes: a hang is a failure, not a stuck run.
const STUCK: Duration = Duration::from_secs(20);

const SECRETS: [&str; 2] = ["canary-state", "canary-code"];
const CALLBACK: &str = "/callback?state=canary-state&code=canary-code";

async fn within<T>(future: impl Future<Output = T>) -> T {
    time::timeout(STUCK, future).await.expect("it ends")
}

async fn loopback() -> Loopback {
    Loopback::bind().await.unwrap()
}

fn get(target: &str, host: impl fmt::Display) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n")
}

async fn send(address: SocketAddr, request: impl AsRef<[u8]>) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_ref()).await.unwrap();
    stream
}

async fn response(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    within(stream.read_to_end(&mut bytes)).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

async fn exchange(address: SocketAddr, request: impl AsRef<[u8]>) -> String {
    response(send(address, request).await).await
}

fn status(response: &str) -> &str {
    response.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).unwrap_or("none")
}

fn assert_whole(response: &str) {
    let (head, body) = response.split_once("\r\n\r\n").expect("a head and a body");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    assert_eq!(length.parse::<usize>().unwrap(), body.len());
    assert!(body.ends_with("</html>\n"), "{body}");
}

fn success() -> Page {
    Page::Success { account: "ada@example.com".to_owned(), nickname: "work".to_owned() }
}

#[tokio::test]
async fn a_callback_is_held_until_its_page_is_there() {
    let mut loopback = loopback().await;
    let address = loopback.desk.address;
    let browser = send(address, get(CALLBACK, address)).await;

    let received = within(loopback.receive()).await;
    assert_eq!(received.url.expose(), format!("http://{address}{CALLBACK}"));
    assert_eq!(loopback.redirect_uri(), format!("http://{address}/callback"));
    assert_eq!(
        browser.try_read(&mut [0]).map_err(|error| error.kind()),
        Err(io::ErrorKind::WouldBlock),
        "an answer before the page"
    );

    let ((), page) = tokio::join!(within(received.show(success())), response(browser));
    assert_eq!(status(&page), "200");
    assert_whole(&page);
    for header in [
        "content-type: text/html; charset=utf-8",
        "cache-control: no-store",
        "content-security-policy: default-src 'none'; style-src 'sha256-",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "connection: close",
    ] {
        assert!(page.contains(&format!("\r\n{header}")), "{header} in {page}");
    }
    assert!(page.contains("ada@example.com") && page.contains("work"), "{page}");
    for secret in SECRETS {
        assert!(!page.contains(secret), "{page}");
    }
}

#[tokio::test]
async fn a_failure_says_what_and_what_to_do() {
    let mut loopback = loopback().await;
    let address = loopback.desk.address;
    let browser = send(address, get("/callback?error=access_denied&state=canary-state", address)).await;
    let received = within(loopback.receive()).await;
    let failure = Page::Failure {
        message: "ada <ada@example.com> said no".to_owned(),
        fix: Some("sign in again, and choose \"Allow\"".to_owned()),
    };
    let ((), page) = tokio::join!(received.show(failure), response(browser));
    assert_whole(&page);
    assert!(page.contains("<p>Ada &lt;ada@example.com&gt; said no</p>"), "{page}");
    assert!(page.contains("</strong> Sign in again, and choose &quot;Allow&quot;</p>"), "{page}");
    assert!(!page.contains(SECRETS[0]), "{page}");
}

#[tokio::test]
async fn what_is_no_callback_is_refused_and_the_callback_still_taken() {
    let mut loopback = loopback().await;
    let address = loopback.desk.address;
    let port = address.port();
    let with = |line: &str| format!("GET {CALLBACK} HTTP/1.1\r\nHost: {address}\r\n{line}\r\n\r\n");
    let method = |method: &str| {
        format!("{method} {CALLBACK} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\n\r\n")
    };
    for (request, expected) in [
        (get("/favicon.ico", address), "404"),
        (get("/", address), "404"),
        (get("/callback/?code=c", address), "404"),
        (get("//callback?code=c", address), "404"),
        (get("/%63allback?code=c", address), "404"),
        (get("/callback", address), "400"),
        (get("/callback?", address), "400"),
        (method("HEAD"), "405"),
        (method("POST"), "405"),
        (method("OPTIONS"), "405"),
        (get(CALLBACK, format!("localhost:{port}")), "421"),
        (get(CALLBACK, format!("evil.example:{port}")), "421"),
        (get(CALLBACK, "127.0.0.1"), "421"),
        (get(CALLBACK, format!("127.0.0.1:{port}.evil.example")), "421"),
        (get(CALLBACK, format!("127.0.0.1:0{port}")), "421"),
        (get("/favicon.ico", "evil.example"), "421"),
        (with(&format!("Host: {address}")), "421"),
        (get(&format!("http://{address}{CALLBACK}"), address), "421"),
        (format!("GET {CALLBACK} HTTP/1.0\r\n\r\n"), "421"),
        (with("Sec-Fetch-Dest: image"), "403"),
        (with("Sec-Fetch-Dest: iframe"), "403"),
        (with(&format!("Cookie: {}", "c".repeat(HEAD_LIMIT))), "431"),
        ("nonsense\r\n\r\n".to_owned(), "400"),
    ] {
        let answer = exchange(address, &request).await;
        // hyper repeats the version of the request.
        let answer = answer.replacen("HTTP/1.0", "HTTP/1.1", 1);
        let shown = request.get(..80).unwrap_or(&request);
        assert_eq!(status(&answer), expected, "{shown}");
        for secret in SECRETS {
            assert!(!answer.contains(secret), "{shown}");
        }
    }

    let browser = send(address, with("Sec-Fetch-Dest: document\r\nCookie: other=server")).await;
    let received = within(loopback.receive()).await;
    let ((), page) = tokio::join!(received.show(success()), response(browser));
    assert_eq!(status(&page), "200");
}

/// Makes room for as many sockets as the test opens, where the system's default is less.
fn many_sockets() {
    #[cfg(unix)]
    {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        let more = rustix::process::Rlimit { current: limit.maximum, ..limit };
        rustix::process::setrlimit(rustix::process::Resource::Nofile, more).unwrap();
    }
}

/// At the limits that ship: nobody waits until the time of the silent ones is over.
#[tokio::test]
async fn connections_that_say_nothing_keep_nobody_out() {
    many_sockets();
    for count in [16, 64, 256, 1000] {
        let mut loopback = loopback().await;
        let address = loopback.desk.address;
        let mut silent = Vec::new();
        for number in 0..count {
            silent.push(send(address, if number % 2 == 0 { "" } else { "GET /callback?" }).await);
        }
        let browser = send(address, get(CALLBACK, address)).await;
        let received = within(loopback.receive()).await;
        let ((), page) = tokio::join!(received.show(success()), response(browser));
        assert_eq!(status(&page), "200", "{count} silent ones");
    }
}

#[tokio::test]
async fn the_oldest_gives_way_and_a_callback_does_not() {
    let limits = Limits { connections: 2, head: STUCK * 3, ..Limits::default() };
    let mut loopback = Loopback::bind_with(limits).await.unwrap();
    let address = loopback.desk.address;
    let browser = send(address, get(CALLBACK, address)).await;
    let received = within(loopback.receive()).await;
    let mut silent: Vec<_> = Vec::new();
    for _ in 0..20 {
        silent.push(send(address, "").await);
        // Each is let in, and only those after it can end it.
        assert_eq!(status(&exchange(address, get("/favicon.ico", address)).await), "404");
    }
    for stream in silent.drain(..19) {
        assert_eq!(response(stream).await, "", "who never asked gets no page");
    }
    let ((), page) = tokio::join!(received.show(success()), response(browser));
    assert_eq!(status(&page), "200", "the callback was there before all of them");
}

#[tokio::test]
async fn who_says_nothing_is_dropped_after_a_while() {
    let soon = Duration::from_millis(20);
    let loopback =
        Loopback::bind_with(Limits { head: soon, close: soon, ..Limits::default() }).await.unwrap();
    for said in ["", "GET /callback?"] {
        assert_eq!(response(send(loopback.desk.address, said).await).await, "", "{said:?}");
    }
}

#[tokio::test]
async fn a_preconnect_beside_the_callback_does_not_wait_for_its_time_limit() {
    let mut loopback = Loopback::bind_with(Limits { head: STUCK * 3, ..Limits::default() }).await.unwrap();
    let address = loopback.desk.address;
    let _silent = send(address, "").await;
    let browser = send(address, get(CALLBACK, address)).await;
    let received = within(loopback.receive()).await;
    let ((), page) = tokio::join!(within(received.show(success())), response(browser));
    assert_eq!(status(&page), "200");
}

#[tokio::test]
async fn one_connection_serves_one_request() {
    let mut loopback = loopback().await;
    let address = loopback.desk.address;
    let both = get(CALLBACK, address) + &get("/favicon.ico", address);
    let browser = send(address, both).await;
    let received = within(loopback.receive()).await;
    let ((), page) = tokio::join!(received.show(success()), response(browser));
    assert_eq!((status(&page), page.matches("HTTP/1.1").count()), ("200", 1));
    assert_whole(&page);

    let both = get("/favicon.ico", address) + &get(CALLBACK, address);
    let page = exchange(address, both).await;
    assert_eq!((status(&page), page.matches("HTTP/1.1").count()), ("404", 1));
}

#[tokio::test]
async fn a_second_callback_is_told_that_there_is_one() {
    let mut loopback = loopback().await;
    let address = loopback.desk.address;
    let first = send(address, get(CALLBACK, address)).await;
    let received = within(loopback.receive()).await;

    let second = exchange(address, get("/callback?code=other", address)).await;
    assert_eq!(status(&second), "409");
    assert!(second.contains("Already received</h1>"), "{second}");

    let ((), page) = tokio::join!(received.show(success()), response(first));
    assert_eq!(status(&page), "200");
    let after = exchange(address, get(CALLBACK, address)).await;
    assert_eq!(status(&after), "409", "nobody receives any more");
}

#[tokio::test]
async fn after_a_callback_that_was_none_of_ours_the_real_one_is_received() {
    let mut loopback = loopback().await;
    let address = loopback.desk.address;
    let forged = send(address, get("/callback?state=guess&code=forged", address)).await;
    let received = within(loopback.receive()).await;
    let failure = Page::Failure { message: "not the sign-in that was started".to_owned(), fix: None };
    let ((), page) = tokio::join!(received.show(failure), response(forged));
    assert_whole(&page);

    // Receiving again is what lets it in, even where that is given up for a pasted line and taken up again.
    tokio::select! {
        biased;
        _ = loopback.receive() => panic!("nothing was sent"),
        () = tokio::task::yield_now() => {}
    }
    let browser = send(address, get(CALLBACK, address)).await;
    let received = within(loopback.receive()).await;
    assert!(received.url.expose().ends_with(CALLBACK));
    let ((), page) = tokio::join!(received.show(success()), response(browser));
    assert_eq!(status(&page), "200");
}

#[tokio::test]
async fn a_window_that_was_closed_holds_nothing_up() {
    let mut loopback = loopback().await;
    let address = loopback.desk.address;
    drop(send(address, get(CALLBACK, address)).await);
    let received = within(loopback.receive()).await;
    assert!(received.url.expose().ends_with(CALLBACK), "the code counts all the same");
    within(received.show(success())).await;
    assert_eq!(status(&exchange(address, get("/", address)).await), "404", "the server goes on");
}

#[tokio::test]
async fn a_caller_that_gives_up_leaves_a_page() {
    let mut loopback = loopback().await;
    let address = loopback.desk.address;
    let browser = send(address, get(CALLBACK, address)).await;
    drop(within(loopback.receive()).await);
    let page = response(browser).await;
    assert_eq!(status(&page), "503");
    assert_whole(&page);
}

#[test]
fn the_page_arrives_whole_though_the_process_ends() {
    let limits = Limits { close: Duration::from_millis(20), ..Limits::default() };
    let (sender, address) = std::sync::mpsc::channel();
    let server = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut loopback = Loopback::bind_with(limits).await.unwrap();
            sender.send(loopback.desk.address).unwrap();
            let received = within(loopback.receive()).await;
            // What is received goes on without what received it.
            drop(loopback);
            received.show(success()).await;
        });
    });
    let address = address.recv().unwrap();
    let mut browser = std::net::TcpStream::connect(address).unwrap();
    browser.set_read_timeout(Some(STUCK)).unwrap();
    // What follows is more than the server reads ahead: left unread, it would turn the close into a reset.
    let flood = get(CALLBACK, address) + &"x".repeat(HEAD_LIMIT * 2);
    browser.write_all(flood.as_bytes()).unwrap();
    server.join().unwrap();

    assert!(browser.take_error().unwrap().is_none(), "the connection was reset");
    let mut page = String::new();
    browser.read_to_string(&mut page).unwrap();
    assert_eq!(status(&page), "200");
    assert_whole(&page);
}

#[tokio::test]
async fn the_port_is_free_once_all_is_dropped() {
    let mut loopback = loopback().await;
    let address = loopback.desk.address;
    let _browser = send(address, get(CALLBACK, address)).await;
    let received = within(loopback.receive()).await;
    drop(loopback);
    assert!(TcpStream::connect(address).await.is_ok(), "a callback is still held");
    drop(received);
    within(async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn without_ipv4_the_address_is_the_ipv6_loopback() {
    let listener = match TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await {
        Ok(listener) => listener,
        Err(error) => {
            let allowed = std::env::var("GCF_ALLOW_SKIPS").unwrap_or_default();
            assert!(
                allowed.split(',').any(|name| name == "ipv6"),
                "{error}: leave it out with GCF_ALLOW_SKIPS=ipv6"
            );
            println!("left out: ipv6: {error}");
            return;
        }
    };
    let mut loopback = Loopback::on(listener, Limits::default()).unwrap();
    let address = loopback.desk.address;
    assert_eq!(loopback.redirect_uri(), format!("http://[::1]:{}/callback", address.port()));
    let browser = send(address, get(CALLBACK, format!("[::1]:{}", address.port()))).await;
    let received = within(loopback.receive()).await;
    let ((), page) = tokio::join!(received.show(success()), response(browser));
    assert_eq!(status(&page), "200");
}

#[tokio::test]
async fn the_code_is_not_printable() {
    let mut loopback = loopback().await;
    let address = loopback.desk.address;
    let _browser = send(address, get(CALLBACK, address)).await;
    let received = within(loopback.receive()).await;
    let shown = format!("{received:?} {loopback:?}");
    for secret in SECRETS {
        assert!(!shown.contains(secret), "{shown}");
    }
}
