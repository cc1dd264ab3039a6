//! The `egress` array of a catalog, read into rules.

use std::fmt;

use serde::Deserialize;

use super::host_name;

/// The only suffixes a rule may have: the two under which Google serves functions. A component that
/// asks for another one asks for hosts that this policy has no reason to trust.
const FUNCTION_SUFFIXES: [&str; 2] = [".run.app", ".cloudfunctions.net"];

/// The token endpoint: it takes keys, refresh tokens and codes in the body, and must never see a token in a
/// header.
const TOKEN_HOST: &str = "oauth2.googleapis.com";

/// The credential that a rule lets a request show to its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Carries {
    /// An OAuth access token in the Authorization header.
    AccessToken,
    /// An ID token in the Authorization header.
    IdToken,
    /// A signed assertion, refresh token or code in the body, and no Authorization header.
    Assertion,
    /// No credential at all.
    None,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    target: Target,
    carries: Vec<Carries>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Host(String),
    Suffix { suffix: String, min: usize, max: usize },
}

impl Rule {
    pub(super) fn carries(&self, kind: Carries) -> bool {
        self.carries.contains(&kind)
    }

    /// The kinds of credential that the rule carries.
    pub(super) fn kinds(&self) -> &[Carries] {
        &self.carries
    }

    /// Tells whether each host of another rule is this rule's too.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (&self.target, &other.target) {
            (_, Target::Host(host)) => self.matches(host),
            (
                Target::Suffix { suffix, min, max },
                Target::Suffix { suffix: narrower, min: from, max: to },
            ) => suffix == narrower && min <= from && to <= max,
            (Target::Host(_), Target::Suffix { .. }) => false,
        }
    }

    /// The rule's host, or the common end of its hosts.
    pub(super) fn target_name(&self) -> &str {
        match &self.target {
            Target::Host(name) | Target::Suffix { suffix: name, .. } => name,
        }
    }

    /// Tells whether the rule is for `host`, whose spelling has been checked.
    pub(super) fn matches(&self, host: &str) -> bool {
        match &self.target {
            Target::Host(exact) => host == exact,
            Target::Suffix { suffix, min, max } => host
                .strip_suffix(suffix.as_str())
                .is_some_and(|rest| (*min..=*max).contains(&rest.split('.').count())),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds: Vec<_> = self.carries.iter().map(|kind| name(*kind)).collect();
        write!(f, "{} with {}", self.target_name(), kinds.join(", "))
    }
}

/// The name of a kind in a manifest.
pub(super) fn name(kind: Carries) -> &'static str {
    match kind {
        Carries::AccessToken => "access-token",
        Carries::IdToken => "id-token",
        Carries::Assertion => "assertion",
        Carries::None => "none",
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Entry {
    host: Option<String>,
    host_suffix: Option<String>,
    labels: Option<(usize, usize)>,
    carries: Vec<Carries>,
}

/// Tells whether a host, whose spelling has been checked, is that of a function: anybody's code.
pub(super) fn is_function(host: &str) -> bool {
    FUNCTION_SUFFIXES.iter().any(|suffix| host.ends_with(suffix) || host == &suffix[1..])
}

pub(super) fn parse(egress: &serde_json::Value) -> Result<Vec<Rule>, String> {
    let entries = egress.as_array().ok_or("the egress manifest is not an array")?;
    let mut rules: Vec<Rule> = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        let rule = Entry::deserialize(entry)
            .map_err(|error| error.to_string())
            .and_then(rule)
            .map_err(|error| format!("egress manifest, rule {index}: {error}"))?;
        if rules.iter().any(|earlier| earlier.target == rule.target) {
            return Err(format!("egress manifest, rule {index}: the same target twice"));
        }
        rules.push(rule);
    }
    Ok(rules)
}

fn rule(entry: Entry) -> Result<Rule, String> {
    let Entry { host, host_suffix, labels, carries } = entry;
    if carries.is_empty() {
        return Err("carries is empty".to_owned());
    }
    let tokens = carries.contains(&Carries::AccessToken) || carries.contains(&Carries::IdToken);
    if carries.contains(&Carries::Assertion) && tokens {
        return Err("a host that takes assertions must not get a token".to_owned());
    }
    let target = match (host, host_suffix, labels) {
        (Some(host), None, None) => exact(host, &carries)?,
        (None, Some(suffix), Some(labels)) => under_suffix(suffix, labels, &carries)?,
        (None, Some(_), None) => return Err("host-suffix needs labels".to_owned()),
        (Some(_), None, Some(_)) => return Err("labels belong to host-suffix".to_owned()),
        (Some(_), Some(_), _) | (None, None, _) => {
            return Err("exactly one of host and host-suffix".to_owned());
        }
    };
    Ok(Rule { target, carries })
}

fn exact(host: String, carries: &[Carries]) -> Result<Target, String> {
    host_name::check(&host)?;
    if is_function(&host)
        && (carries.contains(&Carries::AccessToken) || carries.contains(&Carries::Assertion))
    {
        return Err(format!("{host} runs anybody's code and may carry id-token or none only"));
    }
    if host == TOKEN_HOST && carries != [Carries::Assertion] {
        return Err(format!("{host} may carry assertion only"));
    }
    Ok(Target::Host(host))
}

fn under_suffix(suffix: String, (min, max): (usize, usize), carries: &[Carries]) -> Result<Target, String> {
    if !FUNCTION_SUFFIXES.contains(&suffix.as_str()) {
        return Err(format!("host-suffix must be one of {}, not {suffix:?}", FUNCTION_SUFFIXES.join(", ")));
    }
    // Two covers every form Google gives out: NAME-HASH-REGION.a.run.app is the longest.
    if !(1 <= min && min <= max && max <= 2) {
        return Err("labels must be within [1, 2]".to_owned());
    }
    if carries.contains(&Carries::AccessToken) || carries.contains(&Carries::Assertion) {
        return Err(format!("{suffix} is anybody's code and may carry id-token or none only"));
    }
    Ok(Target::Suffix { suffix, min, max })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn refuses_what_would_open_too_much() {
        let table = [
            (json!({"host": "run.googleapis.com", "carries": ["access-token"]}), "not an array"),
            (json!(["run.googleapis.com"]), "invalid type"),
            (json!([{"host": "run.googleapis.com"}]), "missing field `carries`"),
            (json!([{"host": "run.googleapis.com", "carries": []}]), "carries is empty"),
            (json!([{"host": "run.googleapis.com", "carries": ["anything"]}]), "unknown variant"),
            (json!([{"host": "run.googleapis.com", "carries": ["none"], "port": 1}]), "unknown field"),
            (json!([{"carries": ["none"]}]), "exactly one of"),
            (
                json!([{"host": "a.run.app", "host-suffix": ".run.app", "labels": [1, 2], "carries": ["none"]}]),
                "exactly one of",
            ),
            (json!([{"host": "run.googleapis.com", "labels": [1, 2], "carries": ["none"]}]), "labels belong"),
            (json!([{"host": "*", "carries": ["none"]}]), "malformed label"),
            (json!([{"host": "*.googleapis.com", "carries": ["none"]}]), "malformed label"),
            (json!([{"host": "169.254.169.254", "carries": ["none"]}]), "IP address"),
            (json!([{"host": "2852039166", "carries": ["none"]}]), "IP address"),
            (json!([{"host": "[::1]", "carries": ["none"]}]), "malformed label"),
            (json!([{"host": "localhost", "carries": ["none"]}]), "not a full name"),
            (json!([{"host": "https://run.googleapis.com", "carries": ["none"]}]), "malformed label"),
            (json!([{"host": "fn.a.run.app", "carries": ["access-token"]}]), "anybody's code"),
            (json!([{"host": "oauth2.googleapis.com", "carries": ["none"]}]), "assertion only"),
            (
                json!([{"host": "sts.googleapis.com", "carries": ["assertion", "id-token"]}]),
                "must not get a token",
            ),
            (json!([{"host-suffix": ".run.app", "carries": ["none"]}]), "needs labels"),
            (json!([{"host-suffix": ".run.app", "labels": [0, 2], "carries": ["none"]}]), "within [1, 2]"),
            (json!([{"host-suffix": ".run.app", "labels": [2, 1], "carries": ["none"]}]), "within [1, 2]"),
            (json!([{"host-suffix": ".run.app", "labels": [1, 9], "carries": ["none"]}]), "within [1, 2]"),
            (json!([{"host-suffix": ".com", "labels": [1, 2], "carries": ["none"]}]), "host-suffix must be"),
            (json!([{"host-suffix": "", "labels": [1, 2], "carries": ["none"]}]), "host-suffix must be"),
            (
                json!([{"host-suffix": "run.app", "labels": [1, 2], "carries": ["none"]}]),
                "host-suffix must be",
            ),
            (
                json!([{"host-suffix": ".googleapis.com", "labels": [1, 2], "carries": ["none"]}]),
                "host-suffix must be",
            ),
            (
                json!([{"host-suffix": ".run.app", "labels": [1, 2], "carries": ["access-token"]}]),
                "id-token or none",
            ),
            (
                json!([
                    {"host": "run.googleapis.com", "carries": ["none"]},
                    {"host": "run.googleapis.com", "carries": ["access-token"]},
                ]),
                "rule 1: the same target twice",
            ),
        ];
        for (manifest, expected) in table {
            let error = parse(&manifest).unwrap_err();
            assert!(error.contains(expected), "{manifest}: {error}");
        }
    }

    #[test]
    fn an_empty_manifest_allows_nothing() {
        assert_eq!(parse(&json!([])), Ok(vec![]));
    }
}
