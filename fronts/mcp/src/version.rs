//! The versions of the protocol. Since 2026-07-28 every request says its version by itself, in `_meta` and in a header; those
//! before began with a handshake, after which a header says what was agreed on.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gcf_front_web::Head;
use serde_json::{Value, json};

use crate::message::{Fault, Request};

/// The version without a handshake.
pub(crate) const MODERN: &str = "2026-07-28";

/// The versions with a handshake, latest first. 2025-03-26 is none of them: it has batches.
pub(crate) const LEGACY: [&str; 2] = ["2025-11-25", "2025-06-18"];

const META: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// The headers that say what a message says too.
#[derive(Default)]
pub(crate) struct Headers {
    pub(crate) version: Option<String>,
    pub(crate) method: Option<String>,
    pub(crate) name: Option<String>,
}

impl Headers {
    pub(crate) fn new(head: &Head<'_>) -> Self {
        let text = |name: &str| {
            let value = head.header(name)?;
            std::str::from_utf8(value).ok().map(str::to_owned)
        };
        Self { version: text("mcp-protocol-version"), method: text("mcp-method"), name: text("mcp-name") }
    }
}

/// The shape of a request and of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Era {
    /// 2026-07-28.
    Modern,
    /// After a handshake.
    Legacy,
}

/// Tells which a request is of, and refuses one that does not say, says two things, or says what is not known here.
pub(crate) fn era(request: &Request, headers: &Headers) -> Result<Era, Fault> {
    let meta = &request.params["_meta"];
    let version = headers.version.as_deref();
    match (meta.get(META), version) {
        (None, _) if request.method == "initialize" => Ok(Era::Legacy),
        (None, Some(version)) if LEGACY.contains(&version) => Ok(Era::Legacy),
        (None, None) => Err(mismatch("MCP-Protocol-Version is missing")),
        (None, Some(MODERN)) => Err(Fault::params(format!("_meta has no {META}"))),
        (None, Some(version)) => Err(unsupported(version)),
        (Some(meta_version), _) => {
            if meta_version.as_str() != version {
                return Err(mismatch("MCP-Protocol-Version is not what _meta says"));
            }
            if version != Some(MODERN) {
                return Err(unsupported(version.unwrap_or_default()));
            }
            if !meta[CAPABILITIES].is_object() {
                return Err(Fault::params(format!("_meta has no {CAPABILITIES}")));
            }
            says_the_same(request, headers).map(|()| Era::Modern)
        }
    }
}

/// Refuses a message that something on the way has read as another one, by its headers.
fn says_the_same(request: &Request, headers: &Headers) -> Result<(), Fault> {
    if headers.method.as_deref() != Some(&request.method) {
        return Err(mismatch("Mcp-Method is not the method"));
    }
    if request.method == "tools/call" {
        let name = headers.name.as_deref().and_then(decoded);
        if name.is_none() || name.as_deref() != request.params["name"].as_str() {
            return Err(mismatch("Mcp-Name is not the name of the tool"));
        }
    }
    Ok(())
}

/// The value of a header that may be in base64, between marks.
fn decoded(value: &str) -> Option<String> {
    match value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) {
        None => Some(value.to_owned()),
        Some(text) => String::from_utf8(STANDARD.decode(text).ok()?).ok(),
    }
}

/// The version that a handshake agrees on.
pub(crate) fn agreed(asked: &Value) -> &'static str {
    LEGACY.into_iter().find(|version| asked == version).unwrap_or(LEGACY[0])
}

/// Refuses a notification of a version that is not known here; one without a version is taken.
pub(crate) fn is_known(headers: &Headers) -> Result<(), Fault> {
    match headers.version.as_deref() {
        Some(version) if version != MODERN && !LEGACY.contains(&version) => Err(unsupported(version)),
        Some(_) | None => Ok(()),
    }
}

fn mismatch(why: &str) -> Fault {
    Fault { code: -32020, message: why.to_owned(), data: None }
}

fn unsupported(version: &str) -> Fault {
    let mut supported = vec![MODERN];
    supported.extend(LEGACY);
    let data = json!({ "supported": supported, "requested": gcf_front::shortened(version) });
    Fault { code: -32022, message: "Unsupported protocol version".to_owned(), data: Some(data) }
}
