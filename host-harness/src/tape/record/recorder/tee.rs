//! A body that is handed on as it comes, and recorded at its end.

use std::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};

use super::{
    Exchange,
    answer::{Answer, End},
};
use crate::transport::{Body, TransportError};

/// The body of a response on its way to its reader.
pub(super) struct Tee {
    body: Body,
    stage: Stage,
}

enum Stage {
    Passing(Passing),
    /// It has ended, in whatever way, and is being recorded.
    Ending(Pin<Box<dyn Future<Output = Result<(), TransportError>> + Send>>, Option<TransportError>),
    Done,
}

impl Tee {
    pub(super) fn new(body: Body, passing: Passing) -> Self {
        Self { body, stage: Stage::Passing(passing) }
    }
}

impl http_body::Body for Tee {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        let this = &mut *self;
        if let Stage::Passing(passing) = &mut this.stage {
            let error = match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    passing.take(frame.data_ref());
                    return Poll::Ready(Some(Ok(frame)));
                }
                Some(Err(error)) => Some(error),
                None => None,
            };
            if let Stage::Passing(passing) = mem::replace(&mut this.stage, Stage::Done) {
                let end = if error.is_some() { End::BrokeOff } else { End::Whole };
                this.stage = Stage::Ending(Box::pin(passing.ended(end)), error);
            }
        }
        if let Stage::Ending(recorded, error) = &mut this.stage {
            let recorded = ready!(recorded.as_mut().poll(cx));
            let end = error.take().or(recorded.err()).map(Err);
            this.stage = Stage::Done;
            return Poll::Ready(end);
        }
        Poll::Ready(None)
    }

    fn size_hint(&self) -> SizeHint {
        match self.stage {
            Stage::Passing(_) => self.body.size_hint(),
            Stage::Ending(..) | Stage::Done => SizeHint::with_exact(0),
        }
    }
}

impl Drop for Tee {
    fn drop(&mut self) {
        if let Stage::Passing(passing) = &mut self.stage
            && self.body.is_end_stream()
        {
            // A reader that knows that nothing will come does not ask for it.
            passing.is_over();
        }
    }
}

/// An exchange whose response has begun. If it is dropped before it is recorded, its reader has left.
pub(super) struct Passing(Option<Box<(Exchange, Answer)>>);

impl Passing {
    pub(super) fn new(exchange: Exchange, answer: Answer) -> Self {
        Self(Some(Box::new((exchange, answer))))
    }

    fn take(&mut self, data: Option<&Bytes>) {
        if let (Some(passing), Some(data)) = (&mut self.0, data) {
            passing.1.take(data);
        }
    }

    fn is_over(&mut self) {
        if let Some(passing) = &mut self.0 {
            passing.1.is_over();
        }
    }

    /// Records the exchange, unless the reader leaves before that has begun.
    fn ended(mut self, end: End) -> impl Future<Output = Result<(), TransportError>> + Send + use<> {
        let queue = self.0.as_ref().map(|passing| passing.0.place.shared.queue.clone());
        async move {
            let Some(queue) = queue else { return Ok(()) };
            queue
                .run(move || {
                    if let Some((exchange, answer)) = self.0.take().map(|passing| *passing) {
                        let answer = answer.ended(end);
                        exchange.record(|book, entry| book.answered(entry, answer));
                    }
                })
                .await
        }
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        if let Some((exchange, answer)) = self.0.take().map(|passing| *passing) {
            exchange.leave(answer);
        }
    }
}
