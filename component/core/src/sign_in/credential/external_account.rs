//! An external account: another provider's token, exchanged at Google's Security Token Service (RFC 8693).

use super::{
    Described, Means, Scopes, fingerprint,
    google_json::{plain, text, unreadable},
    impersonated::{self, Chain},
    supplied_token,
};
use crate::{
    base::{
        error::{Error, Result},
        json::{Object, Read, Value},
        ports::Ports,
        retry::Class,
    },
    call::Call,
    google::{hosts::STS_URLS, refusal::token_endpoint::Grant, request},
    sign_in::grant::{self, Granted, SCOPES},
    store::{connection::CredentialKind, names::host_key},
};

/// The name of the kind, as it is kept.
pub(super) const TYPE: &str = "external-account";

/// The name under which the host keeps the subject token, if nothing else is said.
const SUBJECT_TOKEN: &str = "supplied/subject-token";

/// The places where Google's own libraries would look for a subject token. None is ever used.
const SOURCES: [(&str, &str); 5] = [
    ("executable", "names a program to run"),
    ("url", "names a URL to fetch a token from"),
    ("environment_id", "names a URL to fetch a token from"),
    ("file", "names a file to read"),
    ("certificate", "names a file to read"),
];

/// A workload identity provider, and where the host keeps what it wants to see.
#[derive(Debug)]
pub struct ExternalAccount {
    /// The provider's resource name.
    pub audience: String,
    /// The type of the subject token.
    pub subject_token_type: String,
    /// The entry under which the host keeps the subject token.
    pub subject_token: String,
}

impl ExternalAccount {
    /// From Google's JSON.
    pub(super) fn of_json(raw: &Object<'_>, subject_token: Option<&str>) -> Result<Self> {
        refuse_source(raw)?;
        if !text(raw, "token_url")?.is_some_and(|url| STS_URLS.contains(&url.as_str())) {
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
        Ok(Self {
            audience,
            subject_token_type,
            subject_token: host_key("subject_token", "supplied/", subject_token.unwrap_or(SUBJECT_TOKEN))?,
        })
    }

    /// The service account that Google's JSON says it leads to, if any.
    pub(super) fn target(raw: &Object<'_>) -> Result<Option<Chain>> {
        let url = text(raw, "service_account_impersonation_url")?;
        let account = url.as_deref().map(impersonated::target).transpose()?;
        Ok(account.map(|account| Chain { account, delegates: Vec::new() }))
    }

    /// From the store.
    pub(super) fn read(fields: &Object<'_>) -> Read<Self> {
        Ok(Self {
            audience: fields.required("audience")?,
            subject_token_type: fields.required("subject_token_type")?,
            subject_token: fields.required("key")?,
        })
    }

    /// A new access token for the subject token that the host keeps now.
    pub(super) async fn ask<P: Ports>(&self, call: &Call<'_, P>) -> Result<Granted> {
        let subject = supplied_token::subject(call.ports(), &self.subject_token)?;
        let scopes = SCOPES.join(" ");
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("audience", self.audience.as_str()),
            ("scope", scopes.as_str()),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("subject_token", subject.reveal().as_str()),
            ("subject_token_type", self.subject_token_type.as_str()),
        ];
        let mut request = request::to_token_service(&form);
        grant::ask(call, &mut request, Class::TokenEndpoint, Grant::Exchange, self.account()).await
    }
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

impl Described for ExternalAccount {
    fn kind(&self) -> CredentialKind {
        CredentialKind::ExternalAccount
    }

    fn account(&self) -> &str {
        // No address: what the provider calls the caller is in the subject token.
        self.audience.rsplit("/workloadIdentityPools/").next().unwrap_or_default()
    }

    fn fingerprint(&self) -> String {
        fingerprint(TYPE, self.account(), "", "", &self.audience)
    }

    fn fields(&self) -> Object<'_> {
        Object::default()
            .with("type", TYPE)
            .with("account", self.account())
            .with("key", self.subject_token.as_str())
            .with("audience", self.audience.as_str())
            .with("subject_token_type", self.subject_token_type.as_str())
    }

    fn means(&self) -> Means<'_> {
        Means::Asked
    }

    fn grant(&self) -> Grant {
        Grant::Exchange
    }

    fn scopes(&self) -> Scopes {
        Scopes::AsAsked
    }
}
