//! Steps that show several callers to each other.

use crate::{
    Outcome,
    bindings::gcf::connector::secret_store::{self as store, Expected, Lease, StoreError, delete, get, put},
    done, same,
};

/// The entries that one leaves and others find, sorted by their keys.
fn entries() -> Vec<(String, String)> {
    let long = format!("tokens/{}", "/".repeat(249));
    let values = [
        (".", "dot"),
        ("..", ""),
        ("../../x", "line\n\"\u{fc}\" \u{1f600}\0"),
        ("a", "a"),
        ("a.", "a."),
        ("a/b", "a/b"),
        ("large/escaped", &"\u{1}".repeat(LARGEST)),
        ("large/plain", &"v".repeat(LARGEST)),
        ("tokens/..", "tokens/.."),
        (&long, &long),
    ];
    values.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec()
}

pub(crate) fn leave() -> Outcome {
    entries().iter().rev().try_for_each(|(key, value)| {
        done(put(key, value, &Expected::Absent), &format!("writing {key}")).map(drop)
    })
}

pub(crate) fn find() -> Outcome {
    let entries = entries();
    let keys = |prefix: &str| {
        entries.iter().map(|(key, _)| key.clone()).filter(|key| key.starts_with(prefix)).collect()
    };
    for prefix in ["", "a", "large/", "tokens/", "z"] {
        same(done(store::keys(prefix), "listing")?, keys(prefix), &format!("the keys with {prefix:?}"))?;
    }
    for (key, expected) in &entries {
        let found = done(get(key), &format!("reading {key}"))?.map(|entry| entry.value);
        if found.as_ref() != Some(expected) {
            let length = found.map(|value| value.len());
            return Err(format!("{key}: another value, of {length:?} bytes"));
        }
    }
    Ok(())
}

pub(crate) fn clear() -> Outcome {
    for (key, _) in entries() {
        done(delete(&key, &Expected::Anything), &format!("removing {key}"))?;
    }
    same(done(store::keys(""), "listing")?, Vec::new(), "what is left")
}

pub(crate) fn count(times: u32) -> Outcome<u32> {
    let mut late = 0;
    for _ in 0..times {
        loop {
            let (number, expected) = match done(get(COUNTER), "reading the counter")? {
                Some(entry) => (number(&entry.value)?, Expected::Version(entry.version)),
                None => (0, Expected::Absent),
            };
            match put(COUNTER, &(number + 1).to_string(), &expected) {
                Ok(_) => break,
                Err(StoreError::VersionMismatch) => late += 1,
                Err(error) => return Err(format!("counting: {error:?}")),
            }
        }
    }
    Ok(late)
}

pub(crate) fn counted() -> Outcome<u32> {
    let entry = done(get(COUNTER), "reading the counter")?.ok_or("nobody has counted")?;
    done(delete(COUNTER, &Expected::Version(entry.version)), "removing the counter")?;
    number(&entry.value)
}

fn number(text: &str) -> Outcome<u32> {
    text.parse().map_err(|_| format!("the counter says {text:?}"))
}

pub(crate) fn lease(name: &str, ttl_ms: u64) -> Outcome<Option<String>> {
    match done(store::acquire_lease(name, ttl_ms), "asking for a lease")? {
        Lease::Granted(token) => Ok(Some(token)),
        Lease::Held(rest) if (1..=ttl_ms).contains(&rest) => Ok(None),
        Lease::Held(rest) => Err(format!("held for {rest} ms: not at all, or longer than anybody asked for")),
    }
}

pub(crate) fn release(name: &str, token: &str) -> Outcome {
    done(store::release_lease(name, token), "giving a lease back")
}

pub(crate) fn unavailable() -> Outcome {
    let key = "a";
    is_unavailable(get(key), "reading")?;
    is_unavailable(put(key, "x", &Expected::Anything), "writing")?;
    is_unavailable(delete(key, &Expected::Anything), "removing")?;
    is_unavailable(store::keys(""), "listing")?;
    is_unavailable(store::acquire_lease(key, 60_000), "asking for a lease")?;
    // A number: no store knows from its looks that it is nobody's.
    is_unavailable(store::release_lease(key, "1"), "giving a lease back")
}

fn is_unavailable<T>(answer: Result<T, StoreError>, what: &str) -> Outcome {
    match answer {
        Err(StoreError::Unavailable(_)) => Ok(()),
        Err(error) => Err(format!("{what}: {error:?}")),
        Ok(_) => Err(format!("{what}: done")),
    }
}

/// The bytes of the longest value.
const LARGEST: usize = 64 * 1024;
const COUNTER: &str = "counter";
