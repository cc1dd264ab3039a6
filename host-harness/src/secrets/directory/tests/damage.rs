//! Files that are not what was written: by accident, or by somebody who may write in the folder.

use super::*;
use crate::secrets::envelope::StoreKey;

/// Asserts that a damaged file is named, stays listed, and is replaced on purpose only.
fn is_damaged(store: &DirectoryStore, key: &str, case: &str) {
    let content = fs::read(store.file(key)).unwrap();
    let version = Expected::Version("1".into());
    for error in [
        store.get(key).unwrap_err(),
        store.put(key, "x", &Expected::Absent).unwrap_err(),
        store.put(key, "x", &version).unwrap_err(),
        store.delete(key, &version).unwrap_err(),
        store.sign(key, b"m").unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::Unavailable(_)), "{case}: {error}");
        let text = error.to_string();
        assert!(text.contains(&file_name(key)) && text.contains("backup"), "{case}: {text}");
        assert!(!text.contains(CANARY), "{case}: {text}");
    }
    assert!(store.keys("").unwrap().contains(&key.to_owned()), "{case}: not listed");
    assert_eq!(store.hidden().unwrap(), 0, "{case}: hidden");
    assert_eq!(fs::read(store.file(key)).unwrap(), content, "{case}: changed");
}

#[test]
fn a_file_cut_at_any_byte_is_damaged() {
    let place = Place::new();
    let store = place.open();
    put(&store, "credentials/a", CANARY);
    let file = store.file("credentials/a");
    let whole = fs::read(&file).unwrap();
    for length in 0..whole.len() {
        fs::write(&file, &whole[..length]).unwrap();
        is_damaged(&store, "credentials/a", &format!("{length} bytes"));
    }
    // The store opens, says what it holds, and lets the damaged entry be replaced.
    fs::write(&file, "").unwrap();
    let store = place.open();
    is_damaged(&store, "credentials/a", "empty");
    put(&store, "credentials/a", "new");
    assert_eq!(value(&store, "credentials/a").unwrap(), "new");
}

#[test]
fn a_flipped_bit_anywhere_is_damage() {
    let place = Place::new();
    let store = place.open();
    put(&store, "credentials/a", CANARY);
    let file = store.file("credentials/a");
    let whole = fs::read(&file).unwrap();
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        fs::write(&file, &flipped).unwrap();
        is_damaged(&store, "credentials/a", &format!("byte {at}"));
    }
    fs::write(&file, [&whole[..], b"x"].concat()).unwrap();
    is_damaged(&store, "credentials/a", "one byte more");
    fs::write(&file, whole).unwrap();
    assert_eq!(value(&store, "credentials/a").unwrap(), CANARY);
}

#[test]
fn a_file_under_another_name_is_damage() {
    let place = Place::new();
    let store = place.open();
    put(&store, "credentials/a", CANARY);
    put(&store, "credentials/b", "1");
    fs::copy(store.file("credentials/a"), store.file("credentials/b")).unwrap();
    is_damaged(&store, "credentials/b", "copied");
    assert_eq!(value(&store, "credentials/a").unwrap(), CANARY);
}

/// A file by somebody who knows the recipient, which is public, and nothing else.
fn planted(store: &DirectoryStore, json: &str) -> Vec<u8> {
    let stranger = StoreKey::new(age::x25519::Identity::generate());
    let readers = [store.key.recipient().clone(), stranger.recipient().clone()];
    envelope::seal(&readers, &stranger.own, json)
}

#[test]
fn a_value_that_no_reader_wrote_is_damage() {
    let place = Place::new();
    let store = place.open();
    let json = r#"{"format":2,"version":"1","key":"credentials/a","value":"canary-3f9c"}"#;
    fs::write(store.file("credentials/a"), planted(&store, json)).unwrap();
    is_damaged(&store, "credentials/a", "planted");
    for json in [
        &json[..40],
        &json.replace(":2", ":3"),
        "\"canary-3f9c\"",
        "{\"format\":2,\"value\":\"canary-3f9c\"}",
    ] {
        let own = [store.key.recipient().clone()];
        fs::write(store.file("credentials/a"), envelope::seal(&own, &store.key.own, json)).unwrap();
        is_damaged(&store, "credentials/a", json);
    }
}

#[test]
fn an_older_file_of_the_same_key_is_not_told() {
    // A limit that is documented: nothing outside the folder knows what was written last.
    let place = Place::new();
    let store = place.open();
    put(&store, "credentials/a", "old");
    let old = fs::read(store.file("credentials/a")).unwrap();
    put(&store, "credentials/a", "new");
    fs::write(store.file("credentials/a"), old).unwrap();
    assert_eq!(value(&place.open(), "credentials/a").unwrap(), "old");
}

#[test]
fn a_damaged_file_with_a_long_key_is_named() {
    let place = Place::new();
    let store = place.open();
    let long = "/".repeat(256);
    put(&store, &long, "1");
    fs::write(store.file(&long), "").unwrap();
    let error = store.keys("").unwrap_err();
    assert!(error.to_string().contains("%sha256-"), "{error}");
}

#[test]
fn a_file_that_is_not_of_the_store_is_named() {
    let place = Place::new();
    files::private_folder(&place.store(), false).unwrap();
    fs::write(place.store().join("notes.txt"), "mine").unwrap();
    let store = place.open();
    let error = store.keys("").unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable(why) if why.message.contains("notes.txt")), "{error}");
}

#[test]
fn a_file_of_any_size_is_read_to_a_limit() {
    let place = Place::new();
    let store = place.open();
    let file = fs::File::create(store.file("credentials/a")).unwrap();
    file.set_len(1 << 40).unwrap();
    let error = store.get("credentials/a").unwrap_err().to_string();
    assert!(error.contains("larger than anything"), "{error}");
}
