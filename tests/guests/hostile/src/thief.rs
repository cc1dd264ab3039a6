//! The guest's thefts from the store of others, in any call that orders one: it takes what it can, and tells
//! what it got.

use crate::{
    bindings::gcf::connector::{
        secret_store::{self, Expected, Lease, SignatureAlgorithm, StoreError},
        types::Error,
    },
    error, requests,
};

/// The connection of somebody else.
pub(crate) const VICTIM: &str = "00000000000000bb";

/// Obeys an order, for a connection of its own if there is one. The first word names the deed; the rest is
/// for whom or how often.
pub(crate) fn obey(order: &str, own: &str) -> Result<(), Error> {
    match order.split_once(' ').unwrap_or((order, "")) {
        ("steal", victim) => steal(victim),
        ("flood", what) => flood(what, own),
        ("send", _) => requests::request(1),
        ("read", key) => Err(error(format!("{:?}", secret_store::get(key)))),
        _ => Err(error(format!("no such order: {order}"))),
    }
}

/// Tries each way to a connection's entries. Its own word is an error, whose message names what was granted.
pub(crate) fn steal(victim: &str) -> Result<(), Error> {
    let loot: Vec<String> =
        [in_one_step(victim), as_nobodys(victim), as_new(victim), by_lease(victim), by_list(victim)]
            .into_iter()
            .flatten()
            .collect();
    Err(error(format!("granted: [{}]", loot.join(", "))))
}

const SECRET: [&str; 5] = ["credentials", "keys", "repeats", "tokens", "of-a-later-version"];
const PUBLIC: [&str; 2] = ["connections", "status"];

fn names(victim: &str) -> Vec<String> {
    let kinds = SECRET.iter().chain(&PUBLIC);
    let names = kinds.flat_map(|kind| [format!("{kind}/{victim}"), format!("{kind}/{victim}/access")]);
    names.chain([format!("pending/{victim}/4102444800")]).collect()
}

/// Tells whether an entry is more than a list of connections may read.
fn is_secret(name: &str) -> bool {
    !PUBLIC.iter().any(|kind| name.starts_with(kind))
}

fn in_one_step(victim: &str) -> Vec<String> {
    let mut loot = Vec::new();
    for name in names(victim) {
        note(&mut loot, "get", &name, is_secret(&name).then(|| secret_store::get(&name)));
        let sign = secret_store::sign(&name, SignatureAlgorithm::Rs256, b"message");
        note(&mut loot, "sign", &name, Some(sign));
        for expected in [Expected::Anything, Expected::Version("1".to_owned()), Expected::Absent] {
            note(&mut loot, "put", &name, Some(secret_store::put(&name, "{}", &expected)));
        }
        note(&mut loot, "delete", &name, Some(secret_store::delete(&name, &Expected::Anything)));
    }
    loot
}

/// Removes the entry that names a key's owner, and uses the key then.
fn as_nobodys(victim: &str) -> Vec<String> {
    let mut loot = Vec::new();
    let (connection, key) = (format!("connections/{victim}"), format!("keys/{victim}"));
    let old = secret_store::get(&connection).ok().flatten();
    note(&mut loot, "delete", &connection, Some(secret_store::delete(&connection, &Expected::Anything)));
    note(&mut loot, "get", &key, Some(secret_store::get(&key)));
    note(&mut loot, "sign", &key, Some(secret_store::sign(&key, SignatureAlgorithm::Rs256, b"message")));
    if let Some(old) = old {
        note(
            &mut loot,
            "put",
            &connection,
            Some(secret_store::put(&connection, &old.value, &Expected::Absent)),
        );
    }
    loot
}

/// Claims to have just made the connection.
fn as_new(victim: &str) -> Vec<String> {
    let mut loot = Vec::new();
    for kind in ["repeats", "tokens", "status", "other", "keys"] {
        for name in [format!("{kind}/{victim}"), format!("{kind}/{victim}/mine")] {
            note(&mut loot, "put", &name, Some(secret_store::put(&name, "{}", &Expected::Absent)));
        }
    }
    let key = format!("keys/{victim}");
    note(&mut loot, "get", &key, Some(secret_store::get(&key)));
    loot
}

fn by_lease(victim: &str) -> Vec<String> {
    let mut loot = Vec::new();
    for name in names(victim) {
        match secret_store::acquire_lease(&name, 600_000) {
            Ok(Lease::Granted(_) | Lease::Held(_)) => loot.push(format!("lease {name}")),
            Err(_) => {}
        }
        note(&mut loot, "release", &name, Some(secret_store::release_lease(&name, "1")));
    }
    loot
}

fn by_list(victim: &str) -> Vec<String> {
    let mut loot = Vec::new();
    for prefix in ["", "keys/", "credentials/", "tokens/", "pending/"] {
        let names = secret_store::keys(prefix).unwrap_or_default();
        loot.extend(names.into_iter().filter(|name| name.contains(victim) && is_secret(name)));
    }
    loot
}

fn note<T>(loot: &mut Vec<String>, what: &str, name: &str, got: Option<Result<T, StoreError>>) {
    if matches!(got, Some(Ok(_))) {
        loot.push(format!("{what} {name}"));
    }
}

/// The largest value that the contract allows.
const LARGEST: usize = 64 << 10;

/// Asks the store without end.
fn flood(what: &str, own: &str) -> Result<(), Error> {
    let value = "x".repeat(LARGEST);
    let key = format!("keys/{own}");
    for number in 0_u64.. {
        let answer = match what {
            "put" => {
                secret_store::put(&format!("tokens/{own}/{number}"), &value, &Expected::Anything).map(drop)
            }
            "small put" => secret_store::put(&key, "", &Expected::Anything).map(drop),
            "get" => secret_store::get(&key).map(drop),
            "sign" => secret_store::sign(&key, SignatureAlgorithm::Rs256, &[]).map(drop),
            "keys" => secret_store::keys("").map(drop),
            "lease" => secret_store::acquire_lease(&format!("tokens/{own}/{number}"), 600_000).map(drop),
            "delete" => secret_store::delete(&key, &Expected::Anything),
            _ => return Err(error(format!("no such flood: {what}"))),
        };
        // An entry that the store refuses is asked for again.
        let _ = answer;
    }
    Ok(())
}
