//! The count of one call's use of the store.

use crate::{error::Limit, limits::StoreLimits};

/// The use that a call has made of the store.
#[derive(Debug)]
pub(super) struct Quota {
    limits: StoreLimits,
    calls: u32,
    writes: u32,
    bytes: usize,
    leases: u32,
    signatures: u32,
}

impl Quota {
    pub(super) fn new(limits: StoreLimits) -> Self {
        Self { limits, calls: 0, writes: 0, bytes: 0, leases: 0, signatures: 0 }
    }

    /// Counts a call of any kind.
    ///
    /// # Errors
    /// The limit that is passed with it, as of each of the others.
    pub(super) fn call(&mut self) -> Result<(), Limit> {
        count(&mut self.calls, self.limits.calls, Limit::StoreCalls)
    }

    /// Counts a write of a value of so many bytes.
    pub(super) fn write(&mut self, bytes: usize) -> Result<(), Limit> {
        self.call()?;
        count(&mut self.writes, self.limits.writes, Limit::StoreWrites)?;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.limits.bytes { Err(Limit::StoreBytes(self.limits.bytes)) } else { Ok(()) }
    }

    /// Counts a lease that is about to be asked for.
    pub(super) fn lease(&mut self) -> Result<(), Limit> {
        count(&mut self.leases, self.limits.leases, Limit::Leases)
    }

    /// Takes back the last lease, which was not granted: asking again is how a call waits.
    pub(super) fn no_lease(&mut self) {
        self.leases = self.leases.saturating_sub(1);
    }

    /// Counts a signature.
    pub(super) fn sign(&mut self) -> Result<(), Limit> {
        self.call()?;
        count(&mut self.signatures, self.limits.signatures, Limit::Signatures)
    }
}

fn count(used: &mut u32, limit: u32, exceeded: impl FnOnce(u32) -> Limit) -> Result<(), Limit> {
    *used = used.saturating_add(1);
    if *used > limit { Err(exceeded(limit)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEW: StoreLimits = StoreLimits { calls: 6, writes: 3, bytes: 10, leases: 2, signatures: 1 };

    #[test]
    fn each_count_ends_at_its_limit() {
        let quota = || Quota::new(FEW);

        let mut calls = quota();
        assert!((0..6).all(|_| calls.call().is_ok()));
        assert_eq!(calls.call(), Err(Limit::StoreCalls(6)));

        let mut writes = quota();
        assert!((0..3).all(|_| writes.write(3).is_ok()));
        assert_eq!(writes.write(0), Err(Limit::StoreWrites(3)));

        let mut bytes = quota();
        assert_eq!(bytes.write(10), Ok(()));
        assert_eq!(bytes.write(1), Err(Limit::StoreBytes(10)));
        assert_eq!(quota().write(usize::MAX), Err(Limit::StoreBytes(10)));

        let mut signatures = quota();
        assert_eq!(signatures.sign(), Ok(()));
        assert_eq!(signatures.sign(), Err(Limit::Signatures(1)));
    }

    #[test]
    fn a_lease_that_was_not_granted_does_not_count() {
        let mut quota = Quota::new(FEW);
        for _ in 0..9 {
            assert_eq!(quota.lease(), Ok(()));
            quota.no_lease();
        }
        assert_eq!((quota.lease(), quota.lease()), (Ok(()), Ok(())));
        assert_eq!(quota.lease(), Err(Limit::Leases(2)));
    }
}
