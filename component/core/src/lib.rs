//! The decisions of gcf-connector: what to send to Google, and what an answer means.
//!
//! In scope: names, credentials, tokens, requests, responses, retries, errors. Out of scope: sockets,
//! clocks, files, the environment, WIT. All of these are behind one trait, [`base::ports::Ports`], and every
//! call reads as a straight line of `async` steps over it:
//!
//! ```text
//! parse input ─► connection ─► token (cached, or signed and exchanged) ─► request ─► response ─► result
//!      │              │              │                                        │           │
//!      └──────────────┴──────────────┴───────────── Error ────────────────────┴───────────┘
//! ```
//!
//! Nothing is sent before all input is parsed.
//!
//! The modules are floors, the lowest first. Each may import those below it, and none above; a test reads every
//! import, and fails on one that leads upward.
//!
//! | floor | what it adds |
//! |---|---|
//! | [`base`] | errors, secrets, the ports, HTTP as values, readers of text |
//! | [`google`] | hosts, names, requests and the tokens that they may carry, the meaning of refusals |
//! | [`rails`] | what a connection may do, beyond what Google allows |
//! | [`store`] | what is kept, under which keys, in which shape |
//! | [`call`] | one call: its deadline, its repeats, its trace |
//! | [`sign_in`] | credentials, and the tokens that come of them |
//! | [`session`] | a connection in use |
//! | [`actions`] | what the contract exports: connections, functions, api, planning |

#![warn(clippy::mod_module_files)]

pub mod base;

pub mod google;

pub mod rails;

pub mod store;

pub mod call;

pub mod sign_in;

pub mod session;

pub mod actions;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
