//! The world around a store, as a trait.

use std::time::Duration;

use crate::http::{HttpFailure, Request, Response};

/// Clocks, randomness and HTTP.
pub trait World {
    /// Time since 1970-01-01T00:00:00Z.
    fn now(&self) -> Duration;

    /// Unpredictable bytes.
    fn random<const N: usize>(&self) -> [u8; N];

    /// Sends requests side by side, and reads the whole responses, in their order. All that one call of the store sends
    /// is answered within [`PATIENCE`], or not at all.
    fn send_all(&self, requests: &[Request]) -> Vec<Result<Response, HttpFailure>>;

    /// Sends one request.
    ///
    /// # Errors
    /// [`HttpFailure`] if no whole response came.
    fn send(&self, request: Request) -> Result<Response, HttpFailure> {
        self.send_all(&[request]).pop().unwrap_or(Err(HttpFailure::Broken))
    }
}

/// The time for all that one call of a store sends: less than what the call of the connector around it has.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// The number of requests that are sent side by side.
pub const AT_ONCE: usize = 16;
