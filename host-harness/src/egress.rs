//! The egress policy: the component's own manifest, enforced by the host.
//!
//! The manifest is the `egress` array of the component's catalog. It is read once, and from then on
//! every request is judged against it outside the sandbox, whatever the component has checked
//! itself. A request is judged by its target and by the credential it shows:
//!
//! - the target is one of the exact hosts, or a name under `.run.app` or `.cloudfunctions.net`,
//!   always https on port 443;
//! - the credential is of a kind that the rule of that target carries. An access token therefore
//!   never reaches a function, for functions are anybody's code;
//! - a function that reads an `Authorization` of the caller's own, or must not have any, gets the ID token as
//!   `X-Serverless-Authorization`: only where the rule carries ID tokens, and the caller's own is then
//!   anything but a Google access token;
//! - no other header holds a credential, and the query of a request to Google none either;
//! - no header frames the message or is about one hop of its way, and the path begins with `/`: what is judged
//!   is what is sent.
//!
//! A request that no rule allows is denied. [`address`] judges the addresses of a name; the live transport
//! asks it.
//!
//! A manifest is the component's word, and a component can be another one than it seems. So the host knows
//! what the connector's release declares, [`EgressPolicy::shipping`], and takes no component that declares
//! more, unless its operator says what may be sent:
//! [`HostBuilder::egress_allow`](crate::HostBuilder::egress_allow). That holds then, beside the manifest, for
//! each request.

pub mod address;
mod bound;
mod credential;
mod headers;
mod host_name;
mod manifest;

use http::{HeaderName, Method, request::Parts, uri::Scheme};

pub use self::credential::Carried;
pub(crate) use self::host_name::check as check_host_name;
use self::{
    credential::Presented,
    manifest::{Carries, Rule},
};

/// The header of an ID token that is for Google's front end alone.
const SERVERLESS_AUTHORIZATION: HeaderName = HeaderName::from_static("x-serverless-authorization");

/// The hosts that a component may reach, and the kind of credential it may show to each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressPolicy {
    rules: Vec<Rule>,
    /// The rules that the operator of the host allows, if the operator has set any.
    allowed: Option<Vec<Rule>>,
}

impl EgressPolicy {
    /// Reads the `egress` array of a component's catalog.
    ///
    /// A rule is `{"host": …, "carries": […]}` or
    /// `{"host-suffix": …, "labels": [min, max], "carries": […]}`.
    ///
    /// # Errors
    /// A text that names the rule and what is wrong with it: an unknown field, an IP literal, a
    /// wildcard, a suffix other than the two of Google's functions, or a credential that may not go
    /// where the rule would send it.
    pub fn from_manifest(egress: &serde_json::Value) -> Result<Self, String> {
        manifest::parse(egress).map(|rules| Self { rules, allowed: None })
    }

    /// Judges one request, before anything is resolved or sent.
    ///
    /// # Errors
    /// The reason why the request is denied. The text holds host names, never a credential.
    pub fn check(&self, request: &Parts) -> Result<(), String> {
        let (host, rule) = self.rule(request)?;
        let presented = if request.headers.contains_key(SERVERLESS_AUTHORIZATION) {
            Presented::serverless(&request.headers)?
        } else {
            Presented::read(&request.headers)?
        };
        if !presented.fits(rule) {
            return Err(format!("{presented} may not be sent to {host} by the component's egress manifest"));
        }
        match self.bound(host)? {
            Some(allowed) if !presented.fits(allowed) => Err(format!(
                "{presented} may not be sent to {host}: the operator of this host does not allow it"
            )),
            Some(_) | None => Ok(()),
        }
    }

    /// The kind of credential that a request carries, whether it may or not.
    pub(crate) fn carried(&self, request: &Parts) -> Carried {
        let presented = if request.headers.contains_key(SERVERLESS_AUTHORIZATION) {
            Presented::serverless(&request.headers)
        } else {
            Presented::read(&request.headers)
        };
        match presented {
            Ok(Presented::IdToken) => Carried::IdToken,
            // Of several, none is told from another: the strictest word for them.
            Ok(Presented::AccessToken) | Err(_) => Carried::AccessToken,
            Ok(Presented::Nothing) => match self.rule(request) {
                Ok((_, rule)) if rule.carries(Carries::Assertion) => Carried::Body,
                Ok(_) | Err(_) => Carried::Nothing,
            },
        }
    }

    /// The host of a request that shows no credential, goes where the only one to show is an access
    /// token, and would be let through with one.
    pub(crate) fn lacks_access_token<'r>(&self, request: &'r Parts) -> Option<&'r str> {
        let (host, rule) = self.rule(request).ok()?;
        let allowed = self.bound(host).ok()?.is_none_or(|allowed| allowed.carries(Carries::AccessToken));
        let wanted = allowed
            && rule.carries(Carries::AccessToken)
            && !rule.carries(Carries::None)
            && !rule.carries(Carries::Assertion);
        (wanted && Presented::read(&request.headers) == Ok(Presented::Nothing)).then_some(host)
    }

    /// Judges everything but the credential: the host it goes to, and the rule for that host.
    fn rule<'r>(&self, request: &'r Parts) -> Result<(&'r str, &Rule), String> {
        // CONNECT would turn the connection into a tunnel that nobody judges.
        if request.method.as_str().eq_ignore_ascii_case(Method::CONNECT.as_str()) {
            return Err("the method CONNECT is not allowed".to_owned());
        }
        let host = target(&request.uri)?;
        let rule = self
            .rules
            .iter()
            .find(|rule| rule.matches(host))
            .ok_or_else(|| format!("host {host} is not in the component's egress manifest"))?;
        // What stands there is written into the request as it is, and an absolute URL names another host.
        let path = request.uri.path_and_query().map_or("", |path| path.as_str());
        if !path.starts_with('/') {
            return Err("the path does not begin with a slash".to_owned());
        }
        // RFC 3986, section 2.1: others read such bytes in ways of their own.
        if !path.is_ascii() {
            return Err("the path has a letter outside ASCII that is not percent-encoded".to_owned());
        }
        headers::check(&request.headers, host)?;
        headers::check_query(&request.uri, host)?;
        Ok((host, rule))
    }
}

/// The host that `uri` would connect to, if it is spelt in the one accepted way.
fn target(uri: &http::Uri) -> Result<&str, String> {
    if uri.scheme() != Some(&Scheme::HTTPS) {
        return Err("only https is allowed".to_owned());
    }
    let authority = uri.authority().ok_or("the URL has no host")?.as_str();
    // Never repeated in the message: what stands before the @ may be a password.
    if authority.contains('@') {
        return Err("a URL with a user name or password is not allowed".to_owned());
    }
    if authority.starts_with('[') {
        return Err("an IP address is not a host name".to_owned());
    }
    let host = authority.strip_suffix(":443").unwrap_or(authority);
    if host.contains(':') {
        return Err("port 443 only".to_owned());
    }
    host_name::check(host)?;
    Ok(host)
}

#[cfg(test)]
mod tests;
