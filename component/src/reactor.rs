//! An executor for one thread: futures register what they wait for, and the host's poll waits for all
//! of it at once, so requests of one call can run side by side.
//!
//! Before a wait, what is wanted is asked once whether it is there: a host whose functions block has it then, and `poll`
//! is never called there (that of wasmtime 50 for Python traps). After a wait nothing is asked, for the answer of `poll`
//! says what is ready.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    mem::ManuallyDrop,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use crate::bindings::wasi::io::poll::{Pollable, poll};

thread_local! {
    /// Empty between two calls. Never dropped: to register a destructor would be an allocation that stays.
    static WAITING: ManuallyDrop<RefCell<Vec<Rc<Event>>>> = const { ManuallyDrop::new(RefCell::new(Vec::new())) };
}

/// Something that can be waited for.
pub(crate) struct Event {
    pollable: Pollable,
    /// True from the poll that found it ready, until whoever waits has seen that.
    came: Cell<bool>,
}

impl Event {
    pub(crate) fn new(pollable: Pollable) -> Rc<Self> {
        Rc::new(Self { pollable, came: Cell::default() })
    }

    /// Asks the host, once for each wait.
    fn is_there(&self, asked: &mut bool) -> bool {
        !std::mem::replace(asked, true) && self.pollable.ready()
    }

    fn register(self: &Rc<Self>) {
        WAITING.with(|waiting| waiting.borrow_mut().push(Rc::clone(self)));
    }
}

/// Runs a future to its end. It comes pinned: one that is handed over lies on the stack twice.
pub(crate) fn block_on<T>(mut future: Pin<&mut impl Future<Output = T>>) -> T {
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        let waiting = WAITING.with(|waiting| waiting.take());
        // Every future of this component registers an event before it is pending.
        let ready = poll(&waiting.iter().map(|event| &event.pollable).collect::<Vec<_>>());
        for event in ready.into_iter().filter_map(|at| waiting.get(at as usize)) {
            event.came.set(true);
        }
    }
}

/// Waits until something comes.
pub(crate) async fn wait(event: &Rc<Event>) {
    let mut asked = false;
    poll_fn(|_| {
        if event.came.take() || event.is_there(&mut asked) {
            return Poll::Ready(());
        }
        event.register();
        Poll::Pending
    })
    .await;
}

/// Waits until one of two things comes; tells whether it was `wanted`. The other one, once it has come, stays so: a
/// deadline does not pass by.
pub(crate) async fn either(wanted: &Rc<Event>, or: &Rc<Event>) -> bool {
    let mut asked = false;
    poll_fn(|_| {
        if wanted.came.take() || wanted.is_there(&mut asked) {
            return Poll::Ready(true);
        }
        if or.came.get() {
            return Poll::Ready(false);
        }
        wanted.register();
        or.register();
        Poll::Pending
    })
    .await
}
