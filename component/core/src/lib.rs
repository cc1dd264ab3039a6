//! The decisions of gcf-connector: what to send to Google, and what an answer means.
//!
//! In scope: names, credentials, tokens, requests, responses, retries, errors. Out of scope: sockets,
//! clocks, files, the environment, WIT. All of these are behind one trait, [`ports::Ports`], and every
//! call reads as a straight line of `async` steps over it:
//!
//! ```text
//! parse input ─► connection ─► token (cached, or signed and exchanged) ─► request ─► response ─► result
//!      │              │              │                                        │           │
//!      └──────────────┴──────────────┴───────────── Error ────────────────────┴───────────┘
//! ```
//!
//! Nothing is sent before all input is parsed.

pub mod api;
pub mod bearer;
pub mod call;
pub mod catalog;
pub mod connections;
pub mod content;
pub mod credential;
mod dates;
pub mod error;
pub mod functions;
pub mod google;
pub mod guard_rails;
mod gzip;
pub mod hosts;
pub mod http;
pub mod identity;
mod join;
mod json;
pub mod jwt;
pub mod names;
pub mod oauth;
pub mod oidc;
pub mod plan;
pub mod ports;
pub mod refusal;
pub mod rehearsal;
mod repeats;
pub mod retry;
pub mod secret;
pub mod session;
mod sorted;
pub mod store;
pub mod target;
pub mod token;
mod unseen;
pub mod which;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
