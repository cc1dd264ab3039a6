//! A rehearsal: the code that makes a call runs, and nothing of it reaches the world.
//!
//! ```text
//! live       a call's steps ─► Stage ─────────────────────────────► ports
//! rehearsal  a call's steps ─► Stage ─► request: written down, and answered with a stand-in
//!                                └────► store: read from the ports, written in memory only
//! ```
//!
//! So what a plan shows cannot differ from what the call does. Live calls go through the same type, and stand
//! once in the component.

mod purpose;
mod stand_in;

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use self::stand_in::Function;
use crate::{
    base::{
        http::{Method, Request, Response, TokenKind, TransportError},
        ports::{Entry, Expected, Lease, Ports, StoreError},
        purpose::Purpose,
        retry::Class,
        secret::Secret,
    },
    google::which::FunctionRef,
    rails::GuardRails,
};

/// The longest body that is shown, in bytes.
const MAX_SHOWN: usize = 4096;

/// The bytes of a signature by a key of 2,048 bits, which is what Google makes.
const SIGNATURE: usize = 256;

/// The ports of a call that is made, or rehearsed.
#[derive(Debug)]
pub struct Stage<'a, P> {
    ports: &'a P,
    rehearsal: Option<&'a Rehearsal>,
}

impl<'a, P: Ports> Stage<'a, P> {
    /// Of a call that is made.
    #[must_use]
    pub const fn live(ports: &'a P) -> Self {
        Self { ports, rehearsal: None }
    }

    /// Of a call that is rehearsed on the same ports.
    #[must_use]
    pub fn rehearsing(&self, rehearsal: &'a Rehearsal) -> Self {
        Self { ports: self.ports, rehearsal: Some(rehearsal) }
    }
}

/// One request that would be sent; see `wit/planning.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub struct PlannedRequest {
    pub purpose: String,
    pub method: Method,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<String>,
    pub body_bytes: u64,
    pub token: TokenKind,
    pub audience: Option<String>,
    pub retry: Class,
    pub attempts: u32,
    pub timeout_ms: u64,
}

/// A rehearsal, as far as it has come.
#[derive(Debug)]
pub struct Rehearsal {
    /// Time stands still: what is left of a deadline is all of it.
    start: Duration,
    function: Option<Function>,
    /// True once a list of one region has brought the function that is looked for.
    found: Cell<bool>,
    requests: RefCell<Vec<PlannedRequest>>,
    /// The entries that would have been written, the latest last; `None` is one that would have been removed.
    kept: RefCell<Vec<(String, Option<Secret<String>>)>>,
}

impl Rehearsal {
    /// One that begins now, of a call to this function, if it is to one.
    #[must_use]
    pub fn new(
        ports: &impl Ports,
        function: Option<&FunctionRef>,
        audience: Option<&str>,
        rails: Option<&GuardRails>,
    ) -> Self {
        Self {
            start: ports.monotonic(),
            function: function.and_then(|function| Function::of(function, audience, rails)),
            found: Cell::new(false),
            requests: RefCell::default(),
            kept: RefCell::default(),
        }
    }

    /// The requests that would have been sent.
    #[must_use]
    pub fn into_requests(self) -> Vec<PlannedRequest> {
        self.requests.into_inner()
    }

    /// Writes a request down. Only what holds no credential is shown of it.
    fn note(&self, request: &Request, class: Class, within: Duration) {
        let secret = matches!(request.token(), TokenKind::Assertion | TokenKind::Grant);
        let text = if secret { None } else { std::str::from_utf8(request.body()).ok() };
        let mints = matches!(request.purpose(), Purpose::AccessTokenOf { .. } | Purpose::IdTokenOf { .. });
        let shown = text.filter(|text| !text.is_empty()).map(|text| {
            let shown = &text[..text.floor_char_boundary(MAX_SHOWN)];
            // Every other body is the caller's, and stands as it is.
            if mints { self.in_words(shown, request.purpose()) } else { shown.to_owned() }
        });
        let url = format!("https://{}{}", request.host(), request.path_and_query());
        let url = match (&self.function, request.purpose()) {
            (Some(function), Purpose::Invocation { .. }) => function.called(url),
            (Some(_) | None, _) => url,
        };
        let is_credential = |name: &str| {
            ["authorization", "x-serverless-authorization", "proxy-authorization"]
                .iter()
                .any(|other| name.eq_ignore_ascii_case(other))
        };
        let headers = request.headers().iter().filter(|(name, _)| !is_credential(name)).cloned().collect();
        self.requests.borrow_mut().push(PlannedRequest {
            purpose: purpose::in_words(request, self.function.as_ref()),
            method: request.method(),
            url: self.in_words(&url, request.purpose()),
            headers,
            body: shown,
            body_bytes: request.body().len() as u64,
            token: request.token(),
            audience: request.purpose().audience().map(|audience| self.in_words(audience, request.purpose())),
            retry: class,
            attempts: class.attempts(),
            timeout_ms: u64::try_from(within.as_millis()).unwrap_or(u64::MAX),
        });
    }

    /// With words in braces in place of what only an answer can tell.
    fn in_words(&self, text: &str, purpose: &Purpose) -> String {
        match &self.function {
            Some(function) => function.in_words(text.to_owned(), purpose),
            None => text.to_owned(),
        }
    }

    fn kept(&self, key: &str) -> Option<Option<Secret<String>>> {
        self.kept.borrow().iter().rev().find(|(kept, _)| kept == key).map(|(_, value)| value.clone())
    }

    fn keep(&self, key: &str, value: Option<&str>) {
        self.kept.borrow_mut().push((key.to_owned(), value.map(|value| Secret::new(value.to_owned()))));
    }
}

impl<P: Ports> Ports for Stage<'_, P> {
    async fn send(
        &self,
        request: &mut Request,
        class: Class,
        within: Duration,
    ) -> Result<Response, TransportError> {
        match self.rehearsal {
            None => self.ports.send(request, class, within).await,
            // Whoever gets here did not ask whether it is a rehearsal.
            Some(_) => Err(TransportError::Denied),
        }
    }

    fn rehearse(&self, request: &Request, class: Class, within: Duration) -> Option<Response> {
        let rehearsal = self.rehearsal?;
        rehearsal.note(request, class, within);
        Some(rehearsal.answer(request, self.ports.now().as_secs()))
    }

    async fn sleep(&self, duration: Duration) {
        if self.rehearsal.is_none() {
            self.ports.sleep(duration).await;
        }
    }

    fn now(&self) -> Duration {
        self.ports.now()
    }

    fn monotonic(&self) -> Duration {
        self.rehearsal.map_or_else(|| self.ports.monotonic(), |rehearsal| rehearsal.start)
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        if self.rehearsal.is_some() { [0; N] } else { self.ports.random() }
    }

    fn secret_get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        match self.rehearsal.and_then(|rehearsal| rehearsal.kept(key)) {
            Some(kept) => Ok(kept.map(|value| Entry { value, version: String::new() })),
            None => self.ports.secret_get(key),
        }
    }

    fn secret_put(&self, key: &str, value: &str, expected: Expected) -> Result<String, StoreError> {
        match self.rehearsal {
            None => self.ports.secret_put(key, value, expected),
            Some(rehearsal) => {
                // An entry that the call may not read is none that it has made.
                if expected == Expected::Absent && matches!(self.secret_get(key), Ok(Some(_))) {
                    return Err(StoreError::VersionMismatch);
                }
                rehearsal.keep(key, Some(value));
                Ok(String::new())
            }
        }
    }

    fn secret_delete(&self, key: &str, expected: Expected) -> Result<(), StoreError> {
        match self.rehearsal {
            None => self.ports.secret_delete(key, expected),
            Some(rehearsal) => {
                rehearsal.keep(key, None);
                Ok(())
            }
        }
    }

    /// In a rehearsal without what it would have written: nobody lists what they have just made.
    fn secret_keys(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.ports.secret_keys(prefix)
    }

    fn acquire_lease(&self, name: &str, ttl: Duration) -> Result<Lease, StoreError> {
        match self.rehearsal {
            None => self.ports.acquire_lease(name, ttl),
            Some(_) => Ok(Lease::Granted(String::new())),
        }
    }

    fn release_lease(&self, name: &str, token: &str) -> bool {
        self.rehearsal.is_some() || self.ports.release_lease(name, token)
    }

    fn sign(&self, key: &str, message: &[u8]) -> Result<Vec<u8>, StoreError> {
        match self.rehearsal {
            None => self.ports.sign(key, message),
            Some(_) => Ok(vec![0; SIGNATURE]),
        }
    }
}
