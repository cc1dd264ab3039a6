//! Requests and responses as values, and where they go.

use crate::{
    contract::{Result, StoreError},
    settings::Settings,
};

/// A request to a store's server. It holds credentials, and cannot be printed.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The server.
    pub origin: Origin,
    /// The path with its query, from the origin on.
    pub path: String,
    /// The headers, but for the length.
    pub headers: Vec<(&'static str, String)>,
    /// The body, which is JSON if it is not empty.
    pub body: Vec<u8>,
    /// The bytes of the largest response that is read.
    pub max_response: usize,
}

/// The methods that the servers know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Does.
    Post,
}

/// A response, whole.
#[derive(Clone)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// The reason why no whole response came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpFailure {
    /// The host does not let it out.
    Denied,
    /// No connection could be made.
    Unreachable,
    /// The time ran out.
    Timeout,
    /// The response is larger than any that belongs to the question.
    TooLarge,
    /// The connection broke.
    Broken,
}

impl HttpFailure {
    /// The error of the contract, for a server of this name.
    #[must_use]
    pub fn of(self, server: &str) -> StoreError {
        match self {
            Self::Denied => StoreError::other(format!("the host lets no request out to {server}")),
            Self::Unreachable => StoreError::unavailable(format!("{server} cannot be reached")),
            Self::Timeout => StoreError::unavailable(format!("{server} took too long")),
            Self::TooLarge => StoreError::other(format!("the answer of {server} is too large")),
            Self::Broken => StoreError::unavailable(format!("the connection to {server} broke")),
        }
    }
}

/// The place of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// True for https.
    pub is_tls: bool,
    /// The name or address, and the port if it is another than usual.
    pub authority: String,
    /// The path before every other, without a slash at its end; mostly nothing.
    pub base: String,
}

impl Origin {
    /// Reads the URL of a server.
    ///
    /// # Errors
    /// [`StoreError::Other`] if it is none, or would carry credentials in clear text over a network.
    pub fn from_settings(settings: &Settings, name: &str) -> Result<Self> {
        let origin = Self::parse(settings.need(name)?)
            .ok_or_else(|| StoreError::other(format!("{name} is not the https URL of a server")))?;
        if origin.is_tls || origin.is_loopback() || settings.is_set(CLEAR_TEXT)? {
            return Ok(origin);
        }
        Err(StoreError::other(format!(
            "{name} is http, which whoever is between can read: make it https, or set {CLEAR_TEXT} to `yes`"
        )))
    }

    fn parse(url: &str) -> Option<Self> {
        let (is_tls, rest) = match url.strip_prefix("https://") {
            Some(rest) => (true, rest),
            None => (false, url.strip_prefix("http://")?),
        };
        let rest = rest.trim_end_matches('/');
        let (authority, base) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let in_authority = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
        let in_path = |byte: u8| byte.is_ascii_alphanumeric() || b"_-/".contains(&byte);
        let is_good =
            !authority.is_empty() && authority.bytes().all(in_authority) && base.bytes().all(in_path);
        is_good.then(|| Self { is_tls, authority: authority.to_owned(), base: base.to_owned() })
    }

    fn is_loopback(&self) -> bool {
        let host = match self.authority.strip_prefix('[') {
            Some(rest) => rest.split(']').next(),
            None => self.authority.split(':').next(),
        };
        let host = host.unwrap_or_default();
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

const CLEAR_TEXT: &str = "GCF_STORE_CLEAR_TEXT_HTTP";

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(url: &str) -> Result<Origin> {
        Origin::from_settings(&Settings::of(&[("URL", url)]), "URL")
    }

    #[test]
    fn a_server_is_an_https_url_or_on_loopback() {
        let vault = origin("https://vault.example:8200/proxied/").unwrap();
        assert_eq!((vault.is_tls, &*vault.authority, &*vault.base), (true, "vault.example:8200", "/proxied"));
        for url in ["http://127.0.0.1:2379", "http://localhost:1", "http://[::1]:2379/"] {
            assert!(!origin(url).unwrap().is_tls, "{url}");
        }
        for url in [
            "",
            "vault.example",
            "ftp://vault.example",
            "https://",
            "https:///x",
            "https://user:hunter2@vault.example",
            "https://vault.example/a?b",
            "https://vault.example/a b",
            "https://vault.example/../b",
            "http://127.0.0.1.vault.example",
            "http://vault.example",
            "http://10.0.0.1:2379",
        ] {
            let Err(StoreError::Other(why)) = origin(url) else { panic!("{url}") };
            assert!(!why.contains("hunter2"));
        }
    }

    #[test]
    fn clear_text_leaves_the_machine_only_where_it_was_asked_for() {
        let url = ("URL", "http://etcd:2379");
        assert!(Origin::from_settings(&Settings::of(&[url, (CLEAR_TEXT, "yes")]), "URL").is_ok());
        assert!(Origin::from_settings(&Settings::of(&[url, (CLEAR_TEXT, "true")]), "URL").is_err());
    }
}
