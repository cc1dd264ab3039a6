//! The answers before the answer: `100 Continue`, `103 Early Hints` and their like (RFC 9110, section 15.2).
//!
//! hyper reads and drops them one after the other, for as long as they come, and keeps no count.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::Notify;

use super::live::{MAX_HEAD_BYTES, head_bytes};

/// Interim answers to one request. A server sends one or two; one that shows its progress by them, a few
/// more.
pub(super) const MAX_INTERIM: usize = 32;

/// The count of one request.
#[derive(Debug, Clone, Default)]
pub(super) struct Interim(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    count: AtomicUsize,
    bytes: AtomicUsize,
    over: Notify,
}

impl Interim {
    /// Counts the interim answers to `request`.
    pub(super) fn count<B>(request: &mut http::Request<B>) -> Self {
        let interim = Self::default();
        let counter = interim.clone();
        hyper::ext::on_informational(request, move |head| counter.add(head_bytes(head.headers())));
        interim
    }

    fn add(&self, bytes: usize) {
        let count = self.0.count.fetch_add(1, Ordering::Relaxed) + 1;
        let bytes = self.0.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if count > MAX_INTERIM || bytes > MAX_HEAD_BYTES {
            self.0.over.notify_one();
        }
    }

    /// Ends once there are too many.
    pub(super) async fn over(&self) {
        self.0.over.notified().await;
    }
}
