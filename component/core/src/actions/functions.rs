//! Functions of both generations: what there is, and calling it.

mod front_end;
mod function;
pub mod get;
pub mod invoke;
pub mod list;
pub mod options;
mod regions;
mod remembered;
mod service;

pub use function::{Function, Generation, Trigger};
pub(crate) use get::find;
pub(crate) use regions::{is_known, nearest_known};
pub(crate) use service::is_open_to_all;
