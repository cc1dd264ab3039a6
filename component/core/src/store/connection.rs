//! A connection as it is kept.

use super::Kept;
use crate::{
    base::json::{Object, Read, Unreadable},
    rails::GuardRails,
};

/// A connection as it is kept: it holds no secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredConnection {
    /// The version of this shape.
    pub format: u64,
    /// The name for people.
    pub nickname: String,
    /// The project.
    pub project: String,
    /// The project that requests count against, where the caller can say so.
    pub quota_project: Option<String>,
    /// The default region.
    pub region: String,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub created: u64,
    /// The account whose ID token functions receive, by [`invoker`]'s names; the credential's own if it is empty.
    pub invoker: String,
    /// Of the invoker, if it is a service account other than the project's own.
    pub invoker_account: Option<String>,
    /// Of the invoker, if it is a service account.
    pub invoker_delegates: Vec<String>,
    /// Of the invoker, if it is a service account: the token does not say its address.
    pub without_email: bool,
    /// Its guard rails; none allows everything.
    pub guard_rails: Option<GuardRails>,
    /// The account that signs in; none in a store of an earlier version, which kept it with the credential only.
    pub signs_in: Option<SignsIn>,
    /// The end of the sign-in, in the seconds of `created`, if Google has set one.
    pub ends: Option<u64>,
}

/// The account that signs in, and how: the part of a credential that is not secret. It is kept apart, so
/// that a list of connections reads no credential.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignsIn {
    /// The kind of credential.
    pub kind: CredentialKind,
    /// The account that signs in, for people: an address where there is one.
    pub account: String,
    /// The service account that this only leads to.
    pub impersonates: Option<String>,
    /// The scopes that were granted, separated by spaces, if Google said.
    pub scopes: Option<String>,
}

/// The kind of credential that a connection signs in with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub enum CredentialKind {
    ServiceAccount,
    StoredKey,
    AuthorizedUser,
    ImpersonatedServiceAccount,
    ExternalAccount,
    SuppliedToken,
    InjectedToken,
    /// One that a newer version keeps, or that is not known until a call names the connection.
    #[default]
    Other,
}

/// The kinds, by their names in the contract.
const KINDS: [(&str, CredentialKind); 7] = [
    ("service-account", CredentialKind::ServiceAccount),
    ("stored-key", CredentialKind::StoredKey),
    ("authorized-user", CredentialKind::AuthorizedUser),
    ("impersonated-service-account", CredentialKind::ImpersonatedServiceAccount),
    ("external-account", CredentialKind::ExternalAccount),
    ("supplied-token", CredentialKind::SuppliedToken),
    ("injected-token", CredentialKind::InjectedToken),
];

impl CredentialKind {
    fn of_name(name: &str) -> Self {
        KINDS.iter().find(|(known, _)| *known == name).map_or(Self::Other, |(_, kind)| *kind)
    }

    fn name(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("other", |(name, _)| name)
    }
}

/// The kinds of invoker, as they are kept.
pub mod invoker {
    /// The credential's own.
    pub const OWN: &str = "own";
    /// A service account's.
    pub const SERVICE_ACCOUNT: &str = "service-account";
    /// The user's.
    pub const USER: &str = "user";
}

impl Kept for StoredConnection {
    fn read(fields: &Object<'_>) -> Read<Self> {
        Ok(Self {
            format: fields.number("format")?.ok_or(Unreadable::Field("format"))?,
            nickname: fields.required("nickname")?,
            project: fields.required("project")?,
            quota_project: fields.string("quota_project")?,
            region: fields.required("region")?,
            created: fields.number("created")?.unwrap_or_default(),
            invoker: fields.string("invoker")?.unwrap_or_default(),
            invoker_account: fields.string("invoker_account")?,
            invoker_delegates: fields.texts("invoker_delegates")?,
            without_email: fields.flag("without_email")?,
            guard_rails: fields.object("guard_rails")?.map(GuardRails::read).transpose()?,
            signs_in: fields.object("signs_in")?.map(SignsIn::read).transpose()?,
            ends: fields.number("ends")?,
        })
    }

    fn fields(&self) -> Object<'_> {
        Object::default()
            .with("format", self.format)
            .with("nickname", self.nickname.as_str())
            .with("project", self.project.as_str())
            .with_some("quota_project", self.quota_project.as_deref())
            .with("region", self.region.as_str())
            .with("created", self.created)
            .with_text("invoker", &self.invoker)
            .with_some("invoker_account", self.invoker_account.as_deref())
            .with_texts("invoker_delegates", &self.invoker_delegates)
            .with_some("without_email", self.without_email.then_some(true))
            .with_some("guard_rails", self.guard_rails.as_ref().map(GuardRails::fields))
            .with_some("signs_in", self.signs_in.as_ref().map(SignsIn::fields))
            .with_some("ends", self.ends)
    }
}

impl Kept for SignsIn {
    fn read(fields: &Object<'_>) -> Read<Self> {
        let kind = CredentialKind::of_name(&fields.required("type")?);
        let impersonates = fields.string("impersonates")?;
        Ok(Self {
            // An earlier version kept the source's kind, and beside it what makes another one of it.
            kind: if kind == CredentialKind::ExternalAccount {
                kind
            } else if impersonates.is_some() {
                CredentialKind::ImpersonatedServiceAccount
            } else if fields.flag("host_only")? {
                CredentialKind::StoredKey
            } else {
                kind
            },
            account: fields.required("account")?,
            impersonates,
            scopes: fields.string("scopes")?,
        })
    }

    fn fields(&self) -> Object<'_> {
        Object::default()
            .with("type", self.kind.name())
            .with("account", self.account.as_str())
            .with_some("impersonates", self.impersonates.as_deref())
            .with_some("scopes", self.scopes.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use test_case::test_case;

    use super::*;
    use crate::base::json;

    const ALL: [CredentialKind; 8] = [
        CredentialKind::ServiceAccount,
        CredentialKind::StoredKey,
        CredentialKind::AuthorizedUser,
        CredentialKind::ImpersonatedServiceAccount,
        CredentialKind::ExternalAccount,
        CredentialKind::SuppliedToken,
        CredentialKind::InjectedToken,
        CredentialKind::Other,
    ];

    #[test]
    fn each_kind_is_read_as_it_was_written() {
        for kind in ALL {
            let written = SignsIn { kind, account: "a".to_owned(), ..SignsIn::default() };
            let json = written.fields().to_json();
            assert_eq!(SignsIn::read(&json::read(json.as_bytes()).unwrap()).unwrap(), written, "{json}");
            // The contract's own words.
            let contract = include_str!("../../../../wit/connections.wit");
            assert!(contract.contains(&format!("    {},\n", kind.name())), "{kind:?}");
        }
    }

    /// As commits between 0.1.0 as it was at first and this one have written it, and as docs/guide/secrets.md shows it.
    #[test_case(r#"{"type": "service-account", "account": "a"}"#, CredentialKind::ServiceAccount)]
    #[test_case(
        r#"{"type": "service-account", "account": "a", "host_only": true}"#,
        CredentialKind::StoredKey
    )]
    #[test_case(
        r#"{"type": "authorized-user", "account": "a", "impersonates": "b", "scopes": "c d"}"#,
        CredentialKind::ImpersonatedServiceAccount
    )]
    #[test_case(
        r#"{"type": "external-account", "account": "a", "impersonates": "b"}"#,
        CredentialKind::ExternalAccount
    )]
    #[test_case(r#"{"type": "of-a-later-version", "account": "a"}"#, CredentialKind::Other)]
    fn what_earlier_versions_wrote_is_read(json: &str, kind: CredentialKind) {
        assert_eq!(SignsIn::read(&json::read(json.as_bytes()).unwrap()).unwrap().kind, kind);
    }
}
