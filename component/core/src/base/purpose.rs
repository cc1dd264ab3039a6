//! The purpose of a request, named by whoever makes it: plans, their stand-ins for answers, and errors go by it.

/// The purpose of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// An access token. A user's grant brings an ID token for this OAuth client along.
    AccessToken {
        /// The client, if a user signed in with one.
        client_id: Option<String>,
    },
    /// An access token in exchange for another issuer's token.
    TokenExchange,
    /// An ID token of the credential's own.
    IdToken {
        /// Its audience.
        audience: String,
    },
    /// An access token of a service account that somebody else acts as.
    AccessTokenOf {
        /// The service account.
        account: String,
    },
    /// An ID token of a service account that somebody else acts as.
    IdTokenOf {
        /// The service account.
        account: String,
        /// The audience of the token.
        audience: String,
    },
    /// The end of a user's grant.
    Revocation,
    /// Google's public keys.
    Keys,
    /// The regions that there are.
    Regions,
    /// The functions of a location.
    Functions {
        /// The location, as it stands in the path: `projects/P/locations/L`.
        location: String,
    },
    /// The Cloud Run services of a location.
    Services,
    /// One function.
    Function {
        /// Its name alone.
        name: String,
        /// Its resource name, as it stands in the path.
        resource: String,
    },
    /// One Cloud Run service.
    Service {
        /// Its name alone.
        name: String,
    },
    /// The URLs and audiences of the Cloud Run service that a function is.
    Audiences {
        /// The name of the service alone.
        name: String,
        /// The URL at which the function is called.
        at: String,
    },
    /// The permissions that somebody has on a function.
    Permissions,
    /// A call of a function through the API.
    TestCall {
        /// The function's name alone.
        name: String,
    },
    /// Any other request to a Google API.
    ApiCall,
    /// A call of a function at its URL.
    Invocation {
        /// The audience of the ID token that goes with it.
        audience: Option<String>,
    },
}

impl Purpose {
    /// The audience of the ID token that is asked for, or sent.
    #[must_use]
    pub fn audience(&self) -> Option<&str> {
        match self {
            Self::IdToken { audience } | Self::IdTokenOf { audience, .. } => Some(audience),
            Self::Invocation { audience } => audience.as_deref(),
            Self::AccessToken { .. }
            | Self::TokenExchange
            | Self::AccessTokenOf { .. }
            | Self::Revocation
            | Self::Keys
            | Self::Regions
            | Self::Functions { .. }
            | Self::Services
            | Self::Function { .. }
            | Self::Service { .. }
            | Self::Audiences { .. }
            | Self::Permissions
            | Self::TestCall { .. }
            | Self::ApiCall => None,
        }
    }
}
