//! Properties of the library as a whole.

mod floors;
mod pages;
