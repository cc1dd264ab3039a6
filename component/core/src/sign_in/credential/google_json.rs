//! Google's credential JSON, read as the hostile input that it is.
//!
//! Every URL in it is compared with the ones that Google documents, and none is ever used: Google's own
//! libraries follow `token_uri`, and warn not to load what one has not checked.
//! <https://docs.cloud.google.com/docs/authentication/external/externally-sourced-credentials>

use super::{Credential, external_account::ExternalAccount, impersonated};
use crate::{
    base::{
        error::{Error, FRESH_CREDENTIAL, Kind, Origin, Result},
        json::{self, Object, Unreadable},
        secret::Secret,
    },
    google::{hosts::TOKEN_URL, names::ProjectId},
    sign_in::identity::{Given, Identity},
};

/// The largest credential, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// Parses a credential JSON of any kind.
pub(super) fn parse(json: &Secret<String>, subject_token: Option<&str>) -> Result<Given> {
    let text = json.reveal();
    if text.len() > MAX_BYTES {
        return Err(Error::credential("json", "is larger than 64 KiB"));
    }
    let raw = json::read(text.as_bytes()).map_err(|error| unreadable(&error))?;
    pinned(&raw)?;
    let kind = raw.text("type").map_err(|error| unreadable(&error))?;
    let identity = match kind {
        Some("impersonated_service_account") => impersonated::of_json(&raw)?,
        Some("external_account") => {
            let credential = ExternalAccount::of_json(&raw, subject_token)?;
            let impersonates = ExternalAccount::target(&raw)?;
            Identity { credential: Credential::ExternalAccount(credential), impersonates }
        }
        kind => Credential::of_json(&raw, kind)?.into(),
    };
    if subject_token.is_some() && kind != Some("external_account") {
        return Err(Error::credential("type", "is not external_account, but a subject token was named"));
    }
    let source = raw.object("source_credentials").map_err(|error| unreadable(&error))?;
    let named = |field| {
        let raws = [Some(&raw), source].into_iter().flatten();
        raws.filter_map(|raw| text_of(raw, field)).find_map(|id| ProjectId::parse(id).ok())
    };
    let project = named("project_id")
        .or_else(|| named("quota_project_id"))
        .or_else(|| identity.impersonates.as_ref()?.project());
    Ok(Given { identity, project })
}

fn text_of<'a>(raw: &'a Object<'_>, field: &'static str) -> Option<&'a str> {
    raw.text(field).ok().flatten()
}

/// Checks the endpoints that every kind may name and none may change.
pub(super) fn pinned(raw: &Object<'_>) -> Result<()> {
    if text(raw, "token_uri")?.is_some_and(|uri| uri != TOKEN_URL) {
        return Err(Error::credential("token_uri", "is not Google's token endpoint"));
    }
    if text(raw, "universe_domain")?.is_some_and(|domain| domain != "googleapis.com") {
        return Err(Error::credential("universe_domain", "is not googleapis.com"));
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
