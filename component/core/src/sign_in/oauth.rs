//! The sign-in of a person: authorization code with PKCE (RFC 6749, RFC 7636, RFC 8252, RFC 9700).
//!
//! Values in, values out: random bytes are arguments, and what is to be sent is made elsewhere.
//!
//! ```text
//! OAuthClient ─► RedirectUri ─► authorization_url ─► browser ─► callback
//!                                                                  │ Parameters::open
//!                 the pending sign-in is kept ◄── any error ───────┤
//!                                                                  │ Parameters::authentic (state)
//!                 the pending sign-in is kept ◄── any error ───────┤
//!                 ... is used up from here on                      │ Authentic::outcome (iss, error, code)
//!                 start again ◄── any error ───────────────────────┤
//!                                                                  ▼
//!                                                                Code
//! ```
//!
//! There is one flow: `response_type=code` with an S256 challenge. Implicit, plain and device flows
//! cannot be written down.

mod authorization;
mod callback;
mod client;
mod redirect;
#[cfg(test)]
mod tests;

pub use authorization::{
    Challenge, HostedDomain, LoginHint, Nonce, SCOPES, State, Verifier, authorization_url, missing_scopes,
};
pub use callback::{Authentic, Code, Parameters};
pub use client::{ClientKind, OAuthClient};
pub use redirect::RedirectUri;

/// Google as an issuer, in the one form that callbacks have.
pub const ISSUER: &str = "https://accounts.google.com";

/// The time that a person has for a sign-in, in seconds.
pub(crate) const LIFE: u64 = 600;
