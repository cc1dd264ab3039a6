//! Connections that several keys read.

use super::*;
use crate::secrets::{
    directory::readers::{Readers, Seal, StoredReaders},
    envelope::StoreKey,
};

const KINDS: [&str; 5] = ["connections/a", "credentials/a", "keys/a", "status/a", "tokens/a/1"];

/// A store with the connections `a` and `b`; `a` is shared with a friend.
fn shared() -> (Place, DirectoryStore, String) {
    let place = Place::new();
    let store = place.open();
    for key in KINDS.into_iter().chain(["connections/b", "credentials/b", "other/a"]) {
        put(&store, key, key);
    }
    let friend = place.recipient_of("friend");
    store.share("a", &friend).unwrap();
    (place, store, friend)
}

#[test]
fn a_recipient_sees_what_is_shared_and_nothing_else() {
    let (place, store, friend) = shared();
    assert_eq!(store.recipients("a").unwrap(), [friend.as_str()]);
    assert_eq!(store.recipients("b").unwrap(), [""; 0]);
    assert_eq!((store.keys("").unwrap().len(), store.hidden().unwrap()), (8, 0));

    let theirs = place.open_as("friend");
    assert_eq!(theirs.keys("").unwrap(), KINDS);
    assert_eq!(theirs.keys("connections/").unwrap(), ["connections/a"]);
    assert_eq!(theirs.hidden().unwrap(), 3);
    assert_eq!(theirs.recipients("a").unwrap(), [store.recipient()]);
    KINDS.iter().for_each(|key| assert_eq!(value(&theirs, key).unwrap(), *key));
    assert_eq!(value(&theirs, "credentials/none"), None);

    // A hidden entry is neither shown nor absent: it can be neither made nor replaced nor removed.
    for error in [
        theirs.get("credentials/b").unwrap_err(),
        theirs.put("credentials/b", "x", &Expected::Absent).unwrap_err(),
        theirs.put("credentials/b", "x", &Expected::Anything).unwrap_err(),
        theirs.delete("credentials/b", &Expected::Anything).unwrap_err(),
        theirs.recipients("b").map(|_| theirs.get("connections/b")).unwrap().unwrap_err(),
    ] {
        assert!(error.to_string().contains("not encrypted to this key"), "{error}");
    }
    assert_eq!(value(&store, "credentials/b").unwrap(), "credentials/b");
}

#[test]
fn a_copy_of_the_folder_can_be_used_as_well() {
    let (place, store, _) = shared();
    let copy = place.0.path().join("copy");
    for folder in ["", SHARING, LEASES] {
        files::private_folder(&copy.join(folder), false).unwrap();
        for name in files::names(&store.path().join(folder)).unwrap() {
            let path = store.path().join(folder).join(&name);
            if path.is_file() {
                fs::copy(path, copy.join(folder).join(name)).unwrap();
            }
        }
    }
    let theirs = DirectoryStore::open_with(&copy, &place.key("friend")).unwrap();
    assert_eq!(theirs.keys("").unwrap(), KINDS);
    put(&theirs, "tokens/a/2", "theirs");
    assert_eq!(value(&theirs, "tokens/a/2").unwrap(), "theirs");
    assert_eq!(value(&store, "tokens/a/2"), None);
}

#[test]
fn what_one_of_them_writes_all_can_read() {
    let (place, store, _) = shared();
    store.share("a", &place.recipient_of("third")).unwrap();
    let stores = [store, place.open_as("friend"), place.open_as("third")];
    for (writer, store) in stores.iter().enumerate() {
        for key in ["credentials/a", "tokens/a/new"] {
            let text = format!("{writer} {key}");
            put(store, key, &text);
            stores.iter().for_each(|reader| assert_eq!(value(reader, key).unwrap(), text));
        }
    }
    let expected = Expected::Version(stores[0].get("tokens/a/new").unwrap().unwrap().version);
    stores[1].delete("tokens/a/new", &expected).unwrap();
    assert_eq!(value(&stores[2], "tokens/a/new"), None);
    assert_eq!(stores[0].put("tokens/a/new", "x", &expected), Err(StoreError::VersionMismatch));
}

#[test]
fn sharing_changes_no_version() {
    let place = Place::new();
    let store = place.open();
    let version = put(&store, "connections/a", "1");
    store.share("a", &place.recipient_of("friend")).unwrap();
    assert_eq!(store.get("connections/a").unwrap().unwrap().version, version);
    assert!(store.put("connections/a", "2", &Expected::Version(version)).is_ok());
}

#[test]
fn who_is_taken_off_the_list_reads_nothing_more() {
    let (place, store, friend) = shared();
    let third = place.recipient_of("third");
    store.share("a", &third).unwrap();
    store.unshare("a", &friend).unwrap();
    assert_eq!(store.recipients("a").unwrap(), [third.as_str()]);
    put(&store, "tokens/a/2", "later");
    let error = DirectoryStore::open_with(place.store(), &place.key("friend")).unwrap_err().to_string();
    assert!(error.contains("none of the 9 entries"), "{error}");
    assert_eq!(value(&place.open_as("third"), "tokens/a/2").unwrap(), "later");
    store.unshare("a", &third).unwrap();
    assert_eq!(store.recipients("a").unwrap(), [""; 0]);
    assert_eq!(value(&store, "credentials/a").unwrap(), "credentials/a");
    let error = store.unshare("a", &third).unwrap_err().to_string();
    assert!(error.contains("not shared with"), "{error}");
}

#[test]
fn a_new_connection_does_not_inherit_a_list() {
    let (place, store, _) = shared();
    for key in store.keys("").unwrap().iter().filter(|key| connection_of(key) == Some("a")) {
        store.delete(key, &Expected::Anything).unwrap();
    }
    assert_eq!(files::names(&place.store().join(SHARING)).unwrap(), [""; 0]);
    put(&store, "connections/a", "another");
    assert_eq!(store.recipients("a").unwrap(), [""; 0]);
    assert!(DirectoryStore::open_with(place.store(), &place.key("friend")).is_err());
}

#[test]
fn only_who_made_a_connection_can_share_it() {
    let (place, _store, friend) = shared();
    let third = place.recipient_of("third");
    let theirs = place.open_as("friend");
    for refused in [theirs.share("a", &third), theirs.unshare("a", &third)] {
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("only who made it"), "{error}");
    }
    // Nor a connection that they cannot see, nor one that is not there.
    assert!(theirs.share("b", &third).unwrap_err().to_string().contains("not encrypted to this key"));
    let store = place.open();
    for (connection, recipient, expected) in [
        ("none", third.as_str(), "no such connection"),
        ("", &third, "no id of a connection"),
        ("a/b", &third, "no id of a connection"),
        ("A", &third, "key holds something other"),
        ("a", &store.recipient(), "this store's own"),
        ("a", "", "looks like `age1…`"),
        ("a", "AGE-SECRET-KEY-1CANARY-3F9C", "looks like `age1…`"),
    ] {
        let error = store.share(connection, recipient).unwrap_err();
        assert!(matches!(error, StoreError::Other(_)), "{error}");
        let text = error.to_string();
        assert!(text.contains(expected) && !text.contains("CANARY"), "{text}");
    }
    store.share("a", &format!(" {friend}\n")).unwrap();
    assert_eq!(store.recipients("a").unwrap(), [friend]);
}

#[test]
fn a_planted_list_gets_no_secret() {
    let place = Place::new();
    let store = place.open();
    put(&store, "connections/a", "1");
    put(&store, "credentials/a", "2");
    let stranger = StoreKey::new(age::x25519::Identity::generate());
    let all = vec![store.key.recipient().clone(), stranger.recipient().clone()];
    // With a seal of its own, and with the claim that the entries are sealed as before.
    for previous in [None, Some(Seal::Own)] {
        let readers = Readers { all: all.clone(), seal: Seal::new(), previous, is_own: false };
        let json = entries::encode(&StoredReaders::new(entries::FORMAT, "a", &readers));
        let file = place.store().join(SHARING).join(file_name("a"));
        fs::write(&file, envelope::seal(&all, &stranger.lists, &json)).unwrap();

        for store in [place.open(), place.open_as("me")] {
            for error in [
                store.put("tokens/a/1", CANARY, &Expected::Anything).unwrap_err(),
                store.put("credentials/a", CANARY, &Expected::Anything).unwrap_err(),
                store.get("credentials/a").unwrap_err(),
            ] {
                assert!(error.to_string().contains("not written by one of its readers"), "{error}");
            }
            // For a connection that is not there yet, it fits nothing.
            fs::copy(&file, place.store().join(SHARING).join(file_name("c"))).unwrap();
            let error = store.put("connections/c", CANARY, &Expected::Absent).unwrap_err().to_string();
            assert!(error.contains("belongs to another connection"), "{error}");
        }
        fs::remove_file(&file).unwrap();
        assert_eq!(value(&store, "credentials/a").unwrap(), "2");
    }
    let readers = Readers { all: all.clone(), seal: Seal::new(), previous: None, is_own: false };
    let json = entries::encode(&StoredReaders::new(entries::FORMAT, "d", &readers));
    let file = place.store().join(SHARING).join(file_name("d"));
    fs::write(file, envelope::seal(&all, &stranger.lists, &json)).unwrap();
    let error = store.put("connections/d", CANARY, &Expected::Absent).unwrap_err().to_string();
    assert!(error.contains("fits no connection here"), "{error}");
}

#[test]
fn an_old_list_put_back_gets_no_secret() {
    let (place, store, friend) = shared();
    let list = place.store().join(SHARING).join(file_name("a"));
    let old = fs::read(&list).unwrap();
    store.unshare("a", &friend).unwrap();
    fs::write(&list, old).unwrap();
    for error in [
        store.put("tokens/a/1", CANARY, &Expected::Anything).unwrap_err(),
        store.get("credentials/a").unwrap_err(),
    ] {
        assert!(error.to_string().contains("not written by one of its readers"), "{error}");
    }
}

#[test]
fn a_damaged_list_is_named_and_gets_no_secret() {
    let (place, store, _) = shared();
    let list = place.store().join(SHARING).join(file_name("a"));
    let whole = fs::read(&list).unwrap();
    for at in (0..whole.len()).step_by(7) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        for content in [&flipped[..], &whole[..at]] {
            fs::write(&list, content).unwrap();
            let error = store.put("tokens/a/1", CANARY, &Expected::Anything).unwrap_err().to_string();
            assert!(error.contains("sharing/a.age"), "{at}: {error}");
        }
    }
    // The other connections are not concerned.
    let store = place.open();
    put(&store, "credentials/b", "new");
    assert_eq!(value(&store, "credentials/b").unwrap(), "new");
}

#[test]
fn a_change_of_the_list_that_fails_on_the_way_loses_nothing() {
    // Each sync is one step of it: the list, the entries, and the list again.
    for good in 0..32 {
        let (place, store, friend) = shared();
        let third = place.recipient_of("third");
        files::faults::fail_after(good);
        let changed = store.share("a", &third).and_then(|()| store.unshare("a", &friend));
        let failed = files::faults::met();
        assert_eq!(changed.is_err(), failed, "{good}");
        files::faults::fail_after(u32::MAX);

        // Whatever was reached: the handle that failed, another one, and one that writes.
        for store in [&store, &place.open()] {
            KINDS.iter().for_each(|key| assert_eq!(value(store, key).unwrap(), *key, "{good}"));
            put(store, "tokens/a/1", "tokens/a/1");
        }
        store.share("a", &third).unwrap();
        let theirs = place.open_as("third");
        KINDS.iter().for_each(|key| assert_eq!(value(&theirs, key).unwrap(), *key, "{good}"));
        if !failed {
            assert!(good > 20, "the steps were not all met: {good}");
            return;
        }
    }
    panic!("more steps than were tried");
}

#[test]
fn readers_and_writers_do_not_notice_a_change_of_the_list() {
    let (place, store, friend) = shared();
    std::thread::scope(|scope| {
        let changes = scope.spawn(|| {
            for _ in 0..10 {
                store.unshare("a", &friend).unwrap();
                store.share("a", &friend).unwrap();
            }
        });
        let other = place.open();
        while !changes.is_finished() {
            assert_eq!(value(&other, "credentials/a").unwrap(), "credentials/a");
            put(&other, "tokens/a/1", "new");
        }
    });
    assert_eq!(value(&place.open_as("friend"), "tokens/a/1").unwrap(), "new");
}
