//! Google, as values: hosts, names, tokens, requests, and the meaning of refusals. Nothing is sent here.
//!
//! | module | what it holds |
//! |---|---|
//! | [`hosts`] | the hosts that are ever asked, and the APIs among them |
//! | [`names`], [`which`] | projects, regions, functions; and the ways to say which function is meant |
//! | [`jwt`] | assertions that are signed here, and the claims of ID tokens |
//! | [`bearer`] | access tokens and ID tokens |
//! | [`request`] | the only way to make a request, which binds kinds of token to hosts |
//! | [`refusal`] | what an API or the token endpoint means when it refuses |

pub mod bearer;
pub mod hosts;
pub mod jwt;
pub mod names;
pub mod refusal;
pub mod request;
pub mod which;
