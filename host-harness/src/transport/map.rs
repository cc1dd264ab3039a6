//! Sending the requests for one https origin to a server on this machine instead.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use http::{Uri, uri::Scheme};

use crate::egress;

/// One `ORIGIN=URL` of the command line.
///
/// Only the target of the connection changes. The path, the query, the Host header and, if the target
/// speaks TLS, the name in its certificate stay those of the origin, so that a fake server can tell
/// for whom it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginRule {
    host: String,
    port: u16,
    target: Target,
}

/// The target of a mapped connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) tls: bool,
    pub(super) addresses: Vec<SocketAddr>,
}

/// The origins that are mapped, and their targets. Empty by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OriginMap {
    rules: Vec<OriginRule>,
}

/// The reason why a mapping was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// There is no `=`.
    #[error("{0:?} is not ORIGIN=URL, such as https://run.googleapis.com=http://127.0.0.1:8080")]
    Format(String),
    /// The left side is not exactly an https origin.
    #[error("{origin:?} is not an https origin: {reason}")]
    Origin {
        /// The left side.
        origin: String,
        /// The reason.
        reason: String,
    },
    /// The right side is not an http or https URL without a path.
    #[error("{url:?} cannot be mapped to: {reason}")]
    Target {
        /// The right side.
        url: String,
        /// The reason.
        reason: String,
    },
    /// The right side is on another machine.
    #[error("{0:?} is not on this machine: only 127.0.0.0/8, [::1] and localhost may be mapped to")]
    NotLoopback(String),
    /// The same origin is on the left side of two rules.
    #[error("{0} is mapped twice")]
    Twice(String),
}

impl OriginRule {
    /// Reads `ORIGIN=URL`, such as `https://run.googleapis.com=http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// [`MapError`], if the left side is not an https origin, or the right side is anything but an
    /// http or https URL of a loopback address without a path.
    pub fn parse(text: &str) -> Result<Self, MapError> {
        let (origin, url) = text.split_once('=').ok_or_else(|| MapError::Format(text.to_owned()))?;
        let (host, port) =
            parse_origin(origin).map_err(|reason| MapError::Origin { origin: origin.to_owned(), reason })?;
        Ok(Self { host, port, target: parse_target(url)? })
    }
}

impl FromStr for OriginRule {
    type Err = MapError;

    fn from_str(text: &str) -> Result<Self, MapError> {
        Self::parse(text)
    }
}

impl OriginMap {
    /// Collects rules.
    ///
    /// # Errors
    /// [`MapError::Twice`], if two rules have the same origin.
    pub fn new(rules: impl IntoIterator<Item = OriginRule>) -> Result<Self, MapError> {
        let mut map = Self::default();
        for rule in rules {
            if map.rules.iter().any(|earlier| earlier.host == rule.host && earlier.port == rule.port) {
                return Err(MapError::Twice(format!("https://{}:{}", rule.host, rule.port)));
            }
            map.rules.push(rule);
        }
        Ok(map)
    }

    /// Tells whether there are no rules.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The target of an https origin, if it is mapped.
    pub(super) fn target(&self, host: &str, port: u16) -> Option<&Target> {
        self.rules
            .iter()
            .find(|rule| rule.host.eq_ignore_ascii_case(host) && rule.port == port)
            .map(|rule| &rule.target)
    }
}

fn parse_origin(origin: &str) -> Result<(String, u16), String> {
    let (uri, port) = parse_bare(origin)?;
    if uri.scheme() != Some(&Scheme::HTTPS) {
        return Err("it must begin with https://".to_owned());
    }
    let host = uri.host().unwrap_or_default();
    egress::check_host_name(host)?;
    Ok((host.to_owned(), port))
}

fn parse_target(url: &str) -> Result<Target, MapError> {
    let (uri, port) = parse_bare(url).map_err(|reason| MapError::Target { url: url.to_owned(), reason })?;
    let host = uri.host().unwrap_or_default();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    // Never resolved: a resolver may answer "localhost" with something else.
    let ips = if host == "localhost" {
        vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
    } else {
        match bare.parse::<IpAddr>() {
            Ok(ip) if ip.is_loopback() => vec![ip],
            Ok(_) | Err(_) => return Err(MapError::NotLoopback(url.to_owned())),
        }
    };
    Ok(Target {
        tls: uri.scheme() == Some(&Scheme::HTTPS),
        addresses: ips.into_iter().map(|ip| SocketAddr::new(ip, port)).collect(),
    })
}

/// A URL with a scheme, a host and perhaps a port, and nothing else; and its port.
fn parse_bare(text: &str) -> Result<(Uri, u16), String> {
    // The parser drops a fragment without a word.
    if text.contains('#') {
        return Err("a fragment is not allowed".to_owned());
    }
    let uri: Uri = text.parse().map_err(|_| "it is not a URL".to_owned())?;
    let default_port = match uri.scheme_str() {
        Some("https") => 443,
        Some("http") => 80,
        Some(_) | None => return Err("it must begin with http:// or https://".to_owned()),
    };
    if uri.path() != "/" || uri.query().is_some() {
        return Err("a path or query is not allowed; the request keeps its own".to_owned());
    }
    let authority = uri.authority().ok_or("it has no host")?;
    if authority.as_str().contains('@') {
        return Err("a user name or password is not allowed".to_owned());
    }
    let port = if authority.as_str().len() == authority.host().len() {
        default_port
    } else {
        authority.port_u16().filter(|port| *port != 0).ok_or("the port is not within 1 to 65535")?
    };
    Ok((uri, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "https://cloudfunctions.googleapis.com";

    #[test]
    fn maps_an_https_origin_to_loopback() {
        let table: [(&str, bool, &[&str]); 6] = [
            ("http://127.0.0.1:8080", false, &["127.0.0.1:8080"]),
            ("http://127.0.0.1:8080/", false, &["127.0.0.1:8080"]),
            ("https://127.9.9.9", true, &["127.9.9.9:443"]),
            ("http://[::1]:65535", false, &["[::1]:65535"]),
            ("http://localhost", false, &["127.0.0.1:80", "[::1]:80"]),
            ("https://localhost:1", true, &["127.0.0.1:1", "[::1]:1"]),
        ];
        for (url, tls, addresses) in table {
            let map = OriginMap::new([format!("{ORIGIN}={url}").parse().unwrap()]).unwrap();
            let target = map.target("cloudfunctions.googleapis.com", 443).unwrap();
            let addresses: Vec<SocketAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
            assert_eq!(*target, Target { tls, addresses }, "{url}");
        }
    }

    #[test]
    fn maps_exactly_that_origin() {
        let rule = OriginRule::parse("https://fn.example.com:8443=http://127.0.0.1:1").unwrap();
        let map = OriginMap::new([rule]).unwrap();
        assert!(map.target("fn.example.com", 8443).is_some());
        assert!(map.target("FN.example.com", 8443).is_some());
        assert!(map.target("fn.example.com", 443).is_none());
        assert!(map.target("a.fn.example.com", 8443).is_none());
        assert!(OriginMap::default().target("fn.example.com", 8443).is_none());
    }

    #[test]
    fn refuses_a_left_side_that_is_not_an_https_origin() {
        for origin in [
            "",
            "cloudfunctions.googleapis.com",
            "http://cloudfunctions.googleapis.com",
            "ftp://cloudfunctions.googleapis.com",
            "https://cloudfunctions.googleapis.com/v2",
            "https://cloudfunctions.googleapis.com?a",
            "https://cloudfunctions.googleapis.com#a",
            "https://user@cloudfunctions.googleapis.com",
            "https://cloudfunctions.googleapis.com:0",
            "https://cloudfunctions.googleapis.com:65979",
            "https://cloudfunctions.googleapis.com:",
            "https://CloudFunctions.googleapis.com",
            "https://*.googleapis.com",
            "https://127.0.0.1",
            "https://[::1]",
        ] {
            let error = OriginRule::parse(&format!("{origin}=http://127.0.0.1:1")).expect_err(origin);
            assert!(matches!(error, MapError::Origin { .. }), "{origin}: {error}");
        }
    }

    #[test]
    fn refuses_a_right_side_that_is_not_a_bare_url() {
        for url in [
            "",
            "127.0.0.1:8080",
            "ftp://127.0.0.1",
            "http://",
            "http://127.0.0.1:8080/base",
            "http://127.0.0.1:8080?a=b",
            "http://127.0.0.1:8080#a",
            "http://user:password@127.0.0.1:8080",
            "http://127.0.0.1:0",
            "http://127.0.0.1:80800",
        ] {
            let error = OriginRule::parse(&format!("{ORIGIN}={url}")).expect_err(url);
            assert!(matches!(error, MapError::Target { .. }), "{url}: {error}");
        }
        assert!(matches!(OriginRule::parse(ORIGIN), Err(MapError::Format(_))));
    }

    #[test]
    fn refuses_another_machine() {
        for url in [
            "http://10.0.0.1:8080",
            "http://0.0.0.0:8080",
            "http://169.254.169.254",
            "http://192.168.1.1",
            "http://8.8.8.8",
            "http://[::]:8080",
            "http://[::ffff:127.0.0.1]:8080",
            "http://[fd20:ce::254]",
            "http://127.1:8080",
            "http://2130706433",
            "http://localhost.evil.com",
            "http://localhost.",
            "http://example.com",
        ] {
            let error = OriginRule::parse(&format!("{ORIGIN}={url}")).expect_err(url);
            assert_eq!(error, MapError::NotLoopback(url.to_owned()));
        }
    }

    #[test]
    fn refuses_the_same_origin_twice() {
        let rule = |url: &str| OriginRule::parse(&format!("{ORIGIN}={url}")).unwrap();
        let error = OriginMap::new([rule("http://127.0.0.1:1"), rule("http://127.0.0.1:2")]).unwrap_err();
        assert_eq!(error, MapError::Twice(format!("{ORIGIN}:443")));
    }
}
