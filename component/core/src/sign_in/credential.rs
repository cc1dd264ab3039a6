//! Google credential JSON, read as the hostile input that it is.
//!
//! Every URL in it is compared with the one that Google documents, and none is ever used: Google's own
//! libraries follow `token_uri`, and warn not to load what one has not checked.
//! <https://docs.cloud.google.com/docs/authentication/external/externally-sourced-credentials>

use crate::{
    base::{
        error::{Error, Kind, Origin, Result},
        json::{self, Object, Unreadable, Value},
        secret::Secret,
    },
    google::{
        hosts::{STS_URL, TOKEN_URL},
        jwt::{KeyId, PrivateKey},
        names::{AccountEmail, ProjectId},
    },
    sign_in::identity::Chain,
    store::{
        credential::{StoredCredential, kind},
        names::host_key,
    },
};

/// The largest credential, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// A credential, checked, in the shape in which it is kept.
#[derive(Debug)]
pub struct Parsed {
    /// Everything but the private key.
    pub stored: StoredCredential,
    /// The key of a service account, parsed once to prove that it signs.
    pub key: Option<PrivateKey>,
    /// The project that the credential names.
    pub project: Option<ProjectId>,
}

/// The places where Google's own libraries would look for a subject token. None is ever used.
const SOURCES: [(&str, &str); 5] = [
    ("executable", "names a program to run"),
    ("url", "names a URL to fetch a token from"),
    ("environment_id", "names a URL to fetch a token from"),
    ("file", "names a file to read"),
    ("certificate", "names a file to read"),
];

/// Parses a credential JSON of any kind. `subject_token` is where the host keeps the token that an
/// `external_account` exchanges.
///
/// # Errors
/// `invalid-credential`, whose `details.field` names what is wrong and whose text never repeats the
/// input; `unsupported-credential` for a kind that Google hands out and this version cannot use.
pub fn parse(json: &Secret<String>, subject_token: Option<&str>) -> Result<Parsed> {
    let text = json.reveal();
    if text.len() > MAX_BYTES {
        return Err(Error::credential("json", "is larger than 64 KiB"));
    }
    let raw = json::read(text.as_bytes()).map_err(|error| unreadable(&error))?;
    let parsed = match raw.text("type").map_err(|error| unreadable(&error))? {
        Some("impersonated_service_account") => impersonated(&raw)?,
        Some("external_account") => external_account(&raw, subject_token)?,
        kind => direct(&raw, kind)?,
    };
    if subject_token.is_some() && parsed.stored.kind != kind::EXTERNAL_ACCOUNT {
        return Err(Error::credential("type", "is not external_account, but a subject token was named"));
    }
    Ok(parsed)
}

/// The kinds that can also be behind an impersonation.
fn direct(raw: &Object<'_>, kind: Option<&str>) -> Result<Parsed> {
    match kind {
        Some("service_account") => service_account(raw),
        Some("authorized_user") => authorized_user(raw),
        Some(kind @ ("external_account" | "external_account_authorized_user" | "gdch_service_account")) => {
            Err(Error::new(
                Kind::UnsupportedCredential,
                Origin::Connection,
                format!("credentials of type {kind} cannot be used here"),
            )
            .detail("type", kind)
            .fix("use the JSON key of a service account, or sign in as a user"))
        }
        _ => Err(Error::credential("type", "is not a kind of credential that Google hands out")),
    }
}

fn service_account(raw: &Object<'_>) -> Result<Parsed> {
    pinned(raw)?;
    let email = required(raw, "client_email")?;
    let pem = Secret::new(required(raw, "private_key")?);
    let key_id = text(raw, "private_key_id")?.map(|id| KeyId::parse(&id)).transpose()?;
    Ok(Parsed {
        stored: StoredCredential {
            kind: kind::SERVICE_ACCOUNT.to_owned(),
            account: AccountEmail::parse(&email)?.as_str().to_owned(),
            private_key_id: key_id.map(|id| id.as_str().to_owned()),
            ..StoredCredential::default()
        },
        key: Some(PrivateKey::parse(pem)?),
        project: project(text(raw, "project_id")?.as_deref()),
    })
}

fn authorized_user(raw: &Object<'_>) -> Result<Parsed> {
    pinned(raw)?;
    // What `gcloud auth application-default login` writes; the account is there only sometimes.
    let account =
        text(raw, "account")?.filter(|account| AccountEmail::parse(account).is_ok()).unwrap_or_default();
    Ok(Parsed {
        stored: StoredCredential {
            kind: kind::AUTHORIZED_USER.to_owned(),
            account,
            client_id: plain(raw, "client_id")?,
            client_secret: plain(raw, "client_secret")?,
            refresh_token: plain(raw, "refresh_token")?,
            ..StoredCredential::default()
        },
        key: None,
        project: project(text(raw, "quota_project_id")?.as_deref()),
    })
}

fn impersonated(raw: &Object<'_>) -> Result<Parsed> {
    pinned(raw)?;
    let account = impersonation_target(&required(raw, "service_account_impersonation_url")?)?;
    let source = raw
        .object("source_credentials")
        .map_err(|error| unreadable(&error))?
        .ok_or_else(|| Error::credential("source_credentials", "is missing"))?;
    let mut parsed = direct(source, text(source, "type")?.as_deref())?;
    let delegates: Vec<String> = raw
        .texts("delegates")
        .map_err(|error| unreadable(&error))?
        .iter()
        // gcloud writes either form.
        .map(|delegate| delegate.strip_prefix("projects/-/serviceAccounts/").unwrap_or(delegate).to_owned())
        .collect();
    Chain::parse(&account, &delegates)
        .map_err(|_| Error::credential("delegates", "holds something that is no service account"))?;
    parsed.project = parsed.project.or_else(|| home_project(&account));
    parsed.stored.impersonates = Some(account);
    parsed.stored.delegates = delegates;
    Ok(parsed)
}

fn external_account(raw: &Object<'_>, subject_token: Option<&str>) -> Result<Parsed> {
    pinned(raw)?;
    refuse_source(raw)?;
    if text(raw, "token_url")?.as_deref() != Some(STS_URL) {
        return Err(Error::credential("token_url", "is not Google's Security Token Service"));
    }
    let audience = plain(raw, "audience")?;
    let pool = audience.strip_prefix("//iam.googleapis.com/projects/").is_some_and(|rest| {
        rest.contains("/locations/global/workloadIdentityPools/") && rest.contains("/providers/")
    });
    if !pool {
        return Err(Error::credential("audience", "is not a workload identity provider"));
    }
    let subject_token_type = plain(raw, "subject_token_type")?;
    let short = subject_token_type.strip_prefix("urn:ietf:params:oauth:token-type:").unwrap_or_default();
    if !matches!(short, "jwt" | "id_token" | "saml2") {
        return Err(Error::credential(
            "subject_token_type",
            "is not jwt, id_token or saml2, which alone can be passed on as they are",
        ));
    }
    let impersonates = text(raw, "service_account_impersonation_url")?;
    let impersonates = impersonates.as_deref().map(impersonation_target).transpose()?;
    let project = impersonates.as_deref().and_then(home_project);
    Ok(Parsed {
        stored: StoredCredential {
            kind: kind::EXTERNAL_ACCOUNT.to_owned(),
            // No address: what the provider calls the caller is in the subject token.
            account: audience.rsplit("/workloadIdentityPools/").next().unwrap_or_default().to_owned(),
            key: host_key("subject_token", "supplied/", subject_token.unwrap_or("supplied/subject-token"))?,
            audience,
            subject_token_type,
            impersonates,
            ..StoredCredential::default()
        },
        key: None,
        project,
    })
}

/// A subject token is taken from the host's store and from nowhere else: each of these would have the
/// component, or a library in its place, do what the file says.
fn refuse_source(raw: &Object<'_>) -> Result<()> {
    let Some(source) = raw.object("credential_source").map_err(|error| unreadable(&error))? else {
        return Ok(());
    };
    let named = |name: &str| !matches!(source.get(name), None | Some(Value::Null));
    let Some((_, what)) = SOURCES.iter().find(|(name, _)| named(name)) else { return Ok(()) };
    Err(Error::credential("credential_source", &format!("{what}, which a sandboxed component does not do")).fix(
        "remove credential_source from the JSON, and have the host keep the subject token in its secret store under supplied/",
    ))
}

/// Checks the endpoints that every kind may name and none may change.
fn pinned(raw: &Object<'_>) -> Result<()> {
    if text(raw, "token_uri")?.is_some_and(|uri| uri != TOKEN_URL) {
        return Err(Error::credential("token_uri", "is not Google's token endpoint"));
    }
    if text(raw, "universe_domain")?.is_some_and(|domain| domain != "googleapis.com") {
        return Err(Error::credential("universe_domain", "is not googleapis.com"));
    }
    Ok(())
}

/// The service account in an impersonation URL, everything else of which is fixed.
fn impersonation_target(url: &str) -> Result<String> {
    url.strip_prefix("https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/")
        .and_then(|rest| rest.strip_suffix(":generateAccessToken"))
        .filter(|account| AccountEmail::parse(account).is_ok())
        .map(str::to_owned)
        .ok_or_else(|| {
            Error::credential(
                "service_account_impersonation_url",
                "is not IAM Credentials' generateAccessToken of a service account",
            )
        })
}

/// The project in `name@project.iam.gserviceaccount.com`.
fn home_project(account: &str) -> Option<ProjectId> {
    let domain = account.split_once('@')?.1;
    project(domain.strip_suffix(".iam.gserviceaccount.com"))
}

fn project(text: Option<&str>) -> Option<ProjectId> {
    text.and_then(|text| ProjectId::parse(text).ok())
}

/// A value that ends in a form, where it is encoded: visible, and not endless.
fn plain(raw: &Object<'_>, field: &'static str) -> Result<String> {
    let value = required(raw, field)?;
    if value.len() <= 2048 && value.bytes().all(|b| b.is_ascii_graphic()) {
        Ok(value)
    } else {
        Err(Error::credential(field, "holds something else than visible ASCII"))
    }
}

/// Text that may be left out.
fn text(raw: &Object<'_>, field: &'static str) -> Result<Option<String>> {
    raw.string(field).map_err(|_| Error::credential(field, "is not text"))
}

/// Text that may neither be left out nor empty.
fn required(raw: &Object<'_>, field: &'static str) -> Result<String> {
    text(raw, field)?.filter(|text| !text.is_empty()).ok_or_else(|| Error::credential(field, "is missing"))
}

fn unreadable(error: &Unreadable) -> Error {
    Error::new(Kind::InvalidCredential, Origin::Connection, format!("the credential {error}"))
        .detail("field", "json")
        .fix(crate::base::error::FRESH_CREDENTIAL)
}

#[cfg(test)]
mod tests;
