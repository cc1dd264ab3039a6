//! One key's versions: files in a folder of their own, named by their numbers, of which the highest counts.
//!
//! WASI knows no locks, so a version comes into being by a hard link, which fails if the name is taken: a file is there
//! whole or not at all, and of several writers one wins. The first version comes with its folder, by a rename, which
//! fails if the folder is there: it is never removed, and never empty.
//!
//! Old versions are removed, the lowest first, and none before its successor is a minute old. So numbers that are there
//! follow each other without a gap, and whoever took more than a minute to make version N + 1, where others had gone on
//! and tidied up, finds a gap behind it. They take theirs back, and have lost: [`Versions::settle`].

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read as _, Write as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use gcf_store::name;

/// The versions of one key.
pub(crate) struct Versions {
    root: PathBuf,
    folder: PathBuf,
}

/// The version that counts.
pub(crate) struct Latest {
    pub(crate) number: u64,
    pub(crate) bytes: Vec<u8>,
}

/// The outcome for a version.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Added {
    /// It is the next one, and durable.
    Done(u64),
    /// Somebody else's is.
    Lost,
}

impl Versions {
    /// The versions in a folder, below the root of the store.
    pub(crate) fn of(root: &Path, folder: PathBuf) -> Self {
        Self { root: root.to_owned(), folder }
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
    ///
    /// An error of the kind `TimedOut` says that nobody can tell whether it was added; every other, that it was not.
    pub(crate) fn add(&self, after: u64, bytes: &[u8], fresh: &Path, now: Duration) -> io::Result<Added> {
        let next = after.checked_add(1).ok_or(ErrorKind::FileTooLarge)?;
        // Before the work of writing, which many would do for nothing where many write at once.
        if fs::exists(self.file(next))? {
            return Ok(Added::Lost);
        }
        write_new(fresh, |file| file.write_all(bytes))?;
        let linked = if after == 0 { self.begin(fresh) } else { fs::hard_link(fresh, self.file(next)) };
        // If it stays, whoever begins a key removes it, once it is a minute old.
        let _ = fs::remove_file(fresh);
        match linked {
            Ok(()) => self.settle(after, next, now),
            Err(error) if is_lost(&error) => Ok(Added::Lost),
            Err(error) => Err(error),
        }
    }

    /// Makes the folder with the first version in it, at once: whoever still takes the key for new, a minute after others
    /// have begun it, must not make the first version again where it has been removed.
    fn begin(&self, fresh: &Path) -> io::Result<()> {
        for folder in self.above().collect::<Vec<_>>().into_iter().rev() {
            create_folder(folder)?;
        }
        let folder = fresh.with_extension("begun");
        fs::create_dir(&folder)?;
        // A link here too, although a rename would do: where there are none, no key is begun that could not go on.
        let begun = fs::hard_link(fresh, folder.join("1"))
            .and_then(|()| sync_folder(&folder))
            .and_then(|()| fs::rename(&folder, &self.folder));
        let Err(error) = begun else { return Ok(()) };
        let _ = fs::remove_dir_all(&folder);
        // Asked for by its name, for Rust has no word for "not empty" on WASI.
        if fs::exists(&self.folder)? { Err(ErrorKind::AlreadyExists.into()) } else { Err(error) }
    }

    /// Tells whether a version that has got its number is the one after `after`, makes it durable if so, and takes it
    /// back if not. Whatever error there is now, nobody can tell.
    pub(crate) fn settle(&self, after: u64, number: u64, now: Duration) -> io::Result<Added> {
        self.look_around(after, number, now).map_err(|error| io::Error::new(ErrorKind::TimedOut, error))
    }

    fn look_around(&self, after: u64, number: u64, now: Duration) -> io::Result<Added> {
        let numbers = self.numbers()?;
        let is_there = |number: u64| numbers.binary_search(&number).is_ok();
        if !is_there(number) {
            // Removed as an old one: it was the next one or came too late, more than a minute ago.
            return Err(ErrorKind::TimedOut.into());
        }
        if numbers.last() > Some(&number) {
            // Looked for by its name: a listing may lack what has come since it began.
            if !fs::exists(self.file(number + 1))? {
                // What came after this number is gone, so it had been gone itself. Nobody has read it, as higher ones are
                // there; but whoever is as late as this one could take it for the one before theirs.
                return match fs::remove_file(self.file(number)) {
                    Err(error) if error.kind() == ErrorKind::NotFound => Err(ErrorKind::TimedOut.into()),
                    Ok(()) | Err(_) => Ok(Added::Lost),
                };
            }
            if after > 0 && !is_there(after) {
                // Either it was the next one, and has been followed since, or it is late by just one.
                return Err(ErrorKind::TimedOut.into());
            }
        }
        sync_folder(&self.folder)?;
        if after == 0 {
            self.above().try_for_each(sync_folder)?;
        }
        self.tidy(&numbers, now);
        Ok(Added::Done(number))
    }

    /// The folders above this one, up to the store's: each may be as new as the key.
    pub(crate) fn above(&self) -> impl Iterator<Item = &Path> {
        self.folder.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.root))
    }

    /// Removes versions whose successors are old enough, the lowest first. What cannot be removed stays: the write stands.
    fn tidy(&self, numbers: &[u64], now: Duration) {
        for (old, successor) in numbers.iter().zip(numbers.iter().skip(1)) {
            if !is_old(&self.file(*successor), now, KEPT) || gone(fs::remove_file(self.file(*old))).is_err() {
                break;
            }
        }
    }

    /// The numbers that are there, in their order.
    fn numbers(&self) -> io::Result<Vec<u64>> {
        let mut numbers: Vec<u64> =
            names(&self.folder)?.iter().filter_map(|name| name::number(name)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn file(&self, number: u64) -> PathBuf {
        self.folder.join(number.to_string())
    }
}

/// Removes what writers have left behind who were stopped before they were done, as far as it can be removed.
pub(crate) fn tidy_leftovers(folder: &Path, now: Duration) {
    for name in names(folder).unwrap_or_default() {
        let left = folder.join(name);
        if is_old(&left, now, KEPT) {
            let _ = fs::remove_file(&left).or_else(|_| fs::remove_dir_all(&left));
        }
    }
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

/// Reads a file that may grow, or be no file at all.
fn read(file: &Path, max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "a file is longer than an entry can be"));
    }
    Ok(bytes)
}

/// Creates a folder, if nobody has yet. The one that it is in has to be there.
pub(crate) fn create_folder(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

/// Makes a file, durable and whole, or none: what a full disk has taken of one would keep it full.
pub(crate) fn write_new(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    let written = write(&mut file).and_then(|()| file.sync_all());
    // Before its name goes: not every system removes a file that is open.
    drop(file);
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
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

/// Tells whether a number could not be had because others were faster: they have it; or they took what was to become it
/// for a leftover, as it was there for so long.
fn is_lost(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound)
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
