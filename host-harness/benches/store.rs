//! The longest time that a runtime with one thread is kept from its other tasks, while 64 calls wait for a
//! slow store.
//!
//! `cargo bench --bench store`, after `cargo xtask build`; the component is `target/gcf-connector.wasm`, or
//! the file that `GCF_COMPONENT` names. It prints the worst gap of a ticker of 5 ms beside the calls, and
//! that of the same ticker alone, and fails beyond 25 ms.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it has measured")]

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use gcf_host::{
    Host,
    secrets::{Entry, Expected, Lease, MemoryStore, SecretStore, StoreError},
};

const TICK: Duration = Duration::from_millis(5);
const STORE: Duration = Duration::from_millis(20);
const CALLS: usize = 64;
const BOUND: Duration = Duration::from_millis(25);

/// A store that takes its time for each call.
#[derive(Debug)]
struct Slow(MemoryStore);

impl Slow {
    fn after<T>(answer: T) -> T {
        thread::sleep(STORE);
        answer
    }
}

impl SecretStore for Slow {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        Self::after(self.0.get(key))
    }

    fn put(&self, key: &str, value: &str, expected: &Expected) -> Result<String, StoreError> {
        Self::after(self.0.put(key, value, expected))
    }

    fn delete(&self, key: &str, expected: &Expected) -> Result<(), StoreError> {
        Self::after(self.0.delete(key, expected))
    }

    fn keys(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        Self::after(self.0.keys(prefix))
    }

    fn acquire_lease(&self, name: &str, ttl: Duration) -> Result<Lease, StoreError> {
        Self::after(self.0.acquire_lease(name, ttl))
    }

    fn release_lease(&self, name: &str, token: &str) -> Result<(), StoreError> {
        Self::after(self.0.release_lease(name, token))
    }

    fn sign(&self, key: &str, message: &[u8]) -> Result<Vec<u8>, StoreError> {
        Self::after(self.0.sign(key, message))
    }
}

/// The worst gap between two ticks while `work` runs.
async fn worst_gap(work: impl Future<Output = ()>) -> Duration {
    let ticker = tokio::spawn(async {
        let mut worst = Duration::ZERO;
        let mut last = Instant::now();
        loop {
            tokio::time::sleep(TICK).await;
            worst = worst.max(last.elapsed());
            last = Instant::now();
            WORST.store(
                u64::try_from(worst.as_micros()).unwrap_or(u64::MAX),
                std::sync::atomic::Ordering::Relaxed,
            );
        }
    });
    work.await;
    ticker.abort();
    Duration::from_micros(WORST.swap(0, std::sync::atomic::Ordering::Relaxed))
}

static WORST: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

fn main() -> ExitCode {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/gcf-connector.wasm");
    let component = std::env::var_os("GCF_COMPONENT").map_or_else(|| PathBuf::from(default), PathBuf::from);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime can be made");
    let store = MemoryStore::new();
    for id in 0..4 {
        let connection = r#"{"format":1,"nickname":"n","project":"p","region":"us-central1","signs_in":{"type":"injected-token","account":"a"}}"#;
        store
            .put(&format!("connections/000000000000000{id}"), connection, &Expected::Absent)
            .expect("it is empty");
    }
    let host = Host::builder().component_file(component).secrets(Arc::new(Slow(store))).build();
    let host = host.expect("`cargo xtask build` has made the component");
    let alone = runtime.block_on(async { worst_gap(tokio::time::sleep(Duration::from_secs(1))).await });
    let beside = runtime.block_on(async {
        let calls = async {
            let calls: Vec<_> = (0..CALLS)
                .map(|_| {
                    let host = host.clone();
                    tokio::spawn(async move { host.connections().await.map(|list| list.len()) })
                })
                .collect();
            for call in calls {
                let listed = call.await.expect("no call panics").expect("the store answers");
                assert_eq!(listed, 4);
            }
        };
        worst_gap(calls).await
    });
    let ratio = beside.as_secs_f64() / alone.as_secs_f64();
    println!(
        "worst gap of a ticker of {TICK:?}: {beside:?} beside {CALLS} calls on a store of {STORE:?}, {alone:?} alone: {ratio:.1} times"
    );
    if beside > BOUND { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
