//! Functions of both generations: what there is, and calling it.

mod front_end;
pub mod get;
pub mod invoke;
pub mod list;
pub mod options;
mod regions;
mod service;
mod wire;

pub(crate) use get::find;
pub(crate) use regions::is_known;
pub use wire::{Function, Generation, Trigger};
