//! Things that the guest has the host keep.

use std::hint::black_box;

use crate::{
    GOOGLE,
    bindings::{
        gcf::connector::types::Error,
        wasi::{
            clocks::monotonic_clock,
            http::{
                outgoing_handler,
                types::{
                    Fields, FutureIncomingResponse, IncomingResponse, Method, OutgoingBody, OutgoingRequest,
                    OutgoingResponse, RequestOptions, Scheme,
                },
            },
            io::streams::OutputStream,
        },
    },
    error,
};

/// A size in bytes: more than half of what a map of headers may have.
const LARGE: usize = 100 * 1024;

/// Has the host keep `count` things of one kind, and drops none before the last is there.
pub(crate) fn hoard(kind: &str, count: u32) -> Result<(), Error> {
    let kept: Vec<Kept> =
        (0..count).map(|number| keep(kind, number)).collect::<Option<_>>().ok_or_else(|| error("refused"))?;
    black_box(&kept);
    Ok(())
}

/// The same, but each is dropped before the next is made.
pub(crate) fn churn(kind: &str, count: u32) -> Result<(), Error> {
    for number in 0..count {
        let kept = keep(kind, number).ok_or_else(|| error("refused"))?;
        let is_sent = matches!(kept, Kept::Body(.., Some(_)));
        drop(black_box(kept));
        // An exchange ends when it has its turn next.
        if is_sent {
            monotonic_clock::subscribe_duration(1).block();
        }
    }
    Ok(())
}

/// A thing that lies in the host. The order of the fields is that of their end: streams before bodies.
#[expect(dead_code, reason = "it is kept, and that is all")]
enum Kept {
    Body(OutputStream, OutgoingBody, Option<OutgoingRequest>, Option<FutureIncomingResponse>),
    Fields(Vec<Fields>),
    Request(OutgoingRequest),
    Options(RequestOptions),
    Response(OutgoingResponse),
    Pollable(monotonic_clock::Pollable),
    Answer(IncomingResponse),
}

fn keep(kind: &str, number: u32) -> Option<Kept> {
    Some(match kind {
        "bodies" => body(false)?,
        "sent-bodies" => body(true)?,
        "fields" => Kept::Fields(vec![fields()]),
        "small-fields" => Kept::Fields(vec![Fields::new()]),
        "listed-fields" => {
            let entry = (format!("x-{number}"), vec![b'v'; LARGE]);
            Kept::Fields(vec![Fields::from_list(&[entry]).ok()?])
        }
        "appended-fields" => {
            let fields = Fields::new();
            (0..90).try_for_each(|_| fields.append("x", &[b'v'; 1024])).ok()?;
            Kept::Fields(vec![fields])
        }
        "cloned-fields" => {
            let fields = fields();
            let copies: Vec<_> = (0..4).map(|_| fields.clone()).collect();
            copies.iter().try_for_each(|copy| copy.append("y", b"v")).ok()?;
            Kept::Fields(copies)
        }
        "shared-fields" => {
            let request = OutgoingRequest::new(fields());
            Kept::Fields(vec![request.headers()])
        }
        "requests" => Kept::Request(request(fields())),
        "methods" => {
            let request = request(Fields::new());
            request.set_method(&Method::Other("M".repeat(LARGE))).ok()?;
            Kept::Request(request)
        }
        "paths" => {
            let request = request(Fields::new());
            request.set_path_with_query(Some(&format!("/{}", "p".repeat(LARGE / 2)))).ok()?;
            Kept::Request(request)
        }
        "options" => Kept::Options(RequestOptions::new()),
        "responses" => Kept::Response(OutgoingResponse::new(fields())),
        "pollables" => Kept::Pollable(monotonic_clock::subscribe_duration(1)),
        "answers" => {
            let future = outgoing_handler::handle(request(Fields::new()), None).ok()?;
            future.subscribe().block();
            Kept::Answer(future.get()?.ok()?.ok()?)
        }
        _ => return None,
    })
}

fn fields() -> Fields {
    let fields = Fields::new();
    let _ = fields.set("x", &[vec![b'v'; LARGE]]);
    fields
}

fn request(headers: Fields) -> OutgoingRequest {
    let request = OutgoingRequest::new(headers);
    let _ = request.set_scheme(Some(&Scheme::Https));
    let _ = request.set_authority(Some(GOOGLE));
    let _ = request.set_path_with_query(Some("/"));
    request
}

/// A body with as much in it as the host takes.
fn body(sent: bool) -> Option<Kept> {
    let request = request(Fields::new());
    let body = request.body().ok()?;
    let stream = body.write().ok()?;
    let (request, future) = if sent {
        (None, Some(outgoing_handler::handle(request, None).ok()?))
    } else {
        (Some(request), None)
    };
    while let Ok(room @ 1..) = stream.check_write() {
        stream.write(&vec![b'b'; usize::try_from(room).ok()?]).ok()?;
    }
    Some(Kept::Body(stream, body, request, future))
}

/// Panics with a body half written, a response on its way, and headers at hand.
pub(crate) fn break_off() {
    let kept = (body(true), body(false), fields());
    panic!("secret-in-panic {}", black_box(kept.0.is_some()));
}
