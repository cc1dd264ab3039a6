use std::{
    fmt,
    pin::pin,
    sync::{
        Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    task::{Context, Poll, Waker},
};

use super::*;
use crate::{clock::SystemClock, secrets::MemoryStore};

const ID: &str = "00000000000000aa";

fn call(store: Arc<dyn SecretStore>, signs: bool, limits: StoreLimits) -> CallSecrets {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let cpu = Arc::new(CpuMeter::new(Duration::from_secs(60)));
    Secrets::new(store, signs).within(Scope::connection(ID), limits, &clock, &cpu)
}

fn secrets(signs: bool) -> CallSecrets {
    call(Arc::new(MemoryStore::default()), signs, StoreLimits::DEFAULT)
}

fn key(kind: &str) -> String {
    format!("{kind}/{ID}")
}

#[tokio::test]
async fn what_is_written_is_read_with_its_version() {
    let mut secrets = secrets(true);
    let name = key("tokens") + "/b";
    let version = secrets.put(name.clone(), "value".into(), wit::Expected::Absent).await.unwrap().unwrap();
    let entry = secrets.get(name.clone()).await.unwrap().unwrap().unwrap();
    assert_eq!((entry.value.as_str(), &entry.version), ("value", &version));
    let again = secrets.put(name.clone(), "value".into(), wit::Expected::Absent).await.unwrap();
    assert_eq!(again, Err(StoreError::VersionMismatch));
    assert_eq!(secrets.keys("tokens/".into()).await.unwrap().unwrap(), std::slice::from_ref(&name));
    secrets.delete(name.clone(), wit::Expected::Version(version)).await.unwrap().unwrap();
    assert!(secrets.get(name).await.unwrap().unwrap().is_none());
}

#[tokio::test]
async fn a_malformed_key_never_reaches_the_store() {
    let mut secrets = secrets(true);
    for key in ["", "Keys/a", "a b", "a\\b", "a\0", "ä", &"a".repeat(257)] {
        let get = secrets.get(key.into()).await.unwrap();
        assert!(matches!(get, Err(StoreError::Other(_))), "{key}");
        let put = secrets.put(key.into(), "value".into(), wit::Expected::Anything).await.unwrap();
        assert!(matches!(put, Err(StoreError::Other(_))), "{key}");
        let lease = secrets.acquire_lease(key.into(), 1).await.unwrap();
        assert!(matches!(lease, Err(StoreError::Other(_))), "{key}");
    }
    assert!(secrets.keys(String::new()).await.unwrap().unwrap().is_empty());
}

#[tokio::test]
async fn a_value_is_at_most_64_kib() {
    let mut secrets = secrets(true);
    let fits = secrets.put(key("keys"), "x".repeat(64 * 1024), wit::Expected::Anything).await.unwrap();
    assert!(fits.is_ok());
    let put = secrets.put(key("keys"), "x".repeat(64 * 1024 + 1), wit::Expected::Anything).await.unwrap();
    assert!(matches!(put, Err(StoreError::Other(_))), "{put:?}");
}

#[tokio::test]
async fn nothing_longer_than_a_value_crosses_to_the_store() {
    let long = || "x".repeat(64 * 1024 + 1);
    let mut secrets = secrets(true);
    let version = || wit::Expected::Version(long());
    let is_too_long =
        |error: StoreError| matches!(&error, StoreError::Other(why) if why.message.contains("too long"));
    assert!(is_too_long(secrets.put(key("status"), "x".into(), version()).await.unwrap().unwrap_err()));
    assert!(is_too_long(secrets.delete(key("status"), version()).await.unwrap().unwrap_err()));
    assert!(is_too_long(secrets.release_lease(key("tokens"), long()).await.unwrap().unwrap_err()));
    let rs256 = wit::SignatureAlgorithm::Rs256;
    assert!(is_too_long(secrets.sign(key("keys"), rs256, long().into_bytes()).await.unwrap().unwrap_err()));
    assert_eq!(
        secrets.sign(key("keys"), rs256, vec![0; 64 * 1024]).await.unwrap(),
        Err(StoreError::Unsupported)
    );
}

#[tokio::test]
async fn a_host_that_does_not_sign_says_so() {
    let rs256 = wit::SignatureAlgorithm::Rs256;
    let signature = secrets(false).sign(key("keys"), rs256, b"message".to_vec()).await.unwrap();
    assert_eq!(signature, Err(StoreError::Unsupported));
}

#[tokio::test]
async fn a_lease_is_held_until_it_is_given_back() {
    let mut secrets = secrets(true);
    let name = key("tokens") + "/a";
    let wit::Lease::Granted(token) = secrets.acquire_lease(name.clone(), 60_000).await.unwrap().unwrap()
    else {
        panic!("the first one gets it")
    };
    let wit::Lease::Held(rest) = secrets.acquire_lease(name.clone(), 60_000).await.unwrap().unwrap() else {
        panic!("the second one does not")
    };
    assert!(rest <= 60_000);
    secrets.release_lease(name.clone(), token).await.unwrap().unwrap();
    assert!(matches!(secrets.acquire_lease(name, 1).await.unwrap(), Ok(wit::Lease::Granted(_))));
}

#[tokio::test]
async fn a_limit_ends_the_call() {
    let limits = StoreLimits { calls: 3, writes: 2, bytes: 6, leases: 1, signatures: 1 };
    let fresh = || call(Arc::new(MemoryStore::default()), true, limits);

    let mut calls = fresh();
    for _ in 0..3 {
        assert_eq!(calls.get(key("keys")).await.unwrap(), Ok(None));
    }
    assert_eq!(calls.keys(String::new()).await, Err(Limit::StoreCalls(3)));

    // A refusal counts as well: asking costs the same.
    let mut denied = fresh();
    for _ in 0..3 {
        assert!(denied.get("keys/00000000000000bb".into()).await.unwrap().is_err());
    }
    assert_eq!(denied.get("keys/00000000000000bb".into()).await.unwrap_err(), Limit::StoreCalls(3));

    let mut writes = fresh();
    let put = async |secrets: &mut CallSecrets, value: &str| {
        secrets.put(key("status"), value.to_owned(), wit::Expected::Anything).await
    };
    assert!(put(&mut writes, "x").await.unwrap().is_ok());
    assert!(put(&mut writes, "x").await.unwrap().is_ok());
    assert_eq!(put(&mut writes, "x").await, Err(Limit::StoreWrites(2)));
    assert_eq!(put(&mut fresh(), "7 bytes").await, Err(Limit::StoreBytes(6)));

    let mut leases = fresh();
    assert!(leases.acquire_lease(key("tokens"), 60_000).await.unwrap().is_ok());
    assert_eq!(leases.acquire_lease(key("status"), 60_000).await, Err(Limit::Leases(1)));

    let rs256 = wit::SignatureAlgorithm::Rs256;
    let mut signatures = fresh();
    assert!(signatures.sign(key("keys"), rs256, Vec::new()).await.is_ok());
    assert_eq!(signatures.sign(key("keys"), rs256, Vec::new()).await, Err(Limit::Signatures(1)));
}

/// A store that answers only once somebody else has had a turn.
struct Waiting {
    turns: Mutex<Receiver<()>>,
    blocks: bool,
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waiting")
    }
}

impl SecretStore for Waiting {
    fn may_block(&self) -> bool {
        self.blocks
    }

    fn get(&self, _: &str) -> Result<Option<Entry>, StoreError> {
        // Long enough for any machine, and never waited for where the others do get their turn.
        let turn = self.turns.lock().unwrap().recv_timeout(Duration::from_secs(20));
        turn.map(|()| None).map_err(|_| StoreError::unavailable("nobody else had a turn"))
    }

    fn put(&self, key: &str, _: &str, _: &Expected) -> Result<String, StoreError> {
        self.get(key).map(|_| String::new())
    }

    fn delete(&self, key: &str, _: &Expected) -> Result<(), StoreError> {
        self.get(key).map(drop)
    }

    fn keys(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.get(prefix).map(|_| Vec::new())
    }

    fn acquire_lease(&self, name: &str, _: Duration) -> Result<Lease, StoreError> {
        self.get(name).map(|_| Lease::Granted(String::new()))
    }

    fn release_lease(&self, name: &str, _: &str) -> Result<(), StoreError> {
        self.get(name).map(drop)
    }

    fn sign(&self, key: &str, _: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.get(key).map(|_| Vec::new())
    }
}

/// On a runtime with one thread, whatever the store is asked for.
#[tokio::test]
async fn others_have_their_turn_while_a_store_takes_its_time() {
    let (sender, turns): (Sender<()>, _) = channel();
    let store = Arc::new(Waiting { turns: Mutex::new(turns), blocks: true });
    let others = tokio::spawn(async move {
        for _ in 0..7 {
            tokio::task::yield_now().await;
            sender.send(()).unwrap();
        }
    });
    let mut secrets = call(store, true, StoreLimits::DEFAULT);
    assert_eq!(secrets.get(key("keys")).await.unwrap(), Ok(None));
    let put = secrets.put(key("keys"), String::new(), wit::Expected::Anything).await.unwrap();
    assert_eq!(put, Ok(String::new()));
    assert_eq!(secrets.delete(key("keys"), wit::Expected::Anything).await.unwrap(), Ok(()));
    assert_eq!(secrets.keys(String::new()).await.unwrap(), Ok(Vec::new()));
    assert!(secrets.acquire_lease(key("tokens"), 1).await.unwrap().is_ok());
    assert!(secrets.release_lease(key("tokens"), String::new()).await.unwrap().is_ok());
    assert!(secrets.sign(key("keys"), wit::SignatureAlgorithm::Rs256, Vec::new()).await.unwrap().is_ok());
    others.await.unwrap();
}

/// A store that burns the processor's time of its caller.
#[derive(Debug)]
struct Busy {
    store: MemoryStore,
    may_block: bool,
}

impl Busy {
    fn new(may_block: bool) -> Arc<Self> {
        Arc::new(Self { store: MemoryStore::new(), may_block })
    }
}

impl SecretStore for Busy {
    fn may_block(&self) -> bool {
        self.may_block
    }

    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        let (_, spent) = CpuMeter::measure(|| ());
        let mut burnt = spent;
        while burnt < Duration::from_millis(3) {
            burnt += CpuMeter::measure(|| std::hint::black_box((0..10_000_u32).sum::<u32>())).1;
        }
        self.store.get(key)
    }

    fn put(&self, key: &str, value: &str, expected: &Expected) -> Result<String, StoreError> {
        self.store.put(key, value, expected)
    }

    fn delete(&self, key: &str, expected: &Expected) -> Result<(), StoreError> {
        self.store.delete(key, expected)
    }

    fn keys(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.store.keys(prefix)
    }

    fn acquire_lease(&self, name: &str, ttl: Duration) -> Result<Lease, StoreError> {
        self.store.acquire_lease(name, ttl)
    }

    fn release_lease(&self, name: &str, token: &str) -> Result<(), StoreError> {
        self.store.release_lease(name, token)
    }

    fn sign(&self, key: &str, message: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.get(key)?;
        self.store.sign(key, message)
    }
}

#[tokio::test]
async fn the_time_of_the_store_is_charged_to_the_call() {
    let limit = Duration::from_millis(10);
    for op in ["get", "sign"] {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let cpu = Arc::new(CpuMeter::new(limit));
        let secrets = Secrets::new(Busy::new(true), true);
        let mut secrets = secrets.within(Scope::connection(ID), StoreLimits::DEFAULT, &clock, &cpu);
        let mut asked = 0;
        let stopped = loop {
            asked += 1;
            let answer = match op {
                "get" => secrets.get(key("keys")).await.map(drop),
                _ => secrets.sign(key("keys"), wit::SignatureAlgorithm::Rs256, Vec::new()).await.map(drop),
            };
            if let Err(limit) = answer {
                break limit;
            }
        };
        assert_eq!(stopped, Limit::Cpu(limit), "{op}");
        assert!(asked <= 4, "{op}: {asked}");
    }
}

/// The guest has no turn between these, so nobody else would stop it.
#[test]
fn the_time_of_a_store_on_the_calls_own_thread_is_judged_each_time() {
    let limit = Duration::from_millis(10);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let cpu = Arc::new(CpuMeter::new(limit));
    let secrets = Secrets::new(Busy::new(false), false);
    let mut secrets = secrets.within(Scope::connection(ID), StoreLimits::DEFAULT, &clock, &cpu);
    let answers: Vec<_> = cpu.charge(|| {
        (0..40)
            .map(|_| {
                let get = pin!(secrets.get(key("keys")));
                let Poll::Ready(answer) = get.poll(&mut Context::from_waker(Waker::noop())) else {
                    panic!("nobody waits here")
                };
                answer.map(drop)
            })
            .take_while(Result::is_ok)
            .collect()
    });
    assert!(answers.len() <= 3, "{} looks of 3 ms within 10 ms", answers.len());
}

#[tokio::test]
#[should_panic(expected = "the store's own fault")]
async fn a_panic_of_the_store_is_not_an_answer() {
    let secrets = Secrets::new(Arc::new(MemoryStore::new()), true);
    let _: ((), Duration) = secrets.ask(true, |_| panic!("the store's own fault")).await;
}

#[test]
fn what_is_left_of_a_lease_is_told_in_whole_milliseconds_and_never_as_nothing() {
    for (nanoseconds, told) in [(1, 1), (999_999, 1), (1_000_000, 1), (1_000_001, 2)] {
        let held = wit::Lease::from(Lease::Held(Duration::from_nanos(nanoseconds)));
        assert!(matches!(held, wit::Lease::Held(millis) if millis == told), "{nanoseconds} ns: {held:?}");
    }
}
