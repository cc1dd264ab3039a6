//! A world in memory: what Google answers is a script, time stands still but for sleeping.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use serde_json::Value;

pub(crate) use self::answers::*;
use crate::{
    actions::connections::{self, ConnectRequest, Connection, CredentialRequest},
    base::{
        error::Error,
        http::{Request, Response, TransportError},
        ports::{Entry, Expected, Lease, Ports, StoreError},
        retry::{self, Class},
        secret::Secret,
    },
    google::{
        jwt::{KeyId, PrivateKey},
        names::AccountEmail,
    },
    sign_in::{
        credential::{
            Credential,
            service_account::{ServiceAccount, SigningKey},
        },
        identity::Given,
    },
};

mod answers;
pub(crate) mod canaries;
mod published;
#[cfg(test)]
mod tests;

/// A key made for tests, of an account that does not exist.
pub(crate) const DEMO_KEY: &str = include_str!("../../../tests/fixtures/demo-key.json");

/// Too short to be accepted.
pub(crate) const KEY_512: &str = include_str!("../../../tests/fixtures/rsa-512.pem");

/// 2026-03-01T12:00:00Z.
pub(crate) const NOW: u64 = 1_772_366_400;

pub(crate) struct DemoKey {
    pub(crate) email: AccountEmail,
    pub(crate) key_id: Option<KeyId>,
    pub(crate) key: PrivateKey,
}

pub(crate) fn demo_key() -> DemoKey {
    let request = CredentialRequest::GoogleJson(Secret::new(DEMO_KEY.to_owned()));
    let given = Given::parse(request, None).unwrap();
    let Credential::ServiceAccount(ServiceAccount { email, key_id, key: SigningKey::Here(key) }) =
        given.identity.credential
    else {
        panic!("the demo key is a service account's");
    };
    DemoKey { email, key_id, key }
}

/// Runs a future that is always ready or wakes itself.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..1000 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
    panic!("the future waits for something that a test never provides");
}

pub(crate) type Answer = Result<Response, TransportError>;

/// An act of somebody else while a call waits.
type Meanwhile = Box<dyn FnOnce(&World)>;

/// A Google that answers by what it is asked.
type Responder = Box<dyn Fn(&Request) -> Answer>;

/// The operations of a store, each of which can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Get,
    Put,
    Delete,
    Keys,
    Lease,
    Release,
}

/// The scripted world.
#[derive(Default)]
pub(crate) struct World {
    answers: RefCell<VecDeque<(Option<Meanwhile>, Answer)>>,
    /// Answers to one request each, by its method and URL without a query.
    addressed: RefCell<Vec<(String, Answer)>>,
    responder: RefCell<Option<Responder>>,
    pub(crate) sent: RefCell<Vec<Request>>,
    /// The time that each request was given.
    pub(crate) times: RefCell<Vec<Duration>>,
    /// Requests and changes of the store, in their order: `send HOST/PATH`, `put FIRST-SEGMENT`, `delete …`.
    pub(crate) log: RefCell<Vec<String>>,
    pub(crate) secrets: RefCell<BTreeMap<String, String>>,
    /// Every operation on the store, with its key or prefix.
    pub(crate) asked: RefCell<Vec<(Op, String)>>,
    versions: RefCell<BTreeMap<String, u64>>,
    /// Token and end of each lease that is held by a call.
    pub(crate) leases: RefCell<BTreeMap<String, (String, Duration)>>,
    somebody_elses: RefCell<VecDeque<Meanwhile>>,
    /// Others' writes under keys with a prefix, each just before the next of our own.
    quicker: RefCell<VecDeque<(String, Meanwhile)>>,
    faults: RefCell<Vec<(Op, String, StoreError)>>,
    /// Calls of the store until the one that fails, if one is to.
    until_fault: Cell<Option<u32>>,
    pub(crate) elapsed: Cell<Duration>,
    pub(crate) wall: Cell<Duration>,
    pub(crate) signs: Cell<bool>,
    /// True if sleeping never ends.
    pub(crate) hangs: Cell<bool>,
    pub(crate) read_only: Cell<bool>,
    /// True where answers are such as Google never sends.
    damaged: Cell<bool>,
    pub(crate) counter: Cell<u64>,
}

impl World {
    pub(crate) fn new() -> Self {
        let world = Self::default();
        world.wall.set(Duration::from_secs(NOW));
        world
    }

    /// A world with one connection of a service account, and its id.
    pub(crate) fn connected() -> (Self, String) {
        Self::connected_with(connect_request(), [access_token(canaries::FIRST)])
    }

    /// A world with one connection of a user, and its id. Its refresh token is
    /// [`canaries::REFRESH_FIRST`], and its access token [`canaries::FIRST`].
    pub(crate) fn of_user() -> (Self, String) {
        Self::connected_with(json_request(&user_json()), [json_answer(200, &user_grant(canaries::FIRST))])
    }

    pub(crate) fn connected_with(
        request: ConnectRequest,
        answers: impl IntoIterator<Item = Answer>,
    ) -> (Self, String) {
        let world = Self::new();
        for answer in answers {
            world.then(answer);
        }
        let (connection, _) = block_on(connections::connect(&world, request, None)).unwrap();
        world.begin_anew();
        (world, connection.id)
    }

    /// Forgets what was sent until now.
    pub(crate) fn begin_anew(&self) {
        self.sent.borrow_mut().clear();
        self.times.borrow_mut().clear();
        self.log.borrow_mut().clear();
        self.asked.borrow_mut().clear();
        assert!(self.answers.borrow().is_empty(), "an answer was never asked for");
        assert!(self.leases.borrow().is_empty(), "a lease was never given back");
        assert!(self.quicker.borrow().is_empty(), "there was no write to be quicker than");
    }

    /// From here on, answers may be what Google never sends: of another shape than it publishes.
    pub(crate) fn damaged(&self) {
        self.damaged.set(true);
    }

    /// Takes back what nobody has asked for.
    pub(crate) fn forget_answers(&self) {
        self.answers.borrow_mut().clear();
    }

    pub(crate) fn answer(self, answer: Answer) -> Self {
        self.then(answer);
        self
    }

    pub(crate) fn then(&self, answer: Answer) {
        self.answers.borrow_mut().push_back((None, answer));
    }

    /// An answer to one request, whenever it comes: `GET https://host/path`, without a query.
    pub(crate) fn answer_to(&self, to: &str, answer: Answer) {
        self.addressed.borrow_mut().push((to.to_owned(), answer));
    }

    /// From here on, what the script has no answer to is answered by what is asked.
    pub(crate) fn respond(&self, responder: impl Fn(&Request) -> Answer + 'static) {
        *self.responder.borrow_mut() = Some(Box::new(responder));
    }

    /// An answer before which somebody else does something.
    pub(crate) fn after(&self, meanwhile: impl FnOnce(&Self) + 'static, answer: Answer) {
        self.answers.borrow_mut().push_back((Some(Box::new(meanwhile)), answer));
    }

    /// The next lease is somebody else's, who does something before it can be asked for again.
    pub(crate) fn held_while(&self, meanwhile: impl FnOnce(&Self) + 'static) {
        self.somebody_elses.borrow_mut().push_back(Box::new(meanwhile));
    }

    /// Before the next write under a key with the prefix, somebody else does something.
    pub(crate) fn quicker(&self, prefix: &str, meanwhile: impl FnOnce(&Self) + 'static) {
        self.quicker.borrow_mut().push_back((prefix.to_owned(), Box::new(meanwhile)));
    }

    /// From here on, the store fails to do this to keys with the prefix.
    pub(crate) fn fail(&self, op: Op, prefix: &str, error: StoreError) {
        self.faults.borrow_mut().push((op, prefix.to_owned(), error));
    }

    /// One call of the store fails, after so many that do not.
    pub(crate) fn fail_after(&self, calls: u32) {
        self.until_fault.set(Some(calls));
    }

    /// Takes back what [`fail_after`](Self::fail_after) said. Tells whether there was such a call.
    pub(crate) fn has_failed(&self) -> bool {
        self.until_fault.take().is_none()
    }

    pub(crate) fn mend(&self) {
        self.faults.borrow_mut().clear();
    }

    /// Sets an entry as somebody else would: its version changes.
    pub(crate) fn set(&self, key: &str, value: impl Into<String>) {
        self.versions.borrow_mut().insert(key.to_owned(), self.count());
        self.secrets.borrow_mut().insert(key.to_owned(), value.into());
    }

    /// Changes fields of an entry that is JSON.
    pub(crate) fn edit(&self, key: &str, changes: &Value) {
        let mut value = self.entry(key);
        for (name, change) in changes.as_object().unwrap() {
            value[name] = change.clone();
        }
        self.set(key, value.to_string());
    }

    /// An entry that is JSON.
    pub(crate) fn entry(&self, key: &str) -> Value {
        serde_json::from_str(&self.secrets.borrow()[key]).unwrap()
    }

    /// The keys with a prefix.
    pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
        self.secrets.borrow().keys().filter(|key| key.starts_with(prefix)).cloned().collect()
    }

    /// Seconds since [`NOW`].
    pub(crate) fn at(&self, seconds: u64) {
        self.wall.set(Duration::from_secs(NOW + seconds));
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        self.sent.borrow().iter().map(Request::url).collect()
    }

    /// The bearer of a request.
    pub(crate) fn bearer(&self, request: usize) -> Option<String> {
        self.sent.borrow()[request].bearer().map(|token| token.reveal().clone())
    }

    /// A form that was sent.
    pub(crate) fn form(&self, request: usize) -> Vec<(String, String)> {
        form_urlencoded::parse(self.sent.borrow()[request].body()).into_owned().collect()
    }

    /// JSON that was sent.
    pub(crate) fn json(&self, request: usize) -> Value {
        serde_json::from_slice(self.sent.borrow()[request].body()).unwrap()
    }

    fn count(&self) -> u64 {
        self.counter.set(self.counter.get() + 1);
        self.counter.get()
    }

    fn fault(&self, op: Op, key: &str) -> Result<(), StoreError> {
        self.asked.borrow_mut().push((op, key.to_owned()));
        if self.read_only.get() && matches!(op, Op::Put | Op::Delete) {
            return Err(StoreError::ReadOnly);
        }
        if let Some(left) = self.until_fault.take() {
            let Some(left) = left.checked_sub(1) else {
                return Err(StoreError::Failed("the disk".to_owned()));
            };
            self.until_fault.set(Some(left));
        }
        let faults = self.faults.borrow();
        let fault = faults.iter().find(|(failing, prefix, _)| *failing == op && key.starts_with(prefix));
        fault.map_or(Ok(()), |(.., error)| Err(error.clone()))
    }

    fn holds(&self, key: &str, expected: &Expected) -> Result<(), StoreError> {
        let version = self.version(key);
        let holds = match expected {
            Expected::Anything => true,
            Expected::Absent => version.is_none(),
            Expected::Version(expected) => version.as_ref() == Some(expected),
        };
        if holds { Ok(()) } else { Err(StoreError::VersionMismatch) }
    }

    fn version(&self, key: &str) -> Option<String> {
        self.versions.borrow().get(key).map(|version| format!("v{version}"))
    }

    fn note(&self, what: &str, key: &str) {
        self.log.borrow_mut().push(format!("{what} {}", key.split('/').next().unwrap()));
    }
}

pub(crate) fn connect_request() -> ConnectRequest {
    request_for(CredentialRequest::GoogleJson(Secret::new(DEMO_KEY.to_owned())))
}

pub(crate) fn json_request(credential: &Value) -> ConnectRequest {
    request_for(google_json(credential))
}

pub(crate) fn google_json(credential: &Value) -> CredentialRequest {
    CredentialRequest::GoogleJson(Secret::new(credential.to_string()))
}

pub(crate) fn request_for(credential: CredentialRequest) -> ConnectRequest {
    ConnectRequest {
        quota_project: None,
        nickname: "demo".to_owned(),
        project: None,
        region: None,
        credential,
        subject_token: None,
        invoker: None,
        guard_rails: None,
    }
}

pub(crate) fn connect(world: &World, request: ConnectRequest) -> Result<(Connection, Vec<String>), Error> {
    block_on(connections::connect(world, request, None))
}

impl Drop for World {
    /// An answer that nobody has asked for belongs to another request than the test believes.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let addressed: Vec<_> = self.addressed.borrow().iter().map(|(to, _)| to.clone()).collect();
            assert!(addressed.is_empty(), "never asked for: {addressed:?}");
            assert!(
                self.answers.borrow().is_empty(),
                "{} answers were never asked for",
                self.answers.borrow().len()
            );
        }
    }
}

impl Ports for World {
    async fn send(&self, request: &mut Request, class: Class, within: Duration) -> Answer {
        self.times.borrow_mut().push(within);
        self.log.borrow_mut().push(format!("send {}", request.url().trim_start_matches("https://")));
        self.sent.borrow_mut().push(request.clone());
        let to = format!("{} {}", request.method().as_str(), request.url());
        let addressed = {
            let mut addressed = self.addressed.borrow_mut();
            let found = addressed.iter().position(|(other, _)| *other == to);
            found.map(|at| (None, addressed.remove(at).1))
        };
        let step = addressed.or_else(|| self.answers.borrow_mut().pop_front());
        let responder = self.responder.borrow();
        let step = step.or_else(|| responder.as_ref().map(|respond| (None, respond(request))));
        let (meanwhile, answer) =
            step.unwrap_or_else(|| panic!("the script has no answer to {}", request.url()));
        if let Some(meanwhile) = meanwhile {
            meanwhile(self);
        }
        // An answer that breaks has begun well.
        match &answer {
            Ok(response) => retry::answered(request, class, response.status),
            Err(TransportError::Broken(_)) => retry::answered(request, class, 200),
            Err(_) => {}
        }
        if self.damaged.get() { answer } else { published::as_published(request, answer) }
    }

    async fn sleep(&self, duration: Duration) {
        if self.hangs.get() {
            std::future::pending::<()>().await;
        }
        self.elapsed.set(self.elapsed.get() + duration);
        self.wall.set(self.wall.get() + duration);
    }

    fn now(&self) -> Duration {
        self.wall.get()
    }

    fn monotonic(&self) -> Duration {
        self.elapsed.get()
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        [u8::try_from(self.count() % 251).unwrap(); N]
    }

    fn secret_get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        self.fault(Op::Get, key)?;
        let value = self.secrets.borrow().get(key).cloned().map(Secret::new);
        Ok(value.zip(self.version(key)).map(|(value, version)| Entry { value, version }))
    }

    fn secret_put(&self, key: &str, value: &str, expected: Expected) -> Result<String, StoreError> {
        self.fault(Op::Put, key)?;
        let meanwhile = {
            let mut quicker = self.quicker.borrow_mut();
            let races = quicker.front().is_some_and(|(prefix, _)| key.starts_with(prefix));
            races.then(|| quicker.pop_front()).flatten()
        };
        if let Some((_, meanwhile)) = meanwhile {
            meanwhile(self);
        }
        self.holds(key, &expected)?;
        self.note("put", key);
        self.set(key, value);
        Ok(self.version(key).unwrap())
    }

    fn secret_delete(&self, key: &str, expected: Expected) -> Result<(), StoreError> {
        self.fault(Op::Delete, key)?;
        self.holds(key, &expected)?;
        if self.secrets.borrow_mut().remove(key).is_some() {
            self.note("delete", key);
        }
        self.versions.borrow_mut().remove(key);
        Ok(())
    }

    fn secret_keys(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.fault(Op::Keys, prefix)?;
        Ok(self.keys(prefix))
    }

    fn acquire_lease(&self, name: &str, ttl: Duration) -> Result<Lease, StoreError> {
        self.fault(Op::Lease, name)?;
        let somebody_else = self.somebody_elses.borrow_mut().pop_front();
        if let Some(meanwhile) = somebody_else {
            meanwhile(self);
            return Ok(Lease::Held(Duration::from_secs(1)));
        }
        let now = self.elapsed.get();
        if let Some((_, end)) = self.leases.borrow().get(name).filter(|(_, end)| *end > now) {
            return Ok(Lease::Held(*end - now));
        }
        let token = format!("lease-{}", self.count());
        self.leases.borrow_mut().insert(name.to_owned(), (token.clone(), now + ttl));
        Ok(Lease::Granted(token))
    }

    fn release_lease(&self, name: &str, token: &str) -> bool {
        if self.fault(Op::Release, name).is_err() {
            return false;
        }
        let mut leases = self.leases.borrow_mut();
        if leases.get(name).is_some_and(|(held, _)| held == token) {
            leases.remove(name);
        }
        true
    }

    fn sign(&self, _: &str, message: &[u8]) -> Result<Vec<u8>, StoreError> {
        if self.signs.get() {
            Ok(message.iter().rev().copied().collect())
        } else {
            Err(StoreError::Unsupported)
        }
    }
}
