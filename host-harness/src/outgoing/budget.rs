//! The budget of requests: how many one call may send.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::Limit;

/// The number of requests that a call may send. It outlives the sandbox, to say why a call failed.
#[derive(Debug)]
pub(crate) struct RequestBudget {
    limit: u32,
    asked: AtomicU32,
}

impl RequestBudget {
    pub(crate) fn new(limit: u32) -> Self {
        Self { limit, asked: AtomicU32::new(0) }
    }

    /// The limit, if the call wanted more than it.
    pub(crate) fn exceeded(&self) -> Option<Limit> {
        (self.asked.load(Ordering::Relaxed) > self.limit).then_some(Limit::Requests(self.limit))
    }

    pub(super) fn take(&self) -> Result<u32, Limit> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if number > self.limit { Err(Limit::Requests(self.limit)) } else { Ok(number) }
    }
}
