use std::sync::Arc;

use tempfile::TempDir;

use super::*;
use crate::secrets::{
    DirectoryStore, Expected, SecretStore,
    contract::{self, CANARY, ManualClock},
};

fn secret(identity: &Identity) -> String {
    identity.to_string().expose_secret().to_owned()
}

#[test]
fn a_key_file_is_made_once_and_read_afterwards() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("settings/gcf/key.txt");
    let (source, store) = (KeySource::File(path.clone()), folder.path().join("store"));
    assert!(source.load(&store).unwrap().is_none());
    let made = source.create(&store).unwrap();
    assert_eq!(secret(&source.load(&store).unwrap().unwrap()), secret(&made));
    // The second caller takes the key that is there.
    assert_eq!(secret(&source.create(&store).unwrap()), secret(&made));

    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(&format!("# public key: {}\n", made.to_public())), "{text}");
    assert!(text.ends_with(&format!("\n{}\n", secret(&made))), "{text}");
}

#[test]
fn a_key_file_that_is_none_is_told_and_not_shown() {
    let folder = TempDir::new().unwrap();
    let key = secret(&Identity::generate());
    let path = folder.path().join("key.txt");
    for (content, expected) in [
        (String::new(), "there is none"),
        ("# a comment\n".to_owned(), "there is none"),
        (CANARY.to_owned(), "no `AGE-SECRET-KEY-1…`"),
        (key[..key.len() - 1].to_owned(), "no `AGE-SECRET-KEY-1…`"),
        (format!("{key}\n{key}\n"), "several lines"),
    ] {
        files::remove(folder.path(), &path, Durable::No).unwrap();
        files::create(&path, content.as_bytes()).unwrap();
        let error = KeySource::File(path.clone()).load(folder.path().join("s").as_path()).err().unwrap();
        let text = error.to_string();
        assert!(text.contains(expected) && text.contains("key.txt"), "{text}");
        assert!(!text.contains(CANARY) && !text.contains(&key[20..40]), "{text}");
        // It is not replaced either.
        assert!(
            DirectoryStore::open_with(folder.path().join("store"), &KeySource::File(path.clone())).is_err()
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
}

/// An editor on Windows saves with a mark, which is no part of the key; PowerShell saves in UTF-16, which is named.
#[test]
fn a_key_file_that_windows_has_saved_is_read_or_named() {
    let folder = TempDir::new().unwrap();
    let (store, path) = (folder.path().join("s"), folder.path().join("key.txt"));
    KeySource::File(path.clone()).create(&store).unwrap();
    let text = fs::read_to_string(&path).unwrap().replace('\n', "\r\n");
    let load = |bytes: &[u8]| {
        files::remove(folder.path(), &path, Durable::No).unwrap();
        files::create(&path, bytes).unwrap();
        KeySource::File(path.clone()).load(&store)
    };
    assert!(load(text.as_bytes()).is_ok());
    assert!(load([b"\xef\xbb\xbf", text.as_bytes()].concat().as_slice()).is_ok());
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for wide in [[&[0xff, 0xfe], &little[..]].concat(), [&[0xfe, 0xff], &big[..]].concat(), little, big] {
        let error = load(&wide).err().unwrap().to_string();
        assert!(error.contains("key.txt: it is text in UTF-16; save it as UTF-8"), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_can_read_or_that_is_a_link_is_refused() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = TempDir::new().unwrap();
    let (store, path, link) =
        (folder.path().join("s"), folder.path().join("key.txt"), folder.path().join("link"));
    KeySource::File(path.clone()).create(&store).unwrap();
    for mode in [0o640, 0o604, 0o602, 0o777] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = KeySource::File(path.clone()).load(&store).err().unwrap().to_string();
        assert!(error.contains(&format!("chmod 600 {}", path.display())), "{error}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert!(KeySource::File(path.clone()).load(&store).is_ok());

    // Nobody is told to close a file that others may need.
    let other = folder.path().join("passwd");
    fs::write(&other, "root:x:0:0:root:/root:/bin/sh\n").unwrap();
    fs::set_permissions(&other, fs::Permissions::from_mode(0o644)).unwrap();
    let error = KeySource::File(other).load(&store).err().unwrap().to_string();
    assert!(error.contains("no key is in it; name a key file") && !error.contains("chmod"), "{error}");

    symlink(&path, &link).unwrap();
    let error = KeySource::File(link).load(&store).err().unwrap().to_string();
    assert!(error.contains("symbolic link"), "{error}");
    let error = KeySource::File("/dev/null".into()).load(&store).err().unwrap().to_string();
    assert!(error.contains("no file"), "{error}");
}

#[test]
fn a_key_file_in_the_store_is_refused() {
    let folder = TempDir::new().unwrap();
    let store = folder.path().join("store");
    for inside in
        [store.join("key.txt"), store.join("leases/key.txt"), folder.path().join("x/../store/key.txt")]
    {
        fs::create_dir_all(folder.path().join("x")).unwrap();
        let error =
            DirectoryStore::open_with(&store, &KeySource::File(inside.clone())).unwrap_err().to_string();
        assert!(error.contains("name one outside"), "{error}");
        assert!(!inside.exists());
    }
}

#[test]
fn a_passphrase_opens_its_store_and_no_other_does() {
    let (folder, clock) = (TempDir::new().unwrap(), Arc::new(ManualClock::default()));
    let store = folder.path().join("store");
    let open = |text: &str| {
        let source = KeySource::Passphrase(Passphrase::new(text).unwrap());
        DirectoryStore::open_with_clock(&store, &source, clock.clone())
    };
    let first = open(CANARY).unwrap();
    contract::check(&first, &clock);
    let again = open(CANARY).unwrap();
    assert_eq!(again.recipient(), first.recipient());
    assert_eq!(again.get("credentials/canary").unwrap().unwrap().value, CANARY);

    let error = open("another one").unwrap_err().to_string();
    assert!(error.contains("the passphrase is another one"), "{error}");
    let path = store.join(IDENTITY);
    let whole = fs::read(&path).unwrap();
    for at in (0..whole.len()).step_by(9) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        for content in [&flipped[..], &whole[..at]] {
            fs::write(&path, content).unwrap();
            let error = open(CANARY).unwrap_err();
            assert!(
                matches!(&error, StoreError::Unavailable(why) if why.message.contains(IDENTITY)),
                "{at}: {error}"
            );
        }
    }
    // Gone, it is not made anew over what it opened.
    fs::remove_file(&path).unwrap();
    let error = open(CANARY).unwrap_err().to_string();
    assert!(error.contains("is missing"), "{error}");
    assert!(!path.exists());
    fs::write(&path, whole).unwrap();
    assert!(open(CANARY).is_ok());
}

#[test]
fn a_file_that_asks_for_too_much_work_is_refused() {
    let folder = TempDir::new().unwrap();
    let source = KeySource::Passphrase(Passphrase::new("p").unwrap());
    DirectoryStore::open_with(folder.path().join("store"), &source).unwrap();
    let path = folder.path().join("store").join(IDENTITY);
    let bytes = fs::read(&path).unwrap();
    let header = String::from_utf8_lossy(&bytes).lines().nth(1).unwrap().to_owned();
    assert!(header.ends_with(&format!(" {WORK_FACTOR}")), "{header}");
    // 2^40 would take a terabyte and days.
    let (at, end) = (bytes.windows(4).position(|text| text == b" 10\n").unwrap(), bytes.len());
    fs::write(&path, [&bytes[..at], b" 40\n", &bytes[at + 4..end]].concat()).unwrap();
    let error = DirectoryStore::open_with(folder.path().join("store"), &source).unwrap_err().to_string();
    assert!(error.contains(IDENTITY), "{error}");
}

#[test]
fn the_passphrase_and_the_key_cannot_be_printed() {
    let folder = TempDir::new().unwrap();
    let source = KeySource::Passphrase(Passphrase::new(CANARY).unwrap());
    let store = DirectoryStore::open_with(folder.path().join("store"), &source).unwrap();
    store.put("credentials/a", CANARY, &Expected::Absent).unwrap();
    let printed = format!("{source:?} {source:#?} {store:?} {store:#?}");
    assert!(printed.contains("[secret]") && !printed.contains(CANARY), "{printed}");
    assert!(!printed.contains("AGE-SECRET-KEY"), "{printed}");
    assert!(Passphrase::new("").is_err());
}

#[test]
fn the_environment_names_one_source() {
    let none = || None;
    let default = || Some("/d".into());
    let some = |text: &str| Some(text.into());
    assert!(matches!(KeySource::of([some("p"), None, None], none).unwrap(), KeySource::Passphrase(_)));
    let file = |source| {
        let KeySource::File(path) = source else { panic!("{source:?}") };
        path
    };
    assert_eq!(file(KeySource::of([None, some("/k"), None], none).unwrap()), Path::new("/k"));
    assert_eq!(file(KeySource::of([None, None, None], default).unwrap()), Path::new("/d"));
    assert_eq!(file(KeySource::of([some(""), some(""), some("")], default).unwrap()), Path::new("/d"));
    for several in [[some(CANARY), some("/k"), None], [some(CANARY), None, some("1")]] {
        let error = KeySource::of(several, none).unwrap_err().to_string();
        assert!(error.contains("only one of GCF_PASSPHRASE, GCF_KEY_FILE"), "{error}");
        assert!(!error.contains(CANARY), "{error}");
    }
    let neither = KeySource::of([None, None, None], none).unwrap_err().to_string();
    assert!(neither.contains("set GCF_KEY_FILE"), "{neither}");
    let keyring = KeySource::of([None, None, some("1")], none);
    assert_eq!(keyring.is_ok(), cfg!(feature = "keyring"), "{keyring:?}");
}
