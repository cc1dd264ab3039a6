//! The causes that programs tell apart.

/// The cause of a failure, for those who can do something about one cause and not about another of the same kind.
///
/// The words are those of `details.cause` in `wit/types.wit`, where each is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub enum Cause {
    AccountGone,
    AnotherFunction,
    BothProducts,
    Client,
    ClockSkew,
    ExecutionFailed,
    Fault,
    IdentityAwareProxy,
    KeyUnknown,
    NeedsCredential,
    NoCredential,
    NoIdToken,
    NoRefreshToken,
    NotAClient,
    NotSuccessful,
    OwnAuthorization,
    Policy,
    ProjectNumber,
    Rate,
    Reauthentication,
    Revoked,
    Scope,
    SeveralLists,
    SeveralRegions,
    SilentRegions,
    TooManyFunctions,
    Unknown,
    UnknownFunction,
    UserToken,
}

impl Cause {
    /// Every cause, in the order of the contract.
    pub const ALL: [Self; 29] = [
        Self::AccountGone,
        Self::AnotherFunction,
        Self::BothProducts,
        Self::Client,
        Self::ClockSkew,
        Self::ExecutionFailed,
        Self::Fault,
        Self::IdentityAwareProxy,
        Self::KeyUnknown,
        Self::NeedsCredential,
        Self::NoCredential,
        Self::NoIdToken,
        Self::NoRefreshToken,
        Self::NotAClient,
        Self::NotSuccessful,
        Self::OwnAuthorization,
        Self::Policy,
        Self::ProjectNumber,
        Self::Rate,
        Self::Reauthentication,
        Self::Revoked,
        Self::Scope,
        Self::SeveralLists,
        Self::SeveralRegions,
        Self::SilentRegions,
        Self::TooManyFunctions,
        Self::Unknown,
        Self::UnknownFunction,
        Self::UserToken,
    ];

    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccountGone => "account-gone",
            Self::AnotherFunction => "another-function",
            Self::BothProducts => "both-products",
            Self::Client => "client",
            Self::ClockSkew => "clock-skew",
            Self::ExecutionFailed => "execution-failed",
            Self::Fault => "fault",
            Self::IdentityAwareProxy => "identity-aware-proxy",
            Self::KeyUnknown => "key-unknown",
            Self::NeedsCredential => "needs-credential",
            Self::NoCredential => "no-credential",
            Self::NoIdToken => "no-id-token",
            Self::NoRefreshToken => "no-refresh-token",
            Self::NotAClient => "not-a-client",
            Self::NotSuccessful => "not-successful",
            Self::OwnAuthorization => "own-authorization",
            Self::Policy => "policy",
            Self::ProjectNumber => "project-number",
            Self::Rate => "rate",
            Self::Reauthentication => "reauthentication",
            Self::Revoked => "revoked",
            Self::Scope => "scope",
            Self::SeveralLists => "several-lists",
            Self::SeveralRegions => "several-regions",
            Self::SilentRegions => "silent-regions",
            Self::TooManyFunctions => "too-many-functions",
            Self::Unknown => "unknown",
            Self::UnknownFunction => "unknown-function",
            Self::UserToken => "user-token",
        }
    }
}
