//! The component: requests and answers over wasi:http.

use self::bindings::{
    exports::wasi::http::incoming_handler::Guest,
    wasi::{
        cli::environment::get_environment,
        http::{
            outgoing_handler,
            types::{
                ErrorCode, Fields, IncomingBody, IncomingRequest, IncomingResponse, OutgoingBody,
                OutgoingRequest, OutgoingResponse, ResponseOutparam, Scheme,
            },
        },
        io::streams::{InputStream, OutputStream, StreamError},
    },
};
use crate::body::{self, Part, Transfer};

/// The Rust that wit-bindgen makes of `wit/deps`.
#[expect(unsafe_code, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package gcf:relay;
            world relay {
                import wasi:cli/environment@0.2.12;
                import wasi:http/outgoing-handler@0.2.12;
                export wasi:http/incoming-handler@0.2.12;
            }
        ",
        world: "gcf:relay/relay",
        generate_all,
    });

    use super::Relay;
    export!(Relay);
}

/// The variable with the authority that everything goes to, such as `127.0.0.1:8080`.
const TO: &str = "GCF_REROUTE_TO";

/// The most that is handed on at once, in bytes.
const CHUNK: u64 = 64 * 1024;

struct Relay;

impl Guest for Relay {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        match ask(&request) {
            Ok(response) => answer(&response, out),
            Err(error) => ResponseOutparam::set(out, Err(error)),
        }
    }
}

fn ask(asked: &IncomingRequest) -> Result<IncomingResponse, ErrorCode> {
    let unusable = |()| ErrorCode::HttpProtocolError;
    let to = get_environment().into_iter().find(|(name, _)| name == TO).map(|(_, to)| to);
    let to = to.ok_or(ErrorCode::DestinationNotFound)?;
    let meant = asked.authority().ok_or(ErrorCode::HttpRequestUriInvalid)?;
    let request = OutgoingRequest::new(copy(&asked.headers()));
    request.set_method(&asked.method()).map_err(unusable)?;
    request.set_scheme(Some(&Scheme::Http)).map_err(unusable)?;
    request.set_authority(Some(&to)).map_err(unusable)?;
    let path = format!("/{meant}{}", asked.path_with_query().unwrap_or_default());
    request.set_path_with_query(Some(&path)).map_err(unusable)?;
    let body = request.body().map_err(unusable)?;
    let response = outgoing_handler::handle(request, None)?;
    hand_on(&asked.consume().map_err(unusable)?, body)?;
    response.subscribe().block();
    response.get().and_then(Result::ok).ok_or(ErrorCode::ConnectionTerminated)?
}

fn answer(response: &IncomingResponse, out: ResponseOutparam) {
    let answer = OutgoingResponse::new(copy(&response.headers()));
    let _ = answer.set_status_code(response.status());
    let body = answer.body();
    ResponseOutparam::set(out, Ok(answer));
    // Whoever asked sees that the body is not whole.
    let (Ok(from), Ok(to)) = (response.consume(), body) else { return };
    let _ = hand_on(&from, to);
}

/// Those that are about one connection do not go over to the next; a host forbids to set them.
fn copy(headers: &Fields) -> Fields {
    let copy = Fields::new();
    for (name, value) in headers.entries() {
        let _ = copy.append(&name, &value);
    }
    copy
}

fn hand_on(from: &IncomingBody, body: OutgoingBody) -> Result<(), ErrorCode> {
    let broken = |()| ErrorCode::ConnectionTerminated;
    let (from, to) = (from.stream().map_err(broken)?, body.write().map_err(broken)?);
    body::hand_on(Streams { from, to, body })
}

/// The streams of a body that is handed on. They go before the body that one of them belongs to.
struct Streams {
    from: InputStream,
    to: OutputStream,
    body: OutgoingBody,
}

impl Transfer for Streams {
    type Error = ErrorCode;

    fn next(&mut self) -> Part {
        match self.to.blocking_splice(&self.from, CHUNK) {
            Ok(_) => Part::Moved,
            Err(StreamError::Closed) => Part::End,
            Err(StreamError::LastOperationFailed(_)) => Part::Broken,
        }
    }

    fn finish(self) -> Result<(), ErrorCode> {
        drop((self.from, self.to));
        OutgoingBody::finish(self.body, None)
    }

    fn broken(self) -> ErrorCode {
        ErrorCode::ConnectionTerminated
    }
}
