//! Faults, played.

use std::{
    future::Future as _,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt as _;
use tokio::time::{Sleep, sleep};

use crate::tape::file::fault::{End, Fault};
use crate::transport::{Body, Timeouts, TransportError};

impl Fault {
    /// The time for which nothing comes, neither the head of the response nor a failure.
    pub(in crate::tape) fn silence(&self, timeouts: Timeouts) -> Duration {
        let delay = self.delay_ms.map(Duration::from_millis).unwrap_or_default();
        if delay > timeouts.first_byte {
            return timeouts.first_byte;
        }
        delay
            + match self.end {
                Some(End::ConnectTimeout) => timeouts.connect,
                Some(End::NoResponse) => timeouts.first_byte,
                Some(
                    End::Unresolved
                    | End::Refused
                    | End::Tls
                    | End::ResetBeforeHeaders
                    | End::NotHttp
                    | End::ResetAfterHeaders
                    | End::TruncatedBody,
                )
                | None => Duration::ZERO,
            }
    }

    /// Tells whether a response comes behind the [`silence`](Self::silence).
    ///
    /// # Errors
    /// The reason why none comes.
    pub(in crate::tape) fn outcome(&self, timeouts: Timeouts) -> Result<(), TransportError> {
        let host = || "as the tape says".to_owned();
        let silence = TransportError::FirstByteTimeout(timeouts.first_byte);
        if self.delay_ms.map(Duration::from_millis).is_some_and(|delay| delay > timeouts.first_byte) {
            return Err(silence);
        }
        let Some(end) = self.end else { return Ok(()) };
        Err(match end {
            End::Unresolved => TransportError::Dns(host()),
            End::Refused => TransportError::ConnectionRefused(host()),
            End::ConnectTimeout => TransportError::ConnectTimeout(host()),
            End::Tls => TransportError::Tls(host()),
            End::ResetBeforeHeaders => TransportError::Closed(host()),
            End::NoResponse => silence,
            End::NotHttp => TransportError::Protocol(host()),
            End::ResetAfterHeaders | End::TruncatedBody => return Ok(()),
        })
    }

    /// The length that the body declares, if it has `length` bytes on the tape.
    pub(in crate::tape) fn declared(&self, length: usize) -> usize {
        let truncated = self.end == Some(End::TruncatedBody);
        self.body_bytes.filter(|_| truncated).map_or(length, |arrives| arrives.max(length))
    }

    /// The body as it arrives.
    pub(in crate::tape) fn body(&self, whole: &Bytes, timeouts: Timeouts) -> Body {
        let truncated = self.end == Some(End::TruncatedBody);
        let reset = self.end == Some(End::ResetAfterHeaders);
        let without_word = if truncated { whole.len() / 2 } else { whole.len() };
        let arrives = if reset { 0 } else { self.body_bytes.unwrap_or(without_word) };
        let rest = whole.slice(..arrives.min(whole.len()));
        let piece = match (self.pause_ms, self.piece_bytes) {
            (None, None) => whole.len().max(FILLING.len()),
            (_, piece) => piece.unwrap_or(1024).max(1),
        };
        Slow {
            filling: if truncated { arrives - rest.len() } else { 0 },
            rest,
            piece,
            pause: self.pause_ms.map(Duration::from_millis),
            limit: timeouts.between_bytes,
            broken: truncated || reset,
            waiting: None,
        }
        .boxed_unsync()
    }
}

/// Stands in for bytes that are not on the tape.
const FILLING: [u8; 16 << 10] = [b' '; 16 << 10];

/// A body in pieces, with pauses, that may break off.
struct Slow {
    rest: Bytes,
    /// The filling bytes that come behind it.
    filling: usize,
    piece: usize,
    pause: Option<Duration>,
    limit: Duration,
    broken: bool,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Slow {
    fn next_piece(&mut self) -> Option<Bytes> {
        if self.rest.is_empty() {
            let piece = self.filling.min(self.piece).min(FILLING.len());
            self.filling -= piece;
            return (piece > 0).then(|| Bytes::from_static(&FILLING).slice(..piece));
        }
        Some(self.rest.split_to(self.piece.min(self.rest.len())))
    }
}

impl http_body::Body for Slow {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        let this = &mut *self;
        let more = !this.rest.is_empty() || this.filling > 0;
        if let Some(pause) = this.pause.filter(|_| more) {
            let limit = this.limit;
            let waiting = this.waiting.get_or_insert_with(|| Box::pin(sleep(pause.min(limit))));
            ready!(waiting.as_mut().poll(cx));
            this.waiting = None;
            if pause > limit {
                this.rest.clear();
                this.filling = 0;
                return Poll::Ready(Some(Err(TransportError::BodyTimeout(limit))));
            }
        }
        match this.next_piece() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            None if std::mem::take(&mut this.broken) => {
                Poll::Ready(Some(Err(TransportError::Closed("as the tape says".to_owned()))))
            }
            None => Poll::Ready(None),
        }
    }
}
