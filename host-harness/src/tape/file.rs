//! The file of a tape: its form, its versions, and how it is read and written.

pub(super) mod fault;
pub(super) mod format;
pub(super) mod json;
pub(super) mod rules;
pub(super) mod store;
pub(super) mod url;
pub(super) mod version;
