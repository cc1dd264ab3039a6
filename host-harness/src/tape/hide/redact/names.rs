//! Names of fields and headers that hold secrets.

use super::Place;

/// The kind of secret that a field of this name holds.
pub(super) fn secret_field(place: Place, name: &str) -> Option<&'static str> {
    Some(match name {
        "access_token" | "accessToken" => "access-token",
        "refresh_token" | "refreshToken" => "refresh-token",
        "id_token" | "idToken" => "id-token",
        "client_secret" | "clientSecret" => "client-secret",
        "code_verifier" => "code-verifier",
        "assertion" | "client_assertion" => "assertion",
        "subject_token" | "subjectToken" | "actor_token" | "actorToken" => "subject-token",
        "device_code" => "device-code",
        "private_key" | "privateKeyData" => "private-key",
        "code" if place != Place::Json => "code",
        "token" if place != Place::Json => "token",
        "key" if place == Place::Query => "api-key",
        "X-Goog-Signature" | "X-Amz-Signature" | "X-Amz-Security-Token" | "Signature" | "sig"
            if place == Place::Query =>
        {
            "signature"
        }
        "secret" if place != Place::Json => "credentials",
        _ if is_secret_name(name) => "credentials",
        _ => return None,
    })
}

/// Tells whether a name is one that functions of all kinds give to the caller's proof of identity. Not
/// `secret` itself: in Google's JSON it is the name of one.
fn is_secret_name(name: &str) -> bool {
    let name: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    ["password", "passwd", "passphrase", "apikey", "secretkey", "accesskey", "authtoken", "sessiontoken"]
        .into_iter()
        .any(|end| name.ends_with(end))
}

/// Tells whether a header holds a secret, by its name; more names say so than of a field: `x-vault-token`,
/// `x-hub-secret`.
pub(super) fn is_secret_header(name: &str) -> bool {
    is_secret_name(name) || name.ends_with("-token") || name.ends_with("-secret")
}

/// Tells whether a field has the name and the form of that header: a scheme, and what it asks for.
///
/// <https://www.rfc-editor.org/rfc/rfc9110#section-11.4>
pub(super) fn is_authorization(name: &str, value: &str) -> bool {
    const SCHEMES: [&str; 7] = ["basic", "bearer", "token", "apikey", "digest", "negotiate", "bot"];
    let is_named = name.to_ascii_lowercase().ends_with("authorization");
    is_named
        && value.split_once(' ').is_some_and(|(scheme, token)| {
            SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)) && token.trim().len() >= 8
        })
}
