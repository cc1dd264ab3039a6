//! One key's versions: files in a folder of their own, named by their numbers, of which the highest counts.
//!
//! WASI knows no locks, so a version comes into being by a hard link, which fails if the name is taken: a file is there
//! whole or not at all, and of several writers one wins.
//!
//! Old versions are removed, the lowest first, and none before its successor is a minute old. So whoever has made
//! version N + 1, and finds version N still there, knows that no N + 1 was there before: theirs is the next one, and no
//! late one among numbers that had been removed.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The versions of one key.
pub(crate) struct Versions {
    folder: PathBuf,
}

/// The version that counts.
pub(crate) struct Latest {
    pub(crate) number: u64,
    pub(crate) bytes: Vec<u8>,
}

/// What became of a version.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Added {
    /// It is the next one, and durable.
    Done(u64),
    /// Somebody else's is.
    Lost,
}

impl Versions {
    pub(crate) fn of(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The version that counts, if any was ever made. `max` is the length of the longest.
    pub(crate) fn latest(&self, max: u64) -> io::Result<Option<Latest>> {
        // A version can be removed between the listing and the reading, by a writer who knows a newer one.
        for _ in 0..TRIES {
            let Some(number) = self.numbers()?.last().copied() else { return Ok(None) };
            match read(&self.file(number), max) {
                Ok(bytes) => return Ok(Some(Latest { number, bytes })),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(ErrorKind::WouldBlock, "others write this entry all the time"))
    }

    /// Adds the version after `number`, where 0 is that of nothing. `fresh` is a name that no other writer has, in the
    /// folder of what is not yet whole.
    pub(crate) fn add(&self, after: u64, bytes: &[u8], fresh: &Path, now: Duration) -> io::Result<Added> {
        let next = after.checked_add(1).ok_or(ErrorKind::FileTooLarge)?;
        // Before the work of writing, which many would do for nothing where many write at once.
        if fs::exists(self.file(next))? {
            return Ok(Added::Lost);
        }
        fs::create_dir_all(&self.folder)?;
        write_whole(fresh, bytes)?;
        let linked = fs::hard_link(fresh, self.file(next));
        gone(fs::remove_file(fresh))?;
        match linked {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(Added::Lost),
            // Others took it for a leftover, as it was there for so long: nothing was added.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Added::Lost),
            Err(error) => return Err(error),
        }
        if after > 0 && !fs::exists(self.file(after))? {
            // This took more than a minute. Either the number is one from the past, which nobody reads, as higher ones are
            // there; or it was the next one, and has been followed by others since.
            return Err(io::Error::new(
                ErrorKind::TimedOut,
                "a write took too long to say what became of it",
            ));
        }
        sync_folder(&self.folder)?;
        if after == 0 {
            self.folder.parent().map_or(Ok(()), sync_folder)?;
        }
        self.tidy(now)?;
        Ok(Added::Done(next))
    }

    /// Removes versions whose successors are old enough, the lowest first.
    fn tidy(&self, now: Duration) -> io::Result<()> {
        let numbers = self.numbers()?;
        for (old, successor) in numbers.iter().zip(numbers.iter().skip(1)) {
            if !is_old(&self.file(*successor), now, KEPT) {
                break;
            }
            gone(fs::remove_file(self.file(*old)))?;
        }
        Ok(())
    }

    /// The numbers that are there, in their order.
    fn numbers(&self) -> io::Result<Vec<u64>> {
        let mut numbers: Vec<u64> = names(&self.folder)?.iter().filter_map(|name| number(name)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn file(&self, number: u64) -> PathBuf {
        self.folder.join(number.to_string())
    }
}

/// Removes what writers have left behind who were stopped before they were done.
pub(crate) fn tidy_leftovers(folder: &Path, now: Duration) -> io::Result<()> {
    for name in names(folder)? {
        let file = folder.join(name);
        if is_old(&file, now, KEPT) {
            gone(fs::remove_file(file))?;
        }
    }
    Ok(())
}

/// The names in a folder; none where there is no folder.
pub(crate) fn names(folder: &Path) -> io::Result<Vec<String>> {
    for _ in 0..TRIES {
        let entries = fs::read_dir(folder).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
        match entries {
            Ok(entries) => {
                return Ok(entries.into_iter().filter_map(|it| it.file_name().into_string().ok()).collect());
            }
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Err(_) if !fs::exists(folder)? => return Ok(Vec::new()),
            // Some hosts look at each entry, and say so if one has gone since.
            Err(_) => {}
        }
    }
    Err(io::Error::new(ErrorKind::WouldBlock, "others write in this folder all the time"))
}

/// The number that a name is, as it is written here.
fn number(name: &str) -> Option<u64> {
    name.parse().ok().filter(|number: &u64| number.to_string() == name)
}

fn read(file: &Path, max: u64) -> io::Result<Vec<u8>> {
    let length = fs::metadata(file)?.len();
    if length > max {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "a file is longer than an entry can be"));
    }
    fs::read(file)
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Tells whether a file was written so long ago. One that is gone was.
fn is_old(file: &Path, now: Duration, age: Duration) -> bool {
    let written = fs::metadata(file).and_then(|metadata| metadata.modified());
    match written {
        Ok(written) => now.saturating_sub(since_1970(written)) > age,
        Err(error) => error.kind() == ErrorKind::NotFound,
    }
}

fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Others tidy up too.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// The time for which a version stays after it has a successor, and longer than any writer takes.
const KEPT: Duration = Duration::from_secs(60);
const TRIES: usize = 16;
