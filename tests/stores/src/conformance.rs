//! Has hosts do the steps of the conformance component (`tests/guests/conformance`), several at once where only that shows
//! what there is to see.

use std::{
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use gcf_host::secrets::{SecretStore, StoreError};

/// A host with the component, and a store behind it.
pub(crate) trait Host: Sync {
    /// An instance, which lives as long as the host lets it.
    fn start(&self) -> Box<dyn Guest + '_>;
}

/// The component in a host: its steps, each of which says what was wrong.
pub(crate) trait Guest: Send {
    fn one_caller(&mut self) -> Outcome;
    fn leave(&mut self) -> Outcome;
    fn find(&mut self) -> Outcome;
    fn clear(&mut self) -> Outcome;
    fn count(&mut self, times: u32) -> Outcome<u32>;
    fn counted(&mut self) -> Outcome<u32>;
    fn lease(&mut self, name: &str, ttl: Duration) -> Outcome<Option<String>>;
    fn release(&mut self, name: &str, token: &str) -> Outcome;
    fn unavailable(&mut self) -> Outcome;
}

pub(crate) type Outcome<T = ()> = Result<T, String>;

/// One store, seen from two hosts that share nothing else.
pub(crate) struct Hosts<'a> {
    pub(crate) name: &'a str,
    pub(crate) one: &'a dyn Host,
    pub(crate) two: &'a dyn Host,
    /// Moves the store's clock on; where nobody moves it, the hosts ask until it has.
    pub(crate) pass: &'a dyn Fn(Duration),
}

/// Passes everything, on a store that is empty, and says what it took.
pub(crate) fn pass(hosts: &Hosts<'_>) {
    hosts.one.start().one_caller().unwrap();
    hosts.one.start().leave().unwrap();
    hosts.two.start().find().unwrap();
    hosts.two.start().clear().unwrap();
    a_lease_ends(hosts);
    one_lease_for_many(hosts);
    no_update_is_lost(hosts);
    // Nothing is left, or this would fail.
    hosts.two.start().one_caller().unwrap();
}

fn a_lease_ends(hosts: &Hosts<'_>) {
    let (mut one, mut two) = (hosts.one.start(), hosts.two.start());
    let name = "tokens/a";
    // Before it is granted: whatever the machine does in between, it has not ended earlier than this tells.
    let began = Instant::now();
    let first = one.lease(name, SHORT).unwrap().expect("it is free");
    // On a busy machine it may have ended before the other host is done with its question.
    let while_held = two.lease(name, SHORT).unwrap();
    let second = match while_held {
        Some(token) => {
            assert!(began.elapsed() > SHORT, "two have one lease");
            token
        }
        None => {
            (hosts.pass)(SHORT);
            loop {
                if let Some(token) = two.lease(name, LONG).unwrap() {
                    break token;
                }
                assert!(began.elapsed() < GRACE, "it does not end");
            }
        }
    };
    one.release(name, &first).unwrap();
    assert_eq!(one.lease(name, LONG).unwrap(), None, "the token of a lease that has ended ended the next");
    two.release(name, &second).unwrap();
}

fn one_lease_for_many(hosts: &Hosts<'_>) {
    let name = "tokens/many";
    let (granted, took) = at_once(hosts, ASKING, |guest| guest.lease(name, LONG).unwrap());
    let granted: Vec<String> = granted.into_iter().flatten().collect();
    println!("{}: {ASKING} asked for one lease, {} have it, {took:?}", hosts.name, granted.len());
    assert_eq!(granted.len(), 1);
    hosts.two.start().release(name, &granted[0]).unwrap();
}

fn no_update_is_lost(hosts: &Hosts<'_>) {
    let (late, took) = at_once(hosts, WORKERS, |guest| guest.count(COUNTS).unwrap());
    let total = hosts.two.start().counted().unwrap();
    let (name, late) = (hosts.name, late.iter().sum::<u32>());
    println!(
        "{name}: {WORKERS} workers on two hosts counted to {total}, {late} attempts came too late, {took:?}"
    );
    assert_eq!(total as usize, WORKERS * COUNTS as usize);
}

/// Has so many instances do something at once, every other one on the second host.
fn at_once<T: Send>(
    hosts: &Hosts<'_>,
    instances: usize,
    step: impl Fn(&mut dyn Guest) -> T + Sync,
) -> (Vec<T>, Duration) {
    let (start, step) = (&Barrier::new(instances + 1), &step);
    // Before anybody waits for all: where one cannot be made, they would wait for ever.
    let guests: Vec<_> = (0..instances)
        .map(|number| if number % 2 == 0 { hosts.one.start() } else { hosts.two.start() })
        .collect();
    thread::scope(|scope| {
        let at_work: Vec<_> = guests
            .into_iter()
            .map(|mut guest| {
                scope.spawn(move || {
                    start.wait();
                    step(&mut *guest)
                })
            })
            .collect();
        start.wait();
        let began = Instant::now();
        (at_work.into_iter().map(|one| one.join().unwrap()).collect(), began.elapsed())
    })
}

/// Checks a store whose server stops and starts again: it says so, and goes on without a new start of its own.
pub(crate) fn outlives_its_server(host: &dyn Host, stop: impl FnOnce(), start: impl FnOnce()) {
    let mut guest = host.start();
    guest.leave().unwrap();
    stop();
    let began = Instant::now();
    guest.unavailable().unwrap();
    assert!(began.elapsed() < GRACE, "a server that is not there takes {:?}", began.elapsed());
    start();
    guest.find().unwrap();
    guest.clear().unwrap();
}

/// Checks a store whose server takes a connection and says nothing.
pub(crate) fn keeps_its_time(store: &dyn SecretStore) {
    let began = Instant::now();
    assert!(matches!(store.get("a"), Err(StoreError::Unavailable(_))));
    assert!(began.elapsed() < GRACE, "{:?}", began.elapsed());
}

const WORKERS: usize = 8;
const COUNTS: u32 = 25;
const ASKING: usize = 16;
const SHORT: Duration = Duration::from_millis(1500);
const LONG: Duration = Duration::from_secs(60);
/// The time after which something that should have ended never does.
const GRACE: Duration = Duration::from_secs(20);
