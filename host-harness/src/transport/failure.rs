//! The meaning of a chain of errors to the caller.

use std::{error::Error, io, iter};

use super::{
    TransportError,
    interim::MAX_INTERIM,
    live::{MAX_HEAD_BYTES, MAX_HEADERS},
};

/// Finds, in `error` and its sources, the one that says most.
pub(super) fn classify(error: &(dyn Error + 'static), host: &str) -> TransportError {
    // Ours first: the connector and the request's body have already said what happened.
    find(error, |error| error.downcast_ref::<TransportError>().cloned())
        .or_else(|| find(error, |error| tls(error, host)))
        .or_else(|| find(error, |error| error.downcast_ref().and_then(|error| http(error, host))))
        .or_else(|| find(error, |error| error.downcast_ref().map(|error| lost(error, host))))
        .unwrap_or_else(|| TransportError::Closed(format!("{host}: {error}")))
}

/// The head of the response is over the limits.
pub(super) fn too_large(host: &str) -> TransportError {
    let kib = MAX_HEAD_BYTES / 1024;
    TransportError::HeadTooLarge(format!(
        "{host}: the response has more than {MAX_HEADERS} headers or {kib} KiB of them"
    ))
}

/// The answers before the answer are over the limits.
pub(super) fn too_many_interim(host: &str) -> TransportError {
    let kib = MAX_HEAD_BYTES / 1024;
    TransportError::HeadTooLarge(format!(
        "{host}: more than {MAX_INTERIM} interim answers (1xx), or {kib} KiB of their headers, and no answer yet"
    ))
}

fn find<'a>(
    error: &'a (dyn Error + 'static),
    judge: impl Fn(&'a (dyn Error + 'static)) -> Option<TransportError>,
) -> Option<TransportError> {
    iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source()).find_map(judge)
}

/// After the handshake rustls reports through `io::Error`, whose `source` skips what it wraps.
fn tls(error: &(dyn Error + 'static), host: &str) -> Option<TransportError> {
    let wrapped = error.downcast_ref::<io::Error>()?.get_ref()?;
    let error = wrapped.downcast_ref::<rustls::Error>()?;
    Some(TransportError::Tls(format!("{host}: {error}")))
}

fn http(error: &hyper::Error, host: &str) -> Option<TransportError> {
    if error.is_parse_too_large() {
        Some(too_large(host))
    } else if error.is_incomplete_message() {
        Some(TransportError::Closed(format!("{host}: the answer is incomplete")))
    } else if error.is_body_write_aborted() {
        Some(TransportError::Closed(format!("{host}: the request's body is shorter than its length")))
    } else if error.is_parse() {
        Some(TransportError::Protocol(format!("{host}: {error}")))
    } else {
        None
    }
}

/// A body that breaks its own framing reaches us as `io::Error` too.
fn lost(error: &io::Error, host: &str) -> TransportError {
    let malformed = matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput);
    let text = format!("{host}: {error}");
    if malformed { TransportError::Protocol(text) } else { TransportError::Closed(text) }
}
