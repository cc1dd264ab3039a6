use std::{io::Write, sync::Arc};

use tempfile::TempDir;

use super::*;
use crate::secrets::contract::{self, CANARY, ManualClock};

fn folder() -> TempDir {
    TempDir::new().unwrap()
}

fn open(folder: &TempDir) -> DirectoryStore {
    DirectoryStore::open(folder.path().join("store")).unwrap()
}

#[test]
fn keeps_the_contract() {
    let (folder, clock) = (folder(), Arc::new(ManualClock::default()));
    clock.set(1_800_000_000);
    let store = DirectoryStore::open_with_clock(folder.path().join("a/b/store"), clock.clone()).unwrap();
    contract::check(&store, &clock);
    assert!(!store.is_encrypted());
}

#[test]
fn racing_writers_lose_no_update() {
    let folder = folder();
    let stores: Vec<_> = (0..4).map(|_| open(&folder)).collect();
    let stores: Vec<&dyn SecretStore> = stores.iter().map(|store| store as &dyn SecretStore).collect();
    contract::check_racing_writers(&stores);
}

#[test]
fn another_handle_sees_what_was_written() {
    let folder = folder();
    let version = open(&folder).put("connections/a", "1", &Expected::Absent).unwrap();
    let entry = open(&folder).get("connections/a").unwrap().unwrap();
    assert_eq!((entry.value.as_str(), entry.version), ("1", version));
}

#[test]
fn leases_hold_across_handles_and_end_when_their_holder_was_killed() {
    let (folder, clock) = (folder(), Arc::new(ManualClock::default()));
    let open = || DirectoryStore::open_with_clock(folder.path().join("store"), clock.clone()).unwrap();
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
    let file = folder.path().join("store/leases").join(file_name("tokens/a"));
    fs::write(file, "{").unwrap();
    assert!(matches!(open().acquire_lease("tokens/a", ttl).unwrap(), Lease::Granted(_)));
}

#[test]
fn torn_and_foreign_files_are_named_and_never_empty() {
    let folder = folder();
    let store = open(&folder);
    store.put("credentials/a", CANARY, &Expected::Absent).unwrap();
    let file = store.file("credentials/a");
    let whole = fs::read_to_string(&file).unwrap();
    let torn = &whole[..whole.find(CANARY).unwrap() + CANARY.len()];
    let newer = whole.replace("\"format\":1", "\"format\":2");
    let moved = whole.replace("credentials/a", "credentials/b");
    for content in ["", torn, &newer, &moved, "\"canary-3f9c\"", "{\"format\":1,\"value\":\"canary-3f9c\"}"] {
        fs::write(&file, content).unwrap();
        let expected = Expected::Version("1".into());
        for error in [
            store.get("credentials/a").unwrap_err(),
            store.put("credentials/a", "x", &Expected::Absent).unwrap_err(),
            store.delete("credentials/a", &expected).unwrap_err(),
        ] {
            assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
            let text = error.to_string();
            assert!(text.contains("credentials%2fa.json") && text.contains("backup"), "{text}");
            assert!(!text.contains(CANARY), "{text}");
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), content);
    }
    // Who writes whatever is there may replace a damaged file, too.
    store.put("credentials/a", "new", &Expected::Anything).unwrap();
    assert_eq!(store.get("credentials/a").unwrap().unwrap().value, "new");

    fs::write(store.path().join("notes.txt"), "mine").unwrap();
    let error = store.keys("").unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable(text) if text.contains("notes.txt")), "{error}");
}

#[test]
fn a_damaged_file_with_a_long_key_is_named() {
    let folder = folder();
    let store = open(&folder);
    let long = "/".repeat(256);
    store.put(&long, "1", &Expected::Absent).unwrap();
    fs::write(store.file(&long), "").unwrap();
    let error = store.keys("").unwrap_err();
    assert!(error.to_string().contains("%sha256-"), "{error}");
}

#[test]
fn what_a_killed_writer_left_is_no_key_and_is_removed() {
    let folder = folder();
    let store = open(&folder);
    store.put("connections/a", "old", &Expected::Absent).unwrap();
    // What a writer leaves that dies between write and rename.
    let leftover = tempfile::Builder::new().prefix(".tmp-").tempfile_in(store.path()).unwrap();
    let (mut file, path) = leftover.keep().unwrap();
    file.write_all(CANARY.as_bytes()).unwrap();

    assert_eq!(store.get("connections/a").unwrap().unwrap().value, "old");
    assert_eq!(store.keys("").unwrap(), ["connections/a"]);
    let store = open(&folder);
    assert!(!path.exists());
    assert_eq!(store.keys("").unwrap(), ["connections/a"]);
}

#[test]
fn every_file_stays_in_the_folder() {
    let folder = folder();
    let store = open(&folder);
    for key in ["../escaped", "..", "/etc/gcf-escaped", "a/../../escaped", ".lock", "leases", "leases/a"] {
        store.put(key, "1", &Expected::Absent).unwrap();
        assert_eq!(store.file(key).parent(), Some(store.path()));
        assert!(store.file(key).is_file());
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something next to the store");
    assert_eq!(store.keys("").unwrap().len(), 7);
}

#[test]
fn a_file_is_no_folder() {
    let folder = folder();
    fs::write(folder.path().join("store"), "").unwrap();
    let error = DirectoryStore::open(folder.path().join("store")).unwrap_err();
    assert!(error.to_string().contains("not a folder"), "{error}");
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let store = open(&folder);
    store.put("connections/a", "1", &Expected::Absent).unwrap();
    store.acquire_lease("tokens/a", Duration::from_secs(1)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(store.path()), 0o700);
    assert_eq!(mode(&store.leases), 0o700);
    for folder in [store.path(), &store.leases] {
        let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let files: Vec<_> = files.filter(|path| path.is_file()).collect();
        assert_eq!(files.len(), 2, "a lock and one more: {files:?}");
        assert!(files.iter().all(|path| mode(path) == 0o600), "{files:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_others_can_enter_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let store = open(&folder);
    for mode in [0o750, 0o701, 0o755] {
        fs::set_permissions(store.path(), fs::Permissions::from_mode(mode)).unwrap();
        let error = DirectoryStore::open(store.path()).unwrap_err().to_string();
        assert!(error.contains(&format!("chmod 700 {}", store.path().display())), "{error}");
    }
    fs::set_permissions(store.path(), fs::Permissions::from_mode(0o700)).unwrap();
    assert!(DirectoryStore::open(store.path()).is_ok());
}
