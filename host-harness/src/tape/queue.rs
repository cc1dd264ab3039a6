//! Work that takes as long as others make it, off the threads that drive calls.

use std::{
    fmt,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::transport::TransportError;

/// Searching and comparing, one piece after another in the order in which they came: placeholders are
/// numbered as they are found. Clones share one queue.
///
/// Waiting for a piece can be given up at any time. A piece that has not begun is then dropped, and one that
/// has is told by [`Waiter::has_left`].
#[derive(Clone, Default)]
pub(super) struct Queue {
    turn: Arc<tokio::sync::Mutex<()>>,
    running: Arc<Running>,
}

#[derive(Default)]
struct Running {
    pieces: Mutex<Pieces>,
    fewer: Condvar,
    waiter: Waiter,
}

#[derive(Default)]
struct Pieces {
    begun: u64,
    /// The number of the piece at hand.
    current: Option<u64>,
}

/// The caller that waits for the piece at hand. Clones stand for the same one.
#[derive(Debug, Clone, Default)]
pub(super) struct Waiter(Arc<AtomicBool>);

impl Waiter {
    /// Tells whether the result is of no use any more. Between pieces it is of use.
    pub(super) fn has_left(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    #[cfg(test)]
    pub(super) fn gone() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }
}

impl Queue {
    /// Does `work` on a thread for blocking work.
    ///
    /// # Errors
    /// [`TransportError::Closed`] if the runtime ends first.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, TransportError> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let piece = Piece::begin(&self.running);
        let _waiting = piece.wait();
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            // Before it is the next one's turn.
            drop(piece);
            drop(turn);
            done
        })
        .await;
        done.map_err(|error| match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => TransportError::Closed("the runtime has ended".to_owned()),
        })
    }

    /// The caller that waits for the piece at hand, for work that may take long.
    pub(super) fn waiter(&self) -> Waiter {
        self.running.waiter.clone()
    }

    /// Blocks until the piece that has begun is done, if there is one.
    pub(super) fn settle(&self) {
        let pieces = self.running.pieces();
        drop(self.running.fewer.wait_while(pieces, |pieces| pieces.current.is_some()));
    }
}

impl Running {
    fn pieces(&self) -> MutexGuard<'_, Pieces> {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

/// A piece that has begun, until it is dropped.
struct Piece {
    running: Arc<Running>,
    number: u64,
}

impl Piece {
    fn begin(running: &Arc<Running>) -> Self {
        let mut pieces = running.pieces();
        pieces.begun += 1;
        pieces.current = Some(pieces.begun);
        Self { number: pieces.begun, running: Arc::clone(running) }
    }

    fn wait(&self) -> Waiting {
        Waiting { running: Arc::clone(&self.running), number: self.number }
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let mut pieces = self.running.pieces();
        pieces.current = None;
        self.running.waiter.0.store(false, Ordering::Relaxed);
        drop(pieces);
        self.running.fewer.notify_all();
    }
}

/// Waiting for a piece, until it is dropped.
struct Waiting {
    running: Arc<Running>,
    number: u64,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let pieces = self.running.pieces();
        if pieces.current == Some(self.number) {
            self.running.waiter.0.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::mpsc,
        task::{Context, Poll, Waker},
        thread,
    };

    use super::*;

    #[tokio::test]
    async fn work_is_done_elsewhere_and_in_order() {
        let queue = Queue::default();
        let here = thread::current().id();
        let done = Arc::new(Mutex::new(Vec::new()));
        let piece = |number| {
            let done = Arc::clone(&done);
            queue.run(move || {
                assert_ne!(thread::current().id(), here);
                done.lock().unwrap().push(number);
            })
        };
        let (first, second, third) = tokio::join!(piece(1), piece(2), piece(3));
        assert_eq!((first, second, third), (Ok(()), Ok(()), Ok(())));
        assert_eq!(*done.lock().unwrap(), [1, 2, 3]);
    }

    #[tokio::test]
    async fn what_has_begun_is_waited_for_and_what_has_not_is_dropped() {
        let queue = Queue::default();
        let (go, wait) = mpsc::channel::<()>();
        let done = Arc::new(Mutex::new(0));
        let (count, dropped) = (Arc::clone(&done), Arc::new(()));
        let mut begun = Box::pin(queue.run(move || {
            wait.recv().unwrap();
            *count.lock().unwrap() += 1;
        }));
        let held = Arc::clone(&dropped);
        let mut waiting = Box::pin(queue.run(move || drop(held)));
        let mut context = Context::from_waker(Waker::noop());
        assert!(matches!(begun.as_mut().poll(&mut context), Poll::Pending));
        assert!(matches!(waiting.as_mut().poll(&mut context), Poll::Pending));
        drop((begun, waiting));
        assert_eq!(Arc::strong_count(&dropped), 1);
        go.send(()).unwrap();
        queue.settle();
        assert_eq!(*done.lock().unwrap(), 1);
    }

    #[tokio::test]
    async fn a_piece_is_told_that_nobody_waits_for_it_and_the_next_one_is_not() {
        let queue = Queue::default();
        let waiter = queue.waiter();
        let (go, wait) = mpsc::channel::<()>();
        let (tell, told) = mpsc::channel();
        let mut given_up = Box::pin(queue.run({
            let waiter = queue.waiter();
            move || {
                let before = waiter.has_left();
                wait.recv().unwrap();
                tell.send((before, waiter.has_left())).unwrap();
            }
        }));
        let mut context = Context::from_waker(Waker::noop());
        assert!(matches!(given_up.as_mut().poll(&mut context), Poll::Pending));
        assert!(!waiter.has_left());
        drop(given_up);
        assert!(waiter.has_left());
        go.send(()).unwrap();
        assert!(told.recv().unwrap().1);
        let next = queue.waiter();
        assert_eq!(queue.run(move || next.has_left()).await, Ok(false));
        queue.settle();
        assert!(!waiter.has_left());
    }
}
