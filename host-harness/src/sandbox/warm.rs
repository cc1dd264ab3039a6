//! Warm instances: those that have served a call and wait for another one of the same connection.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use wasmtime::{Store, component::Instance};

use super::{secret_store::Secrets, state::State};
use crate::secrets::visible::Scope;

/// Instances that serve more than one call, for hosts that call often; see [`HostBuilder::warm_instances`].
///
/// An instance serves further calls of one connection only, with the same rights to the store. It is thrown away after a
/// call that failed, was stopped or was dropped, and if it still holds anything of the host or has grown large. Between
/// two calls the connector clears its memory, which a component of your own need not do: docs/decisions/0029 says why
/// that is safe.
///
/// [`HostBuilder::warm_instances`]: crate::HostBuilder::warm_instances
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WarmInstances {
    /// Instances that wait at most, of all tenants together; 16. Each keeps its memory: some hundred kilobytes, and 4 MiB at most.
    pub idle: u32,
    /// Calls that one instance serves; 100.
    pub calls: u32,
    /// The time from its first call after which an instance serves no other; 60 s. It is thrown away soon after.
    pub age: Duration,
}

impl Default for WarmInstances {
    fn default() -> Self {
        Self { idle: 16, calls: 100, age: Duration::from_secs(60) }
    }
}

/// The memory of an instance that is kept at most, in bytes: that of one that took a large body has served its purpose.
const MEMORY: usize = 4 << 20;

/// The instances that wait for a further call.
pub(crate) struct Idle {
    bounds: WarmInstances,
    waiting: Mutex<Vec<(Scope, Started)>>,
}

/// A sandbox, and the component in it once that has started.
pub(crate) struct Started {
    pub(crate) store: Store<State>,
    pub(crate) instance: Option<Instance>,
    /// Calls that it has served.
    pub(crate) calls: u32,
    /// The moment of its first call, on the host's clock.
    pub(crate) since: Duration,
}

impl Idle {
    pub(crate) fn new(bounds: WarmInstances) -> Self {
        Self { bounds, waiting: Mutex::default() }
    }

    /// Takes one that has served a call with the same rights to the same store.
    pub(crate) fn take(&self, scope: &Scope, secrets: &Secrets, now: Duration) -> Option<Started> {
        let mut waiting = self.waiting();
        let place = waiting.iter().rposition(|(other, started)| {
            other == scope && started.store.data().secrets.are_of(secrets) && self.is_young(started, now)
        })?;
        Some(waiting.remove(place).1)
    }

    /// Keeps one that has just served a call well, unless it has served its last, still holds something of the host, or
    /// there is no room.
    pub(crate) fn keep(&self, scope: Scope, started: Started, now: Duration) {
        if started.calls >= self.bounds.calls
            || !self.is_young(&started, now)
            || !started.store.data().holds_nothing()
            || started.store.data().memory.account().used() > MEMORY
        {
            return;
        }
        let oldest = {
            let mut waiting = self.waiting();
            waiting.push((scope, started));
            let many = waiting.len() > self.bounds.idle as usize;
            many.then(|| waiting.remove(0))
        };
        // To clear a sandbox away takes longer than others should wait.
        drop(oldest);
    }

    /// Throws away those that have served calls of this store's.
    pub(crate) fn forget(&self, secrets: &Secrets) {
        let gone: Vec<_> = self
            .waiting()
            .extract_if(.., |(_, started)| started.store.data().secrets.are_of(secrets))
            .collect();
        drop(gone);
    }

    /// Throws away those that are too old.
    pub(crate) fn expire(&self, now: Duration) {
        let old: Vec<_> =
            self.waiting().extract_if(.., |(_, started)| !self.is_young(started, now)).collect();
        drop(old);
    }

    fn is_young(&self, started: &Started, now: Duration) -> bool {
        now.saturating_sub(started.since) < self.bounds.age
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<(Scope, Started)>> {
        // What a panic elsewhere has left is a list of instances all the same.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
