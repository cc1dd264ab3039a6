//! The table, and the words.
//!
//! <https://developers.google.com/identity/protocols/oauth2/service-account#error-codes>

use super::{Grant, Verdict};
use crate::base::error::{Cause, Kind};

/// One refusal that is known.
pub(super) struct Row {
    /// The value of `error`.
    pub(super) code: &'static str,
    /// Words of `error_description` or `error_subtype`, for Google changes the rest. Empty: any.
    pub(super) says: &'static str,
    /// The things that were handed over. Empty: anything.
    pub(super) grants: &'static [Grant],
    pub(super) verdict: Verdict,
}

const ANY: &[Grant] = &[];
const REFRESH_TOKEN: &[Grant] = &[Grant::RefreshToken];
const CODE: &[Grant] = &[Grant::Code];
const USER: &[Grant] = &[Grant::RefreshToken, Grant::Code];
const ASSERTION: &[Grant] = &[Grant::Assertion];
const EXCHANGE: &[Grant] = &[Grant::Exchange];

const REPORT: &str = "a proxy in between may have answered; if not, please report this";

/// The first row that fits counts.
pub(super) static ROWS: [Row; 37] = [
    Row { code: "invalid_grant", says: "invalid_rapt", grants: USER, verdict: REAUTHENTICATION },
    Row { code: "invalid_grant", says: "rapt_required", grants: USER, verdict: REAUTHENTICATION },
    Row { code: "invalid_grant", says: "reauth related error", grants: USER, verdict: REAUTHENTICATION },
    Row {
        code: "invalid_grant",
        says: "expired or revoked",
        grants: REFRESH_TOKEN,
        verdict: Verdict {
            kind: Kind::ReconnectRequired,
            cause: Cause::Revoked,
            what: "no longer accepts the sign-in",
            fix: "{account} signs in again (authorise the connection anew). A sign-in ends when the user revokes it, when it is not used for 6 months, after 7 days while the OAuth client is in publishing status Testing, or when the account gets more than 100 refresh tokens for one client",
        },
    },
    Row { code: "invalid_grant", says: "account has been deleted", grants: USER, verdict: USER_GONE },
    Row { code: "invalid_grant", says: "account not found", grants: USER, verdict: USER_GONE },
    Row {
        code: "invalid_grant",
        says: "",
        grants: REFRESH_TOKEN,
        verdict: Verdict {
            kind: Kind::ReconnectRequired,
            cause: Cause::Unknown,
            what: "does not accept the refresh token",
            fix: "{account} signs in again (authorise the connection anew): the refresh token is damaged, or belongs to another OAuth client",
        },
    },
    Row {
        code: "invalid_grant",
        says: "",
        grants: CODE,
        verdict: Verdict {
            kind: Kind::ReconnectRequired,
            cause: Cause::Unknown,
            what: "does not accept the code of the sign-in",
            fix: "start the sign-in again: a code is good once, for a few minutes, for the OAuth client and the redirect URI that it was made for",
        },
    },
    Row {
        code: "invalid_grant",
        says: "Invalid JWT Signature",
        grants: ASSERTION,
        verdict: Verdict {
            kind: Kind::CredentialRejected,
            cause: Cause::KeyUnknown,
            what: "does not know the key",
            fix: "the key of {account} was disabled or deleted, or belongs to another account: whoever administers {account} enables the key (IAM & Admin, Service Accounts, Keys), and the next call tries it again; if it is gone, make a new key and connect again",
        },
    },
    // "Robot is disabled.": googleapis/google-api-ruby-client#720, googleapis/nodejs-tasks#252.
    Row {
        code: "invalid_grant",
        says: "is disabled",
        grants: ASSERTION,
        verdict: Verdict {
            kind: Kind::CredentialRejected,
            cause: Cause::AccountDisabled,
            what: "says that the service account is disabled",
            fix: "whoever administers {account} enables it (IAM & Admin, Service Accounts): its key stays good, and the next call tries it again",
        },
    },
    Row { code: "invalid_grant", says: "short-lived token", grants: ASSERTION, verdict: CLOCK },
    Row { code: "invalid_grant", says: "iat and exp", grants: ASSERTION, verdict: CLOCK },
    Row {
        code: "invalid_grant",
        says: "Failed audience check",
        grants: ASSERTION,
        verdict: Verdict {
            kind: Kind::CredentialRejected,
            cause: Cause::Unknown,
            what: "is not the one that the key is for",
            fix: "connect with a key of Google Cloud itself: {account} may belong to another universe, such as a sovereign cloud; if it does not, please report this",
        },
    },
    Row {
        code: "invalid_grant",
        says: "account not found",
        grants: ASSERTION,
        verdict: SERVICE_ACCOUNT_GONE,
    },
    Row {
        code: "invalid_grant",
        says: "account has been deleted",
        grants: ASSERTION,
        verdict: SERVICE_ACCOUNT_GONE,
    },
    Row {
        code: "invalid_grant",
        says: "No valid verifier found",
        grants: ASSERTION,
        verdict: SERVICE_ACCOUNT_GONE,
    },
    Row {
        code: "invalid_grant",
        says: "Invalid email or User ID",
        grants: ASSERTION,
        verdict: SERVICE_ACCOUNT_GONE,
    },
    Row {
        code: "invalid_grant",
        says: "",
        grants: ASSERTION,
        verdict: Verdict {
            kind: Kind::CredentialRejected,
            cause: Cause::Unknown,
            what: "refused the credential",
            fix: "connect again with a new key of {account}",
        },
    },
    Row {
        code: "invalid_grant",
        says: "",
        grants: EXCHANGE,
        verdict: Verdict {
            kind: Kind::CredentialRejected,
            cause: Cause::Unknown,
            what: "refused the subject token",
            fix: "the host puts a fresh subject token into its store, of the issuer and the audience that the workload identity provider expects",
        },
    },
    Row {
        code: "invalid_target",
        says: "",
        grants: ANY,
        verdict: Verdict {
            kind: Kind::CredentialRejected,
            cause: Cause::Client,
            what: "does not know the workload identity pool or provider",
            fix: "whoever administers the pool enables or restores it; or connect again with a credential JSON whose audience names one that exists",
        },
    },
    Row {
        code: "invalid_scope",
        says: "",
        grants: USER,
        verdict: Verdict {
            kind: Kind::InsufficientScope,
            cause: Cause::Scope,
            what: "does not give the scopes",
            fix: "{account} signs in again (authorise the connection anew), and allows everything that is asked for",
        },
    },
    Row {
        code: "invalid_scope",
        says: "",
        grants: ANY,
        verdict: Verdict {
            kind: Kind::CredentialRejected,
            cause: Cause::Scope,
            what: "refused the scope or the audience",
            fix: "check the audience, if you set one",
        },
    },
    Row {
        code: "unauthorized_client",
        says: "",
        grants: EXCHANGE,
        verdict: Verdict {
            kind: Kind::CredentialRejected,
            cause: Cause::Policy,
            what: "does not let this identity in",
            fix: "whoever administers the workload identity pool checks the attribute condition of its provider",
        },
    },
    Row {
        code: "unauthorized_client",
        says: "",
        grants: ASSERTION,
        verdict: Verdict {
            kind: Kind::ClientConfig,
            cause: Cause::Client,
            what: "does not let this account sign in like this",
            fix: "whoever administers {account} checks that it is enabled; acting for a user needs domain-wide delegation for the scope (Admin console, Security, API controls)",
        },
    },
    Row {
        code: "unauthorized_client",
        says: "",
        grants: USER,
        verdict: Verdict {
            kind: Kind::ClientConfig,
            cause: Cause::Client,
            what: "does not let this OAuth client sign in like this",
            fix: "use an OAuth client of type Desktop app or Web application (Google Auth Platform, Clients), and sign in with it",
        },
    },
    Row {
        code: "invalid_client",
        says: "not found",
        grants: ANY,
        verdict: Verdict {
            kind: Kind::ClientConfig,
            cause: Cause::Client,
            what: "does not know the OAuth client",
            fix: "the client was deleted, or its id is wrong: make one (Google Auth Platform, Clients), and sign in with its JSON",
        },
    },
    Row {
        code: "invalid_client",
        says: "",
        grants: ANY,
        verdict: Verdict {
            kind: Kind::ClientConfig,
            cause: Cause::Client,
            what: "does not accept the OAuth client's secret",
            fix: "the secret is wrong, or was replaced: take the client's current JSON (Google Auth Platform, Clients), and sign in with it",
        },
    },
    Row {
        code: "deleted_client",
        says: "",
        grants: ANY,
        verdict: Verdict {
            kind: Kind::ClientConfig,
            cause: Cause::Client,
            what: "says that the OAuth client was deleted",
            fix: "the client's owner restores it within 30 days of its deletion (Google Auth Platform, Clients), or sign in with another one",
        },
    },
    Row {
        code: "disabled_client",
        says: "",
        grants: ANY,
        verdict: Verdict {
            kind: Kind::ClientConfig,
            cause: Cause::Client,
            what: "says that the OAuth client is disabled",
            fix: "the client's owner enables it (Google Auth Platform, Clients), or sign in with another one",
        },
    },
    Row {
        code: "redirect_uri_mismatch",
        says: "",
        grants: ANY,
        verdict: Verdict {
            kind: Kind::ClientConfig,
            cause: Cause::Client,
            what: "does not accept the redirect URI",
            fix: "add it to the client's redirect URIs, character by character (Google Auth Platform, Clients); then start the sign-in again",
        },
    },
    Row {
        code: "invalid_request",
        says: "client_secret",
        grants: USER,
        verdict: Verdict {
            kind: Kind::ClientConfig,
            cause: Cause::Client,
            what: "asks for the OAuth client's secret",
            fix: "sign in with the client's whole JSON: Google wants a secret even of a desktop app",
        },
    },
    Row {
        code: "invalid_request",
        says: "",
        grants: EXCHANGE,
        verdict: Verdict {
            kind: Kind::CredentialRejected,
            cause: Cause::Client,
            what: "cannot read the exchange",
            fix: "check audience and subject_token_type in the credential JSON, and what the host keeps as the subject token",
        },
    },
    Row {
        code: "unsupported_grant_type",
        says: "",
        grants: ANY,
        verdict: Verdict {
            kind: Kind::Internal,
            cause: Cause::Unknown,
            what: "does not know this way to sign in",
            fix: REPORT,
        },
    },
    Row { code: "slow_down", says: "", grants: ANY, verdict: RATE },
    Row { code: "admin_policy_enforced", says: "", grants: ANY, verdict: POLICY },
    Row {
        code: "org_internal",
        says: "",
        grants: ANY,
        verdict: Verdict {
            kind: Kind::ClientConfig,
            cause: Cause::Policy,
            what: "does not open the OAuth client to this account",
            fix: "sign in with an account of the organisation that owns the OAuth client, or its owner makes it External (Google Auth Platform, Audience)",
        },
    },
    Row { code: "access_denied", says: "", grants: ANY, verdict: POLICY },
];

const REAUTHENTICATION: Verdict = Verdict {
    kind: Kind::ReconnectRequired,
    cause: Cause::Reauthentication,
    what: "asks for a new sign-in",
    fix: "{account} signs in again (authorise the connection anew). The organisation's session control ends sign-ins after some hours; its administrator can exempt the OAuth client as a trusted app (Admin console, Security, Google Cloud session control)",
};

const USER_GONE: Verdict = Verdict {
    kind: Kind::ReconnectRequired,
    cause: Cause::AccountGone,
    what: "does not know the account",
    fix: "{account} was deleted: sign in with another account",
};

const SERVICE_ACCOUNT_GONE: Verdict = Verdict {
    kind: Kind::CredentialRejected,
    cause: Cause::AccountGone,
    what: "does not know the account",
    fix: "the service account {account} was deleted, or never existed: within 30 days of its deletion whoever administers the project restores it, and the next call tries it again; otherwise connect with a key of another one",
};

const CLOCK: Verdict = Verdict {
    kind: Kind::ClockSkew,
    cause: Cause::ClockSkew,
    what: "does not accept the time",
    fix: "set the clock of the host, and try again",
};

const POLICY: Verdict = Verdict {
    kind: Kind::AuthorizationDenied,
    cause: Cause::Policy,
    what: "denies access by a policy",
    fix: "an administrator of {account} trusts the OAuth client (Google Workspace: Admin console, Security, API controls); Google's Advanced Protection denies it too",
};

pub(super) const RATE: Verdict = Verdict {
    kind: Kind::RateLimited,
    cause: Cause::Rate,
    what: "is asked too often",
    fix: "wait, and ask less often",
};

pub(super) const FAULT: Verdict =
    Verdict { kind: Kind::Unavailable, cause: Cause::Fault, what: "has a fault", fix: "try again later" };

pub(super) const REDIRECT: Verdict = Verdict {
    kind: Kind::UnexpectedRedirect,
    cause: Cause::Unknown,
    what: "answered with a redirect, which is never followed",
    fix: REPORT,
};

/// Not the JSON of RFC 6749: nothing is known about the credential.
pub(super) const NOT_OAUTH: Verdict = Verdict {
    kind: Kind::InvalidResponse,
    cause: Cause::Unknown,
    what: "gave an answer that cannot be used",
    fix: REPORT,
};

pub(super) const UNKNOWN: Verdict = Verdict {
    kind: Kind::CredentialRejected,
    cause: Cause::Unknown,
    what: "refused",
    fix: "read Google's reason; if it does not help, connect again",
};
