//! The address to which Google sends the browser after the consent.

use super::client::{ClientKind, OAuthClient};
use crate::base::error::{Error, Result, foreign};

/// The longest redirect URI, in bytes.
const MAX_BYTES: usize = 512;

/// A redirect URI that Google accepts for the client, and that a browser does not rewrite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectUri(String);

impl RedirectUri {
    /// Parses a redirect URI of a client: https, or http on a loopback address. What a browser would
    /// write otherwise (upper case, a default port, dot segments) is refused, for the callback is
    /// compared byte by byte. The second value warns.
    ///
    /// # Errors
    /// `invalid-input` of field `redirect_uri`.
    pub fn parse(text: &str, client: &OAuthClient) -> Result<(Self, Vec<String>)> {
        if text.len() > MAX_BYTES {
            return Err(bad("is longer than 512 bytes"));
        }
        let (rest, default_port, https) = match (text.strip_prefix("https://"), text.strip_prefix("http://"))
        {
            (Some(rest), _) => (rest, 443, true),
            (None, Some(rest)) => (rest, 80, false),
            (None, None) => return Err(bad("is neither an https nor an http URL")),
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (host, port) = match authority.strip_prefix("[::1]") {
            Some(port) => ("[::1]", port),
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        if host != "[::1]" && !is_host(host) {
            return Err(bad("has no plain, lower-case host (a user name is not allowed)"));
        }
        if !port.is_empty() && !port.strip_prefix(':').is_some_and(|port| is_port(port, default_port)) {
            return Err(bad("has a port that cannot be one, or the default one written out"));
        }
        if !is_path(path) {
            return Err(bad("has more than a plain path (no query, no fragment, no escapes)"));
        }
        let loopback = matches!(host, "127.0.0.1" | "[::1]" | "localhost");
        if !https && !loopback {
            return Err(bad("is http on a host that is not this machine").detail("host", host));
        }
        may_use(client, text, loopback && !https)?;
        let mut warnings = Vec::new();
        if !https && host == "localhost" {
            warnings.push(
                "the redirect URI names localhost, which may lead elsewhere: prefer 127.0.0.1 (RFC 8252, section 8.3)"
                    .to_owned(),
            );
        }
        Ok((Self(text.to_owned()), warnings))
    }

    /// The URI, exactly as Google knows it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The query of a URL that begins with this redirect URI. Browsers write an empty path as `/`.
    pub(super) fn query_of<'a>(&self, url: &'a str) -> Option<&'a str> {
        let rest = url.strip_prefix(&self.0)?;
        rest.strip_prefix('?').or_else(|| {
            let no_path = self.0.bytes().filter(|&b| b == b'/').count() == 2;
            rest.strip_prefix("/?").filter(|_| no_path)
        })
    }
}

/// Google's own rule, told before the browser opens on a dead end.
fn may_use(client: &OAuthClient, uri: &str, loopback_http: bool) -> Result<()> {
    if client.redirect_uris.iter().any(|listed| listed == uri) {
        return Ok(());
    }
    match client.kind {
        ClientKind::Installed if loopback_http => Ok(()),
        ClientKind::Installed => Err(bad("is not on a loopback address, and the OAuth client is a desktop app")
            .fix("use http://127.0.0.1:PORT, or an OAuth client of type Web application that lists this redirect URI")),
        ClientKind::Web => Err(bad("is not one that the web client lists, and Google refuses others (redirect_uri_mismatch)")
            .detail("listed", foreign(&client.redirect_uris.join(" ")))
            .fix("add it to the client's redirect URIs, character by character (Google Auth Platform, Clients), and give the client's JSON again; or use one that it lists; or an OAuth client of type Desktop app, which may use any loopback port")),
    }
}

/// A name or an IPv4 address, in lower case.
fn is_host(host: &str) -> bool {
    host.len() <= 253 && host.split('.').all(is_label)
}

/// One label of a domain, in lower case.
pub(super) fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_port(text: &str, default: u16) -> bool {
    let digits = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    digits && text.parse().is_ok_and(|port: u16| port != default)
}

/// Nothing that a browser rewrites or that two parsers read in two ways.
fn is_path(path: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~:@!$&+,;=".contains(&b);
    path.bytes().all(plain) && !path.split('/').any(|segment| matches!(segment, "." | ".."))
}

fn bad(what: &str) -> Error {
    Error::input("redirect_uri", format!("the redirect URI {what}")).fix(
        "use http://127.0.0.1:PORT for this machine, or the https address that the OAuth client lists, without query and fragment",
    )
}
