//! Files that only their owner reads, and that are replaced as a whole or not at all.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use super::StoreError;

/// Makes the folder, or accepts one that nobody else can enter.
pub(super) fn private_folder(path: &Path) -> Result<(), StoreError> {
    let failed = |error| unavailable("cannot open the folder", path, &error);
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_dir() => {
            Err(StoreError::Unavailable(format!("not a folder: {}", path.display())))
        }
        Ok(metadata) => refuse_open_folder(path, &metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create_folder(path).map_err(failed)?;
            // A second process may have been quicker, and made it otherwise.
            refuse_open_folder(path, &fs::metadata(path).map_err(failed)?)?;
            match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                Some(parent) => sync_folder(parent).map_err(failed),
                None => Ok(()),
            }
        }
        Err(error) => Err(failed(error)),
    }
}

/// Replaces `path` atomically: a reader sees the old text or the new one, at any moment.
///
/// With [`Durable::Yes`] the text survives a power cut from the moment this returns.
pub(super) fn replace(folder: &Path, path: &Path, text: &str, durable: Durable) -> Result<(), StoreError> {
    let write = || -> io::Result<()> {
        let mut builder = tempfile::Builder::new();
        let mut file = builder.prefix(TEMPORARY).tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        if durable == Durable::Yes {
            file.as_file().sync_all()?;
        }
        file.persist(path)?;
        if durable == Durable::Yes { sync_folder(folder) } else { Ok(()) }
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

/// The bytes of a file, or `None` if there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unavailable("cannot read", path, &error)),
    }
}

/// Waits until no other handle, of this process or another, holds the lock, and holds it until the
/// returned file is dropped. The system lets go of a killed process's lock.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    let open = || -> io::Result<File> {
        let mut options = File::options();
        options.create(true).truncate(false).write(true);
        owner_only(&mut options);
        let file = options.open(path)?;
        file.lock()?;
        Ok(file)
    };
    open().map_err(|error| unavailable("cannot lock", path, &error))
}

/// Removes what killed writers left. The caller holds the lock under which this folder is written.
pub(super) fn remove_leftovers(folder: &Path) -> Result<(), StoreError> {
    let failed = |error| unavailable("cannot list", folder, &error);
    for file in fs::read_dir(folder).map_err(failed)? {
        let file = file.map_err(failed)?;
        if file.file_name().to_string_lossy().starts_with(TEMPORARY) {
            remove(folder, &file.path(), Durable::No)?;
        }
    }
    Ok(())
}

/// Says what could not be done, with which file, and why.
pub(super) fn unavailable(what: &str, path: &Path, error: &io::Error) -> StoreError {
    StoreError::Unavailable(format!("{what} {}: {error}", path.display()))
}

/// Whether a change must survive a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durable {
    Yes,
    No,
}

/// Hidden, so that no listing takes one for a key.
const TEMPORARY: &str = ".tmp-";

#[cfg(unix)]
fn create_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(unix)]
fn refuse_open_folder(path: &Path, metadata: &fs::Metadata) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let path = path.display();
    Err(StoreError::Unavailable(format!(
        "others can enter {path} (mode {mode:o}): run `chmod 700 {path}`, or name another folder"
    )))
}

#[cfg(unix)]
fn owner_only(options: &mut fs::OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
}

/// A rename or a removal is durable only when its folder is.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

// Elsewhere a file takes its folder's access rights, and a folder cannot be opened to be synced.
#[cfg(not(unix))]
fn create_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

#[cfg(not(unix))]
fn refuse_open_folder(_path: &Path, _metadata: &fs::Metadata) -> Result<(), StoreError> {
    Ok(())
}

#[cfg(not(unix))]
fn owner_only(_options: &mut fs::OpenOptions) {}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}
