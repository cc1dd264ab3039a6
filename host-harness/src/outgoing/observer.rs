//! The events that an embedder may watch: each request of a call, as it is sent and as its answer begins.

use std::{sync::Arc, time::Duration};

use crate::{egress::Carried, transport::TransportError};

/// Called for each [`RequestEvent`], from whichever thread the request is on; it must return soon.
pub type Observer = Arc<dyn Fn(&RequestEvent) + Send + Sync>;

/// An event of one request. It holds no header, no body and no query, and so no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestEvent {
    /// The request's number in the call, from 1; 0 for one that was refused before it was sent.
    pub number: u32,
    /// The method.
    pub method: http::Method,
    /// Scheme, host and path. The query is left out.
    pub url: String,
    /// The kind of credential that it carries.
    pub token: Carried,
    /// The event.
    pub stage: Stage,
}

/// The events in the life of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// It was handed to the transport.
    Sent,
    /// The head of the response is there.
    Answered {
        /// The status of the response.
        status: http::StatusCode,
        /// The time since the request was sent.
        elapsed: Duration,
    },
    /// There will be no response.
    Failed {
        /// The reason.
        error: TransportError,
        /// The time since the request was sent.
        elapsed: Duration,
    },
}

/// Reports on one request, if anybody wants to know.
pub(crate) struct Watch(Option<(Observer, RequestEvent)>);

impl Watch {
    pub(crate) fn new(
        observer: Option<Observer>,
        request: &http::request::Parts,
        token: impl FnOnce() -> Carried,
    ) -> Self {
        Self(observer.map(|observer| {
            let (method, url) = (request.method.clone(), without_query(&request.uri));
            (observer, RequestEvent { number: 0, method, url, token: token(), stage: Stage::Sent })
        }))
    }

    pub(crate) fn report(&self, number: u32, stage: Stage) {
        if let Some((observer, event)) = &self.0 {
            observer(&RequestEvent { number, stage, ..event.clone() });
        }
    }

    /// Notes that the host adds an access token of its own.
    pub(crate) fn injected(&mut self) {
        if let Some((_, event)) = &mut self.0 {
            event.token = Carried::Injected;
        }
    }
}

/// The URL as scheme, host, port and path; the text before an `@` may be a password, and goes as well.
fn without_query(uri: &http::Uri) -> String {
    let scheme = uri.scheme_str().unwrap_or("https");
    let host = uri.host().unwrap_or_default();
    let port = uri.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{scheme}://{host}{port}{}", uri.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_query_and_password() {
        for (given, shown) in [
            ("https://run.googleapis.com/v2/a?key=x", "https://run.googleapis.com/v2/a"),
            ("https://user:secret@evil.example:8443/p?q", "https://evil.example:8443/p"),
            ("http://localhost/", "http://localhost/"),
        ] {
            assert_eq!(without_query(&given.parse().unwrap()), shown);
        }
    }
}
