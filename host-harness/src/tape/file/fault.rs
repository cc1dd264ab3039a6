//! The faults that a tape can bring about: an edge case is a line in a file.

use serde::{Deserialize, Serialize};

use crate::transport::TransportError;

/// A failure, or a slowness, in place of a smooth answer. The timeouts of the request hold as they would
/// on a network: a longer delay becomes a timeout.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The delay before anything of the answer arrives, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// The way the exchange ends, if not well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
    /// The bytes of the body that arrive; of a truncated body half, by default. Bytes of a truncated body
    /// that are not on the tape are spaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_bytes: Option<usize>,
    /// The pause before each piece of the body, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause_ms: Option<u64>,
    /// The length of a piece of the body; 1024 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub piece_bytes: Option<usize>,
}

/// The ways in which an exchange fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// The name has no address.
    Unresolved,
    /// Nobody listens.
    Refused,
    /// No connection in time.
    ConnectTimeout,
    /// The certificate is not acceptable.
    Tls,
    /// The connection ends before the head of the response.
    ResetBeforeHeaders,
    /// The head of the response does not come in time.
    NoResponse,
    /// The answer is not HTTP.
    NotHttp,
    /// The connection ends after the head of the response.
    ResetAfterHeaders,
    /// The connection ends within the body of the response.
    TruncatedBody,
}

impl Fault {
    /// Tells whether the fault leaves no response at all.
    pub(in crate::tape) fn is_before_the_response(&self) -> bool {
        self.end.is_some_and(|end| match end {
            End::Unresolved
            | End::Refused
            | End::ConnectTimeout
            | End::Tls
            | End::ResetBeforeHeaders
            | End::NoResponse
            | End::NotHttp => true,
            End::ResetAfterHeaders | End::TruncatedBody => false,
        })
    }

    /// The fault that brings a recorded failure about again; `None` for the host's own refusals.
    pub(in crate::tape) fn from_failure(error: &TransportError) -> Option<Self> {
        let end = match error {
            TransportError::Dns(_) => End::Unresolved,
            TransportError::ConnectionRefused(_) => End::Refused,
            TransportError::ConnectTimeout(_) => End::ConnectTimeout,
            TransportError::Tls(_) => End::Tls,
            TransportError::Closed(_) => End::ResetBeforeHeaders,
            TransportError::FirstByteTimeout(_) | TransportError::BodyTimeout(_) => End::NoResponse,
            TransportError::Protocol(_) => End::NotHttp,
            TransportError::Denied(_)
            // It says nothing of the far side, and where somebody works.
            | TransportError::Proxy(_)
            | TransportError::ProhibitedAddress(_)
            | TransportError::HeadTooLarge(_)
            | TransportError::Limit(_)
            | TransportError::TapeMiss(_) => return None,
        };
        Some(Self { end: Some(end), ..Self::default() })
    }

    /// The fault of a body that broke off after so many bytes.
    pub(in crate::tape) fn after(bytes: usize) -> Self {
        Self { end: Some(End::TruncatedBody), body_bytes: Some(bytes), ..Self::default() }
    }
}
