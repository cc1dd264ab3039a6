//! wasi:http and the environment, as `routes` takes them.

use gcf_front::{describe, perform};

use self::bindings::{
    exports::wasi::http::incoming_handler::Guest,
    wasi::{
        cli::environment::get_environment,
        http::types::{
            Fields, IncomingBody, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam,
        },
        io::streams::StreamError,
    },
};
use crate::{
    gate::Gate,
    routes::{Head, Reply, Step, cut_short, decide, too_large},
};

/// The Rust that wit-bindgen makes of `wit/deps`.
#[expect(unsafe_code, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package gcf:front-http;
            world front {
                import wasi:cli/environment@0.2.12;
                export wasi:http/incoming-handler@0.2.12;
            }
        ",
        world: "gcf:front-http/front",
        generate_all,
    });

    use super::Front;
    export!(Front);
}

/// The most that a stream takes or gives at once.
const CHUNK: usize = 4096;

struct Front;

impl Guest for Front {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let reply = answer(&request);
        send(out, &reply);
    }
}

fn answer(request: &IncomingRequest) -> Reply {
    let method = method(request.method());
    let target = request.path_with_query().unwrap_or_default();
    let headers = request.headers();
    // A header that stands twice is none: which of the two is meant cannot be told.
    let header = |name: &str| <[Vec<u8>; 1]>::try_from(headers.get(name)).ok().map(|[value]| value);
    let length = header("content-length");
    let length = length.and_then(|length| std::str::from_utf8(&length).ok()?.parse().ok());
    let (authorization, content_type) = (header("authorization"), header("content-type"));
    let head = Head {
        method: &method,
        target: &target,
        authorization: authorization.as_deref(),
        content_type: content_type.as_deref(),
        content_length: length,
    };
    match decide(&Gate::new(&get_environment()), &head, describe) {
        Step::Done(reply) => reply,
        Step::Body(call, limit) => match read(request, limit) {
            Ok(body) => call.answer(&body, perform),
            Err(reply) => reply,
        },
    }
}

fn method(method: Method) -> String {
    match method {
        Method::Get => "GET".to_owned(),
        Method::Post => "POST".to_owned(),
        Method::Head => "HEAD".to_owned(),
        Method::Put => "PUT".to_owned(),
        Method::Delete => "DELETE".to_owned(),
        Method::Connect => "CONNECT".to_owned(),
        Method::Options => "OPTIONS".to_owned(),
        Method::Trace => "TRACE".to_owned(),
        Method::Patch => "PATCH".to_owned(),
        Method::Other(name) => name,
    }
}

fn read(request: &IncomingRequest, limit: u64) -> Result<Vec<u8>, Reply> {
    let body: IncomingBody = request.consume().map_err(|()| cut_short())?;
    let stream = body.stream().map_err(|()| cut_short())?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(chunk) => bytes.extend_from_slice(&chunk),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(_)) => return Err(cut_short()),
        }
        if bytes.len() as u64 > limit {
            return Err(too_large(limit));
        }
    }
}

/// Whoever asked may be gone; there is nobody then to tell.
fn send(out: ResponseOutparam, reply: &Reply) {
    let headers = Fields::new();
    for (name, value) in &reply.headers {
        // None of ours is forbidden.
        let _ = headers.append(name, value.as_bytes());
    }
    let response = OutgoingResponse::new(headers);
    let _ = response.set_status_code(reply.status);
    let body = response.body();
    ResponseOutparam::set(out, Ok(response));
    let Ok(body) = body else { return };
    if let Ok(stream) = body.write() {
        let mut chunks = reply.body.as_bytes().chunks(CHUNK);
        while chunks.next().is_some_and(|chunk| stream.blocking_write_and_flush(chunk).is_ok()) {}
    }
    let _ = OutgoingBody::finish(body, None);
}
