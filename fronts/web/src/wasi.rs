//! wasi:http and the environment, as a front takes them.

pub use self::bindings::export;
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
    Front, Gate, Head, Reply, Step,
    body::{self, Part},
};

/// The Rust that wit-bindgen makes of `wit/deps`.
#[expect(missing_docs, reason = "generated")]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package gcf:front-web;
            world front {
                import wasi:cli/environment@0.2.12;
                export wasi:http/incoming-handler@0.2.12;
            }
        ",
        world: "gcf:front-web/front",
        pub_export_macro: true,
        default_bindings_module: "gcf_front_web::wasi::bindings",
        generate_all,
    });
}

/// The most that a stream takes or gives at once.
const CHUNK: usize = 4096;

impl<F: Front> Guest for F {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let method = method(request.method());
        send(out, &answer::<F>(&request, &method).to(&method));
    }
}

fn answer<F: Front>(request: &IncomingRequest, method: &str) -> Reply {
    let target = request.path_with_query().unwrap_or_default();
    let headers = request.headers().entries();
    let head = Head { method, target: &target, headers: &headers };
    match F::decide(&Gate::new(&get_environment()), &head) {
        Step::Done(reply) => reply,
        Step::Body(call, limit) => match read(request, limit) {
            Ok(body) => F::answer(&call, &body),
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
    let body: IncomingBody = request.consume().map_err(|()| Reply::cut_short())?;
    let stream = body.stream().map_err(|()| Reply::cut_short())?;
    let next = || match stream.blocking_read(64 * 1024) {
        Ok(bytes) => Part::Bytes(bytes),
        Err(StreamError::Closed) => Part::End,
        Err(StreamError::LastOperationFailed(_)) => Part::Broken,
    };
    body::read(next, limit)
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
    if written(&body, reply.body.as_bytes()) {
        let _ = OutgoingBody::finish(body, None);
    }
    // One that is dropped without an end is cut short for whoever reads it. Part of an answer would look like all of it
    // otherwise.
}

fn written(body: &OutgoingBody, bytes: &[u8]) -> bool {
    let Ok(stream) = body.write() else { return false };
    bytes.chunks(CHUNK).all(|chunk| stream.blocking_write_and_flush(chunk).is_ok())
}
