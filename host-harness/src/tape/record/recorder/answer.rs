//! A response as it came, and in the form of a tape.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header, response};
use tokio::time::Instant;

use crate::{
    error::Limit,
    limits::account::{Account, Held},
    tape::{
        bounds::{MAX_BODY, is_lavish},
        file::{
            fault::Fault,
            format::{RecordedBody, RecordedResponse},
        },
        hide::{inflate, redact::Redactor, rename::Aliases},
        same::request::{begins_json, content_type, has_names_beyond_reach, text_headers},
    },
};

/// A response, and as much of its body as has come.
pub(super) struct Answer {
    method: Method,
    status: StatusCode,
    headers: HeaderMap,
    pub(super) head: Instant,
    pub(super) done: Instant,
    /// The body so far; empty once there is more than is kept.
    bytes: Vec<u8>,
    held: Option<Held>,
    room: Arc<Account>,
    length: usize,
    /// The reason why the body is not kept.
    dropped: Option<&'static str>,
    end: End,
}

/// The ways in which a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Whole,
    /// The network failed.
    BrokeOff,
    /// Its reader left.
    Left,
}

/// The part of a response that comes onto the tape.
pub(super) struct Recorded {
    pub(super) response: RecordedResponse,
    pub(super) fault: Option<Fault>,
    pub(super) note: Option<String>,
}

impl Answer {
    pub(super) fn begin(method: Method, parts: &response::Parts, room: Arc<Account>) -> Self {
        let (status, headers) = (parts.status, parts.headers.clone());
        let now = Instant::now();
        Self {
            method,
            status,
            headers,
            head: now,
            done: now,
            bytes: Vec::new(),
            held: None,
            room,
            length: 0,
            dropped: None,
            end: End::Left,
        }
    }

    pub(super) fn take(&mut self, data: &Bytes) {
        self.length += data.len();
        if self.dropped.is_some() {
            return;
        }
        if self.length > MAX_BODY {
            self.drop_body("the body was longer than is kept");
        } else if self.hold().is_err() {
            self.drop_body("the exchanges under way left no room for the body");
        } else {
            self.bytes.extend_from_slice(data);
        }
    }

    fn hold(&mut self) -> Result<(), Limit> {
        match &mut self.held {
            Some(held) => held.resize(self.length)?,
            None => self.held = Some(self.room.hold(self.length)?),
        }
        Ok(())
    }

    fn drop_body(&mut self, why: &'static str) {
        (self.bytes, self.held, self.dropped) = (Vec::new(), None, Some(why));
    }

    /// Notes that all of the body has come.
    pub(super) fn is_over(&mut self) {
        self.end = End::Whole;
    }

    /// Ends the answer. One that its reader has left is kept if it was over, and short: nobody waits for its
    /// search.
    pub(super) fn ended(mut self, end: End) -> Self {
        self.done = Instant::now();
        match end {
            End::Left if self.end == End::Whole && self.bytes.len() <= SHORT => {}
            End::Left => {
                self.end = End::Left;
                self.drop_body("its reader left");
            }
            End::Whole | End::BrokeOff => self.end = end,
        }
        self
    }

    pub(super) fn record(self, url: &str, redactor: &mut Redactor, aliases: &Aliases) -> Recorded {
        let mut headers = recorded_headers(&self.headers, redactor);
        let body = match (self.end, self.dropped) {
            (_, Some(why)) => Err(why),
            (End::Left, None) => Err("its reader left"),
            (End::BrokeOff, None) => Ok((self.beginning(url, redactor), false)),
            (End::Whole, None) => self.body(url, redactor, aliases),
        };
        let cut = |bytes| Some(Fault::after(bytes));
        // An unfinished search would leave only a placeholder, and the reader has left.
        let body = if redactor.is_given_up() { Err("its reader left") } else { body };
        let (body, fault, note) = match body {
            Ok((body, decoded)) => {
                if decoded {
                    headers.retain(|(name, _)| name != "content-encoding");
                }
                (body, if self.end == End::BrokeOff { cut(self.length) } else { None }, None)
            }
            Err(why) => (None, cut(self.length), Some(not_kept(why, self.length))),
        };
        let mut response = RecordedResponse { status: self.status.as_u16(), headers, body };
        aliases.in_response(&mut response);
        // To HEAD, the length is that of another answer.
        if fault.is_none() && self.method != Method::HEAD {
            response.correct_length();
        }
        Recorded { response, fault, note }
    }

    /// A whole body, and whether its encoding was taken off.
    fn body(
        &self,
        url: &str,
        redactor: &mut Redactor,
        aliases: &Aliases,
    ) -> Result<(Option<RecordedBody>, bool), &'static str> {
        if self.bytes.is_empty() {
            return Ok((None, false));
        }
        let media = content_type(&self.headers);
        let mut encodings = self.headers.get_all(header::CONTENT_ENCODING).iter();
        let (encoding, another) = (encodings.next(), encodings.next());
        let Some(encoding) = encoding else {
            return Ok((recorded_body(url, media, &self.bytes, redactor)?.0, false));
        };
        let encoding = encoding.to_str().ok().filter(|_| another.is_none());
        let Some(plain) = encoding.and_then(|encoding| inflate::content(encoding, &self.bytes)) else {
            return Ok((Some(redactor.unreadable(&self.bytes)), true));
        };
        // It is cut off there.
        if plain.len() >= MAX_BODY {
            return Err("the body is longer than is kept, decompressed");
        }
        // Only here do its fields have names.
        let (body, changed) = recorded_body(url, media, &plain, redactor)?;
        if changed || redactor.finds_in(&plain) || aliases.name(&plain) {
            return Ok((body, true));
        }
        drop((body, plain));
        Ok((recorded_body(url, media, &self.bytes, redactor)?.0, false))
    }

    /// The beginning of a body that broke off. Of JSON nothing is kept: unless it is whole, its fields have
    /// no names that could give a secret away.
    fn beginning(&self, url: &str, redactor: &mut Redactor) -> Option<RecordedBody> {
        let media = content_type(&self.headers);
        let nameless = begins_json(&self.bytes) || media.contains("json");
        if self.bytes.is_empty() {
            None
        } else if nameless || self.headers.contains_key(header::CONTENT_ENCODING) {
            Some(redactor.unreadable(&self.bytes))
        } else {
            recorded_body(url, media, &self.bytes, redactor).map(|(body, _)| body).unwrap_or_default()
        }
    }
}

/// The note on an exchange that is on a tape with its head alone.
pub(super) fn not_kept(why: &str, length: usize) -> String {
    format!("{why}: {length} bytes had come, and none of them is on the tape")
}

/// Headers of one connection; a replay has none.
const OF_THE_CONNECTION: [&str; 3] = ["alt-svc", "connection", "transfer-encoding"];

fn recorded_headers(headers: &HeaderMap, redactor: &mut Redactor) -> Vec<(String, String)> {
    text_headers(headers)
        .filter(|(name, _)| !OF_THE_CONNECTION.contains(&name.as_str()))
        .map(|(name, value)| {
            let value = redactor.header(&name, &value);
            (name, value)
        })
        .collect()
}

/// JSON is stored as such if that loses nothing: Google's may be laid out anew, a function's may not, unless
/// a secret has to come out of it. The flag tells whether one had to.
fn recorded_body(
    url: &str,
    media: &str,
    bytes: &[u8],
    redactor: &mut Redactor,
) -> Result<(Option<RecordedBody>, bool), &'static str> {
    if has_names_beyond_reach(media, bytes) {
        return Err("the body has more values, or deeper ones, than are taken apart");
    }
    if begins_json(bytes)
        && is_lavish(bytes)
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        // Only in objects do secrets have names.
        let shown = redactor.text(text);
        let changed = shown != text;
        return Ok((Some(RecordedBody::Text(shown)), changed));
    }
    let Some(body) = RecordedBody::classify(media, bytes) else { return Ok((None, false)) };
    let googles = url
        .parse::<http::Uri>()
        .is_ok_and(|uri| uri.host().is_some_and(|host| host.ends_with(".googleapis.com")));
    let laid_out = !googles && body.to_bytes() != bytes;
    if laid_out
        && let (RecordedBody::Json(value), Ok(text)) = (&body, std::str::from_utf8(bytes))
        && redactor.is_clean_json(text, value)
    {
        return Ok((Some(RecordedBody::Text(text.to_owned())), false));
    }
    let redacted = redactor.body(&body);
    let changed = redacted != body;
    if !laid_out || changed {
        return Ok((Some(redacted), changed));
    }
    // A secret is in the text, and in none of its fields.
    drop((body, redacted));
    let shown = redactor.body(&RecordedBody::Text(String::from_utf8_lossy(bytes).into_owned()));
    let changed = shown.to_bytes() != bytes;
    Ok((Some(shown), changed))
}

/// The length that can be searched in passing.
const SHORT: usize = 64 << 10;
