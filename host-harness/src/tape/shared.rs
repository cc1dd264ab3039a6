//! Helpers of all folders of the tape.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};

use crate::transport::{Body, TransportError};

pub(super) fn whole(body: Bytes) -> Body {
    let never = |never: std::convert::Infallible| -> TransportError { match never {} };
    Full::new(body).map_err(never).boxed_unsync()
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A name in the path of a field: each field repeats it, so a text longer than any name is cut.
pub(super) fn label(name: &str) -> &str {
    const LONGEST: usize = 1 << 10;
    if name.len() <= LONGEST { name } else { &name[..name.floor_char_boundary(LONGEST)] }
}
