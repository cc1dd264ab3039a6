//! The sandbox: made for one call, and thrown away after it.

pub(crate) mod compiled;
pub(crate) mod engine;
pub(crate) mod exports;
pub(crate) mod secret_store;
pub(crate) mod state;
pub(crate) mod waiting;
pub(crate) mod warm;

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use serde_json::json;
use wasmtime::{
    CallHook, Store, UpdateDeadline,
    component::{Instance, ResourceTableError},
};

use self::{
    exports::Exports,
    secret_store::{CallSecrets, Secrets},
    state::State,
    warm::{Idle, Started},
};
use crate::{
    clock::{Clock, Random},
    egress::EgressPolicy,
    error::{HostError, Limit},
    limits::{CpuMeter, Limits, MemoryMeter},
    outgoing::{budget::RequestBudget, gate::Hooks, inject::AccessTokens, observer::Observer, turns::Turns},
    secrets::{SecretStore, visible::Scope},
    transport::Transport,
};

/// The parts that a sandbox is made of.
pub(crate) struct Sandbox {
    pub(crate) exports: Arc<Exports>,
    pub(crate) limits: Limits,
    pub(crate) secrets: Secrets,
    pub(crate) tokens: Option<Arc<dyn AccessTokens>>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) observer: Option<Observer>,
    /// Those that wait for a further call, if the host has chosen to have such.
    pub(crate) warm: Option<Arc<Idle>>,
}

impl Sandbox {
    /// The same with another store and another source of access tokens.
    pub(crate) fn for_tenant(
        &self,
        store: Arc<dyn SecretStore>,
        tokens: Option<Arc<dyn AccessTokens>>,
    ) -> Self {
        Self {
            exports: Arc::clone(&self.exports),
            limits: self.limits,
            secrets: Secrets::new(store, self.secrets.signs),
            tokens,
            transport: Arc::clone(&self.transport),
            clock: Arc::clone(&self.clock),
            random: Arc::clone(&self.random),
            observer: self.observer.clone(),
            warm: self.warm.clone(),
        }
    }

    /// The component's catalog, without a runtime: it needs neither network nor timer, and gets none.
    pub(crate) fn describe(&self) -> Result<String, HostError> {
        let nothing = EgressPolicy::from_manifest(&json!([])).expect("an empty manifest is valid");
        let budget = Arc::new(RequestBudget::new(0));
        let call = self.run(
            Scope::nothing(),
            Arc::new(nothing),
            budget,
            DESCRIBE,
            async |store: &mut Store<State>, instance: &Instance| {
                self.exports.call(store, instance, "catalog.describe", ()).await.map(Ok::<_, Infallible>)
            },
        );
        let catalog = wait(call, DESCRIBE).unwrap_or(Err(HostError::DeadlineExceeded(DESCRIBE)))?;
        Ok(catalog.unwrap_or_else(|never| match never {}))
    }

    /// Runs `call` in a sandbox that is made for it, or that has served others with the same rights, and throws it away or
    /// keeps it for another.
    pub(crate) async fn run<T, E>(
        &self,
        scope: Scope,
        policy: Arc<EgressPolicy>,
        budget: Arc<RequestBudget>,
        patience: Duration,
        call: impl AsyncFnOnce(&mut Store<State>, &Instance) -> wasmtime::Result<Result<T, E>>,
    ) -> Result<Result<T, E>, HostError> {
        let cpu = Arc::new(CpuMeter::new(self.limits.cpu));
        let hooks = Hooks {
            policy,
            tokens: self.tokens.clone(),
            transport: Arc::clone(&self.transport),
            observer: self.observer.clone(),
            budget: Arc::clone(&budget),
            turns: Turns::new(Arc::clone(&self.clock)),
            patience,
            held: None,
        };
        let secrets = self.secrets.within(scope.clone(), self.limits.store, &self.clock, &cpu);
        let warm = self.warm.as_deref().filter(|_| scope.is_of_a_connection());
        let taken = warm.and_then(|warm| warm.take(&scope, &self.secrets, self.clock.monotonic()));
        let mut started = match taken {
            Some(mut started) => {
                started.store.data_mut().serve(secrets, hooks);
                started
            }
            None => Started {
                store: self.store(secrets, hooks),
                instance: None,
                calls: 0,
                since: self.clock.monotonic(),
            },
        };
        meter(&mut started.store, &cpu);
        let answer = {
            let mut work = pin!(self.call_in(&mut started, call));
            // A guest told that it may send no more could still take its failure for one that passes.
            let stopped = || budget.exceeded().map(|limit| Err(HostError::LimitExceeded(limit)));
            poll_fn(|context| match cpu.charge(|| work.as_mut().poll(context)) {
                Poll::Ready(answer) => Poll::Ready(answer),
                Poll::Pending => stopped().map_or(Poll::Pending, Poll::Ready),
            })
            .await?
        };
        if let Some(warm) = warm.filter(|_| answer.is_ok() && budget.exceeded().is_none()) {
            warm.keep(scope, started, self.clock.monotonic());
        }
        Ok(answer)
    }

    /// Makes one call in this sandbox; its component is started first if it has not served any.
    async fn call_in<T, E>(
        &self,
        Started { store, instance, calls, .. }: &mut Started,
        call: impl AsyncFnOnce(&mut Store<State>, &Instance) -> wasmtime::Result<Result<T, E>>,
    ) -> Result<Result<T, E>, HostError> {
        let instance = match instance {
            Some(instance) => instance,
            None => instance.insert(self.start(store).await?),
        };
        *calls += 1;
        call(store, instance).await.map_err(|error| self.failure(&error))
    }

    async fn start(&self, store: &mut Store<State>) -> Result<Instance, HostError> {
        let instance = self.exports.instance.instantiate_async(store).await;
        instance.map_err(|error| HostError::from_start(&error))
    }

    /// The reason why a call broke off.
    fn failure(&self, error: &wasmtime::Error) -> HostError {
        // The table of what the host holds for the guest is as large as the memory allows.
        let full = matches!(error.downcast_ref(), Some(ResourceTableError::Full));
        if full {
            HostError::LimitExceeded(Limit::Memory(self.limits.memory))
        } else {
            HostError::from_call(error)
        }
    }

    fn store(&self, secrets: CallSecrets, hooks: Hooks) -> Store<State> {
        let memory = MemoryMeter::new(self.limits.memory);
        let state = State::new(Arc::clone(&self.clock), Arc::clone(&self.random), secrets, hooks, memory);
        let mut store = Store::new(self.exports.instance.engine(), state);
        // Only an engine that counts instructions takes any; see tests/cost.rs.
        #[cfg(test)]
        let _ = store.set_fuel(u64::MAX);
        store.limiter(|state| &mut state.memory);
        // The bytes that a guest hands over are copied before anybody can judge them. Its answer may be a
        // large one; its arguments to a function of the host are small.
        let answer = self.limits.memory;
        store.call_hook(move |mut store, hook| {
            #[cfg(test)]
            store.data_mut().crossings.count(hook);
            match hook {
                CallHook::CallingHost => store.set_hostcall_fuel(ARGUMENTS.min(answer)),
                CallHook::ReturningFromHost => store.set_hostcall_fuel(answer),
                CallHook::CallingWasm | CallHook::ReturningFromWasm => {}
            }
            Ok(())
        });
        store.set_hostcall_fuel(answer);
        store.set_max_component_handles(HANDLES);
        store
    }
}

/// Charges what the guest does from now on to this meter.
///
/// At every tick the guest is asked for its time, and others get a turn; without that a guest that computes would hold
/// its thread, and its own deadline could not fire.
fn meter(store: &mut Store<State>, cpu: &Arc<CpuMeter>) {
    let cpu = Arc::clone(cpu);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| {
        cpu.check()?;
        Ok(UpdateDeadline::Yield(1))
    });
}

/// Drives a future on this thread, for so long at most: [`HostBuilder::build`](crate::HostBuilder::build) is not an async function, and
/// must work inside a runtime as well as outside.
fn wait<T>(future: impl Future<Output = T>, patience: Duration) -> Option<T> {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let started = Instant::now();
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(result);
        }
        thread::park_timeout(patience.checked_sub(started.elapsed())?);
    }
}

/// Bytes that a guest may pass to one function of the host: a map of headers, a piece of a body, or an entry
/// of the store, which has 64 KiB at most.
const ARGUMENTS: usize = 256 * 1024;

/// Handles of all kinds that a guest may have at once, loans included.
const HANDLES: usize = 16 * 1024;

/// The time for reading the catalog, a constant of the component: it takes less than a millisecond.
const DESCRIBE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_ends_with_the_future_or_with_patience() {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let thread = thread::spawn(move || sender.send(7));
        assert_eq!(wait(receiver, Duration::from_secs(60)), Some(Ok(7)));
        assert_eq!(thread.join().unwrap(), Ok(()));
        assert_eq!(wait(std::future::pending::<()>(), Duration::from_millis(1)), None);
    }
}
