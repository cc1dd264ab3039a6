//! Stands for js-sys, where there is no JavaScript: the workspace's `Cargo.toml` says why.

/// The part of JavaScript's clock that jsonwebtoken names.
#[derive(Debug)]
pub struct Date(());

impl Date {
    /// Returns a moment that cannot be read.
    #[must_use]
    pub fn new_0() -> Self {
        Self(())
    }

    /// Milliseconds since 1970.
    ///
    /// # Panics
    /// Always. The component tells the time by its own clock, and compares it with the claims itself.
    #[must_use]
    pub fn get_time(&self) -> f64 {
        panic!("there is no JavaScript to ask for the time")
    }
}
