//! Leases that end by the clock, for places whose entries do not end by themselves.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::contract::MAX_LEASE;

/// A lease as it is kept; the times are milliseconds since 1970-01-01T00:00:00Z. It is no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredLease {
    /// The token of its holder.
    pub token: String,
    granted: u64,
    until: u64,
}

impl StoredLease {
    /// A lease from now on.
    #[must_use]
    pub fn new(token: String, now: Duration, ttl: Duration) -> Self {
        let granted = millis(now);
        Self { token, granted, until: granted.saturating_add(millis(ttl.min(MAX_LEASE))) }
    }

    /// The time for which it still holds. One from the future dates from before the clock was set back, and says
    /// nothing about that time; the clocks of two hosts may differ by a minute. None is longer than it was granted for,
    /// and none was granted for longer than [`MAX_LEASE`], whoever has written it.
    #[must_use]
    pub fn rest(&self, now: Duration) -> Option<Duration> {
        let now = millis(now);
        let is_past = self.granted <= now.saturating_add(millis(SKEW));
        let until = self.until.min(self.granted.saturating_add(millis(MAX_LEASE)));
        let rest = until.checked_sub(now.max(self.granted)).filter(|rest| *rest > 0 && is_past)?;
        Some(Duration::from_millis(rest))
    }

    /// The lease as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Three fields of plain types.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a lease. An unreadable one counts as absent: nothing breaks when a lease is granted twice.
    #[must_use]
    pub fn from_json(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }
}

/// A token that nobody can guess.
#[must_use]
pub fn token(random: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(random))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The difference between the clocks of two hosts that is still believed.
const SKEW: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_800_000_000);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn it_ends_by_the_clock() {
        let lease = StoredLease::new(token([1; 16]), NOW, 30 * SECOND);
        assert_eq!(lease.rest(NOW), Some(30 * SECOND));
        assert_eq!(lease.rest(NOW + 29 * SECOND), Some(SECOND));
        assert_eq!(lease.rest(NOW + 30 * SECOND), None);
        // Whoever looked at their clock, and was slower to ask than somebody else to be granted it.
        assert_eq!(lease.rest(NOW - SECOND), Some(30 * SECOND));
        assert_eq!(StoredLease::from_json(lease.to_json().as_bytes()), Some(lease));
    }

    #[test]
    fn it_is_never_longer_than_the_longest_and_none_comes_from_the_future() {
        let lease = StoredLease::new(String::new(), NOW, Duration::MAX);
        assert_eq!(lease.rest(NOW), Some(MAX_LEASE));
        assert_eq!(lease.rest(NOW - 30 * SECOND), Some(MAX_LEASE));
        assert_eq!(lease.rest(NOW - 61 * SECOND), None);
        assert_eq!(StoredLease::from_json(b"{}"), None);
    }

    #[test]
    fn it_ends_even_if_somebody_has_written_that_it_does_not() {
        let of = |granted: Duration, until: u64| StoredLease {
            token: String::new(),
            granted: millis(granted),
            until,
        };
        let endless = of(NOW, u64::MAX);
        // The longest lease is ten minutes, as in the host of this repository.
        assert_eq!(endless.rest(NOW), Some(600 * SECOND));
        assert_eq!(endless.rest(NOW + 599 * SECOND), Some(SECOND));
        assert_eq!(endless.rest(NOW + 600 * SECOND), None);
        assert_eq!(of(NOW, 0).rest(NOW), None);
        assert_eq!(of(Duration::MAX, u64::MAX).rest(NOW), None);
    }
}
