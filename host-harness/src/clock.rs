//! Time and randomness as arguments, so that a replay is the same on every machine.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Wall time and elapsed time.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Time since 1970-01-01T00:00:00Z.
    fn now(&self) -> Duration;
    /// Time since some fixed point of this clock; never goes back.
    fn monotonic(&self) -> Duration;
    /// Takes note that [`monotonic`](Self::monotonic) is at least `moment` by now: a timer has
    /// fired, or an answer of a tape has come. Most clocks go by themselves, and need no word.
    fn reach(&self, moment: Duration) {
        let _ = moment;
    }
}

/// Random bytes.
pub trait Random: fmt::Debug + Send + Sync + 'static {
    /// Fills `buffer`.
    fn fill(&self, buffer: &mut [u8]);
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A wall clock that stands still, so that each assertion is the same every time.
///
/// Elapsed time still runs, so that deadlines keep their meaning.
#[derive(Debug)]
pub struct FrozenClock {
    now: Duration,
    since: Instant,
}

impl FrozenClock {
    /// A clock that always shows `now`, as time since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn at(now: Duration) -> Self {
        Self { now, since: Instant::now() }
    }
}

impl Clock for FrozenClock {
    fn now(&self) -> Duration {
        self.now
    }

    fn monotonic(&self) -> Duration {
        self.since.elapsed()
    }
}

/// The clock of a replay: a wall clock that stands still, and elapsed time that passes as the tape
/// says.
///
/// It goes on when an answer comes that took some time on the tape, and when a timer fires. What a
/// call measures is then the same each time, and a deadline keeps its meaning.
#[derive(Debug)]
pub struct ReplayClock {
    now: Duration,
    elapsed: Mutex<Duration>,
}

impl ReplayClock {
    /// A clock that always shows `now`, as time since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn at(now: Duration) -> Self {
        Self { now, elapsed: Mutex::default() }
    }
}

impl Clock for ReplayClock {
    fn now(&self) -> Duration {
        self.now
    }

    fn monotonic(&self) -> Duration {
        *self.elapsed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reach(&self, moment: Duration) {
        let mut elapsed = self.elapsed.lock().unwrap_or_else(PoisonError::into_inner);
        *elapsed = moment.max(*elapsed);
    }
}

/// The operating system's randomness.
#[derive(Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).expect("the operating system provides randomness");
    }
}

/// Bytes that follow from a seed (SplitMix64): for replay only, never for a secret.
#[derive(Debug)]
pub struct SeededRandom(Mutex<u64>);

impl SeededRandom {
    /// The sequence that belongs to `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
}

impl Random for SeededRandom {
    fn fill(&self, buffer: &mut [u8]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in buffer.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^= z >> 31;
            chunk.copy_from_slice(&z.to_le_bytes()[..chunk.len()]);
        }
    }
}
