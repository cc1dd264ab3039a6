//! Everything that one caller can see.

use crate::{
    Outcome,
    bindings::gcf::connector::secret_store::{
        self as store, Expected, Lease, StoreError, acquire_lease, delete, get, put,
    },
    done, mismatch, same,
};

pub(crate) fn check() -> Outcome {
    compare_and_set()?;
    prefixes()?;
    limits()?;
    leases()?;
    same(done(store::keys(""), "listing")?, Vec::new(), "what is left")
}

fn compare_and_set() -> Outcome {
    let is = |text: &str| Expected::Version(text.to_owned());
    let value = || Ok::<_, String>(done(get(KEY), "reading")?.map(|entry| entry.value));
    same(value()?, None, "an entry that was never written")?;
    mismatch(put(KEY, "x", &is("1")), "a version of nothing")?;
    let first = done(put(KEY, "one", &Expected::Absent), "the first write")?;
    mismatch(put(KEY, "x", &Expected::Absent), "a write where nothing should be")?;
    let read = done(get(KEY), "reading")?.map(|entry| (entry.value, entry.version));
    same(read, Some(("one".to_owned(), first.clone())), "what was written first")?;

    let second = done(put(KEY, "one", &is(&first)), "the same value again")?;
    if first == second {
        return Err("the same value again is no new version".to_owned());
    }
    mismatch(put(KEY, "x", &is(&first)), "a version that was replaced")?;
    let near = [format!("{second} "), format!("0{second}"), format!("+{second}"), String::new()];
    for near in near.iter().map(String::as_str).chain(LARGE) {
        mismatch(put(KEY, "x", &is(near)), &format!("what only looks like the version, {near:?}"))?;
        mismatch(delete(KEY, &is(near)), &format!("what only looks like the version, {near:?}"))?;
    }
    same(value()?.as_deref(), Some("one"), "what no write has changed")?;
    let third = done(put(KEY, "three", &Expected::Anything), "a write on no condition")?;
    same(value()?.as_deref(), Some("three"), "what was written last")?;

    mismatch(delete(KEY, &is(&first)), "removing a version that was replaced")?;
    mismatch(delete(KEY, &Expected::Absent), "removing what should not be there")?;
    done(delete(KEY, &is(&third)), "removing")?;
    same(value()?, None, "what was removed")?;
    done(delete(KEY, &Expected::Anything), "removing nothing")?;
    done(delete(KEY, &Expected::Absent), "removing nothing")?;
    mismatch(delete(KEY, &is(&third)), "removing a version that was removed")?;
    mismatch(put(KEY, "x", &is(&third)), "a version that was removed")?;

    let again = done(put(KEY, "one", &Expected::Absent), "a write after a removal")?;
    if [first, second, third].contains(&again) {
        return Err("a version came back after a removal".to_owned());
    }
    done(delete(KEY, &Expected::Anything), "removing")
}

fn prefixes() -> Outcome {
    let all = ["a", "a.", "a/b", "ab", "b"];
    for key in all.iter().rev() {
        done(put(key, key, &Expected::Absent), "writing")?;
    }
    let listed = |prefix: &str| done(store::keys(prefix), "listing");
    same(listed("")?, all.map(str::to_owned).to_vec(), "all keys")?;
    same(listed("a")?, ["a", "a.", "a/b", "ab"].map(str::to_owned).to_vec(), "the keys with `a`")?;
    same(listed("a/")?, ["a/b"].map(str::to_owned).to_vec(), "the keys with `a/`")?;
    same(listed("z")?, Vec::new(), "the keys with `z`")?;
    all.iter().try_for_each(|key| done(delete(key, &Expected::Anything), "removing"))
}

fn limits() -> Outcome {
    for key in ["", "A", "a b", "a\\..\\b", "a%2fb", "a\0", "\u{e4}", &"a".repeat(257)] {
        refused(get(key), key)?;
        refused(put(key, "", &Expected::Anything), key)?;
        refused(delete(key, &Expected::Anything), key)?;
        refused(acquire_lease(key, LONG), key)?;
    }
    refused(store::keys("A"), "the prefix `A`")?;
    refused(put(KEY, &"v".repeat(64 * 1024 + 1), &Expected::Anything), "a value of more than 64 KiB")?;
    done(put(KEY, "", &Expected::Anything), "writing an empty value")?;
    same(done(get(KEY), "reading")?.map(|entry| entry.value).as_deref(), Some(""), "an empty value")?;
    done(delete(KEY, &Expected::Anything), "removing")
}

fn leases() -> Outcome {
    let first = granted(acquire_lease("tokens/a", LONG), "a lease that is free")?;
    held("tokens/a", "a lease that is taken")?;
    let other = granted(acquire_lease("tokens/b", LONG), "another lease")?;
    for wrong in [&*first, "", "x", "0", "1"].into_iter().chain(LARGE) {
        done(store::release_lease("tokens/b", wrong), "another token")?;
        held("tokens/b", "a lease, after another token was given back")?;
    }
    done(store::release_lease("tokens/b", &other), "giving a lease back")?;
    let again = granted(acquire_lease("tokens/b", LONG), "a lease that was given back")?;
    if again == other {
        return Err("two leases have one token".to_owned());
    }
    done(store::release_lease("tokens/b", &other), "an old token")?;
    held("tokens/b", "a lease, after an old token was given back")?;
    done(store::release_lease("tokens/b", &again), "giving a lease back")?;
    done(store::release_lease("tokens/a", &first), "giving a lease back")?;
    done(store::release_lease("tokens/never", "x"), "a lease that nobody had")
}

fn granted(answer: Result<Lease, StoreError>, what: &str) -> Outcome<String> {
    match done(answer, what)? {
        Lease::Granted(token) => Ok(token),
        Lease::Held(rest) => Err(format!("{what}: held for {rest} ms")),
    }
}

fn held(name: &str, what: &str) -> Outcome {
    match done(acquire_lease(name, LONG), what)? {
        Lease::Held(rest) if (1..=LONG).contains(&rest) => Ok(()),
        Lease::Held(rest) => {
            Err(format!("{what}: held for {rest} ms: not at all, or longer than it was granted for"))
        }
        Lease::Granted(_) => Err(format!("{what}: granted")),
    }
}

fn refused<T>(answer: Result<T, StoreError>, what: &str) -> Outcome {
    match answer {
        Err(StoreError::Other(_)) => Ok(()),
        Err(error) => Err(format!("{what:?}: {error:?}")),
        Ok(_) => Err(format!("{what:?} is taken")),
    }
}

const KEY: &str = "a/1";
/// The last number of 63 bits, the next one, the last of 64 bits, the next one. No store has written so often, and each may
/// count in other numbers.
const LARGE: [&str; 4] =
    ["9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616"];
/// A minute, in milliseconds.
const LONG: u64 = 60_000;
