//! A request before its body.

use gcf_front::Failure;

use crate::Reply;

/// The head of a request.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// The headers, as they came.
    pub headers: &'a [(String, Vec<u8>)],
}

impl<'a> Head<'a> {
    /// The path, without the query.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.target.split_once('?').map_or(self.target, |(path, _)| path)
    }

    /// The query; empty if there is none.
    #[must_use]
    pub fn query(&self) -> &'a str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// The value of a header. One that stands twice is none: which of the two is meant cannot be told.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        let mut values = self.values(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// Tells whether a header is there at all.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let values = self.headers.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name));
        values.map(|(_, value)| value.as_slice())
    }

    /// Refuses other methods.
    ///
    /// # Errors
    /// 405.
    pub fn allow(&self, methods: &[&str]) -> Result<(), Reply> {
        if methods.contains(&self.method) {
            return Ok(());
        }
        let allowed = methods.join(", ");
        let why = format!("the method is not {}", methods.join(" or "));
        let reply = Reply::failure(405, Failure::invalid("method", &why, &format!("use {}", methods[0])));
        Err(reply.with("allow", &allowed))
    }

    /// Refuses what is not JSON: a page in a browser can send anything else to any address, without being asked.
    ///
    /// # Errors
    /// 415.
    pub fn is_json(&self) -> Result<(), Reply> {
        let media_type = self.header("content-type").unwrap_or_default().split(|byte| *byte == b';').next();
        if media_type.is_some_and(|text| text.trim_ascii().eq_ignore_ascii_case(b"application/json")) {
            return Ok(());
        }
        let fix = "send `content-type: application/json`";
        Err(Reply::failure(415, Failure::invalid("content-type", "the body is not JSON", fix)))
    }

    /// Refuses a body that says of itself that it is longer.
    ///
    /// # Errors
    /// 413.
    pub fn fits(&self, limit: u64) -> Result<(), Reply> {
        let length = self.header("content-length");
        let length: Option<u64> = length.and_then(|length| std::str::from_utf8(length).ok()?.parse().ok());
        if length.is_some_and(|length| length > limit) { Err(Reply::too_long(limit)) } else { Ok(()) }
    }
}
