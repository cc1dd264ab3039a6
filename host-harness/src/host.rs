//! Calls: each in a sandbox of its own, made for it and thrown away after it, if the host has not chosen to keep some.

mod actions;
mod builder;
mod by_name;
mod table;

use std::{fmt, sync::Arc, time::Duration};

use tokio::sync::Semaphore;
use wasmtime::{Store, component::Instance};

pub use self::{
    actions::Action,
    builder::HostBuilder,
    by_name::{Answer, CONTRACT},
};
use crate::{
    contract::wit::ConnectorError,
    egress::EgressPolicy,
    error::{CallError, HostError, Limit},
    outgoing::{budget::RequestBudget, inject::AccessTokens},
    sandbox::{Sandbox, compiled::CacheUse, state::State},
    secrets::{SecretStore, StoreError, visible::Scope},
};

/// The connector, ready to be called. Cheap to clone, and to share between threads.
///
/// Each call runs in a fresh sandbox, so calls cannot see each other but through the secret store; unless the host
/// [chooses otherwise](HostBuilder::warm_instances) for calls of one connection.
/// The methods need a tokio runtime with its clock enabled. Dropping a call's future stops it.
///
/// A `deadline` is the time for the whole call; `None` takes the default that the catalog prints. The
/// component keeps it, and fails with `deadline-exceeded`; the host stops a call that goes on
/// regardless, [`Limits::grace`](crate::Limits::grace) later.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    sandbox: Sandbox,
    catalog: Arc<Catalog>,
    policy: Arc<EgressPolicy>,
    cache_use: CacheUse,
    /// The places for calls that run at once, which tenants share.
    running: Arc<Semaphore>,
}

/// The component's catalog, as it is printed and as it is looked into.
pub(crate) struct Catalog {
    pub(crate) text: String,
    pub(crate) parsed: serde_json::Value,
}

impl Catalog {
    /// Reads it.
    ///
    /// # Errors
    /// A sentence that says why it is not JSON.
    pub(crate) fn parse(text: String) -> Result<Self, String> {
        let parsed = serde_json::from_str(&text).map_err(|error| format!("it is not JSON: {error}"))?;
        Ok(Self { text, parsed })
    }
}

impl Host {
    pub(crate) fn new(sandbox: Sandbox, catalog: Catalog, policy: EgressPolicy, cache_use: CacheUse) -> Self {
        let calls = usize::try_from(sandbox.limits.calls.max(1)).unwrap_or(Semaphore::MAX_PERMITS);
        let running = Arc::new(Semaphore::new(calls.min(Semaphore::MAX_PERMITS)));
        let (catalog, policy) = (Arc::new(catalog), Arc::new(policy));
        Self(Arc::new(Inner { sandbox, catalog, policy, cache_use, running }))
    }

    /// A host for another tenant, with a store and access tokens of its own. It costs next to nothing, where
    /// [`HostBuilder::build`] takes milliseconds, a thread, and some megabytes.
    ///
    /// All else is shared: the machine code, the transport with its connections, the observer, which is not told whose
    /// request it sees, the clock and the randomness. [`Limits`](crate::Limits) bound each call as before, and of all tenants
    /// together the calls at once; [`WarmInstances`](crate::WarmInstances) those that wait. No instance serves two tenants, and
    /// those of a tenant go with its last host.
    ///
    /// Make one for each tenant, and clone it: two over one store would not know of each other's connections that are
    /// being made. Where the transport is a [`Cassette`](crate::tape::Cassette), the store goes through
    /// [`Cassette::over`](crate::tape::Cassette::over) first.
    #[must_use]
    pub fn for_tenant(
        &self,
        secrets: Arc<dyn SecretStore>,
        access_tokens: Option<Arc<dyn AccessTokens>>,
    ) -> Self {
        let Inner { sandbox, catalog, policy, cache_use, running } = &*self.0;
        Self(Arc::new(Inner {
            sandbox: sandbox.for_tenant(secrets, access_tokens),
            catalog: Arc::clone(catalog),
            policy: Arc::clone(policy),
            cache_use: cache_use.clone(),
            running: Arc::clone(running),
        }))
    }

    /// The catalog, as JSON: what the connector can do, what it needs, and where it sends what. It was read
    /// when the host was built.
    #[must_use]
    pub fn describe(&self) -> &str {
        &self.0.catalog.text
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
        call: impl AsyncFnOnce(&mut Store<State>, &Instance) -> wasmtime::Result<Result<T, ConnectorError>>,
    ) -> Result<T, CallError> {
        let (answer, exceeded) = self.within_limits(scope, deadline, Box::new(call)).await?;
        answer.map_err(|error| match exceeded {
            Some(limit) => HostError::LimitExceeded(limit).into(),
            None => CallError::Connector(Box::new(error)),
        })
    }

    /// The same for calls whose types are not known here.
    pub(crate) async fn call_instance<T, E>(
        &self,
        scope: Scope,
        deadline: Option<Duration>,
        call: impl AsyncFnOnce(&mut Store<State>, &Instance) -> wasmtime::Result<Result<T, E>>,
    ) -> Result<Result<T, E>, HostError> {
        match self.within_limits(scope, deadline, Box::new(call)).await? {
            (Err(_), Some(limit)) => Err(HostError::LimitExceeded(limit)),
            (answer, _) => Ok(answer),
        }
    }

    /// Runs one call within its limits, and returns the limit that it ran into, if it did. The closure is boxed: it holds
    /// the request, and each future that hands it on has a place for it.
    async fn within_limits<T, E>(
        &self,
        scope: Scope,
        deadline: Option<Duration>,
        call: Box<impl AsyncFnOnce(&mut Store<State>, &Instance) -> wasmtime::Result<Result<T, E>>>,
    ) -> Result<(Result<T, E>, Option<Limit>), HostError> {
        let Inner { sandbox, policy, running, .. } = &*self.0;
        let patience = sandbox.limits.patience(deadline);
        let requests = if scope.sends() { sandbox.limits.requests } else { 0 };
        let budget = Arc::new(RequestBudget::new(requests));
        let work = async {
            let _place = running.acquire().await.expect("this semaphore is never closed");
            sandbox.run(scope, Arc::clone(policy), Arc::clone(&budget), patience, call).await
        };
        let answer = tokio::time::timeout(patience, work)
            .await
            .map_err(|_| HostError::DeadlineExceeded(patience))
            .and_then(|answer| answer);
        // Whatever the component made of it, which cannot know that there is a tape.
        if let Some(miss) = budget.miss() {
            return Err(HostError::TapeMiss(miss.clone()));
        }
        Ok((answer?, budget.exceeded()))
    }
}

impl Drop for Inner {
    /// Throws away the instances that would keep the store of a tenant that is gone.
    fn drop(&mut self) {
        if let Some(warm) = &self.sandbox.warm {
            warm.forget(&self.sandbox.secrets);
        }
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

/// The time that a list has for all of its connections of an earlier version.
pub(crate) const COMPLETE: Duration = Duration::from_secs(10);
