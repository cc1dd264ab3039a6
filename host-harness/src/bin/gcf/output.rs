//! Results and failures, as people and programs get them.

pub(crate) mod connection;
pub(crate) mod credential;
pub(crate) mod exit;
pub(crate) mod failure;
pub(crate) mod format;
pub(crate) mod function;
mod hint;
pub(crate) mod json;
pub(crate) mod plan;
pub(crate) mod progress;
pub(crate) mod repair;
pub(crate) mod response;
pub(crate) mod shown;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod words;
