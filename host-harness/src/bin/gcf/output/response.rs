//! Answers of functions and of APIs, for people and for pipes.

use gcf_host::wit::{
    Case as _,
    types::{ResponseHeader, TokenKind},
};
use http::StatusCode;
use serde_json::Value;

use super::{
    json,
    shown::Shown,
    style::{Look, block, plain},
};

/// The status of an answer with its name, such as `200 OK`.
fn status_line(status: u16) -> String {
    match StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()) {
        Some(reason) => format!("{status} {reason}"),
        None => status.to_string(),
    }
}

/// The token that a request carried.
pub(crate) fn carried(token: TokenKind) -> String {
    match token {
        TokenKind::None => "no credential".to_owned(),
        TokenKind::AccessToken
        | TokenKind::IdToken
        | TokenKind::Assertion
        | TokenKind::Grant
        | TokenKind::Injected
        | TokenKind::Other => token.name().to_owned(),
    }
}

/// An answer: its status and token, then its headers if they are to be included, then its body.
pub(crate) fn show(
    status: u16,
    headers: &[ResponseHeader],
    body: &[u8],
    include: bool,
    look: Look,
    carried: &str,
) -> Shown {
    let line = status_line(status);
    let before = if (200..300).contains(&status) { look.err.good(&line) } else { look.err.warning(&line) };
    let mut shown = Shown { before: format!("{before}  {}\n", look.err.dim(carried)), ..Shown::default() };
    if include {
        shown.result.extend(format!("HTTP {line}\n").bytes());
        for header in headers {
            shown.result.extend(plain(&header.name).bytes());
            shown.result.extend(b": ");
            if look.terminal {
                shown.result.extend(plain(&String::from_utf8_lossy(&header.value)).bytes());
            } else {
                shown.result.extend(&header.value);
            }
            shown.result.push(b'\n');
        }
        shown.result.push(b'\n');
    }
    if !look.terminal {
        shown.result.extend(body);
        return shown;
    }
    match readable(headers, body) {
        Some(text) => {
            shown.result.extend(text.bytes());
            if !text.is_empty() && !text.ends_with('\n') {
                shown.result.push(b'\n');
            }
        }
        None => {
            shown.after +=
                &format!("{} bytes that are not text; send them to a file with > FILE\n", body.len());
        }
    }
    shown
}

/// An answer that is to be a failure: all of it to stderr, so that nobody takes it for a result.
pub(crate) fn show_failure(
    status: u16,
    headers: &[ResponseHeader],
    body: &[u8],
    include: bool,
    look: Look,
    carried: &str,
) -> Shown {
    // For people, whatever stdout is.
    let look = Look { terminal: true, ..look };
    let Shown { before, result, after } = show(status, headers, body, include, look, carried);
    let mut shown = Shown { before: before + &String::from_utf8_lossy(&result), result: Vec::new(), after };
    if !(200..300).contains(&status) {
        let line = status_line(status);
        shown.after += &format!("{} the answer is {line}, and not 2xx\n", look.err.error("error:"));
    }
    shown
}

/// A line for what the component sees in an answer.
pub(crate) fn diagnosis(diagnosis: Option<&str>, look: Look) -> String {
    diagnosis.map_or_else(String::new, |diagnosis| {
        format!("{} {}\n", look.err.warning("diagnosis:"), plain(diagnosis))
    })
}

/// The body as a person reads it; `None` if it is not text.
fn readable(headers: &[ResponseHeader], body: &[u8]) -> Option<String> {
    if json::says_json(headers)
        && let Ok(value) = serde_json::from_slice::<Value>(body)
    {
        return Some(block(&format!("{value:#}")).into_owned());
    }
    let text = str::from_utf8(body).ok().filter(|text| !text.contains('\0'))?;
    Some(block(&text.replace("\r\n", "\n")).into_owned())
}
