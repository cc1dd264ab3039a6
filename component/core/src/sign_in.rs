//! Signing in: from a credential to the tokens that requests carry.
//!
//! | module | what it holds |
//! |---|---|
//! | [`credential`] | Google's credential JSON, read as hostile input |
//! | [`identity`] | who a connection is, and whose ID token functions receive |
//! | [`oauth`], [`oidc`] | a person's sign-in, and who it was |
//! | [`token`] | tokens: cached, or asked for by one of all callers |

pub mod credential;
pub mod identity;
pub mod oauth;
pub mod oidc;
pub mod token;
