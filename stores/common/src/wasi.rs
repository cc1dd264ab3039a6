//! The world of a component: clocks, randomness, and HTTP by the rules of `docs/decisions/0001`.

use std::{cell::Cell, time::Duration};

use crate::{
    bindings::wasi::{
        clocks::{monotonic_clock, wall_clock},
        http::{
            outgoing_handler,
            types::{
                ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse,
                Method as WasiMethod, OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
            },
        },
        io::{
            poll::{Pollable, poll},
            streams::{InputStream, StreamError},
        },
        random::random,
    },
    http::{HttpFailure, Method, Request, Response},
    world::{AT_ONCE, PATIENCE, World},
};

/// The world over WASI.
#[derive(Debug, Clone, Copy)]
pub struct Wasi;

impl World for Wasi {
    fn now(&self) -> Duration {
        let now = wall_clock::now();
        Duration::new(now.seconds, now.nanoseconds)
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        let bytes = random::get_random_bytes(N as u64);
        bytes.try_into().expect("the host hands out as many bytes as it is asked for")
    }

    fn send_all(&self, requests: &[Request]) -> Vec<Outcome<Response>> {
        let deadline = monotonic_clock::subscribe_instant(ENDS.get());
        let mut responses = Vec::with_capacity(requests.len());
        for some in requests.chunks(AT_ONCE) {
            let begun: Vec<_> = some.iter().map(|request| begin(request, &deadline)).collect();
            let ended = begun.into_iter().zip(some);
            responses.extend(ended.map(|(future, request)| end(&future?, request, &deadline)));
        }
        responses
    }
}

/// Begins a call of the store: from here on it has [`PATIENCE`].
pub(crate) fn begin_call() {
    ENDS.set(monotonic_clock::now().saturating_add(nanoseconds(PATIENCE)));
}

thread_local! {
    /// The end of the call, on the monotonic clock.
    static ENDS: Cell<u64> = const { Cell::new(0) };
}

type Outcome<T> = Result<T, HttpFailure>;

/// Sends a request as far as it is ours to send.
fn begin(request: &Request, deadline: &Pollable) -> Outcome<FutureIncomingResponse> {
    let (outgoing, body) = outgoing(request).ok_or(HttpFailure::Denied)?;
    let future = outgoing_handler::handle(outgoing, Some(options())).map_err(|code| failure(&code))?;
    write(body, &request.body, deadline)?;
    Ok(future)
}

fn outgoing(request: &Request) -> Option<(OutgoingRequest, OutgoingBody)> {
    let mut entries: Vec<(String, Vec<u8>)> = request
        .headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone().into_bytes()))
        .collect();
    if request.method == Method::Post {
        entries.push(("content-type".to_owned(), b"application/json".to_vec()));
        entries.push(("content-length".to_owned(), request.body.len().to_string().into_bytes()));
    }
    let outgoing = OutgoingRequest::new(Fields::from_list(&entries).ok()?);
    let method = match request.method {
        Method::Get => WasiMethod::Get,
        Method::Post => WasiMethod::Post,
    };
    let scheme = if request.origin.is_tls { Scheme::Https } else { Scheme::Http };
    outgoing.set_method(&method).ok()?;
    outgoing.set_scheme(Some(&scheme)).ok()?;
    outgoing.set_authority(Some(&request.origin.authority)).ok()?;
    let path = [request.origin.base.as_str(), request.path.as_str()].concat();
    outgoing.set_path_with_query(Some(&path)).ok()?;
    let body = outgoing.body().ok()?;
    Some((outgoing, body))
}

fn options() -> RequestOptions {
    let options = RequestOptions::new();
    // A host that cannot do one of these leaves it to the deadline that is kept here. Connecting has none of its own: jco's
    // shim takes that for the time until the answer.
    let _ = options.set_first_byte_timeout(Some(nanoseconds(PATIENCE)));
    let _ = options.set_between_bytes_timeout(Some(nanoseconds(PATIENCE)));
    options
}

/// Writes a body, as much of it as is taken: an early answer may come, or the reason why not.
fn write(body: OutgoingBody, bytes: &[u8], deadline: &Pollable) -> Outcome<()> {
    // A stream that is opened for nothing has some hosts announce a body.
    if !bytes.is_empty() && !write_all(&body, bytes, deadline)? {
        return Ok(());
    }
    // A host that is not content says so in place of a response.
    drop(OutgoingBody::finish(body, None));
    Ok(())
}

/// Writes bytes, and tells whether all were taken.
fn write_all(body: &OutgoingBody, mut bytes: &[u8], deadline: &Pollable) -> Outcome<bool> {
    let stream = body.write().map_err(|()| HttpFailure::Broken)?;
    let writable = stream.subscribe();
    let mut is_flushed = false;
    loop {
        match stream.check_write() {
            Ok(0) => in_time(&writable, deadline)?,
            Ok(_) if bytes.is_empty() && is_flushed => return Ok(true),
            Ok(_) if bytes.is_empty() => {
                if stream.flush().is_err() {
                    return Ok(false);
                }
                is_flushed = true;
            }
            Ok(room) => {
                let room = usize::try_from(room).unwrap_or(usize::MAX);
                let (piece, rest) = bytes.split_at(bytes.len().min(room));
                if stream.write(piece).is_err() {
                    return Ok(false);
                }
                bytes = rest;
            }
            Err(StreamError::Closed | StreamError::LastOperationFailed(_)) => return Ok(false),
        }
    }
}

fn end(future: &FutureIncomingResponse, request: &Request, deadline: &Pollable) -> Outcome<Response> {
    let arrived = future.subscribe();
    let response = loop {
        match future.get() {
            Some(Ok(outcome)) => break outcome.map_err(|code| failure(&code))?,
            Some(Err(())) => return Err(HttpFailure::Broken),
            None => in_time(&arrived, deadline)?,
        }
    };
    let status = response.status();
    let body = read(&response, request.max_response, deadline)?;
    Ok(Response { status, body })
}

fn read(response: &IncomingResponse, max: usize, deadline: &Pollable) -> Outcome<Vec<u8>> {
    let body = response.consume().map_err(|()| HttpFailure::Broken)?;
    let stream = body.stream().map_err(|()| HttpFailure::Broken)?;
    let bytes = read_all(&stream, max, deadline);
    // Children before parents: the stream borrows the body, and trailers are nobody's business here.
    drop(stream);
    drop(IncomingBody::finish(body));
    bytes
}

fn read_all(stream: &InputStream, max: usize, deadline: &Pollable) -> Outcome<Vec<u8>> {
    let readable = stream.subscribe();
    let mut bytes = Vec::new();
    loop {
        match stream.read(PIECE) {
            Ok(piece) if piece.is_empty() => in_time(&readable, deadline)?,
            Ok(piece) if bytes.len() + piece.len() > max => return Err(HttpFailure::TooLarge),
            Ok(piece) => bytes.extend_from_slice(&piece),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(_)) => return Err(HttpFailure::Broken),
        }
    }
}

/// Waits until something is ready, or fails when the time is over.
fn in_time(wanted: &Pollable, deadline: &Pollable) -> Outcome<()> {
    if poll(&[wanted, deadline]).contains(&0) { Ok(()) } else { Err(HttpFailure::Timeout) }
}

fn failure(code: &ErrorCode) -> HttpFailure {
    match code {
        ErrorCode::HttpRequestDenied
        | ErrorCode::DestinationIpProhibited
        | ErrorCode::ConfigurationError
        | ErrorCode::HttpRequestMethodInvalid
        | ErrorCode::HttpRequestUriInvalid
        | ErrorCode::HttpRequestUriTooLong
        | ErrorCode::HttpRequestHeaderSectionSize(_)
        | ErrorCode::HttpRequestHeaderSize(_)
        | ErrorCode::HttpRequestLengthRequired => HttpFailure::Denied,
        ErrorCode::DnsTimeout
        | ErrorCode::DnsError(_)
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionLimitReached
        | ErrorCode::TlsProtocolError
        | ErrorCode::TlsCertificateError
        | ErrorCode::TlsAlertReceived(_) => HttpFailure::Unreachable,
        ErrorCode::HttpResponseBodySize(_)
        | ErrorCode::HttpResponseHeaderSectionSize(_)
        | ErrorCode::HttpResponseHeaderSize(_) => HttpFailure::TooLarge,
        ErrorCode::HttpResponseTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout => HttpFailure::Timeout,
        ErrorCode::ConnectionTerminated
        | ErrorCode::HttpRequestBodySize(_)
        | ErrorCode::HttpRequestTrailerSectionSize(_)
        | ErrorCode::HttpRequestTrailerSize(_)
        | ErrorCode::HttpResponseIncomplete
        | ErrorCode::HttpResponseTrailerSectionSize(_)
        | ErrorCode::HttpResponseTrailerSize(_)
        | ErrorCode::HttpResponseTransferCoding(_)
        | ErrorCode::HttpResponseContentCoding(_)
        | ErrorCode::HttpUpgradeFailed
        | ErrorCode::HttpProtocolError
        | ErrorCode::LoopDetected
        | ErrorCode::InternalError(_) => HttpFailure::Broken,
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The bytes that one read asks for at most.
const PIECE: u64 = 64 * 1024;
