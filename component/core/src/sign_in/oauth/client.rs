//! Google's `client_secret.json`, read as the hostile input that it is.
//!
//! Every URL in it is compared with the ones that Google hands out, and none is ever used.
//! <https://developers.google.com/identity/protocols/oauth2/native-app#creatingcred>

use crate::{
    base::{
        error::{Cause, Error, Kind, Origin, Result},
        json::{self, Object, Unreadable},
        secret::Secret,
    },
    google::{hosts::TOKEN_URLS, names::ProjectId},
    sign_in::credential::{strangers, wrappings},
};

/// The largest client JSON, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// The longest client id or client secret, in bytes. Google's have about 72 and 35.
const MAX_TEXT: usize = 256;

/// The authorization endpoints that Google has handed out.
const AUTH_URLS: [&str; 2] =
    ["https://accounts.google.com/o/oauth2/auth", "https://accounts.google.com/o/oauth2/v2/auth"];

/// The address of Google's certificates.
const CERT_URLS: [&str; 2] =
    ["https://www.googleapis.com/oauth2/v1/certs", "https://www.googleapis.com/oauth2/v3/certs"];

const FIX: &str = "use the JSON as Google hands it out when an OAuth client is made (Google Auth Platform, Clients), unchanged";

/// The kind that an OAuth client was registered as, which decides the redirect URIs that Google accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientKind {
    /// A desktop app: any port of a loopback address.
    Installed,
    /// A web application: the redirect URIs that it lists.
    Web,
}

/// An OAuth client, checked.
#[derive(Debug, Clone)]
pub struct OAuthClient {
    /// The client id, which is public.
    pub id: String,
    /// The client secret. An installed client may have none, and keeps none secret if it has one
    /// (RFC 8252, section 8.5); ours is treated as a secret all the same.
    pub secret: Option<Secret<String>>,
    /// The redirect URIs that the client lists. Compared, never followed.
    pub redirect_uris: Vec<String>,
    /// The kind it was registered as.
    pub kind: ClientKind,
    /// The project that it belongs to.
    pub project: Option<ProjectId>,
}

impl OAuthClient {
    /// Parses Google's `client_secret.json`, of an installed or a web client.
    ///
    /// # Errors
    /// `invalid-credential`, whose `details.field` names what is wrong and whose text never repeats
    /// the input.
    pub fn parse(json: &Secret<String>) -> Result<Self> {
        let text = json.reveal();
        if text.len() > MAX_BYTES {
            return Err(invalid("json", "is larger than 64 KiB"));
        }
        let text = wrappings::unwrapped(text);
        let file = json::read(text.as_bytes()).map_err(|error| unreadable(&error))?;
        let part = |name| file.object(name).map_err(|error| unreadable(&error));
        match (part("installed")?, part("web")?) {
            (Some(raw), None) => Self::checked(raw, ClientKind::Installed),
            (None, Some(raw)) => Self::checked(raw, ClientKind::Web),
            (Some(_), Some(_)) => Err(invalid("json", "is both an installed and a web client")),
            (None, None) => Err(not_a_client(&file)),
        }
    }

    fn checked(raw: &Object<'_>, kind: ClientKind) -> Result<Self> {
        let text = |name| raw.string(name).map_err(|error| unreadable(&error));
        for (field, known) in [
            ("auth_uri", AUTH_URLS.as_slice()),
            ("token_uri", &TOKEN_URLS),
            ("auth_provider_x509_cert_url", &CERT_URLS),
        ] {
            if text(field)?.is_some_and(|url| !known.contains(&url.as_str())) {
                return Err(invalid_field(field, "is not the one that Google hands out"));
            }
        }
        let id = text("client_id")?.ok_or_else(|| invalid_field("client_id", "is missing"))?;
        if !is_plain(&id) {
            return Err(invalid_field("client_id", "is not the id of a client"));
        }
        let secret = text("client_secret")?;
        if secret.as_deref().is_some_and(|secret| !is_plain(secret)) {
            return Err(invalid_field("client_secret", "is not the secret of a client"));
        }
        if kind == ClientKind::Web && secret.is_none() {
            return Err(invalid_field("client_secret", "is missing, and a web client has one"));
        }
        Ok(Self {
            id,
            secret: secret.map(Secret::new),
            redirect_uris: raw.texts("redirect_uris").map_err(|error| unreadable(&error))?,
            kind,
            project: text("project_id")?.and_then(|id| ProjectId::parse(&id).ok()),
        })
    }
}

/// Printable ASCII without white space: it goes into a form.
fn is_plain(text: &str) -> bool {
    (1..=MAX_TEXT).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// Other JSON of Google is easily taken for a client: each says where it belongs.
fn not_a_client(file: &Object<'_>) -> Error {
    let what = match file.text("type").ok().flatten() {
        Some("service_account") => "the key of a service account",
        Some("authorized_user") => "a user's credential, signed in already",
        Some("impersonated_service_account" | "external_account" | "external_account_authorized_user") => {
            "a credential of its own kind"
        }
        Some(_) | None => {
            if let Some(what) = strangers::in_place_of_client(file) {
                return refused("json", format!("this is not an OAuth client but {what}")).fix(FIX);
            }
            return refused("json", "the OAuth client cannot be used: it has neither `installed` nor `web`")
                .fix(FIX);
        }
    };
    refused("type", format!("this is not an OAuth client but {what}"))
        .cause(Cause::NotAClient)
        .fix("connect with it as a Google credential, without an OAuth client")
}

fn unreadable(error: &Unreadable) -> Error {
    refused("json", format!("the OAuth client {error}")).fix(FIX)
}

fn invalid(field: &str, what: &str) -> Error {
    refused(field, format!("the OAuth client cannot be used: it {what}")).fix(FIX)
}

fn invalid_field(field: &str, what: &str) -> Error {
    refused(field, format!("the OAuth client cannot be used: its field `{field}` {what}")).fix(FIX)
}

fn refused(field: &str, message: impl Into<String>) -> Error {
    Error::new(Kind::InvalidCredential, Origin::Connection, message).detail("field", field)
}
