//! The contract over KV version 2 and transit.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gcf_store::{
    contract::{Entry, Expected, Lease, Result, Store, StoreError},
    http::{Method, Origin, Request, Response},
    lease::{self, StoredLease},
    name::{Key, MAX_VALUE, Prefix, Value, number},
    settings::Settings,
    world::World,
};
use serde::Serialize;
use serde_json::json;

use crate::api::{self, Kept, Metadata, Names, Options, Secret, Write};

/// A store in OpenBao or Vault.
pub(crate) struct Vault<W> {
    world: W,
    origin: Origin,
    headers: Vec<(&'static str, String)>,
    mount: String,
    prefix: String,
    transit: Option<String>,
}

/// A secret as it is now.
struct Current {
    /// The version that a write has to replace; 0 where nothing was ever written.
    version: u64,
    /// The value, if it is not deleted.
    value: Option<String>,
    /// The version is a deletion of ours, and nothing that somebody has deleted by hand or written past us.
    is_deletion: bool,
}

impl<W: World> Vault<W> {
    pub(crate) fn open(world: W, settings: &Settings) -> Result<Self> {
        settings.need("GCF_VAULT_TOKEN")?;
        let token = settings.header("GCF_VAULT_TOKEN")?.map(|token| ("x-vault-token", token));
        let namespace =
            settings.header("GCF_VAULT_NAMESPACE")?.map(|namespace| ("x-vault-namespace", namespace));
        // Asked for by a server's agent against requests that a page of others makes; harmless elsewhere.
        let marked = ("x-vault-request", "true".to_owned());
        Ok(Self {
            world,
            origin: Origin::from_settings(settings, "GCF_VAULT_URL")?,
            headers: token.into_iter().chain(namespace).chain([marked]).collect(),
            mount: settings.path("GCF_VAULT_MOUNT", "secret")?,
            prefix: settings.path("GCF_VAULT_PREFIX", "gcf")?,
            transit: match settings.get("GCF_VAULT_TRANSIT") {
                Some(_) => Some(settings.path("GCF_VAULT_TRANSIT", "")?),
                None => None,
            },
        })
    }

    fn path(&self, part: &str, folder: &str, key: &Key) -> String {
        format!("/v1/{}/{part}/{}/{folder}/{}", self.mount, self.prefix, key.segment())
    }

    fn request(&self, method: Method, path: String, max: usize) -> Request {
        let (origin, headers) = (self.origin.clone(), self.headers.clone());
        Request { method, origin, path, headers, body: Vec::new(), max_response: max }
    }

    fn post(&self, path: String, body: &impl Serialize) -> Result<Response> {
        let request = self.request(Method::Post, path, SMALL);
        let request = Request { body: serde_json::to_vec(body).unwrap_or_default(), ..request };
        self.world.send(request).map_err(|failure| failure.of(SERVER))
    }

    /// Reads several secrets, side by side.
    fn read(&self, folder: &str, keys: &[Key]) -> Result<Vec<Current>> {
        let paths = keys.iter().map(|key| self.path("data", folder, key));
        let requests: Vec<_> = paths.map(|path| self.request(Method::Get, path, LARGE)).collect();
        let responses = self.world.send_all(&requests);
        let read = |response: std::result::Result<Response, _>| {
            current(&response.map_err(|failure: gcf_store::http::HttpFailure| failure.of(SERVER))?)
        };
        responses.into_iter().map(read).collect()
    }

    fn read_one(&self, folder: &str, key: &Key) -> Result<Current> {
        self.read(folder, std::slice::from_ref(key))?.pop().ok_or_else(|| api::refused(404))
    }

    /// Writes on the condition that a version is there, and returns the new one. 0 is the version of what was never
    /// written; no condition is none.
    fn write(&self, folder: &str, key: &Key, kept: Kept, cas: Option<u64>) -> Result<u64> {
        let write = Write { options: cas.map(|cas| Options { cas }), data: kept };
        let response = self.post(self.path("data", folder, key), &write)?;
        match (response.status, cas) {
            // The server says in words only why it refused, so it is asked what is there.
            (400, Some(cas)) if self.read_one(folder, key)?.version != cas => {
                Err(StoreError::VersionMismatch)
            }
            _ => api::read(&response).map(|Metadata { version }| version),
        }
    }

    /// Writes where nothing is: where nothing ever was, or where it was deleted.
    fn write_new(&self, folder: &str, key: &Key, value: &str) -> Result<u64> {
        match self.write(folder, key, Kept::value(value), Some(0)) {
            Err(StoreError::VersionMismatch) => {
                let current = self.read_one(folder, key)?;
                if current.value.is_some() {
                    return Err(StoreError::VersionMismatch);
                }
                self.write(folder, key, Kept::value(value), Some(current.version))
            }
            done => done,
        }
    }

    /// Takes the values away that versions up to one still hold.
    fn destroy(&self, key: &Key, last: u64) -> Result<()> {
        let versions: Vec<u64> = (last.saturating_sub(MOST_VERSIONS).max(1)..=last).collect();
        let response = self.post(self.path("destroy", ENTRIES, key), &json!({"versions": versions}))?;
        if matches!(response.status, 200 | 204) { Ok(()) } else { Err(api::refused(response.status)) }
    }

    /// The mount of transit, if the key is one that only transit may have.
    fn transit_for<'a>(&'a self, key: &'a Key) -> Option<(&'a str, &'a str)> {
        let name = key.as_str().strip_prefix("keys/")?;
        Some((self.transit.as_deref()?, name))
    }
}

/// The current state of a secret, from what KV answers to whoever reads it.
fn current(response: &Response) -> Result<Current> {
    let secret = match response.status {
        404 if api::is_nothing(response) => {
            return Ok(Current { version: 0, value: None, is_deletion: false });
        }
        // Somebody has deleted it by hand.
        404 => match api::data::<Secret>(response) {
            Some(deleted) => Secret { data: None, ..deleted },
            None => return Err(api::refused(404)),
        },
        _ => api::read(response)?,
    };
    let version = secret.metadata.version;
    let is_deletion = secret.data.as_ref().is_some_and(|kept| kept.value.is_none() && kept.others.is_empty());
    let value = secret.data.and_then(|kept| kept.value);
    if value.as_ref().is_some_and(|value| value.len() > MAX_VALUE) {
        return Err(StoreError::other("an entry is longer than a value can be"));
    }
    Ok(Current { version, value, is_deletion })
}

impl Current {
    /// The last version to destroy where there is no value any more; 0 if there is none to destroy. Whoever deleted it may
    /// have been stopped before its values were taken away, and may be who asks again. Who names a version asks again only
    /// if a deletion of ours has replaced that one; whatever else is there is not theirs to destroy, for the condition does
    /// not hold, and what was deleted by hand can be brought back.
    fn left_to_destroy(&self, expected: &Expected) -> Result<u64> {
        match expected {
            Expected::Anything | Expected::Absent => Ok(self.version),
            Expected::Version(expected) => {
                let replaced = self.version.saturating_sub(1);
                let is_theirs = self.is_deletion && known(expected)? == replaced;
                Ok(if is_theirs { replaced } else { 0 })
            }
        }
    }

    fn into_entry(self) -> Option<Entry> {
        let version = self.version.to_string();
        self.value.map(|value| Entry { value, version })
    }
}

impl Kept {
    fn value(value: &str) -> Self {
        Self { value: Some(value.to_owned()), others: BTreeMap::new() }
    }

    const DELETED: Self = Self { value: None, others: BTreeMap::new() };
}

impl<W: World> Store for Vault<W> {
    fn get(&self, key: &Key) -> Result<Option<Entry>> {
        if self.transit_for(key).is_some() {
            return Ok(None);
        }
        Ok(self.read_one(ENTRIES, key)?.into_entry())
    }

    fn put(&self, key: &Key, value: &Value, expected: &Expected) -> Result<String> {
        if self.transit_for(key).is_some() {
            return Err(StoreError::ReadOnly);
        }
        let value = value.reveal();
        let written = match expected {
            Expected::Anything => self.write(ENTRIES, key, Kept::value(value), None),
            Expected::Absent => self.write_new(ENTRIES, key, value),
            Expected::Version(version) => self.write(ENTRIES, key, Kept::value(value), Some(known(version)?)),
        };
        written.map(|version| version.to_string())
    }

    fn delete(&self, key: &Key, expected: &Expected) -> Result<()> {
        if self.transit_for(key).is_some() {
            // Nothing is there, as far as a call can see.
            return delete_nothing(expected);
        }
        for _ in 0..TRIES {
            let current = self.read_one(ENTRIES, key)?;
            let version = current.version;
            if current.value.is_none() {
                let left = current.left_to_destroy(expected)?;
                if left > 0 {
                    self.destroy(key, left)?;
                }
                return delete_nothing(expected);
            }
            match expected {
                Expected::Anything => {}
                Expected::Version(expected) if known(expected)? == version => {}
                Expected::Absent | Expected::Version(_) => return Err(StoreError::VersionMismatch),
            }
            match self.write(ENTRIES, key, Kept::DELETED, Some(version)) {
                Ok(deleted) => return self.destroy(key, deleted.saturating_sub(1)),
                Err(StoreError::VersionMismatch) if *expected == Expected::Anything => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::unavailable("others write this entry all the time"))
    }

    /// A listing costs a request for each name, some at once, as a name does not say whether its entry is deleted.
    fn keys(&self, prefix: &Prefix) -> Result<Vec<String>> {
        let path = format!("/v1/{}/metadata/{}/{ENTRIES}?list=true", self.mount, self.prefix);
        let request = self.request(Method::Get, path, MAX_LISTING);
        let response = self.world.send(request).map_err(|failure| failure.of(SERVER))?;
        if api::is_nothing(&response) {
            return Ok(Vec::new());
        }
        let Names { keys: names } = api::read(&response)?;
        let mut keys: Vec<_> = names.iter().filter_map(|name| Key::of_segment(name)).collect();
        keys.retain(|key| key.as_str().starts_with(prefix.as_str()) && self.transit_for(key).is_none());
        keys.sort_unstable();
        let mut found = Vec::new();
        // Answers are let go of before the next ones come: each may be as long as a value.
        for some in keys.chunks(gcf_store::world::AT_ONCE) {
            let read = self.read(ENTRIES, some)?;
            let there = some.iter().zip(read).filter(|(_, current)| current.value.is_some());
            found.extend(there.map(|(key, _)| key.as_str().to_owned()));
        }
        Ok(found)
    }

    fn acquire_lease(&self, name: &Key, ttl: Duration) -> Result<Lease> {
        let now = self.world.now();
        for _ in 0..TRIES {
            let current = self.read_one(LEASES, name)?;
            let lease = current.value.as_deref().and_then(|json| StoredLease::from_json(json.as_bytes()));
            if let Some(rest) = lease.and_then(|lease| lease.rest(now)) {
                return Ok(Lease::Held(rest));
            }
            let token = lease::token(self.world.random());
            let json = StoredLease::new(token.clone(), now, ttl).to_json();
            match self.write(LEASES, name, Kept::value(&json), Some(current.version)) {
                Ok(_) => return Ok(Lease::Granted(token)),
                Err(StoreError::VersionMismatch) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Lease::Held(SHORTLY))
    }

    fn release_lease(&self, name: &Key, token: &str) -> Result<()> {
        let current = self.read_one(LEASES, name)?;
        let lease = current.value.as_deref().and_then(|json| StoredLease::from_json(json.as_bytes()));
        if lease.is_none_or(|lease| lease.token != token) {
            return Ok(());
        }
        match self.write(LEASES, name, Kept::DELETED, Some(current.version)) {
            Ok(_) | Err(StoreError::VersionMismatch) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn sign(&self, key: &Key, message: &[u8]) -> Result<Vec<u8>> {
        let Some((transit, name)) = self.transit_for(key) else { return Err(StoreError::Unsupported) };
        // A slash would make it another of transit's paths.
        if name.is_empty() || name.contains('/') || name.starts_with('.') {
            return Err(StoreError::other("transit has no keys of such names"));
        }
        let path = format!("/v1/{transit}/sign/{name}/sha2-256");
        let body = json!({"input": STANDARD.encode(message), "signature_algorithm": "pkcs1v15"});
        let response = self.post(path, &body)?;
        match response.status {
            400 | 404 => Err(StoreError::other("transit has no such key, or it is not an RSA key")),
            _ => api::signature(&response),
        }
    }
}

/// The outcome of removing what is not there.
fn delete_nothing(expected: &Expected) -> Result<()> {
    match expected {
        Expected::Anything | Expected::Absent => Ok(()),
        Expected::Version(_) => Err(StoreError::VersionMismatch),
    }
}

/// The version that a caller names, if it can be one of KV's.
fn known(version: &str) -> Result<u64> {
    number(version).ok_or(StoreError::VersionMismatch)
}

const SERVER: &str = "the server of secrets";
const ENTRIES: &str = "entries";
const LEASES: &str = "leases";
/// The rounds of a race with others that are played before giving up.
const TRIES: usize = 16;
/// The rest of a lease that cannot be told.
const SHORTLY: Duration = Duration::from_millis(100);
/// The versions that a deletion destroys: more than KV keeps, unless it is told to (10).
const MOST_VERSIONS: u64 = 100;
/// The largest answer without a value.
const SMALL: usize = 16 * 1024;
/// The largest answer with one: six characters of JSON for a character that cannot be seen.
const LARGE: usize = 6 * MAX_VALUE + SMALL;
/// The largest list of names.
const MAX_LISTING: usize = 1 << 20;
