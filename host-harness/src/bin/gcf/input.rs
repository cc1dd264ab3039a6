//! What is said on the command line or lies in a file, as the library takes it.

pub(crate) mod bodies;
pub(crate) mod choice;
pub(crate) mod files;
