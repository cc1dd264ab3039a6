//! Signing in: from a credential to the tokens that requests carry.
//!
//! | module | what it holds |
//! |---|---|
//! | [`credential`] | Google's credential JSON, read as hostile input |
//! | [`identity`], [`signer`] | the account of a connection, and the signature of its key |
//! | [`invoker`] | the account whose ID token functions receive |
//! | [`oauth`], [`oidc`] | a person's sign-in, and who it was |
//! | [`token`] | tokens: cached, or asked for by one of all callers |

pub mod credential;
pub mod identity;
pub mod invoker;
pub mod oauth;
pub mod oidc;
pub mod signer;
pub mod token;
