//! Arguments, and the files that they name, as the library takes them.

pub(crate) mod bodies;
pub(crate) mod choice;
pub(crate) mod files;
pub(crate) mod values;
