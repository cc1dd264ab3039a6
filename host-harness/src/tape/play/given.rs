//! Tokens that a server has given out in this process, told from those that only a tape has.

use std::{
    collections::HashSet,
    fmt, mem,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{StatusCode, Uri, header};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::tape::{
    bounds::is_lavish,
    file::format::Interaction,
    hide::{
        inflate,
        scan::{self, Found},
    },
    shared::locked,
};
use crate::{
    secrets::Passes,
    transport::{Body, Sending, Timeouts, Transport, TransportError},
};

/// The hosts that give out the tokens which the component keeps.
const ISSUERS: [&str; 3] = ["iamcredentials.googleapis.com", "oauth2.googleapis.com", "sts.googleapis.com"];

/// The names that a token has in their answers.
const TOKENS: [&str; 5] = ["access_token", "accessToken", "id_token", "refresh_token", "token"];

/// The longest answer that is looked into; one with tokens has a few KiB.
const LONGEST: usize = 256 << 10;

/// Tokens by their digest. Clones share them.
#[derive(Clone, Default)]
pub(in crate::tape) struct GivenOut(Arc<Mutex<HashSet<[u8; 32]>>>);

impl GivenOut {
    /// A transport that learns the tokens which come through `network`.
    pub(in crate::tape) fn through(&self, network: Arc<dyn Transport>) -> Arc<dyn Transport> {
        Arc::new(Learning { network, given: self.clone() })
    }

    fn learn(&self, answer: &[u8]) {
        if is_lavish(answer) {
            return;
        }
        let Ok(Value::Object(fields)) = serde_json::from_slice(answer) else { return };
        let tokens = TOKENS.iter().filter_map(|name| fields.get(*name)?.as_str());
        locked(&self.0).extend(tokens.map(digest));
    }

    fn has(&self, text: &str) -> bool {
        locked(&self.0).contains(&digest(text))
    }
}

impl fmt::Debug for GivenOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GivenOut").field("tokens", &locked(&self.0).len()).finish()
    }
}

impl Passes for GivenOut {
    /// Tells whether a value holds a token that was given out, and beside it only what the entry has already:
    /// nothing that an answer of a tape could have brought.
    fn passes(&self, key: &str, value: &str, beneath: Option<&str>) -> bool {
        if !key.starts_with("tokens/") && !key.starts_with("credentials/") || is_of_a_tape(value) {
            return false;
        }
        let Ok(fields @ Value::Object(_)) = serde_json::from_str::<Value>(value) else { return false };
        let beneath = beneath.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
        let (mut new, mut old) = (Vec::new(), Vec::new());
        texts(&fields, &mut new);
        texts(&beneath, &mut old);
        let old: HashSet<&str> = old.into_iter().collect();
        new.iter().any(|text| self.has(text))
            && new.iter().all(|text| text.is_empty() || old.contains(text) || self.has(text))
    }
}

/// Tells whether an answer of a tape would be taken for a token. Any other answer of such a host, a refusal
/// or that a grant is revoked, the tape may give in its place.
pub(in crate::tape) fn grants(uri: &Uri, interaction: &Interaction) -> bool {
    let succeeded =
        interaction.response.as_ref().is_some_and(|response| (200..300).contains(&response.status));
    succeeded && is_issuer(uri) && uri.path() != "/revoke"
}

fn is_issuer(uri: &Uri) -> bool {
    uri.host().is_some_and(|host| ISSUERS.iter().any(|issuer| host.eq_ignore_ascii_case(issuer)))
}

/// Tells whether a text has a placeholder, or a token that lost its signature.
fn is_of_a_tape(text: &str) -> bool {
    let bytes = text.as_bytes();
    scan::shapes(bytes).any(|(at, found): (usize, Found<'_>)| match found {
        Found::Placeholder { .. } => true,
        Found::Jwt { signature, len } => {
            [&b""[..], scan::NO_SIGNATURE.as_bytes()].contains(&&bytes[at + signature..at + len])
        }
        Found::Secret { .. } => false,
    })
}

fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.values().for_each(|value| texts(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

#[derive(Debug)]
struct Learning {
    network: Arc<dyn Transport>,
    given: GivenOut,
}

impl Transport for Learning {
    fn send(&self, request: http::Request<Body>, timeouts: Timeouts) -> Sending {
        if !is_issuer(request.uri()) {
            return self.network.send(request, timeouts);
        }
        let (given, sending) = (self.given.clone(), self.network.send(request, timeouts));
        Box::pin(async move {
            let (parts, body) = sending.await?.into_parts();
            if parts.status != StatusCode::OK {
                return Ok(http::Response::from_parts(parts, body));
            }
            let encoding = parts.headers.get(header::CONTENT_ENCODING);
            let encoding = encoding.map(|encoding| encoding.to_str().unwrap_or_default().to_owned());
            let body = Copied { body, copy: Some(Vec::new()), encoding, given };
            Ok(http::Response::from_parts(parts, body.boxed_unsync()))
        })
    }
}

/// An answer on its way to its reader. Its tokens are learned before the reader has seen its end.
struct Copied {
    body: Body,
    /// The bytes so far; `None` once they are learned, or too many.
    copy: Option<Vec<u8>>,
    encoding: Option<String>,
    given: GivenOut,
}

impl Copied {
    fn take(&mut self, data: &[u8]) {
        self.copy = mem::take(&mut self.copy).filter(|copy| copy.len() + data.len() <= LONGEST);
        if let Some(copy) = &mut self.copy {
            copy.extend_from_slice(data);
        }
    }

    fn learn(&mut self) {
        let Some(copy) = self.copy.take() else { return };
        match &self.encoding {
            None => self.given.learn(&copy),
            Some(encoding) => {
                if let Some(plain) = inflate::content(encoding, &copy) {
                    self.given.learn(&plain);
                }
            }
        }
    }
}

impl http_body::Body for Copied {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => self.take(frame.data_ref().map_or(&[][..], |data| data)),
            // An answer that broke off grants nothing.
            Some(Err(_)) => self.copy = None,
            None => {}
        }
        if frame.is_none() || self.body.is_end_stream() {
            self.learn();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
