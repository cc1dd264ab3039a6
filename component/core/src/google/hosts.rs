//! Google's hosts: the token endpoints, the public keys, and the APIs by the names that a caller uses.

use crate::base::error::{Error, Result};

/// Google's token endpoint, whatever a credential says.
///
/// <https://developers.google.com/identity/protocols/oauth2/service-account#httprest>
pub const TOKEN_HOST: &str = "oauth2.googleapis.com";

/// The token endpoint as a URL: the audience of every assertion.
pub const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";

/// The addresses of the token endpoint that Google has written into files, the oldest last. They are compared, and none but
/// [`TOKEN_URL`] is ever asked.
///
/// The second one is in google/tensorstore (`internal/oauth2`), the third in keys of 2016 to 2018, and the last in
/// googleapis/oauth2client 1.4.1 (`oauth2client/__init__.py`).
pub(crate) const TOKEN_URLS: [&str; 4] = [
    TOKEN_URL,
    "https://www.googleapis.com/oauth2/v3/token",
    "https://www.googleapis.com/oauth2/v4/token",
    "https://accounts.google.com/o/oauth2/token",
];

/// Google's Security Token Service, which takes other providers' tokens.
///
/// <https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token>
pub const STS_HOST: &str = "sts.googleapis.com";

/// The addresses of the Security Token Service that Google has written into files. They are compared, and the first one is
/// asked.
///
/// <https://github.com/golang/oauth2/blob/v0.7.0/google/internal/externalaccount/basecredentials.go>
pub(crate) const STS_URLS: [&str; 2] =
    ["https://sts.googleapis.com/v1/token", "https://sts.googleapis.com/v1beta/token"];

/// The host of the public keys that Google signs ID tokens with.
pub const KEYS_HOST: &str = "www.googleapis.com";

/// The Google APIs that an access token may be sent to, by the name that a caller uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// Cloud Functions, v1 and v2.
    Functions,
    /// Cloud Run Admin.
    Run,
    /// IAM Service Account Credentials.
    IamCredentials,
    /// Service Usage.
    ServiceUsage,
    /// Cloud Resource Manager.
    ResourceManager,
    /// Cloud Logging: what a function wrote.
    Logging,
    /// Eventarc: what starts a function.
    Eventarc,
}

impl Api {
    /// Every API, in the order of the catalog.
    pub const ALL: [Self; 7] = [
        Self::Functions,
        Self::Run,
        Self::IamCredentials,
        Self::ServiceUsage,
        Self::ResourceManager,
        Self::Logging,
        Self::Eventarc,
    ];

    /// The APIs that a caller may name. IAM Credentials is not among them: all that it does is hand out tokens and
    /// signatures (`docs/decisions/0013`).
    pub const CUSTOM: [Self; 6] = [
        Self::Functions,
        Self::Run,
        Self::ServiceUsage,
        Self::ResourceManager,
        Self::Logging,
        Self::Eventarc,
    ];

    /// The name that a caller uses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Functions => "functions",
            Self::Run => "run",
            Self::IamCredentials => "iamcredentials",
            Self::ServiceUsage => "serviceusage",
            Self::ResourceManager => "resourcemanager",
            Self::Logging => "logging",
            Self::Eventarc => "eventarc",
        }
    }

    /// The exact host.
    #[must_use]
    pub fn host(self) -> &'static str {
        match self {
            Self::Functions => "cloudfunctions.googleapis.com",
            Self::Run => "run.googleapis.com",
            Self::IamCredentials => "iamcredentials.googleapis.com",
            Self::ServiceUsage => "serviceusage.googleapis.com",
            Self::ResourceManager => "cloudresourcemanager.googleapis.com",
            Self::Logging => "logging.googleapis.com",
            Self::Eventarc => "eventarc.googleapis.com",
        }
    }

    /// Tells if it counts requests against the project that the caller names in `x-goog-user-project`, and not against the one
    /// that the resource is in: such APIs are called client-based, and the others refuse or ignore the header.
    ///
    /// <https://cloud.google.com/docs/quotas/quota-project>
    #[must_use]
    pub fn counts_for_caller(self) -> bool {
        match self {
            Self::IamCredentials | Self::ServiceUsage | Self::ResourceManager | Self::Logging => true,
            Self::Functions | Self::Run | Self::Eventarc => false,
        }
    }

    /// Parses the name that a caller gives; `none` is Cloud Functions.
    ///
    /// # Errors
    /// `invalid-input` of field `api`.
    pub fn parse(name: Option<&str>) -> Result<Self> {
        let Some(name) = name else { return Ok(Self::Functions) };
        Self::custom(|api| api.name() == name)?.ok_or_else(|| {
            let names: Vec<_> = Self::CUSTOM.iter().map(|api| api.name()).collect();
            Error::input("api", "there is no API of this name")
                .fix(format!("use one of: {}", names.join(", ")))
        })
    }

    /// The API at this exact host, if a caller may call it.
    ///
    /// # Errors
    /// `invalid-input` of field `api`.
    pub(crate) fn at(host: &str) -> Result<Option<Self>> {
        Self::custom(|api| api.host() == host)
    }

    fn custom(is: impl Fn(&Self) -> bool) -> Result<Option<Self>> {
        match Self::ALL.into_iter().find(is) {
            Some(Self::IamCredentials) => {
                Err(Error::input("api", "this API hands out tokens and signatures, and no caller gets those")
                    .fix("use invoke, which sends the ID token to the function and to nobody else"))
            }
            api => Ok(api),
        }
    }
}
