//! The connector inside this library, which [`Host::builder`](crate::Host::builder) takes where no other is
//! named.

pub use gcf_embedded::{CONNECTOR, SHA256};

/// The connector's machine code, if it was made of the same file, for the system that this program runs on.
pub(crate) fn machine_code() -> Option<&'static [u8]> {
    #[cfg(feature = "precompiled")]
    if gcf_precompiled::OF == SHA256 && !gcf_precompiled::MACHINE_CODE.is_empty() {
        return Some(gcf_precompiled::MACHINE_CODE);
    }
    None
}
