//! Signatures.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rsa::{
    RsaPrivateKey,
    pkcs1v15::{Signature, SigningKey, VerifyingKey},
    pkcs8::DecodePrivateKey as _,
    signature::{Keypair as _, SignatureEncoding as _, Signer as _, Verifier as _},
    traits::PublicKeyParts as _,
};
use serde_json::{Value, json};
use sha2::Sha256;

/// The id of the key that Google signs with here.
const KEY_ID: &str = "89abcdef0123456789abcdef0123456789abcdef";

/// Google does not publish the leeway of its clock; this is the usual one.
const LEEWAY_S: u64 = 60;

/// The longest life of an assertion that the token endpoint takes: an hour, and five minutes of leeway
/// (<https://developers.google.com/identity/protocols/oauth2/service-account#error-codes>).
const LONGEST_LIFE_S: u64 = 3900;

/// The key of the tests: that of a service account, and Google's own at the same time.
pub struct Key {
    /// The service account.
    pub account: String,
    /// The id of its key.
    pub key_id: String,
    signing: SigningKey<Sha256>,
    verifying: VerifyingKey<Sha256>,
    modulus: String,
    exponent: String,
}

/// The reason why an assertion is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unaccepted {
    /// The signature, or the form.
    Signature,
    /// The account is not known.
    Account,
    /// `iat` or `exp`.
    Time,
    /// `aud`.
    Audience,
}

impl Key {
    /// The key of a service account's file.
    ///
    /// # Panics
    /// It is no such file.
    #[must_use]
    pub fn read(file: &str) -> Self {
        let file: Value = serde_json::from_str(file).expect("the key file is JSON");
        let text = |name: &str| file[name].as_str().expect("the key file has this field").to_owned();
        let private = RsaPrivateKey::from_pkcs8_pem(&text("private_key")).expect("the key is PKCS #8");
        let base64url = |bytes: Vec<u8>| URL_SAFE_NO_PAD.encode(bytes);
        let (modulus, exponent) =
            (base64url(private.n().to_bytes_be()), base64url(private.e().to_bytes_be()));
        let signing = SigningKey::new(private);
        Self {
            account: text("client_email"),
            key_id: text("private_key_id"),
            verifying: signing.verifying_key(),
            signing,
            modulus,
            exponent,
        }
    }

    /// The claims of an assertion
    /// ([RFC 7523, section 3](https://www.rfc-editor.org/rfc/rfc7523#section-3)).
    ///
    /// # Errors
    /// It is not accepted.
    pub fn assertion(&self, text: &str, now: u64) -> Result<Value, Unaccepted> {
        let (header, claims) = self.decode(text).ok_or(Unaccepted::Signature)?;
        // Without its id, each key of the account is tried: keys in PKCS #12 have none.
        let is_known = header["kid"].is_null() || header["kid"] == self.key_id.as_str();
        if !is_known || header["typ"] != "JWT" {
            return Err(Unaccepted::Signature);
        }
        if claims["iss"] != self.account.as_str() {
            return Err(Unaccepted::Account);
        }
        // Whatever the file's token_uri says: google-auth for Python, google/oauth2/service_account.py.
        if claims["aud"] != "https://oauth2.googleapis.com/token" {
            return Err(Unaccepted::Audience);
        }
        let (Some(iat), Some(exp)) = (claims["iat"].as_u64(), claims["exp"].as_u64()) else {
            return Err(Unaccepted::Time);
        };
        let timely =
            iat <= now + LEEWAY_S && exp + LEEWAY_S > now && exp > iat && exp - iat <= LONGEST_LIFE_S;
        if timely { Ok(claims) } else { Err(Unaccepted::Time) }
    }

    /// The claims of whatever this key has signed.
    #[must_use]
    pub fn claims(&self, text: &str) -> Option<Value> {
        self.decode(text).map(|(_, claims)| claims)
    }

    /// The claims of an ID token that this Google has made and that is still good, or nothing.
    #[must_use]
    pub fn id_token(&self, text: &str, now: u64) -> Option<Value> {
        let (header, claims) = self.decode(text)?;
        let good = header["kid"] == KEY_ID
            && claims["iss"] == "https://accounts.google.com"
            && claims["exp"].as_u64().is_some_and(|exp| exp > now);
        good.then_some(claims)
    }

    /// Makes an ID token of an hour.
    #[must_use]
    pub fn mint(&self, claims: &Value, now: u64) -> String {
        let mut all = json!({"iss": "https://accounts.google.com", "iat": now, "exp": now + 3600});
        crate::lay(claims, &mut all);
        self.signed(KEY_ID, &all)
    }

    /// Signs claims (RFC 7515, section 3.1) under the id of a key.
    #[must_use]
    pub fn signed(&self, key_id: &str, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed =
            format!("{}.{}", part(&json!({"alg": "RS256", "typ": "JWT", "kid": key_id})), part(claims));
        let signature = self.signing.sign(signed.as_bytes()).to_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Google's public keys, as <https://www.googleapis.com/oauth2/v3/certs> has them.
    #[must_use]
    pub fn published(&self) -> Value {
        json!({"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID,
            "n": self.modulus, "e": self.exponent}]})
    }

    /// The header and the claims of a JWT that RS256 and this key have signed, whatever the time is.
    fn decode(&self, text: &str) -> Option<(Value, Value)> {
        let (signed, signature) = text.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let signature = Signature::try_from(signature.as_slice()).ok()?;
        self.verifying.verify(signed.as_bytes(), &signature).ok()?;
        let (header, claims) = signed.split_once('.')?;
        let read = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
        let (header, claims) = (read(header)?, read(claims)?);
        (header["alg"] == "RS256").then_some((header, claims))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("account", &self.account).finish_non_exhaustive()
    }
}
