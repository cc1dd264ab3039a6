//! The machine: a thread's core, its processor time, and the memory of the process.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rustix::{
    thread::{CpuSet, sched_setaffinity},
    time::{ClockId, clock_gettime},
};

/// Keeps this thread on a core, where the system allows it and has so many.
pub(crate) fn stay_on(core: usize) {
    let mut cores = CpuSet::new();
    cores.set(core);
    let _ = sched_setaffinity(None, &cores);
}

/// The processor time of this thread.
pub(crate) fn cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(now.tv_sec).unwrap_or_default(),
        u32::try_from(now.tv_nsec).unwrap_or_default(),
    )
}

/// The memory of the process, in bytes.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Memory {
    /// The pages that are its own.
    pub(crate) own: u64,
    /// The pages of the component's image, counted as often as they are mapped: all calls share them.
    pub(crate) shared: u64,
}

impl Memory {
    fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let kilobytes = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
        };
        Self { own: kilobytes("RssAnon:") * 1024, shared: kilobytes("RssShmem:") * 1024 }
    }
}

/// A look at the memory every millisecond, from another core.
pub(crate) struct Peak {
    before: Memory,
    over: Arc<AtomicBool>,
    watcher: JoinHandle<Memory>,
}

impl Peak {
    /// Begins to look.
    pub(crate) fn watch() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&over);
        let watcher = thread::spawn(move || {
            stay_on(1);
            let mut most = Memory::default();
            while !ends.load(Ordering::Relaxed) {
                let now = Memory::now();
                if now.own > most.own {
                    most = now;
                }
                thread::sleep(Duration::from_millis(1));
            }
            most
        });
        Self { before: Memory::now(), over, watcher }
    }

    /// The most there was, beyond what there had been before.
    pub(crate) fn end(self) -> Memory {
        self.over.store(true, Ordering::Relaxed);
        let most = self.watcher.join().expect("it only looks");
        Memory {
            own: most.own.saturating_sub(self.before.own),
            shared: most.shared.saturating_sub(self.before.shared),
        }
    }
}

/// The processor, as the system names it, and how many there are.
pub(crate) fn name() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let model = model.map_or("an unknown processor", |(_, name)| name.trim());
    // Not `available_parallelism`, which knows that this thread may use one alone.
    let cores = info.lines().filter(|line| line.starts_with("processor")).count();
    format!("{model}, {cores} cores")
}
