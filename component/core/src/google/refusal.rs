//! The meaning of refusals, each with whose move it is: those of Google's APIs, and those of its token endpoint.
//!
//! The third reader, of what Google's front end says before a function, is with the calls of functions: it
//! reads HTML, and knows generations.

pub mod api;
pub mod token_endpoint;
