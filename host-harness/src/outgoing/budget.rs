//! The budget of requests: how many one call may send; and why a call failed that sent another one
//! than its tape has.

use std::sync::{
    OnceLock,
    atomic::{AtomicU32, Ordering},
};

use crate::{error::Limit, transport::Missed};

/// The number of requests that a call may send. It outlives the sandbox, to say why a call failed.
#[derive(Debug)]
pub(crate) struct RequestBudget {
    limit: u32,
    asked: AtomicU32,
    /// The first request that was not on the tape, and what differs.
    miss: OnceLock<Missed>,
}

impl RequestBudget {
    pub(crate) fn new(limit: u32) -> Self {
        Self { limit, asked: AtomicU32::new(0), miss: OnceLock::new() }
    }

    /// The limit, if the call wanted more than it.
    pub(crate) fn exceeded(&self) -> Option<Limit> {
        (self.asked.load(Ordering::Relaxed) > self.limit).then_some(Limit::Requests(self.limit))
    }

    /// The first request that was not on the tape, if there was one.
    pub(crate) fn miss(&self) -> Option<&Missed> {
        self.miss.get()
    }

    pub(super) fn note_miss(&self, miss: &Missed) {
        self.miss.get_or_init(|| miss.clone());
    }

    pub(super) fn take(&self) -> Result<u32, Limit> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if number > self.limit { Err(Limit::Requests(self.limit)) } else { Ok(number) }
    }
}
