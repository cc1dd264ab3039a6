//! Google's answers, in the documented shapes.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rsa::{
    RsaPrivateKey,
    pkcs1v15::SigningKey,
    pkcs8::DecodePrivateKey as _,
    signature::{SignatureEncoding as _, Signer as _},
    traits::PublicKeyParts as _,
};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Answer, DEMO_KEY, NOW, canaries};
use crate::base::http::Response;

/// The OAuth client of every user here.
pub(crate) const CLIENT_ID: &str = "1234567890-abc.apps.googleusercontent.com";

/// The account of the demo key.
pub(crate) const ROBOT: &str = "gcf-demo@demo-project.iam.gserviceaccount.com";

/// The service account that comes with App Engine.
pub(crate) const APPSPOT: &str = "demo-project@appspot.gserviceaccount.com";

/// The user.
pub(crate) const USER: &str = "ada@example.com";

/// All that a sign-in asks for, as Google writes it.
pub(crate) const ALL_SCOPES: &str =
    "openid https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/cloud-platform";

/// The key that Google signs with here, and its id.
static GOOGLE: LazyLock<RsaPrivateKey> = LazyLock::new(|| {
    let file: Value = serde_json::from_str(DEMO_KEY).unwrap();
    RsaPrivateKey::from_pkcs8_pem(file["private_key"].as_str().unwrap()).unwrap()
});

pub(crate) const KID: &str = "0123456789abcdef0123456789abcdef01234567";

pub(crate) fn json_answer(status: u16, body: &Value) -> Answer {
    Ok(Response {
        status,
        headers: vec![("content-type".to_owned(), b"application/json; charset=UTF-8".to_vec())],
        body: body.to_string().into_bytes(),
    })
}

pub(crate) fn nothing() -> Answer {
    json_answer(200, &json!({}))
}

/// The regions that Cloud Functions offers to a project.
pub(crate) fn locations(regions: &[&str]) -> Answer {
    let location = |region: &&str| json!({"name": format!("projects/demo-project/locations/{region}"), "locationId": region, "displayName": "Somewhere"});
    json_answer(200, &json!({"locations": regions.iter().map(location).collect::<Vec<_>>()}))
}

/// With one more header.
pub(crate) fn with_header(answer: Answer, name: &str, value: &str) -> Answer {
    let mut response = answer.unwrap();
    response.headers.push((name.to_owned(), value.as_bytes().to_vec()));
    Ok(response)
}

pub(crate) fn access_token(token: &str) -> Answer {
    json_answer(200, &json!({"access_token": token, "expires_in": 3599, "token_type": "Bearer"}))
}

pub(crate) fn invalid_grant(description: &str) -> Answer {
    json_answer(400, &json!({"error": "invalid_grant", "error_description": description}))
}

/// A refresh token that Google does not accept any more.
pub(crate) fn revoked() -> Answer {
    invalid_grant("Token has been expired or revoked.")
}

/// A token that nobody signed, for those who do not verify it.
pub(crate) fn jwt(claims: &Value) -> String {
    format!("e30.{}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()), canaries::ID_TOKEN_SIGNATURE)
}

/// The token endpoint's answer to a service account that asks for an ID token.
pub(crate) fn id_token(audience: &str) -> Answer {
    let token = jwt(&json!({"aud": audience, "exp": NOW + 3600, "email": ROBOT}));
    json_answer(200, &json!({"id_token": token}))
}

/// The answer of IAM Credentials to `generateIdToken`.
pub(crate) fn minted(audience: &str, email: &str) -> Answer {
    let token = jwt(&json!({"aud": audience, "exp": NOW + 3600, "email": email, "sub": "1234"}));
    json_answer(200, &json!({"token": token}))
}

/// The answer of IAM Credentials to `generateAccessToken`.
pub(crate) fn impersonated(token: &str) -> Answer {
    json_answer(200, &json!({"accessToken": token, "expireTime": "2026-03-01T13:00:00Z"}))
}

/// The answer to a refresh of the user.
pub(crate) fn user_grant(access_token: &str) -> Value {
    let id_token = jwt(&json!({"aud": CLIENT_ID, "exp": NOW + 3600, "email": USER, "sub": "1101"}));
    json!({
        "access_token": access_token, "expires_in": 3599, "token_type": "Bearer",
        "scope": ALL_SCOPES, "id_token": id_token,
    })
}

/// The same, with a new refresh token.
pub(crate) fn rotated(access_token: &str, refresh_token: &str) -> Answer {
    let mut grant = user_grant(access_token);
    grant["refresh_token"] = json!(refresh_token);
    json_answer(200, &grant)
}

/// The file that `gcloud auth application-default login` writes.
pub(crate) fn user_json() -> Value {
    json!({
        "type": "authorized_user",
        "account": "",
        "client_id": CLIENT_ID,
        "client_secret": canaries::CLIENT_SECRET,
        "refresh_token": canaries::REFRESH_FIRST,
        "quota_project_id": "demo-project",
        "universe_domain": "googleapis.com",
    })
}

pub(crate) fn denied(permission: &str) -> Answer {
    json_answer(
        403,
        &json!({"error": {"code": 403, "status": "PERMISSION_DENIED",
            "message": format!("Permission '{permission}' denied on resource (or it may not exist)."),
            "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "IAM_PERMISSION_DENIED",
                "domain": "iam.googleapis.com", "metadata": {"permission": permission}}]}}),
    )
}

pub(crate) fn switched_off(service: &str) -> Answer {
    json_answer(
        403,
        &json!({"error": {"code": 403, "status": "PERMISSION_DENIED",
            "message": "The API has not been used in project 1234 before or it is disabled.",
            "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED",
                "domain": "googleapis.com", "metadata": {"consumer": "projects/1234", "service": service}}]}}),
    )
}

pub(crate) fn unauthenticated() -> Answer {
    json_answer(
        401,
        &json!({"error": {"code": 401, "status": "UNAUTHENTICATED",
            "message": "Request had invalid authentication credentials."}}),
    )
}

pub(crate) fn not_found(message: &str) -> Answer {
    json_answer(404, &json!({"error": {"code": 404, "status": "NOT_FOUND", "message": message}}))
}

/// Google's public keys, under these ids.
pub(crate) fn public_keys(ids: &[&str]) -> Answer {
    let base64url = |bytes: Vec<u8>| URL_SAFE_NO_PAD.encode(bytes);
    let (n, e) = (base64url(GOOGLE.n().to_bytes_be()), base64url(GOOGLE.e().to_bytes_be()));
    let keys: Vec<_> = ids
        .iter()
        .map(|id| json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": id, "n": n, "e": e}))
        .collect();
    json_answer(200, &json!({"keys": keys}))
}

/// A token that Google signed with the key [`KID`].
pub(crate) fn signed(claims: &Value) -> String {
    let encoded = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let input =
        format!("{}.{}", encoded(&json!({"alg": "RS256", "kid": KID, "typ": "JWT"})), encoded(claims));
    let signature = SigningKey::<Sha256>::new(GOOGLE.clone()).sign(input.as_bytes()).to_vec();
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}
