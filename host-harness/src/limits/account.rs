//! The memory of one call: the guest's own, and what the host keeps at its word.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::error::Limit;

/// Counts bytes against one limit. The bytes that the host keeps may outlive the sandbox for a moment, in the
/// hands of the transport, so the account is shared.
#[derive(Debug)]
pub(crate) struct Account {
    limit: usize,
    used: AtomicUsize,
}

impl Account {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicUsize::new(0) })
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// The bytes that are counted now.
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Counts `bytes` for the rest of the call.
    pub(crate) fn take(&self, bytes: usize) -> Result<(), Limit> {
        let more = |used: usize| used.checked_add(bytes).filter(|used| *used <= self.limit);
        match self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) {
            Ok(_) => Ok(()),
            Err(_) => Err(Limit::Memory(self.limit)),
        }
    }

    /// Counts `bytes` for as long as the returned value lives.
    pub(crate) fn hold(self: &Arc<Self>, bytes: usize) -> Result<Held, Limit> {
        self.take(bytes)?;
        Ok(Held { account: Arc::clone(self), bytes })
    }

    fn give(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Bytes that are counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    account: Arc<Account>,
    bytes: usize,
}

impl Held {
    /// The number of bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Changes the number to `bytes`, more or fewer.
    pub(crate) fn resize(&mut self, bytes: usize) -> Result<(), Limit> {
        match bytes.checked_sub(self.bytes) {
            Some(more) => self.account.take(more)?,
            None => self.account.give(self.bytes - bytes),
        }
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.account.give(mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_counts_until_it_is_dropped() {
        let account = Account::new(100);
        assert_eq!(account.take(40), Ok(()));
        let mut held = account.hold(60).unwrap();
        assert_eq!(account.take(1), Err(Limit::Memory(100)));
        assert_eq!(held.resize(61), Err(Limit::Memory(100)));
        held.resize(10).unwrap();
        assert_eq!(held.bytes(), 10);
        let other = account.hold(50).unwrap();
        assert!(account.hold(1).is_err());
        drop((held, other));
        assert_eq!(account.take(60), Ok(()));
        assert_eq!(account.take(usize::MAX), Err(Limit::Memory(100)));
    }
}
