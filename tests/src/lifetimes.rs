//! Tokens, grants and sign-ins over time: on a clock that the test sets, and without sockets.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU16, AtomicU64, Ordering},
    },
    time::Duration,
};

use gcf_host::{
    Host,
    clock::Clock,
    secrets::{Expected, MemoryStore, SecretStore},
    wit::{CredentialKind, ErrorKind, Invoker},
};
use serde_json::{Value, json};

use crate::fixtures::{api_request, builder, connect_request, person, refused, scripted::Scripted};

const NOW: u64 = 1_772_366_400;
const LOCATIONS: &str = "/v2/projects/demo-project/locations";
const TOKEN: &str = "https://oauth2.googleapis.com/token";

/// A wall clock that is set; elapsed time stands still, so that no deadline comes.
#[derive(Debug)]
struct Hands(AtomicU64);

impl Clock for Hands {
    fn now(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

struct World {
    host: Host,
    google: Scripted,
    store: Arc<MemoryStore>,
    clock: Arc<Hands>,
}

impl World {
    fn new(google: Scripted) -> Self {
        Self::over(google, Arc::new(MemoryStore::new()))
    }

    fn over(google: Scripted, store: Arc<MemoryStore>) -> Self {
        let clock = Arc::new(Hands(AtomicU64::new(NOW)));
        let secrets: Arc<dyn SecretStore> = Arc::<MemoryStore>::clone(&store);
        let host = builder()
            .transport(Arc::new(google.clone()))
            .secrets(secrets)
            .clock(Arc::<Hands>::clone(&clock))
            .build()
            .unwrap();
        Self { host, google, store, clock }
    }

    fn at(&self, seconds: u64) {
        self.clock.0.store(NOW + seconds, Ordering::Relaxed);
    }

    /// The outcome of a call, and where it went: `T` to the token endpoint, else the token that it carried.
    async fn call(&self, id: &str) -> (Result<u16, ErrorKind>, Vec<String>) {
        let outcome = self.host.custom_api(id, api_request("GET", LOCATIONS), None).await;
        let outcome = match outcome {
            Ok(response) => Ok(response.status),
            error => Err(refused(error).kind),
        };
        let went = |sent: crate::fixtures::scripted::Sent| {
            if sent.url == TOKEN { "T".to_owned() } else { sent.authorization.replace("Bearer ", "") }
        };
        (outcome, self.google.take().into_iter().map(went).collect())
    }
}

/// A token endpoint that counts its tokens and answers with a status, and an API that takes any.
fn counting(status: Arc<AtomicU16>) -> Scripted {
    let number = AtomicU64::new(0);
    Scripted::new(move |sent| match (sent.url.as_str(), status.load(Ordering::Relaxed)) {
        (TOKEN, 200) => {
            let token = format!("ya29.{}", number.fetch_add(1, Ordering::Relaxed));
            (200, json!({"access_token": token, "expires_in": 3600, "token_type": "Bearer"}))
        }
        (TOKEN, status) => (status, json!({"error": "temporarily_unavailable"})),
        _ => (200, json!({})),
    })
}

async fn connected(world: &World) -> String {
    let id = world.host.connect(connect_request(), None).await.unwrap().connection.id;
    world.google.take();
    id
}

#[tokio::test]
async fn a_token_is_renewed_225_to_255_seconds_before_its_end() {
    let world = World::new(counting(Arc::new(AtomicU16::new(200))));
    let id = connected(&world).await;
    world.at(3600 - 256);
    assert_eq!(world.call(&id).await, (Ok(200), vec!["ya29.0".to_owned()]));
    world.at(3600 - 224);
    assert_eq!(world.call(&id).await, (Ok(200), vec!["T".to_owned(), "ya29.1".to_owned()]));
    assert_eq!(world.host.connection(&id).await.unwrap().last_used, Some(NOW + 3600 - 224));
}

#[tokio::test(start_paused = true)]
async fn on_a_passing_fault_the_old_token_is_used_until_ten_seconds_before_its_end() {
    let status = Arc::new(AtomicU16::new(200));
    let world = World::new(counting(Arc::clone(&status)));
    let id = connected(&world).await;
    status.store(503, Ordering::Relaxed);
    let attempts = || vec!["T".to_owned(); 3];
    world.at(3600 - 11);
    let (outcome, went) = world.call(&id).await;
    assert_eq!((outcome, went), (Ok(200), [attempts(), vec!["ya29.0".to_owned()]].concat()));
    world.at(3600 - 9);
    // A failure of a moment ago is believed, and nobody is asked.
    assert_eq!(world.call(&id).await, (Err(ErrorKind::Unavailable), vec![]));
    world.at(3600);
    assert_eq!(world.call(&id).await, (Err(ErrorKind::Unavailable), attempts()));
    status.store(200, Ordering::Relaxed);
    world.at(3610);
    assert_eq!(world.call(&id).await, (Ok(200), vec!["T".to_owned(), "ya29.1".to_owned()]));
}

#[tokio::test]
async fn a_401_takes_one_new_token_and_one_more_attempt() {
    let number = AtomicU64::new(0);
    let google = Scripted::new(move |sent| match (sent.url.as_str(), sent.authorization.as_str()) {
        (TOKEN, _) => {
            let token = format!("ya29.{}", number.fetch_add(1, Ordering::Relaxed));
            (200, json!({"access_token": token, "expires_in": 3600, "token_type": "Bearer"}))
        }
        (_, "Bearer ya29.1") => (200, json!({})),
        _ => (401, json!({"error": {"status": "UNAUTHENTICATED"}})),
    });
    let world = World::new(google);
    let id = connected(&world).await;
    let went = |tokens: &[&str]| tokens.iter().map(|token| (*token).to_owned()).collect::<Vec<_>>();
    assert_eq!(world.call(&id).await, (Ok(200), went(&["ya29.0", "T", "ya29.1"])));
    // Then the new one is refused, too: twice is enough.
    world.at(3600);
    assert_eq!(world.call(&id).await, (Ok(401), went(&["T", "ya29.2", "T", "ya29.3"])));
}

#[tokio::test]
async fn before_a_grant_is_declared_dead_the_store_is_read_again() {
    let store = Arc::new(MemoryStore::new());
    let theirs = Arc::clone(&store);
    let google = Scripted::new(move |sent| match (sent.url.as_str(), sent.field("refresh_token").as_str()) {
        // In this very moment somebody signs in anew elsewhere.
        (TOKEN, "1//old") if !theirs.keys("tokens/").unwrap().is_empty() => {
            let key = theirs.keys("credentials/").unwrap().remove(0);
            let kept = theirs.get(&key).unwrap().unwrap().value.replace("1//old", "1//new");
            theirs.put(&key, &kept, &Expected::Anything).unwrap();
            (
                400,
                json!({"error": "invalid_grant", "error_description": "Token has been expired or revoked."}),
            )
        }
        (TOKEN, token) => {
            let token = token.replace("1//", "ya29.");
            (200, json!({"access_token": token, "expires_in": 3600, "token_type": "Bearer"}))
        }
        _ => (200, json!({})),
    });
    let world = World::over(google, store);
    let mut request = connect_request();
    request.project = Some("demo-project".to_owned());
    request.credential = gcf_host::wit::Credential::GoogleJson(
        json!({"type": "authorized_user", "client_id": person::CLIENT, "client_secret": "secret", "refresh_token": "1//old"})
            .to_string(),
    );
    let id = world.host.connect(request, None).await.unwrap().connection.id;
    world.google.take();
    world.at(3600);
    let went = vec!["T".to_owned(), "T".to_owned(), "ya29.new".to_owned()];
    assert_eq!(world.call(&id).await, (Ok(200), went));
    assert_eq!(world.host.connection(&id).await.unwrap().fault, None);
}

/// A Google for sign-ins, whose ID token has these claims changed.
fn consent(nonce: &Arc<std::sync::Mutex<String>>, changes: Value) -> Scripted {
    let nonce = Arc::clone(nonce);
    Scripted::new(move |sent| match sent.url.as_str() {
        TOKEN => {
            let id_token = person::id_token(&nonce.lock().unwrap(), NOW, &changes);
            (
                200,
                json!({"access_token": "ya29.a", "refresh_token": "1//r", "expires_in": 3600, "token_type": "Bearer",
                "scope": person::SCOPES, "id_token": id_token}),
            )
        }
        "https://www.googleapis.com/oauth2/v3/certs" => (200, person::keys()),
        _ => (200, json!({})),
    })
}

#[tokio::test]
async fn a_person_signs_in_and_is_who_google_says_they_are() {
    let nonce = Arc::default();
    let world = World::new(consent(&nonce, Value::Null));
    let begun = world.host.authorize(person::authorize_request("secret")).await.unwrap();
    assert_eq!(begun.expires, NOW + 600);
    *nonce.lock().unwrap() = person::parameter(&begun, "nonce");
    let back = person::back("4/0code", &person::parameter(&begun, "state"));
    world.at(599);
    let connection = world.host.finish(&begun.id, &back, None).await.unwrap().connection;
    assert_eq!(
        (connection.kind, connection.account.as_str()),
        (CredentialKind::AuthorizedUser, person::EMAIL)
    );
    assert_eq!(connection.scopes, person::SCOPES.split(' ').collect::<Vec<_>>());
    assert!(matches!(connection.invoker, Invoker::ServiceAccount(_)));

    let sent = world.google.take();
    assert_eq!((sent.len(), sent[0].url.as_str()), (2, TOKEN));
    assert_eq!(
        (sent[0].field("code"), sent[0].field("redirect_uri")),
        ("4/0code".to_owned(), person::REDIRECT.to_owned())
    );
    let challenge = <sha2::Sha256 as sha2::Digest>::digest(sent[0].field("code_verifier"));
    let challenge = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, challenge);
    assert_eq!(challenge, person::parameter(&begun, "code_challenge"), "S256");
    assert!(person::parameter(&begun, "state").len() >= 22, "128 bits");
    // Nothing is left of the sign-in but the connection, and it works.
    assert_eq!(world.store.keys("pending/").unwrap(), [""; 0]);
    assert_eq!(world.call(&connection.id).await, (Ok(200), vec!["ya29.a".to_owned()]));
}

#[tokio::test]
async fn an_id_token_that_is_not_of_this_sign_in_makes_no_connection() {
    for (claim, value) in [
        ("nonce", json!("another")),
        ("at_hash", json!("another")),
        ("aud", json!("another")),
        ("iss", json!("https://accounts.google.com.evil.example")),
        ("exp", json!(NOW - 11)),
    ] {
        let nonce = Arc::default();
        let world = World::new(consent(&nonce, json!({ claim: value })));
        let begun = world.host.authorize(person::authorize_request("secret")).await.unwrap();
        *nonce.lock().unwrap() = person::parameter(&begun, "nonce");
        let back = person::back("4/0code", &person::parameter(&begun, "state"));
        let error = refused(world.host.finish(&begun.id, &back, None).await);
        assert_eq!(error.kind, ErrorKind::AuthorizationFailed, "{claim}");
        assert_eq!(error.details[0], ("check".to_owned(), claim.to_owned()));
        assert_eq!(world.store.keys("").unwrap(), [""; 0], "{claim}");
    }
}

#[tokio::test]
async fn a_sign_in_that_takes_longer_than_ten_minutes_is_over() {
    let world = World::new(consent(&Arc::default(), Value::Null));
    let begun = world.host.authorize(person::authorize_request("secret")).await.unwrap();
    world.at(601);
    let back = person::back("4/0code", &person::parameter(&begun, "state"));
    let error = refused(world.host.finish(&begun.id, &back, None).await);
    assert_eq!(error.details[0], ("check".to_owned(), "expired".to_owned()));
    assert!(world.google.take().is_empty());
    assert_eq!(world.store.keys("").unwrap(), [""; 0]);
}
