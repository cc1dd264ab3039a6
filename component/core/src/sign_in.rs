//! Signing in: from a credential to the tokens that requests carry.
//!
//! | module | what it holds |
//! |---|---|
//! | [`grant`] | what the token endpoints grant, asked for and read |
//! | [`credential`] | the kinds of credential, a file for each |
//! | [`identity`] | the credential of a connection, and the account that it acts as |
//! | [`invoker`] | the account whose ID token functions receive |
//! | [`oauth`], [`oidc`] | a person's sign-in, and who it was |
//! | [`token`] | tokens: cached, or asked for by one of all callers |

pub mod credential;
pub mod grant;
pub mod identity;
pub mod invoker;
pub mod oauth;
pub mod oidc;
pub mod token;
