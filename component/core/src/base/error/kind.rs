//! The kinds of failure, and what follows from each.

/// The kinds of `wit/types.wit`, where each is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented once, in the contract")]
pub enum Kind {
    InvalidInput,
    ConnectionRequired,
    ConnectionNotFound,
    InvalidCredential,
    UnsupportedCredential,
    CredentialRejected,
    ReconnectRequired,
    ClockSkew,
    ClientConfig,
    InsufficientScope,
    AuthorizationFailed,
    AuthorizationDenied,
    Unauthenticated,
    MissingRole,
    Forbidden,
    ApiDisabled,
    NotFound,
    AmbiguousFunction,
    NotInvocable,
    RateLimited,
    Unavailable,
    Network,
    DeadlineExceeded,
    EgressDenied,
    TooLarge,
    UnexpectedRedirect,
    InvalidResponse,
    PageLoop,
    SecretStore,
    Restricted,
    Status,
    Internal,
}

/// The time for which others believe a failure to get a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belief {
    /// Until somebody signs in anew, whatever token is wanted.
    Reconnect,
    /// For some seconds, about this token, and shown until the next one works: somebody at Google's side can undo it.
    Refused,
    /// For some seconds, about this token.
    Passing,
}

/// The properties of a kind.
struct Properties {
    /// True if one part of a list may fail like this while the others are good.
    partial: bool,
    /// True if another attempt may end otherwise, although nobody has changed anything.
    passes: bool,
    /// The name under which it is noted if a token cannot be had, and for how long the note is believed; none if a
    /// note is not worth it: a missing role can be granted at any moment.
    noted: Option<(&'static str, Belief)>,
}

/// A failure of the whole call, of which others learn nothing.
const PLAIN: Properties = Properties { partial: false, passes: false, noted: None };

/// A failure that leaves the other parts of a list as they are.
const OF_A_PART: Properties = Properties { partial: true, ..PLAIN };

impl Kind {
    /// Tells if one part of a list may fail like this while the others are good.
    #[must_use]
    pub const fn is_partial(self) -> bool {
        self.properties().partial
    }

    /// Tells if another attempt may end otherwise, although nobody has changed anything.
    #[must_use]
    pub const fn passes(self) -> bool {
        self.properties().passes
    }

    /// The name under which a failure to get a token is noted, and for how long the note is believed; none if it is
    /// not noted.
    #[must_use]
    pub const fn noted(self) -> Option<(&'static str, Belief)> {
        self.properties().noted
    }

    /// The kind that is noted under a name.
    #[must_use]
    pub fn of_note(name: &str) -> Option<(Self, Belief)> {
        NOTED.into_iter().find_map(|kind| {
            let (its_name, belief) = kind.noted()?;
            (its_name == name).then_some((kind, belief))
        })
    }

    /// Everything that the rest of the core decides by the kind alone. A new kind is placed here, and nowhere else.
    const fn properties(self) -> Properties {
        match self {
            Self::ReconnectRequired => {
                Properties { noted: Some(("reconnect-required", Belief::Reconnect)), ..PLAIN }
            }
            Self::CredentialRejected => {
                Properties { noted: Some(("credential-rejected", Belief::Refused)), ..PLAIN }
            }
            Self::ClientConfig => Properties { noted: Some(("client-config", Belief::Refused)), ..PLAIN },
            Self::ClockSkew => Properties { noted: Some(("clock-skew", Belief::Passing)), ..PLAIN },
            Self::Unavailable => Properties::passing("unavailable"),
            Self::Network => Properties::passing("network"),
            Self::RateLimited => Properties::passing("rate-limited"),
            // A proxy answered, in all likelihood.
            Self::InvalidResponse => Properties::passing("invalid-response"),
            Self::DeadlineExceeded | Self::UnexpectedRedirect => Properties { passes: true, ..OF_A_PART },
            Self::Unauthenticated
            | Self::MissingRole
            | Self::Forbidden
            | Self::ApiDisabled
            | Self::NotFound
            | Self::EgressDenied => OF_A_PART,
            Self::InvalidInput
            | Self::ConnectionRequired
            | Self::ConnectionNotFound
            | Self::InvalidCredential
            | Self::UnsupportedCredential
            | Self::InsufficientScope
            | Self::AuthorizationFailed
            | Self::AuthorizationDenied
            | Self::AmbiguousFunction
            | Self::NotInvocable
            | Self::TooLarge
            | Self::PageLoop
            | Self::SecretStore
            | Self::Restricted
            | Self::Status
            | Self::Internal => PLAIN,
        }
    }
}

impl Properties {
    /// A failure that the next attempt may not meet.
    const fn passing(name: &'static str) -> Self {
        Self { partial: true, passes: true, noted: Some((name, Belief::Passing)) }
    }
}

/// The kinds that are noted.
const NOTED: [Kind; 8] = [
    Kind::ReconnectRequired,
    Kind::CredentialRejected,
    Kind::ClientConfig,
    Kind::ClockSkew,
    Kind::Unavailable,
    Kind::Network,
    Kind::RateLimited,
    Kind::InvalidResponse,
];
