//! Calls: each in a sandbox of its own, made for it and thrown away after it.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::sync::Semaphore;
use wasmtime::{
    CallHook, Store, UpdateDeadline,
    component::{Instance, ResourceTableError},
};

use crate::{
    builder::HostBuilder,
    cache::CacheUse,
    clock::{Clock, Random},
    contract::{
        bindings::{Connector, ConnectorPre},
        wit::ConnectorError,
    },
    egress::EgressPolicy,
    error::{CallError, HostError, Limit},
    limits::{CpuMeter, Limits, MemoryMeter},
    outgoing::{budget::RequestBudget, gate::Hooks, inject::AccessTokens, observer::Observer},
    secret_store::Secrets,
    secrets::{SecretStore, StoreError, visible::Scope},
    state::State,
    transport::Transport,
};

/// The connector, ready to be called. Cheap to clone, and to share between threads.
///
/// Each call runs in a fresh sandbox, so calls cannot see each other but through the secret store.
/// The methods need a tokio runtime with its clock enabled. Dropping a call's future stops it.
///
/// A `deadline` is the time for the whole call; `None` takes the default that the catalog prints. The
/// component keeps it, and fails with `deadline-exceeded`; the host stops a call that goes on
/// regardless, [`Limits::grace`] later.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    sandbox: Sandbox,
    catalog: String,
    policy: Arc<EgressPolicy>,
    cache_use: CacheUse,
    running: Semaphore,
}

impl Host {
    /// Starts to put a host together.
    #[must_use]
    pub fn builder() -> HostBuilder {
        HostBuilder::default()
    }

    pub(crate) fn new(sandbox: Sandbox, catalog: String, policy: EgressPolicy, cache_use: CacheUse) -> Self {
        let calls = usize::try_from(sandbox.limits.calls.max(1)).unwrap_or(Semaphore::MAX_PERMITS);
        let running = Semaphore::new(calls.min(Semaphore::MAX_PERMITS));
        Self(Arc::new(Inner { sandbox, catalog, policy: Arc::new(policy), cache_use, running }))
    }

    /// The catalog, as JSON: what the connector can do, what it needs, and where it sends what. It was read
    /// when the host was built.
    #[must_use]
    pub fn describe(&self) -> &str {
        &self.0.catalog
    }

    /// The use that was made of the cache for compiled components.
    #[must_use]
    pub fn cache_use(&self) -> &CacheUse {
        &self.0.cache_use
    }

    /// The part of the store that `connections.finish` may touch. It depends on a sign-in that is in the
    /// store.
    pub(crate) async fn scope_of_finish(
        &self,
        authorization: &str,
        deadline: Option<Duration>,
    ) -> Result<Scope, HostError> {
        let Sandbox { clock, limits, .. } = &self.0.sandbox;
        let (authorization, now) = (authorization.to_owned(), clock.now());
        let finish = move |store: &dyn SecretStore| Scope::finish(store, &authorization, now);
        self.ask_store(limits.patience(deadline), finish).await
    }

    /// The ids of connections of an earlier version, out of `ids`: their account stands in the credential
    /// alone.
    pub(crate) async fn of_earlier_version(&self, ids: Vec<String>) -> Result<Vec<String>, HostError> {
        let is_earlier = |store: &dyn SecretStore, id: &str| {
            let stored = store.get(&format!("connections/{id}")).ok().flatten();
            let fields =
                stored.and_then(|entry| serde_json::from_str::<serde_json::Value>(&entry.value).ok());
            fields.is_some_and(|fields| fields.get("signs_in").is_none())
        };
        let patience = self.0.sandbox.limits.patience(Some(COMPLETE));
        self.ask_store(patience, move |store| {
            Ok(ids.into_iter().filter(|id| is_earlier(store, id)).collect())
        })
        .await
    }

    async fn ask_store<T: Send + 'static>(
        &self,
        patience: Duration,
        ask: impl FnOnce(&dyn SecretStore) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, HostError> {
        let secrets = &self.0.sandbox.secrets;
        let answer = tokio::time::timeout(patience, secrets.ask(secrets.store.may_block(), ask)).await;
        let (answer, _) = answer.map_err(|_| HostError::DeadlineExceeded(patience))?;
        answer.map_err(HostError::Store)
    }

    /// Runs one call within its limits, and tells whether a failure is the connector's or the host's. Of the
    /// store it sees `scope`.
    pub(crate) async fn call<T>(
        &self,
        scope: Scope,
        deadline: Option<Duration>,
        call: impl AsyncFnOnce(&mut Store<State>, &Connector) -> wasmtime::Result<Result<T, ConnectorError>>,
    ) -> Result<T, CallError> {
        let (answer, exceeded) = self.within_limits(scope, deadline, start_connector, call).await?;
        answer.map_err(|error| match exceeded {
            Some(limit) => HostError::LimitExceeded(limit).into(),
            None => CallError::Connector(Box::new(error)),
        })
    }

    /// The same with the bare instance, for calls whose types are not known here.
    pub(crate) async fn call_instance<T, E>(
        &self,
        scope: Scope,
        deadline: Option<Duration>,
        call: impl AsyncFnOnce(&mut Store<State>, &Instance) -> wasmtime::Result<Result<T, E>>,
    ) -> Result<Result<T, E>, HostError> {
        match self.within_limits(scope, deadline, start_instance, call).await? {
            (Err(_), Some(limit)) => Err(HostError::LimitExceeded(limit)),
            (answer, _) => Ok(answer),
        }
    }

    /// Runs one call within its limits, and returns the limit that it ran into, if it did.
    async fn within_limits<I, T>(
        &self,
        scope: Scope,
        deadline: Option<Duration>,
        start: impl AsyncFnOnce(&ConnectorPre<State>, &mut Store<State>) -> wasmtime::Result<I>,
        call: impl AsyncFnOnce(&mut Store<State>, &I) -> wasmtime::Result<T>,
    ) -> Result<(T, Option<Limit>), HostError> {
        let Inner { sandbox, policy, running, .. } = &*self.0;
        let patience = sandbox.limits.patience(deadline);
        let requests = if scope.sends() { sandbox.limits.requests } else { 0 };
        let budget = Arc::new(RequestBudget::new(requests));
        let work = async {
            let _place = running.acquire().await.expect("this semaphore is never closed");
            sandbox.run(scope, Arc::clone(policy), Arc::clone(&budget), patience, start, call).await
        };
        let answer = tokio::time::timeout(patience, work)
            .await
            .map_err(|_| HostError::DeadlineExceeded(patience))??;
        Ok((answer, budget.exceeded()))
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { sandbox, policy, cache_use, .. } = &*self.0;
        f.debug_struct("Host")
            .field("limits", &sandbox.limits)
            .field("secrets", &sandbox.secrets)
            .field("transport", &sandbox.transport)
            .field("policy", policy)
            .field("cache_use", cache_use)
            .finish_non_exhaustive()
    }
}

async fn start_connector(
    connector: &ConnectorPre<State>,
    store: &mut Store<State>,
) -> wasmtime::Result<Connector> {
    connector.instantiate_async(store).await
}

async fn start_instance(
    connector: &ConnectorPre<State>,
    store: &mut Store<State>,
) -> wasmtime::Result<Instance> {
    connector.instance_pre().instantiate_async(store).await
}

/// The parts that a fresh sandbox is made of.
pub(crate) struct Sandbox {
    pub(crate) connector: ConnectorPre<State>,
    pub(crate) limits: Limits,
    pub(crate) secrets: Secrets,
    pub(crate) tokens: Option<Arc<dyn AccessTokens>>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) observer: Option<Observer>,
}

impl Sandbox {
    /// The component's catalog, without a runtime: it needs neither network nor timer, and gets none.
    pub(crate) fn describe(&self) -> Result<String, HostError> {
        let nothing = EgressPolicy::from_manifest(&json!([])).expect("an empty manifest is valid");
        let budget = Arc::new(RequestBudget::new(0));
        let call = self.run(
            Scope::nothing(),
            Arc::new(nothing),
            budget,
            DESCRIBE,
            start_connector,
            async |store, connector: &Connector| connector.gcf_connector_catalog().call_describe(store).await,
        );
        wait(call, DESCRIBE).unwrap_or(Err(HostError::DeadlineExceeded(DESCRIBE)))
    }

    /// Makes a sandbox, runs `call` in it, and throws it away.
    async fn run<I, T>(
        &self,
        scope: Scope,
        policy: Arc<EgressPolicy>,
        budget: Arc<RequestBudget>,
        patience: Duration,
        start: impl AsyncFnOnce(&ConnectorPre<State>, &mut Store<State>) -> wasmtime::Result<I>,
        call: impl AsyncFnOnce(&mut Store<State>, &I) -> wasmtime::Result<T>,
    ) -> Result<T, HostError> {
        let cpu = Arc::new(CpuMeter::new(self.limits.cpu));
        let hooks = Hooks {
            policy,
            tokens: self.tokens.clone(),
            transport: Arc::clone(&self.transport),
            observer: self.observer.clone(),
            budget: Arc::clone(&budget),
            patience,
            held: None,
        };
        let mut store = self.store(scope, hooks, Arc::clone(&cpu));
        let mut work = pin!(async {
            let instance =
                start(&self.connector, &mut store).await.map_err(|error| HostError::from_start(&error))?;
            call(&mut store, &instance).await.map_err(|error| self.failure(&error))
        });
        // A guest told that it may send no more could still take its failure for one that passes.
        let stopped = || budget.exceeded().map(|limit| Err(HostError::LimitExceeded(limit)));
        poll_fn(|context| match cpu.charge(|| work.as_mut().poll(context)) {
            Poll::Ready(answer) => Poll::Ready(answer),
            Poll::Pending => stopped().map_or(Poll::Pending, Poll::Ready),
        })
        .await
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

    fn store(&self, scope: Scope, hooks: Hooks, cpu: Arc<CpuMeter>) -> Store<State> {
        let state = State::new(
            &self.clock,
            Arc::clone(&self.random),
            self.secrets.within(scope, self.limits.store, &self.clock, &cpu),
            hooks,
            MemoryMeter::new(self.limits.memory),
        );
        let mut store = Store::new(self.connector.engine(), state);
        store.limiter(|state| &mut state.memory);
        // The bytes that a guest hands over are copied before anybody can judge them. Its answer may be a
        // large one; its arguments to a function of the host are small.
        let answer = self.limits.memory;
        store.call_hook(move |mut store, hook| {
            match hook {
                CallHook::CallingHost => store.set_hostcall_fuel(ARGUMENTS.min(answer)),
                CallHook::ReturningFromHost => store.set_hostcall_fuel(answer),
                CallHook::CallingWasm | CallHook::ReturningFromWasm => {}
            }
            Ok(())
        });
        store.set_hostcall_fuel(answer);
        store.set_max_component_handles(HANDLES);
        // At every tick the guest is asked for its time, and others get a turn; without that a guest
        // that computes would hold its thread, and its own deadline could not fire.
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_| {
            cpu.check()?;
            Ok(UpdateDeadline::Yield(1))
        });
        store
    }
}

/// Drives a future on this thread, for so long at most: [`HostBuilder::build`] is not an async function, and
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

/// The time that a list has for all of its connections of an earlier version.
pub(crate) const COMPLETE: Duration = Duration::from_secs(10);

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
