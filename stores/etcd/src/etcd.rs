//! The contract over etcd.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use gcf_store::{
    contract::{Entry, Expected, Lease, MAX_LEASE, Result, Store, StoreError},
    http::{HttpFailure, Origin, Response},
    lease::StoredLease,
    name::{Key, Prefix, Value},
    seal::{MAX_CLOSED, Seal},
    settings::Settings,
    world::World,
};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::json;

use crate::gateway::{
    self, Authenticated, Compare, Granted, KeyValue, Range, Txn, encode, end_of, is_stale_token, positive,
};

/// A store in etcd.
pub(crate) struct Etcd<W> {
    world: W,
    origin: Origin,
    prefix: String,
    who: Who,
    seal: Seal,
}

/// The identity of whoever asks.
enum Who {
    Anybody,
    Token(String),
    User { name: String, password: String, token: Mutex<Option<String>> },
}

impl<W: World> Etcd<W> {
    pub(crate) fn open(world: W, settings: &Settings) -> Result<Self> {
        let user = settings.get("GCF_ETCD_USER");
        let who = match (settings.header("GCF_ETCD_TOKEN")?, user) {
            (Some(token), None) => Who::Token(token),
            (None, Some(name)) => Who::User {
                name: name.to_owned(),
                password: settings.need("GCF_ETCD_PASSWORD")?.to_owned(),
                token: Mutex::new(None),
            },
            (None, None) => Who::Anybody,
            (Some(_), Some(_)) => {
                return Err(StoreError::other(
                    "GCF_ETCD_TOKEN and GCF_ETCD_USER are both set; leave one of them out",
                ));
            }
        };
        Ok(Self {
            world,
            origin: Origin::from_settings(settings, "GCF_ETCD_URL")?,
            prefix: settings.path("GCF_ETCD_PREFIX", "gcf")?,
            who,
            seal: Seal::from_settings(settings)?,
        })
    }

    fn entry(&self, key: &str) -> Vec<u8> {
        format!("{}/entries/{key}", self.prefix).into_bytes()
    }

    fn lease(&self, name: &Key) -> Vec<u8> {
        format!("{}/leases/{}", self.prefix, name.as_str()).into_bytes()
    }

    /// Asks, and once more with a new token where ours is no longer good: it was refused before anything was done.
    fn ask<T: DeserializeOwned>(&self, path: &str, body: &serde_json::Value, max: usize) -> Result<T> {
        let token = self.token()?;
        let mut response = self.send(path, token.as_deref(), body, max)?;
        if matches!(self.who, Who::User { .. }) && is_stale_token(&response) {
            self.forget_token();
            response = self.send(path, self.token()?.as_deref(), body, max)?;
        }
        gateway::read(&response)
    }

    fn send(
        &self,
        path: &str,
        token: Option<&str>,
        body: &serde_json::Value,
        max: usize,
    ) -> Result<Response> {
        let request = gateway::request(&self.origin, path, token, body, max);
        self.world.send(request).map_err(|failure| {
            // Some gateways end the connection where a token has expired: https://github.com/etcd-io/etcd/issues/20332
            if failure == HttpFailure::Broken {
                self.forget_token();
            }
            failure.of("etcd")
        })
    }

    fn forget_token(&self) {
        if let Who::User { token, .. } = &self.who {
            *token.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    fn token(&self) -> Result<Option<String>> {
        match &self.who {
            Who::Anybody => Ok(None),
            Who::Token(token) => Ok(Some(token.clone())),
            Who::User { name, password, token } => {
                let known = token.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if known.is_some() {
                    return Ok(known);
                }
                let new = self.sign_in(name, password)?;
                *token.lock().unwrap_or_else(PoisonError::into_inner) = Some(new.clone());
                Ok(Some(new))
            }
        }
    }

    fn sign_in(&self, name: &str, password: &str) -> Result<String> {
        let body = json!({"name": name, "password": password});
        let answer = self.send("/v3/auth/authenticate", None, &body, SMALL)?;
        let Authenticated { token } = gateway::authenticated(&answer)?;
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(StoreError::other("etcd's token cannot be sent in a header"));
        }
        Ok(token)
    }

    fn one(&self, key: &[u8]) -> Result<Option<KeyValue>> {
        let range: Range = self.ask("/v3/kv/range", &json!({"key": encode(key)}), LARGE)?;
        let mut found = range.kvs.into_iter();
        match (found.next(), found.next()) {
            (None, _) => Ok(None),
            (Some(found), None) if found.key == key => Ok(Some(found)),
            (Some(_), _) => Err(strange()),
        }
    }

    /// Does something on a condition.
    fn transact(&self, compare: Option<&Compare<'_>>, success: serde_json::Value) -> Result<Txn> {
        let compare: Vec<_> = compare.map(Compare::to_json).into_iter().collect();
        let body = json!({"compare": compare, "success": [success]});
        let txn: Txn = self.ask("/v3/kv/txn", &body, SMALL)?;
        if txn.succeeded { Ok(txn) } else { Err(StoreError::VersionMismatch) }
    }

    fn opened(&self, key: &Key, found: &KeyValue) -> Result<Entry> {
        let value = self.seal.open(key, &found.value)?;
        Ok(Entry { value, version: found.mod_revision.to_string() })
    }
}

impl<W: World> Store for Etcd<W> {
    fn get(&self, key: &Key) -> Result<Option<Entry>> {
        self.one(&self.entry(key.as_str()))?.map(|found| self.opened(key, &found)).transpose()
    }

    fn put(&self, key: &Key, value: &Value, expected: &Expected) -> Result<String> {
        let name = self.entry(key.as_str());
        let closed = self.seal.close(key, *value, self.world.random());
        let put = json!({"requestPut": {"key": encode(&name), "value": encode(&closed)}});
        let condition = condition(&name, expected)?;
        Ok(self.transact(condition.as_ref(), put)?.header.revision.to_string())
    }

    fn delete(&self, key: &Key, expected: &Expected) -> Result<()> {
        let name = self.entry(key.as_str());
        let delete = json!({"requestDeleteRange": {"key": encode(&name)}});
        self.transact(condition(&name, expected)?.as_ref(), delete).map(drop)
    }

    fn keys(&self, prefix: &Prefix) -> Result<Vec<String>> {
        let folder = self.entry("");
        let mut from = self.entry(prefix.as_str());
        let end = end_of(&from);
        let (mut keys, mut revision) = (Vec::new(), 0);
        for _ in 0..MAX_PAGES {
            let body = json!({
                "key": encode(&from), "rangeEnd": encode(&end), "keysOnly": true, "limit": PAGE.to_string(),
                // All pages as of the first.
                "revision": revision.to_string(),
            });
            let range: Range = self.ask("/v3/kv/range", &body, PAGE * 1024)?;
            revision = range.header.revision;
            let is_asked_for = |found: &KeyValue| found.key >= from && found.key < end;
            // In their order, so that the last one is where the next page begins.
            let is_sorted = range.kvs.is_sorted_by(|one, next| one.key < next.key);
            if range.kvs.len() > PAGE || !is_sorted || !range.kvs.iter().all(is_asked_for) {
                return Err(strange());
            }
            let Some(last) = range.kvs.last() else { return Ok(keys) };
            from = [last.key.as_slice(), b"\0"].concat();
            for KeyValue { key, .. } in range.kvs {
                let key = key.strip_prefix(folder.as_slice()).and_then(|key| str::from_utf8(key).ok());
                // Whoever else writes there may write what is no key.
                keys.extend(key.and_then(|key| Key::parse(key).ok()).map(|key| key.as_str().to_owned()));
            }
            if !range.more {
                return Ok(keys);
            }
        }
        Err(StoreError::other("etcd has more keys than a listing can hold"))
    }

    /// A lease of etcd lasts whole seconds, and no less than etcd's own minimum: one that nobody gives back may be
    /// held for so much longer.
    fn acquire_lease(&self, name: &Key, ttl: Duration) -> Result<Lease> {
        let key = self.lease(name);
        let now = self.world.now();
        // Callers ask again and again while somebody else has it, and a lease of etcd is not made for each.
        if let Some(rest) = self.held(&key, now)? {
            return Ok(Lease::Held(rest));
        }
        let ttl = ttl.min(MAX_LEASE);
        let seconds = (ttl.as_secs() + u64::from(ttl.subsec_nanos() > 0)).max(1);
        // etcd would count its leases up, and whoever has had one could end the next.
        let id = lease_id(self.world.random());
        let body = json!({"TTL": seconds.to_string(), "ID": id.to_string()});
        let granted: Granted = self.ask("/v3/lease/grant", &body, SMALL)?;
        if granted.id != id {
            return Err(strange());
        }
        let stored = StoredLease::new(id.to_string(), now, ttl).to_json();
        let put = json!({"requestPut": {
            "key": encode(&key), "value": encode(stored.as_bytes()), "lease": id.to_string(),
        }});
        match self.transact(Some(&Compare::Absent(&key)), put) {
            Ok(_) => Ok(Lease::Granted(id.to_string())),
            Err(StoreError::VersionMismatch) => {
                self.revoke(id);
                Ok(Lease::Held(self.held(&key, now)?.unwrap_or(SHORTLY)))
            }
            Err(error) => Err(error),
        }
    }

    fn release_lease(&self, name: &Key, token: &str) -> Result<()> {
        let Some(id) = positive(token) else { return Ok(()) };
        let key = self.lease(name);
        let delete = json!({"requestDeleteRange": {"key": encode(&key)}});
        match self.transact(Some(&Compare::Leased(&key, id)), delete) {
            Ok(_) => {
                self.revoke(id);
                Ok(())
            }
            Err(StoreError::VersionMismatch) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl<W: World> Etcd<W> {
    /// The time for which somebody has a lease, about. That it is there decides, for etcd takes it away when it ends.
    fn held(&self, key: &[u8], now: Duration) -> Result<Option<Duration>> {
        let found = self.one(key)?;
        Ok(found.map(|found| {
            StoredLease::from_json(&found.value).and_then(|lease| lease.rest(now)).unwrap_or(SHORTLY)
        }))
    }

    /// Takes a lease of etcd away that nothing is bound to. It would end by itself.
    fn revoke(&self, id: i64) {
        let _ = self.ask::<IgnoredAny>("/v3/lease/revoke", &json!({"ID": id.to_string()}), SMALL);
    }
}

fn condition<'a>(name: &'a [u8], expected: &Expected) -> Result<Option<Compare<'a>>> {
    match expected {
        Expected::Anything => Ok(None),
        Expected::Absent => Ok(Some(Compare::Absent(name))),
        // Revision 0 is what etcd says of a key that does not exist, and beyond 2^63 - 1 it has none: they are none of ours.
        Expected::Version(version) => {
            let revision = positive(version).ok_or(StoreError::VersionMismatch)?;
            Ok(Some(Compare::Modified(name, revision)))
        }
    }
}

/// The ID of a lease: the positive half of what etcd has for one, and not 0, for which etcd chooses.
pub(crate) fn lease_id(random: [u8; 8]) -> i64 {
    (i64::from_be_bytes(random) & i64::MAX).max(1)
}

fn strange() -> StoreError {
    StoreError::other("etcd's answer is not about what it was asked for")
}

/// The rest of a lease that cannot be told.
const SHORTLY: Duration = Duration::from_secs(1);
/// The keys of one page of a listing.
const PAGE: usize = 1000;
const MAX_PAGES: usize = 100;
/// The largest answer without a value.
const SMALL: usize = 16 * 1024;
/// The largest answer with one, in Base64.
const LARGE: usize = MAX_CLOSED * 4 / 3 + SMALL;
