//! The repeats that a connection has, over all its calls.
//!
//! One call that fails is repeated; a thousand that fail at once would only add to what Google cannot bear already.
//! A budget for each client keeps that to a fraction
//! (<https://sre.google/sre-book/handling-overload/>, "Deciding to retry"). Fresh instances share no memory, so it is
//! kept in the store, which is asked about it only where something would be repeated.

use crate::{
    base::{
        error::Result,
        json::{Object, Read},
        ports::Ports,
    },
    store::{self, Kept, Swap, names::ConnectionId},
};

/// The repeats that a connection has when it has not repeated anything for a while. The catalog prints it.
pub const BURST: u32 = 50;

/// The seconds until one more repeat is there. The catalog prints it.
pub const SECONDS_PER_REPEAT: u32 = 6;

/// The entry under `repeats/{id}`: the generic cell rate algorithm's one number (ITU-T I.371).
#[derive(Default)]
struct Repeats {
    /// When all of them will be there again, in seconds since 1970-01-01T00:00:00Z.
    full_at: u64,
}

impl Kept for Repeats {
    fn read(fields: &Object<'_>) -> Read<Self> {
        Ok(Self { full_at: fields.number("full_at")?.unwrap_or_default() })
    }

    fn fields(&self) -> Object<'_> {
        Object::default().with("full_at", self.full_at)
    }
}

impl Repeats {
    /// One less, if there is one.
    fn spend(&self, now: u64) -> Option<Self> {
        let step = u64::from(SECONDS_PER_REPEAT);
        let longest = step * u64::from(BURST);
        // A time that is further away dates from before the clock was set back.
        let from = if self.full_at > now + longest { now } else { self.full_at.max(now) };
        let full_at = from + step;
        (full_at <= now + longest).then_some(Self { full_at })
    }
}

/// Takes one repeat from those that a connection has. Where the store cannot keep count, each call's own limit is all
/// there is.
pub(crate) fn spend(ports: &impl Ports, id: &ConnectionId) -> bool {
    let now = ports.now().as_secs();
    let spent = store::swap(ports, &id.repeats_key(), &|kept: Result<Option<Repeats>>| {
        // What cannot be read is begun anew.
        Ok(kept.ok().flatten().unwrap_or_default().spend(now))
    });
    // With so many others about that each race was lost, they repeat enough.
    !matches!(spent, Ok(Swap::Left | Swap::Outrun))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number that is granted at once.
    fn granted(mut repeats: Repeats, now: u64) -> u32 {
        let mut count = 0;
        while let Some(left) = repeats.spend(now) {
            repeats = left;
            count += 1;
        }
        count
    }

    #[test]
    fn a_burst_and_then_one_in_a_while() {
        let now = 1_700_000_000;
        assert_eq!(granted(Repeats { full_at: 0 }, now), BURST);
        let spent = || Repeats { full_at: now + 300 };
        assert_eq!(granted(spent(), now), 0);
        assert_eq!(granted(spent(), now + 5), 0);
        assert_eq!(granted(spent(), now + 6), 1);
        assert_eq!(granted(spent(), now + 60), 10);
        assert_eq!(granted(spent(), now + 10_000), BURST);
    }

    #[test]
    fn a_clock_that_was_set_back_takes_none_away() {
        assert_eq!(granted(Repeats { full_at: 1_800_000_000 }, 1_700_000_000), BURST);
    }
}
