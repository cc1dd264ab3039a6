//! Multipart bodies, taken apart: their boundary is drawn anew each time, and is not part of the message.

use std::collections::BTreeMap;

use memchr::memmem;

use crate::tape::{file::format::RecordedBody, same::request::Comparable};

/// One part.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tape) struct Part {
    pub(in crate::tape) headers: BTreeMap<String, String>,
    pub(in crate::tape) body: Option<RecordedBody>,
}

impl Part {
    pub(in crate::tape) fn describe(&self) -> String {
        let length = self.body.as_ref().map_or(0, |body| body.to_bytes().len());
        let named = self.headers.get("content-disposition").map_or("a part", String::as_str);
        format!("{named} of {length} bytes")
    }
}

/// The boundary that a content type names, if it is one of multipart.
pub(in crate::tape) fn boundary(content_type: &str) -> Option<&str> {
    let (media, parameters) = content_type.split_once(';')?;
    if !media.trim().to_ascii_lowercase().starts_with("multipart/") {
        return None;
    }
    let value = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then_some(value.trim())
    })?;
    Some(value.trim_matches('"')).filter(|boundary| !boundary.is_empty())
}

/// The parts of a request's body; `None` if the body is not multipart, or broken.
pub(in crate::tape) fn parts(request: &Comparable) -> Option<Vec<Part>> {
    let boundary = boundary(request.headers.get("content-type")?)?;
    let bytes = request.body.as_ref()?.to_bytes();
    let opening = format!("--{boundary}");
    let between = format!("\r\n--{boundary}");
    let mut rest = bytes.strip_prefix(opening.as_bytes())?;
    let mut parts = Vec::new();
    while let Some(inner) = rest.strip_prefix(b"\r\n") {
        let end = memmem::find(inner, between.as_bytes())?;
        parts.push(part(&inner[..end])?);
        rest = &inner[end + between.len()..];
    }
    rest.starts_with(b"--").then_some(parts)
}

fn part(bytes: &[u8]) -> Option<Part> {
    let (head, body) = match bytes.strip_prefix(b"\r\n") {
        Some(body) => (&bytes[..0], body),
        None => {
            let end = memmem::find(bytes, b"\r\n\r\n")?;
            (&bytes[..end], &bytes[end + 4..])
        }
    };
    let headers: BTreeMap<String, String> = std::str::from_utf8(head)
        .ok()?
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let content_type = headers.get("content-type").map_or("text/plain", String::as_str);
    let body = RecordedBody::classify(content_type, body);
    Some(Part { headers, body })
}
