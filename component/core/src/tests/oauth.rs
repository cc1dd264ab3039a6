//! A sign-in from `authorize` to `finish`.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use test_case::test_case;

use super::detail;
use crate::{
    actions::connections::{self, Authorization, AuthorizeRequest, Connected, CredentialKind},
    base::{
        error::{Error, Kind, Result},
        http::{TokenKind, TransportError},
        secret::Secret,
    },
    sign_in::invoker::InvokerRequest,
    testing::{
        ALL_SCOPES, Answer, CLIENT_ID, KID, NOW, USER, World, access_token, block_on, canaries, json_answer,
        jwt, nothing, public_keys, signed,
    },
};

pub(super) const REDIRECT: &str = "http://127.0.0.1:4711/callback";

const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";

pub(super) fn request() -> AuthorizeRequest {
    let client = json!({"installed": {
        "client_id": CLIENT_ID, "project_id": "demo-project", "client_secret": canaries::CLIENT_SECRET,
        "auth_uri": "https://accounts.google.com/o/oauth2/auth", "token_uri": "https://oauth2.googleapis.com/token",
        "redirect_uris": ["http://localhost"],
    }});
    AuthorizeRequest {
        quota_project: None,
        nickname: "ada".to_owned(),
        project: None,
        region: None,
        client: Secret::new(client.to_string()),
        redirect_uri: REDIRECT.to_owned(),
        login_hint: None,
        hosted_domain: None,
        invoker: None,
        guard_rails: None,
        connection: None,
    }
}

/// A sign-in that was begun.
pub(super) struct Begun {
    pub(super) authorization: Authorization,
    pub(super) query: Vec<(String, String)>,
}

impl Begun {
    pub(super) fn new(world: &World, request: AuthorizeRequest) -> Self {
        let authorization = connections::authorize(world, request).unwrap();
        let (place, query) = authorization.url.split_once('?').unwrap();
        assert_eq!(place, "https://accounts.google.com/o/oauth2/v2/auth");
        let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self { authorization, query }
    }

    pub(super) fn get(&self, name: &str) -> &str {
        &self.query.iter().find(|(n, _)| n == name).unwrap().1
    }

    /// The address that Google sends the browser back to.
    pub(super) fn callback(&self) -> String {
        let state = self.get("state");
        let code = escaped_code();
        format!("{REDIRECT}?state={state}&iss=https%3A%2F%2Faccounts.google.com&code={code}&scope=openid")
    }

    /// The token endpoint's answer to the code, with some claims of the ID token changed.
    pub(super) fn grant(&self, claims: &Value) -> Value {
        json!({
            "access_token": canaries::SIGNED_IN, "refresh_token": canaries::REFRESH_SIGNED_IN, "expires_in": 3599,
            "token_type": "Bearer", "scope": ALL_SCOPES, "id_token": signed(&self.claims(claims)),
        })
    }

    fn claims(&self, changes: &Value) -> Value {
        let hash = Sha256::digest(canaries::SIGNED_IN);
        let mut claims = json!({
            "iss": "https://accounts.google.com", "azp": CLIENT_ID, "aud": CLIENT_ID, "sub": "1101",
            "email": USER, "email_verified": true, "at_hash": URL_SAFE_NO_PAD.encode(&hash[..16]),
            "nonce": self.get("nonce"), "iat": NOW, "exp": NOW + 3600,
        });
        for (name, change) in changes.as_object().unwrap() {
            claims[name] = change.clone();
        }
        claims
    }

    pub(super) fn finish(&self, world: &World) -> Result<Connected> {
        finish(world, &self.authorization.id, &self.callback())
    }

    /// With good answers to all that is asked, but for the code.
    fn finish_with(&self, world: &World, grant: Answer) -> Result<Connected> {
        world.then(grant);
        world.then(public_keys(&[KID]));
        self.finish(world)
    }
}

/// The code as it stands in a query.
fn escaped_code() -> String {
    canaries::CODE.replace('/', "%2F")
}

fn finish(world: &World, id: &str, callback: &str) -> Result<Connected> {
    block_on(connections::finish(world, id, callback, None))
}

fn begun() -> (World, Begun) {
    let world = World::new();
    let begun = Begun::new(&world, request());
    (world, begun)
}

/// A failure after which nothing is kept, and the sign-in is used up.
fn used_up(world: &World, error: &Error, kind: Kind) {
    assert_eq!(error.kind(), kind, "{error}");
    assert!(world.secrets.borrow().is_empty(), "{:?}", world.keys(""));
    let text = format!("{error:?} {error}");
    for secret in ["canary", "4/"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn a_sign_in_asks_google_for_what_is_needed_and_sends_nothing() {
    let world = World::new();
    let mut request = request();
    request.login_hint = Some(USER.to_owned());
    request.hosted_domain = Some("example.com".to_owned());
    let begun = Begun::new(&world, request);
    let fixed = [
        ("response_type", "code"),
        ("client_id", CLIENT_ID),
        ("redirect_uri", REDIRECT),
        ("scope", "openid email https://www.googleapis.com/auth/cloud-platform"),
        ("code_challenge_method", "S256"),
        ("access_type", "offline"),
        ("prompt", "consent select_account"),
        ("login_hint", USER),
        ("hd", "example.com"),
    ];
    for (name, value) in fixed {
        assert_eq!(begun.get(name), value);
    }
    let names: Vec<_> = ["state", "nonce", "code_challenge"].map(|name| begun.get(name)).into();
    assert!(names[0] != names[1] && names[0].len() == 22 && names[1].len() == 22 && names[2].len() == 43);
    assert_eq!(begun.authorization.expires, NOW + 600);
    assert_eq!(world.log.borrow().as_slice(), ["put pending"]);
    assert!(!begun.authorization.url.contains("canary"), "the client's secret is in the URL");
}

#[test]
fn a_sign_in_ends_in_a_connection() {
    let (world, begun) = begun();
    let (connection, warnings) =
        begun.finish_with(&world, json_answer(200, &begun.grant(&json!({})))).unwrap();
    assert_eq!((connection.account.as_str(), connection.kind), (USER, CredentialKind::AuthorizedUser));
    assert_eq!((connection.project.as_str(), connection.region.as_str()), ("demo-project", "us-central1"));
    assert_eq!((connection.nickname.as_str(), connection.created), ("ada", NOW));
    assert_eq!(connection.scopes.join(" "), ALL_SCOPES);
    assert_eq!((connection.last_used, connection.fault), (Some(NOW), None));
    assert_eq!(
        connection.invoker,
        InvokerRequest::ServiceAccount { service_account: None, delegates: vec![], include_email: true }
    );
    assert!(warnings.is_empty(), "{warnings:?}");

    let form = world.form(0);
    let field = |name: &str| form.iter().find(|(n, _)| n == name).unwrap().1.as_str();
    assert_eq!(form.len(), 6);
    assert_eq!((field("grant_type"), field("code")), ("authorization_code", canaries::CODE));
    assert_eq!((field("client_id"), field("client_secret")), (CLIENT_ID, canaries::CLIENT_SECRET));
    assert_eq!(field("redirect_uri"), REDIRECT);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(field("code_verifier")));
    assert_eq!(challenge, begun.get("code_challenge"));

    let kinds: Vec<_> =
        world.sent.borrow().iter().map(|request| (request.token(), request.bearer().is_some())).collect();
    assert_eq!(kinds, [(TokenKind::Grant, false), (TokenKind::None, false)]);
    assert_eq!(
        world.log.borrow().as_slice(),
        [
            "put pending",
            "delete pending",
            "send oauth2.googleapis.com/token",
            "send www.googleapis.com/oauth2/v3/certs",
            "put credentials",
            "put connections",
            "put tokens",
            "put tokens",
            "put status",
            "put nicknames",
            "put nicknames",
        ]
    );
    let kept = world.entry(&format!("credentials/{}", connection.id));
    assert_eq!(
        (&kept["refresh_token"], &kept["subject"]),
        (&json!(canaries::REFRESH_SIGNED_IN), &json!("1101"))
    );
    assert!(!world.secrets.borrow()[&format!("connections/{}", connection.id)].contains("1//"));
}

#[test]
fn a_sign_in_can_be_finished_once() {
    let (world, begun) = begun();
    let id = begun.authorization.id.clone();
    let (callback, second) = (begun.callback(), id.clone());
    world.after(
        move |world| {
            let error = finish(world, &second, &callback).unwrap_err();
            assert_eq!(detail(&error, "check"), Some("authorization"));
        },
        json_answer(200, &begun.grant(&json!({}))),
    );
    world.then(public_keys(&[KID]));
    begun.finish(&world).unwrap();
    let sent = world.urls().len();
    for id in [id.as_str(), "0123456789abcdef", "../connections/x", ""] {
        let error = finish(&world, id, &begun.callback()).unwrap_err();
        assert_eq!(
            (error.kind(), detail(&error, "check")),
            (Kind::AuthorizationFailed, Some("authorization"))
        );
    }
    assert_eq!(world.urls().len(), sent);
}

#[test_case("state=BwcHBwcHBwcHBwcHBwcHBw&code=4%2Fevil", "state"; "another state")]
#[test_case("code=4%2Fevil", "state"; "no state")]
#[test_case("error=access_denied", "state"; "a denial without state")]
#[test_case("state=a&state=b&code=x", "duplicate"; "two states")]
fn what_does_not_belong_to_the_sign_in_leaves_it_as_it_is(query: &str, check: &str) {
    let (world, begun) = begun();
    let error = finish(&world, &begun.authorization.id, &format!("{REDIRECT}?{query}")).unwrap_err();
    assert_eq!((error.kind(), detail(&error, "check")), (Kind::AuthorizationFailed, Some(check)));
    assert_eq!(world.keys("pending/").len(), 1);
    begun.finish_with(&world, json_answer(200, &begun.grant(&json!({})))).unwrap();
}

#[test]
fn after_ten_minutes_it_is_too_late() {
    let (world, begun) = begun();
    world.at(600);
    let wrong_state = format!("{REDIRECT}?state=x&code=y");
    let error = finish(&world, &begun.authorization.id, &wrong_state).unwrap_err();
    assert_eq!(detail(&error, "check"), Some("state"), "the last second is good");
    world.at(601);
    let error = begun.finish(&world).unwrap_err();
    assert_eq!(detail(&error, "check"), Some("expired"));
    used_up(&world, &error, Kind::AuthorizationFailed);
}

#[test]
fn what_nobody_came_back_from_is_swept_by_the_next_sign_in() {
    let (world, first) = begun();
    world.at(601);
    let second = Begun::new(&world, request());
    let Authorization { id, expires, .. } = &second.authorization;
    assert_eq!(world.keys("pending/"), [format!("pending/{id}/{expires}")]);
    assert_ne!(first.authorization.id, second.authorization.id);
}

/// The end of a sign-in of an earlier version is not in its name.
#[test]
fn a_sign_in_of_an_earlier_version_is_swept() {
    let world = World::new();
    world.set("pending/0123456789abcdef", "{}");
    let Authorization { id, expires, .. } = Begun::new(&world, request()).authorization;
    assert_eq!(world.keys("pending/"), [format!("pending/{id}/{expires}")]);
}

#[test_case("error=access_denied", Kind::AuthorizationDenied; "the user said no")]
#[test_case("error=admin_policy_enforced", Kind::AuthorizationDenied; "the administrator said no")]
#[test_case(&format!("iss=https%3A%2F%2Fevil.example&code={}", escaped_code()), Kind::AuthorizationFailed; "another issuer")]
#[test_case(&format!("iss=accounts.google.com&code={}", escaped_code()), Kind::AuthorizationFailed; "the issuer in another form")]
fn an_answer_that_is_no_consent_uses_the_sign_in_up(query: &str, kind: Kind) {
    let (world, begun) = begun();
    let callback = format!("{REDIRECT}?state={}&{query}", begun.get("state"));
    let error = finish(&world, &begun.authorization.id, &callback).unwrap_err();
    used_up(&world, &error, kind);
    assert!(error.fields().fix.is_some() && world.urls().is_empty());
}

#[test_case(|grant| grant["refresh_token"] = Value::Null, Kind::ReconnectRequired, "cause", "no-refresh-token"; "no refresh token")]
#[test_case(|grant| grant["id_token"] = Value::Null, Kind::AuthorizationFailed, "check", "id-token"; "no ID token")]
#[test_case(|grant| grant["scope"] = json!("openid email"), Kind::InsufficientScope, "scope", CLOUD_PLATFORM; "without the one scope that counts")]
fn a_grant_that_is_not_enough_is_refused(spoil: fn(&mut Value), kind: Kind, name: &str, value: &str) {
    let (world, begun) = begun();
    world.damaged();
    let mut grant = begun.grant(&json!({}));
    spoil(&mut grant);
    world.then(json_answer(200, &grant));
    let error = begun.finish(&world).unwrap_err();
    used_up(&world, &error, kind);
    assert_eq!(detail(&error, name), Some(value));
    assert_eq!(error.fields().trace.len(), 1);
}

#[test_case(json!({"nonce": "BwcHBwcHBwcHBwcHBwcHBw"}), "nonce")]
#[test_case(json!({"aud": "another"}), "aud")]
#[test_case(json!({"exp": NOW - 60}), "exp")]
#[test_case(json!({"at_hash": "BwcHBwcHBwcHBwcHBwcHBw"}), "at_hash")]
fn an_id_token_of_another_sign_in_is_refused(claims: Value, check: &str) {
    let (world, begun) = begun();
    let error = begun.finish_with(&world, json_answer(200, &begun.grant(&claims))).unwrap_err();
    used_up(&world, &error, Kind::AuthorizationFailed);
    assert_eq!(detail(&error, "check"), Some(check));
}

#[test]
fn an_account_outside_the_domain_is_refused() {
    let world = World::new();
    let mut request = request();
    request.hosted_domain = Some("corp.example".to_owned());
    let begun = Begun::new(&world, request);
    let error = begun
        .finish_with(&world, json_answer(200, &begun.grant(&json!({"hd": "evil.example"}))))
        .unwrap_err();
    used_up(&world, &error, Kind::AuthorizationFailed);
    assert_eq!(detail(&error, "check"), Some("hd"));
}

#[test]
fn without_the_address_there_is_a_warning_and_the_account_is_a_number() {
    let (world, begun) = begun();
    let mut grant = begun.grant(&json!({"email": null}));
    grant["scope"] = json!(format!("openid {CLOUD_PLATFORM}"));
    let (connection, warnings) = begun.finish_with(&world, json_answer(200, &grant)).unwrap();
    assert_eq!(connection.account, "1101");
    assert_eq!(connection.scopes, ["openid", CLOUD_PLATFORM]);
    assert_eq!(warnings, ["not granted, and not needed to go on: email"]);
}

#[test_case(json_answer(503, &json!({"error": "temporarily_unavailable"})), Kind::Unavailable; "a fault")]
#[test_case(json_answer(429, &json!({})), Kind::RateLimited; "asked too often")]
#[test_case(Err(TransportError::Broken("reset".to_owned())), Kind::Network; "a connection that broke")]
#[test_case(Err(TransportError::NotSent("refused".to_owned())), Kind::Network; "no connection")]
#[test_case(json_answer(400, &json!({"error": "invalid_grant", "error_description": "Bad Request"})), Kind::ReconnectRequired; "a code that is used up")]
#[test_case(json_answer(401, &json!({"error": "invalid_client"})), Kind::ClientConfig; "a wrong secret")]
#[test_case(json_answer(400, &json!({"error": "redirect_uri_mismatch"})), Kind::ClientConfig; "a wrong redirect")]
fn a_code_is_exchanged_once_whatever_happens(answer: Answer, kind: Kind) {
    let (world, begun) = begun();
    world.then(answer);
    let error = begun.finish(&world).unwrap_err();
    used_up(&world, &error, kind);
    assert_eq!(world.urls(), ["https://oauth2.googleapis.com/token"]);
    assert_eq!(error.fields().trace.len(), 1);
}

#[test_case(200; "as a success")]
#[test_case(201)]
#[test_case(202)]
#[test_case(400)]
#[test_case(503)]
fn a_refusal_that_repeats_what_it_was_sent_is_not_quoted(status: u16) {
    let (world, begun) = begun();
    // Google's own refusal is a 400; any other is that of a proxy in between.
    world.damaged();
    world.respond(move |request| {
        let values: Vec<_> = form_urlencoded::parse(request.body()).map(|(_, value)| value).collect();
        let why = format!("cannot take {}", values.join(" "));
        json_answer(status, &json!({"error": "invalid_grant", "error_description": why}))
    });
    let error = begun.finish(&world).unwrap_err();
    let shown = format!("{error} {error:?}");
    let sent = world.sent.borrow();
    for (name, value) in form_urlencoded::parse(sent[0].body()) {
        let is_secret = ["code", "client_secret", "code_verifier"].contains(&name.as_ref());
        assert!(!(is_secret && shown.contains(value.as_ref())), "{name}: {shown}");
    }
    assert!(shown.contains("cannot take"), "{shown}");
}

#[test]
fn new_keys_of_google_are_looked_up_once_more() {
    let (world, begun) = begun();
    world.then(json_answer(200, &begun.grant(&json!({}))));
    world.then(public_keys(&["old"]));
    world.then(public_keys(&["old", KID]));
    begun.finish(&world).unwrap();
    assert_eq!(world.urls().len(), 3);
}

#[test]
fn a_key_that_google_does_not_publish_is_not_looked_up_for_ever() {
    let (world, begun) = begun();
    world.then(json_answer(200, &begun.grant(&json!({}))));
    world.then(public_keys(&["old"]));
    world.then(public_keys(&["old"]));
    let error = begun.finish(&world).unwrap_err();
    used_up(&world, &error, Kind::AuthorizationFailed);
    assert_eq!((detail(&error, "check"), world.urls().len()), (Some("kid"), 3));
}

#[test_case(json_answer(404, &json!({})), Kind::Unavailable; "not there")]
#[test_case(nothing(), Kind::InvalidResponse; "no key set")]
fn without_googles_keys_nobody_is_signed_in(keys: Answer, kind: Kind) {
    let (world, begun) = begun();
    world.then(json_answer(200, &begun.grant(&json!({}))));
    world.then(keys);
    used_up(&world, &begun.finish(&world).unwrap_err(), kind);
}

#[test]
fn an_id_token_that_nobody_signed_is_refused() {
    let (world, begun) = begun();
    let mut grant = begun.grant(&json!({}));
    grant["id_token"] = json!(jwt(&begun.claims(&json!({}))));
    let error = begun.finish_with(&world, json_answer(200, &grant)).unwrap_err();
    used_up(&world, &error, Kind::AuthorizationFailed);
}

#[test_case(|r| r.redirect_uri = "https://evil.example/".to_owned(), Kind::InvalidInput; "a redirect that is not the client's")]
#[test_case(|r| r.nickname = String::new(), Kind::InvalidInput; "no nickname")]
#[test_case(|r| r.invoker = Some(InvokerRequest::Own), Kind::InvalidInput; "an ID token that a user does not have")]
#[test_case(|r| r.client = Secret::new(crate::testing::DEMO_KEY.to_owned()), Kind::InvalidCredential; "a key as the client")]
#[test_case(|r| r.connection = Some("0123456789abcdef".to_owned()), Kind::ConnectionNotFound; "a connection that is not there")]
fn bad_input_begins_nothing(spoil: fn(&mut AuthorizeRequest), kind: Kind) {
    let world = World::new();
    let mut request = request();
    spoil(&mut request);
    assert_eq!(connections::authorize(&world, request).unwrap_err().kind(), kind);
    assert!(world.log.borrow().is_empty());
}

#[test]
fn a_store_that_does_not_take_the_connection_is_left_without_it() {
    let (world, begun) = begun();
    world.fail(
        crate::testing::Op::Put,
        "connections/",
        crate::base::ports::StoreError::Failed("disk full".to_owned()),
    );
    let error = begun.finish_with(&world, json_answer(200, &begun.grant(&json!({})))).unwrap_err();
    used_up(&world, &error, Kind::SecretStore);
    world.mend();
    world.then(access_token(canaries::FIRST));
    crate::testing::connect(&world, crate::testing::connect_request()).unwrap();
}

/// The field of a client in publishing status Testing, as public captures have it: 7 days, less a second.
#[test_case(json!(604_799), Some(NOW + 604_799); "of Testing")]
#[test_case(json!(u64::MAX), Some(u64::MAX); "longer than anything")]
#[test_case(json!(0), None; "at once")]
#[test_case(json!(-1), None; "before it began")]
#[test_case(json!(null), None; "null")]
fn a_sign_in_that_ends_by_itself_says_when(life: Value, ends: Option<u64>) {
    let (world, begun) = begun();
    let mut grant = begun.grant(&json!({}));
    grant["refresh_token_expires_in"] = life;
    let (connection, warnings) = begun.finish_with(&world, json_answer(200, &grant)).unwrap();
    assert_eq!(connection.ends, ends);
    assert_eq!(warnings.iter().any(|warning| warning.contains("publishing status Testing")), ends.is_some());
    // It is kept, and shown to whoever asks later; a new sign-in without an end takes it away.
    assert_eq!(connections::get(&world, &connection.id).unwrap().ends, ends);
    assert_eq!(connections::list(&world).unwrap()[0].ends, ends);
    let again = Begun::new(&world, AuthorizeRequest { connection: Some(connection.id.clone()), ..request() });
    let (connection, _) = again.finish_with(&world, json_answer(200, &again.grant(&json!({})))).unwrap();
    assert_eq!(connection.ends, None);
}
