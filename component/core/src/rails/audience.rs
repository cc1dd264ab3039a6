//! The audiences of the ID tokens that functions may receive.
//!
//! An ID token opens whatever accepts its audience, for whoever holds it. One for the function that receives it opens
//! that function alone. Any other one may be a key to somebody else's door, so it matters who chose the function:
//!
//! | the function's address is of | its own audience | one of the rail's | that of another function | any other |
//! |---|---|---|---|---|
//! | the caller | sent | sent | refused | refused |
//! | the connection's own project | sent | sent | refused | sent, if the rail is empty |

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

impl GuardRails {
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
