//! Secrets and names: where they stand, in which encodings, and what stands there instead.

pub(super) mod decode;
pub(super) mod escapes;
pub(super) mod inflate;
pub(super) mod known;
pub(super) mod live_secrets;
pub(super) mod placeholders;
pub(super) mod redact;
pub(super) mod rename;
pub(super) mod scan;
pub(super) mod search;
pub(super) mod tape;
