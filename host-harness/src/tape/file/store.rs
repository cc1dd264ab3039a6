//! Files that are replaced whole, and never lost.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::reading::{self, Kind};

/// Writes beside the file, and puts that in its place: a reader sees the old or the new text.
pub(in crate::tape) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    refuse_what_is_no_file(path)?;
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Refuses to put a tape in the place of anything but a file: of a device, for instance.
pub(in crate::tape) fn refuse_what_is_no_file(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "what is there is no file, and stays; name a file",
        )),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// As [`replace`], when a recording is complete. An earlier tape stays beside it, if it is another one and
/// `keep_earlier` is set.
pub(in crate::tape) fn put(path: &Path, text: &str, keep_earlier: bool) -> io::Result<()> {
    refuse_what_is_no_file(path)?;
    let is_other = |metadata: fs::Metadata| {
        metadata.len() != text.len() as u64
            || reading::read(path, Kind::File, metadata.len()).is_ok_and(|earlier| earlier != text.as_bytes())
    };
    if keep_earlier && fs::metadata(path).is_ok_and(is_other) {
        keep(path)?;
    }
    replace(path, text)?;
    match fs::remove_file(part(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The path of the tape while it is being recorded.
pub(in crate::tape) fn part(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// Gives the file a second name that nothing has yet.
fn keep(path: &Path) -> io::Result<()> {
    for number in 1_u32.. {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}.bak"));
        match fs::hard_link(path, PathBuf::from(name)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            done => return done,
        }
    }
    Ok(())
}
