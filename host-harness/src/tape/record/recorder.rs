//! A recorder: it writes the exchanges of another transport to a tape.

mod answer;
mod book;
mod tee;

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::request::Parts;
use http_body_util::BodyExt as _;
use tokio::time::Instant;

use self::{
    answer::{Answer, End},
    book::Book,
    tee::{Passing, Tee},
};
use crate::tape::{
    bounds::{MAX_HELD, collected, no_room},
    error::TapeError,
    file::{
        fault::Fault,
        format::{RecordedRequest, Tape},
    },
    hide::{live_secrets::LiveSecrets, redact::Redactor, rename::Aliases},
    play::handover::Margin,
    queue::Queue,
    same::request::{content_type, weight},
    shared::{locked, whole},
};
use crate::{
    limits::account::{Account, Held},
    transport::{Body, Sending, Timeouts, Transport, TransportError},
};

/// A [`Transport`] that keeps a redacted copy of each exchange of another one.
///
/// A response is handed on as it arrives, and its end when the exchange is recorded. No more of it is read
/// than its reader reads, and up to 32 MiB are kept. One that its reader leaves before its end, or that is
/// longer, is on the tape with its head alone, as a [`Fault`]: as many bytes come in a replay, and no end.
/// The body of a request is held in memory, up to 32 MiB too; a longer one is an error. The exchanges under
/// way have room for 512 MiB together: a request beyond that is an error, and an answer is kept as one that
/// is too long.
///
/// The order on the tape is that in which requests were sent; a failure of the network is on it as a
/// [`Fault`]. Searching for secrets happens on tokio's threads for blocking work, one exchange at a time.
///
/// After an exchange the tape so far is in a file beside the one that is asked for, with `.part` at the end
/// of its name: after each one at first, and when the tape is long, whenever it has grown by an eighth.
/// [`finish`](Self::finish) puts it in its place. Clones share one tape.
#[derive(Clone)]
pub struct Recorder {
    inner: Arc<dyn Transport>,
    path: PathBuf,
    shared: Arc<Shared>,
    /// The account of bodies under way.
    room: Arc<Account>,
}

struct Shared {
    queue: Queue,
    /// The number of interactions on an older tape: new ones belong behind them by default.
    on_tape: usize,
    /// Held for moments.
    order: Mutex<Order>,
    /// Held for as long as a search takes.
    book: Mutex<Book>,
}

#[derive(Default)]
struct Order {
    begun: usize,
    under_way: usize,
    /// Exchanges whose reader went away; the next one to write will write them down.
    left: Vec<(Entry, Answer)>,
}

/// The place of a new interaction among those of an older tape.
#[derive(Debug, Clone, Copy)]
pub(in crate::tape) struct After(pub(in crate::tape) usize);

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("inner", &self.inner)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Recorder {
    /// Records the exchanges of `inner` behind those on `tape`, for the file `path`.
    #[must_use]
    pub fn new(inner: Arc<dyn Transport>, path: impl Into<PathBuf>, tape: Tape) -> Self {
        Self::with(inner, path, tape, Arc::new(Mutex::new(Redactor::thorough())), false)
    }

    pub(in crate::tape) fn with(
        inner: Arc<dyn Transport>,
        path: impl Into<PathBuf>,
        tape: Tape,
        redactor: Arc<Mutex<Redactor>>,
        extends: bool,
    ) -> Self {
        let path = path.into();
        let queue = Queue::default();
        locked(&redactor).serve(queue.waiter());
        let shared = Shared {
            queue,
            on_tape: tape.interactions.len(),
            order: Mutex::default(),
            book: Mutex::new(Book::new(path.clone(), tape, redactor, extends)),
        };
        Self { inner, path, shared: Arc::new(shared), room: Account::new(MAX_HELD) }
    }

    /// Keeps these secrets off the tape by their exact value, wherever and in whatever encoding they stand.
    #[must_use]
    pub fn knowing(self, live: LiveSecrets) -> Self {
        locked(&locked(&self.shared.book).redactor).know(live);
        self
    }

    /// Gives projects and people these names on the tape, before anything is kept or written. To be called
    /// before the first request.
    #[must_use]
    pub fn renaming(self, aliases: Aliases) -> Self {
        locked(&self.shared.book).rename(aliases);
        self
    }

    /// Writes what is recorded behind another tape, as by [`Tape::join`]. The part beside the file
    /// is without that.
    pub(in crate::tape) fn behind(self, before: Tape) -> Self {
        locked(&self.shared.book).go_behind(before);
        self
    }

    /// Limits the tape to so many bytes.
    #[cfg(test)]
    pub(in crate::tape) fn within(self, room: usize) -> Self {
        locked(&self.shared.book).limit(room);
        self
    }

    /// Limits the bodies under way to so many bytes.
    #[cfg(test)]
    pub(in crate::tape) fn holding(mut self, bytes: usize) -> Self {
        self.room = Account::new(bytes);
        self
    }

    /// The number of exchanges that wait to be written down.
    #[cfg(test)]
    pub(in crate::tape) fn left(&self) -> usize {
        locked(&self.shared.order).left.len()
    }

    /// The tape so far. Blocks while an exchange is being recorded.
    #[must_use]
    pub fn tape(&self) -> Tape {
        self.shared.settled(|book| book.with_tape(|tape| tape.clone()))
    }

    /// Writes the tape so far: whole, or not at all. If there is another one in its place, that is kept
    /// beside it, as `FILE.1.bak` or the next number that is free. Blocks, as a file that is written does.
    ///
    /// # Errors
    /// [`TapeError::Leak`] if there is a secret on the tape that cannot be taken out; [`TapeError::Write`].
    /// Either way the file is as it was. [`TapeError::Full`] if the tape was written, and is not complete.
    pub fn finish(&self) -> Result<(), TapeError> {
        self.shared.settled(Book::finish)
    }

    /// Tells whether nothing was recorded.
    pub(in crate::tape) fn is_empty(&self) -> bool {
        self.shared.settled(|book| book.is_empty())
    }

    /// A whole body, counted with those of all exchanges under way.
    pub(in crate::tape) async fn collected(&self, body: Body, whose: &str) -> Result<Bytes, TransportError> {
        self.shared.make_room().await?;
        collected(body, whose, &self.room).await
    }

    /// The queue in which exchanges are recorded, for those who need to know what came before.
    pub(in crate::tape) fn queue(&self) -> &Queue {
        &self.shared.queue
    }
}

impl Transport for Recorder {
    fn send(&self, request: http::Request<Body>, timeouts: Timeouts) -> Sending {
        let recorder = self.clone();
        let (parts, body) = request.into_parts();
        // Taken now, in the order in which the guest sends.
        let place = Place::begin(&self.shared, &parts);
        Box::pin(async move {
            let Self { inner, shared, room, .. } = recorder.clone();
            let body = recorder.collected(body, "request").await?;
            // Counted before it is taken apart.
            let held = room.hold(weight(content_type(&parts.headers), &body)).map_err(|_| no_room())?;
            let (mut exchange, mut parts, body) =
                shared.queue.run(move || (Exchange::begin(place, held, &parts, &body), parts, body)).await?;
            parts.extensions.insert(exchange.entry.margin.clone());
            let method = parts.method.clone();
            exchange.entry.sent = Instant::now();
            match inner.send(http::Request::from_parts(parts, whole(body)), timeouts).await {
                Ok(response) => {
                    let (parts, body) = response.into_parts();
                    let tee = Tee::new(body, Passing::new(exchange, Answer::begin(method, &parts, room)));
                    Ok(http::Response::from_parts(parts, tee.boxed_unsync()))
                }
                Err(error) => {
                    // A failure by the host's own refusal is not part of the tape: the host will refuse it
                    // again.
                    if let Some(fault) = Fault::from_failure(&error) {
                        shared
                            .queue
                            .run(move || exchange.record(|book, entry| book.failed(entry, fault)))
                            .await?;
                    }
                    Err(error)
                }
            }
        })
    }
}

impl Shared {
    /// Does something with all that has been recorded, the exchanges left in between included.
    fn settled<T>(&self, what: impl FnOnce(&mut Book) -> T) -> T {
        self.queue.settle();
        let mut book = locked(&self.book);
        self.write_down_what_was_left(&mut book);
        what(&mut book)
    }

    /// Writes down the exchanges that were left, so that they do not pile up and take all the room when all
    /// readers leave.
    async fn make_room(self: &Arc<Self>) -> Result<(), TransportError> {
        if locked(&self.order).left.is_empty() {
            return Ok(());
        }
        let shared = Arc::clone(self);
        self.queue.run(move || shared.write_down_what_was_left(&mut locked(&shared.book))).await
    }

    fn write_down_what_was_left(&self, book: &mut Book) {
        let left = std::mem::take(&mut locked(&self.order).left);
        for (entry, answer) in left {
            book.answered(entry, answer);
        }
    }
}

/// A place among the exchanges that are under way, until it is dropped.
struct Place {
    shared: Arc<Shared>,
    index: usize,
    after: usize,
    side_by_side: bool,
}

impl Place {
    fn begin(shared: &Arc<Shared>, parts: &Parts) -> Self {
        let after = parts.extensions.get::<After>().map_or(shared.on_tape, |after| after.0);
        let mut order = locked(&shared.order);
        let (index, side_by_side) = (order.begun, order.under_way > 0);
        order.begun += 1;
        order.under_way += 1;
        drop(order);
        Self { shared: Arc::clone(shared), index, after, side_by_side }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        locked(&self.shared.order).under_way -= 1;
    }
}

/// The part of an exchange that is known when its request is sent.
struct Entry {
    index: usize,
    after: usize,
    side_by_side: bool,
    request: RecordedRequest,
    sent: Instant,
    margin: Margin,
    /// The room of its request.
    _held: Held,
}

/// One exchange under way.
struct Exchange {
    place: Place,
    entry: Entry,
}

impl Exchange {
    fn begin(place: Place, held: Held, parts: &Parts, body: &[u8]) -> Self {
        let request = locked(&place.shared.book).request(parts, body);
        let Place { index, after, side_by_side, .. } = place;
        let (sent, margin) = (Instant::now(), Margin::default());
        Self { place, entry: Entry { index, after, side_by_side, request, sent, margin, _held: held } }
    }

    /// Writes the exchange down; not on a thread that drives calls.
    fn record(self, how: impl FnOnce(&mut Book, Entry)) {
        let shared = &self.place.shared;
        let mut book = locked(&shared.book);
        shared.write_down_what_was_left(&mut book);
        how(&mut book, self.entry);
        book.write_part();
    }

    /// Notes the exchange for the next one to write.
    fn leave(self, answer: Answer) {
        locked(&self.place.shared.order).left.push((self.entry, answer.ended(End::Left)));
    }
}
