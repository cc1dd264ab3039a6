//! Arguments, and the files that they name, as the library takes them.

pub(crate) mod bodies;
pub(crate) mod choice;
pub(crate) mod files;
pub(crate) mod function;
pub(crate) mod guard_rails;
pub(crate) mod invoker;
pub(crate) mod request;
pub(crate) mod token;
pub(crate) mod values;
