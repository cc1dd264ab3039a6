//! The URL of a function, and the audience that belongs to it.

use std::fmt;

use crate::{
    base::error::{Error, Result},
    google::{names::Region, request::grammar},
};

/// `https://` and a host under `run.app` or `cloudfunctions.net`, and for the latter the path of the
/// function. Nothing else: the ID token is sent there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionUrl {
    host: String,
    /// Without a trailing slash: empty for Cloud Run, `/name` for `cloudfunctions.net`.
    base: String,
    kind: HostKind,
    /// The length of the `TAG---` that the host begins with.
    tag: usize,
}

/// The owner of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostKind {
    /// `https://SERVICE-HASH-RR.a.run.app` or `https://SERVICE-NUMBER.REGION.run.app`.
    Run,
    /// `https://REGION-PROJECT.cloudfunctions.net/NAME`: 1st gen, or the second address of a 2nd gen
    /// function, where the same URL is a custom audience.
    CloudFunctions,
}

impl FunctionUrl {
    /// Parses the URL of a function as an API or a person gives it; what follows the function itself
    /// is returned apart: the path below it, and the query.
    ///
    /// # Errors
    /// `invalid-input` of field `url`, which says what is wrong with it.
    pub fn parse_with_rest(text: &str) -> Result<(Self, String, Option<String>)> {
        let (host, target) = https(text)?;
        let kind = host_kind(&host).ok_or_else(|| refused("is not under run.app or cloudfunctions.net"))?;
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        let (base, below) = match kind {
            HostKind::Run => (String::new(), path),
            HostKind::CloudFunctions => {
                let end = path[1.min(path.len())..].find('/').map_or(path.len(), |at| at + 1);
                // No function's name holds an escape, and who undoes it could be led to another one.
                if end < 2 || path[..end].contains('%') {
                    return Err(refused("does not name a function"));
                }
                (path[..end].to_owned(), &path[end..])
            }
        };
        grammar::path(&base, "url")?;
        let below = if below == "/" && kind == HostKind::CloudFunctions { "" } else { below };
        let tag = if kind == HostKind::Run { tag_of(&host) } else { 0 };
        Ok((Self { host, base, kind, tag }, below.to_owned(), query))
    }

    /// Parses a URL that must be a function's and nothing more.
    ///
    /// # Errors
    /// `invalid-input` of field `url`.
    pub fn parse(text: &str) -> Result<Self> {
        let (url, below, query) = Self::parse_with_rest(text)?;
        if !matches!(below.as_str(), "" | "/") || query.is_some() {
            return Err(refused("has more behind the function than its own path"));
        }
        Ok(url)
    }

    /// The same, as Google names it for a service: what looks like a tag is then a part of the service's name.
    #[must_use]
    pub fn of_service(self) -> Self {
        Self { tag: 0, ..self }
    }

    /// The host, in lower case.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Scheme and host.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("https://{}", self.host)
    }

    /// The function's own path: empty for Cloud Run.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The owner of the host.
    #[must_use]
    pub fn kind(&self) -> HostKind {
        self.kind
    }

    /// The audience of an ID token for this URL: the whole function URL on `cloudfunctions.net`, the
    /// origin on Cloud Run; never the path or query of a call. That of a traffic tag is the service's own URL, without
    /// the tag.
    ///
    /// <https://cloud.google.com/functions/docs/securing/authenticating> and
    /// <https://cloud.google.com/run/docs/authenticating/service-to-service>
    #[must_use]
    pub fn audience(&self) -> Audience {
        Audience(["https://", &self.host[self.tag..], &self.base].concat())
    }

    /// Tells if an ID token for this audience is good for this function and for nothing else: its URL, and on Cloud Run,
    /// where the host is its own, any path of it, with the traffic tag of this URL or without.
    #[must_use]
    pub fn owns(&self, audience: &Audience) -> bool {
        let Some(rest) = audience.0.strip_prefix("https://") else { return false };
        let (host, rest) = rest.split_at(rest.find(['/', '?', '#', ':']).unwrap_or(rest.len()));
        let rest = rest.strip_prefix(":443").unwrap_or(rest);
        (host.eq_ignore_ascii_case(&self.host) || host.eq_ignore_ascii_case(&self.host[self.tag..]))
            && match self.kind {
                HostKind::Run => rest.is_empty() || rest.starts_with('/'),
                // All functions of a region and project share one host, and only the path tells them apart.
                HostKind::CloudFunctions => rest.trim_end_matches('/') == self.base,
            }
    }

    /// The region, where the host says it: `REGION-PROJECT.cloudfunctions.net` and
    /// `SERVICE-NUMBER.REGION.run.app` do.
    #[must_use]
    pub fn region(&self) -> Option<Region> {
        if let Some(prefix) = self.host.strip_suffix(".run.app") {
            return Region::of(prefix.split_once('.')?.1);
        }
        let label = self.host.strip_suffix(".cloudfunctions.net")?;
        label.match_indices('-').find_map(|(at, _)| {
            let head = &label[..at];
            if head.ends_with(|c: char| c.is_ascii_digit()) { Region::of(head) } else { None }
        })
    }

    /// The name, where the URL says it: on `cloudfunctions.net` the function's, on `run.app` that of its service.
    /// `TAG---SERVICE-…` does not: a service may have such a name itself.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        let Some(prefix) = self.host.strip_suffix(".run.app") else {
            return self.base.strip_prefix('/');
        };
        let (label, place) = prefix.split_once('.')?;
        if label.contains("---") {
            return None;
        }
        let (rest, last) = label.rsplit_once('-')?;
        match place {
            // SERVICE-HASH-RR, where RR stands for the region in a way that is nowhere written down.
            "a" => Some(rest.rsplit_once('-')?.0),
            _ => last.bytes().all(|b| b.is_ascii_digit()).then_some(rest),
        }
    }
}

impl fmt::Display for FunctionUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}{}", self.host, self.base)
    }
}

/// The audience that an ID token is minted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience(String);

impl Audience {
    /// Parses one that is asked for in place of the function's own.
    ///
    /// # Errors
    /// `invalid-input` of field `audience`.
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() || text.len() > 2048 || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Error::input(
                "audience",
                "the audience is empty, too long, or holds characters outside printable ASCII",
            )
            .fix("leave it out: the function's own is taken then"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Tells if it stands for a function, in whatever spelling: then it is the one that is called, or another one.
    #[must_use]
    pub fn is_a_functions(&self) -> bool {
        let named = self.0.split(['?', '#']).next().unwrap_or_default();
        named.split(['/', '\\', '@', ':']).any(|part| {
            let host = part.trim_end_matches('.').as_bytes();
            [&b".run.app"[..], b".cloudfunctions.net"].iter().any(|suffix| {
                host.len() > suffix.len() && host[host.len() - suffix.len()..].eq_ignore_ascii_case(suffix)
            })
        })
    }

    /// The text of the `aud` claim.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Divides an https URL into its host, in lower case, and what follows. A user, a password, a fragment, or another
/// port than 443 is refused.
///
/// # Errors
/// `invalid-input` of field `url`, which says what is wrong with it.
pub(crate) fn https(text: &str) -> Result<(String, &str)> {
    grammar::plain_ascii(text, "url")?;
    if text.contains('#') {
        return Err(refused("has a fragment"));
    }
    let rest = text.strip_prefix("https://").ok_or_else(|| refused("does not begin with https://"))?;
    let (authority, target) = match rest.find(['/', '?']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    if authority.contains('@') {
        return Err(refused("has a user name or password in it"));
    }
    let host = match authority.split_once(':') {
        Some((host, "443")) => host,
        Some(_) => return Err(refused("has a port; functions are on 443")),
        None => authority,
    };
    Ok((host.to_ascii_lowercase(), target))
}

/// The length of `TAG---`, with which the URL of a revision begins, before SERVICE-HASH or SERVICE-NUMBER. A service may
/// have such a name itself: then what Google says of it is right, and the caller's own audience.
///
/// <https://cloud.google.com/run/docs/rollouts-rollbacks-traffic-migration#tags>
fn tag_of(host: &str) -> usize {
    const MARK: &str = "---";
    let label = host.split('.').next().unwrap_or_default();
    match label.split_once(MARK) {
        Some((tag, service)) if !tag.is_empty() && service.trim_matches('-').contains('-') => {
            tag.len() + MARK.len()
        }
        Some(_) | None => 0,
    }
}

fn host_kind(host: &str) -> Option<HostKind> {
    let labels = |prefix: &str| {
        prefix.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && !label.starts_with("xn--")
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        })
    };
    if let Some(prefix) = host.strip_suffix(".run.app") {
        // Two labels always: `a.run.app` itself and its siblings are nobody's service.
        return (prefix.split('.').count() == 2 && labels(prefix)).then_some(HostKind::Run);
    }
    let prefix = host.strip_suffix(".cloudfunctions.net")?;
    (prefix.split('.').count() == 1 && labels(prefix)).then_some(HostKind::CloudFunctions)
}

fn refused(why: &str) -> Error {
    Error::input("url", format!("the URL {why}"))
        .fix("use the function's https URL as `list` shows it, under run.app or cloudfunctions.net")
}

#[cfg(test)]
mod tests {
    use test_case::test_case;

    use super::*;

    #[test_case("https://fn-abc123-uc.a.run.app", "https://fn-abc123-uc.a.run.app"; "run")]
    #[test_case("https://fn-abc123-uc.a.run.app/", "https://fn-abc123-uc.a.run.app"; "run with slash")]
    #[test_case("https://fn-123456789012.us-central1.run.app", "https://fn-123456789012.us-central1.run.app"; "deterministic run")]
    #[test_case("https://us-central1-p.cloudfunctions.net/fn", "https://us-central1-p.cloudfunctions.net/fn"; "gen1 keeps its path")]
    #[test_case("https://US-central1-p.cloudfunctions.net:443/Fn/", "https://us-central1-p.cloudfunctions.net/Fn"; "host in lower case, path as it is")]
    #[test_case("https://green---hello-abcdefghij-uc.a.run.app/healthz", "https://hello-abcdefghij-uc.a.run.app"; "a traffic tag")]
    #[test_case("https://green---hello-123456789012.us-central1.run.app", "https://hello-123456789012.us-central1.run.app"; "a tag of a deterministic URL")]
    #[test_case("https://V1-2---My-Hello-abcdefghij-ew.a.run.app", "https://my-hello-abcdefghij-ew.a.run.app"; "a tag with a hyphen")]
    #[test_case("https://a---b.a.run.app", "https://a---b.a.run.app"; "no service behind the mark")]
    #[test_case("https://us-central1-p.cloudfunctions.net/a---b-c", "https://us-central1-p.cloudfunctions.net/a---b-c"; "a function of such a name")]
    fn the_audience_belongs_to_the_url(url: &str, audience: &str) {
        let (url, ..) = FunctionUrl::parse_with_rest(url).unwrap();
        assert_eq!(url.audience().as_str(), audience);
    }

    #[test_case("https://evil.com/fn"; "another host")]
    #[test_case("https://a.run.app/"; "the parent")]
    #[test_case("https://fn.run.app.evil.com/"; "a suffix in the middle")]
    #[test_case("https://evilrun.app/"; "no label boundary")]
    #[test_case("https://fn-abc-uc.a.run.app:8443/"; "a port")]
    #[test_case("https://u:p@fn-abc-uc.a.run.app/"; "userinfo")]
    #[test_case("https://fn.example.com/"; "a custom domain")]
    #[test_case("http://fn-abc-uc.a.run.app/"; "http")]
    #[test_case("https://fn-abc-uc.a.run.app./"; "a trailing dot")]
    #[test_case("https://fn-abc-uc.a.run.app\\@evil.com/"; "a backslash")]
    #[test_case("https://us-central1-p.cloudfunctions.net/"; "no function")]
    #[test_case("https://us-central1-p.cloudfunctions.net"; "no path")]
    #[test_case("https://us-central1-p.cloudfunctions.net/../x"; "dots")]
    #[test_case("https://us-central1-p.cloudfunctions.net/fn%2Fother"; "an escaped slash in the name")]
    #[test_case("https://us-central1-p.cloudfunctions.net/%66n"; "an escape in the name")]
    #[test_case("https://xn--a.a.run.app/"; "punycode")]
    fn a_url_is_refused(url: &str) {
        assert!(FunctionUrl::parse(url).is_err());
    }

    #[test]
    fn what_google_names_for_a_service_has_no_tag() {
        let url = FunctionUrl::parse("https://a---b-abcdefghij-uc.a.run.app").unwrap().of_service();
        assert_eq!(url.audience().as_str(), "https://a---b-abcdefghij-uc.a.run.app");
        assert!(!url.owns(&Audience::parse("https://b-abcdefghij-uc.a.run.app").unwrap()));
    }

    #[test]
    fn what_follows_the_function_is_kept_apart() {
        let (url, below, query) =
            FunctionUrl::parse_with_rest("https://us-central1-p.cloudfunctions.net/fn/a/b?x=1").unwrap();
        assert_eq!((url.base(), below.as_str(), query.as_deref()), ("/fn", "/a/b", Some("x=1")));
        assert_eq!(url.region().unwrap().as_str(), "us-central1");
    }

    #[test_case("https://us-central1-p.cloudfunctions.net/fn", Some("us-central1"), Some("fn"))]
    #[test_case("https://europe-west10-my-p-1.cloudfunctions.net/Fn_a", Some("europe-west10"), Some("Fn_a"))]
    #[test_case("https://no-region.cloudfunctions.net/fn", None, Some("fn"))]
    #[test_case("https://my-fn-123456789012.us-central1.run.app", Some("us-central1"), Some("my-fn"))]
    #[test_case("https://my-fn-abcdefghij-uc.a.run.app", None, Some("my-fn"); "the region is a code")]
    #[test_case("https://v1---my-fn-123456789012.us-central1.run.app", Some("us-central1"), None; "a tag")]
    #[test_case("https://v1---my-fn-abcdefghij-uc.a.run.app", None, None; "a tag and a code")]
    #[test_case("https://my-fn.us-central1.run.app", Some("us-central1"), None; "no number")]
    #[test_case("https://odd.a.run.app", None, None; "no hash")]
    fn what_a_url_says(url: &str, region: Option<&str>, name: Option<&str>) {
        let url = FunctionUrl::parse(url).unwrap();
        assert_eq!((url.region().as_ref().map(Region::as_str), url.name()), (region, name));
    }

    #[test_case("https://fn-abc-uc.a.run.app", true; "the same")]
    #[test_case("https://fn-abc-uc.a.run.app/", true; "the same with a slash")]
    #[test_case("https://FN-abc-uc.a.run.app:443", true; "the same in other letters")]
    #[test_case("https://fn-abc-uc.a.run.app/below", true; "a path of the same service")]
    #[test_case("https://victim-xyz-uc.a.run.app", false; "another function")]
    #[test_case("https://us-central1-p.cloudfunctions.net/fn", false; "a function elsewhere")]
    #[test_case("https://fn-abc-uc.a.run.app.evil.com", false; "a host that begins alike")]
    #[test_case("https://fn-abc-uc.a.run.app:443@evil.com", false; "a host as a user name")]
    #[test_case("http://fn-abc-uc.a.run.app", false; "without TLS")]
    #[test_case("123.apps.googleusercontent.com", false; "a client id")]
    #[test_case("https://api.example.com", false; "a custom audience")]
    #[test_case("https://sts.googleapis.com", false; "a service of Google")]
    #[test_case("team", false; "a word")]
    fn an_audience_of_a_service(audience: &str, own: bool) {
        let url = FunctionUrl::parse("https://fn-abc-uc.a.run.app").unwrap();
        assert_eq!(url.owns(&Audience::parse(audience).unwrap()), own);
    }

    #[test_case("https://hello-abcdefghij-uc.a.run.app", true; "the service")]
    #[test_case("https://Hello-abcdefghij-uc.a.run.app/path", true; "the service, and a path of it")]
    #[test_case("https://green---hello-abcdefghij-uc.a.run.app", true; "the tag")]
    #[test_case("https://blue---hello-abcdefghij-uc.a.run.app", false; "another tag, or another service")]
    #[test_case("https://ello-abcdefghij-uc.a.run.app", false; "a service that ends alike")]
    #[test_case("https://hello-abcdefghij-uc.a.run.app.evil.com", false; "a host that begins alike")]
    #[test_case("https://hello-123456789012.us-central1.run.app", false; "a service whose URL only Google could tell to be the same")]
    #[test_case("https://-hello-abcdefghij-uc.a.run.app", false; "half of the mark")]
    fn an_audience_of_a_service_with_a_tag(audience: &str, own: bool) {
        let url = FunctionUrl::parse("https://green---hello-abcdefghij-uc.a.run.app").unwrap();
        assert_eq!(url.owns(&Audience::parse(audience).unwrap()), own);
    }

    #[test_case("https://us-central1-p.cloudfunctions.net/fn", true; "the same")]
    #[test_case("https://us-central1-p.cloudfunctions.net/fn/", true; "the same with a slash")]
    #[test_case("https://us-central1-p.cloudfunctions.net", false; "the origin, which they share")]
    #[test_case("https://us-central1-p.cloudfunctions.net/victim", false; "a neighbour")]
    #[test_case("https://US-central1-p.cloudfunctions.net/victim", false; "a neighbour in other letters")]
    #[test_case("https://us-central1-p.cloudfunctions.net:443/victim", false; "a neighbour with a port")]
    #[test_case("https://us-central1-p.cloudfunctions.net/fn2", false; "a neighbour that begins alike")]
    #[test_case("https://us-central1-p.cloudfunctions.net/fn/x", false; "a path below, which may be listed elsewhere")]
    #[test_case("https://us-central1-p.cloudfunctions.net/FN", false; "a neighbour but for the case")]
    fn an_audience_among_neighbours(audience: &str, own: bool) {
        let url = FunctionUrl::parse("https://us-central1-p.cloudfunctions.net/fn").unwrap();
        let audience = Audience::parse(audience).unwrap();
        assert!(audience.is_a_functions());
        assert_eq!(url.owns(&audience), own);
    }

    #[test_case("https://fn-abc-uc.a.run.app", true)]
    #[test_case("HTTPS://fn-abc-uc.A.Run.App/x", true; "in other letters")]
    #[test_case("http://fn-abc-uc.a.run.app", true; "without TLS")]
    #[test_case("fn-abc-uc.a.run.app", true; "the host alone")]
    #[test_case("https://fn-abc-uc.a.run.app.:443/", true; "with a dot at its end")]
    #[test_case("https://user@fn-abc-uc.a.run.app", true; "with a user name")]
    #[test_case("https://fn-abc-uc.a.run.app\\x", true; "with a backslash")]
    #[test_case("https://fn.run.app.example.com", false; "a host of somebody's")]
    #[test_case("https://api.example.com/?at=.run.app", false; "in the query")]
    #[test_case("team", false; "a word")]
    fn an_audience_that_is_a_function_s(audience: &str, functions: bool) {
        assert_eq!(Audience::parse(audience).unwrap().is_a_functions(), functions);
    }

    #[test_case(""; "empty")]
    #[test_case("a b"; "a space")]
    #[test_case("caf\u{e9}"; "outside ASCII")]
    #[test_case("a\n"; "a line feed")]
    fn an_audience_is_refused(audience: &str) {
        assert!(Audience::parse(audience).is_err());
    }
}
