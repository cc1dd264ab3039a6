//! The order in which the answers of a tape come to a call, and its timers fire.
//!
//! A network answers when it does, and so the calls of a person differ from run to run: in what
//! came first, and in what followed from that. A tape has no such excuse. Its answers come one at a
//! time, in the order of its own times, each when the call has done all it can without it; and the
//! call's clock shows those times.

use std::{
    collections::BTreeMap,
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until, timeout_at},
};

use crate::clock::Clock;

/// The turns of one call. Transports find it in the extensions of each request; one that knows no
/// times takes no turns.
pub(crate) struct Turns {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    last: u64,
    /// True while the guest waits for whatever comes, and nothing has.
    waits: bool,
    /// The answer that was let through and that the guest has not seen yet, and whether it is on
    /// its way.
    passing: Option<(u64, bool)>,
    /// The answers under way.
    answers: BTreeMap<u64, Answer>,
    /// The timers: their moments by the clock, and in earnest.
    timers: BTreeMap<u64, (Duration, Option<Instant>)>,
}

/// An answer that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// Nobody has looked yet whether the tape has it.
    Asked,
    /// A server is asked for it. It has the moment by the clock that the tape gave to an earlier one, if the tape has
    /// that.
    Live(Option<Duration>),
    /// It is here, and has this moment by the clock.
    Here(Duration),
}

impl Turns {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { clock, state: Mutex::default(), changed: Notify::new() })
    }

    /// The time that has passed since some fixed point, by the call's clock.
    pub(crate) fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    /// A place for an answer, behind those of all requests that were sent before.
    pub(crate) fn answer(self: &Arc<Self>) -> Turn {
        let mut state = self.state();
        let id = state.next();
        state.answers.insert(id, Answer::Asked);
        Turn {
            turns: Arc::clone(self),
            id,
            sent: self.clock.monotonic(),
            began: Instant::now(),
            handed_over: false,
        }
    }

    /// A timer that begins now.
    pub(crate) fn timer(self: &Arc<Self>, time: Duration) -> Timer {
        let mut state = self.state();
        let id = state.next();
        let (at, real) = (self.clock.monotonic().saturating_add(time), Instant::now().checked_add(time));
        state.timers.insert(id, (at, real));
        Timer { turns: Arc::clone(self), id, real, has_yielded: !time.is_zero(), fired: false }
    }

    /// Follows the guest while it waits.
    pub(crate) async fn while_it_waits<T>(&self, wait: impl Future<Output = T>) -> T {
        let mut wait = pin!(wait);
        poll_fn(|context| {
            self.state().waits = false;
            match wait.as_mut().poll(context) {
                Poll::Ready(done) => {
                    self.state().goes_on();
                    Poll::Ready(done)
                }
                Poll::Pending => {
                    self.state().waits = true;
                    self.changed.notify_waiters();
                    Poll::Pending
                }
            }
        })
        .await
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a look at the state succeeds; it may say when another one is worth it at the
    /// latest.
    async fn until(&self, mut look: impl FnMut(&mut State) -> Result<(), Option<Instant>>) {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            let again = match look(&mut self.state()) {
                Ok(()) => return,
                Err(again) => again,
            };
            match again {
                Some(moment) => _ = timeout_at(moment, changed).await,
                None => changed.await,
            }
        }
    }
}

impl State {
    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// The guest has seen whatever had come to it.
    fn goes_on(&mut self) {
        self.passing = self.passing.filter(|(_, handed_over)| !handed_over);
    }

    /// Lets an answer through if it is the next one, and says when it comes by the clock.
    fn lets_through(&mut self, id: u64) -> Result<Duration, Option<Instant>> {
        let Some(Answer::Here(moment)) = self.answers.get(&id).copied() else { return Err(None) };
        let is_first = self.answers.iter().all(|(other, answer)| match answer {
            Answer::Asked => false,
            Answer::Live(None) => true,
            Answer::Live(Some(at)) | Answer::Here(at) => (moment, id) <= (*at, *other),
        });
        if !self.waits || self.passing.is_some() || !is_first {
            return Err(None);
        }
        let now = Instant::now();
        let earlier = self.timers.values().filter(|(at, _)| *at < moment).filter_map(|(_, real)| *real);
        if let Some(last) =
            earlier.filter_map(|real| real.checked_add(GRACE)).filter(|last| *last > now).min()
        {
            return Err(Some(last));
        }
        self.passing = Some((id, false));
        self.answers.remove(&id);
        Ok(moment)
    }

    /// Lets a timer fire, unless an answer comes before it, and says when that is by the clock.
    fn fires(&mut self, id: u64) -> Result<Duration, Option<Instant>> {
        let Some((moment, _)) = self.timers.get(&id).copied() else { return Ok(Duration::ZERO) };
        let all_found = self.answers.values().all(|answer| *answer != Answer::Asked);
        // A deadline does not wait for a server.
        let here = |answer: &Answer| matches!(answer, Answer::Here(at) if *at <= moment);
        if all_found && self.answers.values().any(here) {
            return Err(None);
        }
        self.timers.remove(&id);
        Ok(moment)
    }
}

impl fmt::Debug for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turns").finish_non_exhaustive()
    }
}

/// The place of one answer, until it is handed over or given up.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Arc<Turns>,
    id: u64,
    sent: Duration,
    began: Instant,
    handed_over: bool,
}

impl Turn {
    /// Waits until the answers to all earlier requests are found.
    pub(crate) async fn to_be_found(&self) {
        let found = |state: &mut State| {
            let is_found = |(_, answer): (&u64, &Answer)| *answer != Answer::Asked;
            if state.answers.range(..self.id).all(is_found) { Ok(()) } else { Err(None) }
        };
        self.turns.until(found).await;
    }

    /// Tells the others that a server is asked, and what the tape says of the time that this took before.
    pub(crate) fn goes_live(&self, by_the_clock: Option<Duration>) {
        let moment = by_the_clock.map(|taken| self.sent.saturating_add(taken));
        self.turns.state().answers.insert(self.id, Answer::Live(moment));
        self.turns.changed.notify_waiters();
    }

    /// Waits until the answer comes, if it takes so long by the clock, and so long in earnest.
    pub(crate) async fn to_come(&self, by_the_clock: Duration, in_earnest: Duration) {
        let here = Answer::Here(self.sent.saturating_add(by_the_clock));
        self.turns.state().answers.insert(self.id, here);
        self.turns.changed.notify_waiters();
        if !in_earnest.is_zero() {
            sleep_until(self.began + in_earnest).await;
        }
        self.turns
            .until(|state| state.lets_through(self.id).map(|moment| self.turns.clock.reach(moment)))
            .await;
    }

    /// Gives the answer to whoever waits for it.
    pub(crate) fn hand_over(mut self) {
        self.handed_over = true;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.turns.state();
        state.answers.remove(&self.id);
        if state.passing.is_some_and(|(id, _)| id == self.id) {
            state.passing = self.handed_over.then_some((self.id, true));
        }
        drop(state);
        self.turns.changed.notify_waiters();
    }
}

/// A timer of the guest's.
#[derive(Debug)]
pub(crate) struct Timer {
    turns: Arc<Turns>,
    id: u64,
    /// The moment in earnest; `None` if there will be none.
    real: Option<Instant>,
    has_yielded: bool,
    fired: bool,
}

impl Timer {
    /// Waits until it fires.
    pub(crate) async fn fires(&mut self) {
        if self.fired {
            return;
        }
        if !self.has_yielded {
            // A guest that waits for nothing in a loop must not keep its thread from others.
            self.has_yielded = true;
            tokio::task::yield_now().await;
        }
        match self.real {
            Some(real) => sleep_until(real).await,
            None => std::future::pending().await,
        }
        self.turns.until(|state| state.fires(self.id).map(|moment| self.turns.clock.reach(moment))).await;
        self.fired = true;
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.turns.state().timers.remove(&self.id);
        self.turns.changed.notify_waiters();
    }
}

/// The time for which a timer that could fire keeps later answers waiting: a guest need not look at
/// each of its timers.
const GRACE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use super::*;
    use crate::clock::ReplayClock;

    fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    fn turns() -> Arc<Turns> {
        Turns::new(Arc::new(ReplayClock::at(Duration::ZERO)))
    }

    /// Waits as a guest does: until any of some answers has come.
    async fn guest(turns: &Turns, came: &Mutex<Vec<(u64, Duration)>>, count: usize) {
        let enough = poll_fn(|context| {
            // Looked at again and again, as the engine does when anything happens.
            context.waker().wake_by_ref();
            if came.lock().unwrap().len() >= count { Poll::Ready(()) } else { Poll::Pending }
        });
        turns.while_it_waits(enough).await;
    }

    /// Tells whether something comes in a millisecond.
    async fn comes(what: Pin<&mut impl Future<Output = ()>>) -> bool {
        timeout_at(Instant::now() + millis(1), what).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn answers_come_by_the_times_of_the_tape_and_one_at_a_time() {
        for _ in 0..20 {
            let turns = turns();
            let came = Arc::new(Mutex::new(Vec::new()));
            for (name, takes) in [(1, 30), (2, 10), (3, 10), (4, 0)] {
                send(&turns, &came, name, takes);
            }
            for count in 1..=4 {
                guest(&turns, &came, count).await;
                assert_eq!(came.lock().unwrap().len(), count, "one at a time");
            }
            assert_eq!(
                *came.lock().unwrap(),
                [(4, millis(0)), (2, millis(10)), (3, millis(10)), (1, millis(30))]
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_comes_while_the_guest_is_at_work_or_a_request_is_not_told_apart() {
        let turns = turns();
        let (first, second) = (turns.answer(), turns.answer());
        let mut coming = pin!(second.to_come(millis(5), Duration::ZERO));
        assert!(!comes(coming.as_mut()).await, "the guest does not wait");
        let mut waits = pin!(turns.while_it_waits(std::future::pending::<()>()));
        assert!(!comes(waits.as_mut()).await);
        assert!(!comes(coming.as_mut()).await, "the first request is not found yet");
        drop(first);
        assert!(comes(coming.as_mut()).await);
        assert_eq!(turns.monotonic(), millis(5));
    }

    /// Sends a request, whose answer takes so long.
    fn send(turns: &Arc<Turns>, came: &Arc<Mutex<Vec<(u64, Duration)>>>, name: u64, takes: u64) {
        let (turn, came, clock) = (turns.answer(), Arc::clone(came), Arc::clone(turns));
        tokio::spawn(async move {
            turn.to_be_found().await;
            turn.to_come(millis(takes), Duration::ZERO).await;
            came.lock().unwrap().push((name, clock.monotonic()));
            turn.hand_over();
        });
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_fires_behind_an_answer_of_its_moment_and_before_a_later_one() {
        let (turns, came, began) = (turns(), Arc::default(), Instant::now());
        let mut timer = turns.timer(millis(10));
        send(&turns, &came, 1, 10);
        send(&turns, &came, 2, 11);
        guest(&turns, &came, 1).await;
        assert_eq!(
            (turns.monotonic(), began.elapsed()),
            (millis(10), Duration::ZERO),
            "a replay does not wait"
        );
        turns.while_it_waits(timer.fires()).await;
        assert_eq!((turns.monotonic(), began.elapsed()), (millis(10), millis(10)), "but for a timer");
        assert_eq!(came.lock().unwrap().len(), 1);
        guest(&turns, &came, 2).await;
        assert_eq!((turns.monotonic(), began.elapsed()), (millis(11), millis(10)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_that_nobody_looks_at_holds_up_nothing_for_long() {
        let (turns, came) = (turns(), Arc::default());
        let _timer = turns.timer(millis(10));
        send(&turns, &came, 1, 20);
        let mut wait = pin!(turns.while_it_waits(std::future::pending::<()>()));
        let passed = tokio::time::timeout(Duration::from_secs(60), wait.as_mut());
        assert!(passed.await.is_err());
        assert_eq!(came.lock().unwrap().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_of_a_server_has_the_turn_that_the_tape_gave_it() {
        let turns = turns();
        let (again, new, of_the_tape) = (turns.answer(), turns.answer(), turns.answer());
        again.goes_live(Some(millis(20)));
        new.goes_live(None);
        of_the_tape.to_be_found().await;
        let mut later = pin!(of_the_tape.to_come(millis(30), Duration::ZERO));
        let mut waits = pin!(turns.while_it_waits(std::future::pending::<()>()));
        assert!(!comes(waits.as_mut()).await);
        assert!(!comes(later.as_mut()).await, "the server has not answered yet");
        // However long it takes, a deadline is kept.
        let mut deadline = turns.timer(millis(25));
        let mut fires = pin!(deadline.fires());
        tokio::time::sleep(millis(30)).await;
        assert!(comes(fires.as_mut()).await);
        again.to_come(millis(20), Duration::ZERO).await;
        assert_eq!(turns.monotonic(), millis(25), "elapsed time does not go back");
        again.hand_over();
        turns.while_it_waits(async {}).await;
        let mut waits = pin!(turns.while_it_waits(std::future::pending::<()>()));
        assert!(!comes(waits.as_mut()).await);
        assert!(comes(later.as_mut()).await, "a new answer has no time yet, and holds up nothing");
        assert_eq!(turns.monotonic(), millis(30));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_given_up_holds_up_nothing() {
        let turns = turns();
        let (first, second) = (turns.answer(), turns.answer());
        let mut coming = pin!(second.to_come(millis(3), Duration::ZERO));
        assert!(!comes(coming.as_mut()).await);
        let mut waits = pin!(turns.while_it_waits(std::future::pending::<()>()));
        assert!(!comes(waits.as_mut()).await);
        first.to_come(Duration::ZERO, Duration::ZERO).await;
        assert!(!comes(coming.as_mut()).await, "the guest has not seen the first one");
        drop(first);
        assert!(comes(coming.as_mut()).await);
        assert_eq!(turns.monotonic(), millis(3));
    }
}
