//! Files that only their owner reads, that are replaced as a whole or not at all, and that are not links.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use tempfile::NamedTempFile;

use super::StoreError;
use crate::reading;

/// Makes the folder, or accepts one that nobody else can enter and in which files can be made.
///
/// If it is `known` as a folder of ours, the error says to lock others out of it. Any other folder may be
/// needed by somebody: `chmod 700 /` would end a machine.
pub(super) fn private_folder(path: &Path, known: bool) -> Result<(), StoreError> {
    let failed = |error| unavailable("cannot open the folder", path, &error);
    match fs::symlink_metadata(path) {
        Ok(metadata) => refuse_open_folder(path, &metadata, known)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create_folder(path).map_err(failed)?;
            // A second process may have been quicker, and made it otherwise.
            refuse_open_folder(path, &fs::symlink_metadata(path).map_err(failed)?, known)?;
            sync_folder(parent(path)).map_err(failed)?;
        }
        Err(error) => return Err(failed(error)),
    }
    // Said at the start, and not when the first token has to be kept.
    temporary(path).map(drop).map_err(|error| {
        let path = path.display();
        StoreError::unavailable(format!("cannot write in the folder {path}: {error}"))
            .with_fix("make it writable, or name another folder")
    })
}

/// Replaces `path` atomically: a reader sees the old bytes or the new ones, at any moment.
///
/// With [`Durable::Yes`] the bytes survive a power cut from the moment this returns. A sync that failed
/// is not tried again: the system may have dropped the pages it could not write, and would then say yes.
pub(super) fn replace(folder: &Path, path: &Path, bytes: &[u8], durable: Durable) -> Result<(), StoreError> {
    let write = || -> io::Result<()> {
        let mut file = temporary(folder)?;
        file.write_all(bytes)?;
        if durable == Durable::Yes {
            sync(file.as_file())?;
        }
        file.persist(path)?;
        if durable == Durable::Yes { sync_folder(folder) } else { Ok(()) }
    };
    write().map_err(|error| unavailable("cannot write", path, &error))
}

/// Writes `path` durably and as a whole, unless something is there. Makes its folder, too.
pub(super) fn create(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let write = || -> io::Result<()> {
        create_folder(parent(path))?;
        let mut file = temporary(parent(path))?;
        file.write_all(bytes)?;
        sync(file.as_file())?;
        match file.persist_noclobber(path) {
            Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error),
            Ok(_) | Err(_) => sync_folder(parent(path)),
        }
    };
    write().map_err(|error| unavailable("cannot write", path, &error))
}

/// Removes `path`, if it is there.
pub(super) fn remove(folder: &Path, path: &Path, durable: Durable) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(unavailable("cannot remove", path, &error))
        }
        Ok(()) if durable == Durable::Yes => {
            sync_folder(folder).map_err(|error| unavailable("cannot remove", path, &error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The bytes of a file, or `None` if there is none. A link is refused, and so is anything but a file.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match open(path)? {
        Some(file) => read_all(path, file).map(Some),
        None => Ok(None),
    }
}

/// As [`read`], and refuses a file that others than its owner can read or write. The error says to lock them
/// out only if `is_ours` knows the content: somebody may need any other file.
pub(super) fn read_private(
    path: &Path,
    is_ours: impl Fn(&[u8]) -> bool,
) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(file) = open(path)? else { return Ok(None) };
    let metadata = file.metadata().map_err(|error| unavailable("cannot read", path, &error))?;
    let mode = mode(&metadata);
    let bytes = read_all(path, file)?;
    if mode & 0o077 == 0 {
        return Ok(Some(bytes));
    }
    let ours = is_ours(&bytes);
    let path = path.display();
    Err(if ours {
        StoreError::unavailable(format!("others can read {path} (mode {mode:o})"))
            .with_fix(format!("run `chmod 600 {path}`, and make a new one if somebody did"))
    } else {
        StoreError::other(format!("others can read {path} (mode {mode:o}), and no key is in it"))
            .with_fix("name a key file")
    })
}

/// Tells whether anything has this name, be it a link to nowhere.
pub(super) fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Waits until no other handle, of this process or another, holds the lock, and holds it until the
/// returned file is dropped. The system lets go of a killed process's lock.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    let open = || -> io::Result<File> {
        let mut options = File::options();
        options.create(true).truncate(false).write(true);
        follow_no_link(&mut options);
        let file = options.open(path)?;
        file.lock()?;
        Ok(file)
    };
    open().map_err(|error| unavailable("cannot lock", path, &error))
}

/// Removes the leftovers of killed writers. The caller holds the lock under which this folder is written.
pub(super) fn remove_leftovers(folder: &Path) -> Result<(), StoreError> {
    for name in names(folder)?.iter().filter(|name| name.starts_with(TEMPORARY)) {
        remove(folder, &folder.join(name), Durable::No)?;
    }
    Ok(())
}

/// The names in a folder, those of hidden files included.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, StoreError> {
    let list = || -> io::Result<Vec<String>> {
        fs::read_dir(folder)?.map(|file| Ok(file?.file_name().to_string_lossy().into_owned())).collect()
    };
    list().map_err(|error| unavailable("cannot list", folder, &error))
}

/// The error that says what could not be done, with which file, and why.
pub(super) fn unavailable(what: &str, path: &Path, error: &io::Error) -> StoreError {
    StoreError::unavailable(format!("{what} {}: {error}", path.display()))
}

/// The durability of a change: whether it must survive a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durable {
    Yes,
    No,
}

fn open(path: &Path) -> Result<Option<File>, StoreError> {
    let mut options = File::options();
    options.read(true);
    follow_no_link(&mut options);
    let refused = |what| StoreError::unavailable(format!("cannot read {}: {what}", path.display()));
    match options.open(path) {
        Ok(file) if file.metadata().is_ok_and(|metadata| metadata.is_file()) => Ok(Some(file)),
        Ok(_) => Err(refused("it is no file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(_) if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) => {
            Err(refused("it is a symbolic link, and those are not followed"))
        }
        Err(error) => Err(unavailable("cannot read", path, &error)),
    }
}

fn read_all(path: &Path, file: File) -> Result<Vec<u8>, StoreError> {
    reading::read_from(file, MAX_FILE - 1).map_err(|error| {
        if error.kind() == io::ErrorKind::FileTooLarge {
            let path = path.display();
            return StoreError::unavailable(format!(
                "cannot read {path}: it is larger than anything that is kept here"
            ));
        }
        unavailable("cannot read", path, &error)
    })
}

/// A file readable by its owner only, and gone when it is dropped.
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(folder)
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn sync(file: &File) -> io::Result<()> {
    #[cfg(test)]
    faults::next_sync()?;
    file.sync_all()
}

/// The prefix of temporary files. They are hidden, so that no listing takes one for a key.
const TEMPORARY: &str = ".tmp-";
/// The largest file: twice the largest value with every character escaped, and the readers of a large team.
const MAX_FILE: u64 = 1024 * 1024;

#[cfg(unix)]
fn create_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn refuse_open_folder(path: &Path, metadata: &fs::Metadata, known: bool) -> Result<(), StoreError> {
    let mode = mode(metadata);
    let path = path.display();
    Err(if metadata.is_symlink() {
        StoreError::other(format!("{path} is a symbolic link, and those are not followed"))
            .with_fix("name the folder it leads to")
    } else if !metadata.is_dir() {
        StoreError::other(format!("not a folder: {path}"))
            .with_fix("name a folder, or one that is still to be made")
    } else if mode & 0o077 == 0 {
        return Ok(());
    } else if known {
        StoreError::unavailable(format!("others can enter {path} (mode {mode:o})"))
            .with_fix(format!("run `chmod 700 {path}`, or name another folder"))
    } else {
        StoreError::other(format!("others can enter {path} (mode {mode:o}), and it is no store yet"))
            .with_fix("name a folder that is still to be made, or an empty one that is yours alone")
    })
}

#[cfg(unix)]
fn mode(metadata: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o777
}

/// Has a link fail to open, and a pipe open at once, so that it can be refused. New files are the owner's
/// only.
#[cfg(unix)]
fn follow_no_link(options: &mut fs::OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options
        .mode(0o600)
        .custom_flags((rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits().cast_signed());
}

/// Syncs a folder: a rename or a removal is durable only when its folder is.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    sync(&File::open(path)?)
}

// Elsewhere a file takes its folder's access rights, and a folder cannot be opened to be synced.
#[cfg(not(unix))]
fn create_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

#[cfg(not(unix))]
fn mode(_metadata: &fs::Metadata) -> u32 {
    0
}

#[cfg(not(unix))]
fn follow_no_link(_options: &mut fs::OpenOptions) {}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Disks that fail when a test wants it.
#[cfg(test)]
pub(super) mod faults {
    use std::{cell::Cell, io};

    thread_local! {
        static SYNCS_LEFT: Cell<Option<u32>> = const { Cell::new(None) };
    }

    /// Lets the next `good` syncs of this thread succeed, and the one after them fail.
    pub(crate) fn fail_after(good: u32) {
        SYNCS_LEFT.set(Some(good));
    }

    /// Tells whether the failure was met.
    pub(crate) fn met() -> bool {
        SYNCS_LEFT.get().is_none()
    }

    pub(super) fn next_sync() -> io::Result<()> {
        match SYNCS_LEFT.get() {
            Some(0) => {
                SYNCS_LEFT.set(None);
                Err(io::Error::other("input/output error"))
            }
            Some(left) => {
                SYNCS_LEFT.set(Some(left - 1));
                Ok(())
            }
            None => Ok(()),
        }
    }
}
