use std::{io::Write, sync::Arc};

use tempfile::TempDir;

use super::*;
use crate::secrets::{
    contract::{self, CANARY, ManualClock},
    envelope,
};

#[cfg(unix)]
mod crash;
mod damage;
mod migration;
#[cfg(unix)]
mod processes;
mod sharing;

/// A folder with a key file in it, and room for stores.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn store(&self) -> PathBuf {
        self.0.path().join("store")
    }

    /// The key file of somebody.
    fn key(&self, whose: &str) -> KeySource {
        KeySource::File(self.0.path().join(whose).join("key.txt"))
    }

    fn try_open(&self) -> Result<DirectoryStore, StoreError> {
        DirectoryStore::open_with(self.store(), &self.key("me"))
    }

    fn open(&self) -> DirectoryStore {
        self.try_open().unwrap()
    }

    fn open_as(&self, whose: &str) -> DirectoryStore {
        DirectoryStore::open_with(self.store(), &self.key(whose)).unwrap()
    }

    /// The recipient that somebody gives away so that others can share with them.
    fn recipient_of(&self, whose: &str) -> String {
        let store = self.0.path().join(whose).join("store");
        DirectoryStore::open_with(store, &self.key(whose)).unwrap().recipient()
    }
}

#[test]
fn it_grows_to_its_quota_and_no_further() {
    contract::check_quota(|quota| {
        let place = Place::new();
        let clock = Arc::new(ManualClock::default());
        let store = DirectoryStore::open_with_clock(place.store(), &place.key("me"), clock.clone()).unwrap();
        // The folder stays for as long as the process does.
        std::mem::forget(place);
        (store.with_quota(quota), clock)
    });
}

fn value(store: &DirectoryStore, key: &str) -> Option<String> {
    store.get(key).unwrap().map(|entry| entry.value)
}

fn put(store: &DirectoryStore, key: &str, value: &str) -> String {
    store.put(key, value, &Expected::Anything).unwrap()
}

#[test]
fn keeps_the_contract() {
    let (place, clock) = (Place::new(), Arc::new(ManualClock::default()));
    clock.set(1_800_000_000);
    let folder = place.0.path().join("a/b/store");
    let store = DirectoryStore::open_with_clock(folder, &place.key("me"), clock.clone()).unwrap();
    contract::check(&store, &clock);
    assert!(store.is_encrypted());
}

#[test]
fn racing_writers_lose_no_update() {
    let place = Place::new();
    let stores: Vec<_> = (0..4).map(|_| place.open()).collect();
    let stores: Vec<&dyn SecretStore> = stores.iter().map(|store| store as &dyn SecretStore).collect();
    contract::check_racing_writers(&stores);
}

#[test]
fn another_handle_sees_what_was_written() {
    let place = Place::new();
    let version = put(&place.open(), "connections/a", "1");
    let entry = place.open().get("connections/a").unwrap().unwrap();
    assert_eq!((entry.value.as_str(), entry.version), ("1", version));
}

#[test]
fn no_file_shows_a_value() {
    let place = Place::new();
    let store = place.open();
    put(&store, "credentials/a", CANARY);
    store.share("a", &place.recipient_of("friend")).unwrap();
    let mut read = 0;
    for folder in [store.path(), &store.path().join(SHARING)] {
        for name in files::names(folder).unwrap() {
            let path = folder.join(&name);
            if path.is_dir() {
                continue;
            }
            let bytes = fs::read(path).unwrap();
            assert!(!bytes.windows(CANARY.len()).any(|text| text == CANARY.as_bytes()), "{name}");
            read += 1;
        }
    }
    // The entry, and the copy that is shared, at least.
    assert!(read >= 2, "{read} files");
}

#[test]
fn leases_hold_across_handles_and_end_when_their_holder_was_killed() {
    let (place, clock) = (Place::new(), Arc::new(ManualClock::default()));
    let open = || DirectoryStore::open_with_clock(place.store(), &place.key("me"), clock.clone()).unwrap();
    let ttl = Duration::from_secs(30);
    clock.set(1_000);
    assert!(matches!(open().acquire_lease("tokens/a", ttl).unwrap(), Lease::Granted(_)));
    assert_eq!(open().acquire_lease("tokens/a", ttl).unwrap(), Lease::Held(ttl));
    clock.set(1_030);
    assert!(matches!(open().acquire_lease("tokens/a", ttl).unwrap(), Lease::Granted(_)));
    // The clock is set back by a day: waiting for it to come round again would take a day.
    clock.set(1);
    assert!(matches!(open().acquire_lease("tokens/a", ttl).unwrap(), Lease::Granted(_)));
    // An unreadable lease keeps nobody out.
    fs::write(open().leases.file("tokens/a"), "{").unwrap();
    assert!(matches!(open().acquire_lease("tokens/a", ttl).unwrap(), Lease::Granted(_)));
}

#[test]
fn what_a_killed_writer_left_is_no_key_and_is_removed() {
    let place = Place::new();
    let store = place.open();
    put(&store, "connections/a", "old");
    // The leftover of a writer that dies between write and rename.
    let leftover = tempfile::Builder::new().prefix(".tmp-").tempfile_in(store.path()).unwrap();
    let (mut file, path) = leftover.keep().unwrap();
    file.write_all(b"half").unwrap();

    assert_eq!(value(&store, "connections/a").unwrap(), "old");
    assert_eq!(store.keys("").unwrap(), ["connections/a"]);
    let store = place.open();
    assert!(!path.exists());
    assert_eq!(store.keys("").unwrap(), ["connections/a"]);
}

#[test]
fn every_file_stays_in_the_folder() {
    let place = Place::new();
    let store = place.open();
    for key in
        ["../escaped", "..", "/etc/gcf-escaped", "a/../../escaped", ".lock", "leases", "leases/a", "sharing"]
    {
        put(&store, key, "1");
        assert_eq!(store.file(key).parent(), Some(store.path()));
        assert!(store.file(key).is_file());
    }
    assert_eq!(fs::read_dir(place.0.path()).unwrap().count(), 2, "something next to the store and its key");
    assert_eq!(store.keys("").unwrap().len(), 8);
}

#[test]
fn another_key_is_told_and_finds_no_empty_store() {
    let place = Place::new();
    put(&place.open(), "connections/a", "1");
    put(&place.open(), "credentials/a", CANARY);
    let stranger = place.recipient_of("stranger");
    fs::write(place.store().join("notes.txt"), "mine").unwrap();
    let error = DirectoryStore::open_with(place.store(), &place.key("stranger")).unwrap_err().to_string();
    assert!(error.contains("none of the 2 entries") && error.contains(&stranger), "{error}");
}

#[test]
fn a_lost_key_file_is_told_and_not_replaced() {
    let place = Place::new();
    put(&place.open(), "connections/a", "1");
    let error = DirectoryStore::open_with(place.store(), &place.key("nobody")).unwrap_err().to_string();
    assert!(error.contains("nobody/key.txt is missing"), "{error}");
    assert!(!place.0.path().join("nobody").exists());
}

#[test]
fn a_file_is_no_folder() {
    let place = Place::new();
    fs::write(place.store(), "").unwrap();
    let error = place.try_open().unwrap_err();
    assert!(error.to_string().contains("not a folder"), "{error}");
}

#[test]
fn a_disk_that_cannot_sync_is_an_error_and_the_old_value_stays() {
    let place = Place::new();
    let store = place.open();
    let version = put(&store, "credentials/a", "old");
    // The file is synced first, and its folder after the rename.
    files::faults::fail_after(0);
    let error = store.put("credentials/a", CANARY, &Expected::Anything).unwrap_err();
    assert!(files::faults::met() && error.to_string().contains("input/output error"), "{error}");
    let entry = place.open().get("credentials/a").unwrap().unwrap();
    assert_eq!((entry.value.as_str(), entry.version), ("old", version));

    // Then the new value is there, but nobody was told that it will stay.
    files::faults::fail_after(1);
    let error = store.put("credentials/a", "new", &Expected::Anything).unwrap_err();
    assert!(files::faults::met() && matches!(error, StoreError::Unavailable(_)), "{error}");
    assert_eq!(value(&store, "credentials/a").unwrap(), "new");
}

#[test]
fn values_keep_their_bounds() {
    let place = Place::new();
    let store = place.open();
    for (key, kept) in [("a", String::new()), ("b", "v".repeat(64 * 1024)), ("c", "\0".repeat(64 * 1024))] {
        put(&store, key, &kept);
        assert_eq!(value(&store, key).as_deref(), Some(kept.as_str()), "{key}");
    }
    let error = store.put("a", &"v".repeat(64 * 1024 + 1), &Expected::Anything).unwrap_err();
    assert!(error.to_string().contains("value too long"), "{error}");
    assert_eq!(value(&store, "a").unwrap(), "");
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let store = place.open();
    put(&store, "connections/a", "1");
    store.share("a", &place.recipient_of("friend")).unwrap();
    store.acquire_lease("tokens/a", Duration::from_secs(1)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place.0.path().join("me/key.txt")), 0o600);
    assert_eq!(mode(&place.0.path().join("me")), 0o700);
    for (folder, expected) in [("", 2), (LEASES, 2), (SHARING, 1)] {
        let folder = store.path().join(folder);
        assert_eq!(mode(&folder), 0o700, "{folder:?}");
        let files = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
        let files: Vec<_> = files.filter(|path| path.is_file()).collect();
        assert_eq!(files.len(), expected, "{files:?}");
        assert!(files.iter().all(|path| mode(path) == 0o600), "{files:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_others_can_enter_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let store = place.open();
    for mode in [0o750, 0o701, 0o755] {
        fs::set_permissions(store.path(), fs::Permissions::from_mode(mode)).unwrap();
        let error = place.try_open().unwrap_err().to_string();
        assert!(error.contains(&format!("chmod 700 {}", store.path().display())), "{error}");
    }
    fs::set_permissions(store.path(), fs::Permissions::from_mode(0o700)).unwrap();
    assert!(place.try_open().is_ok());
}

#[cfg(unix)]
#[test]
fn nobody_is_told_to_close_a_folder_that_is_no_store() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let open = |path: &Path| DirectoryStore::open_with(path, &place.key("me")).unwrap_err();
    fs::create_dir_all(place.store().join(LEASES)).unwrap();
    fs::set_permissions(place.store(), fs::Permissions::from_mode(0o755)).unwrap();
    for folder in [Path::new("/"), &place.store()] {
        let error = open(folder);
        assert!(matches!(error, StoreError::Other(_)), "{error:?}");
        let error = error.to_string();
        assert!(error.contains("no store yet; name a folder that is still to be made"), "{error}");
        assert!(!error.contains("chmod"), "{error}");
    }
    assert_eq!(files::names(&place.store()).unwrap(), [LEASES], "something was written there");
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    use std::os::unix::fs::symlink;
    let place = Place::new();
    let store = place.open();
    put(&store, "credentials/a", "1");
    let link = place.0.path().join("link");
    symlink(store.path(), &link).unwrap();
    for path in [link.clone(), link.join(""), link.join(".")] {
        let error = DirectoryStore::open_with(path, &place.key("me")).unwrap_err().to_string();
        assert!(error.contains("is a symbolic link"), "{error}");
    }

    // An entry, replaced by a link to the very file that it was.
    let elsewhere = place.0.path().join("elsewhere");
    fs::rename(store.file("credentials/a"), &elsewhere).unwrap();
    symlink(&elsewhere, store.file("credentials/a")).unwrap();
    for error in [
        store.get("credentials/a").unwrap_err(),
        store.put("credentials/a", "2", &Expected::Anything).unwrap_err(),
        store.keys("").unwrap_err(),
        place.try_open().unwrap_err(),
    ] {
        assert!(error.to_string().contains("credentials%2fa.age: it is a symbolic link"), "{error}");
    }

    for inner in [LEASES, SHARING] {
        let place = Place::new();
        fs::create_dir(place.store()).unwrap();
        fs::set_permissions(place.store(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        symlink(place.0.path(), place.store().join(inner)).unwrap();
        let error = place.try_open().unwrap_err().to_string();
        assert!(error.contains(inner) && error.contains("is a symbolic link"), "{error}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_is_told_when_it_is_opened() {
    // Nobody can make a file there, not even root, for whom modes mean nothing.
    let place = Place::new();
    let error = DirectoryStore::open_with("/proc/self/fd", &place.key("me")).unwrap_err().to_string();
    assert!(error.contains("cannot write in the folder /proc/self/fd"), "{error}");
}
