//! Tasks side by side: what is sent for one need not wait for what is answered to another.

use std::{future::poll_fn, pin::Pin, task::Poll};

/// The most tasks of one call that are under way at once: enough for every region in a few rounds, and few enough
/// for Google's quotas and for a host's connections.
pub(crate) const AT_ONCE: usize = 16;

/// Something to be done beside others. What comes of it, it writes where it was told to.
pub(crate) type Task<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Begins tasks in their order, at most [`AT_ONCE`] at a time, and returns when the last one is done.
///
/// All that are under way are polled whenever anything has happened: the wakers of the component do nothing, so
/// a collection that polls only what was woken would wait for ever.
pub(crate) async fn join(tasks: Vec<Task<'_>>) {
    let mut waiting = tasks.into_iter();
    let mut running: Vec<Task<'_>> = waiting.by_ref().take(AT_ONCE).collect();
    poll_fn(|context| {
        let mut at = 0;
        while let Some(task) = running.get_mut(at) {
            if task.as_mut().poll(context).is_pending() {
                at += 1;
            } else if let Some(next) = waiting.next() {
                // Polled next, in the place of the one that is done.
                running[at] = next;
            } else {
                drop(running.remove(at));
            }
        }
        if running.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, future::poll_fn, task::Poll};

    use super::*;
    use crate::testing::block_on;

    /// Is ready when it is polled for the `rounds`th time.
    async fn after(rounds: usize) {
        let mut left = rounds;
        poll_fn(|_| {
            left -= 1;
            if left == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    #[test]
    fn tasks_overlap_up_to_the_bound_and_all_are_done() {
        let (running, most, rounds) = (Cell::new(0), Cell::new(0), Cell::new(0));
        let mut done = vec![None; 40];
        let tasks = done.iter_mut().enumerate().map(|(number, slot)| {
            let (running, most) = (&running, &most);
            Box::pin(async move {
                running.set(running.get() + 1);
                most.set(most.get().max(running.get()));
                after(2 + number % 3).await;
                running.set(running.get() - 1);
                *slot = Some(number);
            }) as Task<'_>
        });
        let mut all = Box::pin(join(tasks.collect()));
        block_on(poll_fn(|context| {
            rounds.set(rounds.get() + 1);
            all.as_mut().poll(context)
        }));
        drop(all);
        assert_eq!(most.get(), AT_ONCE);
        // One after another, they would take 80 rounds and more.
        assert!(rounds.get() <= 12, "{}", rounds.get());
        assert!(done.iter().enumerate().all(|(number, slot)| *slot == Some(number)));
    }

    #[test]
    fn the_first_that_waits_does_not_hold_up_the_rest() {
        let order = std::cell::RefCell::new(Vec::new());
        let task = |name: &'static str, rounds| -> Task<'_> {
            let order = &order;
            Box::pin(async move {
                after(rounds).await;
                order.borrow_mut().push(name);
            })
        };
        block_on(join(vec![task("slow", 5), task("ready", 1), task("quick", 2)]));
        assert_eq!(*order.borrow(), ["ready", "quick", "slow"]);
        block_on(join(Vec::new()));
    }
}
