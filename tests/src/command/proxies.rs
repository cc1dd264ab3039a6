//! A company's proxy, on loopback, that refuses. `tests/proxy` has those of others, which let through.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
};

use super::{KEY, Person, check_live};

/// A proxy that gives everybody the same answer.
struct Refusing {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Refusing {
    fn with(answer: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let heads = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
                    head.push(byte[0]);
                }
                heads.lock().unwrap().push(String::from_utf8(head).unwrap());
                // A client that hangs up before the answer is not the concern of this thread.
                let _ = stream.write_all(answer);
            }
        });
        Self { port, asked }
    }

    /// The first lines of what it was asked.
    fn asked(&self) -> Vec<String> {
        let lines = |head: &String| head.lines().next().unwrap_or_default().to_owned();
        self.asked.lock().unwrap().iter().map(lines).collect()
    }
}

const CONNECT: [&str; 5] = ["connect", "--nickname", "x", "--credentials", KEY];

#[test]
fn a_proxy_says_whose_move_it_is() {
    let person = Person::new();
    let wants = Refusing::with(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    let denies = Refusing::with(b"HTTP/1.1 403 Filtered\r\n\r\n");
    let url = format!("http://127.0.0.1:{}", wants.port);
    let with_user = format!("http://ada:other@127.0.0.1:{}", wants.port);
    let mut runs = vec![person.run(&[&CONNECT[..], &["--proxy", &url]].concat())];
    runs.push(person.run_in(("GCF_PROXY", &with_user), &CONNECT));
    let url = format!("http://127.0.0.1:{}", denies.port);
    runs.push(person.run(&[&CONNECT[..], &["--proxy", &url, "--json"]].concat()));
    check_live("proxy", &runs);
    // A refusal is not asked for again.
    assert_eq!(wants.asked(), ["CONNECT oauth2.googleapis.com:443 HTTP/1.1"; 2]);
    assert_eq!(denies.asked(), ["CONNECT oauth2.googleapis.com:443 HTTP/1.1"; 1]);
}

#[test]
fn what_names_no_proxy_is_refused_before_anything_is_sent() {
    let person = Person::new();
    let runs = [
        person.run(&["list", "--proxy", "socks5://proxy.example.com:1080"]),
        person.run_in(("GCF_PROXY", "http://proxy.example.com:3128/path"), &["list"]),
    ];
    check_live("error-proxy", &runs);
    let secret = "http://ada:never-shown%zz@proxy.example.com:3128";
    let output = person.command(&["list"]).env("GCF_PROXY", secret).output().unwrap();
    let printed = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && !printed.contains("never-shown"), "{printed}");
}

#[test]
fn a_proxy_of_the_environment_is_not_used_and_said_where_it_may_be_missing() {
    let person = Person::new();
    let proxy = Refusing::with(b"HTTP/1.1 403 Filtered\r\n\r\n");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let map = format!("https://oauth2.googleapis.com=http://{closed}");
    let url = format!("http://127.0.0.1:{}", proxy.port);
    let connect = [&CONNECT[..], &["--map", &map]].concat();
    let output = person.command(&connect).env("HTTPS_PROXY", url).output().unwrap();
    let printed = String::from_utf8(output.stderr).unwrap();
    assert!(printed.contains("hint: HTTPS_PROXY is set and was not used: add --proxy env"), "{printed}");
    assert!(proxy.asked().is_empty());
}

#[test]
fn an_origin_that_is_mapped_passes_no_proxy() {
    let google = super::google::Google::start();
    let person = Person::with(&google);
    let proxy = Refusing::with(b"HTTP/1.1 403 Filtered\r\n\r\n");
    let url = format!("http://127.0.0.1:{}", proxy.port);
    let output = person.command(&CONNECT).env("GCF_PROXY", url).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(proxy.asked().is_empty());
}
