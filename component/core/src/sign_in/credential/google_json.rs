//! Google's credential JSON, read as the hostile input that it is.
//!
//! Every URL in it is compared with the ones that Google documents, and none is ever used: Google's own
//! libraries follow `token_uri`, and warn not to load what one has not checked.
//! <https://docs.cloud.google.com/docs/authentication/external/externally-sourced-credentials>

use super::{Credential, external_account::ExternalAccount, impersonated, strangers, wrappings};
use crate::{
    base::{
        error::{Error, FRESH_CREDENTIAL, Kind, Origin, Result},
        json::{self, Object, Unreadable},
        secret::Secret,
    },
    google::{hosts::TOKEN_URLS, names::ProjectId},
    sign_in::identity::{Given, Identity},
};

/// The largest credential, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// The universe of Google Cloud, if a credential names any.
const UNIVERSE: &str = "googleapis.com";

/// Parses a credential JSON of any kind.
pub(super) fn parse(json: &Secret<String>, subject_token: Option<&str>) -> Result<Given> {
    let text = json.reveal();
    if text.len() > MAX_BYTES {
        return Err(Error::credential("json", "is larger than 64 KiB"));
    }
    let text = wrappings::unwrapped(text);
    let raw = json::read(text.as_bytes())
        .map_err(|error| strangers::text(&text).unwrap_or_else(|| unreadable(&error)))?;
    let kind = kind(&raw)?;
    pinned(&raw)?;
    let identity = match kind {
        Some("impersonated_service_account") => impersonated::of_json(&raw)?,
        Some("external_account") => {
            let credential = ExternalAccount::of_json(&raw, subject_token)?;
            let impersonates = ExternalAccount::target(&raw)?;
            Identity { credential: Credential::ExternalAccount(credential), impersonates }
        }
        kind => Credential::of_json(&raw, kind)
            .map_err(|error| strangers::json(&raw).filter(|_| kind.is_none()).unwrap_or(error))?
            .into(),
    };
    if subject_token.is_some() && kind != Some("external_account") {
        return Err(Error::credential("type", "is not external_account, but a subject token was named"));
    }
    let source = raw.object("source_credentials").map_err(|error| unreadable(&error))?;
    let named = |field| {
        let raws = [Some(&raw), source].into_iter().flatten();
        raws.filter_map(|raw| text_of(raw, field)).find_map(|id| ProjectId::parse(id).ok())
    };
    let quota_project = named("quota_project_id");
    let project = named("project_id")
        .or_else(|| quota_project.clone())
        .or_else(|| identity.impersonates.as_ref()?.project());
    Ok(Given { identity, project, quota_project })
}

/// The kind that the file says. Some of Google's own tools leave it out, and then the fields tell.
fn kind<'a>(raw: &'a Object<'_>) -> Result<Option<&'a str>> {
    let kind = raw.text("type").map_err(|error| unreadable(&error))?;
    let has = |names: &[&'static str]| names.iter().all(|name| text_of(raw, name).is_some());
    Ok(match kind {
        None if has(&["client_email", "private_key"]) => Some("service_account"),
        // As google-auth for Python and oauth2client write it.
        None if has(&["client_id", "client_secret", "refresh_token"]) => Some("authorized_user"),
        kind => kind,
    })
}

fn text_of<'a>(raw: &'a Object<'_>, field: &'static str) -> Option<&'a str> {
    raw.text(field).ok().flatten()
}

/// Checks the endpoints that every kind may name and none may change.
pub(super) fn pinned(raw: &Object<'_>) -> Result<()> {
    // Google's libraries write it empty where there is none: that is Google Cloud itself.
    let universe = text(raw, "universe_domain")?.filter(|domain| !domain.is_empty());
    if universe.is_some_and(|domain| domain != UNIVERSE) {
        return Err(Error::new(
            Kind::UnsupportedCredential,
            Origin::Connection,
            "the credential is of another universe: its `universe_domain` is not that of Google Cloud, googleapis.com",
        )
        .detail("field", "universe_domain")
        .fix("use a credential of Google Cloud itself; sovereign clouds and other universes have hosts of their own, which are not called from here"));
    }
    if text(raw, "token_uri")?.is_some_and(|uri| !TOKEN_URLS.contains(&uri.as_str())) {
        return Err(Error::credential("token_uri", "is not Google's token endpoint"));
    }
    Ok(())
}

/// A value that ends in a form, where it is encoded: visible, and not endless.
pub(super) fn plain(raw: &Object<'_>, field: &'static str) -> Result<String> {
    let value = required(raw, field)?;
    if value.len() <= 2048 && value.bytes().all(|b| b.is_ascii_graphic()) {
        Ok(value)
    } else {
        Err(Error::credential(field, "holds something else than visible ASCII"))
    }
}

/// Text that may be left out.
pub(super) fn text(raw: &Object<'_>, field: &'static str) -> Result<Option<String>> {
    raw.string(field).map_err(|_| Error::credential(field, "is not text"))
}

/// Text that may neither be left out nor empty.
pub(super) fn required(raw: &Object<'_>, field: &'static str) -> Result<String> {
    text(raw, field)?.filter(|text| !text.is_empty()).ok_or_else(|| Error::credential(field, "is missing"))
}

pub(super) fn unreadable(error: &Unreadable) -> Error {
    Error::new(Kind::InvalidCredential, Origin::Connection, format!("the credential {error}"))
        .detail("field", "json")
        .fix(FRESH_CREDENTIAL)
}
