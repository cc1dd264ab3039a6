use super::*;
use crate::secrets::MemoryStore;

const MINE: &str = "00000000000000aa";
const THEIRS: &str = "00000000000000bb";
const NEW: &str = "00000000000000cc";
const NOW: Duration = Duration::from_secs(1_700_000_000);
const LATER: u64 = 1_700_000_600;

const ALL: [Access; 5] = [Access::Read, Access::Sign, Access::Put, Access::Delete, Access::Lease];

/// The operations that a call may do.
fn rights(scope: &Scope, made: &Made, key: &str) -> Vec<Access> {
    ALL.into_iter().filter(|access| scope.permit(made, key, *access, NOW).is_ok()).collect()
}

/// The operations that a call may do that has made nothing.
fn may(scope: &Scope, key: &str) -> Vec<Access> {
    rights(scope, &Made::default(), key)
}

/// Every call that names no connection, and every one that names [`MINE`].
fn scopes() -> Vec<(&'static str, Scope)> {
    let begun = format!("{MINE}.{NEW}");
    let store = MemoryStore::new();
    store.put(&format!("pending/{begun}/{LATER}"), "x", &Expected::Absent).unwrap();
    vec![
        ("nothing", Scope::nothing()),
        ("connect", Scope::connect()),
        ("list", Scope::list()),
        ("authorize", Scope::authorize(None)),
        ("finish", Scope::finish(&store, NEW, NOW).unwrap()),
        ("connection", Scope::connection(MINE)),
        ("rename", Scope::rename(MINE)),
        ("disconnect", Scope::disconnect(MINE)),
        ("authorize anew", Scope::authorize(Some(MINE))),
        ("finish anew", Scope::finish(&store, &begun, NOW).unwrap()),
    ]
}

#[test]
fn nobody_touches_the_entries_of_another_connection() {
    for (name, scope) in scopes() {
        let lists = !matches!(name, "nothing" | "connection" | "disconnect");
        for kind in [
            "connections",
            "credentials",
            "keys",
            "status",
            "repeats",
            "tokens",
            "functions",
            "of-a-later-version",
        ] {
            for key in
                [format!("{kind}/{THEIRS}"), format!("{kind}/{THEIRS}/d"), format!("{kind}/{THEIRS}/{MINE}")]
            {
                let read =
                    if lists && matches!(kind, "connections" | "status") { &[Access::Read][..] } else { &[] };
                let puts = scope.makes == Makes::Connection;
                let rights: Vec<_> =
                    may(&scope, &key).into_iter().filter(|right| !puts || *right != Access::Put).collect();
                assert_eq!(rights, read, "{name}: {key}");
                // A connection that is there is not a new one, and the first entry of a new one is its
                // credential.
                let put = scope.permit(&Made::default(), &key, Access::Put, NOW).ok();
                let first = puts && kind == "credentials";
                assert_eq!(put, first.then_some(Permit::IfFirst), "{name}: {key}");
            }
        }
        for sign_in in [format!("pending/{THEIRS}/{LATER}"), format!("pending/{THEIRS}.{THEIRS}/{LATER}")] {
            let rights: Vec<_> =
                may(&scope, &sign_in).into_iter().filter(|right| *right != Access::Put).collect();
            assert_eq!(rights, [], "{name}: {sign_in}");
        }
    }
}

#[test]
fn a_call_that_names_a_connection_touches_what_is_its_own() {
    for (name, scope) in scopes() {
        let names = matches!(name, "connection" | "rename" | "disconnect" | "finish anew");
        for kind in [
            "connections",
            "credentials",
            "keys",
            "status",
            "repeats",
            "tokens",
            "functions",
            "of-a-later-version",
        ] {
            for key in [format!("{kind}/{MINE}"), format!("{kind}/{MINE}/d")] {
                assert_eq!(may(&scope, &key) == ALL, names, "{name}: {key}");
            }
            assert!(!may(&scope, &format!("{kind}/{MINE}0")).contains(&Access::Delete), "{name}: {kind}");
        }
    }
}

#[test]
fn what_the_host_keeps_is_used_and_not_changed() {
    for (name, scope) in scopes() {
        let uses = matches!(name, "connect" | "connection" | "disconnect");
        for key in ["keys/team", "keys/00000000000000a", "keys/team/00000000000000bb"] {
            let expected = if uses { &[Access::Read, Access::Sign][..] } else { &[] };
            assert_eq!(may(&scope, key), expected, "{name}: {key}");
        }
        let expected = if uses { &[Access::Read][..] } else { &[] };
        assert_eq!(may(&scope, "supplied/token"), expected, "{name}");
    }
}

/// The index is everybody's, so only a call that takes or gives back a nickname changes it.
#[test]
fn the_index_of_nicknames_is_for_calls_about_nicknames() {
    let digest = "2a97516c354b68848cdbd8f54a226a0a";
    let keys = ["indexed".to_owned(), digest.to_owned(), format!("{digest}/{THEIRS}")];
    let mut scopes = scopes();
    scopes.push(("offline", Scope::offline(MINE)));
    scopes.push(("plan", Scope::connect().planned()));
    for (name, scope) in scopes {
        let expected = match name {
            "connect" | "finish" | "rename" | "disconnect" => {
                &[Access::Read, Access::Put, Access::Delete][..]
            }
            "authorize" | "authorize anew" | "plan" => &[Access::Read],
            _ => &[],
        };
        for key in &keys {
            assert_eq!(may(&scope, &format!("nicknames/{key}")), expected, "{name}: {key}");
        }
        assert_eq!(may(&scope, "nicknames/other"), [], "{name}");
    }
}

/// Ids that are not a connection's, and keys that lack one.
#[test]
fn an_id_that_is_none_owns_nothing() {
    for id in ["", "team", "token", "00000000000000a", "00000000000000AA", "00000000000000aaa", "a/b"] {
        let scope = Scope::connection(id);
        for kind in ["connections", "credentials", "status", "tokens", "pending"] {
            assert_eq!(may(&scope, &format!("{kind}/{id}")), [], "{kind}/{id}");
        }
        assert_eq!(may(&scope, "keys/team"), [Access::Read, Access::Sign], "{id}");
        assert_eq!(Scope::finish(&MemoryStore::new(), id, NOW).unwrap(), Scope::nothing(), "{id}");
    }
    for nobodys in ["", "keys", "credentials", MINE] {
        assert_eq!(may(&Scope::connection(MINE), nobodys), [], "{nobodys}");
    }
}

#[test]
fn a_call_makes_one_connection_and_uses_what_it_has_put() {
    let scope = Scope::connect();
    let mut made = Made::default();
    let (key, credential) = (format!("keys/{NEW}"), format!("credentials/{NEW}"));
    assert_eq!(rights(&scope, &made, &key), []);
    assert_eq!(scope.permit(&made, &credential, Access::Put, NOW), Ok(Permit::IfFirst));
    assert_eq!(rights(&scope, &made, &credential), [Access::Put]);
    made.note(credential.clone());
    assert_eq!(rights(&scope, &made, &credential), ALL);
    assert_eq!(scope.permit(&made, &credential, Access::Put, NOW), Ok(Permit::Granted));
    // The rest of it, as long as it is not there yet.
    assert_eq!(scope.permit(&made, &key, Access::Put, NOW), Ok(Permit::IfNew));
    assert_eq!(rights(&scope, &made, &key), [Access::Put, Access::Lease]);
    assert_eq!((scope.subject(&made), scope.subject(&Made::default())), (Some(NEW), None));
    // No second one.
    for other in [MINE, THEIRS] {
        assert_eq!(rights(&scope, &made, &format!("keys/{other}")), [], "{other}");
    }
}

#[test]
fn a_plan_makes_nothing() {
    let scope = Scope::connect().planned();
    for kind in ["connections", "credentials", "keys", "tokens"] {
        assert!(!may(&scope, &format!("{kind}/{NEW}")).contains(&Access::Put), "{kind}");
    }
    assert!(!scope.sends() && Scope::connect().sends());
}

#[test]
fn a_connection_that_is_there_in_part_is_not_a_new_one() {
    for kind in ["connections", "credentials", "keys", "status", "repeats", "tokens", "functions"] {
        let store = MemoryStore::new();
        let cached = matches!(kind, "tokens" | "functions");
        let there = format!("{kind}/{THEIRS}{}", if cached { "/digest" } else { "" });
        store.put(&there, "x", &Expected::Absent).unwrap();
        for new in ["connections", "credentials", "keys", "status", "repeats", "tokens", "other"] {
            let put = put_first(&store, &format!("{new}/{THEIRS}"), "y");
            assert_eq!(put, Err(StoreError::VersionMismatch), "{kind}, {new}");
        }
        assert_eq!(store.keys("").unwrap(), [there]);
        assert!(put_first(&store, &format!("keys/{NEW}"), "y").is_ok());
    }
}

#[test]
fn a_sign_in_is_begun_for_the_connection_that_is_named() {
    let (for_new, for_mine) = (format!("pending/{NEW}/{LATER}"), format!("pending/{MINE}.{NEW}/{LATER}"));
    let put = |scope: &Scope, key: &str| scope.permit(&Made::default(), key, Access::Put, NOW).ok();
    assert_eq!(put(&Scope::authorize(None), &for_new), Some(Permit::IfFirst));
    assert_eq!(put(&Scope::authorize(None), &for_mine), None);
    assert_eq!(put(&Scope::authorize(Some(MINE)), &for_mine), Some(Permit::IfFirst));
    assert_eq!(put(&Scope::authorize(Some(MINE)), &for_new), None);
    assert_eq!(put(&Scope::authorize(Some(THEIRS)), &for_mine), None);
    for (name, scope) in scopes().into_iter().filter(|(name, _)| !name.starts_with("authorize")) {
        assert_eq!((put(&scope, &for_new), put(&scope, &for_mine)), (None, None), "{name}");
    }
    // One that is there is not begun again.
    let store = MemoryStore::new();
    store.put(&for_new, "x", &Expected::Absent).unwrap();
    let again = put_first(&store, &format!("pending/{NEW}/{}", LATER + 1), "y");
    assert_eq!(again, Err(StoreError::VersionMismatch));
}

#[test]
fn a_sign_in_is_ended_by_who_names_it() {
    let store = MemoryStore::new();
    for sign_in in [NEW.to_owned(), format!("{MINE}.{NEW}")] {
        let key = format!("pending/{sign_in}/{LATER}");
        store.put(&key, "x", &Expected::Absent).unwrap();
        let scope = Scope::finish(&store, &sign_in, NOW).unwrap();
        assert_eq!(may(&scope, &key), [Access::Read, Access::Delete], "{sign_in}");
        assert_eq!(may(&scope, &format!("pending/{MINE}/{LATER}")), [], "{sign_in}");
    }
    // One that is over opens nothing.
    let over = Duration::from_secs(LATER + 1);
    assert_eq!(
        may(&Scope::finish(&store, &format!("{MINE}.{NEW}"), over).unwrap(), &format!("keys/{MINE}")),
        []
    );
    // A caller cannot make a connection theirs by naming it.
    let made_up = Scope::finish(&store, &format!("{THEIRS}.{NEW}"), NOW).unwrap();
    assert_eq!(may(&made_up, &format!("credentials/{THEIRS}")), []);
}

#[test]
fn a_sign_in_that_is_over_is_cleared_away_and_not_read() {
    let past = NOW.as_secs() - 1;
    for over in
        [format!("pending/{THEIRS}/{past}"), format!("pending/{MINE}.{NEW}/{past}"), format!("pending/{NEW}")]
    {
        for (name, scope) in scopes().into_iter().filter(|(name, _)| !name.starts_with("finish")) {
            let expected = if name.starts_with("authorize") { &[Access::Delete][..] } else { &[] };
            assert_eq!(may(&scope, &over), expected, "{name}: {over}");
        }
    }
    let this_second = format!("pending/{THEIRS}/{}", NOW.as_secs());
    assert_eq!(may(&Scope::authorize(None), &this_second), [Access::Put]);
}

#[test]
fn keys_of_others_are_not_listed() {
    let past = NOW.as_secs() - 1;
    let mut keys: Vec<String> = [MINE, THEIRS]
        .into_iter()
        .flat_map(|id| ["connections", "credentials", "keys", "status"].map(|kind| format!("{kind}/{id}")))
        .collect();
    keys.extend([format!("pending/{NEW}/{LATER}"), format!("pending/{NEW}/{past}")]);
    keys.extend(["keys/team", "supplied/token"].map(str::to_owned));
    let seen = |scope: &Scope| scope.visible(&Made::default(), keys.clone(), NOW);
    assert_eq!(seen(&Scope::nothing()), [""; 0]);
    assert!(seen(&Scope::connection(MINE)).iter().all(|key| key.ends_with(MINE)));
    assert_eq!(seen(&Scope::connection(MINE)).len(), 4);
    let public = [
        "connections/00000000000000aa",
        "status/00000000000000aa",
        "connections/00000000000000bb",
        "status/00000000000000bb",
    ];
    assert_eq!(seen(&Scope::list()), public);
    assert_eq!(seen(&Scope::connect()), public);
    assert_eq!(seen(&Scope::authorize(None)), [&public[..], &[&format!("pending/{NEW}/{past}")]].concat());
}
