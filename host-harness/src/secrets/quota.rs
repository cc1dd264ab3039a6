//! The size to which a store may grow.

use super::StoreError;

/// The size to which a store may grow. A component that writes without end, call after call, would otherwise
/// fill the host's memory or disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreQuota {
    /// Entries; 100,000. A connection has four, and a token for each function that it invokes.
    pub entries: usize,
    /// Bytes of all entries, as they are kept; 256 MiB.
    pub bytes: u64,
    /// Leases at a time; 10,000: one for each token that is being asked for.
    pub leases: usize,
}

impl StoreQuota {
    /// The default of each field.
    pub const DEFAULT: Self = Self { entries: 100_000, bytes: 256 << 20, leases: 10_000 };

    /// Refuses a use beyond the quota.
    ///
    /// # Errors
    /// [`StoreError::Other`].
    pub(super) fn check(self, used: Usage) -> Result<(), StoreError> {
        let Self { entries, bytes, .. } = self;
        if used.entries > entries {
            return Err(full(&format!("{entries} entries")));
        }
        if used.bytes > bytes {
            return Err(full(&format!("{} MiB", bytes >> 20)));
        }
        Ok(())
    }

    /// Refuses one more lease beside `held`, if these are all that there may be.
    ///
    /// # Errors
    /// [`StoreError::Other`].
    pub(super) fn check_leases(self, held: usize) -> Result<(), StoreError> {
        if held < self.leases { Ok(()) } else { Err(full(&format!("{} leases", self.leases))) }
    }
}

impl Default for StoreQuota {
    fn default() -> Self {
        Self::DEFAULT
    }
}

fn full(limit: &str) -> StoreError {
    StoreError::other(format!("the store is full, at {limit}"))
        .with_fix("disconnect connections that nobody needs, or have whoever runs the host raise its quota")
}

/// The size to which a store has grown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) entries: usize,
    pub(super) bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_itself_is_allowed() {
        let quota = StoreQuota { entries: 2, bytes: 1 << 20, leases: 1 };
        assert_eq!(quota.check(Usage { entries: 2, bytes: 1 << 20 }), Ok(()));
        assert!(quota.check(Usage { entries: 3, bytes: 0 }).unwrap_err().to_string().contains("2 entries"));
        assert!(
            quota
                .check(Usage { entries: 0, bytes: (1 << 20) + 1 })
                .unwrap_err()
                .to_string()
                .contains("1 MiB")
        );
        assert_eq!(quota.check_leases(0), Ok(()));
        assert!(quota.check_leases(1).unwrap_err().to_string().contains("1 leases"));
    }
}
