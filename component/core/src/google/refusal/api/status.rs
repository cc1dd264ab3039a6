//! A `google.rpc.Status` in JSON (<https://google.aip.dev/193>), as far as it is understood.

use std::time::Duration;

use crate::base::{
    http::Response,
    json::{self, Object, Read, Value},
};

/// An error of a Google API.
#[derive(Default)]
pub(super) struct Status {
    pub(super) message: String,
    status: String,
    details: Vec<Detail>,
}

/// A detail of any type: each field has the same meaning in all of those that have it.
struct Detail {
    reason: Option<String>,
    metadata: Vec<(String, String)>,
    links: Vec<String>,
    /// The types of `google.rpc.PreconditionFailure`'s violations.
    violations: Vec<String>,
    retry_delay: Option<String>,
}

impl Detail {
    fn read(fields: &Object<'_>) -> Read<Self> {
        let texts = |list: &'static str, name: &'static str| -> Read<Vec<String>> {
            let text = |entry: &Value<'_>| entry.object()?.get(name)?.text().map(str::to_owned);
            Ok(fields.list(list)?.iter().filter_map(text).collect())
        };
        Ok(Self {
            reason: fields.string("reason")?,
            metadata: fields.pairs("metadata")?,
            links: texts("links", "url")?,
            violations: texts("violations", "type")?,
            retry_delay: fields.string("retryDelay")?,
        })
    }
}

impl Status {
    /// Reads it; details that cannot be read are left out: what can be read still helps.
    pub(super) fn read(response: &Response) -> Option<Self> {
        let envelope = json::read(&response.body).ok()?;
        let error = envelope.get("error")?.object()?;
        let details = error.get("details").and_then(Value::list).unwrap_or_default();
        Some(Self {
            message: error.string("message").ok()?.unwrap_or_default(),
            status: error.string("status").ok()?.unwrap_or_default(),
            details: details.iter().filter_map(|detail| Detail::read(detail.object()?).ok()).collect(),
        })
    }

    /// Google's machine-readable reason, or in its absence the name of the code, such as `NOT_FOUND`.
    pub(super) fn reason(&self) -> Option<&str> {
        self.reasons().next().or_else(|| Some(self.status.as_str()).filter(|status| !status.is_empty()))
    }

    /// The reasons of `google.rpc.ErrorInfo`, then the types of violations.
    pub(super) fn reasons(&self) -> impl Iterator<Item = &str> {
        let reasons = self.details.iter().filter_map(|detail| detail.reason.as_deref());
        reasons.chain(self.details.iter().flat_map(|detail| detail.violations.iter().map(String::as_str)))
    }

    /// One fact of `google.rpc.ErrorInfo`.
    pub(super) fn metadata(&self, name: &str) -> Option<&str> {
        let mut all = self.details.iter().flat_map(|detail| &detail.metadata);
        all.find(|(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// The links of Google's own: one that ends up in front of a person must lead where it says. The bare address of a
    /// console leads nowhere.
    pub(super) fn links(&self) -> impl Iterator<Item = Link<'_>> {
        let named = ["activationUrl", "consoleUrl"].into_iter().filter_map(|name| self.metadata(name));
        let helping = self.details.iter().flat_map(|detail| detail.links.iter().map(String::as_str));
        named.chain(helping).filter_map(Link::of)
    }

    /// Tells if a denial is all that is said: no reason, no violation, and the code of a denial if there is one.
    pub(super) fn says_nothing_more(&self) -> bool {
        !self.message.is_empty()
            && self.reasons().next().is_none()
            && matches!(self.status.as_str(), "" | "PERMISSION_DENIED")
    }
}

/// A page of Google's.
pub(super) struct Link<'a> {
    pub(super) url: &'a str,
    path: &'a str,
}

impl<'a> Link<'a> {
    fn of(url: &'a str) -> Option<Self> {
        const HOSTS: [&str; 5] = [
            "console.developers.google.com",
            "console.cloud.google.com",
            "cloud.google.com",
            "docs.cloud.google.com",
            "support.google.com",
        ];
        let (host, path) = url.strip_prefix("https://")?.split_once('/')?;
        let plain = url.len() <= 400 && url.bytes().all(|b| b.is_ascii_graphic());
        (HOSTS.contains(&host) && plain && !path.is_empty()).then_some(Self { url, path })
    }

    /// The page at which the API of this name is switched on.
    pub(super) fn activates(&self) -> Option<&'a str> {
        let (service, _) = self.path.strip_prefix("apis/api/")?.split_once('/')?;
        Some(service)
    }

    /// Tells if the page is below a path.
    pub(super) fn is_below(&self, path: &str) -> bool {
        self.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
    }
}

/// A denial in the words of Cloud Functions and IAM: `Permission 'P' denied on resource 'R' (or it may not exist).`
pub(super) struct Quoted<'a> {
    pub(super) permission: Option<&'a str>,
    pub(super) resource: Option<&'a str>,
}

impl<'a> Quoted<'a> {
    /// Reads what stands in its quotes, if it is a denial.
    pub(super) fn read(message: &'a str) -> Option<Self> {
        let mut parts = message.strip_prefix("Permission '")?.splitn(4, '\'');
        let permission = parts.next()?;
        let resource = parts.next().and_then(|_| parts.next());
        let name = |text: &&str, more: &[u8]| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
        };
        Some(Self {
            permission: Some(permission).filter(|text| name(text, b".")),
            resource: resource.filter(|text| name(text, b"/-_.:@%")),
        })
    }
}

/// A response of 2xx whose body is an error of Google's API, under the status that the error says.
pub(crate) fn with_status_of_body(response: Response) -> Response {
    if !(200..300).contains(&response.status) {
        return response;
    }
    let read = || json::read(&response.body).ok()?.get("error")?.object()?.number("code").ok()?;
    match read().and_then(|code| u16::try_from(code).ok()) {
        Some(status @ 300..=599) => Response { status, ..response },
        Some(_) | None => response,
    }
}

/// The floor that a `google.rpc.RetryInfo` asks for.
#[must_use]
pub fn retry_info(response: &Response) -> Option<Duration> {
    if !matches!(response.status, 429 | 503) {
        return None;
    }
    Status::read(response)?.details.iter().find_map(|detail| {
        let text = detail.retry_delay.as_deref()?.strip_suffix('s')?;
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
        // A floor: what is left of a second counts as one.
        let rest = u64::from(fraction.bytes().any(|digit| digit != b'0'));
        Some(Duration::from_secs(seconds.parse::<u64>().ok()?.saturating_add(rest)))
    })
}
