//! The store that the options name, or the user's own.

use std::{
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use gcf_host::secrets::{
    DirectoryStore, Expected, KeySource, MemoryStore, PASSPHRASE_VARIABLE, ReadOnlyStore, SECRETS_VARIABLE,
    SecretStore,
};

use super::{DEFAULT_CONNECTION, Global, remembered::Names};
use crate::output::failure::Failure;

/// A store, and what is known of it if it is a folder.
pub(super) struct OpenStore {
    pub(super) store: Arc<dyn SecretStore>,
    /// The same, if it is a folder.
    pub(super) folder: Option<Arc<DirectoryStore>>,
    /// The place of that folder's key, for people.
    pub(super) key_place: String,
}

impl OpenStore {
    fn without_folder(store: impl SecretStore) -> Self {
        Self { store: Arc::new(store), folder: None, key_place: String::new() }
    }
}

/// Opens the store. A command that `needs_store` not gets an empty one, so that a machine without a home folder can
/// run it too.
pub(super) fn open(global: &Global, needs_store: bool) -> Result<OpenStore, Failure> {
    if global.replay_store.is_some() && !global.only_plays() {
        return Err(Failure::input("--replay-store is for replays, and this mode sends requests")
            .with_fix("leave it out, or choose the mode replay or stub"));
    }
    let named = global.replay_store.as_deref().or(global.store.as_deref());
    let named = named.filter(|path| !path.as_os_str().is_empty()).map(Path::to_owned);
    let folder = match named {
        Some(folder) => folder,
        None if !needs_store => return Ok(OpenStore::without_folder(MemoryStore::new())),
        None if env::var_os(SECRETS_VARIABLE).is_some_and(|value| !value.is_empty()) => {
            let store = ReadOnlyStore::from_env().map_err(|error| Failure::store(&error))?;
            return Ok(OpenStore::without_folder(store));
        }
        None if global.replay.is_some() && global.only_plays() => {
            return Ok(OpenStore::without_folder(MemoryStore::new()));
        }
        None => user_folder("XDG_DATA_HOME", ".local/share").ok_or_else(|| {
            Failure::machine("there is no home folder to keep connections in")
                .with_fix("name a folder with --store DIR, or set GCF_STORE")
        })?,
    };
    let failed = |error| Failure::store(&error);
    let key = match &global.key_file {
        Some(path) => KeySource::File(path.clone()),
        None => KeySource::from_env().map_err(failed)?,
    };
    let store = Arc::new(DirectoryStore::open_with(&folder, &key).map_err(failed)?);
    if store.migrated() > 0 {
        let _ = writeln!(
            io::stderr(),
            "{} values in {} were in clear text, and are encrypted now",
            store.migrated(),
            folder.display()
        );
    }
    tell_apart(&store, global.replay_store.is_some())?;
    let key_place = key_place(&key);
    Ok(OpenStore { store: Arc::clone(&store) as Arc<dyn SecretStore>, folder: Some(store), key_place })
}

/// The time in which the names must be found: somebody has pressed a key, and waits.
const PATIENCE: Duration = Duration::from_millis(500);

/// The names that the store in this folder, or the user's own, remembers, and the id of its default connection. There are
/// none if that takes long, or would make, ask or unlock anything.
pub(crate) fn names_in_store(
    folder: Option<PathBuf>,
    key_file: Option<PathBuf>,
) -> Option<(Names, Option<String>)> {
    let (sender, found) = mpsc::channel();
    thread::spawn(move || {
        let read = || {
            let folder = folder.or_else(|| user_folder("XDG_DATA_HOME", ".local/share"))?;
            let key = match key_file {
                Some(path) => KeySource::File(path),
                None => KeySource::from_env().ok()?,
            };
            let KeySource::File(path) = &key else { return None };
            if !path.is_file() || fs::read_dir(&folder).ok()?.next().is_none() {
                return None;
            }
            let store = DirectoryStore::open_with(&folder, &key).ok()?;
            let default = store.get(DEFAULT_CONNECTION).ok().flatten().map(|entry| entry.value);
            Some((Names::of(&store), default))
        };
        sender.send(read())
    });
    found.recv_timeout(PATIENCE).ok().flatten()
}

/// Keeps what replays leave behind and what is alive apart, each in a store of its own.
fn tell_apart(store: &DirectoryStore, for_replays: bool) -> Result<(), Failure> {
    let failed = |error| Failure::store(&error);
    let folder = store.path().display();
    match (store.get(OF_REPLAYS).map_err(failed)?.is_some(), for_replays) {
        (true, true) | (false, false) => Ok(()),
        (true, false) => {
            Err(Failure::input(format!("{folder} is a store for replays: its tokens are placeholders"))
                .with_fix("name it with --replay-store, beside --replay; or name another one with --store"))
        }
        (false, true) if store.keys("").map_err(failed)?.is_empty() => {
            store.put(OF_REPLAYS, "{}", &Expected::Absent).map(drop).map_err(failed)
        }
        (false, true) => Err(Failure::input(format!("{folder} is no store for replays, and not empty"))
            .with_fix("name a folder that is still to be made")),
    }
}

/// Stands in a store for replays.
const OF_REPLAYS: &str = "replays/store";

fn key_place(key: &KeySource) -> String {
    match key {
        KeySource::File(path) => path.display().to_string(),
        KeySource::Passphrase(_) => format!("in the folder, encrypted with what {PASSPHRASE_VARIABLE} holds"),
        #[cfg(feature = "keyring")]
        KeySource::Keyring => "in the system's keyring".to_owned(),
    }
}

/// The user's own store, if there is one.
pub(super) fn own_folder() -> Option<PathBuf> {
    user_folder("XDG_DATA_HOME", ".local/share").filter(|folder| folder.is_dir())
}

/// Compiled components; without a home folder each start compiles anew.
pub(super) fn cache_dir() -> Option<PathBuf> {
    user_folder("XDG_CACHE_HOME", ".cache")
}

/// `gcf` in a folder of the XDG base directory specification, which ignores relative paths.
fn user_folder(variable: &str, below_home: &str) -> Option<PathBuf> {
    let base = env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    base.or_else(|| env::home_dir().filter(|home| home.is_absolute()).map(|home| home.join(below_home)))
        .map(|base| base.join("gcf"))
}
