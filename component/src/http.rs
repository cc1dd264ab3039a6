//! One exchange over wasi:http, by the rules that hold on every host:
//!
//! - `handle` comes before the body is written: some hosts read nothing until then.
//! - The body is always opened and finished, for some hosts send nothing before; and `content-length` is set, 0
//!   included: some hosts would send the body in chunks without it. A GET and a HEAD without a body have none, and
//!   no host sends one then.
//! - It is written in the pieces that `check-write` allows, never with the blocking call, which takes
//!   4,096 bytes at most.
//! - If the other side closes the body, the response is still read: it may be an early 413.
//! - The deadline is kept here: some hosts accept timeouts and do not enforce them.
//! - Every call of the host costs: what can be known without one is not asked.
//! - `http-error-code` is never called: one host throws.

use std::{rc::Rc, time::Duration};

use gcf_core::{
    base::{
        http::{Method, Request, Response, TransportError},
        retry::{self, Class},
    },
    google::request,
};

use crate::{
    bindings::wasi::{
        clocks::monotonic_clock,
        http::{
            outgoing_handler,
            types::{
                ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse,
                Method as WasiMethod, OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
            },
        },
        io::streams::{InputStream, OutputStream, StreamError},
    },
    landing,
    reactor::{self, Event},
};

/// The bytes that one read asks for at most.
const PIECE: usize = 256 * 1024;

type Outcome<T> = Result<T, TransportError>;

/// Sends a request and reads the whole response.
pub(crate) async fn send(request: &mut Request, class: Class, within: Duration) -> Outcome<Response> {
    let deadline = Event::new(monotonic_clock::subscribe_duration(nanoseconds(within)));
    let (outgoing, body) = outgoing(request)?;
    let future =
        outgoing_handler::handle(outgoing, Some(options(within))).map_err(|code| transport_error(&code))?;
    // A body that is not taken whole is not an error by itself: an early answer may come, or the reason.
    write(body, request.body(), &deadline).await?;
    let response = head(&future, &deadline).await?;
    let status = response.status();
    retry::answered(request, class, status);
    let headers = headers(&response);
    // A HEAD declares the length that a GET would have.
    let declared = declared(status, &headers).filter(|_| request.method() != Method::Head);
    let body = read(&response, request.max_response(), declared, &deadline).await?;
    match declared {
        Some(declared) if declared != body.len() as u64 => {
            let why = format!("{} of {declared} bytes of the response arrived", body.len());
            Err(TransportError::Broken(why))
        }
        _ => Ok(Response { status, headers, body }),
    }
}

fn outgoing(request: &Request) -> Outcome<(OutgoingRequest, OutgoingBody)> {
    let mut entries: Vec<(String, Vec<u8>)> =
        request.headers().iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
    if let Some(length) = request.content_length() {
        entries.push(("content-length".to_owned(), length.to_string().into_bytes()));
    }
    for (name, value) in request::credentials(request) {
        entries.push((name.to_owned(), value.reveal().clone().into_bytes()));
    }
    let refused = |what: &str| TransportError::NotSent(format!("the host does not accept the {what}"));
    let fields = Fields::from_list(&entries).map_err(|_| refused("headers"))?;
    let outgoing = OutgoingRequest::new(fields);
    outgoing.set_method(&method(request.method())).map_err(|()| refused("method"))?;
    outgoing.set_scheme(Some(&Scheme::Https)).map_err(|()| refused("scheme"))?;
    outgoing.set_authority(Some(request.host())).map_err(|()| refused("host"))?;
    outgoing.set_path_with_query(Some(request.path_and_query())).map_err(|()| refused("path"))?;
    let body = outgoing.body().map_err(|()| refused("body"))?;
    Ok((outgoing, body))
}

fn options(within: Duration) -> RequestOptions {
    let options = RequestOptions::new();
    // A host that cannot do one of these leaves it to the deadline that is kept here. Connecting has none of its own: one
    // host (preview2-shim 0.26) takes that for the time until the answer, and would say of a function that works for
    // longer that nothing was sent.
    let _ = options.set_first_byte_timeout(Some(nanoseconds(within)));
    let _ = options.set_between_bytes_timeout(Some(nanoseconds(within)));
    options
}

/// Writes the body, as much of it as is taken, and finishes it.
async fn write(body: OutgoingBody, bytes: &[u8], deadline: &Rc<Event>) -> Outcome<()> {
    // An empty body needs no stream.
    let is_whole = bytes.is_empty() || {
        let stream =
            body.write().map_err(|()| TransportError::NotSent("the host opens no body".to_owned()))?;
        write_all(&stream, bytes, deadline).await?
    };
    if is_whole {
        // A host that is not content says so in place of a response.
        drop(OutgoingBody::finish(body, None));
    }
    Ok(())
}

/// Tells whether all of it was taken.
async fn write_all(stream: &OutputStream, bytes: &[u8], deadline: &Rc<Event>) -> Outcome<bool> {
    let mut writable = Writable { stream, event: None };
    let mut rest = bytes;
    while !rest.is_empty() {
        let Some(room) = writable.room(deadline).await? else { return Ok(false) };
        let (piece, after) = rest.split_at(rest.len().min(room));
        if stream.write(piece).is_err() {
            return Ok(false);
        }
        // Finishing a body flushes it; only what is longer than the host takes at once has to be on its way before.
        if after.is_empty() && piece.len() == bytes.len() {
            return Ok(true);
        }
        rest = after;
    }
    Ok(stream.flush().is_ok() && writable.room(deadline).await?.is_some())
}

/// A stream that is written to, with the event of its room once that was waited for.
struct Writable<'a> {
    stream: &'a OutputStream,
    event: Option<Rc<Event>>,
}

impl Writable<'_> {
    /// The bytes that the stream takes, as soon as it takes any; `None` if it is closed.
    async fn room(&mut self, deadline: &Rc<Event>) -> Outcome<Option<usize>> {
        loop {
            match self.stream.check_write() {
                Ok(0) => {
                    let event = self.event.get_or_insert_with(|| Event::new(self.stream.subscribe()));
                    if !reactor::either(event, deadline).await {
                        return Err(TransportError::Timeout);
                    }
                }
                Ok(room) => return Ok(Some(usize::try_from(room).unwrap_or(usize::MAX))),
                Err(StreamError::Closed | StreamError::LastOperationFailed(_)) => return Ok(None),
            }
        }
    }
}

async fn head(future: &FutureIncomingResponse, deadline: &Rc<Event>) -> Outcome<IncomingResponse> {
    let arrived = Event::new(future.subscribe());
    loop {
        // A response is never there at once, so the first question follows the first wait.
        if !reactor::either(&arrived, deadline).await {
            return Err(TransportError::Timeout);
        }
        match future.get() {
            Some(Ok(outcome)) => return outcome.map_err(|code| transport_error(&code)),
            Some(Err(())) => {
                return Err(TransportError::Broken("the host gave the response away twice".to_owned()));
            }
            None => {}
        }
    }
}

/// The headers, with their names in lower case.
fn headers(response: &IncomingResponse) -> Vec<(String, Vec<u8>)> {
    let mut entries = response.headers().entries();
    for (name, _) in &mut entries {
        name.make_ascii_lowercase();
    }
    entries
}

async fn read(
    response: &IncomingResponse,
    max: u64,
    declared: Option<u64>,
    deadline: &Rc<Event>,
) -> Outcome<Vec<u8>> {
    let body = response
        .consume()
        .map_err(|()| TransportError::Broken("the host gave the body away twice".to_owned()))?;
    let stream = body
        .stream()
        .map_err(|()| TransportError::Broken("the host gave the stream away twice".to_owned()))?;
    let bytes = read_all(&stream, max, declared, deadline).await;
    // Children before parents: the stream borrows the body, and trailers are nobody's business here.
    drop(stream);
    drop(IncomingBody::finish(body));
    bytes
}

async fn read_all(
    stream: &InputStream,
    max: u64,
    declared: Option<u64>,
    deadline: &Rc<Event>,
) -> Outcome<Vec<u8>> {
    // Memory has 32 bits.
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let declared = declared.and_then(|declared| usize::try_from(declared).ok()).unwrap_or_default();
    let mut readable = None;
    // Room for all of it at once: to grow by and by would copy it as often.
    let mut bytes = Vec::with_capacity(declared.min(max));
    loop {
        // A host could hand over more than it was asked for.
        let Some(room) = max.checked_sub(bytes.len()) else { return Err(TransportError::TooLarge) };
        let read = if room == 0 {
            // One more would be too many, and is not kept.
            stream.read(1).map(|more| more.len())
        } else {
            landing::append(&mut bytes, room.min(PIECE), |most| stream.read(most))
        };
        match read {
            Ok(0) => {
                let readable = readable.get_or_insert_with(|| Event::new(stream.subscribe()));
                if !reactor::either(readable, deadline).await {
                    return Err(TransportError::Timeout);
                }
            }
            Ok(_) if room == 0 => return Err(TransportError::TooLarge),
            Ok(_) => {}
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(_)) => {
                return Err(TransportError::Broken("the response ended early".to_owned()));
            }
        }
    }
}

/// The length that the response declares, if it declares one that is a number. With a status that has
/// no body (RFC 9110, section 8.6) the length means something else.
fn declared(status: u16, headers: &[(String, Vec<u8>)]) -> Option<u64> {
    if matches!(status, 100..=199 | 204 | 304) {
        return None;
    }
    let mut lengths = headers.iter().filter(|(name, _)| name == "content-length");
    let (Some((_, value)), None) = (lengths.next(), lengths.next()) else { return None };
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn method(method: Method) -> WasiMethod {
    match method {
        Method::Get => WasiMethod::Get,
        Method::Post => WasiMethod::Post,
        Method::Put => WasiMethod::Put,
        Method::Patch => WasiMethod::Patch,
        Method::Delete => WasiMethod::Delete,
        Method::Head => WasiMethod::Head,
        Method::Options => WasiMethod::Options,
    }
}

/// Reads from a host's error code whether the request was sent at all.
fn transport_error(code: &ErrorCode) -> TransportError {
    let not_sent = |why: &str| TransportError::NotSent(why.to_owned());
    let broken = |why: &str| TransportError::Broken(why.to_owned());
    match code {
        ErrorCode::HttpRequestDenied => TransportError::Denied,
        ErrorCode::DnsTimeout => not_sent("DNS took too long"),
        ErrorCode::DnsError(_) => not_sent("DNS has no address"),
        ErrorCode::DestinationNotFound => not_sent("the host does not exist"),
        ErrorCode::DestinationUnavailable => not_sent("the host is unavailable"),
        ErrorCode::DestinationIpProhibited => not_sent("the address is prohibited by the host's policy"),
        ErrorCode::DestinationIpUnroutable => not_sent("there is no route to the address"),
        ErrorCode::ConnectionRefused => not_sent("connection refused"),
        ErrorCode::ConnectionTimeout => not_sent("connecting took too long"),
        ErrorCode::ConnectionLimitReached => not_sent("the host's limit of connections is reached"),
        ErrorCode::TlsProtocolError => not_sent("TLS failed"),
        ErrorCode::TlsCertificateError => not_sent("the TLS certificate is not trusted"),
        ErrorCode::TlsAlertReceived(_) => not_sent("the other side refused TLS"),
        ErrorCode::HttpRequestLengthRequired => not_sent("the host wants a length"),
        ErrorCode::HttpRequestMethodInvalid => not_sent("the host refused the method"),
        ErrorCode::HttpRequestUriInvalid => not_sent("the host refused the URL"),
        ErrorCode::HttpRequestUriTooLong => not_sent("the URL is too long for the host"),
        ErrorCode::HttpRequestHeaderSectionSize(_) => not_sent("the headers are too large for the host"),
        ErrorCode::HttpRequestHeaderSize(_) => not_sent("a header is too large for the host"),
        ErrorCode::ConfigurationError => not_sent("the host is not configured for this"),
        ErrorCode::HttpResponseBodySize(_) => TransportError::TooLarge,
        ErrorCode::HttpResponseTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout => TransportError::Timeout,
        ErrorCode::ConnectionTerminated => broken("the connection was closed"),
        ErrorCode::HttpRequestBodySize(_) => broken("the host refused the size of the body"),
        ErrorCode::HttpRequestTrailerSectionSize(_) | ErrorCode::HttpRequestTrailerSize(_) => {
            broken("the host refused the trailers")
        }
        ErrorCode::HttpResponseIncomplete => broken("the response ended early"),
        ErrorCode::HttpResponseHeaderSectionSize(_) | ErrorCode::HttpResponseHeaderSize(_) => {
            broken("the headers of the response are too large")
        }
        ErrorCode::HttpResponseTrailerSectionSize(_) | ErrorCode::HttpResponseTrailerSize(_) => {
            broken("the trailers of the response are too large")
        }
        ErrorCode::HttpResponseTransferCoding(_) | ErrorCode::HttpResponseContentCoding(_) => {
            broken("the response is encoded in an unknown way")
        }
        ErrorCode::HttpUpgradeFailed => broken("an upgrade was asked for"),
        ErrorCode::HttpProtocolError => broken("the answer is not HTTP"),
        ErrorCode::LoopDetected => broken("the host detected a loop"),
        // The host's own words may hold anything; they are the host's to log.
        ErrorCode::InternalError(_) => broken("the host has a fault"),
    }
}

pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
