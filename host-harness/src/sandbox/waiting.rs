//! The guest's waiting: for whatever comes next, and for its timers.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use wasmtime::component::{HasData, Resource, ResourceTable};
use wasmtime_wasi::p2::{
    DynPollable, Pollable,
    bindings::{clocks::monotonic_clock, io::poll},
    subscribe,
};

use crate::outgoing::turns::{Timer, Turns};

/// The waiting guest's things, and the turns in which they come.
pub(crate) struct Waiting<'a> {
    pub(super) table: &'a mut ResourceTable,
    pub(super) turns: &'a Arc<Turns>,
}

/// The name of [`Waiting`] for the linker.
pub(super) struct Waits;

impl HasData for Waits {
    type Data<'a> = Waiting<'a>;
}

impl poll::Host for Waiting<'_> {
    async fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        self.turns.while_it_waits(poll::Host::poll(self.table, pollables)).await
    }
}

impl poll::HostPollable for Waiting<'_> {
    async fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        self.turns.while_it_waits(poll::HostPollable::block(self.table, pollable)).await
    }

    async fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        poll::HostPollable::ready(self.table, pollable).await
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        poll::HostPollable::drop(self.table, pollable)
    }
}

impl monotonic_clock::Host for Waiting<'_> {
    fn now(&mut self) -> wasmtime::Result<monotonic_clock::Instant> {
        Ok(nanoseconds(self.turns.monotonic()))
    }

    fn resolution(&mut self) -> wasmtime::Result<monotonic_clock::Instant> {
        Ok(nanoseconds(super::state::RESOLUTION))
    }

    fn subscribe_instant(
        &mut self,
        when: monotonic_clock::Instant,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        let now = nanoseconds(self.turns.monotonic());
        self.subscribe_duration(when.saturating_sub(now))
    }

    fn subscribe_duration(
        &mut self,
        duration: monotonic_clock::Duration,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        let timer = self.table.push(self.turns.timer(Duration::from_nanos(duration)))?;
        subscribe(self.table, timer)
    }
}

impl Pollable for Timer {
    fn ready<'s, 'a>(&'s mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>
    where
        's: 'a,
        Self: 'a,
    {
        Box::pin(self.fires())
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
