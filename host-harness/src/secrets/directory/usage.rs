//! The use of the folder, without a look at all of it for each write.

use std::{
    fs,
    path::Path,
    sync::{Mutex, PoisonError},
};

use super::entries;
use crate::secrets::{
    StoreError,
    quota::{StoreQuota, Usage},
};

/// The use of the folder, as far as this process knows. Others write there as well, so it looks again from
/// time to time, and before it refuses anything.
pub(super) struct Known(Mutex<Option<Counted>>);

#[derive(Clone, Copy)]
struct Counted {
    usage: Usage,
    writes: u32,
}

/// Writes of this process after which it looks again.
const LOOK_AGAIN: u32 = 256;

impl Known {
    pub(super) const fn nothing() -> Self {
        Self(Mutex::new(None))
    }

    /// Counts a write of so many bytes in the place of `old`, if there is an old value. The caller holds the
    /// lock of the folder.
    ///
    /// # Errors
    /// [`StoreError::Other`] if the store is full: then nothing is counted.
    pub(super) fn add(
        &self,
        folder: &Path,
        quota: StoreQuota,
        old: Option<u64>,
        bytes: u64,
    ) -> Result<(), StoreError> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = known.filter(|counted| counted.writes < LOOK_AGAIN);
        let with = |usage: Usage| Usage {
            entries: usage.entries + usize::from(old.is_none()),
            bytes: usage.bytes.saturating_sub(old.unwrap_or_default()).saturating_add(bytes),
        };
        let (mut usage, mut writes) = match fresh {
            Some(counted) => (with(counted.usage), counted.writes + 1),
            None => (with(look(folder)?), 0),
        };
        if quota.check(usage).is_err() && writes != 0 {
            (usage, writes) = (with(look(folder)?), 0);
        }
        quota.check(usage)?;
        *known = Some(Counted { usage, writes });
        Ok(())
    }
}

fn look(folder: &Path) -> Result<Usage, StoreError> {
    let mut usage = Usage::default();
    for (path, _) in entries::list(folder)? {
        usage.entries += 1;
        // Gone since it was listed: then it takes no room.
        usage.bytes += fs::symlink_metadata(&path).map_or(0, |metadata| metadata.len());
    }
    Ok(usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Others write to the same folder. Their writes count, if a little later.
    #[test]
    fn the_quota_is_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let quota = StoreQuota { entries: 300, ..StoreQuota::DEFAULT };
        let processes = [Known::nothing(), Known::nothing()];
        let mut written = 0;
        for number in 0..2_000 {
            let known = &processes[number % 2];
            if known.add(folder.path(), quota, None, 1).is_ok() {
                fs::write(folder.path().join(format!("a%2f{number}.age")), "x").unwrap();
                written += 1;
            }
        }
        assert!((300..300 + LOOK_AGAIN).contains(&written), "{written}");
        // Once there is room, it is found.
        for number in 0..200 {
            let _ = fs::remove_file(folder.path().join(format!("a%2f{number}.age")));
        }
        while look(folder.path()).unwrap().entries > 299 {
            fs::remove_file(entries::list(folder.path()).unwrap().remove(0).0).unwrap();
        }
        assert_eq!(processes[0].add(folder.path(), quota, None, 1), Ok(()));
    }
}
