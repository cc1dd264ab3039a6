//! A world in memory: what Google answers is a script, time stands still but for sleeping.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{
    connections::{self, ConnectRequest, Credential},
    credential::{self, ServiceAccountKey},
    http::{Request, Response, Timeouts, TransportError},
    ports::{Entry, Expected, Lease, Ports, StoreError},
    secret::Secret,
};

/// A key made for tests, of an account that does not exist.
pub(crate) const DEMO_KEY: &str = include_str!("../../../tests/fixtures/demo-key.json");

/// Too short to be accepted.
pub(crate) const KEY_512: &str = include_str!("../../../tests/fixtures/rsa-512.pem");

/// 2026-03-01T12:00:00Z.
pub(crate) const NOW: u64 = 1_772_366_400;

pub(crate) fn demo_key() -> ServiceAccountKey {
    credential::parse(&Secret::new(DEMO_KEY.to_owned())).unwrap()
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

type Answer = Result<Response, TransportError>;

/// The scripted world.
#[derive(Default)]
pub(crate) struct World {
    answers: RefCell<VecDeque<Answer>>,
    pub(crate) sent: RefCell<Vec<Request>>,
    pub(crate) secrets: RefCell<BTreeMap<String, String>>,
    pub(crate) elapsed: Cell<Duration>,
    pub(crate) wall: Cell<Duration>,
    pub(crate) signs: Cell<bool>,
    pub(crate) read_only: Cell<bool>,
    pub(crate) lease_held_times: Cell<u32>,
    version: Cell<u64>,
}

impl World {
    pub(crate) fn new() -> Self {
        let world = Self::default();
        world.wall.set(Duration::from_secs(NOW));
        world
    }

    /// A world with one connection, and its id.
    pub(crate) fn connected() -> (Self, String) {
        let world = Self::new().answer(access_token("ya29.first"));
        let (connection, _) = block_on(connections::connect(&world, connect_request(), None)).unwrap();
        world.sent.borrow_mut().clear();
        (world, connection.id)
    }

    pub(crate) fn answer(self, answer: Answer) -> Self {
        self.then(answer);
        self
    }

    pub(crate) fn then(&self, answer: Answer) {
        self.answers.borrow_mut().push_back(answer);
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        self.sent.borrow().iter().map(Request::url).collect()
    }
}

pub(crate) fn connect_request() -> ConnectRequest {
    ConnectRequest {
        nickname: "demo".to_owned(),
        project: None,
        region: None,
        credential: Credential::GoogleJson(Secret::new(DEMO_KEY.to_owned())),
    }
}

pub(crate) fn json_answer(status: u16, body: &Value) -> Answer {
    Ok(Response {
        status,
        headers: vec![("content-type".to_owned(), b"application/json; charset=UTF-8".to_vec())],
        body: body.to_string().into_bytes(),
    })
}

pub(crate) fn access_token(token: &str) -> Answer {
    json_answer(200, &json!({"access_token": token, "expires_in": 3599, "token_type": "Bearer"}))
}

pub(crate) fn id_token(audience: &str) -> Answer {
    let claims =
        json!({"aud": audience, "exp": NOW + 3600, "email": "gcf-demo@demo-project.iam.gserviceaccount.com"});
    let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()));
    json_answer(200, &json!({"id_token": token}))
}

impl Ports for World {
    async fn send(&self, request: &Request, _: Timeouts) -> Answer {
        self.sent.borrow_mut().push(request.clone());
        self.answers.borrow_mut().pop_front().expect("the script has an answer to every request")
    }

    async fn sleep(&self, duration: Duration) {
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
        self.version.set(self.version.get() + 1);
        [u8::try_from(self.version.get() % 251).unwrap(); N]
    }

    fn secret_get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        Ok(self
            .secrets
            .borrow()
            .get(key)
            .map(|value| Entry { value: Secret::new(value.clone()), version: "1".to_owned() }))
    }

    fn secret_put(&self, key: &str, value: &str, expected: Expected) -> Result<String, StoreError> {
        if self.read_only.get() {
            return Err(StoreError::ReadOnly);
        }
        let mut secrets = self.secrets.borrow_mut();
        if expected == Expected::Absent && secrets.contains_key(key) {
            return Err(StoreError::VersionMismatch);
        }
        secrets.insert(key.to_owned(), value.to_owned());
        Ok("1".to_owned())
    }

    fn secret_delete(&self, key: &str) -> Result<(), StoreError> {
        self.secrets.borrow_mut().remove(key);
        Ok(())
    }

    fn secret_keys(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        Ok(self.secrets.borrow().keys().filter(|key| key.starts_with(prefix)).cloned().collect())
    }

    fn acquire_lease(&self, _: &str, _: Duration) -> Result<Lease, StoreError> {
        match self.lease_held_times.get() {
            0 => Ok(Lease::Granted("lease".to_owned())),
            times => {
                self.lease_held_times.set(times - 1);
                Ok(Lease::Held(Duration::from_secs(1)))
            }
        }
    }

    fn release_lease(&self, _: &str, _: &str) {}

    fn sign(&self, _: &str, message: &[u8]) -> Result<Vec<u8>, StoreError> {
        if self.signs.get() {
            Ok(message.iter().rev().copied().collect())
        } else {
            Err(StoreError::Unsupported)
        }
    }
}
