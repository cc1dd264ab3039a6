//! Stores of the version that kept clear text.

use super::*;
use crate::secrets::key::clear_file_name;

/// Writes an entry as that version did.
fn write_clear(place: &Place, key: &str, version: &str) {
    if !place.store().exists() {
        files::private_folder(&place.store(), false).unwrap();
    }
    let json = serde_json::json!({ "format": 1, "version": version, "key": key, "value": CANARY });
    fs::write(place.store().join(clear_file_name(key)), json.to_string()).unwrap();
}

fn is_encrypted(place: &Place) -> bool {
    let files = files::names(&place.store()).unwrap();
    let shows = |name: &String| {
        fs::read(place.store().join(name))
            .is_ok_and(|bytes| bytes.windows(CANARY.len()).any(|text| text == CANARY.as_bytes()))
    };
    !files.iter().any(shows)
}

#[test]
fn clear_text_is_encrypted_when_the_store_is_opened() {
    let place = Place::new();
    let long = format!("tokens/{}", "/".repeat(249));
    let keys = ["connections/a", "credentials/a", &long];
    keys.iter().for_each(|key| write_clear(&place, key, "7"));
    let store = place.open();
    assert_eq!(store.migrated(), 3);
    assert!(is_encrypted(&place));
    assert_eq!(store.keys("").unwrap(), keys);
    for key in keys {
        let entry = store.get(key).unwrap().unwrap();
        assert_eq!((entry.value.as_str(), entry.version.as_str()), (CANARY, "7"), "{key}");
    }
    assert_eq!(place.open().migrated(), 0);
}

#[test]
fn a_migration_that_fails_on_the_way_is_taken_up_again() {
    // Each sync is one step of it: the mark, the values, and their removal.
    for good in 0..16 {
        let place = Place::new();
        place.open();
        ["connections/a", "credentials/a"].iter().for_each(|key| write_clear(&place, key, "7"));
        files::faults::fail_after(good);
        let first = place.try_open();
        let failed = files::faults::met();
        assert_eq!(first.is_err(), failed, "{good}");
        files::faults::fail_after(u32::MAX);
        let store = place.open();
        assert!(is_encrypted(&place), "{good}");
        assert_eq!(store.keys("").unwrap(), ["connections/a", "credentials/a"], "{good}");
        assert_eq!(value(&store, "credentials/a").unwrap(), CANARY, "{good}");
        assert!(!place.store().join(".migrating").exists(), "{good}");
        if !failed {
            assert!(good > 8, "the steps were not all met: {good}");
            return;
        }
    }
    panic!("more steps than were tried");
}

#[test]
fn a_damaged_clear_file_is_named_and_nothing_is_removed() {
    let place = Place::new();
    write_clear(&place, "connections/a", "7");
    write_clear(&place, "credentials/a", "7");
    let file = place.store().join(clear_file_name("credentials/a"));
    let whole = fs::read_to_string(&file).unwrap();
    for content in ["", &whole[..whole.len() - 2], &whole.replace("ials/a", "ials/b")] {
        fs::write(&file, content).unwrap();
        let error = place.try_open().unwrap_err().to_string();
        assert!(error.contains("credentials%2fa.json") && !error.contains(CANARY), "{error}");
        assert!(place.store().join(clear_file_name("connections/a")).exists());
    }
    fs::write(&file, whole).unwrap();
    assert_eq!(place.open().migrated(), 2);
}

#[test]
fn clear_text_in_an_encrypted_store_was_planted() {
    let place = Place::new();
    put(&place.open(), "connections/a", "mine");
    write_clear(&place, "connections/a", "7");
    fs::write(place.store().join(".migrating"), "").unwrap();
    let error = place.try_open().unwrap_err().to_string();
    assert!(error.contains("connections%2fa.json") && error.contains("in clear text"), "{error}");
}
