//! Reading files that somebody has named, and that may be anything, of any length.

use std::{
    fs::{self, File, FileType, OpenOptions},
    io::{self, Read},
    path::Path,
};

/// The kinds of things that a name may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A regular file, or one that the shell has opened: `/dev/stdin`, `/dev/fd/N` and `<(…)`, which may be
    /// pipes; or `/dev/null`.
    Opened,
}

/// The largest component that is read, and a hundred times what the connector has.
pub const MAX_COMPONENT: u64 = 64 << 20;

/// Opens a file for reading. A pipe that nobody has opened yet is refused at once, and not waited for.
///
/// # Errors
/// If there is none, if it cannot be opened, or if it is of another kind. The text goes behind the file's
/// name.
pub fn open(path: &Path, kind: Kind) -> io::Result<File> {
    let opened = kind == Kind::Opened && (is_opened(path) || path == Path::new("/dev/null"));
    // Before it is opened, for some devices do something then; and after, for it may be another one by now.
    refuse(fs::metadata(path)?.file_type(), opened)?;
    let mut options = OpenOptions::new();
    options.read(true);
    without_waiting(&mut options);
    let file = options.open(path)?;
    refuse(file.metadata()?.file_type(), opened)?;
    wait_for_data(&file)?;
    Ok(file)
}

/// Reads a whole file of at most `limit` bytes.
///
/// # Errors
/// As [`open`], and if it is longer, or cannot be read.
pub fn read(path: &Path, kind: Kind, limit: u64) -> io::Result<Vec<u8>> {
    let file = open(path, kind)?;
    let length = file.metadata()?.len();
    if length > limit {
        return Err(too_long(Some(length), limit));
    }
    read_from(file, limit)
}

/// Reads everything from a reader, at most `limit` bytes.
///
/// # Errors
/// If it is more, or cannot be read.
pub fn read_from(from: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than allowed tells too long from just right, whatever the source.
    from.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(too_long(None, limit)) } else { Ok(bytes) }
}

/// The reason why bytes are not text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotText {
    /// They are text in UTF-16 or UTF-32, as Windows PowerShell writes what a command prints.
    Utf16,
    /// They are not UTF-8, from this byte on.
    Bytes {
        /// The number of bytes before it.
        valid: usize,
    },
}

/// Text in UTF-8, without the byte order mark that some editors put before it (RFC 8259, section 8.1).
///
/// # Errors
/// [`NotText`].
pub fn text(bytes: Vec<u8>) -> Result<String, NotText> {
    if is_utf16(&bytes) {
        return Err(NotText::Utf16);
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)),
        Err(error) => Err(NotText::Bytes { valid: error.utf8_error().valid_up_to() }),
    }
}

/// Tells whether bytes are text in UTF-16 or UTF-32: by the mark before it (Unicode 16.0, section 23.8), or by its first two
/// characters, if those are ASCII.
#[must_use]
pub fn is_utf16(bytes: &[u8]) -> bool {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 0, 0xfe, 0xff, ..] => true,
        [a, 0, b, 0, ..] | [0, a, 0, b, ..] => a.is_ascii() && b.is_ascii() && *a != 0 && *b != 0,
        _ => false,
    }
}

fn too_long(length: Option<u64>, limit: u64) -> io::Error {
    let what = match length {
        Some(length) => format!("it is {length} bytes long"),
        None => "it does not end where it should".to_owned(),
    };
    let what = format!("{what}, and at most {limit} are read");
    io::Error::new(io::ErrorKind::FileTooLarge, Unfit { what, fix: "name another file" })
}

/// A file that is not one to read. Printing it says in one breath what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{what}; {fix}")]
pub(crate) struct Unfit {
    pub(crate) what: String,
    pub(crate) fix: &'static str,
}

/// The reason why a file could not be read, without the next step.
#[must_use]
pub fn what(error: &io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Unfit>()) {
        Some(unfit) => unfit.what.clone(),
        None => error.to_string(),
    }
}

/// Tells whether a name is that of a descriptor of this process.
fn is_opened(path: &Path) -> bool {
    let is_number = |rest: &Path| rest.to_str().is_some_and(|text| text.parse::<u32>().is_ok());
    path == Path::new("/dev/stdin")
        || ["/dev/fd", "/proc/self/fd"].iter().any(|folder| path.strip_prefix(folder).is_ok_and(is_number))
}

fn refuse(kind: FileType, opened: bool) -> io::Result<()> {
    if kind.is_file() || opened && !kind.is_dir() {
        return Ok(());
    }
    let what = format!("it is {}, and no file", name(kind));
    Err(io::Error::new(io::ErrorKind::InvalidInput, Unfit { what, fix: "name a file" }))
}

#[cfg(unix)]
fn name(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn name(kind: FileType) -> &'static str {
    if kind.is_dir() { "a folder" } else { "something else" }
}

/// Opens without waiting; a terminal does not become that of this process.
#[cfg(unix)]
fn without_waiting(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.custom_flags((rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY).bits().cast_signed());
}

/// Has a read wait for the data of a pipe, as usual; opening did not wait for its writer.
#[cfg(unix)]
fn wait_for_data(file: &File) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(file)?;
    rustix::fs::fcntl_setfl(file, flags - rustix::fs::OFlags::NONBLOCK)?;
    Ok(())
}

#[cfg(not(unix))]
fn without_waiting(_options: &mut OpenOptions) {}

#[cfg(not(unix))]
fn wait_for_data(_file: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::{io::Write as _, os::fd::AsRawFd as _};

    use super::*;

    fn refusal(path: impl AsRef<Path>, kind: Kind) -> String {
        read(path.as_ref(), kind, 8).unwrap_err().to_string()
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "12345678").unwrap();
        assert_eq!(read(file.path(), Kind::File, 8).unwrap(), b"12345678");
        let long = read(file.path(), Kind::File, 7).unwrap_err().to_string();
        assert_eq!(long, "it is 8 bytes long, and at most 7 are read; name another file");
        // No byte of it is read.
        file.as_file().set_len(1 << 42).unwrap();
        assert!(refusal(file.path(), Kind::Opened).starts_with("it is 4398046511104 bytes long, "));
        let missing = read(Path::new("/nowhere/at/all"), Kind::File, 8).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn what_is_no_file_is_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for kind in [Kind::File, Kind::Opened] {
            for path in [&pipe, &link] {
                assert_eq!(refusal(path, kind), "it is a pipe, and no file; name a file");
            }
            assert_eq!(refusal(folder.path(), kind), "it is a folder, and no file; name a file");
            assert_eq!(refusal(&socket, kind), "it is a socket, and no file; name a file");
            assert_eq!(refusal("/dev/zero", kind), "it is a device, and no file; name a file");
        }
        assert_eq!(read(Path::new("/dev/null"), Kind::Opened, 8).unwrap(), b"");
        assert!(refusal("/dev/null", Kind::File).contains("a device"));
    }

    #[test]
    fn a_pipe_that_is_open_is_read_to_its_end_or_its_limit() {
        for (text, kind, expected) in [
            ("12345678", Kind::Opened, Ok("12345678")),
            ("123456789", Kind::Opened, Err("it does not end where it should, and at most 8 are read")),
            ("1", Kind::File, Err("it is a pipe")),
        ] {
            let (reader, mut writer) = io::pipe().unwrap();
            writer.write_all(text.as_bytes()).unwrap();
            drop(writer);
            for folder in ["/dev/fd", "/proc/self/fd"] {
                let path = Path::new(folder).join(reader.as_raw_fd().to_string());
                let found = read(&path, kind, 8).map(|bytes| String::from_utf8(bytes).unwrap());
                match (&found, expected) {
                    // The first to read it has taken it all.
                    (Ok(found), Ok(text)) => assert!(found == text || found.is_empty(), "{found}"),
                    (Err(error), Err(text)) => assert!(error.to_string().starts_with(text), "{error}"),
                    (found, expected) => assert!(folder != "/dev/fd", "{found:?}, expected {expected:?}"),
                }
            }
        }
    }

    #[test]
    fn only_numbers_are_names_of_descriptors() {
        for (path, is) in [
            ("/dev/stdin", true),
            ("/dev/fd/63", true),
            ("/proc/self/fd/0", true),
            ("/dev/fd/x", false),
            ("/dev/fd", false),
            ("/dev/fd/3/4", false),
            ("/proc/1/fd/0", false),
            ("stdin", false),
        ] {
            assert_eq!(is_opened(Path::new(path)), is, "{path}");
        }
    }
}
