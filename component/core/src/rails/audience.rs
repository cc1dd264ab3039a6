//! The audiences of the ID tokens that functions may receive.
//!
//! An ID token opens whatever accepts its audience, for whoever holds it. One for the function that receives it opens
//! that function alone. Any other one may be a key to somebody else's door, so it matters who chose the function:
//!
//! | the function's address is of | its own audience | one of the rail's | that of another function | any other |
//! |---|---|---|---|---|
//! | the caller | sent | sent | refused | refused |
//! | the connection's own project | sent | sent | refused, but for [`Listed`] ones | sent, if the rail is empty |
//!
//! A function on Cloud Run has several URLs of its own, of which Cloud Functions tells one; [`Listed`] has the others.

use super::{GuardRails, restricted};
use crate::{
    base::error::{Cause, Error, Result, foreign},
    google::request::function_url::{Audience, FunctionUrl},
};

/// The side that says where a function is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddressOf {
    /// Google does, of a function of the connection's own project: nobody else can put one there.
    OwnProject,
    /// The caller does, by a URL, or by the name of a project that may be anybody's. What such a function claims as its
    /// audiences is its owner's choice, and no reason to believe it.
    Caller,
}

/// Cloud Run's word on a service in the call that it is invoked in.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    /// Its URLs, which Google gives out: nobody can have that of somebody else's service there.
    pub(crate) urls: Vec<String>,
    /// The audiences that its owner has it accept besides, whosever they are.
    ///
    /// <https://cloud.google.com/run/docs/configuring/custom-audiences>
    pub(crate) custom_audiences: Vec<String>,
}

impl Listed {
    /// Tells if this is the audience of the service, and the service is what is at `url`.
    fn owns(&self, audience: &Audience, url: &FunctionUrl) -> bool {
        let urls =
            || self.urls.iter().filter_map(|own| FunctionUrl::parse(own).ok()).map(FunctionUrl::of_service);
        urls().any(|own| own == *url) && urls().any(|own| own.owns(audience))
    }

    /// Tells if the owner of the service at `url` has put this audience there.
    fn has(&self, audience: &Audience, url: &FunctionUrl) -> bool {
        self.owns(&url.audience(), url) && self.custom_audiences.iter().any(|own| own == audience.as_str())
    }
}

impl GuardRails {
    /// Judges if a token for this audience, which stands for another function as far as its name tells, may be sent to
    /// the function at `url` for what Cloud Run says of it.
    ///
    /// Rails hold a connection to some functions, and whoever deploys one of those could list the others.
    pub(crate) fn allows_listed(
        &self,
        audience: &Audience,
        url: &FunctionUrl,
        address: AddressOf,
        listed: &Listed,
    ) -> bool {
        let owner_counts = match address {
            AddressOf::OwnProject => *self == Self::default(),
            AddressOf::Caller => false,
        };
        listed.owns(audience, url) || (owner_counts && listed.has(audience, url))
    }

    /// Judges if a token for this audience may be sent to the function at `url`; without it, if there can be such
    /// a function at all.
    ///
    /// # Errors
    /// `invalid-input` of field `audience`, or `restricted`.
    pub(crate) fn allows_audience(
        &self,
        audience: &Audience,
        url: Option<&FunctionUrl>,
        address: AddressOf,
    ) -> Result<()> {
        let own = url.map_or_else(|| audience.is_a_functions(), |url| url.owns(audience));
        if own || self.audiences.iter().any(|allowed| allowed == audience.as_str()) {
            return Ok(());
        }
        let named = foreign(audience.as_str());
        if audience.is_a_functions() {
            return Err(Error::input(
                "audience",
                format!("the audience {named} belongs to another function"),
            )
            .cause(Cause::AnotherFunction)
            .fix("leave it out, or ask whoever manages this connection to allow it in the guard rail `audiences`"));
        }
        if !self.audiences.is_empty() {
            return Err(restricted("audiences", format!("the audience {named} is not one of those allowed")));
        }
        match address {
            AddressOf::OwnProject => Ok(()),
            AddressOf::Caller => Err(Error::input(
                "audience",
                format!("a token for {named} opens more than the function, and that may be anybody's"),
            )
            .cause(Cause::UnknownFunction)
            .fix("leave it out, call a function of the connection's own project by its name, or ask whoever manages this connection to allow the audience in the guard rail `audiences`")),
        }
    }
}
