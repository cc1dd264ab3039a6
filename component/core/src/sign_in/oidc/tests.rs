use std::sync::LazyLock;

use rsa::{
    RsaPrivateKey,
    pkcs1v15::SigningKey,
    pkcs8::DecodePrivateKey as _,
    signature::{SignatureEncoding as _, Signer as _},
    traits::PublicKeyParts as _,
};
use serde_json::{Value, json};
use test_case::test_case;

use super::*;
use crate::testing::{DEMO_KEY, NOW, canaries};

const CLIENT_ID: &str = "1234567890-abc.apps.googleusercontent.com";
const NONCE: &str = "BwcHBwcHBwcHBwcHBwcHBw";
const ACCESS_TOKEN: &str = canaries::FIRST;
const KID: &str = "0123456789abcdef0123456789abcdef01234567";

/// Google's key in these tests.
static GOOGLE: LazyLock<RsaPrivateKey> = LazyLock::new(|| {
    let file: Value = serde_json::from_str(DEMO_KEY).unwrap();
    RsaPrivateKey::from_pkcs8_pem(file["private_key"].as_str().unwrap()).unwrap()
});

fn key_2056() -> RsaPrivateKey {
    RsaPrivateKey::from_pkcs8_pem(include_str!("../../../../../tests/fixtures/rsa-2056.pem")).unwrap()
}

fn key_1024() -> RsaPrivateKey {
    RsaPrivateKey::from_pkcs8_pem(include_str!("../../../../../tests/fixtures/rsa-1024.pem")).unwrap()
}

fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn jwk(kid: &str, key: &RsaPrivateKey) -> Value {
    json!({
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid,
        "n": base64url(key.n().to_bytes_be()), "e": base64url(key.e().to_bytes_be()),
    })
}

fn set(keys: &[Value]) -> JwkSet {
    JwkSet::parse(json!({"keys": keys}).to_string().as_bytes()).unwrap()
}

fn google_keys() -> JwkSet {
    set(&[jwk("another", &key_2056()), jwk(KID, &GOOGLE)])
}

fn header() -> Value {
    json!({"alg": "RS256", "kid": KID, "typ": "JWT"})
}

/// Google's claims, with some changed; `undefined()` takes one away.
fn claims(changes: &Value) -> Value {
    let mut claims = json!({
        "iss": "https://accounts.google.com",
        "azp": CLIENT_ID,
        "aud": CLIENT_ID,
        "sub": "110169484474386276334",
        "hd": "corp.example",
        "email": "a@corp.example",
        "email_verified": true,
        "at_hash": at_hash(&Secret::new(ACCESS_TOKEN.to_owned())),
        "nonce": NONCE,
        "iat": NOW,
        "exp": NOW + 3600,
    });
    for (name, value) in changes.as_object().unwrap() {
        if *value == undefined() {
            claims.as_object_mut().unwrap().remove(name).unwrap();
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

fn undefined() -> Value {
    json!("no such claim")
}

/// Signs parts as they stand.
fn signed_by(key: &RsaPrivateKey, header: &str, payload: &str) -> String {
    let input = format!("{}.{}", base64url(header), base64url(payload));
    let signature = SigningKey::<Sha256>::new(key.clone()).sign(input.as_bytes()).to_vec();
    format!("{input}.{}", base64url(signature))
}

fn signed(header: &Value, claims: &Value) -> String {
    signed_by(&GOOGLE, &header.to_string(), &claims.to_string())
}

fn good() -> String {
    signed(&header(), &claims(&json!({})))
}

fn try_verify(token: &str, keys: &JwkSet, hosted_domain: Option<&str>) -> Result<Claims> {
    let access_token = Secret::new(ACCESS_TOKEN.to_owned());
    let expected =
        Expected { client_id: CLIENT_ID, nonce: NONCE, access_token: &access_token, hosted_domain };
    verify(&Secret::new(token.to_owned()), keys, &expected, NOW)
}

/// `accept`, or the check that failed. An error repeats nothing of the token and says what to do.
fn verdict(token: &str, outcome: Result<Claims>) -> String {
    let Err(error) = outcome else { return "accept".to_owned() };
    assert_eq!((error.kind(), error.fields().origin), (Kind::AuthorizationFailed, Origin::TokenEndpoint));
    assert!(error.fields().fix.is_some());
    let text = format!("{error:?} {error}");
    for part in token.split('.').filter(|part| part.len() > 8) {
        assert!(!text.contains(part), "{text}");
    }
    for secret in [NONCE, ACCESS_TOKEN, KID, "110169484474386276334", "a@corp.example", "evil"] {
        assert!(!text.contains(secret), "{text}");
    }
    let [(name, check)] = error.fields().details.as_slice() else { panic!("one detail: {text}") };
    assert_eq!(name, "check");
    assert_eq!(is_unknown_key(&error), check == "kid");
    check.clone()
}

fn with_claims(changes: &Value, hosted_domain: Option<&str>) -> String {
    let token = signed(&header(), &claims(changes));
    verdict(&token, try_verify(&token, &google_keys(), hosted_domain))
}

fn raw(token: &str) -> String {
    verdict(token, try_verify(token, &google_keys(), None))
}

#[test]
fn a_token_as_google_writes_it_says_who_signed_in() {
    assert_eq!(
        try_verify(&good(), &google_keys(), Some("corp.example")).unwrap(),
        Claims {
            sub: "110169484474386276334".to_owned(),
            email: Some("a@corp.example".to_owned()),
            exp: NOW + 3600,
            hd: Some("corp.example".to_owned()),
        }
    );
}

#[test_case(json!({}) => "accept"; "as google writes it")]
#[test_case(json!({"iss": "accounts.google.com"}) => "accept"; "legacy issuer")]
#[test_case(json!({"iss": "https://accounts.google.com.evil.com"}) => "iss"; "issuer with a suffix")]
#[test_case(json!({"iss": "https://securetoken.google.com/p"}) => "iss"; "issuer of Firebase")]
#[test_case(json!({"iss": "https://accounts.google.com/"}) => "iss"; "issuer with a slash")]
#[test_case(json!({"iss": "http://accounts.google.com"}) => "iss"; "issuer without TLS")]
#[test_case(json!({"iss": undefined()}) => "iss"; "no issuer")]
#[test_case(json!({"aud": "OTHER"}) => "aud"; "for another client")]
#[test_case(json!({"aud": "OTHER", "azp": undefined()}) => "aud"; "for another client, without holder")]
#[test_case(json!({"aud": []}) => "aud"; "for nobody")]
#[test_case(json!({"aud": null}) => "aud"; "audience null")]
#[test_case(json!({"aud": undefined()}) => "aud"; "no audience")]
#[test_case(json!({"aud": ""}) => "aud"; "empty audience")]
#[test_case(json!({"aud": true}) => "aud"; "audience of another type")]
#[test_case(json!({"aud": format!("{CLIENT_ID} OTHER")}) => "aud"; "audience with more text")]
#[test_case(json!({"aud": ["OTHER"]}) => "aud"; "list of another client")]
#[test_case(json!({"aud": [CLIENT_ID]}) => "accept"; "list of us")]
#[test_case(json!({"aud": [CLIENT_ID], "azp": undefined()}) => "accept"; "list of us, without holder")]
#[test_case(json!({"aud": [CLIENT_ID, "OTHER"]}) => "accept"; "list of us and another, held by us")]
#[test_case(json!({"aud": [CLIENT_ID, "OTHER"], "azp": "OTHER"}) => "azp"; "list of us and another, held by another")]
#[test_case(json!({"aud": ["OTHER", CLIENT_ID], "azp": undefined()}) => "azp"; "list of us and another, held by nobody")]
#[test_case(json!({"aud": [CLIENT_ID, 1], "azp": undefined()}) => "azp"; "list of mixed types")]
#[test_case(json!({"azp": "OTHER"}) => "azp"; "held by another")]
#[test_case(json!({"azp": null}) => "azp"; "held by null")]
#[test_case(json!({"azp": [CLIENT_ID]}) => "azp"; "holder as a list")]
#[test_case(json!({"azp": undefined()}) => "accept"; "no holder")]
#[test_case(json!({"nonce": "X"}) => "nonce"; "replay")]
#[test_case(json!({"nonce": undefined()}) => "nonce"; "no nonce")]
#[test_case(json!({"exp": NOW - 11}) => "exp"; "expired")]
#[test_case(json!({"exp": NOW - 10}) => "exp"; "expired just now")]
#[test_case(json!({"exp": NOW - 5}) => "accept"; "expired within the skew")]
#[test_case(json!({"exp": undefined()}) => "exp"; "no end")]
#[test_case(json!({"exp": u64::MAX}) => "exp"; "endless")]
#[test_case(json!({"exp": NOW + 10 * 365 * 86_400}) => "exp"; "ten years")]
#[test_case(json!({"exp": NOW + 86_400}) => "accept"; "a day")]
#[test_case(json!({"exp": NOW + 86_410}) => "accept"; "a day within the skew")]
#[test_case(json!({"exp": NOW + 86_411}) => "exp"; "more than a day")]
#[test_case(json!({"exp": "1772370000"}) => "exp"; "end as text")]
#[test_case(json!({"exp": -1}) => "exp"; "negative end")]
#[test_case(json!({"exp": 1_772_370_000.5}) => "exp"; "end with a fraction")]
#[test_case(json!({"iat": NOW + 3600}) => "iat"; "from the future")]
#[test_case(json!({"iat": NOW + 11}) => "iat"; "from the future, just outside the skew")]
#[test_case(json!({"iat": NOW + 10}) => "accept"; "from the future within the skew")]
#[test_case(json!({"iat": NOW - 600}) => "accept"; "from the beginning of the sign-in")]
#[test_case(json!({"iat": NOW - 610}) => "accept"; "from the beginning of the sign-in within the skew")]
#[test_case(json!({"iat": NOW - 611}) => "iat"; "from before the sign-in")]
#[test_case(json!({"iat": NOW - 86_400}) => "iat"; "from yesterday")]
#[test_case(json!({"iat": 0}) => "iat"; "from 1970")]
#[test_case(json!({"iat": undefined()}) => "iat"; "no beginning")]
#[test_case(json!({"at_hash": "wrong"}) => "at_hash"; "another access token")]
#[test_case(json!({"at_hash": null}) => "at_hash"; "hash null")]
#[test_case(json!({"at_hash": ""}) => "at_hash"; "empty hash")]
#[test_case(json!({"at_hash": undefined()}) => "accept"; "no hash")]
#[test_case(json!({"sub": undefined()}) => "sub"; "no subject")]
#[test_case(json!({"sub": ""}) => "sub"; "empty subject")]
#[test_case(json!({"sub": "1".repeat(255)}) => "accept"; "longest subject")]
#[test_case(json!({"sub": "1".repeat(256)}) => "sub"; "subject too long")]
#[test_case(json!({"sub": "é"}) => "sub"; "subject outside ASCII")]
#[test_case(json!({"sub": 1}) => "sub"; "subject as a number")]
#[test_case(json!({"hd": "other.com"}) => "accept"; "any domain where none is required")]
fn claims_are_checked(changes: Value) -> String {
    with_claims(&changes, None)
}

#[test_case(json!({}) => "accept"; "member")]
#[test_case(json!({"hd": "other.com"}) => "hd"; "another domain")]
#[test_case(json!({"hd": "sub.corp.example"}) => "hd"; "subdomain")]
#[test_case(json!({"hd": undefined()}) => "hd"; "no domain, whatever the address")]
#[test_case(json!({"email_verified": "true"}) => "accept"; "verified as text")]
#[test_case(json!({"email_verified": false}) => "email"; "not verified")]
#[test_case(json!({"email_verified": "false"}) => "email"; "not verified as text")]
#[test_case(json!({"email_verified": ["true"]}) => "email"; "verified as a list")]
#[test_case(json!({"email_verified": undefined()}) => "email"; "nothing about verification")]
#[test_case(json!({"email": undefined()}) => "email"; "no address")]
fn a_required_domain_is_checked(changes: Value) -> String {
    with_claims(&changes, Some("corp.example"))
}

#[test_case(json!({}) => Some("a@corp.example".to_owned()); "verified")]
#[test_case(json!({"email_verified": "true"}) => Some("a@corp.example".to_owned()); "verified as text")]
#[test_case(json!({"email_verified": false}) => None; "not verified")]
#[test_case(json!({"email_verified": "TRUE"}) => None; "verified in other words")]
#[test_case(json!({"email_verified": null}) => None; "null")]
#[test_case(json!({"email_verified": undefined()}) => None; "nothing about verification")]
#[test_case(json!({"email": "a@b.example\u{1b}[31m"}) => None; "address that is not plain")]
#[test_case(json!({"email": format!("{}@b.example", "a".repeat(250))}) => None; "endless address")]
fn only_a_verified_address_is_used(changes: Value) -> Option<String> {
    try_verify(&signed(&header(), &claims(&changes)), &google_keys(), None).unwrap().email
}

#[test_case(json!({"alg": "none", "kid": KID}) => "alg"; "alg none")]
#[test_case(json!({"alg": "HS256", "kid": KID}) => "alg"; "alg HS256")]
#[test_case(json!({"alg": "rs256", "kid": KID}) => "alg"; "alg in lower case")]
#[test_case(json!({"alg": "RS512", "kid": KID}) => "alg"; "alg RS512")]
#[test_case(json!({"alg": "PS256", "kid": KID}) => "alg"; "alg PS256")]
#[test_case(json!({"alg": "ES256", "kid": KID}) => "alg"; "alg ES256")]
#[test_case(json!({"kid": KID}) => "alg"; "no alg")]
#[test_case(json!({"alg": ["RS256"], "kid": KID}) => "alg"; "alg as a list")]
#[test_case(json!({"alg": "RS256", "kid": "unknown"}) => "kid"; "unknown key")]
#[test_case(json!({"alg": "RS256", "kid": ""}) => "kid"; "empty key id")]
#[test_case(json!({"alg": "RS256"}) => "format"; "no key id")]
#[test_case(json!({"alg": "RS256", "kid": null}) => "format"; "key id null")]
#[test_case(json!({"alg": "RS256", "kid": "another"}) => "signature"; "id of another key")]
#[test_case(json!({"alg": "RS256", "kid": KID, "crit": ["exp"]}) => "format"; "critical extension")]
#[test_case(json!({"alg": "RS256", "kid": KID, "crit": []}) => "format"; "critical extensions, none")]
#[test_case(json!({"alg": "RS256", "kid": KID, "crit": null}) => "format"; "critical extensions null")]
#[test_case(json!(["RS256", KID]) => "format"; "header as a list")]
fn the_header_is_checked(header: Value) -> String {
    raw(&signed(&header, &claims(&json!({}))))
}

/// The key is the sender's own, and the header says where to find it.
#[test_case("jku", json!("https://evil.example/keys"))]
#[test_case("x5u", json!("https://evil.example/cert.pem"))]
#[test_case("x5c", json!(["MIIB"]))]
#[test_case("jwk", jwk(KID, &key_2056()))]
fn a_key_that_the_token_brings_along_is_never_used(name: &str, value: Value) {
    let mut header = header();
    header[name] = value;
    let claims = claims(&json!({}));
    assert_eq!(raw(&signed_by(&key_2056(), &header.to_string(), &claims.to_string())), "signature");
    assert_eq!(raw(&signed(&header, &claims)), "accept");
}

#[test]
fn a_public_key_is_no_hmac_secret() {
    let input = format!(
        "{}.{}",
        base64url(json!({"alg": "HS256", "kid": KID}).to_string()),
        base64url(claims(&json!({})).to_string())
    );
    // RFC 2104; the key is longer than a block, so its hash takes its place.
    let key = Sha256::digest(GOOGLE.n().to_bytes_be());
    let pad = |byte: u8| -> Vec<u8> { (0..64).map(|i| key.get(i).copied().unwrap_or(0) ^ byte).collect() };
    let inner = Sha256::digest([pad(0x36), input.clone().into_bytes()].concat());
    let mac = Sha256::digest([pad(0x5c), inner.to_vec()].concat());
    assert_eq!(raw(&format!("{input}.{}", base64url(mac))), "alg");
}

#[test]
fn a_token_has_three_parts_of_base64url() {
    let token = good();
    let (input, signature) = token.rsplit_once('.').unwrap();
    let none = base64url(r#"{"alg":"none"}"#);
    let payload = base64url(claims(&json!({})).to_string());
    for (bad, check) in [
        (String::new(), "format"),
        ("a.b.c".to_owned(), "format"),
        ("a.b.c.d.e".to_owned(), "format"),
        (format!("{token}."), "format"),
        (format!(".{token}"), "format"),
        (format!(" {token}"), "format"),
        (input.to_owned(), "format"),
        (token.replacen('.', "=.", 1), "format"),
        (format!("{input}."), "signature"),
        (format!("{token}=="), "signature"),
        (format!("{token}\n"), "signature"),
        (format!("{input}.{}", signature.to_lowercase()), "signature"),
        (format!("{none}.{payload}."), "alg"),
    ] {
        assert_eq!(raw(&bad), check, "{bad:?}");
    }
}

#[test]
fn a_signature_is_of_these_claims_and_of_this_key() {
    let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
    let (good, other) = (parts(&good()), parts(&signed(&header(), &claims(&json!({"sub": "2"})))));
    assert_eq!(raw(&good.join(".")), "accept");
    assert_eq!(raw(&format!("{}.{}.{}", good[0], other[1], good[2])), "signature", "swapped payload");
    assert_eq!(raw(&format!("{}.{}.{}", good[0], good[1], other[2])), "signature", "swapped signature");
    let padded = base64url(format!("{} ", header()));
    assert_eq!(raw(&format!("{padded}.{}.{}", good[1], good[2])), "signature", "another header");

    let mut bytes = URL_SAFE_NO_PAD.decode(&good[2]).unwrap();
    bytes[255] ^= 1;
    assert_eq!(raw(&format!("{}.{}.{}", good[0], good[1], base64url(&bytes))), "signature", "one bit");
    bytes[255] ^= 1;
    bytes.insert(0, 0);
    assert_eq!(raw(&format!("{}.{}.{}", good[0], good[1], base64url(&bytes))), "signature", "a leading zero");
    for byte in [0, 1, 255] {
        let token = format!("{}.{}.{}", good[0], good[1], base64url([byte; 256]));
        assert_eq!(raw(&token), "signature", "made up");
    }
}

/// The claims are all wrong, and what is reported is the signature.
#[test]
fn nothing_is_read_from_claims_that_are_not_signed() {
    let header = header().to_string();
    for payload in [r#"{"iss":"evil","aud":[],"exp":0}"#, "not JSON"] {
        assert_eq!(raw(&signed_by(&key_2056(), &header, payload)), "signature");
    }
}

#[test_case(r#"{"nonce":"x","#; "duplicate nonce")]
#[test_case(r#"{"aud":"x","#; "duplicate audience")]
#[test_case(r#"{"email_verified":false,"#; "duplicate verification")]
#[test_case(r#"{"filler":1,"filler":2,"#; "duplicate that nobody reads")]
#[test_case(r#"{"filler":[{"a":1,"a":1}],"#; "duplicate further down")]
fn a_claim_stands_once(first: &str) {
    let payload = claims(&json!({})).to_string().replacen('{', first, 1);
    assert_eq!(raw(&signed_by(&GOOGLE, &header().to_string(), &payload)), "format");
}

#[test]
fn a_header_field_stands_once() {
    let header = header().to_string().replacen('{', r#"{"alg":"none","#, 1);
    assert_eq!(raw(&signed_by(&GOOGLE, &header, &claims(&json!({})).to_string())), "format");
}

#[test_case("[]"; "list")]
#[test_case("null"; "null")]
#[test_case("{}x"; "text behind the object")]
#[test_case(&"[".repeat(10_000); "endless nesting")]
#[test_case(&format!(r#"{{"a":{}1{}}}"#, "[".repeat(1000), "]".repeat(1000)); "deep nesting")]
#[test_case(r#"["https://accounts.google.com"]"#; "claims by position")]
fn claims_are_an_object(payload: &str) {
    assert_eq!(raw(&signed_by(&GOOGLE, &header().to_string(), payload)), "format");
}

#[test]
fn a_token_has_at_most_16_kib() {
    let of = |filler: usize| signed(&header(), &claims(&json!({"filler": "x".repeat(filler)})));
    // Four characters for three bytes.
    let largest = of((MAX_BYTES - of(0).len()) / 4 * 3);
    assert!((MAX_BYTES - 4..=MAX_BYTES).contains(&largest.len()));
    assert_eq!(raw(&largest), "accept");
    assert_eq!(raw(&of(12_000)), "format");
    assert_eq!(raw(&".".repeat(1 << 20)), "format");
}

#[test]
fn a_key_published_later_verifies() {
    let token = good();
    let before = try_verify(&token, &set(&[jwk("another", &key_2056())]), None);
    assert!(is_unknown_key(before.as_ref().unwrap_err()));
    assert_eq!(verdict(&token, before), "kid");
    assert_eq!(verdict(&token, try_verify(&token, &google_keys(), None)), "accept");
}

#[test]
fn a_wrong_clock_and_a_wrong_account_have_fixes_of_their_own() {
    let fix = |changes: Value| {
        let token = signed(&header(), &claims(&changes));
        try_verify(&token, &google_keys(), Some("corp.example")).unwrap_err().into_fields().fix.unwrap()
    };
    assert!(fix(json!({"exp": NOW - 60})).contains("clock"));
    assert!(fix(json!({"iat": NOW + 60})).contains("clock"));
    assert!(fix(json!({"hd": "other.com"})).contains("an account of corp.example"));
    assert!(fix(json!({"email_verified": false})).contains("verify the address"));
    assert!(fix(json!({"nonce": "X"})).contains("sign in again"));
}

#[test_case("kty", json!("EC"))]
#[test_case("kty", json!(null))]
#[test_case("use", json!("enc"))]
#[test_case("use", json!(null))]
#[test_case("alg", json!("RS512"))]
#[test_case("alg", json!(null))]
#[test_case("kid", json!(null))]
#[test_case("n", json!("***"))]
#[test_case("n", json!(""))]
#[test_case("n", json!(null))]
#[test_case("e", json!("=="))]
#[test_case("e", json!(null))]
fn a_key_of_another_use_is_left_out(field: &str, value: Value) {
    let mut bad = jwk("bad", &GOOGLE);
    bad[field] = value;
    let keys = set(&[bad, jwk("good", &GOOGLE)]);
    assert_eq!((keys.has("bad"), keys.has("good")), (false, true));
}

#[test]
fn what_is_no_key_is_left_out() {
    assert!(set(&[json!(1), json!(null), json!([]), json!({}), jwk("good", &GOOGLE)]).has("good"));
}

#[test]
fn a_key_of_another_size_is_left_out() {
    let number = |bytes: &[u8]| {
        let mut key = jwk("key", &GOOGLE);
        key["n"] = json!(base64url(bytes));
        set(&[key]).has("key")
    };
    assert!(number(&[0x80; 256]));
    assert!(number(&[&[0, 0], [0x80; 256].as_slice()].concat()), "leading zeros");
    assert!(!number(&[0x7f; 256]), "2047 bits");
    assert!(!number(&[&[0, 0], [0x7f; 256].as_slice()].concat()), "2047 bits and leading zeros");
    assert!(number(&[0xff; 512]));
    assert!(!number(&[0xff; 513]));
    assert!(!number(&[0; 256]));

    let token = signed_by(&key_1024(), &header().to_string(), &claims(&json!({})).to_string());
    let keys = set(&[jwk(KID, &key_1024())]);
    assert_eq!(verdict(&token, try_verify(&token, &keys, None)), "kid");
}

#[test_case(&[]; "zero")]
#[test_case(&[1]; "one")]
#[test_case(&[255; 9]; "huge")]
fn an_exponent_that_proves_nothing_verifies_nothing(exponent: &[u8]) {
    let mut key = jwk(KID, &GOOGLE);
    key["e"] = json!(base64url(exponent));
    let token = good();
    assert_eq!(verdict(&token, try_verify(&token, &set(&[key]), None)), "signature");
}

#[test]
fn at_most_16_keys_are_kept() {
    let keys: Vec<_> = (0..20).map(|i| jwk(&i.to_string(), &GOOGLE)).collect();
    let keys = set(&keys);
    assert_eq!((keys.has("0"), keys.has("15"), keys.has("16")), (true, true, false));
}

#[test_case("" => Kind::InvalidResponse; "nothing")]
#[test_case("<html>" => Kind::InvalidResponse; "no JSON")]
#[test_case("{}" => Kind::InvalidResponse; "no keys")]
#[test_case(r#"{"keys":{}}"# => Kind::InvalidResponse; "keys are no list")]
#[test_case(r#"{"keys":[],"keys":[]}"# => Kind::InvalidResponse; "keys twice")]
#[test_case(&format!(r#"{{"keys":[]{}}}"#, " ".repeat(64 * 1024)) => Kind::InvalidResponse; "too large")]
fn a_key_set_is_json(text: &str) -> Kind {
    JwkSet::parse(text.as_bytes()).unwrap_err().kind()
}

#[test]
fn a_set_of_no_keys_verifies_nothing() {
    assert_eq!(verdict(&good(), try_verify(&good(), &set(&[]), None)), "kid");
}
