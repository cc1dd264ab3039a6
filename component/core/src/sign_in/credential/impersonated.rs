//! A service account that another credential leads to, by way of others if need be.

use super::{
    Credential,
    google_json::{pinned, required, text, unreadable},
};
use crate::{
    base::{
        error::{Error, Result},
        json::{Object, Read, Unreadable, Value},
    },
    google::names::{AccountEmail, ProjectId},
    sign_in::identity::Identity,
};

/// The longest way to a service account, in accounts between.
const MAX_DELEGATES: usize = 4;

/// A service account, and the accounts on the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The service account.
    pub account: AccountEmail,
    /// Each may act for the next one, the last one for `account`.
    pub delegates: Vec<AccountEmail>,
}

impl Chain {
    /// Parses addresses.
    ///
    /// # Errors
    /// `invalid-input` of field `invoker`.
    pub fn parse(account: &str, delegates: &[String]) -> Result<Self> {
        let address = |text: &str| {
            AccountEmail::parse(text).map_err(|_| {
                Error::input("invoker", "the invoker is not a service account's address")
                    .fix("give it as name@project.iam.gserviceaccount.com")
            })
        };
        if delegates.len() > MAX_DELEGATES {
            return Err(Error::input("invoker", "there are more than 4 delegates"));
        }
        Ok(Self {
            account: address(account)?,
            delegates: delegates.iter().map(|text| address(text)).collect::<Result<_>>()?,
        })
    }

    /// From the store; none if the credential signs in as itself.
    pub(in crate::sign_in) fn read(fields: &Object<'_>) -> Read<Option<Self>> {
        let Some(account) = fields.text("impersonates")? else { return Ok(None) };
        let delegates = fields.texts("delegates")?;
        Self::parse(account, &delegates).map(Some).map_err(|_| Unreadable::Field("impersonates"))
    }

    /// Its fields, as they are kept beside those of the credential.
    pub(in crate::sign_in) fn write<'a>(&'a self, fields: Object<'a>) -> Object<'a> {
        let delegates: Vec<_> = self.delegates.iter().map(|account| account.as_str().into()).collect();
        let delegates = (!delegates.is_empty()).then_some(Value::List(delegates));
        fields.with("impersonates", self.account.as_str()).with_some("delegates", delegates)
    }

    /// The project of the service account's own address.
    pub(super) fn project(&self) -> Option<ProjectId> {
        let domain = self.account.as_str().split_once('@')?.1;
        ProjectId::parse(domain.strip_suffix(".iam.gserviceaccount.com")?).ok()
    }
}

/// From Google's JSON, which holds that of the source.
pub(super) fn of_json(raw: &Object<'_>) -> Result<Identity> {
    let account = target(&required(raw, "service_account_impersonation_url")?)?;
    let source = raw
        .object("source_credentials")
        .map_err(|error| unreadable(&error))?
        .ok_or_else(|| Error::credential("source_credentials", "is missing"))?;
    pinned(source)?;
    let credential = Credential::of_json(source, text(source, "type")?.as_deref())?;
    let delegates: Vec<String> = raw
        .texts("delegates")
        .map_err(|error| unreadable(&error))?
        .iter()
        // gcloud writes either form.
        .map(|delegate| delegate.strip_prefix("projects/-/serviceAccounts/").unwrap_or(delegate).to_owned())
        .collect();
    let chain = Chain::parse(account.as_str(), &delegates)
        .map_err(|_| Error::credential("delegates", "holds something that is no service account"))?;
    Ok(Identity { credential, impersonates: Some(chain) })
}

/// The service account in an impersonation URL, everything else of which is fixed.
pub(super) fn target(url: &str) -> Result<AccountEmail> {
    url.strip_prefix("https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/")
        .and_then(|rest| rest.strip_suffix(":generateAccessToken"))
        .and_then(|account| AccountEmail::parse(account).ok())
        .ok_or_else(|| {
            Error::credential(
                "service_account_impersonation_url",
                "is not IAM Credentials' generateAccessToken of a service account",
            )
        })
}
