//! The limits of one call, and the meters of its processor time and memory.

pub(crate) mod account;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use wasmtime::ResourceLimiter;

use self::account::Account;
use crate::error::Limit;

/// The limits of one call. A call that needs more is stopped, and its sandbox thrown away.
///
/// The sizes of bodies are not here: the component keeps them, and names them in its catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Memory in bytes; 128 MiB. At most 4 GiB. It is the guest's own, its tables, and what the host keeps at
    /// its word: headers, requests, and bodies on their way.
    pub memory: usize,
    /// Time on the processor, waiting not counted; 2 s. Kept to within some 10 ms.
    pub cpu: Duration,
    /// Requests that one call may send, repeated ones included; 256: a list reads 150 pages at most, and asks
    /// for regions and tokens besides.
    pub requests: u32,
    /// The time that a call gets beyond its deadline, which the component keeps itself; 5 s.
    pub grace: Duration,
    /// The deadline of a call that was given none; 3,630 s: the longest time of a function, and some more.
    /// With the grace it is 3,635 s.
    pub longest: Duration,
    /// Calls that run at once, of all [tenants](crate::Host::for_tenant) together; 256. Others wait, within their deadline.
    pub calls: u32,
    /// The call's use of the secret store.
    pub store: StoreLimits,
}

/// The limits of one call's use of the secret store. Only the deadline of the call limits the wait for the
/// store; its time on the processor counts towards [`Limits::cpu`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreLimits {
    /// Calls of any kind; 20,000: a list of connections takes two for each.
    pub calls: u32,
    /// Values written; 256: one for each request that a call may send.
    pub writes: u32,
    /// Bytes written; 1 MiB. A value has 64 KiB at most.
    pub bytes: usize,
    /// Leases granted; 64. Asking again for one that somebody else has does not count.
    pub leases: u32,
    /// Signatures; 64. A call needs two, and one more for each time that it must ask for a token again.
    pub signatures: u32,
}

impl StoreLimits {
    /// The default of each field.
    pub const DEFAULT: Self = Self { calls: 20_000, writes: 256, bytes: 1 << 20, leases: 64, signatures: 64 };
}

impl Default for StoreLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 128 << 20,
            cpu: Duration::from_secs(2),
            requests: 256,
            grace: Duration::from_secs(5),
            longest: Duration::from_secs(3_630),
            calls: 256,
            store: StoreLimits::DEFAULT,
        }
    }
}

impl Limits {
    /// The time that the host waits for a call with this deadline.
    pub(crate) fn patience(&self, deadline: Option<Duration>) -> Duration {
        deadline.unwrap_or(self.longest).saturating_add(self.grace)
    }
}

/// Counts the processor time of one call.
///
/// The engine's epochs alone cannot: they go on while a call waits for an answer. So the clock runs only
/// while the call's future is being polled, and the epochs are merely the occasions on which it is read. It
/// is the processor's time on the thread that polls, so a crowded machine makes no difference; where the
/// system does not count that, it is wall time, and strict on a crowded machine.
#[derive(Debug)]
pub(crate) struct CpuMeter {
    limit: Duration,
    reading: Mutex<Reading>,
}

#[derive(Debug, Default)]
struct Reading {
    used: Duration,
    since: Option<Moment>,
}

/// A moment on the clock of the thread that asks.
#[derive(Debug, Clone, Copy)]
struct Moment(Duration);

impl Moment {
    #[cfg(unix)]
    fn now() -> Self {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Self(Duration::try_from(time).unwrap_or_default())
    }

    #[cfg(not(unix))]
    fn now() -> Self {
        static START: std::sync::LazyLock<std::time::Instant> =
            std::sync::LazyLock::new(std::time::Instant::now);
        Self(START.elapsed())
    }

    fn elapsed(self) -> Duration {
        Self::now().0.saturating_sub(self.0)
    }
}

impl CpuMeter {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit, reading: Mutex::default() }
    }

    /// Runs `work` with the clock going.
    pub(crate) fn charge<T>(&self, work: impl FnOnce() -> T) -> T {
        self.reading().since = Some(Moment::now());
        let result = work();
        self.stop();
        result
    }

    /// Runs `work`, and measures its time on this thread's processor, which may be another one than the
    /// guest's.
    pub(crate) fn measure<T>(work: impl FnOnce() -> T) -> (T, Duration) {
        let since = Moment::now();
        let result = work();
        (result, since.elapsed())
    }

    /// Charges the time of another thread that worked for the guest.
    pub(crate) fn add(&self, time: Duration) {
        self.reading().used += time;
    }

    /// Fails once the limit is reached.
    pub(crate) fn check(&self) -> Result<(), Limit> {
        let reading = self.reading();
        let running = reading.since.map_or(Duration::ZERO, |since| since.elapsed());
        if reading.used + running > self.limit { Err(Limit::Cpu(self.limit)) } else { Ok(()) }
    }

    fn stop(&self) {
        let mut reading = self.reading();
        if let Some(since) = reading.since.take() {
            reading.used += since.elapsed();
        }
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        // Every state of a reading is a valid one, so a panic elsewhere does not spoil it.
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts the memory of one sandbox over all of its linear memories and tables.
#[derive(Debug)]
pub(crate) struct MemoryMeter {
    account: Arc<Account>,
}

impl MemoryMeter {
    pub(crate) fn new(limit: usize) -> Self {
        Self { account: Account::new(limit) }
    }

    /// The account, in which the things that the host keeps for the same guest are counted too.
    pub(crate) fn account(&self) -> &Arc<Account> {
        &self.account
    }
}

impl ResourceLimiter for MemoryMeter {
    // An error, not `false`: a guest told `false` would abort, and nobody would know why.
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.account.take(desired.saturating_sub(current))?;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > TABLE_ELEMENTS {
            return Ok(false);
        }
        self.account.take(desired.saturating_sub(current).saturating_mul(size_of::<usize>()))?;
        Ok(true)
    }

    // The pool has places for a call's usual number; this bounds it where others leave theirs, or there is no pool.
    fn instances(&self) -> usize {
        PARTS as usize
    }

    fn memories(&self) -> usize {
        PARTS as usize
    }

    fn tables(&self) -> usize {
        PARTS as usize
    }
}

/// Modules, memories or tables of one component. A component of wit-component's has the module itself and two
/// small ones that link it.
pub(crate) const PARTS: u32 = 8;

/// Elements of one table: function pointers; the component has some thousands of them.
pub(crate) const TABLE_ELEMENTS: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_gets_its_deadline_and_the_grace() {
        let limits = Limits::default();
        assert_eq!(limits.patience(Some(Duration::from_secs(30))), Duration::from_secs(35));
        assert_eq!(limits.patience(None), Duration::from_secs(3_635));
        assert_eq!(limits.patience(Some(Duration::MAX)), Duration::MAX);
    }

    #[test]
    fn memory_counts_over_all_memories() {
        let mut meter = MemoryMeter::new(3 << 16);
        assert!(meter.memory_growing(0, 1 << 16, None).is_ok_and(|grown| grown));
        assert!(meter.memory_growing(0, 2 << 16, None).is_ok_and(|grown| grown));
        let error = meter.memory_growing(1 << 16, (1 << 16) + 1, None).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Limit::Memory(3 << 16)));
        let mut meter = MemoryMeter::new(TABLE_ELEMENTS * 8 + 7);
        assert!(meter.table_growing(0, TABLE_ELEMENTS + 1, None).is_ok_and(|grown| !grown));
        assert!(meter.table_growing(0, TABLE_ELEMENTS, None).is_ok_and(|grown| grown));
        let error = meter.table_growing(0, 1, None).unwrap_err();
        assert!(error.is::<Limit>(), "tables count with the rest: {error}");
    }

    /// Keeps this thread's processor busy.
    fn spin(time: Duration) {
        let start = Moment::now();
        while start.elapsed() < time {
            std::hint::spin_loop();
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_other_threads_do_meanwhile_is_not_charged() {
        let meter = CpuMeter::new(Duration::from_secs(60));
        let busy = Duration::from_millis(50);
        meter.charge(|| std::thread::spawn(move || spin(busy)).join().unwrap());
        assert!(meter.reading().used < busy, "{:?}", meter.reading().used);
    }

    #[test]
    fn the_processor_clock_runs_only_while_it_is_charged() {
        let meter = CpuMeter::new(Duration::from_secs(60));
        spin(Duration::from_millis(3));
        assert_eq!(meter.reading().used, Duration::ZERO);
        meter.charge(|| spin(Duration::from_millis(3)));
        assert!(meter.reading().used >= Duration::from_millis(3));
        assert_eq!(meter.check(), Ok(()));
    }

    #[test]
    fn what_another_thread_does_for_a_guest_is_charged() {
        let meter = CpuMeter::new(Duration::from_millis(2));
        let busy = || CpuMeter::measure(|| spin(Duration::from_millis(3))).1;
        let elsewhere = std::thread::spawn(busy).join().unwrap();
        assert!(elsewhere >= Duration::from_millis(3), "{elsewhere:?}");
        meter.add(elsewhere);
        assert_eq!(meter.check(), Err(Limit::Cpu(Duration::from_millis(2))));
    }

    #[test]
    fn the_processor_limit_is_seen_while_the_clock_runs() {
        let meter = CpuMeter::new(Duration::ZERO);
        assert_eq!(meter.check(), Ok(()));
        let seen = meter.charge(|| {
            while meter.check().is_ok() {}
            meter.check()
        });
        assert_eq!(seen, Err(Limit::Cpu(Duration::ZERO)));
    }
}
