//! Work that takes as long as others make it, off the threads that drive calls.

use std::{
    fmt,
    sync::{Arc, Condvar, Mutex, PoisonError},
};

use crate::transport::TransportError;

/// Searching and comparing, one piece after another in the order in which they came: placeholders are numbered as they
/// are found. Clones share one queue.
///
/// Waiting for a piece can be given up at any time. A piece that has not begun is then dropped.
#[derive(Clone, Default)]
pub(super) struct Queue {
    turn: Arc<tokio::sync::Mutex<()>>,
    running: Arc<Running>,
}

#[derive(Default)]
struct Running {
    pieces: Mutex<usize>,
    fewer: Condvar,
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
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            drop(piece);
            done
        })
        .await;
        done.map_err(|error| match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => TransportError::Closed("the runtime has ended".to_owned()),
        })
    }

    /// Blocks until the piece that has begun is done, if there is one.
    pub(super) fn settle(&self) {
        let pieces = self.running.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.running.fewer.wait_while(pieces, |pieces| *pieces > 0));
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

/// One that has begun, until it is dropped.
struct Piece(Arc<Running>);

impl Piece {
    fn begin(running: &Arc<Running>) -> Self {
        *running.pieces.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Self(Arc::clone(running))
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        *self.0.pieces.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.fewer.notify_all();
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
}
