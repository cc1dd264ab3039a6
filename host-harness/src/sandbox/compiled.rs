//! Compiled components on disk, so that only the first start compiles.
//!
//! An entry is machine code that will be run, so it is trusted only where nobody but this user can have put
//! it; its checksum, which stands behind it, catches the damage that a disk or a full file system did. Somebody
//! who can write there could write a digest as well, which would take ten times as long to check.

use std::{
    fmt, fs,
    hash::{Hash as _, Hasher},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use wasmtime::{Engine, component::Component};

use crate::{
    error::HostError,
    reading::{self, Kind, MAX_COMPONENT},
};

/// The use of the cache for compiled components. A cache that cannot be used is not an error: the component
/// is compiled instead, which takes a second or so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheUse {
    /// The component is the one inside this program, and its machine code is there, too.
    Embedded,
    /// No folder was named.
    Off,
    /// The component was there, compiled.
    Hit,
    /// The component was compiled, and is there from now on.
    Stored,
    /// The component was compiled, and will be again: this is why, and what to do.
    Unusable(String),
}

impl fmt::Display for CacheUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("compiled component inside this program"),
            Self::Off => f.write_str("no cache for compiled components"),
            Self::Hit => f.write_str("compiled component found in the cache"),
            Self::Stored => f.write_str("compiled component stored in the cache"),
            Self::Unusable(why) => write!(f, "cache for compiled components not used: {why}"),
        }
    }
}

/// The component in `wasm`, compiled for `engine`, out of the folder where possible.
pub(crate) fn component(
    engine: &Engine,
    wasm: &[u8],
    folder: Option<&Path>,
) -> Result<(Component, CacheUse), HostError> {
    let compile = || Component::new(engine, wasm).map_err(|error| HostError::invalid(&error));
    let Some(folder) = folder else { return Ok((compile()?, CacheUse::Off)) };
    let entry = match Entry::open(folder, &name(engine, wasm)) {
        Ok(entry) => entry,
        Err(why) => return Ok((compile()?, CacheUse::Unusable(why))),
    };
    if let Some(component) = entry.load(engine) {
        return Ok((component, CacheUse::Hit));
    }
    let component = compile()?;
    let code = component.serialize().map_err(|error| HostError::engine(&error))?;
    let stored = match entry.store(&code) {
        Ok(()) => CacheUse::Stored,
        Err(error) => CacheUse::Unusable(format!(
            "cannot write {}: {error}; free some space, or name another folder",
            entry.path.display()
        )),
    };
    Ok((component, stored))
}

/// The component inside this library if these are its bytes, wherever they come from, and if its machine code came along
/// and is for this engine and this processor.
#[cfg(feature = "embedded")]
#[expect(unsafe_code, reason = "loading machine code is unsafe by nature; see the safety comment")]
pub(crate) fn embedded(engine: &Engine, bytes: &[u8]) -> Option<Component> {
    let inside = crate::embedded::CONNECTOR;
    // What comes from inside is not read for this.
    if !std::ptr::eq(bytes, inside) && bytes != inside {
        return None;
    }
    let code = crate::embedded::machine_code()?;
    // SAFETY: the bytes are what `Engine::precompile_component` returned while this program was built, and
    // are a part of it, as trustworthy as the rest. The engine checks its own version and settings, and what
    // the processor has.
    unsafe { Component::deserialize(engine, code) }.ok()
}

#[cfg(not(feature = "embedded"))]
pub(crate) fn embedded(_: &Engine, _: &[u8]) -> Option<Component> {
    None
}

/// A place in a folder that is known to be ours.
struct Entry {
    folder: PathBuf,
    path: PathBuf,
    owner: Owner,
}

impl Entry {
    fn open(folder: &Path, name: &str) -> Result<Self, String> {
        let shown = folder.display();
        let cannot = |error| format!("cannot use {shown}: {error}; name a folder that you can write to");
        create_private(folder).map_err(cannot)?;
        let owner = Owner::of_new_files_in(folder).map_err(cannot)?;
        if !owner.alone_writes(&fs::metadata(folder).map_err(cannot)?) {
            return Err(format!(
                "others can write to {shown}; run `chmod go-w {shown}`, or name another folder"
            ));
        }
        Ok(Self { folder: folder.to_owned(), path: folder.join(name), owner })
    }

    /// The component, if there is an entry that can be trusted. A damaged entry is removed.
    fn load(&self, engine: &Engine) -> Option<Component> {
        // Not through a link: its target may be anybody's.
        let metadata = fs::symlink_metadata(&self.path).ok()?;
        if !metadata.is_file() || !self.owner.alone_writes(&metadata) {
            return None;
        }
        let bytes = reading::read(&self.path, Kind::File, MAX_ENTRY).ok()?;
        let component = intact(&bytes).and_then(|code| deserialize(engine, code));
        if component.is_none() {
            // A failure here shows when the new entry is written.
            let _ = fs::remove_file(&self.path);
        }
        component
    }

    fn store(&self, code: &[u8]) -> io::Result<()> {
        // Readable by its owner alone, as tempfile makes it.
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(code)?;
        file.write_all(&checksum(code))?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        Ok(())
    }
}

/// The code before the checksum, if it is the code that was stored.
fn intact(bytes: &[u8]) -> Option<&[u8]> {
    let (code, stored) = bytes.split_last_chunk()?;
    (checksum(code) == *stored).then_some(code)
}

fn checksum(code: &[u8]) -> [u8; 4] {
    crc32fast::hash(code).to_le_bytes()
}

#[expect(unsafe_code, reason = "loading machine code is unsafe by nature; see the safety comment")]
fn deserialize(engine: &Engine, code: &[u8]) -> Option<Component> {
    // SAFETY: the bytes are what `Component::serialize` returned: they were written by this user under
    // a name that holds the digest of the component and the engine's settings, to a file and a folder
    // that nobody else can write to, and they are whole. The engine checks its own version besides.
    unsafe { Component::deserialize(engine, code) }.ok()
}

/// A file name that stands for everything that the machine code depends on.
fn name(engine: &Engine, wasm: &[u8]) -> String {
    let mut key = Key(Sha256::new());
    key.write(&Sha256::digest(wasm));
    engine.precompile_compatibility_hash().hash(&mut key);
    key.write(env!("CARGO_PKG_VERSION").as_bytes());
    format!("{:x}.cwasm", key.0.finalize())
}

/// Lets SHA-256 take input that is made for hash tables, whose 64 bits would be few for a name.
struct Key(Sha256);

impl Hasher for Key {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        digest.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    }
}

/// The largest entry: machine code is some times as large as its component.
const MAX_ENTRY: u64 = 8 * MAX_COMPONENT;

#[cfg(unix)]
fn create_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn create_private(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).create(folder)
}

/// The user that this process is to the file system.
#[cfg(unix)]
struct Owner(u32);

#[cfg(unix)]
impl Owner {
    /// Asks a file of our own: this needs no system call that the standard library lacks, and proves that the
    /// folder can be written to.
    fn of_new_files_in(folder: &Path) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt as _;
        Ok(Self(tempfile::tempfile_in(folder)?.metadata()?.uid()))
    }

    fn alone_writes(&self, metadata: &fs::Metadata) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        metadata.uid() == self.0 && metadata.mode() & 0o022 == 0
    }
}

/// The same where the folder's own access list decides, which the standard library cannot read.
#[cfg(not(unix))]
struct Owner;

#[cfg(not(unix))]
impl Owner {
    fn of_new_files_in(folder: &Path) -> io::Result<Self> {
        tempfile::tempfile_in(folder).map(|_| Self)
    }

    fn alone_writes(&self, _: &fs::Metadata) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest component there is: the preamble.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    fn used(folder: &Path) -> CacheUse {
        component(&Engine::default(), EMPTY, Some(folder)).unwrap().1
    }

    fn only_entry(folder: &Path) -> PathBuf {
        let entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        let [entry] = entries.as_slice() else { panic!("{entries:?}") };
        entry.clone()
    }

    #[test]
    fn the_second_start_does_not_compile() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("new/gcf");
        assert_eq!(used(&folder), CacheUse::Stored);
        assert_eq!(used(&folder), CacheUse::Hit);
        assert_eq!(component(&Engine::default(), EMPTY, None).unwrap().1, CacheUse::Off);
    }

    #[test]
    #[cfg(feature = "precompiled")]
    fn the_machine_code_inside_is_for_no_other_bytes() {
        let engine = super::super::engine::engine(&crate::Limits::default(), 0, || {}).unwrap();
        let mut bytes = crate::embedded::CONNECTOR.to_vec();
        assert!(embedded(&engine, &bytes).is_some());
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            bytes[at] ^= 1;
            assert!(embedded(&engine, &bytes).is_none(), "{at}");
            bytes[at] ^= 1;
        }
        assert!(embedded(&engine, &bytes[..bytes.len() - 1]).is_none());
    }

    #[test]
    fn a_damaged_entry_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(used(folder.path()), CacheUse::Stored);
        let entry = only_entry(folder.path());
        let whole = fs::read(&entry).unwrap();
        let mut flipped = whole.clone();
        *flipped.last_mut().unwrap() ^= 1;
        for damaged in [&b""[..], &whole[..whole.len() / 2], &flipped] {
            fs::write(&entry, damaged).unwrap();
            assert_eq!(used(folder.path()), CacheUse::Stored);
            assert_eq!(used(folder.path()), CacheUse::Hit);
        }
    }

    #[test]
    fn other_code_and_other_settings_have_other_names() {
        let engine = Engine::default();
        let other = Engine::new(wasmtime::Config::new().epoch_interruption(true)).unwrap();
        assert_eq!(name(&engine, EMPTY), name(&Engine::default(), EMPTY));
        assert_ne!(name(&engine, EMPTY), name(&engine, b""));
        assert_ne!(name(&engine, EMPTY), name(&other, EMPTY));
    }

    #[test]
    fn what_is_no_component_is_refused() {
        let error = component(&Engine::default(), b"\0asm\x01\0\0\0", None).map(|_| ()).unwrap_err();
        assert!(matches!(error, HostError::Invalid(_)), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn what_others_can_write_to_is_not_trusted() {
        use std::os::unix::fs::PermissionsExt as _;
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("gcf");
        assert_eq!(used(&folder), CacheUse::Stored);
        let entry = only_entry(&folder);
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(&entry).unwrap().permissions().mode() & 0o777, 0o600);

        fs::set_permissions(&entry, fs::Permissions::from_mode(0o620)).unwrap();
        assert_eq!(used(&folder), CacheUse::Stored);
        assert_eq!(used(&folder), CacheUse::Hit);

        let elsewhere = parent.path().join("elsewhere");
        fs::rename(&entry, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &entry).unwrap();
        assert_eq!(used(&folder), CacheUse::Stored);

        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(used(&folder), CacheUse::Unusable(why) if why.contains("chmod")));
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_not_used() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(used(&file.path().join("gcf")), CacheUse::Unusable(_)));
    }
}
