//! An answer.

use gcf_front::Failure;
use serde_json::Value;

/// An answer to a request.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(&'static str, String)>,
    /// The body, as text.
    pub body: String,
}

impl Reply {
    /// An answer without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }.with("cache-control", "no-store")
    }

    /// JSON that nobody keeps.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self { body: body.to_string(), ..Self::empty(status) }.with("content-type", "application/json")
    }

    /// An error, with the time to wait as a header too: in whole seconds, and never too early.
    #[must_use]
    pub fn failure(status: u16, failure: Failure) -> Self {
        let wait = failure.error().retry_after_ms.map(|millis| millis.div_ceil(1000));
        let reply = Self::json(status, &failure.into_json());
        match wait {
            Some(seconds) => reply.with("retry-after", &seconds.to_string()),
            None => reply,
        }
    }

    /// The answer to a body of more bytes than it may have.
    #[must_use]
    pub fn too_long(limit: u64) -> Self {
        Self::failure(413, Failure::too_long(limit))
    }

    /// The answer to a body that did not arrive whole.
    #[must_use]
    pub fn cut_short() -> Self {
        Self::failure(400, Failure::invalid("", "the body did not arrive whole", "send it again"))
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The answer as a method gets it: to `HEAD` there is no body (RFC 9110, section 9.3.2).
    #[must_use]
    pub fn to(self, method: &str) -> Self {
        if method == "HEAD" { Self { body: String::new(), ..self } } else { self }
    }
}
