//! A probe of what wasi-http-client 0.2.1 does with a request body, and with a response's headers.
//!
//! `probe post URL BYTES` sends a body through the crate; `probe pieces URL BYTES` takes the crate's
//! steps (body first, `handle` last) with the body in pieces of 4,096 bytes; `probe get URL` prints
//! the response's headers as the crate hands them out.

use std::env;

use wasi::http::{
    outgoing_handler,
    types::{Headers, Method, OutgoingBody, OutgoingRequest, Scheme},
};
use wasi_http_client::Client;

/// The most that `blocking-write-and-flush` takes, as wasi:io says.
const PIECE: usize = 4_096;

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[1..] {
        ["post", url, bytes] => post(url, bytes.parse().expect("BYTES is a number")),
        ["pieces", url, bytes] => pieces(url, bytes.parse().expect("BYTES is a number")),
        ["get", url] => get(url),
        _ => panic!("usage: probe post URL BYTES | probe pieces URL BYTES | probe get URL"),
    }
}

fn post(url: &str, bytes: usize) {
    match Client::new().post(url).body(&vec![b'x'; bytes]).send() {
        Ok(response) => println!("status {}", response.status()),
        Err(error) => println!("error: {error:#}"),
    }
}

fn get(url: &str) {
    match Client::new().get(url).send() {
        Ok(response) => {
            println!("status {}, set-cookie {:?}", response.status(), response.headers().get("set-cookie"))
        }
        Err(error) => println!("error: {error:#}"),
    }
}

fn pieces(url: &str, bytes: usize) {
    let (authority, path) = url
        .strip_prefix("http://")
        .and_then(|rest| rest.find('/').map(|slash| rest.split_at(slash)))
        .expect("URL is http://AUTHORITY/PATH");
    let request = OutgoingRequest::new(Headers::new());
    request.set_method(&Method::Post).expect("a method");
    request.set_scheme(Some(&Scheme::Http)).expect("a scheme");
    request.set_authority(Some(authority)).expect("an authority");
    request.set_path_with_query(Some(path)).expect("a path");
    let body = request.body().expect("the body is taken once");
    let stream = body.write().expect("the stream is taken once");
    for piece in vec![b'x'; bytes].chunks(PIECE) {
        stream.blocking_write_and_flush(piece).expect("a write");
    }
    drop(stream);
    OutgoingBody::finish(body, None).expect("the body ends");
    let future = outgoing_handler::handle(request, None).expect("the request is sent");
    future.subscribe().block();
    let response = future.get().expect("it is ready").expect("it is taken once").expect("a response");
    println!("status {}", response.status());
}
