//! Properties of the library as a whole.

#[cfg(feature = "embedded")]
mod cost;
mod floors;
mod pages;
