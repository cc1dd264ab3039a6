//! What holds for the library as a whole.

mod floors;
mod pages;
