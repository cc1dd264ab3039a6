//! An executor for one thread: futures register what they wait for, and the host's poll waits for all
//! of it at once, so requests of one call can run side by side.

use std::{
    cell::RefCell,
    future::poll_fn,
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use crate::bindings::wasi::io::poll::{Pollable, poll};

thread_local! {
    static WAITING: RefCell<Vec<Rc<Pollable>>> = const { RefCell::new(Vec::new()) };
}

/// Runs a future to its end.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        let waiting = WAITING.take();
        // Every future of this component registers a pollable before it is pending.
        poll(&waiting.iter().map(Rc::as_ref).collect::<Vec<_>>());
    }
}

/// Waits until a pollable is ready.
pub(crate) async fn ready(pollable: &Rc<Pollable>) {
    poll_fn(|_| {
        if pollable.ready() {
            Poll::Ready(())
        } else {
            WAITING.with_borrow_mut(|waiting| waiting.push(Rc::clone(pollable)));
            Poll::Pending
        }
    })
    .await;
}

/// Waits until the first of two pollables is ready; tells whether it was `wanted`.
pub(crate) async fn either(wanted: &Rc<Pollable>, or: &Rc<Pollable>) -> bool {
    poll_fn(|_| {
        if wanted.ready() {
            Poll::Ready(true)
        } else if or.ready() {
            Poll::Ready(false)
        } else {
            WAITING.with_borrow_mut(|waiting| waiting.extend([Rc::clone(wanted), Rc::clone(or)]));
            Poll::Pending
        }
    })
    .await
}
